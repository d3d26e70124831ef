//! The key by which the station reads media, and its public part in the vehicles: text files as age has them.

use crate::config_file::is_credential;
use crate::durable;
use crate::error::{Context, Error, Kind, Result};
use age::secrecy::ExposeSecret;
use age::x25519;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use zeroize::Zeroizing;

/// The station's key. Never shown.
#[derive(Clone)]
pub struct MediumKey(pub(super) x25519::Identity);

impl fmt::Debug for MediumKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MediumKey({})", self.0.to_public())
    }
}

impl MediumKey {
    /// A new key, which lives as long as this value.
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    /// Makes a new key and puts it into `path`, which must not exist yet, for the owner alone.
    ///
    /// # Errors
    /// `Storage` when it can't be written.
    pub fn create_file(path: &Path) -> Result<Self> {
        let key = Self::generate();
        let text = Zeroizing::new(format!("{}\n", key.0.to_string().expose_secret()));
        durable::write_new(path, text.as_bytes(), 0o400)
            .context(Kind::Storage, || format!("could not write the key {}", path.display()))?;
        Ok(key)
    }

    /// The key in the file `path`.
    ///
    /// # Errors
    /// `Missing` when there is none, `Refused` when others may read it, `Config` when it holds no key.
    pub fn load(path: &Path) -> Result<Self> {
        let failed = || {
            format!(
                "could not read the key of media {}; `plated-station medium key` makes one for a station that has none",
                path.display()
            )
        };
        let text = Zeroizing::new(std::fs::read_to_string(path).context(Kind::Missing, failed)?);
        let mode = std::fs::metadata(path).context(Kind::Missing, failed)?.mode();
        if !is_credential(path) && mode & 0o077 != 0 {
            let path = path.display();
            let message = format!("others may read the key {path}; make it the owner's alone: chmod 400 {path}");
            return Err(Error::new(Kind::Refused, message));
        }
        let wrong = |_| Error::new(Kind::Config, format!("{} holds no key of age (AGE-SECRET-KEY-…)", path.display()));
        text.trim().parse().map(Self).map_err(wrong)
    }

    /// The part that vehicles have.
    pub fn recipient(&self) -> MediumRecipient {
        MediumRecipient(self.0.to_public())
    }
}

/// The public part of the station's key: who has it can write to the station, and read nothing.
#[derive(Clone)]
pub struct MediumRecipient(pub(super) x25519::Recipient);

impl fmt::Debug for MediumRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MediumRecipient({})", self.0)
    }
}

impl MediumRecipient {
    /// That of the file `path`.
    ///
    /// # Errors
    /// `Config` when it can't be read or holds none.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).context(Kind::Config, || {
            format!(
                "could not read the station's key for media {}; `plated-station vehicle` puts it beside the certificate",
                path.display()
            )
        })?;
        let wrong = |_| Error::new(Kind::Config, format!("{} holds no public key of age (age1…)", path.display()));
        text.trim().parse().map(Self).map_err(wrong)
    }

    /// Writes it to a file, which must not exist yet.
    ///
    /// # Errors
    /// `Storage` when it can't be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        durable::write_new(path, format!("{}\n", self.0).as_bytes(), 0o444)
            .context(Kind::Storage, || format!("could not write the key {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_the_owners_alone_and_its_public_part_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let (secret, public) = (dir.path().join("medium.key"), dir.path().join("medium.pub"));
        let made = MediumKey::create_file(&secret).unwrap();
        made.recipient().write(&public).unwrap();
        assert_eq!(std::fs::metadata(&secret).unwrap().mode() & 0o777, 0o400);
        let (again, public) = (MediumKey::load(&secret).unwrap(), MediumRecipient::load(&public).unwrap());
        assert_eq!(again.0.to_public().to_string(), public.0.to_string());
        assert!(!format!("{again:?}").contains("SECRET"));
        assert!(MediumRecipient::load(&secret).is_err(), "the secret is no public key");
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o440)).unwrap();
        assert!(MediumKey::load(&secret).unwrap_err().chain().contains("chmod 400"));
    }
}
