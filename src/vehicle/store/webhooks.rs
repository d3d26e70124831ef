//! Which alerts a webhook has been given. What it has not is told by the hits themselves, so that nothing has to
//! be queued while an alert is written, and none is forgotten by a power cut.

use super::Store;
use super::alerts::{KeptAlert, kept};
use super::connection::Fault;
use super::readers::View;
use super::writer::Writer;
use jiff::Timestamp;
use plated_access::{self as access, Permit};
use plated_core::error::Result;
use plated_core::record::Alerting;
use rusqlite::params;
use uuid::Uuid;

/// Deliveries are remembered for so long, in microseconds: much longer than an alert is delivered late.
const REMEMBERED: i64 = 7 * 24 * 3600 * 1_000_000;

/// What became of an alert at a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The other side took it.
    Delivered,
    /// The other side will never take it.
    Refused,
    /// It is not for this webhook.
    NotTheirs,
}

impl Delivery {
    fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::NotTheirs => "not_theirs",
        }
    }
}

impl Store {
    /// From now on this webhook is given the alerts of reads that come, if it was not known before.
    pub fn begin_webhook(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.ask("could not note a webhook", move |w| begin(w, &name))
    }

    /// The oldest alerts since a moment that this webhook has not been given, at most `limit`.
    pub fn undelivered(
        &self,
        _: &Permit<access::GiveOut>,
        webhook: &str,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<KeptAlert>> {
        self.look("could not read the alerts for a webhook", |view| undelivered(view, webhook, since, limit))
    }

    /// What became of an alert at a webhook.
    pub fn note_delivery(&self, webhook: &str, hit: Uuid, delivery: Delivery) -> Result<()> {
        let webhook = webhook.to_owned();
        self.ask("could not note what became of an alert at a webhook", move |w| note(w, &webhook, hit, delivery))
    }
}

/// From now on it is given the alerts of reads that come, if it was not known before.
pub(super) fn begin(writer: &mut Writer, name: &str) -> Result<(), Fault> {
    let tx = writer.write()?;
    tx.execute(
        "INSERT INTO webhook (name, after) VALUES (?1, (SELECT coalesce(max(number), 0) FROM read))
         ON CONFLICT (name) DO NOTHING",
        [name],
    )?;
    tx.commit()?;
    Ok(())
}

/// The oldest alerts since then that it has not been given.
pub(super) fn undelivered(
    view: &View<'_>,
    name: &str,
    since: Timestamp,
    limit: usize,
) -> Result<Vec<KeptAlert>, Fault> {
    let mut find = view.conn().prepare_cached(
        "SELECT hit.id, record FROM hit JOIN read ON read.number = hit.read
         WHERE hit.at >= ?2 AND read.number > (SELECT after FROM webhook WHERE name = ?1)
           AND NOT EXISTS (SELECT 1 FROM webhook_delivery AS d WHERE d.webhook = ?1 AND d.hit = hit.id)
         ORDER BY hit.at, hit.id",
    )?;
    let mut rows = find.query(params![name, since.as_microsecond()])?;
    let mut alerts = Vec::new();
    while let Some(row) = rows.next()? {
        let alert = kept(view.conn(), row.get(0)?, &row.get::<_, Vec<u8>>(1)?)?;
        if alert.hit.alert == Alerting::Sounded {
            alerts.push(alert);
            if alerts.len() == limit {
                break;
            }
        }
    }
    Ok(alerts)
}

/// What became of it.
pub(super) fn note(writer: &mut Writer, name: &str, hit: Uuid, delivery: Delivery) -> Result<(), Fault> {
    let now = writer.now();
    let tx = writer.write()?;
    tx.execute(
        "INSERT INTO webhook_delivery (webhook, hit, at, outcome) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (webhook, hit) DO UPDATE SET at = excluded.at, outcome = excluded.outcome",
        params![name, hit.as_bytes(), now, delivery.as_str()],
    )?;
    tx.execute("DELETE FROM webhook_delivery WHERE webhook = ?1 AND at < ?2", params![name, now - REMEMBERED])?;
    tx.commit()?;
    Ok(())
}
