//! Sorts more records than memory holds: what fits is sorted and written away as a run, and the
//! runs are merged at the end.
//!
//! All runs are in one file without a name, so neither a crash nor a power cut leaves anything,
//! and however many runs there are, they take one file handle. Having no name, it is not written by
//! `durable`; only the faults of tests come from there.

use crate::durable::{Step, step};
use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// More is not used: places in memory are numbers of 32 bits.
const MAX_MEMORY: usize = 1 << 30;
/// Memory for each run while they are merged, and for writing one.
const MAX_BUFFER: usize = 256 << 10;
const MIN_BUFFER: usize = 8 << 10;

/// What records are ordered by. Of equal ones, the one that came first is given first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// All bytes.
    Whole,
    /// The first so many bytes, or all where a record has fewer.
    First(usize),
}

/// Records in no order yet.
#[derive(Debug)]
pub struct Sorter {
    folder: PathBuf,
    key: SortKey,
    memory: usize,
    bytes: Vec<u8>,
    places: Vec<Place>,
    shared: Shared,
    runs: Vec<u64>,
    file: Option<File>,
}

/// Where a record is in memory, and the part of its key that nearly always decides.
#[derive(Clone, Copy, Debug)]
struct Place {
    head: u64,
    at: u32,
    len: u32,
}

impl Sorter {
    /// Holds about `memory` bytes, at most 1 GiB. The rest goes into a file in `folder`.
    pub fn new(folder: &Path, key: SortKey, memory: usize) -> Self {
        let memory = memory.min(MAX_MEMORY);
        let (bytes, places, runs) = (Vec::new(), Vec::new(), Vec::new());
        Self { folder: folder.to_owned(), key, memory, bytes, places, shared: Shared::default(), runs, file: None }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// When the disk is full or fails. Nothing more can be done with this value then.
    pub fn push(&mut self, record: &[u8]) -> io::Result<()> {
        self.push_with(|bytes| bytes.extend_from_slice(record))
    }

    /// Adds the record that `write` appends.
    ///
    /// # Errors
    /// As [`Sorter::push`].
    pub fn push_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let at = self.bytes.len();
        write(&mut self.bytes);
        let record = &self.bytes[at..];
        let too_large = |_| io::Error::new(ErrorKind::InvalidInput, "a record is too large to be sorted");
        let place =
            Place { head: 0, at: at.try_into().map_err(too_large)?, len: record.len().try_into().map_err(too_large)? };
        self.shared.take(self.key.of(record));
        self.places.push(place);
        if self.bytes.len() + self.places.len() * size_of::<Place>() >= self.memory {
            self.write_run()?;
        }
        Ok(())
    }

    /// All records in order.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn finish(mut self) -> io::Result<Sorted> {
        let source = if self.file.is_none() {
            self.sort();
            Source::Memory { bytes: self.bytes, places: self.places.into_iter() }
        } else {
            self.write_run()?;
            let Self { key, memory, bytes, places, shared, runs, file, .. } = self;
            drop((bytes, places));
            let buffer = (memory / runs.len().max(1)).clamp(MIN_BUFFER, MAX_BUFFER);
            let starts = std::iter::once(0).chain(runs.iter().copied());
            let runs = starts.zip(&runs).map(|(start, end)| Run::new(start, *end, buffer)).collect();
            Source::Disk(Merge { file, key, skip: shared.len(), runs, order: Vec::new(), begun: false })
        };
        Ok(Sorted(source))
    }

    fn sort(&mut self) {
        let (bytes, key, skip) = (&self.bytes, self.key, self.shared.len());
        let record = |place: &Place| &key.of(place.of(bytes))[skip..];
        for place in &mut self.places {
            place.head = head(record(place));
        }
        // Of equal ones, the one that came first has the lower place.
        self.places.sort_unstable_by_key(|place| (place.head, place.at));
        for equal in self.places.chunk_by_mut(|a, b| a.head == b.head).filter(|equal| equal.len() > 1) {
            equal.sort_by(|a, b| record(a).cmp(record(b)));
        }
    }

    fn write_run(&mut self) -> io::Result<()> {
        self.sort();
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                step(Step::Create, &self.folder)?;
                tempfile::tempfile_in(&self.folder)?
            }
        };
        let mut out = BufWriter::with_capacity(MAX_BUFFER, Spool { file, folder: &self.folder });
        let mut end = self.runs.last().copied().unwrap_or(0);
        for place in &self.places {
            let record = place.of(&self.bytes);
            end += write_size(&mut out, place.len)? + record.len() as u64;
            out.write_all(record)?;
        }
        let spool = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        self.file = Some(spool.file);
        self.runs.push(end);
        self.bytes.clear();
        self.places.clear();
        Ok(())
    }
}

impl SortKey {
    fn of(self, record: &[u8]) -> &[u8] {
        match self {
            SortKey::First(bytes) if bytes < record.len() => &record[..bytes],
            _ => record,
        }
    }
}

impl Place {
    fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.at as usize..][..self.len as usize]
    }
}

/// How many bytes all keys begin with: they need not be compared.
#[derive(Debug, Default)]
struct Shared(Option<Vec<u8>>);

impl Shared {
    fn take(&mut self, key: &[u8]) {
        match &mut self.0 {
            Some(shared) if shared.is_empty() || key.starts_with(shared) => {}
            Some(shared) => {
                let same = shared.iter().zip(key).take_while(|(a, b)| a == b).count();
                shared.truncate(same);
            }
            None => self.0 = Some(key.to_owned()),
        }
    }

    fn len(&self) -> usize {
        self.0.as_ref().map_or(0, Vec::len)
    }
}

/// The first eight bytes as a number; the order of numbers is that of bytes.
fn head(key: &[u8]) -> u64 {
    match key.first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => {
            let mut first = [0; 8];
            first[..key.len()].copy_from_slice(key);
            u64::from_be_bytes(first)
        }
    }
}

struct Spool<'a> {
    file: File,
    folder: &'a Path,
}

impl Write for Spool<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        step(Step::Write, self.folder)?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Seven bits a byte, the last without the highest bit. Gives how many bytes that were.
fn write_size(out: &mut impl Write, mut size: u32) -> io::Result<u64> {
    let (mut bytes, mut len) = ([0; 5], 0);
    loop {
        bytes[len] = (size & 0x7f) as u8 | if size > 0x7f { 0x80 } else { 0 };
        len += 1;
        size >>= 7;
        if size == 0 {
            break;
        }
    }
    out.write_all(&bytes[..len])?;
    Ok(len as u64)
}

/// A size, and the bytes it takes; `None` when it is not whole.
fn read_size(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut size = 0;
    for (n, byte) in bytes.iter().take(5).enumerate() {
        size |= usize::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            return Some((size, n + 1));
        }
    }
    None
}

/// Records in order.
#[derive(Debug)]
pub struct Sorted(Source);

#[derive(Debug)]
enum Source {
    Memory { bytes: Vec<u8>, places: std::vec::IntoIter<Place> },
    Disk(Merge),
}

impl Sorted {
    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn advance(&mut self) -> io::Result<Option<&[u8]>> {
        match &mut self.0 {
            Source::Memory { bytes, places } => Ok(places.next().map(|place| place.of(bytes))),
            Source::Disk(merge) => merge.advance(),
        }
    }
}

#[derive(Debug)]
struct Merge {
    file: Option<File>,
    key: SortKey,
    skip: usize,
    runs: Vec<Run>,
    /// Runs that are not at their end, as a heap: none comes before the one in front.
    order: Vec<usize>,
    begun: bool,
}

impl Merge {
    fn advance(&mut self) -> io::Result<Option<&[u8]>> {
        let Some(file) = &self.file else { return Ok(None) };
        if !self.begun {
            self.begun = true;
            for (n, run) in self.runs.iter_mut().enumerate() {
                if run.advance(file, self.key, self.skip)? {
                    self.order.push(n);
                }
            }
            for from in (0..self.order.len() / 2).rev() {
                self.sift(from);
            }
        } else if let Some(first) = self.order.first() {
            if !self.runs[*first].advance(file, self.key, self.skip)? {
                self.order.swap_remove(0);
            }
            self.sift(0);
        }
        Ok(self.order.first().map(|n| self.runs[*n].record()))
    }

    /// Moves the run at `place` back until none that should come before it is behind it.
    fn sift(&mut self, mut place: usize) {
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            let mut first = place;
            for other in [left, right] {
                if other < self.order.len() && self.is_before(self.order[other], self.order[first]) {
                    first = other;
                }
            }
            if first == place {
                return;
            }
            self.order.swap(place, first);
            place = first;
        }
    }

    fn is_before(&self, a: usize, b: usize) -> bool {
        let (left, right) = (&self.runs[a], &self.runs[b]);
        let by_rest = || left.rest(self.key, self.skip).cmp(right.rest(self.key, self.skip));
        let order = left.head.cmp(&right.head).then_with(by_rest);
        order.then(a.cmp(&b)) == Ordering::Less // An earlier run holds what came earlier.
    }
}

/// One run, read from front to back.
#[derive(Debug)]
struct Run {
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    /// What of the buffer was read and not yet given.
    filled: std::ops::Range<usize>,
    /// Where the record is in it, and the head of its key.
    record: std::ops::Range<usize>,
    head: u64,
}

impl Run {
    fn new(at: u64, end: u64, buffer: usize) -> Self {
        Self { at, end, buffer: vec![0; buffer], filled: 0..0, record: 0..0, head: 0 }
    }

    fn record(&self) -> &[u8] {
        &self.buffer[self.record.clone()]
    }

    /// The key without what all have in common.
    fn rest(&self, key: SortKey, skip: usize) -> &[u8] {
        &key.of(self.record())[skip..]
    }

    /// Goes on to the next record; false at the end.
    fn advance(&mut self, file: &File, key: SortKey, skip: usize) -> io::Result<bool> {
        loop {
            let ahead = &self.buffer[self.filled.clone()];
            let need = match read_size(ahead) {
                Some((size, bytes)) if ahead.len() - bytes >= size => {
                    let start = self.filled.start + bytes;
                    self.record = start..start + size;
                    self.filled.start = self.record.end;
                    self.head = head(self.rest(key, skip));
                    return Ok(true);
                }
                Some((size, bytes)) => size + bytes,
                None => ahead.len() + 1,
            };
            if self.at == self.end && ahead.is_empty() {
                return Ok(false);
            }
            self.fill(file, need)?;
        }
    }

    /// Reads on until at least `need` bytes are ahead.
    fn fill(&mut self, file: &File, need: usize) -> io::Result<()> {
        self.buffer.copy_within(self.filled.clone(), 0);
        self.filled = 0..self.filled.len();
        if self.buffer.len() < need {
            self.buffer.resize(need, 0);
        }
        while self.filled.end < need {
            let room = &mut self.buffer[self.filled.end..];
            let most = room.len().min(usize::try_from(self.end - self.at).unwrap_or(usize::MAX));
            match file.read_at(&mut room[..most], self.at) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => {
                    self.filled.end += n;
                    self.at += n as u64;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable::fault::Faults;
    use proptest::prelude::*;

    fn sorted(records: &[Vec<u8>], key: SortKey, memory: usize) -> Vec<Vec<u8>> {
        let dir = tempfile::tempdir().unwrap();
        let mut sorter = Sorter::new(dir.path(), key, memory);
        for record in records {
            sorter.push(record).unwrap();
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "runs have no name");
        let (mut all, mut sorted) = (Vec::new(), sorter.finish().unwrap());
        while let Some(record) = sorted.advance().unwrap() {
            all.push(record.to_vec());
        }
        all
    }

    /// Few different bytes and a common begin, so that many keys are equal or nearly so.
    fn records() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let record = proptest::collection::vec(prop::sample::select(vec![0u8, 1, 255]), 0..12);
        (proptest::collection::vec(any::<u8>(), 0..10), proptest::collection::vec(record, 0..120))
            .prop_map(|(begin, records)| records.into_iter().map(|r| [&begin[..], &r[..]].concat()).collect())
    }

    proptest! {
        #[test]
        fn records_come_in_order_however_little_memory_there_is(records in records(), memory in 0usize..3000) {
            let mut expected = records.clone();
            expected.sort();
            prop_assert_eq!(sorted(&records, SortKey::Whole, memory), expected);
        }

        #[test]
        fn records_of_one_key_stay_in_the_order_in_which_they_came(
            records in records(), memory in 0usize..3000, bytes in 0usize..20,
        ) {
            let mut expected = records.clone();
            expected.sort_by(|a, b| a[..bytes.min(a.len())].cmp(&b[..bytes.min(b.len())]));
            prop_assert_eq!(sorted(&records, SortKey::First(bytes), memory), expected);
        }

        #[test]
        fn a_size_reads_back(size: u32) {
            let mut bytes = Vec::new();
            let written = write_size(&mut bytes, size).unwrap();
            prop_assert_eq!(read_size(&bytes), Some((size as usize, written as usize)));
            prop_assert_eq!(read_size(&bytes[..bytes.len() - 1]), None);
        }
    }

    #[test]
    fn a_record_larger_than_memory_and_buffers_is_sorted_like_any_other() {
        let large: Vec<u8> = (0..3 * MAX_BUFFER).map(|n| (n % 251) as u8).collect();
        let records = [b"b".to_vec(), large.clone(), Vec::new(), [&large[..], b"x"].concat(), b"a".to_vec()];
        let mut expected = records.to_vec();
        expected.sort();
        assert_eq!(sorted(&records, SortKey::Whole, 1000), expected);
    }

    #[test]
    fn a_full_disk_is_an_error_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let faults = Faults::in_folder(dir.path());
        faults.fail_each(Step::Write, ErrorKind::StorageFull);
        let mut sorter = Sorter::new(dir.path(), SortKey::Whole, 1000);
        let result = (0..1000u32).try_for_each(|n| sorter.push(&n.to_le_bytes()));
        assert_eq!(result.unwrap_err().kind(), ErrorKind::StorageFull);
        drop(sorter);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
