//! `plated hit disposition`: what a hit was.

use crate::cli::ask;
use crate::cli::ask::{Ask, local, print_json};
use crate::cli::say;
use crate::control::{Disposed, Reply, Request};
use crate::store::{Finding, Reason};
use plated_access::Purpose;
use plated_core::error::Result;
use plated_core::plate::PlateText;

/// Say what a hit was
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated hit disposition 9f3a21c4 misread
  plated hit disposition 9f3a21c4 not-on-file --reason 'dispatch: recovered yesterday'
  plated hit disposition 9f3a21c4 confirmed --reason 'dispatch: still wanted' --case 26-1234

  correct           the plate is the listed one; dispatch has not answered yet
  confirmed         the plate is the listed one, and dispatch has confirmed the entry
  misread           the plate says something else
  wrong-state       the plate is of another state
  not-on-file       dispatch has no such entry
  could-not-verify  neither picture nor dispatch could tell
  dismissed         not looked into

After misread and not-on-file the same read with the same entries of the same listed plate alerts
nobody until the end of the shift (shift.hours in the configuration); its hits are still kept and
shown. Any other disposition of the same pairing ends that. Who said so, when and why, is on record.")]
pub struct Args {
    /// The end of its id, at least 6 digits, as `plated run` and `plated hit list` show it
    #[arg(value_name = "HIT")]
    hit: String,
    /// One of the words below
    #[arg(value_name = "FINDING", value_parser = finding)]
    finding: Finding,
    /// Why; the finding itself when not given
    #[arg(long, value_name = "TEXT", value_parser = ask::reason)]
    reason: Option<Reason>,
    /// Which of the purposes that the agency authorises, e.g. locate_vehicle
    #[arg(long, value_name = "PURPOSE", value_parser = ask::purpose)]
    purpose: Option<Purpose>,
    /// Case or incident
    #[arg(long, value_name = "NUMBER", default_value = "")]
    case: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ask: Ask,
}

pub fn run(args: &Args) -> Result<()> {
    let reason = match &args.reason {
        Some(reason) => reason.clone(),
        None => Reason::new(&format!("found {}", word(args.finding)))?,
    };
    let reason = reason.for_purpose(args.purpose.clone());
    let (hit, case) = (args.hit.clone(), args.case.clone());
    let request = Request::Disposition { hit, finding: args.finding, reason, case };
    args.ask.call(&request, None, &mut |reply| match reply {
        Reply::Disposed(done) if args.json => print_json(&done),
        Reply::Disposed(done) => print(&done),
        _ => Ok(()),
    })
}

fn print(done: &Disposed) -> Result<()> {
    let (hit, text) = (&done.hit, PlateText::normalise(&done.hit.text));
    say(format_args!("{}  read {}, listed {}: {}", hit.short(), text.display(), hit.listed, word(done.finding)))?;
    let Some(until) = done.quiet_until else { return Ok(()) };
    say(format_args!("This pairing alerts nobody until {}", local(until)))?;
    if text.key().as_str() == hit.listed {
        let message = "The read is the listed plate itself: until then the wanted vehicle does not sound either, unless \
                    another entry names it";
        say(format_args!("{message}"))?;
    }
    Ok(())
}

/// As it is written on the command line.
pub fn word(finding: Finding) -> String {
    finding.as_str().replace('_', "-")
}

fn finding(text: &str) -> Result<Finding, String> {
    Finding::of(text).ok_or_else(|| format!("use {}", Finding::ALL.map(word).join(", ")))
}
