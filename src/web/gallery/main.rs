//! Writes every page with made-up data into a folder, or serves them, so that people can look at them:
//!
//! ```text
//! cargo run -p plated-web --example gallery -- DIR           # files
//! cargo run -p plated-web --example gallery -- DIR --serve   # and http://127.0.0.1:8214/live
//! ```

mod samples;

use axum::http::{HeaderName, header};
use axum::middleware::from_fn;
use axum::response::{Html, IntoResponse, Response};
use axum::{Router, extract::Path, routing::get};
use plated_web::{assets, headers, limits, problem::Problem};
use std::error::Error;
use std::fs;
use std::path::{Path as FilePath, PathBuf};

/// Where `--serve` listens.
const ADDRESS: &str = "127.0.0.1:8214";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("where to? gallery DIR [--serve]")?);
    let serve = arguments.next().is_some_and(|a| a == "--serve");
    let pages = samples::pages()?;
    for (name, html) in &pages {
        write(&folder.join(format!("{name}.html")), html.as_bytes())?;
    }
    for (url, bytes) in assets::all() {
        write(&folder.join(&url[1..]), bytes)?;
    }
    let pictures = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("gallery/pictures");
    for file in fs::read_dir(pictures)? {
        let file = file?;
        write(&folder.join("pictures").join(file.file_name()), &fs::read(file.path())?)?;
    }
    let names: Vec<_> = pages.iter().map(|(name, _)| *name).collect();
    write(&folder.join("pages.txt"), names.join("\n").as_bytes())?;
    if !serve {
        return Ok(());
    }
    let router = Router::new()
        .route("/{page}", get(async move |Path(page): Path<String>| page_of(&pages, &page)))
        .route("/pictures/{file}", get(async move |Path(file): Path<String>| picture(&folder, &file)))
        .merge(assets::router())
        .fallback(Problem::not_found)
        .layer(from_fn(headers::secure))
        .layer(from_fn(limits::limited))
        .layer(from_fn(plain_http));
    let listener = tokio::net::TcpListener::bind(ADDRESS).await?;
    axum::serve(listener, router).await?;
    Ok(())
}

fn page_of(pages: &[samples::Page], name: &str) -> Response {
    match pages.iter().find(|(n, _)| *n == name) {
        Some((_, html)) => Html(html.clone()).into_response(),
        None => Problem::new(axum::http::StatusCode::NOT_FOUND, "No such page.", "See pages.txt.").into_response(),
    }
}

fn picture(folder: &FilePath, file: &str) -> Response {
    let safe = file.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    match fs::read(folder.join("pictures").join(file)) {
        Ok(bytes) if safe => ([(header::CONTENT_TYPE, "image/jpeg")], bytes).into_response(),
        _ => axum::http::StatusCode::NOT_FOUND.into_response(),
    }
}

/// The gallery has no certificate.
async fn plain_http(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let mut answer = next.run(request).await;
    answer.headers_mut().remove(HeaderName::from_static("strict-transport-security"));
    answer
}

fn write(path: &FilePath, bytes: &[u8]) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(path, bytes)
}
