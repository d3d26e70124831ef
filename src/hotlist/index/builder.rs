//! Builds the file of an index, in memory that does not grow with the entries: 64 MiB to sort,
//! and 7 bytes for each plate.

use super::Index;
use super::bytes::put_number;
use super::filter::Filter;
use super::layout::{BLOCK, Beginning, HEADER, IndexHeader, IndexSummary, Meta, PLACE};
use super::record::Encoder;
use crate::code::Code;
use crate::lists::MAX_PARTIALS;
use crate::matcher::Pattern;
use plated_core::digest::{Hasher, Sha256};
use plated_core::durable::{self, Writer};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::record::EntryRecord;
use plated_core::signing::{Signer, Trust};
use plated_core::sort::{SortKey, Sorter};
use rustix::fs::MemfdFlags;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Memory for sorting, in bytes.
const SORT_MEMORY: usize = 64 << 20;
/// Bytes of a code, in front of its entry while they are sorted; the first is the highest.
const CODE: usize = 8;

/// An index being built. Nothing has the index's name before [`Builder::finish`].
pub struct Builder<'a> {
    path: PathBuf,
    signer: &'a Signer,
    meta: Meta,
    sorter: Sorter,
    encoder: Encoder,
    entries: u64,
    partials: Vec<EntryRecord>,
}

impl<'a> Builder<'a> {
    /// Begins the index that will be the file `path`. Its folder takes the temporary files too.
    pub fn create(path: &Path, signer: &'a Signer, meta: Meta) -> Self {
        Self::with_memory(path, signer, meta, SORT_MEMORY)
    }

    /// As [`Builder::create`], for [`Builder::finish_in_memory`]: nothing is sorted on the disk as long as
    /// the entries have less than 1 GiB.
    pub fn in_memory(path: &Path, signer: &'a Signer, meta: Meta) -> Self {
        Self::with_memory(path, signer, meta, 1 << 30)
    }

    pub(super) fn with_memory(path: &Path, signer: &'a Signer, meta: Meta, sort_memory: usize) -> Self {
        let sorter = Sorter::new(durable::folder_of(path), SortKey::First(CODE), sort_memory);
        let (path, encoder) = (path.to_owned(), Encoder::default());
        Self { path, signer, meta, sorter, encoder, entries: 0, partials: Vec::new() }
    }

    /// Takes an entry. Its list is the one that [`Meta`] names, whatever it says itself. A partial plate
    /// that is no pattern, or above [`MAX_PARTIALS`], is left out: the import has told of it.
    ///
    /// # Errors
    /// `Input` for an entry without a plate, `Storage` when the disk is full or fails.
    pub fn add(&mut self, entry: &EntryRecord) -> Result<()> {
        if Pattern::is_pattern(&entry.plate) {
            if self.partials.len() < MAX_PARTIALS && Pattern::parse(&entry.plate).is_ok() {
                self.partials.push(EntryRecord { list: self.meta.name.clone(), ..entry.clone() });
            }
            return Ok(());
        }
        let key = PlateText::normalise(&entry.plate).key();
        let code = Code::of(key.as_str()).filter(|_| !key.as_str().is_empty());
        let code = code.ok_or_else(|| Error::new(Kind::Input, "an entry of a hotlist has no plate"))?;
        self.entries += 1;
        let encoder = &mut self.encoder;
        self.sorter
            .push_with(|out| {
                out.extend_from_slice(&code.0.to_be_bytes());
                encoder.put(out, key.as_str(), entry);
            })
            .context(Kind::Storage, || failed(&self.path))
    }

    /// Writes the index, reads it back, and only then puts it in the place of the one before,
    /// durably: whatever happens, the file `path` is the old index or the new one.
    ///
    /// # Errors
    /// `Storage` when the disk is full or fails, `Damaged` when it does not give back what was
    /// written; the index in place is untouched then.
    pub fn finish(self) -> Result<IndexSummary> {
        let (path, trust) = (self.path.clone(), Trust::only([self.signer.public_key()]));
        let failed = || failed(&path);
        let unfinished = Writer::create(durable::folder_of(&path), 0o600).context(Kind::Storage, failed)?;
        let mut unfinished = self.write(unfinished).context(Kind::Storage, failed)?;
        unfinished.sync().context(Kind::Storage, failed)?;
        let index = Index::open(unfinished.path(), &trust)?;
        index.verify()?;
        unfinished.finish(&path).context(Kind::Storage, failed)?;
        Ok(index.manifest())
    }

    /// As [`Builder::finish`], for a disk that takes nothing: the file is in memory, and gone with the
    /// index. Up to 1 GiB of entries are sorted in memory too.
    ///
    /// # Errors
    /// `Storage` when there is not enough memory.
    pub fn finish_in_memory(self) -> Result<Index> {
        let failed = || format!("could not build the index of the list {} in memory", self.meta.name);
        let file = rustix::fs::memfd_create("plated-index", MemfdFlags::CLOEXEC);
        let file = file.map_err(io::Error::from).context(Kind::Storage, failed)?;
        let (trust, name) = (Trust::only([self.signer.public_key()]), PathBuf::from("in memory"));
        let out = BufWriter::with_capacity(1 << 20, File::from(file));
        let failed = failed();
        let mut out = self.write(out).context(Kind::Storage, || failed.clone())?;
        out.flush().context(Kind::Storage, || failed.clone())?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error).context(Kind::Storage, || failed)?;
        Index::of_file(file, name, &trust)
    }

    fn write<W: Write + Seek>(self, mut out: W) -> io::Result<W> {
        out.write_all(&[0; HEADER])?;
        let mut blocks = Blocks::begin(out, self.entries);
        let mut sorted = self.sorter.finish()?;
        while let Some((code, entry)) = sorted.advance()?.and_then(<[u8]>::split_first_chunk) {
            blocks.add(Code(u64::from_be_bytes(*code)), entry)?;
        }
        blocks.end_plate();
        blocks.end_block()?;
        let Blocks { mut out, at: keys_at, filter, mut places, keys, plates, .. } = blocks;
        let blocks = (places.len() / PLACE) as u64;
        places.extend([u64::MAX, keys.len() as u64, keys_at]);

        let meta = serde_json::to_vec(&Beginning { meta: self.meta, partials: self.partials })?;
        let (tables, filter) = (self.encoder.tables(), filter.bytes().collect::<Vec<_>>());
        let places: Vec<u8> = places.iter().flat_map(|n| n.to_le_bytes()).collect();
        let parts = [&meta, &tables, &filter, &places, &keys];
        let mut hasher = Hasher::new();
        for part in parts {
            hasher.update(part);
            out.write_all(part)?;
        }
        let header = IndexHeader {
            file: keys_at + parts.iter().map(|p| p.len() as u64).sum::<u64>(),
            keys_at,
            meta: meta.len() as u64,
            tables: tables.len() as u64,
            filter: filter.len() as u64,
            blocks,
            block_bytes: keys.len() as u64,
            plates,
            entries: self.entries,
            root: hasher.finish().0,
        };
        out.seek(SeekFrom::Start(0))?;
        out.write_all(&header.write(self.signer))?;
        Ok(out)
    }
}

fn failed(path: &Path) -> String {
    format!("could not build the hotlist index {}; the list in force stays", path.display())
}

/// The blocks being written; see [`super::layout`].
struct Blocks<W> {
    out: W,
    at: u64,
    filter: Filter,
    places: Vec<u64>,
    keys: Vec<u8>,
    plates: u64,
    /// Codes of this block, and the entries of all but the last.
    codes: Vec<Code>,
    block: Vec<u8>,
    /// Entries of the last plate.
    plate: Vec<u8>,
    count: u64,
}

impl<W: Write> Blocks<W> {
    fn begin(out: W, most: u64) -> Self {
        Self {
            out,
            at: HEADER as u64,
            filter: Filter::for_keys(most),
            places: Vec::new(),
            keys: Vec::new(),
            plates: 0,
            codes: Vec::new(),
            block: Vec::new(),
            plate: Vec::new(),
            count: 0,
        }
    }

    fn add(&mut self, code: Code, entry: &[u8]) -> io::Result<()> {
        if self.codes.last() != Some(&code) {
            self.end_plate();
            if self.codes.len() == BLOCK {
                self.end_block()?;
            }
            self.codes.push(code);
            self.filter.add(code);
        }
        self.count += 1;
        put_number(&mut self.plate, entry.len() as u64);
        self.plate.extend_from_slice(entry);
        Ok(())
    }

    fn end_plate(&mut self) {
        if self.count > 0 {
            put_number(&mut self.block, self.count);
            put_number(&mut self.block, self.plate.len() as u64);
            self.block.append(&mut self.plate);
            self.count = 0;
        }
    }

    fn end_block(&mut self) -> io::Result<()> {
        let Some(first) = self.codes.first() else { return Ok(()) };
        self.places.extend([first.0, self.keys.len() as u64, self.at]);
        self.keys.extend_from_slice(&Sha256::of(&self.block).0);
        for pair in self.codes.windows(2) {
            put_number(&mut self.keys, pair[1].0 - pair[0].0);
        }
        self.out.write_all(&self.block)?;
        self.at += self.block.len() as u64;
        self.plates += self.codes.len() as u64;
        self.block.clear();
        self.codes.clear();
        Ok(())
    }
}
