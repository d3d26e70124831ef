//! `plated hit list`: hits of the last hours.

use super::line::line;
use crate::cli::ask;
use crate::cli::ask::{Ask, Why, local, print_json, tell_left_out};
use crate::cli::say;
use crate::control::{Reply, Request};
use crate::store::{Finding, KeptHit};
use plated_core::error::Result;
use plated_core::text::count;
use serde_json::json;

/// List hits, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated hit list --reason 'end of shift'
  plated hit list --since 24h --reason 'stolen vehicle report' --case 26-1234 --json

Each with the end of its id, by which `plated hit disposition` names it. A hit is unverified until
somebody has put down what it was. Hits of covert lists are not shown. The look is on record before
anything is shown.")]
pub struct Args {
    #[command(flatten)]
    why: Why,
    /// How far back
    #[arg(long, value_name = "SPAN", value_parser = ask::span, default_value = "12h")]
    since: u64,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

pub fn run(args: &Args) -> Result<()> {
    let request = Request::Hits { window: args.since, reason: args.why.reason(), case: args.why.case.clone() };
    let (mut hits, mut open) = (0, 0);
    args.ask.call(&request, None, &mut |reply| match reply {
        Reply::Hit(kept) => {
            hits += 1;
            open += u32::from(kept.disposition.is_none());
            if args.json { print_json(&kept) } else { print(&kept) }
        }
        Reply::Concealed { hits } => match args.json {
            true => print_json(&json!({"concealed": {"hits": hits}})),
            false => say(format_args!("{} more, of lists that you are not authorised for", count(hits, "hit"))),
        },
        Reply::LeftOut { list, why } => tell_left_out(args.json, &list, &why),
        _ => Ok(()),
    })?;
    if args.json { Ok(()) } else { say(format_args!("{}, {open} without a disposition", count(hits, "hit"))) }
}

fn print(kept: &KeptHit) -> Result<()> {
    let verdict = match &kept.disposition {
        Some(d) if d.finding == Finding::Dismissed => format!("unverified, dismissed by {}", d.by),
        Some(d) => format!("{} ({}, {})", super::disposition::word(d.finding), d.by, local(d.at)),
        None => "unverified".to_owned(),
    };
    let (at, hit) = (local(kept.hit.at), &kept.hit);
    say(format_args!("{at}  {}  {}", hit.short(), line(hit, &verdict)))
}
