//! `[purge]`: how long what the station holds stays in the vehicle (control P-13).

use crate::store::PurgePolicy;
use jiff::SignedDuration;
use plated_core::config_file::within;
use serde::Deserialize;
use std::time::Duration;

/// Hours after a shift for which a read stays, where nothing else is set.
const AFTER_SHIFT_H: u32 = 24;
/// Programs are given alerts so many hours late ([`crate::subscribers`]): until then a read with a hit is needed.
const MIN_HIT_H: u32 = 12;
/// Most hours: a year.
const MAX_H: u32 = 8784;

/// How long what the station holds stays in the vehicle. Nothing goes before the station's receipt for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Hours from the receipt of a read without a hit; 24 and those of a shift when not given.
    pub no_hit_h: Option<u32>,
    /// Of one with a hit.
    pub hit_h: Option<u32>,
    /// Of one of a canvass; also counted from the canvass's end.
    pub canvass_h: Option<u32>,
    /// A read without a hit goes so many minutes after it was made, where an agency may not keep it longer.
    pub no_hit_minutes: Option<u32>,
}

impl Settings {
    /// What it means with shifts of so many hours.
    pub fn policy(&self, shift_h: u32) -> PurgePolicy {
        let hours = |h: Option<u32>| SignedDuration::from_hours(h.unwrap_or(shift_h + AFTER_SHIFT_H).into());
        let at_most = self.no_hit_minutes.map(|minutes| SignedDuration::from_mins(minutes.into()));
        let margin = SignedDuration::try_from(self.interval()).unwrap_or_default();
        PurgePolicy {
            no_hit: hours(self.no_hit_h),
            hit: hours(self.hit_h),
            canvass: hours(self.canvass_h),
            // Gone by then, not looked for then.
            no_hit_age: at_most.map(|at_most| at_most - margin),
        }
    }

    /// How often it is looked whether something is to go.
    pub fn interval(&self) -> Duration {
        match self.no_hit_minutes {
            Some(minutes) => Duration::from_secs((u64::from(minutes) * 10).clamp(10, 600)),
            None => Duration::from_secs(600),
        }
    }

    /// Rules that the types can't say. The error names the key.
    pub(crate) fn check(&self) -> Result<(), String> {
        let hours = |key: &str, hours: Option<u32>, least: u32| within(key, hours.unwrap_or(least), least..=MAX_H);
        hours("purge.no_hit_h", self.no_hit_h, 1)?;
        hours("purge.hit_h", self.hit_h, MIN_HIT_H)?;
        hours("purge.canvass_h", self.canvass_h, 1)?;
        within("purge.no_hit_minutes", self.no_hit_minutes.unwrap_or(1), 1..=1440)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // policy: P-13
    #[test]
    fn what_the_station_holds_stays_24_hours_after_a_shift_unless_something_else_is_set() {
        let policy = Settings::default().policy(12);
        let hours = SignedDuration::from_hours;
        assert_eq!((policy.no_hit, policy.hit, policy.canvass), (hours(36), hours(36), hours(36)));
        assert_eq!(policy.no_hit_age, None);
        let set: Settings = toml::from_str("no_hit_h = 1\nhit_h = 72\nno_hit_minutes = 3").unwrap();
        let policy = set.policy(12);
        assert_eq!((policy.no_hit, policy.hit, policy.canvass), (hours(1), hours(72), hours(36)));
        // Looked for every 30 seconds, so that nothing is older than 3 minutes.
        let age = policy.no_hit_age.unwrap();
        assert_eq!(age + SignedDuration::try_from(set.interval()).unwrap(), SignedDuration::from_mins(3));
    }

    #[test]
    fn its_numbers_have_bounds_that_name_the_key() {
        for (text, key) in [
            ("no_hit_h = 0", "purge.no_hit_h: "),
            ("hit_h = 11", "purge.hit_h: must be from 12"),
            ("canvass_h = 9000", "purge.canvass_h: "),
            ("no_hit_minutes = 0", "purge.no_hit_minutes: "),
        ] {
            assert!(toml::from_str::<Settings>(text).unwrap().check().unwrap_err().starts_with(key), "{text}");
        }
        Settings::default().check().unwrap();
    }
}
