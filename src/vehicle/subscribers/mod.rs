//! Alerts for other programs: computer-aided dispatch (CAD), the software of a mobile terminal.
//!
//! ```text
//! store (hits that are durable) ─► webhook's task ─► gate (on record) ─► HTTPS to the subscriber
//!        ▲ woken by what is made known                   tried again until it is taken
//! ```
//!
//! Nothing of the vehicle waits for a subscriber. What a webhook has not been given is told by the store, so
//! that alerts survive a restart, and are sent late rather than never, for [`MAX_AGE`]. The wire form is in
//! `docs/reference/alerts-json.md`.

mod message;
mod settings;
mod webhook;

pub use message::AlertMessage;
pub use settings::Webhook;
pub use webhook::{MAX_AGE, Parts, start};
