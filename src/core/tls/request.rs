//! A certificate that is asked for: the key is made by who asks, and never leaves its computer.

use super::PROVIDER;
use crate::error::{Context, Error, Kind, Result};
use rcgen::{CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

/// Longest PEM text of a request or a certificate that is looked at, in bytes.
pub const MAX_PEM_BYTES: usize = 16 << 10;

/// A new key for a certificate, as a PEM text.
///
/// # Errors
/// `Internal` when the system gives no random numbers.
pub fn new_key() -> Result<Zeroizing<String>> {
    let pair = KeyPair::generate().context(Kind::Internal, || "could not make a key".into())?;
    Ok(Zeroizing::new(pair.serialize_pem()))
}

/// A request (PKCS #10, PEM) for a certificate over this key, in this name.
///
/// # Errors
/// `Input` when the text holds no key.
pub fn request(name: &str, key: &str) -> Result<String> {
    let pair = KeyPair::from_pem(key).map_err(|_| Error::new(Kind::Input, "this is no private key in PEM form"))?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let failed = || "could not make a request for a certificate".to_owned();
    params.serialize_request(&pair).and_then(|request| request.pem()).context(Kind::Internal, failed)
}

/// True when the certificate is over this key. Both are PEM texts.
pub fn belongs(certificate: &str, key: &str) -> bool {
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<std::result::Result<Vec<_>, _>>();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
    match (chain, key) {
        (Ok(chain), Ok(key)) if !chain.is_empty() => CertifiedKey::from_der(chain, key, &PROVIDER).is_ok(),
        _ => false,
    }
}

/// A request whose signature is right: who sent it has the key.
#[derive(Debug)]
pub struct CheckedRequest(pub(super) CertificateSigningRequestParams);

impl CheckedRequest {
    /// Reads the PEM text of a request.
    ///
    /// # Errors
    /// `Input` when it is none, or its signature is wrong.
    pub fn parse(pem: &str) -> Result<Self> {
        let wrong =
            || Error::new(Kind::Input, "this is no request for a certificate (PKCS #10, PEM) that signed itself");
        if pem.len() > MAX_PEM_BYTES {
            return Err(wrong());
        }
        CertificateSigningRequestParams::from_pem(pem).map(Self).map_err(|_| wrong())
    }

    /// The common name that is asked for.
    pub fn name(&self) -> Option<String> {
        match self.0.params.distinguished_name.get(&DnType::CommonName)? {
            rcgen::DnValue::Utf8String(name) => Some(name.clone()),
            rcgen::DnValue::PrintableString(name) => Some(name.as_str().to_owned()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_names_its_vehicle_and_one_that_was_changed_is_refused() {
        let key = new_key().unwrap();
        let text = request("unit-7", &key).unwrap();
        assert!(!text.contains("PRIVATE"));
        assert_eq!(CheckedRequest::parse(&text).unwrap().name().as_deref(), Some("unit-7"));
        let body = text.lines().nth(1).unwrap();
        let changed = format!("{}{}", &body[..20], if &body[20..21] == "A" { "B" } else { "A" }) + &body[21..];
        assert!(CheckedRequest::parse(&text.replace(body, &changed)).is_err());
        assert!(CheckedRequest::parse("").is_err() && CheckedRequest::parse(&"x".repeat(MAX_PEM_BYTES + 1)).is_err());
    }

    proptest! {
        #[test]
        fn whatever_comes_as_a_request_is_refused_without_a_panic(text in "\\PC{0,200}") {
            prop_assert!(CheckedRequest::parse(&text).is_err());
            let framed = format!("-----BEGIN CERTIFICATE REQUEST-----\nMIIB{text}\n-----END CERTIFICATE REQUEST-----\n");
            prop_assert!(CheckedRequest::parse(&framed).is_err());
        }
    }
}
