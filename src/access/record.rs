//! What is put on record of an access, and where it is kept.

use crate::actor::Actor;
use crate::reason::{Case, Reason};
use plated_core::error::Result;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What became of what somebody wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done, or shown.
    Done,
    /// It was refused.
    Refused,
}

/// What is put on record of an access, or of what happens to accounts.
#[derive(Clone, Debug)]
pub struct AccessRecord {
    /// Who.
    pub actor: Actor,
    /// The kind of access, [`Access::WORD`](crate::Access::WORD), or what else was done.
    pub what: &'static str,
    /// Why.
    pub reason: Reason,
    /// For which case.
    pub case: Case,
    /// What was asked for: a JSON object with the plate or other elements queried.
    pub subject: Value,
    /// What became of it.
    pub outcome: Outcome,
    /// Number of rows shown, in a record of what was shown.
    pub rows: Option<u64>,
    /// Number of the record that this one goes on from.
    pub about: Option<i64>,
}

impl AccessRecord {
    /// Of something that `actor` did, for no case.
    ///
    /// # Errors
    /// `Config` when the reason is none.
    pub fn done(actor: &Actor, what: &'static str, reason: &str, subject: Value) -> Result<Self> {
        Ok(Self {
            actor: actor.clone(),
            what,
            reason: Reason::new(reason)?,
            case: Case::none(),
            subject,
            outcome: Outcome::Done,
            rows: None,
            about: None,
        })
    }
}

/// Where access records are kept.
pub trait AuditLog: Send + Sync {
    /// Keeps a record and returns its number once it is durable.
    ///
    /// # Errors
    /// Nothing is shown then.
    fn append(&self, record: AccessRecord) -> Result<i64>;
}
