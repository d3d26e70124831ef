//! Classes of reads, and how long each is kept.

use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// What decides how long a read is kept. Given when it is taken in; it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A read of a vehicle on patrol that hit nothing.
    NoHit,
    /// A read that matched an entry of a list.
    Hit,
    /// A read made while a canvass was open.
    Canvass,
    /// A read of a camera at a fixed site.
    FixedSite,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NoHit, Self::Hit, Self::Canvass, Self::FixedSite];

    /// The class of a read: what it hit counts before why it was made, and that before where.
    pub fn of(has_hit: bool, in_canvass: bool, at_fixed_site: bool) -> Self {
        match (has_hit, in_canvass, at_fixed_site) {
            (true, _, _) => Self::Hit,
            (_, true, _) => Self::Canvass,
            (_, _, true) => Self::FixedSite,
            _ => Self::NoHit,
        }
    }

    /// The word in files and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoHit => "no_hit",
            Self::Hit => "hit",
            Self::Canvass => "canvass",
            Self::FixedSite => "fixed_site",
        }
    }

    /// The class of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many days reads of each class are kept (control P-14): `[retention]` of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Reads without a hit.
    pub no_hit: u16,
    /// Reads with a hit.
    pub hit: u16,
    /// Reads of a canvass.
    pub canvass: u16,
    /// Reads at fixed sites.
    pub fixed_site: u16,
    /// Pictures of reads at fixed sites.
    pub fixed_site_pictures: u16,
    /// Reads without a hit go so many minutes after they were made, where an agency may not keep them longer;
    /// `no_hit` does not count then.
    pub no_hit_minutes: Option<u16>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            no_hit: 365,
            hit: 365,
            canvass: 365,
            fixed_site: 365,
            fixed_site_pictures: 30,
            no_hit_minutes: None,
        }
    }
}

impl Retention {
    /// Days that reads of this class are kept.
    pub fn days(&self, class: Class) -> u16 {
        match class {
            // What is left of the day by then are counts.
            Class::NoHit if self.no_hit_minutes.is_some() => 0,
            Class::NoHit => self.no_hit,
            Class::Hit => self.hit,
            Class::Canvass => self.canvass,
            Class::FixedSite => self.fixed_site,
        }
    }

    /// Days that pictures of this class are kept, at most as long as the reads.
    pub fn picture_days(&self, class: Class) -> u16 {
        match class {
            Class::FixedSite => self.fixed_site_pictures.min(self.fixed_site),
            _ => self.days(class),
        }
    }

    /// The age at which reads of this class are deleted one by one, where they are kept for minutes; a little before
    /// the minutes are over, since it is looked now and then.
    pub fn minutes_age(&self, class: Class) -> Option<SignedDuration> {
        let minutes = self.no_hit_minutes.filter(|_| class == Class::NoHit)?;
        let margin = SignedDuration::try_from(self.interval()).unwrap_or_default();
        Some(SignedDuration::from_mins(minutes.into()) - margin)
    }

    /// How often it is looked whether something is over. Days are over at midnight (UTC).
    pub fn interval(&self) -> Duration {
        Duration::from_secs(self.no_hit_minutes.map_or(900, |minutes| (u64::from(minutes) * 10).clamp(10, 900)))
    }

    /// Whether what was made on `day` (UTC) and is kept for `days` is over on `today`: even the youngest of it
    /// is as many days old by then. With 365 days it goes on the 366th.
    pub fn is_over(day: Date, days: u16, today: Date) -> bool {
        day.checked_add((i64::from(days) + 1).days()).is_ok_and(|end| today >= end)
    }

    /// What is wrong with it, beginning with the key.
    ///
    /// # Errors
    /// A class that would not be kept at all.
    pub fn check(&self) -> Result<(), String> {
        let all = [
            ("no_hit", self.no_hit),
            ("hit", self.hit),
            ("canvass", self.canvass),
            ("fixed_site", self.fixed_site),
            ("fixed_site_pictures", self.fixed_site_pictures),
        ];
        match all.iter().find(|(_, days)| *days == 0) {
            Some((key, _)) => Err(format!("{key}: give at least 1 day")),
            None if self.no_hit_minutes.is_some_and(|minutes| !(1..=1440).contains(&minutes)) => {
                Err("no_hit_minutes: must be from 1 to 1440".into())
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // policy: P-14
    #[test]
    fn what_is_kept_for_365_days_goes_on_the_366th_and_not_a_day_before() {
        let day: Date = "2026-11-26".parse().unwrap();
        for (today, over) in [("2027-11-25", false), ("2027-11-26", false), ("2027-11-27", true), ("2030-01-01", true)]
        {
            assert_eq!(Retention::is_over(day, 365, today.parse().unwrap()), over, "{today}");
        }
    }

    // policy: P-14
    #[test]
    fn minutes_are_for_reads_without_a_hit_and_looked_for_before_they_are_over() {
        let retention = Retention { no_hit_minutes: Some(3), ..Retention::default() };
        assert_eq!((retention.days(Class::NoHit), retention.days(Class::Hit)), (0, 365));
        let age = retention.minutes_age(Class::NoHit).unwrap();
        let looked_for = SignedDuration::try_from(retention.interval()).unwrap();
        assert_eq!(age + looked_for, SignedDuration::from_mins(3));
        assert_eq!(retention.minutes_age(Class::Canvass), None);
        assert!(Retention { no_hit_minutes: Some(0), ..retention }.check().unwrap_err().starts_with("no_hit_minutes"));
    }

    #[test]
    fn a_hit_counts_before_a_canvass_and_that_before_the_site() {
        assert_eq!(Class::of(true, true, true), Class::Hit);
        assert_eq!(Class::of(false, true, true), Class::Canvass);
        assert_eq!(Class::of(false, false, true), Class::FixedSite);
        assert_eq!(Class::of(false, false, false), Class::NoHit);
        assert!(Class::ALL.into_iter().all(|class| Class::of_word(class.as_str()) == Some(class)));
    }
}
