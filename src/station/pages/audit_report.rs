//! The end of an audit: it is closed with a signed report, which administrators and custodians read (control P-32).

use super::Station;
use super::audits::{Entered, allow, days, id_of, show};
use super::not_found;
use super::site::{Routes, Visit};
use crate::audits::{Audit, AuditReport, Figures, Span};
use axum::Extension;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use plated_access::{Actor, Permit, Sample};
use plated_core::error::{Error, Kind, Result};
use plated_portal::forms::{Wrong, line};
use plated_portal::{Needs, blocking, redirect, words};
use plated_web::fields::Fields;
use plated_web::problem::Problem;
use plated_web::ui::Fact;
use serde_json::json;
use uuid::Uuid;

/// Longest conclusion, in characters.
pub const MAX_CONCLUSION: usize = 4000;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/audits/{audit}/report", Needs::Session, report).post("/audits/{audit}/close", Needs::Session, close)
}

/// Of which days it is, and how it was drawn.
pub fn facts(audit: &Audit, report: Option<&AuditReport>) -> Vec<Fact> {
    let reads: u64 = audit.basis.reads.iter().map(|(_, _, reads)| reads).sum();
    let mut facts = vec![
        Fact::new("Days", days(audit)),
        Fact::new("Begun", format!("{}, {}", audit.begun_by, words::day_time(audit.begun))),
        Fact::new(
            "Drawn out of",
            format!("{} accesses and {} reads", words::number(audit.basis.accesses), words::number(reads)),
        ),
        Fact::new("By the number", audit.basis.seed.to_string()).copied_by("Copy the number"),
        Fact::new("Which is the hash of", format!("row {} of the audit log {}", audit.basis.row, audit.basis.log)),
    ];
    facts.extend(report.map(|of| Fact::new("Closed", format!("{}, {}", of.closed_by, words::day_time(of.closed)))));
    facts
}

/// What happened in the time.
pub fn in_figures(figures: &Figures) -> Vec<Fact> {
    vec![
        Fact::new("Reads", words::number(figures.reads)),
        Fact::new("With a hit", words::number(figures.hits)),
        Fact::new("Found misread", words::number(figures.misreads)),
        Fact::new("Users who looked", words::number(figures.by_user.len() as u64)),
    ]
}

/// A table of counts.
pub fn by(title: &str, counts: &[(String, u64)]) -> (String, Vec<(String, String)>) {
    (title.to_owned(), counts.iter().map(|(name, count)| (name.clone(), words::number(*count))).collect())
}

async fn close(
    visit: Visit,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    visit.may::<Sample>("make audits")?;
    let id = id_of(&id)?;
    let conclusion = line(fields.get("conclusion"));
    if conclusion.is_empty() || conclusion.chars().count() > MAX_CONCLUSION {
        let wrong = Wrong::field("conclusion", "Say what came of it, in at most 4,000 characters.");
        let entered = Entered { conclusion, wrong, ..Entered::default() };
        return show(&visit, id, StatusCode::UNPROCESSABLE_ENTITY, None, &entered).await;
    }
    let (station, actor) = (visit.station.clone(), visit.visitor()?.session.actor());
    let closed = blocking(move || Ok(close_now(&station, &actor, id, conclusion))).await?;
    match closed {
        Ok(()) => Ok(redirect(&format!("/audits/{id}?done=closed"))),
        Err(e) => {
            let entered = Entered { wrong: Wrong::of(e)?, ..Entered::default() };
            show(&visit, id, StatusCode::CONFLICT, None, &entered).await
        }
    }
}

/// Signs the report, and keeps it. Blocks.
fn close_now(station: &Station, actor: &Actor, id: Uuid, conclusion: String) -> Result<()> {
    let audit = station.audit(id)?;
    if audit.report.is_some() {
        return Err(Error::new(Kind::Refused, "the audit is closed; its report stays as it is"));
    }
    let _: Permit<Sample> = station.audit_permit(actor, json!({"audit": id, "as": "closed"}))?;
    let span = Span { first: audit.first, last: audit.last, until: audit.begun };
    let mut figures = station.rows(|rows| rows.audit_figures(span))?;
    for day in station.archive.statistics(audit.first, audit.last)?.days {
        (figures.reads, figures.hits) = (figures.reads + day.reads, figures.hits + day.hits);
    }
    let closed = (station.clock.wall(), actor.to_string());
    let open = || Error::new(Kind::Refused, "not all is judged yet");
    let report = AuditReport::of(&audit, &station.name, closed, figures, conclusion).ok_or_else(open)?;
    let text = report.sign(&station.audit_report)?;
    station.rows(|rows| rows.close_audit(id, &text))
}

/// The signed report as a file.
async fn report(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    allow(&visit)?;
    let (id, station) = (id_of(&id)?, visit.station.clone());
    let audit = blocking(move || station.audit(id)).await?;
    let text = audit.report.ok_or_else(|| not_found("report"))?;
    let about = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"audit-{}-{}.json\"", audit.first, audit.last)),
    ];
    Ok((about, text).into_response())
}
