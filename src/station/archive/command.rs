//! The commands for the archive.

use super::{Archive, NewHold, SignedCertificate, SqliteArchive};
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

fn beside(config: &StationConfig) -> Result<SqliteArchive> {
    SqliteArchive::beside(&config.archive(ArchiveKey::load(&config.archive_key)?))
}

impl HoldCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        let now = SystemClock::new().wall();
        match self {
            Self::Add { why, reads, config } => {
                let (config, case) = (StationConfig::load(&config)?, why.case()?.to_owned());
                let archive = beside(&config)?;
                let (_, permit) =
                    why.open::<HoldEvidence>(&config, &archive, json!({"hold": "begin", "reads": reads}))?;
                let hold = archive.hold(&permit, &NewHold { case, reads }, now)?;
                print(&format!("hold {} keeps {}", hold.id, count(hold.reads.len() as u64, "read")))
            }
            Self::List { why, config } => {
                let config = StationConfig::load(&config)?;
                let archive = beside(&config)?;
                let (_, permit) = why.open::<HoldEvidence>(&config, &archive, json!({"hold": "list"}))?;
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
                let archive = beside(&config)?;
                let subject = json!({"hold": "release", "id": hold});
                let (_, permit) = why.open::<HoldEvidence>(&config, &archive, subject)?;
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
        let due = beside(config)?.due(now)?;
        for due in &due {
            let what = if due.pictures_only { "pictures of " } else { "" };
            print(&format!("{} {}: {what}{}", due.day, due.class, count(due.reads, "read")))?;
        }
        return if due.is_empty() { print("nothing is due") } else { Ok(()) };
    }
    let archive =
        SqliteArchive::open(&config.archive(ArchiveKey::load(&config.archive_key)?)).map_err(|e| match e.kind() {
            Kind::Refused => {
                Error::new(Kind::Refused, "a station runs on this archive, and purges by itself; stop it first")
            }
            _ => e,
        })?;
    let permit = purging::permit(&purging::gate(&archive, &config.access, clock)?)?;
    let done = archive.purge(&permit, now);
    give_to_station(config)?;
    match done? {
        Some(certificate) => print(certificate.as_str()),
        None => print("nothing is due"),
    }
}

/// Prints the certificates of deletion, or looks whether the one in a file counts.
pub fn certificates(config: &StationConfig, verify: Option<&Path>) -> Result<()> {
    let archive = beside(config)?;
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
    report(&beside(config)?)
}

fn report(archive: &SqliteArchive) -> Result<()> {
    let report = archive.check()?;
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
    let (files, bytes) = beside(config)?.backup(to, SystemClock::new().wall())?;
    print(&format!(
        "{} and {bytes} bytes in {}; the key {} is not in it",
        count(files, "file"),
        to.display(),
        config.archive_key.display()
    ))
}

/// Puts a backup into the place of the archive.
pub fn restore(config: &StationConfig, from: &Path) -> Result<()> {
    let options = config.archive(ArchiveKey::load(&config.archive_key)?);
    let archive = SqliteArchive::restore(&options, from)?;
    give_to_station(config)?;
    report(&archive)
}

/// What root has made in the data folder is the station's.
fn give_to_station(config: &StationConfig) -> Result<()> {
    let failed = || format!("could not give {} to the station's user", config.data.display());
    Owner::for_root(&config.data)?.give_folder(&config.data).context(Kind::Storage, failed)
}
