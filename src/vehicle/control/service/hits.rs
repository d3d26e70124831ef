//! Hits: listed, and what officers found about them.

use super::entries::{later, left};
use super::{Answer, OfficerService};
use crate::announcement::{Announcement, Published};
use crate::control::{Disposed, Muted, Reply};
use crate::store::{By, Disposition, Finding, HitEnd, HitSearch, KeptHit};
use crate::visible::{self, VisibleHit};
use plated_access::{Actor, Case};
use plated_core::error::{Error, Kind, Result};
use plated_core::record::{HitRecord, Priority};
use serde_json::json;
use uuid::Uuid;

impl OfficerService {
    pub(super) fn hits(&self, window: u64, case: &str, by: &By, answer: Answer<'_>) -> Result<()> {
        let from = self.back(window)?;
        let search = HitSearch::begin(&self.gate, &by.who, &by.reason, &Case::new(case)?, from)?;
        let (permit, mut next, mut total, mut concealed) = (search.permit().clone(), Some(search), 0, 0);
        while let Some(search) = next {
            let (found, more) = self.store.hits_page(search)?;
            let mut rows = Vec::new();
            for kept in found {
                match visible::hit(permit.scope(), &self.sets, &kept.hit) {
                    VisibleHit::Whole(hit) => rows.push(Reply::Hit(Box::new(KeptHit { hit: *hit, ..kept }))),
                    VisibleHit::Existence => concealed += 1,
                    VisibleHit::Hidden => {}
                }
            }
            total += rows.len();
            if !rows.is_empty() || more.is_none() && total == 0 {
                self.give(&permit, rows, answer)?;
            }
            next = more;
        }
        if concealed > 0 {
            answer(Reply::Concealed { hits: concealed })?;
        }
        self.tell_not_granted(permit.scope(), answer)
    }

    /// Keeps what a hit was and, when it was found wrong, lets its pairing alert nobody until the
    /// shift ends. Any other finding of the pairing ends that.
    pub(super) fn dispose(&self, end: &str, finding: Finding, case: String, by: &By) -> Result<Disposed> {
        let _one = self.disposing.lock().unwrap_or_else(|e| e.into_inner());
        let hit = self.find_seen(end, &case, by)?;
        let shift_ends = later(self.clock.wall(), self.shift)?;
        self.store.add_disposition(Disposition { hit: hit.id, finding, case, shift_ends }, by)?;
        match finding.quiets() {
            true => self.muted.begin(&hit, self.clock.monotonic().saturating_add(self.shift)),
            false => self.muted.end_found_wrong(&hit),
        }
        self.tell_disposed(hit.id);
        Ok(Disposed { hit, finding, quiet_until: finding.quiets().then_some(shift_ends) })
    }

    /// Lets the pairing of a hit alert nobody until the shift ends, or alert again. High priority is never muted
    /// so: neither this hit nor a later one of the pairing that is more urgent. It ends with the officer's session.
    pub(super) fn mute(&self, end: &str, muted: bool, case: String, by: &By) -> Result<Muted> {
        let _one = self.disposing.lock().unwrap_or_else(|e| e.into_inner());
        let hit = self.find_seen(end, &case, by)?;
        if muted && hit.priority().max(self.sets.tone(&hit)) == Priority::High {
            return Err(Error::new(Kind::Refused, "an alert of high priority can't be muted"));
        }
        let until = if muted { Some(later(self.clock.wall(), self.shift)?) } else { None };
        self.store.mute(&hit, until, case, by)?;
        let session = if let Actor::User(user) = &by.who { Some(user.session()) } else { None };
        match muted {
            true => self.muted.begin_by_hand(&hit, session, self.clock.monotonic().saturating_add(self.shift)),
            false => self.muted.end(&hit),
        }
        self.tell_disposed(hit.id);
        Ok(Muted { hit: hit.id, until })
    }

    /// The hit whose id ends so, on record as shown; none for those who may not see it.
    fn find_seen(&self, end: &str, case: &str, by: &By) -> Result<HitRecord> {
        let end = HitEnd::parse(end)?;
        let permit = self.gate.open(&by.who, &by.reason, &Case::new(case)?, json!({"hit": end.as_str()}))?;
        let found = self.store.find_hit(&permit, &end)?;
        let seen = found.map(|kept| visible::hit(permit.scope(), &self.sets, &kept.hit));
        let Some(VisibleHit::Whole(hit)) = seen else {
            let end = end.as_str();
            let message = format!("there is no hit whose id ends in {end}; `plated hit list` shows those there are");
            return Err(Error::new(Kind::NotFound, message));
        };
        self.gate.shown(&permit, 1)?;
        Ok(*hit)
    }

    /// Consoles show the alert of this hit as it is now.
    fn tell_disposed(&self, hit: Uuid) {
        if let Some(events) = self.events.get() {
            events.publish(Published::new(Announcement::Disposed { hit }, self.sets.clone()), 0);
        }
    }

    /// Lets go of what was muted by hand in sessions that are over.
    pub(super) fn end_hand_mutes(&self) {
        if let Some(accounts) = &self.accounts {
            self.muted.end_sessions(|session| accounts.goes_on(session));
        }
    }

    /// Mutes what was found wrong before, and what officers muted who are still logged in. What the wall clock says is left of a shift can't
    /// be more than a shift, however it has jumped.
    pub(super) fn arm_quiet(&self) -> Result<()> {
        let (wall, monotonic) = (self.clock.wall(), self.clock.monotonic());
        let ends = |until| monotonic.saturating_add(left(until, wall).min(self.shift));
        for (hit, until) in self.store.muted_pairings(&self.matching)? {
            if let Some(hit) = self.sets.shown_hit(&hit) {
                self.muted.begin(&hit, ends(until));
            }
        }
        for mute in self.store.hand_mutes(&self.matching)? {
            if let Some(hit) = self.sets.shown_hit(&mute.hit) {
                self.muted.begin_by_hand(&hit, mute.session, ends(mute.until));
            }
        }
        Ok(())
    }
}
