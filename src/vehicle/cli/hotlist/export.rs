//! `plated hotlist export`: a list in canonical form.

use crate::cli::ask::{Ask, Why};
use crate::cli::say_json;
use crate::control::{Reply, Request};
use plated_core::error::Result;

/// Print a list in force as JSON lines, sorted
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated hotlist export --list svs --reason 'publish at the station' > svs.jsonl
  plated hotlist export --list officers --reason 'hand over to the next shift'

The export is on record before anything is printed.")]
pub struct Args {
    /// Name of the list; `officers` is what officers entered
    #[arg(long, value_name = "NAME")]
    list: String,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    ask: Ask,
}

pub fn run(args: &Args) -> Result<()> {
    let request = Request::Export { list: args.list.clone(), reason: args.why.reason(), case: args.why.case.clone() };
    args.ask.call(&request, None, &mut |reply| match reply {
        Reply::Line(line) => say_json(&line),
        _ => Ok(()),
    })
}
