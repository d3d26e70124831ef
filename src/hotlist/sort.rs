//! Sorting lines in bounded memory: what fits is sorted and written away, and merged at the end.

use plated_core::error::{Context, Kind, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// End of the name that a run has for a moment; a power cut then leaves it.
pub const RUN: &str = ".run";
/// Memory for each end of a run.
const BUFFER: usize = 64 << 10;
/// What a line takes beside its bytes: where it ends, and its place while a run is sorted.
const BESIDE: usize = size_of::<usize>() + size_of::<&[u8]>();

/// Lines in no order yet. None has a line feed in it.
pub struct Sorter {
    folder: PathBuf,
    room: usize,
    text: Vec<u8>,
    ends: Vec<usize>,
    runs: Vec<File>,
}

impl Sorter {
    /// Holds about `room` bytes in memory. The rest goes into `folder`, in files without a name.
    pub fn new(folder: &Path, room: usize) -> Self {
        Self { folder: folder.to_owned(), room, text: Vec::new(), ends: Vec::new(), runs: Vec::new() }
    }

    /// Adds a line.
    ///
    /// # Errors
    /// `Storage` when the disk is full or fails.
    pub fn add(&mut self, line: &[u8]) -> Result<()> {
        self.text.extend_from_slice(line);
        self.ends.push(self.text.len());
        if self.text.len() + self.ends.len() * BESIDE >= self.room {
            self.write_run().context(Kind::Storage, || failed(&self.folder))?;
        }
        Ok(())
    }

    /// Gives every line in the order of their bytes; what was added twice is given twice.
    ///
    /// # Errors
    /// As [`Sorter::add`], and what `each` says.
    pub fn finish(mut self, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        if self.runs.is_empty() {
            return self.sorted().into_iter().try_for_each(each);
        }
        self.write_run().context(Kind::Storage, || failed(&self.folder))?;
        let Self { folder, runs, text, ends, .. } = self;
        drop((text, ends));
        let failed = || failed(&folder);
        let mut runs: Vec<_> = runs.into_iter().map(|run| BufReader::with_capacity(BUFFER, run)).collect();
        let mut heads = BinaryHeap::new();
        for (n, run) in runs.iter_mut().enumerate() {
            let mut line = Vec::new();
            run.rewind().context(Kind::Storage, failed)?;
            if next(run, &mut line).context(Kind::Storage, failed)? {
                heads.push(Reverse((line, n)));
            }
        }
        while let Some(mut head) = heads.peek_mut() {
            let Reverse((line, n)) = &mut *head;
            each(line)?;
            if !next(&mut runs[*n], line).context(Kind::Storage, failed)? {
                PeekMut::pop(head);
            }
        }
        Ok(())
    }

    fn sorted(&self) -> Vec<&[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let mut lines: Vec<_> = starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end]).collect();
        lines.sort_unstable();
        lines
    }

    fn write_run(&mut self) -> io::Result<()> {
        let path = self.folder.join(format!("{}{RUN}", uuid::Uuid::now_v7()));
        let file = File::options().create_new(true).read(true).write(true).mode(0o600).open(&path)?;
        std::fs::remove_file(&path)?;
        let mut output = BufWriter::with_capacity(BUFFER, file);
        for line in self.sorted() {
            output.write_all(line)?;
            output.write_all(b"\n")?;
        }
        self.runs.push(output.into_inner().map_err(io::IntoInnerError::into_error)?);
        self.text.clear();
        self.ends.clear();
        Ok(())
    }
}

fn failed(folder: &Path) -> String {
    format!("could not sort a list in {}", folder.display())
}

/// Reads the next line, without its line feed; false at the end.
fn next(run: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    run.read_until(b'\n', line)?;
    Ok(line.pop().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_come_in_order_however_little_room_there_is(
            lines in proptest::collection::vec("[a-c]{0,4}", 0..60), room in 1usize..2000,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::new(dir.path(), room);
            for line in &lines {
                sorter.add(line.as_bytes()).unwrap();
            }
            let mut sorted = Vec::new();
            sorter.finish(|line| { sorted.push(String::from_utf8(line.to_vec()).unwrap()); Ok(()) }).unwrap();
            let mut expected = lines;
            expected.sort();
            prop_assert_eq!(sorted, expected);
            prop_assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        }
    }
}
