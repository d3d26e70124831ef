//! Lists out of force, out of the vehicle, and out of date.

use super::{Answer, OfficerService};
use crate::control::Reply;
use crate::store::{By, Staleness};
use crate::visible;
use plated_access::Source;
use plated_access::{Case, Export, Permit, Visibility};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::record::EntryRecord;
use plated_hotlist::settings::OFFICERS;
use serde_json::json;

impl OfficerService {
    /// Takes a list out of force that the station does not hand out any more.
    ///
    /// # Errors
    /// `NotFound` when there is no such list, `Storage` when it can't be recorded; then it stays.
    pub fn withdraw(&self, name: &str, by: &By) -> Result<()> {
        self.configured(name)?;
        let turn = self.turn(name);
        let _one = turn.lock().unwrap_or_else(|e| e.into_inner());
        self.store.list_withdrawn(name, by)?;
        self.lists.remove(name);
        self.loaded.lock().unwrap_or_else(|e| e.into_inner()).remove(name);
        self.list_files.tidy(name, None);
        self.broken.lock().unwrap_or_else(|e| e.into_inner()).remove(name);
        // Nobody misses it then; one that is configured is still awaited, and the status says so.
        let mut number = 0;
        self.hotlists.write().unwrap_or_else(|e| e.into_inner()).retain(|list| {
            number += 1;
            number <= self.configured_hotlists || list.name != name
        });
        Ok(())
    }

    pub(super) fn export(&self, name: &str, case: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        let case = Case::new(case)?;
        if name == OFFICERS {
            let source = visible::list(&self.sets, name);
            let permit = self.gate.open_list(&by.who, &by.reason, &case, json!({"list": name}), source)?;
            let entries = self.store.export_manual(&permit)?;
            let mut lines = entries.iter().map(|e| serde_json::to_string(&e.record())).collect::<Result<Vec<_>, _>>();
            if let Ok(lines) = &mut lines {
                lines.sort_unstable();
            }
            let lines = lines.context(Kind::Internal, || "an entry can't be written as JSON".into())?;
            return self.give(&permit, lines.into_iter().map(Reply::Line).collect(), answer);
        }
        self.configured(name)?;
        let source = visible::list(&self.sets, name);
        let Some(version) = self.state(name)?.and_then(|s| s.in_force) else {
            // Who may not see the list does not learn that either.
            let _: Permit<Export> = self.gate.open_list(&by.who, &by.reason, &case, json!({"list": name}), source)?;
            return Err(Error::new(Kind::NotFound, format!("no version of the list {name} is in force yet")));
        };
        let lines = self.list_files.lines(name, &version.sha256)?;
        let subject = json!({"list": name, "version": version.sha256, "entries": version.entries});
        let permit: Permit<Export> = self.gate.open_list(&by.who, &by.reason, &case, subject, source)?;
        if permit.scope().visibility(Source { clets: true, ..source }) == Visibility::Whole {
            self.gate.shown(&permit, version.entries)?;
            return lines.into_iter().try_for_each(|line| answer(Reply::Line(line?)));
        }
        // Some entries of it may be of a state or federal system, which this person may not see.
        let mut rows = Vec::new();
        for line in lines {
            let line = line?;
            let entry: EntryRecord =
                serde_json::from_str(&line).context(Kind::Damaged, || "an entry of the list is none".into())?;
            if visible::shows_entry(permit.scope(), &self.sets, &entry) {
                rows.push(Reply::Line(line));
            }
        }
        self.give(&permit, rows, answer)
    }

    /// Says of each list once when it has become stale, and once more when critical; gives what
    /// was reported.
    ///
    /// # Errors
    /// `Storage` when the store can't be read.
    pub fn warn_stale(&self) -> Result<Vec<(String, Staleness)>> {
        let now = self.clock.wall();
        let mut reported = self.reported.lock().unwrap_or_else(|e| e.into_inner());
        let mut news = Vec::new();
        // A list that is gone and comes again is told of anew.
        let states = self.states()?;
        reported.retain(|name, _| states.iter().any(|(list, _)| list.name == *name));
        for (list, state) in states {
            let level = self.staleness(&state, now);
            let before = reported.insert(list.name.clone(), level).unwrap_or(Staleness::Fresh);
            if level <= before {
                continue;
            }
            let hours = state.age(now).map(|age| age.as_secs() / 3600);
            match (level, hours) {
                // Why was reported when it was tried.
                (Staleness::Critical, None) if state.error.is_some() => {}
                (Staleness::Critical, None) => {
                    tracing::error!(
                        list = list.name,
                        "No version of this hotlist is in force: nothing on it is found."
                    );
                }
                (Staleness::Critical, Some(hours)) => {
                    tracing::error!(list = list.name, hours, "The hotlist is too old to rely on; bring a new one.");
                }
                (_, hours) => tracing::warn!(list = list.name, hours, "The hotlist is older than it should be."),
            }
            news.push((list.name.clone(), level));
        }
        Ok(news)
    }
}
