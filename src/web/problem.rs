//! What went wrong, for a program as problem+json (RFC 9457), for a person as a page.

use crate::pages::{ErrorPage, Frame};
use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use plated_core::error::{Error, Kind};
use plated_core::text::sentence;
use std::sync::Arc;

/// An answer without success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// What happened, as a sentence.
    pub what: String,
    /// What to do, as a sentence.
    pub todo: String,
}

impl Problem {
    /// A problem that was noticed here.
    pub fn new(status: StatusCode, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { status, what: what.into(), todo: todo.into() }
    }

    /// Nothing is at this address. A router's fallback.
    pub async fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing at this address.", "Go on from the start page.")
    }
}

/// What concerns the inside of the program goes to its log, not to whoever asked.
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            Kind::Input | Kind::Config => StatusCode::BAD_REQUEST,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::Refused => StatusCode::CONFLICT,
            Kind::Busy | Kind::Network => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Storage => StatusCode::INSUFFICIENT_STORAGE,
            Kind::Missing | Kind::Damaged | Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let todo = match error.kind() {
            Kind::Unauthenticated => "Log in.",
            Kind::Forbidden => "Ask a supervisor if you need it.",
            Kind::NotFound => "It may have been removed, or never was there.",
            Kind::Busy | Kind::Network => "Try again in a moment.",
            Kind::Input | Kind::Config | Kind::Refused => "Go back, change it and send it again.",
            _ => "Tell whoever looks after this system; its log says more.",
        };
        let what = match error.kind() {
            Kind::Storage => "The disk is full or failing. Nothing was changed.".to_owned(),
            Kind::Missing | Kind::Damaged | Kind::Internal => "The program failed at this.".to_owned(),
            _ => sentence(&capital(&error.to_string())),
        };
        match error.kind() {
            Kind::Storage | Kind::Missing | Kind::Damaged | Kind::Internal => {
                tracing::error!(error = %error.chain(), "A page could not be made");
            }
            _ => tracing::debug!(error = %error.chain(), "A request was refused"),
        }
        Self::new(status, what, todo)
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |c| c.to_uppercase().chain(characters).collect())
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": format!("{} {}", self.what, self.todo),
        });
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut answer = (self.status, kind, body.to_string()).into_response();
        // For `pages`, which makes a page of it where a person asks.
        answer.extensions_mut().insert(self);
        answer
    }
}

/// Makes what is around an error page, from the headers of the request.
pub type FrameOf = Arc<dyn Fn(&HeaderMap) -> Frame + Send + Sync>;

/// A layer: `from_fn_with_state(frame, problem::pages)`. Who prefers HTML gets each [`Problem`] as a page.
pub async fn pages(State(frame): State<FrameOf>, request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let mut answer = next.run(request).await;
    if !prefers_html(&headers) {
        return answer;
    }
    let Some(problem) = answer.extensions_mut().remove::<Problem>() else { return answer };
    let page = ErrorPage {
        frame: Frame { title: title(problem.status).to_owned(), ..frame(&headers) },
        status: problem.status.as_u16(),
        what: problem.what,
        todo: problem.todo,
    };
    match page.render() {
        Ok(html) => {
            let mut page = (problem.status, Html(html)).into_response();
            // What was said beside the problem stays: cookies, and what is to be brought.
            for name in [header::SET_COOKIE, header::WWW_AUTHENTICATE] {
                for value in answer.headers().get_all(&name) {
                    page.headers_mut().append(&name, value.clone());
                }
            }
            page
        }
        Err(_) => answer,
    }
}

fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "Please log in",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::SERVICE_UNAVAILABLE => "Not now",
        s if s.is_client_error() => "That did not work",
        _ => "Something failed",
    }
}

/// HTML is named before JSON, as browsers do. A program that accepts anything gets JSON.
fn prefers_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v: &HeaderValue| v.to_str().ok()).unwrap_or_default();
    let place = |kind: &str| accept.find(kind).unwrap_or(usize::MAX);
    place("text/html") < place("json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn_with_state;
    use axum::{Router, routing::get};
    use tower::ServiceExt;

    async fn answer(accept: &str) -> (Response, String) {
        let fails = async || Problem::from(Error::new(Kind::NotFound, "there is no hit <b>12ab</b>"));
        let frame: FrameOf = Arc::new(|_| Frame::default());
        let router = Router::new().route("/", get(fails)).layer(from_fn_with_state(frame, pages));
        let request = Request::get("/").header("accept", accept).body(Body::empty()).unwrap();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let text = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
        (Response::from_parts(parts, Body::empty()), text)
    }

    #[tokio::test]
    async fn a_program_gets_problem_json() {
        for accept in ["application/json", "*/*", "application/problem+json, text/html"] {
            let (answer, text) = answer(accept).await;
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(json["status"], 404);
            assert!(json["detail"].as_str().unwrap().starts_with("There is no hit <b>12ab</b>."), "{text}");
        }
    }

    #[tokio::test]
    async fn a_person_gets_a_page_with_what_happened_and_what_to_do() {
        let (answer, text) = answer("text/html,application/xhtml+xml,*/*;q=0.8").await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        assert!(answer.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
        assert!(text.contains("There is no hit &#60;b&#62;12ab&#60;/b&#62;."), "{text}");
        assert!(text.contains("never was there"));
    }

    #[test]
    fn what_concerns_the_inside_is_not_told() {
        let problem = Problem::from(Error::new(Kind::Damaged, "page 17 of /var/lib/plated/store is damaged"));
        assert_eq!(problem.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!problem.what.contains("store"), "{}", problem.what);
    }
}
