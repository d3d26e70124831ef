//! `plated status`: how lists, store and transfer are.

use super::ask::{Ask, ago, print_json};
use super::say;
use crate::control::{ListLine, Reply, Request, StatusReport};
use crate::store::Staleness;
use plated_core::error::Result;

/// How old the lists are, what went wrong last, and how much waits for the station
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated status
  plated status --json | jq '.lists[] | select(.staleness != \"fresh\") | .name'

Also without a running daemon. No plates are shown.")]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

pub fn run(args: &Args) -> Result<()> {
    args.ask.call(Request::Status, None, &mut |reply| match reply {
        Reply::Status(report) if args.json => print_json(&report),
        Reply::Status(report) => print(&report),
        _ => Ok(()),
    })
}

fn print(report: &StatusReport) -> Result<()> {
    match report.daemon {
        true => say(format_args!("{:<9} daemon running", word(Staleness::Fresh)))?,
        false => {
            say(format_args!("{:<9} no daemon runs: nothing is read and nobody is alerted", word(Staleness::Critical)))?
        }
    }
    report.lists.iter().try_for_each(list_line)?;
    let partial = report.officers.iter().filter(|e| e.partial).count();
    let whole = report.officers.len() - partial;
    say(format_args!("{:<9} officers: {whole} plates, {partial} partial plates", word(Staleness::Fresh)))?;
    let s = &report.store;
    let newest =
        s.newest_read.map_or_else(|| "no read yet".to_owned(), |t| format!("the last {} ago", since(report, t)));
    say(format_args!("{:<9} store: {} reads, {newest}; {} hits", word(Staleness::Fresh), s.reads, s.hits))?;
    let oldest = s.oldest_waiting_s.map_or_else(String::new, |age| format!(", the oldest {} old", ago(age)));
    let refused = if s.refused > 0 { format!(", {} refused by the station", s.refused) } else { String::new() };
    let receipt = s
        .last_receipt
        .map_or_else(|| "no receipt yet".to_owned(), |t| format!("last receipt {} ago", since(report, t)));
    say(format_args!("{:<9} transfer: {} reads wait{oldest}{refused}; {receipt}", word(s.staleness), s.waiting))
}

fn since(report: &StatusReport, then: jiff::Timestamp) -> String {
    ago(report.at.duration_since(then).as_secs().max(0).unsigned_abs())
}

/// The word in front of a line.
pub fn word(staleness: Staleness) -> &'static str {
    match staleness {
        Staleness::Fresh => "ok",
        Staleness::Warn => "WARN",
        Staleness::Critical => "CRITICAL",
    }
}

/// A list and its last error.
pub fn list_line(list: &ListLine) -> Result<()> {
    let age = list.age_s.map_or_else(|| "no version in force".to_owned(), |age| format!("{} old", ago(age)));
    say(format_args!("{:<9} {}: {} entries, {age}", word(list.staleness), list.name, list.entries))?;
    match &list.error {
        Some(error) => say(format_args!("          last error: {error}")),
        None => Ok(()),
    }
}
