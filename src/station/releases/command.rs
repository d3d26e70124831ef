//! `plated-station partner`.

use super::{AgencyKind, NewPartner, Partner};
use crate::StationConfig;
use crate::archive::{Engine, settings};
use crate::command::print;
use crate::purging;
use clap::Subcommand;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use plated_access::{Actor, Case, Partners, Permit, Reason};
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::visible;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

/// Commands about the register of agencies that reads may be released to.
#[derive(Debug, Subcommand)]
pub enum PartnerCommand {
    /// Put an agency into the register
    #[command(after_help = "Example:
  plated-station partner add 'Lodi PD' --kind law_enforcement --jurisdiction CA --purpose 'stolen vehicles' \\
    --right-to-know 'agreement of 3 Feb 2026' --need-to-know 'investigation of vehicle theft' --review 2027-02-01 \\
    --reason 'agreement signed' --config station.toml")]
    Add {
        /// As it is called
        name: String,
        /// What it is
        #[arg(long, value_enum)]
        kind: AgencyKind,
        /// Two letters of its state, US for a federal agency
        #[arg(long)]
        jurisdiction: String,
        /// What its requests are for
        #[arg(long)]
        purpose: String,
        /// By what law or agreement it has a right to know
        #[arg(long)]
        right_to_know: String,
        /// What its duties need reads for
        #[arg(long)]
        need_to_know: String,
        /// The day on which somebody looks at it again; from then on nothing is released before that
        #[arg(long, value_name = "DAY")]
        review: Date,
        /// Why; it is recorded
        #[arg(long)]
        reason: String,
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Show the register, and why nothing may be released to an agency
    List {
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Somebody looked at an agency again: it counts until another day
    Review {
        /// As it is called
        name: String,
        /// The day of the next review
        #[arg(long, value_name = "DAY")]
        review: Date,
        /// Why; it is recorded
        #[arg(long)]
        reason: String,
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
    /// Nothing is released to an agency any more
    End {
        /// As it is called
        name: String,
        /// Why; it is recorded
        #[arg(long)]
        reason: String,
        /// The station's configuration
        #[arg(long)]
        config: PathBuf,
    },
}

/// An agency in the words of the audit log.
pub(crate) fn on_record(partner: &Partner, done: &str) -> serde_json::Value {
    json!({"partner": partner.id, "name": partner.name, "as": done, "review": partner.review})
}

impl PartnerCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        let now = SystemClock::new().wall();
        let today = now.to_zoned(TimeZone::UTC).date();
        let by = Actor::of_this_process().to_string();
        match self {
            Self::Add { name, kind, jurisdiction, purpose, right_to_know, need_to_know, review, reason, config } => {
                let new = NewPartner { name, kind, jurisdiction, purpose, right_to_know, need_to_know, review };
                let partner = Partner::new(new, by, now)?;
                change(&config, &reason, "added", |_| Ok(partner))
            }
            Self::Review { name, review, reason, config } => {
                change(&config, &reason, "reviewed", |all| find(all, &name)?.reviewed(review, today, by, now))
            }
            Self::End { name, reason, config } => {
                change(&config, &reason, "ended", |all| Ok(find(all, &name)?.ended(by, now)))
            }
            Self::List { config } => {
                let config = StationConfig::load(&config)?;
                let partners = settings::look(&config, |rows| rows.partners())?.unwrap_or_default();
                for partner in &partners {
                    let why = super::refusal(&config.release, Some(partner), today);
                    print(&format!(
                        "{}: {}, {}, {}; right to know: {}; need to know: {}; review {}{}",
                        visible(&partner.name),
                        partner.kind.in_words(),
                        partner.jurisdiction,
                        visible(&partner.purpose),
                        visible(&partner.right_to_know),
                        visible(&partner.need_to_know),
                        partner.review,
                        why.map_or_else(String::new, |why| format!("; NOTHING IS RELEASED: {why}"))
                    ))?;
                }
                if partners.is_empty() { print("no agency is in the register") } else { Ok(()) }
            }
        }
    }
}

fn find(all: Vec<Partner>, name: &str) -> Result<Partner> {
    let none = || Error::new(Kind::NotFound, format!("no agency \"{}\" is in the register", visible(name)));
    all.into_iter().find(|partner| partner.name == name).ok_or_else(none)
}

/// Changes the register, once that is on record.
fn change(config: &Path, reason: &str, done: &str, make: impl FnOnce(Vec<Partner>) -> Result<Partner>) -> Result<()> {
    let config = StationConfig::load(config)?;
    let archive: Arc<dyn Engine> = settings::beside(&config)?;
    let gate = purging::gate(&*archive, &config.access, Arc::new(SystemClock::new()))?;
    let rows = || archive.database().lock().unwrap_or_else(PoisonError::into_inner);
    let partner = make(rows().read(|rows| rows.partners())?)?;
    rows().read(|rows| rows.check_partner(&partner))?;
    let actor = Actor::of_this_process();
    let permit: Permit<Partners> =
        gate.open(&actor, &Reason::new(reason)?, &Case::none(), on_record(&partner, done))?;
    rows().transaction(|rows| rows.put_partner(&permit, &partner))?;
    print(&format!("{}: {done}; review {}", visible(&partner.name), partner.review))
}
