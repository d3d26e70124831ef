//! Lines whose fields stand at fixed places.

use super::field::{Field, Mistake, Values};
use super::map::{Column, ColumnPart, Map, Span};
use std::borrow::Cow;

/// Which field stands where. A field may be put together from several places.
#[derive(Debug)]
pub struct Fixed {
    columns: Vec<(Field, Column)>,
    /// A longer line is two that have run together, or no line of this layout.
    longest: Option<usize>,
    /// A shorter line was cut, and its plate with it perhaps.
    shortest: usize,
    /// Where text begins that goes on to the end of the line.
    open: Option<usize>,
}

impl Fixed {
    /// By a map.
    pub fn new(map: &Map) -> Self {
        let columns: Vec<(Field, Column)> = map.each_column().map(|(f, c)| (f, c.clone())).collect();
        let spans = || columns.iter().filter_map(|(f, c)| Some((f, c.at?)));
        let open = spans().filter(|(_, at)| at.to.is_none()).map(|(_, at)| at.from).max();
        let longest = map.length.or_else(|| spans().filter_map(|(_, at)| at.to).max().filter(|_| open.is_none()));
        let plate = spans().find(|(f, _)| **f == Field::Plate);
        let shortest = plate.map_or(0, |(_, plate)| match plate.to {
            // Where more is to come after it, the plate must be whole.
            Some(end) if spans().any(|(_, other)| other.from >= end) => end,
            _ => plate.from + 1,
        });
        Self { columns, longest, shortest, open }
    }

    /// What a line holds; lines that go on are joined with `\n` and belong to the text at the end.
    ///
    /// # Errors
    /// What is wrong with the line as a whole.
    pub fn values<'a>(&self, text: &'a str) -> Result<Values<'a>, Mistake> {
        let (line, more) = text.split_once('\n').unwrap_or((text, ""));
        let length = line.chars().count();
        if length < self.shortest {
            return Err(Mistake::line(format!("it ends before or in its plate, after {length} characters")));
        }
        let length = line.trim_end().chars().count();
        if let Some(longest) = self.longest.filter(|l| length > *l) {
            return Err(Mistake::line(format!("it has {length} characters; the most is {longest}")));
        }
        if !more.is_empty() && self.open.is_none() {
            return Err(Mistake::line("it goes on in the next line, and the map has no column for that"));
        }
        let mut values = Values::default();
        for (field, column) in &self.columns {
            let mut part = column.part(Cow::Borrowed(line));
            if !more.is_empty() && column.at.is_some_and(|at| at.to.is_none()) && column.part != ColumnPart::Colour {
                part = Cow::Owned(format!("{part}\n{more}"));
            }
            let before = values.get(*field);
            match (before.is_empty(), part.is_empty()) {
                (_, true) => {}
                (true, _) => values.set(*field, part),
                (false, _) => {
                    let both = format!("{before} {part}");
                    values.set(*field, Cow::Owned(both));
                }
            }
        }
        Ok(values)
    }

    /// The texts within the line's open end that could be a further record, run together with it.
    pub fn further<'a>(&self, line: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        let (from, shortest) = (self.open.unwrap_or(usize::MAX), self.shortest);
        let starts = line.char_indices().skip(from).map(|(at, _)| &line[at..]);
        starts.take_while(move |rest| rest.len() > shortest)
    }
}

impl Column {
    /// The part of a text that this column is, without the spaces around it.
    pub fn part<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        let of = |text| -> &str { self.part.of(self.at.map_or(text, |at: Span| at.of(text))).trim() };
        let text = match text {
            text if self.at.is_none() && self.part == ColumnPart::All => text,
            Cow::Borrowed(text) => Cow::Borrowed(self.part.of(self.at.map_or(text, |at| at.of(text))).trim()),
            Cow::Owned(text) => Cow::Owned(of(&text).to_owned()),
        };
        if self.prefix.is_empty() || text.is_empty() { text } else { Cow::Owned(format!("{}{text}", self.prefix)) }
    }
}

impl ColumnPart {
    /// This part of a text.
    fn of(self, text: &str) -> &str {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let letters = |code: &str| code.len() == 3 && code.bytes().all(|b| b.is_ascii_alphabetic());
        let is_colour = text[..end].split('/').count() <= 2 && text[..end].split('/').all(letters);
        match self {
            Self::All => text,
            Self::Colour => {
                if is_colour {
                    &text[..end]
                } else {
                    ""
                }
            }
            Self::AfterColour => {
                if is_colour {
                    &text[end..]
                } else {
                    text
                }
            }
        }
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
    fn text_behind_a_colour_is_not_the_colour() {
        let fixed = layout(
            "[columns]\nplate = [0, 8]\ncolour = { at = [8], part = \"colour\" }\n\
             remarks = { at = [8], part = \"after_colour\" }",
        );
        for (line, colour, remarks) in [
            ("7ABC123 BLK    MISSING PERSON NCIC", "BLK", "MISSING PERSON NCIC"),
            ("7ABC123 SIL/BLU ARMED", "SIL/BLU", "ARMED"),
            ("7ABC123 WHI", "WHI", ""),
            ("7ABC123         MISSING PERSON", "", "MISSING PERSON"),
            ("7ABC123 MISSING PERSON", "", "MISSING PERSON"),
            ("7ABC123 ", "", ""),
        ] {
            let values = fixed.values(line).unwrap();
            assert_eq!((values.get(Field::Colour), values.get(Field::Remarks)), (colour, remarks), "{line}");
        }
        assert_eq!(fixed.values("7ABC123 RED\n  CAUTION").unwrap().get(Field::Remarks), "\n  CAUTION");
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
