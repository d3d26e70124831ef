//! `plated check`: is the store whole, and do the models work on this processor?

use crate::config::Config;
use crate::store;
use crate::store::{Key, Report};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::{count, visible};
use plated_vision::recognition::Models;
use std::io::Write;
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
    let unwritten = || "could not write the report to the standard output".to_owned();
    print(&report, &mut std::io::stdout().lock()).context(Kind::Storage, unwritten)?;
    let models = Models::find(&config.recognition);
    print_models(&models, &mut std::io::stdout().lock()).context(Kind::Storage, unwritten)?;
    match report.problems() {
        0 => models.map(drop),
        n => {
            let text = format!("the store {} has {}, listed above", report.path.display(), count(n, "problem"));
            Err(Error::new(Kind::Damaged, text))
        }
    }
}

/// What the self-test of the models found.
fn print_models(models: &Result<Models>, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "Models")?;
    match models {
        Ok(models) => {
            for (role, (path, version)) in [("detector", models.detector()), ("reader", models.reader())] {
                writeln!(out, "{role:>9}  {}, version {}: ok", visible(path), visible(version))?;
            }
            models.reader_instead().map_or(Ok(()), |why| writeln!(out, "           - {why}"))
        }
        Err(error) => writeln!(out, "           WRONG\n           - {}", error.chain()),
    }
}

fn print(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "Store {}", report.path.display())?;
    for c in &report.checked {
        let verdict = if c.wrong == 0 { "ok".to_owned() } else { format!("{} WRONG", c.wrong) };
        writeln!(out, "{:>9}  {}: {verdict}", c.count, c.what)?;
        for problem in &c.problems {
            writeln!(out, "           - {problem}")?;
        }
        let more = c.wrong - c.problems.len() as u64;
        if more > 0 {
            writeln!(out, "           - and {more} more")?;
        }
    }
    if report.beside_daemon {
        writeln!(out, "The daemon is running: pages that hold nothing at present were not looked at.")?;
    }
    Ok(())
}
