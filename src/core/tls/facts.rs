//! What a certificate says: whose it is, from when until when, and its fingerprint.

use super::common_name;
use crate::digest::Sha256;
use crate::error::{Error, Kind, Result};
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// SHA-256 over the certificate (DER), by which it is told from all others.
    pub fingerprint: Sha256,
    /// Its one common name.
    pub name: String,
    /// Its serial number, in hex digits.
    pub serial: String,
    /// It does not count before.
    pub not_before: Timestamp,
    /// Nor after.
    pub not_after: Timestamp,
}

impl Facts {
    /// Those of this certificate.
    ///
    /// # Errors
    /// [`Kind::Input`] when it is none, or has no common name that is a plain name.
    pub fn of(certificate: &CertificateDer<'_>) -> Result<Self> {
        let name = common_name(certificate)?;
        let wrong = || Error::new(Kind::Input, "the certificate can't be used: it is not an X.509 certificate");
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate).map_err(|_| wrong())?;
        let at = |time: x509_parser::time::ASN1Time| Timestamp::from_second(time.timestamp()).map_err(|_| wrong());
        let serial = hex::encode(parsed.raw_serial().iter().take(32).copied().collect::<Vec<_>>());
        let (not_before, not_after) = (at(parsed.validity().not_before)?, at(parsed.validity().not_after)?);
        Ok(Self { fingerprint: Sha256::of(certificate), name, serial, not_before, not_after })
    }
}
