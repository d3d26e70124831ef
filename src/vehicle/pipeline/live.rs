//! Reads and hits are shown as they are made only once that is on record.

use super::Announce;
use plated_access::{Actor, Case, Gate, Live, Permit, Reason};
use plated_core::user::SystemUser;
use serde_json::json;
use std::cell::OnceCell;
use std::sync::Arc;

/// What goes on record for it.
const REASON: &str = "reads and hits are shown as they are made, by plated run";

/// Shows through `announce` what comes once the gate has let it, at the first that is to be shown.
/// Until then nothing is shown (alerts sound all the same), and it is tried again with each.
pub fn recorded(announce: Announce, gate: Arc<Gate>) -> Announce {
    let permit: OnceCell<Permit<Live>> = OnceCell::new();
    let refused = OnceCell::new();
    Box::new(move |announcement| {
        if permit.get().is_none() {
            let actor = Actor::SystemUser(SystemUser::of_this_process());
            let opened = Reason::new(REASON).and_then(|why| gate.open(&actor, &why, &Case::none(), json!({})));
            match opened {
                Ok(opened) => drop(permit.set(opened)),
                Err(e) => {
                    if refused.set(()).is_ok() {
                        tracing::error!("Reads and hits are not shown: {}", e.chain());
                    }
                    return;
                }
            }
        }
        announce(announcement);
    })
}
