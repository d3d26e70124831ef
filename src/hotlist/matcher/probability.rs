//! How probable it is that the plate is the listed one.
//!
//! The reader gives q(t), the probability of each text t as the product over the positions of
//! the combined looks. That is not yet the answer: the texts are not equally common on the road.
//! With w(t) for how common a text is, Bayes' rule says
//!
//! ```text
//! P(listed) = w(listed) q(listed) / sum over all texts t of w(t) q(t)
//! ```
//!
//! - Texts that the reader ranked weigh by their form, as in the reader's own ranking
//!   ([`plate::plausibility`]). All other texts together weigh as much as the best one does, so
//!   that the form alone never makes a text surer.
//! - A listed plate weighs [`LISTED`] times a text of its form. Two facts make up that figure.
//!   Most texts of a form are not on the road: California has some 30 million vehicles for the
//!   180 million texts of its forms, so a plate that surely exists is 6 times as likely as a
//!   text of the same form. And listed vehicles are rare: they are hidden, scrapped, or in
//!   another state, and pass perhaps a tenth as often as others do. That fits what services
//!   report: of 300,000 listed plates among 30 million, a tenth as often, one pass in a
//!   thousand. Together 6 / 10. Both facts are rough; a factor of three either way moves a match
//!   in doubt by a step of its scale, never a clear one.
//!
//! Letter O and digit 0 are one, since lists don't tell them apart.

use super::pattern::Pattern;
use crate::code::{Code, Digits, SYMBOLS};
use plated_core::plate;
use plated_core::plate::MAX_LENGTH;
use plated_core::plate::{ALPHABET, CLASSES, Slots};
use std::sync::LazyLock;

/// Weight of a listed plate against a text of its form; see above.
pub const LISTED: f64 = 0.6;

const END: usize = SYMBOLS.len();

/// The class of each symbol in a position of [`Slots`], in the order of [`SYMBOLS`].
static CLASS: LazyLock<[usize; END]> =
    LazyLock::new(|| SYMBOLS.map(|s| ALPHABET.iter().position(|a| *a == s).unwrap_or(BLANK)));
/// The class of no character.
const BLANK: usize = 0;

/// The distribution that the reader gave for one plate, prepared for queries.
pub struct Posterior<'a> {
    slots: &'a Slots,
    state: &'a str,
    ranked: Vec<Text>,
    /// Weight of a text that is neither ranked nor listed.
    rest: f64,
}

struct Text {
    code: Code,
    q: f64,
    weight: f64,
}

impl<'a> Posterior<'a> {
    /// Of a read with these ranked texts, in `state` (empty when not known).
    pub fn new<'t>(slots: &'a Slots, ranked: impl Iterator<Item = &'t str>, state: &'a str) -> Self {
        let mut this = Self { slots, state, ranked: Vec::with_capacity(ranked.size_hint().0), rest: 1.0 };
        for text in ranked {
            let digits = Digits::of_text(text);
            let code = digits.code();
            if this.ranked.iter().all(|r| r.code != code) {
                this.ranked.push(this.text(&digits, code));
            }
        }
        let best = this.ranked.iter().max_by(|a, b| (a.q * a.weight).total_cmp(&(b.q * b.weight)));
        this.rest = best.map_or(1.0, |b| b.weight);
        this
    }

    fn text(&self, digits: &Digits, code: Code) -> Text {
        let (class, positions) = (&*CLASS, self.slots.positions());
        let classes = digits.as_slice().iter().map(|d| class[usize::from(*d)]).chain(std::iter::repeat(BLANK));
        let whole = digits.as_slice().len() <= positions.len();
        let q = if whole { positions.iter().zip(classes).map(|(p, c)| f64::from(p[c])).product() } else { 0.0 };
        let mut key = [0; MAX_LENGTH];
        key.iter_mut().zip(digits.symbols()).for_each(|(place, symbol)| *place = symbol);
        let weight = plate::plausibility(&key[..digits.as_slice().len()], self.state);
        Text { code, q, weight }
    }

    /// The probability of each of these listed keys, which are all different.
    pub fn of(&self, listed: &[Code]) -> Vec<f64> {
        let found: Vec<Text> = listed.iter().map(|code| self.text(&code.digits(), *code)).collect();
        let ranked = self.ranked.iter().filter(|r| !listed.contains(&r.code));
        let (mut known, mut sum) = (0.0, 0.0);
        for text in ranked {
            known += text.q;
            sum += text.q * text.weight;
        }
        for text in &found {
            known += text.q;
            sum += text.q * text.weight * LISTED;
        }
        sum += self.rest * (1.0 - known).max(0.0);
        found.iter().map(|text| share(text.q * text.weight * LISTED, sum)).collect()
    }

    /// The probability that the plate fits `pattern`. No weight of a listed plate here: whether
    /// the plates that fit exist is not known.
    pub fn of_pattern(&self, pattern: &Pattern) -> f64 {
        let (mut fitting, mut sum) = (0.0, 0.0);
        let (mut known, mut known_fitting) = (0.0, 0.0);
        let positions: Vec<_> = self.slots.positions().iter().map(folded).collect();
        for text in &self.ranked {
            let fits = f64::from(u8::from(pattern.fits(&text.code.key())));
            known += text.q;
            known_fitting += text.q * fits;
            sum += text.q * text.weight;
            fitting += text.q * text.weight * fits;
        }
        fitting += self.rest * (pattern.mass(&positions) - known_fitting).max(0.0);
        sum += self.rest * (1.0 - known).max(0.0);
        share(fitting, sum)
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole).min(1.0) } else { 0.0 }
}

/// One position in the order of [`SYMBOLS`], its blank last.
fn folded(position: &[f32; CLASSES]) -> [f64; END + 1] {
    let mut out = [f64::from(position[BLANK]); END + 1];
    out.iter_mut().zip(&*CLASS).for_each(|(place, class)| *place = f64::from(position[*class]));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_core::plate::PlateText;
    use proptest::prelude::*;

    /// Every text that `slots` can mean, with its probability. Positions use few characters.
    fn every_text(slots: &Slots) -> Vec<(Option<String>, f64)> {
        let mut texts = vec![(String::new(), 1.0)];
        for position in slots.positions() {
            let classes: Vec<_> = ALPHABET.iter().zip(position).filter(|(_, p)| **p > 0.0).collect();
            texts = texts
                .iter()
                .flat_map(|(text, q)| {
                    classes.iter().map(move |(c, p)| (format!("{text}{}", char::from(**c)), q * f64::from(**p)))
                })
                .collect();
        }
        // Blanks stand at the end only, or else it is no text.
        let whole = |text: &String| text.trim_end_matches('-').to_owned();
        texts.iter().map(|(t, q)| (Some(whole(t)).filter(|t| !t.contains('-')), *q)).collect()
    }

    fn key(text: &str) -> String {
        PlateText::normalise(text).key().as_str().to_owned()
    }

    /// Bayes' rule over every single text.
    fn brute_force(
        slots: &Slots,
        ranked: &[&str],
        state: &str,
        listed: &[String],
        asked: impl Fn(&str) -> bool,
    ) -> f64 {
        let texts = every_text(slots);
        let form = |key: &str| plate::plausibility(key.as_bytes(), state);
        let q = |wanted: &str| {
            texts.iter().filter(|(t, _)| t.as_deref().map(key).as_deref() == Some(wanted)).map(|t| t.1).sum::<f64>()
        };
        let best = ranked.iter().map(|t| key(t)).max_by(|a, b| (q(a) * form(a)).total_cmp(&(q(b) * form(b))));
        let rest = best.map_or(1.0, |b| form(&b));
        let weight = |text: &Option<String>| match text.as_deref().map(key) {
            Some(key) if listed.contains(&key) => LISTED * form(&key),
            Some(key) if ranked.iter().any(|r| super::tests::key(r) == key) => form(&key),
            _ => rest,
        };
        let sum: f64 = texts.iter().map(|(t, q)| weight(t) * q).sum();
        let part = texts.iter().filter(|(t, _)| t.as_deref().is_some_and(|t| asked(&key(t))));
        part.map(|(t, q)| weight(t) * q).sum::<f64>() / sum
    }

    /// Positions over a few characters, as weights.
    fn some_slots() -> impl Strategy<Value = Slots> {
        proptest::collection::vec(proptest::collection::vec(0.0_f32..1.0, 5), 4).prop_map(|positions| {
            let classes: Vec<usize> = b"-0OB8".iter().map(|c| ALPHABET.iter().position(|a| a == c).unwrap()).collect();
            Slots::new(
                positions
                    .into_iter()
                    .map(|weights| {
                        let total: f32 = weights.iter().sum::<f32>().max(1e-6);
                        let mut out = [0.0; CLASSES];
                        classes.iter().zip(weights).for_each(|(class, w)| out[*class] = w / total);
                        out
                    })
                    .collect(),
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_probability_is_what_bayes_rule_over_every_text_gives(
            slots in some_slots(),
            mut listed in proptest::collection::vec("[0B8]{2,5}", 1..5),
            pattern in "[0B8?*]{2,5}",
            state in prop_oneof!["", "CA", "NV"],
        ) {
            let ranked = slots.candidates(3);
            let ranked: Vec<&str> = ranked.iter().map(|(t, _)| t.as_str()).collect();
            listed.push(key(ranked[0])); // An exact match too.
            listed.sort();
            listed.dedup();
            let posterior = Posterior::new(&slots, ranked.iter().copied(), &state);
            let codes: Vec<Code> = listed.iter().map(|key| Code::of(key).unwrap()).collect();
            for (wanted, p) in listed.iter().zip(posterior.of(&codes)) {
                let expected = brute_force(&slots, &ranked, &state, &listed, |key| key == wanted);
                prop_assert!((p - expected).abs() < 1e-5, "{} {} {}", wanted, p, expected);
            }
            if let Ok(pattern) = Pattern::parse(&pattern) {
                let expected = brute_force(&slots, &ranked, &state, &[], |key| pattern.fits(key));
                let p = posterior.of_pattern(&pattern);
                prop_assert!((p - expected).abs() < 1e-5, "{} {}", p, expected);
            }
        }
    }

    fn at(text: &str, doubt: &[(usize, char, f32)]) -> Slots {
        let class = |c: char| ALPHABET.iter().position(|a| char::from(*a) == c).unwrap();
        let mut positions: Vec<[f32; CLASSES]> = text
            .chars()
            .chain("---".chars())
            .map(|c| {
                let mut p = [0.001 / 36.0; CLASSES];
                p[class(c)] = 0.999;
                p
            })
            .collect();
        for (at, c, p) in doubt {
            let own = class(text.chars().nth(*at).unwrap());
            positions[*at][own] -= p;
            positions[*at][class(*c)] += p;
        }
        Slots::new(positions)
    }

    fn of(posterior: &Posterior<'_>, listed: &str) -> f64 {
        posterior.of(&[Code::of(listed).unwrap()])[0]
    }

    #[test]
    fn a_clear_read_makes_the_plate_beside_it_improbable_and_itself_probable() {
        let clear = at("7ABC123", &[]);
        let posterior = Posterior::new(&clear, ["7ABC123"].into_iter(), "CA");
        assert!(of(&posterior, "7ABC123") > 0.97);
        assert!(of(&posterior, "7A8C123") < 0.001);
    }

    #[test]
    fn a_read_in_doubt_shares_its_probability_and_the_rare_plate_gets_less() {
        let doubtful = at("7ABC123", &[(2, '8', 0.49)]);
        let posterior = Posterior::new(&doubtful, ["7ABC123", "7A8C123"].into_iter(), "");
        // Of two texts as likely by the picture the listed one is the rarer, and 7A8C123 has no form.
        assert!(of(&posterior, "7A8C123") < 0.4);
        let alike = at("7ABC123", &[(4, '7', 0.4995)]);
        let posterior = Posterior::new(&alike, ["7ABC123", "7ABC723"].into_iter(), "CA");
        let p = of(&posterior, "7ABC723");
        assert!((p - LISTED / (1.0 + LISTED)).abs() < 0.01, "{p}");
    }
}
