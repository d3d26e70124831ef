//! `plated hotlist import`: bring a file into force.

use crate::cli::ask;
use crate::cli::ask::{Ask, print_json};
use crate::cli::say;
use crate::control::{Reply, Request};
use crate::store::Reason;
use jiff::Timestamp;
use plated_core::error::{Error, Kind, Result, opened};
use plated_core::text::entries;
use serde_json::json;
use std::path::PathBuf;

/// Bring a file into force in place of a list's present version
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated hotlist import svs.csv --list svs
  plated hotlist import svs.csv --list svs --force --reason 'purge at the source, told by phone'

The list must stand in [[hotlists]] of the configuration. A file that is refused leaves the list in
force. Who imported or forced it, when and why, is on record.")]
pub struct Args {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name of the list
    #[arg(long, value_name = "NAME")]
    list: String,
    /// Take it even where its checks say no; needs --reason
    #[arg(long, requires = "reason")]
    force: bool,
    /// Why
    #[arg(long, value_name = "TEXT", value_parser = ask::reason)]
    reason: Option<Reason>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

pub fn run(args: &Args) -> Result<()> {
    let metadata = opened(std::fs::metadata(&args.file), || format!("could not open {}", args.file.display()))?;
    let name = args.file.file_name().and_then(|n| n.to_str());
    let Some(name) = name.filter(|_| metadata.is_file()) else {
        return Err(Error::new(Kind::Config, format!("{} is no file", args.file.display())));
    };
    let reason = args.reason.clone().map_or_else(|| Reason::new("imported by hand"), Ok)?;
    let request = Request::Import {
        list: args.list.clone(),
        file: name.to_owned(),
        bytes: metadata.len(),
        modified: metadata.modified().ok().and_then(|t| Timestamp::try_from(t).ok()),
        force: args.force,
        reason,
    };
    args.ask.call(&request, Some(&args.file), &mut |reply| {
        let Reply::Imported(import) = reply else { return Ok(()) };
        if args.json {
            return print_json(&json!({ "imported": import }));
        }
        if import.unchanged {
            return say(format_args!("{}: this file is in force already, {}", import.list, entries(import.entries)));
        }
        for past in &import.forced {
            say(format_args!("{}: FORCED: {past}", import.list))?;
        }
        say(format_args!("{}: in force. {}", import.list, import.report))
    })
}
