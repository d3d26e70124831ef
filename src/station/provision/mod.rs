//! What the station hands to vehicles beside lists: accounts, what the agency sets, and models (controls P-01, P-07, P-20
//! to P-23). Each is a document with a serial, signed with the key of the hotlists by the command that publishes it; the
//! running station only hands out what is stored, and never reads that key.
//!
//! Accounts are signed for each vehicle of the register by itself: their second factors are sealed for it.

pub(super) mod calls;
pub(super) mod command;
mod models;
mod publish;
mod table;

pub use publish::Provisioner;
pub use table::{Provision, ProvisionKind};

use std::path::{Path, PathBuf};

/// The folder of the models' files in the station's data folder.
fn folder(data: &Path) -> PathBuf {
    data.join("models")
}
