//! Making the canonical form of a list out of JSON lines in any order.

use plated_core::error::{Context, Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::record::EntryRecord;
use plated_core::sort::{SortKey, Sorter};
use plated_hotlist::canonical::{CanonicalWriter, MAX_LINE, Written};
use serde_json::{Map, Value};
use std::io::{BufRead, Read, Write};
use std::path::Path;

/// Memory for sorting, in bytes.
const SORT_MEMORY: usize = 128 << 20;

/// What became of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanonicalList {
    /// What was written.
    pub written: Written,
    /// Lines that repeat an entry in every field; one of each was kept.
    pub duplicates: u64,
}

/// Reads entries, one JSON object on each line, gives each the name of the list, and writes them
/// in canonical form to `output`. `scratch` is a folder for what does not fit into memory.
///
/// # Errors
/// `Input` with the number of the first line that is no entry. Nothing of the line's text is
/// shown, since the plate may be in it.
pub fn make<W: Write>(mut input: impl BufRead, name: &str, scratch: &Path, output: W) -> Result<(W, CanonicalList)> {
    let failed = || format!("could not sort a list in {}", scratch.display());
    let mut sorter = Sorter::new(scratch, SortKey::Whole, SORT_MEMORY);
    let mut line = Vec::new();
    let mut canonical = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = (&mut input).take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line);
        if read.context(Kind::Storage, || format!("line {number} could not be read"))? == 0 {
            break;
        }
        let wrong = |why: String| Error::new(Kind::Input, format!("line {number}: {why}; nothing was published"));
        if line.len() > MAX_LINE {
            return Err(wrong("it is too long for an entry".into()));
        }
        if number == 1 && line.starts_with(b"\xEF\xBB\xBF") {
            line.drain(..3);
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let record = EntryRecord { list: name.to_owned(), ..entry(&line).map_err(wrong)? };
        canonical.clear();
        serde_json::to_writer(&mut canonical, &record)
            .context(Kind::Internal, || "an entry can't be written".into())?;
        sorter.push(&canonical).context(Kind::Storage, failed)?;
    }
    let mut writer = CanonicalWriter::new(output);
    let (mut last, mut duplicates) = (Vec::new(), 0);
    let mut sorted = sorter.finish().context(Kind::Storage, failed)?;
    while let Some(line) = sorted.advance().context(Kind::Storage, failed)? {
        if last == line {
            duplicates += 1;
            continue;
        }
        last.clear();
        last.extend_from_slice(line);
        writer.add(line)?;
    }
    let (output, written) = writer.finish()?;
    Ok((output, CanonicalList { written, duplicates }))
}

fn entry(line: &[u8]) -> Result<EntryRecord, String> {
    let no_json = |e: serde_json::Error| format!("it is not a JSON object (character {})", e.column());
    let object: Map<String, Value> = serde_json::from_slice(line).map_err(no_json)?;
    // From the line, not from the object: a key that is there twice is a mistake then.
    let record: EntryRecord = serde_json::from_slice(line).map_err(|e| mistake(&e, &object))?;
    let Ok(Value::Object(kept)) = serde_json::to_value(&record) else {
        return Err("it can't be written again".into());
    };
    // What is not known here would be lost silently.
    let is_lost = |value: &Value| !value.is_null() && value.as_str() != Some("");
    if object.iter().any(|(key, value)| is_lost(value) && !kept.contains_key(key)) {
        return Err("it has a key that is not known here; is this station older than what made the list?".into());
    }
    if PlateText::normalise(&record.plate).is_empty() {
        return Err("its plate is empty".into());
    }
    Ok(record)
}

/// What is wrong with the keys of an entry. The parser's own message may quote a value.
fn mistake(error: &serde_json::Error, object: &Map<String, Value>) -> String {
    let message = error.to_string();
    if message.starts_with("missing field") || message.starts_with("duplicate field") {
        return message.split(" at line").next().unwrap_or_default().replace("field", "key");
    }
    let Ok(Value::Object(sound)) = serde_json::to_value(EntryRecord::default()) else {
        return "it is not an entry".into();
    };
    let is_wrong = |key: &str, value: &Value| {
        let mut one = sound.clone();
        one.insert(key.to_owned(), value.clone());
        serde_json::from_value::<EntryRecord>(Value::Object(one)).is_err()
    };
    // Only a key of an entry can be wrong, so its name is safe to show.
    match object.iter().find(|(key, value)| is_wrong(key, value)) {
        Some((key, _)) => format!("the value of key `{key}` is not one that an entry can have"),
        None => "it is not an entry".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_core::digest::Sha256;

    fn line(plate: &str) -> String {
        format!(
            "{{\"plate\":\"{plate}\",\"list\":\"other\",\"state\":\"CA\",\"category\":\"stolen_vehicle\",\
             \"priority\":\"high\",\"reason\":\"\",\"make\":\"\",\"colour\":\"\",\"source\":\"\",\"date\":\"\"}}\n"
        )
    }

    fn canonical(text: &str) -> Result<(Vec<u8>, CanonicalList)> {
        let dir = tempfile::tempdir().unwrap();
        make(text.as_bytes(), "svs", dir.path(), Vec::new())
    }

    #[test]
    fn the_same_entries_in_any_order_and_spelling_make_the_same_bytes() {
        let (one, made) = canonical(&(line("8ABC123") + &line("7ABC123"))).unwrap();
        let spelled = line("7ABC123").replace("\":", "\" : ") + "\n" + &line("8ABC123") + &line("8ABC123");
        let (other, again) = canonical(&spelled).unwrap();
        assert_eq!(one, other);
        assert_eq!((made.written.entries, made.duplicates, again.duplicates), (2, 0, 1));
        assert_eq!(made.written.sha256, Sha256::of(&one));
        assert!(one.starts_with(b"{\"list\":\"svs\",\"plate\":\"7ABC123\",\"state\":\"CA\""));
        assert_eq!(canonical("").unwrap().1.written.entries, 0);
    }

    #[test]
    fn a_line_that_is_no_entry_is_refused_with_its_number_and_without_its_text() {
        let with = |key: &str| line("7ABC124").replace("\"make\":\"\"", key);
        for (wrong, expected) in [
            ("7ABC124,CA\n".to_owned(), "not a JSON object"),
            ("[\"7ABC124\"]\n".to_owned(), "not a JSON object"),
            (line("7ABC124").replace("high", "urgent"), "the value of key `priority`"),
            (with("\"make\":7"), "the value of key `make`"),
            (with("\"maker\":\"\""), "missing key `make`"),
            (with("\"make\":\"\",\"make\":\"\""), "duplicate key `make`"),
            (with("\"make\":\"\",\"covert\":\"7ABC124\""), "a key that is not known"),
            (line(" - "), "its plate is empty"),
            (
                line("7ABC124").replace("\"reason\":\"\"", &format!("\"reason\":\"{}\"", "x".repeat(MAX_LINE))),
                "too long",
            ),
        ] {
            let why = canonical(&(line("8ABC123") + &wrong)).unwrap_err().chain();
            assert!(why.starts_with("line 2: ") && why.contains(expected) && !why.contains("7ABC124"), "{why}");
        }
        assert!(canonical(&with("\"make\":\"\",\"covert\":null")).is_ok(), "an empty value is no loss");
    }
}
