//! Alerts for other programs: computer-aided dispatch (CAD), the software of a mobile terminal.
//!
//! ```text
//! store (hits that are durable) ─► webhook's task ─► gate (on record) ─► HTTPS to the subscriber
//!        ▲ woken by what is made known                   tried again until it is taken
//!
//! console's listener ─► token ─► stream's task ─► gate (on record) ─► events to the subscriber
//!                                goes on after the event that it had last
//! ```
//!
//! Nothing of the vehicle waits for a subscriber. What one has not been given is told by the store, so
//! that alerts survive a restart, and are sent late rather than never, for [`MAX_AGE`]. The wire form is in
//! `docs/reference/alerts-json.md`.

mod message;
mod recipient;
mod settings;
mod stream;
mod webhook;

pub use message::AlertMessage;
pub use settings::Webhook;
pub use stream::{Streams, event};
pub use webhook::start;

use crate::announcement::Published;
use crate::control::OfficerService;
use crate::events::Hub;
use crate::health::Health;
use crate::store::Store;
use plated_core::clock::Clock;
use plated_core::error::{Error, Kind, Result};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// An alert is sent late rather than never, but not after so long: it is no news any more. Officers have it in
/// the vehicle all the same.
pub const MAX_AGE: Duration = Duration::from_secs(12 * 3600);
/// Alerts that are taken from the store at once.
const MAX_AT_ONCE: usize = 20;

/// What webhooks and streams work with.
#[derive(Clone)]
pub struct Parts {
    /// The gate, and what may be shown of a hit.
    pub officers: Arc<OfficerService>,
    /// Where alerts are.
    pub store: Store,
    /// What wakes.
    pub events: Hub<Published>,
    /// Where each says how it is.
    pub health: Arc<Health>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// Does what waits for the store where that holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Error::new(Kind::Internal, format!("giving alerts out failed by a defect: {e}")))?
}
