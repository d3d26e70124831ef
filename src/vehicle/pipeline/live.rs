//! Reads and hits are shown as they are made only once that is on record (invariant 4).

use super::{Announcement, Published};
use crate::control::{OfficerService, Secret};
use crate::events::{Hub, Next};
use crate::health::Level;
use plated_access::{Actor, Case, Gate, Live, Permit, Purpose, Reason};
use plated_core::error::{Kind, Result};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Its part in the status: there once it was refused.
const PART: &str = "live view";
/// What goes on record for `plated run`.
const REASON: &str = "reads and hits are shown as they are made, by plated run";
/// Reads that one record is good for: not each needs one of its own.
const READS_AHEAD: u64 = 100;

/// What one person sees of reads and hits as they are made. The console has one for each session that
/// looks, `plated run` one for whoever started it.
pub struct LiveView {
    gate: Arc<Gate>,
    permit: Permit<Live>,
    /// Number of the last event that is on record.
    recorded: u64,
    /// Reads that may be shown before the next record.
    ahead: u64,
}

impl LiveView {
    /// Lets `actor` see what is made, once that is on record.
    ///
    /// # Errors
    /// As [`Gate::open`]; nothing is shown.
    pub fn open(gate: Arc<Gate>, actor: &Actor, reason: &Reason, case: &Case) -> Result<Self> {
        let permit = gate.open(actor, reason, case, json!({}))?;
        Ok(Self { gate, permit, recorded: 0, ahead: 0 })
    }

    /// What this person may see of the event of this number, once that is on record: of each alert that it
    /// was shown, of reads how many at most. None when they may see nothing of it.
    ///
    /// # Errors
    /// `Unauthenticated` when the session is over or locked, and what kept the record from being written;
    /// nothing is shown then.
    pub fn admit(&mut self, number: u64, event: &Published) -> Result<Option<Announcement>> {
        let seen = event.seen_with(&self.permit);
        if number > self.recorded {
            if let Some(seen) = &seen {
                self.record(seen)?;
            }
            self.recorded = number;
        }
        Ok(seen)
    }

    fn record(&mut self, seen: &Announcement) -> Result<()> {
        match seen {
            Announcement::Hit { read, hit, .. } => {
                let lists: Vec<&str> = hit.entries.iter().map(|e| &*e.entry.list).collect();
                let subject = json!({"hit": hit.id, "read": read.id, "list": lists.join(" "), "plate": hit.listed});
                self.gate.alert_shown(&self.permit, subject)
            }
            Announcement::Concealed { at } => self.gate.alert_shown(&self.permit, json!({"concealed": true, "at": at})),
            Announcement::Disposed { .. } | Announcement::Corrected { .. } => self.gate.still_open(&self.permit),
            Announcement::Read { .. } if self.ahead == 0 => {
                self.gate.shown_ahead(&self.permit, READS_AHEAD)?;
                self.ahead = READS_AHEAD - 1;
                Ok(())
            }
            Announcement::Read { .. } => {
                self.gate.still_open(&self.permit)?;
                self.ahead -= 1;
                Ok(())
            }
        }
    }

    /// Puts on record all that was published and is not yet, since the store is about to be closed.
    ///
    /// # Errors
    /// As [`admit`](Self::admit).
    pub fn admit_rest(&mut self, hub: &Hub<Published>) -> Result<()> {
        let mut rest = hub.resume(self.recorded);
        loop {
            match rest.next(Duration::ZERO) {
                Next::Event(number, event) => drop(self.admit(number, &event)?),
                Next::Lagged(_) => {}
                Next::TimedOut | Next::Closed => return Ok(()),
            }
        }
    }
}

/// The view of `plated run`: opened when there is something to show, and tried again with each event that
/// comes, since alerts sound all the same and somebody may log in.
pub struct LiveGate {
    service: Arc<OfficerService>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    view: Option<LiveView>,
    session: Option<Secret>,
    purpose: Option<Purpose>,
    case: Case,
    refusal_logged: bool,
    /// Who asks may not, whatever comes; each further try would be a further row of the audit log.
    forbidden: bool,
}

impl LiveGate {
    pub(super) fn new(service: Arc<OfficerService>) -> Self {
        Self { service, state: Mutex::default() }
    }

    /// Who looks, by the session of whoever started the daemon, and for which purpose and case.
    pub(super) fn ask_for(&self, session: Option<Secret>, purpose: Option<Purpose>, case: Case) {
        let mut state = self.state();
        (state.session, state.purpose, state.case, state.forbidden) = (session, purpose, case, false);
    }

    /// What may be shown of this event; none when nothing, and why is logged once.
    pub fn admit(&self, number: u64, event: &Published) -> Option<Announcement> {
        self.with_view(|view| view.admit(number, event)).flatten()
    }

    /// Puts on record all that is left to be shown.
    pub(super) fn admit_rest(&self, hub: &Hub<Published>) {
        self.with_view(|view| view.admit_rest(hub));
    }

    fn with_view<T>(&self, look: impl FnOnce(&mut LiveView) -> Result<T>) -> Option<T> {
        let mut state = self.state();
        if state.forbidden {
            return None;
        }
        let opened = state.view.take().map_or_else(|| self.open(&state), Ok);
        match opened.and_then(|mut view| look(&mut view).map(|seen| (view, seen))) {
            Ok((view, seen)) => {
                if state.refusal_logged {
                    self.service.report(PART, Level::Ok, "plated run shows reads and hits".into());
                }
                (state.view, state.refusal_logged) = (Some(view), false);
                Some(seen)
            }
            // The view is given up: whoever may still look opens another one.
            Err(e) => {
                state.forbidden = e.kind() == Kind::Forbidden;
                if !std::mem::replace(&mut state.refusal_logged, true) {
                    let text =
                        format!("plated run shows no reads and hits; all are kept, and alerts sound: {}", e.chain());
                    // Where a rule of the agency forbids it, all is as it should be: a service has no onlookers.
                    let by_rule =
                        matches!(e.kind(), Kind::Config | Kind::Refused | Kind::Forbidden | Kind::Unauthenticated);
                    self.service.report(PART, if by_rule { Level::Ok } else { Level::Degraded }, text);
                    match e.kind() {
                        // As it should be where nobody watches this output.
                        Kind::Unauthenticated => {
                            tracing::info!("Reads and hits are not shown here, and kept all the same: {}", e.chain());
                        }
                        _ => tracing::error!("Reads and hits are not shown: {}", e.chain()),
                    }
                }
                None
            }
        }
    }

    fn open(&self, state: &State) -> Result<LiveView> {
        let actor = self.service.actor(state.session.as_ref(), Actor::of_this_process())?;
        let why = Reason::new(REASON)?.for_purpose(state.purpose.clone());
        LiveView::open(self.service.gate().clone(), &actor, &why, &state.case)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
