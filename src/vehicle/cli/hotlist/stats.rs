//! `plated hotlist stats`: the lists, and what officers entered, without plates.

use crate::cli::ask::{Ask, print_json};
use crate::cli::say;
use crate::cli::status::{list_line, word};
use crate::control::{Reply, Request, StatusReport};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::{age, count};
use serde_json::json;

/// The lists in force and the entries of officers
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated hotlist stats
  plated hotlist stats --json

No plates are shown; `plated hotlist show PLATE` looks one up.")]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

pub fn run(args: &Args) -> Result<()> {
    args.ask.call(&Request::Status, None, &mut |reply| match reply {
        Reply::Status(report) if report.store.is_none() => {
            Err(Error::new(Kind::Storage, "the store does not answer; `plated status` says how the parts are"))
        }
        Reply::Status(report) if args.json => print_json(&json!({"lists": report.lists, "officers": report.officers})),
        Reply::Status(report) => print(&report),
        _ => Ok(()),
    })
}

fn print(report: &StatusReport) -> Result<()> {
    for list in &report.lists {
        list_line(list, report.clock.trusted)?;
        let version = list.version.map_or_else(|| "none".to_owned(), |v| v.to_string()[..12].to_owned());
        let priority = serde_json::to_value(list.priority).unwrap_or_default();
        let priority = priority.as_str().unwrap_or_default();
        say(format_args!("    kind {}, priority {priority}, version {version}", list.kind.as_str()))?;
        if !list.counts {
            say(format_args!("    not matched now: outside its window"))?;
        }
        if list.covert {
            say(format_args!(
                "    covert: hits are kept and don't sound; only those see them to whom the list is granted by name"
            ))?;
        }
    }
    let partial = report.officers.iter().filter(|e| e.partial).count();
    let whole = report.officers.len() - partial;
    say(format_args!(
        "{:<9} officers: {}, {partial} of at most 100 partial plates",
        word(crate::store::Staleness::Fresh),
        count(whole as u64, "plate")
    ))?;
    for e in &report.officers {
        let left = e.expires.duration_since(report.at).as_secs().max(0).unsigned_abs();
        let case = if e.case.is_empty() { String::new() } else { format!(", case {}", e.case) };
        let kind = if e.partial { "partial plate" } else { "plate" };
        say(format_args!("    {:>4}  {kind} by {}, over in {}{case}", e.id, e.by, age(left)))?;
    }
    Ok(())
}
