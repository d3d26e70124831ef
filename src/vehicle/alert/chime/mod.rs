//! Sounds alerts, on a thread of its own: nobody waits for a sound card, and without one the
//! rest of the program does its work (invariant 5 of `docs/design.md`).
//!
//! An alert that the configured device does not play is played on the default one, then on any
//! other, and where there is none the terminal's bell rings. A device may hang in its driver, so each
//! attempt has a thread that can be left behind (`player`).

mod player;

use super::output::{Alsa, Devices};
use super::settings::Settings;
use super::waiting::{Pushed, Waiting};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};
use plated_core::clock::Clock;
use plated_core::error::{Error, Kind, Result};
use plated_core::record::Priority;
use plated_core::shutdown::Shutdown;
use player::Player;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tracing::{error, warn};

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

/// What the handle and the thread share. Nothing is logged while `state` is locked: the recorder
/// waits for it at each alert.
struct Shared {
    state: Mutex<(Waiting, ChimeStatus)>,
    devices: Box<dyn Devices>,
    /// The configured device; empty is the default one.
    device: String,
    clock: Arc<dyn Clock>,
    started: Sender<Started>,
    /// Wait after the first failure; it doubles with each further one.
    first_retry: Duration,
}

const FIRST_RETRY: Duration = Duration::from_millis(100);
/// A device that has not begun to play after this time hangs.
const START_TIMEOUT: Duration = Duration::from_secs(2);

impl Chime {
    /// Starts the thread. The sentence says why there is no sound for now, if so: every device is
    /// tried again whenever a chime is to be played.
    pub fn start(config: &Settings, clock: Arc<dyn Clock>) -> (Self, Option<String>) {
        let devices = Alsa { clock: Arc::clone(&clock) };
        Self::start_on(config, clock, Box::new(devices), FIRST_RETRY)
    }

    fn start_on(
        config: &Settings,
        clock: Arc<dyn Clock>,
        devices: Box<dyn Devices>,
        first_retry: Duration,
    ) -> (Self, Option<String>) {
        let (wake, awake) = bounded(1);
        let (tell_started, started) = bounded(64);
        let (state, device) = (Mutex::default(), config.device.clone());
        let shared = Arc::new(Shared { state, devices, device, clock, started: tell_started, first_retry });
        let warning = shared.probe();
        let stop = Shutdown::new();
        let ended = Mutex::new(begin(&shared, &awake, &stop));
        (Self { shared, sound: config.sound, wake, awake, stop, ended, started }, warning)
    }

    /// Asks for a chime and returns at once. High priority always sounds; the others only with
    /// `alert.sound`.
    pub fn sound(&self, priority: Priority) {
        {
            let (waiting, status) = &mut *self.shared.lock();
            if !self.sound && priority != Priority::High {
                status.muted += 1;
                return;
            }
            status.asked += 1;
            count(status, waiting.push(priority, self.shared.clock.monotonic()));
        }
        let begun_again = self.begin_if_ended();
        // Full means that it is awake already.
        let _ = self.wake.try_send(());
        if begun_again {
            error!("The thread that sounds alerts had ended by a defect; it was started again.");
        }
    }

    fn begin_if_ended(&self) -> bool {
        let mut ended = self.ended.lock().unwrap_or_else(|e| e.into_inner());
        let has_ended = ended.try_recv() == Err(TryRecvError::Disconnected);
        if has_ended {
            *ended = begin(&self.shared, &self.awake, &self.stop);
        }
        has_ended
    }

    /// What became of the chimes up to now.
    pub fn status(&self) -> ChimeStatus {
        self.shared.lock().1.clone()
    }

    /// A chime whose sound devices all fail, so that what is asked for can be looked at.
    #[cfg(test)]
    pub(crate) fn without_devices(clock: Arc<dyn Clock>) -> Self {
        Self::start_on(&Settings::default(), clock, Box::new(tests::Faulty::default()), FIRST_RETRY).0
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
        if ended.recv_timeout(player::LAST_CHIME + 2 * player::SILENCE) == Err(RecvTimeoutError::Timeout) {
            warn!("The sound device hangs and is left behind.");
        }
    }
}

/// Starts the thread that plays. What it gives is closed when the thread ends; at once when the
/// system can't start it, and then the next alert tries again.
fn begin(shared: &Arc<Shared>, awake: &Receiver<()>, stop: &Shutdown) -> Receiver<()> {
    let (thread_ends, ended) = bounded(0);
    let player = Player::new(Arc::clone(shared), stop.clone());
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
            return Some(format!("{}; alerts sound on the default sound device", why.trim_end_matches('.')));
        }
        Some(format!("Alerts are not heard for now: {}; it is tried again at each alert", why.trim_end_matches('.')))
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

#[cfg(test)]
mod tests;
