//! Read-only connections beside the writer.
//!
//! A write-ahead log lets readers see the last commit while the writer goes on, so whoever only
//! looks (status, searches, lists of hits, the outbox) does it here, on its own thread, and never
//! waits for the writer nor makes it wait.
//!
//! A look is short: one page of a search, one answer. The connection comes back after it, so that no
//! snapshot outlives it: the log can be written back and begun anew in between, however slow the
//! consumer of the pages is. When the log has grown nevertheless, because there was always some
//! look under way, the writer lets new ones wait for a moment ([`Readers::pause`]).

use super::connection::{Fault, connect};
use super::key::Key;
use plated_core::clock::Clock;
use plated_core::error::{Error, Kind, Result};
use plated_core::signing::Trust;
use rusqlite::{Connection, InterruptHandle};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Connections at once; who comes when all are in use waits for one.
const MAX_READERS: usize = 4;

/// How often the check in the background is interrupted until it ends.
const INTERRUPT_AGAIN: Duration = Duration::from_millis(50);

/// The store as a reader sees it.
pub(super) struct View<'a> {
    conn: &'a Connection,
    now: i64,
}

impl View<'_> {
    pub(super) fn conn(&self) -> &Connection {
        self.conn
    }

    /// Microseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.now
    }
}

/// The connections.
pub(super) struct Readers {
    path: PathBuf,
    key: Key,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    in_use: usize,
    /// Raised when another database lies at the path: connections of before are dropped.
    generation: u64,
    /// The writer is about to empty the log.
    paused: bool,
    closed: bool,
    /// Ends the check in the background.
    check: Option<InterruptHandle>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, key: Key, clock: Arc<dyn Clock>) -> Self {
        Self { path, key, clock, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Has `job` look at one state of the store; `what` says what failed.
    pub(super) fn look<T>(&self, what: &str, job: impl FnOnce(&View<'_>) -> Result<T, Fault>) -> Result<T> {
        let mut lent = self.lend(what)?;
        let result = lent.look(job);
        let broken = result.as_ref().is_err_and(Fault::breaks_connection);
        lent.whole = !broken;
        drop(lent);
        result.map_err(|fault| match broken {
            true => {
                let path = self.path.display();
                fault.say(|| format!("{what}: a part of the store {path} is damaged; `plated check` says which"))
            }
            false => fault.say(|| what.to_owned()),
        })
    }

    /// The same for the check in the background, which [`Readers::close`] ends.
    pub(super) fn check<T>(&self, job: impl FnOnce(&View<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let lent = self.lend("could not check the store")?;
        if let Some(conn) = &lent.conn {
            let mut state = self.state();
            let closed = state.closed; // since it was lent
            state.check = (!closed).then(|| conn.get_interrupt_handle());
            drop(state);
            if closed {
                return Err(Error::new(Kind::Refused, "could not check the store: the store is closed").into());
            }
        }
        let result = lent.look(job);
        self.state().check = None;
        result
    }

    /// Whose signature of the audit log counts.
    pub(super) fn audit_trust(&self) -> Result<Trust> {
        Ok(Trust::only([self.key.audit_public_key()?]))
    }

    fn lend(&self, what: &str) -> Result<Lent<'_>> {
        let mut state = self.state();
        let conn = loop {
            if state.closed {
                return Err(Error::new(Kind::Refused, format!("{what}: the store is closed")));
            }
            if !state.paused {
                if let Some(conn) = state.idle.pop() {
                    break Some(conn);
                }
                if state.in_use < MAX_READERS {
                    break None;
                }
            }
            state = self.changed.wait(state).unwrap_or_else(|e| e.into_inner());
        };
        state.in_use += 1;
        let mut lent = Lent { readers: self, generation: state.generation, conn, whole: false };
        drop(state);
        if lent.conn.is_none() {
            let opened = connect(&self.path, &self.key, false).map_err(Fault::from);
            lent.conn = Some(opened.map_err(|fault| fault.say(|| what.to_owned()))?);
        }
        Ok(lent)
    }

    /// Lets nobody begin a look, and waits `at_most` so long until none is under way; `None` when
    /// one still is.
    pub(super) fn pause(&self, at_most: Duration) -> Option<Paused<'_>> {
        let until = Instant::now() + at_most;
        let mut state = self.state();
        state.paused = true;
        let paused = Paused(self); // whatever happens, they go on when it is dropped
        while state.in_use > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(state);
                return None;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(|e| e.into_inner()).0;
        }
        drop(state);
        Some(paused)
    }

    /// Another database lies at the path now.
    pub(super) fn retire(&self) {
        let mut state = self.state();
        state.generation += 1;
        state.idle.clear();
    }

    /// Which database it is since the store was opened: raised with each one that is begun anew.
    pub(super) fn generation(&self) -> u64 {
        self.state().generation
    }

    /// Ends the connections, once the looks under way are done, and waits `at_most` so long for them; false
    /// when one hangs.
    pub(super) fn close(&self, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        let mut state = self.state();
        state.closed = true;
        self.changed.notify_all();
        while state.in_use > 0 {
            // Again and again: an interrupt between two statements of the check is forgotten.
            if let Some(check) = &state.check {
                check.interrupt();
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left.min(INTERRUPT_AGAIN)).unwrap_or_else(|e| e.into_inner()).0;
        }
        state.idle.clear();
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// New looks wait while this lives.
pub(super) struct Paused<'a>(&'a Readers);

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        self.0.state().paused = false;
        self.0.changed.notify_all();
    }
}

/// A connection in use; it comes back, or its place does, however the look ends.
struct Lent<'a> {
    readers: &'a Readers,
    generation: u64,
    conn: Option<Connection>,
    /// It can be used again.
    whole: bool,
}

impl Lent<'_> {
    fn look<T>(&self, job: impl FnOnce(&View<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let Some(conn) = &self.conn else {
            return Err(Error::new(Kind::Internal, "a reader of the store has no connection").into());
        };
        // All of a look sees the same state.
        let _snapshot = conn.unchecked_transaction()?;
        job(&View { conn, now: self.readers.clock.wall().as_microsecond() })
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.readers.state();
        state.in_use -= 1;
        if self.whole && self.generation == state.generation && !state.closed {
            state.idle.extend(self.conn.take());
        }
        drop(state);
        self.readers.changed.notify_all();
        // A connection that is not given back is closed here, outside the lock.
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Options, Store};
    use plated_core::clock::SystemClock;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let key = Key::create_file(&dir.path().join("store.key")).unwrap();
        let options = Options { path: dir.path().join("store.db"), max_bytes: None, vehicle: "unit-7".into() };
        let (store, _) = Store::open(options, &key, Arc::new(SystemClock::new())).unwrap();
        (dir, store)
    }

    #[test]
    fn a_look_that_hangs_holds_up_closing_until_one_deadline_and_no_further_wait_follows() {
        let (_dir, store) = store();
        let readers = store.thread.readers.clone();
        let (begins, begun) = crossbeam_channel::bounded(1);
        let (release, released) = crossbeam_channel::bounded::<()>(0);
        let look = std::thread::spawn(move || {
            readers.look("test", |_| {
                begins.send(()).unwrap();
                let _ = released.recv();
                Ok(())
            })
        });
        begun.recv().unwrap();
        let (tell, told) = crossbeam_channel::bounded(1);
        // With the handle goes the last wait for the store.
        let close = std::thread::spawn(move || tell.send(store.close_by(Instant::now())).unwrap());
        let closed = told.recv_timeout(super::super::CLOSE_TIMEOUT / 2).expect("one that waits again");
        assert_eq!(closed.unwrap_err().kind(), Kind::Storage);
        drop(release);
        look.join().unwrap().unwrap();
        close.join().unwrap();
    }

    #[test]
    fn closing_ends_a_check_that_would_take_for_ever_and_none_begins_after_it() {
        let (_dir, store) = store();
        let readers = store.thread.readers.clone();
        let checked = readers.clone();
        let (begins, begun) = crossbeam_channel::bounded(1);
        let check = std::thread::spawn(move || {
            checked.check(|view| {
                begins.send(()).unwrap();
                let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
                Ok(view.conn().query_row(endless, [], |row| row.get::<_, i64>(0))?)
            })
        });
        begun.recv().unwrap();
        store.close().unwrap();
        assert!(check.join().unwrap().is_err());
        assert!(readers.check(|_| Ok(())).is_err());
    }
}
