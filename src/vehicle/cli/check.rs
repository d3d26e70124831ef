//! `plated check`: is the store whole, and do the models work on this processor?

use super::say;
use crate::config::Config;
use crate::store;
use crate::store::{Key, Report};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::count;
use plated_vision::recognition::Models;
use std::path::PathBuf;

/// Checks the vehicle's store and its models; only reads, also beside a running daemon.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The vehicle's configuration.
    #[arg(long, value_name = "FILE", default_value = "/etc/plated/plated.toml")]
    pub config: PathBuf,
}

/// Checks and prints what was checked; [`Kind::Damaged`] when something is wrong.
pub fn run(args: &Args) -> Result<()> {
    let config = Config::load(&args.config)?;
    let key = Key::load(&config.store)?;
    let report = store::check(&config.store.path, &key)?;
    print(&report)?;
    let models = Models::find(&config.recognition);
    print_models(&models)?;
    match report.problems() {
        0 => models.map(drop),
        n => {
            let text = format!("the store {} has {}, listed above", report.path.display(), count(n, "problem"));
            Err(Error::new(Kind::Damaged, text))
        }
    }
}

/// What the self-test of the models found.
fn print_models(models: &Result<Models>) -> Result<()> {
    say(format_args!("Models"))?;
    match models {
        Ok(models) => {
            for (role, (path, version)) in [("detector", models.detector()), ("reader", models.reader())] {
                say(format_args!("{role:>9}  {}, version {version}: ok", path.display()))?;
            }
            match models.vehicle() {
                Some(Ok((path, version))) => {
                    say(format_args!("{:>9}  {}, version {version}: ok", "vehicle", path.display()))?;
                }
                Some(Err(why)) => say(format_args!("{:>9}  not used: {why}", "vehicle"))?,
                None => {}
            }
            models.reader_instead().map_or(Ok(()), |why| say(format_args!("           - {why}")))
        }
        Err(error) => {
            say(format_args!("           WRONG"))?;
            say(format_args!("           - {}", error.chain()))
        }
    }
}

fn print(report: &Report) -> Result<()> {
    say(format_args!("Store {}", report.path.display()))?;
    for c in &report.checked {
        let verdict = if c.wrong == 0 { "ok".to_owned() } else { format!("{} WRONG", c.wrong) };
        say(format_args!("{:>9}  {}: {verdict}", c.count, c.what))?;
        for problem in &c.problems {
            say(format_args!("           - {problem}"))?;
        }
        let more = c.wrong - c.problems.len() as u64;
        if more > 0 {
            say(format_args!("           - and {more} more"))?;
        }
    }
    if report.beside_daemon {
        say(format_args!("The daemon is running: pages that hold nothing at present were not looked at."))?;
    }
    Ok(())
}
