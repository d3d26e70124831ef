//! Purpose and case of whoever looks, on record with each look, and what was searched for.

use super::Station;
use crate::archive::{Cursor, Query};
use plated_access::{Actor, Case, ExportReads, Grants, Permit, Purpose, Reason, Recorded, Search, Session, SessionId};
use plated_core::error::{Error, Kind, Result};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Looks that are kept; more sessions than a station has at a time.
const MAX_LOOKS: usize = 1000;
/// Searches of a look that are kept; the oldest goes.
const MAX_SEARCHES: usize = 20;
/// Pages of a result that can be gone to.
pub const MAX_PAGES: usize = 400;
/// Reads of a look whose pictures may be asked for; the oldest goes.
const MAX_SHOWN: usize = 5000;
/// What goes on record as the reason of whoever gives no other.
const REASON: &str = "reads are looked at on the station's pages";

/// What a person said at the start, and what they have been shown by it.
pub struct Look {
    /// Why, with the purpose.
    pub reason: Reason,
    /// For which case, or none.
    pub case: Case,
    actor: Actor,
    /// What the account could see then. It may have been changed since.
    grants: Grants,
    searches: Mutex<VecDeque<Kept>>,
    shown: Mutex<Shown>,
}

/// A search of a look. It is named by an id, so that no plate stands in an address.
#[derive(Clone)]
pub struct Kept {
    /// Its name.
    pub id: Uuid,
    /// What was entered.
    pub entered: super::search::Entered,
    /// What is searched for.
    pub query: Query,
    /// What lets it be done.
    pub permit: Arc<Permit<Search>>,
    /// Where each page begins, as far as they were looked at.
    pages: Vec<Option<Cursor>>,
}

#[derive(Default)]
struct Shown {
    order: VecDeque<Uuid>,
    by: HashMap<Uuid, Arc<Permit<Search>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Look {
    /// Lets the person see more, for the same purpose and case. Blocks.
    ///
    /// # Errors
    /// As [`plated_access::Gate::open`]; nothing may be shown then.
    pub fn open<P: Recorded>(&self, station: &Station, subject: Value) -> Result<Permit<P>> {
        station.gate.open(&self.actor, &self.reason, &self.case, subject)
    }

    /// The same for another purpose and case.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_for<P: Recorded>(
        &self,
        station: &Station,
        because: &Reason,
        case: &Case,
        subject: Value,
    ) -> Result<Permit<P>> {
        station.gate.open(&self.actor, because, case, subject)
    }

    /// Whether this person's role takes reads out.
    pub fn may_export(&self) -> bool {
        matches!(&self.actor, Actor::User(user) if ExportReads::ROLES.contains(&user.role()))
    }

    /// Who looks.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The same with other words for why, and another case.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when the words say nothing.
    pub fn open_because<P: Recorded>(
        &self,
        station: &Station,
        words: &str,
        case: &Case,
        subject: Value,
    ) -> Result<Permit<P>> {
        let reason = Reason::new(words)?.for_purpose(self.reason.purpose().cloned());
        self.open_for(station, &reason, case, subject)
    }

    /// Keeps a search that was begun.
    pub fn keep(&self, id: Uuid, entered: super::search::Entered, query: Query, permit: Permit<Search>) {
        let mut kept = lock(&self.searches);
        if kept.len() >= MAX_SEARCHES {
            kept.pop_front();
        }
        kept.push_back(Kept { id, entered, query, permit: Arc::new(permit), pages: vec![None] });
    }

    /// A search of this id at page `page`; of a page that nobody was at yet, the last known one. Gives the number of
    /// the page, from 0, too.
    pub fn search(&self, id: Uuid, page: usize) -> Option<(Kept, usize)> {
        let kept = lock(&self.searches);
        let kept = kept.iter().find(|kept| kept.id == id)?;
        let page = page.min(kept.pages.len().saturating_sub(1));
        let query = Query { after: *kept.pages.get(page)?, ..kept.query.clone() };
        Some((Kept { query, ..kept.clone() }, page))
    }

    /// The page after `page` goes on from here.
    pub fn goes_on(&self, id: Uuid, page: usize, from: Cursor) {
        let mut kept = lock(&self.searches);
        if let Some(kept) = kept.iter_mut().find(|kept| kept.id == id && kept.pages.len() == page + 1) {
            kept.pages.push(Some(from));
        }
    }

    /// This read was shown by this permit, so its pictures may be.
    pub fn show(&self, read: Uuid, permit: &Arc<Permit<Search>>) {
        let mut shown = lock(&self.shown);
        if shown.by.insert(read, permit.clone()).is_none() {
            shown.order.push_back(read);
        }
        if shown.order.len() > MAX_SHOWN
            && let Some(oldest) = shown.order.pop_front()
        {
            shown.by.remove(&oldest);
        }
    }

    /// What lets the pictures of a read be shown: it was shown itself.
    ///
    /// # Errors
    /// `NotFound` when it was not.
    pub fn shown(&self, read: Uuid) -> Result<Arc<Permit<Search>>> {
        let none = || Error::new(Kind::NotFound, "there is no such picture");
        lock(&self.shown).by.get(&read).cloned().ok_or_else(none)
    }
}

/// The looks of all sessions. They end with the station: after that a person says the purpose again.
#[derive(Default)]
pub struct Looks(Mutex<HashMap<SessionId, Arc<Look>>>);

impl Looks {
    /// That of a session, unless role or grants were changed since.
    pub fn of(&self, session: &Session) -> Option<Arc<Look>> {
        let look = lock(&self.0).get(&session.id).cloned()?;
        (look.grants == session.account.grants && look.actor == session.actor()).then_some(look)
    }

    /// The session is over, or another purpose is to be given.
    pub fn end(&self, session: SessionId) {
        lock(&self.0).remove(&session);
    }

    /// Begins to look. Nothing is shown by this alone: each look is on record by itself.
    ///
    /// # Errors
    /// When purpose or case are not what the agency asks for.
    pub fn begin(&self, station: &Station, session: &Session, purpose: Purpose, case: Case) -> Result<()> {
        let reason = Reason::new(REASON)?.for_purpose(Some(purpose));
        station.gate.check(&reason, &case)?;
        let (actor, grants) = (session.actor(), session.account.grants.clone());
        let look = Look { reason, case, actor, grants, searches: Mutex::default(), shown: Mutex::default() };
        let mut looks = lock(&self.0);
        if looks.len() >= MAX_LOOKS {
            looks.clear(); // Whoever goes on says the purpose again.
        }
        looks.insert(session.id, Arc::new(look));
        Ok(())
    }
}
