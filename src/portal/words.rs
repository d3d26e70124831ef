//! Times, names and codes as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use plated_core::appearance::{Appearance, Seen, shown};
use plated_web::ui::Moment;

/// A moment of today by its time, another one with its day.
pub fn moment(at: Timestamp, now: Timestamp) -> Moment {
    let (local, today) = (at.to_zoned(TimeZone::system()), now.to_zoned(TimeZone::system()).date());
    let format = if local.date() == today { "%H:%M:%S" } else { "%-d %b %H:%M" };
    Moment { text: local.strftime(format).to_string(), iso: at.to_string() }
}

/// A day, such as `3 Mar 2026`.
pub fn day(at: jiff::civil::Date) -> String {
    at.strftime("%-d %b %Y").to_string()
}

/// Day and time, such as `25 Nov 2026, 18:57`.
pub fn day_time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%-d %b %Y, %H:%M").to_string()
}

/// How long ago something was, as the script goes on with it.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    match now.duration_since(at).as_secs().max(0) {
        s if s < 60 => format!("{s} s ago"),
        s if s < 3600 => format!("{} min ago", s / 60),
        s => format!("{} h {} min ago", s / 3600, s % 3600 / 60),
    }
}

/// A word of a list as a title: `stolen_vehicle` is `Stolen vehicle`.
pub fn title(word: &str) -> String {
    let words = word.trim().replace(['_', '-'], " ");
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |c| c.to_uppercase().chain(characters).collect())
}

/// What a vehicle looks like, each with its probability: `white 92 %, Toyota 85 %, SUV 97 %, seen from the rear`.
pub fn appearance(seen: &Appearance) -> String {
    // Never rounded up to certainty.
    let percent = |seen: &Seen| (f64::from(seen.confidence).clamp(0.0, 0.999) * 100.0).floor();
    let told = [&seen.colour, &seen.make, &seen.class].into_iter().flatten();
    let told = told.map(|seen| format!("{} {} %", shown(&seen.is), percent(seen)));
    let side = seen.side.as_ref().map(|side| format!("seen from the {}", side.is));
    match told.chain(side).collect::<Vec<_>>() {
        none if none.is_empty() => "It can't be told".to_owned(),
        all => capital(&all.join(", ")),
    }
}

/// A sentence begins with a capital.
pub fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |c| c.to_uppercase().chain(characters).collect())
}

/// Thousands are set apart.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_are_written_as_people_do() {
        assert_eq!([number(7), number(412_806), number(1_000_000)], ["7", "412,806", "1,000,000"]);
        assert_eq!(title("stolen_vehicle"), "Stolen vehicle");
        let at: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        assert_eq!(ago(at, "2026-11-26T12:30:00Z".parse().unwrap()), "2 h 30 min ago");
    }
}
