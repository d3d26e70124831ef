//! Passes that are over before all lists are in the matching.

use super::*;
use plated_core::clock::{ManualClock, Moment};

#[test]
fn a_vehicle_that_passed_before_its_list_was_ready_alerts_when_it_is_and_its_read_is_sealed_then() {
    let mut bench = Bench::new();
    bench.lists_ready.store(false, Ordering::Relaxed);
    let (wanted, other) = (Uuid::now_v7(), Uuid::now_v7());
    bench.close(wanted, "6DEF128");
    bench.close(other, "4KLM567");
    until("both reads to be durable", || reads(&bench.store, 10).len() == 2);
    assert_eq!(bench.store.stats().unwrap().open, 2, "not sealed yet");
    bench.list("big", &["6DEF128"], Priority::High);
    bench.wait_sounded(1);
    let Announcement::Hit { read, hit, .. } = &*bench.next() else { panic!("no hit") };
    assert_eq!((read.id, hit.alert), (wanted, Alerting::Sounded));
    bench.lists_ready.store(true, Ordering::Relaxed);
    let sealed = [bench.next_read(), bench.next_read()];
    assert_eq!(sealed.each_ref().map(|r| (r.id, r.hits.len())), [(wanted, 1), (other, 0)]);
    assert!(sealed.iter().all(|r| r.images.len() == 2));
    // From then on nothing is held.
    bench.pass("1AAA111");
    bench.next_read();
    let (_dir, _, store) = bench.end();
    let stats = store.stats().unwrap();
    assert_eq!((stats.open, stats.reads), (0, 3));
}

#[test]
fn few_passes_are_held_for_lists_that_are_not_ready_and_the_end_of_the_daemon_seals_them() {
    let mut bench = Bench::new();
    bench.lists_ready.store(false, Ordering::Relaxed);
    let ids: Vec<Uuid> = (0..passes::MAX_HELD + 4).map(|_| Uuid::now_v7()).collect();
    ids.iter().enumerate().for_each(|(n, id)| bench.close(*id, &format!("1AAA{n:03}")));
    // Which of them comes first depends on what had been written when it was sealed.
    let mut sealed: Vec<Uuid> = (0..4).map(|_| bench.next_read().id).collect();
    sealed.sort();
    assert_eq!(sealed, ids[..4], "the oldest are sealed");
    until("all to be durable", || reads(&bench.store, usize::MAX).len() == ids.len());
    assert_eq!(bench.store.stats().unwrap().open as usize, passes::MAX_HELD);
    let (_dir, counters, store) = bench.end();
    assert_eq!((counters.totals().lost_reads, store.stats().unwrap().open), (0, 0));
    assert!(ids.iter().all(|id| reads(&store, usize::MAX).iter().any(|r| r.id == *id)));
}

#[test]
fn a_list_that_never_gets_ready_holds_no_pass_for_long_and_after_a_while_none() {
    let clock = Arc::new(ManualClock::at(at()));
    let settings = Arc::new(ListSettings::new(&[], TimeZone::UTC));
    let mut passes = Passes::new(matching(&Arc::default(), &Arc::default(), settings, clock.clone()));
    let first = track(Uuid::now_v7(), "1AAA111");
    passes.closed(&first);
    assert!(passes.hold(&first));
    clock.advance(passes::MAX_HOLD / 2);
    let second = track(Uuid::now_v7(), "2BBB222");
    passes.closed(&second);
    assert!(passes.hold(&second) && passes.release(false).is_empty());
    clock.advance(passes::MAX_HOLD / 2);
    assert_eq!(passes.release(false).iter().map(|p| p.read.id).collect::<Vec<_>>(), [first.id]);
    clock.advance(passes::HOLDING_PERIOD);
    assert!(passes.lists_are_ready());
    assert_eq!(passes.release(false).iter().map(|p| p.read.id).collect::<Vec<_>>(), [second.id]);
}

#[test]
fn a_read_that_is_too_unsure_to_be_matched_is_not_held() {
    let mut bench = Bench::new();
    bench.lists_ready.store(false, Ordering::Relaxed);
    let unsure = TrackRead { ready: false, ..track(Uuid::now_v7(), WANTED) };
    bench.tracker.as_ref().unwrap().send(Event::Closed(Box::new(unsure))).unwrap();
    assert_eq!(bench.next_read().hits, []);
}

/// Fails by a defect at one match, once.
struct FaultyClock {
    clock: ManualClock,
    /// Matches until then, from 1.
    left: AtomicU64,
}

impl Clock for FaultyClock {
    fn wall(&self) -> Timestamp {
        self.clock.wall()
    }
    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
    fn moment(&self) -> Moment {
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(1), Ordering::Relaxed);
        assert!(left != 1, "the fault of the test");
        self.clock.moment()
    }
}

#[test]
fn a_defect_at_one_vehicle_in_view_takes_the_alert_of_no_other_and_its_own_comes_later() {
    let clock = Arc::new(FaultyClock { clock: ManualClock::at(at()), left: AtomicU64::new(0) });
    let settings = Arc::new(ListSettings::new(&[], TimeZone::UTC));
    let lists = Arc::new(Lists::default());
    let mut passes = Passes::new(matching(&lists, &Arc::default(), settings, clock.clone()));
    let plates = ["1AAA111", "2BBB222", "3CCC333"];
    let ids = plates.map(|plate| {
        let read = track(Uuid::now_v7(), plate);
        passes.closed(&read);
        assert!(passes.hold(&read));
        read.id
    });
    let list = |name: &str| {
        let entries = plates.iter().map(|plate| entry(plate, name, Priority::High));
        lists.put(Source::memory(name, entries, Rules::default()));
    };
    let found = |passes: &mut Passes| -> Vec<Uuid> {
        let all = passes.match_again();
        assert!(all.iter().all(|(_, new)| new.iter().any(|(hit, _)| hit.alert == Alerting::Sounded)));
        all.into_iter().map(|(read, _)| read.id).collect()
    };
    list("svs");
    clock.left.store(2, Ordering::Relaxed);
    assert_eq!(found(&mut passes), [ids[0], ids[2]]);
    // A list that changes has all matched again; the others have nothing new.
    list("svs");
    assert_eq!(found(&mut passes), [ids[1]]);
}
