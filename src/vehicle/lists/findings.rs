//! What the station approved as not the wanted vehicle: fetched after the lists, kept, and handed over. What is kept is
//! handed over at the start too, before the station is asked.

use super::Change;
use super::client::Sync;
use super::fetch::problem;
use super::received::ReceivedLists;
use super::remote::{Ask, Remote};
use plated_access::signed;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::signing::{Purpose, Trust};
use plated_core::wire::{FindingSet, MAX_FINDINGS_BYTES, etag};

/// The set in a text, if the station's key signed it.
fn open(text: &[u8], trust: &Trust) -> Result<FindingSet> {
    signed::open(text, "what the station approved as not the wanted vehicle", Purpose::FINDINGS, trust)
}

impl<R: Remote> Sync<R> {
    /// Hands over what came before; once.
    pub(super) async fn held_findings(&mut self) {
        if std::mem::replace(&mut self.findings_begun, true) {
            return;
        }
        let held = ReceivedLists::open(&self.folder).ok().and_then(|received| received.findings());
        let Some(text) = held else { return };
        let handed = match open(&text, &self.trust) {
            Ok(set) => self.hand_over_findings(set, &text).await,
            Err(e) => Err(e),
        };
        if let Err(e) = handed {
            tracing::error!(error = %e.chain(), "What the station approved as not the wanted vehicle alerts");
        }
    }

    /// Fetches what is new.
    pub(super) async fn fetch_findings(&mut self) -> Result<()> {
        let received = ReceivedLists::open(&self.folder)?;
        let held = received.findings();
        let tag = held.as_ref().map(|text| Sha256::of(text)).filter(|sha256| self.findings == Some(*sha256));
        let ask = Ask { unless: tag.map(|sha256| etag(&sha256)), from: None };
        let mut reply = self.remote.get("v1/findings", &ask).await?;
        match reply.status {
            304 => return Ok(()),
            // None was ever approved, or the station is older than this vehicle.
            404 => return Ok(()),
            200 => {}
            _ => return Err(problem(reply).await),
        }
        let text = reply.collect(MAX_FINDINGS_BYTES).await?;
        let text = text.ok_or_else(|| Error::new(Kind::Input, "the station's findings are too long"))?;
        let set = open(&text, &self.trust)?;
        let before = held.as_ref().and_then(|held| open(held, &self.trust).ok());
        if before.is_some_and(|before| set.serial < before.serial) {
            let message = "the station's findings are older than those that are here, which stay in force";
            return Err(Error::new(Kind::Refused, message));
        }
        received.put_findings(&text)?;
        self.hand_over_findings(set, &text).await
    }

    async fn hand_over_findings(&mut self, set: FindingSet, text: &[u8]) -> Result<()> {
        let (accept, change) = (self.accept.clone(), Change::Findings(Box::new(set)));
        let taken = tokio::task::spawn_blocking(move || accept(&change)).await;
        taken.map_err(|_| Error::new(Kind::Internal, "a task of the findings failed"))??;
        self.findings = Some(Sha256::of(text));
        Ok(())
    }
}
