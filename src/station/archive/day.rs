//! Days of reads: UTC, by the time in their ids, so that the place of a read follows from its id.

use super::batch::{CheckedRead, Picture, Verdict};
use super::class::{Class, Retention};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use plated_core::digest::Sha256;
use plated_core::error::Result;
use std::collections::HashMap;
use uuid::Uuid;

/// A read whose first look is by so much younger than the end of its day was made later than its id says: the clock
/// was set right after the read began.
const LATE: SignedDuration = SignedDuration::from_hours(1);

/// The day on which a read was made.
pub(super) fn day_of(id: Uuid) -> Date {
    let (seconds, nanos) = id.get_timestamp().map_or((0, 0), |t| t.to_unix());
    let at = i64::try_from(seconds).ok().and_then(|s| Timestamp::new(s, nanos.cast_signed()).ok());
    date_of(at.unwrap_or_default())
}

/// The day of a time.
pub(super) fn date_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The ids of a day: the first, and the first of the next day.
pub(super) fn ids_of(day: Date) -> (Uuid, Uuid) {
    let first = |day: Date| {
        let at = day.to_zoned(TimeZone::UTC).map(|z| z.timestamp().as_millisecond()).unwrap_or_default();
        Uuid::from_u128((u128::from(at.max(0).unsigned_abs()) & ((1 << 48) - 1)) << 80)
    };
    (first(day), day.checked_add(1.days()).map_or(Uuid::max(), first))
}

/// What of a part is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Nothing,
    /// Reads of this age, one by one.
    Reads(SignedDuration),
    Pictures,
    All,
}

/// What is over of a part. When its youngest read was made is asked only where it may be over by its day.
pub(super) fn over(
    retention: &Retention,
    (day, class): (Date, Class),
    youngest: impl FnOnce() -> Result<Option<Timestamp>>,
    today: Date,
) -> Result<Over> {
    let (days, picture_days) = (retention.days(class), retention.picture_days(class));
    let age = retention.minutes_age(class);
    if Retention::is_over(day, days.min(picture_days), today) {
        let made = youngest()?.and_then(|at| at.checked_sub(LATE).ok()).map_or(day, date_of).max(day);
        if Retention::is_over(made, days, today) {
            return Ok(Over::All);
        }
        if age.is_none() && Retention::is_over(made, picture_days, today) {
            return Ok(Over::Pictures);
        }
    }
    Ok(age.map_or(Over::Nothing, Over::Reads))
}

/// A read that came longer after it was made is one of a clock that was wrong, and counts from when it came, where reads
/// are kept for minutes.
pub(super) const MAX_WAY: SignedDuration = SignedDuration::from_hours(60 * 24);

/// Microseconds.
pub(super) fn micros(span: SignedDuration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// Why a read can't be taken: not all of its pictures are there.
pub(super) fn lacking(read: &CheckedRead, pictures: &HashMap<Sha256, &Picture>) -> Option<Verdict> {
    read.envelope.pictures.iter().find_map(|named| match pictures.get(&named.sha256) {
        None => Some(Verdict::PictureMissing(named.sha256)),
        Some(picture) if picture.bytes.len() != named.bytes as usize => Some(Verdict::PictureSize(named.sha256)),
        Some(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::NoContext;

    proptest! {
        #[test]
        fn the_ids_of_a_day_are_those_that_lie_on_it(seconds in 0..4_000_000_000_u64, nanos in 0..1_000_000_000_u32) {
            let id = Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos));
            let day = day_of(id);
            let (first, end) = ids_of(day);
            prop_assert!(first <= id && id < end);
            prop_assert_eq!(ids_of(day.tomorrow().unwrap()).0, end);
        }
    }
}
