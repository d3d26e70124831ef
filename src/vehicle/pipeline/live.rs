//! Reads and hits are shown as they are made only once that is on record (invariant 4).

use plated_access::{Actor, Case, Gate, Live, Permit, Purpose, Reason};
use serde_json::json;
use std::sync::{Arc, Mutex};

/// What goes on record for it.
const REASON: &str = "reads and hits are shown as they are made, by plated run";

/// The gate in front of what is shown as it is made.
pub struct LiveGate {
    gate: Arc<Gate>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    permit: Option<Permit<Live>>,
    purpose: Option<Purpose>,
    case: Case,
    refusal_logged: bool,
}

impl LiveGate {
    pub(super) fn new(gate: Arc<Gate>) -> Self {
        Self { gate, state: Mutex::default() }
    }

    /// What goes on record is for this purpose and case.
    pub(super) fn ask_for(&self, purpose: Option<Purpose>, case: Case) {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        (state.purpose, state.case) = (purpose, case);
    }

    /// True once the gate has let it, which is asked for at the first that is to be shown. Until then
    /// nothing is shown (alerts sound all the same), and it is tried again with each.
    pub fn is_open(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(|e| e.into_inner());
        if state.permit.is_some() {
            return true;
        }
        let actor = Actor::of_this_process();
        let why = Reason::new(REASON).map(|why| why.for_purpose(state.purpose.clone()));
        let opened = why.and_then(|why| self.gate.open(&actor, &why, &state.case, json!({})));
        match opened {
            Ok(permit) => {
                state.permit = Some(permit);
                true
            }
            Err(e) => {
                if !std::mem::replace(&mut state.refusal_logged, true) {
                    tracing::error!("Reads and hits are not shown: {}", e.chain());
                }
                false
            }
        }
    }
}
