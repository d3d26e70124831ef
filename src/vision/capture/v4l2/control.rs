//! Controls of a camera by name: exposure, gain, focus, mains frequency and what else it has.

use super::sys;
use plated_core::error::{Context, Error, Kind, Result};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

/// A camera that claims to have more controls, or choices of one, has a driver in disorder.
const MAX_CONTROLS: usize = 1000;

/// What a control is set to, as the configuration writes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Setting {
    /// On or off.
    Switch(bool),
    /// A number; of a menu, that of the choice.
    Number(i64),
    /// One of the choices of a menu.
    Choice(String),
}

impl Setting {
    /// As a person writes it on the command line.
    pub fn of_text(text: &str) -> Self {
        match (text, text.parse()) {
            ("true" | "on", _) => Self::Switch(true),
            ("false" | "off", _) => Self::Switch(false),
            (_, Ok(number)) => Self::Number(number),
            _ => Self::Choice(text.to_owned()),
        }
    }
}

/// Controls by name, as the configuration sets them.
pub type Settings = BTreeMap<String, Setting>;

/// What a control takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Takes {
    /// A number from the first to the second, in steps.
    Number {
        /// The least.
        from: i32,
        /// The most.
        to: i32,
        /// Between two.
        step: i32,
    },
    /// On or off.
    Switch,
    /// One of these, by number or name.
    Menu(Vec<(u32, String)>),
    /// Nothing: it does something when it is set.
    Button,
}

/// One control of a camera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Control {
    #[serde(skip)]
    id: u32,
    /// Its name as one writes it: small letters, digits and `_`.
    pub name: String,
    /// What it takes.
    pub takes: Takes,
    /// What it is when nobody sets it.
    pub default: i32,
    /// What it is now; none where the camera does not say.
    pub value: Option<i32>,
    /// It has no effect while another control is as it is, e.g. an exposure time while exposure is automatic.
    pub inactive: bool,
    /// It can't be set.
    pub read_only: bool,
}

const DISABLED: u32 = 0x01;
const READ_ONLY: u32 = 0x04;
const INACTIVE: u32 = 0x10;
const WRITE_ONLY: u32 = 0x40;

/// The controls of a camera, in its own order.
pub fn controls(device: BorrowedFd<'_>) -> Vec<Control> {
    let mut found = Vec::new();
    let mut query = sys::QueryControl::default();
    for _ in 0..MAX_CONTROLS {
        query = sys::QueryControl { id: query.id | sys::NEXT_CONTROL, ..sys::QueryControl::default() };
        if sys::query_control(device, &mut query).is_err() {
            break;
        }
        if query.flags & DISABLED == 0 {
            found.extend(control(device, &query));
        }
    }
    found
}

/// None for a kind that has no plain value: titles of groups, texts, tables.
fn control(device: BorrowedFd<'_>, query: &sys::QueryControl) -> Option<Control> {
    let takes = match query.kind {
        1 => Takes::Number { from: query.minimum, to: query.maximum, step: query.step.max(1) },
        2 => Takes::Switch,
        3 | 9 => Takes::Menu(menu(device, query)),
        4 => Takes::Button,
        _ => return None,
    };
    let mut value = sys::Control { id: query.id, value: 0 };
    let is_readable = query.flags & WRITE_ONLY == 0 && takes != Takes::Button;
    let value = (is_readable && sys::get_control(device, &mut value).is_ok()).then_some(value.value);
    Some(Control {
        id: query.id,
        name: plain(&sys::text(&query.name)),
        takes,
        default: query.default,
        value,
        inactive: query.flags & INACTIVE != 0,
        read_only: query.flags & READ_ONLY != 0,
    })
}

/// Some numbers between the first and the last are no choice.
fn menu(device: BorrowedFd<'_>, query: &sys::QueryControl) -> Vec<(u32, String)> {
    let (from, to) = (query.minimum.max(0) as u32, query.maximum.max(0) as u32);
    let choice = |index| {
        let mut item = sys::QueryMenu { id: query.id, index, ..sys::QueryMenu::default() };
        sys::query_menu(device, &mut item).ok()?;
        let name = item.name;
        let number = i64::from_ne_bytes([name[0], name[1], name[2], name[3], name[4], name[5], name[6], name[7]]);
        Some((index, if query.kind == 9 { number.to_string() } else { plain(&sys::text(&name)) }))
    };
    (from..=to).take(MAX_CONTROLS).filter_map(choice).collect()
}

/// `Exposure, Auto` is `exposure_auto`, as other programs for cameras have it too.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() {
            plain.push(letter.to_ascii_lowercase());
        } else if !plain.ends_with('_') && !plain.is_empty() {
            plain.push('_');
        }
    }
    plain.trim_end_matches('_').to_owned()
}

impl Control {
    /// The number that the camera is given for a setting.
    ///
    /// # Errors
    /// `Config` when it does not take this; the sentence says what it takes.
    pub fn value_of(&self, setting: &Setting) -> Result<i32> {
        let name = &self.name;
        let value = match (&self.takes, setting) {
            (Takes::Number { from, to, .. }, Setting::Number(number)) => {
                i32::try_from(*number).ok().filter(|number| (from..=to).contains(&number))
            }
            (Takes::Switch, Setting::Switch(on)) => Some((*on).into()),
            (Takes::Switch, Setting::Number(number)) => i32::try_from(*number).ok().filter(|n| (0..=1).contains(n)),
            (Takes::Menu(choices), Setting::Number(number)) => {
                choices.iter().find(|(index, _)| i64::from(*index) == *number).map(|(index, _)| *index as i32)
            }
            (Takes::Menu(choices), Setting::Choice(choice)) => {
                let choice = plain(choice);
                choices.iter().find(|(_, name)| *name == choice).map(|(index, _)| *index as i32)
            }
            (Takes::Button, Setting::Switch(true)) => Some(1),
            _ => None,
        };
        value.ok_or_else(|| Error::new(Kind::Config, format!("the camera's control {name} takes {}", self.range())))
    }

    /// What it takes, in words.
    pub fn range(&self) -> String {
        match &self.takes {
            Takes::Number { from, to, step: 1 } => format!("{from} to {to}"),
            Takes::Number { from, to, step } => format!("{from} to {to} in steps of {step}"),
            Takes::Switch => "true or false".into(),
            Takes::Button => "true, which sets it off".into(),
            Takes::Menu(choices) => {
                let choices: Vec<_> = choices.iter().map(|(index, name)| format!("{index} {name}")).collect();
                choices.join(", ")
            }
        }
    }

    /// A value of it, in words.
    pub fn shown(&self, value: i32) -> String {
        match &self.takes {
            Takes::Switch => (value != 0).to_string(),
            Takes::Menu(choices) => {
                let name = choices.iter().find(|(index, _)| *index as i32 == value).map(|(_, name)| name.as_str());
                format!("{value} {}", name.unwrap_or_default()).trim_end().to_owned()
            }
            _ => value.to_string(),
        }
    }
}

/// Sets controls by name, each that can be. Menus and switches come first: a number, such as an exposure time, often
/// counts only once its automatic is off. What could not be set is told in one sentence each.
pub fn set(device: BorrowedFd<'_>, settings: &Settings) -> Vec<Error> {
    let known = controls(device);
    let mut failed = Vec::new();
    let mut wanted = Vec::new();
    for (name, setting) in settings {
        match known.iter().find(|control| control.name == plain(name)) {
            Some(control) => match control.value_of(setting) {
                Ok(value) => wanted.push((control, value)),
                Err(e) => failed.push(e),
            },
            None => {
                let names: Vec<_> = known.iter().map(|control| control.name.as_str()).collect();
                let text = format!("the camera has no control {name}; it has {}", names.join(", "));
                failed.push(Error::new(Kind::Config, text));
            }
        }
    }
    wanted.sort_by_key(|(control, _)| matches!(control.takes, Takes::Number { .. }));
    for (control, value) in wanted {
        let mut call = sys::Control { id: control.id, value };
        let failure = |e: Errno| match e {
            Errno::BUSY | Errno::ACCESS => "it can't be set while another one is as it is",
            _ => "the camera refused it",
        };
        if let Err(e) = sys::set_control(device, &mut call) {
            let text = format!("could not set the camera's control {} to {value}: {}", control.name, failure(e));
            failed.extend(Err::<(), _>(e).context(Kind::Config, || text).err());
        }
    }
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(takes: Takes) -> Control {
        let (name, value) = ("exposure_auto".into(), Some(3));
        Control { id: 1, name, takes, default: 3, value, inactive: false, read_only: false }
    }

    #[test]
    fn a_control_takes_what_is_in_its_range_and_says_what_that_is_otherwise() {
        let number = control(Takes::Number { from: -10, to: 250, step: 5 });
        let text = Setting::of_text;
        assert_eq!(number.value_of(&text("-10")).unwrap(), -10);
        for wrong in ["251", "99999999999", "manual", "true"] {
            let why = number.value_of(&text(wrong)).unwrap_err().chain();
            assert!(why.contains("exposure_auto takes -10 to 250 in steps of 5"), "{why}");
        }
        let switch = control(Takes::Switch);
        let values = ["true", "off", "1"].map(|word| switch.value_of(&text(word)).unwrap());
        assert_eq!((values, switch.value_of(&text("2")).is_err()), ([1, 0, 1], true));
        let menu = control(Takes::Menu(vec![(1, "manual_mode".into()), (3, "aperture_priority_mode".into())]));
        assert_eq!(menu.value_of(&text("Manual Mode")).unwrap(), 1);
        assert_eq!(menu.value_of(&text("3")).unwrap(), 3);
        let why = menu.value_of(&text("2")).unwrap_err().chain();
        assert!(why.contains("takes 1 manual_mode, 3 aperture_priority_mode"), "{why}");
        assert_eq!((menu.shown(3), menu.shown(7)), ("3 aperture_priority_mode".into(), "7".into()));
        assert!(control(Takes::Button).value_of(&text("on")).is_ok());
    }

    #[test]
    fn names_are_those_that_other_programs_for_cameras_use() {
        let names = [("Exposure, Auto", "exposure_auto"), ("White Balance Temperature", "white_balance_temperature")];
        assert!(names.iter().all(|(name, wanted)| plain(name) == *wanted));
        assert_eq!(plain(" (50 Hz) "), "50_hz");
    }

    #[test]
    fn the_configuration_writes_numbers_switches_and_words() {
        let settings: Settings = toml::from_str("gain = 7\nfocus_auto = false\nexposure_auto = \"manual\"").unwrap();
        let of = |name: &str| settings[name].clone();
        assert_eq!((of("gain"), of("focus_auto")), (Setting::Number(7), Setting::Switch(false)));
        assert_eq!(of("exposure_auto"), Setting::Choice("manual".into()));
        assert!(toml::from_str::<Settings>("gain = [1]").is_err());
    }
}
