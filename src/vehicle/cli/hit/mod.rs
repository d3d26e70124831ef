//! `plated hit`: what reads hit, and what officers found about it.

mod disposition;
mod line;
mod list;

pub use line::line;

use clap::Subcommand;
use plated_core::error::Result;

/// Hits: list them, say what they were
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Disposition(disposition::Args),
}

/// Does what the subcommand says.
pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::List(args) => list::run(args),
        Command::Disposition(args) => disposition::run(args),
    }
}
