//! The headers of each answer.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// Nothing but what this program serves itself: no inline script or style, no frame around it, and no
/// script that writes markup but the policy `plated` of our own.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types plated";

/// Set on each answer, whatever it says itself.
static ALWAYS: [(HeaderName, &str); 8] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // To this program itself, so that a form says where it comes from; to nobody else.
    (header::REFERRER_POLICY, "same-origin"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), autoplay=(self), camera=(), clipboard-read=(), clipboard-write=(self), display-capture=(), \
         fullscreen=(self), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), \
         publickey-credentials-get=(self), screen-wake-lock=(self), usb=()",
    ),
];

/// A layer for a whole router: `axum::middleware::from_fn(headers::secure)`.
///
/// What is shown must not stay behind in the browser: an answer that says nothing about caching is not
/// stored.
pub async fn secure(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    for (name, value) in &ALWAYS {
        headers.insert(name.clone(), HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::middleware::from_fn;
    use axum::{Router, routing::get};
    use tower::ServiceExt;

    async fn answer(path: &str) -> Response {
        let loose = async || ([(header::CONTENT_SECURITY_POLICY, "default-src *")], "page");
        let router = Router::new().route("/page", get(loose)).merge(crate::assets::router()).layer(from_fn(secure));
        router.oneshot(Request::builder().uri(path).body(Body::empty()).unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn every_answer_carries_the_headers_an_error_too() {
        for path in ["/page", "/nothing", "/assets/none", crate::assets::url("app.css")] {
            let answer = answer(path).await;
            for (name, value) in &ALWAYS {
                assert_eq!(answer.headers()[name], *value, "{name} of {path}");
            }
        }
    }

    #[tokio::test]
    async fn the_policy_lets_in_nothing_inline_and_nothing_from_outside() {
        for loose in ["unsafe", "http:", "https:", "data:", "*", "blob:"] {
            assert!(!CONTENT_SECURITY_POLICY.contains(loose), "{loose}");
        }
        assert!(CONTENT_SECURITY_POLICY.starts_with("default-src 'none';"));
    }

    #[tokio::test]
    async fn pages_are_not_stored_and_files_with_a_hash_are() {
        let page = answer("/page").await;
        assert_eq!(
            (page.status(), &page.headers()[header::CACHE_CONTROL]),
            (StatusCode::OK, &"no-store".parse().unwrap())
        );
        let file = answer(crate::assets::url("app.css")).await;
        assert_ne!(file.headers()[header::CACHE_CONTROL], "no-store");
    }
}
