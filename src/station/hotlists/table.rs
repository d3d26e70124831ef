//! The rows about lists in the station's database.

use super::super::rows::{Row, Rows};
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::Result;

/// A version of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotlistVersion {
    /// Name of the list.
    pub name: String,
    /// Number of the version, from 1.
    pub version: u64,
    /// Over the bytes of the file.
    pub sha256: Sha256,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Entries, one on each line.
    pub entries: u64,
    /// When it was published.
    pub published: Timestamp,
    /// The system user who published it.
    pub by: String,
    /// Date of the file it was made of.
    pub file_date: Option<Timestamp>,
    /// When it was last known to be the newest at its source.
    pub confirmed: Timestamp,
    /// Why it was let in past the checks, if it was.
    pub forced: Option<String>,
    /// Whether its file is still there, as the start of deltas.
    pub kept: bool,
    /// Whether vehicles are to have it now.
    pub current: bool,
}

/// The manifest that counts now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// Its number.
    pub serial: u64,
    /// As it was signed; JSON of `wire::SignedManifest`.
    pub signed: String,
}

const COLUMNS: &str = "name, version, sha256, bytes, entries, published, by_user, file_date, confirmed, forced, kept, \
                       current";

impl Rows<'_> {
    /// All versions of all lists, in the order of names, the newest first.
    pub fn list_versions(&self) -> Result<Vec<HotlistVersion>> {
        let sql = format!("SELECT {COLUMNS} FROM hotlist_versions ORDER BY name, version DESC");
        self.all(&sql, &[], version)
    }

    /// The version of this name and hash whose file is there; the newest, when there are several.
    pub fn list_version(&self, name: &str, sha256: &Sha256) -> Result<Option<HotlistVersion>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM hotlist_versions WHERE name = ?1 AND sha256 = ?2 AND kept = 1 ORDER BY version DESC"
        );
        self.one(&sql, &[&name, sha256], version)
    }

    /// Adds a version and makes it the current one of its list.
    pub fn add_list_version(&self, v: &HotlistVersion) -> Result<()> {
        self.withdraw_list(&v.name)?;
        self.run(
            "INSERT INTO hotlist_versions
             (name, version, sha256, bytes, entries, published, by_user, file_date, confirmed, forced, kept, current)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, 1)",
            &[
                &v.name,
                &v.version,
                &v.sha256,
                &v.bytes,
                &v.entries,
                &v.published,
                &v.by,
                &v.file_date,
                &v.confirmed,
                &v.forced,
            ],
        )
        .map(drop)
    }

    /// Notes that the current version of a list is still the newest at its source, and the date of the file that
    /// says so.
    pub fn confirm_list(&self, name: &str, confirmed: Timestamp, file_date: Option<Timestamp>) -> Result<()> {
        self.run(
            "UPDATE hotlist_versions SET confirmed = CASE WHEN ?2 > confirmed THEN ?2 ELSE confirmed END,
               file_date = CASE WHEN ?3 > coalesce(file_date, 0) THEN ?3 ELSE file_date END
             WHERE name = ?1 AND current = 1",
            &[&name, &confirmed, &file_date],
        )
        .map(drop)
    }

    /// Leaves a list without a current version; true when it had one.
    pub fn withdraw_list(&self, name: &str) -> Result<bool> {
        let sql = "UPDATE hotlist_versions SET current = 0 WHERE name = ?1 AND current = 1";
        Ok(self.run(sql, &[&name])? > 0)
    }

    /// Notes that the files of all but the last `keep` versions of a list go. The current one,
    /// if there is one, is always among the last.
    pub fn let_go_of_lists(&self, name: &str, keep: usize) -> Result<()> {
        self.run(
            "UPDATE hotlist_versions SET kept = 0 WHERE name = ?1 AND kept = 1 AND version <=
             (SELECT version FROM hotlist_versions WHERE name = ?1 ORDER BY version DESC LIMIT 1 OFFSET ?2)",
            &[&name, &(keep as u64)],
        )
        .map(drop)
    }

    /// The manifest that counts now; none before the first list was published.
    pub fn manifest(&self) -> Result<Option<Current>> {
        self.one("SELECT serial, signed FROM hotlist_manifests ORDER BY serial DESC LIMIT 1", &[], |row| {
            Ok(Current { serial: row.get(0)?, signed: row.get(1)? })
        })
    }

    /// Adds a manifest, which counts from now on.
    pub fn add_manifest(&self, current: &Current, made: Timestamp, by: &str, why: &str) -> Result<()> {
        self.run(
            "INSERT INTO hotlist_manifests (serial, made, by_user, why, signed) VALUES (?1, ?2, ?3, ?4, ?5)",
            &[&current.serial, &made, &by, &why, &current.signed],
        )
        .map(drop)
    }
}

fn version(row: &Row<'_>) -> Result<HotlistVersion> {
    Ok(HotlistVersion {
        name: row.get(0)?,
        version: row.get(1)?,
        sha256: row.get(2)?,
        bytes: row.get(3)?,
        entries: row.get(4)?,
        published: row.get(5)?,
        by: row.get(6)?,
        file_date: row.get(7)?,
        confirmed: row.get(8)?,
        forced: row.get(9)?,
        kept: row.get(10)?,
        current: row.get(11)?,
    })
}
