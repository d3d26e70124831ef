//! Pictures of reads that were shown.

use super::not_found;
use super::site::{Routes, Visit};
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plated_core::digest::Sha256;
use plated_portal::{Needs, blocking};
use plated_web::problem::Problem;
use uuid::Uuid;

/// Pictures, which a page asks for by itself.
pub const PICTURES: &str = "/pictures/";

/// Address of a picture.
pub fn address(read: Uuid, sha256: &Sha256) -> String {
    format!("{PICTURES}{read}/{sha256}.jpg")
}

pub fn routes(routes: Routes) -> Routes {
    routes.get("/pictures/{read}/{name}", Needs::Look, picture)
}

/// A picture of a read that this look was shown. It is not to be stored, as no page is; who has it still is told so
/// by its hash.
async fn picture(
    visit: Visit,
    headers: HeaderMap,
    Path((read, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let none = || not_found("picture");
    let read = Uuid::parse_str(&read).map_err(|_| none())?;
    let sha256: Sha256 = name.strip_suffix(".jpg").and_then(|hex| hex.parse().ok()).ok_or_else(none)?;
    let (station, permit) = (visit.station.clone(), visit.look()?.shown(read)?);
    let found = blocking(move || {
        station.gate.still_open(&permit)?;
        station.archive.picture(&permit, read, &sha256)
    });
    let jpeg = found.await?.ok_or_else(none)?;
    let tag = format!("\"{sha256}\"");
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == tag.as_bytes());
    let about = [(header::ETAG, tag), (header::CONTENT_TYPE, "image/jpeg".to_owned())];
    Ok(if known { (StatusCode::NOT_MODIFIED, about).into_response() } else { (about, jpeg).into_response() })
}
