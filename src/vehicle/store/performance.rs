//! Performance tests (control P-31): results, signed and without a plate, and the drive test that is going on, with
//! the plates that its tester entered. These go when it ends.

use super::Store;
use super::audit::Stamp;
use super::connection::Fault;
use super::events::{self, By, What};
use super::manual::time;
use super::readers::View;
use super::writer::Writer;
use crate::performance::MAX_ENTERED;
use jiff::Timestamp;
use plated_access::{self as access, Permit, signed};
use plated_core::clock::id_at;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::performance::{Counts, Method, PerformanceTest};
use plated_core::record::MadeBy;
use plated_core::signing::{Purpose, Signer, Trust};
use plated_core::user::Author;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// Longest name of a set or a camera, and longest note, in characters.
const MAX_NAME: usize = 64;
const MAX_NOTE: usize = 500;

/// The result of a performance test, to be kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewTest {
    /// Camera that is tested; empty for none of this vehicle.
    pub camera: String,
    /// What was compared.
    pub method: Method,
    /// What came of it.
    pub counts: Counts,
    /// Versions of the program and of its models.
    pub made_by: MadeBy,
    /// What the tester wrote about it, or empty.
    pub note: String,
}

/// A performance test and its number, by which people name it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptTest {
    /// Its number in this store.
    pub number: i64,
    /// False: it is not what this vehicle signed.
    pub genuine: bool,
    /// The test.
    #[serde(flatten)]
    pub test: PerformanceTest,
}

/// A drive test that is going on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriveTest {
    /// Camera that is tested.
    pub camera: String,
    /// What the tester wrote about it, or empty.
    pub note: String,
    /// When it began.
    pub started: Timestamp,
    /// Who tests.
    pub by: Author,
    /// Plates entered so far.
    pub plates: u64,
}

/// A plate that a tester saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnteredPlate {
    /// When it was entered.
    pub at: Timestamp,
    /// A–Z and 0–9.
    pub plate: String,
    /// Two letters; empty when not given.
    pub state: String,
}

/// The drive test as it is kept.
#[derive(Serialize, Deserialize)]
struct Drive {
    camera: String,
    note: String,
    started: Timestamp,
    by: Author,
    plates: Vec<EnteredPlate>,
}

impl From<Drive> for DriveTest {
    fn from(Drive { camera, note, started, by, plates }: Drive) -> Self {
        Self { camera, note, started, by, plates: plates.len() as u64 }
    }
}

impl Store {
    /// Keeps the result of a replay, signed for who made it, with its event in the same transaction.
    pub fn add_performance_test(&self, new: NewTest, by: &By) -> Result<KeptTest> {
        let (by, signer) = (by.clone(), self.performance_signer.clone());
        self.ask("could not keep a performance test", move |w| add(w, new, &by, &signer))
    }

    /// Keeps the result of the drive test that is going on, and ends it. [`Kind::Refused`] when more plates were
    /// entered than those that it is about.
    pub fn end_drive_test(&self, counts: Counts, made_by: MadeBy, until: Timestamp, by: &By) -> Result<KeptTest> {
        let (by, signer) = (by.clone(), self.performance_signer.clone());
        self.ask("could not end a drive test", move |w| end(w, counts, made_by, until, &by, &signer))
    }

    /// Results, newest first, at most `limit`. They hold no ALPR data.
    pub fn performance_tests(&self, limit: usize) -> Result<Vec<KeptTest>> {
        let trust = Trust::only([self.performance_signer.public_key()]);
        self.look("could not list performance tests", |view| newest(view, &trust, limit))
    }

    /// Begins a drive test, with its event in the same transaction. [`Kind::Refused`] while one is going on.
    pub fn start_drive_test(&self, camera: &str, note: &str, by: &By) -> Result<DriveTest> {
        let (camera, note, by) = (camera.to_owned(), note.to_owned(), by.clone());
        self.ask("could not begin a drive test", move |w| start(w, camera, &note, &by))
    }

    /// The drive test that is going on, without its plates.
    pub fn drive_test(&self) -> Result<Option<DriveTest>> {
        self.look("could not look for a drive test", |view| Ok(going_on(view.conn())?.map(DriveTest::from)))
    }

    /// Enters a plate that the tester saw, with its event in the same transaction.
    pub fn enter_test_plate(&self, plate: &str, state: &str, by: &By) -> Result<DriveTest> {
        let (plate, state, by) = (plate.to_owned(), state.to_owned(), by.clone());
        self.ask("could not enter a plate", move |w| enter(w, plate, state, &by))
    }

    /// Takes the plate that was entered last back, with its event in the same transaction.
    pub fn take_test_plate_back(&self, by: &By) -> Result<DriveTest> {
        let by = by.clone();
        self.ask("could not take a plate back", move |w| take_back(w, &by))
    }

    /// The plates entered in the drive test that is going on, in their order.
    pub fn test_plates(&self, _: &Permit<access::Search>) -> Result<Vec<EnteredPlate>> {
        self.look("could not list the plates of a drive test", |view| {
            Ok(going_on(view.conn())?.map(|drive| drive.plates).unwrap_or_default())
        })
    }

    /// Ends the drive test that is going on without a result, whoever began it, with its event in the same
    /// transaction.
    pub fn discard_drive_test(&self, by: &By) -> Result<DriveTest> {
        let by = by.clone();
        self.ask("could not discard a drive test", move |w| discard(w, &by))
    }
}

/// Signs and keeps it, with its event.
pub(super) fn add(writer: &mut Writer, new: NewTest, by: &By, signer: &Arc<Signer>) -> Result<KeptTest, Fault> {
    let (now, stamp) = (writer.now(), writer.stamp());
    let tx = writer.write()?;
    let kept = insert(&tx, &stamp, new, time(now)?, by, signer)?;
    tx.commit()?;
    Ok(kept)
}

/// The same of the drive test that is going on, which it ends.
pub(super) fn end(
    writer: &mut Writer,
    counts: Counts,
    made_by: MadeBy,
    until: Timestamp,
    by: &By,
    signer: &Arc<Signer>,
) -> Result<KeptTest, Fault> {
    let (now, stamp) = (writer.now(), writer.stamp());
    let tx = writer.write()?;
    let drive = own(&tx, by)?;
    if drive.plates.len() as u64 != counts.plates {
        return Err(Error::new(Kind::Refused, "a plate was entered or taken back meanwhile; end the test again").into());
    }
    let Drive { camera, note, started, .. } = drive;
    // A clock that was set back leaves no drive of less than nothing.
    let method = Method::Drive { from: started.min(until), until };
    let kept = insert(&tx, &stamp, NewTest { camera, method, counts, made_by, note }, time(now)?, by, signer)?;
    tx.execute("DELETE FROM drive_test", [])?;
    tx.commit()?;
    Ok(kept)
}

fn insert(
    tx: &Connection,
    stamp: &Stamp,
    new: NewTest,
    at: Timestamp,
    by: &By,
    signer: &Signer,
) -> Result<KeptTest, Fault> {
    let NewTest { camera, method, counts, made_by, note } = new;
    if !counts.hold() {
        let message = "the counts of the test contradict each other, or it has no plate";
        return Err(Error::new(Kind::Input, message).into());
    }
    let set = match &method {
        Method::Replay { set, .. } => line("the name of the set", set, MAX_NAME)?,
        Method::Drive { .. } => String::new(),
    };
    let (camera, note) = (line("the camera", &camera, MAX_NAME)?, line("the note", &note, MAX_NOTE)?);
    let (vehicle, tester) = (stamp.vehicle.to_string(), by.who.author());
    let id = id_at(at);
    let subject = json!({"camera": camera, "set": set, "plates": counts.plates, "found": counts.found,
                         "exact": counts.exact, "test": id});
    let test = PerformanceTest { id, vehicle, camera, at, tester, method, counts, made_by, note };
    let record = signed::sign(&test, Purpose::PERFORMANCE_TEST, signer)?;
    tx.execute("INSERT INTO performance_test (id, record) VALUES (?1, ?2)", params![id.as_bytes(), record])?;
    let number = tx.last_insert_rowid();
    events::write(tx, stamp, What::PerformanceTest, by, subject)?;
    Ok(KeptTest { number, genuine: true, test })
}

/// The newest first.
pub(super) fn newest(view: &View<'_>, trust: &Trust, limit: usize) -> Result<Vec<KeptTest>, Fault> {
    let mut find =
        view.conn().prepare_cached("SELECT number, record FROM performance_test ORDER BY number DESC LIMIT ?1")?;
    let rows = find.query_map([limit as i64], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let mut tests = Vec::new();
    for row in rows {
        let (number, record) = row?;
        let genuine = signed::open(record.as_bytes(), "the test", Purpose::PERFORMANCE_TEST, trust).ok();
        let (genuine, test) = match genuine {
            Some(test) => (true, test),
            None => (false, read(&record)?),
        };
        tests.push(KeptTest { number, genuine, test });
    }
    Ok(tests)
}

/// Whoever signed it.
fn read(record: &str) -> Result<PerformanceTest, Fault> {
    #[derive(Deserialize)]
    struct Document {
        document: PerformanceTest,
    }
    let read: Result<Document, _> = serde_json::from_str(record);
    read.map(|d| d.document).map_err(|_| Fault::Damaged("a performance test in it is not what was written".into()))
}

/// Begins one, with its event.
pub(super) fn start(writer: &mut Writer, camera: String, note: &str, by: &By) -> Result<DriveTest, Fault> {
    let note = line("the note", note, MAX_NOTE)?;
    let (now, stamp) = (writer.now(), writer.stamp());
    let tx = writer.write()?;
    if let Some(Drive { camera, by, .. }) = going_on(&tx)? {
        let message = format!("{by} is testing the camera {camera}; that test has to be ended or discarded first");
        return Err(Error::new(Kind::Refused, message).into());
    }
    let subject = json!({"camera": camera});
    let drive = Drive { camera, note, started: time(now)?, by: by.who.author(), plates: Vec::new() };
    keep(&tx, &drive)?;
    events::write(&tx, &stamp, What::DriveTestStarted, by, subject)?;
    tx.commit()?;
    Ok(drive.into())
}

/// Enters one more plate, with its event.
pub(super) fn enter(writer: &mut Writer, plate: String, state: String, by: &By) -> Result<DriveTest, Fault> {
    let (now, stamp) = (writer.now(), writer.stamp());
    let tx = writer.write()?;
    let mut drive = own(&tx, by)?;
    if drive.plates.len() >= MAX_ENTERED {
        let message = format!("{MAX_ENTERED} plates are entered; end the test and begin another one");
        return Err(Error::new(Kind::Refused, message).into());
    }
    let subject = json!({"plate": plate, "state": state, "camera": drive.camera});
    drive.plates.push(EnteredPlate { at: time(now)?, plate, state });
    keep(&tx, &drive)?;
    events::write(&tx, &stamp, What::DriveTestPlate, by, subject)?;
    tx.commit()?;
    Ok(drive.into())
}

/// Takes the last one back, with its event.
pub(super) fn take_back(writer: &mut Writer, by: &By) -> Result<DriveTest, Fault> {
    let stamp = writer.stamp();
    let tx = writer.write()?;
    let mut drive = own(&tx, by)?;
    let Some(EnteredPlate { plate, .. }) = drive.plates.pop() else {
        return Err(Error::new(Kind::Input, "no plate is entered yet").into());
    };
    let subject = json!({"plate": plate, "camera": drive.camera, "taken_back": true});
    keep(&tx, &drive)?;
    events::write(&tx, &stamp, What::DriveTestPlate, by, subject)?;
    tx.commit()?;
    Ok(drive.into())
}

/// Ends it without a result, with its event.
pub(super) fn discard(writer: &mut Writer, by: &By) -> Result<DriveTest, Fault> {
    let stamp = writer.stamp();
    let tx = writer.write()?;
    let drive = going_on(&tx)?.ok_or_else(none)?;
    tx.execute("DELETE FROM drive_test", [])?;
    let subject = json!({"camera": drive.camera, "begun_by": drive.by.to_string()});
    events::write(&tx, &stamp, What::DriveTestDiscarded, by, subject)?;
    tx.commit()?;
    Ok(drive.into())
}

fn keep(tx: &Connection, drive: &Drive) -> Result<(), Fault> {
    let record =
        serde_json::to_string(drive).context(Kind::Internal, || "a drive test can't be written as JSON".into())?;
    tx.execute("INSERT OR REPLACE INTO drive_test (id, record) VALUES (1, ?1)", [record])?;
    Ok(())
}

fn going_on(conn: &Connection) -> Result<Option<Drive>, Fault> {
    let record: Option<String> =
        conn.prepare_cached("SELECT record FROM drive_test")?.query_row([], |row| row.get(0)).optional()?;
    let read = |record: String| serde_json::from_str(&record);
    record.map(read).transpose().map_err(|_| Fault::Damaged("a drive test in it is not what was written".into()))
}

/// The one that is going on, which has to be theirs: they answer for what was entered.
fn own(conn: &Connection, by: &By) -> Result<Drive, Fault> {
    let drive = going_on(conn)?.ok_or_else(none)?;
    if drive.by != by.who.author() {
        let message = format!("the drive test is that of {}, who alone enters plates and ends it", drive.by);
        return Err(Error::new(Kind::Refused, message).into());
    }
    Ok(drive)
}

fn none() -> Error {
    Error::new(Kind::Input, "no drive test is going on; begin one first")
}

/// One line that is not too long.
fn line(what: &str, text: &str, most: usize) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(Error::new(Kind::Input, format!("{what} is longer than {most} characters or not one line")));
    }
    Ok(text.to_owned())
}
