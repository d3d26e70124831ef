//! Mutual TLS for both ends: loading certificates with plain errors, the settings of server and
//! client, and a development authority.
//!
//! Both ends trust one authority only, the agency's own; the machine's list of public
//! authorities is never asked. TLS 1.2 and 1.3, cryptography by aws-lc-rs.

pub mod authority;
mod facts;
mod files;
pub mod request;
mod signed;

pub use facts::Facts;
pub use files::{Identity, Validity, certificates, name_in_pem, refuse_existing, write_new};
pub use signed::Signed;

use crate::error::{Context, Error, Kind, Result};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::path::Path;
use std::sync::{Arc, LazyLock};

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));

/// The PEM files of one end.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The authority that signed the other end's certificate.
    pub ca: &'a Path,
    /// This end's certificate, with the chain up to the authority if there is one between.
    pub certificate: &'a Path,
    /// This end's private key, readable by its owner only.
    pub key: &'a Path,
}

/// Settings of a server that talks only to clients with a certificate of its authority
/// (control P-25).
pub fn server(identity: &Identity, protocols: &[&str]) -> Result<ServerConfig> {
    let verifier = client_verifier(identity)?;
    let mut config = ServerConfig::builder_with_provider(PROVIDER.clone())
        .with_safe_default_protocol_versions()
        .context(Kind::Internal, || "TLS could not be set up".into())?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.key.clone())));
    // A resumed session would not look at the client's certificate again, which may have expired.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
    Ok(config)
}

/// What looks whether a client's certificate is of the authority.
fn client_verifier(identity: &Identity) -> Result<Arc<dyn ClientCertVerifier>> {
    WebPkiClientVerifier::builder_with_provider(identity.authorities.clone(), PROVIDER.clone())
        .build()
        .context(Kind::Config, || "the authority's certificate can't be used to check clients".into())
}

/// Settings of a server of pages: browsers show no certificate.
pub fn page_server(identity: &Identity) -> Result<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(PROVIDER.clone())
        .with_safe_default_protocol_versions()
        .context(Kind::Internal, || "TLS could not be set up".into())?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity.key.clone())));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Settings of a client that shows its certificate and talks only to servers of its authority.
pub fn client(identity: &Identity) -> Result<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(PROVIDER.clone())
        .with_safe_default_protocol_versions()
        .context(Kind::Internal, || "TLS could not be set up".into())?
        .with_root_certificates(identity.authorities.clone())
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.key.clone())));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Settings of a client that shows no certificate, and talks only to servers of the authority in this PEM file.
///
/// # Errors
/// [`Kind::Config`] when the file is missing or holds no certificate of an authority.
pub fn client_without_certificate(ca: &Path) -> Result<ClientConfig> {
    without_certificate(files::authorities(ca)?)
}

/// Settings of a client that talks to no server over TLS, for plain connections inside this computer.
///
/// # Errors
/// `Internal` when the library can't be set up.
pub fn client_that_trusts_nobody() -> Result<ClientConfig> {
    without_certificate(RootCertStore::empty())
}

fn without_certificate(authorities: RootCertStore) -> Result<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(PROVIDER.clone())
        .with_safe_default_protocol_versions()
        .context(Kind::Internal, || "TLS could not be set up".into())?
        .with_root_certificates(authorities)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The one common name of a certificate, which must be a plain name (see
/// [`crate::name::is_plain_name`]).
pub fn common_name(certificate: &CertificateDer<'_>) -> Result<String> {
    let wrong = |why: &str| Error::new(Kind::Input, format!("the certificate names nobody: {why}"));
    let (_, parsed) =
        x509_parser::parse_x509_certificate(certificate).map_err(|_| wrong("it is not an X.509 certificate"))?;
    let mut names = parsed.subject().iter_common_name();
    match (names.next().and_then(|n| n.as_str().ok()), names.next()) {
        (Some(name), None) if crate::name::is_plain_name(name) => Ok(name.to_owned()),
        (Some(_), None) => Err(wrong("its common name is not made of 1 to 64 letters, digits, '-', '_' or '.'")),
        _ => Err(wrong("it must have exactly one common name")),
    }
}
