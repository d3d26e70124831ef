//! One read with all that is kept of it: pictures, hits, corrections, and its chain of custody (controls P-08, P-15,
//! P-21, P-30).

use super::look::Look;
use super::site::{Routes, Visit};
use super::visible::{KnownLists, urgency};
use super::{Station, holds, not_found, pictures};
use crate::archive::{PictureRef, StoredRead};
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use plated_access::{HoldEvidence, Permit, Recorded, Search};
use plated_core::error::{Context, Kind, Result};
use plated_core::officers::{Correction, DispositionRecord, Reading};
use plated_core::position::Position;
use plated_core::record::{Alerting, ClockMark, HitRecord, ReadRecord};
use plated_core::text::count;
use plated_portal::{Needs, blocking, draw, words};
use plated_web::map::{Map, Mark, Place};
use plated_web::pages::{self, Confidence, Hit, ReadRow};
use plated_web::plate::Plate;
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Health, Link, Message, Picture, Urgency};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// Kinds of documents about a read.
const CORRECTION: &str = "correction";
const DISPOSITION: &str = "disposition";
/// Miles an hour in a metre a second.
const MPH: f32 = 2.236_94;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/reads/{read}", Needs::Look, read)
}

/// A read as it is kept, with what may be seen of its hits and what officers found.
pub struct Known {
    /// All that is kept of it.
    pub stored: StoredRead,
    /// Its record.
    pub record: ReadRecord,
    /// Hits that may be seen, those of corrections too.
    pub hits: Vec<HitRecord>,
    /// The oldest first.
    pub corrections: Vec<Correction>,
    dispositions: Vec<DispositionRecord>,
}

impl Known {
    /// The read of this id; none when it is not here.
    ///
    /// # Errors
    /// `Damaged` when it can't be read.
    pub fn find(station: &Station, lists: &KnownLists, permit: &Permit<Search>, id: Uuid) -> Result<Option<Self>> {
        let Some(stored) = station.archive.read(permit, id)? else { return Ok(None) };
        let unreadable = || format!("the record of the read {id} can't be read");
        let record: ReadRecord = serde_json::from_slice(&stored.record).context(Kind::Damaged, unreadable)?;
        let documents = |kind: &'static str| {
            stored.documents.iter().filter(move |(of, _)| of == kind).map(|(_, json)| json.as_slice())
        };
        let mut corrections: Vec<Correction> =
            documents(CORRECTION).filter_map(|json| serde_json::from_slice(json).ok()).collect();
        corrections.sort_by_key(|correction| correction.at);
        let mut dispositions: Vec<DispositionRecord> =
            documents(DISPOSITION).filter_map(|json| serde_json::from_slice(json).ok()).collect();
        dispositions.sort_by_key(|disposition| disposition.at);
        let mut hits = lists.hits(permit.scope(), &record);
        let corrected = corrections.iter().flat_map(|correction| &correction.hits);
        hits.extend(corrected.filter_map(|hit| lists.hit(permit.scope(), hit)));
        Ok(Some(Self { stored, record, hits, corrections, dispositions }))
    }

    /// Whether it has hits that may not be seen by whom it was looked for.
    pub fn has_hidden_hits(&self) -> bool {
        let corrected = self.corrections.iter().flat_map(|correction| &correction.hits);
        let all: usize = self.record.hits.iter().chain(corrected).map(|hit| hit.entries.len()).sum();
        all != self.hits.iter().map(|hit| hit.entries.len()).sum::<usize>()
    }

    /// What it says by now.
    pub fn current(&self) -> Reading {
        let last = self.corrections.last().map(|last| last.corrected.clone());
        last.unwrap_or_else(|| Reading { text: self.record.text.clone(), state: self.record.state.clone() })
    }

    fn picture(&self, role: &str) -> Option<Picture> {
        let of: &PictureRef = self.stored.found.envelope.pictures.iter().find(|picture| picture.role == role)?;
        let (alt, width, height) = match role {
            "plate" => ("Plate as the camera saw it", 320, 160),
            _ => ("Vehicle as the camera saw it", 800, 450),
        };
        Some(Picture { src: pictures::address(self.record.id, &of.sha256), alt: alt.into(), width, height })
    }
}

/// A read as a row of a result.
pub fn row(known: &Known, now: Timestamp) -> ReadRow {
    let (record, current) = (&known.record, known.current());
    ReadRow {
        id: record.id.to_string(),
        href: format!("/reads/{}", record.id),
        plate: Plate::new(&current.text, &current.state),
        crop: known.picture("plate"),
        confidence: Confidence(record.confidence),
        camera: format!("{}, {}", record.vehicle, record.camera),
        at: words::moment(record.last_seen, now),
        place: record.position.as_ref().map_or_else(String::new, place),
        urgency: urgency(&known.hits).map(Urgency),
        corrected: !known.corrections.is_empty(),
    }
}

fn place(position: &Position) -> String {
    format!("{:.5}, {:.5}", position.lat, position.lon)
}

/// The id in an address; what is none names no read.
pub fn id_of(text: &str) -> Result<Uuid> {
    Uuid::parse_str(text).map_err(|_| not_found("read"))
}

async fn read(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let message = (visit.query.get("done") == "held").then(|| Message {
        health: Health::Good,
        text: "The read is kept as evidence until the hold is released.".into(),
    });
    page(&visit, id_of(&id)?, StatusCode::OK, message, &holds::Entered::default()).await
}

/// The page of a read, with the form of a hold as it was entered.
///
/// # Errors
/// `NotFound` when there is no such read.
pub async fn page(
    visit: &Visit,
    id: Uuid,
    status: StatusCode,
    message: Option<Message>,
    hold: &holds::Entered,
) -> Result<Response, Problem> {
    let (station, look) = (visit.station.clone(), visit.look()?.clone());
    let known = blocking(move || find(&station, &look, id)).await?;
    let mut frame = visit.frame("Read", "Search").await?;
    frame.messages.extend(message);
    let (record, current, now) = (&known.record, known.current(), visit.station.clock.wall());
    let may_hold = HoldEvidence::ROLES.contains(&visit.visitor()?.role());
    let page = pages::ReadDetail {
        frame,
        plate: Plate::new(&current.text, &current.state),
        confidence: Confidence(record.confidence),
        read_as: (!known.corrections.is_empty()).then(|| Plate::new(&record.text, &record.state)),
        crop: known.picture("plate"),
        overview: known.picture("overview"),
        facts: facts(record, &current),
        map: map(record, &current, !known.hits.is_empty()),
        readings: readings(record),
        hits: known.hits.iter().map(|hit| self::hit(hit, &known.dispositions)).collect(),
        hidden: String::new(),
        history: known.corrections.iter().map(|c| (words::moment(c.at, now), history(c))).collect(),
        correct: None,
        transfer: custody_in_short(&known.stored, now),
        custody: custody(&known, &visit.station),
        track: Some(Link::new("Where else it was read", format!("/reads/{id}/track"))),
        hold: may_hold.then(|| holds::form(visit, id, hold)),
    };
    Ok((status, draw(&page)?).into_response())
}

/// The read, on record as shown. Blocks.
pub fn find(station: &Station, look: &Look, id: Uuid) -> Result<Known> {
    let permit: Arc<Permit<Search>> = Arc::new(look.open(station, json!({"read": id}))?);
    let known = Known::find(station, &KnownLists::of(station)?, &permit, id)?;
    station.gate.shown(&permit, u64::from(known.is_some()))?;
    let known = known.ok_or_else(|| not_found("read"))?;
    look.show(id, &permit);
    Ok(known)
}

fn facts(record: &ReadRecord, current: &Reading) -> Vec<Fact> {
    let at = record.last_seen.to_zoned(TimeZone::system()).strftime("%-d %b %Y, %H:%M:%S");
    let seen = match record.clock {
        None => Fact::new("Seen", at.to_string()),
        Some(ClockMark::NotTrusted) => {
            Fact::new("Seen", format!("{at}; the clock was not trusted")).health(Health::Warning)
        }
        Some(ClockMark::Corrected) => Fact::new("Seen", format!("{at}, set right")),
    };
    let took = record.last_seen.duration_since(record.first_seen).as_secs_f64().max(0.0);
    let mut facts = vec![
        Fact::new("Plate", current.text.clone()).copied_by("Copy the plate"),
        seen,
        Fact::new("In view", format!("{took:.1} s, {}, {} agree", count(record.looks.into(), "look"), record.agreeing)),
        Fact::new("Vehicle", record.vehicle.clone()),
        Fact::new("Camera", record.camera.clone()),
        Fact::new("Position", record.position.as_ref().map_or_else(|| "not known".into(), place)),
    ];
    let speed = record.position.as_ref().and_then(|position| position.speed_m_s);
    facts.extend(speed.map(|speed| Fact::new("Speed", format!("{:.0} mph", speed * MPH))));
    facts.extend(record.appearance.as_ref().map(|seen| Fact::new("Looks like", words::appearance(seen))));
    facts.extend(record.canvass.as_ref().map(|incident| Fact::new("Canvass", incident.clone())));
    facts.push(Fact::new("Read by", format!("plated {}, reader {}", record.made_by.plated, record.made_by.reader)));
    facts
}

fn map(record: &ReadRecord, current: &Reading, hit: bool) -> Option<Map> {
    let position = record.position?;
    let mark = if hit { Mark::Hit } else { Mark::Read };
    let heading = position.heading.map(f64::from);
    let place = Place { lat: position.lat, lon: position.lon, heading, mark, label: current.text.clone(), focus: true };
    Map::of("Where it was read.", vec![place], Vec::new())
}

/// What else it may say, but for its own text.
fn readings(record: &ReadRecord) -> Vec<pages::Reading> {
    let others = record.candidates.iter().filter(|other| other.text != record.text);
    let reading = |other: &plated_core::record::Candidate| pages::Reading {
        plate: Plate::new(&other.text, ""),
        confidence: Confidence(other.confidence),
    };
    others.map(reading).collect()
}

/// A hit, and what an officer found about it: a lead until CLETS or dispatch answered.
fn hit(hit: &HitRecord, dispositions: &[DispositionRecord]) -> Hit {
    let last = dispositions.iter().rev().find(|of| of.hit == hit.id);
    let standing = last.map_or_else(
        || "Unverified lead".to_owned(),
        |of| format!("{}, {}, {}", words::title(&of.finding), of.by, words::day_time(of.at)),
    );
    let alerted = match hit.alert {
        Alerting::Candidate => "; improbable: it alerted nobody",
        Alerting::NotThisVehicle => "; found not to be this vehicle",
        _ => "",
    };
    let entry = hit.entries.first().map(|of| &of.entry);
    let category = entry.map_or_else(String::new, |entry| words::title(&entry.category));
    let category = if category.is_empty() { "Listed plate".to_owned() } else { category };
    let list = entry.map_or("", |entry| entry.list.as_str());
    Hit {
        link: Link::new(format!("{category}, {list}"), ""),
        urgency: Urgency(hit.priority()),
        listed: Plate::new(&hit.listed, entry.map_or("", |entry| entry.state.as_str())),
        standing: standing + alerted,
    }
}

/// A correction in a sentence.
fn history(c: &Correction) -> String {
    let reading = |r: &Reading| [&*r.text, &*r.state].join(" ").trim_end().to_owned();
    format!("{} corrected {} to {}: {}", c.by, reading(&c.original), reading(&c.corrected), c.reason)
}

fn custody_in_short(stored: &StoredRead, now: Timestamp) -> (Health, String) {
    let received = words::moment(stored.found.received, now).text;
    match stored.holds.len() {
        0 => (Health::Good, format!("Received {received}, as it was sealed")),
        1 => (Health::Info, format!("Received {received}; under an evidence hold")),
        n => (Health::Info, format!("Received {received}; under {n} evidence holds")),
    }
}

/// From the camera to here: who had it, when, and by which hash it is known to be the same.
fn custody(known: &Known, station: &Station) -> Vec<Fact> {
    let (record, found) = (&known.record, &known.stored.found);
    let mut chain = vec![
        Fact::new(
            "Captured",
            format!("{} by {} of {}", words::day_time(record.last_seen), record.camera, record.vehicle),
        ),
        Fact::new("Sealed in the vehicle", format!("SHA-256 {}", found.sha256)).copied_by("Copy the hash"),
        Fact::new(
            "Received",
            format!("{} by {}, batch {}", words::day_time(found.received), station.name, known.stored.batch),
        ),
        Fact::new("Compared with its hash", format!("{}, the same", words::day_time(station.clock.wall()))),
    ];
    chain.extend(known.stored.holds.iter().map(|hold| Fact::new("Evidence hold", hold.to_string())));
    for picture in &found.envelope.pictures {
        let name = format!("Picture: {}", picture.role);
        chain.push(Fact::new(
            name,
            format!("SHA-256 {}, {} bytes", picture.sha256, words::number(picture.bytes.into())),
        ));
    }
    chain
}
