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
use plated_core::appearance::Looks;
use plated_core::area::Area;
use plated_core::error::Result;
use std::collections::{BTreeMap, BTreeSet};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Days that are looked into at once: as many as this at first, and twice as many each time.
const FIRST_DAYS: usize = 2;
const MOST_DAYS: usize = 128;

pub(super) fn search(archive: &PostgresArchive, query: &Query) -> Result<Page> {
    archive.server.read(|tx| page(tx, query))
}

fn page(tx: &Tx<'_>, query: &Query) -> Result<Page> {
    let size = query.page_size();
    // One more shows whether there is a next page.
    let wanted = size + 1;
    let first = query.after.map(|cursor| day_of(cursor.0));
    let mut days: Vec<Vec<Part>> = Vec::new();
    for part in parts::all(tx)?.into_iter().filter(|part| first.is_none_or(|first| part.day <= first)) {
        match days.last_mut() {
            Some(last) if last[0].day == part.day => last.push(part),
            _ => days.push(vec![part]),
        }
    }
    let mut held = places(tx, query, &[HELD], None, wanted)?;
    corrected(tx, query, &days, &mut held)?;
    // By id; of what is in its part and held, the part counts.
    let mut all: BTreeMap<Uuid, i32> = BTreeMap::new();
    let (mut rest, mut count) = (&days[..], FIRST_DAYS);
    while !rest.is_empty() && all.len() < wanted {
        let (now, later) = rest.split_at(count.min(rest.len()));
        (rest, count) = (later, (count * 2).min(MOST_DAYS));
        let numbers: Vec<i32> = now.iter().flatten().filter(|part| can_hold(part, query)).map(|p| p.number).collect();
        if !numbers.is_empty() {
            all.extend(places(tx, query, &numbers, None, wanted)?);
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
    let mut reads: Vec<Found> = found(tx, &newest)?.into_iter().map(|(_, found)| found).collect();
    reads.sort_by_key(|found| std::cmp::Reverse(found.id));
    let more = reads.len() > size;
    reads.truncate(size);
    documents::put_corrections(&Rows::of_postgres(tx), &mut reads)?;
    let next = reads.last().filter(|_| more).map(|found| Cursor(found.id));
    Ok(Page { reads, next })
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
    let partial = match &query.plate {
        Some(Plate::Partial(pattern, _)) => Some(pattern),
        _ => None,
    };
    let (prefix, suffix) = partial.map(|p| (p.prefix(), p.suffix())).unwrap_or_default();
    let reversed: String = suffix.chars().rev().collect();
    let (prefix_end, reversed_end) = (format!("{prefix}~"), format!("{reversed}~"));
    let like = partial.map(|pattern| pattern.like());
    let (from, until) = (query.from.map(|t| t.as_microsecond()), query.until.map(|t| t.as_microsecond()));
    let limit = wanted as i64;
    let class = query.class.map(|class| class.as_str());

    let mut values: Vec<&(dyn ToSql + Sync)> = vec![&parts];
    let mut conditions = String::new();
    let mut add = Conditions { sql: &mut conditions, values: &mut values };
    if let Some(Plate::Whole(key)) = &query.plate {
        add.and("key = ?", &[key]);
    }
    if let Some(like) = &like {
        // By whichever end names more of it; both have an index.
        if reversed.len() > prefix.len() {
            add.and("reverse(key) BETWEEN ? AND ?", &[&reversed, &reversed_end]);
        } else if !prefix.is_empty() {
            add.and("key BETWEEN ? AND ?", &[&prefix, &prefix_end]);
        }
        add.and("key LIKE ?", &[like]);
    }
    if let Some(only) = &only {
        add.and("id = ANY(?)", &[only]);
    }
    if let Some(after) = &after {
        add.and("id < ?", &[after]);
    }
    if let Some(state) = &query.state {
        add.and("state = ?", &[state]);
    }
    if let Some(camera) = &query.camera {
        add.and("camera = ?", &[camera]);
    }
    if let Some(vehicle) = &query.vehicle {
        add.and("vehicle = ?", &[vehicle]);
    }
    if let Some(canvass) = &query.canvass {
        add.and("canvass = ?", &[canvass]);
    }
    if let Some(class) = &class {
        add.and("class = ?", &[class]);
    }
    if let Some(from) = &from {
        add.and("last_seen >= ?", &[from]);
    }
    if let Some(until) = &until {
        add.and("first_seen < ?", &[until]);
    }
    if query.hits_only {
        add.and("has_hit", &[]);
    }
    if let Some([south, west, north, east]) = &bounds {
        add.and("latitude BETWEEN ? AND ? AND longitude BETWEEN ? AND ?", &[south, north, west, east]);
    }
    let Looks { class: kind, colour, make } = &query.looks;
    for (name, word) in [("class", kind), ("colour", colour), ("make", make)] {
        if let Some(word) = word {
            // Of the record itself: few searches ask for it, and what else they ask for comes first.
            let seen = format!("convert_from(record, 'UTF8')::json #>> '{{appearance,{name},is}}'");
            add.and(
                &format!("(SELECT {seen} FROM records WHERE records.part = reads.part AND records.id = reads.id) = ?"),
                &[word],
            );
        }
    }
    values.push(&limit);
    // Nothing but an index is needed where only a plate is asked for.
    let place = if bounds.is_some() { "latitude, longitude" } else { "NULL::float8, NULL::float8" };
    let sql = format!(
        "SELECT part, id, key, {place} FROM reads WHERE part = ANY($1){conditions} ORDER BY id DESC LIMIT ${}",
        values.len()
    );
    tx.all(&sql, &values)
}

/// Conditions, and their values.
struct Conditions<'a, 'v> {
    sql: &'a mut String,
    values: &'a mut Vec<&'v (dyn ToSql + Sync)>,
}

impl<'v> Conditions<'_, 'v> {
    /// Each `?` is one of `new`.
    fn and(&mut self, condition: &str, new: &[&'v (dyn ToSql + Sync)]) {
        self.sql.push_str(" AND ");
        let mut new = new.iter();
        for c in condition.chars() {
            match c {
                '?' => {
                    self.values.extend(new.next());
                    self.sql.push_str(&format!("${}", self.values.len()));
                }
                c => self.sql.push(c),
            }
        }
    }
}
