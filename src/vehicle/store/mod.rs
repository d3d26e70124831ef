//! The vehicle's store: one SQLCipher database, owned by one thread.
//!
//! Everything else holds a [`Store`], a handle that can be cloned, and asks. A question is a
//! job for the thread; the queue between holds 64 jobs, and who comes when it is full
//! waits. Calls block until the answer is there, so nobody who must not wait for a disk
//! (capture, recognition) calls them; async code uses `spawn_blocking`.
//!
//! A read, its pictures, its hits and its place in the outbox are one transaction, and
//! [`Store::put_read`] returns when that is on the disk (`synchronous = FULL`). The record is
//! made into JSON once; those bytes and their SHA-256 are what is kept, transferred and named
//! in receipts. A read leaves the outbox only by a receipt for exactly that content, in one
//! transaction with the receipt itself. Nothing here deletes a read. A change of lists or entries
//! is one transaction with the event that says who did it and why.
//!
//! Files: `<path>` with SQLite's `-wal` and `-shm`, `<path>.lock` (one owner: `lock`),
//! `<path>.keyid` (which key: `keyid`), and `<path>.damaged-<time>` for each store that had to
//! be set aside (why and how: `open`).

mod check;
mod connection;
mod dispositions;
mod events;
mod files;
mod hits;
mod key;
mod keyid;
mod lists;
mod lock;
mod manual;
mod open;
mod outbox;
mod reads;
mod schema;
mod search;
mod stats;
mod writer;

pub use check::{Checked, Report, check};
pub use dispositions::{Disposition, Finding};
pub use events::{By, Event, Reason, What};
pub use hits::{Disposed, HitSearch, KeptHit};
pub use key::Key;
pub use lists::{Imported, ListState, Seen, Staleness, Version};
pub use manual::{MOST_PATTERNS, ManualEntry, NewManual};
pub use open::{Opened, SetAside};
pub use outbox::{Applied, OutboxRead};
pub use reads::{NewImage, NewRead, Stored};
pub use search::{Found, PAGE, Search, Wanted};
pub use stats::Stats;

use crate::config;
use connection::Fault;
use crossbeam_channel::{Sender, bounded};
use jiff::Timestamp;
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::record::{HitRecord, ReadRecord};
use plated_core::signing::Signer;
use plated_core::wire::Receipt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use writer::{Job, Writer};

/// Jobs that may wait for the store's thread.
const QUEUE: usize = 64;

/// Where the store lies and how large it may grow.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database file; its folder must exist.
    pub path: PathBuf,
    /// The database never grows past this many bytes; `None` is no limit but the disk. A
    /// small part is kept for receipts, so that a full store can still be emptied.
    pub max_bytes: Option<u64>,
}

impl From<&config::Store> for Options {
    fn from(config: &config::Store) -> Self {
        Self { path: config.path.clone(), max_bytes: (config.max_mib > 0).then_some(config.max_mib << 20) }
    }
}

/// A handle on the store. Clones share one store; it closes with the last of them.
#[derive(Clone)]
pub struct Store {
    thread: Arc<Thread>,
    index_signer: Arc<Signer>,
}

/// The store's thread, joined when the last handle goes.
struct Thread {
    jobs: Option<Sender<Job>>,
    handle: Option<JoinHandle<()>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.jobs = None; // the thread ends when no job can come any more
        if let Some(handle) = self.handle.take() {
            let _ = handle.join();
        }
    }
}

impl Store {
    /// Opens the store, or begins one, and says what it found.
    ///
    /// [`Kind::Refused`] when another process has it or a newer program wrote it,
    /// [`Kind::Damaged`] when the key is another one (nothing is touched), [`Kind::Storage`]
    /// when folder or disk don't allow it. A damaged store is no error: it is set aside, and
    /// [`Opened::set_aside`] says so.
    pub fn open(options: Options, key: &Key, clock: Arc<dyn Clock>) -> Result<(Store, Opened)> {
        let index_signer = Arc::new(key.index_signer()?);
        let (writer, opened) = Writer::open(options, key, clock)?;
        let (jobs, queue) = bounded(QUEUE);
        let handle = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || writer.run(&queue))
            .context(Kind::Internal, || "could not start the store's thread".into())?;
        let thread = Arc::new(Thread { jobs: Some(jobs), handle: Some(handle) });
        Ok((Store { thread, index_signer }, opened))
    }

    /// Signs the indexes of lists that this vehicle builds. It belongs to the store's key.
    pub fn index_signer(&self) -> &Signer {
        &self.index_signer
    }

    /// Keeps a read with its pictures and hits. Returns when it is durable.
    ///
    /// The same read may come again: while it is [`open`](NewRead::open) its content is
    /// replaced, hits of before are kept; once sealed, the same content does nothing and
    /// another is an error. [`Kind::Storage`] when the disk or the store is full: nothing of
    /// this read was written, what was there before is untouched, and the caller tries again.
    pub fn put_read(&self, read: &NewRead) -> Result<Stored> {
        let prepared = reads::prepare(read)?;
        self.ask("could not keep a read", move |w| reads::put(w, prepared))
    }

    /// The next reads to send, at most `limit`: those with hits first, then by age. Reads whose
    /// pass is still going on are not among them, nor are those refused in the last hour.
    pub fn outbox(&self, limit: usize) -> Result<Vec<OutboxRead>> {
        self.ask("could not look into the outbox", move |w| outbox::next(w, limit))
    }

    /// A picture by its content, JPEG.
    pub fn image(&self, sha256: &Sha256) -> Result<Option<Vec<u8>>> {
        let sha256 = *sha256;
        self.ask("could not get a picture", move |w| reads::image(w, &sha256))
    }

    /// Keeps a receipt and marks exactly the reads that it names, by id and content
    /// (control P-12). Returns when both are durable. Applying it twice changes nothing.
    pub fn apply_receipt(&self, receipt: &Receipt) -> Result<Applied> {
        let receipt = receipt.clone();
        self.ask("could not keep a receipt", move |w| outbox::apply(w, &receipt))
    }

    /// Counts, and the age of what waits.
    pub fn stats(&self) -> Result<Stats> {
        self.ask("could not count", stats::stats)
    }

    /// The last reads, newest first, at most `limit`.
    ///
    /// These are plates: once `access` exists, it stands in front of every caller of this.
    pub fn reads(&self, limit: usize) -> Result<Vec<ReadRecord>> {
        self.ask("could not list reads", move |w| reads::newest(w, limit))
    }

    /// Enters a plate or partial plate (control P-04) and records who did it and why, in one
    /// transaction. [`Kind::Input`] when it is no plate, [`Kind::Refused`] when 100 partial plates
    /// are in force.
    pub fn add_manual(&self, new: NewManual, by: &By) -> Result<ManualEntry> {
        let by = by.clone();
        self.ask("could not enter a plate", move |w| manual::add(w, new, &by))
    }

    /// Takes an entry out of force and records who did it and why, in one transaction.
    pub fn remove_manual(&self, id: i64, by: &By) -> Result<ManualEntry> {
        let by = by.clone();
        self.ask("could not remove an entry", move |w| manual::remove(w, id, &by))
    }

    /// Entries of officers that are neither removed nor over.
    pub fn manual_entries(&self) -> Result<Vec<ManualEntry>> {
        self.ask("could not list the entries of officers", manual::in_force)
    }

    /// Brings the configured lists into [`Store::list_states`].
    pub fn configure_lists(&self, lists: &[plated_hotlist::settings::Hotlist]) -> Result<()> {
        let lists = lists.to_vec();
        self.ask("could not keep the lists' settings", move |w| lists::configure(w, &lists))
    }

    /// What is known of each list that is or was configured, by name.
    pub fn list_states(&self) -> Result<Vec<ListState>> {
        self.ask("could not look at the lists' states", lists::states)
    }

    /// From here on this version of the list is in force; the event is in the same transaction.
    pub fn list_imported(&self, list: &Imported, by: &By) -> Result<()> {
        let (list, by) = (list.clone(), by.clone());
        self.ask("could not record an import", move |w| lists::imported(w, &list, &by))
    }

    /// The list was refused; the event is in the same transaction. `seen` is its content, if it came
    /// from its configured path.
    pub fn list_refused(&self, name: &str, error: &str, seen: Option<Seen>, by: &By) -> Result<()> {
        let (name, error, by) = (name.to_owned(), error.to_owned(), by.clone());
        self.ask("could not record a refusal", move |w| lists::refused(w, &name, &error, seen.as_ref(), &by))
    }

    /// The list in force is the newest there is, as was known at `at`; `seen` is what is at its path.
    pub fn list_confirmed(&self, name: &str, at: Option<Timestamp>, seen: Option<Seen>) -> Result<()> {
        let name = name.to_owned();
        self.ask("could not record a look for a list", move |w| lists::confirmed(w, &name, at, seen.as_ref()))
    }

    /// The list is out of force; the event is in the same transaction.
    pub fn list_withdrawn(&self, name: &str, by: &By) -> Result<()> {
        let (name, by) = (name.to_owned(), by.clone());
        self.ask("could not record a withdrawal", move |w| lists::withdrawn(w, &name, &by))
    }

    /// The list was looked for and nothing changed; `error` says why it could not be looked at.
    pub fn list_checked(&self, name: &str, error: Option<&str>) -> Result<()> {
        let (name, error) = (name.to_owned(), error.map(str::to_owned));
        self.ask("could not record a look for a list", move |w| lists::checked(w, &name, error.as_deref()))
    }

    /// Records a look at data before anything of it is shown.
    pub fn note(&self, what: What, by: &By, subject: serde_json::Value) -> Result<i64> {
        let by = by.clone();
        self.ask("could not record who looks, so nothing is shown", move |w| events::note(w, what, &by, &subject))
    }

    /// Events after number `after`, in their order, at most `limit`.
    pub fn events(&self, after: i64, limit: usize) -> Result<Vec<Event>> {
        self.ask("could not list events", move |w| events::list(w, after, limit))
    }

    /// Begins a search of the reads made since `from`. The event is durable when this returns, and
    /// only what it gives can be asked for results (controls P-01 to P-04).
    pub fn begin_search(&self, wanted: Wanted, from: Timestamp, case: &str, by: &By) -> Result<Search> {
        let (by, case) = (by.clone(), case.to_owned());
        self.ask("could not record a search, so nothing is shown", move |w| search::begin(w, wanted, from, &case, &by))
    }

    /// The next page of a search, newest first, at most [`PAGE`] reads or none, and what to go on
    /// with; `None` when all were looked at.
    pub fn search_page(&self, search: Search) -> Result<(Vec<Found>, Option<Search>)> {
        self.ask("could not search reads", move |w| search::page(w, search))
    }

    /// Begins a list of the hits since `from`. The event is durable when this returns, and only what
    /// it gives can be asked for hits (controls P-01 and P-02).
    pub fn begin_hits(&self, from: Timestamp, case: &str, by: &By) -> Result<HitSearch> {
        let (by, case) = (by.clone(), case.to_owned());
        self.ask("could not record who looks, so nothing is shown", move |w| hits::begin(w, from, &case, &by))
    }

    /// The next page of a list of hits, newest first, at most [`PAGE`], and what to go on with;
    /// `None` after the last.
    pub fn hits_page(&self, search: HitSearch) -> Result<(Vec<KeptHit>, Option<HitSearch>)> {
        self.ask("could not list hits", move |w| hits::page(w, search))
    }

    /// The hit whose id ends in these digits. [`Kind::Input`] when they are fewer than 6 or none, or
    /// when more than one hit's id does.
    pub fn find_hit(&self, end: &str) -> Result<Option<KeptHit>> {
        let end = end.to_owned();
        self.ask("could not look for a hit", move |w| hits::find(w, &end))
    }

    /// Keeps what an officer found about a hit, with its event in the same transaction.
    pub fn add_disposition(&self, disposition: Disposition, by: &By) -> Result<()> {
        let by = by.clone();
        self.ask("could not keep a disposition", move |w| dispositions::add(w, &disposition, &by))
    }

    /// Hits whose pairing is quiet now, by their newest disposition, and until when.
    pub fn quiet_pairings(&self) -> Result<Vec<(HitRecord, Timestamp)>> {
        self.ask("could not list quiet pairings", dispositions::quiet)
    }

    /// Writes the log back into the database and closes it, for all handles.
    pub fn close(self) -> Result<()> {
        let (reply, answer) = bounded(1);
        self.send(Box::new(move |writer| {
            let _ = reply.send(writer.take().map_or(Ok(()), Writer::close));
        }))?;
        answer.recv().map_err(|_| ended())?
    }

    /// Has the thread do `job` and waits for the result; `what` says what failed.
    fn ask<T, F>(&self, what: &'static str, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Writer) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = bounded(1);
        self.send(Box::new(move |writer| {
            let result = match writer {
                Some(writer) => job(writer).map_err(|fault| writer.explain(what, fault)),
                None => Err(Error::new(Kind::Refused, format!("{what}: the store is closed"))),
            };
            let _ = reply.send(result);
        }))?;
        answer.recv().map_err(|_| ended())?
    }

    fn send(&self, job: Job) -> Result<()> {
        let jobs = self.thread.jobs.as_ref().ok_or_else(ended)?;
        jobs.send(job).map_err(|_| ended())
    }
}

/// A job that panicked dropped its reply.
fn ended() -> Error {
    Error::new(Kind::Internal, "the store's thread failed at this task; this is a defect of the program")
}
