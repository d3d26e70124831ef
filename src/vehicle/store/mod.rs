//! The vehicle's store: one SQLCipher database, written by one thread.
//!
//! Everything else holds a [`Store`], a handle that can be cloned, and asks. A change is a job for
//! the thread; the queue between holds 64 jobs, and who comes when it is full waits. Whoever only
//! looks does so on a read-only connection beside it (`readers`). Calls block until the answer is
//! there, so nobody who must not wait for a disk (capture, recognition) calls them; async code uses
//! `spawn_blocking`.
//!
//! Every method that gives out reads, hits, entries, pictures or events takes a permit of its kind,
//! which only the gate gives, once the access is on record (control P-21). Without one it does not
//! compile:
//!
//! ```
//! use plated_access::{Permit, Transfer};
//! use plated_vehicle::store::Store;
//! fn send(store: &Store, permit: &Permit<Transfer>) {
//!     let _ = store.outbox(permit, 10);
//! }
//! ```
//!
//! ```compile_fail,E0061
//! use plated_vehicle::store::Store;
//! fn send(store: &Store) {
//!     let _ = store.outbox(10);
//! }
//! ```
//!
//! nor with one of another kind,
//!
//! ```compile_fail,E0308
//! use plated_access::{Permit, Search};
//! use plated_vehicle::store::Store;
//! fn send(store: &Store, permit: &Permit<Search>) {
//!     let _ = store.outbox(permit, 10);
//! }
//! ```
//!
//! nor can a search or a list of hits be begun past the gate, which records what is searched for:
//!
//! ```compile_fail,E0451
//! use plated_access::{Permit, Search as Access};
//! use plated_vehicle::store::{Search, Store, Wanted};
//! fn look(store: &Store, permit: Permit<Access>, wanted: Wanted) {
//!     let _ = store.search_page(Search { permit: permit.into(), wanted, from: 0, last: (0, 0), size: 1 });
//! }
//! ```
//!
//! The exceptions are changes, which have their event in the same transaction and give back what
//! they changed.
//!
//! A read, its pictures, its hits and its place in the outbox are one transaction, and
//! [`Store::put_read`] returns when that is on the disk (`synchronous = FULL`). The record is
//! made into JSON once; those bytes and their SHA-256 are what is kept, transferred and named
//! in receipts. A read leaves the outbox only by a receipt for exactly that content, in one
//! transaction with the receipt itself. Only a read with such a receipt is ever deleted (`purge`). A change of lists or entries
//! is one transaction with the event that says who did it and why.
//!
//! A store that is damaged, or whose files are removed, moved or replaced while it is open
//! ([`plated_core::inode`]),
//! is given up: what lies at the path is set aside, a new store begun there, and what the old one
//! holds brought over (`salvage`). Who asked meanwhile gets [`Kind::Storage`] and asks again.
//!
//! Files: `<path>` with SQLite's `-wal` and `-shm`, `<path>.lock` (one owner: `lock`),
//! `<path>.keyid` (which key: `keyid`), `<path>.damaged-<time>` for each store that had to be set
//! aside (why and how: `open`), and `<path>.displaced-<time>` for what lay at the path in the place of
//! a store in use; each with `.salvaged` after it once the store was brought over.

mod accounts;
mod alert_sequence;
mod alerts;
mod audit;
mod canvass;
mod check;
mod clock;
mod connection;
mod corrections;
mod detail;
mod dispositions;
mod documents;
mod events;
mod files;
mod hits;
mod key;
mod keyid;
mod lists;
mod lock;
mod manual;
mod medium;
mod monitor;
mod open;
mod outbox;
mod performance;
mod purge;
mod readers;
mod reads;
mod salvage;
mod schema;
mod search;
mod settings;
mod shift;
mod stats;
mod vehicle_findings;
mod webhooks;
mod writer;

pub use alert_sequence::AlertMark;
pub use alerts::{KeptAlert, SeesPictures};
pub use audit::{Log, verify as verify_audit};
pub use canvass::{Canvass, CanvassReads};
pub use check::{Checked, Report, check, refuse_damaged};
pub use clock::{ClockChange, breach_of};
pub use corrections::{Corrected, KeptRead, NewCorrection, ReadEnd};
pub use detail::{ReadDetail, TransferState};
pub use dispositions::{Disposition, Finding, HandMute};
pub use events::{By, What};
pub use hits::{Disposed, HitEnd, HitSearch, KeptHit};
pub use key::Key;
pub use lists::{Imported, ListState, Seen, Staleness, Version};
pub use manual::{MAX_PATTERNS, ManualEntry, NewManual};
pub use medium::{MediumCursor, MediumLimits, MediumPortion};
pub use monitor::KeptBreach;
pub use open::{Opened, SetAside};
pub use outbox::{Applied, OutboxRead, Portion};
pub use performance::{DriveTest, EnteredPlate, KeptTest, NewTest};
pub use plated_access::Reason;
pub use plated_core::appearance::Looks;
pub use plated_core::area::Area;
pub use purge::{Ages, Deleted, Due, PurgePolicy};
pub use reads::{NewImage, NewRead, Stored};
pub use salvage::Salvaged;
pub use search::{Found, PAGE, Search, Searches, Wanted};
pub use settings::Settings;
pub use stats::Stats;
pub use vehicle_findings::{KeptFinding, NewFinding};
pub use webhooks::Delivery;

use crate::config::Config;
use connection::Fault;
use crossbeam_channel::{Sender, bounded};
use jiff::Timestamp;
use plated_access as access;
use plated_access::audit::LogReport;
use plated_access::{AccessRecord, AuditLog, Permit};
use plated_core::clock::{Change, Clock, TrustedClock};
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::record::{HitRecord, ImageRole, ReadRecord};
use plated_core::signing::Signer;
use plated_core::thread;
use plated_core::wire::batch::{SealedDocument, SealedRow, SignedReceipt, WaitingReport};
use readers::{Readers, View};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};
use uuid::Uuid;
use writer::{Job, Writer};

/// Jobs that may wait for the store's thread.
const QUEUE: usize = 64;
/// A disk that hangs delays the end for so long; one that works may need some of it, where a store that was
/// removed is still brought over.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(60);
/// When that is over, what does not hang still has so long to end.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// Where the store lies and how large it may grow.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database file; its folder must exist.
    pub path: PathBuf,
    /// The database never grows past this many bytes; `None` is no limit but the disk. A
    /// small part is kept for receipts, so that a full store can still be emptied.
    pub max_bytes: Option<u64>,
    /// Name of the vehicle, in whose name the audit log is.
    pub vehicle: String,
}

impl From<&Config> for Options {
    fn from(config: &Config) -> Self {
        let Settings { path, max_mib, .. } = &config.store;
        let max_bytes = (*max_mib > 0).then_some(max_mib << 20);
        Self { path: path.clone(), max_bytes, vehicle: config.vehicle.clone() }
    }
}

/// A handle on the store. Clones share one store; it closes with the last of them.
#[derive(Clone)]
pub struct Store {
    thread: Arc<Thread>,
    index_signer: Arc<Signer>,
    performance_signer: Arc<Signer>,
    finding_signer: Arc<Signer>,
}

/// The store's thread, waited for when the last handle goes.
struct Thread {
    jobs: Option<Sender<Job>>,
    readers: Arc<Readers>,
    checking: Arc<AtomicBool>,
    thread: Option<thread::Thread>,
    /// By when it has to be closed, once that has begun: for all that is waited for together.
    closed_by: OnceLock<Instant>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        let until = *self.closed_by.get_or_init(|| Instant::now() + CLOSE_TIMEOUT);
        let left = || until.saturating_duration_since(Instant::now()).max(LAST_WAIT);
        self.readers.close(left());
        self.jobs = None; // the thread ends when no job can come any more
        if let Some(thread) = self.thread.take() {
            thread.end_within(left());
        }
    }
}

impl Store {
    /// Opens the store, or begins one, and says what it found.
    ///
    /// [`Kind::Refused`] when another process has it or a newer program wrote it,
    /// [`Kind::Damaged`] when the key is another one (nothing is touched), [`Kind::Storage`]
    /// when folder or disk don't allow it. A damaged store is no error: it is set aside, what can
    /// still be read of it is brought over while nothing else is to do, and [`Opened::set_aside`]
    /// says so.
    pub fn open(options: Options, key: &Key, clock: Arc<dyn Clock>) -> Result<(Store, Opened)> {
        let index_signer = Arc::new(key.index_signer()?);
        let performance_signer = Arc::new(key.performance_signer()?);
        let finding_signer = Arc::new(key.finding_signer()?);
        let (writer, opened) = Writer::open(options, key, clock)?;
        let (jobs, queue) = bounded(QUEUE);
        let readers = writer.readers().clone();
        let thread = thread::Thread::start("store", "The store's thread", move || writer.run(&queue))?;
        let thread = Thread {
            jobs: Some(jobs),
            readers,
            checking: Arc::default(),
            thread: Some(thread),
            closed_by: OnceLock::new(),
        };
        Ok((Store { thread: Arc::new(thread), index_signer, performance_signer, finding_signer }, opened))
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

    /// The next reads to send, at most `limit`: those with hits first, from the newest on, then the others from the
    /// oldest on. Reads whose
    /// pass is still going on are not among them, nor are those refused in the last hour.
    pub fn outbox(&self, permit: &Permit<access::Transfer>, limit: usize) -> Result<Vec<OutboxRead>> {
        self.outbox_within(permit, &Portion { reads: limit, bytes: usize::MAX, ..Portion::default() })
    }

    /// The same, as many as are wanted now.
    pub fn outbox_within(&self, _: &Permit<access::Transfer>, wanted: &Portion) -> Result<Vec<OutboxRead>> {
        let looked = self.look("could not look into the outbox", |view| outbox::next(view, wanted));
        looked.inspect_err(|e| {
            if e.kind() == Kind::Damaged {
                // Nothing would ever be sent again: it is looked which part is damaged.
                self.check_in_background();
            }
        })
    }

    /// Documents that the station does not hold as they are now, at most `limit`.
    pub fn documents_to_send(&self, _: &Permit<access::Transfer>, limit: usize) -> Result<Vec<SealedDocument>> {
        self.look("could not look for what officers put down", |view| documents::next(view, limit))
    }

    /// Rows of audit logs that the station does not hold, at most `limit`.
    pub fn audit_rows_to_send(&self, _: &Permit<access::Transfer>, limit: usize) -> Result<Vec<SealedRow>> {
        self.look("could not look for rows of the audit log", |view| audit::to_send(view, limit))
    }

    /// The random id that was made with this store, by which the station tells computers of one
    /// vehicle apart.
    pub fn installation(&self) -> Result<Uuid> {
        self.look("could not read which store this is", outbox::installation)
    }

    /// The signed head of this store's audit log, as JSON; it says nothing of what is in the log.
    pub fn audit_head(&self) -> Result<Option<String>> {
        self.look("could not read the head of the audit log", |view| {
            Ok(audit::logs(view.conn())?.into_iter().find(|log| !log.ended).map(|log| log.head))
        })
    }

    /// A picture by its content, JPEG.
    pub fn image(&self, _: &Permit<access::Transfer>, sha256: &Sha256) -> Result<Option<Vec<u8>>> {
        self.look("could not get a picture", |view| reads::image(view, sha256))
    }

    /// Keeps a receipt, which the caller has verified, and marks exactly what it names, by id and content
    /// (control P-12). Returns when both are durable. Applying it twice changes nothing.
    pub fn apply_receipt(&self, receipt: &SignedReceipt) -> Result<Applied> {
        let receipt = receipt.clone();
        self.ask("could not keep a receipt", move |w| outbox::apply(w, &receipt))
    }

    /// The latest time at which something was written here: no clock that shows less is right.
    pub fn newest_time(&self) -> Result<Option<Timestamp>> {
        self.look("could not look for the newest record", clock::newest)
    }

    /// Tells the clock what time is surely past, by what is written here.
    pub fn date(&self, clock: &TrustedClock) {
        match self.newest_time() {
            Ok(newest) => {
                newest.into_iter().for_each(|at| clock.begin_after(at, "the newest record of the store was written"));
            }
            Err(e) => tracing::warn!("The clock can't be compared with the store: {}", e.chain()),
        }
    }

    /// Puts a change of the system's clock down, as an event (control P-26).
    pub fn clock_changed(&self, change: &Change) -> Result<()> {
        let change = change.clone();
        self.ask("could not record a change of the clock", move |w| clock::changed(w, &change))
    }

    /// The last jump of the system's clock.
    pub fn last_clock_jump(&self) -> Result<Option<ClockChange>> {
        self.look("could not look for changes of the clock", clock::last_jump)
    }

    /// Counts, and the age of what waits.
    pub fn stats(&self) -> Result<Stats> {
        self.look("could not count", stats::stats)
    }

    /// Reads that no receipt confirms and that were made before `then` (control P-10).
    pub fn waiting_since(&self, then: Timestamp) -> Result<u64> {
        self.look("could not count reads that wait", |view| stats::waiting_since(view, then))
    }

    /// What no receipt confirms, but for these reads: how many, and when the oldest was made.
    pub fn waiting_beside(&self, sent: &HashSet<Uuid>) -> Result<WaitingReport> {
        self.look("could not count reads that wait", |view| stats::waiting_beside(view, sent))
    }

    /// When a camera made its last read, if it made one since `from`. It holds no ALPR data.
    pub fn last_read_of(&self, camera: &str, from: Timestamp) -> Result<Option<Timestamp>> {
        self.look("could not look for the last read of a camera", |view| stats::last_read_of(view, camera, from))
    }

    /// The last reads, newest first, at most `limit`.
    pub fn reads(&self, _: &Permit<access::Search>, limit: usize) -> Result<Vec<ReadRecord>> {
        self.look("could not list reads", |view| reads::newest(view, limit))
    }

    /// The same for who watches them as they are made.
    pub fn live_reads(&self, _: &Permit<access::Live>, limit: usize) -> Result<Vec<KeptRead>> {
        self.look("could not list reads", |view| {
            let kept = |record: ReadRecord| {
                let corrections = corrections::of_read(view.conn(), record.id)?;
                Ok(KeptRead { record, corrections })
            };
            reads::newest(view, limit)?.into_iter().map(kept).collect()
        })
    }

    /// One of them, as it is now.
    pub fn live_read(&self, _: &Permit<access::Live>, id: Uuid) -> Result<Option<KeptRead>> {
        self.look("could not look for a read", |view| corrections::by_id(view, id))
    }

    /// The first picture of this sort of a read, JPEG, and its hash.
    pub fn picture<P: SeesPictures>(
        &self,
        _: &Permit<P>,
        read: Uuid,
        role: ImageRole,
    ) -> Result<Option<(Sha256, Vec<u8>)>> {
        self.look("could not get a picture", |view| alerts::picture(view, read, role))
    }

    /// Hits since `from` that alerted somebody, newest first, at most `limit`.
    pub fn alerts(&self, _: &Permit<access::Hits>, from: Timestamp, limit: usize) -> Result<Vec<KeptAlert>> {
        self.look("could not list alerts", |view| alerts::since(view, from, limit))
    }

    /// The hit of this id with its read and what was found about it.
    pub fn alert(&self, _: &Permit<access::Hits>, id: Uuid) -> Result<Option<KeptAlert>> {
        self.look("could not look for an alert", |view| alerts::by_id(view, id))
    }

    /// The audit logs: those of stores that had to be set aside, and that of this one last.
    pub fn audit_logs(&self, _: &Permit<access::Audit>) -> Result<Vec<Log>> {
        self.look("could not list the audit logs", |view| Ok(audit::logs(view.conn())?))
    }

    /// Rows of an audit log after number `after`, in their order, at most `limit`.
    pub fn audit_rows(
        &self,
        _: &Permit<access::Audit>,
        log: Uuid,
        after: i64,
        limit: usize,
    ) -> Result<Vec<access::audit::Row>> {
        self.look("could not read the audit log", |view| audit::rows(view, log, after, limit))
    }

    /// The next page of a search, newest first, at most [`PAGE`] reads or none, and what to go on
    /// with; `None` when all were looked at. [`Search::begin`] begins one (controls P-01 to P-04).
    pub fn search_page(&self, search: Search) -> Result<(Vec<Found>, Option<Search>)> {
        self.look("could not search reads", |view| search::page(view, search))
    }

    /// The same with all that is kept of each read, also for those that leave as a file.
    pub fn search_whole<K: Searches>(&self, search: Search<K>) -> Result<(Vec<KeptRead>, Option<Search<K>>)> {
        self.look("could not search", |view| search::whole_page(view, search))
    }

    /// The next page of a list of hits, newest first, at most [`PAGE`], and what to go on with;
    /// `None` after the last. [`HitSearch::begin`] begins one (controls P-01 and P-02).
    pub fn hits_page(&self, search: HitSearch) -> Result<(Vec<KeptHit>, Option<HitSearch>)> {
        self.look("could not list hits", |view| hits::page(view, search))
    }

    /// The hit whose id ends in these digits. [`Kind::Input`] when more than one hit's id does.
    pub fn find_hit(&self, _: &Permit<access::Hits>, end: &HitEnd) -> Result<Option<KeptHit>> {
        self.look("could not look for a hit", |view| hits::find(view, end))
    }

    /// Keeps what an officer found about a hit, with its event in the same transaction.
    pub fn add_disposition(&self, disposition: Disposition, by: &By) -> Result<()> {
        let by = by.clone();
        self.ask("could not keep a disposition", move |w| dispositions::add(w, &disposition, &by))
    }

    /// Keeps that the pairing of a hit is muted by hand until then, or alerts again, with its event.
    pub fn mute(&self, hit: &HitRecord, until: Option<Timestamp>, case: String, by: &By) -> Result<()> {
        let (hit, by) = (hit.clone(), by.clone());
        let job = move |w: &mut Writer| dispositions::mute(w, &hit, until, &case, &by);
        self.ask("could not keep a mute", job)
    }

    /// Pairings that were muted by hand, of officers who are still logged in.
    pub fn hand_mutes(&self, _: &Permit<access::Matching>) -> Result<Vec<HandMute>> {
        self.look("could not list muted pairings", dispositions::muted_by_hand)
    }

    /// Hits whose pairing is muted now, by their newest disposition, and until when.
    pub fn muted_pairings(&self, _: &Permit<access::Matching>) -> Result<Vec<(HitRecord, Timestamp)>> {
        self.look("could not list muted pairings", dispositions::muted)
    }

    /// Brings over what can still be read of a store that was set aside: every read that the station
    /// does not hold, with its pictures, if all of it is what was written; lists, entries, findings
    /// and events. What is here already is left as it is.
    pub fn salvage(&self, file: &Path) -> Result<Salvaged> {
        let file = file.to_owned();
        self.ask("could not bring over what the damaged store holds", move |w| w.salvage(&file))
    }

    /// Verifies, on a thread of its own, all audit logs as they are now, and hands over what was found; nothing
    /// when the store was closed or begun anew meanwhile.
    ///
    /// # Errors
    /// `Internal` when the thread can't be started.
    pub fn verify_audit_in_background(&self, done: impl FnOnce(Vec<LogReport>) + Send + 'static) -> Result<()> {
        let readers = self.thread.readers.clone();
        thread::spawn("audit-check", move || {
            let generation = readers.generation();
            let verified = thread::guarded("The audit log was not verified", || audit::verify_by_pages(&readers));
            match verified {
                Some(Ok(reports)) if readers.generation() == generation => done(reports),
                Some(Err(e)) => tracing::debug!("The audit log was not verified: {}", e.chain()),
                _ => {}
            }
        })
        .map(drop)
    }

    /// Looks, on a thread of its own, at all pages that don't hold pictures. A store in which one is
    /// damaged is set aside and a new one begun, and what can be read is brought over.
    pub fn check_in_background(&self) {
        let (checking, handle) = (self.thread.checking.clone(), Arc::downgrade(&self.thread));
        if checking.swap(true, Ordering::AcqRel) {
            return;
        }
        let readers = self.thread.readers.clone();
        let check = move || {
            let generation = readers.generation();
            match thread::guarded("The store was not checked", || background_check(&readers)) {
                Some(Ok(None)) => tracing::debug!("The pages of the store are whole."),
                Some(Ok(Some(why))) => give_up(&handle, &why, generation),
                Some(Err(e)) => tracing::debug!("The store was not checked: {}", e.chain()),
                None => {}
            }
            checking.store(false, Ordering::Release);
        };
        if let Err(e) = thread::spawn("store-check", check) {
            tracing::warn!("The store is not checked: {}", e.chain());
        }
    }

    /// Writes the log back into the database and closes it, for all handles. [`Kind::Storage`] when the disk
    /// does not let it in time; what is durable stays so.
    pub fn close(self) -> Result<()> {
        self.close_by(Instant::now() + CLOSE_TIMEOUT)
    }

    /// The same, by `until` at the latest.
    pub fn close_by(self, until: Instant) -> Result<()> {
        let until = *self.thread.closed_by.get_or_init(|| until);
        let left = || until.saturating_duration_since(Instant::now());
        let (reply, answer) = bounded(1);
        let job: Job = Box::new(move |writer| {
            let _ = reply.send(writer.take().map_or(Ok(()), Writer::close));
        });
        let hangs = || Error::new(Kind::Storage, "could not close the store: the disk does not answer");
        if !self.thread.readers.close(left()) {
            return Err(hangs());
        }
        let jobs = self.thread.jobs.as_ref().ok_or_else(ended)?;
        jobs.send_timeout(job, left()).map_err(|e| if e.is_timeout() { hangs() } else { ended() })?;
        answer.recv_timeout(left()).map_err(|e| if e.is_timeout() { hangs() } else { ended() })?
    }

    /// Lets nobody look while `meanwhile` goes on, as a disk that hangs does.
    #[cfg(test)]
    pub(crate) fn hanging<T>(&self, meanwhile: impl FnOnce() -> T) -> T {
        let paused = self.thread.readers.pause(CLOSE_TIMEOUT);
        assert!(paused.is_some());
        meanwhile()
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
                Some(writer) => writer.write_job(what, job),
                None => Err(Error::new(Kind::Refused, format!("{what}: the store is closed"))),
            };
            let _ = reply.send(result);
        }))?;
        answer.recv().map_err(|_| ended())?
    }

    /// Looks beside the thread.
    fn look<T>(&self, what: &str, job: impl FnOnce(&View<'_>) -> Result<T, Fault>) -> Result<T> {
        self.thread.readers.look(what, job)
    }

    fn send(&self, job: Job) -> Result<()> {
        self.thread.send(job)
    }
}

impl Thread {
    fn send(&self, job: Job) -> Result<()> {
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        jobs.send(job).map_err(|_| ended())
    }
}

impl AuditLog for Store {
    fn append(&self, record: AccessRecord) -> Result<i64> {
        self.ask("could not record who looks, so nothing is shown", move |w| audit::append(w, &record))
    }
}

/// What is wrong with the pages that don't hold pictures, if anything is.
fn background_check(readers: &Readers) -> Result<Option<String>> {
    let say = |fault: Fault| fault.say(|| "could not check the store".into());
    // A broken connection is the answer as well as a sentence about it.
    let broken = |result: Result<Option<String>, Fault>| match result {
        Err(fault) if fault.breaks_connection() => Ok(Some(fault.say(|| "a page of it can't be read".into()).chain())),
        other => other.map_err(say),
    };
    let tables = readers.check(|view| Ok(schema::tables(view.conn())?)).map_err(say)?;
    for table in tables {
        if let Some(why) = broken(readers.check(|view| open::quick_check(view.conn(), &table)))? {
            return Ok(Some(why));
        }
    }
    Ok(None)
}

/// Sets a damaged store aside, if it is still open.
fn give_up(thread: &Weak<Thread>, why: &str, generation: u64) {
    let Some(thread) = thread.upgrade() else { return };
    let why = why.to_owned();
    let given_up = thread.send(Box::new(move |writer| {
        // Another one may have been begun meanwhile.
        if let Some(writer) = writer.as_mut().filter(|w| w.readers().generation() == generation) {
            writer.begin_anew("checked the store", &why, true);
        }
    }));
    if let Err(e) = given_up {
        tracing::error!("The store is damaged: {}", e.chain());
    }
}

/// A job that panicked dropped its reply.
fn ended() -> Error {
    Error::new(Kind::Internal, "the store's thread failed at this task; this is a defect of the program")
}
