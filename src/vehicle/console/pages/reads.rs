//! One read with all that is known of it, and its correction (controls P-08, P-21, P-30).

use crate::console::cards;
use crate::console::door::redirect;
use crate::console::look::Look;
use crate::console::routes::{Needs, Routes};
use crate::console::visit::Visit;
use crate::console::{Console, blocking, draw, rows, words};
use crate::control::{Reply, Request};
use crate::store::{KeptRead, ReadDetail, TransferState};
use crate::visible::{self, VisibleHit};
use axum::Extension;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use plated_access::{Duty, Permit, Search};
use plated_core::error::{Error, Kind, Result};
use plated_core::officers::{Correction, Reading};
use plated_core::record::{Alerting, ClockMark, HitRecord, ImageRole, ReadRecord, Rule};
use plated_core::text::{count, sentence};
use plated_hotlist::format::{Codes, code_of};
use plated_web::fields::Fields;
use plated_web::map::{Map, Mark, Place};
use plated_web::pages::{self, Confidence, Hit, Step};
use plated_web::plate::Plate;
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Field, Health, Input, Link, Message, Urgency};
use serde_json::json;
use uuid::Uuid;

/// What goes on record as the reason of who corrects it and gives none.
const MISREAD: &str = "the read does not say what the picture shows";
/// Miles an hour in a metre a second.
const MPH: f32 = 2.236_94;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/reads/{read}", Needs::Look, read).post("/reads/{read}/correct", Needs::Look, correct)
}

/// What the form of a correction had, and what is wrong with it.
#[derive(Default)]
struct Entered {
    text: String,
    state: String,
    why: String,
    wrong: Vec<(&'static str, String)>,
}

/// The id in an address; what is none names no read.
fn id_of(text: &str) -> Result<Uuid> {
    Uuid::parse_str(text).map_err(|_| none())
}

fn none() -> Error {
    Error::new(Kind::NotFound, "there is no such read")
}

async fn read(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    page(&visit, id_of(&id)?, StatusCode::OK, None).await
}

async fn page(visit: &Visit, id: Uuid, status: StatusCode, entered: Option<Entered>) -> Result<Response, Problem> {
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let (detail, seen) = blocking(move || find(&console, &look, id)).await?;
    let mut frame = visit.frame("Read", "Search").await?;
    if visit.query.get("done") == "corrected" {
        let hits = detail
            .read
            .corrections
            .first()
            .map_or(0, |last| seen.hits.iter().filter(|(hit, _)| hit.correction == Some(last.id)).count());
        let text = match hits {
            0 => "Corrected, and matched again: no hit that you may see.".to_owned(),
            n => format!("Corrected, and matched again: {}.", count(n as u64, "hit")),
        };
        frame.messages.push(Message { health: Health::Good, text });
    }
    let now = visit.console.clock.wall();
    let (read, current) = (&detail.read.record, current(&detail.read));
    let may_correct = Duty::Enter.roles().contains(&visit.visitor()?.role());
    let page = pages::ReadDetail {
        frame,
        plate: Plate::new(&current.text, &current.state),
        confidence: Confidence(read.confidence),
        read_as: (!detail.read.corrections.is_empty()).then(|| Plate::new(&read.text, &read.state)),
        crop: rows::picture(read, ImageRole::Plate),
        overview: rows::picture(read, ImageRole::Overview),
        facts: facts(read, &current),
        map: map(&detail, &current, !seen.hits.is_empty()),
        readings: readings(read),
        hits: seen.hits.iter().map(|(hit, standing)| row(hit, standing)).collect(),
        hidden: match seen.hidden {
            0 => String::new(),
            1 => "There is a hit of a list for which you are not authorised.".into(),
            n => format!("There are {n} hits of lists for which you are not authorised."),
        },
        history: detail.read.corrections.iter().rev().map(|c| (words::moment(c.at, now), history(c))).collect(),
        correct: may_correct.then(|| form(visit, id, &entered.unwrap_or_else(|| Entered::of(&current)))),
        transfer: transfer(&detail.transfer, now),
        custody: Vec::new(),
        track: None,
        hold: None,
    };
    Ok((status, draw(&page)?).into_response())
}

/// Its hits that may be seen, with where each stands, and how many more there are of which that may be known.
#[derive(Default)]
struct Seen {
    hits: Vec<(HitRecord, String)>,
    hidden: usize,
}

/// The read, on record as shown, and what may be seen of its hits. Blocks.
fn find(console: &Console, look: &Look, id: Uuid) -> Result<(ReadDetail, Seen)> {
    let gate = console.officers.gate();
    let permit: Permit<Search> = look.open(console, json!({"read": id}))?;
    let found = console.store.read_detail(&permit, id)?;
    gate.shown(&permit, u64::from(found.is_some()))?;
    let detail = found.ok_or_else(none)?;
    let mut seen = Seen::default();
    for hit in detail.read.hits() {
        match visible::hit(permit.scope(), console.officers.settings(), hit) {
            VisibleHit::Whole(hit) => {
                let list = hit.entries.first().map_or("", |e| e.entry.list.as_str());
                look.show_alert(console, hit.id, &hit.listed, list)?;
                let standing = standing(console, look, &hit)?;
                seen.hits.push((*hit, standing));
            }
            VisibleHit::Existence => seen.hidden += 1,
            VisibleHit::Hidden => {}
        }
    }
    Ok((detail, seen))
}

/// What came of a hit, or that it is a lead still.
fn standing(console: &Console, look: &Look, hit: &HitRecord) -> Result<String> {
    let kept = look.hits.as_ref().map(|permit| console.store.alert(permit, hit.id)).transpose()?.flatten();
    let step = kept.map(|kept| cards::step(&kept.findings, console.clock.wall()));
    let answered = match step {
        Some(Step::Answered(text)) => text,
        Some(Step::Dispatch) => "Unverified: ask CLETS or dispatch".into(),
        Some(Step::Compare) | None => "Unverified lead".into(),
    };
    let alerted = match hit.alert {
        Alerting::Sounded => "",
        Alerting::Repeat => ", alerted a short while before",
        Alerting::Quieted => ", muted: the pairing was found wrong this shift",
        Alerting::NotThisVehicle => ", muted: found not to be this vehicle",
        Alerting::Candidate => ", improbable: alerted nobody",
        Alerting::Covert => "",
    };
    Ok(format!("{answered}{alerted}"))
}

fn row(hit: &HitRecord, standing: &str) -> Hit {
    let first = hit.entries.first();
    let listed = match (hit.rule, first) {
        (Rule::Wildcard, _) | (_, None) => hit.listed.clone(),
        (_, Some(entry)) => entry.entry.plate.clone(),
    };
    let category = first.map_or_else(String::new, |e| cards::category(&e.entry));
    Hit {
        link: Link::new(category, cards::href(hit)),
        urgency: Urgency(hit.priority()),
        listed: Plate::new(&listed, first.map_or("", |e| &e.entry.state)),
        standing: standing.into(),
    }
}

/// What it says by now.
fn current(kept: &KeptRead) -> Reading {
    let read = &kept.record;
    let last = kept.corrections.first().map(|last| last.corrected.clone());
    last.unwrap_or_else(|| Reading { text: read.text.clone(), state: read.state.clone() })
}

fn facts(read: &ReadRecord, current: &Reading) -> Vec<Fact> {
    let at = read.last_seen.to_zoned(TimeZone::system()).strftime("%-d %b %Y, %H:%M:%S");
    let seen = match read.clock {
        None => Fact::new("Seen", at.to_string()),
        Some(ClockMark::NotTrusted) => {
            Fact::new("Seen", format!("{at}; the clock was not trusted")).health(Health::Warning)
        }
        Some(ClockMark::Corrected) => Fact::new("Seen", format!("{at}, set right")),
    };
    let took = read.last_seen.duration_since(read.first_seen).as_secs_f64().max(0.0);
    let mut facts = vec![
        Fact::new("Plate", current.text.clone()).copied_by("Copy the plate"),
        seen,
        Fact::new("In view", format!("{took:.1} s, {}, {} agree", count(read.looks.into(), "look"), read.agreeing)),
        Fact::new("Camera", read.camera.clone()),
        Fact::new("Vehicle", read.vehicle.clone()),
    ];
    facts.extend(read.appearance.as_ref().map(|seen| Fact::new("Looks like", words::appearance(seen))));
    if let Some(position) = &read.position {
        let error = position.error_m.map_or_else(String::new, |error| format!(" ± {error:.0} m"));
        facts.push(Fact::new("Position", format!("{:.5}, {:.5}{error}", position.lat, position.lon)));
        let going = position.heading.map(|degrees| format!("{degrees:.0}°, {}", rows::compass(degrees)));
        let speed = position.speed_m_s.map(|speed| format!("{:.0} mph", speed * MPH));
        let motion: Vec<_> = going.into_iter().chain(speed).collect();
        facts.push(Fact::new("Heading, speed", motion.join(", ")));
    } else {
        facts.push(Fact::new("Position", "not known"));
    }
    facts.extend(read.stood_s.map(|s| Fact::new("Stood in view for", format!("{s:.0} s"))));
    facts.extend(read.canvass.as_ref().map(|incident| Fact::new("Canvass", incident.clone())));
    facts.push(Fact::new("Read by", format!("plated {}, reader {}", read.made_by.plated, read.made_by.reader)));
    facts
}

/// What else it may say, but for its own text.
fn readings(read: &ReadRecord) -> Vec<pages::Reading> {
    let others = read.candidates.iter().filter(|other| other.text != read.text);
    let reading = |other: &plated_core::record::Candidate| pages::Reading {
        plate: Plate::new(&other.text, ""),
        confidence: Confidence(other.confidence),
    };
    others.map(reading).collect()
}

fn map(detail: &ReadDetail, current: &Reading, hit: bool) -> Option<Map> {
    let position = detail.read.record.position?;
    let mark = if hit { Mark::Hit } else { Mark::Read };
    let heading = position.heading.map(f64::from);
    let place = Place { lat: position.lat, lon: position.lon, heading, mark, label: current.text.clone(), focus: true };
    let way = if detail.way.len() > 1 { detail.way.clone() } else { Vec::new() };
    let summary = match way.is_empty() {
        true => "Where it was read.",
        false => "Where it was read, and the way of this vehicle a minute before and after.",
    };
    Map::of(summary, vec![place], way)
}

/// A correction in a sentence.
fn history(c: &Correction) -> String {
    let reading = |r: &Reading| [&*r.text, &*r.state].join(" ").trim_end().to_owned();
    format!("{} corrected {} to {}: {}", c.by, reading(&c.original), reading(&c.corrected), c.reason)
}

fn transfer(state: &TransferState, now: Timestamp) -> (Health, String) {
    match state {
        TransferState::Open => (Health::Info, "The pass goes on; not sent yet".into()),
        TransferState::Waiting => (Health::Info, "Waits to be sent".into()),
        TransferState::Refused { at, reason } => {
            let at = words::moment(*at, now).text;
            (Health::Warning, format!("The station refused it at {at}: {reason}"))
        }
        TransferState::Received { at, station } => {
            (Health::Good, format!("Received by {station}, receipt of {}", words::moment(*at, now).text))
        }
    }
}

impl Entered {
    /// What it says, to be changed.
    fn of(current: &Reading) -> Self {
        Self { text: current.text.clone(), state: current.state.clone(), ..Self::default() }
    }
}

fn form(visit: &Visit, id: Uuid, entered: &Entered) -> plated_web::ui::Form {
    let mut form = visit.form(&format!("/reads/{id}/correct"), "Correct and match again");
    let error = |name: &str| {
        entered.wrong.iter().find(|(field, _)| *field == name).map_or_else(String::new, |(_, why)| why.clone())
    };
    form.fields = vec![
        Field::new(Input::Plate, "text", "What the plate really says")
            .max(20)
            .required()
            .error(error("text"))
            .value(entered.text.clone()),
        Field::new(Input::Text, "state", "State").max(2).error(error("state")).value(entered.state.clone()),
        Field::new(Input::Text, "why", "Why it was misread").max(300).error(error("why")).value(entered.why.clone()),
    ];
    form
}

/// Keeps what the plate says; the service matches that at once, and a hit alerts.
async fn correct(
    visit: Visit,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let (id, look, console) = (id_of(&id)?, visit.look()?.clone(), visit.console.clone());
    let text = |name: &str| fields.get(name).trim().to_uppercase();
    let mut entered = Entered {
        text: text("text"),
        state: text("state"),
        why: fields.get("why").trim().to_owned(),
        wrong: Vec::new(),
    };
    if !entered.state.is_empty() && code_of(&entered.state, Codes::Postal).is_none_or(str::is_empty) {
        let why = "There is no such state; give its two letters, such as CA, or none.".into();
        entered.wrong.push(("state", why));
    }
    let reason = look.because(if entered.why.is_empty() { MISREAD } else { &entered.why });
    let request = match (reason, entered.wrong.is_empty()) {
        (Ok(reason), true) => Request::Correct {
            read: id.simple().to_string(),
            plate: entered.text.clone(),
            state: Some(entered.state.clone()),
            reason,
            case: look.case.as_str().to_owned(),
        },
        (reason, _) => {
            entered.wrong.extend(reason.err().map(|e| ("why", sentence(&words::capital(&e.to_string())))));
            return page(&visit, id, StatusCode::UNPROCESSABLE_ENTITY, Some(entered)).await;
        }
    };
    let done = blocking(move || {
        let mut ignore = |_: Reply| Ok(());
        match console.officers.answer(request, look.actor(), None, &mut ignore) {
            Err(e) if e.kind() == Kind::Input => Ok(Some(sentence(&words::capital(&e.to_string())))),
            other => other.map(|()| None),
        }
    })
    .await?;
    match done {
        None => Ok(redirect(&format!("/reads/{id}?done=corrected"))),
        Some(why) => {
            entered.wrong.push(("text", why));
            page(&visit, id, StatusCode::UNPROCESSABLE_ENTITY, Some(entered)).await
        }
    }
}
