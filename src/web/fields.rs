//! The fields of a form, as a browser sends them.

use percent_encoding::percent_decode;

/// Most fields of a form.
const MAX_FIELDS: usize = 200;

/// Names and values of a form or of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`. None for too many fields or bytes that are no UTF-8.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let pairs = bytes.split(|b| *b == b'&').filter(|pair| !pair.is_empty());
        let mut fields = Vec::new();
        for pair in pairs {
            if fields.len() == MAX_FIELDS {
                return None;
            }
            let split = pair.iter().position(|b| *b == b'=');
            let (name, value) = split.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
            fields.push((decoded(name)?, decoded(value)?));
        }
        Some(Self(fields))
    }

    /// The first value of this name, or an empty text.
    pub fn get<'a>(&'a self, name: &str) -> &'a str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }

    /// All values of this name, as several choices send them.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

fn decoded(text: &[u8]) -> Option<String> {
    let spaces: Vec<u8> = text.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    percent_decode(&spaces).decode_utf8().ok().map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_come_as_they_were_entered() {
        let fields = Fields::parse(b"plate=7AB%3F+*&reason=M%C3%BCller+%26+Co&empty=&flag&a=1&a=2").unwrap();
        assert_eq!(fields.get("plate"), "7AB? *");
        assert_eq!(fields.get("reason"), "Müller & Co");
        assert_eq!((fields.get("empty"), fields.get("flag"), fields.get("none")), ("", "", ""));
        assert_eq!(fields.all("a").collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn what_is_no_text_and_what_has_no_end_is_refused() {
        assert_eq!(Fields::parse(b"a=%ff%fe"), None);
        assert_eq!(Fields::parse("a=1&".repeat(10_000).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Fields::parse(&bytes);
        }
    }
}
