//! The recognition threads, and what is done about one that hangs.
//!
//! A thread can't be ended from outside. One that hangs on a frame is given up: it is told apart from
//! those at work, another one takes its place, and what it may still find is thrown away.

use super::worker::Seen;
use crossbeam_channel::{SendError, Sender};
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::thread::spawn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

/// A frame takes some 20 ms; on a machine that does much else, a second.
const HUNG_AFTER: Duration = Duration::from_secs(10);
/// How often ends are looked for at the stop.
const JOIN_POLL: Duration = Duration::from_millis(10);
/// So many are replaced at the most: each that hangs keeps its models.
const MAX_REPLACED: usize = 16;

/// A worker's own part of the list.
#[derive(Debug)]
pub struct Post {
    /// Monotonic milliseconds, plus one, at which the frame was taken that it works on; 0 between frames.
    busy_since: AtomicU64,
    /// The way out, gone once it has ended or was given up.
    out: Mutex<Option<Arc<Sender<Seen>>>>,
    given_up: AtomicBool,
}

impl Post {
    /// It begins with a frame, at this monotonic time.
    pub fn begin(&self, now: Duration) {
        self.busy_since.store(u64::try_from(now.as_millis()).unwrap_or(u64::MAX - 1) + 1, Ordering::Relaxed);
    }

    /// Hands over what was seen.
    ///
    /// # Errors
    /// When nobody takes it: the collector has ended, or this worker was given up.
    pub fn send(&self, seen: Seen) -> Result<(), Box<SendError<Seen>>> {
        // Waiting for the collector is no hanging.
        self.busy_since.store(0, Ordering::Relaxed);
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
        match self.busy_since.load(Ordering::Relaxed) {
            0 => false,
            since => now.saturating_sub(Duration::from_millis(since - 1)) > HUNG_AFTER,
        }
    }

    fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
        self.lock().take();
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
    /// Weak, so that the collector ends when the workers do.
    out: Weak<Sender<Seen>>,
    at_work: Mutex<Vec<(Arc<Post>, JoinHandle<()>)>>,
}

impl Workers {
    /// Starts `count` of them, which send what they see to `out`. `make` makes the body of one; it may take
    /// long, for its models. `go_on` is asked before each.
    ///
    /// # Errors
    /// What `make` says, and `Internal` when a thread can't be started.
    pub fn start(count: usize, out: Sender<Seen>, make: Box<Make>, go_on: impl Fn() -> bool) -> Result<Arc<Self>> {
        let out = Arc::new(out);
        let this = Self { make, out: Arc::downgrade(&out), at_work: Mutex::default() };
        for number in 0..count {
            if !go_on() {
                break;
            }
            this.add(number, &out)?;
        }
        Ok(Arc::new(this))
    }

    fn add(&self, number: usize, out: &Arc<Sender<Seen>>) -> Result<()> {
        let out = Mutex::new(Some(out.clone()));
        let post = Arc::new(Post { busy_since: AtomicU64::new(0), out, given_up: AtomicBool::new(false) });
        let (body, ended) = ((self.make)(post.clone())?, post.clone());
        let thread = spawn(&format!("recognise-{number}"), move || {
            body();
            // The collector ends when nobody can send to it any more.
            ended.lock().take();
        })?;
        self.lock().push((post, thread));
        Ok(())
    }

    /// Gives up workers that hang at monotonic time `now`, and starts others for them.
    pub fn replace_hung(&self, now: Duration) {
        let hung: Vec<Arc<Post>> = self.lock().iter().map(|(post, _)| post.clone()).collect();
        for post in hung.iter().filter(|post| !post.is_given_up() && post.is_hung(now)) {
            let (total, Some(out)) = (self.lock().len(), self.out.upgrade()) else { return };
            post.give_up();
            tracing::error!("A recognition thread hangs and is replaced; its frame is lost.");
            if self.hung() > MAX_REPLACED {
                tracing::error!("Too many recognition threads hang; no more are started. Restart the daemon.");
            } else if let Err(e) = self.add(total, &out) {
                tracing::error!("No other recognition thread can be started: {}", e.chain());
            }
        }
    }

    /// Workers that were given up.
    pub fn hung(&self) -> usize {
        self.lock().iter().filter(|(post, thread)| post.is_given_up() && !thread.is_finished()).count()
    }

    /// Workers that take frames.
    pub fn running(&self) -> usize {
        self.lock().iter().filter(|(post, thread)| !post.is_given_up() && !thread.is_finished()).count()
    }

    /// True once none takes frames any more.
    pub fn is_done(&self) -> bool {
        self.running() == 0
    }

    /// Waits for those that were not given up, and gives up those that hang meanwhile.
    pub fn join(&self, clock: &dyn Clock) {
        while self.running() > 0 {
            let now = clock.monotonic();
            self.lock().iter().filter(|(post, _)| post.is_hung(now)).for_each(|(post, _)| post.give_up());
            std::thread::sleep(JOIN_POLL);
        }
        let at_work = std::mem::take(&mut *self.lock());
        for (post, thread) in at_work {
            if !post.is_given_up() && thread.join().is_err() {
                tracing::error!("A recognition thread ended by a defect; the frame it held is lost.");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Arc<Post>, JoinHandle<()>)>> {
        self.at_work.lock().unwrap_or_else(|e| e.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::{bounded, unbounded};
    use plated_core::clock::SystemClock;

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
        workers.replace_hung(Duration::from_secs(5));
        assert_eq!((workers.running(), workers.hung()), (2, 0), "it may just be slow");
        workers.replace_hung(Duration::from_secs(20));
        assert_eq!((workers.running(), workers.hung()), (2, 1));
        for ticket in 1..20 {
            work.send(Some(ticket)).unwrap();
            assert_eq!(seen.recv().unwrap().ticket, ticket);
        }
        drop(work);
        assert!(seen.recv().is_err(), "the collector ends although one hangs");
        workers.join(&SystemClock::new());
        drop(release);
    }
}
