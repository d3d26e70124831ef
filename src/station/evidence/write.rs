//! Writing an archive.

use super::{COMMENT_BYTES, FORMAT, MANIFEST, Manifest, ManifestFile, ManifestRead, record_name};
use bytes::Bytes;
use plated_access::signed;
use plated_core::digest::{Hasher, Sha256};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::{Purpose, Signer};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// For whoever opens the archive without the program.
const README: &str = "\
This archive holds license plate reads as evidence.

  manifest.json          what is in it, who took it out, when and why; signed by the station
  reads/ID/record.json   a read as the vehicle sealed it
  reads/ID/*.jpg         its pictures
  reads/ID/papers/       what officers put down about it

It was not changed if this says so, on any computer, without a connection:

  plated-station evidence verify FILE --key evidence.pub

evidence.pub is the station's public key, which the agency gives to whoever asks. Unpacking and packing it again
makes another archive, which does not verify. A read is a lead, not a fact: compare its picture.
";

/// A read to be written.
#[derive(Clone, Debug)]
pub struct ExportedRead {
    /// How it came to the station.
    pub about: ManifestRead,
    /// The exact bytes of its record.
    pub record: Vec<u8>,
    /// Its pictures: role and JPEG.
    pub pictures: Vec<(String, Bytes)>,
    /// What was put down about it: kind and exact bytes.
    pub documents: Vec<(String, Vec<u8>)>,
}

/// What is to be in an archive; its files and reads are filled in as they are written.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Who, when, why.
    pub manifest: Manifest,
    /// Reads still to come, one after the other.
    pub reads: usize,
}

/// Writes an archive into this empty file. `next` gives one read after the other, `contents.reads` of them.
///
/// # Errors
/// `Storage` when it can't be written, and what `next` gives.
pub fn write(
    file: File,
    contents: Contents,
    signer: &Signer,
    mut next: impl FnMut(usize) -> Result<ExportedRead>,
) -> Result<File> {
    let mut zip = ZipWriter::new(BufWriter::new(file));
    let Contents { mut manifest, reads } = contents;
    let put = |zip: &mut ZipWriter<BufWriter<File>>, manifest: &mut Manifest, name: String, bytes: &[u8]| {
        add(zip, &name, bytes)?;
        manifest.files.push(ManifestFile { name, bytes: bytes.len() as u64, sha256: Sha256::of(bytes) });
        Ok::<_, Error>(())
    };
    put(&mut zip, &mut manifest, "README.txt".into(), README.as_bytes())?;
    for n in 0..reads {
        let ExportedRead { about, record, pictures, documents } = next(n)?;
        let id = about.id;
        put(&mut zip, &mut manifest, record_name(id), &record)?;
        for (n, (role, jpeg)) in pictures.iter().enumerate() {
            put(&mut zip, &mut manifest, format!("reads/{id}/{}-{}.jpg", n + 1, plain(role)), jpeg)?;
        }
        for (n, (kind, json)) in documents.iter().enumerate() {
            put(&mut zip, &mut manifest, format!("reads/{id}/papers/{}-{}.json", n + 1, plain(kind)), json)?;
        }
        manifest.reads.push(about);
    }
    let text = signed::sign(&manifest, Purpose::EVIDENCE, signer)?;
    add(&mut zip, MANIFEST, text.as_bytes())?;
    zip.set_raw_comment(vec![b'.'; COMMENT_BYTES].into_boxed_slice()).map_err(|e| failed(&e))?;
    let mut file = zip.finish().map_err(|e| failed(&e))?.into_inner().map_err(|e| storage(&e.into_error()))?;
    seal(&mut file, signer)?;
    Ok(file)
}

/// Signs all that stands before the comment, and writes that into it.
fn seal(file: &mut File, signer: &Signer) -> Result<()> {
    let length = file.seek(SeekFrom::End(0)).map_err(|e| storage(&e))?;
    let before = length.saturating_sub(COMMENT_BYTES as u64);
    file.rewind().map_err(|e| storage(&e))?;
    let sha256 = hash(&mut Read::by_ref(file).take(before))?;
    let signature = signer.sign(Purpose::EVIDENCE, &sha256.0);
    let comment = format!("{FORMAT} {}{}", hex::encode(signer.public_key()), hex::encode(signature));
    file.seek(SeekFrom::Start(before)).map_err(|e| storage(&e))?;
    file.write_all(comment.as_bytes()).and_then(|()| file.sync_all()).map_err(|e| storage(&e))?;
    file.rewind().map_err(|e| storage(&e))
}

/// The hash of all that is left.
pub(super) fn hash(input: &mut impl Read) -> Result<Sha256> {
    let (mut hasher, mut chunk) = (Hasher::new(), vec![0; 1 << 16]);
    loop {
        match input.read(&mut chunk).context(Kind::Storage, || "could not read an archive of evidence".into())? {
            0 => return Ok(hasher.finish()),
            n => hasher = hasher.with(&chunk[..n]),
        }
    }
}

/// Pictures don't get smaller, and whoever looks at bytes finds them as they are.
fn add(zip: &mut ZipWriter<BufWriter<File>>, name: &str, bytes: &[u8]) -> Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o444);
    zip.start_file(name, options).map_err(|e| failed(&e))?;
    zip.write_all(bytes).map_err(|e| storage(&e))
}

/// A word that can stand in the name of a file.
fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).take(40).collect()
}

fn failed(e: &zip::result::ZipError) -> Error {
    Error::new(Kind::Storage, format!("could not write an archive of evidence: {e}"))
}

fn storage(e: &std::io::Error) -> Error {
    Error::new(Kind::Storage, format!("could not write an archive of evidence: {e}"))
}
