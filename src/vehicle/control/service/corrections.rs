//! Reads that officers correct (control P-30): kept beside the read, and matched again.

use super::super::Reply;
use super::arm::Arming;
use super::{Answer, OfficerService};
use crate::alert::{self, Repeats};
use crate::announcement::{Announcement, Published};
use crate::store::{By, Corrected, NewCorrection, ReadEnd};
use crate::visible::{self, VisibleHit};
use plated_access::{Case, Permit, Search};
use plated_core::clock::{Moment, id_at};
use plated_core::error::{Error, Kind, Result};
use plated_core::officers::{Correction, Reading};
use plated_core::plate::{MAX_LENGTH, PlateText, Slots};
use plated_core::record::{Alerting, HitRecord, ReadRecord};
use plated_hotlist::format::{Codes, code_of};
use plated_hotlist::{Query, vehicle};
use serde_json::json;
use uuid::Uuid;

/// Corrections that are listed.
const MAX_LISTED: usize = 1000;
/// What an event takes beside its pictures, in bytes.
const EVENT_BYTES: usize = 4096;
/// Of each character that somebody gave: people mistype too.
const CERTAIN: f32 = 0.999;

impl OfficerService {
    /// Keeps what a read says, matches that again, and lets what it hits alert. Gives the correction with the hits
    /// that may be shown.
    pub(super) fn correct(
        &self,
        end: &str,
        plate: &str,
        state: Option<&str>,
        case: String,
        by: &By,
    ) -> Result<Correction> {
        if self.arming() == Arming::NotBegun {
            self.arm()?;
        }
        let end = ReadEnd::parse(end)?;
        let subject = json!({"read": end.as_str(), "as": "correction"});
        let permit: Permit<Search> = self.gate.open(&by.who, &by.reason, &Case::new(&case)?, subject)?;
        let Some(kept) = self.store.find_read(&permit, &end)? else {
            let message = format!("there is no read whose id ends in {}", end.as_str());
            return Err(Error::new(Kind::Input, message));
        };
        self.gate.shown(&permit, 1)?;
        let now_is = kept.corrections.first().map(|c| c.corrected.clone());
        let read = kept.record;
        let now_is = now_is.unwrap_or_else(|| Reading { text: read.text.clone(), state: read.state.clone() });
        let corrected = reading(plate, state.unwrap_or(&now_is.state))?;
        if corrected == now_is {
            return Err(Error::new(Kind::Input, "that is what it says already; give what the plate says"));
        }
        let id = id_at(self.clock.wall());
        let hits = self.hits_of(&read, &corrected, id);
        // Before anything waits for the disk.
        for hit in hits.iter().filter(|hit| hit.alert == Alerting::Sounded) {
            if let Some((chime, shown)) = self.chime.get().zip(self.sets.shown_hit(hit)) {
                chime.sound(self.sets.tone(&shown));
            }
        }
        let (all, alerts) = (hits.len(), hits.iter().filter(|hit| hit.alert == Alerting::Sounded).count());
        let new = NewCorrection { id, read: read.id, corrected, case, hits };
        let Corrected { mut correction, read, pictures } = self.store.correct(new, by)?;
        if let Some(count) = self.counted.get() {
            count(all as u64, alerts as u64);
        }
        if let Some(events) = self.events.get() {
            let captured = self.clock.monotonic();
            let bytes = EVENT_BYTES + pictures.iter().map(|p| p.jpeg.len()).sum::<usize>();
            for hit in &correction.hits {
                let (read, hit, pictures) = (Box::new(read.clone()), Box::new(hit.clone()), pictures.clone());
                let announcement = Announcement::Hit { read, hit, captured, pictures };
                events.publish(Published::new(announcement, self.sets.clone()), bytes);
            }
            events.publish(Published::new(Announcement::Corrected { read: read.id }, self.sets.clone()), 0);
        }
        self.leave_seen(&permit, &mut correction);
        Ok(correction)
    }

    pub(super) fn corrections(&self, window: u64, case: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        let from = self.back(window)?;
        let subject = json!({"corrections": true, "from": from});
        let permit: Permit<Search> = self.gate.open(&by.who, &by.reason, &Case::new(case)?, subject)?;
        let mut corrections = self.store.corrections(&permit, from, MAX_LISTED)?;
        corrections.iter_mut().for_each(|correction| self.leave_seen(&permit, correction));
        let rows = corrections.into_iter().map(|correction| Reply::Correction(Box::new(correction))).collect();
        self.give(&permit, rows, answer)
    }

    /// Only the hits that the holder of this permit may see.
    fn leave_seen(&self, permit: &Permit<Search>, correction: &mut Correction) {
        let seen = |hit: HitRecord| match visible::hit(permit.scope(), &self.sets, &hit) {
            VisibleHit::Whole(hit) => Some(*hit),
            _ => None,
        };
        correction.hits = std::mem::take(&mut correction.hits).into_iter().filter_map(seen).collect();
    }

    /// What the corrected text matches, and whether that alerts: what alerted with the read itself does not again.
    fn hits_of(&self, read: &ReadRecord, corrected: &Reading, correction: Uuid) -> Vec<HitRecord> {
        let Moment { wall: now, monotonic, trusted } = self.clock.moment();
        let (text, slots) = (PlateText::normalise(&corrected.text), Slots::reading(&corrected.text, CERTAIN));
        let mut repeats = Repeats::new(&self.alert, self.muted.clone());
        let mut hits: Vec<HitRecord> = Vec::new();
        let query = Query { text: &text, state: &corrected.state, candidates: &[], slots: &slots, now };
        for mut found in self.lists.matches(&query) {
            match trusted {
                true => found.entries.retain(|e| self.sets.counts(&e.entry.list, now)),
                false => found.entries.iter_mut().for_each(|e| e.age_days = None),
            }
            if found.entries.is_empty() {
                continue;
            }
            let is_probable = found.alerts;
            let mut hit = alert::hit(found, text.as_str(), 1.0, now);
            (hit.correction, hit.position) = (Some(correction), read.position);
            vehicle::mark([&mut hit], read.appearance.as_ref());
            self.findings.mark(&mut hit, &corrected.state, monotonic);
            let before: Vec<HitRecord> = read.hits.iter().chain(&hits).cloned().collect();
            let lists = (&*self.lists, &*self.sets);
            hit.alert = alert::decide(&hit, is_probable, &before, lists, &mut repeats, monotonic);
            hits.push(hit);
        }
        hits
    }
}

/// What somebody says that a plate says.
pub(super) fn reading(plate: &str, state: &str) -> Result<Reading> {
    let refuse = |why: String| Err(Error::new(Kind::Input, why));
    let state = state.to_ascii_uppercase();
    if !state.is_empty() && code_of(&state, Codes::Postal).is_none() {
        return refuse(format!("there is no state {state:?}; give its postal code, such as CA, or none"));
    }
    if plate.chars().any(|c| !c.is_ascii_alphanumeric() && !" -._/·".contains(c)) {
        return refuse("the plate holds a character that no plate has".into());
    }
    let text = PlateText::normalise(plate);
    if plate.chars().filter(char::is_ascii_alphanumeric).count() > text.len() {
        return refuse(format!("a plate has at most {MAX_LENGTH} characters"));
    }
    if text.len() < 2 {
        return refuse("a plate has at least 2 characters".into());
    }
    Ok(Reading { text: text.as_str().to_owned(), state })
}
