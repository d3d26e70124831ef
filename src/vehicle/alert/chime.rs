//! Sounds alerts, on a thread of its own: nobody waits for a sound card, and without one the
//! rest of the program does its work (invariant 5 of `docs/design.md`).
//!
//! An alert that the configured device does not play is played on the default one, then on any
//! other, and where there is none the terminal's bell rings. A device may hang in its driver, so each
//! attempt has a thread that can be left behind.

use super::bell;
use super::output::{Alsa, Devices};
use super::settings::Settings;
use super::waiting::{Pushed, Waiting};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded, select};
use plated_core::clock::Clock;
use plated_core::error::{Error, Kind, Result};
use plated_core::record::Priority;
use plated_core::shutdown::Shutdown;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tracing::{error, info, warn};

/// The way to the loudspeaker. Dropping it ends the sound.
pub struct Chime {
    shared: Arc<Shared>,
    sound: bool,
    wake: Sender<()>,
    awake: Receiver<()>,
    stop: Shutdown,
    /// Closed by the thread when it ends.
    ended: Mutex<Receiver<()>>,
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
    /// Alerts for which the terminal's bell rang, since no sound device worked.
    pub bells: u64,
    /// The last chime that began.
    pub last: Option<Started>,
    /// The device that played the last chime, when it is not the configured one.
    pub instead: Option<String>,
    /// Why the configured sound device does not work, while it does not.
    pub error: Option<String>,
}

struct Shared {
    state: Mutex<(Waiting, ChimeStatus)>,
    devices: Box<dyn Devices>,
    /// The configured device; empty is the default one.
    device: String,
    clock: Arc<dyn Clock>,
    tell: Sender<Started>,
}

/// A low or normal chime this late would mislead.
const TOO_LATE: Duration = Duration::from_secs(10);
const FIRST_RETRY: Duration = Duration::from_millis(100);
const MAX_RETRY: Duration = Duration::from_secs(30);
/// A device that has not begun to play after this time hangs.
const START_TIMEOUT: Duration = Duration::from_secs(2);
/// A device that has not played a chime to its end this long after its start hangs.
const END_TIMEOUT: Duration = Duration::from_secs(4);

impl Chime {
    /// Starts the thread. The sentence says why there is no sound for now, if so: every device is
    /// tried again whenever a chime is to be played.
    pub fn start(config: &Settings, clock: Arc<dyn Clock>) -> (Self, Option<String>) {
        let devices = Alsa { clock: Arc::clone(&clock) };
        Self::start_on(config, clock, Box::new(devices))
    }

    pub(super) fn start_on(
        config: &Settings,
        clock: Arc<dyn Clock>,
        devices: Box<dyn Devices>,
    ) -> (Self, Option<String>) {
        let (wake, awake) = bounded(1);
        let (tell, started) = bounded(64);
        let state = Mutex::default();
        let shared = Arc::new(Shared { state, devices, device: config.device.clone(), clock, tell });
        let warning = shared.probe();
        let stop = Shutdown::new();
        let ended = Mutex::new(begin(&shared, &awake, &stop));
        (Self { shared, sound: config.sound, wake, awake, stop, ended, started }, warning)
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
        count(status, waiting.push(priority, self.shared.clock.monotonic()));
        drop(state);
        let mut ended = self.ended.lock().unwrap_or_else(|e| e.into_inner());
        if ended.try_recv() == Err(TryRecvError::Disconnected) {
            error!("The thread that sounds alerts had ended by a defect; it is started again.");
            *ended = begin(&self.shared, &self.awake, &self.stop);
        }
        // Full means that it is awake already.
        let _ = self.wake.try_send(());
    }

    /// What became of the chimes up to now.
    pub fn status(&self) -> ChimeStatus {
        self.shared.lock().1.clone()
    }

    /// A chime whose sound devices all fail, so that what is asked for can be looked at.
    #[cfg(test)]
    pub(crate) fn without_devices(clock: Arc<dyn Clock>) -> Self {
        Self::start_on(&Settings::default(), clock, Box::new(tests::Faulty::default())).0
    }

    /// Priorities of the chimes that wait or could not be played yet.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> Vec<Priority> {
        let mut waiting = self.shared.lock().0.clone();
        std::iter::from_fn(|| waiting.pop()).map(|(priority, _)| priority).collect()
    }

    /// Tells each chime that begins. When nobody listens, the oldest 64 are kept.
    pub fn started(&self) -> &Receiver<Started> {
        &self.started
    }
}

impl Drop for Chime {
    fn drop(&mut self) {
        self.stop.request();
        let ended = self.ended.lock().unwrap_or_else(|e| e.into_inner());
        // A thread that hangs in a sound driver is left behind.
        if ended.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
            warn!("The sound device hangs and is left behind.");
        }
    }
}

/// Starts the thread that plays. What it gives is closed when the thread ends; at once when the
/// system can't start it, and then the next alert tries again.
fn begin(shared: &Arc<Shared>, awake: &Receiver<()>, stop: &Shutdown) -> Receiver<()> {
    let (thread_ends, ended) = bounded(0);
    let player = Player { shared: Arc::clone(shared), stop: stop.clone(), hung: Vec::new() };
    let awake = awake.clone();
    let spawned = std::thread::Builder::new().name("chime".into()).spawn(move || {
        player.run(&awake);
        drop(thread_ends);
    });
    if let Err(e) = spawned {
        error!("Alerts are not heard: the system could not start a thread: {e}.");
    }
    ended
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, (Waiting, ChimeStatus)> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Why alerts are not heard, or not where they should be, if so.
    fn probe(self: &Arc<Self>) -> Option<String> {
        let why = self.try_device(&self.device)?;
        self.lock().1.error = Some(why.clone());
        if !self.device.is_empty() && self.try_device("").is_none() {
            return Some(format!("{why}; alerts sound on the default sound device"));
        }
        Some(format!("Alerts are not heard for now: {why}; it is tried again at each alert"))
    }

    fn try_device(self: &Arc<Self>, device: &str) -> Option<String> {
        let (answer, answered) = bounded(1);
        let (shared, name) = (Arc::clone(self), device.to_owned());
        let probe = move || drop(answer.send(guarded(|| shared.devices.probe(&name)).err().map(|e| e.chain())));
        let spawned = std::thread::Builder::new().name("chime-probe".into()).spawn(probe);
        match spawned.map(|_| answered.recv_timeout(START_TIMEOUT)) {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Some("the sound device hangs".into()),
            Err(e) => Some(format!("could not start a thread: {e}")),
        }
    }
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
    stop: Shutdown,
    /// Devices in whose driver a thread hangs; closed when it returns after all.
    hung: Vec<(String, Receiver<Result<()>>)>,
}

/// How one attempt ended, where it did not fail.
enum Played {
    ToTheEnd,
    /// The chime was dropped meanwhile.
    Stopped,
}

impl Player {
    fn run(mut self, wake: &Receiver<()>) {
        let mut retry = FIRST_RETRY;
        loop {
            let Some((priority, asked)) = self.next() else {
                select! {
                    recv(wake) -> _ => continue,
                    recv(self.stop.channel()) -> _ => return,
                }
            };
            match guarded(|| self.play(priority)) {
                Ok(Played::ToTheEnd) => retry = FIRST_RETRY,
                Ok(Played::Stopped) => return,
                Err(error) => {
                    self.failed(priority, asked, &error);
                    // A new alert is tried at once; the one that failed goes with it.
                    select! {
                        recv(wake) -> _ => {}
                        recv(self.stop.channel()) -> _ => return,
                        default(retry) => {}
                    }
                    retry = (retry * 2).min(MAX_RETRY);
                }
            }
        }
    }

    fn next(&self) -> Option<(Priority, Duration)> {
        let mut state = self.shared.lock();
        let (waiting, status) = &mut *state;
        status.dropped += waiting.forget_before(self.shared.clock.monotonic().saturating_sub(TOO_LATE));
        waiting.pop()
    }

    /// Plays it on the first device that does: the configured one, the default one, any other.
    fn play(&mut self, priority: Priority) -> Result<Played> {
        let configured = self.shared.device.clone();
        let error = match self.attempt(&configured, priority) {
            Ok(played) => {
                self.worked(None);
                return Ok(played);
            }
            Err(error) => error,
        };
        let mut tried = vec![configured];
        let mut others: Vec<String> = vec![String::new()];
        let mut listed = false;
        while let Some(device) = (!others.is_empty()).then(|| others.remove(0)) {
            if !tried.contains(&device) {
                if let Ok(played) = self.attempt(&device, priority) {
                    self.worked(Some((device, &error)));
                    return Ok(played);
                }
                tried.push(device);
            }
            // Listing them all takes its time, so only when it has to be.
            if others.is_empty() && !std::mem::replace(&mut listed, true) {
                others = self.others();
            }
        }
        Err(error)
    }

    /// The other devices, or none when ALSA does not say so in time.
    fn others(&self) -> Vec<String> {
        let (answer, answered) = bounded(1);
        let shared = Arc::clone(&self.shared);
        let list = move || drop(answer.send(guarded(|| Ok(shared.devices.others())).unwrap_or_default()));
        let spawned = std::thread::Builder::new().name("chime-devices".into()).spawn(list);
        spawned.ok().and_then(|_| answered.recv_timeout(START_TIMEOUT).ok()).unwrap_or_default()
    }

    fn attempt(&mut self, device: &str, priority: Priority) -> Result<Played> {
        let hangs = || Error::new(Kind::Missing, "the sound device hangs");
        self.hung.retain(|(_, outcome)| matches!(outcome.try_recv(), Err(TryRecvError::Empty)));
        if self.hung.iter().any(|(name, _)| name == device) {
            return Err(hangs());
        }
        let (started, starts) = bounded(1);
        let (ended, outcome) = bounded(1);
        let stop = self.stop.child();
        let stopped = stop.clone();
        let (shared, name) = (Arc::clone(&self.shared), device.to_owned());
        let play = move || drop(ended.send(guarded(|| shared.devices.play(&name, priority, &started, &stopped))));
        let thread = std::thread::Builder::new().name("chime-device".into()).spawn(play);
        thread.map_err(|e| Error::new(Kind::Internal, format!("could not start a thread: {e}")))?;
        let mut deadline = crossbeam_channel::after(START_TIMEOUT);
        let mut starts = Some(starts);
        let never = crossbeam_channel::never();
        loop {
            select! {
                recv(starts.as_ref().unwrap_or(&never)) -> at => {
                    starts = None;
                    if let Ok(at) = at {
                        self.begun(Started { priority, at });
                        deadline = crossbeam_channel::after(END_TIMEOUT);
                    }
                },
                recv(outcome) -> outcome => {
                    let ended = outcome.unwrap_or_else(|_| Err(Error::new(Kind::Missing, "the sound device stopped")));
                    return ended.map(|()| Played::ToTheEnd);
                },
                // Who asks for another chime meanwhile is noticed when this one is played.
                recv(self.stop.channel()) -> _ => {
                    // It is given the time to fall silent.
                    let _ = outcome.recv_timeout(Duration::from_millis(500));
                    return Ok(Played::Stopped);
                },
                recv(deadline) -> _ => {
                    stop.request();
                    self.hung.push((device.to_owned(), outcome));
                    return Err(hangs());
                },
            }
        }
    }

    /// It was played; `instead` names the device that did, where it is not the configured one, and why.
    fn worked(&self, instead: Option<(String, &Error)>) {
        let mut state = self.shared.lock();
        let status = &mut state.1;
        status.played += 1;
        match instead {
            None => {
                status.instead = None;
                if status.error.take().is_some() {
                    info!("The sound device works again.");
                }
            }
            Some((device, error)) => {
                let (why, device) = (error.chain(), if device.is_empty() { "default".into() } else { device });
                if status.instead.as_ref() != Some(&device) || status.error.as_ref() != Some(&why) {
                    error!(device, "{why}. Alerts sound on another device; repair the configured one.");
                }
                (status.error, status.instead) = (Some(why), Some(device));
            }
        }
    }

    /// No device played it.
    fn failed(&self, priority: Priority, asked: Duration, error: &Error) {
        let why = error.chain();
        let rung = bell::ring();
        let mut state = self.shared.lock();
        let (waiting, status) = &mut *state;
        let pushed = waiting.push(priority, asked);
        count(status, pushed);
        status.bells += u64::from(rung);
        if status.error.as_ref() != Some(&why) || status.instead.is_some() {
            // An officer who hears nothing may miss a vehicle; somebody has to look at it.
            error!("An alert could not be sounded: {why}. It is tried again.");
        }
        (status.error, status.instead) = (Some(why), None);
    }

    fn begun(&self, started: Started) {
        self.shared.lock().1.last = Some(started);
        let _ = self.shared.tell.try_send(started);
    }
}

#[cfg(test)]
#[path = "chime_tests.rs"]
mod tests;
