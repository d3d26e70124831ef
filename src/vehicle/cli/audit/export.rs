//! `plated audit export`: a log as JSON lines that anybody can verify.

use crate::cli::ask::{Ask, Why};
use crate::cli::say_json;
use crate::control::{Reply, Request};
use plated_core::error::Result;
use uuid::Uuid;

/// Write the audit log out, whole or to be published
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated audit export --reason 'yearly audit' > audit.jsonl
  plated audit export --redacted --reason 'published report' > published.jsonl
  plated audit verify published.jsonl --key vehicle.pub

Whole, it names plates and people. Redacted, plates, names, reasons and case numbers are keyed hashes: equal
values are equal in one export, its key is thrown away, and it can still be verified. The export is itself
on record before anything is written.")]
pub struct Args {
    #[command(flatten)]
    why: Why,
    /// Without plates, names, reasons and case numbers
    #[arg(long)]
    redacted: bool,
    /// Another log than that of this store, by the id that `plated audit verify` shows
    #[arg(long, value_name = "ID")]
    log: Option<Uuid>,
    #[command(flatten)]
    ask: Ask,
}

pub fn run(args: &Args) -> Result<()> {
    let request = Request::ExportAudit {
        redacted: args.redacted,
        log: args.log,
        reason: args.why.reason(),
        case: args.why.case.clone(),
    };
    args.ask.call(&request, None, &mut |reply| match reply {
        Reply::Line(line) => say_json(&line),
        _ => Ok(()),
    })
}
