//! A configured list, read whole into memory.

use super::entry::List;
use super::format::{self, Choice, Row, Spec};
use super::import;
use crate::config::{Hotlist, Limits};
use crate::error::{Context, Error, Kind, Result};
use crate::wire::Priority;
use std::fs::File;
use std::io::BufRead;
use std::sync::Arc;

/// Opens, reads and checks a list.
///
/// # Errors
/// `Missing` or `Storage` when the file can't be read, `Config` when its format or map is none,
/// `Input` when it is no list or may not come into force; the sentence names the file and why.
pub fn load(list: &Hotlist) -> Result<List> {
    let what = format!("the hotlist {}", list.path.display());
    let file = File::open(&list.path).context(Kind::Missing, || format!("could not open {what}"))?;
    let choice = Choice::new(list.format.as_deref(), list.map.as_deref());
    let (detected, input) = named(&what, format::choose(file, &list.path, &choice))?;
    tracing::debug!(list = list.name, format = %detected.spec, "Reading a hotlist: {}.", detected.why.join("; "));
    named(&what, collect(input, &detected.spec, &list.name, list.priority, &list.limits))
}

/// Reads a list in the project's own CSV from `input`. `what` names it in errors, `name` in hits;
/// entries that name no priority get `priority`.
///
/// # Errors
/// `Storage` when it can't be read, `Input` when it is no list or has too many mistakes.
pub fn read(input: impl BufRead, what: &str, name: &str, priority: Priority) -> Result<List> {
    named(what, collect(input, &Spec::Csv, name, priority, &Limits::default()))
}

fn collect(input: impl BufRead, spec: &Spec, name: &str, priority: Priority, limits: &Limits) -> Result<List> {
    let mut importer = format::open(input, spec, name, priority)?;
    let mut entries = Vec::new();
    for row in importer.by_ref() {
        if let Row::Entry(entry, _) = row? {
            entries.push(Arc::new(entry));
        }
    }
    let summary = importer.summary();
    import::check(&summary, None, limits, None)?;
    Ok(List { name: name.to_owned(), entries, report: summary.report })
}

/// Puts the name of the file before what is wrong with it.
fn named<T>(what: &str, result: Result<T>) -> Result<T> {
    let kind = result.as_ref().err().map_or(Kind::Internal, Error::kind);
    result.context(kind, || match kind {
        Kind::Storage => format!("could not read {what}"),
        _ => format!("{what} was refused"),
    })
}
