//! Audits (control P-32): an auditor draws accesses and reads that nobody chose, says of each what they found, and
//! closes the audit with a signed report for the administrator.

use super::site::{Routes, Visit};
use super::{Station, audit_report, not_found};
use crate::audits::{Audit, AuditReport, Basis, Finding, Item, Judgement, Span, draw};
use axum::Extension;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Span as Days;
use jiff::civil::Date;
use plated_access::audit::Entry;
use plated_access::{Actor, Case, Permit, Reason, Recorded, Role, Sample, Search, SessionId};
use plated_core::clock::id_at;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::record::ReadRecord;
use plated_core::signing::Trust;
use plated_core::text::count;
use plated_portal::forms::{Wrong, done, line};
use plated_portal::{Needs, blocking, draw as drawn_page, redirect, words};
use plated_web::fields::Fields;
use plated_web::pages::{AuditDetail, AuditItem, AuditRow, Audits};
use plated_web::plate::Plate;
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Field, Form, Health, Input, Link, Message, Picture};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Who reads what came of audits. An auditor makes them.
pub const ROLES: [Role; 3] = [Role::Auditor, Role::Administrator, Role::Custodian];
/// Pictures of what was drawn, which a page asks for by itself.
pub const PICTURES: &str = "/audit-pictures/";
/// Most days of an audit.
const MAX_DAYS: i32 = 366;
/// Longest note, in characters.
const MAX_NOTE: usize = 500;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/audits", Needs::Session, list)
        .post("/audits", Needs::Session, begin)
        .get("/audits/{audit}", Needs::Session, detail)
        .post("/audits/{audit}/items/{number}", Needs::Session, judge)
        .get("/audit-pictures/{audit}/{read}/{name}", Needs::Session, picture)
}

/// What lets the pictures of a sample be shown, to whom its page was shown.
#[derive(Default)]
pub struct Samples(Mutex<Permits>);

/// By session and audit.
type Permits = HashMap<(SessionId, Uuid), Arc<Permit<Search>>>;

impl Samples {
    fn lock(&self) -> MutexGuard<'_, Permits> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session is over.
    pub fn end(&self, session: SessionId) {
        self.lock().retain(|(of, _), _| *of != session);
    }
}

impl Station {
    pub(super) fn audit(&self, id: Uuid) -> Result<Audit> {
        let audits = self.rows(|rows| rows.audits())?;
        audits.into_iter().find(|audit| audit.id == id).ok_or_else(|| not_found("audit"))
    }

    /// Lets an auditor do something with an audit, once that is on record.
    pub(super) fn audit_permit(&self, actor: &Actor, subject: Value) -> Result<Permit<Sample>> {
        self.gate.open(actor, &Reason::new("an audit of accesses and reads")?, &Case::none(), subject)
    }
}

pub fn allow(visit: &Visit) -> Result<(), Problem> {
    let role = visit.visitor()?.role();
    match ROLES.contains(&role) {
        true => Ok(()),
        false => Err(Error::new(Kind::Forbidden, format!("the role {role} may not read audits")).into()),
    }
}

fn is_auditor(visit: &Visit) -> Result<bool, Problem> {
    Ok(Sample::ROLES.contains(&visit.visitor()?.role()))
}

pub fn id_of(text: &str) -> Result<Uuid> {
    Uuid::parse_str(text).map_err(|_| not_found("audit"))
}

fn today(station: &Station) -> Date {
    station.clock.wall().to_zoned(jiff::tz::TimeZone::UTC).date()
}

async fn list(visit: Visit) -> Result<Response, Problem> {
    page(&visit, StatusCode::OK, None, &Wrong::default()).await
}

async fn page(
    visit: &Visit,
    status: StatusCode,
    entered: Option<(String, String)>,
    wrong: &Wrong,
) -> Result<Response, Problem> {
    allow(visit)?;
    let station = visit.station.clone();
    let audits = blocking(move || station.rows(|rows| rows.audits())).await?;
    let (station, today) = (&visit.station, today(&visit.station));
    let every = i64::from(station.audits.every_days);
    let last = audits.iter().find(|audit| audit.report.is_some());
    let due = last.map(|audit| audit.last.saturating_add(Days::new().days(every)));
    let (health, verdict) = match (audits.iter().find(|audit| audit.report.is_none()), due) {
        (Some(audit), _) => (Health::Info, format!("An audit goes on; {} to be judged.", items(audit.open_items()))),
        (None, Some(due)) if due > today => (Health::Good, format!("The next audit is due on {}.", words::day(due))),
        (None, Some(due)) => (Health::Warning, format!("An audit has been due since {}.", words::day(due))),
        (None, None) => (Health::Warning, "There was no audit yet.".to_owned()),
    };
    let begin = (is_auditor(visit)? && audits.iter().all(|audit| audit.report.is_some())).then(|| {
        let first = last.map_or_else(
            || today.saturating_sub(Days::new().days(every)),
            |audit| audit.last.tomorrow().unwrap_or(audit.last).min(today),
        );
        let (first, last) = entered.unwrap_or_else(|| (first.to_string(), today.to_string()));
        let mut form = visit.form("/audits", "Draw");
        form.fields = vec![
            Field::new(Input::Date, "first", "First day").value(first).required(),
            Field::new(Input::Date, "last", "Last day").value(last).required(),
        ];
        wrong.mark(&mut form);
        form
    });
    let mut frame = visit.frame("Audits", "Audits").await?;
    frame.messages.extend(wrong.message());
    let rows = audits.iter().map(row).collect();
    Ok((status, drawn_page(&Audits { frame, health, verdict, begin, rows })?).into_response())
}

fn items(number: usize) -> String {
    count(number as u64, "item")
}

pub fn days(audit: &Audit) -> String {
    format!("{} to {}", words::day(audit.first), words::day(audit.last))
}

fn row(audit: &Audit) -> AuditRow {
    let accesses = audit.items.iter().filter(|(item, _)| matches!(item, Item::Access { .. })).count();
    let reads = audit.items.len() - accesses;
    let wrong = found(audit, Finding::Wrong);
    AuditRow {
        link: Link::new(days(audit), format!("/audits/{}", audit.id)),
        begun: format!("{}, {}", audit.begun_by, words::day_time(audit.begun)),
        drawn: format!("{} accesses, {}", accesses, count(reads as u64, "read")),
        standing: match (&audit.report, audit.open_items(), wrong) {
            (None, 0, _) => (Health::Info, "All judged; to be closed".into()),
            (None, open, _) => (Health::Info, format!("{} to be judged", items(open))),
            (Some(_), _, 0) => (Health::Good, "Closed; nothing wrong".into()),
            (Some(_), _, wrong) => (Health::Warning, format!("Closed; {wrong} wrong")),
        },
    }
}

fn found(audit: &Audit, finding: Finding) -> usize {
    audit.items.iter().filter(|(_, judgement)| judgement.as_ref().is_some_and(|j| j.finding == finding)).count()
}

async fn begin(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    visit.may::<Sample>("make audits")?;
    let entered = (fields.get("first").to_owned(), fields.get("last").to_owned());
    let wrong = |field, what: &str| Wrong::field(field, what);
    let span = match (entered.0.parse::<Date>(), entered.1.parse::<Date>()) {
        (Err(_), _) => Err(wrong("first", "Give a day.")),
        (_, Err(_)) => Err(wrong("last", "Give a day.")),
        (Ok(first), Ok(last)) if first > last => Err(wrong("last", "This is before the first day.")),
        (Ok(_), Ok(last)) if last > today(&visit.station) => Err(wrong("last", "This day is still to come.")),
        (Ok(first), Ok(last)) if (last - first).get_days() >= MAX_DAYS => Err(wrong("first", "A year at most.")),
        (Ok(first), Ok(last)) => Ok((first, last)),
    };
    let (first, last) = match span {
        Ok(span) => span,
        Err(wrong) => return page(&visit, StatusCode::UNPROCESSABLE_ENTITY, Some(entered), &wrong).await,
    };
    let (station, actor) = (visit.station.clone(), visit.visitor()?.session.actor());
    match blocking(move || Ok(begin_now(&station, &actor, first, last))).await? {
        Ok(id) => Ok(redirect(&format!("/audits/{id}"))),
        Err(e) => {
            let wrong = Wrong::of(e)?;
            page(&visit, wrong.status(), Some(entered), &wrong).await
        }
    }
}

/// Puts on record that an audit is begun, and draws by the hash of that row. Blocks.
fn begin_now(station: &Station, actor: &Actor, first: Date, last: Date) -> Result<Uuid> {
    if station.rows(|rows| rows.audits())?.iter().any(|audit| audit.report.is_none()) {
        return Err(Error::new(Kind::Refused, "an audit goes on; close it first"));
    }
    let begun = station.clock.wall();
    let id = id_at(begun);
    let permit = station.audit_permit(actor, json!({"audit": id, "as": "begun", "from": first, "until": last}))?;
    let none = || Error::new(Kind::Internal, "an audit has no record");
    let row = permit.record().ok_or_else(none)?;
    let span = Span { first, last, until: begun };
    let settings = station.audits;
    let (log, seed, head, (accesses, mut items)) = station.rows(|rows| {
        let (log, seed, head) = rows.audit_seed(row)?;
        Ok((log, seed, head, rows.draw_accesses(span, seed, settings.accesses)?))
    })?;
    let mut cells: BTreeMap<(Date, String), u64> = BTreeMap::new();
    for day in station.archive.statistics(first, last)?.days {
        *cells.entry((day.day, day.vehicle)).or_default() += day.reads;
    }
    let basis = Basis {
        log,
        row,
        seed,
        head,
        accesses,
        reads: cells.into_iter().map(|((day, vehicle), reads)| (day, vehicle, reads)).collect(),
        wanted_accesses: settings.accesses,
        wanted_reads: settings.reads,
    };
    items.extend(draw(station.archive.as_ref(), &permit.into_reads(), &basis, begun)?);
    let items = items.into_iter().map(|item| (item, None)).collect();
    let audit = Audit { id, begun, begun_by: actor.to_string(), first, last, basis, items, report: None };
    station.rows(|rows| rows.begin_audit(&audit))?;
    Ok(id)
}

/// What an auditor sees of an item.
enum Shown {
    Access(Box<Entry>),
    Read(Box<ReadRecord>, Vec<Picture>),
    Gone,
}

async fn detail(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let message = done(&visit, &[("judged", "It is kept."), ("closed", "The audit is closed. Its report is signed.")]);
    show(&visit, id_of(&id)?, StatusCode::OK, message, &Entered::default()).await
}

/// What came in a form that could not be taken.
#[derive(Default)]
pub struct Entered {
    /// Number of the item, what was chosen, and the note.
    pub item: Option<(usize, String, String)>,
    /// What came of the audit.
    pub conclusion: String,
    /// What is wrong with it.
    pub wrong: Wrong,
}

pub async fn show(
    visit: &Visit,
    id: Uuid,
    status: StatusCode,
    message: Option<Message>,
    entered: &Entered,
) -> Result<Response, Problem> {
    allow(visit)?;
    let (is_auditor, again) = (is_auditor(visit)?, visit.query.get("again") == "1");
    let (station, session) = (visit.station.clone(), visit.visitor()?.session.clone());
    let (audit, shown, same) = blocking(move || {
        let audit = station.audit(id)?;
        let shown = match is_auditor {
            true => look(&station, &session.actor(), session.id, &audit)?,
            false => Vec::new(),
        };
        let same = match again && is_auditor {
            true => Some(draw_again(&station, &session.actor(), &audit)?),
            false => None,
        };
        Ok((audit, shown, same))
    })
    .await?;
    let report = audit
        .report
        .as_deref()
        .map(|text| AuditReport::open(text, &Trust::only([visit.station.audit_report.public_key()])));
    let report = report.transpose()?;
    let mut frame = visit.frame("Audit", "Audits").await?;
    frame.messages.extend(message);
    frame.messages.extend(entered.wrong.message());
    frame.messages.extend(same.map(|same| {
        match same {
            true => {
                Message { health: Health::Good, text: "Drawn again by the same number: it is the same sample.".into() }
            }
            false => Message {
                health: Health::Warning,
                text:
                    "Drawn again it is not the same: reads whose time is over are gone since, or records were changed. \
                   Verify the audit log."
                        .into(),
            },
        }
    }));
    let open = audit.open_items();
    let (health, verdict) = match (&report, open) {
        (None, 0) => (Health::Info, "All is judged. Close the audit.".to_owned()),
        (None, open) => (Health::Info, format!("{} of {} to be judged.", open, items(audit.items.len()))),
        (Some(_), _) => match (found(&audit, Finding::Wrong), found(&audit, Finding::Unclear)) {
            (0, 0) => (Health::Good, "Closed: all was in order.".to_owned()),
            (wrong, unclear) => (Health::Warning, format!("Closed: {wrong} wrong, {unclear} unclear.")),
        },
    };
    let may = is_auditor && report.is_none();
    let close = (may && open == 0).then(|| {
        let mut form = visit.form(&format!("/audits/{id}/close"), "Close");
        let max = u32::try_from(audit_report::MAX_CONCLUSION).unwrap_or(u32::MAX);
        form.fields =
            vec![Field::new(Input::Lines, "conclusion", "Conclusion").required().max(max).value(&*entered.conclusion)];
        entered.wrong.mark(&mut form);
        form
    });
    let figures = report.as_ref().map(|report| &report.figures);
    let page = AuditDetail {
        frame,
        health,
        verdict,
        facts: audit_report::facts(&audit, report.as_ref()),
        again: Link::new("Draw again and compare", format!("/audits/{id}?again=1")),
        report: report.as_ref().map(|_| Link::new("Signed report", format!("/audits/{id}/report"))),
        conclusion: report.as_ref().map_or_else(String::new, |report| report.conclusion.clone()),
        figures: figures.map_or_else(Vec::new, audit_report::in_figures),
        tables: figures.map_or_else(Vec::new, |figures| {
            vec![
                audit_report::by("Accesses by user", &figures.by_user),
                audit_report::by("Accesses by purpose", &figures.by_purpose),
            ]
        }),
        items: audit
            .items
            .iter()
            .enumerate()
            .map(|(n, of)| item(visit, &audit, n, of, shown.get(n), may, entered))
            .collect(),
        close,
    };
    Ok((status, drawn_page(&page)?).into_response())
}

/// What was drawn, on record as shown. Blocks.
fn look(station: &Station, actor: &Actor, session: SessionId, audit: &Audit) -> Result<Vec<Shown>> {
    let permit = station.audit_permit(actor, json!({"audit": audit.id}))?;
    let entries = station.rows(|rows| {
        audit.items.iter().map(|(item, _)| rows.drawn_access(&permit, item)).collect::<Result<Vec<_>>>()
    })?;
    station.gate.shown(&permit, audit.items.len() as u64)?;
    let permit = Arc::new(permit.into_reads());
    let shown = audit.items.iter().zip(entries).map(|((item, _), entry)| match (item, entry) {
        (Item::Read { id }, _) => read(station, &permit, audit.id, *id),
        (_, Some(entry)) => Ok(Shown::Access(Box::new(entry))),
        (_, None) => Ok(Shown::Gone),
    });
    let shown = shown.collect::<Result<_>>()?;
    station.samples.lock().insert((session, audit.id), permit);
    Ok(shown)
}

fn read(station: &Station, permit: &Permit<Search>, audit: Uuid, id: Uuid) -> Result<Shown> {
    let Some(stored) = station.archive.read(permit, id)? else { return Ok(Shown::Gone) };
    let unreadable = || format!("the record of the read {id} can't be read");
    let record: ReadRecord = serde_json::from_slice(&stored.record).context(Kind::Damaged, unreadable)?;
    let picture = |of: &crate::archive::PictureRef| {
        let (alt, width, height) = match of.role.as_str() {
            "plate" => ("Plate as the camera saw it", 320, 160),
            _ => ("Vehicle as the camera saw it", 800, 450),
        };
        Picture { src: format!("{PICTURES}{audit}/{id}/{}.jpg", of.sha256), alt: alt.into(), width, height }
    };
    let mut pictures = stored.found.envelope.pictures.clone();
    pictures.sort_by_key(|of| of.role != "plate");
    Ok(Shown::Read(Box::new(record), pictures.iter().take(2).map(picture).collect()))
}

/// Whether the same number draws the same. Blocks.
fn draw_again(station: &Station, actor: &Actor, audit: &Audit) -> Result<bool> {
    let permit = station.audit_permit(actor, json!({"audit": audit.id, "as": "drawn_again"}))?;
    let span = Span { first: audit.first, last: audit.last, until: audit.begun };
    let (seed, wanted) = (audit.basis.seed, audit.basis.wanted_accesses);
    let (all, mut items) = station.rows(|rows| rows.draw_accesses(span, seed, wanted))?;
    items.extend(draw(station.archive.as_ref(), &permit.into_reads(), &audit.basis, audit.begun)?);
    Ok(all == audit.basis.accesses && items.iter().eq(audit.items.iter().map(|(item, _)| item)))
}

fn item(
    visit: &Visit,
    audit: &Audit,
    n: usize,
    (item, judgement): &(Item, Option<Judgement>),
    shown: Option<&Shown>,
    may: bool,
    entered: &Entered,
) -> AuditItem {
    let number = n + 1;
    let form = may.then(|| form(visit, audit.id, number, item, judgement.as_ref(), entered));
    let kind = match item {
        Item::Access { .. } => "Access",
        Item::Read { .. } => "Read",
    };
    let mut of = AuditItem {
        title: format!("{number}. {kind}"),
        anchor: format!("item-{number}"),
        facts: Vec::new(),
        plate: None,
        pictures: Vec::new(),
        judgement: judgement.as_ref().map(|j| {
            let health = match j.finding {
                Finding::InOrder => Health::Good,
                Finding::Unclear => Health::Info,
                Finding::Wrong => Health::Warning,
            };
            let note = if j.note.is_empty() { String::new() } else { format!(": {}", j.note) };
            (health, format!("{}{note}", j.finding.words(item)))
        }),
        form,
    };
    match shown {
        Some(Shown::Access(entry)) => of.facts = access(item, entry, &visit.station.name),
        Some(Shown::Read(record, pictures)) => {
            of.plate = Some(Plate::new(&record.text, &record.state));
            of.pictures.clone_from(pictures);
            of.facts = vec![
                Fact::new("Seen", words::day_time(record.last_seen)),
                Fact::new("By", format!("{}, {}", record.vehicle, record.camera)),
                Fact::new("Confidence", format!("{:.0} %", record.confidence * 100.0)),
            ];
        }
        Some(Shown::Gone) => of.facts = vec![Fact::new("Gone", "It is not here any more.").health(Health::Warning)],
        None => {}
    }
    of
}

fn access(item: &Item, entry: &Entry, station: &str) -> Vec<Fact> {
    let whose = match item {
        Item::Access { vehicle: Some(vehicle), .. } => vehicle.as_str(),
        _ => station,
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let who =
        [entry.actor.role.clone(), entry.actor.agency.clone()].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let asked = entry.elements.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ");
    vec![
        Fact::new("When", words::day_time(entry.at)),
        Fact::new("Who", entry.actor.name.clone()),
        Fact::new("As", who),
        Fact::new("Where", whose),
        Fact::new("What", words::title(entry.action.as_str())),
        Fact::new("Asked for", asked),
        Fact::new("Purpose", words::title(&text(&entry.purpose))),
        Fact::new("Case", text(&entry.case)),
        Fact::new("Why", entry.reason.clone()),
    ]
}

fn form(
    visit: &Visit,
    audit: Uuid,
    number: usize,
    item: &Item,
    judgement: Option<&Judgement>,
    entered: &Entered,
) -> Form {
    let (finding, note) = match &entered.item {
        Some((of, finding, note)) if *of == number => (finding.as_str(), note.as_str()),
        _ => (judgement.map_or("", |j| j.finding.as_str()), judgement.map_or("", |j| j.note.as_str())),
    };
    let choices = Finding::ALL.map(|finding| (finding.as_str(), finding.words(item)));
    let choices = std::iter::once(("", "Choose")).chain(choices);
    let mut form = visit.form(&format!("/audits/{audit}/items/{number}"), "Keep");
    form.fields = vec![
        Field::new(Input::Select, format!("finding-{number}"), "Finding").choices(choices).value(finding).required(),
        Field::new(Input::Text, format!("note-{number}"), "Note").value(note).max(MAX_NOTE as u32),
    ];
    if matches!(&entered.item, Some((of, _, _)) if *of == number) {
        let error = if Finding::of(finding).is_none() { ("finding", "Say what you found.") } else { ("note", NOTE) };
        form.fields.iter_mut().filter(|f| f.name.starts_with(error.0)).for_each(|f| f.error = error.1.into());
    }
    form
}

/// What is wrong with a note.
const NOTE: &str = "Say why, in at most 500 characters.";

async fn judge(
    visit: Visit,
    Path((id, number)): Path<(String, String)>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    visit.may::<Sample>("make audits")?;
    let id = id_of(&id)?;
    let number: usize = number.parse().map_err(|_| not_found("item"))?;
    let word = fields.get(&format!("finding-{number}")).to_owned();
    let note = line(fields.get(&format!("note-{number}")));
    let finding = Finding::of(&word);
    let is_told = finding == Some(Finding::InOrder) || !note.is_empty();
    let (Some(finding), true) = (finding, is_told && note.chars().count() <= MAX_NOTE) else {
        let entered = Entered { item: Some((number, word, note)), ..Entered::default() };
        return show(&visit, id, StatusCode::UNPROCESSABLE_ENTITY, None, &entered).await;
    };
    let (station, actor) = (visit.station.clone(), visit.visitor()?.session.actor());
    blocking(move || {
        let subject = json!({"audit": id, "item": number, "finding": finding.as_str()});
        let _: Permit<Sample> = station.audit_permit(&actor, subject)?;
        let judgement = Judgement { finding, note, by: actor.to_string(), at: station.clock.wall() };
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        station.rows(|rows| rows.judge(id, number, &judgement))
    })
    .await?;
    Ok(redirect(&format!("/audits/{id}#item-{}", number + 1)))
}

/// A picture of a read that was drawn, for whom the sample was shown to.
async fn picture(visit: Visit, Path((audit, read, name)): Path<(String, String, String)>) -> Result<Response, Problem> {
    let none = || not_found("picture");
    let (audit, read) = (Uuid::parse_str(&audit).map_err(|_| none())?, Uuid::parse_str(&read).map_err(|_| none())?);
    let sha256: Sha256 = name.strip_suffix(".jpg").and_then(|hex| hex.parse().ok()).ok_or_else(none)?;
    let (station, session) = (visit.station.clone(), visit.visitor()?.session.id);
    let permit = station.samples.lock().get(&(session, audit)).cloned().ok_or_else(none)?;
    let found = blocking(move || {
        station.gate.still_open(&permit)?;
        let is_drawn = station.audit(audit)?.items.iter().any(|(item, _)| *item == Item::Read { id: read });
        if is_drawn { station.archive.picture(&permit, read, &sha256) } else { Ok(None) }
    });
    let jpeg = found.await?.ok_or_else(none)?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response())
}
