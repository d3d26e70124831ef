//! The file of an index.
//!
//! ```text
//! header   lengths, root hash, public key and signature of the builder
//! entries  blocks, each the entries of 16 plates
//! keys     mapped into memory:
//!            metadata   JSON of Beginning
//!            tables     strings that entries share
//!            filter     says quickly that a key is absent
//!            places     of each block its first code, and where its keys and entries begin; and
//!                       where those of the last end
//!            blocks     for each: SHA-256 of its block of entries, then its other codes, each as
//!                       the distance from the one before
//! ```
//!
//! The signature covers the header, the header holds the hash of the keys, and the keys hold the
//! hash of each block of entries, so every byte hangs on the signature. Numbers are little-endian.

use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::record::EntryRecord;
use plated_core::signing::{PublicKey, Purpose, Signature, Signer, Trust};
use serde::{Deserialize, Serialize};

const MAGIC: &[u8; 8] = b"PLATEDHL";
/// Version of the file format. An index of another one is built anew.
pub const VERSION: u64 = 3;
/// Bytes that are signed.
const SIGNED: usize = 8 + 10 * 8 + 32 + 32;
/// Bytes of the header.
pub const HEADER: usize = SIGNED + 64;
/// Plates in a block.
pub const BLOCK: usize = 16;
/// Numbers for a block among the places.
pub const PLACE: usize = 3;
/// Bytes of a hash.
pub const HASH: usize = 32;

/// What an index says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Name of the list in hits.
    pub name: String,
    /// Where the list came from: a file name or an address.
    pub source: String,
    /// The date that the list gives itself, or of its file.
    pub date: Option<Timestamp>,
    /// When the index was built.
    pub built: Timestamp,
    /// The program or server that built it, with its version.
    pub by: String,
}

/// What stands before the tables: the description, and the partial plates of the list, which have no
/// place among the keys.
#[derive(Debug, Serialize, Deserialize)]
pub struct Beginning {
    /// The description.
    pub meta: Meta,
    /// Entries whose plate is a pattern.
    pub partials: Vec<EntryRecord>,
}

/// Lengths and hashes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IndexHeader {
    /// Of the whole file, in bytes.
    pub file: u64,
    /// Where the keys begin, and the blocks of entries end.
    pub keys_at: u64,
    pub meta: u64,
    pub tables: u64,
    pub filter: u64,
    /// Number of blocks.
    pub blocks: u64,
    /// Length of their keys in bytes.
    pub block_bytes: u64,
    pub plates: u64,
    pub entries: u64,
    /// SHA-256 of the keys.
    pub root: [u8; HASH],
}

impl IndexHeader {
    /// The header in bytes, signed.
    pub fn write(&self, signer: &Signer) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let Self { file, keys_at, meta, tables, filter, blocks, block_bytes, plates, entries, root } = self;
        for number in [&VERSION, file, keys_at, meta, tables, filter, blocks, block_bytes, plates, entries] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(root);
        out.extend_from_slice(&signer.public_key());
        let signature = signer.sign(Purpose::HOTLIST_INDEX, &out);
        out.extend_from_slice(&signature);
        out
    }

    /// Reads a header and sees whose it is; the reason when it is of nobody in `trust`, or when
    /// its lengths do not fit each other.
    pub fn read(bytes: &[u8; HEADER], trust: &Trust) -> Result<(Self, PublicKey), &'static str> {
        let (signed, signature) = bytes.split_at(SIGNED);
        let (magic, rest) = signed.split_at(8);
        let (numbers, hashes) = rest.split_at(80);
        if magic != MAGIC {
            return Err("it is no hotlist index");
        }
        let mut all = numbers.chunks_exact(8).map(|n| n.try_into().map_or(0, u64::from_le_bytes));
        let mut next = || all.next().unwrap_or(0);
        if next() != VERSION {
            return Err("another version of this program wrote it");
        }
        #[rustfmt::skip]
        let mut header = Self {
            file: next(), keys_at: next(), meta: next(), tables: next(), filter: next(), blocks: next(),
            block_bytes: next(), plates: next(), entries: next(), root: [0; HASH],
        };
        let (mut key, mut signed_by): (PublicKey, Signature) = ([0; 32], [0; 64]);
        header.root.copy_from_slice(&hashes[..HASH]);
        key.copy_from_slice(&hashes[HASH..]);
        signed_by.copy_from_slice(signature);
        trust.check(&key, Purpose::HOTLIST_INDEX, signed, &signed_by)?;
        header.parts().ok_or("its header contradicts itself")?;
        Ok((header, key))
    }

    /// Where each part of the keys ends, counted from their beginning.
    pub fn parts(&self) -> Option<[usize; 5]> {
        let places = self.blocks.checked_add(1)?.checked_mul(8 * PLACE as u64)?;
        let lengths = [self.meta, self.tables, self.filter, places, self.block_bytes];
        let mut ends = [0; 5];
        let mut end = 0_u64;
        for (out, length) in ends.iter_mut().zip(lengths) {
            end = end.checked_add(length)?;
            *out = usize::try_from(end).ok()?;
        }
        let whole = self.keys_at.checked_add(end)? == self.file && self.keys_at >= HEADER as u64;
        (whole && self.blocks == self.plates.div_ceil(BLOCK as u64)).then_some(ends)
    }
}

/// A finished index, for whoever passes it on or shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IndexSummary {
    /// What it says of itself.
    pub meta: Meta,
    /// Number of entries.
    pub entries: u64,
    /// Number of different plates.
    pub plates: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Hash on which every byte of the file hangs.
    pub root: Sha256,
    /// Public key of who built it, 64 hex digits.
    pub key: String,
}
