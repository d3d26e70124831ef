//! `plated hotlist remove`: take out what an officer entered.

use crate::cli::ask;
use crate::cli::ask::Ask;
use crate::cli::say;
use crate::control::{Reply, Request};
use crate::store::Reason;
use plated_core::error::Result;

/// Take an entered plate out of force
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated hotlist remove 7 --reason 'vehicle found'

`plated hotlist stats` lists the numbers. Who removed it, when and why, is on record.")]
pub struct Args {
    /// Its number
    #[arg(value_name = "ID")]
    id: i64,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = ask::reason)]
    reason: Reason,
    #[command(flatten)]
    ask: Ask,
}

pub fn run(args: &Args) -> Result<()> {
    let request = Request::Remove { id: args.id, reason: args.reason.clone() };
    args.ask.call(&request, None, &mut |reply| match reply {
        Reply::Removed(entry) => say(format_args!("Entry {} is out of force", entry.id)),
        _ => Ok(()),
    })
}
