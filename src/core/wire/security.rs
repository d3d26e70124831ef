//! Signs of a breach on their way to the station (control P-26).

use super::Computer;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The version of the form. Keys may be added within one; receivers pass over what they don't know.
pub const SECURITY_REPORT_VERSION: u32 = 1;
/// Largest body of a report that a station accepts, in bytes.
pub const MAX_SECURITY_REPORT_BYTES: usize = 256 << 10;
/// Most events in one report.
pub const MAX_SECURITY_EVENTS: usize = 100;

/// Signs of a breach that a vehicle noticed, the oldest first. Sending it twice does no harm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecurityReport {
    /// Of the form.
    pub version: u32,
    /// The vehicle, as its certificate names it.
    pub vehicle: String,
    /// The computer that sends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computer: Option<Computer>,
    /// At most [`MAX_SECURITY_EVENTS`].
    pub events: Vec<SecurityNote>,
}

/// One of them: a row of the vehicle's audit log, which is where the proof of it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecurityNote {
    /// The audit log.
    pub log: Uuid,
    /// The row of that log.
    pub row: i64,
    /// When, by the vehicle's clock.
    pub at: Timestamp,
    /// What happened, as a word, such as `failed_logins`: 1 to 64 small letters, digits and `_`.
    pub indicator: String,
    /// The same as a sentence without a full stop, at most 1000 characters.
    pub text: String,
}

/// That the station holds all events of a report durably.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SecurityReceipt {
    /// The station's name.
    pub station: String,
    /// How many events of the report are on its disk, now or from before: all of them.
    pub durable: usize,
}
