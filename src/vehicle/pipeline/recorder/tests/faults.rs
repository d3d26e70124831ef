//! From a growing track to the chime, with a fault at every step between.

use super::*;
use plated_hotlist::settings::MatchRules;

const FAULTS: [Does; 7] = [
    Does::Fails(Kind::Storage),
    Does::Fails(Kind::Damaged),
    Does::Fails(Kind::Internal),
    Does::Fails(Kind::Refused),
    Does::Fails(Kind::Missing),
    Does::Panics,
    Does::Hangs,
];

#[test]
fn whatever_the_store_does_the_alert_sounds_is_not_shown_before_it_is_kept_and_then_is() {
    for fault in FAULTS {
        let mut bench = Bench::new();
        bench.store_does(fault);
        let id = Uuid::now_v7();
        bench.grow(id, WANTED);
        bench.wait_sounded(1);
        until("the fault", || bench.met.load(Ordering::Relaxed) > 0);
        bench.close(id, WANTED);
        bench.pass("4KLM567");
        bench.wait_taken();
        assert!(matches!(bench.events.next(Duration::ZERO), Next::TimedOut), "{fault:?}");
        bench.store_does(Does::Works);
        let shown = loop {
            match &*bench.next() {
                Announcement::Hit { hit, read, .. } if read.id == id => break HitRecord::clone(hit),
                Announcement::Read { read, .. } => assert_ne!(read.id, id, "the hit comes first"),
                _ => {}
            }
        };
        assert_eq!((shown.alert, shown.kept_late), (Alerting::Sounded, fault != Does::Hangs), "{fault:?}");
        let read = loop {
            let read = bench.next_read();
            if read.id == id {
                break read;
            }
        };
        assert_eq!(read.hits, [shown]);
        let (_dir, counters, store) = bench.end();
        let kept = reads(&store, 10);
        assert!(kept.contains(&read), "what is shown is in the store: {fault:?}");
        assert_eq!(counters.totals().lost_reads, 0);
    }
}

#[test]
fn a_store_that_was_closed_or_whose_file_is_damaged_silences_nobody() {
    let bench = Bench::new();
    bench.pass("4KLM567");
    until("a read", || bench.counters.totals().reads == 1);
    let file = bench.dir.path().join("store.db");
    let size = std::fs::metadata(&file).unwrap().len();
    std::fs::write(&file, vec![7; size as usize]).unwrap();
    bench.grow(Uuid::now_v7(), WANTED);
    bench.wait_sounded(1);
    bench.store.clone().close().ok();
    bench.list("svs", &[WANTED, "6DEF128"], Priority::High);
    bench.grow(Uuid::now_v7(), "6DEF128");
    bench.wait_sounded(2);
    let (_dir, counters, _) = bench.end();
    assert!(counters.totals().lost_reads <= 2);
}

#[test]
fn an_hour_of_reads_on_a_full_disk_silences_nobody_and_keeps_the_hits() {
    let bench = Bench::new();
    bench.store_does(Does::Fails(Kind::Storage));
    let wanted: Vec<String> = (0..40).map(|n| format!("9WAN{n:03}")).collect();
    bench.list("svs", &wanted.iter().map(String::as_str).collect::<Vec<_>>(), Priority::High);
    // 1,000 reads an hour, 40 of them wanted.
    for n in 0..1000 {
        match n % 25 {
            0 => bench.pass(&wanted[n / 25]),
            _ => bench.pass(&format!("1AAA{n:03}")),
        }
    }
    bench.wait_sounded(40);
    until("all reads", || {
        let t = bench.counters.totals();
        t.lost_reads + t.waiting >= 999
    });
    bench.store_does(Does::Works);
    until("all that waited", || bench.counters.totals().reads + bench.counters.totals().lost_reads == 1000);
    let (_dir, counters, store) = bench.end();
    let kept = reads(&store, usize::MAX);
    assert_eq!(kept.iter().filter(|r| r.hits.iter().any(|h| h.alert == Alerting::Sounded)).count(), 40);
    // One more than can wait, if the store was at one just then.
    assert!((256..=257).contains(&kept.len()), "{}", kept.len());
    assert_eq!(counters.totals().lost_reads as usize, 1000 - kept.len());
}

#[test]
fn when_nothing_but_hits_wait_alerts_still_sound() {
    let bench = Bench::new();
    bench.store_does(Does::Fails(Kind::Storage));
    let wanted: Vec<String> = (0..400).map(|n| format!("9WAN{n:03}")).collect();
    bench.list("svs", &wanted.iter().map(String::as_str).collect::<Vec<_>>(), Priority::High);
    wanted.iter().for_each(|plate| bench.pass(plate));
    bench.wait_sounded(400);
    until("what is lost", || bench.counters.totals().lost_reads >= 400 - 257);
}

#[test]
fn a_blocked_subscriber_and_a_hanging_store_leave_matching_at_work() {
    let bench = Bench::new();
    // Subscribes, and never reads.
    let _blocked = bench.hub.subscribe();
    bench.store_does(Does::Hangs);
    let wanted: Vec<String> = (0..50).map(|n| format!("9WAN{n:03}")).collect();
    bench.list("svs", &wanted.iter().map(String::as_str).collect::<Vec<_>>(), Priority::High);
    for plate in &wanted {
        (0..10).for_each(|n| bench.pass(&format!("1AA{n}{}", &plate[4..])));
        bench.pass(plate);
    }
    bench.wait_sounded(50);
    bench.store_does(Does::Works);
    until("all reads", || bench.counters.totals().reads + bench.counters.totals().lost_reads == 550);
}

#[test]
fn a_plate_that_is_listed_while_the_vehicle_stands_in_view_alerts_without_another_frame() {
    let mut bench = Bench::new();
    let id = Uuid::now_v7();
    bench.grow(id, "6DEF128");
    // An officer enters it, or a list comes.
    bench.list("officers", &["6DEF128"], Priority::High);
    bench.wait_sounded(1);
    let Announcement::Hit { read, .. } = &*bench.next() else { panic!("no hit") };
    assert_eq!(read.id, id);
    // The list is exchanged under way for one with the same entry: nothing new.
    (0..20).for_each(|_| bench.list("officers", &["6DEF128"], Priority::High));
    bench.close(id, "6DEF128");
    assert_eq!(bench.next_read().hits.len(), 1);
    assert_eq!(bench.sounded(), 1);
}

#[test]
fn hits_of_a_pass_whose_version_gives_way_while_the_store_is_stuck_are_shown_all_the_same() {
    let mut bench = Bench::new();
    bench.store_does(Does::Fails(Kind::Storage));
    let wanted: Vec<String> = (0..300).map(|n| format!("9WAN{n:03}")).collect();
    bench.list("svs", &wanted.iter().map(String::as_str).collect::<Vec<_>>(), Priority::High);
    let id = Uuid::now_v7();
    bench.grow(id, &wanted[0]);
    bench.wait_sounded(1);
    wanted[1..].iter().for_each(|plate| bench.pass(plate));
    bench.wait_sounded(300);
    until("reads that gave way", || bench.counters.totals().lost_reads > 0);
    bench.close(id, &wanted[0]);
    bench.wait_taken();
    bench.store_does(Does::Works);
    let mut shown = 0;
    loop {
        match &*bench.next() {
            Announcement::Hit { read, .. } if read.id == id => shown += 1,
            Announcement::Read { read, .. } if read.id == id => break assert_eq!(read.hits.len(), 1),
            _ => {}
        }
    }
    assert_eq!(shown, 1);
}

#[test]
fn lists_exchanged_under_way_cost_no_alert() {
    let bench = Bench::new();
    let (lists, stop) = (bench.lists.clone(), Arc::new(AtomicBool::new(false)));
    let stopped = stop.clone();
    let exchange = std::thread::spawn(move || {
        let entries = || [entry(WANTED, "svs", Priority::High), entry("6DEF128", "svs", Priority::High)];
        while !stopped.load(Ordering::Relaxed) {
            lists.put(Source::memory("svs", entries(), Rules::default()));
        }
    });
    bench.grow(Uuid::now_v7(), WANTED);
    bench.grow(Uuid::now_v7(), "6DEF128");
    bench.wait_sounded(2);
    stop.store(true, Ordering::Relaxed);
    exchange.join().unwrap();
}

#[test]
fn a_track_that_flickers_between_two_texts_of_one_listed_plate_alerts_once() {
    let mut bench = Bench::new();
    let rules = MatchRules { keep_probability: 0.0, alert_probability: 0.0, ..MatchRules::default() };
    let wanted = [entry(WANTED, "svs", Priority::High)];
    bench.lists.put(Source::memory("svs", wanted, Rules::new(&rules)));
    let id = Uuid::now_v7();
    for text in [WANTED, "7A8C123", WANTED, "7A8C123"] {
        bench.grow(id, text);
    }
    bench.close(id, WANTED);
    let alerts: Vec<_> = bench.next_read().hits.iter().map(|hit| (hit.text.clone(), hit.alert)).collect();
    assert_eq!(alerts, [(WANTED.into(), Alerting::Sounded), ("7A8C123".into(), Alerting::Repeat)]);
    assert_eq!(bench.sounded(), 1);
}

// policy: P-05
#[test]
fn covert_entries_never_choose_the_chime_whether_the_store_writes_or_not() {
    let covert: Hotlist = toml::from_str("name = \"watch\"\ncovert = true\n").unwrap();
    for fault in [Does::Works, Does::Fails(Kind::Storage), Does::Fails(Kind::Damaged)] {
        let bench = Bench::with(std::slice::from_ref(&covert), 0);
        bench.list("svs", &[WANTED], Priority::Low);
        bench.list("watch", &[WANTED, "6DEF128"], Priority::High);
        bench.store_does(fault);
        bench.grow(Uuid::now_v7(), "6DEF128");
        bench.grow(Uuid::now_v7(), WANTED);
        bench.wait_sounded(1);
        until("the chime that no sound card plays", || !bench.chime.waiting().is_empty());
        assert_eq!(bench.chime.waiting(), [Priority::Low], "{fault:?}");
        // It is counted after it sounds; the covert one came before it.
        until("the alert to be counted", || bench.counters.totals().alerts > 0);
        assert_eq!(bench.counters.totals().alerts, 1);
    }
}
