//! Lets go of entries that are over, says when a list is stale, and puts down how lists, disk and transfer
//! are.

use crate::control::OfficerService;
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::shutdown::Shutdown;
use plated_core::thread::{Thread, guarded};
use std::sync::Arc;
use std::time::Duration;

/// How often entries are looked at.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How often the ages of lists, the disk and the outbox are looked at.
const SLOW_TICK: Duration = Duration::from_secs(60);

/// Starts it; it ends with `stop`.
///
/// # Errors
/// `Internal` when the thread can't be started.
pub fn start(service: Arc<OfficerService>, clock: Arc<dyn Clock>, stop: Shutdown) -> Result<Thread> {
    Thread::start("expiry", "The thread that ends officers' entries", move || {
        let begun = clock.monotonic();
        let mut next = begun;
        loop {
            guarded("Ages of lists and ends of entries were not looked at", || {
                // Not before the lists are there, unless that takes long.
                let ready = service.wait_for_lists(Duration::ZERO) || clock.monotonic() >= begun + SLOW_TICK;
                if ready && clock.monotonic() >= next {
                    next = clock.monotonic() + SLOW_TICK;
                    if let Err(e) = service.warn_stale() {
                        tracing::error!("The ages of the hotlists can't be looked at: {}", e.chain());
                    }
                    service.report_parts();
                }
            });
            let expired = guarded("Entries that are over are still in force", || service.expire());
            if let Some(Err(e)) = expired {
                tracing::error!("Partial plates are not in force: {}", e.chain());
            }
            if stop.wait_timeout(POLL_INTERVAL) {
                return;
            }
        }
    })
}
