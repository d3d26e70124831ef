//! Making the canonical form of a list out of JSON lines in any order.

use plated_core::error::{Context, Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::record::EntryRecord;
use plated_core::sort::{Key, Sorter};
use plated_hotlist::canonical::{MAX_LINE, Writer, Written};
use serde_json::{Map, Value};
use std::io::{BufRead, Read, Write};
use std::path::Path;

/// Memory for sorting, in bytes.
const ROOM: usize = 128 << 20;

/// What became of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// What was written.
    pub written: Written,
    /// Entries that were there twice, the same in every field; one of each was kept.
    pub twice: u64,
}

/// Reads entries, one JSON object on each line, gives each the name of the list, and writes them
/// in canonical form to `output`. `scratch` is a folder for what does not fit into memory.
///
/// # Errors
/// `Input` with the number of the first line that is no entry. Nothing of the line's text is
/// shown, since the plate may be in it.
pub fn make<W: Write>(mut input: impl BufRead, name: &str, scratch: &Path, output: W) -> Result<(W, Made)> {
    let failed = || format!("could not sort a list in {}", scratch.display());
    let mut sorter = Sorter::new(scratch, Key::Whole, ROOM);
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
    let mut writer = Writer::new(output);
    let (mut last, mut twice) = (Vec::new(), 0);
    let mut sorted = sorter.finish().context(Kind::Storage, failed)?;
    while let Some(line) = sorted.advance().context(Kind::Storage, failed)? {
        if last == line {
            twice += 1;
            continue;
        }
        last.clear();
        last.extend_from_slice(line);
        writer.add(line)?;
    }
    let (output, written) = writer.finish()?;
    Ok((output, Made { written, twice }))
}

fn entry(line: &[u8]) -> Result<EntryRecord, String> {
    let no_entry = |e: &serde_json::Error| format!("it is no entry in JSON (character {})", e.column());
    let object: Map<String, Value> = serde_json::from_slice(line).map_err(|e| no_entry(&e))?;
    // From the line, not from the object: a key that is there twice is a mistake then.
    let record: EntryRecord = serde_json::from_slice(line).map_err(|e| no_entry(&e))?;
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

    fn canonical(text: &str) -> Result<(Vec<u8>, Made)> {
        let dir = tempfile::tempdir().unwrap();
        make(text.as_bytes(), "svs", dir.path(), Vec::new())
    }

    #[test]
    fn the_same_entries_in_any_order_and_spelling_make_the_same_bytes() {
        let (one, made) = canonical(&(line("8ABC123") + &line("7ABC123"))).unwrap();
        let spelled = line("7ABC123").replace("\":", "\" : ") + "\n" + &line("8ABC123") + &line("8ABC123");
        let (other, again) = canonical(&spelled).unwrap();
        assert_eq!(one, other);
        assert_eq!((made.written.entries, made.twice, again.twice), (2, 0, 1));
        assert_eq!(made.written.sha256, Sha256::of(&one));
        assert!(one.starts_with(b"{\"list\":\"svs\",\"plate\":\"7ABC123\",\"state\":\"CA\""));
        assert_eq!(canonical("").unwrap().1.written.entries, 0);
    }

    #[test]
    fn a_line_that_is_no_entry_is_refused_with_its_number_and_without_its_text() {
        let with = |key: &str| line("7ABC124").replace("\"make\":\"\"", key);
        for (wrong, said) in [
            ("7ABC124,CA\n".to_owned(), "no entry in JSON"),
            (line("7ABC124").replace("high", "urgent"), "no entry in JSON"),
            (with("\"make\":7"), "no entry in JSON"),
            (with("\"maker\":\"\""), "no entry in JSON"),
            (with("\"make\":\"\",\"make\":\"\""), "no entry in JSON"),
            (with("\"make\":\"\",\"covert\":\"7ABC124\""), "a key that is not known"),
            (line(" - "), "its plate is empty"),
            (
                line("7ABC124").replace("\"reason\":\"\"", &format!("\"reason\":\"{}\"", "x".repeat(MAX_LINE))),
                "too long",
            ),
        ] {
            let why = canonical(&(line("8ABC123") + &wrong)).unwrap_err().chain();
            assert!(why.starts_with("line 2: ") && why.contains(said) && !why.contains("7ABC124"), "{why}");
        }
        assert!(canonical(&with("\"make\":\"\",\"covert\":null")).is_ok(), "an empty value is no loss");
    }
}
