//! What a search found, out of the system: as a file or as pages to print, each for a purpose of its own (controls
//! P-01, P-02, P-21, P-23).

mod csv;
mod sheet;

use super::{may, next};
use crate::console::look::Look;
use crate::console::visit::Visit;
use crate::console::{Console, blocking, door, draw, words};
use crate::store::{KeptRead, PAGE, Search};
use crate::visible::{self, VisibleHit};
use axum::Extension;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use plated_access::{Case, ExportReads, Permit, Purpose, Reason};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::sentence;
use plated_portal::Given;
use plated_web::fields::Fields;
use plated_web::pages;
use plated_web::problem::Problem;
use plated_web::ui::{Field, Input, Link};
use serde::Serialize;
use uuid::Uuid;

/// What a search leaves the system as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Format {
    /// Lines for a spreadsheet.
    #[default]
    Csv,
    /// For a program.
    Json,
    /// A page to print, with pictures.
    Page,
}

impl Format {
    const ALL: [Self; 3] = [Self::Csv, Self::Json, Self::Page];

    /// The word in the form, and on record.
    fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Page => "page",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Csv => "Table for a spreadsheet (CSV)",
            Self::Json => "File for a program (JSON)",
            Self::Page => "Page to print, with pictures",
        }
    }

    /// Most reads.
    fn max(self) -> usize {
        match self {
            Self::Csv | Self::Json => 20_000,
            Self::Page => 200,
        }
    }

    fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.word() == word)
    }
}

/// A read as it leaves: as it was corrected last, and as it was read.
#[derive(Clone, Debug, Serialize)]
struct ExportedRead {
    read: Uuid,
    first_seen: Timestamp,
    last_seen: Timestamp,
    plate: String,
    state: String,
    confidence: f32,
    read_as: String,
    read_as_state: String,
    vehicle: String,
    camera: String,
    /// Degrees, WGS 84.
    latitude: Option<f64>,
    longitude: Option<f64>,
    /// Of the canvass in which it was made, or empty.
    incident: String,
    hit_lists: Vec<String>,
    hit_plates: Vec<String>,
}

/// An export: who took what out, and why.
#[derive(Clone, Debug, Serialize)]
struct Exported {
    format: &'static str,
    exported: Timestamp,
    by: String,
    purpose: String,
    case: String,
    reason: String,
    reads: Vec<ExportedRead>,
}

pub async fn form(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    may::<ExportReads>(&visit, "export reads")?;
    match find(visit.look()?, &id) {
        Some(_) => page(&visit, &id, StatusCode::OK, &Given::default(), Field::default(), Format::Csv).await,
        None => Ok(door::redirect("/search")),
    }
}

fn find(look: &Look, id: &str) -> Option<Search> {
    Uuid::parse_str(id).ok().and_then(|id| look.searches.find(id, 0)).map(|(_, _, search)| search)
}

async fn page(
    visit: &Visit,
    id: &str,
    status: StatusCode,
    given: &Given,
    why: Field,
    format: Format,
) -> Result<Response, Problem> {
    let mut form = visit.form(&format!("/search/{id}/export"), "Export");
    form.fields = given.fields(&visit.console.access);
    let field = Field::new(Input::Text, "reason", "Who gets it, and what for").required().max(Reason::MAX_CHARS as u32);
    form.fields.push(field.value(why.value).error(why.error));
    let formats = Field::new(Input::Radio, "format", "As").required();
    form.fields.push(formats.choices(Format::ALL.map(|f| (f.word(), f.label()))).value(format.word()));
    form.cancel = Some(Link::new("Back", format!("/search/{id}")));
    let frame = visit.frame("Export what was found", "Search").await?;
    let what = "the reads that were found leave this system as a file or on paper".into();
    Ok((status, draw(&pages::Purpose { frame, what, form })?).into_response())
}

pub async fn export(
    visit: Visit,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let look = visit.look()?.clone();
    let Some(search) = find(&look, &id) else { return Ok(door::redirect("/search")) };
    let said = fields.get("reason");
    // A form of before had no such field.
    let format = Format::of(fields.get("format")).unwrap_or_default();
    let (given, reason) = (Given::read(&visit.console.access, &fields), Reason::new(said));
    let error = reason.as_ref().err().map(|e| sentence(&words::capital(&e.to_string())));
    let why = Field::default().value(said).error(error.unwrap_or_default());
    let ((purpose, case), reason) = match (given, reason) {
        (Ok(given), Ok(reason)) => (given, reason),
        (given, _) => {
            let given = given.err().unwrap_or_else(|| Given::of(&fields));
            return page(&visit, &id, StatusCode::UNPROCESSABLE_ENTITY, &given, why, format).await;
        }
    };
    let console = visit.console.clone();
    let exported = blocking(move || gather(&console, &look, &search, purpose, &case, reason, format)).await?;
    let (kind, end, text) = match format {
        Format::Page => return sheet::page(&visit, &id, exported),
        Format::Csv => ("text/csv; charset=utf-8", "csv", csv::file(&exported.reads)),
        Format::Json => ("application/json", "json", json(&exported)?),
    };
    let now = visit.console.clock.wall().to_zoned(TimeZone::system());
    let name = format!("reads-{}.{end}", now.strftime("%Y%m%d-%H%M%S"));
    let about = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((about, text).into_response())
}

fn json(exported: &Exported) -> Result<String> {
    let text = serde_json::to_string_pretty(exported);
    text.context(Kind::Internal, || "an export can't be written as JSON".into())
}

/// What leaves. It is on record how many reads are in it before it is given. Blocks.
fn gather(
    console: &Console,
    look: &Look,
    search: &Search,
    purpose: Purpose,
    case: &Case,
    reason: Reason,
    format: Format,
) -> Result<Exported> {
    let gate = console.officers.gate();
    let reason = reason.for_purpose(Some(purpose));
    let search = search.export(gate, look.actor(), &reason, case, format.word())?;
    let permit = search.permit().clone();
    let (mut reads, mut left) = (Vec::new(), Some(search));
    while let Some(search) = left {
        let (found, more) = next(console, search, PAGE)?;
        reads.extend(found.iter().map(|read| exported(console, &permit, read)));
        if reads.len() > format.max() {
            let message = format!("more than {} reads were found; search for less at a time", format.max());
            return Err(Error::new(Kind::Input, message));
        }
        left = more;
    }
    gate.shown(&permit, reads.len() as u64)?;
    Ok(Exported {
        format: "plated-reads-1",
        exported: console.clock.wall(),
        by: look.actor().to_string(),
        purpose: reason.purpose().map(ToString::to_string).unwrap_or_default(),
        case: case.as_str().to_owned(),
        reason: reason.as_str().to_owned(),
        reads,
    })
}

fn exported(console: &Console, permit: &Permit<ExportReads>, kept: &KeptRead) -> ExportedRead {
    let read = &kept.record;
    let (text, state) = match kept.corrections.first() {
        Some(last) => (&last.corrected.text, &last.corrected.state),
        None => (&read.text, &read.state),
    };
    let seen = kept.hits().filter_map(|hit| match visible::hit(permit.scope(), console.officers.settings(), hit) {
        VisibleHit::Whole(hit) => Some(hit),
        VisibleHit::Existence | VisibleHit::Hidden => None,
    });
    let (mut hit_lists, mut hit_plates) = (Vec::new(), Vec::new());
    for hit in seen {
        hit_lists.extend(hit.entries.iter().map(|e| e.entry.list.clone()));
        hit_plates.push(hit.listed);
    }
    hit_lists.dedup();
    ExportedRead {
        read: read.id,
        first_seen: read.first_seen,
        last_seen: read.last_seen,
        plate: text.clone(),
        state: state.clone(),
        confidence: read.confidence,
        read_as: read.text.clone(),
        read_as_state: read.state.clone(),
        vehicle: read.vehicle.clone(),
        camera: read.camera.clone(),
        latitude: read.position.map(|p| p.lat),
        longitude: read.position.map(|p| p.lon),
        incident: read.canvass.clone().unwrap_or_default(),
        hit_lists,
        hit_plates,
    }
}
