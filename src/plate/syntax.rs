//! How plausible a text is as a registration number, and how it is written: a soft prior that
//! re-ranks, never filters.
//!
//! The forms stand in `models/syntax.toml`, which the Python evaluation reads too.

use super::MAX_LENGTH;
use serde::Deserialize;
use std::sync::LazyLock;

/// A form and its log-likelihood ratio in nats. Its characters stand within it, since each read asks
/// many forms.
#[derive(Clone, Copy)]
struct Form {
    places: [u8; MAX_LENGTH],
    length: usize,
    nats: f32,
}

impl Form {
    fn places(&self) -> &[u8] {
        &self.places[..self.length]
    }
}

/// As they stand in the file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    california: Vec<(String, f32)>,
    general: Vec<(String, f32)>,
}

#[derive(Default)]
struct Forms {
    california: Vec<Form>,
    general: Vec<Form>,
}

/// Part of the program; a test sees to it that it parses.
static FORMS: LazyLock<Forms> = LazyLock::new(|| {
    let written: Written = toml::from_str(include_str!("../../models/syntax.toml")).unwrap_or_default();
    let forms = |all: &[(String, f32)]| {
        let form = |(text, nats): &(String, f32)| {
            let mut places = [0; MAX_LENGTH];
            places.iter_mut().zip(text.bytes()).for_each(|(place, c)| *place = c);
            Form { places, length: text.len().min(MAX_LENGTH), nats: *nats }
        };
        all.iter().map(form).filter(|f| f.nats > 0.0).collect()
    };
    Forms { california: forms(&written.california), general: forms(&written.general) }
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

/// The second of what [`spell`] gives, without writing the number; `key` in ASCII.
pub fn plausibility(key: &[u8], state: &str) -> f32 {
    most_plausible(key, state).map_or(0.0, |form| form.nats)
}

/// The most plausible form that `key` fits, the first of equals.
fn most_plausible(key: &[u8], state: &str) -> Option<&'static Form> {
    let forms = &*FORMS;
    let (first, second): (&[Form], &[Form]) = match state {
        "CA" => (&forms.california, &[]),
        "" => (&forms.california, &forms.general),
        _ => (&forms.general, &[]),
    };
    let fitting = first.iter().chain(second).filter(|form| fits(key, form));
    fitting.reduce(|best, form| if form.nats > best.nats { form } else { best })
}

fn fits(key: &[u8], form: &Form) -> bool {
    let place = |(c, f): (&u8, &u8)| match (f, c) {
        (b'9', c) => c.is_ascii_digit(),
        (b'A', b'0') => true,
        (b'B', b'I' | b'Q') => false,
        (_, c) => c.is_ascii_uppercase(),
    };
    key.len() == form.length && key.iter().zip(form.places()).all(place)
}

/// `key` as `form`, which it fits, writes it.
fn write(key: &str, form: &Form) -> String {
    let place = |(c, f): (char, &u8)| if (*f, c) == (b'A', '0') { 'O' } else { c };
    key.chars().zip(form.places()).map(place).collect()
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
        let most = FORMS.california.iter().chain(&FORMS.general).map(|f| f.nats).fold(0.0, f32::max);
        assert!(most > 0.0 && most <= 2.0);
    }
}
