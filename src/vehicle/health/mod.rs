//! How each part of the daemon is: one list that the parts write and `plated status`, the watchdog,
//! the console and the metrics read.
//!
//! A part reports what it can do for the officer now, not what it tries: a camera is well when reads
//! can come of its frames, which is measured where the results come out.

mod activity;
mod aim;
mod clock;
mod disk;
mod picture;

pub use activity::Activity;
pub use aim::{Aim, Moved, PlatePlace, Usual};
pub use clock::{CLOCK, ClockWatch, clock_part};
pub use disk::disk;
pub use picture::{PictureWatch, Told};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

/// How well a part does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should.
    Ok,
    /// Less well than it should, or about to fail.
    Degraded,
    /// Not at all.
    Failed,
}

/// How one part is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name, such as `camera front`.
    pub name: String,
    /// How well it does its work.
    pub level: Level,
    /// Since when it has this level, wall-clock time.
    pub since: Timestamp,
    /// One plain sentence, without a full stop: what it does, or what is wrong and what to do.
    pub text: String,
}

/// Numbers for the metrics: reads that no receipt confirms,
pub const WAITING_READS: &str = "transfer_waiting_reads";
/// the age of the oldest of them in seconds,
pub const OLDEST_WAITING: &str = "transfer_oldest_waiting_seconds";
/// how many of them are overdue (control P-10),
pub const OVERDUE_READS: &str = "transfer_overdue_reads";
/// and reads deleted here since the start, since the station has them (control P-13).
pub const PURGED_READS: &str = "purged_reads";

/// The parts by name. Shared between the daemon's threads.
#[derive(Debug, Default)]
pub struct Health {
    parts: Mutex<BTreeMap<String, Part>>,
    numbers: Mutex<BTreeMap<&'static str, f64>>,
}

impl Health {
    /// Puts down how a part is; true when that is worse than before. Parts log their own troubles.
    pub fn report(&self, name: &str, level: Level, text: String, now: Timestamp) -> bool {
        let mut parts = self.lock();
        let before = parts.get(name).map(|part| (part.level, part.since));
        let since = before.filter(|(before, _)| *before == level).map_or(now, |(_, since)| since);
        parts.insert(name.to_owned(), Part { name: name.to_owned(), level, since, text });
        before.map_or(level > Level::Ok, |(before, _)| level > before)
    }

    /// Puts down how all parts of one kind are, whose names begin with `kind`; those that are gone are not
    /// told of any more.
    pub fn report_all(&self, kind: &str, all: Vec<(String, Level, String)>, now: Timestamp) {
        self.lock().retain(|name, _| !name.starts_with(kind) || all.iter().any(|(part, ..)| part == name));
        for (name, level, text) in all {
            self.report(&name, level, text, now);
        }
    }

    /// Puts a number down.
    pub fn measure(&self, name: &'static str, number: f64) {
        self.numbers.lock().unwrap_or_else(|e| e.into_inner()).insert(name, number);
    }

    /// A number as it was put down last; 0 before.
    pub fn number(&self, name: &str) -> f64 {
        self.numbers.lock().unwrap_or_else(|e| e.into_inner()).get(name).copied().unwrap_or_default()
    }

    /// All parts, by name.
    pub fn parts(&self) -> Vec<Part> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Part>> {
        self.parts.lock().unwrap_or_else(|e| e.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_keeps_the_time_since_which_it_has_its_level() {
        let (health, at) = (Health::default(), |s: i64| Timestamp::from_second(s).unwrap());
        health.report("camera front", Level::Ok, "15 frames/s".into(), at(1));
        health.report("camera front", Level::Ok, "14 frames/s".into(), at(2));
        health.report("chime", Level::Failed, "no sound card".into(), at(2));
        let parts = health.parts();
        assert_eq!((parts[0].since, &*parts[0].text), (at(1), "14 frames/s"));
        health.report("camera front", Level::Failed, "it is not plugged in".into(), at(3));
        assert_eq!(health.parts()[0].since, at(3));
        assert_eq!(parts.iter().map(|p| p.level).max(), Some(Level::Failed));
    }

    #[test]
    fn a_list_that_was_withdrawn_is_not_told_of_any_more() {
        let (health, at) = (Health::default(), |s: i64| Timestamp::from_second(s).unwrap());
        let list = |name: &str| (format!("list {name}"), Level::Ok, "1 entry".to_owned());
        health.report("chime", Level::Ok, "alerts can be heard".into(), at(1));
        health.report_all("list ", vec![list("svs"), list("bolo")], at(1));
        health.report_all("list ", vec![list("svs")], at(2));
        let parts: Vec<_> = health.parts().into_iter().map(|part| (part.name, part.since)).collect();
        assert_eq!(parts, [("chime".to_owned(), at(1)), ("list svs".to_owned(), at(1))]);
    }
}
