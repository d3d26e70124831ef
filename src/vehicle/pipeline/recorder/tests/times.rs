//! Times of reads that were made before the clock was set right.

use super::*;
use plated_core::clock::{ManualClock, Moment, TrustedClock};

/// A pass by this clock: what it was at its begin, and what it is now.
fn timed(id: Uuid, began: Moment, now: Moment) -> Box<TrackRead> {
    let mut read = track(id, WANTED);
    (read.first_seen, read.last_seen) = (began.wall, now.wall);
    (read.best.at, read.sightings[0].at) = (began.wall, now.wall);
    read.clock_trusted = began.trusted && now.trusted;
    Box::new(read)
}

#[test]
fn a_read_of_before_the_clock_was_set_right_gets_its_time_unless_it_is_sealed_and_says_so_either_way() {
    let second = Duration::from_secs(1);
    let system = Arc::new(ManualClock::at("1970-01-01T00:00:00Z".parse().unwrap()));
    let clock = TrustedClock::over(system.clone());
    let mut bench = Bench::by(clock.clone(), &[], 0);
    let send = |event| bench.tracker.as_ref().unwrap().send(event).unwrap();
    let began = clock.moment();
    let [sealed, open, waits] = [0; 3].map(|_| plated_core::clock::id_at(began.wall));
    system.advance(second);
    send(Event::Closed(timed(sealed, began, clock.moment())));
    send(Event::Growing(timed(open, began, clock.moment())));
    let first = bench.next_read();
    assert_eq!((first.id, first.clock), (sealed, Some(ClockMark::NotTrusted)));
    assert!(first.first_seen >= plated_core::clock::BUILT && first.last_seen == first.first_seen + second);
    until("the pass that goes on", || reads(&bench.store, 9).iter().any(|read| read.id == open));
    bench.store_does(Does::Fails(Kind::Storage));
    let met = bench.met.load(Ordering::Relaxed);
    bench.tracker.as_ref().unwrap().send(Event::Closed(timed(waits, began, clock.moment()))).unwrap();
    until("the read that waits", || bench.met.load(Ordering::Relaxed) > met);
    let right: Timestamp = "2027-03-01T12:00:10Z".parse().unwrap();
    system.advance(9 * second);
    system.jump_to(right);
    assert_eq!(clock.check().unwrap().doubt, None);
    bench.store_does(Does::Works);
    bench.tracker.as_ref().unwrap().send(Event::Closed(timed(open, began, clock.moment()))).unwrap();
    for _ in 0..2 {
        let read = bench.next_read();
        let last = if read.id == open { right } else { right - 9 * second };
        assert_eq!((read.first_seen, read.last_seen), (right - 10 * second, last));
        assert_eq!((read.best.at, read.sightings[0].at), (read.first_seen, read.last_seen));
        assert!(read.hits.iter().all(|hit| hit.at >= read.first_seen && hit.at <= read.last_seen), "{read:?}");
        assert_eq!(read.clock, Some(ClockMark::Corrected));
    }
    bench.tracker.as_ref().unwrap().send(Event::Closed(timed(Uuid::now_v7(), clock.moment(), clock.moment()))).unwrap();
    assert_eq!(bench.next_read().clock, None, "one that was made since needs no mark");
    let of_its_own = Moment { wall: "2020-01-01T00:00:00Z".parse().unwrap(), trusted: false, ..clock.moment() };
    bench.tracker.as_ref().unwrap().send(Event::Closed(timed(Uuid::now_v7(), of_its_own, of_its_own))).unwrap();
    let read = bench.next_read();
    let unchanged = (of_its_own.wall, Some(ClockMark::NotTrusted));
    assert_eq!((read.first_seen, read.clock), unchanged, "the mark stays where no time was corrected");
    let (_dir, _, store) = bench.end();
    let kept = reads(&store, 10).into_iter().find(|read| read.id == sealed).unwrap();
    assert_eq!(kept, first, "what is sealed stays as it is");
}
