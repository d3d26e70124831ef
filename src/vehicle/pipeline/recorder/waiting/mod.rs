//! Reads that wait for the store: few, those with a hit first.

use super::pending::Pending;
use crate::pipeline::counters::Counters;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Reads that may wait, pictures and all: some 50 MiB. As many open ones may wait without pictures.
pub const MAX_WAITING: usize = 256;
/// How often lost reads are reported.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// A store that has taken no read for this long is not waited for any more.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// The queue between the recorder and the keeper. The recorder waits for room only where all sources are
/// recordings that are played as fast as they can be read: they can wait, and a road can't.
pub struct Waiting {
    may_wait: bool,
    state: Mutex<State>,
    changed: Condvar,
    counters: Arc<Counters>,
}

struct State {
    reads: Queue,
    /// The keeper writes one.
    is_written: bool,
    /// No read will come any more.
    ended: bool,
    lost: Lost,
    /// When the store last took a read.
    last_kept: Instant,
}

/// Reads that gave way and were not reported yet.
#[derive(Default)]
struct Lost {
    with_hit: u64,
    without: u64,
    reported: Option<Instant>,
}

/// What the keeper is to do next.
pub enum Next {
    /// Write this read.
    Write(Box<Pending>),
    /// Nothing can be written for now.
    TimedOut,
    /// All is written, and no more will come.
    Ended,
}

impl Waiting {
    /// `may_wait`: the recorder may be held up while the store takes reads, so that none is lost.
    pub fn new(counters: Arc<Counters>, may_wait: bool) -> Self {
        let (reads, lost) = (Queue::new(MAX_WAITING), Lost::default());
        let state = State { reads, is_written: false, ended: false, lost, last_kept: Instant::now() };
        Self { may_wait, state: Mutex::new(state), changed: Condvar::new(), counters }
    }

    /// Reads that wait.
    pub fn len(&self) -> usize {
        self.lock().reads.reads.len()
    }

    /// Whether none waits, and none is being written.
    pub fn is_kept(&self) -> bool {
        let state = self.lock();
        state.reads.reads.is_empty() && !state.is_written
    }

    /// A read to be kept. When no more can wait, one gives way; where all sources may wait, not before
    /// the store has stood still for a while.
    pub fn push(&self, read: Pending) {
        let mut state = self.lock();
        while self.may_wait && state.reads.is_full() && state.last_kept.elapsed() < STUCK_AFTER {
            state = self.changed.wait_timeout(state, STUCK_AFTER / 10).unwrap_or_else(|e| e.into_inner()).0;
        }
        let gone = state.reads.push(read);
        self.gave_way(&mut state, gone);
    }

    /// A read that could not be written: `soon` before all others, else when those were tried.
    pub fn put_back(&self, read: Pending, soon: bool) {
        let mut state = self.lock();
        let gone = state.reads.put_back(read, soon);
        self.gave_way(&mut state, gone);
    }

    /// The store took a read.
    pub fn kept(&self) {
        self.lock().last_kept = Instant::now();
        self.changed.notify_all();
    }

    /// No read will come any more.
    pub fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    pub fn has_ended(&self) -> bool {
        self.lock().ended
    }

    /// The next read to write, with a hit if `hits_only`. Waits for it as long as `patience`.
    pub fn next(&self, hits_only: bool, patience: Duration) -> Next {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        // Whoever comes for the next has done with the last.
        state.is_written = false;
        loop {
            if let Some(read) = state.reads.take(hits_only) {
                state.is_written = true;
                self.counters.change(|t| t.waiting = state.reads.reads.len() as u64);
                return Next::Write(Box::new(read));
            }
            if state.ended && state.reads.reads.is_empty() {
                return Next::Ended;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::TimedOut;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(|e| e.into_inner()).0;
        }
    }

    /// Gives up all that waits, and says how many reads that are.
    pub fn give_up(&self) -> u64 {
        let lost = std::mem::take(&mut self.lock().reads.reads).len() as u64;
        self.counters.change(|t| {
            t.lost_reads += lost;
            t.waiting = 0;
        });
        lost
    }

    fn gave_way(&self, state: &mut State, gone: Option<Pending>) {
        let waiting = state.reads.reads.len() as u64;
        // An open pass without anything to announce comes again when it is over.
        let lost = gone.filter(|read| !read.new.open || !read.announce.is_empty());
        self.counters.change(|t| {
            t.waiting = waiting;
            t.lost_reads += u64::from(lost.is_some());
        });
        if let Some(read) = lost {
            state.lost.add(read.has_hit());
        }
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Lost {
    fn add(&mut self, has_hit: bool) {
        *if has_hit { &mut self.with_hit } else { &mut self.without } += 1;
        if self.reported.is_some_and(|then| then.elapsed() < REPORT_INTERVAL) {
            return;
        }
        tracing::error!(
            without_hit = self.without,
            with_hit = self.with_hit,
            "No more reads can wait for the store and reads are lost, the oldest without a hit first. \
             Plates are still matched and alerts sound. Give the store room."
        );
        *self = Self { reported: Some(Instant::now()), ..Self::default() };
    }
}

/// Which read is written next, and which one gives way.
struct Queue {
    /// Oldest first, each read once.
    reads: VecDeque<Pending>,
    /// Reads that may wait with their pictures, and open ones without.
    max: usize,
}

impl Queue {
    fn new(max: usize) -> Self {
        Self { reads: VecDeque::new(), max }
    }

    /// Adds a read, in the place of an older version of it. Gives the one that had to give way: the
    /// oldest without a hit, or the oldest when all have one. Of an open pass whose hits were not announced
    /// yet only the pictures give way: its next version has pictures, and does not announce those hits.
    fn push(&mut self, mut read: Pending) -> Option<Pending> {
        match self.position(&read) {
            Some(n) if !self.reads[n].without_pictures => {
                std::mem::swap(&mut self.reads[n], &mut read);
                self.reads[n].replaces(read);
                return None;
            }
            // Its turn to give way has passed.
            Some(n) => read.replaces(self.reads.remove(n)?),
            None => {}
        }
        self.reads.push_back(read);
        self.give_way()
    }

    /// As [`Queue::push`], of a read that was taken: a newer version that came meanwhile stays.
    fn put_back(&mut self, read: Pending, soon: bool) -> Option<Pending> {
        match self.position(&read) {
            Some(n) => {
                self.reads[n].replaces(read);
                None
            }
            None => {
                if soon {
                    self.reads.push_front(read)
                } else {
                    self.reads.push_back(read)
                }
                self.give_way()
            }
        }
    }

    /// The read to write next: of those at which the store failed least, one with a hit, the oldest.
    fn take(&mut self, hits_only: bool) -> Option<Pending> {
        let may = self.reads.iter().enumerate().filter(|(_, r)| !hits_only || r.has_hit());
        let (n, _) = may.min_by_key(|(_, r)| (r.failed, !r.has_hit()))?;
        self.reads.remove(n)
    }

    fn give_way(&mut self) -> Option<Pending> {
        if self.with_pictures() > self.max {
            let gives_way = |r: &Pending| !r.without_pictures && !r.has_hit();
            let oldest = || self.reads.iter().position(|r| !r.without_pictures);
            let n = self.reads.iter().position(gives_way).or_else(oldest)?;
            if !self.reads[n].new.open || self.reads[n].announce.is_empty() {
                return self.reads.remove(n);
            }
            self.reads[n].drop_pictures();
        }
        if self.reads.len() - self.with_pictures() <= self.max {
            return None;
        }
        let n = self.reads.iter().position(|r| r.without_pictures)?;
        self.reads.remove(n)
    }

    fn is_full(&self) -> bool {
        self.with_pictures() >= self.max
    }

    fn with_pictures(&self) -> usize {
        self.reads.iter().filter(|r| !r.without_pictures).count()
    }

    fn position(&self, read: &Pending) -> Option<usize> {
        self.reads.iter().position(|r| r.id() == read.id())
    }
}

#[cfg(test)]
mod tests;
