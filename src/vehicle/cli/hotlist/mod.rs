//! `plated hotlist`: lists of wanted plates.

mod add;
mod check;
mod detect;
mod export;
mod import;
mod input;
mod remove;
mod search;
mod show;
mod stats;
mod sync;

use clap::Subcommand;
use plated_core::error::Result;

/// Lists of wanted plates: import, look up, enter, remove, fetch
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
    Import(import::Args),
    Show(show::Args),
    Stats(stats::Args),
    Add(add::Args),
    Remove(remove::Args),
    Search(search::Args),
    Export(export::Args),
    Sync(sync::Args),
}

/// Does what the subcommand says.
pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Detect(args) => detect::run(args),
        Command::Check(args) => check::run(args),
        Command::Import(args) => import::run(args),
        Command::Show(args) => show::run(args),
        Command::Stats(args) => stats::run(args),
        Command::Add(args) => add::run(args),
        Command::Remove(args) => remove::run(args),
        Command::Search(args) => search::run(args),
        Command::Export(args) => export::run(args),
        Command::Sync(args) => sync::run(args),
    }
}
