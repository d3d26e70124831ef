//! How plausible a text is as a registration number: a soft prior that re-ranks, never filters.
//!
//! The forms stand in `models/syntax.toml`, which the Python evaluation reads too.

use serde::Deserialize;
use std::sync::LazyLock;

/// A form and its log-likelihood ratio in nats.
type Form = (String, f32);

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Forms {
    california: Vec<Form>,
    general: Vec<Form>,
}

/// Part of the program; a test sees to it that it parses.
static FORMS: LazyLock<Forms> =
    LazyLock::new(|| toml::from_str(include_str!("../../models/syntax.toml")).unwrap_or_default());

/// How much more plausible `text` is than a text of no known form, in nats, 0 or more.
///
/// With a known `state` other than California only the general forms count.
pub fn prior(text: &str, state: &str) -> f32 {
    best(text, state, fits)
}

/// The same for a match key, whose zeros may be the letter O.
pub fn prior_of_key(key: &str, state: &str) -> f32 {
    best(key, state, |c, form| fits(c, form) || (c == b'0' && fits(b'O', form)))
}

fn best(text: &str, state: &str, fits: impl Fn(u8, u8) -> bool) -> f32 {
    let fits = |form: &str| text.len() == form.len() && text.bytes().zip(form.bytes()).all(|(c, f)| fits(c, f));
    let best = |forms: &[Form]| forms.iter().filter(|(form, _)| fits(form)).map(|(_, nats)| *nats).fold(0.0, f32::max);
    match state {
        "CA" => best(&FORMS.california),
        "" => best(&FORMS.california).max(best(&FORMS.general)),
        _ => best(&FORMS.general),
    }
}

fn fits(c: u8, form: u8) -> bool {
    match form {
        b'9' => c.is_ascii_digit(),
        b'A' => c.is_ascii_uppercase(),
        b'B' => c.is_ascii_uppercase() && !matches!(c, b'I' | b'O' | b'Q'),
        _ => true,
    }
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
    fn a_key_is_as_plausible_as_the_best_text_it_stands_for() {
        for text in ["2LOX542", "1ABC204", "O123456", "OLX0542"] {
            let key = crate::plate::PlateText::normalise(text).key();
            assert!(prior_of_key(key.as_str(), "CA") >= prior(text, "CA"), "{text}");
        }
        assert_eq!(prior_of_key("20LX542", "CA"), prior("2OLX542", "CA").max(prior("20LX542", "CA")));
    }

    #[test]
    fn no_form_costs_at_most_a_little() {
        // The prior can flip a picture that is in doubt by less than e^2, never a clear one.
        let most = FORMS.california.iter().chain(&FORMS.general).map(|f| f.1).fold(0.0, f32::max);
        assert!(most > 0.0 && most <= 2.0);
    }
}
