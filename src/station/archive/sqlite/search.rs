//! Searching: day by day from the newest, until a page is full.

use super::super::batch::{Envelope, PictureRef};
use super::super::class::Class;
use super::super::day::day_of;
use super::super::documents;
use super::super::query::{Cursor, Found, Page, Plate, Query};
use super::SqliteArchive;
use super::unit::{Unit, lock};
use crate::database::could_not_read;
use crate::sqlcipher::SqlContext;
use jiff::Timestamp;
use jiff::civil::Date;
use plated_core::appearance::Looks;
use plated_core::area::Area;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use rusqlite::{Connection, Row, ToSql};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;
use uuid::Uuid;

/// Ids in their order are reads in the order of their times.
type Key = [u8; 16];

pub(super) fn search(archive: &SqliteArchive, query: &Query) -> Result<Page> {
    let size = query.page_size();
    // One more shows whether there is a next page.
    let wanted = size + 1;
    let mut page: Vec<Found> = Vec::new();
    let corrected = Corrected::new(archive, query)?;
    let mut held = held(archive, query, &corrected, wanted)?;
    let mut held = std::iter::from_fn(move || held.pop_last().map(|(_, found)| found)).peekable();
    let first = query.after.map(|cursor| day_of(cursor.0));
    for (day, units) in archive.units.days() {
        if first.is_some_and(|first| day > first) {
            continue;
        }
        // What only a hold keeps, of the days before.
        while page.len() < wanted && held.peek().is_some_and(|found| day_of(found.id) > day) {
            page.extend(held.next());
        }
        if page.len() >= wanted {
            break;
        }
        let mut of_day = BTreeMap::new();
        for unit in &units {
            let found = of_unit(unit, query, None, wanted)?.into_iter().chain(corrected.of_unit(unit, Some(day))?);
            of_day.extend(found.map(|found| (*found.id.as_bytes(), found)));
        }
        while let Some(found) = held.next_if(|found| day_of(found.id) == day) {
            of_day.entry(*found.id.as_bytes()).or_insert(found);
        }
        page.extend(of_day.into_values().rev());
        if page.len() >= wanted {
            break;
        }
    }
    page.extend(held.take(wanted.saturating_sub(page.len())));
    let more = page.len() > size;
    page.truncate(size);
    let next = page.last().filter(|_| more).map(|found| Cursor(found.id));
    lock(&archive.main).read(|rows| documents::put_corrections(rows, &mut page))?;
    Ok(Page { reads: page, next })
}

/// Reads that fit by what they were corrected to (control P-30).
struct Corrected {
    ids: BTreeSet<Uuid>,
    /// All that is asked for but plate and state, which are those of the correction.
    rest: Query,
}

impl Corrected {
    fn new(archive: &SqliteArchive, query: &Query) -> Result<Self> {
        let ids = lock(&archive.main).read(|rows| documents::corrected_to(rows, query))?;
        let rest = Query { plate: None, state: None, ..query.clone() };
        Ok(Self { ids, rest })
    }

    /// Those of them that are in a unit; of one day, where that is known.
    fn of_unit(&self, unit: &Arc<Unit>, day: Option<Date>) -> Result<Vec<Found>> {
        let mut all = Vec::new();
        for id in self.ids.iter().filter(|id| day.is_none_or(|day| day_of(**id) == day)) {
            all.extend(of_unit(unit, &self.rest, Some(id.as_bytes()), 1)?);
        }
        Ok(all)
    }
}

/// What fits of what holds keep.
fn held(archive: &SqliteArchive, query: &Query, corrected: &Corrected, wanted: usize) -> Result<BTreeMap<Key, Found>> {
    let mut held = BTreeMap::new();
    for unit in archive.units.of_holds() {
        let found = of_unit(&unit, query, None, wanted)?.into_iter().chain(corrected.of_unit(&unit, None)?);
        held.extend(found.map(|found| (*found.id.as_bytes(), found)));
        while held.len() > wanted {
            held.pop_first();
        }
    }
    Ok(held)
}

/// What fits in a unit, at most `wanted`, the newest; only the read of this id, where one is given.
fn of_unit(unit: &Arc<Unit>, query: &Query, only: Option<&Key>, wanted: usize) -> Result<Vec<Found>> {
    if query.from.is_some() || query.until.is_some() {
        let Some(span) = unit.span()? else { return Ok(Vec::new()) };
        if query.from.is_some_and(|from| span.newest < from.as_microsecond())
            || query.until.is_some_and(|until| span.oldest >= until.as_microsecond())
        {
            return Ok(Vec::new());
        }
    }
    let found = unit.read(|conn| {
        let numbers = numbers(conn, query, only, wanted)?;
        numbers.into_iter().map(|number| found(conn, number)).collect()
    });
    match found {
        // Deleted while it was looked for.
        Err(_) if !unit.path().exists() => Ok(Vec::new()),
        found => found,
    }
}

/// Numbers of what fits. An index alone answers what is asked of plates; other columns are looked at where they
/// are asked for.
fn numbers(conn: &Connection, query: &Query, only: Option<&Key>, wanted: usize) -> Result<Vec<i64>> {
    let mut sql = String::from("SELECT id, number, key, latitude, longitude FROM reads");
    let mut values: Vec<(&str, &dyn ToSql)> = Vec::new();
    let bounds = query.area.as_ref().map(Area::bounds);
    let (from, until) = (query.from.map(|t| t.as_microsecond()), query.until.map(|t| t.as_microsecond()));
    let (key, end, after);
    let class = query.class.map(Class::as_str);
    if query.plate.is_some() {
        if bounds.is_none() {
            // Nothing but the index is needed then.
            sql = "SELECT id, number, key, NULL, NULL FROM reads".into();
        }
        sql += " INDEXED BY reads_by_key";
    }
    sql += " WHERE true";
    match &query.plate {
        Some(Plate::Whole(whole)) => {
            sql += " AND key = :key";
            values.push((":key", whole));
        }
        Some(Plate::Partial(pattern, _)) => {
            // After all letters and digits.
            (key, end) = (pattern.prefix(), format!("{}~", pattern.prefix()));
            sql += " AND key BETWEEN :key AND :end";
            values.extend([(":key", &key as &dyn ToSql), (":end", &end)]);
        }
        None => {}
    }
    if let Some(only) = &only {
        sql += " AND id = :only";
        values.push((":only", only));
    }
    if let Some(Cursor(id)) = query.after {
        after = *id.as_bytes();
        sql += " AND id < :after";
        values.push((":after", &after));
    }
    if let Some(state) = &query.state {
        sql += " AND state = :state";
        values.push((":state", state));
    }
    if let Some(camera) = &query.camera {
        sql += " AND camera = :camera";
        values.push((":camera", camera));
    }
    if let Some(vehicle) = &query.vehicle {
        sql += " AND vehicle = :vehicle";
        values.push((":vehicle", vehicle));
    }
    if let Some(canvass) = &query.canvass {
        sql += " AND canvass = :canvass";
        values.push((":canvass", canvass));
    }
    if let Some(class) = &class {
        sql += " AND class = :class";
        values.push((":class", class));
    }
    let Looks { class: kind, colour, make } = &query.looks;
    for (path, name, word) in [("class", ":kind", kind), ("colour", ":colour", colour), ("make", ":make", make)] {
        if let Some(word) = word {
            // Of the record itself: few searches ask for it, and what else they ask for comes first.
            sql += &format!(
                " AND (SELECT json_extract(CAST(record AS TEXT), '$.appearance.{path}.is') FROM records
                       WHERE records.number = reads.number) = {name}"
            );
            values.push((name, word));
        }
    }
    if let Some(from) = &from {
        sql += " AND last_seen >= :from";
        values.push((":from", from));
    }
    if let Some(until) = &until {
        sql += " AND first_seen < :until";
        values.push((":until", until));
    }
    if query.hits_only {
        sql += " AND has_hit";
    }
    if let Some(bounds) = &bounds {
        sql += " AND latitude BETWEEN :south AND :north AND longitude BETWEEN :west AND :east";
        values.extend([":south", ":west", ":north", ":east"].into_iter().zip(bounds.iter().map(|b| b as &dyn ToSql)));
    }
    let in_order = query.plate.is_none();
    if in_order {
        sql += " ORDER BY id DESC";
    }
    let mut find = conn.prepare_cached(&sql).sql(could_not_read)?;
    let mut rows = find.query(&values[..]).sql(could_not_read)?;
    // The newest that fit; the oldest of them on top.
    let mut newest: BinaryHeap<Reverse<(Key, i64)>> = BinaryHeap::new();
    while let Some(row) = rows.next().sql(could_not_read)? {
        if let Some(Plate::Partial(pattern, _)) = &query.plate
            && !row.get_ref(2).sql(could_not_read)?.as_str().is_ok_and(|key| pattern.fits(key))
        {
            continue;
        }
        if let Some(area) = &query.area {
            let at = (row.get(3).sql(could_not_read)?, row.get(4).sql(could_not_read)?);
            if !area.holds(at) {
                continue;
            }
        }
        let entry = Reverse((row.get(0).sql(could_not_read)?, row.get(1).sql(could_not_read)?));
        if newest.len() >= wanted {
            if newest.peek().is_some_and(|oldest| *oldest <= entry) {
                continue;
            }
            newest.pop();
        }
        newest.push(entry);
        if in_order && newest.len() >= wanted {
            break;
        }
    }
    Ok(newest.into_iter().map(|Reverse((_, number))| number).collect())
}

/// The read of this number.
pub(super) fn found(conn: &Connection, number: i64) -> Result<Found> {
    let mut find = conn
        .prepare_cached(
            "SELECT id, key, text, state, vehicle, camera, first_seen, last_seen, received, confidence, has_hit, class,
             canvass, position, sha256, site FROM reads JOIN records USING (number) WHERE number = ?1",
        )
        .sql(could_not_read)?;
    let (mut found, class, position) = find
        .query_row([number], |row| {
            let envelope = Envelope {
                key: row.get(1)?,
                text: row.get(2)?,
                state: row.get(3)?,
                vehicle: row.get(4)?,
                camera: row.get(5)?,
                first_seen: time(row, 6)?,
                last_seen: time(row, 7)?,
                confidence: row.get::<_, f64>(9)? as f32,
                has_hit: row.get(10)?,
                class: Class::NoHit,
                canvass: row.get(12)?,
                site: row.get(15)?,
                position: None,
                pictures: Vec::new(),
            };
            let found = Found {
                id: Uuid::from_bytes(row.get(0)?),
                sha256: Sha256(row.get(14)?),
                received: time(row, 8)?,
                envelope,
                corrected: None,
            };
            Ok((found, row.get::<_, String>(11)?, row.get::<_, Option<String>>(13)?))
        })
        .sql(could_not_read)?;
    let damaged = || Error::new(Kind::Damaged, format!("the row of the read {} is not what was written", found.id));
    found.envelope.class = Class::of_word(&class).ok_or_else(damaged)?;
    found.envelope.position = position.map(|json| serde_json::from_str(&json)).transpose().map_err(|_| damaged())?;
    found.envelope.pictures = conn
        .prepare_cached("SELECT role, sha256, bytes FROM pictures WHERE read = ?1 ORDER BY place")
        .and_then(|mut s| {
            s.query_map([number], |row| {
                Ok(PictureRef { role: row.get(0)?, sha256: Sha256(row.get(1)?), bytes: row.get(2)? })
            })?
            .collect()
        })
        .sql(could_not_read)?;
    Ok(found)
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let micros = row.get(column)?;
    Timestamp::from_microsecond(micros).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, micros))
}
