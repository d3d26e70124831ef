//! `plated audit verify`: is every row as it was written?

use crate::cli::say;
use crate::config::Config;
use crate::store::{Key, verify_audit};
use plated_access::audit::{Report, verify_file};
use plated_core::error::{Error, Kind, Result, opened};
use plated_core::signing::Trust;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

/// Verify the audit log in the store, or an export of one
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated audit verify
  plated audit verify audit.jsonl --key vehicle.pub

Names each row that was changed, is missing, stands at another place or was cut off. Shows no row, only reads,
and may run beside the daemon. The key with which the store's log is signed is shown; put it into a file for
those who verify exports.")]
pub struct Args {
    /// An export; the log in the store when none is named
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// With an export: a file with the key by which its head must be signed; without it only the chain is
    /// verified
    #[arg(long, value_name = "FILE", requires = "file")]
    key: Option<PathBuf>,
    /// The vehicle's configuration
    #[arg(long, value_name = "FILE", default_value = "/etc/plated/plated.toml")]
    config: PathBuf,
}

/// Verifies and says what was found; [`Kind::Damaged`] when a row is not what was written.
pub fn run(args: &Args) -> Result<()> {
    match &args.file {
        Some(path) => {
            let trust = args.key.as_deref().map(Trust::load).transpose()?;
            let failed = || format!("could not open {}", path.display());
            let file = opened(File::open(path), failed)?;
            let report = verify_file(BufReader::new(file), trust.as_ref())?;
            tell("the export", &report, &[])?;
            outcome(report.is_whole())
        }
        None => {
            let config = Config::load(&args.config)?;
            let key = Key::load(&config.store)?;
            let logs = verify_audit(&config.store.path, &key)?;
            if logs.is_empty() {
                say(format_args!("Nothing is on record yet."))?;
            }
            let mut whole = true;
            for log in logs {
                whole &= log.rows.is_whole() && log.problems.is_empty();
                let ended = if log.ended { " (ended)" } else { "" };
                tell(&format!("Log {}{ended}", log.log), &log.rows, &log.problems)?;
            }
            say(format_args!("Signed by {}", hex::encode(key.audit_public_key()?)))?;
            outcome(whole)
        }
    }
}

fn tell(what: &str, report: &Report, problems: &[String]) -> Result<()> {
    say(format_args!("{what}: {report}"))?;
    report.faults.iter().try_for_each(|fault| say(format_args!("  - {fault}")))?;
    problems.iter().try_for_each(|problem| say(format_args!("  - {problem}")))
}

fn outcome(whole: bool) -> Result<()> {
    if whole {
        return Ok(());
    }
    Err(Error::new(Kind::Damaged, "the audit log is not as it was written; what is wrong is listed above"))
}
