//! `plated status`: how each part is.

use super::ask::{Ask, local, print_json};
use super::{say, written};
use crate::control::{ListLine, Reply, Request, StatusReport};
use crate::health::Level;
use crate::store::Staleness;
use plated_core::error::{Result, exit_code};
use plated_core::text::{age, count, entries};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

/// How old the lists are, what went wrong last, and how much waits for the station
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated status
  plated status --watch
  plated status --json | jq '.lists[] | select(.staleness != \"fresh\") | .name'

The exit code is 0 when all is well, 1 for a warning, 2 for what is critical. Also without a running
daemon. No plates are shown.")]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Go on, and print it anew after so many seconds, until Ctrl-C
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "2",
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    watch: Option<u64>,
    #[command(flatten)]
    ask: Ask,
}

/// Prints it; the exit code is 0 when all is well, 1 for a warning and 2 for what is critical, so that a
/// script or a monitoring system need not read the text.
pub fn run(args: &Args) -> ExitCode {
    let Some(seconds) = args.watch else { return once(args) };
    loop {
        if !args.json && std::io::stdout().is_terminal() && written(clear_terminal()).is_err() {
            return ExitCode::FAILURE;
        }
        // What fails for a moment, as a daemon does that is started anew, is told and looked at again.
        once(args);
        // The interval that was asked for; Ctrl-C ends the program here too.
        std::thread::sleep(Duration::from_secs(seconds));
    }
}

/// From its first line on.
fn clear_terminal() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(b"\x1b[H\x1b[2J")?;
    out.flush()
}

fn once(args: &Args) -> ExitCode {
    let mut worst = Level::Ok;
    let outcome = args.ask.call(&Request::Status, None, &mut |reply| match reply {
        Reply::Status(report) => {
            worst = report.worst();
            if args.json { print_json(&report) } else { print(&report) }
        }
        _ => Ok(()),
    });
    match (outcome, worst) {
        (Ok(()), Level::Degraded) => ExitCode::from(1),
        (Ok(()), Level::Failed) => ExitCode::from(2),
        (outcome, _) => exit_code("plated", outcome),
    }
}

fn print(report: &StatusReport) -> Result<()> {
    match report.daemon {
        true => say(format_args!("{:<9} daemon running", word(Staleness::Fresh)))?,
        false => {
            say(format_args!("{:<9} no daemon runs: nothing is read and nobody is alerted", word(Staleness::Critical)))?
        }
    }
    for part in &report.parts {
        let word = match part.level {
            Level::Ok => "ok",
            Level::Degraded => "WARN",
            Level::Failed => "CRITICAL",
        };
        say(format_args!("{word:<9} {}: {}", part.name, part.text))?;
    }
    if let Some(jump) = &report.clock.last_jump {
        let (from, to) = (local(jump.from), local(jump.to));
        say(format_args!("          last jump of the clock: by {} s, from {from} to {to}", jump.seconds))?;
    }
    let partial = report.officers.iter().filter(|e| e.partial).count();
    let whole = report.officers.len() - partial;
    say(format_args!(
        "{:<9} officers: {}, {}",
        word(Staleness::Fresh),
        count(whole as u64, "plate"),
        count(partial as u64, "partial plate")
    ))?;
    if let Some(canvass) = &report.canvass {
        let incident = if canvass.incident.is_empty() { "one" } else { &canvass.incident };
        let since = canvass.since.map_or_else(String::new, |at| format!(" since {}", local(at)));
        say(format_args!("{:<9} canvass: {incident} is open{since}", word(Staleness::Fresh)))?;
    }
    let Some(s) = &report.store else { return Ok(()) };
    let newest =
        s.newest_read.map_or_else(|| "no read yet".to_owned(), |t| format!("the last {} ago", since(report, t)));
    say(format_args!(
        "{:<9} kept: {}, {newest}; {}",
        word(Staleness::Fresh),
        count(s.reads, "read"),
        count(s.hits, "hit")
    ))
}

fn since(report: &StatusReport, then: jiff::Timestamp) -> String {
    age(report.at.duration_since(then).as_secs().max(0).unsigned_abs())
}

/// The word in front of a line.
pub fn word(staleness: Staleness) -> &'static str {
    match staleness {
        Staleness::Fresh => "ok",
        Staleness::Warn => "WARN",
        Staleness::Critical => "CRITICAL",
    }
}

/// A list and its last error. By a clock that is not `trusted` the age is the least it can be.
pub fn list_line(list: &ListLine, trusted: bool) -> Result<()> {
    let old = list.old(trusted);
    say(format_args!("{:<9} {}: {}, {old}", word(list.staleness), list.name, entries(list.entries)))?;
    match &list.error {
        Some(error) => say(format_args!("          last error: {error}")),
        None => Ok(()),
    }
}
