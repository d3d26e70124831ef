//! The computer under the daemon: it shuts down, sleeps and wakes, and the ignition goes off.
//!
//! Before it sleeps cameras are closed, what they saw is closed as reads and kept, and only then logind's lock is
//! given back. When it woke cameras are opened again, and what was known of before is not taken for now. Without logind the
//! clocks tell that it slept: one of them stood still meanwhile.

use super::Counters;
use super::collector::Closing;
use super::recorder::Waiting;
use crate::control::OfficerService;
use crate::gps::Fixes;
use crate::health::Health;
use crate::power::{IGNITION, IGNITION_INTERVAL, Ignition, Lock, Shown, Word, ignition_state};
use crate::transfer::SendNow;
use crossbeam_channel::Receiver;
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::shutdown::Shutdown;
use plated_core::text::{age, sentence};
use plated_core::thread::{Thread, guarded};
use plated_vision::capture::Capture;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What was seen is kept within this time, or the computer sleeps without.
const KEEP_TIMEOUT: Duration = Duration::from_millis(2500);
/// How often it is looked whether it is.
const LOOK: Duration = Duration::from_millis(10);
/// Frames under way when cameras were closed are recognised in less, or not waited for.
const RECOGNISE_TIMEOUT: Duration = Duration::from_millis(700);
/// A computer that says that it sleeps and runs on for so long does not sleep.
const MAX_DROWSY: Duration = Duration::from_secs(20);
/// The clocks differ by this when the computer slept.
const MIN_SLEEP: Duration = Duration::from_secs(1);

/// Logind's lock on the shutdown, kept until the store is closed.
pub type HeldLock = Arc<Mutex<Option<Lock>>>;

/// What is closed before the computer sleeps, and goes on when it woke.
pub struct Sleeper {
    pub capture: Arc<Capture>,
    /// Closes what the trackers follow.
    pub closing: Arc<Closing>,
    pub waiting: Arc<Waiting>,
    pub counters: Arc<Counters>,
    pub fixes: Option<Arc<Fixes>>,
    /// By which the transfer is told to try again.
    pub link: Option<SendNow>,
    pub officers: Arc<OfficerService>,
    pub clock: Arc<dyn Clock>,
}

/// The watch over the computer.
pub struct ComputerWatch {
    pub ignition: Option<Ignition>,
    /// What logind says.
    pub words: Receiver<Word>,
    pub sleeper: Sleeper,
    pub health: Arc<Health>,
    pub clock: Arc<dyn Clock>,
    /// The request to end the program.
    pub program: Shutdown,
    pub shutdown_lock: HeldLock,
}

/// Time that the computer slept, by the clocks, and since when it is about to sleep, awake time.
struct Sleep {
    slept: Duration,
    drowsy_since: Option<Duration>,
}

impl ComputerWatch {
    /// Starts it; it ends with `stop`.
    ///
    /// # Errors
    /// `Internal` when the thread can't be started.
    pub fn start(mut self, stop: Shutdown) -> Result<Thread> {
        Thread::start("computer", "The thread that watches ignition and sleep", move || {
            let mut sleep = Sleep { slept: slept(&*self.clock), drowsy_since: None };
            let mut shown = None;
            loop {
                crossbeam_channel::select! {
                    recv(stop.channel()) -> _ => return,
                    recv(self.words) -> word => match word {
                        Ok(word) => _ = guarded("What logind said is lost", || self.heard(word, &mut sleep)),
                        // Nobody will say anything: only the clocks and the ignition are left.
                        Err(_) => self.words = crossbeam_channel::never(),
                    },
                    default(IGNITION_INTERVAL) => {}
                }
                guarded("Ignition and sleep were not looked at", || {
                    self.look_at_clocks(&mut sleep);
                    self.look_at_ignition(&mut shown);
                });
            }
        })
    }

    fn heard(&self, word: Word, sleep: &mut Sleep) {
        match word {
            Word::ShutsDown(lock) => {
                tracing::info!("The computer shuts down: reading ends.");
                *self.shutdown_lock.lock().unwrap_or_else(PoisonError::into_inner) = lock;
                self.program.request();
            }
            Word::Sleeps(lock) => {
                tracing::info!("The computer is about to sleep: cameras are closed, and what they saw is kept.");
                sleep.drowsy_since = Some(self.clock.awake());
                self.sleeper.fall_asleep();
                // Only now it may sleep.
                drop(lock);
            }
            Word::Woke => self.wake(sleep),
        }
    }

    fn look_at_clocks(&self, sleep: &mut Sleep) {
        let stays_awake =
            sleep.drowsy_since.is_some_and(|since| self.clock.awake().saturating_sub(since) >= MAX_DROWSY);
        let newly = slept(&*self.clock).saturating_sub(sleep.slept);
        // Between the two, logind says that it woke.
        if stays_awake || newly >= MIN_SLEEP && sleep.drowsy_since.is_none() {
            self.wake(sleep);
        }
    }

    fn wake(&self, sleep: &mut Sleep) {
        let now = slept(&*self.clock);
        let newly = now.saturating_sub(sleep.slept);
        if newly < MIN_SLEEP && sleep.drowsy_since.is_none() {
            // The clocks told it already.
            return;
        }
        (sleep.slept, sleep.drowsy_since) = (now, None);
        match newly.as_secs() {
            0 => tracing::info!("The computer did not sleep after all: cameras are opened again."),
            s => tracing::info!("The computer slept for {}: cameras are opened again.", age(s)),
        }
        self.sleeper.wake();
    }

    fn look_at_ignition(&mut self, before: &mut Option<Shown>) {
        let Some(ignition) = &mut self.ignition else { return };
        let now = self.clock.monotonic();
        let shown = ignition.look(now);
        if before.as_ref() != Some(&shown) {
            let (level, text) = ignition_state(&shown);
            let logged = sentence(&text);
            if self.health.report(IGNITION, level, text, self.clock.wall()) {
                tracing::warn!("The ignition is not known: {logged}");
            }
            *before = Some(shown);
        }
        if ignition.is_over(now) && !self.program.is_requested() {
            tracing::info!("The ignition is off: reading ends.");
            self.program.request();
        }
    }
}

impl Sleeper {
    /// Closes the cameras and what the trackers follow, and waits until all of it is kept, 2.5 s at most.
    pub fn fall_asleep(&self) {
        let begun = self.clock.awake();
        let within = |limit: Duration| self.clock.awake().saturating_sub(begun) < limit;
        self.capture.pause();
        let is_read = || self.capture.is_paused() && self.closing.results() >= self.capture.taken();
        while within(RECOGNISE_TIMEOUT) && !is_read() {
            std::thread::sleep(LOOK);
        }
        let request = self.closing.ask();
        let is_kept = || self.closing.is_done(request) && self.counters.is_handled() && self.waiting.is_kept();
        while within(KEEP_TIMEOUT) && !is_kept() {
            std::thread::sleep(LOOK);
        }
        match is_kept() {
            true => tracing::info!(ms = (self.clock.awake() - begun).as_millis(), "All that was seen is kept."),
            false => {
                tracing::error!("The computer sleeps before all that was seen is kept: the disk does not take it.")
            }
        }
    }

    /// Opens the cameras again, and forgets what was known of before.
    pub fn wake(&self) {
        self.closing.ask();
        if let Some(fixes) = &self.fixes {
            fixes.forget();
        }
        self.capture.open_anew();
        if let Some(link) = &self.link {
            link.try_again();
        }
        if let Err(e) = self.officers.warn_stale() {
            tracing::error!("The ages of the hotlists can't be looked at: {}", e.chain());
        }
        self.officers.report_parts();
    }
}

/// Time that the computer slept since the start.
fn slept(clock: &dyn Clock) -> Duration {
    clock.monotonic().saturating_sub(clock.awake())
}
