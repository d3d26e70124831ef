//! Plates and partial plates that officers enter (control P-04).

use crate::console::door::redirect;
use crate::console::forms::{self, Wrong};
use crate::console::look::{Look, SearchedBack};
use crate::console::routes::{Needs, Routes};
use crate::console::visit::Visit;
use crate::console::{Console, blocking, cards, draw, rows, words};
use crate::control::{Expires, Reply, Request};
use crate::store::ManualEntry;
use axum::Extension;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use plated_core::error::{Error, Kind, Result};
use plated_core::record::Priority;
use plated_core::text::count;
use plated_web::fields::Fields;
use plated_web::pages::{Entries, EntryRow, FormPage, FoundReads};
use plated_web::plate::Plate;
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Field, Form, Input, Link, Urgency};

/// Rows on a page.
const PAGE: usize = 50;
/// Of reads that fit a new entry, the newest so many are shown.
const MAX_FOUND: usize = 10;
const HOUR: u64 = 3600;

/// How long an entry counts, by the word of the form; none until the end of the shift.
const SPANS: [(&str, &str, Option<u64>); 5] = [
    ("shift", "The end of this shift", None),
    ("day", "24 hours from now", Some(24 * HOUR)),
    ("days", "3 days from now", Some(3 * 24 * HOUR)),
    ("week", "7 days from now", Some(7 * 24 * HOUR)),
    ("month", "30 days from now", Some(30 * 24 * HOUR)),
];
/// How far back reads are searched, by the word of the form.
const WINDOWS: [(&str, &str, Option<u64>); 4] = [
    ("day", "The last 24 hours", Some(24 * HOUR)),
    ("week", "The last 7 days", Some(7 * 24 * HOUR)),
    ("month", "The last 30 days", Some(30 * 24 * HOUR)),
    ("", "None", None),
];
/// Why a plate is wanted (control P-05).
const CATEGORIES: [(&str, &str); 8] = [
    ("bolo", "Be on the lookout"),
    ("stolen_vehicle", "Stolen vehicle"),
    ("stolen_plate", "Stolen plate"),
    ("wanted_person", "Wanted person"),
    ("missing_person", "Missing person"),
    ("amber_alert", "Amber Alert"),
    ("silver_alert", "Silver Alert"),
    ("blue_alert", "Blue Alert"),
];

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/entries", Needs::Look, page)
        .post("/entries", Needs::Look, add)
        .get("/entries/{id}/remove", Needs::Look, remove_page)
        .post("/entries/{id}/remove", Needs::Look, remove)
}

/// What an officer filled in.
#[derive(Clone, Default)]
struct Entered {
    plate: String,
    state: String,
    category: String,
    priority: String,
    case: String,
    span: String,
    back: String,
    reason: String,
}

impl Entered {
    fn new(look: &Look) -> Self {
        let case = look.case.as_str().to_owned();
        let (category, priority) = ("bolo".into(), "high".into());
        Self { category, priority, case, span: "shift".into(), back: "day".into(), ..Self::default() }
    }

    fn came(fields: &Fields) -> Self {
        let text = |name: &str| fields.get(name).trim().to_owned();
        Self {
            plate: text("plate").to_uppercase(),
            state: text("state").to_uppercase(),
            category: text("category"),
            priority: text("priority"),
            case: text("case"),
            span: text("span"),
            back: text("back"),
            reason: forms::line(fields.get("reason")),
        }
    }

    fn form(&self, visit: &Visit, wrong: &Wrong) -> Form {
        let choices = |all: &'static [(&str, &str, Option<u64>)]| all.iter().map(|(word, text, _)| (*word, *text));
        let mut form = visit.form("/entries", "Add");
        form.fields = vec![
            Field::new(Input::Plate, "plate", "Plate or partial plate")
                .hint("? is one character, * any run")
                .value(&self.plate)
                .max(24)
                .required(),
            Field::new(Input::Text, "state", "State").hint("Two letters, if known").value(&self.state).max(2),
            Field::new(Input::Select, "category", "Wanted as").choices(CATEGORIES).value(&self.category),
            Field::new(Input::Select, "priority", "Priority").choices(PRIORITIES).value(&self.priority),
            Field::new(Input::Text, "case", "Case or incident number").value(&self.case).max(64),
            Field::new(Input::Select, "span", "Counts until").choices(choices(&SPANS)).value(&self.span),
            Field::new(Input::Select, "back", "Search reads already made").choices(choices(&WINDOWS)).value(&self.back),
            Field::new(Input::Text, "reason", "Reason")
                .hint("Whoever sees the alert reads it")
                .value(&self.reason)
                .max(500)
                .required(),
        ];
        wrong.mark(&mut form);
        form
    }

    fn request(&self, look: &Look) -> Result<Request, Wrong> {
        let of =
            |all: &[(&str, &str, Option<u64>)], word: &str| all.iter().find(|(w, ..)| *w == word).map(|(.., s)| *s);
        if self.plate.is_empty() {
            return Err(Wrong::field("plate", "Give a plate, or a part of one."));
        }
        let reason = forms::reason(look, &self.reason)?;
        let span = of(&SPANS, &self.span).ok_or_else(|| Wrong::field("span", "Choose how long it counts."))?;
        let back = of(&WINDOWS, &self.back).ok_or_else(|| Wrong::field("back", "Choose how far to search back."))?;
        let priority = match self.priority.as_str() {
            "high" => Priority::High,
            "normal" => Priority::Normal,
            "low" => Priority::Low,
            _ => return Err(Wrong::field("priority", "Choose a priority.")),
        };
        Ok(Request::Add {
            plate: self.plate.clone(),
            state: self.state.clone(),
            category: self.category.clone(),
            priority,
            reason,
            case: self.case.clone(),
            expires: span.map(Expires::InSeconds),
            search_back: back,
        })
    }
}

const PRIORITIES: [(&str, &str); 3] = [("high", "High"), ("normal", "Normal"), ("low", "Low")];

/// What is in force and may be seen, the newest first. Blocks.
fn in_force(console: &Console, look: &Look) -> Result<Vec<ManualEntry>> {
    let mut entries = Vec::new();
    let request = Request::Entries { reason: look.reason.clone(), case: look.case.as_str().to_owned() };
    console.officers.answer(request, look.actor(), None, &mut |reply| {
        if let Reply::Entered(entry) = reply {
            entries.push(entry);
        }
        Ok(())
    })?;
    entries.reverse();
    Ok(entries)
}

async fn page(visit: Visit) -> Result<Response, Problem> {
    let entered = Entered::new(visit.look()?);
    entries_page(&visit, &entered, &Wrong::default()).await
}

async fn entries_page(visit: &Visit, entered: &Entered, wrong: &Wrong) -> Result<Response, Problem> {
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let (all, found) = blocking(move || {
        let found = look.take_searched().map(|searched| found(&console, &searched));
        Ok((in_force(&console, &look)?, found))
    })
    .await?;
    let first: usize = visit.query.get("from").parse().unwrap_or(0);
    let rows: Vec<_> = all.iter().skip(first).take(PAGE).map(|entry| row(visit, entry)).collect();
    let pager = forms::pager("/entries", first, rows.len(), all.len(), PAGE);
    let mut frame = visit.frame("Add a plate", "Add plate").await?;
    frame.messages.extend(forms::done(visit, &[("removed", "The entry is out of force.")]));
    frame.messages.extend(wrong.message());
    let page = draw(&Entries { frame, found, form: entered.form(visit, wrong), rows, pager })?;
    Ok((wrong.status(), page).into_response())
}

fn row(visit: &Visit, entry: &ManualEntry) -> EntryRow {
    let now = visit.console.clock.wall();
    EntryRow {
        plate: plate(entry),
        urgency: Urgency(entry.entry.priority),
        category: cards::category(&entry.record()),
        reason: entry.reason.clone(),
        by: by(entry),
        case: entry.entry.case.clone(),
        until: words::moment(entry.entry.expires, now),
        remove: Link::new("Remove", format!("/entries/{}/remove", entry.id)),
    }
}

fn plate(entry: &ManualEntry) -> Plate {
    Plate::new(&entry.entry.plate, &entry.entry.state)
}

fn by(entry: &ManualEntry) -> String {
    format!("{}, {}", entry.by, words::day_time(entry.created))
}

/// What the search back found, of a plate that was just entered.
fn found(console: &Console, searched: &SearchedBack) -> FoundReads {
    let now = console.clock.wall();
    let entry = &searched.entry.entry;
    let counts = format!("{} counts until {}.", entry.plate, words::moment(entry.expires, now).text);
    let fits = if searched.total == 1 { "fits it" } else { "fit it" };
    let reads = match (searched.window, searched.total) {
        (None, _) => "Reads already made were not searched.".to_owned(),
        (Some(_), 0) => "No read already made fits it.".to_owned(),
        (Some(_), total) => format!("{} already made {fits}.", count(total as u64, "read")),
    };
    let rows = searched.reads.iter().map(|read| rows::found(read, now)).collect();
    FoundReads { summary: format!("{counts} {reads}"), rows }
}

async fn add(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let entered = Entered::came(&fields);
    let request = match entered.request(&look) {
        Ok(request) => request,
        Err(wrong) => return entries_page(&visit, &entered, &wrong).await,
    };
    let done = blocking(move || Ok(enter(&console, &look, request)));
    match done.await? {
        Ok(()) => Ok(redirect("/entries")),
        Err(e) => entries_page(&visit, &entered, &Wrong::of(e)?).await,
    }
}

/// Enters it; what the search back found is kept for the next page, which shows it once.
fn enter(console: &Console, look: &Look, request: Request) -> Result<()> {
    let window = if let Request::Add { search_back, .. } = &request { *search_back } else { None };
    let (mut added, mut reads, mut total) = (None, Vec::new(), 0);
    let searched = console.officers.answer(request, look.actor(), None, &mut |reply| {
        match reply {
            Reply::Added(entry) => added = Some(entry),
            Reply::Read(read) => {
                total += 1;
                if reads.len() < MAX_FOUND {
                    reads.push(read);
                }
            }
            _ => {}
        }
        Ok(())
    });
    match (added, searched) {
        (Some(entry), Ok(())) => look.searched(SearchedBack { entry, window, reads, total }),
        // It is in force, whatever became of the search.
        (Some(entry), Err(e)) => {
            tracing::warn!("Reads already made were not searched for a new entry: {}", e.chain());
            look.searched(SearchedBack { entry, window: None, reads: Vec::new(), total: 0 });
        }
        (None, searched) => return searched,
    }
    Ok(())
}

/// The entry of this address that is in force.
async fn entry(visit: &Visit, id: &str) -> Result<ManualEntry, Problem> {
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let id = id.parse::<i64>().ok();
    let none = || Error::new(Kind::NotFound, "no such entry is in force").into();
    let all = blocking(move || in_force(&console, &look)).await?;
    all.into_iter().find(|entry| Some(entry.id) == id).ok_or_else(none)
}

async fn remove_page(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let entry = entry(&visit, &id).await?;
    remove_form(&visit, &entry, "", &Wrong::default()).await
}

async fn remove_form(visit: &Visit, entry: &ManualEntry, reason: &str, wrong: &Wrong) -> Result<Response, Problem> {
    let mut form = visit.form(&format!("/entries/{}/remove", entry.id), "Remove");
    form.fields = vec![Field::new(Input::Text, "reason", "Why is it removed?").value(reason).max(500).required()];
    form.cancel = Some(Link::new("Back", "/entries"));
    wrong.mark(&mut form);
    let facts = vec![
        Fact::new("Wanted as", cards::category(&entry.record())),
        Fact::new("Reason", entry.reason.clone()),
        Fact::new("Case", entry.entry.case.clone()),
        Fact::new("Entered", by(entry)),
        Fact::new("Until", words::day_time(entry.entry.expires)),
    ];
    let mut frame = visit.frame("Remove an entry", "Add plate").await?;
    frame.messages.extend(wrong.message());
    let lead = "It alerts nobody from then on. Who removed it and why is on record.".into();
    let page = draw(&FormPage { frame, lead, plate: Some(plate(entry)), facts, form })?;
    Ok((wrong.status(), page).into_response())
}

async fn remove(
    visit: Visit,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let entry = entry(&visit, &id).await?;
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let (id, text) = (entry.id, forms::line(fields.get("reason")));
    let reason = match forms::reason(&look, &text) {
        Ok(reason) => reason,
        Err(wrong) => return remove_form(&visit, &entry, &text, &wrong).await,
    };
    let request = Request::Remove { id, reason };
    blocking(move || console.officers.answer(request, look.actor(), None, &mut |_| Ok(()))).await?;
    Ok(redirect("/entries?done=removed"))
}
