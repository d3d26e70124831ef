//! Whether something on the network answers: said once when it goes, and once when it is back.

use plated_core::error::{Kind, Result};
use std::sync::atomic::{AtomicBool, Ordering};

/// Something on the network that the station needs.
#[derive(Debug)]
pub(super) struct Reach {
    what: &'static str,
    is_away: AtomicBool,
}

impl Reach {
    /// It answers, as far as is known.
    pub fn of(what: &'static str) -> Self {
        Self { what, is_away: AtomicBool::new(false) }
    }

    /// Takes note of how a call went.
    pub fn noted<T>(&self, result: Result<T>) -> Result<T> {
        match &result {
            Err(e) if e.kind() == Kind::Network && !self.is_away.swap(true, Ordering::Relaxed) => tracing::error!(
                error = %e.chain(),
                "The {} is out of reach. Nothing is taken until it is back; vehicles keep their reads and come again",
                self.what
            ),
            Ok(_) if self.is_away.swap(false, Ordering::Relaxed) => {
                tracing::warn!("The {} answers again; the station goes on", self.what);
            }
            _ => {}
        }
        result
    }
}
