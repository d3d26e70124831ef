//! Who asks for data.

use crate::login_name::LoginName;
use crate::role::Role;
use crate::session::SessionId;
use crate::user::Account;
use plated_core::user::{Author, SystemUser};
use std::fmt;

/// Who asks for data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A person who is logged in.
    User(SessionUser),
    /// A person, by the system user, for whom the kernel vouches. The gate lets them pass as long as
    /// logins are not required.
    SystemUser(SystemUser),
    /// A part of the program that works by itself.
    Machine(Machine),
}

/// A person by their session. Only [`Accounts`](crate::Accounts) makes one; whether the session still
/// goes on, the gate asks there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionUser {
    pub(crate) session: SessionId,
    pub(crate) name: LoginName,
    pub(crate) agency: String,
    pub(crate) role: Role,
}

impl SessionUser {
    pub(crate) fn new(session: SessionId, account: &Account) -> Self {
        let Account { name, agency, role, .. } = account;
        Self { session, name: name.clone(), agency: agency.clone(), role: *role }
    }

    /// Names their session.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Login name.
    pub fn name(&self) -> &LoginName {
        &self.name
    }

    /// The agency that employs them.
    pub fn agency(&self) -> &str {
        &self.agency
    }

    /// What they are to it.
    pub fn role(&self) -> Role {
        self.role
    }
}

/// A part of the program that reads data by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// Brings reads to the station.
    Transfer,
    /// Deletes what the station holds or whose retention is over.
    Purge,
    /// Shares reads with an upstream station.
    Forward,
    /// Compares reads with entries and mutes pairings.
    Matching,
    /// Checks logins and takes in the station's accounts.
    Accounts,
    /// Notes alerts, changes of the configuration, and signs of a breach.
    Monitor,
    /// A program that is given alerts.
    Subscriber,
    /// Publishes the station's audit log without plates and names.
    Publish,
    /// Knows the vehicles' certificates at the station, and renews them.
    Register,
}

impl Machine {
    /// The word on record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Purge => "purge",
            Self::Forward => "forward",
            Self::Matching => "matching",
            Self::Accounts => "accounts",
            Self::Monitor => "monitor",
            Self::Subscriber => "subscriber",
            Self::Publish => "publish",
            Self::Register => "register",
        }
    }
}

impl Actor {
    /// The user who started this process.
    pub fn of_this_process() -> Self {
        Self::SystemUser(SystemUser::of_this_process())
    }

    /// As records of changes keep them.
    pub fn author(&self) -> Author {
        match self {
            Self::SystemUser(user) => user.clone().into(),
            Self::User(_) | Self::Machine(_) => Author { user: self.to_string(), uid: None },
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.name.fmt(f),
            Self::SystemUser(user) => user.fmt(f),
            Self::Machine(machine) => f.write_str(machine.as_str()),
        }
    }
}
