//! `plated-station finding`: "not this vehicle" for all vehicles.

use super::table::{Decision, StationFinding};
use crate::StationConfig;
use crate::archive::settings;
use crate::command::print;
use crate::hotlists::command::{this_user, with_config};
use crate::why::Why;
use clap::Subcommand;
use jiff::Timestamp;
use plated_access::{Actor, Show};
use plated_core::clock::{Clock, SystemClock};
use plated_core::config_file::moment;
use plated_core::error::{Context, Kind, Result};
use plated_core::text::visible;
use serde_json::json;
use std::path::PathBuf;

/// Findings of officers that a plate is not the vehicle that an entry wants
#[derive(Debug, Subcommand)]
pub enum FindingCommand {
    /// Show what vehicles sent, and what was decided about it
    List(List),
    /// Approve a finding: it is in force in all vehicles
    Approve(Approve),
    /// Refuse a finding, also one that was approved: it is in force in no vehicle
    Refuse(Refuse),
}

/// Show what vehicles sent, and what was decided about it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated-station finding list --reason 'what waits for approval' --config station.toml
  plated-station finding list --reason 'weekly review' --json --config station.toml

The look is on record before anything is shown.")]
pub struct List {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    why: Why,
    /// The station's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Approve a finding
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated-station finding approve 3 --reason 'seen the registration' --config station.toml

A supervisor does that, and another person than the one who proposed it. Vehicles have it at their next round. It speaks
of one plate and of one entry as it is: another entry of the plate, or a changed one, alerts.")]
pub struct Approve {
    /// Its number, as `plated-station finding list` shows it
    number: i64,
    /// From when on the entry alerts again [default: as it was proposed]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    #[command(flatten)]
    why: Why,
    /// The station's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Refuse a finding
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated-station finding refuse 3 --reason 'plates were swapped' --config station.toml

The entry alerts in all vehicles from their next round on, also in the one in which it was proposed and approved.")]
pub struct Refuse {
    /// Its number, as `plated-station finding list` shows it
    number: i64,
    #[command(flatten)]
    why: Why,
    /// The station's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl FindingCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        match self {
            Self::List(list) => list.run(),
            Self::Approve(Approve { number, until, why, config }) => {
                let config = StationConfig::load(&config)?;
                let subject = json!({"finding": number, "as": "approval"});
                let (gate, permit) = why.open::<Show>(&config, &*settings::beside(&config)?, subject)?;
                let (reason, actor) = (why.reason(), Actor::SystemUser(this_user()));
                let done = with_config(&config, |publisher| {
                    publisher.approve_finding(&permit, number, until, &actor, reason.as_str())
                })?;
                gate.shown(&permit, 1)?;
                print(&as_line(&done, SystemClock::new().wall()))
            }
            Self::Refuse(Refuse { number, why, config }) => {
                let config = StationConfig::load(&config)?;
                let subject = json!({"finding": number, "as": "refusal"});
                let (gate, permit) = why.open::<Show>(&config, &*settings::beside(&config)?, subject)?;
                let (reason, actor) = (why.reason(), Actor::SystemUser(this_user()));
                let done = with_config(&config, |publisher| {
                    publisher.refuse_finding(&permit, number, &actor, reason.as_str())
                })?;
                gate.shown(&permit, 1)?;
                print(&as_line(&done, SystemClock::new().wall()))
            }
        }
    }
}

impl List {
    fn run(self) -> Result<()> {
        let config = StationConfig::load(&self.config)?;
        let (gate, permit) = self.why.open::<Show>(&config, &*settings::beside(&config)?, json!({"findings": true}))?;
        let all = settings::look(&config, |rows| rows.findings(&permit))?.unwrap_or_default();
        gate.shown(&permit, all.len() as u64)?;
        let now = SystemClock::new().wall();
        for found in &all {
            print(&if self.json { as_json(found)? } else { as_line(found, now) })?;
        }
        if all.is_empty() && !self.json { print("no vehicle sent a finding") } else { Ok(()) }
    }
}

fn as_line(StationFinding { number, finding, decision, .. }: &StationFinding, now: Timestamp) -> String {
    let entry = &finding.entry;
    let in_vehicle = match (&finding.withdrawn, &finding.approved) {
        (Some(by), _) => format!("withdrawn in the vehicle by {}", visible(&by.by.to_string())),
        (None, Some(by)) => format!("in force in the vehicle, approved by {}", visible(&by.by.to_string())),
        (None, None) => "not in force in the vehicle".into(),
    };
    let here = match decision {
        None if finding.until <= now => "over".to_owned(),
        None => "WAITS FOR A SUPERVISOR".to_owned(),
        Some(Decision { is_approved: true, until, .. }) if *until <= now => format!("over since {until:.0}"),
        Some(Decision { is_approved: true, by, until }) => {
            let (who, why) = (by.by.to_string(), visible(&by.reason));
            format!("approved for all vehicles by {} until {until:.0}: {why}", visible(&who))
        }
        Some(Decision { is_approved: false, by, .. }) => {
            format!("refused by {}: {}", visible(&by.by.to_string()), visible(&by.reason))
        }
    };
    format!(
        "{number} {} {} is not {} {} [{} {}], {} {:.0} by {}: {}; proposed until {:.0}; {in_vehicle}; {here}",
        visible(&finding.plate),
        if finding.state.is_empty() { "--" } else { &finding.state },
        visible(&entry.plate),
        if entry.state.is_empty() { "--" } else { &entry.state },
        visible(&entry.list),
        visible(&entry.category),
        visible(&finding.vehicle),
        finding.proposed.at,
        visible(&finding.proposed.by.to_string()),
        visible(&finding.proposed.reason),
        finding.until,
    )
}

fn as_json(StationFinding { number, finding, received, decision }: &StationFinding) -> Result<String> {
    let decision = decision
        .as_ref()
        .map(|Decision { is_approved, by, until }| json!({"approved": is_approved, "by": by, "until": until}));
    let value = json!({"number": number, "finding": finding, "received": received, "decision": decision});
    serde_json::to_string(&value).context(Kind::Internal, || "a finding can't be written as JSON".into())
}
