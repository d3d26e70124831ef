//! What a search found as an archive of evidence, for a purpose of its own (controls P-01, P-02, P-16, P-21, P-23).

use super::look::{Kept, Look};
use super::read::Known;
use super::site::{Routes, Visit};
use super::visible::KnownLists;
use super::{Station, search};
use crate::archive::Query;
use crate::evidence::{Contents, ExportedRead, Manifest, ManifestRead, write};
use crate::hotlists::FileBody;
use axum::Extension;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use plated_access::{Case, ExportReads, Permit, Reason, Search};
use plated_core::clock::id_at;
use plated_core::durable;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::sentence;
use plated_portal::{Given, Needs, blocking, draw, redirect, words};
use plated_web::fields::Fields;
use plated_web::pages;
use plated_web::problem::Problem;
use plated_web::ui::{Field, Input, Link};
use serde_json::Value;
use std::fs::File;
use uuid::Uuid;

/// Most reads of an archive.
const MAX_READS: usize = 1000;
/// Reads that are looked for at a time.
const PAGE: usize = 200;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/search/{search}/evidence", Needs::Look, form).post("/search/{search}/evidence", Needs::Look, export)
}

fn find(look: &Look, id: &str) -> Option<Kept> {
    Uuid::parse_str(id).ok().and_then(|id| look.search(id, 0)).map(|(kept, _)| kept)
}

async fn form(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    visit.may::<ExportReads>("export reads")?;
    match find(visit.look()?, &id) {
        Some(_) => page(&visit, &id, StatusCode::OK, &Given::default(), Field::default()).await,
        None => Ok(redirect("/search")),
    }
}

async fn page(visit: &Visit, id: &str, status: StatusCode, given: &Given, why: Field) -> Result<Response, Problem> {
    let mut form = visit.form(&format!("/search/{id}/evidence"), "Export");
    form.fields = given.fields(&visit.portal().access);
    let field = Field::new(Input::Text, "reason", "Who gets it, and what for").required().max(Reason::MAX_CHARS as u32);
    form.fields.push(field.value(why.value).error(why.error));
    form.cancel = Some(Link::new("Back", format!("/search/{id}")));
    let frame = visit.frame("Export as evidence", "Search").await?;
    let what = "the reads that were found leave this system with their pictures, as one signed archive".into();
    Ok((status, draw(&pages::Purpose { frame, what, form })?).into_response())
}

async fn export(
    visit: Visit,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    visit.may::<ExportReads>("export reads")?;
    let look = visit.look()?.clone();
    let Some(kept) = find(&look, &id) else { return Ok(redirect("/search")) };
    let said = fields.get("reason");
    let (given, reason) = (Given::read(&visit.portal().access, &fields), Reason::new(said));
    let error = reason.as_ref().err().map(|e| sentence(&words::capital(&e.to_string())));
    let why = Field::default().value(said).error(error.unwrap_or_default());
    let ((purpose, case), reason) = match (given, reason) {
        (Ok(given), Ok(reason)) => (given, reason),
        (given, _) => {
            let given = given.err().unwrap_or_else(|| Given::of(&fields));
            return page(&visit, &id, StatusCode::UNPROCESSABLE_ENTITY, &given, why).await;
        }
    };
    let station = visit.station.clone();
    let taken = blocking(move || {
        let because = reason.for_purpose(Some(purpose));
        let mut elements = kept.query.elements();
        if let Some(elements) = elements.as_object_mut() {
            elements.insert("as".into(), "evidence".into());
        }
        take_out(&station, &look, Wanted { query: &kept.query, because, case: &case, elements })
    });
    Ok(taken.await?.into_response())
}

/// What is to be taken out, and why.
pub struct Wanted<'a> {
    /// Which reads.
    pub query: &'a Query,
    /// Why, with the purpose.
    pub because: Reason,
    /// For which case.
    pub case: &'a Case,
    /// What goes on record of it.
    pub elements: Value,
}

/// An archive that was written.
pub struct TakenOut {
    file: File,
    bytes: u64,
    name: String,
    /// As its manifest names it.
    pub id: Uuid,
    /// Its reads.
    pub reads: usize,
}

impl IntoResponse for TakenOut {
    fn into_response(self) -> Response {
        let about = [
            (header::CONTENT_TYPE, "application/zip".to_owned()),
            (header::CONTENT_LENGTH, self.bytes.to_string()),
            (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", self.name)),
        ];
        (about, Body::new(FileBody::new(self.file, 0..self.bytes))).into_response()
    }
}

/// Writes the archive, without a name in the folder of the data. How many reads are in it is on record before it is
/// given. Blocks.
///
/// # Errors
/// `Input` when nothing or too much was found, `Forbidden` when not all of it may be seen by whoever takes it out.
pub fn take_out(station: &Station, look: &Look, wanted: Wanted<'_>) -> Result<TakenOut> {
    let Wanted { query, because, case, elements } = wanted;
    let export: Permit<ExportReads> = look.open_for(station, &because, case, elements.clone())?;
    let permit: Permit<Search> = look.open_for(station, &because, case, elements)?;
    let lists = KnownLists::of(station)?;
    let reads = gather(station, &lists, &permit, query)?;
    station.gate.shown(&export, reads.len() as u64)?;
    let now = station.clock.wall();
    let id = id_at(now);
    let manifest = Manifest {
        format: Manifest::FORMAT.into(),
        id,
        station: station.name.clone(),
        at: now,
        by: look.actor().into(),
        purpose: because.purpose().map(ToString::to_string),
        case: case.as_str().to_owned(),
        reason: because.as_str().to_owned(),
        reads: Vec::new(),
        files: Vec::new(),
    };
    let contents = Contents { manifest, reads: reads.len() };
    let file = write(unnamed(station)?, contents, &station.evidence, |n| {
        let gone = || Error::new(Kind::NotFound, "one of the reads was deleted meanwhile; search again");
        exported(station, &permit, *reads.get(n).ok_or_else(gone)?)?.ok_or_else(gone)
    })?;
    let bytes = file.metadata().context(Kind::Storage, could_not_write)?.len();
    let at = now.to_zoned(jiff::tz::TimeZone::system());
    let name = at.strftime("evidence-%Y%m%d-%H%M%S.zip").to_string();
    Ok(TakenOut { file, bytes, name, id, reads: reads.len() })
}

/// Ids of all that the search finds. A record is taken out as it was sealed or not at all: one with a hit of a list
/// that this person may not see stays here.
fn gather(station: &Station, lists: &KnownLists, permit: &Permit<Search>, query: &Query) -> Result<Vec<Uuid>> {
    let mut query = Query { after: None, ..query.clone() };
    let mut all = Vec::new();
    loop {
        let (found, next) = search::next(station, lists, permit, &query, PAGE)?;
        if found.iter().any(Known::has_hidden_hits) {
            let message =
                "not all of these reads can be taken out by you; ask a custodian to whom every list is granted";
            return Err(Error::new(Kind::Forbidden, message));
        }
        all.extend(found.iter().map(|known| known.record.id));
        if all.len() > MAX_READS {
            let message = format!("more than {MAX_READS} reads were found; search for less at a time");
            return Err(Error::new(Kind::Input, message));
        }
        match next {
            Some(_) => query.after = next,
            None if all.is_empty() => return Err(Error::new(Kind::Input, "nothing was found to take out")),
            None => return Ok(all),
        }
    }
}

fn exported(station: &Station, permit: &Permit<Search>, id: Uuid) -> Result<Option<ExportedRead>> {
    let Some(stored) = station.archive.read(permit, id)? else { return Ok(None) };
    let mut pictures = Vec::new();
    for of in &stored.found.envelope.pictures {
        if let Some(jpeg) = station.archive.picture(permit, id, &of.sha256)? {
            pictures.push((of.role.clone(), jpeg));
        }
    }
    let about = ManifestRead {
        id,
        vehicle: stored.found.envelope.vehicle.clone(),
        sealed_sha256: stored.found.sha256,
        received: stored.found.received,
        batch: stored.batch,
        holds: stored.holds,
    };
    Ok(Some(ExportedRead { about, record: stored.record, pictures, documents: stored.documents }))
}

fn could_not_write() -> String {
    "could not write an archive of evidence".into()
}

/// A file that is gone with its last reader, whatever happens.
fn unnamed(station: &Station) -> Result<File> {
    let folder = station.data.join("exports");
    durable::make_folder(&folder).context(Kind::Storage, could_not_write)?;
    let path = folder.join(Uuid::now_v7().to_string());
    let file = File::options().read(true).write(true).create_new(true).open(&path);
    let file = file.context(Kind::Storage, could_not_write)?;
    std::fs::remove_file(&path).context(Kind::Storage, could_not_write)?;
    Ok(file)
}
