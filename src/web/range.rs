//! A file, or the part of it that a browser asks for (RFC 9110, one range).

use crate::problem::Problem;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::ops::Range;

/// What is asked for of so many bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// All, or in words that are not understood, which counts as all.
    Whole,
    /// These bytes; at least one.
    Part(Range<u64>),
    /// Bytes that are not there.
    NotThere,
}

/// Reads the header `Range` for a file of `length` bytes.
pub fn asked(headers: &HeaderMap, length: u64) -> Asked {
    let text = headers.get(header::RANGE).and_then(|v| v.to_str().ok());
    let Some((from, to)) = text.and_then(|t| t.strip_prefix("bytes=")).and_then(|t| t.split_once('-')) else {
        return Asked::Whole;
    };
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    match (from, to) {
        ("", to) => match number(to) {
            Some(last) if last > 0 && length > 0 => Asked::Part(length.saturating_sub(last)..length),
            Some(_) => Asked::NotThere,
            None => Asked::Whole,
        },
        (from, to) => match (number(from), number(to)) {
            (Some(_), None) if !to.is_empty() => Asked::Whole,
            (Some(from), Some(to)) if to < from => Asked::Whole,
            (Some(from), _) if from >= length => Asked::NotThere,
            (Some(from), to) => Asked::Part(from..to.map_or(length, |to| to.saturating_add(1).min(length))),
            (None, _) => Asked::Whole,
        },
    }
}

/// Answers with bytes that are in memory, such as a picture.
pub fn answer(headers: &HeaderMap, bytes: &Bytes, content_type: &'static str) -> Response {
    let length = bytes.len() as u64;
    let common = [(header::CONTENT_TYPE, content_type), (header::ACCEPT_RANGES, "bytes")];
    match asked(headers, length) {
        Asked::Whole => (common, bytes.clone()).into_response(),
        Asked::Part(part) => {
            let range = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            // Both ends lie within bytes that are in memory.
            let part = bytes.slice(part.start as usize..part.end as usize);
            (StatusCode::PARTIAL_CONTENT, common, [(header::CONTENT_RANGE, range)], part).into_response()
        }
        Asked::NotThere => {
            let what = format!("The file has {length} bytes, and others were asked for.");
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, what, "Load the page again.");
            ([(header::CONTENT_RANGE, format!("bytes */{length}"))], problem).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use proptest::prelude::*;

    fn of(range: &str, length: u64) -> Asked {
        asked(&[(header::RANGE, range.parse().unwrap())].into_iter().collect(), length)
    }

    #[test]
    fn a_range_is_what_rfc_9110_says() {
        assert_eq!(of("bytes=0-99", 1000), Asked::Part(0..100));
        assert_eq!(of("bytes=900-", 1000), Asked::Part(900..1000));
        assert_eq!(of("bytes=-10", 1000), Asked::Part(990..1000));
        assert_eq!(of("bytes=-5000", 1000), Asked::Part(0..1000));
        assert_eq!(of("bytes=990-5000", 1000), Asked::Part(990..1000));
        assert_eq!(of("bytes=1000-", 1000), Asked::NotThere);
        assert_eq!(of("bytes=-0", 1000), Asked::NotThere);
        for odd in ["bytes=5-1", "bytes=a-b", "bytes=1-b", "lines=1-2", "bytes=0-1,5-6", "bytes=+1-2"] {
            assert_eq!(of(odd, 1000), Asked::Whole, "{odd}");
        }
    }

    #[tokio::test]
    async fn a_part_says_which_one_it_is() {
        let headers: HeaderMap = [(header::RANGE, "bytes=2-3".parse().unwrap())].into_iter().collect();
        let answer = answer(&headers, &Bytes::from_static(b"abcdef"), "image/jpeg");
        assert_eq!(answer.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(answer.headers()[header::CONTENT_RANGE], "bytes 2-3/6");
        assert_eq!(to_bytes(answer.into_body(), 10).await.unwrap(), "cd");
    }

    proptest! {
        #[test]
        fn a_part_lies_always_within_the_file(range in "bytes=[0-9]{0,22}-[0-9]{0,22}", length in 0_u64..5000) {
            if let Asked::Part(part) = of(&range, length) {
                prop_assert!(part.start < part.end && part.end <= length);
            }
        }
    }
}
