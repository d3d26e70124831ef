//! How plausible a text is as a registration number, and how it is written: a soft prior that
//! re-ranks, never filters.
//!
//! The forms stand in `models/syntax.toml`, which the Python evaluation reads too.

use super::MAX_LENGTH;
use serde::Deserialize;
use std::sync::LazyLock;

/// As they stand in the file: forms and their log-likelihood ratios in nats.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    california: Vec<(String, f32)>,
    general: Vec<(String, f32)>,
}

/// Kinds of characters, a bit for each.
const ZERO: u64 = 1;
const DIGIT: u64 = 2;
const LETTER: u64 = 4;
/// Letters that are like digits.
const I_OR_Q: u64 = 8;
/// Bits for a character.
const KIND: u32 = 4;
const _: () = assert!(MAX_LENGTH * KIND as usize <= u64::BITS as usize);

/// A form.
struct Form {
    text: String,
    /// The kinds that may stand in each place.
    may: u64,
    nats: f32,
    weight: f64,
}

/// Forms by their lengths, of each length the most plausible first.
#[derive(Default)]
struct Forms([Vec<Form>; MAX_LENGTH + 1]);

impl Forms {
    fn of<'a>(all: impl Iterator<Item = &'a (String, f32)>) -> Self {
        let mut out = Self::default();
        for (text, nats) in all.filter(|(_, nats)| *nats > 0.0) {
            let may = text.bytes().fold(0, |may, place| may << KIND | may_be(place));
            if let Some(of_length) = out.0.get_mut(text.len()) {
                of_length.push(Form { text: text.clone(), may, nats: *nats, weight: f64::from(*nats).exp() });
            }
        }
        out.0.iter_mut().for_each(|of_length| of_length.sort_by(|a, b| b.nats.total_cmp(&a.nats)));
        out
    }
}

/// Forms of California, of other states, and of both.
struct All {
    california: Forms,
    general: Forms,
    both: Forms,
}

/// Part of the program; a test sees to it that it parses.
static FORMS: LazyLock<All> = LazyLock::new(|| {
    let Written { california, general } =
        toml::from_str(include_str!("../../../models/syntax.toml")).unwrap_or_default();
    All {
        california: Forms::of(california.iter()),
        general: Forms::of(general.iter()),
        both: Forms::of(california.iter().chain(&general)),
    }
});

/// How a number is written whose letters O are all given as `0`, and how much more plausible it is
/// than a text of no known form, in nats, 0 or more.
///
/// On most plates the letter O and the digit 0 have one shape: the form decides. Where the most
/// plausible form that `key` fits has a letter it is `O`, else `0`, as NCIC writes it. With a
/// known `state` other than California only the general forms count.
pub fn spell(key: &str, state: &str) -> (String, f32) {
    match most_plausible(key.as_bytes(), state) {
        Some(form) => (write(key, form), form.nats),
        None => (key.to_owned(), 0.0),
    }
}

/// How many times more plausible `key`, in ASCII, is than a text of no known form, 1 or more: the
/// second of what [`spell`] gives, not as a logarithm.
pub fn plausibility(key: &[u8], state: &str) -> f64 {
    most_plausible(key, state).map_or(1.0, |form| form.weight)
}

/// The most plausible form that `key` fits, the first of equals.
fn most_plausible(key: &[u8], state: &str) -> Option<&'static Form> {
    let all = &*FORMS;
    let forms = match state {
        "CA" => &all.california,
        "" => &all.both,
        _ => &all.general,
    };
    let is = key.iter().fold(0_u64, |is, c| is << KIND | kind(*c));
    // Each character is of one kind, so as many bits are left as characters fit.
    let fits = |form: &&Form| (is & form.may).count_ones() as usize == key.len();
    forms.0.get(key.len())?.iter().find(fits)
}

/// The kind of a character; none where it can't stand in a number.
fn kind(c: u8) -> u64 {
    match c {
        b'0' => ZERO,
        b'1'..=b'9' => DIGIT,
        b'I' | b'Q' => I_OR_Q,
        b'A'..=b'Z' => LETTER,
        _ => 0,
    }
}

/// The kinds that may stand in a place of a form. A zero can be the letter O.
fn may_be(place: u8) -> u64 {
    match place {
        b'9' => ZERO | DIGIT,
        b'A' => ZERO | LETTER | I_OR_Q,
        b'B' => LETTER,
        _ => LETTER | I_OR_Q,
    }
}

/// `key` as `form`, which it fits, writes it.
fn write(key: &str, form: &Form) -> String {
    let place = |(c, f)| if (f, c) == ('A', '0') { 'O' } else { c };
    key.chars().zip(form.text.chars()).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nats(key: &str, state: &str) -> f32 {
        spell(key, state).1
    }

    #[test]
    fn a_known_form_is_more_plausible_than_a_near_miss() {
        assert!(nats("1ABC234", "CA") > nats("IABC234", "CA"));
        assert!(nats("ABC1234", "TX") > nats("ABCI234", "TX"));
    }

    #[test]
    fn letters_i_o_q_are_plausible_only_in_the_middle() {
        assert!(nats("2L0X542", "CA") > 0.0);
        assert_eq!(nats("20LX542", "CA"), 0.0);
        assert_eq!(nats("2QLX542", "CA"), 0.0);
    }

    #[test]
    fn the_form_decides_between_letter_o_and_zero() {
        assert_eq!(spell("2L0X502", "CA").0, "2LOX502");
        assert_eq!(spell("A0B0001", "TX").0, "AOB0001");
        assert_eq!(spell("M0T0RZ", "PA").0, "M0T0RZ", "no known form: zero, as NCIC writes it");
    }

    #[test]
    fn no_form_costs_at_most_a_little() {
        // The prior can flip a picture that is in doubt by less than e^2, never a clear one.
        let most = FORMS.both.0.iter().flatten().map(|f| f.nats).fold(0.0, f32::max);
        assert!(most > 0.0 && most <= 2.0);
    }
}
