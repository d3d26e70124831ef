//! `plated finding`: "not this vehicle", proposed by an officer and approved by a supervisor.

use crate::cli::ask;
use crate::cli::ask::{Ask, Why, local, print_json};
use crate::cli::say;
use crate::control::{Expires, Reply, Request};
use crate::store::KeptFinding;
use clap::Subcommand;
use plated_core::error::Result;
use plated_core::plate::PlateText;

/// Findings that a plate is not the vehicle that an entry wants
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Propose(Propose),
    Approve(Approve),
    Withdraw(Withdraw),
    List(List),
}

/// Propose that the plate of a hit is not the wanted vehicle
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated finding propose 9f3a21c4 --until 90d --reason 'same plate of Nevada, owner identified'
  plated finding propose 9f3a21c4 --entry 2 --until 6/1/2026 --reason 'recovered, entry not cleared' --case 26-1234

It is in force once a supervisor has approved it, for that plate and each entry of the hit as it is now:
another entry of the plate, or a changed one, alerts. Hits of it are still kept and shown.")]
struct Propose {
    /// The end of its id, at least 6 digits, as `plated run` and `plated hit list` show it
    #[arg(value_name = "HIT")]
    hit: String,
    /// Only this entry of the hit, counted from 1 as `plated hit list --json` shows them
    #[arg(long, value_name = "N")]
    entry: Option<usize>,
    /// From when on the entry alerts again: 30d, or a time such as "11/21/2026 22:00"; within two years
    #[arg(long, value_name = "WHEN", value_parser = ask::expiry)]
    until: Expires,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    out: Out,
}

/// Approve a finding; it is in force at once
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated finding approve 3 --reason 'seen the registration'

A supervisor does that, and another person than the one who proposed it.")]
struct Approve {
    /// Its number, as `plated finding list` shows it
    #[arg(value_name = "NUMBER")]
    number: i64,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    out: Out,
}

/// End a finding; the entry alerts again at once
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated finding withdraw 3 --reason 'plates were swapped'")]
struct Withdraw {
    /// Its number, as `plated finding list` shows it
    #[arg(value_name = "NUMBER")]
    number: i64,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    out: Out,
}

/// List findings, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated finding list --reason 'what waits for approval'
  plated finding list --reason 'weekly review' --json

The look is on record before anything is shown.")]
struct List {
    #[command(flatten)]
    why: Why,
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
    let (request, out) = match &args.command {
        Command::Propose(Propose { hit, entry, until, why, out }) => {
            let (hit, reason, case) = (hit.clone(), why.reason(), why.case.clone());
            (Request::ProposeFinding { hit, entry: *entry, until: *until, reason, case }, out)
        }
        Command::Approve(Approve { number, why, out }) => {
            let (reason, case) = (why.reason(), why.case.clone());
            (Request::ApproveFinding { number: *number, reason, case }, out)
        }
        Command::Withdraw(Withdraw { number, why, out }) => {
            let (reason, case) = (why.reason(), why.case.clone());
            (Request::WithdrawFinding { number: *number, reason, case }, out)
        }
        Command::List(List { why, out }) => (Request::Findings { reason: why.reason(), case: why.case.clone() }, out),
    };
    out.ask.call(&request, None, &mut |reply| match reply {
        Reply::Finding(kept) if out.json => print_json(&kept),
        Reply::Finding(kept) => print(&kept),
        _ => Ok(()),
    })
}

fn print(KeptFinding { number, finding }: &KeptFinding) -> Result<()> {
    let (plate, entry) = (PlateText::normalise(&finding.plate), &finding.entry);
    let state = if finding.state.is_empty() { "--" } else { &finding.state };
    let standing = match (&finding.withdrawn, &finding.approved) {
        (Some(by), _) => format!("withdrawn by {} {}", by.by, local(by.at)),
        (None, Some(by)) => format!("approved by {}, until {}", by.by, local(finding.until)),
        (None, None) => format!("waits for a supervisor, until {}", local(finding.until)),
    };
    say(format_args!(
        "{number:>4}  {} {state} is not {} {} [{} {}]  {standing}  ({} {}: {})",
        plate.display(),
        entry.plate,
        entry.state,
        entry.list,
        entry.category,
        finding.proposed.by,
        local(finding.proposed.at),
        finding.proposed.reason,
    ))
}
