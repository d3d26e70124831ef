//! What the texts of a record may be. The certificate shows who sent a read, not that its program is
//! whole: what it sends is kept for years and shown to people.
//!
//! What a newer vehicle writes in another way than is known here is not judged by its form, only by its length and
//! its characters.

use plated_core::name::is_plain_name;
use plated_core::plate::ALPHABET;
use plated_core::record::Position;
use serde::Deserialize;
use serde_json::Value;

/// Longest record, in bytes.
pub const MAX_RECORD_BYTES: usize = 1 << 20;
/// Longest text in it, in bytes; a line of a hotlist, from which the longest ones come, has no more.
const MAX_TEXT_BYTES: usize = 64 << 10;
/// Longest plate text, in characters. More than any reader gives.
const MAX_PLATE_CHARS: usize = 32;
/// Longest version of a program or model, in characters.
const MAX_VERSION_CHARS: usize = 200;

/// Where plate texts stand in a record.
const PLATES: [&[&str]; 5] =
    [&["text"], &["best", "text"], &["candidates", "text"], &["sightings", "text"], &["hits", "text"]];
/// Where plain names stand.
const NAMES: [&[&str]; 3] = [&["camera"], &["site"], &["hits", "entries", "entry", "list"]];
/// Where places stand.
const POSITIONS: [&[&str]; 2] = [&["position"], &["hits", "position"]];
/// Where versions stand.
const VERSIONS: [&[&str]; 3] = [&["made_by", "plated"], &["made_by", "detector"], &["made_by", "reader"]];

/// Why this record is not taken; it names the key, never what is there.
pub fn violation(record: &Value) -> Option<String> {
    strict(record).or_else(|| text(record, ""))
}

/// Texts that are of a certain form.
fn strict(record: &Value) -> Option<String> {
    for path in PLATES {
        let is_plate = |text: &str| text.len() <= MAX_PLATE_CHARS && text.bytes().all(|b| ALPHABET.contains(&b));
        if !all(record, path, &mut |value| value.as_str().is_none_or(is_plate)) {
            return Some(format!("{} is not at most {MAX_PLATE_CHARS} letters A to Z and digits", path.join(".")));
        }
    }
    let state = record.get("state").and_then(Value::as_str).unwrap_or_default();
    if !state.is_empty() && (state.len() != 2 || !state.bytes().all(|b| b.is_ascii_uppercase())) {
        return Some("state is not two letters".into());
    }
    for path in POSITIONS {
        if !all(record, path, &mut |value| Position::deserialize(value).is_ok_and(|p| p.is_plausible())) {
            return Some(format!("{} is not a place on the earth", path.join(".")));
        }
    }
    for path in NAMES {
        if !all(record, path, &mut |value| value.as_str().is_none_or(is_plain_name)) {
            return Some(format!("{} is not 1 to 64 letters, digits, '-', '_' or '.'", path.join(".")));
        }
    }
    let is_short = |value: &Value| value.as_str().is_none_or(|text| text.chars().count() <= MAX_VERSION_CHARS);
    let long = VERSIONS.iter().find(|path| !all(record, path, &mut |value| is_short(value)));
    long.map(|path| format!("{} has more than {MAX_VERSION_CHARS} characters", path.join(".")))
}

/// Whether `holds` is true of each value at this path, through lists on the way; of none, when it is not there.
fn all(value: &Value, path: &[&str], holds: &mut impl FnMut(&Value) -> bool) -> bool {
    match (value, path) {
        (Value::Null, _) => true,
        (Value::Array(items), [_, ..]) => items.iter().all(|item| all(item, path, holds)),
        (_, [key, rest @ ..]) => value.get(key).is_none_or(|value| all(value, rest, holds)),
        (_, []) => holds(value),
    }
}

/// Any text, also under a key that is not known here: short enough, and without control characters,
/// which a terminal would obey.
pub fn text(json: &Value, key: &str) -> Option<String> {
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
