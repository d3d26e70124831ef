//! The ignition, as a file shows it: a pin of the computer, or what a dock's own program writes.
//!
//! When it goes off the program ends at once and in order: the power may follow in seconds.

use super::settings::Settings;
use crate::health::Level;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name of the part.
pub const IGNITION: &str = "ignition";
/// How often the file is looked at.
pub const INTERVAL: Duration = Duration::from_millis(100);
/// So much of the file is read.
const MAX_BYTES: u64 = 64;

/// What the file shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The ignition is on.
    On,
    /// It is off.
    Off,
    /// The file can't be read: why.
    Unknown(String),
}

/// The watch of the file.
#[derive(Debug)]
pub struct Ignition {
    file: PathBuf,
    off: String,
    delay: Duration,
    /// It was on since the start. A computer that is worked on with the ignition off does not end its program.
    was_on: bool,
    /// Monotonic time since which it is off.
    off_since: Option<Duration>,
}

impl Ignition {
    /// As the configuration has it; none where it names no file.
    pub fn of(settings: &Settings) -> Option<Self> {
        let delay = Duration::from_secs_f64(settings.ignition_delay_s);
        let (file, off) = (settings.ignition_file.clone()?, settings.ignition_off.clone());
        Some(Self { file, off, delay, was_on: false, off_since: None })
    }

    /// Looks at the file at this monotonic time.
    pub fn look(&mut self, now: Duration) -> Shown {
        let shown = shown(&self.file, &self.off);
        match shown {
            Shown::On => (self.was_on, self.off_since) = (true, None),
            Shown::Off => _ = self.off_since.get_or_insert(now),
            Shown::Unknown(_) => self.off_since = None,
        }
        shown
    }

    /// Whether it was on and has been off for the set time, so that it was no dip while the engine started.
    pub fn is_over(&self, now: Duration) -> bool {
        self.was_on && self.off_since.is_some_and(|since| now.saturating_sub(since) >= self.delay)
    }
}

/// How it is, as a part of the vehicle; none where the configuration names no file.
pub fn ignition_part(settings: &Settings) -> Option<(Level, String)> {
    let file = settings.ignition_file.as_ref()?;
    Some(ignition_state(&shown(file, &settings.ignition_off)))
}

/// The same of what the file shows.
pub fn ignition_state(shown: &Shown) -> (Level, String) {
    match shown {
        Shown::On => (Level::Ok, "it is on; when it goes off, reading ends in order".into()),
        Shown::Off => (Level::Ok, "it is off; reading ends in order the next time that it goes off".into()),
        Shown::Unknown(why) => {
            let text = format!("{why}; reading does not end with it. Look at power.ignition_file");
            (Level::Degraded, text)
        }
    }
}

/// What this file shows, where `off` is its content, or `present` or `absent`, when the ignition is off.
fn shown(file: &Path, off: &str) -> Shown {
    let is_off = match off {
        "present" => file.try_exists(),
        "absent" => file.try_exists().map(|is_there| !is_there),
        word => first_word(file).map(|text| text == word),
    };
    match is_off {
        Ok(true) => Shown::Off,
        Ok(false) => Shown::On,
        Err(e) => Shown::Unknown(format!("could not read {}: {e}", file.display())),
    }
}

fn first_word(file: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    File::open(file)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // One that is just being written says nothing yet.
    let word = text.split_whitespace().next().ok_or_else(|| std::io::Error::other("it is empty"))?;
    Ok(word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn ignition(file: &Path, off: &str) -> Ignition {
        let settings = Settings {
            ignition_file: Some(file.to_owned()),
            ignition_off: off.into(),
            ignition_delay_s: 0.5,
            ..Settings::default()
        };
        Ignition::of(&settings).unwrap()
    }

    #[test]
    fn it_is_over_once_it_was_on_and_is_off_for_longer_than_the_engine_takes_to_start() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("value");
        let mut ignition = ignition(&file, "0");
        let mut over = |content: &str, at: u64| {
            std::fs::write(&file, content).unwrap();
            ignition.look(MS(at));
            ignition.is_over(MS(at))
        };
        assert!(!over("0\n", 0) && !over("0\n", 10_000), "it was never on: somebody works on the computer");
        assert!(!over("1\n", 11_000));
        assert!(!over("0\n", 12_000) && !over("0\n", 12_400) && !over("1\n", 12_500), "a dip");
        assert!(!over("0\n", 13_000) && !over("", 13_400), "just being written");
        assert!(!over("0\n", 13_500) && !over("0\n", 13_900) && over("0\n", 14_000));
    }

    #[test]
    fn a_file_that_appears_or_goes_away_is_the_ignition_too() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("docked");
        let (mut appears, mut goes) = (ignition(&file, "present"), ignition(&file, "absent"));
        assert_eq!((appears.look(MS(0)), goes.look(MS(0))), (Shown::On, Shown::Off));
        std::fs::write(&file, "").unwrap();
        assert_eq!((appears.look(MS(1)), goes.look(MS(1))), (Shown::Off, Shown::On));
        std::fs::remove_file(&file).unwrap();
        assert_eq!((appears.look(MS(2)), goes.look(MS(2))), (Shown::On, Shown::Off));
    }

    #[test]
    fn a_file_that_cannot_be_read_ends_nothing_and_is_told_of() {
        let dir = tempfile::tempdir().unwrap();
        let mut ignition = ignition(&dir.path().join("value"), "0");
        let shown = ignition.look(MS(0));
        let (level, text) = ignition_state(&shown);
        assert!(level == Level::Degraded && text.contains("Look at power.ignition_file"), "{text}");
        assert!(!ignition.is_over(MS(100_000)));
    }
}
