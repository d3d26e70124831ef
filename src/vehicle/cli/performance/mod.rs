//! `plated performance`: performance tests, by replay or while driving (control P-31).

mod print;
mod replay;

use super::ask::{self, Ask, print_json};
use super::recognize::progress;
use super::say;
use crate::control::{Reply, Request};
use crate::store::Reason;
use clap::Subcommand;
use plated_access::Purpose;
use plated_core::error::{Error, Kind, Result};
use std::path::PathBuf;

/// What goes on record where nobody says more.
const REASON: &str = "performance test";
/// Results that are listed.
const LISTED: u64 = 100;

/// Performance tests: capture rate, read accuracy and their product
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Run),
    List(List),
    Show(Show),
    Start(Start),
    Plate(Plate),
    Undo(Undo),
    End(End),
}

/// Replay a labelled test set and keep the result, signed by who runs it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated performance run tests/autumn --camera front
  plated performance run drive.mp4 --note 'after the lens was cleaned' --json
  plated performance run tests/autumn --misses --purpose locate_vehicle

A folder has labels.csv, with the columns file, plate and state, for its photos, or a .jsonl beside a recording
with a JSON object for each vehicle: plate, state, first_frame, last_frame. The models and settings of the vehicle
read it. Beside a daemon it gives way, so that reading and alerting go on as before.
The result holds no plate. Rates are given with the interval in which they lie with 95 % probability.")]
struct Run {
    /// Folder of the set, or a recording with its labels beside it
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Camera that the set is of
    #[arg(long, value_name = "NAME", default_value = "")]
    camera: String,
    /// Name of the set [default: that of the folder or file]
    #[arg(long, value_name = "NAME")]
    set: Option<String>,
    /// Kept with the result
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// Also list the plates that were missed or misread, the worst first; that is on record
    #[arg(long)]
    misses: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    out: Out,
}

/// List results, newest first
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated performance list
  plated performance list --camera front --json

At most 100. Results of one test set are compared only where its digest is the same; `show` gives it.")]
struct List {
    /// Only those of this camera
    #[arg(long, value_name = "NAME")]
    camera: Option<String>,
    #[command(flatten)]
    out: Out,
}

/// Show one result
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated performance show 12")]
struct Show {
    /// Its number, as `plated performance list` shows it
    #[arg(value_name = "NUMBER")]
    number: i64,
    #[command(flatten)]
    out: Out,
}

/// Begin a drive test
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated performance start --camera front
  plated performance plate 7ABC123 --state CA
  plated performance end

Enter each plate of the test that a person can read, with `plate` or on the console's page, within two minutes of
seeing it. `end` compares them with what the camera read meanwhile. One drive test can go on at a time.")]
struct Start {
    /// Camera that is tested
    #[arg(long, value_name = "NAME")]
    camera: String,
    /// Kept with the result
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    #[command(flatten)]
    out: Out,
}

/// Enter a plate of the drive test that goes on
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated performance plate 7ABC123
  plated performance plate 812XKR --state NV")]
struct Plate {
    /// What is on it
    #[arg(value_name = "PLATE")]
    plate: String,
    /// Its state, two letters; without it only the text is compared
    #[arg(long, value_name = "STATE", default_value = "")]
    state: String,
    #[command(flatten)]
    out: Out,
}

/// Take the plate that was entered last back
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated performance undo")]
struct Undo {
    #[command(flatten)]
    out: Out,
}

/// End the drive test that goes on, and keep its result
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated performance end
  plated performance end --misses --purpose locate_vehicle --case 26-1234
  plated performance end --discard

Wait until the last vehicle has left the picture. The plates that were entered are deleted; the result holds none.
Whoever began it ends it; anybody who may test can discard it.")]
struct End {
    /// Keep no result
    #[arg(long, conflicts_with = "misses")]
    discard: bool,
    /// Also list the plates that were missed or misread, the worst first; that is on record
    #[arg(long)]
    misses: bool,
    #[command(flatten)]
    why: Why,
    #[command(flatten)]
    out: Out,
}

/// Why, where the agency asks for more than that it is a test.
#[derive(Debug, clap::Args)]
struct Why {
    /// Why [default: performance test]
    #[arg(long, value_name = "TEXT", value_parser = ask::reason)]
    reason: Option<Reason>,
    /// Which of the purposes that the agency authorises, e.g. locate_vehicle
    #[arg(long, value_name = "PURPOSE", value_parser = ask::purpose)]
    purpose: Option<Purpose>,
    /// Case or incident
    #[arg(long, value_name = "NUMBER", default_value = "")]
    case: String,
}

impl Why {
    fn reason(&self) -> Result<Reason> {
        let reason = self.reason.clone().map_or_else(|| Reason::new(REASON), Ok)?;
        Ok(reason.for_purpose(self.purpose.clone()))
    }
}

#[derive(Debug, clap::Args)]
struct Out {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

impl Out {
    /// Asks, and prints each answer; gives how many there were.
    fn ask(&self, request: &Request) -> Result<u64> {
        let mut answers = 0;
        self.ask.call(request, None, &mut |reply| {
            answers += 1;
            match reply {
                Reply::Test(test) => print::test(&test, self.json),
                Reply::DriveTest(drive) => print::drive(&drive, self.json),
                Reply::Miss(miss) => print::miss(&miss, self.json),
                _ => Ok(()),
            }
        })?;
        Ok(answers)
    }
}

/// Does what the subcommand says.
pub fn run(args: &Args) -> Result<()> {
    let why = || Reason::new(REASON);
    match &args.command {
        Command::Run(args) => replay::run(args),
        Command::List(List { camera, out }) => list(camera.as_deref(), out),
        Command::Show(Show { number, out }) => show(*number, out),
        Command::Start(Start { camera, note, out }) => {
            let (camera, note) = (camera.clone(), note.clone());
            out.ask(&Request::StartDriveTest { camera, note, reason: why()? }).map(drop)
        }
        Command::Plate(Plate { plate, state, out }) => {
            let (plate, state) = (plate.clone(), state.clone());
            out.ask(&Request::EnterTestPlate { plate, state, reason: why()? }).map(drop)
        }
        Command::Undo(Undo { out }) => out.ask(&Request::TakeTestPlateBack { reason: why()? }).map(drop),
        Command::End(End { discard: true, why, out, .. }) => {
            out.ask.call(&Request::DiscardDriveTest { reason: why.reason()? }, None, &mut |reply| match reply {
                Reply::DriveTest(drive) if out.json => print_json(&drive),
                Reply::DriveTest(drive) => say(format_args!("discarded the test of the camera {}", drive.camera)),
                _ => Ok(()),
            })
        }
        Command::End(End { misses, why, out, .. }) => {
            let (reason, case) = (why.reason()?, why.case.clone());
            out.ask(&Request::EndDriveTest { misses: *misses, reason, case }).map(drop)
        }
    }
}

fn list(camera: Option<&str>, out: &Out) -> Result<()> {
    let mut tests = 0;
    out.ask.call(&Request::PerformanceTests { limit: LISTED }, None, &mut |reply| match reply {
        Reply::DriveTest(drive) if !out.json => print::drive(&drive, false),
        Reply::Test(kept) if camera.is_none_or(|camera| camera == kept.test.camera) => {
            tests += 1;
            if out.json { print::test(&kept, true) } else { print::line(&kept) }
        }
        _ => Ok(()),
    })?;
    match tests {
        0 if !out.json => say(format_args!("no performance test")),
        _ => Ok(()),
    }
}

fn show(number: i64, out: &Out) -> Result<()> {
    let mut found = false;
    out.ask.call(&Request::PerformanceTests { limit: u64::MAX }, None, &mut |reply| match reply {
        Reply::Test(kept) if kept.number == number => {
            found = true;
            print::test(&kept, out.json)
        }
        _ => Ok(()),
    })?;
    if found {
        return Ok(());
    }
    let message = format!("there is no performance test {number}; `plated performance list` shows them");
    Err(Error::new(Kind::NotFound, message))
}
