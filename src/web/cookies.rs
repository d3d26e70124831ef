//! Cookies of the strict kind: `__Host-` names, over HTTPS only, out of the script's reach, never sent
//! by another site.

use axum::http::{HeaderMap, HeaderValue, header};
use std::time::Duration;

/// What a browser demands of a cookie that no other host and no plain HTTP can have set.
const PREFIX: &str = "__Host-";

/// The value of a cookie. None when it is not there, or there twice: then one is not ours.
pub fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(n, _)| n.strip_prefix(PREFIX) == Some(name)).map(|(_, value)| value);
    match (found.next(), found.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// Sets a cookie: until the browser closes, or for some time. None for a value that a cookie can't
/// have; take hexadecimal or base64url.
pub fn set(name: &str, value: &str, lives: Option<Duration>) -> Option<HeaderValue> {
    let allowed = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b',' | b';' | b'\\');
    if !value.bytes().all(allowed) {
        return None;
    }
    let age = lives.map(|l| format!("; Max-Age={}", l.as_secs())).unwrap_or_default();
    HeaderValue::from_str(&format!("{PREFIX}{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict{age}")).ok()
}

/// The same for some time, sent also when another site leads back here: for a login elsewhere, which no cookie of ours
/// outlives. It opens nothing by itself.
pub fn set_for_return(name: &str, value: &str, lives: Duration) -> Option<HeaderValue> {
    let strict = set(name, value, Some(lives))?;
    HeaderValue::from_str(&strict.to_str().ok()?.replace("SameSite=Strict", "SameSite=Lax")).ok()
}

/// Takes a cookie away.
pub fn clear(name: &str) -> Option<HeaderValue> {
    set(name, "", Some(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookies: &[&str]) -> HeaderMap {
        cookies.iter().map(|c| (header::COOKIE, c.parse().unwrap())).collect()
    }

    #[test]
    fn a_cookie_is_bound_to_this_host_and_hidden_from_scripts() {
        let set = set("session", "a1", None).unwrap();
        assert_eq!(set, "__Host-session=a1; Path=/; Secure; HttpOnly; SameSite=Strict");
        assert_eq!(clear("session").unwrap(), "__Host-session=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    }

    #[test]
    fn a_cookie_without_the_prefix_is_not_ours() {
        let sent = headers(&["session=evil; __Host-session=good; __Host-theme=night"]);
        assert_eq!(get(&sent, "session"), Some("good"));
        assert_eq!(get(&sent, "theme"), Some("night"));
        assert_eq!(get(&sent, "other"), None);
    }

    #[test]
    fn two_cookies_of_one_name_count_as_none() {
        assert_eq!(get(&headers(&["__Host-session=a", "__Host-session=b"]), "session"), None);
    }

    #[test]
    fn a_value_can_not_add_attributes() {
        assert_eq!(set("session", "a; Domain=evil.example", None), None);
        assert_eq!(set("session", "a\r\nSet-Cookie: x=y", None), None);
    }
}
