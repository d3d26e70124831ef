//! Who did something: a system user, or whoever a record names.

use nix::unistd::{Uid, User, getuid};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A system user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemUser {
    /// The name by which the system knows them, from `/etc/passwd` or a directory service; empty
    /// where it has none.
    pub user: String,
    /// The user's number, which is what the kernel vouches for.
    pub uid: u32,
}

impl SystemUser {
    /// The user with this number. Asks the system's directory service, where there is one, so it
    /// can take seconds when that does not answer: not for threads that serve others.
    pub fn of_uid(uid: u32) -> Self {
        // Nobody knows the name, or nobody could be asked: the number is what counts.
        let found = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        Self { user: found.map(|user| user.name).unwrap_or_default(), uid }
    }

    /// The user who started this process.
    pub fn of_this_process() -> Self {
        Self::of_uid(getuid().as_raw())
    }
}

impl fmt::Display for SystemUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.user.is_empty() { write!(f, "uid {}", self.uid) } else { f.write_str(&self.user) }
    }
}

/// Who did something, as a record keeps it: by login, or by system user with the number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// Login name, or the system user's name, which may be empty.
    pub user: String,
    /// The system user's number; none for somebody who was logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
}

impl From<SystemUser> for Author {
    fn from(SystemUser { user, uid }: SystemUser) -> Self {
        Self { user, uid: Some(uid) }
    }
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.uid {
            Some(uid) if self.user.is_empty() => write!(f, "uid {uid}"),
            _ => f.write_str(&self.user),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_has_a_name_and_an_unknown_user_keeps_the_number() {
        assert_eq!(SystemUser::of_uid(0).to_string(), "root");
        assert_eq!(SystemUser::of_uid(4_000_000_000).to_string(), "uid 4000000000");
    }

    #[test]
    fn the_user_of_this_process_is_the_one_the_kernel_knows() {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let uids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
        assert_eq!(SystemUser::of_this_process().uid.to_string(), uids.split_whitespace().next().unwrap());
    }
}
