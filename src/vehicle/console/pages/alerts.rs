//! Alerts: the queue, the card, its answers (controls P-06, P-08).

use crate::console::cards::{self, For};
use crate::console::door::redirect;
use crate::console::look::{Look, Tone};
use crate::console::routes::{Needs, Routes};
use crate::console::visit::Visit;
use crate::console::{Console, blocking, draw, rows, words};
use crate::control::{Request, StatusReport};
use crate::store::{Finding, KeptAlert};
use crate::visible::{self, VisibleHit};
use axum::Extension;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use plated_access::Duty;
use plated_core::error::{Error, Kind, Result};
use plated_core::record::HitRecord;
use plated_web::fields::Fields;
use plated_web::pages::{self, Alert, AlertCard, AlertPart, AlertRow, Alerts, Step};
use plated_web::problem::Problem;
use plated_web::ui::{Pager, Urgency};
use std::sync::Arc;
use uuid::Uuid;

/// Alerts that are looked at of a shift.
const MAX_ALERTS: usize = 400;
/// Of them, without an answer, over a page.
const MAX_PENDING: usize = 30;
/// Rows on a page of the list.
const PAGE: usize = 50;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/alerts", Needs::Look, list)
        .get("/alerts/{hit}", Needs::Look, page)
        .post("/alerts/{hit}", Needs::Look, answer)
        .post("/alerts/{hit}/tone", Needs::Look, tone)
}

/// An alert, with what may be seen of it.
type Seen = (KeptAlert, Box<HitRecord>);

/// The alerts of this shift that may be seen, newest first, and how many of others there are.
fn of_shift(console: &Console, look: &Look) -> Result<(Vec<Seen>, usize)> {
    let Some(permit) = &look.hits else { return Ok(Default::default()) };
    let from = console.clock.wall() - console.shift;
    let (mut seen, mut hidden) = (Vec::new(), 0);
    for alert in console.store.alerts(permit, from, MAX_ALERTS)? {
        match visible::hit(permit.scope(), console.officers.settings(), &alert.hit) {
            VisibleHit::Whole(hit) => seen.push((alert, hit)),
            VisibleHit::Existence => hidden += 1,
            VisibleHit::Hidden => {}
        }
    }
    Ok((seen, hidden))
}

/// How many alerts of this shift exist that may not be seen, where the agency lets that be known. Blocks.
pub fn hidden(console: &Console, look: &Look) -> Result<usize> {
    if !console.access.alert_existence_shown {
        return Ok(0);
    }
    Ok(of_shift(console, look)?.1)
}

/// One alert, put on record as shown. Blocks.
///
/// # Errors
/// `NotFound` where there is none that may be seen.
pub fn find(console: &Console, look: &Look, id: Uuid) -> Result<Seen> {
    let none = || Error::new(Kind::NotFound, "there is no such alert");
    let permit = look.hits.as_ref().ok_or_else(none)?;
    let alert = console.store.alert(permit, id)?.ok_or_else(none)?;
    match visible::hit(permit.scope(), console.officers.settings(), &alert.hit) {
        VisibleHit::Whole(hit) => {
            show(console, look, &hit)?;
            Ok((alert, hit))
        }
        _ => Err(none()),
    }
}

/// Who sees it goes on record before it is seen.
fn show(console: &Console, look: &Look, hit: &HitRecord) -> Result<()> {
    let list = hit.entries.first().map_or("", |e| e.entry.list.as_str());
    look.show_alert(console, hit.id, &hit.listed, list)
}

fn is_open((alert, _): &Seen) -> bool {
    !matches!(cards::step(&alert.findings, alert.hit.at), Step::Answered(_))
}

fn card_of(
    console: &Console,
    look: &Look,
    csrf: &str,
    report: &StatusReport,
    (alert, hit): &Seen,
    all_entries: bool,
) -> AlertCard {
    let (seen, enters) = (look.has_seen(hit.id), look.may(Duty::Enter));
    cards::card(alert, hit, For { console, csrf, report, seen, all_entries, enters })
}

/// Cards of the alerts without an answer, the most urgent first and of those the newest, each on record as
/// shown. Blocks.
///
/// # Errors
/// What kept one from being put on record; none may be shown then.
pub fn pending(console: &Console, look: &Look, csrf: &str, report: &StatusReport) -> Result<Vec<AlertCard>> {
    let mut open: Vec<Seen> = of_shift(console, look)?.0.into_iter().filter(is_open).collect();
    open.sort_by_key(|(_, hit)| std::cmp::Reverse(hit.priority()));
    open.truncate(MAX_PENDING);
    open.iter().try_for_each(|(_, hit)| show(console, look, hit))?;
    Ok(open.iter().map(|seen| card_of(console, look, csrf, report, seen, false)).collect())
}

/// An alert for a page that is open: its card, or that it was answered; none where it may not be seen. It is on
/// record as shown. Blocks.
pub fn part(console: &Console, look: &Look, csrf: &str, id: Uuid) -> Result<Option<AlertCard>> {
    match find(console, look, id) {
        Ok(seen) => Ok(Some(card_of(console, look, csrf, &console.status(), &seen, false))),
        Err(e) if e.kind() == Kind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

async fn list(visit: Visit) -> Result<Response, Problem> {
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let first: usize = visit.query.get("from").parse().unwrap_or(0);
    let (rows, pager) = blocking(move || {
        let mut all = of_shift(&console, &look)?.0;
        all.sort_by_key(|seen| !is_open(seen));
        let now = console.clock.wall();
        let shown: Vec<_> = all.iter().skip(first).take(PAGE).collect();
        shown.iter().try_for_each(|(_, hit)| show(&console, &look, hit))?;
        let rows: Vec<_> = shown.iter().map(|seen| row(seen, now)).collect();
        Ok((rows, pager(first, shown.len(), all.len())))
    })
    .await?;
    let frame = visit.frame_in("Alerts", "Alerts", "/alerts").await?;
    Ok(draw(&Alerts { frame, rows, pager })?.into_response())
}

fn row((alert, hit): &Seen, now: jiff::Timestamp) -> AlertRow {
    let category = hit.entries.first().map_or_else(String::new, |e| cards::category(&e.entry));
    let chip = pages::Chip {
        id: hit.id.to_string(),
        href: cards::href(hit),
        urgency: Urgency(hit.priority()),
        plate: plated_web::plate::Plate::new(&hit.text, &alert.read.state),
        current: false,
    };
    AlertRow {
        chip,
        category,
        at: words::moment(alert.read.last_seen, now),
        place: rows::place(&alert.read),
        answered: cards::answered(&alert.findings, now),
    }
}

fn pager(first: usize, shown: usize, all: usize) -> Pager {
    let at = |from: usize| format!("/alerts?from={from}");
    Pager {
        shown: if shown == 0 {
            format!("None of {all}")
        } else {
            format!("{}–{} of {all}", first + 1, first + shown)
        },
        previous: (first > 0).then(|| at(first.saturating_sub(PAGE))),
        next: (first + shown < all).then(|| at(first + shown)),
    }
}

/// The id in an address; what is none names no alert.
pub fn id_of(text: &str) -> Result<Uuid> {
    Uuid::parse_str(text).map_err(|_| Error::new(Kind::NotFound, "there is no such alert"))
}

async fn page(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = id_of(&id)?;
    let (console, look, csrf) = (visit.console.clone(), visit.look()?.clone(), visit.csrf.clone());
    let all_entries = visit.query.get("entries") == "all";
    let card = blocking(move || {
        let seen = find(&console, &look, id)?;
        Ok(card_of(&console, &look, &csrf, &console.status(), &seen, all_entries))
    })
    .await?;
    let mut frame = visit.frame(&card.category, "Alerts").await?;
    frame.shape = plated_web::pages::Shape::Full;
    let mut queue: Vec<_> = frame.pending.iter().map(AlertCard::chip).collect();
    queue.iter_mut().for_each(|chip| chip.current = chip.id == card.id);
    Ok(draw(&Alert { frame, queue, card })?.into_response())
}

/// What an officer found, in two steps: compared with the list, then what CLETS or dispatch answered.
async fn answer(
    visit: Visit,
    headers: HeaderMap,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let id = id_of(&id)?;
    let (console, look, csrf) = (visit.console.clone(), visit.look()?.clone(), visit.csrf.clone());
    let (word, step) = (fields.get("answer").to_owned(), fields.get("step").to_owned());
    let (card, next) = blocking(move || {
        let seen = find(&console, &look, id)?;
        let is_answer = match word.as_str() {
            "seen" => {
                look.see(id);
                false
            }
            "mute" | "unmute" => {
                mute(&console, &look, id, word == "mute")?;
                false
            }
            _ => {
                dispose(&console, &look, &seen, &word, &step)?;
                true
            }
        };
        let (report, seen) = (console.status(), find(&console, &look, id)?);
        let card = card_of(&console, &look, &csrf, &report, &seen, false);
        // The same alert while it is open, then the next one.
        let next = match is_open(&seen) || !is_answer {
            true => Some(card.href.clone()),
            false => pending(&console, &look, &csrf, &report)?.first().map(|card| card.href.clone()),
        };
        Ok((card, next))
    })
    .await?;
    if headers.contains_key("x-plated-part") {
        return Ok(draw(&AlertPart { card })?.into_response());
    }
    Ok(redirect(&next.unwrap_or_else(|| "/".into())))
}

/// What became of the alert's tone in this browser, on record: whether it could be heard.
async fn tone(visit: Visit, Path(id): Path<String>, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let (console, look, id) = (visit.console.clone(), visit.look()?.clone(), id_of(&id)?);
    let none = || Error::new(Kind::Input, "that is nothing that can become of a tone");
    let tone = Tone::of(fields.get("tone")).ok_or_else(none)?;
    blocking(move || look.tone(&console, id, tone)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The plate does not alert again this shift, or does; who muted it is not told of it again either.
fn mute(console: &Console, look: &Look, hit: Uuid, muted: bool) -> Result<()> {
    let (reason, case) = (look.reason.clone(), look.case.as_str().to_owned());
    let request = Request::Mute { hit: hit.to_string(), muted, reason, case };
    console.officers.answer(request, look.actor(), None, &mut |_| Ok(()))?;
    look.see(hit);
    Ok(())
}

fn dispose(console: &Arc<Console>, look: &Look, seen: &Seen, word: &str, step: &str) -> Result<()> {
    let now = cards::step(&seen.0.findings, seen.0.hit.at);
    let asked = match now {
        Step::Compare => "compare",
        Step::Dispatch => "dispatch",
        Step::Answered(_) => {
            return Err(Error::new(Kind::Refused, "this alert is answered already; load the page again to see how"));
        }
    };
    if step != asked {
        let message = "somebody else answered this step meanwhile; look at the alert again";
        return Err(Error::new(Kind::Refused, message));
    }
    let answers = card_answers(&now);
    let finding = Finding::of(word).filter(|_| answers.contains(&word));
    let finding = finding.ok_or_else(|| Error::new(Kind::Input, "that is none of the answers to this alert"))?;
    let request = Request::Disposition {
        hit: seen.1.id.to_string(),
        finding,
        reason: look.reason.clone(),
        case: look.case.as_str().to_owned(),
    };
    console.officers.answer(request, look.actor(), None, &mut |_| Ok(()))
}

/// What can be answered at this step.
fn card_answers(step: &Step) -> &'static [&'static str] {
    match step {
        Step::Compare => &["correct", "wrong-state", "misread", "could-not-verify", "dismissed"],
        Step::Dispatch => &["confirmed", "not-on-file", "wrong-state", "misread", "could-not-verify"],
        Step::Answered(_) => &[],
    }
}
