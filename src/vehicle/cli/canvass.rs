//! `plated canvass`: reads that are made for an incident.

use crate::cli::ask;
use crate::cli::ask::{Ask, local, print_json};
use crate::cli::say;
use crate::control::{Reply, Request};
use crate::store::{Canvass, Reason};
use clap::Subcommand;
use plated_core::error::Result;

/// Canvass for an incident: reads made meanwhile carry its number
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Start(Start),
    End(End),
    List(List),
}

/// Start a canvass
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated canvass start 26-1234 --reason 'homicide at 5th and Main'

Reads that are made until `plated canvass end` carry the number. They go to the station before other
reads without a hit, and `plated hotlist search --canvass 26-1234` finds them. One canvass can be open.
It stays open when the computer starts anew.")]
struct Start {
    /// Number of the incident
    #[arg(value_name = "NUMBER")]
    incident: String,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = ask::reason)]
    reason: Reason,
    #[command(flatten)]
    out: Out,
}

/// End the canvass that is open
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated canvass end
  plated canvass end --reason 'suspect found'")]
struct End {
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = ask::reason)]
    reason: Option<Reason>,
    #[command(flatten)]
    out: Out,
}

/// List canvasses, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated canvass list
  plated canvass list --json

At most 100. `plated hotlist search --canvass NUMBER` shows the reads of one.")]
struct List {
    #[command(flatten)]
    out: Out,
}

#[derive(Debug, clap::Args)]
struct Out {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

/// Does what the subcommand says.
pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Start(Start { incident, reason, out }) => {
            let (incident, reason) = (incident.clone(), reason.clone());
            ask(out, &Request::StartCanvass { incident, reason }).map(drop)
        }
        Command::End(End { reason, out }) => {
            let reason = reason.clone().map_or_else(|| Reason::new("the canvass is over"), Ok)?;
            ask(out, &Request::EndCanvass { reason }).map(drop)
        }
        Command::List(List { out }) => match ask(out, &Request::Canvasses)? {
            _ if out.json => Ok(()),
            1 => say(format_args!("1 canvass")),
            n => say(format_args!("{n} canvasses")),
        },
    }
}

/// Prints each answer, and says how many there were.
fn ask(out: &Out, request: &Request) -> Result<u64> {
    let mut canvasses = 0;
    out.ask.call(request, None, &mut |reply| match reply {
        Reply::Canvass(canvass) => {
            canvasses += 1;
            if out.json { print_json(&canvass) } else { print(&canvass) }
        }
        _ => Ok(()),
    })?;
    Ok(canvasses)
}

fn print(Canvass { id, incident, reason, started, by, ended, ended_by }: &Canvass) -> Result<()> {
    let end = match (ended, ended_by) {
        (Some(at), Some(by)) => format!("ended {} by {by}", local(*at)),
        _ => "open".to_owned(),
    };
    say(format_args!("{id:>4}  {incident}  started {} by {by}, {end}  ({reason})", local(*started)))
}
