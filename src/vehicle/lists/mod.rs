//! Lists come into the vehicle: from the station, by a signed manifest ([`Sync`]), and from
//! folders into which somebody drops files ([`Watcher`]).
//!
//! What comes is handed to one closure, [`Accept`], which decides whether it comes into force.
//! Until it says yes, the list before stays in force (invariant 7 of `docs/design.md`).
//! `docs/reference/hotlist-sync.md` describes the wire.

mod client;
mod fetch;
mod findings;
mod remote;
mod files;
mod received;
mod settings;
mod state;
mod watch;

pub use client::{Outcome, Round, Sync};
pub use fetch::Way;
pub use files::{Each, IncomingFile, ListFiles};
pub use received::{accepted, accepted_at, offer_again, was_withdrawn};
pub use remote::{Ask, Body, Remote, Reply};
pub use settings::HotlistSync;
pub use state::{ListState, Origin};
pub use watch::{Taken, Watched, Watcher, forget};

use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::wire::{FindingSet, ListVersion};
use plated_hotlist::settings::Hotlist;
use std::path::PathBuf;

/// Brings a change into force, or refuses it with a sentence. Gives a sentence of what was done.
/// Called off the network's thread; it may take its time.
pub type Accept = dyn Fn(&Change) -> Result<String> + Send + std::marker::Sync;

/// A list that wants to come into force, or one that goes.
#[derive(Clone, Debug)]
pub enum Change {
    /// A list of the station, whole and of the hash that its manifest names, in the
    /// [canonical] form.
    Station {
        /// What the manifest says of it.
        version: ListVersion,
        /// The file; it stays there as long as the list is in force.
        path: PathBuf,
    },
    /// The station was asked, and what was accepted last is still the newest.
    Current {
        /// Its name.
        list: String,
        /// When the station last knew that.
        confirmed: Timestamp,
    },
    /// The station does not hand out this list any more.
    Withdrawn {
        /// Its name.
        list: String,
    },
    /// What the station approved as not the wanted vehicle, signed by it: all of it, in the place of what it handed out
    /// before.
    Findings(Box<FindingSet>),
    /// A file from a watched folder, in whatever format, in the vehicle's own copy.
    File {
        /// The list it is for.
        list: String,
        /// The copy; it goes once this was accepted or refused.
        path: PathBuf,
        /// The file's name in the folder.
        name: String,
        /// Hash of its bytes.
        sha256: Sha256,
    },
}

/// Digest of everything that decides how a file of this list is read and judged: one that was refused
/// is tried again when this has changed.
pub fn settings_digest(list: &Hotlist) -> Sha256 {
    let map = list.map.as_deref().and_then(|path| std::fs::read(path).ok());
    Sha256::of(format!("{} {list:?} {map:?}", env!("CARGO_PKG_VERSION")).as_bytes())
}
