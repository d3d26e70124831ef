//! Whoever is given alerts: what of them it may see, on record before it goes.

use super::message::AlertMessage;
use crate::control::OfficerService;
use crate::store::KeptAlert;
use crate::visible::{self, VisibleHit};
use plated_access::{GiveOut, Permit, Purpose, Reason, Subscriber};
use plated_core::error::{Context, Kind, Result};
use plated_core::record::{HitRecord, Priority};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// What goes on record as the reason.
const REASON: &str = "alerts are given to a program as they are made";

/// A program that is given alerts.
pub(super) struct Recipient {
    subscriber: Subscriber,
    priority: Priority,
    reason: Reason,
    officers: Arc<OfficerService>,
}

/// An alert that may be given out, once its subject is on record.
pub(super) struct Offer {
    /// Its key.
    pub(super) hit: Uuid,
    /// The [`AlertMessage`].
    pub(super) json: String,
    /// What goes on record of it.
    pub(super) subject: Value,
}

impl Recipient {
    pub(super) fn new(
        subscriber: Subscriber,
        priority: Priority,
        purpose: Option<Purpose>,
        officers: Arc<OfficerService>,
    ) -> Result<Self> {
        Ok(Self { subscriber, priority, reason: Reason::new(REASON)?.for_purpose(purpose), officers })
    }

    /// Begins to give alerts out, once that is on record. Blocks.
    ///
    /// # Errors
    /// As [`plated_access::Gate::give_out`]; so all of these.
    pub(super) fn begin(&self, subject: Value) -> Result<Permit<GiveOut>> {
        self.officers.gate().give_out(&self.subscriber, &self.reason, subject, None)
    }

    /// The alert as it is given out; none when nothing of it may be seen, or it is not urgent enough.
    pub(super) fn offer(&self, alert: &KeptAlert, permit: &Permit<GiveOut>) -> Result<Option<Offer>> {
        let Some(hit) = self.theirs(alert, permit) else { return Ok(None) };
        let lists: Vec<_> = hit.entries.iter().map(|e| &e.entry.list).collect();
        let subject = json!({"hit": hit.id, "read": alert.read.id, "plate": hit.text, "lists": lists});
        let json = serde_json::to_string(&AlertMessage::of(alert, &hit))
            .context(Kind::Internal, || "an alert can't be written as JSON".into())?;
        Ok(Some(Offer { hit: hit.id, json, subject }))
    }

    /// Puts on record that an alert is about to be given out. Blocks.
    pub(super) fn record(&self, subject: Value) -> Result<()> {
        self.officers.gate().give_out(&self.subscriber, &self.reason, subject, Some(1)).map(drop)
    }

    /// What the program may see of the alert, if it is urgent enough for it.
    fn theirs(&self, alert: &KeptAlert, permit: &Permit<GiveOut>) -> Option<HitRecord> {
        let settings = self.officers.settings();
        let mut open = alert.hit.clone();
        // Before the scope is asked: who names a covert list for a program does not give it out.
        open.entries.retain(|e| !settings.is_covert(&e.entry.list));
        match visible::hit(permit.scope(), settings, &open) {
            VisibleHit::Whole(hit) => (hit.priority() >= self.priority).then_some(*hit),
            VisibleHit::Existence | VisibleHit::Hidden => None,
        }
    }
}
