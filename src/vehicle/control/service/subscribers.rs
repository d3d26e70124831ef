//! Programs that may ask for alerts: listed, added and removed; each change has its record before it counts.

use super::{Answer, OfficerService};
use crate::control::{Reply, Secret};
use plated_access::{Actor, NewSubscriber, Reason};
use plated_core::error::{Error, Kind, Result};

impl OfficerService {
    pub(super) fn list_subscribers(&self, by: &Actor, answer: Answer<'_>) -> Result<()> {
        let all = self.accounts()?.subscribers(by)?;
        all.into_iter().try_for_each(|program| answer(Reply::Subscriber(Box::new(program))))
    }

    pub(super) fn add_subscriber(
        &self,
        by: &Actor,
        new: NewSubscriber,
        reason: &Reason,
        answer: Answer<'_>,
    ) -> Result<()> {
        // What goes on record of each alert; better refused here than at each of them.
        self.gate.check_purpose(&reason.clone().for_purpose(new.purpose.clone()))?;
        if let Some(list) = new.lists.iter().find(|list| self.sets.is_covert(list)) {
            let message = format!("the list {list} is covert, and alerts of covert lists are given to no program");
            return Err(Error::new(Kind::Input, message));
        }
        let (subscriber, token) = self.accounts()?.add_subscriber(by, new, reason)?;
        answer(Reply::SubscriberAdded { subscriber: Box::new(subscriber), token: Secret::from(&token) })
    }

    pub(super) fn remove_subscriber(&self, by: &Actor, name: &str, reason: &Reason, answer: Answer<'_>) -> Result<()> {
        answer(Reply::Subscriber(Box::new(self.accounts()?.remove_subscriber(by, name, reason)?)))
    }
}
