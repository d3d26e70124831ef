//! How plausible a text is as a registration number.
//!
//! A soft prior: it re-ranks readings that the picture leaves open (1/I, 0/O/Q), never filters
//! and never invents. A hard template once made `1Z91164` of a correct `1291164`.
//!
//! A pattern is written with `9` for a digit, `A` for a letter, `B` for a letter without I, O
//! and Q, `*` for either. The figure is a log-likelihood ratio against a text of no known form,
//! in nats; it is small on purpose, so that a clear picture always wins.

/// California series (field notes, "Plates of California"): passenger in the order of now and
/// its announced successor, commercial, trailer, motorcycle, temporary, exempt.
const CALIFORNIA: &[(&str, f32)] = &[
    ("9BAB999", 2.0),
    ("999BAB9", 1.5),
    ("9B99999", 1.4),
    ("99999B9", 1.4),
    ("9BB9999", 1.2),
    ("99B9999", 1.2),
    ("9B9999", 1.0),
    ("BB99B99", 1.2),
    ("9999999", 0.8),
    ("999999", 0.6),
];

/// Serial forms common in the other states.
const GENERAL: &[(&str, f32)] = &[
    ("BAB9999", 1.6),
    ("BAB999", 1.4),
    ("999BAB", 1.4),
    ("9999BAB", 1.2),
    ("BB99999", 1.2),
    ("99999BB", 1.0),
    ("BB9999", 0.8),
    ("9999BB", 0.8),
    ("999999", 0.8),
    ("9999999", 0.6),
    ("B99BAB", 0.8),
    ("BAB99B", 0.8),
    ("9B99999", 0.6),
    ("B999999", 0.8),
    ("99BB99", 0.5),
    ("9BAB999", 1.0),
    ("BBB99", 0.3),
    ("99999", 0.3),
];

/// How much more plausible `text` is than a text of no known form, in nats, 0 or more.
///
/// With a known `state` other than California only the general forms count.
pub fn prior(text: &str, state: &str) -> f32 {
    let best = |forms: &[(&str, f32)]| {
        forms.iter().filter(|(form, _)| fits(text, form)).map(|(_, nats)| *nats).fold(0.0, f32::max)
    };
    match state {
        "CA" => best(CALIFORNIA),
        "" => best(CALIFORNIA).max(best(GENERAL)),
        _ => best(GENERAL),
    }
}

fn fits(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(c, f)| match f {
            b'9' => c.is_ascii_digit(),
            b'A' => c.is_ascii_uppercase(),
            b'B' => c.is_ascii_uppercase() && !matches!(c, b'I' | b'O' | b'Q'),
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_form_is_more_plausible_than_a_near_miss() {
        assert!(prior("1ABC234", "CA") > prior("IABC234", "CA"));
        assert!(prior("ABC1234", "TX") > prior("ABCI234", "TX"));
    }

    #[test]
    fn letters_i_o_q_are_plausible_only_in_the_middle() {
        assert!(prior("2LOX542", "CA") > 0.0);
        assert_eq!(prior("2OLX542", "CA"), 0.0);
    }

    #[test]
    fn no_form_costs_at_most_a_little() {
        // The prior can flip a picture that is in doubt by less than e^2, never a clear one.
        let most = CALIFORNIA.iter().chain(GENERAL).map(|f| f.1).fold(0.0, f32::max);
        assert!(most <= 2.0);
    }
}
