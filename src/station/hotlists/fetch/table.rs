//! The rows about sources of lists.

use crate::rows::{Row, Rows};
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Kind, Result};
use serde::{Deserialize, Serialize};

/// How the fetching of a source goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// Name of the list.
    pub name: String,
    /// The last try.
    pub asked: Timestamp,
    /// The last one that went well.
    pub answered: Option<Timestamp>,
    /// Why the last one failed, and since when all do.
    pub failing: Option<(String, Timestamp)>,
    /// Failures in a row.
    pub failures: u64,
    /// What was fetched last, and came into force.
    pub tags: Option<Tags>,
    /// What came between looks at the whole list.
    pub increments: IncrementState,
}

/// What came of a source between looks at its whole list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncrementState {
    /// Hash of the file of the whole list, as it came last.
    pub whole: Option<Sha256>,
    /// The version that the last increment made.
    pub made: Option<Sha256>,
    /// The file of entries that come, as it was applied last.
    pub add: Option<FileState>,
    /// And that of entries that go.
    pub remove: Option<FileState>,
}

/// A file that was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub modified: Option<String>,
    /// Its hash.
    pub sha256: Sha256,
}

impl SourceState {
    /// Whether this version is what the source gave: the whole list, or that and increments.
    pub fn is_own(&self, version: &Sha256) -> bool {
        self.tags.as_ref().is_some_and(|tags| tags.sha256 == *version) || self.increments.made == Some(*version)
    }
}

/// By what a source tells whether it has something new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    /// Digest of the settings by which it was fetched and read.
    pub settings: Sha256,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub modified: Option<String>,
    /// The list gives itself a date, from which its age counts.
    pub own_date: bool,
    /// The version that was made of it.
    pub sha256: Sha256,
}

impl Rows<'_> {
    /// All sources that were ever asked.
    pub fn source_states(&self) -> Result<Vec<SourceState>> {
        self.all(
            "SELECT name, asked, answered, error, failing, failures, settings, etag, modified, own_date, sha256,
                    increments
             FROM hotlist_sources ORDER BY name",
            &[],
            state,
        )
    }

    /// Notes a try that went well.
    pub(super) fn source_answered(&self, name: &str, at: Timestamp, tags: Option<&Tags>) -> Result<()> {
        self.run(
            "INSERT INTO hotlist_sources
               (name, asked, answered, failures, settings, etag, modified, own_date, sha256)
             VALUES (?1, ?2, ?2, 0, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (name) DO UPDATE SET asked = excluded.asked, answered = excluded.answered, error = NULL,
               failing = NULL, failures = 0, settings = excluded.settings, etag = excluded.etag,
               modified = excluded.modified, own_date = excluded.own_date, sha256 = excluded.sha256",
            &[
                &name,
                &at,
                &tags.map(|tags| tags.settings),
                &tags.and_then(|tags| tags.etag.as_deref()),
                &tags.and_then(|tags| tags.modified.as_deref()),
                &tags.map(|tags| tags.own_date),
                &tags.map(|tags| tags.sha256),
            ],
        )
        .map(drop)
    }

    /// Notes what came between looks at the whole list, at a try that went well.
    pub(super) fn increment_answered(&self, name: &str, at: Timestamp, state: &IncrementState) -> Result<()> {
        let failed = || "could not note how a source of lists is getting on".to_owned();
        let json = serde_json::to_string(state).context(Kind::Internal, failed)?;
        self.run(
            "UPDATE hotlist_sources SET asked = ?2, answered = ?2, error = NULL, failing = NULL, failures = 0,
               increments = ?3 WHERE name = ?1",
            &[&name, &at, &json],
        )
        .map(drop)
    }

    /// Notes a try that failed.
    pub(super) fn source_failed(&self, name: &str, at: Timestamp, error: &str) -> Result<()> {
        self.run(
            "INSERT INTO hotlist_sources (name, asked, error, failing, failures) VALUES (?1, ?2, ?3, ?2, 1)
             ON CONFLICT (name) DO UPDATE SET asked = excluded.asked, error = excluded.error,
               failing = coalesce(hotlist_sources.failing, excluded.failing), failures = hotlist_sources.failures + 1",
            &[&name, &at, &error],
        )
        .map(drop)
    }
}

fn state(row: &Row<'_>) -> Result<SourceState> {
    let tags = match (row.get(6)?, row.get(10)?) {
        (Some(settings), Some(sha256)) => Some(Tags {
            settings,
            etag: row.get(7)?,
            modified: row.get(8)?,
            own_date: row.get::<Option<bool>>(9)?.unwrap_or_default(),
            sha256,
        }),
        _ => None,
    };
    Ok(SourceState {
        name: row.get(0)?,
        asked: row.get(1)?,
        answered: row.get(2)?,
        failing: row.get::<Option<String>>(3)?.zip(row.get(4)?),
        failures: row.get(5)?,
        tags,
        increments: row
            .get::<Option<String>>(11)?
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default(),
    })
}
