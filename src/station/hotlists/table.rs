//! The rows about lists in the station's database.

use super::super::rows::{Row, Rows};
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::wire::{DeltaFrom, ListVersion, StaleAfter};

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
    /// When it comes into force, or came, where that was not at once.
    pub valid_from: Option<Timestamp>,
    /// It is not in force yet.
    pub coming: bool,
    /// From which age on it is stale.
    pub stale: Option<StaleAfter>,
    /// So many versions were to be kept when it was published.
    pub keep: usize,
}

impl HotlistVersion {
    /// As the manifest has it.
    pub fn as_listed(&self, deltas: Vec<DeltaFrom>) -> ListVersion {
        ListVersion {
            name: self.name.clone(),
            version: self.version,
            sha256: self.sha256,
            bytes: self.bytes,
            entries: self.entries,
            published: self.published,
            file_date: self.file_date,
            confirmed: self.confirmed,
            forced: self.forced.clone(),
            valid_from: self.valid_from.filter(|_| self.coming),
            stale: self.stale,
            deltas,
        }
    }
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
                       current, valid_from, coming, warn_h, critical_h, keep";

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

    /// Adds a version. One that is current takes the place of the one before it.
    pub fn add_list_version(&self, v: &HotlistVersion) -> Result<()> {
        if v.current {
            self.leave_without_current(&v.name)?;
        }
        self.run(
            "INSERT INTO hotlist_versions
             (name, version, sha256, bytes, entries, published, by_user, file_date, confirmed, forced, kept, current,
              valid_from, coming, warn_h, critical_h, keep)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, ?11, ?12, ?13, ?14, ?15, ?16)",
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
                &v.current,
                &v.valid_from,
                &v.coming,
                &v.stale.map(|stale| stale.warn_h),
                &v.stale.map(|stale| stale.critical_h),
                &v.keep,
            ],
        )
        .map(drop)
    }

    /// Makes the versions current whose time has come; gives their names.
    pub fn promote_lists(&self, now: Timestamp) -> Result<Vec<String>> {
        let due: Vec<(String, u64)> = self.all(
            "SELECT name, version FROM hotlist_versions WHERE coming = 1 AND valid_from <= ?1 ORDER BY valid_from, version",
            &[&now],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        for (name, version) in &due {
            self.leave_without_current(name)?;
            let sql = "UPDATE hotlist_versions SET coming = 0, current = 1 WHERE name = ?1 AND version = ?2";
            self.run(sql, &[name, version])?;
        }
        Ok(due.into_iter().map(|(name, _)| name).collect())
    }

    /// Gives up a version that has not come into force yet.
    pub fn give_up_version(&self, name: &str, version: u64) -> Result<()> {
        let sql = "UPDATE hotlist_versions SET coming = 0, kept = 0 WHERE name = ?1 AND version = ?2";
        self.run(sql, &[&name, &version]).map(drop)
    }

    /// Gives up versions that have not come into force yet; their files go with the next change.
    pub fn cancel_coming(&self, name: &str) -> Result<bool> {
        let sql = "UPDATE hotlist_versions SET coming = 0, kept = 0 WHERE name = ?1 AND coming = 1";
        Ok(self.run(sql, &[&name])? > 0)
    }

    /// Notes that the current version of a list is still the newest at its source, the date of the file that says so,
    /// and from which age on it is stale.
    pub fn confirm_list(&self, same: &HotlistVersion) -> Result<()> {
        let (warn_h, critical_h) = same.stale.map(|stale| (stale.warn_h, stale.critical_h)).unzip();
        self.run(
            "UPDATE hotlist_versions SET confirmed = CASE WHEN ?2 > confirmed THEN ?2 ELSE confirmed END,
               file_date = CASE WHEN ?3 > coalesce(file_date, 0) THEN ?3 ELSE file_date END,
               warn_h = ?4, critical_h = ?5
             WHERE name = ?1 AND current = 1",
            &[&same.name, &same.confirmed, &same.file_date, &warn_h, &critical_h],
        )
        .map(drop)
    }

    /// Leaves a list without a version that counts or comes; true when it had one.
    pub fn withdraw_list(&self, name: &str) -> Result<bool> {
        let came = self.cancel_coming(name)?;
        Ok(self.leave_without_current(name)? || came)
    }

    fn leave_without_current(&self, name: &str) -> Result<bool> {
        let sql = "UPDATE hotlist_versions SET current = 0 WHERE name = ?1 AND current = 1";
        Ok(self.run(sql, &[&name])? > 0)
    }

    /// Notes that the files of all but the last `keep` versions of a list go; the current one stays, and those to
    /// come.
    pub fn let_go_of_lists(&self, name: &str, keep: usize) -> Result<()> {
        self.run(
            "UPDATE hotlist_versions SET kept = 0
             WHERE name = ?1 AND kept = 1 AND current = 0 AND coming = 0 AND version <=
               (SELECT version FROM hotlist_versions WHERE name = ?1 ORDER BY version DESC LIMIT 1 OFFSET ?2)",
            &[&name, &keep],
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
        valid_from: row.get(12)?,
        coming: row.get(13)?,
        stale: row
            .get::<Option<u32>>(14)?
            .zip(row.get(15)?)
            .map(|(warn_h, critical_h)| StaleAfter { warn_h, critical_h }),
        keep: row.get::<i64>(16)?.try_into().unwrap_or(1),
    })
}
