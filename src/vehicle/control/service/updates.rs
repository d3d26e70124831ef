//! Lists that come by themselves: from the station, and from folders.

use super::{Incoming, OfficerService};
use crate::lists;
use crate::lists::Change;
use crate::store::{By, Reason};
use jiff::{SignedDuration, Timestamp};
use plated_access::Actor;
use plated_core::error::{Error, Kind, Result};
use plated_core::text::entries;
use plated_core::wire::ListVersion;
use plated_hotlist::settings::{Hotlist, ListKind, OFFICERS, Stale};
use std::path::Path;
use std::sync::Arc;

/// How often it is written down that a list is still the newest.
const CONFIRM_EVERY: SignedDuration = SignedDuration::from_secs(60);

impl OfficerService {
    /// Brings a change into force, and gives a sentence of what was done; this is what is handed to
    /// [`hotlist::sync`](crate::lists).
    ///
    /// # Errors
    /// As [`OfficerService::import`]; the list before stays in force.
    pub fn take(&self, change: &Change) -> Result<String> {
        match change {
            Change::Station { version, path } => self.station(version, path),
            Change::Withdrawn { list } => {
                let known = self.configured(list).is_ok_and(|l| l.kind == ListKind::Station);
                if known && self.has(list) {
                    self.withdraw(list, &by("the station does not hand it out any more")?)?;
                }
                Ok("withdrawn".into())
            }
            Change::Current { list, confirmed } => {
                let now = self.clock.wall();
                let Some(state) = self.state(list)?.filter(|s| s.in_force.is_some()) else {
                    return Ok("it is the newest".into());
                };
                // Once in a while is enough for an age in hours.
                let looked = state.checked.is_some_and(|at| now.duration_since(at).abs() < CONFIRM_EVERY);
                if !looked || state.confirmed.is_none_or(|at| at < *confirmed) {
                    self.store.list_confirmed(list, Some(*confirmed), None)?;
                }
                Ok("it is the newest".into())
            }
            Change::Findings(set) => {
                self.set_station_findings(set)?;
                Ok("findings are in force".into())
            }
            Change::File { list, path, name, .. } => {
                let incoming = Incoming { name: Path::new(name), by_itself: true, ..Incoming::file(path, None) };
                self.import(list, incoming, false, &by(&format!("dropped into its folder as {}", plain(name)))?)
                    .map(|done| if done.unchanged { "it was in force already".into() } else { done.report })
            }
        }
    }

    /// Before the first round: what was accepted from the station is in force, and what it withdrew is
    /// not, also in a store that is another one since, from a backup or begun anew. A list that can't
    /// be used leaves the version before in force, and the next round brings it again.
    pub fn follow(&self, folder: &Path) {
        for (version, path) in lists::accepted(folder) {
            let state = self.states().ok().and_then(|all| all.into_iter().find(|(l, _)| l.name == version.name));
            let in_force = state.and_then(|(_, s)| s.in_force);
            // What was imported later, by hand or by a round that was cut off, is the newer one.
            let later = |v: &crate::store::Version| lists::accepted_at(folder, &version.name) <= Some(v.imported);
            let stays = in_force.is_some_and(|v| v.origin == version.sha256 || later(&v));
            if stays && !self.is_broken(&version.name) {
                continue;
            }
            match self.station(&version, &path) {
                Ok(message) => tracing::info!(list = version.name, "A list of the station is in force: {message}"),
                Err(e) => {
                    tracing::error!(list = version.name, "The station's list is not in force: {}", e.chain());
                    if let Err(e) = lists::offer_again(folder, &version, e.kind() == Kind::Damaged) {
                        tracing::error!(list = version.name, "It is not tried again before it changes: {}", e.chain());
                    }
                }
            }
        }
        let own = |list: &Hotlist| list.kind == ListKind::Station && self.has(&list.name);
        for list in self.hotlists().into_iter().filter(|l| own(l) && lists::was_withdrawn(folder, &l.name)) {
            match by("the station does not hand it out any more").and_then(|by| self.withdraw(&list.name, &by)) {
                Ok(()) => tracing::info!(list = list.name, "The station withdrew a list."),
                Err(e) => tracing::error!(list = list.name, "A withdrawn list is still in force: {}", e.chain()),
            }
        }
    }

    /// The vehicle's own configuration has a table for this list.
    fn is_in_configuration(&self, name: &str) -> bool {
        let all = self.hotlists.read().unwrap_or_else(|e| e.into_inner());
        all.iter().take(self.configured_hotlists).any(|list| list.name == name)
    }

    /// A list of the station, also one that the configuration says nothing about.
    fn station(&self, version: &ListVersion, file: &Path) -> Result<String> {
        let name = &version.name;
        match self.configured(name) {
            _ if name == OFFICERS => {
                let message = format!("\"{OFFICERS}\" is the name of what officers enter; rename the station's list");
                return Err(Error::new(Kind::Config, message));
            }
            Ok(list) if list.kind != ListKind::Station => {
                let kind = list.kind.as_str();
                let message =
                    format!("a list of the same name, of kind \"{kind}\", is configured in the vehicle; rename one");
                return Err(Error::new(Kind::Config, message));
            }
            Ok(_) if self.is_in_configuration(name) => {}
            known => {
                // One that was covert once stays so.
                let covert = self.state(name)?.is_some_and(|state| state.covert);
                let from_station = Hotlist::from_station(name);
                let stale =
                    version.stale.map_or(from_station.stale, |limit| Stale::new(limit.warn_h, limit.critical_h));
                let list = Hotlist { covert, stale, ..from_station };
                self.store.configure_lists(std::slice::from_ref(&list))?;
                if known.is_err() {
                    self.hotlists.write().unwrap_or_else(|e| e.into_inner()).push(Arc::new(list));
                }
            }
        }
        let dated = Some(version.file_date.unwrap_or(version.published));
        let incoming = Incoming { version: Some(version), by_itself: true, ..Incoming::file(file, dated) };
        let done = self.import(name, incoming, false, &by(&format!("version {} of the station", version.version))?)?;
        Ok(entries(done.entries))
    }
}

impl<'a> Incoming<'a> {
    /// A file that somebody brings; `dated` is its date where it gives itself none.
    pub fn file(file: &'a Path, dated: Option<Timestamp>) -> Self {
        Self { file, name: file, dated, version: None, by_itself: false, at_path: None }
    }
}

fn by(reason: &str) -> Result<By> {
    Ok(By { who: Actor::of_this_process(), reason: Reason::new(reason)? })
}

/// A file's name as it can stand in a reason.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '?' } else { c }).take(200).collect()
}
