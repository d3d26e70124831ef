//! Day and night: what a page is drawn in, and the switch.

use crate::cookies;
use crate::fields::Fields;
use axum::Extension;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// Cookie in which a browser keeps it, without its prefix.
const COOKIE: &str = "theme";
/// How long it is kept.
const KEPT: Duration = Duration::from_secs(400 * 24 * 3600);

/// Day or night.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system has it.
    #[default]
    Auto,
    /// Light.
    Day,
    /// Dark.
    Night,
}

impl Theme {
    /// The word in the page, in the cookie and in the form of the switch.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Day => "day",
            Self::Night => "night",
        }
    }

    /// Reads the word; anything else is [`Theme::Auto`].
    pub fn of(word: &str) -> Self {
        match word {
            "day" => Self::Day,
            "night" => Self::Night,
            _ => Self::Auto,
        }
    }

    /// What this browser has chosen.
    pub fn of_request(headers: &HeaderMap) -> Self {
        cookies::get(headers, COOKIE).map_or(Self::Auto, Self::of)
    }

    /// What the switch gives next.
    pub fn next(self) -> Self {
        match self {
            Self::Auto => Self::Night,
            Self::Night => Self::Day,
            Self::Day => Self::Auto,
        }
    }

    /// Name of its icon.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Day => "sun",
            Self::Night => "moon",
        }
    }
}

/// The switch: a handler for `POST /theme`, behind [`crate::csrf::guard`]. It leads back to the page it came from.
pub async fn choose(headers: HeaderMap, Extension(fields): Extension<Fields>) -> Response {
    let theme = Theme::of(fields.get("theme"));
    let mut back = (StatusCode::SEE_OTHER, [(header::LOCATION, came_from(&headers))]).into_response();
    if let Some(cookie) = cookies::set(COOKIE, theme.word(), Some(KEPT)) {
        back.headers_mut().append(header::SET_COOKIE, cookie);
    }
    back
}

/// The path of the page that a form was on; never another site.
fn came_from(headers: &HeaderMap) -> String {
    let referer = headers.get(header::REFERER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<Uri>().ok());
    let path = referer.and_then(|uri| uri.path_and_query().map(|p| p.as_str().to_owned()));
    path.filter(|p| p.starts_with('/') && !p.starts_with("//") && !p.contains('\\')).unwrap_or_else(|| "/".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn choice(theme: &str, referer: &str) -> Response {
        let headers: HeaderMap = [(header::REFERER, referer.parse().unwrap())].into_iter().collect();
        choose(headers, Extension(Fields::parse(format!("theme={theme}").as_bytes()).unwrap())).await
    }

    #[tokio::test]
    async fn the_switch_is_kept_and_leads_back_to_the_page() {
        let answer = choice("night", "https://unit214/search?plate=7A").await;
        assert_eq!(answer.headers()[header::LOCATION], "/search?plate=7A");
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("__Host-theme=night; "), "{cookie}");
        let sent: HeaderMap = [(header::COOKIE, "__Host-theme=night".parse().unwrap())].into_iter().collect();
        assert_eq!(Theme::of_request(&sent), Theme::Night);
    }

    #[tokio::test]
    async fn the_switch_leads_to_no_other_site_and_takes_no_other_word() {
        for referer in ["https://unit214//evil.example", "https://unit214/\\evil.example", "nonsense"] {
            let answer = choice("\"><script>", referer).await;
            assert_eq!(answer.headers()[header::LOCATION], "/");
            assert!(answer.headers()[header::SET_COOKIE].to_str().unwrap().starts_with("__Host-theme=auto; "));
        }
    }
}
