//! A list in the canonical form in which the station hands it out.

use super::entry::{List, Report};
use super::sync::canonical::Lines;
use crate::error::{Context, Error, Kind, Result};
use crate::wire::EntryRecord;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

/// Gives the entries of the file, one after the other; their number at the end.
///
/// # Errors
/// `Input` with the number of the first line that is no entry, `Storage` when it can't be read.
/// Nothing of a line's text is shown.
pub fn read_entries(path: &Path, mut each: impl FnMut(EntryRecord)) -> Result<u64> {
    let file = File::open(path).context(Kind::Storage, || format!("could not read {}", path.display()))?;
    let mut lines = Lines::new(BufReader::new(file));
    let mut number = 0;
    while lines.advance()? {
        number += 1;
        let entry = serde_json::from_slice(lines.line())
            .map_err(|e| Error::new(Kind::Input, format!("line {number} is no entry (character {})", e.column())))?;
        each(entry);
    }
    Ok(number)
}

/// Reads the whole list.
pub fn load_canonical(path: &Path, name: &str) -> Result<List> {
    let mut entries = Vec::new();
    let count = read_entries(path, |entry| entries.push(Arc::new(entry)))?;
    let report = Report { lines: count, entries: count, ..Report::default() };
    Ok(List { name: name.to_owned(), entries, report })
}
