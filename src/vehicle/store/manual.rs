//! Plates and partial plates that officers entered (control P-04).

use super::Store;
use super::connection::Fault;
use super::events::{self, By, What};
use super::readers::View;
use super::reads::word;
use super::writer::Writer;
use jiff::{SignedDuration, Timestamp};
use plated_access::{self as access, Permit};
use plated_core::error::{Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::record::{EntryRecord, Priority};
use plated_core::user::Author;
use plated_hotlist::Pattern;
use plated_hotlist::format::{Codes, code_of};
use plated_hotlist::settings::OFFICERS;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Most partial plates in force at once (control P-04).
pub const MAX_PATTERNS: i64 = 100;

/// The farthest end of an entry.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366 * 20);

/// A plate or partial plate to be entered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewManual {
    /// As written: letters, digits and separators, and in a partial plate `?` for one character
    /// and `*` for any run.
    pub plate: String,
    /// Two letters, or empty.
    pub state: String,
    /// Why it is wanted, e.g. `stolen_vehicle`, or empty.
    pub category: String,
    /// How urgent it is.
    pub priority: Priority,
    /// Case or incident, or empty (control P-02).
    pub case: String,
    /// It is over then.
    pub expires: Timestamp,
    /// That is so long after it was entered, and not a time that was given: it ends later where the clock
    /// turns out to be behind. For the store and the matching only.
    #[serde(skip)]
    pub is_span: bool,
}

/// A plate or partial plate as it was entered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ManualEntry {
    /// Names it, for `plated hotlist remove`.
    pub id: i64,
    /// What was entered.
    #[serde(flatten)]
    pub entry: NewManual,
    /// It is a partial plate.
    pub partial: bool,
    /// Why, as given.
    pub reason: String,
    /// When.
    pub created: Timestamp,
    /// By whom.
    pub by: Author,
}

impl ManualEntry {
    /// As an entry of a list, for matching.
    pub fn record(&self) -> EntryRecord {
        EntryRecord {
            list: OFFICERS.into(),
            plate: self.entry.plate.clone(),
            state: self.entry.state.clone(),
            category: self.entry.category.clone(),
            priority: self.entry.priority,
            reason: self.reason.clone(),
            case_number: self.entry.case.clone(),
            source: self.by.to_string(),
            date: self.created.strftime("%Y-%m-%d").to_string(),
            id: self.id.to_string(),
            expires: Some(self.entry.expires),
            ..EntryRecord::default()
        }
    }
}

/// What was written, looked at before it is kept; true when it is a partial plate.
fn examine(new: &NewManual) -> Result<bool> {
    let refuse = |why: String| Err(Error::new(Kind::Input, why));
    let letters = new.state.len() == 2 && new.state.bytes().all(|b| b.is_ascii_uppercase());
    if !(new.state.is_empty() || letters) {
        return refuse("the state is not two letters".into());
    }
    if letters && code_of(&new.state, Codes::Postal).is_none() {
        return refuse(format!("there is no state {}; give its postal code, such as CA, or none", new.state));
    }
    for (name, text) in [("category", &new.category), ("case number", &new.case)] {
        if text.chars().count() > 64 || text.chars().any(char::is_control) {
            return refuse(format!("the {name} is longer than 64 characters or not one line"));
        }
    }
    if new.plate.contains(['?', '*']) {
        return Pattern::parse(&new.plate).map(|_| true).or_else(refuse);
    }
    let kept = PlateText::normalise(&new.plate);
    if new.plate.chars().any(|c| !c.is_ascii_alphanumeric() && !" -._/·".contains(c)) {
        return refuse("the plate holds a character that no plate has".into());
    }
    if new.plate.chars().filter(char::is_ascii_alphanumeric).count() > kept.len() {
        return refuse(format!("a plate has at most {} characters", plated_core::plate::MAX_LENGTH));
    }
    if kept.len() < 2 {
        return refuse("a plate has at least 2 characters".into());
    }
    Ok(false)
}

impl Store {
    /// Enters a plate or partial plate (control P-04) and records who did it and why, in one
    /// transaction. [`Kind::Input`] when it is no plate, [`Kind::Refused`] when 100 partial plates
    /// are in force.
    pub fn add_manual(&self, new: NewManual, by: &By) -> Result<ManualEntry> {
        let by = by.clone();
        self.ask("could not enter a plate", move |w| add(w, new, &by))
    }

    /// Takes an entry out of force and records who did it and why, in one transaction.
    pub fn remove_manual(&self, id: i64, by: &By) -> Result<ManualEntry> {
        let by = by.clone();
        self.ask("could not remove an entry", move |w| remove(w, id, &by))
    }

    /// Entries of officers that are neither removed nor over.
    pub fn manual_entries(&self, _: &Permit<access::Matching>) -> Result<Vec<ManualEntry>> {
        self.look("could not list the entries of officers", in_force)
    }

    /// The same, for a person.
    pub fn export_manual(&self, _: &Permit<access::Export>) -> Result<Vec<ManualEntry>> {
        self.look("could not list the entries of officers", in_force)
    }
}

/// Enters it, with its event.
pub(super) fn add(writer: &mut Writer, new: NewManual, by: &By) -> Result<ManualEntry, Fault> {
    let partial = examine(&new)?;
    let (now, stamp) = (writer.now(), writer.stamp());
    let created = time(now)?;
    if new.expires <= created {
        return Err(Error::new(Kind::Input, "it would be over before it begins; give a later expiry").into());
    }
    if new.expires.duration_since(created) > MAX_AHEAD {
        let message = "an entry ends within 20 years, so that none is forgotten; give an earlier expiry";
        return Err(Error::new(Kind::Input, message).into());
    }
    let author = by.who.author();
    let tx = writer.write()?;
    if partial {
        let in_force: i64 = tx.query_row(
            "SELECT count(*) FROM manual_entry WHERE partial AND removed IS NULL AND expires > ?1",
            [now],
            |row| row.get(0),
        )?;
        if in_force >= MAX_PATTERNS {
            let message = format!("{MAX_PATTERNS} partial plates are in force, which is the most; remove one first");
            return Err(Error::new(Kind::Refused, message).into());
        }
    }
    let id: i64 = tx.query_row(
        "INSERT INTO manual_entry (plate, partial, state, category, priority, reason, case_number, created,
                                   created_by, created_uid, expires, is_span)
         VALUES (:plate, :partial, :state, :category, :priority, :reason, :case, :created, :user, :uid, :expires,
                 :is_span)
         RETURNING id",
        named_params! {
            ":plate": new.plate, ":partial": partial, ":state": new.state, ":category": new.category,
            ":priority": word(new.priority), ":reason": by.reason.as_str(), ":case": new.case, ":created": now,
            ":user": author.user, ":uid": author.uid, ":expires": new.expires.as_microsecond(),
            ":is_span": new.is_span,
        },
        |row| row.get(0),
    )?;
    let entry = ManualEntry { id, entry: new, partial, reason: by.reason.as_str().to_owned(), created, by: author };
    let what = if partial { What::PatternAdded } else { What::EntryAdded };
    let subject = json!({"id": id, "plate": entry.entry.plate, "state": entry.entry.state, "case": entry.entry.case,
                         "expires": entry.entry.expires});
    events::write(&tx, &stamp, what, by, subject)?;
    tx.commit()?;
    Ok(entry)
}

/// Takes it out of force, with its event. Also one that is over by the clock of the wall: the clock
/// may have jumped, and then it is still matched.
pub(super) fn remove(writer: &mut Writer, id: i64, by: &By) -> Result<ManualEntry, Fault> {
    let (now, stamp) = (writer.now(), writer.stamp());
    let tx = writer.write()?;
    let found = tx.query_row(&format!("{SELECT} WHERE id = ?1 AND removed IS NULL"), [id], row);
    let Some(entry) = found.optional()? else {
        let message = format!("no entry {id} is in force; `plated hotlist stats` lists those that are");
        return Err(Error::new(Kind::NotFound, message).into());
    };
    let author = by.who.author();
    tx.execute(
        "UPDATE manual_entry SET removed = ?2, removed_by = ?3, removed_uid = ?4, removed_why = ?5 WHERE id = ?1",
        params![id, now, author.user, author.uid, by.reason.as_str()],
    )?;
    let subject = json!({"id": id, "plate": entry.entry.plate, "partial": entry.partial, "case": entry.entry.case});
    events::write(&tx, &stamp, What::EntryRemoved, by, subject)?;
    tx.commit()?;
    Ok(entry)
}

/// Those that are neither removed nor over, in the order in which they were entered.
pub(super) fn in_force(view: &View<'_>) -> Result<Vec<ManualEntry>, Fault> {
    let now = view.now();
    let conn: &Connection = view.conn();
    let mut find = conn.prepare_cached(&format!("{SELECT} WHERE removed IS NULL AND expires > ?1 ORDER BY id"))?;
    Ok(find.query_map([now], row)?.collect::<rusqlite::Result<_>>()?)
}

const SELECT: &str = "SELECT id, plate, partial, state, category, priority, reason, case_number, created, created_by, \
                      created_uid, expires, is_span FROM manual_entry";

fn row(row: &Row<'_>) -> rusqlite::Result<ManualEntry> {
    let time = |column: usize| {
        Timestamp::from_microsecond(row.get(column)?)
            .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, row.get(column).unwrap_or(0)))
    };
    Ok(ManualEntry {
        id: row.get(0)?,
        entry: NewManual {
            plate: row.get(1)?,
            state: row.get(3)?,
            category: row.get(4)?,
            priority: priority(&row.get::<_, String>(5)?),
            case: row.get(7)?,
            // An end beyond the calendar must not take the entry, nor the others, out of force.
            expires: Timestamp::from_microsecond(row.get(11)?).unwrap_or(Timestamp::MAX),
            is_span: row.get(12)?,
        },
        partial: row.get(2)?,
        reason: row.get(6)?,
        created: time(8)?,
        by: Author { user: row.get(9)?, uid: row.get(10)? },
    })
}

/// A word that the schema lets in.
pub(super) fn priority(word: &str) -> Priority {
    match word {
        "high" => Priority::High,
        "low" => Priority::Low,
        _ => Priority::Normal,
    }
}

pub(super) fn time(micros: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_microsecond(micros).map_err(|_| Fault::Damaged("a time in it is none".into()))
}
