//! What is searched for: from a form to what is asked of a store, and back into the form.

use crate::words;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use plated_core::appearance::{CLASSES, COLOURS, Looks, shown};
use plated_core::area::Area;
use plated_core::error::Result;
use plated_core::plate::{MAX_LENGTH, PlateText, is_sign};
use plated_core::text::sentence;
use plated_hotlist::Pattern;
use plated_hotlist::format::{Codes, code_of};
use plated_web::fields::Fields;
use plated_web::ui::{Field, Input};
use std::time::Duration;

/// A search begins so long ago, when nothing else is entered.
const WINDOW: Duration = Duration::from_secs(24 * 3600);
/// Distances from a point, in metres, and how they are called.
const DISTANCES: [(&str, &str); 4] = [("100", "100 m"), ("300", "300 m"), ("1000", "1 km"), ("5000", "5 km")];
/// How a browser writes a day and a time.
const FORMAT: &str = "%Y-%m-%dT%H:%M";

/// What was entered, as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entered {
    plate: String,
    state: String,
    from: String,
    until: String,
    camera: String,
    vehicle: String,
    near: String,
    distance: String,
    canvass: String,
    class: String,
    colour: String,
    make: String,
    hits: bool,
}

/// What is searched for; `P` is a plate or a part of one.
#[derive(Clone, Debug)]
pub struct Asked<P> {
    /// None for all plates.
    pub plate: Option<P>,
    /// Two letters.
    pub state: Option<String>,
    /// Since when.
    pub from: Option<Timestamp>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// Where.
    pub area: Option<Area>,
    /// By which camera.
    pub camera: Option<String>,
    /// By which vehicle.
    pub vehicle: Option<String>,
    /// In the canvass of this incident.
    pub canvass: Option<String>,
    /// What the vehicle was seen as.
    pub looks: Looks,
    /// Only reads with a hit.
    pub hits_only: bool,
}

/// What there is to choose from.
#[derive(Clone, Debug)]
pub enum Offered {
    /// Cameras of this vehicle.
    Cameras(Vec<String>),
    /// Vehicles; their cameras are entered by name.
    Vehicles(Vec<String>),
}

/// What is wrong, by the name of the field.
pub type Wrong = Vec<(&'static str, String)>;

impl Entered {
    /// What a form brought.
    pub fn of(fields: &Fields) -> Self {
        let text = |name: &str| fields.get(name).trim().to_owned();
        Self {
            plate: text("plate").to_uppercase(),
            state: text("state").to_uppercase(),
            from: text("from"),
            until: text("until"),
            camera: text("camera"),
            vehicle: text("vehicle"),
            near: text("near"),
            distance: text("distance"),
            canvass: text("canvass"),
            class: text("class"),
            colour: text("colour"),
            make: text("make"),
            hits: fields.get("hits") == "on",
        }
    }

    /// What stands there at first: the last 24 hours, or all of a canvass.
    pub fn new(now: Timestamp, canvass: Option<String>) -> Self {
        let from = if canvass.is_some() { String::new() } else { local(now - WINDOW) };
        Self { from, distance: "300".into(), canvass: canvass.unwrap_or_default(), ..Self::default() }
    }

    /// What to search for; `parse` makes a plate of its text.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read<P>(&self, parse: impl FnOnce(&str) -> Result<P>) -> Result<Asked<P>, Wrong> {
        let mut wrong = Wrong::new();
        let mut noted = |name, why: String| wrong.push((name, sentence(&words::capital(&why))));
        let plate = self.plate(parse).unwrap_or_else(|why| {
            noted("plate", why);
            None
        });
        let mut state = None;
        if !self.state.is_empty() {
            match code_of(&self.state, Codes::Postal).filter(|code| !code.is_empty()) {
                Some(code) => state = Some(code.into()),
                None => noted("state", "There is no such state; give its two letters, such as CA, or none".into()),
            }
        }
        let not_a_time = || "Give a day and a time, or nothing".to_owned();
        let from = time(&self.from).unwrap_or_else(|()| {
            noted("from", not_a_time());
            None
        });
        let until = time(&self.until).unwrap_or_else(|()| {
            noted("until", not_a_time());
            None
        });
        if from.zip(until).is_some_and(|(from, until)| until <= from) {
            noted("until", "This is not after the time from which on is searched".into());
        }
        let mut area = None;
        if !self.near.is_empty() {
            let metres = DISTANCES.iter().find(|(value, _)| *value == self.distance);
            let metres = metres.and_then(|(value, _)| value.parse().ok()).unwrap_or(300.0);
            match Area::parse(&self.near, metres) {
                Ok(found) => area = Some(found),
                Err(e) => noted("near", e.to_string()),
            }
        }
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let looks = Looks { class: given(&self.class), colour: given(&self.colour), make: given(&self.make) };
        let looks = looks.checked().unwrap_or_else(|_| {
            wrong.push(("make", "Give the make in letters, such as Toyota, or nothing.".into()));
            Looks::default()
        });
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Asked {
            plate,
            state,
            from,
            until,
            area,
            camera: given(&self.camera),
            vehicle: given(&self.vehicle),
            canvass: given(&self.canvass),
            looks,
            hits_only: self.hits,
        })
    }

    fn plate<P>(&self, parse: impl FnOnce(&str) -> Result<P>) -> Result<Option<P>, String> {
        if self.plate.is_empty() {
            return Ok(None);
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || is_sign(c) || "?*".contains(c);
        if !self.plate.chars().all(allowed) {
            return Err(
                "A plate has letters and digits; use ? for one character that you don't know, and * for any run \
                        of them"
                    .into(),
            );
        }
        let named = self.plate.chars().filter(char::is_ascii_alphanumeric).count();
        if !Pattern::is_pattern(&self.plate) && named > PlateText::normalise(&self.plate).len() {
            return Err(format!("A plate has at most {MAX_LENGTH} characters"));
        }
        parse(&self.plate).map(Some).map_err(|e| e.to_string())
    }

    /// The form with what was entered, and what is wrong with it.
    pub fn fields(&self, offered: Offered, wrong: &Wrong) -> Vec<Field> {
        let choice = |name: &str, label: &str, all: &str, mut names: Vec<String>, value: &String| {
            if !value.is_empty() && !names.contains(value) {
                names.push(value.clone());
            }
            let names = names.into_iter().map(|name| (name.clone(), name));
            let choices = std::iter::once((String::new(), all.to_owned())).chain(names);
            Field::new(Input::Select, name, label).choices(choices).value(&**value)
        };
        let whose = match offered {
            Offered::Cameras(names) => vec![choice("camera", "Camera", "All cameras", names, &self.camera)],
            Offered::Vehicles(names) => vec![
                choice("vehicle", "Vehicle", "All vehicles", names, &self.vehicle),
                Field::new(Input::Text, "camera", "Camera").value(&*self.camera).max(64),
            ],
        };
        let mut fields = vec![
            Field::new(Input::Plate, "plate", "Plate")
                .value(&*self.plate)
                .hint("? one character, * any run; empty for all plates")
                .max(30),
            Field::new(Input::Text, "state", "State").value(&*self.state).max(2),
        ];
        fields.extend(whose);
        fields.extend([
            Field::new(Input::DateTime, "from", "From").value(&*self.from),
            Field::new(Input::DateTime, "until", "Until").value(&*self.until),
            Field::new(Input::Text, "canvass", "Incident of a canvass").value(&*self.canvass).max(64),
            Field::new(Input::Text, "near", "Near")
                .value(&*self.near)
                .hint("37.8353, -122.2642; or two corners")
                .max(80),
            Field::new(Input::Select, "distance", "Within").choices(DISTANCES).value(&*self.distance),
            Field::new(Input::Select, "class", "Seen as").choices(choices("Any vehicle", &CLASSES)).value(&*self.class),
            Field::new(Input::Select, "colour", "Colour").choices(choices("Any colour", &COLOURS)).value(&*self.colour),
            Field::new(Input::Text, "make", "Make").value(&*self.make).hint("as seen, such as Toyota").max(32),
            Field::new(Input::Check, "hits", "Hits only").value(if self.hits { "on" } else { "" }),
        ]);
        let with_error = |field: Field| match wrong.iter().find(|(name, _)| *name == field.name) {
            Some((_, why)) => field.error(&**why),
            None => field,
        };
        fields.into_iter().map(with_error).collect()
    }

    /// What is searched for, in a line.
    pub fn in_words(&self) -> String {
        let plate = if self.plate.is_empty() { "All plates" } else { &self.plate };
        let named = |name: &str, value: &str| (!value.is_empty()).then(|| format!("{name} {value}"));
        let day = |text: &str| text.replace('T', " ");
        let distance = DISTANCES.iter().find(|(value, _)| *value == self.distance).map_or("", |(_, name)| name);
        let near = (!self.near.is_empty()).then(|| {
            match self.near.split([',', ';', ' ']).filter(|part| !part.is_empty()).count() {
                2 => format!("within {distance} of {}", self.near),
                _ => format!("in the box {}", self.near),
            }
        });
        let looks: Vec<_> =
            [&self.colour, &self.make, &self.class].into_iter().filter(|word| !word.is_empty()).collect();
        let looks: Vec<_> = looks.into_iter().map(|word| shown(word)).collect();
        let parts = [
            Some(plate.to_owned()),
            (!looks.is_empty()).then(|| looks.join(" ")),
            (!self.state.is_empty()).then(|| self.state.clone()),
            named("from", &day(&self.from)),
            named("until", &day(&self.until)),
            named("vehicle", &self.vehicle),
            named("camera", &self.camera),
            named("incident", &self.canvass),
            near,
            self.hits.then(|| "hits only".to_owned()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

/// Words that the model knows, after the choice of all.
fn choices(all: &str, words: &[&str]) -> Vec<(String, String)> {
    let words = words.iter().map(|word| ((*word).to_owned(), words::capital(&shown(word))));
    std::iter::once((String::new(), all.to_owned())).chain(words).collect()
}

/// A moment as a field for a day and a time has it.
fn local(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime(FORMAT).to_string()
}

/// What such a field brought; none when it is empty.
fn time(text: &str) -> Result<Option<Timestamp>, ()> {
    if text.is_empty() {
        return Ok(None);
    }
    let at: DateTime = text.parse().map_err(|_| ())?;
    at.to_zoned(TimeZone::system()).map(|at| Some(at.timestamp())).map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_core::error::{Error, Kind};

    /// As a store does.
    fn parse(text: &str) -> Result<String> {
        if Pattern::is_pattern(text) {
            Pattern::parse(text).map_err(|why| Error::new(Kind::Input, why))?;
        } else if PlateText::normalise(text).len() < 2 {
            return Err(Error::new(Kind::Input, "a plate has at least 2 characters"));
        }
        Ok(text.to_owned())
    }

    fn entered(fields: &str) -> Entered {
        Entered::of(&Fields::parse(fields.as_bytes()).unwrap())
    }

    #[test]
    fn what_is_wrong_is_told_at_its_field() {
        for (fields, name, why) in [
            ("plate=*", "plate", "at least 2 characters"),
            ("plate=7AB%25", "plate", "use ? for one character"),
            ("plate=7", "plate", "at least 2 characters"),
            ("plate=7ABC1234567890", "plate", "at most"),
            ("state=ZZ", "state", "no such state"),
            ("from=yesterday", "from", "a day and a time"),
            ("until=2026-13-01T00:00", "until", "a day and a time"),
            ("from=2026-11-26T10:00&until=2026-11-26T09:00", "until", "not after"),
            ("near=5th+and+Main", "near", "degrees north and east"),
        ] {
            let wrong = entered(fields).read(parse).unwrap_err();
            assert!(wrong.len() == 1 && wrong[0].0 == name && wrong[0].1.contains(why), "{fields}: {wrong:?}");
        }
        let both = entered("plate=*&near=x").read(parse).unwrap_err();
        assert_eq!(both.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["plate", "near"]);
    }

    #[test]
    fn a_form_comes_back_as_it_was_entered() {
        let given =
            entered("plate=7a%3Fc*&state=ca&from=2026-11-26T10:00&camera=rear&hits=on&near=37.8,-122.2&distance=300");
        assert!(given.read(parse).is_ok());
        let fields = given.fields(Offered::Cameras(vec!["front".into()]), &Wrong::new());
        let value = |name: &str| fields.iter().find(|f| f.name == name).unwrap().value.clone();
        assert_eq!([value("plate"), value("state"), value("camera")], ["7A?C*", "CA", "rear"]);
        assert_eq!((value("hits"), value("from")), ("on".into(), "2026-11-26T10:00".into()));
        let words = "7A?C*, CA, from 2026-11-26 10:00, camera rear, within 300 m of 37.8,-122.2, hits only";
        assert_eq!(given.in_words(), words);
        let fresh = Entered::new(Timestamp::now(), None);
        assert!(fresh.read(parse).is_ok() && !fresh.from.is_empty());
        assert_eq!(Entered::new(Timestamp::now(), Some("26-1".into())).from, "");
    }
}
