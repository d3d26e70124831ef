//! The reads of an export as lines for a spreadsheet.

use super::ExportedRead;
use std::borrow::Cow;
use std::fmt::Write;

/// The first line.
const HEADER: &str = "read,first_seen,last_seen,plate,state,confidence,read_as,read_as_state,vehicle,camera,latitude,\
                      longitude,incident,hit_lists,hit_plates\r\n";

/// The file.
pub fn file(reads: &[ExportedRead]) -> String {
    let mut text = HEADER.to_owned();
    reads.iter().for_each(|read| text.push_str(&line(read)));
    text
}

fn line(read: &ExportedRead) -> String {
    let degrees = |of: Option<f64>| of.map_or_else(String::new, |degrees| degrees.to_string());
    let fields = [
        &read.read.to_string(),
        &read.first_seen.to_string(),
        &read.last_seen.to_string(),
        &read.plate,
        &read.state,
        &read.confidence.to_string(),
        &read.read_as,
        &read.read_as_state,
        &read.vehicle,
        &read.camera,
        &degrees(read.latitude),
        &degrees(read.longitude),
        &read.incident,
        &read.hit_lists.join(" "),
        &read.hit_plates.join(" "),
    ];
    let mut line = String::new();
    for (n, field) in fields.iter().enumerate() {
        let comma = if n > 0 { "," } else { "" };
        let _ = write!(line, "{comma}{}", cell(field)); // Into a text nothing fails.
    }
    line + "\r\n"
}

/// A field of the file. A text that a spreadsheet would take for a formula gets a quote in front; a number does not.
fn cell(text: &str) -> Cow<'_, str> {
    let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
    let text = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    };
    match text.contains(['"', ',', '\n', '\r']) {
        true => Cow::Owned(format!("\"{}\"", text.replace('"', "\"\""))),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_spreadsheet_takes_no_field_for_a_formula_and_no_field_for_two() {
        for (text, expected) in [
            ("7ABC123", "7ABC123"),
            ("-122.26416", "-122.26416"),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("@sum", "'@sum"),
            ("-cmd|x", "'-cmd|x"),
            ("+1e5x", "'+1e5x"),
            ("front, left", "\"front, left\""),
            ("a\"b", "\"a\"\"b\""),
            ("two\nlines", "\"two\nlines\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), expected, "{text}");
        }
    }
}
