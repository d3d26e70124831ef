//! The lists that the station hands out to vehicles.
//!
//! ```text
//! data/hotlists/publish.lock          one change at a time
//! data/hotlists/NAME/SHA256.jsonl     a version, in canonical form
//! data/hotlists/NAME/SHA256.left_out  entries that were made inactive, and are not in it
//! data/hotlists/NAME/FROM-TO.delta    from an earlier version to the current one
//! ```
//!
//! Where several stations share a database, the files are in it too, and the folder has copies of them
//! ([`crate::shared_files`]).
//!
//! A version is published by the command line, beside a running station: the files are written
//! beside, synced and renamed first, and then one transaction makes the version current and
//! stores the manifest that names it, signed. The running station only hands out what is stored;
//! it never reads the signing key.

mod age;
mod body;
pub(super) mod calls;
mod canonical;
pub(super) mod command;
mod fetch;
mod import;
mod inactive;
mod publish;
mod range;
mod source;
mod sources_command;
mod table;
mod update;

pub use age::{ListAge, Staleness, ages};
pub(crate) use body::FileBody;
pub use fetch::{Fetched, Fetcher, SourceState};
pub use inactive::{EntryName, Inactive};
pub use publish::{Done, Publication, Published, Publisher};
pub use source::Source;
pub use table::HotlistVersion;
pub use update::Increment;

use plated_core::digest::Sha256;
use std::path::{Path, PathBuf};

/// The folder of all lists in the station's data folder.
fn folder(data: &Path) -> PathBuf {
    data.join("hotlists")
}

/// Name of a version's file.
fn file_name(sha256: &Sha256) -> String {
    format!("{sha256}.jsonl")
}

/// Name of the file of what was left out of a version.
fn left_out_name(sha256: &Sha256) -> String {
    format!("{sha256}.left_out")
}

/// Name of a delta's file.
fn delta_name(from: &Sha256, to: &Sha256) -> String {
    format!("{from}-{to}.delta")
}
