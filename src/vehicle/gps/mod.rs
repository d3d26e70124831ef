//! Where the vehicle is: fixes of gpsd, judged, for whoever makes a read.
//!
//! ```text
//! receiver ─► gpsd ─► receiver's task (read, judge) ─► fixes of two minutes ◄─ recorder (the nearest to a frame)
//! ```
//!
//! Nothing waits for it: without a fix that can be used reads have no position, and the part `gps` of
//! [`Health`](crate::health::Health) says why.

mod client;
mod fixes;
mod judge;
mod protocol;
mod settings;

pub use client::{Receiver, run};
pub use fixes::{Fixes, MAX_AGE};
pub use judge::{Doubt, Fix, Judge};
pub use protocol::{Message, Report, parse};
pub use settings::Settings;
