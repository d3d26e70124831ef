//! `plated store`: what an administrator does with the store itself.

use super::say;
use crate::config::Config;
use crate::store::{Key, Options, Store};
use plated_core::clock::SystemClock;
use plated_core::error::{Error, Kind, Result};
use std::path::PathBuf;
use std::sync::Arc;

/// Bring over what a damaged store still holds
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Salvage(SalvageArgs),
}

/// Bring what can still be read of a store that was set aside into the store
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated store salvage
  plated store salvage /var/lib/plated/store.db.damaged-20261126T081500Z

The daemon does this by itself for each store that it sets aside. By hand it needs the daemon to be
stopped. Every read that the station does not hold comes over, with its pictures, if all of it is
exactly what was written, and goes to the station in its turn; so do entries, findings and events.
The damaged file is left as it is. Only counts are shown.")]
struct SalvageArgs {
    /// The vehicle's configuration
    #[arg(long, value_name = "FILE", default_value = "/etc/plated/plated.toml")]
    config: PathBuf,
    /// Stores that were set aside; all that lie beside the store when none is named
    #[arg(value_name = "STORE")]
    stores: Vec<PathBuf>,
}

pub fn run(args: &Args) -> Result<()> {
    let Command::Salvage(args) = &args.command;
    let config = Config::load(&args.config)?;
    let key = Key::load(&config.store)?;
    if let Some(missing) = args.stores.iter().find(|path| !path.is_file()) {
        return Err(Error::new(Kind::NotFound, format!("there is no store at {}", missing.display())));
    }
    let (store, opened) = Store::open(Options::from(&config), &key, Arc::new(SystemClock::new()))?;
    let stores = if args.stores.is_empty() { &opened.damaged } else { &args.stores };
    if stores.is_empty() {
        say(format_args!("No store was set aside beside {}.", config.store.path.display()))?;
    }
    for path in stores {
        let salvaged = store.salvage(path)?;
        say(format_args!("{}: {salvaged}.", path.display()))?;
    }
    store.close()
}
