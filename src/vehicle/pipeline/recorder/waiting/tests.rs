use super::super::tests::{hit, pending};
use super::*;
use plated_core::record::HitRecord;
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

/// What happens to one read after the other in the model.
#[derive(Clone, Debug)]
enum Event {
    New {
        hit: bool,
        open: bool,
    },
    /// A newer version of an open read.
    Again {
        of: usize,
        hit: bool,
        open: bool,
    },
    Take {
        hits_only: bool,
    },
    /// The store took what was taken from the queue.
    Kept,
    Failed {
        soon: bool,
    },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (any::<bool>(), any::<bool>()).prop_map(|(hit, open)| Event::New { hit, open }),
        3 => (any::<usize>(), any::<bool>(), any::<bool>()).prop_map(|(of, hit, open)| Event::Again { of, hit, open }),
        2 => any::<bool>().prop_map(|hits_only| Event::Take { hits_only }),
        1 => Just(Event::Kept),
        1 => any::<bool>().prop_map(|soon| Event::Failed { soon }),
    ]
}

/// Reads as the recorder has them, and what was announced of each.
#[derive(Default)]
struct Model {
    /// Key, hits up to now, and whether its pass goes on.
    reads: Vec<(Uuid, Vec<Uuid>, bool)>,
    announced: Vec<(Uuid, Uuid)>,
    /// Hits that were to be announced by reads that gave way.
    lost: HashSet<Uuid>,
}

impl Model {
    /// The newest version of a read, with a new hit if it has one.
    fn version(&mut self, of: usize, has_new_hit: bool) -> Pending {
        let (id, hits, open) = &mut self.reads[of];
        let mut read = pending(*id, false, *open);
        read.new.record.hits = hits.iter().map(|id| HitRecord { id: *id, ..hit("7ABC123") }).collect();
        if has_new_hit {
            let new = hit("7ABC123");
            hits.push(new.id);
            read.new.record.hits.push(new.clone());
            read.announce.push((new, true));
        }
        read
    }

    fn gave_way(&mut self, gone: Option<Pending>) {
        let Some(gone) = gone else { return };
        assert!(!gone.new.open || gone.announce.is_empty() || gone.without_pictures, "only pictures may give way");
        self.lost.extend(gone.announce.iter().map(|(hit, _)| hit.id));
    }

    fn kept(&mut self, read: Option<Pending>) {
        let Some(read) = read else { return };
        for (hit, _) in &read.announce {
            assert!(read.new.record.hits.iter().any(|h| h.id == hit.id), "what is announced is in the record");
            self.announced.push((read.id(), hit.id));
        }
    }
}

proptest! {
    #[test]
    fn every_hit_is_announced_once_in_its_order_unless_its_final_read_gave_way(
        events in proptest::collection::vec(event(), 0..120),
        max in 1..5usize,
    ) {
        let (mut queue, mut model, mut taken) = (Queue::new(max), Model::default(), None);
        for event in events {
            match event {
                Event::New { hit, open } => {
                    model.reads.push((Uuid::now_v7(), Vec::new(), open));
                    let read = model.version(model.reads.len() - 1, hit);
                    model.gave_way(queue.push(read));
                }
                Event::Again { of, hit, open } => {
                    let going_on: Vec<usize> = (0..model.reads.len()).filter(|n| model.reads[*n].2).collect();
                    if let Some(n) = going_on.get(of % going_on.len().max(1)) {
                        model.reads[*n].2 = open;
                        let read = model.version(*n, hit);
                        model.gave_way(queue.push(read));
                    }
                }
                Event::Take { hits_only } if taken.is_none() => taken = queue.take(hits_only),
                Event::Take { .. } => {}
                Event::Kept => model.kept(taken.take()),
                Event::Failed { soon } => {
                    if let Some(read) = taken.take() {
                        model.gave_way(queue.put_back(read, soon));
                    }
                }
            }
            let with_pictures = queue.with_pictures();
            prop_assert!(with_pictures <= max && queue.reads.len() - with_pictures <= max);
        }
        model.kept(taken.take());
        while let Some(read) = queue.take(false) {
            model.kept(Some(read));
        }
        for (id, hits, _) in &model.reads {
            let expected: Vec<Uuid> = hits.iter().copied().filter(|hit| !model.lost.contains(hit)).collect();
            let announced: Vec<Uuid> = model.announced.iter().filter(|(of, _)| of == id).map(|(_, hit)| *hit).collect();
            prop_assert_eq!(announced, expected);
        }
    }
}

#[test]
fn the_closed_read_takes_the_place_of_the_open_one_and_still_announces_its_hits() {
    let mut queue = Queue::new(8);
    let id = Uuid::now_v7();
    let mut open = pending(id, true, true);
    let announced = hit("7ABC123");
    open.announce = vec![(announced.clone(), true)];
    queue.push(open);
    queue.push(pending(Uuid::now_v7(), false, false));
    let mut closed = pending(id, true, false);
    closed.announce = vec![(hit("7A8C123"), true)];
    queue.push(closed);
    let first = queue.take(false).unwrap();
    assert_eq!((first.id(), first.new.open, first.announce.len()), (id, false, 2));
    assert_eq!(first.announce[0].0, announced);
    assert_eq!(queue.reads.len(), 1);
    // It failed, and the same read came meanwhile: the newer content stays, and what was to be announced.
    let newer = pending(id, true, false);
    queue.push(newer);
    queue.put_back(first, true);
    let again = queue.reads.iter().find(|r| r.id() == id).unwrap();
    assert_eq!(again.announce.len(), 2);
    assert_eq!(queue.reads.len(), 2);
}

#[test]
fn of_an_open_pass_that_gives_way_the_hits_go_over_to_its_next_version_or_are_announced_without_pictures() {
    for comes_again in [true, false] {
        let mut queue = Queue::new(2);
        let id = Uuid::now_v7();
        let mut open = pending(id, true, true);
        let found = hit("7ABC123");
        open.announce = vec![(found.clone(), true)];
        queue.push(open);
        // Until the store works again only reads with hits come.
        let gone = (0..3).filter_map(|_| queue.push(pending(Uuid::now_v7(), true, false))).count();
        assert_eq!(gone, 1);
        if comes_again {
            queue.push(pending(id, true, false));
        }
        let reads: Vec<Pending> = std::iter::from_fn(|| queue.take(false)).collect();
        let read = reads.iter().find(|r| r.id() == id).unwrap();
        assert_eq!((read.new.open, read.without_pictures), (!comes_again, !comes_again));
        assert_eq!(read.announce, [(found, true)]);
    }
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

#[test]
fn a_hit_that_waited_since_before_the_clock_was_set_right_is_shown_as_the_newer_read_has_it() {
    let id = Uuid::now_v7();
    let (mut older, mut newer) = (pending(id, true, true), pending(id, true, false));
    let right = older.new.record.hits[0].clone();
    let wrong = HitRecord { at: "1970-01-01T00:00:00Z".parse().unwrap(), kept_late: true, ..right.clone() };
    older.new.record.hits = vec![wrong.clone()];
    older.announce = vec![(wrong, true)];
    newer.new.record.hits = vec![right.clone()];
    newer.replaces(older);
    assert_eq!(newer.announce, [(HitRecord { kept_late: true, ..right }, true)], "once, and as late as it was");
}
