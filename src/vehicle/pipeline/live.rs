//! Reads and hits are shown as they are made only once that is on record (invariant 4).

use plated_access::{Actor, Case, Gate, Live, Permit, Reason};
use plated_core::user::SystemUser;
use serde_json::json;
use std::cell::{Cell, OnceCell};
use std::sync::Arc;

/// What goes on record for it.
const REASON: &str = "reads and hits are shown as they are made, by plated run";

/// The gate in front of what is shown as it is made.
pub struct LiveGate {
    gate: Arc<Gate>,
    permit: OnceCell<Permit<Live>>,
    refusal_logged: Cell<bool>,
}

impl LiveGate {
    pub(super) fn new(gate: Arc<Gate>) -> Self {
        Self { gate, permit: OnceCell::new(), refusal_logged: Cell::new(false) }
    }

    /// True once the gate has let it, which is asked for at the first that is to be shown. Until then
    /// nothing is shown (alerts sound all the same), and it is tried again with each.
    pub fn is_open(&self) -> bool {
        if self.permit.get().is_some() {
            return true;
        }
        let actor = Actor::SystemUser(SystemUser::of_this_process());
        let opened = Reason::new(REASON).and_then(|why| self.gate.open(&actor, &why, &Case::none(), json!({})));
        match opened {
            Ok(permit) => self.permit.set(permit).is_ok(),
            Err(e) => {
                if !self.refusal_logged.replace(true) {
                    tracing::error!("Reads and hits are not shown: {}", e.chain());
                }
                false
            }
        }
    }
}
