//! Looks at lists, at reads already made, and at how all is.

use super::{Answer, OfficerService, actor};
use crate::control::status::{ListLine, OfficerLine, StatusReport, StoreLine};
use crate::control::{Reply, Shown};
use crate::store::{By, ListState, ManualEntry, Search, Wanted};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use plated_access::{Case, Permit, Show};
use plated_core::error::{Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_hotlist::settings::{Hotlist, OFFICERS};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl OfficerService {
    pub(super) fn show(&self, plate: &str, case: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        if !self.armed.load(Ordering::Acquire) {
            self.arm()?;
        }
        let key = PlateText::normalise(plate).key();
        if key.as_str().len() < 2 || plate.contains(['?', '*']) {
            return Err(Error::new(Kind::Input, "give a whole plate of at least 2 characters"));
        }
        let case = Case::new(case)?;
        let _on_record: Permit<Show> = self.gate.open(&actor(by), &by.reason, &case, json!({"plate": key.as_str()}))?;
        let (now, states) = (self.clock.wall(), self.states()?);
        let in_force = self.lists.in_force();
        let listed = in_force.sources().iter().flat_map(|s| s.entries(key.as_str()));
        let partial = in_force.partials().filter(|p| p.pattern.fits(key.as_str()));
        let ends: HashMap<String, Timestamp> =
            self.officers().iter().map(|(e, _)| (e.id.to_string(), e.entry.expires)).collect();
        for mut entry in listed.chain(partial.map(|p| p.entry.clone())) {
            if entry.list == OFFICERS {
                entry.expires = ends.get(&entry.id).copied();
            }
            let of = states.iter().find(|(l, _)| l.name == entry.list);
            answer(Reply::Entry(Box::new(Shown {
                list_age_s: of.and_then(|(_, s)| s.age(now)).map(|age| age.as_secs()),
                authorised: of.map(|(l, _)| l.authorised.clone()).unwrap_or_default(),
                covert: of.is_some_and(|(l, _)| l.covert),
                entry,
            })))?;
        }
        Ok(())
    }

    pub(super) fn search(&self, plate: &str, window: u64, case: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        let (wanted, from) = (Wanted::parse(plate)?, self.back(window)?);
        let search = Search::begin(&self.gate, &actor(by), &by.reason, &Case::new(case)?, wanted, from)?;
        let mut next = Some(search);
        while let Some(search) = next {
            let (found, more) = self.store.search_page(search)?;
            found.into_iter().try_for_each(|read| answer(Reply::Read(read)))?;
            next = more;
        }
        Ok(())
    }

    /// Entries of officers that are matched: a jump of the wall clock ends none of them. Where nothing
    /// is matched, those that would be.
    fn entries_in_force(&self) -> Result<Vec<ManualEntry>> {
        if self.armed.load(Ordering::Acquire) {
            return Ok(self.officers().iter().map(|(entry, _)| entry.clone()).collect());
        }
        self.store.manual_entries(&self.matching)
    }

    /// So many seconds ago.
    pub(super) fn back(&self, window: u64) -> Result<Timestamp> {
        let from = self.clock.wall().checked_sub(Duration::from_secs(window));
        from.map_err(|_| Error::new(Kind::Config, "the window to search reaches too far back"))
    }

    /// How all is.
    ///
    /// # Errors
    /// `Storage` when the store can't be read.
    pub fn status(&self) -> Result<StatusReport> {
        let (now, zone) = (self.clock.wall(), TimeZone::system());
        let coming = self.coming.get().map(|c| c.states.borrow().clone()).unwrap_or_default();
        let line = |(list, state): (Arc<Hotlist>, ListState)| {
            let coming = coming.iter().find(|c| c.name == state.name);
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
                error: state.error.or_else(|| coming.and_then(|c| c.last_error.clone())),
                counts: list.window.holds(now, &zone),
                authorised: list.authorised.clone(),
                covert: list.covert,
            }
        };
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
            daemon: self.armed.load(Ordering::Acquire),
            parts: self.health.get().map(|health| health.parts()).unwrap_or_default(),
            lists: self.states()?.into_iter().map(line).collect(),
            officers: self.entries_in_force()?.into_iter().map(officer).collect(),
            store: StoreLine::of(&self.store.stats()?, now),
        })
    }
}
