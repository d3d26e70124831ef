//! What officers find about hits, and what is quiet after it.

use super::*;
use crate::kit::store::hit;
use jiff::Timestamp;
use plated_core::record::HitRecord;
use plated_vehicle::store::KeptHit;
use uuid::Uuid;

impl Vehicle {
    /// Keeps a read with a hit on 7ABC123 of this list.
    fn keep_hit(&self, text: &str, list: &str) -> HitRecord {
        self.keep_hit_as(Uuid::now_v7(), text, list)
    }

    fn keep_hit_as(&self, id: Uuid, text: &str, list: &str) -> HitRecord {
        let mut new = read(text);
        let hit = HitRecord { id, at: self.place.clock.wall(), text: text.into(), ..hit(list) };
        new.record.hits.push(hit.clone());
        self.store.put_read(&new).unwrap();
        hit
    }

    fn found(&self, hit: &HitRecord, finding: Finding) -> Result<Vec<Reply>> {
        self.ask(disposition(&hit.short(), finding))
    }

    fn quiet(&self, hit: &HitRecord) -> bool {
        self.service.muted().holds(hit, self.place.clock.monotonic())
    }

    fn hits(&self, window: Duration) -> Vec<KeptHit> {
        let kept = |reply| match reply {
            Reply::Hit(kept) => Some(*kept),
            Reply::LeftOut { .. } => None,
            reply => panic!("{reply:?}"),
        };
        self.ask(hits(window)).unwrap().into_iter().filter_map(kept).collect()
    }
}

fn disposition(hit: &str, finding: Finding) -> Request {
    Request::Disposition { hit: hit.into(), finding, reason: reason("looked at it"), case: "26-1234".into() }
}

fn hits(window: Duration) -> Request {
    Request::Hits { window: window.as_secs(), reason: reason("end of shift"), case: "26-1234".into() }
}

const SHIFT: &str = "[shift]\nhours = 8\n";

// policy: P-06
#[test]
fn what_an_officer_finds_is_kept_with_who_when_and_why_and_shown_with_the_hit() {
    let vehicle = Vehicle::new(SHIFT);
    let (first, second) = (vehicle.keep_hit("7A8C123", "svs"), vehicle.keep_hit("7ABC123", "svs"));
    vehicle.place.clock.advance(HOUR);
    let replies = vehicle.found(&first, Finding::Misread).unwrap();
    let Reply::Disposed(done) = &replies[0] else { panic!("{replies:?}") };
    assert_eq!((&done.hit, done.finding, done.quiet_until), (&first, Finding::Misread, Some(start() + 9 * HOUR)));
    vehicle.place.clock.advance(HOUR);
    let listed = vehicle.hits(3 * HOUR);
    assert_eq!(listed.iter().map(|k| k.hit.id).collect::<Vec<_>>(), [second.id, first.id], "newest first");
    assert_eq!(listed[0].disposition, None);
    let found = listed[1].disposition.clone().unwrap();
    assert_eq!((found.finding, found.at, found.by), (Finding::Misread, start() + HOUR, officer().author()));
    // The newest one is shown.
    vehicle.found(&first, Finding::WrongState).unwrap();
    assert_eq!(vehicle.hits(3 * HOUR)[1].disposition.clone().unwrap().finding, Finding::WrongState);
    let events = vehicle.events();
    // Naming a hit is an access, and saying what it was a change.
    let found = [What::HitsShown, What::Disposition, What::HitsShown];
    assert_eq!(whats(&events), [found, found].concat());
    assert_eq!((&events[0].who, &events[0].subject["hit"]), (&officer().author(), &first.short().into()));
    let events = &events[1..];
    assert_eq!(
        (&events[0].who, events[0].at, &*events[0].reason),
        (&officer().author(), start() + HOUR, "looked at it")
    );
    let expected = [("finding", "misread"), ("hit", &first.id.to_string()), ("listed", "7ABC123"), ("case", "26-1234")];
    for (key, value) in expected {
        assert_eq!(events[0].subject[key], value);
    }
    assert_eq!((&*events[1].reason, &events[1].subject["case"]), ("end of shift", &"26-1234".into()));
}

// policy: P-06
#[test]
fn only_misread_and_not_on_file_quiet_a_pairing_and_any_other_finding_ends_that() {
    let vehicle = Vehicle::new(SHIFT);
    let (one, again) = (vehicle.keep_hit("7A8C123", "svs"), vehicle.keep_hit("7A8C123", "svs"));
    let itself = vehicle.keep_hit("7ABC123", "svs");
    for wrong in [Finding::Misread, Finding::NotOnFile] {
        for other in [Finding::Correct, Finding::WrongState, Finding::Dismissed] {
            vehicle.found(&one, wrong).unwrap();
            assert!(vehicle.quiet(&again) && !vehicle.quiet(&itself));
            vehicle.found(&again, other).unwrap();
            assert!(!vehicle.quiet(&one));
        }
    }
    vehicle.found(&itself, Finding::NotOnFile).unwrap();
    assert!(vehicle.quiet(&itself) && !vehicle.quiet(&one));
    // After a restart it is the same.
    let vehicle = vehicle.again(SHIFT);
    assert!(vehicle.quiet(&itself) && !vehicle.quiet(&one));
}

// policy: P-06
#[test]
fn a_pairing_is_quiet_for_the_shift_whatever_the_wall_clock_does() {
    let vehicle = Vehicle::new(SHIFT);
    let one = vehicle.keep_hit("7A8C123", "svs");
    vehicle.found(&one, Finding::Misread).unwrap();
    vehicle.place.clock.jump_to(start() + 1000 * HOUR);
    assert!(vehicle.quiet(&one));
    vehicle.place.clock.jump_to(start() - 1000 * HOUR);
    vehicle.place.clock.advance(8 * HOUR - Duration::from_secs(1));
    assert!(vehicle.quiet(&one));
    vehicle.place.clock.advance(Duration::from_secs(1));
    assert!(!vehicle.quiet(&one));
}

// policy: P-06
#[test]
fn a_restart_leaves_what_is_left_of_the_shift_and_never_more_than_a_shift() {
    let vehicle = Vehicle::new(SHIFT);
    let one = vehicle.keep_hit("7A8C123", "svs");
    vehicle.found(&one, Finding::Misread).unwrap();
    vehicle.place.clock.advance(7 * HOUR);
    let vehicle = vehicle.again(SHIFT);
    vehicle.place.clock.advance(HOUR - Duration::from_secs(1));
    assert!(vehicle.quiet(&one));
    vehicle.place.clock.advance(Duration::from_secs(1));
    assert!(!vehicle.quiet(&one));
    let vehicle = vehicle.again(SHIFT);
    assert!(!vehicle.quiet(&one));

    // Found by a clock that was a year ahead.
    vehicle.place.clock.jump_to(start() + 8760 * HOUR);
    vehicle.found(&one, Finding::Misread).unwrap();
    vehicle.place.clock.jump_to(start());
    let vehicle = vehicle.again(SHIFT);
    assert!(vehicle.quiet(&one));
    vehicle.place.clock.advance(8 * HOUR);
    assert!(!vehicle.quiet(&one));
}

#[test]
fn a_hit_is_named_by_the_end_of_its_id_and_one_that_could_be_two_is_refused() {
    let vehicle = Vehicle::new("");
    let id = |end: &str| Uuid::parse_str(&format!("0199aaaa-bbbb-7ccc-8ddd-{end}")).unwrap();
    let one = vehicle.keep_hit_as(id("111122223333"), "7A8C123", "svs");
    let other = vehicle.keep_hit_as(id("444422223333"), "7ABC123", "svs");
    assert_eq!(one.short(), "22223333");
    let ask = |end: &str| match vehicle.ask(disposition(end, Finding::Dismissed)).unwrap().remove(0) {
        Reply::Disposed(done) => done.hit.id,
        reply => panic!("{reply:?}"),
    };
    assert_eq!(ask("1111-22223333"), one.id);
    assert_eq!(ask(&other.id.to_string().to_uppercase()), other.id);
    let refused = [
        ("22223333", Kind::Input, "more than one hit"),
        ("99992222", Kind::NotFound, "no hit whose id ends in 99992222"),
        ("23333", Kind::Input, "at least 6 digits"),
        ("0199aa", Kind::NotFound, "no hit"),
        ("%%%%%%", Kind::Input, "at least 6 digits"),
        ("", Kind::Input, "at least 6 digits"),
    ];
    for (end, kind, why) in refused {
        let err = vehicle.ask(disposition(end, Finding::Misread)).unwrap_err();
        assert!(err.kind() == kind && err.chain().contains(why), "{end}: {err}");
    }
    let whats = whats(&vehicle.events());
    assert_eq!(whats.iter().filter(|w| **w == What::Disposition).count(), 2, "nothing was changed by those");
    assert_eq!(whats.iter().filter(|w| **w == What::HitsShown).count(), 5, "nor looked for, if it is no hit's id");
}

#[test]
fn a_covert_hit_is_neither_listed_nor_named() {
    let lists = "[[hotlists]]\nname = \"watch\"\ncovert = true\n";
    let vehicle = Vehicle::new(lists);
    let covert = vehicle.keep_hit("7A8C123", "watch");
    let mut both = HitRecord { id: Uuid::now_v7(), at: vehicle.place.clock.wall(), ..hit("svs") };
    both.entries.extend(hit("watch").entries);
    let mut new = read("7ABC123");
    new.record.hits.push(both.clone());
    vehicle.store.put_read(&new).unwrap();
    let listed = vehicle.hits(HOUR);
    assert_eq!((listed.len(), listed[0].hit.id, listed[0].hit.entries.len()), (1, both.id, 1));
    assert!(vehicle.found(&covert, Finding::Misread).unwrap_err().chain().contains("there is no hit"));
    let replies = vehicle.found(&both, Finding::NotOnFile).unwrap();
    assert!(!format!("{replies:?}").contains("watch"));
    // What is quiet are the entries that the officer saw.
    both.entries.truncate(1);
    assert!(vehicle.quiet(&both) && vehicle.again(lists).quiet(&both));
}

#[test]
fn hits_are_listed_page_after_page_as_far_back_as_asked() {
    let vehicle = Vehicle::new("");
    let mut kept = Vec::new();
    for n in 0..250 {
        vehicle.place.clock.advance(Duration::from_secs(n % 3));
        kept.push(vehicle.keep_hit("7A8C123", "svs"));
    }
    let newest = |from: Timestamp| {
        let mut ids: Vec<_> = kept.iter().filter(|h| h.at >= from).map(|h| (h.at, h.id)).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids
    };
    for back in [Duration::ZERO, Duration::from_secs(100), HOUR] {
        let listed: Vec<_> = vehicle.hits(back).iter().map(|k| (k.hit.at, k.hit.id)).collect();
        assert_eq!(listed, newest(vehicle.place.clock.wall() - back));
    }
}

#[test]
fn a_finding_or_a_look_that_cannot_be_recorded_does_nothing_and_shows_nothing() {
    let vehicle = Vehicle::new(SHIFT);
    let one = vehicle.keep_hit("7A8C123", "svs");
    let fault = "CREATE TRIGGER fault BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'fault'); END;";
    vehicle.raw().execute_batch(fault).unwrap();
    vehicle.found(&one, Finding::Misread).unwrap_err();
    assert!(!vehicle.quiet(&one) && vehicle.store.muted_pairings(matching()).unwrap().is_empty());
    let mut shown = 0;
    let err = vehicle.service.answer(hits(HOUR), &officer(), None, &mut |_| {
        shown += 1;
        Ok(())
    });
    assert!(err.unwrap_err().chain().contains("nothing is shown") && shown == 0);
    vehicle.raw().execute_batch("DROP TRIGGER fault;").unwrap();
    assert_eq!(vehicle.hits(HOUR)[0].disposition, None);
}
