//! `plated hotlist detect`: which format a file has, and why.

use super::input::{self, Packed};
use crate::cli::{say, say_json};
use plated_core::error::Result;
use plated_hotlist::format::Choice;
use serde_json::json;
use std::path::PathBuf;

/// Tell the format of a list, and why it is this one
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated hotlist detect svs.tbl
  plated hotlist detect --json VEHEXTRT.txt

Looks at the name and the first 64 KiB. Exit code 65 when no known format fits; then the closest
ones are named, and why they do not fit.")]
pub struct Args {
    /// The list
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    packed: Packed,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let detected = input::read_as(&args.file, &Choice::Detect, &args.packed, |detected, _| Ok(detected))?;
    let (file, format) = (args.file.display(), detected.spec.to_string());
    if args.json {
        let line = json!({ "file": file.to_string(), "format": format, "why": detected.why });
        return say_json(&line.to_string());
    }
    say(format_args!("{file}: {format}"))?;
    detected.why.iter().try_for_each(|why| say(format_args!("  - {why}")))
}
