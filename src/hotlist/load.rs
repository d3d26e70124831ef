//! From the file of a list to its entries, if it may come into force.

use super::canonical::CanonicalLines;
use super::entry::ImportReport;
use super::entry::LineProblem;
use super::format::{self, Choice, Count, ImportSettings, Packing, Row, Spec, Summary, open_plain, unpacked};
use super::import::{self, Compared, ForceReason, Forced};
use super::lists::MAX_PARTIALS;
use super::matcher::Pattern;
use crate::settings::{Hotlist, Limits};
use jiff::Timestamp;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::record::EntryRecord;
use plated_core::text;
use plated_core::wire::ListVersion;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// What a list is read for.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// What it is compared with.
    pub compared: Compared,
    /// Why it is let in whatever is wrong with it.
    pub force: Option<ForceReason>,
}

/// What was read, to its end, and may come into force.
#[derive(Clone, Debug)]
pub struct Passed {
    /// What the list was as a whole.
    pub summary: Summary,
    /// The date of the list: its own or else its file's.
    pub dated: Option<Timestamp>,
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
    let file = open_plain(file).context(Kind::Missing, || format!("could not open {what}"))?;
    let choice = Choice::new(list.format.as_deref(), list.map.as_deref());
    let packing = named(&what, Packing::new(list.password_file.as_deref(), list.archive_member.as_deref()))?;
    let read = unpacked(file, name, &packing, |input, within| {
        let (detected, input) = format::choose(input, within, &choice)?;
        tracing::debug!(list = list.name, format = %detected.spec, "Reading a hotlist: {}.", detected.why.join("; "));
        rows(input, &detected.spec, &ImportSettings::of(list), &mut each)
    });
    named(&what, decide(named(&what, read)?, wish, &list.limits))
}

/// As [`read_file`], for a list of the station in its canonical form, which stays as it is.
///
/// # Errors
/// As [`read_file`]; any line that is no entry keeps the whole list out, with its number. Nothing
/// of a line's text is shown.
pub fn read_version(list: &Hotlist, version: &ListVersion, file: &Path, wish: Wish) -> Result<Passed> {
    let unreadable = || format!("could not read the station's list {}", file.display());
    let mut lines = CanonicalLines::new(BufReader::new(open_plain(file).context(Kind::Storage, unreadable)?));
    let (mut entries, mut report) = (0, ImportReport::default());
    while lines.advance()? {
        entries += 1;
        let entry = serde_json::from_slice::<EntryRecord>(lines.line())
            .map_err(|e| Error::new(Kind::Input, format!("line {entries} is no entry (character {})", e.column())))?;
        if !Pattern::is_pattern(&entry.plate) {
            report.add_entry(false, Vec::new());
            continue;
        }
        let why = match Pattern::parse(&entry.plate) {
            Ok(_) if report.partials < MAX_PARTIALS as u64 => {
                report.add_entry(true, Vec::new());
                continue;
            }
            Ok(_) => format!("a list has at most {MAX_PARTIALS} partial plates; this one is not matched"),
            Err(why) => why,
        };
        report.add_set_aside(true, LineProblem { line: entries, field: "plate", reason: why });
    }
    if entries != version.entries {
        let message = format!("it has {}, and {} by the manifest", text::entries(entries), version.entries);
        return Err(Error::new(Kind::Input, message));
    }
    // The station decides which of its versions is the newest: their dates are not compared.
    let wish = Wish { compared: Compared { file_date: None, ..wish.compared }, ..wish };
    decide(Summary { report, date: None, footer: Count::Unused }, wish, &list.limits)
}

fn rows(
    input: impl BufRead,
    spec: &Spec,
    settings: &ImportSettings,
    each: &mut dyn FnMut(EntryRecord) -> Result<()>,
) -> Result<Summary> {
    let mut importer = format::open(input, spec, settings)?;
    for row in importer.by_ref() {
        if let Row::Entry(entry, _) = row? {
            each(entry)?;
        }
    }
    Ok(importer.summary())
}

fn decide(summary: Summary, wish: Wish, limits: &Limits) -> Result<Passed> {
    let dated = wish.compared.date(&summary);
    let forced = import::check(&summary, &wish.compared, limits, wish.force)?.forced;
    Ok(Passed { summary, dated, forced })
}

/// Puts the name of the file before what is wrong with it.
fn named<T>(what: &str, result: Result<T>) -> Result<T> {
    let kind = result.as_ref().err().map_or(Kind::Internal, Error::kind);
    result.context(kind, || match kind {
        Kind::Storage => format!("could not read {what}"),
        _ => format!("{what} was refused"),
    })
}
