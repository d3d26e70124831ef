//! The vehicle's certificate: that of the configured files, or one that the vehicle renewed by itself. That one lies with
//! its key in a file beside the store, `NAME.identity`, sealed by a key that is derived from the store's; so it outlives a
//! store that is damaged. The file is replaced as a whole, so that a crash leaves what was before or what is after.
//!
//! A renewal goes over these states, each durable before the next begins:
//!
//! 1. there is a new key, with the request for its certificate. It can be sent again and again, and is answered alike;
//! 2. the station's certificate is there too. It is tried on a connection of its own;
//! 3. it was used. From now on it is the vehicle's.
//!
//! Until the third, the certificate before goes on being used.

use super::settings::Settings;
use crate::config::Config;
use crate::store::Key;
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::sealing::SealingKey;
use plated_core::tls::{self, Identity, request};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeroize::{Zeroize, Zeroizing};

/// The certificate that the vehicle renewed by itself, and the one that is to come.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// The certificate of the configured file when this was written: another one there was put in by hand, and counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    renews: Option<Sha256>,
    /// In use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current: Option<Pair>,
    /// To come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
}

/// A certificate and its key, in PEM form.
#[derive(Clone, Serialize, Deserialize)]
struct Pair {
    certificate: String,
    key: String,
}

/// A key, the request for its certificate, and that as soon as it has come.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Next {
    key: String,
    /// The request, as it is sent.
    pub(super) request: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Drop for Next {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pair(..)")
    }
}

impl std::fmt::Debug for Next {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Next(answered: {})", self.certificate.is_some())
    }
}

/// Where the vehicle's certificate comes from. Calls that write block.
#[derive(Debug)]
pub struct VehicleIdentity {
    vehicle: String,
    settings: Settings,
    path: PathBuf,
    key: SealingKey,
    kept: Mutex<Kept>,
}

impl VehicleIdentity {
    /// That of the vehicle with this configuration.
    ///
    /// # Errors
    /// `Internal` when the key can't be derived. A file that can't be read is told of, and left out.
    pub fn open(config: &Config, settings: &Settings, key: &Key) -> Result<Self> {
        let path = durable::beside(&config.store.path, ".identity");
        let key = key.identity_key()?;
        let kept = read(&path, &config.vehicle, &key).unwrap_or_else(|e| {
            tracing::error!(error = %e.chain(), "The certificate that this vehicle renewed can't be used; that of the configuration is");
            Kept::default()
        });
        Ok(Self { vehicle: config.vehicle.clone(), settings: settings.clone(), path, key, kept: kept.into() })
    }

    /// The certificate that is in use, and its key.
    ///
    /// # Errors
    /// `Config` naming the configured file that can't be used.
    pub fn in_use(&self) -> Result<Identity> {
        let configured = self.configured()?;
        let kept = self.lock();
        match (&kept.current, kept.renews) {
            (Some(pair), Some(renews)) if renews == configured.facts()?.fingerprint => {
                Identity::of_texts(&self.settings.ca, &pair.certificate, &pair.key, &self.path)
            }
            _ => Ok(configured),
        }
    }

    fn configured(&self) -> Result<Identity> {
        let Settings { ca, certificate, key, .. } = &self.settings;
        Identity::load(&tls::Files { ca, certificate, key })
    }

    /// The key and request of the certificate to come; made when there is none. Durable.
    pub(super) fn next(&self) -> Result<Next> {
        let configured = self.configured()?.facts()?.fingerprint;
        let mut kept = self.lock();
        if kept.renews.is_some_and(|renews| renews != configured) {
            // Somebody put another certificate in: what was renewed before it is over.
            *kept = Kept::default();
        }
        if let Some(next) = &kept.next {
            return Ok(next.clone());
        }
        let key = request::new_key()?;
        let next = Next { request: request::request(&self.vehicle, &key)?, key: key.to_string(), certificate: None };
        let changed = Kept { renews: Some(configured), next: Some(next.clone()), ..kept.clone() };
        self.put(&mut kept, changed)?;
        Ok(next)
    }

    /// Keeps the certificate that was answered. Durable.
    ///
    /// # Errors
    /// `Refused` when it is not one over the key to come, of this vehicle.
    pub(super) fn answered(&self, certificate: &str) -> Result<()> {
        let wrong = |why: &str| {
            Err(Error::new(
                Kind::Refused,
                format!("the station's new certificate is refused: {why}; the old one stays"),
            ))
        };
        let mut kept = self.lock();
        let Some(next) = &kept.next else { return wrong("none was asked for") };
        if certificate.len() > request::MAX_PEM_BYTES || !request::belongs(certificate, &next.key) {
            return wrong("it is not over the key that was made for it");
        }
        let identity = Identity::of_texts(&self.settings.ca, certificate, &next.key, &self.path)?;
        if identity.name != self.vehicle {
            return wrong("it is another vehicle's");
        }
        let mut changed = kept.clone();
        if let Some(next) = &mut changed.next {
            next.certificate = Some(certificate.to_owned());
        }
        self.put(&mut kept, changed)
    }

    /// The certificate to come, if it is there.
    pub(super) fn coming(&self) -> Result<Option<Identity>> {
        let kept = self.lock();
        let Some(next) = &kept.next else { return Ok(None) };
        let Some(certificate) = &next.certificate else { return Ok(None) };
        Identity::of_texts(&self.settings.ca, certificate, &next.key, &self.path).map(Some)
    }

    /// Takes the one to come for the one in use: the station knows it. Durable.
    pub(super) fn take_over(&self) -> Result<()> {
        let mut kept = self.lock();
        let Some(next) = kept.next.clone() else { return Ok(()) };
        let Some(certificate) = next.certificate.clone() else { return Ok(()) };
        let current = Some(Pair { certificate, key: next.key.clone() });
        let changed = Kept { renews: kept.renews, current, next: None };
        self.put(&mut kept, changed)
    }

    /// Forgets the one to come: the station does not know it. Durable.
    pub(super) fn give_up(&self) -> Result<()> {
        let mut kept = self.lock();
        let changed = Kept { next: None, ..kept.clone() };
        self.put(&mut kept, changed)
    }

    fn put(&self, kept: &mut Kept, changed: Kept) -> Result<()> {
        let failed = || format!("could not write {}", self.path.display());
        let text = serde_json::to_vec(&changed).map(Zeroizing::new).context(Kind::Internal, failed)?;
        let sealed = self.key.seal(&self.vehicle, &text)?;
        durable::write(&self.path, &sealed).context(Kind::Storage, failed)?;
        *kept = changed;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path, vehicle: &str, key: &SealingKey) -> Result<Kept> {
    let sealed = match std::fs::read(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Kept::default()),
        read => read.context(Kind::Storage, || format!("could not read {}", path.display()))?,
    };
    let wrong = || {
        let message = format!(
            "{} was sealed with another store's key or for another vehicle, or is damaged; move it away, and have a new \
             certificate made if the station does not take the configured one",
            path.display()
        );
        Error::new(Kind::Damaged, message)
    };
    let text = key.open(vehicle, &sealed).ok_or_else(wrong)?;
    serde_json::from_slice(&text).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_core::clock::SystemClock;
    use plated_core::tls::authority::Authority;
    use plated_core::tls::request::CheckedRequest;

    struct Bench {
        dir: tempfile::TempDir,
        authority: Authority,
        key: Key,
    }

    impl Bench {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let authority = Authority::create(&dir.path().join("authority"), &SystemClock::new()).unwrap();
            let key = Key::create_file(&dir.path().join("store.key")).unwrap();
            let bench = Self { dir, authority, key };
            bench.issue();
            let text = "vehicle = \"unit-7\"\n[[sources]]\nname = \"front\"\nkind = \"video\"\npath = \"drive.mp4\"\n\
                        [store]\npath = \"s.db\"\n[transfer]\nstation = \"https://s:1\"\nca = \"v/ca.crt\"\n\
                        certificate = \"v/vehicle.crt\"\nkey = \"v/vehicle.key\"\n";
            std::fs::write(bench.dir.path().join("plated.toml"), text).unwrap();
            bench
        }

        /// A certificate in the files that the configuration names.
        fn issue(&self) {
            let folder = self.dir.path().join("v");
            let _ = std::fs::remove_dir_all(&folder);
            self.authority.issue_vehicle("unit-7", &folder, &SystemClock::new()).unwrap();
        }

        /// As after a start.
        fn open(&self) -> VehicleIdentity {
            let config = Config::load(&self.dir.path().join("plated.toml")).unwrap();
            VehicleIdentity::open(&config, config.transfer.as_ref().unwrap(), &self.key).unwrap()
        }

        fn sign(&self, name: &str, request: &str) -> String {
            let asked = CheckedRequest::parse(request).unwrap();
            self.authority.sign_vehicle(name, &asked, &SystemClock::new()).unwrap().0
        }
    }

    fn fingerprint(identity: &Identity) -> Sha256 {
        identity.facts().unwrap().fingerprint
    }

    #[test]
    fn after_a_crash_at_any_step_of_a_renewal_it_goes_on_where_it_was_and_a_certificate_is_there() {
        let bench = Bench::new();
        let old = fingerprint(&bench.open().in_use().unwrap());
        let request = bench.open().next().unwrap().request.clone();
        assert_eq!(bench.open().next().unwrap().request, request, "the same key and request");
        assert!(bench.open().coming().unwrap().is_none());
        bench.open().answered(&bench.sign("unit-7", &request)).unwrap();
        let new = fingerprint(&bench.open().coming().unwrap().unwrap());
        assert_eq!(fingerprint(&bench.open().in_use().unwrap()), old, "nothing has used the new one");
        bench.open().take_over().unwrap();
        assert_eq!(fingerprint(&bench.open().in_use().unwrap()), new);
        assert!(bench.open().coming().unwrap().is_none() && new != old);
        // The next renewal, given up by the station, leaves it.
        let request = bench.open().next().unwrap().request.clone();
        bench.open().answered(&bench.sign("unit-7", &request)).unwrap();
        bench.open().give_up().unwrap();
        assert_eq!(fingerprint(&bench.open().in_use().unwrap()), new);
        assert_ne!(bench.open().next().unwrap().request, request);
    }

    #[test]
    fn a_certificate_over_another_key_or_of_another_vehicle_is_refused_and_the_old_one_stays() {
        let bench = Bench::new();
        let identity = bench.open();
        let old = fingerprint(&identity.in_use().unwrap());
        let request = identity.next().unwrap().request.clone();
        let own = std::fs::read_to_string(bench.dir.path().join("v/vehicle.crt")).unwrap();
        let refused = |text: &str| identity.answered(text).unwrap_err().chain();
        assert!(refused(&own).contains("not over the key"), "over another key");
        assert!(refused("").contains("not over the key") && refused("rubbish").contains("not over the key"));
        identity.answered(&bench.sign("unit-7", &request)).unwrap();
        identity.take_over().unwrap();
        assert_ne!(fingerprint(&identity.in_use().unwrap()), old);
    }

    #[test]
    fn a_certificate_that_is_put_in_by_hand_counts_in_the_place_of_a_renewed_one() {
        let bench = Bench::new();
        let request = bench.open().next().unwrap().request.clone();
        bench.open().answered(&bench.sign("unit-7", &request)).unwrap();
        bench.open().take_over().unwrap();
        let renewed = fingerprint(&bench.open().in_use().unwrap());
        bench.issue();
        let by_hand = fingerprint(&bench.open().in_use().unwrap());
        assert_ne!(by_hand, renewed);
        // A renewal of this one begins anew.
        bench.open().next().unwrap();
        assert_eq!(fingerprint(&bench.open().in_use().unwrap()), by_hand);
    }

    // policy: P-25
    #[test]
    fn what_is_kept_is_sealed_and_a_file_of_another_store_is_left_out() {
        let bench = Bench::new();
        let request = bench.open().next().unwrap().request.clone();
        bench.open().answered(&bench.sign("unit-7", &request)).unwrap();
        bench.open().take_over().unwrap();
        let path = bench.dir.path().join("s.db.identity");
        let sealed = std::fs::read(&path).unwrap();
        assert!(!sealed.windows(5).any(|bytes| bytes == b"BEGIN"));
        let configured = fingerprint(&bench.open().configured().unwrap());
        let mut changed = sealed;
        changed[20] ^= 1;
        std::fs::write(&path, changed).unwrap();
        assert_eq!(fingerprint(&bench.open().in_use().unwrap()), configured);
    }
}
