//! What a person is to the agency, and what follows from it (control P-23).

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a person is to the agency. Which kinds of data a role sees stands at
/// [`Recorded::ROLES`](crate::Recorded::ROLES).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Uses the vehicle.
    Officer,
    /// Approves and corrects.
    Supervisor,
    /// Sets up users and the system; does not search.
    Administrator,
    /// Examines the records of access, and nothing else.
    Auditor,
    /// Answers for the records, and releases them.
    Custodian,
}

/// Something that is done, other than seeing data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Entering plates, opening a canvass, disposing of hits, correcting reads. An ALPR function: it
    /// needs current training.
    Enter,
    /// Approving that a vehicle is not the wanted one. An ALPR function too.
    Approve,
    /// Bringing lists into force, and taking them out.
    ManageLists,
    /// Adding and changing accounts.
    ManageUsers,
    /// Reviewing who has which access.
    ReviewAccounts,
    /// Changing settings of cameras and of the system.
    Configure,
    /// Seeing results of performance tests, in which no plate is.
    SeeTests,
}

impl Duty {
    /// Those who have it.
    pub fn roles(self) -> &'static [Role] {
        use Role::{Administrator, Auditor, Custodian, Officer, Supervisor};
        match self {
            Self::Enter => &[Officer, Supervisor],
            Self::Approve => &[Supervisor],
            Self::ManageLists => &[Supervisor, Administrator],
            Self::ManageUsers | Self::Configure => &[Administrator],
            Self::ReviewAccounts => &[Administrator, Auditor, Custodian],
            Self::SeeTests => &Role::ALL,
        }
    }

    /// True when it is an ALPR function, for which training must be current (control P-07).
    pub fn needs_training(self) -> bool {
        matches!(self, Self::Enter | Self::Approve)
    }
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Officer, Self::Supervisor, Self::Administrator, Self::Auditor, Self::Custodian];

    /// The word in files and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Supervisor => "supervisor",
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
            Self::Custodian => "custodian",
        }
    }

    /// The role of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enter => "enter plates and dispositions",
            Self::Approve => "approve findings",
            Self::ManageLists => "change lists",
            Self::ManageUsers => "change accounts",
            Self::ReviewAccounts => "review accounts",
            Self::Configure => "change settings",
            Self::SeeTests => "see performance tests",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // policy: P-23
    #[test]
    fn a_role_has_one_word_and_only_an_administrator_changes_accounts() {
        for role in Role::ALL {
            assert_eq!(Role::of(role.as_str()), Some(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
            assert_eq!(Duty::ManageUsers.roles().contains(&role), role == Role::Administrator);
        }
        assert_eq!(Role::of("chief"), None);
    }
}
