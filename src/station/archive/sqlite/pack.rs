//! Packs as files beside the database of their unit.

use super::super::batch::Picture;
use super::super::pack::{self, Pack};
use crate::key::ArchiveKey;
use plated_core::digest::Sha256;
use plated_core::durable::{self, Writer};
use plated_core::error::{Context, Error, Kind, Result};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// How the name of a pack ends.
const SUFFIX: &str = ".pack";

/// Where the pack of this id lies.
pub(super) fn path(folder: &Path, id: Uuid) -> PathBuf {
    folder.join(format!("{}{SUFFIX}", id.simple()))
}

/// The id of the pack of this file name.
pub(super) fn id_of(name: &str) -> Option<Uuid> {
    name.strip_suffix(SUFFIX).and_then(|id| Uuid::try_parse(id).ok())
}

/// Writes a pack of these pictures. Durable on return; one sync, and one of the folder.
pub(super) fn write<'a>(
    folder: &Path,
    key: &ArchiveKey,
    pictures: impl IntoIterator<Item = &'a Picture>,
) -> Result<Pack> {
    let failed = || format!("could not write pictures to {}", folder.display());
    let mut file = Writer::create(folder, 0o600).context(Kind::Storage, failed)?;
    let pack = pack::seal(key, pictures, |bytes| file.write_all(bytes).context(Kind::Storage, failed))?;
    file.finish(&path(folder, pack.id)).context(Kind::Storage, failed)?;
    Ok(pack)
}

/// The picture that begins there.
///
/// # Errors
/// `Damaged` when it is not what was written.
pub(super) fn read(
    folder: &Path,
    key: &ArchiveKey,
    id: Uuid,
    start: u64,
    bytes: u64,
    sha256: &Sha256,
) -> Result<Vec<u8>> {
    let path = path(folder, id);
    let failed = || format!("could not read a picture in {}", path.display());
    let damaged = |why: &str| Error::new(Kind::Damaged, format!("{}: {why}", failed()));
    let file = File::open(&path).map_err(|e| damaged(&e.to_string()))?;
    let length = usize::try_from(pack::sealed_bytes(bytes)).map_err(|_| damaged("it is too large"))?;
    let mut content = vec![0; length];
    match file.read_exact_at(&mut content, start) {
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Err(damaged("the file is cut off")),
        other => other.context(Kind::Storage, failed)?,
    }
    pack::open(key, id, start, sha256, content, || path.display().to_string())
}

/// Whether there are packs in `folder`.
pub(super) fn any(folder: &Path) -> std::io::Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        if id_of(&entry?.file_name().to_string_lossy()).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Removes the packs in `folder` that are not `known`, and unfinished ones; gives how many it removed.
pub(super) fn remove_orphans(folder: &Path, known: impl Fn(Uuid) -> bool) -> Result<u64> {
    let failed = || format!("could not look through {}", folder.display());
    durable::sweep(folder);
    let mut removed = 0;
    for entry in std::fs::read_dir(folder).context(Kind::Storage, failed)? {
        let entry = entry.context(Kind::Storage, failed)?;
        if id_of(&entry.file_name().to_string_lossy()).is_some_and(|id| !known(id)) {
            durable::remove(&entry.path()).context(Kind::Storage, failed)?;
            removed += 1;
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(bytes: &'static [u8]) -> Picture {
        Picture { sha256: Sha256::of(bytes), bytes: bytes.into() }
    }

    // policy: P-25
    #[test]
    fn pictures_come_back_from_their_places_and_lie_encrypted() {
        let dir = tempfile::tempdir().unwrap();
        let key = ArchiveKey::of_tests();
        let (a, b) = (picture(b"the first picture"), picture(b"and another"));
        let pack = write(dir.path(), &key, [&a, &b, &a]).unwrap();
        for p in [&a, &b] {
            let read = read(dir.path(), &key, pack.id, pack.starts[&p.sha256], p.bytes.len() as u64, &p.sha256);
            assert_eq!(read.unwrap(), p.bytes);
        }
        let raw = std::fs::read(path(dir.path(), pack.id)).unwrap();
        assert_eq!(raw.len() as u64, pack.bytes);
        assert!(!raw.windows(7).any(|w| w == b"picture"));
    }

    #[test]
    fn a_changed_byte_another_place_and_a_missing_file_are_damage() {
        let dir = tempfile::tempdir().unwrap();
        let key = ArchiveKey::of_tests();
        let (a, b) = (picture(b"picture 1"), picture(b"picture 2"));
        let pack = write(dir.path(), &key, [&a, &b]).unwrap();
        let get = |start: u64, sha256: &Sha256| read(dir.path(), &key, pack.id, start, 9, sha256).map_err(|e| e.kind());
        assert_eq!(get(pack.starts[&b.sha256], &a.sha256), Err(Kind::Damaged), "the place of another");
        let file = path(dir.path(), pack.id);
        let mut raw = std::fs::read(&file).unwrap();
        raw[10] ^= 1;
        std::fs::write(&file, &raw).unwrap();
        assert_eq!(get(8, &a.sha256), Err(Kind::Damaged));
        std::fs::write(&file, &raw[..12]).unwrap();
        assert_eq!(get(8, &a.sha256), Err(Kind::Damaged));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(get(8, &a.sha256), Err(Kind::Damaged));
    }
}
