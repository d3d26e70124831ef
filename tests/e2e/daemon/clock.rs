//! A clock that starts in 1970, is set later, or jumps by a year: reads keep their order, nothing is over
//! or lost, and everybody is told.

use crate::kit::clock::Moved;
use crate::kit::process::{PATIENCE, until};
use crate::kit::store::events;
use crate::kit::vehicle::{Settings, Vehicle, images};
use jiff::{SignedDuration, Timestamp};
use plated_core::clock::BUILT;
use plated_core::record::{ClockMark, ReadRecord};
use plated_vehicle::config::Config;
use plated_vehicle::control::{Call, Reply, Request, StatusReport, call};
use plated_vehicle::events::{Next, Subscription};
use plated_vehicle::health::Level;
use plated_vehicle::pipeline::{Announcement, Daemon, LiveGate, Published};
use plated_vehicle::store::What;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

struct Drive {
    vehicle: Vehicle,
    clock: Arc<Moved>,
    config: Config,
    daemon: Daemon,
    shown: Subscription<Published>,
    live: Arc<LiveGate>,
    reads: Vec<ReadRecord>,
}

impl Drive {
    /// A daemon that reads two plates again and again, with this on its clock at the start.
    fn begin(shown: Timestamp) -> Self {
        let vehicle = Vehicle::new();
        vehicle.pictures("road", &["4KLM567".into(), "7ABC123".into()]);
        let road = images("front", "road", 0).replace("every_frame", "realtime");
        let list = "[[hotlists]]\nname = \"svs\"\npath = \"list.csv\"\n[alert]\nrepeat_after_s = 0\n";
        vehicle.configure(&Settings::default(), &[road, list.into()]);
        std::fs::write(vehicle.path("list.csv"), "plate\n6DEF128\n").unwrap();
        let clock = Arc::new(Moved::new());
        clock.set(shown);
        let config = Config::load(&vehicle.path("plated.toml")).unwrap();
        let daemon = Daemon::start(&config, clock.clone(), &Default::default()).unwrap();
        let shown = daemon.events().resume(0);
        let live = daemon.live(None, None, plated_access::Case::none());
        Self { vehicle, clock, config, daemon, shown, live, reads: Vec::new() }
    }

    /// The next read, and whether a hit was shown before it.
    fn next(&mut self) -> (ReadRecord, bool) {
        let mut has_hit = false;
        loop {
            match self.shown.next(PATIENCE) {
                Next::Event(number, event) => match self.live.admit(number, &event) {
                    Some(Announcement::Read { read, .. }) => {
                        self.reads.push(ReadRecord::clone(&read));
                        return (*read, has_hit);
                    }
                    Some(Announcement::Hit { .. }) => has_hit = true,
                    _ => {}
                },
                Next::Lagged(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads until there is one like this.
    fn read_until(&mut self, wanted: impl Fn(&ReadRecord) -> bool) -> ReadRecord {
        loop {
            let (read, _) = self.next();
            if wanted(&read) {
                return read;
            }
        }
    }

    fn status(&self) -> StatusReport {
        let (mut report, clock) = (None, self.clock.clone() as Arc<dyn plated_core::clock::Clock>);
        call(&self.config, &clock, &Call { session: None, request: Request::Status }, None, &mut |reply| {
            if let Reply::Status(status) = reply {
                report = Some(*status);
            }
            Ok(())
        })
        .unwrap();
        report.unwrap()
    }

    /// Waits until the clock is trusted or not, after a jump of about this size.
    fn wait_jump(&self, trusted: bool, by: SignedDuration) -> StatusReport {
        until("the jump of the clock", || {
            let status = self.status();
            let jump = status.clock.last_jump.as_ref().map_or(0, |jump| jump.seconds);
            (status.clock.trusted == trusted && (jump - by.as_secs()).abs() < 60).then_some(status)
        })
    }

    /// Ends it; gives the changes of the clock that are on record.
    fn end(self) -> Vec<(i64, bool)> {
        let Self { vehicle, daemon, mut reads, .. } = self;
        daemon.stop().unwrap();
        vehicle.assert_stored(&reads);
        // Those with a hit are kept and shown first; the number of the frame says what came first.
        reads.sort_by_key(|read| read.best.frame);
        let is_ordered = |pair: &[ReadRecord]| pair[0].best.at <= pair[1].best.at;
        assert!(reads.windows(2).all(is_ordered), "times are in the order of the reads");
        reads.sort_by_key(|read| read.sightings[0].frame);
        // The first 48 bits are the time in milliseconds.
        let made = |read: &ReadRecord| read.id.as_u128() >> 80;
        assert!(reads.windows(2).all(|pair| made(&pair[0]) <= made(&pair[1])), "and so are ids");
        let store = vehicle.store();
        let changes = events(&store).into_iter().filter(|e| e.what == What::ClockChanged).map(|e| e.subject);
        changes.map(|s| (s["seconds"].as_str().unwrap().parse().unwrap(), s["trusted"] == "true")).collect()
    }
}

// policy: P-26
#[test]
fn reads_made_while_the_clock_shows_1970_are_marked_and_those_after_it_was_set_are_right() {
    let mut drive = Drive::begin("1970-01-01T00:00:30Z".parse().unwrap());
    for _ in 0..3 {
        let (read, _) = drive.next();
        assert_eq!(read.clock, Some(ClockMark::NotTrusted));
        // The list is of now, so yesterday is past; more is not known.
        let known = Timestamp::now() - SignedDuration::from_hours(23);
        assert!(read.first_seen >= BUILT && read.first_seen < known, "{}", read.first_seen);
    }
    let status = until("the list", || Some(drive.status()).filter(|s| s.lists[0].entries == 1));
    assert!(!status.clock.trusted);
    assert!(status.parts.iter().any(|p| p.name == "clock" && p.level == Level::Degraded), "{:?}", status.parts);
    let (text, code) = drive.vehicle.status();
    assert!(text.contains("WARN      clock: not trusted: the system's clock shows 19"), "{text}");
    assert!(text.contains("age not known, at least") && !text.contains("svs: 1 entry, 0 min old"), "{text}");
    assert_ne!(code, Some(0));
    let right = Timestamp::now();
    drive.clock.set(right);
    let read = drive.read_until(|read| read.clock.is_none());
    assert!(read.first_seen >= right, "{} {right}", read.first_seen);
    assert!(drive.status().clock.trusted);
    let (text, _) = drive.vehicle.status();
    assert!(text.contains("last jump of the clock: by "), "{text}");
    let changes = drive.end();
    assert_eq!(changes.iter().map(|c| c.1).collect::<Vec<_>>(), [false, true], "{changes:?}");
}

#[test]
fn a_jump_of_a_year_forward_and_back_changes_no_order_ends_no_entry_and_is_told() {
    let mut drive = Drive::begin(Timestamp::now());
    let added = Command::new(env!("CARGO_BIN_EXE_plated"))
        .args(["hotlist", "add", "7ABC123", "--reason", "stolen an hour ago", "--config"])
        .arg(drive.vehicle.path("plated.toml"))
        .output();
    assert!(added.unwrap().status.success());
    let year = SignedDuration::from_hours(365 * 24);
    for jump in [year, -year, -year, year] {
        drive.read_until(|read| read.clock.is_none());
        drive.clock.on(jump, Duration::ZERO);
        let status = drive.wait_jump(false, jump);
        assert_eq!(status.officers.len(), 1, "the entry counts");
        assert!(status.officers[0].expires > status.at);
        drive.read_until(|read| read.clock.is_some());
        while !drive.next().1 {} // and matches
        drive.clock.on(-jump, Duration::ZERO);
        let status = drive.wait_jump(true, -jump);
        assert_eq!(status.officers.len(), 1);
        while !drive.next().1 {}
    }
    let changes = drive.end();
    let trusted: Vec<bool> = changes.iter().map(|c| c.1).collect();
    assert_eq!(trusted, [false, true].repeat(4), "{changes:?}");
}
