//! What the tests of the store share: a folder with a key, and reads to put in.
use jiff::Timestamp;
use plated_access::audit::{Entry, Row};
use plated_access::{
    AccessRecord, Actor, AuditLog, Case, Gate, MachinePermits, Matching, Permit, Reason, Recorded, Settings, Transfer,
};
use plated_core::clock::{Clock, ManualClock};
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::record::*;
use plated_core::user::Author;
use plated_core::wire::batch::{Durable, Receipt, Refusal, RowVerdicts, SignedReceipt, Verdicts};
use plated_vehicle::store::{Key, NewImage, NewRead, Opened, Options, Store, What};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;
use uuid::Uuid;

/// A gate whose records lie nowhere, for tests that are about something else.
struct Nowhere;

impl AuditLog for Nowhere {
    fn append(&self, _: AccessRecord) -> Result<i64> {
        Ok(1)
    }
}

static GATE: LazyLock<(Gate, MachinePermits)> = LazyLock::new(|| Gate::new(Arc::new(Nowhere), Settings::default()));

/// A gate that lets everybody in.
pub fn gate() -> &'static Gate {
    &GATE.0
}

/// What the machine may do, for whoever takes it over.
pub fn machine() -> MachinePermits {
    Gate::new(Arc::new(Nowhere), Settings::default()).1
}

/// What lets the transfer see the outbox.
pub fn transfer() -> &'static Permit<Transfer> {
    &GATE.1.transfer
}

/// What lets the matching see entries.
pub fn matching() -> &'static Permit<Matching> {
    &GATE.1.matching
}

/// What lets the test see `P`.
pub fn permit<P: Recorded>() -> Permit<P> {
    let who = Actor::of_this_process();
    gate().open(&who, &Reason::new("test").unwrap(), &Case::none(), serde_json::json!({})).unwrap()
}

/// The reads of a store, newest first.
pub fn reads(store: &Store, limit: usize) -> Vec<ReadRecord> {
    store.reads(&permit(), limit).unwrap()
}

/// A row of the audit log of what a system user did, as tests look at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub number: i64,
    pub at: Timestamp,
    pub who: Author,
    pub what: What,
    pub reason: String,
    pub purpose: Option<String>,
    /// Elements and case; lists and objects as such, all else as text.
    pub subject: Value,
}

/// The rows of the audit log of a store.
pub fn rows(store: &Store) -> Vec<Row> {
    let permit = permit();
    let log = store.audit_logs(&permit).unwrap().pop();
    log.map_or_else(Vec::new, |log| store.audit_rows(&permit, log.id, 0, usize::MAX).unwrap())
}

/// Those of changes and looks, as tests look at them.
pub fn events(store: &Store) -> Vec<Event> {
    let event = |row: Row| {
        let what = What::of(row.entry.action.as_str())?;
        let Entry { at, actor, reason, purpose, case, elements, .. } = row.entry;
        let parsed = |text: String| {
            let value = serde_json::from_str::<Value>(&text).ok().filter(|v| v.is_array() || v.is_object());
            value.unwrap_or(Value::String(text))
        };
        let elements = elements.into_iter().chain(case.map(|case| ("case".to_owned(), case)));
        Some(Event {
            number: row.number,
            at,
            who: Author { user: actor.name, uid: actor.uid },
            what,
            reason,
            purpose,
            subject: elements.map(|(name, text)| (name, parsed(text))).collect(),
        })
    };
    rows(store).into_iter().filter_map(event).collect()
}

/// The same without that reads and hits were shown as they were made.
pub fn events_but_live(store: &Store) -> Vec<Event> {
    events(store).into_iter().filter(|e| e.what != What::LiveShown).collect()
}

/// A folder with a key and room for a store.
pub struct Place {
    pub dir: TempDir,
    pub key: Key,
    pub clock: Arc<ManualClock>,
}

impl Place {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = Key::create_file(&dir.path().join("store.key")).unwrap();
        Self { dir, key, clock: Arc::new(ManualClock::at(start())) }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join("store.db")
    }

    pub fn beside(&self, suffix: &str) -> PathBuf {
        format!("{}{suffix}", self.path().display()).into()
    }

    pub fn open(&self) -> (Store, Opened) {
        self.try_open(&self.key).unwrap()
    }

    pub fn try_open(&self, key: &Key) -> Result<(Store, Opened)> {
        self.open_limited(key, None)
    }

    pub fn open_limited(&self, key: &Key, max_bytes: Option<u64>) -> Result<(Store, Opened)> {
        let clock: Arc<dyn Clock> = self.clock.clone();
        Store::open(Options { path: self.path(), max_bytes, vehicle: "unit-7".into() }, key, clock)
    }

    /// Every file in the folder with its content, but for the key and the lock.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut all: Vec<_> = std::fs::read_dir(self.dir.path())
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| !["store.key", "store.db.lock", "store.db.wrong-key"].iter().any(|name| p.ends_with(name)))
            .map(|p| (p.clone(), std::fs::read(&p).unwrap()))
            .collect();
        all.sort();
        all
    }
}

pub fn start() -> Timestamp {
    "2026-03-01T08:00:00Z".parse().unwrap()
}

/// Bytes that look like a picture and are told apart by `seed`.
pub fn picture(seed: u64, bytes: usize) -> Arc<[u8]> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let noise = std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    });
    b"\xff\xd8\xff\xe0JFIF".iter().copied().chain(noise).take(bytes.max(8)).collect()
}

pub fn hit(list: &str) -> HitRecord {
    let entry = EntryRecord {
        list: list.into(),
        plate: "7ABC123".into(),
        state: "CA".into(),
        category: "stolen_vehicle".into(),
        priority: Priority::High,
        ..EntryRecord::default()
    };
    HitRecord {
        id: Uuid::now_v7(),
        at: start(),
        text: "7ABC123".into(),
        confidence: 0.9,
        rule: Rule::Exact,
        listed: "7ABC123".into(),
        differs: Vec::new(),
        probability: 0.875,
        alert: Alerting::Sounded,
        kept_late: false,
        position: None,
        correction: None,
        entries: vec![HitEntry {
            state: StateAgreement::Agree,
            priority: entry.priority,
            age_days: Some(2),
            finding: None,
            vehicle_differs: Vec::new(),
            entry,
        }],
    }
}

/// A sealed read of `text` with two small pictures of its own.
pub fn read(text: &str) -> NewRead {
    let id = Uuid::now_v7();
    let seed = id.as_u128() as u64;
    let look = Look {
        frame: 7,
        at: start(),
        text: text.into(),
        confidence: 0.8,
        bounds: [10.0, 20.0, 80.5, 30.0],
        corners: [[10.0, 20.0], [90.5, 20.0], [90.5, 50.0], [10.0, 50.0]],
    };
    let record = ReadRecord {
        id,
        vehicle: "unit-7".into(),
        camera: "front-left-camera".into(),
        text: text.into(),
        state: "CA".into(),
        confidence: 0.93,
        candidates: vec![Candidate { text: text.into(), confidence: 0.93 }],
        looks: 3,
        agreeing: 2,
        first_seen: start(),
        last_seen: start(),
        clock: None,
        stood_s: None,
        position: None,
        appearance: None,
        canvass: None,
        site: None,
        best: look.clone(),
        sightings: vec![look],
        images: Vec::new(),
        hits: Vec::new(),
        made_by: MadeBy { plated: "0.1.0".into(), detector: "d1".into(), reader: "r1".into() },
    };
    let images = vec![
        NewImage { role: ImageRole::Plate, jpeg: picture(seed, 2_000) },
        NewImage { role: ImageRole::Overview, jpeg: picture(!seed, 9_000) },
    ];
    NewRead { record, images, open: false }
}

/// A read whose pass is still going on.
pub fn open_read(text: &str) -> NewRead {
    NewRead { open: true, ..read(text) }
}

/// A receipt that says these are durable.
pub fn receipt(durable: &[(Uuid, Sha256)]) -> SignedReceipt {
    signed(Verdicts {
        durable: durable.iter().map(|&(id, sha256)| Durable { id, sha256 }).collect(),
        refused: Vec::new(),
    })
}

/// A receipt that says that all which waits is durable, as the station signs it at this time.
pub fn receipt_for_all(store: &Store, at: Timestamp) -> SignedReceipt {
    let of = |id, sha256| Durable { id, sha256 };
    let reads = store.outbox(transfer(), usize::MAX).unwrap();
    let documents = store.documents_to_send(transfer(), usize::MAX).unwrap();
    let verdicts = |durable| Verdicts { durable, refused: Vec::new() };
    sign(&Receipt {
        batch: Uuid::now_v7(),
        station: "station-1".into(),
        at,
        reads: verdicts(reads.iter().map(|read| of(read.sealed.id, read.sealed.sha256)).collect()),
        documents: verdicts(documents.iter().map(|document| of(document.id, document.sha256)).collect()),
        audit_rows: RowVerdicts::default(),
    })
}

/// A receipt that refuses this.
pub fn refusal(id: Uuid, sha256: Sha256) -> SignedReceipt {
    signed(Verdicts { durable: Vec::new(), refused: vec![Refusal { id, sha256, reason: "unknown vehicle".into() }] })
}

fn signed(reads: Verdicts) -> SignedReceipt {
    sign(&Receipt {
        batch: Uuid::now_v7(),
        station: "station-1".into(),
        at: jiff::Timestamp::now(),
        reads,
        documents: Verdicts::default(),
        audit_rows: RowVerdicts::default(),
    })
}

fn sign(receipt: &Receipt) -> SignedReceipt {
    SignedReceipt::sign(receipt, &plated_core::signing::Signer::generate().unwrap()).unwrap()
}
