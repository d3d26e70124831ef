//! How each list is getting on, for whoever keeps or shows it.

use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::wire::ListVersion;
use serde::{Deserialize, Serialize};

/// Where a list comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The station hands it out.
    Station,
    /// Files are dropped into a folder.
    Folder,
}

/// How one list is getting on. Times are wall-clock times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListState {
    /// Name of the list.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// When something newer was last looked for.
    pub last_check: Option<Timestamp>,
    /// When the list was last known to be the newest there is.
    pub last_success: Option<Timestamp>,
    /// Number of the version that was accepted; a folder's files have none.
    pub version: Option<u64>,
    /// Hash of what was accepted.
    pub sha256: Option<Sha256>,
    /// Its entries, where they are known.
    pub entries: Option<u64>,
    /// What its age counts from: the date of the source's file, or when it was published.
    pub dated: Option<Timestamp>,
    /// Why the last attempt failed; empty once one has worked again.
    pub last_error: Option<String>,
}

impl ListState {
    pub(super) fn new(name: &str, origin: Origin) -> Self {
        Self {
            name: name.to_owned(),
            origin,
            last_check: None,
            last_success: None,
            version: None,
            sha256: None,
            entries: None,
            dated: None,
            last_error: None,
        }
    }

    pub(super) fn hold(&mut self, version: &ListVersion) {
        self.version = Some(version.version);
        self.sha256 = Some(version.sha256);
        self.entries = Some(version.entries);
        self.dated = Some(version.file_date.unwrap_or(version.published));
    }

    /// Age in whole seconds at `now`; nothing while no list was accepted.
    pub fn age_s(&self, now: Timestamp) -> Option<u64> {
        let dated = self.dated?;
        Some(u64::try_from(now.as_second() - dated.as_second()).unwrap_or(0))
    }

    /// Notes how an attempt ended; true when an error is a new one and should be told.
    pub(super) fn note(&mut self, now: Timestamp, error: Option<String>) -> bool {
        self.last_check = Some(now);
        let new = error.is_some() && error != self.last_error;
        if error.is_none() {
            self.last_success = Some(now);
        }
        self.last_error = error;
        new
    }
}
