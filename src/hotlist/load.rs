//! From the file of a list to its entries, if it may come into force.

use super::canonical::Lines;
use super::entry::Report;
use super::format::{self, Choice, Count, Row, Spec, Summary};
use super::import::{self, Forced, InForce, Reason};
use crate::settings::{Hotlist, Limits};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::record::{EntryRecord, Priority};
use plated_core::wire::ListVersion;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// What a list is read for.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The list that it would replace.
    pub in_force: Option<InForce>,
    /// Why it is let in whatever is wrong with it.
    pub force: Option<Reason>,
}

/// What was read, to its end, and may come into force.
#[derive(Clone, Debug)]
pub struct Passed {
    /// What the list was as a whole.
    pub summary: Summary,
    /// What would have kept it out.
    pub forced: Option<Forced>,
}

/// Reads the file as the list `list` and gives each entry. Only when this returns well may they
/// come into force. `name` is what the file is called where it comes from, which can tell its
/// format.
///
/// # Errors
/// `Missing` or `Storage` when the file can't be read, `Config` when its format or map is none,
/// `Input` when it is no list or may not come into force; the sentence names the file and why.
pub fn read_file(
    list: &Hotlist,
    file: &Path,
    name: &Path,
    wish: Wish,
    mut each: impl FnMut(EntryRecord) -> Result<()>,
) -> Result<Passed> {
    let what = format!("the hotlist {}", name.display());
    let file = File::open(file).context(Kind::Missing, || format!("could not open {what}"))?;
    let choice = Choice::new(list.format.as_deref(), list.map.as_deref());
    let (detected, input) = named(&what, format::choose(file, name, &choice))?;
    tracing::debug!(list = list.name, format = %detected.spec, "Reading a hotlist: {}.", detected.why.join("; "));
    let summary = named(&what, rows(input, &detected.spec, &list.name, list.priority, &mut each))?;
    named(&what, decide(summary, wish, &list.limits))
}

/// As [`read_file`], for a list of the station in its canonical form, which stays as it is.
///
/// # Errors
/// As [`read_file`]; any line that is no entry keeps the whole list out, with its number. Nothing
/// of a line's text is shown.
pub fn read_version(list: &Hotlist, version: &ListVersion, file: &Path, wish: Wish) -> Result<Passed> {
    let unreadable = || format!("could not read the station's list {}", file.display());
    let mut lines = Lines::new(BufReader::new(File::open(file).context(Kind::Storage, unreadable)?));
    let mut entries = 0;
    while lines.advance()? {
        entries += 1;
        serde_json::from_slice::<EntryRecord>(lines.line())
            .map_err(|e| Error::new(Kind::Input, format!("line {entries} is no entry (character {})", e.column())))?;
    }
    if entries != version.entries {
        let said = format!("it has {entries} entries, and {} by the manifest", version.entries);
        return Err(Error::new(Kind::Input, said));
    }
    let report = Report { lines: entries, entries, ..Report::default() };
    decide(Summary { report, date: None, footer: Count::Unused }, wish, &list.limits)
}

fn rows(
    input: impl BufRead,
    spec: &Spec,
    name: &str,
    priority: Priority,
    each: &mut dyn FnMut(EntryRecord) -> Result<()>,
) -> Result<Summary> {
    let mut importer = format::open(input, spec, name, priority)?;
    for row in importer.by_ref() {
        if let Row::Entry(entry, _) = row? {
            each(entry)?;
        }
    }
    Ok(importer.summary())
}

fn decide(summary: Summary, wish: Wish, limits: &Limits) -> Result<Passed> {
    let forced = import::check(&summary, wish.in_force.as_ref(), limits, wish.force)?.forced;
    Ok(Passed { summary, forced })
}

/// Puts the name of the file before what is wrong with it.
fn named<T>(what: &str, result: Result<T>) -> Result<T> {
    let kind = result.as_ref().err().map_or(Kind::Internal, Error::kind);
    result.context(kind, || match kind {
        Kind::Storage => format!("could not read {what}"),
        _ => format!("{what} was refused"),
    })
}
