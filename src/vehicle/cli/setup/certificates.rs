//! The vehicle's certificates and the station's public keys, on their way into the vehicle.

use super::{give, make_folder};
use nix::unistd::User;
use plated_core::digest::Hasher;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::tls::{Files, Identity, name_in_pem, write_new};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What is taken, its mode, and whether there is no way without it.
const FILES: [(&str, u32, bool); 9] = [
    ("ca.crt", 0o444, true),
    ("vehicle.crt", 0o444, true),
    ("vehicle.key", 0o400, true),
    ("receipt.pub", 0o444, true),
    ("hotlist.pub", 0o444, false),
    ("medium.pub", 0o444, false),
    ("console.crt", 0o444, false),
    ("console.key", 0o400, false),
    ("seal.key", 0o400, false),
];

/// The files of a folder.
pub struct Certificates {
    files: Vec<(&'static str, u32, Zeroizing<Vec<u8>>)>,
}

impl Certificates {
    /// Those in `dir`.
    ///
    /// # Errors
    /// `Config` when one is missing that is needed.
    pub fn read(dir: &Path) -> Result<Self> {
        let mut files = Vec::new();
        for (name, mode, needed) in FILES {
            let path = dir.join(name);
            match std::fs::read(&path) {
                Ok(bytes) => files.push((name, mode, Zeroizing::new(bytes))),
                Err(e) if needed || e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(e).context(Kind::Config, || {
                        format!(
                            "could not read {}; `plated-station vehicle issue NAME --out DIR` makes it",
                            path.display()
                        )
                    });
                }
                Err(_) => {}
            }
        }
        Ok(Self { files })
    }

    /// Whether this file is among them.
    pub fn has(&self, name: &str) -> bool {
        self.files.iter().any(|(file, ..)| *file == name)
    }

    /// The vehicle that they are for.
    pub fn vehicle(&self) -> Option<String> {
        let (.., pem) = self.files.iter().find(|(name, ..)| *name == "vehicle.crt")?;
        name_in_pem(pem).ok()
    }

    /// The folder that they get, a name for each content: a pair that is replaced is replaced as one.
    pub fn folder(&self) -> PathBuf {
        let mut hasher = Hasher::new();
        for (name, _, bytes) in &self.files {
            hasher.update(name.as_bytes());
            hasher.update(&(bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
        format!("certificates-{}", &hasher.finish().to_string()[..8]).into()
    }

    /// Puts them into the folder of the configuration, all or none.
    ///
    /// # Errors
    /// `Config` when they do not belong together or to this vehicle.
    pub fn put(&self, beside: &Path, vehicle: &str, owner: Option<&User>) -> Result<()> {
        let folder = beside.join(self.folder());
        if !folder.exists() {
            let passing = durable::beside(&folder, ".unfinished");
            remove(&passing)?;
            make_folder(&passing)?;
            for (name, mode, bytes) in &self.files {
                write_new(&passing.join(name), bytes, *mode)?;
            }
            let outcome = check(&passing, vehicle, self.has("console.key"));
            if outcome.is_err() {
                remove(&passing)?;
                return outcome;
            }
            durable::rename(&passing, &folder)
                .context(Kind::Storage, || format!("could not put {} in its place", folder.display()))?;
        }
        give(&folder, owner)?;
        self.files.iter().try_for_each(|(name, ..)| give(&folder.join(name), owner))
    }
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).context(Kind::Storage, || format!("could not remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn check(folder: &Path, vehicle: &str, console: bool) -> Result<()> {
    let [ca, certificate, key] = ["ca.crt", "vehicle.crt", "vehicle.key"].map(|name| folder.join(name));
    let identity = Identity::load(&Files { ca: &ca, certificate: &certificate, key: &key })?;
    if identity.name != vehicle {
        let message = format!("the certificate is of \"{}\" and this vehicle is \"{vehicle}\"", identity.name);
        return Err(Error::new(Kind::Config, message));
    }
    if console {
        Identity::load_for_pages(&folder.join("console.crt"), &folder.join("console.key"))?;
    }
    Ok(())
}
