//! A vehicle renews its certificate over the one that it has (control P-26).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The version of the form. Keys may be added within one; receivers pass over what they don't know.
pub const CERTIFICATE_REQUEST_VERSION: u32 = 1;
/// Largest body of a request that a station accepts, in bytes.
pub const MAX_CERTIFICATE_REQUEST_BYTES: usize = 32 << 10;

/// Asks for a new certificate. The same request again is answered with the same certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificateRequest {
    /// Of the form.
    pub version: u32,
    /// The vehicle, as its certificate names it.
    pub vehicle: String,
    /// The request (PKCS #10) in PEM form, over a key that was made in the vehicle and stays there.
    pub request: String,
}

/// The new certificate. The one before counts until this one is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificateAnswer {
    /// The station's name.
    pub station: String,
    /// The certificate in PEM form.
    pub certificate: String,
}
