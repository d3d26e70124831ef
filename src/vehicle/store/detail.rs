//! One read with all that is known of it: its corrections, the way of the vehicle, its way to the station.

use super::Store;
use super::connection::Fault;
use super::corrections::{self, KeptRead};
use super::manual::time;
use super::readers::View;
use super::reads::parse;
use jiff::Timestamp;
use plated_access::{Permit, Search};
use plated_core::error::Result;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

/// The way of the vehicle is told for so many microseconds before and after a read.
const WAY: i64 = 60_000_000;
/// Places on that way; more than a minute has.
const MAX_PLACES: i64 = 500;

/// A read with all that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadDetail {
    /// The read and its corrections.
    pub read: KeptRead,
    /// How it is with its transfer.
    pub transfer: TransferState,
    /// Latitudes and longitudes where the vehicle made reads in the minute before and after, in their order.
    pub way: Vec<(f64, f64)>,
}

/// How it is with the transfer of a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferState {
    /// The pass goes on, or waits for lists.
    Open,
    /// It waits for a link to the station.
    Waiting,
    /// The station would not take it; it is kept and tried again.
    Refused {
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
    /// The station has it, durably.
    Received {
        /// When its receipt came.
        at: Timestamp,
        /// Name of the station.
        station: String,
    },
}

impl Store {
    /// The read of this id with all that is known of it.
    pub fn read_detail(&self, _: &Permit<Search>, id: Uuid) -> Result<Option<ReadDetail>> {
        self.look("could not look for a read", |view| detail(view, id))
    }
}

fn detail(view: &View<'_>, id: Uuid) -> Result<Option<ReadDetail>, Fault> {
    let conn = view.conn();
    let mut find = conn.prepare_cached("SELECT number, record FROM read WHERE id = ?1")?;
    let found: Option<(i64, Vec<u8>)> =
        find.query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((number, json)) = found else { return Ok(None) };
    let read = KeptRead { record: parse(&json)?, corrections: corrections::of_read(conn, id)? };
    let (transfer, way) = (transfer(conn, number)?, way(conn, read.record.last_seen)?);
    Ok(Some(ReadDetail { read, transfer, way }))
}

fn transfer(conn: &Connection, number: i64) -> Result<TransferState, Fault> {
    let mut find = conn.prepare_cached(
        "SELECT transferred.at, station FROM transferred JOIN receipt ON receipt.number = transferred.receipt
         WHERE read = ?1",
    )?;
    let received = find.query_row([number], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    if let Some((at, station)) = received {
        return Ok(TransferState::Received { at: time(at)?, station });
    }
    let mut find = conn.prepare_cached("SELECT state, refused_at, reason FROM outbox WHERE read = ?1")?;
    let waiting: (String, Option<i64>, Option<String>) =
        find.query_row([number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(match waiting {
        (_, Some(at), Some(reason)) => TransferState::Refused { at: time(at)?, reason },
        (state, ..) if state == "open" => TransferState::Open,
        _ => TransferState::Waiting,
    })
}

fn way(conn: &Connection, at: Timestamp) -> Result<Vec<(f64, f64)>, Fault> {
    let mut find = conn.prepare_cached(
        "SELECT latitude, longitude FROM read INDEXED BY read_by_time
         WHERE last_seen BETWEEN ?1 AND ?2 AND latitude IS NOT NULL ORDER BY last_seen LIMIT ?3",
    )?;
    let at = at.as_microsecond();
    let places = find.query_map(params![at - WAY, at + WAY, MAX_PLACES], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(places.collect::<rusqlite::Result<_>>()?)
}
