//! A vehicle's real store and transfer, without cameras and daemon.

use super::clock::Moved;
use super::store::{hit, machine, picture, read, transfer};
use super::{Depot, VEHICLE};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::record::{ImageRef, ReadRecord};
use plated_core::signing::Trust;
use plated_core::wire::batch::SignedReceipt;
use plated_station::archive::{Archive, Query};
use plated_vehicle::store::{Key, NewImage, NewRead, Options as StoreOptions, Store, check};
use plated_vehicle::transfer::{Link, Options, Progress, Round, Schedule, SendNow, Sender, StoreOutbox};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use uuid::Uuid;

/// A read that was put into the store.
#[derive(Clone, Debug)]
pub struct Put {
    pub id: Uuid,
    pub sha256: Sha256,
    pub pictures: Vec<Arc<[u8]>>,
    pub has_hit: bool,
}

pub struct Car {
    pub dir: TempDir,
    pub key: Key,
    pub clock: Arc<Moved>,
    store: Option<Store>,
    pub put: Vec<Put>,
}

/// How a sender of the tests goes about it: without waits.
pub fn options(trust: Trust, batch_reads: usize) -> Options {
    Options {
        vehicle: VEHICLE.into(),
        trust,
        batch_reads,
        schedule: Schedule::default(),
        send_now: SendNow::default(),
        idle: Duration::from_millis(1),
        first_backoff: Duration::from_millis(1),
        max_backoff: Duration::from_millis(1),
        idle_limit: Duration::from_secs(30),
    }
}

/// The store of a vehicle in this folder.
pub fn open_store(dir: &Path, key: &Key, clock: Arc<dyn Clock>) -> Store {
    let options = StoreOptions { path: dir.join("store.db"), max_bytes: None, vehicle: VEHICLE.into() };
    Store::open(options, key, clock).unwrap().0
}

/// A read as it is put: a crop and an overview of these sizes.
pub fn new_read(has_hit: bool, bytes: [usize; 2]) -> NewRead {
    let mut new = read("7FLT001");
    let seed = new.record.id.as_u128() as u64;
    for (n, (image, bytes)) in new.images.iter_mut().zip(bytes).enumerate() {
        image.jpeg = picture(seed.wrapping_add(n as u64), bytes);
    }
    new.record.hits.extend(has_hit.then(|| hit("svs")));
    new
}

impl Car {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = Key::create_file(&dir.path().join("store.key")).unwrap();
        let clock = Arc::new(Moved::new());
        let store = Some(open_store(dir.path(), &key, clock.clone()));
        Self { dir, key, clock, store, put: Vec::new() }
    }

    pub fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("store.db")
    }

    /// Lets another process have the store.
    pub fn close(&mut self) {
        if let Some(store) = self.store.take() {
            store.close().unwrap();
        }
    }

    /// Takes all that is in the store for what was put; another process did it by [`new_read`].
    pub fn know_all(&mut self) {
        let known = |record: ReadRecord| {
            let seed = record.id.as_u128() as u64;
            let jpeg = |(n, image): (usize, &ImageRef)| picture(seed.wrapping_add(n as u64), image.bytes as usize);
            Put {
                id: record.id,
                sha256: Sha256::of(&serde_json::to_vec(&record).unwrap()),
                pictures: record.images.iter().enumerate().map(jpeg).collect(),
                has_hit: !record.hits.is_empty(),
            }
        };
        self.put = super::store::reads(self.store(), usize::MAX).into_iter().map(known).collect();
    }

    /// As after a crash of the daemon.
    pub fn reopen(&mut self) {
        self.store = None;
        self.store = Some(open_store(self.dir.path(), &self.key, self.clock.clone()));
    }

    /// Keeps a read with two pictures of its own, made now by the vehicle's clock.
    pub fn put(&mut self, has_hit: bool, bytes: [usize; 2]) -> Uuid {
        let mut new = new_read(has_hit, bytes);
        let now = self.clock.wall();
        new.record.id = plated_core::clock::id_at(now);
        (new.record.first_seen, new.record.last_seen) = (now, now);
        self.put_new(&new)
    }

    pub fn put_new(&mut self, new: &NewRead) -> Uuid {
        let stored = self.store().put_read(new).unwrap();
        let pictures = new.images.iter().map(|NewImage { jpeg, .. }| jpeg.clone()).collect();
        let has_hit = !new.record.hits.is_empty();
        self.put.push(Put { id: stored.id, sha256: stored.sha256, pictures, has_hit });
        stored.id
    }

    pub fn sender<L: Link>(&self, depot: &Depot, link: L, batch_reads: usize) -> Sender<StoreOutbox, L> {
        let outbox = StoreOutbox::new(self.store().clone(), machine().transfer);
        let progress = watch::Sender::new(Progress::default());
        Sender::new(outbox, link, options(depot.trust(), batch_reads), self.clock.clone(), progress)
    }

    /// Reads that are not marked as transferred, in the order of sending.
    pub fn waiting(&self) -> Vec<Uuid> {
        let waiting = self.store().outbox(transfer(), usize::MAX).unwrap();
        waiting.iter().map(|read| read.sealed.id).collect()
    }

    /// Reads marked as transferred, by the store.
    pub fn transferred(&self) -> u64 {
        self.store().stats().unwrap().transferred
    }

    /// Sees that nothing was marked or deleted early: what waits is whole in the vehicle, and all else is whole at the
    /// station, by receipts that it signed.
    pub fn assert_none_early(&self, depot: &Depot) {
        let waiting: HashSet<Uuid> = self.waiting().into_iter().collect();
        assert_eq!(self.transferred() as usize + waiting.len(), self.put.len());
        for put in &self.put {
            if !waiting.contains(&put.id) {
                assert_at(depot, put);
                continue;
            }
            for jpeg in &put.pictures {
                assert_eq!(self.store().image(transfer(), &Sha256::of(jpeg)).unwrap().as_deref(), Some(&**jpeg));
            }
        }
        let trust = depot.trust();
        for body in self.receipts() {
            SignedReceipt::open(&body, &trust).unwrap();
        }
    }

    /// The receipts that the store keeps.
    fn receipts(&self) -> Vec<Vec<u8>> {
        let hex = std::fs::read_to_string(self.dir.path().join("store.key")).unwrap();
        let conn = rusqlite::Connection::open(self.path()).unwrap();
        conn.execute_batch(&format!("PRAGMA key = \"x'{}'\"", hex.trim())).unwrap();
        let mut all = conn.prepare("SELECT body FROM receipt").unwrap();
        all.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// Sees that every read and picture is at the station exactly once, byte for byte, and both ends are sound.
    pub fn assert_all_at(&self, depot: &Depot) {
        assert_eq!((self.waiting().len(), self.transferred() as usize), (0, self.put.len()));
        self.assert_none_early(depot);
        let archive = depot.archive();
        assert_eq!(ids(&*archive).len(), self.put.len());
        assert_eq!(archive.check().unwrap().problems, [""; 0]);
        assert_eq!(check(&self.path(), &self.key).unwrap().problems(), 0);
    }
}

/// Sees that a read is at the station, byte for byte, with its pictures.
pub fn assert_at(depot: &Depot, put: &Put) {
    let (archive, permit) = (depot.archive(), super::store::permit());
    let stored = archive.read(&permit, put.id).unwrap().unwrap_or_else(|| panic!("{} is not at the station", put.id));
    assert_eq!((stored.found.sha256, Sha256::of(&stored.record)), (put.sha256, put.sha256));
    assert_eq!(stored.found.envelope.pictures.len(), put.pictures.len());
    for jpeg in &put.pictures {
        let there = archive.picture(&permit, put.id, &Sha256::of(jpeg)).unwrap();
        assert!(there.as_deref() == Some(&**jpeg), "a picture of {} is not at the station", put.id);
    }
}

/// Ids of all reads in an archive, each as often as it is found.
pub fn ids(archive: &dyn Archive) -> Vec<Uuid> {
    let (permit, mut query, mut ids) = (super::store::permit(), Query::default(), Vec::new());
    loop {
        let page = archive.search(&permit, &query).unwrap();
        ids.extend(page.reads.iter().map(|found| found.id));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return ids,
        }
    }
}

/// Rounds until nothing waits; gives how many failed.
pub async fn send_all<L: Link>(sender: &mut Sender<StoreOutbox, L>) -> usize {
    let mut failed = 0;
    for _ in 0..1000 {
        match sender.round().await {
            Ok(Round::Empty) => return failed,
            Ok(Round::Sent) => {}
            Err(_) => failed += 1,
        }
    }
    panic!("the transfer did not end");
}
