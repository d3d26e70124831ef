//! What the owner of a certificate signed with its key, outside of a connection.

use super::{Identity, PROVIDER, client_verifier, common_name};
use crate::error::{Context, Error, Kind, Result};
use jiff::Timestamp;
use rustls::SignatureScheme;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::time::Duration;

/// Schemes by which it may be signed, the best first.
const SCHEMES: [SignatureScheme; 6] = [
    SignatureScheme::ED25519,
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA256,
];

/// A signature, and the certificates of who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// DER, that of who signed first.
    pub chain: Vec<Vec<u8>>,
    /// As TLS numbers them.
    pub scheme: u16,
    /// Its bytes.
    pub signature: Vec<u8>,
}

impl Identity {
    /// The certificates, DER, its own first.
    pub fn chain(&self) -> impl Iterator<Item = &[u8]> {
        self.key.cert.iter().map(AsRef::as_ref)
    }

    /// Signs `message`; gives the scheme and the signature.
    ///
    /// # Errors
    /// `Config` when the key is of a kind that can't.
    pub fn sign(&self, message: &[u8]) -> Result<(u16, Vec<u8>)> {
        let failed = || format!("the key of the certificate of \"{}\" can't sign", self.name);
        let signer = self.key.key.choose_scheme(&SCHEMES).ok_or_else(|| Error::new(Kind::Config, failed()))?;
        let signature = signer.sign(message).context(Kind::Config, failed)?;
        Ok((signer.scheme().into(), signature))
    }
}

impl Signed {
    /// Who signed `message`, if their certificate is one for clients, of an authority that `here` trusts, and counts at
    /// `now`.
    ///
    /// # Errors
    /// `Refused` when not.
    pub fn verified(&self, here: &Identity, message: &[u8], now: Timestamp) -> Result<String> {
        let refuse = |why: &str| Error::new(Kind::Refused, why);
        let chain: Vec<CertificateDer<'_>> = self.chain.iter().map(|der| CertificateDer::from(&**der)).collect();
        let (own, between) = chain.split_first().ok_or_else(|| refuse("it has no certificate"))?;
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now.as_second().max(0).unsigned_abs()));
        client_verifier(here)?
            .verify_client_cert(own, between, now)
            .context(Kind::Refused, || "the certificate of who made it does not count here".into())?;
        let (_, parsed) = x509_parser::parse_x509_certificate(own).map_err(|_| refuse("its certificate is none"))?;
        let key = &parsed.public_key().subject_public_key.data;
        let scheme = SignatureScheme::from(self.scheme);
        let known = &PROVIDER.signature_verification_algorithms.mapping;
        let algorithms = known.iter().filter(|(named, _)| *named == scheme && SCHEMES.contains(named));
        let counts = algorithms
            .flat_map(|(_, algorithms)| algorithms.iter())
            .any(|algorithm| algorithm.verify_signature(key, message, &self.signature).is_ok());
        match counts {
            true => common_name(own).context(Kind::Refused, || "its certificate names no vehicle".into()),
            false => Err(refuse("its signature is wrong: it was changed, or another made it")),
        }
    }
}
