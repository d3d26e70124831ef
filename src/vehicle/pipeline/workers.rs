//! The recognition threads, and what is done about one that hangs or ends by a defect.
//!
//! A thread can't be ended from outside. One that hangs on a frame is given up: it is told apart from
//! those at work, another one takes its place, and what it may still find is thrown away. One that can't
//! be started is tried again.

use super::worker::Seen;
use crate::health::Activity;
use crossbeam_channel::{SendError, Sender};
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::retry::Backoff;
use plated_core::thread::{guarded, spawn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A frame takes some 20 ms; on a machine that does much else, a second.
const HUNG_AFTER: Duration = Duration::from_secs(10);
/// How often those that hang are looked for at the end.
const JOIN_TICK: Duration = Duration::from_secs(1);
/// So many are replaced at the most: each that hangs keeps its models.
const MAX_REPLACED: usize = 16;
/// Wait after a worker could not be started; it doubles with each further time.
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// Longest wait until it is tried again.
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// A worker's own part of the list.
#[derive(Debug)]
pub struct Post {
    /// Its work on a frame.
    activity: Activity,
    /// The way out, gone once it has ended or was given up.
    out: Mutex<Option<Arc<Sender<Seen>>>>,
    given_up: AtomicBool,
}

impl Post {
    /// It begins with a frame, at this monotonic time.
    pub fn begin(&self, now: Duration) {
        self.activity.begin(now);
    }

    /// Hands over what was seen.
    ///
    /// # Errors
    /// When nobody takes it: the collector has ended, or this worker was given up.
    pub fn send(&self, seen: Seen) -> Result<(), Box<SendError<Seen>>> {
        // Waiting for the collector is no hanging.
        self.activity.end();
        let out = self.lock().clone();
        match out {
            Some(out) => out.send(seen).map_err(Box::new),
            None => Err(Box::new(SendError(seen))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Sender<Seen>>>> {
        self.out.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn is_hung(&self, now: Duration) -> bool {
        // One that ended by a defect had begun with a frame too.
        self.is_at_work() && self.activity.busy_for(now) > HUNG_AFTER
    }

    fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
        self.lock().take();
    }

    /// It has neither ended nor been given up.
    fn is_at_work(&self) -> bool {
        self.lock().is_some()
    }

    fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }
}

/// Makes the body of one more worker.
type Make = dyn Fn(Arc<Post>) -> Result<Box<dyn FnOnce() + Send>> + Send + Sync;

/// The workers.
pub struct Workers {
    make: Box<Make>,
    /// How many there should be.
    wanted: usize,
    state: Mutex<State>,
    /// One has ended.
    ended: Condvar,
}

struct State {
    at_work: Vec<(Arc<Post>, JoinHandle<()>)>,
    /// The way to the collector, which ends when nobody has it any more; gone when no frame will come.
    out: Option<Arc<Sender<Seen>>>,
    /// Workers that were ever started.
    started: usize,
    retry: Backoff,
    /// Monotonic time before which no worker is started, after one could not be.
    not_before: Duration,
}

impl Workers {
    /// Starts `count` of them, which send what they see to `out`. `make` makes the body of one; it may take
    /// long, for its models. `go_on` is asked before each.
    ///
    /// # Errors
    /// What `make` says, and `Internal` when a thread can't be started.
    pub fn start(count: usize, out: Sender<Seen>, make: Box<Make>, go_on: impl Fn() -> bool) -> Result<Arc<Self>> {
        let state = State {
            at_work: Vec::new(),
            out: Some(Arc::new(out)),
            started: 0,
            retry: Backoff::new(FIRST_RETRY, LONGEST_RETRY),
            not_before: Duration::ZERO,
        };
        let this = Arc::new(Self { make, wanted: count, state: Mutex::new(state), ended: Condvar::new() });
        for _ in 0..count {
            if !go_on() {
                break;
            }
            this.add()?;
        }
        Ok(this)
    }

    /// One more, unless no frame will come any more.
    fn add(self: &Arc<Self>) -> Result<()> {
        let (number, out) = {
            let mut state = self.lock();
            let Some(out) = state.out.clone() else { return Ok(()) };
            state.started += 1;
            (state.started - 1, out)
        };
        let out = Mutex::new(Some(out));
        let post = Arc::new(Post { activity: Activity::default(), out, given_up: AtomicBool::new(false) });
        // Without the lock: it takes its time.
        let (body, at_end) = ((self.make)(post.clone())?, AtEnd { workers: self.clone(), post: post.clone() });
        let thread = spawn(&format!("recognise-{number}"), move || {
            let at_end = at_end;
            let ended = guarded("A recognition thread ended, and the frame it held is lost", body).is_some();
            if ended && !at_end.post.is_given_up() {
                // There are no more frames, or nobody takes what is seen. One that was given up ends for
                // itself alone.
                at_end.workers.lock().out = None;
            }
        })?;
        self.lock().at_work.push((post, thread));
        Ok(())
    }

    /// Gives up workers that hang at monotonic time `now`, and starts others for them and for those that
    /// ended by a defect.
    pub fn keep_up(self: &Arc<Self>, now: Duration) {
        let posts: Vec<Arc<Post>> = self.lock().at_work.iter().map(|(post, _)| post.clone()).collect();
        for post in posts.iter().filter(|post| !post.is_given_up() && post.is_hung(now)) {
            post.give_up();
            tracing::error!("A recognition thread hangs and is replaced; its frame is lost.");
            if self.hung() > MAX_REPLACED {
                tracing::error!("Too many recognition threads hang; no more are started. Restart the daemon.");
            }
        }
        self.lock().at_work.retain(|(post, thread)| post.is_at_work() || !thread.is_finished());
        // One that ends at once is started again at the next call, not in a circle.
        for _ in 0..self.wanted {
            if !self.is_short(now) {
                return;
            }
            let added = guarded("A recognition thread could not be started", || self.add());
            let mut state = self.lock();
            match added {
                Some(Ok(())) => state.retry.reset(),
                failed => {
                    let wait = state.retry.fail();
                    state.not_before = now + wait;
                    if let Some(Err(e)) = failed {
                        let again = wait.as_secs();
                        tracing::error!("A recognition thread can't be started, again in {again} s: {}", e.chain());
                    }
                }
            }
        }
    }

    /// There are fewer than there should be, and another one may be started now.
    fn is_short(&self, now: Duration) -> bool {
        let (running, hung, state) = (self.running(), self.hung(), self.lock());
        state.out.is_some() && running < self.wanted && hung <= MAX_REPLACED && now >= state.not_before
    }

    /// Workers that were given up and have not ended.
    pub fn hung(&self) -> usize {
        self.lock().at_work.iter().filter(|(post, thread)| post.is_given_up() && !thread.is_finished()).count()
    }

    /// How many there should be.
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// Workers that take frames.
    pub fn running(&self) -> usize {
        self.lock().at_work.iter().filter(|(post, _)| post.is_at_work()).count()
    }

    /// Waits for those that were not given up, and gives up those that hang meanwhile. Capture has ended.
    /// Those that wait at `until` for a collector that takes nothing are left behind.
    pub fn join(&self, clock: &dyn Clock, until: Instant) {
        let mut state = self.lock();
        state.out = None;
        while state.at_work.iter().any(|(post, _)| post.is_at_work()) {
            let now = clock.awake();
            state.at_work.iter().filter(|(post, _)| post.is_hung(now)).for_each(|(post, _)| post.give_up());
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                tracing::error!("Nobody takes what was recognised; the recognition threads are left behind.");
                state.at_work.iter().for_each(|(post, _)| post.give_up());
                break;
            }
            state = self.ended.wait_timeout(state, left.min(JOIN_TICK)).unwrap_or_else(|e| e.into_inner()).0;
        }
        let at_work = std::mem::take(&mut state.at_work);
        drop(state);
        for (post, thread) in at_work {
            if !post.is_given_up() {
                // It can't have panicked: what it runs is guarded.
                let _ = thread.join();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// However a worker ends, the collector does not wait for it.
struct AtEnd {
    workers: Arc<Workers>,
    post: Arc<Post>,
}

impl Drop for AtEnd {
    fn drop(&mut self) {
        self.post.lock().take();
        let _state = self.workers.lock();
        self.workers.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::{bounded, unbounded};
    use plated_core::clock::SystemClock;
    use plated_core::error::{Error, Kind};
    use plated_core::thread::Thread;
    use std::sync::atomic::AtomicU64;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_worker_that_hangs_is_replaced_and_the_others_and_the_end_do_not_wait_for_it() {
        let (out, seen) = bounded(8);
        let (work, frames) = unbounded::<Option<u64>>();
        let (release, released) = bounded::<()>(0);
        let make = move |post: Arc<Post>| {
            let (frames, released) = (frames.clone(), released.clone());
            Ok(Box::new(move || {
                for frame in frames.iter() {
                    post.begin(Duration::from_secs(1));
                    let Some(ticket) = frame else {
                        let _ = released.recv(); // Hangs until the test ends.
                        let _ = post.send(Seen::empty(99));
                        return;
                    };
                    if post.send(Seen::empty(ticket)).is_err() {
                        return;
                    }
                }
            }) as Box<dyn FnOnce() + Send>)
        };
        let workers = Workers::start(2, out, Box::new(make), || true).unwrap();
        work.send(None).unwrap();
        work.send(Some(0)).unwrap();
        assert_eq!(seen.recv().unwrap().ticket, 0);
        workers.keep_up(Duration::from_secs(5));
        assert_eq!((workers.running(), workers.hung()), (2, 0), "it may just be slow");
        workers.keep_up(Duration::from_secs(20));
        assert_eq!((workers.running(), workers.hung()), (2, 1));
        for ticket in 1..20 {
            work.send(Some(ticket)).unwrap();
            assert_eq!(seen.recv().unwrap().ticket, ticket);
        }
        drop(work);
        assert!(seen.recv().is_err(), "the collector ends although one hangs");
        workers.join(&SystemClock::new(), Instant::now() + LONG);
        drop(release);
    }

    #[test]
    fn a_worker_that_hung_and_comes_back_does_not_end_the_replacement_of_others() {
        let (out, seen) = bounded(8);
        let (work, frames) = unbounded::<u64>();
        let (release, released) = bounded::<()>(0);
        let make = move |post: Arc<Post>| {
            let (frames, released) = (frames.clone(), released.clone());
            Ok(Box::new(move || {
                for ticket in frames.iter() {
                    post.begin(Duration::from_secs(1));
                    assert!(ticket != 7, "the fault of the test");
                    if ticket == 99 {
                        let _ = released.recv();
                    }
                    if post.send(Seen::empty(ticket)).is_err() {
                        return;
                    }
                }
            }) as Box<dyn FnOnce() + Send>)
        };
        let workers = Workers::start(1, out, Box::new(make), || true).unwrap();
        let second = Duration::from_secs(1);
        work.send(99).unwrap();
        while workers.lock().at_work[0].0.activity.busy_for(second * 20).is_zero() {
            std::thread::yield_now();
        }
        workers.keep_up(20 * second);
        assert_eq!((workers.running(), workers.hung()), (1, 1));
        drop(release);
        while workers.hung() > 0 {
            std::thread::yield_now();
        }
        work.send(7).unwrap();
        while workers.running() > 0 {
            std::thread::yield_now();
        }
        workers.keep_up(30 * second);
        assert_eq!(workers.running(), 1, "the second one is replaced too");
        work.send(8).unwrap();
        assert_eq!(seen.recv().unwrap().ticket, 8);
        drop(work);
        workers.join(&SystemClock::new(), Instant::now() + LONG);
    }

    #[test]
    fn the_end_does_not_wait_for_ever_for_a_collector_that_never_takes() {
        let (out, seen) = bounded(1);
        let make = move |post: Arc<Post>| {
            Ok(Box::new(move || while post.send(Seen::empty(0)).is_ok() {}) as Box<dyn FnOnce() + Send>)
        };
        let workers = Workers::start(2, out, Box::new(make), || true).unwrap();
        let ending = workers.clone();
        let end = Thread::start("end", "The end", move || {
            ending.join(&SystemClock::new(), Instant::now() + Duration::from_millis(10));
        });
        assert!(end.unwrap().end_within(LONG));
        assert_eq!(workers.running(), 0);
        drop(seen);
    }

    #[test]
    fn a_worker_that_ended_by_a_defect_is_replaced_and_one_that_cannot_be_started_is_tried_again() {
        let (out, seen) = bounded(8);
        let (work, frames) = unbounded::<u64>();
        let refusals = AtomicU64::new(0);
        let make = move |post: Arc<Post>| {
            // The first starts, the two after it can't, and the fourth does.
            if matches!(refusals.fetch_add(1, Ordering::Relaxed), 1 | 2) {
                return Err(Error::new(Kind::Missing, "the models are gone"));
            }
            let frames = frames.clone();
            Ok(Box::new(move || {
                for ticket in frames.iter() {
                    assert!(ticket != 7, "the fault of the test");
                    let _ = post.send(Seen::empty(ticket));
                }
            }) as Box<dyn FnOnce() + Send>)
        };
        let workers = Workers::start(1, out, Box::new(make), || true).unwrap();
        work.send(7).unwrap();
        while workers.running() > 0 {
            std::thread::yield_now();
        }
        let second = Duration::from_secs(1);
        workers.keep_up(second);
        workers.keep_up(second);
        assert_eq!(workers.running(), 0, "not at once");
        workers.keep_up(100 * second);
        assert_eq!(workers.running(), 0);
        workers.keep_up(300 * second);
        assert_eq!(workers.running(), 1);
        work.send(8).unwrap();
        assert_eq!(seen.recv().unwrap().ticket, 8, "the collector was there all the time");
        drop(work);
        assert!(seen.recv().is_err(), "and ends when there are no more frames");
        workers.keep_up(400 * second);
        assert_eq!(workers.running(), 0);
        workers.join(&SystemClock::new(), Instant::now() + LONG);
    }
}
