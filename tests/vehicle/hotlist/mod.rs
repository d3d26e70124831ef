//! Lists of wanted plates: each format, any bytes, and the command line.
mod cli;
mod configured;
mod files;
mod fuzzing;
mod golden;
mod written;

use plated_core::record::EntryRecord;
use plated_hotlist::settings::Hotlist;
use plated_hotlist::{ImportReport, Wish, read_file};

/// The entries of the list's file, and what became of its lines.
fn load(list: &Hotlist) -> plated_core::error::Result<(Vec<EntryRecord>, ImportReport)> {
    let mut entries = Vec::new();
    let passed = read_file(list, &list.path, &list.path, Wish::default(), |entry| {
        entries.push(entry);
        Ok(())
    })?;
    Ok((entries, passed.summary.report))
}
