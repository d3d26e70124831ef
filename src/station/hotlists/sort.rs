//! Sorting lines in bounded memory: runs that fit are sorted and written away, then merged.

use crate::error::{Context, Kind, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

/// Lines in no order yet. None has a line feed in it.
pub struct Sorter {
    folder: PathBuf,
    room: usize,
    text: Vec<u8>,
    ends: Vec<usize>,
    runs: Vec<File>,
}

impl Sorter {
    /// Runs go into `folder`, in files without a name; a run has about `room` bytes.
    pub fn new(folder: &Path, room: usize) -> Self {
        Self { folder: folder.to_owned(), room, text: Vec::new(), ends: Vec::new(), runs: Vec::new() }
    }

    /// Adds a line.
    pub fn add(&mut self, line: &[u8]) -> Result<()> {
        self.text.extend_from_slice(line);
        self.ends.push(self.text.len());
        if self.text.len() >= self.room {
            self.write_run().context(Kind::Storage, || self.failed())?;
        }
        Ok(())
    }

    /// Gives every line once, in the order of their bytes. Gives the number of lines left out
    /// because they were there twice.
    pub fn finish(mut self, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<u64> {
        let mut twice = 0;
        let mut last: Option<Vec<u8>> = None;
        let mut give = |line: &[u8]| {
            if last.as_deref() == Some(line) {
                twice += 1;
                return Ok(());
            }
            let kept = last.get_or_insert_default();
            kept.clear();
            kept.extend_from_slice(line);
            each(line)
        };
        if self.runs.is_empty() {
            for line in self.sorted() {
                give(line)?;
            }
            return Ok(twice);
        }
        let failed = self.failed();
        let failed = || failed.clone();
        self.write_run().context(Kind::Storage, failed)?;
        let mut runs = Vec::new();
        for mut run in std::mem::take(&mut self.runs) {
            run.rewind().context(Kind::Storage, failed)?;
            runs.push(BufReader::new(run));
        }
        let mut heads = BinaryHeap::new();
        for (n, run) in runs.iter_mut().enumerate() {
            heads.extend(next(run).context(Kind::Storage, failed)?.map(|line| Reverse((line, n))));
        }
        while let Some(Reverse((line, n))) = heads.pop() {
            give(&line)?;
            heads.extend(next(&mut runs[n]).context(Kind::Storage, failed)?.map(|line| Reverse((line, n))));
        }
        Ok(twice)
    }

    fn sorted(&self) -> Vec<&[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let mut lines: Vec<_> = starts.zip(&self.ends).map(|(start, end)| &self.text[start..*end]).collect();
        lines.sort_unstable();
        lines
    }

    fn write_run(&mut self) -> io::Result<()> {
        let path = self.folder.join(format!("{}.run", uuid::Uuid::now_v7()));
        let file = File::options().create_new(true).read(true).write(true).open(&path)?;
        std::fs::remove_file(&path)?;
        let mut output = BufWriter::new(file);
        for line in self.sorted() {
            output.write_all(line)?;
            output.write_all(b"\n")?;
        }
        self.runs.push(output.into_inner().map_err(io::IntoInnerError::into_error)?);
        self.text.clear();
        self.ends.clear();
        Ok(())
    }

    fn failed(&self) -> String {
        format!("could not sort a list in {}", self.folder.display())
    }
}

fn next(run: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    run.read_until(b'\n', &mut line)?;
    Ok(line.pop().map(|_| line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn lines_come_in_order_and_once_however_little_room_there_is(
            lines in proptest::collection::vec("[a-c]{0,4}", 0..60), room in 1usize..200,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let mut sorter = Sorter::new(dir.path(), room);
            for line in &lines {
                sorter.add(line.as_bytes()).unwrap();
            }
            let mut sorted = Vec::new();
            let twice = sorter.finish(|line| { sorted.push(String::from_utf8(line.to_vec()).unwrap()); Ok(()) }).unwrap();
            let expected: BTreeSet<_> = lines.iter().cloned().collect();
            prop_assert_eq!(twice as usize, lines.len() - expected.len());
            prop_assert_eq!(sorted, expected.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        }
    }
}
