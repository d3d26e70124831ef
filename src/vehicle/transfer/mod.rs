//! The way from the vehicle's outbox to the station.
//!
//! A read is marked transferred only from a receipt that came with a 2xx, is signed by a key in
//! `transfer.receipt_keys`, answers the batch that was just sent, and names exactly the content that was sent (control
//! P-12). Whatever else happens, from a refused connection to rubbish in a 200, marks nothing, and the
//! same is sent again later: sending twice does no harm.
//!
//! A round is one request: reads with their pictures, what officers put down and rows of the audit log, as much as
//! the link takes in some ten seconds.

mod fetch;
mod hold;
mod https;
mod identity;
mod link;
mod medium;
mod network;
mod outbox;
mod parcel;
mod pieces;
mod receipt;
mod renewal;
mod schedule;
mod security;
mod sender;
mod settings;
mod speed;
mod when;
mod wireless;

pub use crate::store::{Applied, OutboxRead, Portion};
pub use fetch::Download;
pub use https::HttpsLink;
pub use identity::VehicleIdentity;
pub use link::{Answer, Link, Outbox, Waiting};
pub use medium::{MediumExport, MediumPart, MediumWriter, apply_brought_receipt};
pub use network::{Network, StationNetwork};
pub use outbox::StoreOutbox;
pub use renewal::{Renewal, Tell, standing};
pub use schedule::{Options, run};
pub use security::report_breaches;
pub use sender::{Round, Sender};
pub use settings::{AgeLimits, Settings};
pub use when::{Day, Schedule, SendNow, When, Window};

use jiff::{SignedDuration, Timestamp};

/// How the transfer is getting on; see [`run`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub state: State,
    /// Reads marked transferred since the start.
    pub transferred: u64,
    /// What officers put down, sent since the start.
    pub documents: u64,
    /// Rows of the audit log that the station holds since the start.
    pub audit_rows: u64,
    /// The station, as it calls itself.
    pub station: Option<String>,
    /// By how much its clock is ahead of the vehicle's.
    pub station_clock_ahead: Option<SignedDuration>,
    /// Speed of the link as measured.
    pub bytes_a_second: Option<u64>,
    /// Receipts applied since the start.
    pub receipts: u64,
    /// Reads set aside for a while because the station would not take them or an image of
    /// theirs is damaged. They stay in the vehicle and are tried again.
    pub held: usize,
    /// Why the last attempt failed; empty once one has worked again.
    pub last_error: Option<String>,
    /// That was no matter of the network, so somebody has to look at it.
    pub operator_needed: bool,
}

/// What the transfer is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing waits.
    #[default]
    Idle,
    /// Reads are on their way.
    Sending,
    /// Nothing is sent before this: a window, the station's network, or somebody's word.
    Waiting(&'static str),
    /// It does not work and is tried again at growing intervals.
    BackingOff {
        /// Wall-clock time of the first failure in a row.
        since: Timestamp,
        /// Failures in a row.
        failures: u32,
    },
}
