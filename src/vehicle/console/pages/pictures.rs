//! Pictures of reads.

use crate::console::blocking;
use crate::console::routes::{Needs, Routes};
use crate::console::visit::Visit;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plated_core::error::{Error, Kind};
use plated_core::record::ImageRole;
use plated_web::problem::Problem;
use uuid::Uuid;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/pictures/{read}/{name}", Needs::Look, picture)
}

/// The first picture of a read, `plate.jpg` or `overview.jpg`, to whoever sees reads or alerts. It is not to be
/// stored, as no page is; who has it still is told so by its hash.
async fn picture(
    visit: Visit,
    headers: HeaderMap,
    Path((read, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let none = || Error::new(Kind::NotFound, "there is no such picture");
    let read = Uuid::parse_str(&read).map_err(|_| none())?;
    let role = match name.as_str() {
        "plate.jpg" => ImageRole::Plate,
        "overview.jpg" => ImageRole::Overview,
        _ => return Err(none().into()),
    };
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let found = blocking(move || match (&look.live, &look.hits) {
        (Some(live), _) => console.store.picture(live, read, role),
        (None, Some(hits)) => console.store.picture(hits, read, role),
        (None, None) => Err(Error::new(Kind::Forbidden, "your role sees no pictures")),
    });
    let (sha256, jpeg) = found.await?.ok_or_else(none)?;
    let tag = format!("\"{sha256}\"");
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == tag.as_bytes());
    let about = [(header::ETAG, tag), (header::CONTENT_TYPE, "image/jpeg".to_owned())];
    Ok(if known { (StatusCode::NOT_MODIFIED, about).into_response() } else { (about, jpeg).into_response() })
}
