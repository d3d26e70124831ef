//! What is in force of the station's documents, as it was signed: one file each in a folder beside the store, sealed by a
//! key that is derived from the store's. So it outlives a store that is damaged, and an older document stays an older one.

use super::Kind as Provided;
use crate::config::Config;
use crate::store::Key;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::sealing::SealingKey;
use std::io::ErrorKind;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The folder.
#[derive(Debug)]
pub(super) struct Held {
    folder: PathBuf,
    key: SealingKey,
}

impl Held {
    /// That of the vehicle with this configuration; nothing is made yet.
    pub fn of(config: &Config, key: &Key) -> Result<Self> {
        Ok(Self { folder: durable::beside(&config.store.path, ".provision"), key: key.provision_key()? })
    }

    /// The document in force; none before the first.
    pub fn read(&self, kind: Provided) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let path = self.folder.join(kind.as_str());
        let sealed = match std::fs::read(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.context(Kind::Storage, || format!("could not read {}", path.display()))?,
        };
        let damaged = || {
            let message = format!(
                "{} is damaged, or was sealed with another store's key; move it away, and it comes from the station again",
                path.display()
            );
            Error::new(Kind::Damaged, message)
        };
        self.key.open(kind.as_str(), &sealed).map(Some).ok_or_else(damaged)
    }

    /// Puts a document into force. Durable.
    pub fn put(&self, kind: Provided, text: &[u8]) -> Result<()> {
        let failed = || format!("could not write to {}", self.folder.display());
        durable::make_folder(&self.folder).context(Kind::Storage, failed)?;
        let sealed = self.key.seal(kind.as_str(), text)?;
        durable::write(&self.folder.join(kind.as_str()), &sealed).context(Kind::Storage, failed)
    }

    /// The folder of the models of this number.
    pub fn models(&self, serial: u64) -> PathBuf {
        self.folder.join("models-files").join(serial.to_string())
    }
}
