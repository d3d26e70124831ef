//! Who asks for data.

use plated_core::user::SystemUser;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who asks for data. There are no logins yet: a person is known by the system user, for whom the
/// kernel vouches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person, by the system user.
    SystemUser(SystemUser),
    /// A part of the program that works by itself.
    Machine(Machine),
}

/// A part of the program that reads data by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// Brings reads to the station.
    Transfer,
    /// Deletes what the station holds or whose retention is over.
    Purge,
    /// Compares reads with entries and mutes pairings.
    Matching,
}

impl Machine {
    /// The word on record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Purge => "purge",
            Self::Matching => "matching",
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SystemUser(user) => user.fmt(f),
            Self::Machine(machine) => f.write_str(machine.as_str()),
        }
    }
}

/// What a person is to the agency (control P-23). No login gives one yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Uses the vehicle.
    Officer,
    /// Approves and corrects.
    Supervisor,
    /// Sets up users and the system.
    Administrator,
    /// Examines the records of access.
    Auditor,
    /// Answers for the records, and releases them.
    Custodian,
}
