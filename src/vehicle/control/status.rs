//! How lists, store and transfer are, at a glance.

use crate::health::{Level, Part};
use crate::store::{ClockChange, Staleness, Stats};
use crate::transfer::{AgeLimits, Progress, State};
use jiff::Timestamp;
use plated_access::{Scope, Source, Visibility};
use plated_core::digest::Sha256;
use plated_core::record::Priority;
use plated_core::text::{age, count, entries};
use plated_hotlist::settings::{ListKind, OFFICERS};
use serde::{Deserialize, Serialize};

/// Clocks of vehicle and station that are so many seconds apart are a warning.
const CLOCKS_APART_S: u64 = 30;

/// Overall status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusReport {
    /// When.
    pub at: Timestamp,
    /// False: no daemon is running, so nothing is read and nobody is alerted.
    pub daemon: bool,
    /// How each part is, as the daemon's own list of them says it. Without a daemon only lists, disk and
    /// transfer.
    pub parts: Vec<Part>,
    /// The clock, by which all ages here are told.
    pub clock: ClockLine,
    /// Each list of the configuration.
    pub lists: Vec<ListLine>,
    /// What officers entered; no plates here.
    pub officers: Vec<OfficerLine>,
    /// The canvass that is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canvass: Option<CanvassLine>,
    /// The store and the way to the station; none when the store does not answer, and then `lists` is empty
    /// too.
    pub store: Option<StoreLine>,
}

impl StatusReport {
    /// The same for somebody who sees these lists: who made which entry for which case is of the list of
    /// what officers enter. The number of a canvass is for who may enter one.
    pub(super) fn seen_with(mut self, scope: &Scope, enters: bool) -> Self {
        let officers = Source { list: OFFICERS, clets: false, covert: false };
        if scope.visibility(officers) != Visibility::Whole {
            self.officers.iter_mut().for_each(|line| (line.by, line.case) = Default::default());
        }
        if let Some(canvass) = self.canvass.as_mut().filter(|_| !enters) {
            canvass.incident.clear();
        }
        self
    }

    /// The worst level of any part.
    pub fn worst(&self) -> Level {
        let daemon = if self.daemon { Level::Ok } else { Level::Failed };
        self.parts.iter().map(|part| part.level).max().unwrap_or(Level::Ok).max(daemon)
    }
}

fn level(staleness: Staleness) -> Level {
    match staleness {
        Staleness::Fresh => Level::Ok,
        Staleness::Warn => Level::Degraded,
        Staleness::Critical => Level::Failed,
    }
}

/// The clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockLine {
    /// False: times are counted on from the latest that is known, and everything is at least as old as
    /// it is said to be. Why, says the part `clock`.
    pub trusted: bool,
    /// Whether the system says that a time server keeps it right; none when it does not say.
    pub synchronised: Option<bool>,
    /// The last time it jumped.
    pub last_jump: Option<ClockChange>,
}

/// One list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListLine {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub kind: ListKind,
    /// Of entries that name none.
    pub priority: Priority,
    /// `fresh`, `warn` or `critical`.
    pub staleness: Staleness,
    /// Age in seconds, by its own date or that of its file; none when there is no list in force.
    pub age_s: Option<u64>,
    /// Version in force.
    pub version: Option<Sha256>,
    /// Number of entries in force.
    pub entries: u64,
    /// When it came into force.
    pub imported: Option<Timestamp>,
    /// When a list was last looked for.
    pub checked: Option<Timestamp>,
    /// What was wrong then.
    pub error: Option<String>,
    /// It counts now, by its window.
    pub counts: bool,
    /// Its hits are kept and don't sound; they are shown to those only to whom it is granted by its name.
    pub covert: bool,
    /// The version in force is matched, or nothing is in force; false while it is being made ready.
    pub ready: bool,
}

impl ListLine {
    /// Its age for people. By a clock that is not `trusted` it is the least it can be.
    pub fn old(&self, trusted: bool) -> String {
        match self.age_s {
            None => "no version in force".to_owned(),
            Some(seconds) if trusted => format!("{} old", age(seconds)),
            Some(seconds) => format!("age not known, at least {}, since the clock is not trusted", age(seconds)),
        }
    }

    /// How it is, as a part of the vehicle.
    pub(super) fn part(&self, trusted: bool) -> (String, Level, String) {
        let age = self.old(trusted);
        let mut text = format!("{}, {age}", entries(self.entries));
        if let Some(error) = &self.error {
            text += &format!("; last error: {error}");
        }
        let readiness = if self.ready { Level::Ok } else { Level::Degraded };
        (format!("list {}", self.name), level(self.staleness).max(readiness), text)
    }
}

/// What an officer entered, without the plate: to see that takes a reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfficerLine {
    /// Names it.
    pub id: i64,
    /// It is a partial plate.
    pub partial: bool,
    /// Who entered it.
    pub by: String,
    /// When.
    pub created: Timestamp,
    /// It is over then.
    pub expires: Timestamp,
    /// Case or incident, or empty.
    pub case: String,
}

/// The canvass that is open (control P-03).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanvassLine {
    /// Number of the incident; empty for who may not enter one.
    pub incident: String,
    /// Since when; none when the store does not answer.
    pub since: Option<Timestamp>,
}

/// The store and the way to the station.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoreLine {
    /// Reads.
    pub reads: u64,
    /// Hits.
    pub hits: u64,
    /// Last look of the newest read.
    pub newest_read: Option<Timestamp>,
    /// Reads that no receipt confirms.
    pub waiting: u64,
    /// Of these, reads that the station would not take.
    pub refused: u64,
    /// Age in seconds of the oldest of them.
    pub oldest_waiting_s: Option<u64>,
    /// Whether that is too old.
    pub staleness: Staleness,
    /// Reads that wait longer than they may. They stay, and are sent (control P-10).
    #[serde(default)]
    pub overdue: u64,
    /// Days within which a read has to be at the station.
    #[serde(default)]
    pub limit_days: u64,
    /// When the last receipt came.
    pub last_receipt: Option<Timestamp>,
}

impl StoreLine {
    /// `overdue` is how many wait longer than they may.
    pub(super) fn of(stats: &Stats, now: Timestamp, limits: &AgeLimits, overdue: u64) -> Self {
        let oldest = stats.oldest_pending.map(|t| now.duration_since(t).as_secs().max(0).unsigned_abs());
        Self {
            reads: stats.reads,
            hits: stats.hits,
            newest_read: stats.newest_read,
            waiting: stats.open + stats.pending + stats.refused,
            refused: stats.refused,
            oldest_waiting_s: oldest,
            staleness: match oldest {
                Some(age) if age >= limits.critical.as_secs() => Staleness::Critical,
                Some(age) if age >= limits.warn.as_secs() => Staleness::Warn,
                _ => Staleness::Fresh,
            },
            overdue,
            limit_days: limits.limit.as_secs() / 86_400,
            last_receipt: stats.last_receipt,
        }
    }
    /// How the transfer is, as a part of the vehicle. `link` is the transfer of a running daemon.
    pub(super) fn transfer(&self, now: Timestamp, has_station: bool, link: Option<&Progress>) -> (Level, String) {
        let since = |then: Timestamp| age(now.duration_since(then).as_secs().max(0).unsigned_abs());
        let mut level = level(self.staleness);
        let mut text = format!("{} waiting", count(self.waiting, "read"));
        if let Some(oldest) = self.oldest_waiting_s {
            text += &format!(", the oldest {} old", age(oldest));
        }
        if self.overdue > 0 {
            let (overdue, days) = (count(self.overdue, "read"), count(self.limit_days, "day"));
            text += &format!(", {overdue} OVERDUE: each has to be at the station within {days}");
        }
        if self.refused > 0 {
            text += &format!(", {} refused by the station", self.refused);
        }
        text += &match self.last_receipt {
            _ if !has_station => "; no station is configured, so they stay in the vehicle".to_owned(),
            None => "; no receipt yet".to_owned(),
            Some(receipt) => format!("; last receipt {} ago", since(receipt)),
        };
        if let Some(Progress { state: State::Waiting(why), .. }) = link {
            text += &format!("; nothing is sent before {why}");
        }
        let ahead = link.and_then(|link| link.station_clock_ahead).map_or(0, |ahead| ahead.as_secs());
        if ahead.unsigned_abs() >= CLOCKS_APART_S {
            level = level.max(Level::Degraded);
            let way = if ahead > 0 { "ahead of" } else { "behind" };
            text += &format!("; the station's clock is {} {way} this one", age(ahead.unsigned_abs()));
        }
        if let Some(Progress { state: State::BackingOff { since: failed, .. }, last_error, operator_needed, .. }) = link
        {
            // Out of reach of the station is how a vehicle is most of the day.
            level = level.max(if *operator_needed { Level::Degraded } else { Level::Ok });
            text += &format!("; it has failed for {}: {}", since(*failed), last_error.as_deref().unwrap_or_default());
        }
        (level, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(oldest_waiting_s: Option<u64>) -> StoreLine {
        let oldest = |s: u64| Timestamp::UNIX_EPOCH - std::time::Duration::from_secs(s);
        let stats = Stats { pending: 2, oldest_pending: oldest_waiting_s.map(oldest), ..Stats::default() };
        let limits = AgeLimits::default();
        let overdue = oldest_waiting_s.is_some_and(|age| age > limits.limit.as_secs());
        StoreLine::of(&stats, Timestamp::UNIX_EPOCH, &limits, u64::from(overdue))
    }

    // policy: P-10
    #[test]
    fn a_station_out_of_reach_is_said_and_only_old_reads_or_a_refusal_are_a_warning() {
        let day = 86_400;
        let mut link = Progress {
            state: State::BackingOff { since: Timestamp::UNIX_EPOCH, failures: 3 },
            last_error: Some("could not reach the station".into()),
            ..Progress::default()
        };
        let part =
            |days: u64, link: &Progress| store(Some(days * day)).transfer(Timestamp::UNIX_EPOCH, true, Some(link));
        let (level, text) = part(1, &link);
        assert!(level == Level::Ok && text.contains("could not reach the station"), "{text}");
        assert_eq!((part(20, &link).0, part(27, &link).0), (Level::Degraded, Level::Failed));
        assert!(!part(30, &link).1.contains("OVERDUE"));
        let (level, text) = part(31, &link);
        assert!(level == Level::Failed && text.contains("1 read OVERDUE"), "{text}");
        assert!(text.contains("within 30 days"), "{text}");
        link.operator_needed = true;
        assert_eq!(part(1, &link).0, Level::Degraded);
        let (level, text) = store(None).transfer(Timestamp::UNIX_EPOCH, false, None);
        assert!(level == Level::Ok && text.contains("no station is configured"), "{text}");
    }
}
