//! Which part of a file a request asks for (RFC 9110, section 14).

use std::ops::Range;

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilePart {
    /// Everything.
    Whole,
    /// These bytes; never none.
    Bytes(Range<u64>),
    /// The file has no such bytes.
    Nothing,
}

/// The part of a file of `size` bytes that `range` asks for. What is not a single range of bytes is
/// ignored, as the standard allows, and the whole is sent.
pub fn part(range: &str, size: u64) -> FilePart {
    let Some((first, last)) = range.trim().strip_prefix("bytes=").and_then(|r| r.split_once('-')) else {
        return FilePart::Whole;
    };
    let (start, end) = match (number(first), number(last)) {
        (Some(first), None) if last.trim().is_empty() => (first, size),
        (Some(first), Some(last)) if first <= last => (first, last.saturating_add(1).min(size)),
        // The last so many bytes.
        (None, Some(count)) if first.trim().is_empty() => (size.saturating_sub(count), size),
        _ => return FilePart::Whole,
    };
    if start < end { FilePart::Bytes(start..end) } else { FilePart::Nothing }
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_single_range_is_cut_at_the_end_and_anything_else_is_the_whole() {
        for (range, expected) in [
            ("bytes=0-", FilePart::Bytes(0..10)),
            ("bytes=4-", FilePart::Bytes(4..10)),
            ("bytes=4-4", FilePart::Bytes(4..5)),
            ("bytes=4-100", FilePart::Bytes(4..10)),
            ("bytes=-3", FilePart::Bytes(7..10)),
            ("bytes=-30", FilePart::Bytes(0..10)),
            ("bytes=10-", FilePart::Nothing),
            ("bytes=-0", FilePart::Nothing),
            ("bytes=4-3", FilePart::Whole),
            ("bytes=0-1,3-4", FilePart::Whole),
            ("bytes=-", FilePart::Whole),
            ("bytes=+1-", FilePart::Whole),
            ("lines=1-", FilePart::Whole),
            ("", FilePart::Whole),
        ] {
            assert_eq!(part(range, 10), expected, "{range}");
        }
        assert_eq!(part("bytes=0-", 0), FilePart::Nothing);
    }

    proptest! {
        #[test]
        fn no_request_reaches_past_the_file(range in "(bytes=)?[-0-9, ]{0,45}", size: u64) {
            if let FilePart::Bytes(bytes) = part(&range, size) {
                prop_assert!(bytes.start < bytes.end && bytes.end <= size);
            }
        }
    }
}
