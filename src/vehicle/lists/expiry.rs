//! Lets go of entries that are over, and says when a list is stale.

use crate::control::OfficerService;
use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::thread::Service;
use std::sync::Arc;
use std::time::Duration;

/// How often entries are looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often the ages of lists are looked at.
const STALE: Duration = Duration::from_secs(60);

/// The keeper at work; dropping it ends it.
pub type Running = Service<Sender<()>>;

/// Starts it.
///
/// # Errors
/// `Internal` when the thread can't be started.
pub fn start(desk: Arc<OfficerService>, clock: Arc<dyn Clock>) -> Result<Running> {
    let (stop, stopped) = bounded(0);
    Service::start("keeper", "The keeper of entries", stop, move || {
        let begun = clock.monotonic();
        let mut next = begun;
        while let Err(RecvTimeoutError::Timeout) = {
            // Not before the lists are there, unless that takes long.
            let ready = desk.wait_for_lists(Duration::ZERO) || clock.monotonic() >= begun + STALE;
            if ready && clock.monotonic() >= next {
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
    })
}
