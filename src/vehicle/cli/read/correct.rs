//! `plated read correct`: what a plate says that was misread.

use super::print;
use crate::cli::ask::{Ask, Why, print_json};
use crate::control::{Reply, Request};
use plated_core::error::Result;

/// Correct a read; what the plate says is matched at once
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated read correct 9f3a21c4 --plate 7ABC128 --reason 'the last one is an 8'
  plated read correct 9f3a21c4 --plate 7ABC128 --state NV --reason 'seen from behind' --case 26-1234

The read stays as it was made. What it is corrected to, who did that, when and why stay beside it, and
go to the station. A hit that comes of it alerts like any other.")]
pub struct Args {
    /// The end of its id, at least 6 digits, as `plated hotlist search` shows it
    #[arg(value_name = "READ")]
    read: String,
    /// What the plate says
    #[arg(long, value_name = "PLATE")]
    plate: String,
    /// Issuing state, two letters; that of the read when not given
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    #[command(flatten)]
    why: Why,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

pub fn run(args: &Args) -> Result<()> {
    let request = Request::Correct {
        read: args.read.clone(),
        plate: args.plate.clone(),
        state: args.state.clone(),
        reason: args.why.reason(),
        case: args.why.case.clone(),
    };
    args.ask.call(&request, None, &mut |reply| match reply {
        Reply::Corrected(correction) if args.json => print_json(&correction),
        Reply::Corrected(correction) => print(&correction),
        _ => Ok(()),
    })
}
