//! `plated check`: is the store whole?

use crate::config::Config;
use crate::store;
use crate::store::{Key, Report};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::count;
use std::io::Write;
use std::path::PathBuf;

/// Checks the vehicle's store; only reads, also beside a running daemon.
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
    print(&report, &mut std::io::stdout().lock())
        .context(Kind::Storage, || "could not write the report to the standard output".into())?;
    match report.problems() {
        0 => Ok(()),
        n => {
            let said = format!("the store {} has {}, listed above", report.path.display(), count(n, "problem"));
            Err(Error::new(Kind::Damaged, said))
        }
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
