//! `plated-station medium`.

use super::spool::{Spool, read};
use super::{Importer, Taken, make_key};
use crate::archive::{Engine, settings};
use crate::command::print;
use crate::{StationConfig, purging};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use plated_access::{Actor, Case, ImportMedium, Permit, Reason};
use plated_core::clock::{Clock, SystemClock};
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::medium::{is_part, receipt_of};
use plated_core::signing::{Signer, Trust};
use plated_core::text::count;
use plated_core::wire::batch::SignedReceipt;
use serde_json::json;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it is looked whether the running station took a file in.
const POLL: Duration = Duration::from_millis(50);
/// After so long it is looked whether the station still runs.
const STATION_PATIENCE: Duration = Duration::from_secs(10);

/// Commands about media of vehicles.
#[derive(Debug, Subcommand)]
pub enum MediumCommand {
    /// Take in what vehicles wrote to a folder, such as that of a USB stick, and put the receipts beside it; a running
    /// station goes on. Run it as the station's user
    #[command(after_help = "Examples:
  plated-station medium import /media/stick --reason 'unit-7, no link' --config station.toml

Each file is checked as a whole: one that was cut off, changed, is for another station or of no vehicle of the authority is
named and left alone, and the others are taken in. One that comes again does no harm. An import that was cut off is gone on
with by the same command. The receipts go back to the vehicle: plated medium receipts /media/stick")]
    Import {
        /// The folder
        dir: PathBuf,
        /// Why
        #[arg(long)]
        reason: String,
        /// Number of a case
        #[arg(long, default_value = "")]
        case: String,
        /// Also those that have a receipt already, as after a restore
        #[arg(long)]
        again: bool,
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Make the key of media for a station that has none, and its public part for vehicles
    Key {
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
}

impl MediumCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        match self {
            Self::Import { dir, reason, case, again, config } => {
                import(&dir, &Reason::new(&reason)?, &Case::new(&case)?, again, &StationConfig::load(&config)?)
            }
            Self::Key { config } => {
                let path = StationConfig::load(&config)?.medium_key;
                make_key(&path)?;
                let public = path.with_extension("pub");
                print(&format!("{}\n{}; give it to each vehicle", path.display(), public.display()))
            }
        }
    }
}

/// Who takes files in.
enum Into {
    /// This program: no station runs.
    Archive(Box<(Importer, Arc<dyn Engine>)>),
    /// The running station.
    Station(Box<Spool>),
}

fn open(config: &StationConfig) -> Result<Into> {
    match settings::open(config) {
        Ok(archive) => Ok(Into::Archive(Box::new((Importer::load(config)?, archive)))),
        Err(e) if e.kind() == Kind::Refused => Ok(Into::Station(Box::new(Spool::of(config)))),
        Err(e) => Err(e),
    }
}

/// Puts the import on record, in the station's own log.
fn permit(
    config: &StationConfig,
    into: &Into,
    reason: &Reason,
    case: &Case,
    files: usize,
) -> Result<Permit<ImportMedium>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let archive = match into {
        Into::Archive(open) => open.1.clone(),
        Into::Station(_) => settings::beside(config)?,
    };
    purging::gate(&*archive, &config.access, clock)?.open(
        &Actor::of_this_process(),
        reason,
        case,
        json!({"files": files}),
    )
}

fn import(dir: &Path, reason: &Reason, case: &Case, again: bool, config: &StationConfig) -> Result<()> {
    let failed = || format!("could not look through {}", dir.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).context(Kind::Missing, failed)? {
        let name = entry.context(Kind::Storage, failed)?.file_name().to_string_lossy().into_owned();
        names.extend(is_part(&name).then_some(name));
    }
    names.sort();
    let own = Trust::only([Signer::load(&config.receipt_key)?.public_key()]);
    let all = names.len();
    names.retain(|name| again || !has_receipt(&dir.join(receipt_of(name)), &own));
    let mut into = open(config)?;
    let _permit = permit(config, &into, reason, case, names.len())?;
    let progress = bar(names.len() as u64);
    let (mut reads, mut repeated, mut problems) = (0, 0, 0);
    for name in &names {
        match take(&mut into, config, dir, name) {
            Ok(taken) => {
                let path = dir.join(receipt_of(name));
                let json = serde_json::to_vec(&taken.receipt);
                let json = json.context(Kind::Internal, || "a receipt can't be written".into())?;
                durable::write(&path, &json)
                    .context(Kind::Storage, || format!("could not write the receipt {}", path.display()))?;
                reads += taken.reads;
                repeated += u64::from(taken.before.is_some());
                progress.suspend(|| tell(name, &taken))?;
            }
            Err(e) if matches!(e.kind(), Kind::Input | Kind::Refused) => {
                problems += 1;
                progress.suspend(|| print(&format!("{name}: NOT TAKEN IN: {}", e.chain())))?;
            }
            Err(e) => return Err(e),
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    let before = all - names.len();
    let taken = names.len() as u64 - problems;
    print(&format!(
        "{} in {} taken in, {repeated} of these came before; {before} had their receipts already",
        count(reads, "read"),
        count(taken, "file"),
    ))?;
    match problems {
        0 => Ok(()),
        _ => {
            let message = format!("{} not taken in; have the vehicle export again", count(problems, "file"));
            Err(Error::new(Kind::Input, message))
        }
    }
}

fn tell(name: &str, taken: &Taken) -> Result<()> {
    let Taken { vehicle, reads, refused, before, .. } = taken;
    let mut text = format!("{name}: {} of {vehicle}", count(*reads, "read"));
    if *refused > 0 {
        text += &format!(", {} refused", count(*refused, "part"));
    }
    if let Some(at) = before {
        text += &format!("; it came before, {at:.0}");
    }
    print(&text)
}

/// Whether a receipt that this station signed lies there.
fn has_receipt(path: &Path, own: &Trust) -> bool {
    let json = std::fs::read(path).unwrap_or_default();
    serde_json::from_slice::<SignedReceipt>(&json).is_ok_and(|signed| signed.verified(own).is_ok())
}

fn take(into: &mut Into, config: &StationConfig, dir: &Path, name: &str) -> Result<Taken> {
    let file = read(&dir.join(name))?;
    loop {
        let spool = match into {
            Into::Archive(open) => {
                let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
                return open.0.take(&*open.1, &file, &clock);
            }
            Into::Station(spool) => spool,
        };
        spool.hand_over(name, &file)?;
        let since = Instant::now();
        let answer = loop {
            if let Some(answer) = spool.answer(name)? {
                break Some(answer);
            }
            if since.elapsed() > STATION_PATIENCE
                && let Ok(opened @ Into::Archive(_)) = open(config)
            {
                // The station has ended.
                spool.take_back(name);
                *into = opened;
                break None;
            }
            std::thread::sleep(POLL);
        };
        if let Some(answer) = answer {
            return answer.into_result();
        }
    }
}

/// A bar of so many files, where somebody looks.
fn bar(files: u64) -> ProgressBar {
    let progress = ProgressBar::hidden();
    progress.set_length(files);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} files, {eta} left")
        && std::io::stderr().is_terminal()
    {
        progress.set_style(style);
        progress.set_draw_target(indicatif::ProgressDrawTarget::stderr());
    }
    progress
}
