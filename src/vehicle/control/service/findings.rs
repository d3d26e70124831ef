//! "Not this vehicle": proposed by an officer, approved by a supervisor, in force until its end.

use super::entries::left;
use super::{Answer, OfficerService};
use crate::control::Reply;
use crate::store::{By, HitEnd, KeptFinding, NewFinding, ReadEnd};
use crate::visible::{self, VisibleHit};
use jiff::Timestamp;
use plated_access::{Case, Permit, Show};
use plated_core::error::{Error, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::wire::FindingSet;
use serde_json::json;
use std::sync::atomic::Ordering;
use uuid::Uuid;

impl OfficerService {
    /// Proposes that the plate of a hit is not the vehicle that its entries want, for each entry that may be seen or
    /// only for the one of this place, from 1.
    pub(super) fn propose_finding(
        &self,
        end: &str,
        entry: Option<usize>,
        until: Timestamp,
        case: &str,
        by: &By,
        answer: Answer<'_>,
    ) -> Result<()> {
        let end = HitEnd::parse(end)?;
        let case = Case::new(case)?;
        let subject = json!({"hit": end.as_str(), "as": "finding"});
        let permit = self.gate.open(&by.who, &by.reason, &case, subject.clone())?;
        let found = self.store.find_hit(&permit, &end)?;
        // A hit is none for those who may not see it.
        let seen = found.map(|kept| (visible::hit(permit.scope(), &self.sets, &kept.hit), kept.read));
        let Some((VisibleHit::Whole(hit), read)) = seen else {
            let end = end.as_str();
            let message = format!("there is no hit whose id ends in {end}; `plated hit list` shows those there are");
            return Err(Error::new(Kind::Input, message));
        };
        self.gate.shown(&permit, 1)?;
        let permit = self.gate.open(&by.who, &by.reason, &case, subject)?;
        let read = self.store.find_read(&permit, &ReadEnd::parse(&read.to_string())?)?;
        // As it was corrected, where the hit comes of that.
        let state = read.map_or_else(String::new, |read| {
            let correction = read.corrections.iter().find(|c| Some(c.id) == hit.correction);
            correction.map_or(read.record.state.clone(), |c| c.corrected.state.clone())
        });
        let count = hit.entries.len();
        let wanted = hit.entries.into_iter().enumerate().filter(|(n, _)| entry.is_none_or(|wanted| wanted == n + 1));
        let mut proposed = 0;
        for (_, of) in wanted {
            let plate = PlateText::normalise(&hit.text).as_str().to_owned();
            let (state, case) = (state.clone(), case.as_str().to_owned());
            let new = NewFinding { plate, state, entry: of.entry, hit: hit.id, case, until };
            answer(Reply::Finding(Box::new(self.store.propose_finding(new, by)?)))?;
            proposed += 1;
        }
        match proposed {
            0 => Err(Error::new(Kind::Input, format!("the hit has {count} entries; give one of them from 1 on"))),
            _ => Ok(()),
        }
    }

    pub(super) fn approve_finding(&self, number: i64, case: &str, by: &By) -> Result<KeptFinding> {
        self.look_at_finding(number, case, by)?;
        let finding = self.store.approve_finding(number, by)?;
        self.rearm_findings()?;
        Ok(finding)
    }

    pub(super) fn withdraw_finding(&self, number: i64, case: &str, by: &By) -> Result<KeptFinding> {
        self.look_at_finding(number, case, by)?;
        let finding = self.store.withdraw_finding(number, by)?;
        self.rearm_findings()?;
        Ok(finding)
    }

    /// What is answered shows plate and entry: whoever may not see the entry does not change what is found of it.
    fn look_at_finding(&self, number: i64, case: &str, by: &By) -> Result<()> {
        let permit: Permit<Show> =
            self.gate.open(&by.who, &by.reason, &Case::new(case)?, json!({"finding": number}))?;
        let kept = self.store.vehicle_findings(&permit)?.into_iter().find(|kept| kept.number == number);
        match kept.filter(|kept| visible::shows_entry(permit.scope(), &self.sets, &kept.finding.entry)) {
            Some(_) => self.gate.shown(&permit, 1),
            None => {
                let message = format!("there is no finding {number}; `plated finding list` shows them");
                Err(Error::new(Kind::Input, message))
            }
        }
    }

    pub(super) fn list_findings(&self, case: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        let permit: Permit<Show> = self.gate.open(&by.who, &by.reason, &Case::new(case)?, json!({"findings": true}))?;
        let kept = self.store.vehicle_findings(&permit)?.into_iter();
        let seen = kept.filter(|kept| visible::shows_entry(permit.scope(), &self.sets, &kept.finding.entry));
        let rows = seen.map(|kept| Reply::Finding(Box::new(kept))).collect();
        self.give(&permit, rows, answer)
    }

    /// After a start. Where they can't be read every entry alerts, and it is tried again by
    /// [`OfficerService::expire`].
    pub(super) fn try_findings(&self) {
        if self.findings_known.load(Ordering::Relaxed) {
            return;
        }
        if let Err(e) = self.rearm_findings() {
            tracing::warn!("What was found not to be the wanted vehicle alerts: {}", e.chain());
        }
    }

    /// From now on these of the station are in force too, and no others of it.
    pub(super) fn set_station_findings(&self, set: &FindingSet) -> Result<()> {
        let (serial, findings) = (set.serial, set.findings.len());
        let mut held = self.station_findings.lock().unwrap_or_else(|e| e.into_inner());
        let is_new = held.as_ref().is_none_or(|held| held.serial != serial);
        *held = Some(set.clone());
        drop(held);
        self.rearm_findings()?;
        if is_new {
            tracing::info!(serial, findings, "What the station approved as not the wanted vehicle is in force");
        }
        Ok(())
    }

    /// Those of the store are in force and those of the station, which goes before, each until its end by the clock as
    /// it is now. What was withdrawn here alerts here, whatever the station says.
    fn rearm_findings(&self) -> Result<()> {
        // One after the other, so that what was read first is not set last.
        let _one = self.disposing.lock().unwrap_or_else(|e| e.into_inner());
        self.findings_known.store(false, Ordering::Relaxed);
        let mut findings = self.store.findings_in_force(&self.matching)?;
        if let Some(set) = &*self.station_findings.lock().unwrap_or_else(|e| e.into_inner()) {
            let withdrawn = self.store.findings_withdrawn(&self.matching)?;
            let decided = |id: &Uuid| set.refused.contains(id) || set.findings.iter().any(|f| f.id == *id);
            findings.retain(|own| !decided(&own.id));
            findings.extend(set.findings.iter().filter(|f| !withdrawn.contains(&f.id)).cloned());
        }
        let (wall, monotonic) = (self.clock.wall(), self.clock.monotonic());
        let until = |until| monotonic.saturating_add(left(until, wall));
        self.findings.set(findings.into_iter().map(|f| (until(f.until), f)).map(|(t, f)| (f, t)).collect());
        self.findings_known.store(true, Ordering::Relaxed);
        Ok(())
    }
}
