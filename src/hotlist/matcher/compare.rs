//! What a person is shown beside a match: differing characters, states, age.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use plated_core::plate::PlateText;
use plated_core::record::{Difference, StateAgreement};

/// Stands for a character that the other side does not have.
const NONE: char = '-';

/// Characters in which read and list differ. Texts of one length are compared place by place, others
/// by the fewest changes that make one of the other, where O against 0 counts as none but is named.
pub fn differences(read: &PlateText, listed: &PlateText) -> Vec<Difference> {
    let (read, listed) = (read.as_str().as_bytes(), listed.as_str().as_bytes());
    let fold = |c: u8| if c == b'O' { b'0' } else { c };
    let same = |i: usize, j: usize| fold(read[i]) == fold(listed[j]);
    let difference = |position: usize, read: Option<u8>, listed: Option<u8>| {
        let shown = |c: Option<u8>| c.map_or(NONE, char::from);
        Difference { position: position as u8, read: shown(read), listed: shown(listed) }
    };
    if read.len() == listed.len() {
        let unlike = (0..read.len()).filter(|i| read[*i] != listed[*i]);
        return unlike.map(|i| difference(i, Some(read[i]), Some(listed[i]))).collect();
    }
    // left[i][j]: fewest changes between what follows i in the read and j in the list.
    let mut left = vec![vec![0; listed.len() + 1]; read.len() + 1];
    for i in (0..=read.len()).rev() {
        for j in (0..=listed.len()).rev() {
            left[i][j] = match (read.len() - i, listed.len() - j) {
                (0, rest) | (rest, 0) => rest,
                _ => (left[i + 1][j + 1] + usize::from(!same(i, j))).min(left[i + 1][j] + 1).min(left[i][j + 1] + 1),
            };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < read.len() || j < listed.len() {
        let both = i < read.len() && j < listed.len();
        if both && left[i][j] == left[i + 1][j + 1] + usize::from(!same(i, j)) {
            if read[i] != listed[j] {
                out.push(difference(i, Some(read[i]), Some(listed[j])));
            }
            (i, j) = (i + 1, j + 1);
        } else if i < read.len() && left[i][j] == left[i + 1][j] + 1 {
            out.push(difference(i, Some(read[i]), None));
            i += 1;
        } else {
            out.push(difference(i, None, Some(listed[j])));
            j += 1;
        }
    }
    out
}

/// How the state read on the plate compares with the list's.
pub fn states(read: &str, listed: &str) -> StateAgreement {
    if read.is_empty() || listed.is_empty() {
        StateAgreement::Unknown
    } else if read.eq_ignore_ascii_case(listed) {
        StateAgreement::Agree
    } else {
        StateAgreement::Differ
    }
}

/// Whole days from the date of an entry to `now`; `None` when the list's date is of no form that
/// is known (`2026-11-02…`, `20261102`, `11/02/2026`), or lies ahead.
pub fn age_days(date: &str, now: Timestamp) -> Option<u32> {
    let first = date.split([' ', 'T']).next().unwrap_or_default();
    let part = |range: std::ops::Range<usize>| first.get(range)?.parse::<i16>().ok();
    let (year, month, day) = match (first.len(), first.as_bytes().get(2)) {
        (8, Some(b'0'..=b'9')) => (part(0..4)?, part(4..6)?, part(6..8)?),
        (10, Some(b'/')) => (part(6..10)?, part(0..2)?, part(3..5)?),
        (10, _) => (part(0..4)?, part(5..7)?, part(8..10)?),
        _ => return None,
    };
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let today = Offset::UTC.to_datetime(now).date();
    u32::try_from(today.duration_since(date).as_hours() / 24).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differ(read: &str, listed: &str) -> Vec<(u8, char, char)> {
        let all = differences(&PlateText::normalise(read), &PlateText::normalise(listed));
        all.iter().map(|d| (d.position, d.read, d.listed)).collect()
    }

    #[test]
    fn every_differing_character_is_named_also_where_one_is_missing() {
        assert_eq!(differ("7ABO123", "7ABO123"), []);
        assert_eq!(differ("7ABO123", "7AB0123"), [(3, 'O', '0')]);
        assert_eq!(differ("7ABO12", "7AB0123"), [(3, 'O', '0'), (6, '-', '3')]);
        assert_eq!(differ("7A8C1Z3", "7ABC123"), [(2, '8', 'B'), (5, 'Z', '2')]);
        assert_eq!(differ("7ABC12", "7ABC123"), [(6, '-', '3')]);
        assert_eq!(differ("17ABC123", "7ABC128"), [(0, '1', '-'), (7, '3', '8')]);
    }

    #[test]
    fn the_age_is_counted_in_days_from_each_form_of_date() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        for date in ["2026-02-27", "20260227", "02/27/2026", "2026-02-27T23:00:00Z"] {
            assert_eq!(age_days(date, now), Some(2), "{date}");
        }
        for none in ["", "27.2.2026", "2026-13-01", "2026-03-05", "yesterday!"] {
            assert_eq!(age_days(none, now), None, "{none}");
        }
    }
}
