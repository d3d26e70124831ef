//! Where the accounts of the station are kept, for the rules of the crate access. Nobody logs in at the station yet, so
//! there are no sessions and no failed logins.

use crate::audit::Stamp;
use crate::database::{Database, Rows};
use plated_access::{
    AccessRecord, AccountStore, AuditLog, Failures, LoginName, SessionId, SessionRecord, SubscriberAccount, User,
};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::error::Result;
use plated_core::signing::Signer;
use std::sync::{Arc, Mutex, PoisonError};

/// Accounts and log in the station's database.
pub(super) struct StationAccounts {
    pub(super) database: Mutex<Database>,
    pub(super) station: String,
    pub(super) signer: Signer,
    pub(super) clock: Arc<dyn Clock>,
}

impl StationAccounts {
    pub(super) fn rows<T>(&self, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner).transaction(work)
    }

    pub(super) fn stamp(&self) -> Stamp<'_> {
        Stamp { at: self.clock.wall(), station: &self.station, signer: &self.signer }
    }
}

impl AuditLog for StationAccounts {
    fn append(&self, record: AccessRecord) -> Result<i64> {
        self.rows(|rows| rows.record(&self.stamp(), &record))
    }
}

impl AccountStore for StationAccounts {
    fn user(&self, name: &LoginName) -> Result<Option<User>> {
        self.rows(|rows| rows.account(name))
    }

    fn users(&self) -> Result<Vec<User>> {
        self.rows(|rows| rows.accounts())
    }

    fn put_users(&self, users: &[User]) -> Result<()> {
        self.rows(|rows| users.iter().try_for_each(|user| rows.put_account(user)))
    }

    fn sessions(&self) -> Result<Vec<SessionRecord>> {
        Ok(Vec::new())
    }

    fn put_session(&self, _: &SessionRecord) -> Result<()> {
        Ok(())
    }

    fn remove_sessions(&self, _: &[SessionId]) -> Result<()> {
        Ok(())
    }

    fn failures(&self) -> Result<Vec<(LoginName, Failures)>> {
        Ok(Vec::new())
    }

    fn put_failures(&self, _: &LoginName, _: Failures) -> Result<()> {
        Ok(())
    }

    fn subscribers(&self) -> Result<Vec<SubscriberAccount>> {
        Ok(Vec::new())
    }

    fn subscriber(&self, _: &Sha256) -> Result<Option<SubscriberAccount>> {
        Ok(None)
    }

    fn put_subscriber(&self, _: &SubscriberAccount, _: &Sha256) -> Result<()> {
        Ok(())
    }

    fn remove_subscriber(&self, _: &str) -> Result<()> {
        Ok(())
    }
}
