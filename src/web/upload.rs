//! A form with a file, as a browser sends it: parts one after the other, of which none is kept in memory.
//!
//! Its first part has to be the page's token ([`crate::csrf`]), unless a header brings it: whoever takes an [`Upload`] has one that was right.
//! Routes that take one are named to [`Csrf::with_uploads`]; anywhere else such a form is refused.

use crate::csrf::{Csrf, FIELD, refused};
use crate::problem::Problem;
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// The browser may be silent for so long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Most bytes of a part that is no file.
const MAX_TEXT_BYTES: usize = 4 << 10;

/// What the guard knows of a form whose token is still to come: an extension of the request.
#[derive(Clone, Debug)]
pub(crate) struct TokenToCome {
    pub csrf: Csrf,
    pub cookie: String,
    /// It came in a header.
    pub has_come: bool,
}

/// The parts behind the token, which was right.
#[derive(Debug)]
pub struct Upload(Multipart);

/// One part.
#[derive(Debug)]
pub struct Part<'a> {
    /// Name of the field.
    pub name: String,
    /// What the file is called at the browser's end; none for a part that is no file.
    pub file_name: Option<String>,
    field: Field<'a>,
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let to_come = request.extensions().get::<TokenToCome>().cloned();
        let parts = Multipart::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        let (Some(TokenToCome { csrf, cookie, has_come }), mut upload) = (to_come, Self(parts)) else {
            return Err(refused("The form came without its token."));
        };
        if has_come {
            return Ok(upload);
        }
        let token = first(&mut upload).await.map_err(IntoResponse::into_response)?;
        if csrf.is_token(&cookie, &token) { Ok(upload) } else { Err(refused("The page was too old.")) }
    }
}

/// The token, where it is the first part.
async fn first(upload: &mut Upload) -> Result<String, Problem> {
    match upload.next().await? {
        Some(part) if part.name == FIELD => part.text().await,
        _ => Ok(String::new()),
    }
}

impl Upload {
    /// The next part.
    ///
    /// # Errors
    /// When it does not come, or is none.
    pub async fn next(&mut self) -> Result<Option<Part<'_>>, Problem> {
        let field = in_time(self.0.next_field()).await?;
        Ok(field.map(|field| Part {
            name: field.name().unwrap_or_default().to_owned(),
            file_name: field.file_name().map(str::to_owned),
            field,
        }))
    }
}

impl Part<'_> {
    /// Some more of it; none at its end.
    ///
    /// # Errors
    /// When it does not come, or the whole form is too large.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        Ok(in_time(self.field.chunk()).await?.map(|bytes| bytes.to_vec()))
    }

    /// All of it, as text.
    ///
    /// # Errors
    /// When it has more than 4 KiB, or is no UTF-8; and as [`chunk`](Self::chunk).
    pub async fn text(mut self) -> Result<String, Problem> {
        let mut text = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            text.extend(chunk);
            if text.len() > MAX_TEXT_BYTES {
                return Err(unreadable());
            }
        }
        String::from_utf8(text).map_err(|_| unreadable())
    }
}

fn unreadable() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "The form can't be read.", "Load the page again.")
}

async fn in_time<T>(
    coming: impl Future<Output = Result<T, axum::extract::multipart::MultipartError>>,
) -> Result<T, Problem> {
    match tokio::time::timeout(IDLE_TIMEOUT, coming).await {
        Ok(Ok(it)) => Ok(it),
        Ok(Err(e)) if e.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The file is too large for this page.",
            "Nothing was kept.",
        )),
        Ok(Err(_)) => Err(unreadable()),
        Err(_) => Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "The file did not arrive.", "Send it again.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csrf;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::post;
    use tower::ServiceExt;

    async fn take(mut upload: Upload) -> Result<String, Problem> {
        let mut all = String::new();
        while let Some(part) = upload.next().await? {
            let (name, file) = (part.name.clone(), part.file_name.clone().unwrap_or_default());
            all += &format!("{name}/{file}={} ", part.text().await?);
        }
        Ok(all)
    }

    async fn send(path: &str, parts: &[(&str, &str)]) -> (StatusCode, String) {
        let csrf = Csrf::with_key(&[7; 32]).with_uploads(&["/list"]);
        let token = csrf.token("abc");
        let router = Router::new().route("/list", post(take)).route("/other", post(async || "done"));
        let router = router.layer(from_fn_with_state(csrf, csrf::guard));
        let mut body = String::new();
        for (head, value) in parts {
            let value = if *value == "TOKEN" { token.as_str() } else { value };
            body += &format!("--x\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n");
        }
        let request = Request::post(path)
            .header("cookie", "__Host-session=abc")
            .header("content-type", "multipart/form-data; boundary=x")
            .body(Body::from(body + "--x--\r\n"));
        let answer = router.oneshot(request.unwrap()).await.unwrap();
        let status = answer.status();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    const FILE: (&str, &str) = ("name=\"file\"; filename=\"svs.tbl\"", "7ABC123");

    #[tokio::test]
    async fn a_file_comes_behind_the_token_of_its_page() {
        let done = send("/list", &[("name=\"csrf\"", "TOKEN"), ("name=\"list\"", "svs"), FILE]).await;
        assert_eq!(done, (StatusCode::OK, "list/=svs file/svs.tbl=7ABC123 ".into()));
    }

    #[tokio::test]
    async fn a_file_without_the_token_in_front_or_on_another_page_is_refused() {
        let token = ("name=\"csrf\"", "TOKEN");
        for parts in
            [&[FILE][..], &[FILE, token], &[("name=\"csrf\"", "other"), FILE], &[("name=\"list\"", "TOKEN")], &[]]
        {
            assert_eq!(send("/list", parts).await.0, StatusCode::FORBIDDEN, "{parts:?}");
        }
        assert_eq!(send("/other", &[token, FILE]).await.0, StatusCode::FORBIDDEN);
    }
}
