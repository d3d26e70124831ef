//! When batches go (control P-11): as soon as there is a link, within windows of time, on the station's own network, when
//! a shift has ended, or when somebody says so. Whatever is set, `plated transfer now` sends what waits. All have the same guarantees.

use super::network::StationNetwork;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::watch;

/// When batches go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// As soon as there is a link.
    #[default]
    Immediate,
    /// Within one of the windows.
    Window,
    /// On the station's network.
    StationNetwork,
    /// When a shift has ended, until nothing is left.
    ShiftEnd,
    /// When somebody says so.
    Manual,
}

/// A time of the day on some days, in the time zone of the computer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// `mon` to `sun`, on which it begins; every day when none is given.
    #[serde(default)]
    pub days: Vec<Day>,
    /// When it begins.
    pub from: Time,
    /// When it ends; the next day when that is before the beginning.
    pub to: Time,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "their names say it")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    fn weekday(self) -> Weekday {
        match self {
            Self::Mon => Weekday::Monday,
            Self::Tue => Weekday::Tuesday,
            Self::Wed => Weekday::Wednesday,
            Self::Thu => Weekday::Thursday,
            Self::Fri => Weekday::Friday,
            Self::Sat => Weekday::Saturday,
            Self::Sun => Weekday::Sunday,
        }
    }
}

impl Window {
    fn holds(&self, now: &Zoned) -> bool {
        let begins = |day: Weekday| self.days.is_empty() || self.days.iter().any(|named| named.weekday() == day);
        let (time, today) = (now.time(), now.weekday());
        match self.from <= self.to {
            true => begins(today) && (self.from..self.to).contains(&time),
            false => (begins(today) && time >= self.from) || (begins(today.previous()) && time < self.to),
        }
    }
}

/// When batches go, as it is set.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    /// Which of them counts.
    pub when: When,
    /// For [`When::Window`].
    pub windows: Vec<Window>,
    /// For [`When::StationNetwork`].
    pub network: StationNetwork,
}

impl Schedule {
    /// Why nothing is sent now; none when it may be.
    pub(crate) fn closed(&self, now: Timestamp) -> Option<&'static str> {
        let now = now.to_zoned(TimeZone::system());
        let (open, why) = match self.when {
            When::Immediate => return None,
            When::Window => (self.windows.iter().any(|window| window.holds(&now)), "its window"),
            When::StationNetwork => (self.network.is_here(), "the station's network"),
            When::ShiftEnd => (false, "the end of the shift (plated shift end)"),
            When::Manual => (false, "plated transfer now"),
        };
        (!open).then_some(why)
    }
}

/// By which somebody says that what waits is to be sent now.
#[derive(Clone, Debug, Default)]
pub struct SendNow(Arc<watch::Sender<Asked>>);

/// How often something was asked of the transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// To send all that waits, whatever is set.
    pub to_send: u64,
    /// To try again at once what failed.
    pub to_try: u64,
}

impl SendNow {
    /// Says so.
    pub fn ask(&self) {
        self.0.send_modify(|asked| asked.to_send += 1);
    }

    /// Says that the link may be there again: what failed is tried at once, as far as batches may go now.
    pub fn try_again(&self) {
        self.0.send_modify(|asked| asked.to_try += 1);
    }

    /// Hears of it from now on.
    pub(crate) fn asked(&self) -> watch::Receiver<Asked> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(text: &str) -> Window {
        toml::from_str(text).unwrap()
    }

    // policy: P-11
    #[test]
    fn a_window_is_open_between_its_times_on_its_days_and_over_midnight() {
        let day = window("days = [\"mon\", \"fri\"]\nfrom = \"06:00\"\nto = \"08:30\"");
        let night = window("days = [\"fri\"]\nfrom = \"22:00\"\nto = \"05:00\"");
        let daily = window("from = \"12:00\"\nto = \"13:00\"");
        // 2026-11-27 is a Friday.
        for (at, expected) in [
            ("2026-11-27T05:59", [false, false, false]),
            ("2026-11-27T06:00", [true, false, false]),
            ("2026-11-27T08:30", [false, false, false]),
            ("2026-11-26T07:00", [false, false, false]),
            ("2026-11-27T22:00", [false, true, false]),
            ("2026-11-28T04:59", [false, true, false]),
            ("2026-11-28T22:30", [false, false, false]),
            ("2026-11-27T04:00", [false, false, false]),
            ("2026-11-29T12:30", [false, false, true]),
        ] {
            let now: Zoned = format!("{at}[America/Los_Angeles]").parse().unwrap();
            let open = [&day, &night, &daily].map(|window| window.holds(&now));
            assert_eq!(open, expected, "{at}");
        }
    }

    #[test]
    fn by_hand_and_at_the_end_of_a_shift_nothing_goes_by_itself() {
        for when in [When::Manual, When::ShiftEnd] {
            let asked = Schedule { when, ..Schedule::default() };
            assert!(asked.closed(Timestamp::UNIX_EPOCH).is_some());
        }
        assert!(Schedule::default().closed(Timestamp::UNIX_EPOCH).is_none());
    }
}
