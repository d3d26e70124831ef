//! JSON documents with who signed them.

use plated_core::error::{Error, Kind, Result};
use plated_core::signing::{Purpose, Signer, Trust};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A signed document: as JSON an object of these.
#[derive(Debug, Serialize, Deserialize)]
struct Signed {
    /// The signer's public key (Ed25519), in hex digits.
    key: String,
    /// The signature over the bytes of `document`, in hex digits.
    signature: String,
    /// The JSON text of the document, byte for byte.
    document: Box<RawValue>,
}

/// Signs a document for this purpose; gives the JSON text of both.
pub fn sign<T: Serialize>(document: &T, purpose: Purpose, signer: &Signer) -> Result<String> {
    let failed = |_| Error::new(Kind::Internal, "a document could not be written as JSON");
    let text = serde_json::to_string(document).map_err(failed)?;
    let signed = Signed {
        key: hex::encode(signer.public_key()),
        signature: hex::encode(signer.sign(purpose, text.as_bytes())),
        document: RawValue::from_string(text).map_err(failed)?,
    };
    serde_json::to_string(&signed).map_err(failed)
}

/// The key that such a text names as its signer's. Whether it did sign, [`open`] says.
pub fn key_of(text: &[u8]) -> Option<[u8; 32]> {
    let signed: Signed = serde_json::from_slice(text).ok()?;
    let mut key = [0; 32];
    hex::decode_to_slice(&signed.key, &mut key).ok()?;
    Some(key)
}

/// The document in such a text, if it is signed for this purpose by somebody who is trusted. `what`
/// is the document in words, as in "the user document".
///
/// # Errors
/// `Refused` when the signature does not count, `Input` when the text is none of these.
pub fn open<T: DeserializeOwned>(text: &[u8], what: &str, purpose: Purpose, trust: &Trust) -> Result<T> {
    let wrong = |why: &str| Error::new(Kind::Input, format!("{what} can't be used: {why}"));
    let signed: Signed = serde_json::from_slice(text).map_err(|_| wrong("it is no signed document"))?;
    let (mut key, mut signature) = ([0; 32], [0; 64]);
    hex::decode_to_slice(&signed.key, &mut key).map_err(|_| wrong("its key is not 64 hex digits"))?;
    hex::decode_to_slice(&signed.signature, &mut signature)
        .map_err(|_| wrong("its signature is not 128 hex digits"))?;
    trust
        .check(&key, purpose, signed.document.get().as_bytes(), &signature)
        .map_err(|why| Error::new(Kind::Refused, format!("{what} is refused: {why}")))?;
    serde_json::from_str(signed.document.get())
        .map_err(|e| wrong(&format!("what is signed is another document (column {})", e.column())))
}
