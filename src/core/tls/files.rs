//! PEM files: read with errors a person can act on, written once and never over.

use super::{Facts, Files, PROVIDER};
use crate::config_file::is_credential;
use crate::durable;
use crate::error::{Context, Error, Kind, Result};
use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// One end's certificate and key, and the authority it trusts.
#[derive(Clone, Debug)]
pub struct Identity {
    pub(super) authorities: Arc<RootCertStore>,
    pub(super) key: CertifiedKey,
    /// When the certificate counts.
    pub validity: Validity,
    /// The certificate's common name.
    pub name: String,
}

/// From when until when a certificate counts.
#[derive(Clone, Debug)]
pub struct Validity {
    path: PathBuf,
    from: Timestamp,
    until: Timestamp,
}

impl Validity {
    /// The first moment at which it counts.
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// The last one.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// An error that names the file when the certificate does not count at `now`.
    pub fn check(&self, now: Timestamp) -> Result<()> {
        let path = self.path.display();
        let say = |text: String| Err(Error::new(Kind::Config, text));
        if now < self.from {
            return say(format!(
                "the certificate {path} counts from {} only, and this machine's clock says {now}; set the clock, or \
                 have a new certificate made",
                self.from
            ));
        }
        if now > self.until {
            return say(format!(
                "the certificate {path} expired on {}; have a new one made, put it in its place and restart",
                self.until
            ));
        }
        Ok(())
    }
}

impl Identity {
    /// Reads the three files and checks that they belong together.
    ///
    /// An expired certificate is no error here: a vehicle computer's clock may be wrong at start.
    /// See [`Validity::check`].
    pub fn load(files: &Files<'_>) -> Result<Self> {
        let authorities = authorities(files.ca)?;
        let chain = certificates(files.certificate, "the certificate")?;
        let leaf = &chain[0];
        let name = super::common_name(leaf)
            .map_err(|e| Error::new(Kind::Config, format!("{}: {e}", files.certificate.display())))?;
        let validity = validity(leaf, files.certificate)?;
        let key = certified(chain, files.certificate, files.key)?;
        Ok(Self { authorities: Arc::new(authorities), key, validity, name })
    }

    /// The same with a certificate and a key as PEM texts, which were kept at `path`.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn of_texts(ca: &Path, certificate: &str, key: &str, path: &Path) -> Result<Self> {
        let authorities = authorities(ca)?;
        let chain = chain(certificate.as_bytes(), path)?;
        let name = super::common_name(&chain[0])?;
        let validity = validity(&chain[0], path)?;
        let unusable =
            || Error::new(Kind::Config, format!("{} holds no key that fits its certificate", path.display()));
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| unusable())?;
        let key = CertifiedKey::from_der(chain, key, &PROVIDER).map_err(|_| unusable())?;
        Ok(Self { authorities: Arc::new(authorities), key, validity, name })
    }

    /// What the certificate says.
    ///
    /// # Errors
    /// [`Kind::Input`] when it names nobody.
    pub fn facts(&self) -> Result<Facts> {
        let none = || Error::new(Kind::Internal, "a certificate is missing");
        Facts::of(self.key.cert.first().ok_or_else(none)?)
    }

    /// The same for a server of pages, to which nobody shows a certificate: it trusts no authority, and its
    /// certificate may have any common name or none.
    pub fn load_for_pages(certificate: &Path, key: &Path) -> Result<Self> {
        let chain = certificates(certificate, "the certificate")?;
        let (validity, name) = (validity(&chain[0], certificate)?, super::common_name(&chain[0]).unwrap_or_default());
        let key = certified(chain, certificate, key)?;
        Ok(Self { authorities: Arc::new(RootCertStore::empty()), key, validity, name })
    }
}

/// The authorities of a PEM file.
pub(super) fn authorities(ca: &Path) -> Result<RootCertStore> {
    let mut authorities = RootCertStore::empty();
    for certificate in certificates(ca, "the authority's certificate")? {
        let none = || format!("{} holds no certificate of an authority", ca.display());
        authorities.add(certificate).context(Kind::Config, none)?;
    }
    Ok(authorities)
}

fn certified(chain: Vec<CertificateDer<'static>>, certificate: &Path, key: &Path) -> Result<CertifiedKey> {
    CertifiedKey::from_der(chain, private_key(key)?, &PROVIDER).context(Kind::Config, || {
        format!(
            "the key {} does not belong to the certificate {}; put the two that were made together there",
            key.display(),
            certificate.display()
        )
    })
}

fn validity(certificate: &CertificateDer<'_>, path: &Path) -> Result<Validity> {
    let wrong = || Error::new(Kind::Config, format!("{} is not a usable certificate", path.display()));
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).map_err(|_| wrong())?;
    let at = |t: x509_parser::time::ASN1Time| Timestamp::from_second(t.timestamp()).map_err(|_| wrong());
    let v = parsed.validity();
    Ok(Validity { path: path.to_owned(), from: at(v.not_before)?, until: at(v.not_after)? })
}

fn read(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>> {
    std::fs::read(path).map(Zeroizing::new).context(Kind::Config, || {
        let made = "`plated init` in a vehicle and `plated-station init` at a station make one for development";
        format!("could not read {what} {}; {made}", path.display())
    })
}

/// At least one certificate, from a PEM file. `what` it is stands in the error.
///
/// # Errors
/// [`Kind::Config`] when the file can't be read or holds none.
pub fn certificates(path: &Path, what: &str) -> Result<Vec<CertificateDer<'static>>> {
    chain(&read(path, what)?, path)
}

/// The certificates in a PEM text that came from `path`.
fn chain(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| Error::new(Kind::Config, format!("{} is damaged: it is not PEM text", path.display())))?;
    if found.is_empty() {
        return Err(Error::new(Kind::Config, format!("{} holds no certificate in PEM form", path.display())));
    }
    Ok(found)
}

/// The name in the first certificate of a PEM text.
///
/// # Errors
/// [`Kind::Input`] when there is none in it, or it names nobody.
pub fn name_in_pem(pem: &[u8]) -> Result<String> {
    let first = CertificateDer::pem_slice_iter(pem).next().and_then(std::result::Result::ok);
    super::common_name(&first.ok_or_else(|| Error::new(Kind::Input, "there is no certificate in PEM form"))?)
}

/// Refuses a key that others than its owner may read.
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    let bytes = read(path, "the key")?;
    let meta = std::fs::metadata(path).context(Kind::Config, || format!("could not look at {}", path.display()))?;
    if !is_credential(path) && meta.permissions().mode() & 0o077 != 0 {
        return Err(Error::new(
            Kind::Config,
            format!("others may read the key {0}; make it the owner's alone: chmod 400 {0}", path.display()),
        ));
    }
    PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| Error::new(Kind::Config, format!("{} holds no private key in PEM form", path.display())))
}

/// Writes a file that must not exist yet, durably.
///
/// # Errors
/// [`Kind::Refused`] when the file is there already; nothing is ever written over.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    match durable::write_new(path, bytes, mode) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(already(path)),
        written => written.context(Kind::Storage, || format!("could not write {}", path.display())),
    }
}

/// Refuses when one of `paths` is there already, so that a second run leaves nothing half made.
pub fn refuse_existing(paths: &[PathBuf]) -> Result<()> {
    match paths.iter().find(|p| p.symlink_metadata().is_ok()) {
        Some(path) => Err(already(path)),
        None => Ok(()),
    }
}

fn already(path: &Path) -> Error {
    Error::new(
        Kind::Refused,
        format!("{} exists already and is left as it is; choose another folder, or move it away first", path.display()),
    )
}
