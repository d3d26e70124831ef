//! Figures, the redacted audit log and the certificates of deletion, for everybody (control P-24). What is not turned on is
//! not there. No plate, no name of a person.

use super::site::{Routes, Visit};
use super::statistics::share;
use super::{Station, not_found};
use crate::transparency::{Figures, Month};
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use plated_core::error::{Context, Kind, Result};
use plated_portal::{Needs, blocking, draw, words};
use plated_web::Frame;
use plated_web::bars::Bars;
use plated_web::pages::{FiguresTable, Proof, Shape, TransparencyPage};
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Link};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

use crate::hotlists::FileBody;

/// What is counted stays so long: everybody can ask, and counting reads all of the log.
const KEPT: Duration = Duration::from_secs(3600);
/// Where it is.
pub const PAGE: &str = "/policy/figures";

pub fn routes(routes: Routes) -> Routes {
    routes
        .get(PAGE, Needs::Nobody, page)
        .get("/policy/figures.csv", Needs::Nobody, csv)
        .get("/policy/audit-log.jsonl", Needs::Nobody, audit_log)
        .get("/policy/deletions.jsonl", Needs::Nobody, deletions)
}

/// Figures as they were counted last.
#[derive(Default)]
pub struct Counted(Mutex<Option<(Timestamp, Arc<Figures>)>>);

impl Counted {
    /// Those of the last hour. Whoever comes while they are being counted waits for them.
    async fn figures(&self, station: &Arc<Station>) -> Result<Arc<Figures>, Problem> {
        let mut kept = self.0.lock().await;
        let now = station.clock.wall();
        if let Some((at, figures)) = &*kept
            && now.duration_since(*at).unsigned_abs() < KEPT
        {
            return Ok(figures.clone());
        }
        let own = station.clone();
        let figures = blocking(move || {
            let (covert, key) = (&own.settings.covert_lists, own.audit_report.public_key());
            Figures::count(&*own.archive, covert, key, now)
        });
        let figures = Arc::new(figures.await?);
        *kept = Some((now, figures.clone()));
        Ok(figures)
    }
}

fn month(day: Date) -> String {
    day.strftime("%b %Y").to_string()
}

async fn page(visit: Visit) -> Result<Response, Problem> {
    let station = &visit.station;
    let published = station.settings.policy.published;
    if !published.any() {
        return Err(not_found("page").into());
    }
    let frame = Frame { shape: Shape::Full, ..visit.alone("License plate readers in figures") };
    let mut page = TransparencyPage {
        frame,
        facts: Vec::new(),
        reads: None,
        tables: Vec::new(),
        lists: Vec::new(),
        csv: None,
        proofs: Vec::new(),
    };
    if published.figures {
        let figures = station.counted.figures(station).await?;
        let purposes: BTreeMap<&str, &str> =
            visit.portal().access.purposes.iter().map(|of| (of.name.as_str(), of.text.as_str())).collect();
        fill(&mut page, &figures, &purposes);
    }
    if published.audit_log {
        let made = station.publisher.as_ref().is_some_and(|of| of.path().exists());
        page.proofs.push(Proof {
            title: "Audit log".into(),
            text: "Each look at data and each change, in their order: when, by which role, for which purpose. Plates, names of \
                   people, case numbers and reasons are hidden, and whether anything was changed or left out can be verified \
                   all the same. Made anew each day."
                .into(),
            link: made.then(|| Link::new("Audit log", "/policy/audit-log.jsonl")),
            facts: proof(hex::encode(station.audit_key), "plated-station audit verify audit-log.jsonl --key audit.pub"),
        });
    }
    if published.deletions {
        page.proofs.push(Proof {
            title: "Certificates of deletion".into(),
            text: "What was deleted, by day and kind of read, once its time was over: how many reads and pictures, and the hash \
                   over their ids. Each is signed."
                .into(),
            link: Some(Link::new("Certificates", "/policy/deletions.jsonl")),
            facts: proof(hex::encode(station.archive.deletion_key()), "Ed25519 over each certificate, as docs/reference/archive.md says"),
        });
    }
    Ok(draw(&page)?.into_response())
}

fn proof(key: String, how: &str) -> Vec<Fact> {
    vec![Fact::new("Public key", key).copied_by("Copy the key"), Fact::new("Verified by", how)]
}

fn fill(page: &mut TransparencyPage, figures: &Figures, purposes: &BTreeMap<&str, &str>) {
    let sum = |of: fn(&Month) -> u64| figures.months.iter().map(|(_, month)| of(month)).sum::<u64>();
    let (reads, hits) = (sum(|m| m.reads), sum(|m| m.hits));
    page.facts = vec![
        Fact::new("Months", words::number(figures.months.len() as u64)),
        Fact::new("Reads", words::number(reads)),
        Fact::new("With a hit", words::number(hits)),
        Fact::new("Share", share(hits, reads)),
    ];
    page.reads = Some(Bars {
        summary: format!("Reads of each month: {} in all.", words::number(reads)),
        values: figures.months.iter().map(|(day, of)| (month(*day), of.reads)).collect(),
    });
    let rows = |of: &dyn Fn(&Month) -> Vec<String>| {
        figures.months.iter().rev().map(|(day, month_of)| (month(*day), of(month_of))).collect()
    };
    let table = |title: &str, columns: &[&str], of: &dyn Fn(&Month) -> Vec<String>| FiguresTable {
        title: title.to_owned(),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        rows: rows(of),
    };
    let n = words::number;
    page.tables.push(table("Reads and hits", &["Reads", "With a hit", "Share"], &|m| {
        vec![n(m.reads), n(m.hits), share(m.hits, m.reads)]
    }));
    let by_word = |title: &str, of: fn(&Month) -> &BTreeMap<String, u64>, name: &dyn Fn(&str) -> String| {
        let all = figures.words(of);
        (!all.is_empty()).then(|| FiguresTable {
            title: title.to_owned(),
            columns: all.iter().map(|word| name(word)).collect(),
            rows: rows(&|m| all.iter().map(|word| n(of(m).get(word).copied().unwrap_or(0))).collect()),
        })
    };
    page.tables.extend(by_word("What officers found about hits", |m| &m.found, &words::title));
    page.tables.extend(by_word("Looks at data, by purpose", |m| &m.looks, &|word| {
        purposes.get(word).map_or_else(|| "Another, or none".to_owned(), |text| (*text).to_owned())
    }));
    page.tables
        .push(table("Audits", &["Closed", "Looked at", "Wrong"], &|m| vec![n(m.audits), n(m.audited), n(m.wrong)]));
    page.tables.push(table("Releases to other agencies", &["Requests", "Approved", "Reads"], &|m| {
        vec![n(m.requests), n(m.approved), n(m.released)]
    }));
    page.lists =
        figures.lists.iter().map(|(name, entries)| Fact::new(&**name, format!("{} entries", n(*entries)))).collect();
    page.csv = Some(Link::new("As a table", "/policy/figures.csv"));
}

/// All figures: month, what is counted, and the count.
async fn csv(visit: Visit) -> Result<Response, Problem> {
    let station = &visit.station;
    if !station.settings.policy.published.figures {
        return Err(not_found("page").into());
    }
    let figures = station.counted.figures(station).await?;
    let known = |word: &str| visit.portal().access.purposes.iter().any(|of| of.name.as_str() == word);
    let mut text = String::from("month,what,count\r\n");
    for (day, of) in &figures.months {
        let single = [
            ("reads", of.reads),
            ("hits", of.hits),
            ("audits", of.audits),
            ("audited", of.audited),
            ("audited_wrong", of.wrong),
            ("release_requests", of.requests),
            ("releases_approved", of.approved),
            ("reads_released", of.released),
        ];
        let found = of.found.iter().map(|(word, n)| (format!("found_{word}"), *n));
        let other: u64 = of.looks.iter().filter(|(word, _)| !known(word)).map(|(_, n)| n).sum();
        let looks = of.looks.iter().filter(|(word, _)| known(word)).map(|(word, n)| (format!("looks_{word}"), *n));
        let other = (other > 0).then(|| ("looks_other".to_owned(), other));
        let all = single.into_iter().map(|(what, n)| (what.to_owned(), n)).chain(found).chain(looks).chain(other);
        for (what, n) in all {
            let _ = write!(text, "{},{what},{n}\r\n", day.strftime("%Y-%m"));
        }
    }
    let about = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"figures.csv\""),
    ];
    Ok((about, text).into_response())
}

async fn audit_log(visit: Visit) -> Result<Response, Problem> {
    let publisher = visit.station.publisher.clone().ok_or_else(|| not_found("page"))?;
    let file = blocking(move || {
        let file = std::fs::File::open(publisher.path())
            .map_err(|_| not_found("audit log yet; come again in some minutes"))?;
        let bytes = file.metadata().context(Kind::Storage, || "could not read the audit log".into())?.len();
        Ok((file, bytes))
    });
    let (file, bytes) = file.await?;
    let about = [
        (header::CONTENT_TYPE, "application/jsonl".to_owned()),
        (header::CONTENT_LENGTH, bytes.to_string()),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit-log.jsonl\"".to_owned()),
    ];
    Ok((about, Body::new(FileBody::new(file, 0..bytes))).into_response())
}

async fn deletions(visit: Visit) -> Result<Response, Problem> {
    if !visit.station.settings.policy.published.deletions {
        return Err(not_found("page").into());
    }
    let station = visit.station.clone();
    let certificates = blocking(move || station.archive.certificates()).await?;
    let mut text: String = certificates.iter().map(|of| of.as_str()).collect::<Vec<_>>().join("\n");
    text.push('\n');
    let about = [
        (header::CONTENT_TYPE, "application/jsonl"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"deletions.jsonl\""),
    ];
    Ok((about, text).into_response())
}
