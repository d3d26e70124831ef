//! The token by which a program is known: `Authorization: Bearer TOKEN` (RFC 6750).

use axum::http::{HeaderMap, header};

/// What a request brings to be known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credentials<'a> {
    /// Nothing.
    None,
    /// A token, as it was written.
    Bearer(&'a str),
    /// Something else: another scheme, several at once, or none that can be read.
    Other,
}

/// What the headers of a request bring.
pub fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = all.next() else { return Credentials::None };
    let text = if all.next().is_some() { None } else { value.to_str().ok() };
    let bearer = text.and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match bearer.map(|(_, token)| token.trim_matches(' ')) {
        Some(token) if !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()) => Credentials::Bearer(token),
        _ => Credentials::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    fn of(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn one_token_of_the_scheme_bearer_is_taken_and_nothing_else() {
        for good in ["Bearer ab12", "bearer ab12", "BEARER  ab12 "] {
            assert_eq!(credentials(&of(&[good])), Credentials::Bearer("ab12"), "{good}");
        }
        for odd in ["", "Bearer", "Bearer ", "Basic ab12", "ab12", "Bearer ab 12", "Bearer\tab12"] {
            assert_eq!(credentials(&of(&[odd])), Credentials::Other, "{odd}");
        }
        assert_eq!(credentials(&of(&["Bearer ab12", "Bearer cd34"])), Credentials::Other);
        assert_eq!(credentials(&HeaderMap::new()), Credentials::None);
    }

    proptest! {
        #[test]
        fn no_bytes_in_the_header_are_a_token_with_blanks_or_control_characters(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
            let headers: HeaderMap = [(header::AUTHORIZATION, value)].into_iter().collect();
            match credentials(&headers) {
                Credentials::Bearer(token) => prop_assert!(token.bytes().all(|b| b.is_ascii_graphic())),
                other => prop_assert_eq!(other, Credentials::Other),
            }
        }
    }
}
