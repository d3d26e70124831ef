//! `plated-station hotlist`: what vehicles are to have.

use super::super::command::print;
use super::super::{ArchiveKey, Database, StationConfig};
use super::publish::{Publication, Publisher};
use super::table::HotlistVersion;
use clap::Subcommand;
use jiff::Timestamp;
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Error, Kind, Result, opened};
use plated_core::signing::Signer;
use plated_core::text::{count, entries, visible};
use plated_core::user::SystemUser;
use plated_hotlist::format::open_plain;
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// What vehicles are to have
#[derive(Debug, Subcommand)]
pub enum HotlistCommand {
    /// Publish a version of a list; vehicles take it at their next round
    #[command(after_help = "Examples:
  plated hotlist export --list svs > svs.jsonl
  plated-station hotlist publish svs.jsonl --name svs --file-date 2026-11-21T06:00:00Z --config station.toml

The file has one entry on each line, a JSON object as `plated hotlist export` writes it. Order and
repeated lines don't matter. A file with a line that is no entry is refused as a whole.")]
    Publish {
        /// The file; - reads standard input
        file: PathBuf,
        /// Name of the list
        #[arg(long)]
        name: String,
        /// Date of the source's file, from which vehicles count the list's age; a day ahead at most
        #[arg(long, value_name = "TIME")]
        file_date: Option<Timestamp>,
        /// So many versions are kept, so that vehicles which have one of them fetch only what changed
        #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
        keep: u16,
        /// The station's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Show the lists that are handed out, and the versions kept
    List {
        /// Print one JSON object per version
        #[arg(long)]
        json: bool,
        /// The station's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Stop handing a list out; vehicles drop it at their next round
    Withdraw {
        /// Name of the list
        name: String,
        /// Why; it is recorded
        #[arg(long)]
        reason: String,
        /// The station's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

impl HotlistCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        match self {
            Self::Publish { file, name, file_date, keep, config } => with(&config, |publisher| {
                let by = this_user();
                let what = Publication { name: &name, file_date, by: &by, keep: keep.into() };
                let done = publisher.publish(open(&file)?, &what)?;
                let v = &done.version;
                let mut text = match done.changed {
                    true => {
                        let holds = entries(v.entries);
                        format!("published {} version {}: {holds}, {} bytes", v.name, v.version, v.bytes)
                    }
                    false => format!("{} is the same as version {}; nothing was changed", v.name, v.version),
                };
                if done.duplicates > 0 {
                    let left_out = count(done.duplicates, "line");
                    text.push_str(&format!("\n{left_out} left out that repeat another"));
                }
                for delta in &done.deltas {
                    text.push_str(&format!("\ndelta from {} has {} bytes", delta.from, delta.bytes));
                }
                print(&text)
            }),
            Self::List { json, config } => {
                let config = StationConfig::load(&config)?;
                let key = ArchiveKey::load(&config.archive_key)?;
                let all = Database::read_only(&config.database(), &key, |rows| rows.list_versions())?;
                let all = all.unwrap_or_default();
                for v in all.iter().filter(|v| v.kept || v.current) {
                    print(&if json { as_json(v) } else { as_line(v) })?;
                }
                match all.iter().any(|v| v.current) || json {
                    true => Ok(()),
                    false => print("the station hands out no lists"),
                }
            }
            Self::Withdraw { name, reason, config } => {
                if !reason.chars().any(char::is_alphanumeric) {
                    return Err(Error::new(Kind::Config, "--reason: give the reason in words; it is recorded"));
                }
                with(&config, |publisher| publisher.withdraw(&name, &this_user(), reason.trim()))?;
                print(&format!("{name} is not handed out any more; vehicles drop it at their next round"))
            }
        }
    }
}

/// The signing key is made by `plated-station init`, and here for a station that is older than that.
fn with<T>(config: &Path, work: impl FnOnce(&mut Publisher<'_>) -> Result<T>) -> Result<T> {
    let config = StationConfig::load(config)?;
    let signer =
        if config.hotlist_key.exists() { Signer::load(&config.hotlist_key)? } else { make_key(&config.hotlist_key)? };
    let clock = SystemClock::new();
    let clock: &dyn Clock = &clock;
    let key = ArchiveKey::load(&config.archive_key)?;
    work(&mut Publisher::open(&config.data, &key, &config.name, &signer, clock)?)
}

/// Makes the key that signs manifests, and beside it the public key for the vehicles.
pub fn make_key(path: &Path) -> Result<Signer> {
    let signer = Signer::create_file(path)?;
    plated_core::signing::write_public(&path.with_extension("pub"), &signer.public_key())?;
    Ok(signer)
}

/// The system user, and for whom, where `sudo` tells.
fn this_user() -> String {
    let who = SystemUser::of_this_process();
    let user = if who.user.is_empty() { format!("user {}", who.uid) } else { who.user };
    match std::env::var("SUDO_USER") {
        Ok(other) if who.uid == 0 && plated_core::name::is_plain_name(&other) => format!("{user} for {other}"),
        _ => user,
    }
}

fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let file = opened(open_plain(path), || format!("could not read {}", path.display()))?;
    Ok(Box::new(BufReader::with_capacity(1 << 20, file)))
}

fn as_line(v: &HotlistVersion) -> String {
    let state = if v.current { "current" } else { "kept" };
    let dated = v.file_date.map_or_else(String::new, |d| format!(", dated {d:.0}"));
    format!(
        "{} version {} {state}: {}, {} bytes, published {:.0} by {}{dated}, {}",
        v.name,
        v.version,
        entries(v.entries),
        v.bytes,
        v.published,
        visible(&v.by),
        v.sha256
    )
}

fn as_json(v: &HotlistVersion) -> String {
    json!({
        "name": v.name, "version": v.version, "sha256": v.sha256, "bytes": v.bytes, "entries": v.entries,
        "published": v.published, "by": v.by, "file_date": v.file_date, "current": v.current,
    })
    .to_string()
}
