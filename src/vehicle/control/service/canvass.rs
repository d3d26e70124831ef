//! Canvasses (control P-03).

use super::{Answer, OfficerService};
use crate::control::Reply;
use crate::store::{By, Canvass};
use plated_core::error::Result;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Canvasses that are listed.
const MAX_LISTED: usize = 100;

impl OfficerService {
    pub(super) fn start_canvass(&self, incident: &str, by: &By) -> Result<Canvass> {
        let canvass = self.store.start_canvass(incident, by)?;
        self.canvass.begin(&canvass.incident, self.clock.monotonic());
        self.canvass_known.store(true, Ordering::Relaxed);
        Ok(canvass)
    }

    pub(super) fn end_canvass(&self, by: &By) -> Result<Canvass> {
        let canvass = self.store.end_canvass(by)?;
        self.canvass.end(self.clock.monotonic());
        Ok(canvass)
    }

    pub(super) fn canvasses(&self, answer: Answer<'_>) -> Result<()> {
        self.store.canvasses(MAX_LISTED)?.into_iter().try_for_each(|canvass| answer(Reply::Canvass(canvass)))
    }

    /// After a start: reads carry the number of the canvass that is open. Where that can't be read it is tried
    /// again by [`OfficerService::expire`].
    pub(super) fn try_canvass(&self) {
        if self.canvass_known.load(Ordering::Relaxed) {
            return;
        }
        match self.store.open_canvass() {
            Ok(open) => {
                self.canvass_known.store(true, Ordering::Relaxed);
                // Also what is in view already.
                open.into_iter().for_each(|canvass| self.canvass.begin(&canvass.incident, Duration::ZERO));
            }
            Err(e) => tracing::warn!("Whether a canvass is open can't be read: {}", e.chain()),
        }
    }
}
