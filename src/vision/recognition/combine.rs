//! Several looks at one plate combined into one text with ranked alternatives.
//!
//! Each look gives a distribution over characters for each position. Position by position their
//! logarithms are averaged and multiplied by the *effective* number of looks: neighbouring
//! frames share their blur, glare and angle, so n looks count as √n independent ones. Without
//! that, confidence saturates after a few frames of the same mistake. Only texts that at least
//! one look had among its own best are candidates, so that two looks of which one missed a
//! character don't mix into a text that nobody saw; what the candidates leave over stays in the
//! sum as "none of these".

use plated_core::plate;
use plated_core::plate::Slots;

/// Most texts that are ranked.
const RANKED: usize = 5;
/// Texts of each look that are considered.
const FROM_EACH: usize = RANKED;
/// The texts of a track, ranked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Combined {
    /// Texts and their probabilities, best first; empty without looks.
    pub candidates: Vec<(String, f32)>,
    /// What all looks together say of each position.
    pub slots: Slots,
}

impl Combined {
    /// The best text, or nothing.
    pub fn text(&self) -> &str {
        self.candidates.first().map_or("", |c| &c.0)
    }

    /// Probability that the best text is right, 0 to 1.
    pub fn confidence(&self) -> f32 {
        self.candidates.first().map_or(0.0, |c| c.1)
    }
}

/// A state that is more likely than not; an unlikely one says nothing about the syntax.
pub fn likely(state: &str, confidence: f32) -> &str {
    if confidence >= 0.5 { state } else { "" }
}

/// Texts that one look has among its own best, none of them empty. The search for them takes most
/// of the time of combining, so that whoever combines again keeps them with the look.
pub fn own_texts(look: &Slots) -> Vec<String> {
    look.candidates(FROM_EACH).into_iter().map(|(text, _)| text).filter(|t| !t.is_empty()).collect()
}

/// Combines looks. The syntax of registration numbers of `state` (empty when not known) re-ranks
/// the candidates and decides between O and 0; it never adds or removes one.
pub fn combine<'a>(looks: impl Iterator<Item = &'a Slots> + Clone, state: &str) -> Combined {
    let texts: Vec<Vec<String>> = looks.clone().map(own_texts).collect();
    combine_searched(looks.zip(texts.iter().map(Vec::as_slice)), state)
}

/// As [`combine`], of looks with their [`own_texts`].
pub fn combine_searched<'a, 'b>(
    looks: impl Iterator<Item = (&'a Slots, &'b [String])> + Clone,
    state: &str,
) -> Combined {
    let mut texts: Vec<&String> = Vec::new();
    for text in looks.clone().flat_map(|(_, own)| own) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    let together = Slots::together(looks.map(|(slots, _)| slots));
    let own: Vec<f32> = texts.iter().map(|t| together.log_probability(t).exp()).collect();
    let rest = (1.0 - own.iter().sum::<f32>()).max(0.0);
    let (texts, nats): (Vec<String>, Vec<f32>) = texts.iter().map(|t| plate::spell(t, state)).unzip();
    let lifted: Vec<f32> = own.iter().zip(nats).map(|(p, n)| p * n.exp()).collect();
    let Some(best) = (0..texts.len()).max_by(|&a, &b| lifted[a].total_cmp(&lifted[b])) else {
        return Combined::default();
    };
    // "None of these" is lifted as the best text is: the prior ranks texts against each other and
    // must not by itself make the best of them surer.
    let lift = if own[best] > 0.0 { lifted[best] / own[best] } else { 1.0 };
    let total = lifted.iter().sum::<f32>() + rest * lift;
    let mut ranked: Vec<(String, f32)> =
        texts.into_iter().zip(lifted.iter().map(|p| p / total.max(f32::MIN_POSITIVE))).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    ranked.truncate(RANKED);
    Combined { candidates: ranked, slots: together }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_core::plate::Slots;
    use proptest::prelude::*;

    #[test]
    fn one_look_keeps_its_own_text_and_confidence() {
        let one = Slots::reading("7ABC123", 0.98);
        let c = combine([&one].into_iter(), "");
        assert_eq!(c.text(), "7ABC123");
        assert!((c.confidence() - one.candidates(1)[0].1).abs() < 0.02, "{c:?}");
    }

    #[test]
    fn looks_that_agree_are_surer_than_one() {
        let one = Slots::reading("7ABC123", 0.9);
        let of = |n: usize| combine(std::iter::repeat_n(&one, n), "").confidence();
        assert!(of(2) > of(1) && of(6) > of(2));
    }

    #[test]
    fn one_sure_wrong_look_does_not_outvote_three() {
        let (right, wrong) = (Slots::reading("7ABC123", 0.95), Slots::reading("1ABC123", 0.999));
        assert_eq!(combine([&wrong, &right, &right, &right].into_iter(), "").text(), "7ABC123");
    }

    #[test]
    fn the_prior_decides_only_what_the_picture_leaves_open() {
        // A one and an I equally likely in the first place of a California plate.
        let mut open = Slots::reading("1ABC234", 0.95);
        let positions: Vec<_> = (0..open.len()).map(|i| if i == 0 { even(b'1', b'I') } else { at(&open, i) }).collect();
        open = Slots::new(positions);
        assert_eq!(combine([&open].into_iter(), "CA").text(), "1ABC234");
        // A clear vanity plate stays what it is.
        let clear = Slots::reading("IABC234", 0.99);
        assert_eq!(combine([&clear].into_iter(), "CA").text(), "IABC234");
    }

    fn even(a: u8, b: u8) -> [f32; plated_core::plate::CLASSES] {
        plated_core::plate::ALPHABET.map(|c| if c == a || c == b { 0.49 } else { 0.02 / 35.0 })
    }

    fn at(slots: &Slots, i: usize) -> [f32; plated_core::plate::CLASSES] {
        let text = &slots.candidates(1)[0].0;
        let want = text.as_bytes().get(i).copied().unwrap_or(b'-');
        plated_core::plate::ALPHABET.map(|c| if c == want { 0.95 } else { 0.05 / 36.0 })
    }

    /// Combining as it was before texts were kept with the looks: each look is searched each time.
    fn searched_anew(looks: &[Slots], state: &str) -> Vec<(String, f32)> {
        let mut texts: Vec<String> = Vec::new();
        for (text, _) in looks.iter().flat_map(|look| look.candidates(FROM_EACH)) {
            if !text.is_empty() && !texts.contains(&text) {
                texts.push(text);
            }
        }
        let together = Slots::together(looks.iter());
        let own: Vec<f32> = texts.iter().map(|t| together.log_probability(t).exp()).collect();
        let rest = (1.0 - own.iter().sum::<f32>()).max(0.0);
        let (texts, nats): (Vec<String>, Vec<f32>) = texts.iter().map(|t| plate::spell(t, state)).unzip();
        let lifted: Vec<f32> = own.iter().zip(nats).map(|(p, n)| p * n.exp()).collect();
        let best = (0..texts.len()).max_by(|&a, &b| lifted[a].total_cmp(&lifted[b])).unwrap();
        let lift = if own[best] > 0.0 { lifted[best] / own[best] } else { 1.0 };
        let total = (lifted.iter().sum::<f32>() + rest * lift).max(f32::MIN_POSITIVE);
        let mut ranked: Vec<_> = texts.into_iter().zip(lifted.iter().map(|p| p / total)).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        ranked.truncate(RANKED);
        ranked
    }

    proptest! {
        #[test]
        fn looks_searched_once_give_what_looks_searched_each_time_give(
            texts in prop::collection::vec(("[A-C0-3]{1,7}", 0.3_f32..0.99), 1..30), known in any::<bool>()
        ) {
            let state = if known { "CA" } else { "" };
            let mut kept: Vec<(Slots, Vec<String>)> = Vec::new();
            for (n, (text, p)) in texts.iter().enumerate() {
                let look = Slots::reading(text, *p);
                if n >= 24 {
                    kept.swap_remove(n % 24);
                }
                kept.push((look.clone(), own_texts(&look)));
                let all: Vec<Slots> = kept.iter().map(|(slots, _)| slots.clone()).collect();
                let now = combine_searched(kept.iter().map(|(slots, own)| (slots, own.as_slice())), state);
                prop_assert_eq!(now.candidates, searched_anew(&all, state));
            }
        }

        #[test]
        fn the_order_of_looks_does_not_matter(texts in prop::collection::vec("[A-C1-3]{5,7}", 1..6), p in 0.5_f32..0.99) {
            let looks: Vec<Slots> = texts.iter().map(|t| Slots::reading(t, p)).collect();
            let (a, b) = (combine(looks.iter(), ""), combine(looks.iter().rev(), ""));
            prop_assert!((a.confidence() - b.confidence()).abs() < 1e-3);
            prop_assert!(a.candidates.iter().all(|(_, p)| (0.0..=1.0).contains(p)));
        }
    }
}
