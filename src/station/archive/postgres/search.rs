//! Searching: days from the newest on, more of them each time, until a page is full.

use super::super::day::day_of;
use super::super::documents;
use super::super::query::{Cursor, Found, Page, Plate, Query};
use super::parts::{HELD, Part};
use super::rows::found;
use super::{PostgresArchive, parts};
use crate::postgres::Tx;
use crate::rows::Rows;
use jiff::civil::Date;
use plated_core::area::Area;
use plated_core::error::Result;
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Days that are looked into at once: as many as this at first, and twice as many each time. Each part takes four locks of the
/// server until its transaction ends; it has 6,400 where nobody set `max_locks_per_transaction`.
const FIRST_DAYS: usize = 2;
const MOST_DAYS: usize = 32;

pub(super) fn search(archive: &PostgresArchive, query: &Query) -> Result<Page> {
    let size = query.page_size();
    // One more shows whether there is a next page.
    let wanted = size + 1;
    let (days, held) = archive.server.read(|tx| {
        let days = days(tx, query)?;
        let mut held = places(tx, query, &[HELD], None, wanted)?;
        corrected(tx, query, &days, &mut held)?;
        Ok((days, held))
    })?;
    // By id; of what is in its part and held, the part counts.
    let mut all: BTreeMap<Uuid, i32> = BTreeMap::new();
    let (mut rest, mut count) = (&days[..], FIRST_DAYS);
    while !rest.is_empty() && all.len() < wanted {
        let (now, later) = rest.split_at(count.min(rest.len()));
        (rest, count) = (later, (count * 2).min(MOST_DAYS));
        let numbers: Vec<i32> = now.iter().flatten().filter(|part| can_hold(part, query)).map(|p| p.number).collect();
        if !numbers.is_empty() {
            all.extend(archive.server.read(|tx| places(tx, query, &numbers, None, wanted))?);
        }
        // What only a hold keeps or was corrected, of the days up to here.
        if let Some(day) = now.last().map(|parts| parts[0].day) {
            held.iter().filter(|(id, _)| day_of(**id) >= day).for_each(|(id, part)| {
                all.entry(*id).or_insert(*part);
            });
        }
    }
    if rest.is_empty() {
        held.iter().for_each(|(id, part)| {
            all.entry(*id).or_insert(*part);
        });
    }
    let newest: Vec<(i32, Uuid)> = all.into_iter().rev().take(wanted).map(|(id, part)| (part, id)).collect();
    archive.server.read(|tx| {
        let shown = &newest[..newest.len().min(size)];
        let mut reads: Vec<Found> = found(tx, shown)?.into_iter().map(|(_, found)| found).collect();
        reads.sort_by_key(|found| std::cmp::Reverse(found.id));
        documents::put_corrections(&Rows::of_postgres(tx), &mut reads)?;
        // Of what was found and not of what is left of it: a purge may go on meanwhile.
        let next = newest.get(size - 1).filter(|_| newest.len() > size).map(|(_, id)| Cursor(*id));
        Ok(Page { reads, next })
    })
}

/// The parts of each day that can be on this page, the newest day first.
fn days(tx: &Tx<'_>, query: &Query) -> Result<Vec<Vec<Part>>> {
    let first = query.after.map(|cursor| day_of(cursor.0));
    let mut days: Vec<Vec<Part>> = Vec::new();
    for part in parts::all(tx)?.into_iter().filter(|part| first.is_none_or(|first| part.day <= first)) {
        match days.last_mut() {
            Some(last) if last[0].day == part.day => last.push(part),
            _ => days.push(vec![part]),
        }
    }
    Ok(days)
}

/// Adds reads that fit by what they were corrected to (control P-30).
fn corrected(tx: &Tx<'_>, query: &Query, days: &[Vec<Part>], held: &mut BTreeMap<Uuid, i32>) -> Result<()> {
    let ids: Vec<Uuid> = documents::corrected_to(&Rows::of_postgres(tx), query)?.into_iter().collect();
    if ids.is_empty() {
        return Ok(());
    }
    // Plate and state are those of the correction.
    let rest = Query { plate: None, state: None, ..query.clone() };
    let of: BTreeSet<Date> = ids.iter().map(|id| day_of(*id)).collect();
    let parts = days.iter().flatten().filter(|part| of.contains(&part.day)).map(|part| part.number);
    // The part counts where it is held too: it comes last.
    for numbers in [vec![HELD], parts.collect()] {
        held.extend(places(tx, &rest, &numbers, Some(&ids), ids.len() + 1)?);
    }
    Ok(())
}

/// Whether a part can hold what is searched for.
fn can_hold(part: &Part, query: &Query) -> bool {
    let fits = |bound: Option<jiff::Timestamp>, of: Option<i64>, compare: fn(i64, i64) -> bool| {
        bound.zip(of).is_none_or(|(bound, of)| compare(of, bound.as_microsecond()))
    };
    query.class.is_none_or(|class| class == part.class)
        && fits(query.from, part.newest, |newest, from| newest >= from)
        && fits(query.until, part.oldest, |oldest, until| oldest < until)
}

/// Ids of what fits in these parts, and their parts; of these ids only, where some are given; at most `wanted`, the newest.
fn places(
    tx: &Tx<'_>,
    query: &Query,
    parts: &[i32],
    only: Option<&[Uuid]>,
    wanted: usize,
) -> Result<BTreeMap<Uuid, i32>> {
    let mut fitting = BTreeMap::new();
    let mut after = query.after.map(|cursor| cursor.0);
    loop {
        let rows = candidates(tx, query, parts, (only, after), wanted)?;
        let is_last = rows.len() < wanted;
        after = rows.last().map(|row| row.get(1));
        for row in rows {
            let (part, id): (i32, Uuid) = (row.get(0), row.get(1));
            let fits_plate = match &query.plate {
                Some(Plate::Partial(pattern, _)) => pattern.fits(row.get(2)),
                _ => true,
            };
            if fits_plate && query.area.as_ref().is_none_or(|area| area.holds((row.get(3), row.get(4)))) {
                fitting.insert(id, part);
            }
        }
        if is_last || fitting.len() >= wanted {
            return Ok(fitting);
        }
    }
}

/// What may fit, the newest first: a round area is looked at more closely afterwards.
fn candidates(
    tx: &Tx<'_>,
    query: &Query,
    parts: &[i32],
    (only, after): (Option<&[Uuid]>, Option<Uuid>),
    wanted: usize,
) -> Result<Vec<tokio_postgres::Row>> {
    let bounds = query.area.as_ref().map(Area::bounds);
    let [south, west, north, east] = bounds.map_or([None; 4], |bounds| bounds.map(Some));
    let (whole, partial) = match &query.plate {
        Some(Plate::Whole(key)) => (Some(key), None),
        Some(Plate::Partial(pattern, _)) => (None, Some(pattern)),
        None => (None, None),
    };
    let (prefix, suffix) = partial.map(|p| (p.prefix(), p.suffix())).unwrap_or_default();
    let reversed: String = suffix.chars().rev().collect();
    let (prefix_end, reversed_end) = (format!("{prefix}~"), format!("{reversed}~"));
    let like = partial.map(|pattern| pattern.like());
    // By whichever end names more of it; both have an index.
    let by_end = reversed.len() > prefix.len();
    let (from, until) = (query.from.map(|t| t.as_microsecond()), query.until.map(|t| t.as_microsecond()));
    let class = query.class.map(|class| class.as_str());
    // In the words of `reads_that_fit` in parts.sql, which numbers its values so.
    let conditions: Vec<&str> = [
        (whole.is_some(), "key = $2"),
        (!by_end && !prefix.is_empty(), "key BETWEEN $3 AND $4"),
        (by_end, "reverse(key) BETWEEN $5 AND $6"),
        (like.is_some(), "key LIKE $7"),
        (only.is_some(), "id = ANY($8)"),
        (after.is_some(), "id < $9"),
        (query.state.is_some(), "state = $10"),
        (query.camera.is_some(), "camera = $11"),
        (query.vehicle.is_some(), "vehicle = $12"),
        (query.canvass.is_some(), "canvass = $13"),
        (class.is_some(), "class = $14"),
        (from.is_some(), "last_seen >= $15"),
        (until.is_some(), "first_seen < $16"),
        (bounds.is_some(), "latitude BETWEEN $17 AND $18 AND longitude BETWEEN $19 AND $20"),
        (query.hits_only, "has_hit"),
    ]
    .into_iter()
    .filter_map(|(is_asked, condition)| is_asked.then_some(condition))
    .collect();
    let conditions = if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") };
    // Nothing but an index is needed where only a plate is asked for.
    let place = if bounds.is_some() { "latitude, longitude" } else { "NULL::float8, NULL::float8" };
    let sql = "SELECT part, id, key, latitude, longitude
               FROM reads_that_fit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                 $20, $21, $22, $23)
               ORDER BY id DESC LIMIT $4";
    let values: [&(dyn ToSql + Sync); 23] = [
        &parts,
        &place,
        &conditions,
        &(wanted as i64),
        &whole,
        &prefix,
        &prefix_end,
        &reversed,
        &reversed_end,
        &like,
        &only,
        &after,
        &query.state,
        &query.camera,
        &query.vehicle,
        &query.canvass,
        &class,
        &from,
        &until,
        &south,
        &north,
        &west,
        &east,
    ];
    tx.all(sql, &values)
}
