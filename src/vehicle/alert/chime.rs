//! Sounds alerts, on a thread of its own: nobody waits for a sound card, and without one the
//! rest of the program does its work (invariant 5 of `docs/design.md`).

use super::output::{Event, Output};
use super::tone::samples;
use super::waiting::{Pushed, Waiting};
use crate::config::Alert;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, select};
use plated_core::clock::Clock;
use plated_core::error::{Error, Kind, Result};
use plated_core::record::Priority;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tracing::{error, info, warn};

/// The way to the loudspeaker. Dropping it ends the sound.
pub struct Chime {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    sound: bool,
    /// Closing it ends the thread.
    wake: Option<Sender<()>>,
    /// Closed by the thread when it ends.
    ended: Receiver<()>,
    started: Receiver<Started>,
}

/// A chime whose first samples were handed to the sound device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// Which chime.
    pub priority: Priority,
    /// Monotonic time.
    pub at: Duration,
}

/// What became of the chimes.
#[derive(Clone, Debug, Default)]
pub struct ChimeStatus {
    /// Chimes asked for, without those muted.
    pub asked: u64,
    /// Chimes that are silent by `alert.sound = false`; never of high priority.
    pub muted: u64,
    /// Chimes played to their end.
    pub played: u64,
    /// Low and normal chimes dropped because more urgent ones waited, or because the sound
    /// device did not work for too long.
    pub dropped: u64,
    /// High chimes for which another waiting one sounded too.
    pub merged: u64,
    /// The last chime that began.
    pub last: Option<Started>,
    /// Why the sound device does not work, while it does not.
    pub error: Option<String>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<(Waiting, ChimeStatus)>,
}

/// A low or normal chime this late would mislead.
const TOO_LATE: Duration = Duration::from_secs(10);
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// A device that has not played a chime after this time hangs.
const HANGS: Duration = Duration::from_secs(5);

impl Chime {
    /// Starts the thread. The sentence says why there is no sound for now, if so: the device is
    /// tried again whenever a chime is to be played.
    pub fn start(config: &Alert, clock: Arc<dyn Clock>) -> (Self, Option<String>) {
        let shared = Arc::new(Shared::default());
        let (wake, awake) = bounded(1);
        let (thread_ends, ended) = bounded(0);
        let (tell, started) = bounded(64);
        let found = guarded(|| Output::find(&config.device));
        let mut warning = found.as_ref().err().map(|e| no_sound(&e.chain()));
        shared.lock().1.error = found.as_ref().err().map(Error::chain);
        let thread = Player {
            shared: Arc::clone(&shared),
            device: config.device.clone(),
            output: found.ok(),
            clock: Arc::clone(&clock),
            tell,
        };
        let spawned = std::thread::Builder::new().name("chime".into()).spawn(move || {
            thread.run(&awake);
            drop(thread_ends);
        });
        if let Err(e) = spawned {
            warning = Some(no_sound(&format!("could not start its thread: {e}")));
        }
        (Self { shared, clock, sound: config.sound, wake: Some(wake), ended, started }, warning)
    }

    /// Asks for a chime and returns at once. High priority always sounds; the others only with
    /// `alert.sound`.
    pub fn sound(&self, priority: Priority) {
        let mut state = self.shared.lock();
        let (waiting, status) = &mut *state;
        if !self.sound && priority != Priority::High {
            status.muted += 1;
            return;
        }
        status.asked += 1;
        count(status, waiting.push(priority, self.clock.monotonic()));
        drop(state);
        if let Some(wake) = &self.wake {
            // Full means that it is awake already.
            let _ = wake.try_send(());
        }
    }

    /// What became of the chimes up to now.
    pub fn status(&self) -> ChimeStatus {
        self.shared.lock().1.clone()
    }

    /// Tells each chime that begins. When nobody listens, the oldest 64 are kept.
    pub fn started(&self) -> &Receiver<Started> {
        &self.started
    }
}

impl Drop for Chime {
    fn drop(&mut self) {
        self.wake = None;
        // A thread that hangs in a sound driver is left behind.
        if self.ended.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
            warn!("The sound device hangs and is left behind.");
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, (Waiting, ChimeStatus)> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

fn no_sound(why: &str) -> String {
    format!("Alerts are not heard for now: {why}; it is tried again at each alert")
}

fn count(status: &mut ChimeStatus, pushed: Pushed) {
    match pushed {
        Pushed::Waits => {}
        Pushed::Displaced | Pushed::Dropped => status.dropped += 1,
        Pushed::Merged => status.merged += 1,
    }
}

/// A defect in a sound library must not end the thread.
fn guarded<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(f))
        .unwrap_or_else(|_| Err(Error::new(Kind::Internal, "the sound library failed by a defect")))
}

struct Player {
    shared: Arc<Shared>,
    device: String,
    output: Option<Output>,
    clock: Arc<dyn Clock>,
    tell: Sender<Started>,
}

/// The other side was dropped.
struct Closed;

impl Player {
    fn run(mut self, wake: &Receiver<()>) {
        let mut retry = FIRST_RETRY;
        loop {
            let Some((priority, asked)) = self.next() else {
                match wake.recv() {
                    Ok(()) => continue,
                    Err(_) => return,
                }
            };
            match guarded(|| self.play(priority, wake)) {
                Ok(Ok(())) => {
                    retry = FIRST_RETRY;
                    self.worked();
                }
                Ok(Err(Closed)) => return,
                Err(error) => {
                    self.output = None;
                    self.failed(priority, asked, &error);
                    if wait(wake, retry).is_err() {
                        return;
                    }
                    retry = (retry * 2).min(LONGEST_RETRY);
                }
            }
        }
    }

    fn next(&self) -> Option<(Priority, Duration)> {
        let mut state = self.shared.lock();
        let (waiting, status) = &mut *state;
        status.dropped += waiting.forget_before(self.clock.monotonic().saturating_sub(TOO_LATE));
        waiting.pop()
    }

    fn worked(&self) {
        let mut state = self.shared.lock();
        state.1.played += 1;
        if state.1.error.take().is_some() {
            info!("The sound device works again.");
        }
    }

    fn failed(&self, priority: Priority, asked: Duration, error: &Error) {
        let why = error.chain();
        let mut state = self.shared.lock();
        let (waiting, status) = &mut *state;
        let pushed = waiting.push(priority, asked);
        count(status, pushed);
        if status.error.as_ref() != Some(&why) {
            // An officer who hears nothing may miss a vehicle; somebody has to look at it.
            error!("An alert could not be sounded: {why}. It is tried again.");
        }
        status.error = Some(why);
    }

    fn play(&mut self, priority: Priority, wake: &Receiver<()>) -> Result<Result<(), Closed>> {
        let output = match &mut self.output {
            Some(output) => output,
            none => none.insert(Output::find(&self.device)?),
        };
        let (events, event) = bounded(8);
        let clock = Arc::clone(&self.clock);
        let stream = output.play(samples(priority, output.rate()), events, move || clock.monotonic())?;
        let deadline = Instant::now() + HANGS;
        let outcome = loop {
            select! {
                recv(event) -> event => match event {
                    Ok(Event::Started(at)) => self.begun(Started { priority, at }),
                    Ok(Event::Done) => break Ok(Ok(())),
                    Ok(Event::Failed(why)) => break Err(Error::new(Kind::Missing, format!("the sound device failed: {why}"))),
                    Err(_) => break Err(Error::new(Kind::Missing, "the sound device stopped")),
                },
                recv(wake) -> woken => match woken {
                    // Noticed when this one is played; until then only the end matters.
                    Ok(()) => {}
                    Err(_) => break Ok(Err(Closed)),
                },
                default(deadline.saturating_duration_since(Instant::now())) => {
                    break Err(Error::new(Kind::Missing, "the sound device hangs"));
                }
            }
        };
        drop(stream);
        outcome
    }

    fn begun(&self, started: Started) {
        self.shared.lock().1.last = Some(started);
        let _ = self.tell.try_send(started);
    }
}

/// Waits `time`, whoever wakes meanwhile; an error when closed.
fn wait(wake: &Receiver<()>, time: Duration) -> Result<(), Closed> {
    let deadline = Instant::now() + time;
    loop {
        match wake.recv_deadline(deadline) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            Err(RecvTimeoutError::Disconnected) => return Err(Closed),
        }
    }
}
