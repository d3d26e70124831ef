//! `plated hotlist sync`: one round with the station, now.

use crate::cli::ask::{Ask, print_json};
use crate::cli::say;
use crate::control::{Reply, Request};
use crate::lists::{Outcome, Way};
use plated_core::error::Result;
use serde_json::{Value, json};

/// Fetch what is new of the station's lists and bring it into force, now
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated hotlist sync --config /etc/plated/plated.toml
  plated hotlist sync --json

The daemon does the same by itself every hotlist_sync.interval_s seconds. Where it runs, it is
asked to; otherwise the lists are in force when it starts. Exits with 0 when nothing failed or
was refused, and otherwise says what and why; what was in force stays so. A list that was
imported by hand since stays until the station publishes its next version.")]
pub struct Args {
    /// Print one JSON object per list
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

/// Has a round done, and says what changed.
///
/// # Errors
/// The first failure or refusal, after every list was tried.
pub fn run(args: &Args) -> Result<()> {
    let mut lists = 0;
    args.ask.call(&Request::Sync, None, &mut |reply| {
        let Reply::Synced { list, outcome } = reply else { return Ok(()) };
        lists += 1;
        match args.json {
            true => print_json(&as_json(&list, &outcome)),
            false => say(format_args!("{list}: {}", as_text(&outcome))),
        }
    })?;
    if lists == 0 && !args.json {
        say(format_args!("the station hands out no lists"))?;
    }
    Ok(())
}

fn as_text(outcome: &Result<Outcome, String>) -> String {
    match outcome {
        Ok(Outcome::Unchanged) => "is the newest".into(),
        Ok(Outcome::Changed { version, way, bytes, message }) => {
            format!("version {version}, {} ({bytes} bytes received), is in force: {message}", as_word(*way))
        }
        Ok(Outcome::Withdrawn) => "was withdrawn by the station".into(),
        Err(message) => format!("failed; the list before stays in force: {message}"),
    }
}

fn as_word(way: Way) -> &'static str {
    match way {
        Way::Whole => "whole",
        Way::Delta => "as a delta",
        Way::Held => "already here",
    }
}

fn as_json(list: &str, outcome: &Result<Outcome, String>) -> Value {
    match outcome {
        Ok(Outcome::Unchanged) => json!({"list": list, "outcome": "unchanged"}),
        Ok(Outcome::Changed { version, way, bytes, message }) => {
            json!({"list": list, "outcome": "changed", "version": version, "way": way, "bytes": bytes, "message": message})
        }
        Ok(Outcome::Withdrawn) => json!({"list": list, "outcome": "withdrawn"}),
        Err(message) => json!({"list": list, "outcome": "failed", "error": message}),
    }
}
