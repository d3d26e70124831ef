//! Styles, script, type and icons: compiled in, named by their content, cached for ever.
//!
//! A changed file has another name, so no browser ever shows an old one with a new page.

#[cfg(test)]
mod tests;

use crate::problem::Problem;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use plated_core::digest::Sha256;
use std::sync::LazyLock;

/// Where they are served.
const FOLDER: &str = "/assets/";

struct Asset {
    /// As templates name it: `app.css`.
    name: &'static str,
    /// Such as `/assets/app.0a1b2c3d4e5f.css`.
    url: String,
    kind: &'static str,
    bytes: Bytes,
}

/// A name, its media type and its bytes.
type Source = (&'static str, &'static str, &'static [u8]);

/// Each may name those before it.
const SOURCES: [Source; 8] = [
    ("plate.woff2", "font/woff2", include_bytes!("plate.woff2")),
    ("icon.svg", "image/svg+xml", include_bytes!("icon.svg")),
    ("icon-192.png", "image/png", include_bytes!("icon-192.png")),
    ("icon-512.png", "image/png", include_bytes!("icon-512.png")),
    ("icon-maskable-512.png", "image/png", include_bytes!("icon-maskable-512.png")),
    ("app.css", "text/css; charset=utf-8", include_bytes!("app.css")),
    ("app.js", "text/javascript; charset=utf-8", include_bytes!("app.js")),
    ("manifest.webmanifest", "application/manifest+json", include_bytes!("manifest.webmanifest")),
];

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let mut assets: Vec<Asset> = Vec::new();
    for (name, kind, bytes) in SOURCES {
        let mut bytes = Bytes::from_static(bytes);
        if matches!(name, "app.css" | "manifest.webmanifest") {
            let mut text = String::from_utf8_lossy(&bytes).into_owned();
            for asset in &assets {
                text = text.replace(&format!("\"{}\"", asset.name), &format!("\"{}\"", asset.url));
            }
            bytes = text.into();
        }
        let hash = &Sha256::of(&bytes).to_string()[..12];
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        assets.push(Asset { name, url: format!("{FOLDER}{stem}.{hash}.{ending}"), kind, bytes });
    }
    assets
});

/// The address of a file. A name that is none gives an address that is none either; a test asks for
/// each name in the templates.
pub fn url(name: &str) -> &'static str {
    ASSETS.iter().find(|a| a.name == name).map_or("/assets/missing", |a| &a.url)
}

/// All addresses with what is there, to be written out as files.
pub fn all() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    ASSETS.iter().map(|a| (a.url.as_str(), a.bytes.as_ref()))
}

/// Serves them; needs no login.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{file}", get(serve))
}

async fn serve(Path(file): Path<String>) -> Response {
    let Some(asset) = ASSETS.iter().find(|a| a.url[FOLDER.len()..] == file) else {
        let gone = "This file belongs to another version of the program.";
        return Problem::new(StatusCode::NOT_FOUND, gone, "Load the page again.").into_response();
    };
    let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, asset.bytes.clone()).into_response()
}
