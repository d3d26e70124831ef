//! `plated hotlist`: lists of wanted plates.

mod check;
mod detect;
mod input;
mod sync;

use crate::error::Result;
use clap::Subcommand;

/// Look after lists of wanted plates
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Detect(detect::Args),
    Check(check::Args),
    Sync(sync::Args),
}

/// Does what the subcommand says.
pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Detect(args) => detect::run(args),
        Command::Check(args) => check::run(args),
        Command::Sync(args) => sync::run(args),
    }
}
