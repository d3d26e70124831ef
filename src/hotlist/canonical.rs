//! A list in the canonical form in which the station hands it out.

use super::sync::canonical::Lines;
use crate::error::{Context, Error, Kind, Result};
use crate::wire::EntryRecord;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Gives the entries of the file, one after the other; their number at the end.
///
/// # Errors
/// `Input` with the number of the first line that is no entry, `Storage` when it can't be read,
/// and what `each` says. Nothing of a line's text is shown.
pub fn read_entries(path: &Path, mut each: impl FnMut(EntryRecord) -> Result<()>) -> Result<u64> {
    let file = File::open(path).context(Kind::Storage, || format!("could not read {}", path.display()))?;
    let mut lines = Lines::new(BufReader::new(file));
    let mut number = 0;
    while lines.advance()? {
        number += 1;
        let entry = serde_json::from_slice(lines.line())
            .map_err(|e| Error::new(Kind::Input, format!("line {number} is no entry (character {})", e.column())))?;
        each(entry)?;
    }
    Ok(number)
}
