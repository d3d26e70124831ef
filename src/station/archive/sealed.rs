//! Files of any length, compressed and encrypted: rows on their way into a backup, in which they would be plates in clear.
//!
//! ```text
//! PLATEDB1, then each MiB of what zstd made of them, encrypted with AES-256-GCM, with the 16 bytes of the tag
//! ```
//!
//! Each file has a key of its own, derived from the archive's key and the file's name. The nonce is the number of the piece,
//! and whether it is the last, so that no piece can be left out, moved or cut off without being noticed.

use crate::key::ArchiveKey;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use plated_core::error::{Context, Error, Kind, Result};
use std::io::{self, BufRead, Read, Write};

const MAGIC: &[u8; 8] = b"PLATEDB1";
const PIECE_BYTES: usize = 1 << 20;
const TAG_BYTES: usize = 16;
/// What zstd takes for a good measure of time and size.
const LEVEL: i32 = 3;

/// Bytes that are written compressed and encrypted.
pub(super) struct Sealing<W: Write>(zstd::stream::write::Encoder<'static, Pieces<W>>);

struct Pieces<W> {
    output: W,
    cipher: LessSafeKey,
    number: u64,
    waiting: Vec<u8>,
}

/// A file of this name to be written to `output`. No two files of one key may have the same name.
///
/// # Errors
/// `Storage` when it can't be written.
pub(super) fn seal<W: Write>(key: &ArchiveKey, name: &str, mut output: W) -> Result<Sealing<W>> {
    let cipher = cipher(key, name)?;
    let begun = output.write_all(MAGIC).and_then(|()| {
        let pieces = Pieces { output, cipher, number: 0, waiting: Vec::new() };
        zstd::stream::write::Encoder::new(pieces, LEVEL)
    });
    begun.map(Sealing).context(Kind::Storage, || "could not begin a file of the backup".into())
}

impl<W: Write> Sealing<W> {
    /// Writes the end, and gives the output back.
    pub fn finish(self) -> io::Result<W> {
        let mut pieces = self.0.finish()?;
        let last = std::mem::take(&mut pieces.waiting);
        pieces.put(last, true)?;
        Ok(pieces.output)
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write> Pieces<W> {
    fn put(&mut self, mut piece: Vec<u8>, is_last: bool) -> io::Result<()> {
        let nonce = nonce(self.number, is_last);
        let sealed = self.cipher.seal_in_place_append_tag(nonce, Aad::empty(), &mut piece);
        sealed.map_err(|_| io::Error::other("a piece could not be encrypted"))?;
        self.number += 1;
        self.output.write_all(&piece)
    }
}

impl<W: Write> Write for Pieces<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        // One is kept back always, since the last one is told from the others.
        while self.waiting.len() > PIECE_BYTES {
            let rest = self.waiting.split_off(PIECE_BYTES);
            let piece = std::mem::replace(&mut self.waiting, rest);
            self.put(piece, false)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

struct Opening<R> {
    input: R,
    cipher: LessSafeKey,
    number: u64,
    plain: Vec<u8>,
    given: usize,
    is_over: bool,
}

/// What was written into the file of this name. Reading fails with `InvalidData` where the bytes are not those.
///
/// # Errors
/// `Damaged` when it is no such file.
pub(super) fn open<R: BufRead>(key: &ArchiveKey, name: &str, mut input: R) -> Result<impl Read + use<R>> {
    let failed = || format!("{name} is no file of a backup");
    let mut magic = [0; MAGIC.len()];
    input.read_exact(&mut magic).context(Kind::Damaged, failed)?;
    if magic != *MAGIC {
        return Err(Error::new(Kind::Damaged, failed()));
    }
    let cipher = cipher(key, name)?;
    let opening = Opening { input, cipher, number: 0, plain: Vec::new(), given: 0, is_over: false };
    zstd::stream::read::Decoder::new(opening).context(Kind::Damaged, failed)
}

impl<R: BufRead> Read for Opening<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while self.given == self.plain.len() {
            if self.is_over {
                return Ok(0);
            }
            self.next()?;
        }
        let read = (&self.plain[self.given..]).read(bytes)?;
        self.given += read;
        Ok(read)
    }
}

impl<R: BufRead> Opening<R> {
    fn next(&mut self) -> io::Result<()> {
        let mut piece = Vec::new();
        self.input.by_ref().take((PIECE_BYTES + TAG_BYTES) as u64).read_to_end(&mut piece)?;
        self.is_over = self.input.fill_buf()?.is_empty();
        let opened = self.cipher.open_in_place(nonce(self.number, self.is_over), Aad::empty(), &mut piece);
        let damaged = |_| io::Error::new(io::ErrorKind::InvalidData, "its bytes are not those that were written");
        let length = opened.map_err(damaged)?.len();
        piece.truncate(length);
        self.number += 1;
        (self.plain, self.given) = (piece, 0);
        Ok(())
    }
}

fn cipher(key: &ArchiveKey, name: &str) -> Result<LessSafeKey> {
    let key = key.of_file("backup", name)?;
    UnboundKey::new(&AES_256_GCM, &*key)
        .map(LessSafeKey::new)
        .map_err(|_| Error::new(Kind::Internal, "a key can't be used"))
}

fn nonce(number: u64, is_last: bool) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[0] = is_last.into();
    nonce[NONCE_LEN - 8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(bytes: &[u8]) -> Vec<u8> {
        let mut file = seal(&ArchiveKey::of_tests(), "a", Vec::new()).unwrap();
        file.write_all(bytes).unwrap();
        file.finish().unwrap()
    }

    fn opened(name: &str, sealed: &[u8]) -> std::result::Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut file = open(&ArchiveKey::of_tests(), name, sealed).map_err(|e| e.chain())?;
        file.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
        Ok(bytes)
    }

    /// Bytes that do not get smaller.
    fn noise(bytes: usize) -> Vec<u8> {
        let mut all = vec![0; bytes];
        getrandom::fill(&mut all).unwrap();
        all
    }

    #[test]
    fn what_was_written_is_read_again_whatever_its_length() {
        for bytes in [0, 1, PIECE_BYTES - 100, PIECE_BYTES, 3 * PIECE_BYTES + 7] {
            let all = noise(bytes);
            assert_eq!(opened("a", &sealed(&all)).unwrap(), all, "{bytes}");
        }
    }

    // policy: P-25
    #[test]
    fn a_file_that_was_changed_cut_off_put_together_anew_or_is_another_does_not_open() {
        let (all, piece) = (noise(2 * PIECE_BYTES + 7), PIECE_BYTES + TAG_BYTES);
        let whole = sealed(&all);
        assert!(opened("b", &whole).is_err());
        assert!(opened("a", &whole[..MAGIC.len() + piece]).is_err(), "cut off between two pieces");
        assert!(opened("a", &whole[..whole.len() - 1]).is_err());
        assert!(opened("a", b"PLATEDK1").is_err());
        let (head, rest) = whole.split_at(MAGIC.len());
        let (first, others) = rest.split_at(piece);
        let (second, last) = others.split_at(piece);
        assert!(opened("a", &[head, second, first, last].concat()).is_err());
        for at in [0, MAGIC.len(), whole.len() / 2, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(opened("a", &changed).is_err(), "{at}");
        }
    }
}
