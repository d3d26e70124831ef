//! Packs: the pictures of a batch that belong together, in one file or one object.
//!
//! ```text
//! PLATEDK1, then for each picture its bytes encrypted with AES-256-GCM, and the 16 bytes of the tag
//! ```
//!
//! Each pack has a key of its own, derived from the archive's key and the pack's id. The nonce is the place in the
//! pack, so none comes twice, and the picture's hash is authenticated with it: bytes that were moved to another
//! place, or belong to another picture, do not open.

use super::batch::Picture;
use crate::key::ArchiveKey;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use std::collections::HashMap;
use uuid::Uuid;

const MAGIC: &[u8; 8] = b"PLATEDK1";
/// Bytes that a picture takes more in a pack.
const TAG_BYTES: u64 = 16;

/// A pack that was made.
#[derive(Debug)]
pub(super) struct Pack {
    pub id: Uuid,
    pub bytes: u64,
    /// Where each picture begins.
    pub starts: HashMap<Sha256, u64>,
}

/// Makes a pack of these pictures, and hands its bytes to `write` piece by piece.
pub(super) fn seal<'a>(
    key: &ArchiveKey,
    pictures: impl IntoIterator<Item = &'a Picture>,
    mut write: impl FnMut(&[u8]) -> Result<()>,
) -> Result<Pack> {
    let id = Uuid::now_v7();
    let cipher = cipher(key, id)?;
    write(MAGIC)?;
    let mut pack = Pack { id, bytes: MAGIC.len() as u64, starts: HashMap::new() };
    for picture in pictures {
        if pack.starts.contains_key(&picture.sha256) {
            continue;
        }
        let mut bytes = picture.bytes.to_vec();
        cipher
            .seal_in_place_append_tag(nonce(pack.bytes), Aad::from(picture.sha256.0), &mut bytes)
            .map_err(|_| Error::new(Kind::Internal, "a picture could not be encrypted"))?;
        write(&bytes)?;
        pack.starts.insert(picture.sha256, pack.bytes);
        pack.bytes += bytes.len() as u64;
    }
    Ok(pack)
}

/// How many bytes a picture of this size takes in a pack.
pub(super) fn sealed_bytes(bytes: u64) -> u64 {
    bytes.saturating_add(TAG_BYTES)
}

/// The picture whose sealed bytes these are; `place` says where they lay, for an error.
///
/// # Errors
/// `Damaged` when they are not what was written.
pub(super) fn open(
    key: &ArchiveKey,
    id: Uuid,
    start: u64,
    sha256: &Sha256,
    mut sealed: Vec<u8>,
    place: impl Fn() -> String,
) -> Result<Vec<u8>> {
    let damaged = |why: &str| Error::new(Kind::Damaged, format!("could not read a picture in {}: {why}", place()));
    let plain = cipher(key, id)?
        .open_in_place(nonce(start), Aad::from(sha256.0), &mut sealed)
        .map_err(|_| damaged("its bytes are not those that were written"))?;
    let length = plain.len();
    sealed.truncate(length);
    if Sha256::of(&sealed) != *sha256 {
        return Err(damaged("it does not fit its hash"));
    }
    Ok(sealed)
}

fn cipher(key: &ArchiveKey, id: Uuid) -> Result<LessSafeKey> {
    let key = key.of_file("pack", &id.to_string())?;
    UnboundKey::new(&AES_256_GCM, &*key)
        .map(LessSafeKey::new)
        .map_err(|_| Error::new(Kind::Internal, "a key can't be used"))
}

fn nonce(start: u64) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[NONCE_LEN - 8..].copy_from_slice(&start.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}
