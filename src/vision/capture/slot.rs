//! Where frames wait for recognition: one slot for each source, which holds the newest only.
//!
//! Bounded by construction: one frame a source. A frame that was not taken before the next one
//! came is dropped and counted.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// The slots of all sources, so that a worker can wait for whichever has a frame.
#[derive(Debug)]
pub struct Inbox<T> {
    state: Mutex<Slots<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct Slots<T> {
    slots: Vec<Slot<T>>,
    /// The source that is looked at first, so that a fast one does not starve the others.
    turn: usize,
    closed: bool,
}

#[derive(Debug)]
struct Slot<T> {
    item: Option<T>,
    ended: bool,
    dropped: u64,
    taken: u64,
}

/// What waiting for an item came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Take<T> {
    /// The newest item of a source.
    Item {
        /// Index of the source.
        source: usize,
        /// 0, 1, 2, … in the order in which this source's items were taken.
        ticket: u64,
        /// The item.
        item: T,
    },
    /// Nothing came in time.
    TimedOut,
    /// Nothing will come any more.
    AllEnded,
}

impl<T> Inbox<T> {
    /// Empty slots for so many sources.
    pub fn new(sources: usize) -> Self {
        let slots = (0..sources).map(|_| Slot { item: None, ended: false, dropped: 0, taken: 0 }).collect();
        Self { state: Mutex::new(Slots { slots, turn: 0, closed: false }), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Slots<T>> {
        // No code that can panic runs under the lock, so what it guards is whole.
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Puts an item in place of the one that waits, which is dropped and counted. Never waits.
    /// False once closed.
    pub fn put(&self, source: usize, item: T) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        let slot = &mut state.slots[source];
        if slot.item.replace(item).is_some() {
            slot.dropped += 1;
        }
        drop(state);
        self.changed.notify_all();
        true
    }

    /// Waits until the slot is free, so that nothing is dropped. False once closed.
    pub fn put_wait(&self, source: usize, item: T) -> bool {
        let mut state = self.lock();
        while !state.closed && state.slots[source].item.is_some() {
            state = self.changed.wait(state).unwrap_or_else(|e| e.into_inner());
        }
        if state.closed {
            return false;
        }
        state.slots[source].item = Some(item);
        drop(state);
        self.changed.notify_all();
        true
    }

    /// Waits at most `timeout` for an item of any source, each source in its turn.
    pub fn take(&self, timeout: Duration) -> Take<T> {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        loop {
            if state.closed {
                return Take::AllEnded;
            }
            let count = state.slots.len();
            for step in 0..count {
                let source = (state.turn + step) % count;
                let slot = &mut state.slots[source];
                if let Some(item) = slot.item.take() {
                    let ticket = slot.taken;
                    slot.taken += 1;
                    state.turn = (source + 1) % count;
                    drop(state);
                    self.changed.notify_all();
                    return Take::Item { source, ticket, item };
                }
            }
            if state.slots.iter().all(|s| s.ended) {
                return Take::AllEnded;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Take::TimedOut;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(|e| e.into_inner()).0;
        }
    }

    /// Whether an item of any source waits.
    pub fn has_waiting(&self) -> bool {
        self.lock().slots.iter().any(|slot| slot.item.is_some())
    }

    /// Items of all sources that were taken.
    pub fn taken(&self) -> u64 {
        self.lock().slots.iter().map(|slot| slot.taken).sum()
    }

    /// Says that a source puts nothing any more. What it put last can still be taken.
    pub fn end(&self, source: usize) {
        self.lock().slots[source].ended = true;
        self.changed.notify_all();
    }

    /// Items of a source that were replaced before anybody took them.
    pub fn dropped(&self, source: usize) -> u64 {
        self.lock().slots[source].dropped
    }

    /// Ends everything: waiting items are let go, and everybody who waits returns at once.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.slots.iter_mut().for_each(|s| s.item = None);
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until every source has ended, at most `time`; false when some have not.
    pub fn wait_ended(&self, time: Duration) -> bool {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, time, |s| !s.slots.iter().all(|s| s.ended));
        !waited.unwrap_or_else(|e| e.into_inner()).1.timed_out()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::sync::Arc;

    const NOW: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_slow_source_gets_its_turn_beside_a_fast_one() {
        let inbox = Inbox::new(2);
        inbox.put(0, "fast 1");
        inbox.put(1, "slow");
        assert!(matches!(inbox.take(NOW), Take::Item { source: 0, .. }));
        inbox.put(0, "fast 2");
        assert!(matches!(inbox.take(NOW), Take::Item { source: 1, .. }));
    }

    #[test]
    fn putting_with_waiting_loses_none_and_keeps_the_order() {
        let inbox = Arc::new(Inbox::new(1));
        let putter = Arc::clone(&inbox);
        let thread = std::thread::spawn(move || {
            (0..500).for_each(|i| assert!(putter.put_wait(0, i)));
            putter.end(0);
        });
        let mut seen = Vec::new();
        while let Take::Item { item, ticket, .. } = inbox.take(LONG) {
            assert_eq!(ticket, item);
            seen.push(item);
        }
        thread.join().unwrap();
        assert_eq!(seen, (0..500).collect::<Vec<_>>());
        assert_eq!(inbox.dropped(0), 0);
    }

    #[test]
    fn closing_ends_every_wait_at_once() {
        let inbox = Arc::new(Inbox::new(1));
        inbox.put(0, ());
        let waiting = Arc::clone(&inbox);
        let other = std::thread::spawn(move || waiting.put_wait(0, ()));
        inbox.close();
        assert!(!other.join().unwrap());
        assert_eq!(inbox.take(LONG), Take::AllEnded);
        assert!(!inbox.put(0, ()));
    }

    #[derive(Clone, Debug)]
    enum Op {
        Put(usize),
        Take,
        End(usize),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![4 => (0..3usize).prop_map(Op::Put), 3 => Just(Op::Take), 1 => (0..3usize).prop_map(Op::End)]
    }

    proptest! {
        /// Against a model: the newest item of each source, and a count of those it replaced.
        #[test]
        fn the_newest_wins_and_every_drop_is_counted(ops in proptest::collection::vec(op(), 0..80)) {
            let inbox = Inbox::new(3);
            let mut waiting: HashMap<usize, u32> = HashMap::new();
            let (mut dropped, mut taken, mut ended) = ([0u64; 3], [0u64; 3], [false; 3]);
            for (n, op) in ops.into_iter().enumerate() {
                match op {
                    Op::Put(s) if ended[s] => {}
                    Op::Put(s) => {
                        prop_assert!(inbox.put(s, n as u32));
                        dropped[s] += u64::from(waiting.insert(s, n as u32).is_some());
                    }
                    Op::End(s) => {
                        inbox.end(s);
                        ended[s] = true;
                    }
                    Op::Take => match inbox.take(NOW) {
                        Take::Item { source, ticket, item } => {
                            prop_assert_eq!(waiting.remove(&source), Some(item));
                            prop_assert_eq!(ticket, taken[source]);
                            taken[source] += 1;
                        }
                        other => {
                            prop_assert!(waiting.is_empty());
                            let all = ended.iter().all(|e| *e);
                            prop_assert_eq!(other, if all { Take::AllEnded } else { Take::TimedOut });
                        }
                    },
                }
                for (s, d) in dropped.iter().enumerate() {
                    prop_assert_eq!(inbox.dropped(s), *d);
                }
            }
        }
    }
}
