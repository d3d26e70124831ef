//! What the texts of a record may be. The certificate shows who sent a read, not that its program is
//! whole: what it sends is kept for years and shown to people.

use plated_core::name::is_plain_name;
use plated_core::plate::ALPHABET;
use plated_core::record::{Position, ReadRecord};
use serde_json::Value;

/// Longest record, in bytes.
pub const MAX_RECORD_BYTES: usize = 1 << 20;
/// Longest text in it, in bytes; a line of a hotlist, from which the longest ones come, has no more.
const MAX_TEXT_BYTES: usize = 64 << 10;
/// Longest plate text, in characters. More than any reader gives.
const MAX_PLATE_CHARS: usize = 32;
/// Longest version of a program or model, in characters.
const MAX_VERSION_CHARS: usize = 200;

/// Why this record is not taken; it names the key, never what is there.
pub fn violation(record: &ReadRecord, json: &Value) -> Option<String> {
    strict(record).or_else(|| text(json, ""))
}

/// Texts that are of a certain form.
fn strict(record: &ReadRecord) -> Option<String> {
    let hits = || record.hits.iter();
    let plates = [("text", &record.text), ("best.text", &record.best.text)]
        .into_iter()
        .chain(record.candidates.iter().map(|c| ("candidates.text", &c.text)))
        .chain(record.sightings.iter().map(|s| ("sightings.text", &s.text)))
        .chain(hits().map(|h| ("hits.text", &h.text)));
    for (key, plate) in plates {
        if plate.len() > MAX_PLATE_CHARS || !plate.bytes().all(|b| ALPHABET.contains(&b)) {
            return Some(format!("{key} is not at most {MAX_PLATE_CHARS} letters A to Z and digits"));
        }
    }
    if record.text.is_empty() {
        return Some("text is empty".into());
    }
    if !record.state.is_empty() && (record.state.len() != 2 || !record.state.bytes().all(|b| b.is_ascii_uppercase())) {
        return Some("state is not two letters".into());
    }
    let positions = record.position.iter().chain(hits().filter_map(|h| h.position.as_ref()));
    if !positions.into_iter().all(Position::is_plausible) {
        return Some("position is not a place on the earth".into());
    }
    if !is_plain_name(&record.camera) {
        return Some("camera is not 1 to 64 letters, digits, '-', '_' or '.'".into());
    }
    if hits().flat_map(|h| &h.entries).any(|e| !is_plain_name(&e.entry.list)) {
        return Some("hits.entries.entry.list is not 1 to 64 letters, digits, '-', '_' or '.'".into());
    }
    let made_by = &record.made_by;
    let versions = [("plated", &made_by.plated), ("detector", &made_by.detector), ("reader", &made_by.reader)];
    let long = versions.into_iter().find(|(_, version)| version.chars().count() > MAX_VERSION_CHARS);
    long.map(|(key, _)| format!("made_by.{key} has more than {MAX_VERSION_CHARS} characters"))
}

/// Any text, also under a key that is not known here: short enough, and without control characters,
/// which a terminal would obey.
fn text(json: &Value, key: &str) -> Option<String> {
    match json {
        Value::String(text) if text.len() > MAX_TEXT_BYTES => {
            Some(format!("{key} has more than {} KiB", MAX_TEXT_BYTES >> 10))
        }
        Value::String(text) if text.chars().any(char::is_control) => Some(format!("{key} holds a control character")),
        Value::Array(all) => all.iter().find_map(|value| text(value, key)),
        Value::Object(all) => all.iter().find_map(|(name, value)| {
            if !is_plain_name(name) {
                return Some("a key is not 1 to 64 letters, digits, '-', '_' or '.'".into());
            }
            text(value, &if key.is_empty() { name.clone() } else { format!("{key}.{name}") })
        }),
        _ => None,
    }
}
