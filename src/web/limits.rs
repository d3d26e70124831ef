//! How much a request may bring, and how long it may take.

use crate::problem::Problem;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// Largest form.
pub const MAX_FORM_BYTES: usize = 64 << 10;
/// Longest address with its query.
pub const MAX_ADDRESS_BYTES: usize = 4 << 10;
/// Names and values of all headers of a request.
pub const MAX_HEADER_BYTES: usize = 16 << 10;
/// Longest time until an answer begins. What follows may last: events, a large file.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The same for a form with a file, which has limits of its own ([`crate::upload`]).
pub const UPLOAD_TIMEOUT: Duration = Duration::from_secs(1800);

/// A layer: `from_fn(limits::limited)`.
pub async fn limited(request: Request, next: Next) -> Response {
    let address = request.uri().path_and_query().map_or(0, |p| p.as_str().len());
    if address > MAX_ADDRESS_BYTES {
        let what = format!("The address is longer than {} KiB.", MAX_ADDRESS_BYTES >> 10);
        return Problem::new(StatusCode::URI_TOO_LONG, what, "Search for less at a time.").into_response();
    }
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if headers > MAX_HEADER_BYTES {
        let what = format!("The headers have more than {} KiB.", MAX_HEADER_BYTES >> 10);
        return Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, what, "Delete this site's cookies.")
            .into_response();
    }
    let kind = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let timeout = if kind.starts_with(b"multipart/form-data") { UPLOAD_TIMEOUT } else { REQUEST_TIMEOUT };
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The answer took too long.", "Try again.").into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::middleware::from_fn;
    use axum::{Router, routing::get};
    use tower::ServiceExt;

    async fn status(request: axum::http::request::Builder) -> StatusCode {
        let router = Router::new().route("/", get(async || "page")).layer(from_fn(limited));
        router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    }

    #[tokio::test]
    async fn endless_headers_and_addresses_are_refused() {
        assert_eq!(status(Request::get("/?plate=7ABC")).await, StatusCode::OK);
        let long = format!("/?plate={}", "x".repeat(MAX_ADDRESS_BYTES));
        assert_eq!(status(Request::get(long)).await, StatusCode::URI_TOO_LONG);
        let large = Request::get("/").header("cookie", "x".repeat(MAX_HEADER_BYTES));
        assert_eq!(status(large).await, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_hangs_is_answered() {
        let router = Router::new().route("/", get(std::future::pending::<()>)).layer(from_fn(limited));
        let answer = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
