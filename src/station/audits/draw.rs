//! Drawing a sample: the same from the same seed, and from nothing that anybody chooses but the days.

use super::{Basis, Item};
use crate::archive::{Archive, Cursor, Query};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use plated_access::{Permit, Search};
use plated_core::digest::{Hasher, Sha256};
use plated_core::error::Result;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Reads that are tried for each that is wanted: some have no picture, and of some the time is over.
const TRIES: u32 = 20;

/// Draws accesses out of these: those whose hash with the seed is smallest.
pub(super) struct Accesses {
    seed: Sha256,
    wanted: usize,
    drawn: BTreeMap<Sha256, Item>,
    all: u64,
}

impl Accesses {
    pub fn new(seed: Sha256, wanted: u32) -> Self {
        Self { seed, wanted: wanted as usize, drawn: BTreeMap::new(), all: 0 }
    }

    /// Another one.
    pub fn push(&mut self, item: Item) {
        self.all += 1;
        let Item::Access { vehicle, log, number } = &item else { return };
        let hasher = Hasher::new().with(b"plated audit access 1\n").with(&self.seed.0).with(log.as_bytes());
        let hasher = hasher.with(&number.to_be_bytes()).with(vehicle.as_deref().unwrap_or_default().as_bytes());
        self.drawn.insert(hasher.finish(), item);
        if self.drawn.len() > self.wanted {
            self.drawn.pop_last();
        }
    }

    /// How many there were, and those that were drawn.
    pub fn finish(self) -> (u64, Vec<Item>) {
        (self.all, self.drawn.into_values().collect())
    }
}

/// The number of the read that the seed gives the `n`th time, among `total`.
fn nth(seed: &Sha256, n: u32, total: u64) -> u64 {
    let hash = Hasher::new().with(b"plated audit read 1\n").with(&seed.0).with(&n.to_be_bytes()).finish();
    let wide = hash.0[..16].iter().fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
    // 128 bits over less than 64: no number is noticeably likelier than another.
    u64::try_from(wide % u128::from(total.max(1))).unwrap_or_default()
}

/// The day of a read, as the archive has it.
fn day_of(id: Uuid) -> Option<Date> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    let at = Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanos).ok()?).ok()?;
    Some(at.to_zoned(TimeZone::UTC).date())
}

/// Before all reads of the day after this one.
fn end_of(day: Date) -> Option<Cursor> {
    let next = day.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    let millis = u64::try_from(next.as_millisecond()).ok()?;
    // Version 7 and its variant, as ids of reads have them.
    Some(Cursor(Uuid::from_u128(u128::from(millis) << 80 | 7 << 76 | 2 << 62)))
}

/// Draws reads with pictures, of those that had come by `until`.
///
/// # Errors
/// What keeps them from being read.
pub fn draw(archive: &dyn Archive, permit: &Permit<Search>, basis: &Basis, until: Timestamp) -> Result<Vec<Item>> {
    let total: u64 = basis.reads.iter().map(|(_, _, reads)| reads).sum();
    let (mut drawn, mut seen) = (Vec::new(), BTreeSet::new());
    for n in 0..basis.wanted_reads.saturating_mul(TRIES) {
        if drawn.len() >= basis.wanted_reads as usize || total == 0 {
            break;
        }
        let mut place = nth(&basis.seed, n, total);
        let cell = basis.reads.iter().find(|(_, _, reads)| {
            let here = place < *reads;
            place -= if here { 0 } else { *reads };
            here
        });
        let Some((day, vehicle, _)) = cell else { continue };
        if let Some(id) = of_cell(archive, permit, (*day, vehicle), place, until)?
            && seen.insert(id)
        {
            drawn.push(Item::Read { id });
        }
    }
    Ok(drawn)
}

/// The read at this place among those of a day and a vehicle, if it has pictures.
fn of_cell(
    archive: &dyn Archive,
    permit: &Permit<Search>,
    (day, vehicle): (Date, &str),
    place: u64,
    until: Timestamp,
) -> Result<Option<Uuid>> {
    let Some(after) = end_of(day) else { return Ok(None) };
    let mut query = Query { vehicle: Some(vehicle.to_owned()), after: Some(after), ..Query::default() };
    let mut left = place;
    loop {
        let page = archive.search(permit, &query)?;
        for found in page.reads {
            if day_of(found.id).is_none_or(|of| of < day) {
                return Ok(None);
            }
            if found.received > until {
                continue;
            }
            if left == 0 {
                return Ok((!found.envelope.pictures.is_empty()).then_some(found.id));
            }
            left -= 1;
        }
        match page.next {
            Some(_) => query.after = page.next,
            None => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // policy: P-32
    #[test]
    fn the_same_seed_draws_the_same_and_another_one_others_whatever_the_order() {
        let item = |number: i64| Item::Access { vehicle: None, log: Uuid::nil(), number };
        let drawn = |seed: &[u8], numbers: &mut dyn Iterator<Item = i64>| {
            let mut accesses = Accesses::new(Sha256::of(seed), 10);
            numbers.for_each(|number| accesses.push(item(number)));
            accesses.finish()
        };
        let (all, first) = drawn(b"a", &mut (1..=1000));
        assert_eq!((all, first.len()), (1000, 10));
        assert_eq!(drawn(b"a", &mut (1..=1000).rev()).1, first);
        assert_ne!(drawn(b"b", &mut (1..=1000)).1, first);
        assert_eq!(drawn(b"a", &mut (1..=3)).1.len(), 3);
    }

    #[test]
    fn each_read_is_as_likely_as_any_other() {
        let mut counts = [0_u32; 10];
        for n in 0..10_000 {
            counts[usize::try_from(nth(&Sha256::of(b"seed"), n, 10)).unwrap()] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }

    #[test]
    fn the_end_of_a_day_is_before_all_reads_of_the_next() {
        let day: Date = "2026-11-26".parse().unwrap();
        let Cursor(end) = end_of(day).unwrap();
        let at = |text: &str| plated_core::clock::id_at(text.parse().unwrap());
        assert!(at("2026-11-26T23:59:59.999Z") < end && end < at("2026-11-27T00:00:00Z"));
        assert_eq!(day_of(at("2026-11-26T23:59:59.999Z")), Some(day));
    }
}
