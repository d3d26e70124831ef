//! Lines that are JSON objects with the fields of an entry.

use super::field::{Field, Mistake, Values};
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// What a line holds. Keys are our words for the fields; another key is a mistake, so that a
/// misspelt one is not lost. `list` is passed over: the list has its name from who imports it.
///
/// # Errors
/// What is wrong with the line. Nothing of its text is shown, since the plate may be in it.
pub fn values(line: &str) -> Result<Values<'static>, Mistake> {
    let mut json = serde_json::Deserializer::from_str(line);
    let read = json.deserialize_map(Object).and_then(|values| json.end().map(|()| values));
    read.map_err(|e| {
        // The column after the value, by its name: what else is in the message stays out.
        let word =
            e.to_string().strip_prefix(Ours::NO_TEXT).and_then(|rest| rest.split(' ').nth(1)?.parse::<String>().ok());
        if let Some(field) = word.and_then(|word| Field::of(&word)) {
            return Mistake::of(field, format!("{}, at character {}", Ours::NO_TEXT, e.column()));
        }
        use serde_json::error::Category;
        let what = match e.classify() {
            Category::Data => Ours::known(&e.to_string()),
            Category::Eof => "it ends inside the object",
            Category::Syntax | Category::Io => "it is not JSON",
        };
        Mistake::line(format!("{what}, at character {}", e.column()))
    })
}

/// Mistakes that are ours; all others come with text of the line in their message.
enum Ours {}

impl Ours {
    const UNKNOWN: &str = "it has a key that is not known";
    const TWICE: &str = "it has a key twice";
    const NO_TEXT: &str = "the value is no text";
    const NO_PLATE: &str = "it has no key `plate`";

    fn known(message: &str) -> &'static str {
        let ours = [Self::UNKNOWN, Self::TWICE, Self::NO_PLATE].into_iter().find(|m| message.starts_with(m));
        ours.unwrap_or("it is not a JSON object")
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Values<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = Values::default();
        let mut seen = [false; 32];
        while let Some(key) = map.next_key::<String>()? {
            let value: serde_json::Value = map.next_value()?;
            if key == "list" {
                continue;
            }
            let field = Field::of(&key).ok_or_else(|| A::Error::custom(Ours::UNKNOWN))?;
            if std::mem::replace(&mut seen[field as usize], true) {
                return Err(A::Error::custom(Ours::TWICE));
            }
            let text = match value {
                serde_json::Value::String(text) => text,
                serde_json::Value::Number(number) => number.to_string(),
                serde_json::Value::Null => String::new(),
                _ => return Err(A::Error::custom(format_args!("{} {} ", Ours::NO_TEXT, field.word()))),
            };
            values.set(field, Cow::Owned(text.trim().to_owned()));
        }
        if !seen[Field::Plate as usize] {
            return Err(A::Error::custom(Ours::NO_PLATE));
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_numbers_and_null_are_values_and_list_is_passed_over() {
        let values =
            values(r#" {"plate": " 7ABC123", "year": 2019, "make": null, "list": ["x"], "Color": "r\u0065d"} "#);
        let values = values.unwrap();
        let got = [Field::Plate, Field::Year, Field::Make, Field::Colour].map(|f| values.get(f).to_owned());
        assert_eq!(got, ["7ABC123", "2019", "", "red"]);
    }

    #[test]
    fn a_mistake_says_where_it_is_and_shows_nothing_of_the_line() {
        for (line, expected) in [
            (r#"{"plate": "7ABC123""#, "it ends inside the object"),
            (r#"{"plate": "7ABC123"} {"plate": "8ABC123"}"#, "it is not JSON"),
            (r#"{"plate": "7ABC123", "7ABC123": 1}"#, "it has a key that is not known"),
            (r#"{"plate": "7ABC123", "plate": "8ABC123"}"#, "it has a key twice"),
            (r#"{"plate": ["7ABC123"]}"#, "the value is no text"),
            (r#"{"state": "CA"}"#, "it has no key `plate`"),
            (r#"["7ABC123"]"#, "it is not a JSON object"),
            (r#""7ABC123""#, "it is not a JSON object"),
            ("7ABC123,CA", "it is not a JSON object"),
            ("", "it ends inside the object"),
        ] {
            let mistake = values(line).unwrap_err();
            assert!(mistake.reason.starts_with(expected), "{line}: {}", mistake.reason);
            assert!(!mistake.reason.contains("ABC"), "{}", mistake.reason);
        }
        let deep = "[".repeat(100_000);
        assert!(values(&format!("{{\"plate\": {deep}")).is_err());
    }
}
