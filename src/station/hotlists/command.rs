//! `plated-station hotlist`: what vehicles are to have.

use super::super::StationConfig;
use super::super::archive::settings;
use super::super::command::print;
use super::super::rows::Rows;
use super::age::ages;
use super::import::ImportArgs;
use super::publish::Publisher;
use super::sources_command::{DisableArgs, EnableArgs, FetchArgs, InactiveArgs, UpdateArgs};
use super::table::HotlistVersion;
use clap::Subcommand;
use plated_access::Actor;
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Error, Kind, Result};
use plated_core::signing::Signer;
use plated_core::text::{entries, visible};
use plated_core::user::SystemUser;
use serde_json::json;
use std::path::{Path, PathBuf};

/// What vehicles are to have
#[derive(Debug, Subcommand)]
pub enum HotlistCommand {
    /// Publish a version of a list from a file; vehicles take it at their next round
    #[command(visible_alias = "publish")]
    Import(Box<ImportArgs>),
    /// Fetch lists from their sources, as [[sources]] of station.toml has them
    Fetch(FetchArgs),
    /// Add entries to a list that is handed out, and remove entries, from incremental files
    Update(Box<UpdateArgs>),
    /// Make an entry inactive: it is left out of the list, whatever its source sends, until it is made active again
    Disable(DisableArgs),
    /// Make an entry active again
    Enable(EnableArgs),
    /// Show the entries that were made inactive, by whom and why
    Inactive(InactiveArgs),
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
    /// The configuration, of the one that goes on for ever.
    pub fn watches(&self) -> Option<&PathBuf> {
        match self {
            Self::Fetch(fetch) => fetch.watches(),
            _ => None,
        }
    }

    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        match self {
            Self::Import(import) => import.run(),
            Self::Fetch(fetch) => fetch.run(),
            Self::Update(update) => update.run(),
            Self::Disable(disable) => disable.run(),
            Self::Enable(enable) => enable.run(),
            Self::Inactive(inactive) => inactive.run(),
            Self::List { json, config } => list(&StationConfig::load(&config)?, json),
            Self::Withdraw { name, reason, config } => {
                if !reason.chars().any(char::is_alphanumeric) {
                    return Err(Error::new(Kind::Config, "--reason: give the reason in words; it is recorded"));
                }
                with(&config, |publisher| publisher.withdraw(&name, &Actor::SystemUser(this_user()), reason.trim()))?;
                print(&format!("{name} is not handed out any more; vehicles drop it at their next round"))
            }
        }
    }
}

fn list(config: &StationConfig, json: bool) -> Result<()> {
    let now = SystemClock::new().wall();
    let look = |rows: &Rows<'_>| Ok((rows.list_versions()?, ages(rows, &config.sources, now)?));
    let (all, ages) = settings::look(config, look)?.unwrap_or_default();
    for v in all.iter().filter(|v| v.kept || v.current) {
        print(&if json { as_json(v) } else { as_line(v) })?;
    }
    if json {
        return Ok(());
    }
    for age in &ages {
        print(&age.to_string())?;
    }
    match all.iter().any(|v| v.current) {
        true => Ok(()),
        false => print("the station hands out no lists"),
    }
}

/// Changes what is handed out.
pub(super) fn with<T>(config: &Path, work: impl FnOnce(&mut Publisher<'_>) -> Result<T>) -> Result<T> {
    with_config(&StationConfig::load(config)?, work)
}

/// The same with a configuration that was read already.
pub fn with_config<T>(config: &StationConfig, work: impl FnOnce(&mut Publisher<'_>) -> Result<T>) -> Result<T> {
    let signer = hotlist_signer(config)?;
    let clock = SystemClock::new();
    let clock: &dyn Clock = &clock;
    let database = || settings::database(config);
    work(&mut Publisher::open(&config.data, database, &config.name, &signer, clock)?)
}

/// The signing key is made by `plated-station init`, and here for a station that is older than that.
pub fn hotlist_signer(config: &StationConfig) -> Result<Signer> {
    if config.hotlist_key.exists() { Signer::load(&config.hotlist_key) } else { make_key(&config.hotlist_key) }
}

/// Makes the key that signs manifests, and beside it the public key for the vehicles.
pub fn make_key(path: &Path) -> Result<Signer> {
    let signer = Signer::create_file(path)?;
    plated_core::signing::write_public(&path.with_extension("pub"), &signer.public_key())?;
    Ok(signer)
}

/// The system user, and for whom, where `sudo` tells.
pub fn this_user() -> SystemUser {
    let who = SystemUser::of_this_process();
    match std::env::var("SUDO_USER") {
        Ok(other) if who.uid == 0 && plated_core::name::is_plain_name(&other) => {
            SystemUser { user: format!("{who} for {other}"), ..who }
        }
        _ => who,
    }
}

fn as_line(v: &HotlistVersion) -> String {
    let state = match (v.current, v.valid_from.filter(|_| v.coming)) {
        (_, Some(from)) => format!("in force from {from:.0}"),
        (true, None) => "current".into(),
        (false, None) => "kept".into(),
    };
    let forced = if v.forced.is_some() { ", FORCED" } else { "" };
    let dated = v.file_date.map_or_else(String::new, |d| format!(", dated {d:.0}"));
    format!(
        "{} version {} {state}: {}, {} bytes, published {:.0} by {}{dated}, the newest at {:.0}{forced}, {}",
        v.name,
        v.version,
        entries(v.entries),
        v.bytes,
        v.published,
        visible(&v.by),
        v.confirmed,
        v.sha256
    )
}

fn as_json(v: &HotlistVersion) -> String {
    json!({
        "name": v.name, "version": v.version, "sha256": v.sha256, "bytes": v.bytes, "entries": v.entries,
        "published": v.published, "by": v.by, "file_date": v.file_date,
        "confirmed": v.confirmed, "forced": v.forced, "current": v.current,
        "valid_from": v.valid_from.filter(|_| v.coming), "stale": v.stale,
    })
    .to_string()
}
