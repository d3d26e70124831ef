//! How old lists are, so that none is old in silence.

use super::source::Source;
use super::table::HotlistVersion;
use crate::rows::Rows;
use jiff::{SignedDuration, Timestamp};
use plated_core::error::Result;
use plated_core::text::visible;
use plated_core::wire::StaleAfter;
use std::collections::BTreeSet;
use std::fmt;

/// How stale a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Staleness {
    /// Young enough.
    Fresh,
    /// Older than it should be.
    Warn,
    /// So old that nobody may rely on it, or there is none.
    Critical,
}

/// How old a list is, and how the fetching of it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListAge {
    /// Its name.
    pub name: String,
    /// When it was last known to be the newest there is; none while there is no version.
    pub confirmed: Option<Timestamp>,
    /// Time since then, never less than nothing.
    pub age: Option<SignedDuration>,
    /// How stale it is.
    pub staleness: Staleness,
    /// It is fetched from a source.
    pub is_fetched: bool,
    /// Why it can't be fetched, and since when.
    pub failing: Option<(String, Timestamp)>,
    /// A version that should be in force by now and is not in the manifest as such.
    pub overdue: Option<Timestamp>,
}

/// The ages of all lists that are handed out, and of those that should be.
///
/// # Errors
/// What keeps them from being read.
pub fn ages(rows: &Rows<'_>, sources: &[Source], now: Timestamp) -> Result<Vec<ListAge>> {
    let (versions, states) = (rows.list_versions()?, rows.source_states()?);
    let current = |name: &str| versions.iter().find(|v| v.current && v.name == name);
    let known = |name: &str| versions.iter().any(|v| v.name == name);
    let fetched = |name: &str| sources.iter().any(|s| s.name == name && s.origin().is_some());
    let handed_out = versions.iter().filter(|v| v.current).map(|v| v.name.as_str());
    // One that was never there; one that was withdrawn is not missed.
    let awaited = sources.iter().map(|s| s.name.as_str()).filter(|name| fetched(name) && !known(name));
    let names: BTreeSet<&str> = handed_out.chain(awaited).collect();
    let of = |name: &str| {
        let is_fetched = fetched(name);
        let of_source = sources.iter().find(|s| s.name == name).map(Source::stale_after);
        let version = current(name);
        let limits = of_source.or(version.and_then(|v| v.stale));
        let age = version.map(|v| now.duration_since(v.confirmed).max(SignedDuration::ZERO));
        let state = states.iter().find(|state| state.name == name);
        let due = |v: &&HotlistVersion| v.name == name && v.coming && v.valid_from.is_some_and(|from| from < now);
        ListAge {
            name: name.to_owned(),
            confirmed: version.map(|v| v.confirmed),
            age,
            staleness: age.map_or(Staleness::Critical, |age| staleness(age, limits)),
            is_fetched,
            failing: state.filter(|_| is_fetched).and_then(|state| state.failing.clone()),
            overdue: versions.iter().find(due).and_then(|v| v.valid_from),
        }
    };
    Ok(names.into_iter().map(of).collect())
}

fn staleness(age: SignedDuration, limits: Option<StaleAfter>) -> Staleness {
    let over = |hours: u32| hours > 0 && age >= SignedDuration::from_hours(hours.into());
    match limits {
        Some(limits) if over(limits.critical_h) => Staleness::Critical,
        Some(limits) if over(limits.warn_h) => Staleness::Warn,
        _ => Staleness::Fresh,
    }
}

impl ListAge {
    /// Whether somebody has to look at it.
    pub fn is_wrong(&self) -> bool {
        self.staleness != Staleness::Fresh || self.failing.is_some() || self.overdue.is_some()
    }
}

impl fmt::Display for ListAge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.staleness {
            Staleness::Fresh if !self.is_wrong() => "ok",
            Staleness::Fresh | Staleness::Warn => "WARNING",
            Staleness::Critical => "CRITICAL",
        };
        write!(f, "{word} list {}: ", self.name)?;
        match self.age {
            None => f.write_str("there is no version of it")?,
            Some(age) if age.as_hours() < 1 => write!(f, "known to be the newest {} min ago", age.as_mins())?,
            Some(age) => write!(f, "known to be the newest {} h ago", age.as_hours())?,
        }
        if let Some((why, since)) = &self.failing {
            write!(f, "; it can't be fetched since {since:.0}: {}", visible(why).at_most(500))?;
        } else if self.staleness != Staleness::Fresh {
            f.write_str(match self.is_fetched {
                true => "; does plated-station-lists.service run?",
                false => "; bring a new one: plated-station hotlist import",
            })?;
        }
        if let Some(from) = self.overdue {
            write!(f, "; a version of it was to be in force from {from:.0}; does plated-station-lists.service run?")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_stale_from_its_limits_on_and_never_where_they_are_0() {
        let limits = |warn_h, critical_h| Some(StaleAfter { warn_h, critical_h });
        for (hours, limits, expected) in [
            (23, limits(24, 72), Staleness::Fresh),
            (24, limits(24, 72), Staleness::Warn),
            (72, limits(24, 72), Staleness::Critical),
            (1000, limits(0, 0), Staleness::Fresh),
            (1000, None, Staleness::Fresh),
            (30, limits(0, 24), Staleness::Critical),
        ] {
            assert_eq!(staleness(SignedDuration::from_hours(hours), limits), expected, "{hours}");
        }
    }
}
