//! What the vehicle makes known: a bounded, numbered broadcast.
//!
//! The recorder publishes, everybody else subscribes: the terminal today, the console later. A
//! publisher never waits for a subscriber. The hub keeps the newest events; a subscriber that is
//! slower than that learns how many it missed and goes on with the oldest that is left. Events are
//! numbered from 1 in the order in which they were published, so that who was cut off resumes after
//! the last number it had.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Events that are kept for subscribers.
pub const MAX_EVENTS: usize = 256;
/// Bytes that the kept events may take together; pictures make most of it. The newest is kept
/// whatever its size.
pub const MAX_BYTES: usize = 8 << 20;

/// The place where events of type `T` are published. Clones are the same hub.
#[derive(Debug)]
pub struct Hub<T> {
    shared: Arc<Shared<T>>,
}

/// What a subscriber meets next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<T> {
    /// An event and its number.
    Event(u64, Arc<T>),
    /// So many events are gone that this subscriber has not had; it goes on with the oldest one left.
    Lagged(u64),
    /// Nothing was published in the time given.
    TimedOut,
    /// Everything was had, and nothing will be published any more.
    Closed,
}

/// A subscriber's own place in the events.
#[derive(Debug)]
pub struct Subscription<T> {
    shared: Arc<Shared<T>>,
    /// Number of the last event it had, or was told that it missed.
    last: u64,
}

#[derive(Debug)]
struct Shared<T> {
    kept: Mutex<Kept<T>>,
    published: Condvar,
    max_events: usize,
    max_bytes: usize,
}

#[derive(Debug)]
struct Kept<T> {
    /// Oldest first, with the size of each.
    events: VecDeque<(Arc<T>, usize)>,
    bytes: usize,
    /// Number of the newest event; 0 before the first.
    newest: u64,
    closed: bool,
}

impl<T> Clone for Hub<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Default for Hub<T> {
    fn default() -> Self {
        Self::with_limits(MAX_EVENTS, MAX_BYTES)
    }
}

impl<T> Hub<T> {
    /// A hub that keeps at most `max_events` events of together at most `max_bytes`.
    pub fn with_limits(max_events: usize, max_bytes: usize) -> Self {
        let kept = Kept { events: VecDeque::new(), bytes: 0, newest: 0, closed: false };
        let shared =
            Shared { kept: Mutex::new(kept), published: Condvar::new(), max_events: max_events.max(1), max_bytes };
        Self { shared: Arc::new(shared) }
    }

    /// Publishes an event of this size in bytes and gives its number. It waits for nobody.
    pub fn publish(&self, event: T, bytes: usize) -> u64 {
        let mut kept = self.shared.lock();
        kept.events.push_back((Arc::new(event), bytes));
        kept.bytes += bytes;
        kept.newest += 1;
        while kept.events.len() > 1
            && (kept.events.len() > self.shared.max_events || kept.bytes > self.shared.max_bytes)
        {
            let gone = kept.events.pop_front().map_or(0, |(_, bytes)| bytes);
            kept.bytes -= gone;
        }
        let number = kept.newest;
        drop(kept);
        self.shared.published.notify_all();
        number
    }

    /// A subscriber to what is published from here on.
    pub fn subscribe(&self) -> Subscription<T> {
        let last = self.shared.lock().newest;
        Subscription { shared: Arc::clone(&self.shared), last }
    }

    /// A subscriber that had everything up to the event `last`, 0 for nothing. A number that was
    /// never given, of an earlier run for instance, resumes at the oldest event that is kept.
    pub fn resume(&self, last: u64) -> Subscription<T> {
        let newest = self.shared.lock().newest;
        Subscription { shared: Arc::clone(&self.shared), last: if last > newest { 0 } else { last } }
    }

    /// Nothing will be published any more: subscribers get what is kept, and then their end.
    pub fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.published.notify_all();
    }
}

impl<T> Subscription<T> {
    /// The next event. Waits for it as long as `patience`.
    pub fn next(&mut self, patience: Duration) -> Next<T> {
        let deadline = Instant::now() + patience;
        let mut kept = self.shared.lock();
        loop {
            if self.last < kept.newest {
                // Number of the last event that is gone.
                let gone = kept.newest - kept.events.len() as u64;
                if self.last < gone {
                    let missed = gone - self.last;
                    self.last = gone;
                    return Next::Lagged(missed);
                }
                if let Some((event, _)) = kept.events.get((self.last - gone) as usize) {
                    self.last += 1;
                    return Next::Event(self.last, Arc::clone(event));
                }
            }
            if kept.closed {
                return Next::Closed;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::TimedOut;
            }
            kept = self.shared.published.wait_timeout(kept, left).unwrap_or_else(|e| e.into_inner()).0;
        }
    }

    /// Number of the last event it had or missed: what to resume after.
    pub fn last(&self) -> u64 {
        self.last
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Kept<T>> {
        self.kept.lock().unwrap_or_else(|e| e.into_inner())
    }
}
