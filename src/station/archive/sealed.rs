//! Files of any length, compressed and encrypted: rows on their way into a backup, in which they would be plates in clear.
//!
//! ```text
//! age, for the identity that is derived from the archive's key, of what zstd made of:
//! 64 hex digits and a line feed      the mark, derived from the archive's key and the file's name
//! the bytes
//! ```
//!
//! age keeps pieces from being left out, moved or cut off. It does not say who wrote a file; the mark does, and which
//! file it is, since only who has the archive's key can make it.

use crate::key::ArchiveKey;
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor, x25519};
use bech32::{ToBase32, Variant};
use plated_core::error::{Context, Error, Kind, Result};
use std::io::{self, BufRead, Read, Write};
use std::iter::once;
use zeroize::Zeroizing;

/// What zstd takes for a good measure of time and size.
const LEVEL: i32 = 3;
/// Of the mark, with its line feed.
const MARK_BYTES: usize = 65;

/// Bytes that are written compressed and encrypted.
pub(super) struct Sealing<W: Write>(zstd::stream::write::Encoder<'static, StreamWriter<W>>);

/// A file of this name to be written to `output`. One that is to be told from another needs another name.
///
/// # Errors
/// `Storage` when it can't be written.
pub(super) fn seal<W: Write>(key: &ArchiveKey, name: &str, output: W) -> Result<Sealing<W>> {
    let (recipient, mark) = (identity(key)?.to_public(), mark(key, name)?);
    let encryptor = Encryptor::with_recipients(once(&recipient as _))
        .context(Kind::Internal, || "a file of the backup can't be encrypted".into())?;
    let begun = encryptor.wrap_output(output).and_then(|encrypted| {
        let mut file = zstd::stream::write::Encoder::new(encrypted, LEVEL)?;
        file.write_all(&*mark)?;
        Ok(Sealing(file))
    });
    begun.context(Kind::Storage, || "could not begin a file of the backup".into())
}

impl<W: Write> Sealing<W> {
    /// Writes the end, and gives the output back.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()?.finish()
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

/// Says of what was cut off or changed that it was.
struct Opening<R>(StreamReader<R>);

impl<R: Read> Read for Opening<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read(bytes).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => io::Error::new(io::ErrorKind::InvalidData, "it was cut off"),
            io::ErrorKind::InvalidData => io::Error::new(e.kind(), "it was changed or cut off"),
            _ => e,
        })
    }
}

/// What was written into the file of this name. Reading fails with `InvalidData` where the bytes are not those.
///
/// # Errors
/// `Damaged` when it is no such file, or was made with another key.
pub(super) fn open<R: BufRead>(key: &ArchiveKey, name: &str, input: R) -> Result<impl Read + use<R>> {
    let failed = || format!("{name} is no file of a backup");
    let (identity, mark) = (identity(key)?, mark(key, name)?);
    let decrypted = match Decryptor::new_buffered(input).and_then(|file| file.decrypt(once(&identity as _))) {
        Err(DecryptError::NoMatchingKeys) => {
            let message = format!("{name} was made with another key of the archive; bring that one back");
            return Err(Error::new(Kind::Damaged, message));
        }
        Err(DecryptError::Io(e)) => return Err(e).context(Kind::Damaged, failed),
        // In our words: age's own come from files that a debug build looks for in its sources.
        Err(_) => return Err(Error::new(Kind::Damaged, failed())),
        Ok(decrypted) => decrypted,
    };
    let mut file = zstd::stream::read::Decoder::new(Opening(decrypted)).context(Kind::Damaged, failed)?;
    let mut found = Zeroizing::new([0; MARK_BYTES]);
    file.read_exact(&mut *found).context(Kind::Damaged, failed)?;
    match *found == *mark {
        true => Ok(file),
        false => Err(Error::new(Kind::Damaged, format!("{name} is another file than the one of this name"))),
    }
}

/// What opens all backups of this archive.
fn identity(key: &ArchiveKey) -> Result<x25519::Identity> {
    let secret = key.of_file("backup identity", "age")?;
    let text = bech32::encode("age-secret-key-", secret.to_base32(), Variant::Bech32).map(Zeroizing::new);
    let unusable = || Error::new(Kind::Internal, "a key can't be used");
    text.map_err(|_| unusable())?.parse().map_err(|_| unusable())
}

fn mark(key: &ArchiveKey, name: &str) -> Result<Zeroizing<[u8; MARK_BYTES]>> {
    let secret = key.of_file("backup mark", name)?;
    let mut mark = Zeroizing::new([b'\n'; MARK_BYTES]);
    hex::encode_to_slice(*secret, &mut mark[..MARK_BYTES - 1])
        .map_err(|_| Error::new(Kind::Internal, "a mark could not be made"))?;
    Ok(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of age.
    const PIECE_BYTES: usize = (64 << 10) + 16;

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

    /// Where the first piece begins: behind the header's last line and 16 bytes of a nonce.
    fn begin_of_pieces(sealed: &[u8]) -> usize {
        let last = sealed.windows(5).position(|bytes| bytes == b"\n--- ").unwrap() + 1;
        last + sealed[last..].iter().position(|byte| *byte == b'\n').unwrap() + 1 + 16
    }

    /// Bytes that do not get smaller.
    fn noise(bytes: usize) -> Vec<u8> {
        let mut all = vec![0; bytes];
        getrandom::fill(&mut all).unwrap();
        all
    }

    #[test]
    fn what_was_written_is_read_again_whatever_its_length() {
        for bytes in [0, 1, PIECE_BYTES - 100, PIECE_BYTES, 40 * PIECE_BYTES + 7] {
            let all = noise(bytes);
            assert_eq!(opened("a", &sealed(&all)).unwrap(), all, "{bytes}");
        }
    }

    // policy: P-25
    #[test]
    fn a_file_that_was_changed_cut_off_put_together_anew_or_is_another_does_not_open() {
        let whole = sealed(&noise(2 * PIECE_BYTES + 7));
        assert!(opened("b", &whole).unwrap_err().contains("another file"));
        assert!(opened("a", b"PLATEDK1").unwrap_err().contains("no file of a backup"));
        let begin = begin_of_pieces(&whole);
        let cut = begin + PIECE_BYTES;
        assert!(opened("a", &whole[..cut]).unwrap_err().contains("cut off"), "between two pieces");
        assert!(opened("a", &whole[..whole.len() - 1]).unwrap_err().contains("cut off"));
        assert!(opened("a", &[&whole[..], b"more"].concat()).is_err());
        let (head, rest) = whole.split_at(begin);
        let (first, others) = rest.split_at(PIECE_BYTES);
        let (second, last) = others.split_at(PIECE_BYTES);
        assert!(opened("a", &[head, second, first, last].concat()).is_err());
        for at in [0, begin, whole.len() / 2, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(opened("a", &changed).is_err(), "{at}");
        }
    }

    // policy: P-25
    #[test]
    fn who_knows_only_for_whom_backups_are_encrypted_can_make_none() {
        let recipient = identity(&ArchiveKey::of_tests()).unwrap().to_public();
        let forged = zstd::encode_all(&[b'0'; 200][..], LEVEL).unwrap();
        let forged = age::encrypt(&recipient, &forged).unwrap();
        assert!(opened("a", &forged).unwrap_err().contains("another file"));
    }

    #[test]
    fn the_identity_stays_the_same_so_that_old_backups_open() {
        let known = "age14daa4wyy6xkmpyru3hctwm8m5c2hqurfwceydx4tas8k2ryxxfzsss4rtx";
        assert_eq!(identity(&ArchiveKey::of_tests()).unwrap().to_public().to_string(), known);
    }
}
