//! `plated read corrections`: reads that were corrected.

use super::print;
use crate::cli::ask;
use crate::cli::ask::{Ask, Why, print_json};
use crate::cli::say;
use crate::control::{Reply, Request};
use plated_core::error::Result;
use plated_core::text::count;

/// List corrections, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated read corrections --reason 'end of shift'
  plated read corrections --since 7d --reason 'misreads of the week' --json

At most 1000. The look is on record before anything is shown.")]
pub struct Args {
    #[command(flatten)]
    why: Why,
    /// How far back
    #[arg(long, value_name = "SPAN", value_parser = ask::span, default_value = "24h")]
    since: u64,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

pub fn run(args: &Args) -> Result<()> {
    let request = Request::Corrections { window: args.since, reason: args.why.reason(), case: args.why.case.clone() };
    let mut corrections = 0;
    args.ask.call(&request, None, &mut |reply| match reply {
        Reply::Correction(correction) => {
            corrections += 1;
            if args.json { print_json(&correction) } else { print(&correction) }
        }
        _ => Ok(()),
    })?;
    if args.json { Ok(()) } else { say(format_args!("{}", count(corrections, "correction"))) }
}
