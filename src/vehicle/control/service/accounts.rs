//! Accounts: listed, added and changed; each change has its record before it counts.

use super::{Answer, OfficerService};
use crate::control::Reply;
use crate::control::accounts::{AccountChange, NewAccount};
use plated_access::{Accounts, Actor, Change, LoginName, Reason};
use plated_core::error::{Error, Kind, Result};
use std::sync::Arc;

impl OfficerService {
    /// The accounts of this vehicle.
    ///
    /// # Errors
    /// `Storage` when they can't be used.
    pub fn accounts(&self) -> Result<&Arc<Accounts>> {
        self.accounts.as_ref().ok_or_else(|| {
            Error::new(
                Kind::Storage,
                "the accounts can't be used; the log says why, and `plated check` what is damaged",
            )
        })
    }

    /// All accounts, or the one of this name.
    pub(super) fn list_accounts(&self, by: &Actor, name: Option<&LoginName>, answer: Answer<'_>) -> Result<()> {
        let mut users = self.accounts()?.users(by)?;
        users.retain(|user| name.is_none_or(|name| user.account.name == *name));
        if let (Some(name), true) = (name, users.is_empty()) {
            return Err(Error::new(Kind::NotFound, format!("there is no account {name}")));
        }
        users.into_iter().try_for_each(|user| answer(Reply::Account(Box::new(user.into()))))
    }

    pub(super) fn add_account(&self, by: &Actor, new: &NewAccount, reason: &Reason, answer: Answer<'_>) -> Result<()> {
        let user = self.accounts()?.add(by, new.user(), &new.password.password(), reason)?;
        answer(Reply::Account(Box::new(user.into())))
    }

    pub(super) fn change_account(
        &self,
        by: &Actor,
        name: &LoginName,
        change: &AccountChange,
        reason: &Reason,
        answer: Answer<'_>,
    ) -> Result<()> {
        let accounts = self.accounts()?;
        let mut user = accounts.change(by, name, Change::from(change), reason)?;
        if matches!(change, AccountChange::Enable) {
            // One that is enabled can log in.
            user = accounts.change(by, name, Change::Release, reason)?;
        }
        answer(Reply::Account(Box::new(user.into())))
    }
}
