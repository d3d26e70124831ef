//! The system user who does something; until there are logins, the only user there is.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A system user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemUser {
    /// The name in `/etc/passwd`, or empty where it is not there.
    pub user: String,
    /// The user's number, which is what the kernel vouches for.
    pub uid: u32,
}

impl SystemUser {
    /// The user with this number.
    pub fn of_uid(uid: u32) -> Self {
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        Self { user: name(&users, uid).unwrap_or_default().to_owned(), uid }
    }

    /// The user who started this process.
    pub fn of_this_process() -> Self {
        // Real, effective, saved and file system user, in this order.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("Uid:"));
        let uid = line.and_then(|l| l.split_whitespace().next()?.parse().ok());
        uid.map_or(Self { user: String::new(), uid: u32::MAX }, Self::of_uid)
    }
}

impl fmt::Display for SystemUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.user.is_empty() { write!(f, "uid {}", self.uid) } else { f.write_str(&self.user) }
    }
}

fn name(users: &str, uid: u32) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number_and_an_unknown_one_keeps_the_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbroken\nplated:x:990:990::/var/lib/plated:/usr/sbin/nologin\n";
        assert_eq!(name(users, 990), Some("plated"));
        assert_eq!(name(users, 991), None);
        assert_eq!(SystemUser::of_uid(4_000_000_000).uid, 4_000_000_000);
        assert_ne!(SystemUser::of_this_process().uid, u32::MAX);
    }
}
