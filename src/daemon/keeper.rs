//! Lets go of entries that are over, and says when a list is stale.

use super::spawn;
use crate::clock::Clock;
use crate::control::Desk;
use crate::error::Result;
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How often entries are looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often the ages of lists are looked at.
const STALE: Duration = Duration::from_secs(60);

/// The keeper at work; dropping it ends it.
pub struct Running {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

pub fn start(desk: Arc<Desk>, clock: Arc<dyn Clock>) -> Result<Running> {
    let (stop, stopped) = bounded(0);
    let thread = spawn("keeper", move || {
        let mut next = clock.monotonic();
        while let Err(RecvTimeoutError::Timeout) = {
            if clock.monotonic() >= next {
                next = clock.monotonic() + STALE;
                if let Err(e) = desk.warn_stale() {
                    tracing::error!("The ages of the hotlists can't be looked at: {}", e.chain());
                }
            }
            if let Err(e) = desk.expire() {
                tracing::error!("Partial plates are not in force: {}", e.chain());
            }
            stopped.recv_timeout(TICK)
        } {}
    })?;
    Ok(Running { stop: Some(stop), thread: Some(thread) })
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("The keeper of entries ended by a defect.");
        }
    }
}
