//! Looks at lists, at reads already made, and at how all is.

use super::arm::Arming;
use super::{Answer, OfficerService};
use crate::control::status::{CanvassLine, ClockLine, ListLine, OfficerLine, StatusReport, StoreLine};
use crate::control::{Reply, Shown};
use crate::health::{
    CLOCK, Health, Level, OLDEST_WAITING, OVERDUE_READS, Part, WAITING_READS, clock_part, disk,
};
use crate::store::{By, Canvass, ClockChange, ListState, ManualEntry, Search, Stats, Store, Wanted};
use crate::visible;
use crossbeam_channel::bounded;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use plated_access::{Case, Permit, Recorded, Scope, Show, Visibility};
use plated_core::error::{Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::thread::spawn;
use plated_hotlist::settings::{Hotlist, OFFICERS};
use serde_json::json;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A file that is still being read after so long is told of.
const SLOW_READ: Duration = Duration::from_secs(10);
/// Who asks how all is waits no longer for a store that hangs.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);
/// Looks for a status that may hang at once: more than callers are served.
const MAX_STATUS_LOOKS: usize = 16;
/// The part that keeps reads.
const STORE: &str = "store";

impl OfficerService {
    /// Puts on record how many rows are shown against this permit, and then shows them (control P-21).
    pub(super) fn give<P: Recorded>(&self, permit: &Permit<P>, rows: Vec<Reply>, answer: Answer<'_>) -> Result<()> {
        self.gate.shown(permit, rows.len() as u64)?;
        rows.into_iter().try_for_each(answer)
    }

    /// Tells of each list into which this person can't look now, and why: the same whatever is asked for, so
    /// that it gives nothing away.
    pub(super) fn tell_left_out(&self, scope: &Scope, answer: Answer<'_>) -> Result<()> {
        self.tell_not_granted(scope, answer)?;
        let pending = self.not_loaded()?.into_iter().filter(|name| self.sees_list(scope, name));
        let mut pending = pending.map(|name| match self.is_broken(&name) {
            true => (name, "it can't be read".to_owned()),
            false => (name, "it is being made ready; ask again in a minute".to_owned()),
        });
        pending.try_for_each(|(list, why)| answer(Reply::LeftOut { list, why }))
    }

    /// Tells of each list that this person may not see, whatever there is of it.
    pub(super) fn tell_not_granted(&self, scope: &Scope, answer: Answer<'_>) -> Result<()> {
        self.hotlists().into_iter().filter(|l| !self.sees_list(scope, &l.name)).try_for_each(|l| {
            let why = match l.covert {
                true => "it is covert, and shown only to those to whom it is granted",
                false => "you are not authorised for it",
            };
            answer(Reply::LeftOut { list: l.name.clone(), why: why.into() })
        })
    }

    fn sees_list(&self, scope: &Scope, name: &str) -> bool {
        scope.visibility(visible::list(&self.sets, name)) == Visibility::Whole
    }

    pub(super) fn show(&self, plate: &str, case: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        if self.arming() == Arming::NotBegun {
            self.arm()?;
        }
        let key = PlateText::normalise(plate).key();
        if key.as_str().len() < 2 || plate.contains(['?', '*']) {
            return Err(Error::new(Kind::Input, "give a whole plate of at least 2 characters"));
        }
        let case = Case::new(case)?;
        let permit: Permit<Show> = self.gate.open(&by.who, &by.reason, &case, json!({"plate": key.as_str()}))?;
        let (moment, states) = (self.clock.moment(), self.states()?);
        let in_force = self.lists.in_force();
        let listed = in_force.sources().iter().flat_map(|s| s.entries(key.as_str()));
        let partial = in_force.partials().filter(|p| p.pattern.fits(key.as_str()));
        let ends: HashMap<String, Timestamp> =
            self.officers_now().iter().map(|e| (e.id.to_string(), e.entry.expires)).collect();
        let mut rows = Vec::new();
        for mut entry in listed.chain(partial.map(|p| p.entry.clone())) {
            if !visible::shows_entry(permit.scope(), &self.sets, &entry) {
                continue;
            }
            if entry.list == OFFICERS {
                entry.expires = ends.get(&entry.id).copied();
            }
            let of = states.iter().find(|(l, _)| l.name == entry.list);
            rows.push(Reply::Entry(Box::new(Shown {
                list_age_s: of.and_then(|(_, s)| s.age(moment.wall)).map(|a| a.as_secs()).filter(|_| moment.trusted),
                entry,
            })));
        }
        self.give(&permit, rows, answer)?;
        self.tell_left_out(permit.scope(), answer)
    }

    pub(super) fn search(&self, wanted: Wanted, window: u64, case: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        let from = self.back(window)?;
        let search = Search::begin(&self.gate, &by.who, &by.reason, &Case::new(case)?, wanted, from)?;
        let (permit, mut next, mut total) = (search.permit().clone(), Some(search), 0);
        while let Some(search) = next {
            let (found, more) = self.store.search_page(search)?;
            total += found.len();
            // Of a partial plate many pages may be empty.
            if !found.is_empty() || more.is_none() && total == 0 {
                self.give(&permit, found.into_iter().map(Reply::Read).collect(), answer)?;
            }
            next = more;
        }
        Ok(())
    }

    /// Entries of officers that are matched: a jump of the wall clock ends none of them. Where nothing
    /// is matched, those that would be.
    pub(super) fn entries_in_force(&self) -> Result<Vec<ManualEntry>> {
        if self.arming() != Arming::NotBegun {
            return Ok(self.officers_now());
        }
        self.store.manual_entries(&self.matching)
    }

    /// So many seconds ago.
    pub(super) fn back(&self, window: u64) -> Result<Timestamp> {
        let from = self.clock.wall().checked_sub(Duration::from_secs(window));
        from.map_err(|_| Error::new(Kind::Config, "the window to search reaches too far back"))
    }

    /// Why a list is not looked at, if that is so.
    fn slow(&self, state: &ListState) -> Option<String> {
        let begun = self.looking.lock().unwrap_or_else(|e| e.into_inner()).get(&state.name).copied();
        let since = begun.map(|at| self.clock.monotonic().saturating_sub(at)).filter(|t| *t >= SLOW_READ)?;
        Some(format!("its file has not been read yet, for {} s; is it on a dead mount?", since.as_secs()))
    }

    /// The version in force is in the matching, or there is none, or none that can be read.
    fn is_ready(&self, state: &ListState) -> bool {
        self.arming() != Arming::Begun
            || state.in_force.is_none()
            || self.loaded(&state.name).is_some()
            || self.is_broken(&state.name)
    }

    /// Overall status. A daemon tells how its parts are also while the store does not answer.
    ///
    /// # Errors
    /// `Storage` when the store can't be read and there is no daemon.
    pub fn status(&self) -> Result<StatusReport> {
        let now = self.clock.wall();
        // Without a daemon nobody has a list of parts.
        let (health, looked) = match self.health.get() {
            Some(health) => (health.clone(), self.look_in_time()),
            None => (Arc::default(), Ok(look(&self.store, &self.store_path, self.overdue_before())?)),
        };
        let (clock, text) = clock_part(&*self.clock);
        health.report(CLOCK, clock, text, now);
        let open = self.canvass.incident();
        let (lists, store, officers, last_jump, canvass, no_answer) = match looked {
            Ok(Looked { states, stats, overdue, last_jump, disk, canvass }) => {
                let store = StoreLine::of(&stats, now, &self.age_limits, overdue);
                let lists = self.list_lines(states);
                self.report_parts_to(&health, &lists, &store, disk);
                let canvass = canvass.map(|c| CanvassLine { incident: c.incident, since: Some(c.started) });
                (lists, Some(store), self.entries_in_force()?, last_jump, canvass, None)
            }
            Err(e) => {
                let canvass = open.map(|incident| CanvassLine { incident: incident.to_string(), since: None });
                (Vec::new(), None, self.officers_now(), None, canvass, Some(e.chain()))
            }
        };
        let mut parts = health.parts();
        if let Some(text) = no_answer.filter(|_| parts.iter().all(|p| p.name != STORE || p.level < Level::Failed)) {
            parts.retain(|part| part.name != STORE);
            parts.push(Part { name: STORE.into(), level: Level::Failed, since: now, text });
        }
        let officer = |e: ManualEntry| OfficerLine {
            id: e.id,
            partial: e.partial,
            by: e.by.to_string(),
            created: e.created,
            expires: e.entry.expires,
            case: e.entry.case,
        };
        Ok(StatusReport {
            at: now,
            daemon: self.arming() != Arming::NotBegun,
            parts,
            clock: ClockLine {
                trusted: self.clock.doubt().is_none(),
                synchronised: self.clock.is_synchronised(),
                last_jump,
            },
            lists,
            officers: officers.into_iter().map(officer).collect(),
            canvass,
            store,
        })
    }

    /// Puts down how lists, disk and transfer are, for all who look at the daemon's parts.
    pub fn report_parts(&self) {
        let Some(health) = self.health.get() else { return };
        match look(&self.store, &self.store_path, self.overdue_before()) {
            Ok(Looked { states, stats, overdue, disk, .. }) => {
                let store = StoreLine::of(&stats, self.clock.wall(), &self.age_limits, overdue);
                self.report_parts_to(health, &self.list_lines(states), &store, disk);
            }
            Err(e) => tracing::error!("How lists and transfer are can't be looked at: {}", e.chain()),
        }
    }

    /// Looks, and waits no longer than [`STORE_TIMEOUT`] for it.
    fn look_in_time(&self) -> Result<Looked> {
        let hangs = || {
            let seconds = STORE_TIMEOUT.as_secs();
            let text =
                format!("the store does not answer within {seconds} s: how lists, transfer and disk are is not known");
            Error::new(Kind::Busy, text)
        };
        let place = self.status_looks.clone();
        if Arc::strong_count(&place) > MAX_STATUS_LOOKS {
            return Err(hangs());
        }
        let (reply, answer) = bounded(1);
        let (store, path, overdue) = (self.store.clone(), self.store_path.clone(), self.overdue_before());
        spawn("status", move || {
            let _place = place;
            let _ = reply.send(look(&store, &path, overdue)); // Nobody may wait any more.
        })?;
        answer.recv_timeout(STORE_TIMEOUT).unwrap_or_else(|_| Err(hangs()))
    }

    fn report_parts_to(&self, health: &Health, lists: &[ListLine], store: &StoreLine, disk: (Level, String)) {
        let now = self.clock.wall();
        health.report_all("list ", lists.iter().map(|list| list.part(self.clock.doubt().is_none())).collect(), now);
        let link = self.link.get().map(|progress| progress.borrow().clone());
        let (level, text) = store.transfer(now, self.has_station, link.as_ref());
        health.report("transfer", level, text, now);
        health.measure(WAITING_READS, store.waiting as f64);
        health.measure(OLDEST_WAITING, store.oldest_waiting_s.unwrap_or(0) as f64);
        health.measure(OVERDUE_READS, store.overdue as f64);
        let officers = self.officers_error().map(|error| (Level::Failed, format!("nothing is in force: {error}")));
        let (level, text) = officers.unwrap_or_else(|| (Level::Ok, "what they entered is in force".into()));
        health.report("officers' entries", level, text, now);
        health.report("disk", disk.0, disk.1, now);
    }

    /// A read that was made before this and waits is overdue.
    fn overdue_before(&self) -> Timestamp {
        self.clock.wall().checked_sub(self.age_limits.limit).unwrap_or(Timestamp::MIN)
    }

    fn list_lines(&self, states: Vec<ListState>) -> Vec<ListLine> {
        let (now, zone) = (self.clock.wall(), TimeZone::system());
        let coming = self.coming.get().map(|c| c.states.borrow().clone()).unwrap_or_default();
        let line = |(list, state): (Arc<Hotlist>, ListState)| {
            let coming = coming.iter().find(|c| c.name == state.name);
            let ready = self.is_ready(&state);
            let not_ready = "it is being made ready; until then nothing on it is found".to_owned();
            let error = (!ready).then_some(not_ready).or_else(|| self.slow(&state));
            ListLine {
                name: state.name.clone(),
                kind: list.kind,
                priority: list.priority,
                staleness: self.staleness(&state, now),
                age_s: state.age(now).map(|age| age.as_secs()),
                version: state.in_force.as_ref().map(|v| v.sha256),
                entries: state.in_force.as_ref().map_or(0, |v| v.entries),
                imported: state.in_force.as_ref().map(|v| v.imported),
                checked: state.checked.max(coming.and_then(|c| c.last_check)),
                error: error.or(state.error).or_else(|| coming.and_then(|c| c.last_error.clone())),
                counts: list.window.holds(now, &zone),
                covert: list.covert,
                ready,
            }
        };
        self.in_order(states).into_iter().map(line).collect()
    }
}

/// What a status needs of store and disk.
struct Looked {
    states: Vec<ListState>,
    stats: Stats,
    /// Reads that wait longer than they may.
    overdue: u64,
    last_jump: Option<ClockChange>,
    canvass: Option<Canvass>,
    disk: (Level, String),
}

/// May hang with the disk.
fn look(store: &Store, path: &Path, overdue_before: Timestamp) -> Result<Looked> {
    let (states, stats, last_jump) = (store.list_states()?, store.stats()?, store.last_clock_jump()?);
    let overdue = store.waiting_since(overdue_before)?;
    Ok(Looked { states, stats, overdue, last_jump, canvass: store.open_canvass()?, disk: disk(path) })
}
