//! The thread that plays what waits, and what it does about devices that fail or hang.

use super::{ChimeStatus, START_TIMEOUT, Shared, Started, count, guarded};
use crate::alert::bell;
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError, bounded, select};
use plated_core::error::{Error, Kind, Result};
use plated_core::record::Priority;
use plated_core::shutdown::Shutdown;
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, info};

/// A low or normal chime this late would mislead.
const MAX_LATENESS: Duration = Duration::from_secs(10);
const MAX_RETRY: Duration = Duration::from_secs(30);
/// A device that has not played a chime to its end this long after its start hangs.
const END_TIMEOUT: Duration = Duration::from_secs(4);

/// The chime that sounds when the daemon ends is heard to its end, within this.
pub(super) const LAST_CHIME: Duration = Duration::from_secs(2);
/// Then the device has this long to fall silent.
pub(super) const SILENCE: Duration = Duration::from_millis(500);

pub(super) struct Player {
    shared: Arc<Shared>,
    stop: Shutdown,
    /// Devices in whose driver a thread hangs; closed when it returns after all.
    hung: Vec<(String, Receiver<Result<()>>)>,
    /// The answer of ALSA, which devices there are, while it is waited for.
    listing: Option<Receiver<Vec<String>>>,
}

/// How one attempt ended, where it did not fail.
pub(super) enum Played {
    ToTheEnd,
    /// The chime was dropped meanwhile.
    Stopped,
}

impl Player {
    pub(super) fn new(shared: Arc<Shared>, stop: Shutdown) -> Self {
        Self { shared, stop, hung: Vec::new(), listing: None }
    }

    /// Plays what waits until it is to stop. Each alert wakes it. One that came just before the stop is
    /// still played.
    pub(super) fn run(mut self, wake: &Receiver<()>) {
        let first_retry = self.shared.first_retry;
        let mut retry = first_retry;
        loop {
            let Some((priority, asked)) = self.next() else {
                if self.stop.is_requested() {
                    return;
                }
                select! {
                    recv(wake) -> _ => continue,
                    recv(self.stop.channel()) -> _ => continue,
                }
            };
            match guarded(|| self.play(priority)) {
                Ok(Played::ToTheEnd) => retry = first_retry,
                Ok(Played::Stopped) => return,
                Err(error) => {
                    self.failed(priority, asked, &error);
                    // A new alert is tried at once, also one that came during the attempt; the one that failed
                    // goes with it.
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
        let (waiting, status) = &mut *self.shared.lock();
        status.dropped += waiting.forget_before(self.shared.clock.monotonic().saturating_sub(MAX_LATENESS));
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

    /// The other devices, or none when ALSA does not say so in time. Where it hangs, its thread is left
    /// behind, and there is no second one before the first has answered.
    pub(super) fn others(&mut self) -> Vec<String> {
        let (listing, wait) = match self.listing.take() {
            Some(begun) => (begun, Duration::ZERO),
            None => {
                let (answer, answered) = bounded(1);
                let shared = Arc::clone(&self.shared);
                let list = move || drop(answer.send(guarded(|| Ok(shared.devices.others())).unwrap_or_default()));
                if std::thread::Builder::new().name("chime-devices".into()).spawn(list).is_err() {
                    return Vec::new();
                }
                (answered, START_TIMEOUT)
            }
        };
        match listing.recv_timeout(wait) {
            Ok(devices) => devices,
            Err(RecvTimeoutError::Disconnected) => Vec::new(),
            Err(RecvTimeoutError::Timeout) => {
                self.listing = Some(listing);
                Vec::new()
            }
        }
    }

    fn attempt(&mut self, device: &str, priority: Priority) -> Result<Played> {
        let hangs = || Error::new(Kind::Missing, "the sound device hangs");
        self.hung.retain(|(_, outcome)| matches!(outcome.try_recv(), Err(TryRecvError::Empty)));
        if self.hung.iter().any(|(name, _)| name == device) {
            return Err(hangs());
        }
        let (started, starts) = bounded(1);
        let (ended, outcome) = bounded(1);
        let stop = Shutdown::new();
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
                // Who asks for another chime meanwhile is noticed when this one was played or failed.
                recv(self.stop.channel()) -> _ => {
                    if matches!(outcome.recv_timeout(LAST_CHIME), Err(RecvTimeoutError::Timeout)) {
                        stop.request();
                        let _ = outcome.recv_timeout(SILENCE);
                    }
                    if let Some(at) = starts.and_then(|starts| starts.try_recv().ok()) {
                        self.begun(Started { priority, at });
                    }
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
    pub(super) fn worked(&self, instead: Option<(String, &Error)>) {
        let instead = instead.map(|(device, error)| {
            let device = if device.is_empty() { "default".into() } else { device };
            (device, error.chain())
        });
        let (before, now) = self.change(|status| {
            status.played += 1;
            (status.instead, status.error) = instead.unzip();
        });
        match (now.instead, now.error) {
            (Some(device), Some(why)) if before != (Some(device.clone()), Some(why.clone())) => {
                error!(device, "{why}. Alerts sound on another device; repair the configured one.");
            }
            (None, None) if before.1.is_some() => info!("The sound device works again."),
            _ => {}
        }
    }

    /// No device played it.
    pub(super) fn failed(&self, priority: Priority, asked: Duration, error: &Error) {
        let why = error.chain();
        let rung = bell::ring();
        let pushed = self.shared.lock().0.push(priority, asked);
        let (before, _) = self.change(|status| {
            count(status, pushed);
            status.bells += u64::from(rung);
            (status.error, status.instead) = (Some(why.clone()), None);
        });
        if before != (None, Some(why.clone())) {
            // An officer who hears nothing may miss a vehicle; somebody has to look at it.
            error!("An alert could not be sounded: {why}. It is tried again.");
        }
    }

    /// Changes the status. Gives what stood in it before of another device and the error, and what is
    /// in it now; whoever logs that does so without the lock.
    fn change(&self, change: impl FnOnce(&mut ChimeStatus)) -> ((Option<String>, Option<String>), ChimeStatus) {
        let status = &mut self.shared.lock().1;
        let before = (status.instead.clone(), status.error.clone());
        change(status);
        (before, status.clone())
    }

    fn begun(&self, started: Started) {
        self.shared.lock().1.last = Some(started);
        let _ = self.shared.started.try_send(started);
    }
}
