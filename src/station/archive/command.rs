//! The commands for the archive.

use super::settings::{self, EngineKind};
use super::{CheckReport, Engine, NewHold, PostgresArchive, SignedCertificate, SqliteArchive, moving};
use crate::command::print;
use crate::owner::Owner;
use crate::why::Why;
use crate::{ArchiveKey, StationConfig, purging};
use clap::Subcommand;
use plated_access::HoldEvidence;
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::signing::Trust;
use plated_core::text::{count, visible};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// A move tells so often how far it is.
const TELL_EVERY: u64 = 10_000;

/// Commands about the archive as a whole.
#[derive(Debug, Subcommand)]
pub enum ArchiveCommand {
    /// Copy the archive from files to PostgreSQL and object storage, comparing everything with its hash
    ///
    /// Stop the station first. Cut off, it may be run again. What is in the files stays there.
    #[command(after_help = "Example:\n  plated-station archive move --config station.toml --to region.toml")]
    Move {
        /// A configuration whose [archive] is on PostgreSQL, with the same key of the archive
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// The station's configuration, whose archive is in files
        #[arg(long)]
        config: PathBuf,
    },
}

impl ArchiveCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        let Self::Move { to, config } = self;
        let (from, to) = (StationConfig::load(&config)?, StationConfig::load(&to)?);
        if (from.archive.engine, to.archive.engine) != (EngineKind::Sqlite, EngineKind::Postgresql) {
            let message = "--config has to name an archive of the engine \"sqlite\", and --to one of \"postgresql\"";
            return Err(Error::new(Kind::Config, message));
        }
        let key = ArchiveKey::load(&from.archive_key)?;
        if key.fingerprint() != ArchiveKey::load(&to.archive_key)?.fingerprint() {
            let message = "both have to have the same archive_key: certificates and audit logs are signed by it";
            return Err(Error::new(Kind::Config, message));
        }
        let old = SqliteArchive::open(&from.archive(key.clone()))?;
        let new = PostgresArchive::open_to_fill(&settings::postgres_options(&to, key)?)?;
        let mut told = 0;
        let checked = moving::copy(&old, &new, |reads| {
            if reads / TELL_EVERY > told {
                told = reads / TELL_EVERY;
                tracing::info!(reads, "Copied");
            }
        })?;
        tell(&checked)
    }
}

/// Commands about evidence holds.
#[derive(Debug, Subcommand)]
pub enum HoldCommand {
    /// Keep reads with their pictures beyond their retention
    Add {
        #[command(flatten)]
        why: Why,
        /// Ids of the reads
        #[arg(required = true)]
        reads: Vec<Uuid>,
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Show all holds, those that were released too
    List {
        #[command(flatten)]
        why: Why,
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// End a hold; what its retention is over for is deleted
    Release {
        /// Id of the hold
        hold: Uuid,
        #[command(flatten)]
        why: Why,
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
}

impl HoldCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        let now = SystemClock::new().wall();
        match self {
            Self::Add { why, reads, config } => {
                let (config, case) = (StationConfig::load(&config)?, why.case()?.to_owned());
                let archive = settings::beside(&config)?;
                let (_, permit) =
                    why.open::<HoldEvidence>(&config, &*archive, json!({"hold": "begin", "reads": reads}))?;
                let hold = archive.hold(&permit, &NewHold { case, reads }, now)?;
                print(&format!("hold {} keeps {}", hold.id, count(hold.reads.len() as u64, "read")))
            }
            Self::List { why, config } => {
                let config = StationConfig::load(&config)?;
                let archive = settings::beside(&config)?;
                let (_, permit) = why.open::<HoldEvidence>(&config, &*archive, json!({"hold": "list"}))?;
                let holds = archive.holds(&permit)?;
                for hold in &holds {
                    let (case, why, by) = (visible(&hold.case), visible(&hold.reason), visible(&hold.by.name));
                    let reads = count(hold.reads.len() as u64, "read");
                    let released = hold.released.as_ref().map_or_else(String::new, |(at, by, why)| {
                        format!("; released {at:.0} by {}: {}", visible(&by.name), visible(why))
                    });
                    print(&format!(
                        "{} case {case}, {reads}, since {:.0} by {by}: {why}{released}",
                        hold.id, hold.since
                    ))?;
                }
                if holds.is_empty() { print("nothing is held") } else { Ok(()) }
            }
            Self::Release { hold, why, config } => {
                let config = StationConfig::load(&config)?;
                let archive = settings::beside(&config)?;
                let subject = json!({"hold": "release", "id": hold});
                let (_, permit) = why.open::<HoldEvidence>(&config, &*archive, subject)?;
                archive.release(&permit, hold, now)?;
                print(&format!("hold {hold} is released"))
            }
        }
    }
}

/// Deletes what its retention is over for, or says what that would be.
pub fn purge(config: &StationConfig, dry_run: bool) -> Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let now = clock.wall();
    if dry_run {
        let due = settings::beside(config)?.due(now)?;
        for due in &due {
            let what = if due.pictures_only { "pictures of " } else { "" };
            print(&format!("{} {}: {what}{}", due.day, due.class, count(due.reads, "read")))?;
        }
        return if due.is_empty() { print("nothing is due") } else { Ok(()) };
    }
    let archive = settings::open(config).map_err(|e| match e.kind() {
        Kind::Refused if config.archive.engine == EngineKind::Sqlite => {
            Error::new(Kind::Refused, "a station runs on this archive, and purges by itself; stop it first")
        }
        _ => e,
    })?;
    let permit = purging::permit(&purging::gate(&*archive, &config.access, clock)?)?;
    let done = archive.purge(&permit, now);
    give_to_station(config)?;
    match done? {
        Some(certificate) => print(certificate.as_str()),
        None => print("nothing is due"),
    }
}

/// Prints the certificates of deletion, or looks whether the one in a file counts.
pub fn certificates(config: &StationConfig, verify: Option<&Path>) -> Result<()> {
    let archive = settings::beside(config)?;
    let Some(path) = verify else {
        return archive.certificates()?.iter().try_for_each(|certificate| print(certificate.as_str()));
    };
    let text =
        std::fs::read_to_string(path).context(Kind::NotFound, || format!("could not read {}", path.display()))?;
    let signed = SignedCertificate::from_text(text.trim().to_owned());
    let certificate = signed.open(&Trust::only([archive.deletion_key()]))?;
    let reads = certificate.parts.iter().filter(|part| !part.pictures_only).map(|part| part.reads).sum();
    print(&format!("certificate {} of {:.0} counts: {} deleted", certificate.id, certificate.at, count(reads, "read")))
}

/// Compares everything with its hash.
pub fn check(config: &StationConfig) -> Result<()> {
    report(&*settings::beside(config)?)
}

fn report(archive: &dyn Engine) -> Result<()> {
    tell(&archive.check()?)
}

fn tell(report: &CheckReport) -> Result<()> {
    print(&format!(
        "reads {}\npictures {}\ndocuments and audit rows {}",
        report.reads, report.pictures, report.documents
    ))?;
    report.problems.iter().try_for_each(|problem| print(&format!("DAMAGED {}", visible(problem))))?;
    let problems = report.problems.len() as u64 + report.more_problems;
    match problems {
        0 => print("everything fits its hash"),
        _ => Err(Error::new(Kind::Damaged, format!("the archive has {}", count(problems, "problem")))),
    }
}

/// Copies the archive.
pub fn backup(config: &StationConfig, to: &Path) -> Result<()> {
    let (key, now) = (ArchiveKey::load(&config.archive_key)?, SystemClock::new().wall());
    let (files, bytes, lost) = match config.archive.engine {
        EngineKind::Sqlite => {
            let (files, bytes) = SqliteArchive::beside(&config.archive(key))?.backup(to, now)?;
            (files, bytes, Vec::new())
        }
        EngineKind::Postgresql => {
            let archive = PostgresArchive::open(&settings::postgres_options(config, key)?)?;
            let copied = archive.backup(to, now, told("Copied packs"))?;
            (copied.files, copied.bytes, copied.lost)
        }
    };
    print(&format!(
        "{} and {bytes} bytes in {}; the key {} is not in it",
        count(files, "file"),
        to.display(),
        config.archive_key.display()
    ))?;
    lost.iter().try_for_each(|pack| print(&format!("LOST {pack}")))?;
    match lost.len() as u64 {
        0 => Ok(()),
        packs => {
            let message = format!(
                "the backup has all that is there, but {} of pictures are not in the bucket or not whole; bring them back \
                 from its older versions, if it keeps them",
                count(packs, "pack")
            );
            Err(Error::new(Kind::Damaged, message))
        }
    }
}

/// Puts a backup into the place of the archive.
pub fn restore(config: &StationConfig, from: &Path) -> Result<()> {
    let key = ArchiveKey::load(&config.archive_key)?;
    match config.archive.engine {
        EngineKind::Sqlite => {
            let archive = SqliteArchive::restore(&config.archive(key), from)?;
            give_to_station(config)?;
            report(&archive)
        }
        EngineKind::Postgresql => {
            let options = settings::postgres_options(config, key)?;
            report(&PostgresArchive::restore(&options, from, told("Put back packs"))?)
        }
    }
}

/// Logs now and then how far it is.
fn told(what: &'static str) -> impl FnMut(u64) {
    move |done| {
        if done % TELL_EVERY == 0 {
            tracing::info!(done, "{what}");
        }
    }
}

/// What root has made in the data folder is the station's.
fn give_to_station(config: &StationConfig) -> Result<()> {
    let failed = || format!("could not give {} to the station's user", config.data.display());
    Owner::for_root(&config.data)?.give_folder(&config.data).context(Kind::Storage, failed)
}
