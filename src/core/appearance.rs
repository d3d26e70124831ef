//! What the vehicle behind a plate looks like, as a model saw it; and in what that differs from what a list says of it.
//!
//! It describes a vehicle for a person who compares. Nothing is matched, alerted or suppressed by it.

use crate::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};

/// Most characters of a word in it.
pub const MAX_WORD: usize = 32;

/// Classes of vehicles.
pub const CLASSES: [&str; 8] = ["car", "suv", "pickup", "van", "truck", "bus", "motorcycle", "trailer"];
/// Colours.
pub const COLOURS: [&str; 12] =
    ["white", "black", "silver", "grey", "blue", "red", "green", "yellow", "orange", "brown", "beige", "purple"];

/// The vehicle at a read's best look. What could not be told is missing: "unknown" is an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Appearance {
    /// One of [`CLASSES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Seen>,
    /// Main colour, one of [`COLOURS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<Seen>,
    /// Make, such as `toyota`: small letters without spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<Seen>,
    /// Whether the plate is at its `front` or its `rear`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Seen>,
    /// Version of the model that saw it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// The word for it.
    pub is: String,
    /// Probability that it is right, 0 to 1, calibrated.
    pub confidence: f32,
}

/// Something that can be told of a vehicle, and that lists tell too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Its class, of which lists give style and type of plate.
    Class,
    /// Its main colour.
    Colour,
    /// Its make.
    Make,
}

/// What was seen of a vehicle is not what the list says. A reason to look twice, never to be silent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VehicleDifference {
    /// What differs.
    pub of: Feature,
    /// What was seen.
    pub seen: String,
    /// What the list has, as it writes it.
    pub listed: String,
}

/// What a search asks of vehicles; what is none is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Looks {
    /// Class, such as `suv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Main colour, such as `white`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    /// Make, such as `toyota`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
}

impl Looks {
    /// With the words as models write them: small letters without spaces.
    ///
    /// # Errors
    /// `Input` when something is no such word.
    pub fn checked(self) -> Result<Self> {
        const ALIASES: [(&str, &str); 5] = [
            ("gray", "grey"),
            ("mercedesbenz", "mercedes"),
            ("vw", "volkswagen"),
            ("chevy", "chevrolet"),
            ("motorbike", "motorcycle"),
        ];
        let word = |name: &str, word: Option<String>| -> Result<Option<String>> {
            let Some(word) = word else { return Ok(None) };
            let plain: String = word.chars().filter(|c| !matches!(c, ' ' | '-')).collect::<String>().to_lowercase();
            match !plain.is_empty() && plain.len() <= MAX_WORD && plain.bytes().all(|b| b.is_ascii_lowercase()) {
                true => Ok(Some(
                    ALIASES.iter().find(|(alias, _)| *alias == plain).map_or(plain, |(_, word)| (*word).into()),
                )),
                false => Err(Error::new(
                    Kind::Input,
                    format!("{word:?} is no {name} of a vehicle; use letters, such as suv"),
                )),
            }
        };
        Ok(Self {
            class: word("class", self.class)?,
            colour: word("colour", self.colour)?,
            make: word("make", self.make)?,
        })
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Appearance {
    /// The vehicle in a line, without what is not known: `white toyota pickup`. Empty where nothing is.
    pub fn in_words(&self) -> String {
        let words = [&self.colour, &self.make, &self.class].into_iter().flatten().map(|seen| shown(&seen.is));
        words.collect::<Vec<_>>().join(" ")
    }
}

impl VehicleDifference {
    /// In words: `list says MC, seen: car`.
    pub fn in_words(&self) -> String {
        format!("list says {}, seen: {}", self.listed, shown(&self.seen))
    }
}

/// A word as people write it: names of makes with a capital, and short names whole.
pub fn shown(word: &str) -> String {
    const WHOLE: [&str; 5] = ["suv", "bmw", "gmc", "mg", "ram"];
    const NAMES: [(&str, &str); 6] = [
        ("landrover", "Land Rover"),
        ("mercedes", "Mercedes-Benz"),
        ("rollsroyce", "Rolls-Royce"),
        ("astonmartin", "Aston Martin"),
        ("alfaromeo", "Alfa Romeo"),
        ("mclaren", "McLaren"),
    ];
    if WHOLE.contains(&word) {
        return word.to_uppercase();
    }
    if let Some((_, name)) = NAMES.iter().find(|(key, _)| *key == word) {
        return (*name).to_owned();
    }
    if CLASSES.contains(&word) || COLOURS.contains(&word) || ["front", "rear"].contains(&word) {
        return word.to_owned();
    }
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(is: &str) -> Option<Seen> {
        Some(Seen { is: is.into(), confidence: 0.9 })
    }

    #[test]
    fn a_vehicle_is_told_in_a_line_without_what_is_not_known() {
        let all = Appearance {
            class: seen("suv"),
            colour: seen("white"),
            make: seen("landrover"),
            side: seen("rear"),
            model: "1".into(),
        };
        assert_eq!(all.in_words(), "white Land Rover SUV");
        assert_eq!(Appearance { class: seen("car"), ..Appearance::default() }.in_words(), "car");
        assert_eq!(Appearance { make: seen("toyota"), ..Appearance::default() }.in_words(), "Toyota");
        assert_eq!(Appearance::default().in_words(), "");
    }

    #[test]
    fn a_search_takes_the_words_that_people_use() {
        let asked = |class: &str, colour: &str, make: &str| {
            let word = |word: &str| Some(word.to_owned());
            Looks { class: word(class), colour: word(colour), make: word(make) }.checked()
        };
        let Looks { class, colour, make } = asked("SUV", "Gray", "Mercedes-Benz").unwrap();
        assert_eq!([class, colour, make].map(Option::unwrap), ["suv", "grey", "mercedes"]);
        assert!(asked("suv", "white", "4x4").unwrap_err().to_string().contains("make"));
    }

    #[test]
    fn what_is_not_known_is_not_written() {
        let read = Appearance { colour: seen("red"), ..Appearance::default() };
        let json = serde_json::to_string(&read).unwrap();
        assert_eq!(json, r#"{"colour":{"is":"red","confidence":0.9}}"#);
        assert_eq!(serde_json::from_str::<Appearance>(&json).unwrap(), read);
    }
}
