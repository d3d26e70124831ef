//! Entries that somebody made inactive: they are left out of each version, whatever the source sends, until somebody
//! makes them active again.

use super::publish::{About, Draft, Publisher, whole};
use super::table::HotlistVersion;
use crate::rows::{Row, Rows};
use jiff::Timestamp;
use plated_access::{AccessRecord, Actor, Permit, Show};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::record::EntryRecord;
use plated_hotlist::Pattern;
use serde_json::json;

/// Which entries of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryName {
    /// Plate or partial plate.
    pub plate: String,
    /// Its state; of any, when empty.
    pub state: String,
    /// The source's own id; any, when empty.
    pub id: String,
}

/// An entry that was made inactive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inactive {
    /// Names it.
    pub number: i64,
    /// The list.
    pub list: String,
    /// The entry.
    pub entry: EntryName,
    /// When, by whom and why.
    pub made: (Timestamp, String, String),
    /// The same of who made it active again, if somebody did.
    pub ended: Option<(Timestamp, String, String)>,
}

impl EntryName {
    /// A plate or partial plate, as people write it.
    ///
    /// # Errors
    /// `Config` when it is none.
    pub fn new(plate: &str, state: &str, id: &str) -> Result<Self> {
        let plate = match Pattern::is_pattern(plate) {
            true => plate.to_ascii_uppercase(),
            false => PlateText::normalise(plate).as_str().to_owned(),
        };
        if plate.is_empty() {
            return Err(Error::new(Kind::Config, "--plate: give the plate as the list has it"));
        }
        Ok(Self { plate, state: state.to_ascii_uppercase(), id: id.to_owned() })
    }

    /// Whether it names this entry.
    pub fn names(&self, entry: &EntryRecord) -> bool {
        let plate = match Pattern::is_pattern(&entry.plate) || Pattern::is_pattern(&self.plate) {
            true => self.plate.eq_ignore_ascii_case(&entry.plate),
            // The letter O and the digit 0 are one: lists write one for the other.
            false => PlateText::normalise(&self.plate).key() == PlateText::normalise(&entry.plate).key(),
        };
        plate && (self.state.is_empty() || self.state == entry.state) && (self.id.is_empty() || self.id == entry.id)
    }
}

/// What is left out of a version that is being made.
#[derive(Default)]
pub(super) struct Marks {
    marks: Vec<Inactive>,
    /// Entries that were left out, as JSON, each with its mark.
    caught: Vec<(i64, String)>,
}

impl Marks {
    /// The same; nothing is left out yet.
    pub fn begin(&self) -> Self {
        Self { marks: self.marks.clone(), caught: Vec::new() }
    }

    /// Leaves this entry out, if it is inactive.
    pub fn catches(&mut self, entry: &EntryRecord) -> Result<bool> {
        let Some(mark) = self.marks.iter().find(|mark| mark.entry.names(entry)) else { return Ok(false) };
        let line = serde_json::to_string(entry).context(Kind::Internal, || "an entry can't be written".into())?;
        self.caught.push((mark.number, line));
        Ok(true)
    }

    /// How many entries were left out.
    pub fn caught(&self) -> u64 {
        self.caught.len() as u64
    }

    /// What was left out, JSON of an entry on each line.
    pub fn lines(&self) -> String {
        self.caught.iter().map(|(_, line)| format!("{line}\n")).collect()
    }
}

const COLUMNS: &str = "number, list, plate, state, entry_id, at, by_user, reason, ended, ended_by, ended_why";

impl Rows<'_> {
    /// What is left out of a list now.
    pub(super) fn marks(&self, list: &str) -> Result<Marks> {
        let sql = format!("SELECT {COLUMNS} FROM hotlist_inactive WHERE list = ?1 AND ended IS NULL ORDER BY number");
        let marks = self.all(&sql, &[&list], inactive)?;
        Ok(Marks { marks, caught: Vec::new() })
    }

    /// All entries that were ever made inactive, the newest first.
    pub(super) fn inactive_entries(&self, _: &Permit<Show>) -> Result<Vec<Inactive>> {
        let sql = format!("SELECT {COLUMNS} FROM hotlist_inactive ORDER BY number DESC");
        self.all(&sql, &[], inactive)
    }

    fn inactive_entry(&self, number: i64) -> Result<Option<Inactive>> {
        let sql = format!("SELECT {COLUMNS} FROM hotlist_inactive WHERE number = ?1 AND ended IS NULL");
        self.one(&sql, &[&number], inactive)
    }

    fn add_inactive(&self, new: &Inactive) -> Result<()> {
        let (at, by, reason) = &new.made;
        self.run(
            "INSERT INTO hotlist_inactive (number, list, plate, state, entry_id, at, by_user, reason)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            &[&new.number, &new.list, &new.entry.plate, &new.entry.state, &new.entry.id, at, by, reason],
        )
        .map(drop)
    }

    fn end_inactive(&self, number: i64, at: Timestamp, by: &str, why: &str) -> Result<()> {
        let sql = "UPDATE hotlist_inactive SET ended = ?2, ended_by = ?3, ended_why = ?4 WHERE number = ?1";
        self.run(sql, &[&number, &at, &by, &why]).map(drop)
    }

    fn next_inactive(&self) -> Result<i64> {
        let sql = "SELECT coalesce(max(number), 0) + 1 FROM hotlist_inactive";
        Ok(self.one(sql, &[], |row| row.get(0))?.unwrap_or(1))
    }
}

fn inactive(row: &Row<'_>) -> Result<Inactive> {
    let ended = match row.get::<Option<Timestamp>>(8)? {
        Some(at) => Some((at, row.get(9)?, row.get(10)?)),
        None => None,
    };
    Ok(Inactive {
        number: row.get(0)?,
        list: row.get(1)?,
        entry: EntryName { plate: row.get(2)?, state: row.get(3)?, id: row.get(4)? },
        made: (row.get(5)?, row.get(6)?, row.get(7)?),
        ended,
    })
}

impl Publisher<'_> {
    /// Makes an entry of a list inactive, at once and in all versions that follow. Gives how many entries that is.
    ///
    /// # Errors
    /// `NotFound` when the list has no such entry that is active, or there is no such list.
    pub fn make_inactive(
        &mut self,
        list: &str,
        entry: EntryName,
        actor: &Actor,
        reason: &str,
    ) -> Result<(Inactive, u64)> {
        let now = self.clock.wall();
        let versions = self.in_use(list)?;
        let (mut marks, number) = self.database.transaction(|rows| Ok((rows.marks(list)?, rows.next_inactive()?)))?;
        let made = (now, actor.to_string(), reason.to_owned());
        let new = Inactive { number, list: list.to_owned(), entry, made, ended: None };
        marks.marks.push(new.clone());
        let (mut is_noted, mut entries) = (false, 0);
        for version in versions {
            let draft = self.redraft(marks.begin(), &version)?;
            let found = draft.marks.caught.iter().filter(|(by, _)| *by == number).count() as u64;
            if found == 0 {
                continue;
            }
            let subject = json!({
                "list": list, "number": number, "plate": new.entry.plate, "state": new.entry.state, "id": new.entry.id,
                "from_version": version.version,
            });
            let record = AccessRecord::done(actor, "hotlist_entry_inactive", reason, subject)?;
            let also = |rows: &Rows<'_>| if is_noted { Ok(()) } else { rows.add_inactive(&new) };
            self.replace(&version, draft, &record, also)?;
            is_noted = true;
            entries = found;
        }
        match is_noted {
            true => Ok((new, entries)),
            false => {
                let message = format!("the list {list} has no such entry that is active; nothing was changed");
                Err(Error::new(Kind::NotFound, message))
            }
        }
    }

    /// Makes an entry active again: it is in the list at once, as its source has it.
    ///
    /// # Errors
    /// `NotFound` when no entry of this number is inactive.
    pub fn make_active(&mut self, number: i64, actor: &Actor, reason: &str) -> Result<Inactive> {
        let now = self.clock.wall();
        let Some(was) = self.database.transaction(|rows| rows.inactive_entry(number))? else {
            let message = format!("there is no inactive entry {number}; `plated-station hotlist inactive` shows them");
            return Err(Error::new(Kind::NotFound, message));
        };
        let mut marks = self.database.transaction(|rows| rows.marks(&was.list))?;
        marks.marks.retain(|mark| mark.number != number);
        let subject = json!({
            "list": was.list, "number": number, "plate": was.entry.plate, "state": was.entry.state, "id": was.entry.id,
        });
        let record = AccessRecord::done(actor, "hotlist_entry_active", reason, subject)?;
        let end = |rows: &Rows<'_>| rows.end_inactive(number, now, &actor.to_string(), reason);
        // A list that was withdrawn meanwhile has no version; the entry is in the next one.
        let versions = self.in_use(&was.list).unwrap_or_default();
        let mut is_ended = false;
        for version in versions {
            let draft = self.redraft(marks.begin(), &version)?;
            if draft.list.written.sha256 != version.sha256 {
                self.replace(&version, draft, &record, end)?;
                is_ended = true;
            }
        }
        if !is_ended {
            self.change(&record, "an entry is active again", |rows| end(rows).map(|()| true))?;
        }
        Ok(was)
    }

    /// The versions of a list that count or will, the one that counts last.
    fn in_use(&mut self, list: &str) -> Result<Vec<HotlistVersion>> {
        let mut versions = self.versions(list)?;
        versions.retain(|v| v.current || v.coming);
        versions.sort_by_key(|v| v.current);
        match versions.is_empty() {
            true => Err(Error::new(Kind::NotFound, format!("the station hands out no list \"{list}\""))),
            false => Ok(versions),
        }
    }

    /// A version once more, without what is inactive now and with what is not any more.
    fn redraft(&self, marks: Marks, version: &HotlistVersion) -> Result<Draft<()>> {
        let place = self.place(&version.name)?;
        self.draft_with(marks, &place, |each| whole(&place, &version.sha256, each))
    }

    /// Puts a draft in the place of the version that it was made of.
    fn replace(
        &mut self,
        version: &HotlistVersion,
        draft: Draft<()>,
        record: &AccessRecord,
        also: impl FnOnce(&Rows<'_>) -> Result<()>,
    ) -> Result<()> {
        // The draft lies there, so nothing is cleared.
        let place = self.folder_of(&version.name);
        let about = About {
            file_date: version.file_date,
            confirmed: version.confirmed,
            forced: version.forced.clone(),
            valid_from: version.valid_from.filter(|_| version.coming),
            stale: version.stale,
            keep: version.keep,
        };
        let (name, number) = (&version.name, version.version);
        let also = |rows: &Rows<'_>| {
            also(rows)?;
            if version.coming { rows.give_up_version(name, number) } else { Ok(()) }
        };
        self.commit(name, &place, draft, about, record, also).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_named_by_its_plate_and_where_they_are_given_by_its_state_and_id() {
        let entry = |plate: &str, state: &str, id: &str| EntryRecord {
            plate: plate.into(),
            state: state.into(),
            id: id.into(),
            ..EntryRecord::default()
        };
        for (name, plate, state, id, expected) in [
            (("7abc-120", "", ""), "7ABC12O", "CA", "1", true),
            (("7ABC120", "ca", ""), "7ABC120", "CA", "1", true),
            (("7ABC120", "NV", ""), "7ABC120", "CA", "1", false),
            (("7ABC120", "", "2"), "7ABC120", "CA", "1", false),
            (("7ABC1?0", "", ""), "7ABC120", "CA", "1", false),
            (("7abc1?0", "", ""), "7ABC1?0", "CA", "1", true),
        ] {
            let name = EntryName::new(name.0, name.1, name.2).unwrap();
            assert_eq!(name.names(&entry(plate, state, id)), expected, "{name:?} {plate} {state} {id}");
        }
        assert!(EntryName::new("--", "", "").is_err());
    }
}
