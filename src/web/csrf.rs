//! No change without the page's token.
//!
//! Each page carries a token made of the session's cookie and a key of this program; before somebody
//! is logged in, of a visitor's cookie. Every request that may change something has to bring it back,
//! in the form or in a header. That, `SameSite=Strict` and the browser's own word on where the request
//! comes from are three fences, each enough by itself.

use crate::cookies;
use crate::fields::Fields;
use crate::limits::MAX_FORM_BYTES;
use crate::problem::Problem;
use crate::upload::TokenToCome;
use aws_lc_rs::{constant_time, hmac};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use plated_core::error::{Context, Kind, Result};
use std::sync::Arc;

/// Cookie of a session, without its prefix; whoever logs somebody in sets it.
pub const SESSION_COOKIE: &str = "session";
/// Cookie of who is not logged in.
const VISITOR_COOKIE: &str = "visitor";
/// Field of a form that carries the token.
pub const FIELD: &str = "csrf";
/// Header that carries it where there is no form.
pub const HEADER: &str = "x-csrf-token";

/// Makes tokens and checks them.
#[derive(Clone, Debug)]
pub struct Csrf {
    key: Arc<hmac::Key>,
    uploads: &'static [&'static str],
}

/// The token for the pages of this request: an extension that [`guard`] puts there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token(pub String);

impl Csrf {
    /// With a key of its own: after a restart, pages that are open have to be loaded again.
    pub fn random() -> Result<Self> {
        Ok(Self::with_key(&random()?))
    }

    /// With a key that is kept, so that open pages outlive a restart.
    pub fn with_key(key: &[u8; 32]) -> Self {
        Self { key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, key)), uploads: &[] }
    }

    /// That lets forms with a file through to these paths; their handlers take an [`Upload`](crate::upload::Upload),
    /// which looks for the token.
    pub fn with_uploads(self, uploads: &'static [&'static str]) -> Self {
        Self { uploads, ..self }
    }

    /// The token of a session or a visitor.
    pub fn token(&self, cookie: &str) -> String {
        hex::encode(hmac::sign(&self.key, format!("csrf\0{cookie}").as_bytes()))
    }

    pub(crate) fn is_token(&self, cookie: &str, token: &str) -> bool {
        constant_time::verify_slices_are_equal(self.token(cookie).as_bytes(), token.as_bytes()).is_ok()
    }
}

fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context(Kind::Internal, || "the system gives no random numbers".into())?;
    Ok(bytes)
}

/// A layer: `from_fn_with_state(csrf, csrf::guard)`. It puts [`Token`] and, for a form, its [`Fields`]
/// into the request's extensions.
pub async fn guard(State(csrf): State<Csrf>, mut request: Request, next: Next) -> Response {
    let known = [SESSION_COOKIE, VISITOR_COOKIE].iter().find_map(|name| cookies::get(request.headers(), name));
    let (cookie, fresh) = match known {
        Some(cookie) => (cookie.to_owned(), false),
        None => match random() {
            Ok(bytes) => (hex::encode(bytes), true),
            Err(e) => return Problem::from(e).into_response(),
        },
    };
    if !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        if !is_from_here(&request) {
            return refused("The request comes from another site.");
        }
        if content_type(request.headers()) == "multipart/form-data" && csrf.uploads.contains(&request.uri().path()) {
            if fresh {
                return refused("The page was too old, or was not made by this program.");
            }
            let token = Token(csrf.token(&cookie));
            let header = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
            let has_come = header.is_some_and(|given| csrf.is_token(&cookie, given));
            request.extensions_mut().insert(TokenToCome { csrf, cookie, has_come });
            request.extensions_mut().insert(token);
            return next.run(request).await;
        }
        let (parts, body) = request.into_parts();
        let is_form = content_type(&parts.headers) == "application/x-www-form-urlencoded";
        let from_header = parts.headers.get(HEADER).and_then(|v| v.to_str().ok()).map(str::to_owned);
        request = if is_form {
            let Ok(bytes) = to_bytes(body, MAX_FORM_BYTES).await else {
                let what = format!("The form is larger than {} KiB, or was cut off.", MAX_FORM_BYTES >> 10);
                return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, what, "Send less.").into_response();
            };
            let Some(fields) = Fields::parse(&bytes) else {
                return Problem::new(StatusCode::BAD_REQUEST, "The form can't be read.", "Load the page again.")
                    .into_response();
            };
            let mut request = Request::from_parts(parts, Body::from(bytes));
            request.extensions_mut().insert(fields);
            request
        } else {
            let mut request = Request::from_parts(parts, body);
            // A form without fields, so that whoever takes one finds what is missing.
            request.extensions_mut().insert(Fields::default());
            request
        };
        let from_form = request.extensions().get::<Fields>().map(|f| f.get(FIELD)).filter(|t| !t.is_empty());
        let token = from_header.as_deref().or(from_form).unwrap_or_default();
        if fresh || !csrf.is_token(&cookie, token) {
            return refused("The page was too old, or was not made by this program.");
        }
    }
    request.extensions_mut().insert(Token(csrf.token(&cookie)));
    let mut answer = next.run(request).await;
    if fresh && let Some(set) = cookies::set(VISITOR_COOKIE, &cookie, None) {
        answer.headers_mut().append(header::SET_COOKIE, set);
    }
    answer
}

pub(crate) fn refused(what: &str) -> Response {
    Problem::new(StatusCode::FORBIDDEN, what, "Nothing was changed. Load the page again, then repeat it.")
        .into_response()
}

fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// False if the browser says that another site sent it.
fn is_from_here(request: &Request) -> bool {
    let text = |name: &str| request.headers().get(name).map(|v| v.to_str().unwrap_or("?"));
    let same_site = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    // HTTP/2 has the host in its address.
    let host = request.uri().authority().map(|a| a.as_str()).or_else(|| text("host")).unwrap_or_default();
    let origin = text("origin").is_none_or(|origin| origin.strip_prefix("https://") == Some(host));
    same_site && origin
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::middleware::from_fn_with_state;
    use axum::{Extension, Router, routing::get};
    use tower::ServiceExt;

    const KEY: [u8; 32] = [7; 32];

    async fn call(request: axum::http::request::Builder, body: String) -> Response {
        let change = async |Extension(fields): Extension<Fields>| fields.get("plate").to_owned();
        let page = async |Extension(token): Extension<Token>| token.0;
        let router =
            Router::new().route("/", get(page).post(change)).layer(from_fn_with_state(Csrf::with_key(&KEY), guard));
        router.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
    }

    fn post() -> axum::http::request::Builder {
        Request::post("/")
            .header("host", "unit214:8443")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", "__Host-session=abc")
    }

    fn token() -> String {
        Csrf::with_key(&KEY).token("abc")
    }

    async fn text(answer: Response) -> String {
        String::from_utf8(to_bytes(answer.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_form_with_the_token_of_its_session_passes_and_can_be_read() {
        let answer = call(post(), format!("csrf={}&plate=7ABC123", token())).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(text(answer).await, "7ABC123");
    }

    #[tokio::test]
    async fn a_form_without_a_token_or_with_another_one_is_refused() {
        let other = Csrf::with_key(&KEY).token("another session");
        for body in ["plate=7ABC123".to_owned(), format!("csrf={other}&plate=7ABC123"), "csrf=&plate=x".into()] {
            assert_eq!(call(post(), body).await.status(), StatusCode::FORBIDDEN);
        }
    }

    #[tokio::test]
    async fn a_request_without_any_cookie_is_refused_whatever_token_it_has() {
        let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(call(request, format!("csrf={}", token())).await.status(), StatusCode::FORBIDDEN);
    }

    #[tokio::test]
    async fn a_request_of_another_site_is_refused_with_the_right_token_too() {
        let body = || format!("csrf={}&plate=x", token());
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            assert_eq!(
                call(post().header(name, value), body()).await.status(),
                StatusCode::FORBIDDEN,
                "{name} {value}"
            );
        }
        let own = post().header("origin", "https://unit214:8443").header("sec-fetch-site", "same-origin");
        assert_eq!(call(own, body()).await.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn a_visitor_gets_a_cookie_and_the_token_that_belongs_to_it() {
        let answer = call(Request::get("/"), String::new()).await;
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        let value = cookie.strip_prefix("__Host-visitor=").unwrap().split(';').next().unwrap();
        assert_eq!(text(answer).await, Csrf::with_key(&KEY).token(value));
    }

    #[tokio::test]
    async fn an_endless_form_is_refused() {
        let body = format!("csrf={}&plate={}", token(), "x".repeat(MAX_FORM_BYTES));
        assert_eq!(call(post(), body).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}
