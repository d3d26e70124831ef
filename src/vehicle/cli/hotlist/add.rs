//! `plated hotlist add`: enter a plate or a partial one.

use crate::cli::ask;
use crate::cli::ask::{Ask, Why, print_json, priority};
use crate::cli::say;
use crate::control::{Expires, Reply, Request};
use crate::store::ManualEntry;
use plated_core::error::Result;
use plated_core::record::Priority;
use plated_core::text::count;
use serde_json::json;

/// Enter a plate or partial plate; it is matched at once
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated hotlist add 7ABC123 --state CA --reason 'BOLO, robbery at 5th and Main' --case 26-1234
  plated hotlist add '7A?C*' --reason 'witness saw a part of the plate' --expires 4h --search-back 24h

? is one character, * any run of them. At most 100 partial plates can be in force. The entry is
over at the end of the shift (shift.hours in the configuration) unless --expires says otherwise.
Who entered it, when and why, is on record.")]
pub struct Args {
    /// The plate
    #[arg(value_name = "PLATE|PATTERN")]
    plate: String,
    #[command(flatten)]
    why: Why,
    /// Issuing state, two letters
    #[arg(long, value_name = "STATE", default_value = "")]
    state: String,
    /// Category, e.g. stolen_vehicle
    #[arg(long, value_name = "WORD", default_value = "bolo")]
    category: String,
    /// low, normal or high
    #[arg(long, value_name = "WORD", default_value = "high", value_parser = priority)]
    priority: Priority,
    /// When it is over: after 90m, 8h, 2d or "1d 12h"; or at 2026-11-21T22:00:00-08:00 or, by the clock
    /// here, "11/21/2026 22:00" or "11/21/2026 10:00 PM"; 11/21/2026 is the end of that day
    #[arg(long, value_name = "WHEN", value_parser = ask::expiry)]
    expires: Option<Expires>,
    /// Search the reads already made, this far back, and print those that fit
    #[arg(long, value_name = "SPAN", value_parser = ask::span, num_args = 0..=1, default_missing_value = "24h")]
    search_back: Option<u64>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

pub fn run(args: &Args) -> Result<()> {
    let request = Request::Add {
        plate: args.plate.clone(),
        state: args.state.to_ascii_uppercase(),
        category: args.category.clone(),
        priority: args.priority,
        reason: args.why.reason(),
        case: args.why.case.clone(),
        expires: args.expires,
        search_back: args.search_back,
    };
    let mut reads = 0;
    args.ask.call(&request, None, &mut |reply| match reply {
        Reply::Added(entry) if args.json => print_json(&json!({ "added": entry })),
        Reply::Added(ManualEntry { id, entry, partial, .. }) => {
            let what = if partial { "Partial plate" } else { "Plate" };
            say(format_args!("{what} {} entered as {id}, until {}", entry.plate, ask::local(entry.expires)))
        }
        Reply::Read(read) => {
            reads += 1;
            ask::found(&read, args.json)
        }
        _ => Ok(()),
    })?;
    match args.search_back {
        Some(_) if !args.json => say(format_args!("{} already made", count(reads, "fitting read"))),
        _ => Ok(()),
    }
}
