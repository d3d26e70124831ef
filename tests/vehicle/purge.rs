//! What the station holds goes from the vehicle when its time is over, and nothing before.

use crate::kit::store::*;
use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use jiff::{SignedDuration, Timestamp};
use plated_access::{Actor, Gate, Settings as Access};
use plated_core::clock::Clock;
use plated_core::record::ImageRole;
use plated_vehicle::purge::{Purger, Settings};
use plated_vehicle::store::{By, Deleted, Disposition, Finding, NewImage, NewRead, Reason, Store, What, check};
use plated_vehicle::store::{NewCorrection, Stats};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

struct Vehicle {
    place: Place,
    store: Store,
    purger: Purger,
}

impl Vehicle {
    /// With shifts of 12 hours.
    fn new(settings: &str) -> Self {
        let place = Place::new();
        let store = place.open().0;
        let purger = purger(&place, &store, settings);
        Self { place, store, purger }
    }

    fn round(&mut self) -> Deleted {
        self.purger.round(&mut || false).unwrap()
    }

    /// The station has everything, by a clock of its own that is right.
    fn receipted(&self) {
        self.store.apply_receipt(&receipt_for_all(&self.store, self.place.clock.wall())).unwrap();
    }

    fn after(&mut self, time: Duration) -> Deleted {
        self.place.clock.advance(time);
        self.round()
    }

    fn stats(&self) -> Stats {
        self.store.stats().unwrap()
    }

    /// Ends, and sees that all that is left is whole.
    fn is_whole(self) {
        self.store.close().unwrap();
        let report = check(&self.place.path(), &self.place.key).unwrap();
        assert_eq!(report.problems(), 0, "{report:?}");
    }
}

fn purger(place: &Place, store: &Store, settings: &str) -> Purger {
    let gate = Gate::new(Arc::new(store.clone()), Access { case_required: true, ..Access::default() }).0;
    let settings: Settings = toml::from_str(settings).unwrap();
    Purger::new(store.clone(), Arc::new(gate), place.clock.clone(), settings, 12)
}

fn by() -> By {
    By { who: Actor::of_this_process(), reason: Reason::new("test").unwrap() }
}

/// Made now.
fn made(vehicle: &Vehicle, text: &str) -> NewRead {
    let now = vehicle.place.clock.wall();
    let mut read = read(text);
    (read.record.first_seen, read.record.last_seen) = (now, now);
    read
}

// policy: P-12, P-13
#[test]
fn a_read_with_its_pictures_goes_36_hours_after_its_receipt_and_one_without_a_receipt_never() {
    let mut vehicle = Vehicle::new("");
    vehicle.store.put_read(&read("7PRG001")).unwrap();
    let mut wanted = read("7PRG002");
    wanted.record.hits.push(hit("svs"));
    vehicle.store.put_read(&wanted).unwrap();
    vehicle.store.put_read(&open_read("7PRG003")).unwrap();
    assert_eq!(vehicle.after(30 * DAY), Deleted::default(), "the station has none");
    vehicle.receipted();
    assert_eq!(vehicle.after(36 * HOUR - Duration::from_secs(1)), Deleted::default());
    let late = vehicle.store.put_read(&read("7PRG004")).unwrap();
    assert_eq!(vehicle.after(Duration::from_secs(1)), Deleted { reads: 2, pictures: 4 });
    let stats = vehicle.stats();
    assert_eq!((stats.reads, stats.images, stats.hits, stats.transferred), (2, 4, 0, 0));
    assert_eq!(vehicle.store.outbox(transfer(), 9).unwrap()[0].sealed.id, late.id);
    assert_eq!(vehicle.after(365 * DAY), Deleted::default(), "no receipt names the others");
    vehicle.is_whole();
}

// policy: P-13
#[test]
fn an_agency_that_may_keep_no_read_without_a_hit_longer_than_three_minutes_has_none_that_is_older() {
    let mut vehicle = Vehicle::new("no_hit_minutes = 3");
    let mut wanted = made(&vehicle, "7MIN002");
    wanted.record.hits.push(hit("svs"));
    for new in [made(&vehicle, "7MIN001"), wanted] {
        vehicle.store.put_read(&new).unwrap();
    }
    assert_eq!(vehicle.after(Duration::from_secs(60)), Deleted::default());
    // It counts from when it was made, not from the receipt.
    vehicle.receipted();
    assert_eq!(vehicle.after(Duration::from_secs(60)), Deleted::default());
    assert_eq!(vehicle.after(Duration::from_secs(30)), Deleted { reads: 1, pictures: 2 });
    assert_eq!(reads(&vehicle.store, 9)[0].text, "7MIN002", "what hit stays for its own time");
    let made = made(&vehicle, "7MIN003");
    vehicle.store.put_read(&made).unwrap();
    assert_eq!(vehicle.after(HOUR), Deleted::default(), "not without its receipt, which is said instead");
    let now = vehicle.place.clock.wall();
    assert_eq!(vehicle.store.unconfirmed_before(now - Duration::from_secs(180)).unwrap(), 1);
    vehicle.receipted();
    assert_eq!(vehicle.round(), Deleted { reads: 1, pictures: 2 });
    vehicle.is_whole();
}

// policy: P-03, P-13
#[test]
fn each_kind_of_read_has_its_own_time_and_that_of_a_canvass_begins_when_it_is_over() {
    let mut vehicle = Vehicle::new("no_hit_h = 1\nhit_h = 48\ncanvass_h = 4");
    vehicle.store.start_canvass("26-77", &by()).unwrap();
    let mut canvass = made(&vehicle, "7KND003");
    canvass.record.canvass = Some("26-77".into());
    let mut wanted = made(&vehicle, "7KND002");
    wanted.record.hits.push(hit("svs"));
    for new in [made(&vehicle, "7KND001"), wanted, canvass] {
        vehicle.store.put_read(&new).unwrap();
    }
    vehicle.receipted();
    let left = |vehicle: &Vehicle| reads(&vehicle.store, 9).into_iter().map(|r| r.text).collect::<Vec<_>>();
    vehicle.after(HOUR);
    assert_eq!(left(&vehicle), ["7KND003", "7KND002"]);
    vehicle.after(9 * HOUR);
    assert_eq!(left(&vehicle), ["7KND003", "7KND002"], "the canvass is open");
    vehicle.store.end_canvass(&by()).unwrap();
    vehicle.after(3 * HOUR);
    assert_eq!(left(&vehicle), ["7KND003", "7KND002"]);
    vehicle.after(HOUR);
    assert_eq!(left(&vehicle), ["7KND002"]);
    vehicle.after(34 * HOUR);
    assert!(left(&vehicle).is_empty());
    vehicle.is_whole();
}

// policy: P-13, P-30
#[test]
fn a_correction_and_a_disposition_keep_their_read_until_the_station_has_them_and_go_with_it() {
    let mut vehicle = Vehicle::new("");
    let kept = vehicle.store.put_read(&read("7COR001")).unwrap();
    let mut wanted = read("7COR002");
    wanted.record.hits.push(hit("svs"));
    let hit = wanted.record.hits[0].id;
    vehicle.store.put_read(&wanted).unwrap();
    vehicle.receipted();
    vehicle.place.clock.advance(30 * HOUR);
    let corrected = plated_core::officers::Reading { text: "7COR0O1".into(), state: "CA".into() };
    let new = NewCorrection { id: Uuid::now_v7(), read: kept.id, corrected, case: String::new(), hits: Vec::new() };
    vehicle.store.correct(new, &by()).unwrap();
    let shift_ends = vehicle.place.clock.wall() + 10 * HOUR;
    let case = String::new();
    let found = Disposition { hit, finding: Finding::Misread, case, shift_ends };
    vehicle.store.add_disposition(found, &by()).unwrap();
    assert_eq!(vehicle.after(7 * HOUR), Deleted::default(), "what officers put down is not at the station");
    vehicle.receipted();
    assert_eq!(vehicle.after(HOUR).reads, 1, "the pairing of the other is muted until the shift ends");
    assert_eq!(vehicle.store.muted_pairings(matching()).unwrap().len(), 1);
    assert!(vehicle.store.corrections(&permit(), Timestamp::UNIX_EPOCH, 9).unwrap().is_empty());
    assert_eq!(vehicle.after(2 * HOUR).reads, 1);
    assert_eq!((vehicle.stats().reads, vehicle.stats().receipts), (0, 1), "the newest receipt tells the station's time");
    vehicle.is_whole();
}

// policy: P-12, P-13
#[test]
fn a_clock_that_is_set_forward_or_back_by_a_year_at_either_end_deletes_nothing_early() {
    let now = start();
    for (here, station) in [(YEAR, SignedDuration::ZERO), (-YEAR, SignedDuration::ZERO), (SignedDuration::ZERO, YEAR)]
        .into_iter()
        .chain([(SignedDuration::ZERO, -YEAR)])
    {
        let mut vehicle = Vehicle::new("");
        vehicle.store.put_read(&made(&vehicle, "7CLK001")).unwrap();
        vehicle.store.apply_receipt(&receipt_for_all(&vehicle.store, now)).unwrap();
        assert_eq!(vehicle.after(HOUR), Deleted::default());
        // One that was made and receipted while it was wrong.
        vehicle.place.clock.jump_to(vehicle.place.clock.wall() + here);
        vehicle.store.put_read(&made(&vehicle, "7CLK002")).unwrap();
        let receipt = receipt_for_all(&vehicle.store, now + HOUR + station);
        vehicle.store.apply_receipt(&receipt).unwrap();
        assert_eq!(vehicle.after(HOUR), Deleted::default(), "{here} {station}");
        // The daemon is started anew, and the clocks are right again.
        vehicle.purger = purger(&vehicle.place, &vehicle.store, "");
        assert_eq!(vehicle.round(), Deleted::default(), "{here} {station}");
        vehicle.place.clock.jump_to(now + 2 * HOUR);
        vehicle.store.put_read(&made(&vehicle, "7CLK003")).unwrap();
        vehicle.store.apply_receipt(&receipt_for_all(&vehicle.store, now + 2 * HOUR)).unwrap();
        assert_eq!(vehicle.after(HOUR), Deleted::default(), "{here} {station}");
        assert_eq!(vehicle.stats().reads, 3);
        // In the end they go.
        vehicle.place.clock.advance(34 * HOUR);
        vehicle.store.put_read(&made(&vehicle, "7CLK004")).unwrap();
        vehicle.store.apply_receipt(&receipt_for_all(&vehicle.store, now + 37 * HOUR)).unwrap();
        assert!(vehicle.round().reads >= 1, "{here} {station}");
    }
}

// policy: P-13
#[test]
fn a_read_of_a_clock_that_was_not_trusted_counts_from_its_receipt() {
    let mut vehicle = Vehicle::new("no_hit_minutes = 3");
    let mut doubted = made(&vehicle, "7DBT001");
    (doubted.record.first_seen, doubted.record.last_seen) = (start() - HOUR, start() - HOUR);
    doubted.record.clock = Some(plated_core::record::ClockMark::NotTrusted);
    vehicle.store.put_read(&doubted).unwrap();
    vehicle.receipted();
    assert_eq!(vehicle.after(Duration::from_secs(100)), Deleted::default());
    assert_eq!(vehicle.after(Duration::from_secs(80)).reads, 1);
}

// policy: P-13, P-22
#[test]
fn each_deletion_is_on_record_before_in_numbers_that_name_no_plate_and_the_log_stays_whole() {
    let mut vehicle = Vehicle::new("");
    let plates = ["7REC001", "7REC002", "7REC003"];
    for plate in plates {
        vehicle.store.put_read(&read(plate)).unwrap();
    }
    vehicle.receipted();
    vehicle.after(40 * HOUR);
    let purges: Vec<_> = events(&vehicle.store).into_iter().filter(|e| e.what == What::Purged).collect();
    assert_eq!(purges.len(), 1);
    assert_eq!((&*purges[0].who.user, &purges[0].subject["reads"]), ("purge", &"3".into()));
    assert_eq!(purges[0].subject["pictures"], "6");
    let text = format!("{purges:?}");
    assert!(plates.iter().all(|plate| !text.contains(plate)));
    assert_eq!(vehicle.round(), Deleted::default());
    assert_eq!(events(&vehicle.store).len(), purges.len(), "nothing that is due leaves no row");
    vehicle.is_whole();
}

// policy: P-13, P-22
#[test]
fn what_cannot_be_put_on_record_is_not_deleted() {
    let mut vehicle = Vehicle::new("");
    vehicle.store.put_read(&read("7REC001")).unwrap();
    vehicle.receipted();
    let hex = std::fs::read_to_string(vehicle.place.dir.path().join("store.key")).unwrap();
    let conn = rusqlite::Connection::open(vehicle.place.path()).unwrap();
    conn.execute_batch(&format!("PRAGMA key = \"x'{}'\";", hex.trim())).unwrap();
    let fault = "CREATE TRIGGER fault BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'fault'); END;";
    conn.execute_batch(fault).unwrap();
    vehicle.place.clock.advance(40 * HOUR);
    vehicle.purger.round(&mut || false).unwrap_err();
    assert_eq!(vehicle.stats().reads, 1);
}

/// All that lies in the store's file, as whoever has the key can see it: pages in use and free ones, decrypted
/// (AES-256-CBC, its first value in the 80 bytes behind each page).
fn seen_with_the_key(vehicle: &Vehicle) -> Vec<u8> {
    let hex = std::fs::read_to_string(vehicle.place.dir.path().join("store.key")).unwrap();
    let key = UnboundCipherKey::new(&AES_256, &hex::decode(hex.trim()).unwrap()).unwrap();
    let key = DecryptingKey::ecb(key).unwrap();
    let mut all = Vec::new();
    for (n, page) in std::fs::read(vehicle.place.path()).unwrap().chunks(4096).enumerate() {
        let (body, reserve) = page.split_at(4096 - 80);
        // The first page begins with a salt in clear.
        let mut before = reserve[..16].to_vec();
        for block in body[if n == 0 { 16 } else { 0 }..].chunks(16) {
            let mut clear = block.to_vec();
            key.decrypt(&mut clear, DecryptionContext::None).unwrap();
            all.extend(clear.iter().zip(&before).map(|(a, b)| a ^ b));
            before = block.to_vec();
        }
    }
    all
}

// policy: P-13, P-25
#[test]
fn a_picture_that_was_deleted_is_nowhere_in_the_store_and_the_disk_has_its_room_again() {
    let mut vehicle = Vehicle::new("");
    let marker = b"a plate that nobody may see any more";
    for n in 0..40u64 {
        let mut new = read("7GON001");
        let mut jpeg = picture(n, 500_000).to_vec();
        jpeg[1000..1000 + marker.len()].copy_from_slice(marker);
        new.images = vec![NewImage { role: ImageRole::Overview, jpeg: jpeg.into() }];
        vehicle.store.put_read(&new).unwrap();
    }
    vehicle.receipted();
    let found = |vehicle: &Vehicle| seen_with_the_key(vehicle).windows(marker.len()).any(|w| w == marker);
    vehicle.store.shrink(true).unwrap();
    let before = std::fs::metadata(vehicle.place.path()).unwrap().len();
    assert!(found(&vehicle) && before > 20_000_000);
    assert_eq!(vehicle.after(40 * HOUR), Deleted { reads: 40, pictures: 40 });
    assert!(!found(&vehicle));
    assert_eq!(std::fs::metadata(vehicle.place.beside("-wal")).unwrap().len(), 0, "nor in its log");
    let after = std::fs::metadata(vehicle.place.path()).unwrap().len();
    assert!(after < 10_000_000, "{after} of {before}");
    vehicle.is_whole();
}

#[test]
fn a_picture_that_a_read_still_shows_stays_when_another_goes() {
    let mut vehicle = Vehicle::new("");
    let (a, mut b) = (read("7SHR001"), read("7SHR002"));
    b.images[1] = a.images[1].clone();
    vehicle.store.put_read(&a).unwrap();
    vehicle.receipted();
    vehicle.store.put_read(&b).unwrap();
    assert_eq!(vehicle.after(36 * HOUR), Deleted { reads: 1, pictures: 1 });
    assert_eq!(vehicle.stats().images, 2);
    vehicle.is_whole();
}

#[test]
fn a_full_store_is_emptied_and_takes_reads_again() {
    let place = Place::new();
    let (store, _) = place.open_limited(&place.key, Some(2 << 20)).unwrap();
    let mut vehicle = Vehicle { purger: purger(&place, &store, ""), place, store };
    while vehicle.store.put_read(&read("7FUL001")).is_ok() {}
    vehicle.receipted();
    assert!(vehicle.after(36 * HOUR).reads > 50);
    vehicle.store.put_read(&read("7FUL002")).unwrap();
    vehicle.is_whole();
}

#[test]
fn deletion_goes_in_steps_between_which_others_have_the_store() {
    let mut vehicle = Vehicle::new("");
    for n in 0..8u64 {
        let mut new = read("7STP001");
        new.images = vec![NewImage { role: ImageRole::Overview, jpeg: picture(n, 3 << 20) }];
        vehicle.store.put_read(&new).unwrap();
    }
    vehicle.receipted();
    vehicle.place.clock.advance(36 * HOUR);
    let (mut pauses, store) = (0, vehicle.store.clone());
    let done = vehicle.purger.round(&mut || {
        pauses += 1;
        store.put_read(&read("7STP002")).unwrap();
        false
    });
    assert_eq!(done.unwrap().reads, 8);
    assert!(pauses >= 4, "{pauses}");
    // Asked to end, it ends, and the next goes on.
    vehicle.is_whole();
}

#[derive(Clone, Debug)]
enum Step {
    Read { hit: bool, open: bool },
    Receipt,
    Wait(u64),
    Restart,
    Jump(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<bool>(), any::<bool>()).prop_map(|(hit, open)| Step::Read { hit, open }),
        3 => Just(Step::Receipt),
        4 => (1..40u64).prop_map(Step::Wait),
        1 => Just(Step::Restart),
        1 => prop_oneof![Just(-365), Just(365)].prop_map(Step::Jump),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    // policy: P-12, P-13
    #[test]
    fn whatever_happens_no_read_goes_before_its_receipt_is_36_true_hours_old(steps in proptest::collection::vec(step(), 1..40)) {
        let mut vehicle = Vehicle::new("");
        let (mut now, mut receipted, mut all) = (start(), std::collections::BTreeMap::new(), Vec::new());
        for step in steps {
            match step {
                Step::Read { hit: has_hit, open } => {
                    let mut new = made(&vehicle, "7ANY001");
                    new.open = open;
                    new.record.hits.extend(has_hit.then(|| hit("svs")));
                    all.push(vehicle.store.put_read(&new).unwrap().id);
                }
                Step::Receipt => {
                    for read in vehicle.store.outbox(transfer(), usize::MAX).unwrap() {
                        receipted.entry(read.sealed.id).or_insert(now);
                    }
                    // Its clock is right.
                    vehicle.store.apply_receipt(&receipt_for_all(&vehicle.store, now)).unwrap();
                }
                Step::Wait(hours) => {
                    now += SignedDuration::from_hours(hours as i64);
                    vehicle.place.clock.advance(Duration::from_secs(hours * 3600));
                }
                Step::Restart => vehicle.purger = purger(&vehicle.place, &vehicle.store, ""),
                Step::Jump(days) => vehicle.place.clock.jump_to(now + SignedDuration::from_hours(24 * days)),
            }
            vehicle.round();
            let left: std::collections::BTreeSet<Uuid> = reads(&vehicle.store, 999).iter().map(|r| r.id).collect();
            for id in all.iter().filter(|id| !left.contains(id)) {
                let at = receipted.get(id).copied();
                prop_assert!(at.is_some_and(|at| now.duration_since(at) >= SignedDuration::from_hours(36)), "{id}");
            }
        }
    }
}
