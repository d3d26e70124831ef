//! Lines and fields of a delimited file.
//!
//! A record is one line. A quoted field can't go on in the next line: a forgotten quote would
//! swallow the records up to the next one, silently.

use std::borrow::Cow;
use std::io::{self, BufRead};

/// A longer line is a mistake; it is passed over without being kept.
pub const MAX_LINE: usize = 64 * 1024;

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// There was one; it is in the buffer.
    Whole,
    /// It was longer than [`MAX_LINE`].
    TooLong,
    /// The file is at its end.
    End,
}

/// Reads the next line into `buffer`, without its LF or CRLF.
pub fn next_line(input: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<Line> {
    buffer.clear();
    let mut length = 0;
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        let end = chunk.iter().position(|b| *b == b'\n');
        let part = &chunk[..end.unwrap_or(chunk.len())];
        length += part.len();
        if length <= MAX_LINE {
            buffer.extend_from_slice(part);
        }
        let used = end.map_or(chunk.len(), |e| e + 1);
        input.consume(used);
        if end.is_some() {
            length += 1; // So that an empty line is not taken for the end.
            break;
        }
    }
    if buffer.last() == Some(&b'\r') {
        buffer.pop();
    }
    Ok(match length {
        0 => Line::End,
        _ if length > MAX_LINE => Line::TooLong,
        _ => Line::Whole,
    })
}

/// The line as text: UTF-8, or Latin-1 where it is not that.
pub fn decode(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(line.iter().map(|b| char::from(*b)).collect()),
    }
}

/// Cuts a line at its commas. Fields come without quotes and without spaces around them; `""`
/// in a quoted field is a quote.
///
/// # Errors
/// The reason, when a quote is not closed or something follows a closing one.
pub fn fields(line: &str) -> Result<Vec<Cow<'_, str>>, &'static str> {
    let mut out = Vec::new();
    let mut rest = line;
    loop {
        let trimmed = rest.trim_start();
        let (field, after) = match trimmed.strip_prefix('"') {
            Some(quoted) => {
                let (field, after) = quoted_field(quoted)?;
                (field, after.trim_start())
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (Cow::Borrowed(rest[..end].trim()), &rest[end..])
            }
        };
        out.push(field);
        if after.is_empty() {
            return Ok(out);
        }
        rest = after.strip_prefix(',').ok_or("there is text between a closing quote and the next comma")?;
    }
}

/// The text up to the closing quote, and what comes after it.
fn quoted_field(quoted: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let mut from = 0;
    loop {
        let quote = from + quoted[from..].find('"').ok_or("a quote is not closed on its line")?;
        if quoted[quote + 1..].starts_with('"') {
            from = quote + 2;
            continue;
        }
        let inner = quoted[..quote].trim();
        let field = if inner.contains("\"\"") { Cow::Owned(inner.replace("\"\"", "\"")) } else { Cow::Borrowed(inner) };
        return Ok((field, &quoted[quote + 1..]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_hold_commas_and_quotes() {
        assert_eq!(fields("7ABC123,\"red, 4 door,,\"\"").unwrap_err(), "a quote is not closed on its line");
        assert_eq!(fields(r#"7ABC123, CA ,"red, 4 ""door""", "#).unwrap(), ["7ABC123", "CA", "red, 4 \"door\"", ""]);
        assert_eq!(fields(r#"5" pipe,x"#).unwrap(), ["5\" pipe", "x"]);
        assert!(fields(r#""a"b,c"#).is_err());
        assert_eq!(fields("").unwrap(), [""]);
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let mut text = vec![b'x'; MAX_LINE + 1];
        text.extend_from_slice(b"\r\nnext\n\nlast");
        let (mut input, mut buffer) = (&text[..], Vec::new());
        assert_eq!(next_line(&mut input, &mut buffer).unwrap(), Line::TooLong);
        for expected in ["next", "", "last"] {
            assert_eq!(next_line(&mut input, &mut buffer).unwrap(), Line::Whole);
            assert_eq!(buffer, expected.as_bytes());
        }
        assert_eq!(next_line(&mut input, &mut buffer).unwrap(), Line::End);
    }

    proptest! {
        #[test]
        fn what_is_written_in_quotes_reads_back(texts in proptest::collection::vec("[a-c\", é]{0,8}", 1..6)) {
            let quoted: Vec<String> = texts.iter().map(|t| format!("\"{}\"", t.replace('"', "\"\""))).collect();
            let line = quoted.join(",");
            let expected: Vec<&str> = texts.iter().map(|t| t.trim()).collect();
            prop_assert_eq!(fields(&line).unwrap(), expected);
        }
    }
}
