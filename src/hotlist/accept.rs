//! From a list's file to entries that may come into force.

use super::csv;
use super::entry::Report;
use crate::config::Hotlist;
use crate::error::{Error, Kind, Result};
use crate::wire::EntryRecord;
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;

/// A list that passed its checks, or was forced past them.
#[derive(Debug)]
pub struct Accepted {
    /// In the order of the file.
    pub entries: Vec<Arc<EntryRecord>>,
    /// What became of the lines.
    pub report: Report,
    /// The date it gives itself.
    pub dated: Option<Timestamp>,
    /// What it was forced past, in words.
    pub forced: Vec<String>,
}

/// A list that has lost more than this share of its entries is more likely cut off than cured.
const SHRINK: f64 = 0.2;

/// Reads `file` as the list `list` and looks whether it may take the place of one with
/// `in_force` entries.
///
/// # Errors
/// `Missing` or `Storage` when it can't be read, `Input` when it is no list, or may not come into
/// force and is not forced.
pub fn accept(list: &Hotlist, file: &Path, in_force: Option<u64>, force: bool) -> Result<Accepted> {
    let read = csv::load(&Hotlist { path: file.to_owned(), ..list.clone() })?;
    let mut forced = Vec::new();
    let count = read.entries.len() as u64;
    if let Some(before) = in_force
        && before.saturating_sub(count) as f64 > before as f64 * SHRINK
    {
        forced.push(format!("it has {count} entries where the list in force has {before}"));
    }
    match forced.first() {
        Some(why) if !force => {
            let said = format!("the list {} was refused: {why}; the list in force stays", list.name);
            Err(Error::new(Kind::Input, said))
        }
        _ => Ok(Accepted { entries: read.entries, report: read.report, dated: None, forced }),
    }
}
