//! `plated-station search`, `corrections list` and `dispositions list`: what is shown is on record before (control
//! P-21).

use super::{DocumentQuery, Found, Plate, Query, StoredDocument, settings};
use crate::StationConfig;
use crate::command::print;
use crate::why::Why;
use clap::Subcommand;
use jiff::Timestamp;
use plated_access::{Gate, Hits, Permit, Search};
use plated_core::appearance::Looks;
use plated_core::config_file::moment;
use plated_core::error::Result;
use plated_core::officers::{Correction, DispositionRecord, Reading};
use plated_core::text::visible;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Search the reads that are here
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated-station search 7ABC123 --reason 'witness named it' --case 26-1234 --config station.toml
  plated-station search '7AB?12*' --from '2026-11-20 00:00' --reason 'robbery at 5th and Main' --config station.toml

A read is found by what was read and by what it was corrected to; both are shown. ? stands for one character, * for any
number. The search is on record before anything is shown.")]
pub struct SearchArgs {
    /// Plate, or partial plate
    #[arg(value_name = "PLATE", required_unless_present_any = ["class", "colour", "make"])]
    plate: Option<String>,
    /// Only vehicles seen as: car, suv, pickup, van, truck, bus, motorcycle, trailer
    #[arg(long)]
    class: Option<String>,
    /// Only vehicles seen in this colour, such as white
    #[arg(long, visible_alias = "color")]
    colour: Option<String>,
    /// Only vehicles seen as of this make, such as toyota
    #[arg(long)]
    make: Option<String>,
    /// Last seen then or later
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// First seen before then
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Issuing state, two letters
    #[arg(long)]
    state: Option<String>,
    /// Only of this vehicle
    #[arg(long)]
    vehicle: Option<String>,
    /// At most so many, the newest
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    #[command(flatten)]
    out: Out,
}

/// What officers say that reads really say
#[derive(Debug, Subcommand)]
pub enum CorrectionsCommand {
    /// Show the corrections that vehicles sent, the last first
    #[command(after_help = "Examples:
  plated-station corrections list --reason 'weekly review' --config station.toml
  plated-station corrections list --vehicle unit-7 --from '2026-11-20 00:00' --reason 'its camera' --config station.toml")]
    List(ListArgs),
}

/// What officers found about hits
#[derive(Debug, Subcommand)]
pub enum DispositionsCommand {
    /// Show the dispositions that vehicles sent, the last first
    #[command(after_help = "Examples:
  plated-station dispositions list --reason 'weekly review' --config station.toml
  plated-station dispositions list --reason 'quarterly audit' --json --config station.toml")]
    List(ListArgs),
}

/// Which of them.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Came then or later
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// Came before then
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Only of this vehicle
    #[arg(long)]
    vehicle: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    limit: u16,
    #[command(flatten)]
    out: Out,
}

/// Why, and in what form.
#[derive(Debug, clap::Args)]
struct Out {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    why: Why,
    /// The station's configuration
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

impl SearchArgs {
    /// Does it.
    pub fn run(self) -> Result<()> {
        let query = Query {
            plate: self.plate.as_deref().map(Plate::parse).transpose()?,
            looks: Looks { class: self.class, colour: self.colour, make: self.make }.checked()?,
            state: self.state.map(|state| state.to_ascii_uppercase()),
            from: self.from,
            until: self.until,
            vehicle: self.vehicle,
            limit: self.limit.into(),
            ..Query::default()
        };
        let config = StationConfig::load(&self.out.config)?;
        let archive = settings::beside(&config)?;
        let (gate, permit): (Gate, Permit<Search>) = self.out.why.open(&config, &*archive, query.elements())?;
        let page = archive.search(&permit, &query)?;
        gate.shown(&permit, page.reads.len() as u64)?;
        for found in &page.reads {
            print(&if self.out.json { read_as_json(found) } else { read_as_line(found) })?;
        }
        match (self.out.json, page.reads.is_empty(), page.next) {
            (false, true, _) => print("no read fits"),
            (false, _, Some(_)) => print("there are older ones too; give --until or a larger --limit"),
            _ => Ok(()),
        }
    }
}

fn reading(Reading { text, state }: &Reading) -> String {
    format!("{} {}", visible(text), if state.is_empty() { "--" } else { state })
}

fn read_as_line(found: &Found) -> String {
    let of = &found.envelope;
    let read = reading(&Reading { text: of.text.clone(), state: of.state.clone() });
    let corrected = found.corrected.as_ref().map_or_else(String::new, |to| format!(", corrected to {}", reading(to)));
    let hit = if of.has_hit { ", hit" } else { "" };
    let (vehicle, camera) = (visible(&of.vehicle), visible(&of.camera));
    format!(
        "{:.0} {read} ({:.0} %){corrected}{hit}, {vehicle} {camera}, {}",
        of.last_seen,
        of.confidence * 100.0,
        found.id
    )
}

fn read_as_json(found: &Found) -> String {
    let of = &found.envelope;
    json!({
        "id": found.id, "text": of.text, "state": of.state, "corrected": found.corrected, "confidence": of.confidence,
        "first_seen": of.first_seen, "last_seen": of.last_seen, "vehicle": of.vehicle, "camera": of.camera,
        "hit": of.has_hit, "canvass": of.canvass, "class": of.class, "position": of.position,
        "received": found.received,
    })
    .to_string()
}

impl CorrectionsCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        let Self::List(list) = self;
        list.run("correction", |_: &StoredDocument, c: &Correction| {
            let (read, by, why) = (c.read, visible(&c.by.user), visible(&c.reason));
            let (was, is) = (reading(&c.original), reading(&c.corrected));
            format!("{:.0} {} read {read}: read as {was}, corrected to {is} by {by}: {why}", c.at, visible(&c.vehicle))
        })
    }
}

impl DispositionsCommand {
    /// Does what the command line asks.
    pub fn run(self) -> Result<()> {
        let Self::List(list) = self;
        list.run("disposition", |_: &StoredDocument, d: &DispositionRecord| {
            let (found, listed, by) = (visible(&d.finding), visible(&d.listed), visible(&d.by.user));
            format!(
                "{:.0} {} hit {} of read {}, listed {listed}: {found}, by {by}",
                d.at,
                visible(&d.vehicle),
                d.hit,
                d.read
            )
        })
    }
}

impl ListArgs {
    fn run<T: DeserializeOwned>(self, kind: &str, line: impl Fn(&StoredDocument, &T) -> String) -> Result<()> {
        let config = StationConfig::load(&self.out.config)?;
        let archive = settings::beside(&config)?;
        let subject = json!({"documents": kind, "vehicle": self.vehicle, "from": self.from, "until": self.until});
        let (gate, permit): (Gate, Permit<Hits>) = self.out.why.open(&config, &*archive, subject)?;
        let query = DocumentQuery {
            kind: kind.to_owned(),
            vehicle: self.vehicle,
            from: self.from,
            until: self.until,
            limit: self.limit.into(),
        };
        let all = archive.documents(&permit, &query)?;
        gate.shown(&permit, all.len() as u64)?;
        for document in &all {
            let parsed = serde_json::from_slice::<T>(&document.json);
            print(&match parsed {
                _ if self.out.json => {
                    let value: Value = serde_json::from_slice(&document.json).unwrap_or_default();
                    json!({"received": document.received, kind: value}).to_string()
                }
                Ok(parsed) => line(document, &parsed),
                // Of a newer vehicle: kept as it came.
                Err(_) => format!(
                    "{:.0} {}: a {kind} of another form; --json shows it",
                    document.received,
                    visible(&document.vehicle)
                ),
            })?;
        }
        if all.is_empty() && !self.out.json { print(&format!("no vehicle sent a {kind}")) } else { Ok(()) }
    }
}
