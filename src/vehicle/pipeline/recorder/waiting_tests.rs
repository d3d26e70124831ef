use super::super::tests::{hit, pending};
use super::*;
use proptest::prelude::*;
use std::collections::HashSet;
use uuid::Uuid;

/// What happens to the queue in the property test.
#[derive(Clone, Debug)]
enum Step {
    /// A read comes, with a hit or without, of a pass that is over or not.
    Push {
        has_hit: bool,
        open: bool,
    },
    /// The newest version of a read that came before.
    Again(usize),
    Take {
        hits_only: bool,
    },
    /// The store failed at the read that was taken last.
    PutBack {
        soon: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<bool>(), any::<bool>()).prop_map(|(has_hit, open)| Step::Push { has_hit, open }),
        2 => any::<usize>().prop_map(Step::Again),
        2 => any::<bool>().prop_map(|hits_only| Step::Take { hits_only }),
        1 => any::<bool>().prop_map(|soon| Step::PutBack { soon }),
    ]
}

fn ids(queue: &Queue) -> Vec<Uuid> {
    queue.reads.iter().map(Pending::id).collect()
}

proptest! {
    #[test]
    fn reads_without_a_hit_give_way_first_the_oldest_first_and_nothing_else_is_lost(
        steps in proptest::collection::vec(step(), 0..80),
        max in 1..6usize,
    ) {
        let mut queue = Queue::new(max);
        let (mut came, mut gone, mut taken) = (Vec::new(), HashSet::new(), Vec::<Pending>::new());
        for step in steps {
            let before: Vec<(Uuid, bool)> = queue.reads.iter().map(|r| (r.id(), r.has_hit())).collect();
            let gave_way = match step {
                Step::Push { has_hit, open } => {
                    let read = pending(Uuid::now_v7(), has_hit, open);
                    came.push(read.id());
                    let id = read.id();
                    let gave_way = queue.push(read);
                    if let Some(gave_way) = &gave_way {
                        let all = before.iter().copied().chain([(id, has_hit)]);
                        let expected = all.clone().find(|(_, hit)| !hit).or(all.clone().next());
                        prop_assert_eq!(Some((gave_way.id(), gave_way.has_hit())), expected);
                    }
                    gave_way
                }
                Step::Again(n) if !queue.reads.is_empty() => {
                    let (id, has_hit) = before[n % before.len()];
                    let gave_way = queue.push(pending(id, has_hit, false));
                    prop_assert!(gave_way.is_none());
                    prop_assert_eq!(ids(&queue), before.iter().map(|(id, _)| *id).collect::<Vec<_>>());
                    None
                }
                Step::Take { hits_only } => {
                    if let Some(read) = queue.take(hits_only) {
                        prop_assert!(read.has_hit() || (!hits_only && before.iter().all(|(_, hit)| !hit)));
                        taken.push(read);
                    } else {
                        prop_assert!(before.is_empty() || hits_only);
                    }
                    None
                }
                Step::PutBack { soon } => taken.pop().and_then(|read| queue.put_back(read, soon)),
                Step::Again(_) => None,
            };
            prop_assert!(queue.reads.len() <= max);
            if let Some(gave_way) = gave_way {
                prop_assert!(!gave_way.has_hit() || queue.reads.iter().all(Pending::has_hit));
                gone.insert(gave_way.id());
            }
            let waiting = ids(&queue);
            let once: HashSet<Uuid> = waiting.iter().copied().collect();
            prop_assert_eq!(once.len(), waiting.len(), "each read waits once");
            for id in &came {
                let somewhere = once.contains(id) || gone.contains(id) || taken.iter().any(|r| r.id() == *id);
                prop_assert!(somewhere);
            }
        }
    }
}

#[test]
fn the_closed_read_takes_the_place_of_the_open_one_and_still_tells_of_its_hits() {
    let mut queue = Queue::new(8);
    let id = Uuid::now_v7();
    let mut open = pending(id, true, true);
    let told = hit("7ABC123");
    open.hits = vec![(told.clone(), true)];
    queue.push(open);
    queue.push(pending(Uuid::now_v7(), false, false));
    let mut closed = pending(id, true, false);
    closed.hits = vec![(hit("7A8C123"), true)];
    queue.push(closed);
    let first = queue.take(false).unwrap();
    assert_eq!((first.id(), first.new.open, first.hits.len()), (id, false, 2));
    assert_eq!(first.hits[0].0, told);
    assert_eq!(queue.reads.len(), 1);
    // It failed, and the same read came meanwhile: the newer content stays, and what was to be told.
    let newer = pending(id, true, false);
    queue.push(newer);
    queue.put_back(first, true);
    let again = queue.reads.iter().find(|r| r.id() == id).unwrap();
    assert_eq!(again.hits.len(), 2);
    assert_eq!(queue.reads.len(), 2);
}

#[test]
fn a_read_that_the_store_fails_at_does_not_keep_others_from_it() {
    let mut queue = Queue::new(8);
    let mut bad = pending(Uuid::now_v7(), true, false);
    bad.failed = 1;
    queue.push(bad);
    let good = pending(Uuid::now_v7(), false, false);
    let id = good.id();
    queue.push(good);
    assert_eq!(queue.take(false).unwrap().id(), id);
    assert!(queue.take(false).unwrap().has_hit());
}
