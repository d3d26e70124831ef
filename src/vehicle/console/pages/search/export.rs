//! What a search found as a file, for a purpose of its own (controls P-01, P-02, P-21, P-23).

use super::{may, next};
use crate::console::look::Look;
use crate::console::pages::purpose::Given;
use crate::console::visit::Visit;
use crate::console::{Console, blocking, door, draw};
use crate::store::{KeptRead, PAGE, Search};
use crate::visible::{self, VisibleHit};
use axum::Extension;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use plated_access::{Case, ExportReads, Permit, Purpose, Reason};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::sentence;
use plated_web::fields::Fields;
use plated_web::pages;
use plated_web::problem::Problem;
use plated_web::ui::{Field, Input, Link};
use std::borrow::Cow;
use std::fmt::Write;
use uuid::Uuid;

/// Most reads of a file.
const MAX_READS: usize = 20_000;
/// Its first line.
const HEADER: &str = "read,first_seen,last_seen,plate,state,confidence,read_as,read_as_state,vehicle,camera,latitude,\
                      longitude,incident,hit_lists,hit_plates\r\n";

pub async fn form(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    may::<ExportReads>(&visit, "export reads")?;
    match find(visit.look()?, &id) {
        Some(_) => page(&visit, &id, StatusCode::OK, &Given::default(), Field::default()).await,
        None => Ok(door::redirect("/search")),
    }
}

fn find(look: &Look, id: &str) -> Option<Search> {
    Uuid::parse_str(id).ok().and_then(|id| look.searches.find(id, 0)).map(|(_, _, search)| search)
}

async fn page(visit: &Visit, id: &str, status: StatusCode, given: &Given, why: Field) -> Result<Response, Problem> {
    let mut form = visit.form(&format!("/search/{id}/export"), "Export");
    form.fields = given.fields(&visit.console.access);
    let field = Field::new(Input::Text, "reason", "Who gets it, and what for").required().max(Reason::MAX_CHARS as u32);
    form.fields.push(field.value(why.value).error(why.error));
    form.cancel = Some(Link::new("Back", format!("/search/{id}")));
    let frame = visit.frame("Export what was found", "Search").await?;
    let what = "the reads that were found leave this system as a file".into();
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
    let (given, reason) = (Given::read(&visit.console.access, &fields), Reason::new(said));
    let error = reason.as_ref().err().map(|e| sentence(&crate::console::words::capital(&e.to_string())));
    let why = Field::default().value(said).error(error.unwrap_or_default());
    let ((purpose, case), reason) = match (given, reason) {
        (Ok(given), Ok(reason)) => (given, reason),
        (given, _) => {
            let given = given.err().unwrap_or_else(|| Given::of(&fields));
            return page(&visit, &id, StatusCode::UNPROCESSABLE_ENTITY, &given, why).await;
        }
    };
    let console = visit.console.clone();
    let (name, text) = blocking(move || file(&console, &look, &search, purpose, &case, reason)).await?;
    let about = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((about, text).into_response())
}

/// Name and content. It is on record how many reads are in it before it is given. Blocks.
fn file(
    console: &Console,
    look: &Look,
    search: &Search,
    purpose: Purpose,
    case: &Case,
    reason: Reason,
) -> Result<(String, String)> {
    let gate = console.officers.gate();
    let search = search.export(gate, look.actor(), &reason.for_purpose(Some(purpose)), case)?;
    let permit = search.permit().clone();
    let (mut text, mut rows, mut left) = (HEADER.to_owned(), 0, Some(search));
    while let Some(search) = left {
        let (found, more) = next(console, search, PAGE)?;
        rows += found.len();
        if rows > MAX_READS {
            let message = format!("more than {MAX_READS} reads were found; search for less at a time");
            return Err(Error::new(Kind::Input, message));
        }
        found.iter().for_each(|read| text.push_str(&line(console, &permit, read)));
        left = more;
    }
    gate.shown(&permit, rows as u64)?;
    let now = console.clock.wall().to_zoned(TimeZone::system());
    Ok((now.strftime("reads-%Y%m%d-%H%M%S.csv").to_string(), text))
}

/// A read as a line: as it was corrected last, and as it was read.
fn line(console: &Console, permit: &Permit<ExportReads>, kept: &KeptRead) -> String {
    let read = &kept.record;
    let (text, state) = match kept.corrections.first() {
        Some(last) => (&last.corrected.text, &last.corrected.state),
        None => (&read.text, &read.state),
    };
    let degrees = |of: fn(&plated_core::record::Position) -> f64| {
        read.position.as_ref().map_or_else(String::new, |position| of(position).to_string())
    };
    let seen = kept.hits().filter_map(|hit| match visible::hit(permit.scope(), console.officers.settings(), hit) {
        VisibleHit::Whole(hit) => Some(hit),
        VisibleHit::Existence | VisibleHit::Hidden => None,
    });
    let (mut lists, mut plates) = (Vec::new(), Vec::new());
    for hit in seen {
        lists.extend(hit.entries.iter().map(|e| e.entry.list.clone()));
        plates.push(hit.listed);
    }
    lists.dedup();
    let fields = [
        read.id.to_string(),
        read.first_seen.to_string(),
        read.last_seen.to_string(),
        text.clone(),
        state.clone(),
        read.confidence.to_string(),
        read.text.clone(),
        read.state.clone(),
        read.vehicle.clone(),
        read.camera.clone(),
        degrees(|p| p.lat),
        degrees(|p| p.lon),
        read.canvass.clone().unwrap_or_default(),
        lists.join(" "),
        plates.join(" "),
    ];
    let mut line = String::new();
    for (n, field) in fields.iter().enumerate() {
        let comma = if n > 0 { "," } else { "" };
        let _ = write!(line, "{comma}{}", cell(field)); // Into a text nothing fails.
    }
    line + "\r\n"
}

/// A field of the file. A text that a spreadsheet would take for a formula gets a quote in front; a number does not.
fn cell(text: &str) -> Cow<'_, str> {
    let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
    let text = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    };
    match text.contains(['"', ',', '\n', '\r']) {
        true => Cow::Owned(format!("\"{}\"", text.replace('"', "\"\""))),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_spreadsheet_takes_no_field_for_a_formula_and_no_field_for_two() {
        for (text, expected) in [
            ("7ABC123", "7ABC123"),
            ("-122.26416", "-122.26416"),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("@sum", "'@sum"),
            ("-cmd|x", "'-cmd|x"),
            ("+1e5x", "'+1e5x"),
            ("front, left", "\"front, left\""),
            ("a\"b", "\"a\"\"b\""),
            ("two\nlines", "\"two\nlines\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), expected, "{text}");
        }
    }
}
