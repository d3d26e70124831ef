//! Programs that may ask for alerts: added and removed by administrators, and known by a token.

use super::{Accounts, lock};
use crate::actor::{Actor, Machine};
use crate::breach::Breach;
use crate::reason::Reason;
use crate::record::Outcome;
use crate::role::Duty;
use crate::session::Token;
use crate::subscriber::{NewSubscriber, SubscriberAccount};
use plated_core::error::{Error, Kind, Result};
use serde_json::json;
use std::time::Duration;

/// Most programs at a time.
pub(super) const MAX_SUBSCRIBERS: usize = 16;

/// Tokens that were refused since a moment.
#[derive(Debug, Default)]
pub(super) struct Refused {
    since: Duration,
    count: u32,
}

impl Accounts {
    /// All programs that may ask for alerts, for those who may see them.
    ///
    /// # Errors
    /// `Forbidden` for others.
    pub fn subscribers(&self, by: &Actor) -> Result<Vec<SubscriberAccount>> {
        self.may(by, Duty::ReviewAccounts).or_else(|_| self.may(by, Duty::ManageUsers))?;
        self.store.subscribers()
    }

    /// Lets a program ask for alerts, and gives its token, to be shown once: only its hash is kept.
    ///
    /// # Errors
    /// `Forbidden` when `by` may not, `Input` when the name is taken, and what kept it from being kept.
    pub fn add_subscriber(
        &self,
        by: &Actor,
        new: NewSubscriber,
        reason: &Reason,
    ) -> Result<(SubscriberAccount, Token)> {
        self.may(by, Duty::ManageUsers)?;
        new.check()?;
        let token = Token::generate()?;
        let _changing = lock(&self.changing);
        let known = self.store.subscribers()?;
        if known.iter().any(|known| known.subscriber.name == new.name) {
            let message = format!("there is a program {} already; remove it first for another token", new.name);
            return Err(Error::new(Kind::Input, message));
        }
        if known.len() >= MAX_SUBSCRIBERS {
            let message = format!("there are {MAX_SUBSCRIBERS} programs already; remove one first");
            return Err(Error::new(Kind::Input, message));
        }
        let lists: Vec<&str> = new.lists.iter().map(String::as_str).collect();
        let subject = json!({
            "subscriber": new.name, "list": lists.join(" "), "clets": new.clets, "priority": new.priority,
        });
        let account =
            SubscriberAccount { subscriber: new, authorised_by: by.to_string(), authorised_at: self.clock.wall() };
        self.record_for("subscriber_added", by.clone(), reason.clone(), Outcome::Done, subject)?;
        self.store.put_subscriber(&account, &token.subscriber())?;
        Ok((account, token))
    }

    /// The program may ask no more; a stream that it has ends within a second.
    ///
    /// # Errors
    /// `Forbidden` when `by` may not, `NotFound` when there is none of this name.
    pub fn remove_subscriber(&self, by: &Actor, name: &str, reason: &Reason) -> Result<SubscriberAccount> {
        self.may(by, Duty::ManageUsers)?;
        let _changing = lock(&self.changing);
        let found = self.store.subscribers()?.into_iter().find(|known| known.subscriber.name == name);
        let found = found.ok_or_else(|| Error::new(Kind::NotFound, format!("there is no program {name}")))?;
        let subject = json!({ "subscriber": name });
        self.record_for("subscriber_removed", by.clone(), reason.clone(), Outcome::Done, subject)?;
        self.store.remove_subscriber(name)?;
        Ok(found)
    }

    /// The program of this token, which came from `address`. None: it brought something that is no token.
    ///
    /// # Errors
    /// `Unauthenticated` when there is none, which counts as a sign of a breach.
    pub fn subscriber(&self, token: Option<&Token>, address: &str) -> Result<SubscriberAccount> {
        let found = match token {
            Some(token) => self.store.subscriber(&token.subscriber())?,
            None => None,
        };
        found.ok_or_else(|| {
            self.note_refused_token(address);
            Error::new(Kind::Unauthenticated, "this token is not, or not any more, that of a program")
        })
    }

    /// Whether the program of this token may still be given alerts, as it is known since `account`.
    ///
    /// # Errors
    /// `Unauthenticated` when it was removed, and what kept that from being looked for.
    pub fn still_subscribed(&self, token: &Token, account: &SubscriberAccount) -> Result<()> {
        match self.store.subscriber(&token.subscriber())? {
            Some(known) if known == *account => Ok(()),
            _ => Err(Error::new(Kind::Unauthenticated, "the program was removed")),
        }
    }

    /// Puts a refused token on record, and raises the alarm when there were many. To try one costs nothing, so
    /// that after the alarm no more are put down until the time is over: nobody fills the disk by it.
    fn note_refused_token(&self, address: &str) {
        let minutes = self.settings.failure_window_minutes;
        let (now, window) = (self.clock.monotonic(), super::settings::minutes(minutes));
        let limit = self.settings.failed_logins_alarm;
        let count = {
            let mut refused = lock(&self.refused_tokens);
            if refused.count == 0 || now.saturating_sub(refused.since) >= window {
                *refused = Refused { since: now, count: 0 };
            }
            refused.count = refused.count.saturating_add(1);
            refused.count
        };
        if count > limit {
            return;
        }
        let (why, subject) = ("a program came with a token that opens nothing", json!({ "address": address }));
        if let Err(e) = self.record("token_refused", Machine::Subscriber.into(), why, Outcome::Refused, subject) {
            tracing::error!("a refused token could not be put on record: {}", e.chain());
        }
        if count == limit {
            (self.alarm)(Breach::RefusedTokens { failures: limit, minutes });
        }
    }
}
