//! Sorts more entries by their code than memory holds: sorted runs on disk, merged at the end.
//! Entries of one code stay in the order in which they came.

use super::files::Output;
use crate::code::Code;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// Bytes of each end of a run that are held in memory.
const BUFFER: usize = 256 << 10;

/// Entries being gathered.
pub struct Sorter {
    /// Where a run is written before it loses its name.
    path: PathBuf,
    room: usize,
    bytes: Vec<u8>,
    entries: Vec<(Code, u32, u32)>,
    runs: Vec<File>,
}

impl Sorter {
    /// Holds about `room` bytes in memory, at most 2 GiB.
    pub fn new(path: PathBuf, room: usize) -> Self {
        Self { path, room: room.min(2 << 30), bytes: Vec::new(), entries: Vec::new(), runs: Vec::new() }
    }

    /// Takes the entry that `write` appends.
    pub fn push(&mut self, code: Code, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.entries.push((code, start as u32, (self.bytes.len() - start) as u32));
        if self.bytes.len() + self.entries.len() * size_of::<(Code, u32, u32)>() >= self.room {
            self.spill()?;
        }
        Ok(())
    }

    fn sorted(&mut self) -> impl Iterator<Item = (Code, &[u8])> {
        self.entries.sort_unstable(); // Of one code the first that came has the lowest place.
        self.entries.iter().map(|(code, at, len)| (*code, &self.bytes[*at as usize..][..*len as usize]))
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut out = BufWriter::with_capacity(BUFFER, Output::create(&self.path)?);
        for (code, entry) in self.sorted() {
            out.write_all(&code.0.to_le_bytes())?;
            out.write_all(&(entry.len() as u32).to_le_bytes())?;
            out.write_all(entry)?;
        }
        let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?.into_nameless()?;
        file.seek(SeekFrom::Start(0))?;
        self.runs.push(file);
        self.bytes.clear();
        self.entries.clear();
        Ok(())
    }

    /// Gives all entries in order to `take`.
    pub fn finish<E: From<io::Error>>(mut self, mut take: impl FnMut(Code, &[u8]) -> Result<(), E>) -> Result<(), E> {
        if self.runs.is_empty() {
            return self.sorted().try_for_each(|(code, entry)| take(code, entry));
        }
        self.spill()?;
        (self.bytes, self.entries) = (Vec::new(), Vec::new());
        let mut runs: Vec<Run> = self.runs.into_iter().map(Run::new).collect();
        let mut next = BinaryHeap::new();
        for (number, run) in runs.iter_mut().enumerate() {
            if let Some(code) = run.advance()? {
                next.push(Reverse((code, number)));
            }
        }
        while let Some(Reverse((code, number))) = next.pop() {
            let run = &mut runs[number];
            take(code, &run.entry)?;
            if let Some(code) = run.advance()? {
                next.push(Reverse((code, number)));
            }
        }
        Ok(())
    }
}

struct Run {
    file: BufReader<File>,
    entry: Vec<u8>,
}

impl Run {
    fn new(file: File) -> Self {
        Self { file: BufReader::with_capacity(BUFFER, file), entry: Vec::new() }
    }

    /// Reads the next entry; `None` at the end.
    fn advance(&mut self) -> io::Result<Option<Code>> {
        let mut head = [0; 12];
        if io::BufRead::fill_buf(&mut self.file)?.is_empty() {
            return Ok(None);
        }
        self.file.read_exact(&mut head)?;
        let [code @ .., a, b, c, d] = head;
        self.entry.resize(u32::from_le_bytes([a, b, c, d]) as usize, 0);
        self.file.read_exact(&mut self.entry)?;
        Ok(Some(Code(u64::from_le_bytes(code))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_on_disk_sort_as_memory_does(codes in proptest::collection::vec(0..40u64, 0..200), room in 16..4000usize) {
            let dir = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::new(dir.path().join("run"), room);
            let mut expected: Vec<(u64, Vec<u8>)> = Vec::new();
            for (n, code) in codes.iter().enumerate() {
                let entry = vec![n as u8; n % 7];
                sorter.push(Code(*code), |out| out.extend_from_slice(&entry)).unwrap();
                expected.push((*code, entry));
            }
            expected.sort_by_key(|(code, _)| *code);
            let mut got = Vec::new();
            sorter.finish(|code, entry| {
                got.push((code.0, entry.to_vec()));
                Ok::<_, io::Error>(())
            }).unwrap();
            prop_assert_eq!(got, expected);
            prop_assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        }
    }
}
