//! The lists that the station hands out to vehicles.
//!
//! ```text
//! data/hotlists/publish.lock          one change at a time
//! data/hotlists/NAME/SHA256.jsonl     a version, in canonical form
//! data/hotlists/NAME/FROM-TO.delta    from an earlier version to the current one
//! ```
//!
//! A version is published by the command line, beside a running station: the files are written
//! beside, synced and renamed first, and then one transaction makes the version current and
//! stores the manifest that names it, signed. The running station only hands out what is stored;
//! it never reads the signing key.

mod body;
pub(super) mod calls;
mod canonical;
pub(super) mod command;
mod import;
mod publish;
mod range;
mod source;
mod table;

pub(super) use publish::Owner;
pub use publish::{Done, Publication, Published, Publisher};
pub use source::Source;
pub use table::HotlistVersion;

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

/// Name of a delta's file.
fn delta_name(from: &Sha256, to: &Sha256) -> String {
    format!("{from}-{to}.delta")
}
