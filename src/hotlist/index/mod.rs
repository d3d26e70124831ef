//! The index of one list: an immutable, signed file (see [`layout`] for its bytes and
//! `docs/decisions/0012-hotlist-index.md` for why).
//!
//! The keys are mapped into memory, and their hash is checked when the index is opened. Entries
//! are read from the file when a read matches, each block checked against its hash before a byte
//! of it is used: nothing that was changed since the index was built is ever matched or shown.

mod builder;
mod bytes;
mod filter;
mod layout;
mod record;

pub use builder::Builder;
pub use layout::{IndexSummary, Meta, VERSION};
pub use plated_core::signing::{PublicKey, Signer, Trust};

use super::code::Code;
use bytes::{ByteReader, number_at};
use layout::{Beginning, HASH, HEADER, IndexHeader, PLACE};
use memmap2::{Mmap, MmapOptions};
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::record::EntryRecord;
use record::Decoder;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// An open index. The file can be renamed or removed meanwhile; this stays what it is.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    file: File,
    header: IndexHeader,
    built_by: PublicKey,
    meta: Meta,
    partials: Vec<EntryRecord>,
    decoder: Decoder,
    keys: Mmap,
    filter: Range<usize>,
    places: Range<usize>,
    blocks: Range<usize>,
    /// The first code of every [`STRIDE`]th block. A search begins here, in memory that stays in
    /// the processor's cache, and ends among neighbours.
    signposts: Vec<u64>,
}

/// Blocks between two signposts.
const STRIDE: usize = 64;

/// Where the entries of a plate are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IndexPlace {
    block: usize,
    /// How many plates of the block come before it.
    before: usize,
}

impl Index {
    /// Opens the index `path`, built by somebody in `trust`.
    ///
    /// # Errors
    /// `Missing` when there is no such file, `Storage` when it can't be read, `Damaged` when it
    /// is not what was built, or was built by somebody else.
    pub fn open(path: &Path, trust: &Trust) -> Result<Self> {
        let file = File::open(path)
            .context(Kind::Missing, || format!("could not open the hotlist index {}", path.display()))?;
        Self::of_file(file, path.to_owned(), trust)
    }

    /// The index in a file that is open; `path` is for messages.
    fn of_file(file: File, path: PathBuf, trust: &Trust) -> Result<Self> {
        let refused = |why: &str| {
            let message = format!("the hotlist index {} was refused: {why}; import the list again", path.display());
            Error::new(Kind::Damaged, message)
        };
        let unreadable = || format!("could not read the hotlist index {}", path.display());
        let length = file.metadata().context(Kind::Storage, unreadable)?.len();
        let mut head = [0; HEADER];
        if length < HEADER as u64 {
            return Err(refused("it is too short"));
        }
        file.read_exact_at(&mut head, 0).context(Kind::Storage, unreadable)?;
        let (header, built_by) = IndexHeader::read(&head, trust).map_err(refused)?;
        let parts = header.parts().filter(|_| header.file == length);
        let [meta, tables, filter, places, blocks] = parts.ok_or_else(|| refused("a part of it is missing"))?;

        let mut options = MmapOptions::new();
        options.offset(header.keys_at).len(blocks);
        #[allow(unsafe_code, reason = "mapping a file is a call into the system")]
        // SAFETY: the bytes must not change while they are mapped. The file is for its owner
        // alone, and this program replaces it by another file but never writes into it.
        let keys = unsafe { options.map(&file) }.context(Kind::Storage, unreadable)?;
        // What was checked stays as it was, and in memory: the system does not drop and read it
        // again. Where it may not be held so, matching is slower now and then.
        if let Err(e) = keys.lock() {
            tracing::debug!("The keys of a hotlist index are not held in memory: {e}.");
        }
        if Sha256::of(&keys).0 != header.root {
            return Err(refused("it is damaged"));
        }
        let decoder = Decoder::read(&keys[meta..tables]).ok_or_else(|| refused("its tables can't be read"))?;
        let beginning = serde_json::from_slice(&keys[..meta]).map_err(|_| refused("its description can't be read"))?;
        let Beginning { meta, partials } = beginning;
        let blocks = places..blocks;
        let (filter, places) = (tables..filter, filter..places);
        let signposts = keys[places.clone()].chunks(8 * PLACE * STRIDE).filter_map(|part| number_at(part, 0)).collect();
        Ok(Self { path, file, header, built_by, meta, partials, decoder, keys, filter, places, blocks, signposts })
    }

    /// What the index says of itself.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Number of entries, partial plates among them.
    pub fn len(&self) -> u64 {
        self.header.entries + self.partials.len() as u64
    }

    /// The entries whose plate is a pattern.
    pub fn partials(&self) -> &[EntryRecord] {
        &self.partials
    }

    /// True when nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of different plates.
    pub fn plates(&self) -> u64 {
        self.header.plates
    }

    /// The same as [`Builder::finish`] gave.
    pub fn manifest(&self) -> IndexSummary {
        IndexSummary {
            meta: self.meta.clone(),
            entries: self.len(),
            plates: self.header.plates,
            bytes: self.header.file,
            root: Sha256(self.header.root),
            key: hex::encode(self.built_by),
        }
    }

    /// All entries of the plate with the match key `key`, in the order of the list.
    ///
    /// # Errors
    /// `Storage` when the file can't be read, `Damaged` when it is not what was built.
    pub fn entries(&self, key: &str) -> Result<Vec<EntryRecord>> {
        match Code::of(key).and_then(|code| self.find(code)) {
            Some(place) => self.entries_at(place, key),
            None => Ok(Vec::new()),
        }
    }

    /// All entries, in the order of their keys, and then the partial plates.
    ///
    /// # Errors
    /// As [`Index::entries`]; after the first there are no more.
    pub fn all(&self) -> impl Iterator<Item = Result<EntryRecord>> {
        let mut failed = false;
        (0..self.header.blocks as usize)
            .map(|block| self.block(block))
            .take_while(move |entries| !std::mem::replace(&mut failed, entries.is_err()))
            .flat_map(|entries| match entries {
                Ok(entries) => entries.into_iter().map(Ok).collect(),
                Err(e) => vec![Err(e)],
            })
            .chain(self.partials.iter().cloned().map(Ok))
    }

    /// Reads the whole file, and sees that it is what was built.
    ///
    /// # Errors
    /// As [`Index::entries`].
    pub fn verify(&self) -> Result<()> {
        (0..self.header.blocks as usize).try_for_each(|block| self.read(block).map(|_| ()))
    }

    /// False when no plate has the key `code`, quickly; true when one may have it.
    pub(super) fn may_hold(&self, code: Code) -> bool {
        filter::may_hold(&self.keys[self.filter.clone()], code)
    }

    /// Looks for the plate with the key `code`.
    pub(super) fn find(&self, code: Code) -> Option<IndexPlace> {
        if !self.may_hold(code) {
            return None;
        }
        let places = &self.keys[self.places.clone()];
        let stretch = self.signposts.partition_point(|first| *first <= code.0).checked_sub(1)? * STRIDE;
        // The block is before `high`.
        let (mut low, mut high) = (stretch, (stretch + STRIDE).min(self.header.blocks as usize));
        while low < high {
            let middle = low.midpoint(high);
            if number_at(places, PLACE * middle)? <= code.0 { low = middle + 1 } else { high = middle }
        }
        let block = low.checked_sub(1)?;
        let (mut other, mut before) = (number_at(places, PLACE * block)?, 0);
        let mut distances = ByteReader(self.keys_of(block)?);
        while other < code.0 {
            other = other.checked_add(distances.number()?)?;
            before += 1;
        }
        (other == code.0).then_some(IndexPlace { block, before })
    }

    /// The entries of a plate that [`Index::find`] found.
    pub(super) fn entries_at(&self, place: IndexPlace, key: &str) -> Result<Vec<EntryRecord>> {
        let bytes = self.read(place.block)?;
        let mut reader = ByteReader(&bytes);
        let skipped = (0..place.before).try_for_each(|_| {
            reader.number()?;
            let length = reader.number()?;
            reader.take(length).map(|_| ())
        });
        skipped.and_then(|()| self.plate(&mut reader, key)).ok_or_else(|| self.damaged())
    }

    /// The next plate of a block.
    fn plate(&self, reader: &mut ByteReader<'_>, key: &str) -> Option<Vec<EntryRecord>> {
        let (count, length) = (reader.number()?, reader.number()?);
        let mut entries = ByteReader(reader.take(length)?);
        let mut out = Vec::new();
        for _ in 0..count {
            let length = entries.number()?;
            out.push(self.decoder.entry(entries.take(length)?, &self.meta.name, key)?);
        }
        entries.0.is_empty().then_some(out)
    }

    /// All entries of a block, each under its own key.
    fn block(&self, block: usize) -> Result<Vec<EntryRecord>> {
        let bytes = self.read(block)?;
        let read = || {
            let mut reader = ByteReader(&bytes);
            let mut code = number_at(&self.keys[self.places.clone()], PLACE * block)?;
            let mut distances = ByteReader(self.keys_of(block)?);
            let mut out = Vec::new();
            loop {
                let key = Code(code).key();
                let entries = self.plate(&mut reader, &key)?;
                if entries.iter().any(|e| PlateText::normalise(&e.plate).key().as_str() != key) {
                    return None;
                }
                out.extend(entries);
                if distances.0.is_empty() {
                    return reader.0.is_empty().then_some(out);
                }
                code = code.checked_add(distances.number()?)?;
            }
        };
        read().ok_or_else(|| self.damaged())
    }

    /// Where the keys and the entries of `block` begin.
    fn begin(&self, block: usize) -> Option<[usize; 2]> {
        let places = &self.keys[self.places.clone()];
        let at = |n| number_at(places, n).and_then(|p| usize::try_from(p).ok());
        Some([at(PLACE * block + 1)?, at(PLACE * block + 2)?])
    }

    fn hash_and_keys(&self, block: usize) -> Option<(&[u8], &[u8])> {
        let keys = self.begin(block)?[0]..self.begin(block + 1)?[0];
        self.keys[self.blocks.clone()].get(keys)?.split_at_checked(HASH)
    }

    /// The distances from each code of a block to the next.
    fn keys_of(&self, block: usize) -> Option<&[u8]> {
        Some(self.hash_and_keys(block)?.1)
    }

    /// The entries of a block as they stand in the file, checked.
    fn read(&self, block: usize) -> Result<Vec<u8>> {
        let place = || {
            let (start, end) = (self.begin(block)?[1], self.begin(block + 1)?[1]);
            let within = end as u64 <= self.header.keys_at && start >= HEADER;
            within.then_some((start as u64, end.checked_sub(start)?, self.hash_and_keys(block)?.0))
        };
        let (start, length, hash) = place().ok_or_else(|| self.damaged())?;
        let mut bytes = vec![0; length];
        self.file
            .read_exact_at(&mut bytes, start)
            .context(Kind::Storage, || format!("could not read the hotlist index {}", self.path.display()))?;
        if Sha256::of(&bytes).0 != hash {
            return Err(self.damaged());
        }
        Ok(bytes)
    }

    fn damaged(&self) -> Error {
        let message = format!("the hotlist index {} is damaged; import the list again", self.path.display());
        Error::new(Kind::Damaged, message)
    }
}

#[cfg(test)]
mod tests;
