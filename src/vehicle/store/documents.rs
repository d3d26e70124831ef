//! What officers put down, on its way to the station: dispositions, corrections, findings, performance tests.
//!
//! Triggers put each of them into the outbox, again when it changes. It leaves it by a receipt for exactly the content
//! that it has then.

use super::connection::Fault;
use super::manual::time;
use super::outbox::{Applied, REFUSED_REST};
use super::readers::View;
use plated_core::error::{Context, Kind};
use plated_core::officers::DispositionRecord;
use plated_core::user::Author;
use plated_core::wire::batch::{SealedDocument, Verdicts};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

/// A row of the outbox.
struct Waiting {
    place: i64,
    kind: String,
    number: i64,
}

/// The next documents to send, those first that wait longest.
pub(super) fn next(view: &View<'_>, limit: usize) -> Result<Vec<SealedDocument>, Fault> {
    let now = view.now();
    let mut find = view.conn().prepare_cached(
        "SELECT place, kind, number FROM document_outbox
         WHERE refused_at IS NULL OR refused_at <= ?1 - ?2 OR refused_at > ?1 ORDER BY place LIMIT ?3",
    )?;
    let rows = find.query_map(params![now, REFUSED_REST, i64::try_from(limit).unwrap_or(i64::MAX)], waiting)?;
    let mut documents = Vec::new();
    for row in rows {
        documents.extend(document(view.conn(), &row?)?);
    }
    Ok(documents)
}

/// Documents behind a place in the outbox, which goes on behind them; also those that were refused.
pub(super) fn after(view: &View<'_>, place: &mut i64, limit: usize) -> Result<Vec<SealedDocument>, Fault> {
    let mut find = view
        .conn()
        .prepare_cached("SELECT place, kind, number FROM document_outbox WHERE place > ?1 ORDER BY place LIMIT ?2")?;
    let rows = find.query_map(params![*place, i64::try_from(limit).unwrap_or(i64::MAX)], waiting)?;
    let rows: Vec<Waiting> = rows.collect::<rusqlite::Result<_>>()?;
    let mut documents = Vec::new();
    for row in &rows {
        documents.extend(document(view.conn(), row)?);
        *place = row.place;
    }
    Ok(documents)
}

/// Marks what the station says of documents. What changed since it was sent waits on.
pub(super) fn apply(
    tx: &Connection,
    said: &Verdicts,
    receipt: i64,
    now: i64,
    applied: &mut Applied,
) -> Result<(), Fault> {
    if said.durable.is_empty() && said.refused.is_empty() {
        return Ok(());
    }
    let mut find = tx.prepare_cached("SELECT place, kind, number FROM document_outbox ORDER BY place")?;
    let rows: Vec<Waiting> = find.query_map([], waiting)?.collect::<rusqlite::Result<_>>()?;
    let mut left = said.durable.len() + said.refused.len();
    for row in rows {
        if left == 0 {
            break;
        }
        let Some(document) = document(tx, &row)? else { continue };
        if said.durable.iter().any(|named| (named.id, named.sha256) == (document.id, document.sha256)) {
            tx.prepare_cached("DELETE FROM document_outbox WHERE place = ?1")?.execute([row.place])?;
            tx.prepare_cached(
                "INSERT INTO document_transferred (id, kind, number, receipt, at) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![document.id.as_bytes(), row.kind, row.number, receipt, now])?;
            applied.documents += 1;
            left -= 1;
        } else if let Some(refusal) = said.refused.iter().find(|named| named.id == document.id) {
            tx.prepare_cached("UPDATE document_outbox SET refused_at = ?2, reason = ?3 WHERE place = ?1")?
                .execute(params![row.place, now, refusal.reason])?;
            applied.refused += 1;
            left -= 1;
        }
    }
    Ok(())
}

fn waiting(row: &rusqlite::Row<'_>) -> rusqlite::Result<Waiting> {
    Ok(Waiting { place: row.get(0)?, kind: row.get(1)?, number: row.get(2)? })
}

/// The document as it is now; none when its row is gone.
fn document(conn: &Connection, waiting: &Waiting) -> Result<Option<SealedDocument>, Fault> {
    let sql = match waiting.kind.as_str() {
        "disposition" => return disposition(conn, waiting),
        "correction" => "SELECT record FROM correction WHERE number = ?1",
        "vehicle_finding" => "SELECT record FROM vehicle_finding WHERE number = ?1",
        "performance_test" => "SELECT record FROM performance_test WHERE number = ?1",
        _ => return Ok(None),
    };
    let record: Option<String> = conn.prepare_cached(sql)?.query_row([waiting.number], |row| row.get(0)).optional()?;
    Ok(record.map(|record| SealedDocument::new(&waiting.kind, record.into_bytes())))
}

fn disposition(conn: &Connection, waiting: &Waiting) -> Result<Option<SealedDocument>, Fault> {
    let mut find = conn.prepare_cached(
        "SELECT at, user, uid, read, hit, word, listed,
                coalesce((SELECT vehicle FROM audit_log ORDER BY ended LIMIT 1), '')
         FROM disposition WHERE number = ?1",
    )?;
    let found = find.query_row([waiting.number], |row| {
        let by = Author { user: row.get(1)?, uid: row.get(2)? };
        let (read, hit) = (Uuid::from_bytes(row.get(3)?), Uuid::from_bytes(row.get(4)?));
        Ok((row.get::<_, i64>(0)?, by, read, hit, row.get(5)?, row.get(6)?, row.get(7)?))
    });
    let Some((at, by, read, hit, finding, listed, vehicle)) = found.optional()? else { return Ok(None) };
    let record = DispositionRecord { vehicle, read, hit, at: time(at)?, by, finding, listed };
    let body = serde_json::to_vec(&record).context(Kind::Internal, || "a disposition can't be written".into())?;
    Ok(Some(SealedDocument::new(&waiting.kind, body)))
}
