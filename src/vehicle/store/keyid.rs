//! `<store>.keyid`: the fingerprint of the key that the store was made with.
//!
//! SQLCipher can't tell a wrong key from a damaged first page. With this file beside it we can:
//! a wrong key must lead to the right key, never to a store set aside.

use super::files;
use super::key::Key;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use std::path::Path;

/// What the file says about a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The store was made with this key.
    Same,
    /// There is no such file, or it holds no fingerprint.
    Unknown,
}

/// Compares; another key is refused.
pub(super) fn compare(path: &Path, key: &Key) -> Result<Verdict> {
    let name = files::beside(path, ".keyid");
    let text = match std::fs::read(&name) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Verdict::Unknown),
        Err(e) => return Err(e).context(Kind::Storage, || format!("could not read {}", name.display())),
    };
    let known = text.trim_ascii();
    if known == key.fingerprint().as_bytes() {
        return Ok(Verdict::Same);
    }
    if known.len() != 64 || !known.iter().all(u8::is_ascii_hexdigit) {
        return Ok(Verdict::Unknown);
    }
    Err(Error::new(
        Kind::Damaged,
        format!(
            "the key is not the one that the store {} was made with; nothing was touched. Bring back the right key \
             (store.key_file in the configuration, or the systemd credential), or name another store.path",
            path.display()
        ),
    ))
}

/// Writes the fingerprint, durably, before the first byte of the store.
pub(super) fn write(path: &Path, key: &Key) -> Result<()> {
    let name = files::beside(path, ".keyid");
    durable::write(&name, format!("{}\n", key.fingerprint()).as_bytes())
        .context(Kind::Storage, || format!("could not write {}", name.display()))
}
