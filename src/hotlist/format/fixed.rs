//! Lines whose fields stand at fixed places.

use super::field::{Field, Mistake, Values};
use super::map::{Column, Map, Span};
use std::borrow::Cow;

/// Which field stands where.
#[derive(Debug)]
pub struct Fixed {
    columns: Vec<(Field, Column)>,
    /// A longer line is two that have run together, or no line of this layout.
    longest: Option<usize>,
    /// A shorter line was cut, and its plate with it perhaps.
    shortest: usize,
}

impl Fixed {
    /// By a map.
    pub fn new(map: &Map) -> Self {
        let columns: Vec<(Field, Column)> = map.columns.iter().map(|(f, c)| (*f, c.clone())).collect();
        let spans = || columns.iter().filter_map(|(f, c)| Some((f, c.at?)));
        let open = spans().any(|(_, at)| at.to.is_none());
        let longest = map.length.or_else(|| spans().filter_map(|(_, at)| at.to).max().filter(|_| !open));
        let plate = spans().find(|(f, _)| **f == Field::Plate);
        let shortest = plate.map_or(0, |(_, plate)| match plate.to {
            // Where more is to come after it, the plate must be whole.
            Some(end) if spans().any(|(_, other)| other.from >= end) => end,
            _ => plate.from + 1,
        });
        Self { columns, longest, shortest }
    }

    /// What a line holds.
    ///
    /// # Errors
    /// What is wrong with the line as a whole.
    pub fn values<'a>(&self, line: &'a str) -> Result<Values<'a>, Mistake> {
        let length = line.chars().count();
        if length < self.shortest {
            return Err(Mistake::line(format!("it ends before or in its plate, after {length} characters")));
        }
        let length = line.trim_end().chars().count();
        if let Some(longest) = self.longest.filter(|l| length > *l) {
            return Err(Mistake::line(format!("it has {length} characters; the most is {longest}")));
        }
        let mut values = Values::default();
        for (field, column) in &self.columns {
            values.set(*field, column.part(Cow::Borrowed(line)));
        }
        Ok(values)
    }
}

impl Column {
    /// The part of a text that this column is, without the spaces around it.
    pub fn part<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        let text = match (self.at, text) {
            (None, text) => text,
            (Some(at), Cow::Borrowed(text)) => Cow::Borrowed(at.of(text).trim()),
            (Some(at), Cow::Owned(text)) => Cow::Owned(at.of(&text).trim().to_owned()),
        };
        if self.prefix.is_empty() || text.is_empty() { text } else { Cow::Owned(format!("{}{text}", self.prefix)) }
    }
}

impl Span {
    /// These characters of a text; fewer or none where it ends sooner.
    fn of(self, text: &str) -> &str {
        if text.is_ascii() {
            let to = self.to.unwrap_or(text.len()).min(text.len());
            return text.get(self.from..to).unwrap_or("");
        }
        let at = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(i, _)| i);
        &text[at(self.from)..self.to.map_or(text.len(), at)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(columns: &str) -> Fixed {
        Fixed::new(&toml::from_str(&format!("layout = \"fixed\"\n{columns}")).unwrap())
    }

    #[test]
    fn places_are_counted_in_characters_not_bytes() {
        let fixed = layout("[columns]\nreason = [0, 5]\nplate = [5, 13]\nstate = [13, 15]");
        for line in ["Muñoz7ABC123 CA", "Mu?oz7ABC123 CA"] {
            let values = fixed.values(line).unwrap();
            assert_eq!((values.get(Field::Plate), values.get(Field::State)), ("7ABC123", "CA"));
        }
    }

    #[test]
    fn a_line_cut_in_its_plate_or_run_together_with_the_next_is_a_mistake() {
        let fixed = layout("[columns]\nplate = [0, 8]\nstate = [8, 10]");
        let reason = |line| fixed.values(line).unwrap_err().reason;
        assert_eq!(reason("7ABC1"), "it ends before or in its plate, after 5 characters");
        assert_eq!(reason("7ABC123 CA8XYZ901 CA"), "it has 20 characters; the most is 10");
        assert!(fixed.values("7ABC123 ").is_ok(), "no state");
        assert!(fixed.values("7ABC123 CA         ").is_ok(), "spaces at the end");
        let last = layout("[columns]\nstate = [0, 2]\nplate = [2, 10]");
        assert_eq!(last.values("CA7ABC1").unwrap().get(Field::Plate), "7ABC1", "nothing was to come");
        assert!(last.values("CA").is_err());
    }
}
