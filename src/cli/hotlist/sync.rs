//! `plated hotlist sync`: one round with the station, now.

use crate::cli::say;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon;
use crate::error::{Context, Error, Kind, Result};
use crate::hotlist::sync::{Outcome, Round, Sync, Way};
use crate::signing::Trust;
use crate::transfer::HttpsLink;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

/// Fetch what is new of the station's lists, now
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated hotlist sync --config /etc/plated/plated.toml
  plated hotlist sync --json

The daemon does the same by itself every hotlist_sync.interval_s seconds; this does not wait for
it. Exits with 0 when every list is the newest, and otherwise says what failed; the lists that are
there stay in force.")]
pub struct Args {
    /// The vehicle's configuration
    #[arg(long, value_name = "FILE", default_value = "/etc/plated/plated.toml")]
    config: PathBuf,
    /// Print one JSON object per list
    #[arg(long)]
    json: bool,
}

/// Fetches and says what changed.
///
/// # Errors
/// The first failure, after every list was tried.
pub fn run(args: &Args) -> Result<()> {
    let config = Config::load(&args.config)?;
    let (Some(sync), Some(transfer)) = (&config.hotlist_sync, &config.transfer) else {
        let said = format!("{}: there is no [hotlist_sync], so no lists come from the station", args.config.display());
        return Err(Error::new(Kind::Config, said));
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let link = HttpsLink::new(&config.vehicle, transfer, clock.clone())?;
    let trust = Trust::load(&sync.key)?;
    let mut sync = Sync::new(link, config.hotlist_folder(), trust, clock, Arc::new(daemon::hotlists::accept));
    let round = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context(Kind::Internal, || "could not start the runtime".into())?
        .block_on(sync.round());
    for (name, outcome) in &round.lists {
        match args.json {
            true => say(format_args!("{}", as_json(name, outcome)))?,
            false => say(format_args!("{name}: {}", as_text(outcome)))?,
        }
    }
    if round.lists.is_empty() && round.error.is_none() && !args.json {
        say(format_args!("the station hands out no lists"))?;
    }
    ended(round)
}

fn as_text(outcome: &Result<Outcome>) -> String {
    match outcome {
        Ok(Outcome::Unchanged) => "is the newest".into(),
        Ok(Outcome::Changed { version, way, bytes, said }) => {
            format!("version {version}, {} ({bytes} bytes received): {said}", as_word(*way))
        }
        Ok(Outcome::Withdrawn) => "was withdrawn by the station".into(),
        Err(e) => format!("failed; the list before stays in force: {}", e.chain()),
    }
}

fn as_word(way: Way) -> &'static str {
    match way {
        Way::Whole => "whole",
        Way::Delta => "as a delta",
        Way::Held => "already here",
    }
}

fn as_json(name: &str, outcome: &Result<Outcome>) -> Value {
    match outcome {
        Ok(Outcome::Unchanged) => json!({"list": name, "outcome": "unchanged"}),
        Ok(Outcome::Changed { version, way, bytes, said }) => {
            let way = format!("{way:?}").to_lowercase();
            json!({"list": name, "outcome": "changed", "version": version, "way": way, "bytes": bytes, "said": said})
        }
        Ok(Outcome::Withdrawn) => json!({"list": name, "outcome": "withdrawn"}),
        Err(e) => json!({"list": name, "outcome": "failed", "error": e.chain()}),
    }
}

fn ended(round: Round) -> Result<()> {
    if let Some(e) = round.error {
        return Err(e);
    }
    let of = round.lists.len();
    let failed: Vec<_> = round.lists.into_iter().filter_map(|(name, o)| o.err().map(|e| (name, e))).collect();
    match failed.first() {
        None => Ok(()),
        Some((name, e)) => Err(Error::new(
            e.kind(),
            format!("{} of {of} lists are not brought up to date; the first, {name}: {}", failed.len(), e.chain()),
        )),
    }
}
