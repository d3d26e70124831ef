//! `plated-station security`: signs of a breach, and who looked into them (control P-26).

use crate::archive::settings;
use crate::command::print;
use crate::heads::HeadFault;
use crate::register;
use crate::rows::Rows;
use crate::{ClonedVehicle, SecurityEvent, StationConfig};
use clap::Subcommand;
use jiff::Timestamp;
use plated_access::{AccessRecord, Actor, AuditLog, Case, Outcome, Reason};
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::{count, visible};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

/// Signs of a breach
#[derive(Debug, Subcommand)]
pub enum SecurityCommand {
    /// Show them, by vehicle; no plate is in them
    #[command(after_help = "Examples:
  plated-station security list --config station.toml
  plated-station security list --all --json --config station.toml")]
    List {
        /// Also those that somebody looked into, and that did not come again
        #[arg(long)]
        all: bool,
        /// Print one JSON object per line
        #[arg(long)]
        json: bool,
        /// The station's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Say that somebody looked into one; it is open again when it comes again
    #[command(after_help = "Examples:
  plated-station security acknowledge unit-7 audit_log_begun_anew --reason 'new disk on 11/20' --config station.toml")]
    Acknowledge {
        /// The vehicle
        vehicle: String,
        /// The word of it, as `list` shows it
        sign: String,
        /// What was found; it is recorded
        #[arg(long)]
        reason: String,
        /// The station's configuration
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

/// A kind of sign, of one vehicle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// The vehicle.
    pub vehicle: String,
    /// What it is, as a word.
    pub indicator: String,
    /// As a sentence.
    pub text: String,
    /// When it came first, and last.
    pub first: Timestamp,
    /// And last.
    pub last: Timestamp,
    /// How often.
    pub times: u64,
    /// Who looked into it, when, and what they found.
    pub acknowledged: Option<(Timestamp, String, String)>,
}

/// Who looked into which sign.
struct Acknowledged {
    vehicle: String,
    indicator: String,
    /// When, who, and what they found.
    by: (Timestamp, String, String),
}

impl Sign {
    /// Nobody looked into it since it came last.
    pub fn is_open(&self) -> bool {
        self.acknowledged.as_ref().is_none_or(|(at, ..)| *at < self.last)
    }
}

impl Rows<'_> {
    /// All signs of a breach, by vehicle and word.
    pub fn signs(&self) -> Result<Vec<Sign>> {
        let mut signs = Vec::new();
        for SecurityEvent { vehicle, indicator, first_seen: first, last_seen: last, times } in self.security_events()? {
            let text = match HeadFault::of_word(&indicator) {
                Some(fault) => fault.text().to_owned(),
                None if indicator == "finding_not_signed" => "a finding came that this vehicle did not sign".to_owned(),
                None => register::sign(&indicator).map_or_else(|| indicator.clone(), str::to_owned),
            };
            signs.push(Sign { vehicle, indicator, text, first, last, times, acknowledged: None });
        }
        for ClonedVehicle { vehicle, first_seen: first, last_seen: last, times } in self.cloned_vehicles()? {
            let text = "several computers use its certificate".to_owned();
            signs.push(Sign { vehicle, indicator: "cloned".into(), text, first, last, times, acknowledged: None });
        }
        signs.extend(self.reported_signs()?);
        let acknowledged = self.acknowledged()?;
        for sign in &mut signs {
            let of = |a: &&Acknowledged| a.vehicle == sign.vehicle && a.indicator == sign.indicator;
            sign.acknowledged = acknowledged.iter().find(of).map(|a| a.by.clone());
        }
        signs.sort_by(|a, b| (&a.vehicle, &a.indicator).cmp(&(&b.vehicle, &b.indicator)));
        Ok(signs)
    }

    /// What vehicles noticed themselves.
    fn reported_signs(&self) -> Result<Vec<Sign>> {
        self.all(
            "SELECT vehicle, indicator, min(received), max(received), count(*),
                    (SELECT text FROM breaches AS newest WHERE newest.vehicle = breaches.vehicle
                       AND newest.indicator = breaches.indicator ORDER BY received DESC, number DESC LIMIT 1)
             FROM breaches GROUP BY vehicle, indicator",
            &[],
            |row| {
                let (vehicle, indicator, text) = (row.get(0)?, row.get(1)?, row.get(5)?);
                let (first, last, times) = (row.get(2)?, row.get(3)?, row.get(4)?);
                Ok(Sign { vehicle, indicator, text, first, last, times, acknowledged: None })
            },
        )
    }

    fn acknowledged(&self) -> Result<Vec<Acknowledged>> {
        self.all("SELECT vehicle, indicator, at, by_user, reason FROM acknowledged", &[], |row| {
            let by = (row.get(2)?, row.get(3)?, row.get(4)?);
            Ok(Acknowledged { vehicle: row.get(0)?, indicator: row.get(1)?, by })
        })
    }

    fn acknowledge(&self, vehicle: &str, sign: &str, at: Timestamp, by: &str, reason: &str) -> Result<()> {
        self.run(
            "INSERT INTO acknowledged (vehicle, indicator, at, by_user, reason) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (vehicle, indicator) DO UPDATE SET at = excluded.at, by_user = excluded.by_user,
               reason = excluded.reason",
            &[&vehicle, &sign, &at, &by, &reason],
        )
        .map(drop)
    }
}

impl SecurityCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        match self {
            Self::List { all, json, config } => {
                let config = StationConfig::load(&config)?;
                let signs = settings::look(&config, |rows| rows.signs())?.unwrap_or_default();
                let shown: Vec<_> = signs.iter().filter(|sign| all || sign.is_open()).collect();
                for sign in &shown {
                    print(&if json { as_json(sign) } else { as_line(sign) })?;
                }
                match shown.is_empty() && !json {
                    true => print("there is no open sign of a breach"),
                    false => Ok(()),
                }
            }
            Self::Acknowledge { vehicle, sign, reason, config } => {
                acknowledge(&StationConfig::load(&config)?, &vehicle, &sign, &reason)
            }
        }
    }
}

fn acknowledge(config: &StationConfig, vehicle: &str, sign: &str, reason: &str) -> Result<()> {
    let archive = settings::beside(config)?;
    let (actor, reason) = (Actor::of_this_process(), Reason::new(reason)?);
    let mut database = settings::database(config)?;
    let known = database.read(|rows| rows.signs())?;
    let Some(found) = known.iter().find(|known| known.vehicle == vehicle && known.indicator == sign) else {
        let message = format!(
            "vehicle {} has no sign \"{}\"; `plated-station security list` shows them",
            visible(vehicle),
            visible(sign)
        );
        return Err(Error::new(Kind::NotFound, message));
    };
    let subject = json!({"vehicle": vehicle, "sign": sign, "times": found.times.to_string()});
    let clock = Arc::new(SystemClock::new());
    let now = clock.wall();
    archive.audit_log(clock)?.append(AccessRecord {
        actor: actor.clone(),
        what: "security_acknowledged",
        reason: reason.clone(),
        case: Case::none(),
        subject,
        outcome: Outcome::Done,
        rows: None,
        about: None,
    })?;
    database.transaction(|rows| rows.acknowledge(vehicle, sign, now, &actor.to_string(), reason.as_str()))?;
    print(&format!("{sign} of {} is acknowledged; it is open again when it comes again", visible(vehicle)))
}

/// A line of the status and of the list.
pub fn as_line(sign: &Sign) -> String {
    let (vehicle, text) = (visible(&sign.vehicle), visible(&sign.text).at_most(1000));
    let (times, first, last) = (count(sign.times, "time"), sign.first, sign.last);
    let state = if sign.is_open() { "OPEN" } else { "acknowledged" };
    let by = sign.acknowledged.as_ref().map_or_else(String::new, |(at, by, why)| {
        format!("; looked into {at:.0} by {}: {}", visible(by), visible(why))
    });
    let indicator = visible(&sign.indicator);
    format!("{state} {vehicle} {indicator}: {text}; noticed {times}, first {first:.0}, last {last:.0}{by}")
}

fn as_json(sign: &Sign) -> String {
    let acknowledged = sign.acknowledged.as_ref().map(|(at, by, why)| json!({"at": at, "by": by, "reason": why}));
    json!({
        "vehicle": sign.vehicle, "sign": sign.indicator, "text": sign.text, "times": sign.times, "first": sign.first,
        "last": sign.last, "open": sign.is_open(), "acknowledged": acknowledged,
    })
    .to_string()
}
