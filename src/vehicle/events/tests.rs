use super::*;
use proptest::prelude::*;

const NOW: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(60);

/// What a subscriber does in the property test.
#[derive(Clone, Debug)]
enum Step {
    Publish(usize),
    Read(usize),
    CutOffAndResume(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..40usize).prop_map(Step::Publish),
        3 => (0..3usize).prop_map(Step::Read),
        1 => (0..3usize).prop_map(Step::CutOffAndResume),
    ]
}

proptest! {
    #[test]
    fn each_subscriber_has_every_event_in_order_or_is_told_how_many_it_missed(
        steps in proptest::collection::vec(step(), 0..200),
        max_events in 1..8usize,
        max_bytes in 0..150usize,
    ) {
        let hub = Hub::with_limits(max_events, max_bytes);
        let mut subscribers: Vec<_> = (0..3).map(|_| hub.resume(0)).collect();
        // What each had or was told to have missed, as a number of events.
        let mut accounted = [0u64; 3];
        let mut published = 0u64;
        let read = |subscriber: &mut Subscription<u64>, accounted: &mut u64| {
            let next = subscriber.next(NOW);
            match next {
                Next::Event(number, ref event) => {
                    prop_assert_eq!(number, *accounted + 1);
                    prop_assert_eq!(**event, number);
                    *accounted = number;
                }
                Next::Lagged(missed) => {
                    prop_assert!(missed > 0);
                    *accounted += missed;
                }
                Next::TimedOut | Next::Closed => {}
            }
            prop_assert_eq!(subscriber.last(), *accounted);
            Ok(next)
        };
        for step in steps {
            match step {
                Step::Publish(bytes) => {
                    published += 1;
                    prop_assert_eq!(hub.publish(published, bytes), published);
                    let kept = hub.shared.lock();
                    let size: usize = kept.events.iter().map(|(_, bytes)| bytes).sum();
                    prop_assert!(kept.events.len() <= max_events);
                    prop_assert!(size == kept.bytes && (size <= max_bytes || kept.events.len() == 1));
                }
                Step::Read(n) => {
                    if read(&mut subscribers[n], &mut accounted[n])? == Next::TimedOut {
                        prop_assert_eq!(accounted[n], published);
                    }
                }
                Step::CutOffAndResume(n) => subscribers[n] = hub.resume(subscribers[n].last()),
            }
        }
        hub.close();
        for n in 0..3 {
            while read(&mut subscribers[n], &mut accounted[n])? != Next::Closed {}
            prop_assert_eq!(accounted[n], published);
        }
    }
}

#[test]
fn who_subscribes_gets_what_comes_from_then_on_and_who_resumes_what_came_since() {
    let hub = Hub::default();
    for n in 1..=3 {
        hub.publish(n, 1);
    }
    let mut new = hub.subscribe();
    assert_eq!(new.next(NOW), Next::TimedOut);
    let mut old = hub.resume(2);
    assert_eq!(old.next(NOW), Next::Event(3, Arc::new(3)));
    hub.publish(4, 1);
    assert_eq!(new.next(NOW), Next::Event(4, Arc::new(4)));
    assert_eq!(hub.resume(1000).next(NOW), Next::Event(1, Arc::new(1)), "a number of an earlier run");
}

#[test]
fn a_subscriber_that_reads_nothing_is_no_load_and_learns_how_many_it_missed() {
    let hub = Hub::with_limits(4, usize::MAX);
    let mut blocked = hub.subscribe();
    // More than would ever fit into a queue of its own.
    for n in 1..=100_000u64 {
        hub.publish(n, 1);
    }
    assert_eq!(blocked.next(NOW), Next::Lagged(99_996));
    assert_eq!(blocked.next(NOW), Next::Event(99_997, Arc::new(99_997)));
}

#[test]
fn a_waiting_subscriber_wakes_with_the_event_and_with_the_end() {
    let hub = Hub::default();
    let mut waiting = hub.subscribe();
    let thread = std::thread::spawn(move || [waiting.next(LONG), waiting.next(LONG)]);
    hub.publish(7, 1);
    hub.close();
    assert_eq!(thread.join().unwrap(), [Next::Event(1, Arc::new(7)), Next::Closed]);
}
