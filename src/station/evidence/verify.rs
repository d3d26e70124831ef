//! Whether an archive is as the station made it, and if not, what was changed. Needs nothing but the file and the key.

use super::write::hash;
use super::{COMMENT_BYTES, FORMAT, MANIFEST, Manifest, record_name};
use plated_access::signed;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::{Purpose, Trust};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use zip::ZipArchive;

/// Largest manifest.
const MAX_MANIFEST: u64 = 64 << 20;
/// Most faults that are named.
const MAX_FAULTS: usize = 20;

/// Something that is not as the station made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The archive's comment is no signature of a trusted key over the bytes before it.
    Seal(String),
    /// It is no ZIP archive, or can't be read.
    Archive(String),
    /// The manifest is missing, or is not as it was signed.
    Manifest(String),
    /// A file that the manifest names is not there.
    Missing(String),
    /// A file has another content.
    Changed(String),
    /// A file that the manifest does not name.
    Added(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seal(why) => write!(f, "the archive as a whole: {why}"),
            Self::Archive(why) => write!(f, "it can't be read: {why}"),
            Self::Manifest(why) => write!(f, "the manifest: {why}"),
            Self::Missing(name) => write!(f, "{name} is missing"),
            Self::Changed(name) => write!(f, "{name} was changed"),
            Self::Added(name) => write!(f, "{name} was added"),
        }
    }
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What the station wrote; none when that can't be told.
    pub manifest: Option<Manifest>,
    /// What is wrong; nothing when all is as the station made it.
    pub faults: Vec<Fault>,
}

impl Report {
    /// True when all is as the station made it.
    pub fn is_genuine(&self) -> bool {
        self.manifest.is_some() && self.faults.is_empty()
    }
}

/// Verifies the archive at `path`.
///
/// # Errors
/// `Missing` when it can't be opened. What is wrong with its content is in the report.
pub fn verify(path: &Path, trust: &Trust) -> Result<Report> {
    let unopened = || format!("could not open {}", path.display());
    let mut file = File::open(path).context(Kind::Missing, unopened)?;
    let mut report = Report::default();
    report.faults.extend(seal(&mut file, trust)?.err().map(Fault::Seal));
    match ZipArchive::new(file) {
        Ok(mut archive) => look_into(&mut archive, trust, &mut report),
        Err(e) => report.faults.push(Fault::Archive(e.to_string())),
    }
    report.faults.truncate(MAX_FAULTS);
    Ok(report)
}

/// Whether the comment signs all bytes before it.
fn seal(file: &mut File, trust: &Trust) -> Result<Result<(), String>> {
    let failed = || "could not read the archive".to_owned();
    let length = file.seek(SeekFrom::End(0)).context(Kind::Storage, failed)?;
    let Some(before) = length.checked_sub(COMMENT_BYTES as u64) else {
        return Ok(Err("it has no seal: it was cut off, or is another kind of file".into()));
    };
    file.rewind().context(Kind::Storage, failed)?;
    let sha256 = hash(&mut Read::by_ref(file).take(before))?;
    let mut comment = vec![0; COMMENT_BYTES];
    file.read_exact(&mut comment).context(Kind::Storage, failed)?;
    let Some((key, signature)) = parts(&comment) else {
        return Ok(Err("it has no seal: it was cut off, or is another kind of file".into()));
    };
    Ok(trust.check(&key, Purpose::EVIDENCE, &sha256.0, &signature).map_err(str::to_owned))
}

fn parts(comment: &[u8]) -> Option<([u8; 32], [u8; 64])> {
    let hex = comment.strip_prefix(FORMAT.as_bytes())?.strip_prefix(b" ")?;
    // One way to write it only, so that each change of a byte is found.
    if hex.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let (mut key, mut signature) = ([0; 32], [0; 64]);
    hex::decode_to_slice(hex.get(..64)?, &mut key).ok()?;
    hex::decode_to_slice(hex.get(64..)?, &mut signature).ok()?;
    Some((key, signature))
}

fn look_into(archive: &mut ZipArchive<File>, trust: &Trust, report: &mut Report) {
    let manifest = match manifest(archive, trust) {
        Ok(manifest) => manifest,
        Err(e) => {
            report.faults.push(Fault::Manifest(e.chain()));
            return;
        }
    };
    let mut expected: BTreeMap<&str, _> = manifest.files.iter().map(|file| (file.name.as_str(), file)).collect();
    for n in 0..archive.len() {
        let mut entry = match archive.by_index(n) {
            Ok(entry) => entry,
            Err(e) => {
                report.faults.push(Fault::Archive(e.to_string()));
                continue;
            }
        };
        let name = entry.name().map(|name| name.into_owned()).unwrap_or_default();
        if name == MANIFEST {
            continue;
        }
        let Some(file) = expected.remove(name.as_str()) else {
            report.faults.push(Fault::Added(shown(&name)));
            continue;
        };
        // One byte more than it has shows that it has more.
        let found = hash(&mut Read::by_ref(&mut entry).take(file.bytes + 1));
        if !found.is_ok_and(|sha256| sha256 == file.sha256) {
            report.faults.push(Fault::Changed(name));
        }
    }
    report.faults.extend(expected.keys().map(|name| Fault::Missing((*name).to_owned())));
    let sealed = |of: &super::ManifestRead| {
        let name = record_name(of.id);
        manifest.files.iter().any(|file| file.name == name && file.sha256 == of.sealed_sha256)
    };
    let unsealed = manifest.reads.iter().filter(|of| !sealed(of));
    report
        .faults
        .extend(unsealed.map(|of| Fault::Manifest(format!("the read {} is not as its vehicle sealed it", of.id))));
    report.manifest = Some(manifest);
}

/// A name as it can be printed: that of a file that was added may be anything.
fn shown(name: &str) -> String {
    plated_core::text::visible(name).at_most(200).to_string()
}

fn manifest(archive: &mut ZipArchive<File>, trust: &Trust) -> Result<Manifest> {
    let mut text = Vec::new();
    let missing = || Error::new(Kind::Input, "it is missing");
    let mut entry = archive.by_name(MANIFEST).map_err(|_| missing())?;
    Read::by_ref(&mut entry)
        .take(MAX_MANIFEST)
        .read_to_end(&mut text)
        .context(Kind::Input, || "it can't be read".into())?;
    let manifest: Manifest = signed::open(&text, "it", Purpose::EVIDENCE, trust)?;
    match manifest.format == FORMAT {
        true => Ok(manifest),
        false => Err(Error::new(Kind::Input, "it is of another program's version; use a newer plated-station")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Contents, ExportedRead, ManifestRead, write};
    use super::*;
    use jiff::Timestamp;
    use plated_access::Actor;
    use plated_core::digest::Sha256;
    use plated_core::signing::Signer;
    use proptest::prelude::*;
    use std::sync::LazyLock;
    use uuid::Uuid;

    /// A signer, and an archive of two reads that it made.
    static MADE: LazyLock<(Signer, Vec<u8>)> = LazyLock::new(|| {
        let (dir, signer) = (tempfile::tempdir().unwrap(), Signer::generate().unwrap());
        let at: Timestamp = "2026-11-26T08:00:00Z".parse().unwrap();
        let manifest = Manifest {
            format: FORMAT.into(),
            id: Uuid::now_v7(),
            station: "station-1".into(),
            at,
            by: (&Actor::of_this_process()).into(),
            purpose: Some("arrest_warrant".into()),
            case: "26-7".into(),
            reason: "for the DA".into(),
            reads: Vec::new(),
            files: Vec::new(),
        };
        let read = |n: usize| {
            let record = format!("{{\"text\":\"7ABC00{n}\"}}").into_bytes();
            Ok(ExportedRead {
                about: ManifestRead {
                    id: Uuid::now_v7(),
                    vehicle: "unit-7".into(),
                    sealed_sha256: Sha256::of(&record),
                    received: at,
                    batch: Uuid::now_v7(),
                    holds: Vec::new(),
                },
                record,
                pictures: vec![("plate".into(), vec![n as u8; 300].into())],
                documents: vec![("correction".into(), b"{}".to_vec())],
            })
        };
        let path = dir.path().join("a.zip");
        let file = File::options().create_new(true).read(true).write(true).open(&path).unwrap();
        write(file, Contents { manifest, reads: 2 }, &signer, read).unwrap();
        (signer, std::fs::read(&path).unwrap())
    });

    fn look(bytes: &[u8]) -> Report {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.zip");
        std::fs::write(&path, bytes).unwrap();
        verify(&path, &Trust::only([MADE.0.public_key()])).unwrap()
    }

    fn place(bytes: &[u8], of: &[u8]) -> usize {
        bytes.windows(of.len()).position(|window| window == of).unwrap()
    }

    // policy: P-16
    #[test]
    fn an_archive_as_the_station_made_it_verifies_and_one_of_another_key_does_not() {
        let report = look(&MADE.1);
        assert!(report.is_genuine(), "{:?}", report.faults);
        let manifest = report.manifest.unwrap();
        assert_eq!((manifest.reads.len(), manifest.files.len(), manifest.case.as_str()), (2, 7, "26-7"));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.zip");
        std::fs::write(&path, &MADE.1).unwrap();
        let other = Trust::only([Signer::generate().unwrap().public_key()]);
        assert!(!verify(&path, &other).unwrap().is_genuine());
    }

    // policy: P-16
    #[test]
    fn what_was_changed_is_named() {
        let change = |of: &[u8]| {
            let mut bytes = MADE.1.clone();
            let at = place(&bytes, of);
            bytes[at] ^= 1;
            look(&bytes).faults
        };
        let named = |faults: Vec<Fault>, what: &str| {
            assert!(faults.iter().any(|fault| fault.to_string().contains(what)), "{what}: {faults:?}");
        };
        named(change(b"7ABC001"), "record.json was changed");
        named(change(&[1; 300]), "1-plate.jpg was changed");
        named(change(b"for the DA"), "manifest");
        named(change(b"plated-evidence-1 "), "the archive as a whole");
        named(look(&MADE.1[..MADE.1.len() - 1]).faults, "the archive as a whole");
        named(look(b"no archive").faults, "it can't be read");
    }

    proptest! {
        // policy: P-16
        #[test]
        fn a_change_of_any_byte_is_found(at in any::<prop::sample::Index>(), bit in 0..8u32) {
            let mut bytes = MADE.1.clone();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(!look(&bytes).is_genuine(), "byte {at}");
        }

        #[test]
        fn any_bytes_are_looked_at_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert!(!look(&bytes).is_genuine());
        }
    }
}
