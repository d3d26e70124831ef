//! `plated audit show`: the newest rows.

use crate::cli::ask::{Ask, Why, local, print_json};
use crate::cli::say;
use crate::control::{Reply, Request};
use plated_access::Outcome;
use plated_access::audit::Entry;
use plated_core::error::Result;
use serde_json::json;

/// Show the newest rows of the audit log
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated audit show --reason 'weekly review'
  plated audit show --last 1000 --json --reason 'complaint 26-17'

The look is itself on record before anything is shown.")]
pub struct Args {
    #[command(flatten)]
    why: Why,
    /// How many rows
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    last: u64,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

pub fn run(args: &Args) -> Result<()> {
    let request = Request::ShowAudit { last: args.last, reason: args.why.reason(), case: args.why.case.clone() };
    args.ask.call(&request, None, &mut |reply| match reply {
        Reply::AuditRow { number, entry } if args.json => print_json(&json!({"number": number, "entry": entry})),
        Reply::AuditRow { number, entry } => print(number, &entry),
        _ => Ok(()),
    })
}

fn print(number: i64, entry: &Entry) -> Result<()> {
    let mut parts: Vec<String> = entry.elements.iter().map(|(name, value)| format!("{name} {value}")).collect();
    parts.extend(entry.rows.map(|rows| format!("rows {rows}")));
    parts.extend(entry.purpose.iter().map(|purpose| format!("purpose {purpose}")));
    parts.extend(entry.case.iter().map(|case| format!("case {case}")));
    let refused = if entry.outcome == Outcome::Refused { " REFUSED" } else { "" };
    let doubt = if entry.clock_trusted { "" } else { " (clock not trusted)" };
    let (at, who, action, reason) = (local(entry.at), &entry.actor.name, &entry.action, &entry.reason);
    say(format_args!("{number:>6}  {at}{doubt}  {who}  {action}{refused}  \"{reason}\"  {}", parts.join(", ")))
}
