//! What any archive holds to, whatever it is built on, and what is special to the one on one machine.

mod commands;
mod ingest;
mod postgres;
mod retention;
mod searching;
mod sqlite;

use crate::kit::process::until;
use crate::kit::store::{gate, permit};
use jiff::Timestamp;
use plated_access::{Actor, Case, Machine, Permit, Purge, Reason, Search};
use plated_core::digest::Sha256;
use plated_core::error::Kind;
use plated_core::position::Position;
use plated_core::signing::Trust;
use plated_station::archive::{
    Archive, CheckedBatch, CheckedRead, Class, Engine as _, Envelope, Options, Outcome, Picture, PictureRef, Query,
    Retention, SqliteArchive, Verdict,
};
use plated_station::{ArchiveKey, Seen};
use std::path::PathBuf;
use tempfile::TempDir;
use uuid::{NoContext, Uuid};

/// An empty archive of some kind, with a way to open it again as after a crash.
pub trait Engine {
    /// The archive.
    fn archive(&self) -> &dyn Archive;
    /// By whose key its certificates count.
    fn trust(&self) -> Trust;
}

/// Makes an engine with this retention.
pub type Make = fn(Retention) -> Box<dyn Engine>;

/// All that any archive has to do.
fn suite(make: Make) {
    ingest::suite(make);
    retention::suite(make);
    searching::suite(make);
}

#[test]
fn the_archive_on_one_machine_does_what_any_archive_does() {
    suite(Place::engine);
}

/// A folder with a key and an open archive.
pub struct Place {
    archive: Option<SqliteArchive>,
    pub key: ArchiveKey,
    pub retention: Retention,
    pub dir: TempDir,
}

impl Place {
    pub fn new(retention: Retention) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = ArchiveKey::create_file(&dir.path().join("archive.key")).unwrap();
        let mut place = Self { archive: None, key, retention, dir };
        place.open();
        place
    }

    fn engine(retention: Retention) -> Box<dyn Engine> {
        Box::new(Self::new(retention))
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join("data")
    }

    pub fn try_open(&self) -> plated_core::error::Result<SqliteArchive> {
        let data = self.data();
        SqliteArchive::open(&Options {
            data: &data,
            key: self.key.clone(),
            station: "station-1",
            retention: self.retention,
        })
    }

    /// Opens it again, as after a stop.
    pub fn open(&mut self) -> &SqliteArchive {
        self.archive = None;
        // A program that another test starts has the lock too, between its fork and its exec.
        let opened = until("the folder to be free", || match self.try_open() {
            Err(e) if e.kind() == Kind::Refused => None,
            opened => Some(opened),
        });
        self.archive = Some(opened.unwrap());
        self.sqlite()
    }

    pub fn close(&mut self) {
        self.archive = None;
    }

    pub fn sqlite(&self) -> &SqliteArchive {
        self.archive.as_ref().unwrap()
    }
}

impl Engine for Place {
    fn archive(&self) -> &dyn Archive {
        self.sqlite()
    }

    fn trust(&self) -> Trust {
        Trust::only([self.sqlite().deletion_key()])
    }
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A new id of that moment.
pub fn id_at(at: Timestamp) -> Uuid {
    let since = at.as_nanosecond().unsigned_abs();
    let (seconds, nanos) = ((since / 1_000_000_000) as u64, (since % 1_000_000_000) as u32);
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos))
}

/// A read of that moment with these pictures.
pub fn read(at: Timestamp, plate: &str, class: Class, pictures: &[&[u8]]) -> CheckedRead {
    let id = id_at(at);
    let record = format!("{{\"id\":\"{id}\",\"text\":\"{plate}\",\"a word of a newer vehicle\":[1]}}").into_bytes();
    let named = |bytes: &&[u8]| PictureRef {
        role: "overview".into(),
        sha256: Sha256::of(bytes),
        bytes: bytes.len().try_into().unwrap(),
    };
    CheckedRead {
        id,
        sha256: Sha256::of(&record),
        record: record.into(),
        envelope: Envelope {
            vehicle: "unit-7".into(),
            camera: "front".into(),
            text: plate.into(),
            key: plate.replace('O', "0"),
            state: "CA".into(),
            confidence: 0.75,
            first_seen: at,
            last_seen: at,
            position: Some(Position {
                lat: 38.13,
                lon: -121.27,
                heading: Some(90.0),
                speed_m_s: None,
                error_m: None,
                age_s: 0.5,
            }),
            has_hit: class == Class::Hit,
            canvass: (class == Class::Canvass).then(|| "26-1234".into()),
            site: (class == Class::FixedSite).then(|| "bridge".into()),
            class,
            pictures: pictures.iter().map(named).collect(),
        },
    }
}

pub fn pictures(all: &[&'static [u8]]) -> Vec<Picture> {
    all.iter().map(|bytes| Picture { sha256: Sha256::of(bytes), bytes: (*bytes).into() }).collect()
}

pub fn batch(reads: Vec<CheckedRead>, pictures: Vec<Picture>) -> CheckedBatch {
    CheckedBatch {
        vehicle: "unit-7".into(),
        batch: Uuid::now_v7(),
        received: at("2026-11-26T12:00:00Z"),
        computer: None,
        audit_head: None,
        reads,
        pictures,
        documents: Vec::new(),
        audit_rows: Vec::new(),
    }
}

/// What became of reads that come without anything else.
pub fn durable(reads: usize) -> Outcome {
    let reads = vec![Verdict::Durable; reads];
    Outcome { reads, documents: Vec::new(), audit_rows: Vec::new(), seen: Seen::Usual, fault: None }
}

pub fn add(archive: &dyn Archive, reads: Vec<CheckedRead>, with: Vec<Picture>) {
    let expected = durable(reads.len());
    assert_eq!(archive.ingest(batch(reads, with)).unwrap(), expected);
}

pub fn search() -> Permit<Search> {
    permit()
}

pub fn purge() -> Permit<Purge> {
    let reason = Reason::new("retention is over").unwrap();
    gate().open(&Actor::Machine(Machine::Purge), &reason, &Case::none(), serde_json::json!({})).unwrap()
}

/// Ids of all that is found.
pub fn ids(archive: &dyn Archive, query: &Query) -> Vec<Uuid> {
    let (mut query, mut ids) = (query.clone(), Vec::new());
    loop {
        let page = archive.search(&search(), &query).unwrap();
        assert!(page.reads.len() <= query.page_size());
        ids.extend(page.reads.iter().map(|found| found.id));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return ids,
        }
    }
}
