//! `plated read`: reads, and what officers correct of them.

mod correct;
mod corrections;

use crate::cli::ask::local;
use crate::cli::say;
use clap::Subcommand;
use plated_core::error::Result;
use plated_core::officers::{Correction, Reading};
use plated_core::plate::PlateText;

/// Reads: correct one that was misread, list corrections
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Correct(correct::Args),
    Corrections(corrections::Args),
}

/// Does what the subcommand says.
pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Correct(args) => correct::run(args),
        Command::Corrections(args) => corrections::run(args),
    }
}

/// A correction in one line, and a line for each of its hits.
fn print(correction: &Correction) -> Result<()> {
    let Correction { at, read, original, corrected, by, reason, hits, .. } = correction;
    let case = if correction.case.is_empty() { String::new() } else { format!(", case {}", correction.case) };
    let (original, corrected, at) = (plate(original), plate(corrected), local(*at));
    say(format_args!("{at}  {read}  read {original}, is {corrected}  ({by}: {reason}{case})"))?;
    hits.iter().try_for_each(|hit| say(format_args!("  {}  {}", hit.short(), crate::cli::hit::line(hit, "unverified"))))
}

fn plate(Reading { text, state }: &Reading) -> String {
    let state = if state.is_empty() { "--" } else { state };
    format!("{} {state}", PlateText::normalise(text).display())
}
