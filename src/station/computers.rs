//! Notices when several computers use one vehicle's certificate, such as a clone of a vehicle's disk.
//!
//! A batch names the computer that sends it by two random ids: its installation, made with the
//! vehicle's store, and its session, made at each start. For each of the two, one id follows the other:
//! a computer that was replaced does not come back. One that comes back after another took its place
//! shows that both are in use. Once is no sign yet: the last request of a computer that was just
//! replaced or restarted may have been under way, and an old computer may be put back. The second
//! time is [reported](Seen::Cloned). Its reads are taken all the same: they may be the real vehicle's.

use super::rows::Rows;
use jiff::{SignedDuration, Timestamp};
use plated_core::error::Result;
use plated_core::wire::Computer;
use uuid::Uuid;

/// As often an id has to come back after another before it counts as a second computer.
const MIN_RETURNS: i64 = 2;
/// Ids remembered for each vehicle and kind; the oldest are forgotten.
const MAX_REMEMBERED: i64 = 1000;
/// The same clone is logged again after so long.
const REPORT_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// What a batch tells of the computer that sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing is wrong, as far as can be told.
    Usual,
    /// Several computers use the vehicle's certificate. `report` it: it is the first time, or the
    /// first for an hour.
    Cloned {
        /// Log it.
        report: bool,
    },
}

/// A vehicle whose certificate several computers use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClonedVehicle {
    /// Its name.
    pub vehicle: String,
    /// When it was noticed first.
    pub first_seen: Timestamp,
    /// When it was noticed last.
    pub last_seen: Timestamp,
    /// How often a computer came back after another.
    pub times: u64,
}

impl Rows<'_> {
    /// Notes that `computer` sent a batch in the name of `vehicle`.
    pub fn computer_seen(&self, vehicle: &str, computer: &Computer, now: Timestamp) -> Result<Seen> {
        let installation = self.turn(vehicle, "installation", computer.installation, now)?;
        let session = self.turn(vehicle, "session", computer.session, now)?;
        if !installation && !session {
            return Ok(Seen::Usual);
        }
        let before: Option<i64> =
            self.one("SELECT last_seen FROM cloned_vehicles WHERE vehicle = ?1", &[&vehicle], |row| row.get(0))?;
        self.run(
            "INSERT INTO cloned_vehicles (vehicle, first_seen, last_seen, times) VALUES (?1, ?2, ?2, 1)
             ON CONFLICT (vehicle) DO UPDATE SET last_seen = excluded.last_seen, times = cloned_vehicles.times + 1",
            &[&vehicle, &now],
        )?;
        let again =
            |before: i64| now.as_microsecond().abs_diff(before) >= REPORT_AGAIN.as_micros().unsigned_abs() as u64;
        Ok(Seen::Cloned { report: before.is_none_or(again) })
    }

    /// Notes whose turn it is; true when this id has come back too often after others.
    fn turn(&self, vehicle: &str, kind: &str, id: Uuid, now: Timestamp) -> Result<bool> {
        let last: Option<(Uuid, i64)> = self.one(
            "SELECT id, turn FROM vehicle_computers WHERE vehicle = ?1 AND kind = ?2 ORDER BY turn DESC LIMIT 1",
            &[&vehicle, &kind],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let same = last.is_some_and(|(last, _)| last == id);
        let turn = last.map_or(0, |(_, turn)| if same { turn } else { turn + 1 });
        self.run(
            "INSERT INTO vehicle_computers (vehicle, kind, id, turn, returns, first_seen, last_seen)
             VALUES (?1, ?2, ?3, ?4, 0, ?5, ?5)
             ON CONFLICT (vehicle, kind, id) DO UPDATE SET last_seen = excluded.last_seen, turn = excluded.turn,
             returns = vehicle_computers.returns
               + CASE WHEN excluded.turn > vehicle_computers.turn THEN 1 ELSE 0 END",
            &[&vehicle, &kind, &id, &turn, &now],
        )?;
        if same {
            return Ok(false);
        }
        self.run(
            "DELETE FROM vehicle_computers WHERE vehicle = ?1 AND kind = ?2 AND turn <= ?3",
            &[&vehicle, &kind, &(turn - MAX_REMEMBERED)],
        )?;
        let returns: Option<i64> = self.one(
            "SELECT returns FROM vehicle_computers WHERE vehicle = ?1 AND kind = ?2 AND id = ?3",
            &[&vehicle, &kind, &id],
            |row| row.get(0),
        )?;
        Ok(returns.is_some_and(|returns| returns >= MIN_RETURNS))
    }

    /// Vehicles whose certificate several computers use, by name.
    pub fn cloned_vehicles(&self) -> Result<Vec<ClonedVehicle>> {
        self.all("SELECT vehicle, first_seen, last_seen, times FROM cloned_vehicles ORDER BY vehicle", &[], |row| {
            let (vehicle, first_seen, last_seen) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(ClonedVehicle { vehicle, first_seen, last_seen, times: row.get(3)? })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Database;
    use proptest::prelude::*;

    struct Bench {
        _dir: tempfile::TempDir,
        database: Database,
        now: Timestamp,
    }

    impl Bench {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let database = Database::open(&dir.path().join("station.db"), &crate::key::ArchiveKey::of_tests()).unwrap();
            Self { _dir: dir, database, now: "2026-11-26T08:00:00Z".parse().unwrap() }
        }

        /// A batch a second; what each of them tells.
        fn send(&mut self, computers: &[(u128, u128)]) -> Vec<Seen> {
            let mut seen = Vec::new();
            for (installation, session) in computers {
                self.now += SignedDuration::from_secs(1);
                let now = self.now;
                let computer =
                    Computer { installation: Uuid::from_u128(*installation), session: Uuid::from_u128(*session) };
                seen.push(self.database.transaction(|rows| rows.computer_seen("unit-7", &computer, now)).unwrap());
            }
            seen
        }

        fn is_cloned(&mut self) -> bool {
            self.database.transaction(|rows| rows.cloned_vehicles()).unwrap().iter().any(|c| c.vehicle == "unit-7")
        }
    }

    #[test]
    fn restarts_a_reinstalled_computer_and_a_late_request_are_no_clone() {
        for all in [
            // Starts, and a request of the one before that was still under way.
            &[(1, 11), (1, 11), (1, 12), (1, 11), (1, 12), (1, 12), (1, 13), (1, 14), (1, 13), (1, 14)][..],
            // Installed anew, with a late request, and started again.
            &[(1, 11), (2, 21), (1, 11), (2, 21), (2, 22), (2, 23), (2, 24)],
            // A computer that stood in for another, which was put back.
            &[(1, 11), (1, 12), (2, 21), (2, 22), (1, 13), (1, 14), (3, 31)],
        ] {
            let mut bench = Bench::new();
            bench.send(all);
            assert!(!bench.is_cloned(), "{all:?}");
        }
    }

    #[test]
    fn computers_that_take_turns_are_a_clone_logged_once_an_hour_and_counted_each_time() {
        // At once; at once with the same store; and one after the other, each started anew.
        for both in [
            [(1, 11), (2, 21), (1, 11), (2, 21), (1, 11)],
            [(1, 11), (1, 12), (1, 11), (1, 12), (1, 11)],
            [(1, 11), (2, 21), (1, 12), (2, 22), (1, 13)],
        ] {
            let mut bench = Bench::new();
            assert_eq!(bench.send(&both)[3..], [Seen::Usual, Seen::Cloned { report: true }], "{both:?}");
            let next = [both[3], both[4]];
            assert_eq!(bench.send(&next), [Seen::Cloned { report: false }; 2]);
            bench.now += REPORT_AGAIN;
            assert_eq!(bench.send(&next[..1]), [Seen::Cloned { report: true }]);
            let cloned = bench.database.transaction(|rows| rows.cloned_vehicles()).unwrap();
            assert_eq!((cloned[0].times, cloned[0].last_seen), (4, bench.now));
            assert!(cloned[0].first_seen < cloned[0].last_seen - REPORT_AGAIN);
        }
    }

    #[test]
    fn what_is_remembered_of_a_vehicle_is_bounded() {
        let mut bench = Bench::new();
        let all: Vec<_> = (0..MAX_REMEMBERED as u128 + 50).map(|n| (1, n)).collect();
        bench.send(&all);
        let count = |rows: &Rows<'_>| {
            let sql = "SELECT count(*) FROM vehicle_computers WHERE kind = 'session'";
            rows.one(sql, &[], |row| row.get::<i64>(0))
        };
        assert_eq!(bench.database.transaction(count).unwrap(), Some(MAX_REMEMBERED));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn computers_that_never_come_back_raise_no_alarm(
            starts in prop::collection::vec((0u128..3, 1usize..4), 1..20)
        ) {
            let (mut bench, mut installation) = (Bench::new(), 0);
            for (session, (grows, batches)) in starts.into_iter().enumerate() {
                installation += grows;
                bench.send(&vec![(installation, session as u128); batches]);
            }
            prop_assert!(!bench.is_cloned());
        }
    }
}
