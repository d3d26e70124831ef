//! What a reader says about one look at a plate: for each position, a probability for each
//! character and for "no character here".

/// Class order: blank first, then digits, then letters.
pub const ALPHABET: &[u8; CLASSES] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Number of classes.
pub const CLASSES: usize = 37;

const ZERO: usize = 1;
const LETTER_O: usize = 25;

/// No probability counts as less than this: one look that is sure and wrong can't outvote
/// several that agree.
const FLOOR: f32 = 1e-5;

/// Classes of a position that are followed when alternatives are searched.
const BRANCHES: usize = 4;

/// One distribution over [`ALPHABET`] for each position. Characters are left-aligned; blank
/// positions are left out of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slots(Vec<[f32; CLASSES]>);

impl Slots {
    /// Takes the positions from left to right; each should sum to one.
    ///
    /// The letter O counts as the digit 0 from here on, since on most plates both have one shape:
    /// [`crate::plate::spell`] decides how a text is written.
    pub fn new(mut positions: Vec<[f32; CLASSES]>) -> Self {
        for position in &mut positions {
            position[ZERO] += std::mem::take(&mut position[LETTER_O]);
        }
        Self(positions)
    }

    /// A distribution that reads `text` with probability `p` at each of nine or more positions, the rest
    /// spread evenly: for a text that somebody gave.
    pub fn reading(text: &str, p: f32) -> Self {
        let positions = (0..text.len().max(9)).map(|i| {
            let class = text.as_bytes().get(i).and_then(|c| ALPHABET.iter().position(|a| a == c)).unwrap_or(0);
            let mut d = [(1.0 - p) / (CLASSES - 1) as f32; CLASSES];
            d[class] = p;
            d
        });
        Self::new(positions.collect())
    }

    /// The positions from left to right.
    pub fn positions(&self) -> &[[f32; CLASSES]] {
        &self.0
    }

    /// Number of positions.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True without positions.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The `count` most probable texts with their probabilities, best first.
    ///
    /// A beam search: a text reached by several placements of its blanks counts by its best.
    pub fn candidates(&self, count: usize) -> Vec<(String, f32)> {
        let width = count.max(8);
        let mut beam: Vec<(String, f64)> = vec![(String::new(), 1.0)];
        let mut longer: Vec<(f64, usize, usize)> = Vec::new();
        for position in &self.0 {
            let classes = most_probable(position);
            longer.clear();
            for (i, (_, p)) in beam.iter().enumerate() {
                longer.extend(classes.iter().map(|&class| (p * f64::from(position[class]), i, class)));
            }
            // The best first, so that a text is met by its best placement first, and few texts are made.
            longer.sort_by(|a, b| b.0.total_cmp(&a.0));
            let mut grown: Vec<(String, f64)> = Vec::with_capacity(width);
            for &(p, i, class) in &longer {
                let character = if class == 0 { "" } else { character(class) };
                let text = &beam[i].0;
                let known = |t: &str| t.strip_suffix(character).is_some_and(|start| start == text);
                if grown.iter().any(|(t, _)| known(t)) {
                    continue;
                }
                let mut whole = String::with_capacity(self.0.len());
                whole.push_str(text);
                whole.push_str(character);
                grown.push((whole, p));
                if grown.len() == width {
                    break;
                }
            }
            beam = grown;
        }
        beam.truncate(count);
        beam.into_iter().map(|(t, p)| (t, p as f32)).collect()
    }

    /// Several looks as one: for each position the mean logarithm times √n, made to sum to one.
    pub fn together<'a>(looks: impl Iterator<Item = &'a Slots>) -> Self {
        Self::pooled(looks, |n| 1.0 / n.sqrt()) // √n · 1/n
    }

    /// Several cuts of one picture as one look: as [`Slots::together`], without √n, since they show the same pixels.
    pub fn mean<'a>(looks: impl Iterator<Item = &'a Slots>) -> Self {
        Self::pooled(looks, |n| 1.0 / n)
    }

    fn pooled<'a>(looks: impl Iterator<Item = &'a Slots>, scale: impl Fn(f32) -> f32) -> Self {
        let mut sums: Vec<[f32; CLASSES]> = Vec::new();
        let mut count = 0.0_f32;
        for look in looks {
            count += 1.0;
            sums.resize(sums.len().max(look.0.len()), [0.0; CLASSES]);
            for (sum, position) in sums.iter_mut().zip(&look.0) {
                for (s, p) in sum.iter_mut().zip(position) {
                    *s += p.max(FLOOR).ln();
                }
            }
        }
        let scale = scale(count.max(1.0));
        for position in &mut sums {
            let top = position.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b));
            position.iter_mut().for_each(|s| *s = ((*s - top) * scale).exp());
            let total: f32 = position.iter().sum();
            position.iter_mut().for_each(|s| *s /= total);
        }
        Self(sums)
    }

    /// Natural logarithm of the probability that the plate reads `text`, each position floored.
    ///
    /// A text longer than there are positions gets the floor for each character too many. `O` counts
    /// as `0`.
    pub fn log_probability(&self, text: &str) -> f32 {
        let text = text.as_bytes();
        let class = |c: &u8| if *c == b'O' { Some(ZERO) } else { ALPHABET.iter().position(|a| a == c) };
        let at = |i: usize| text.get(i).and_then(class).unwrap_or(0);
        let inside: f32 = self.0.iter().enumerate().map(|(i, p)| p[at(i)].max(FLOOR).ln()).sum();
        inside + text.len().saturating_sub(self.0.len()) as f32 * FLOOR.ln()
    }
}

/// The classes that are followed, the most probable first; of equals the first.
fn most_probable(position: &[f32; CLASSES]) -> [usize; BRANCHES] {
    let mut best = [0; BRANCHES];
    for class in 0..CLASSES {
        let known = class.min(BRANCHES);
        let place = best[..known].iter().position(|&b| position[class] > position[b]).unwrap_or(known);
        if place < BRANCHES {
            best.copy_within(place..(BRANCHES - 1).min(known), place + 1);
            best[place] = class;
        }
    }
    best
}

fn character(class: usize) -> &'static str {
    std::str::from_utf8(&ALPHABET[class..=class]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_best_text_leaves_blanks_out() {
        let (text, p) = Slots::reading("7ABC123", 0.9).candidates(1).remove(0);
        assert_eq!(text, "7ABC123");
        assert!((p - 0.9_f32.powi(9)).abs() < 1e-5);
    }

    /// Every way to follow the four most probable classes, without a beam.
    fn all_texts(slots: &Slots) -> Vec<(String, f64)> {
        let mut all = vec![(String::new(), 1.0)];
        for position in slots.positions() {
            let mut order: Vec<usize> = (0..CLASSES).collect();
            order.sort_by(|&a, &b| position[b].total_cmp(&position[a]));
            let longer = |(text, p): &(String, f64)| {
                let (text, p) = (text.clone(), *p);
                order[..BRANCHES]
                    .iter()
                    .map(move |&class| {
                        let character =
                            if class == 0 { String::new() } else { char::from(ALPHABET[class]).to_string() };
                        (text.clone() + &character, p * f64::from(position[class]))
                    })
                    .collect::<Vec<_>>()
            };
            all = all.iter().flat_map(longer).collect();
        }
        let mut best: Vec<(String, f64)> = Vec::new();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (text, p) in all {
            if !best.iter().any(|(t, _)| *t == text) {
                best.push((text, p));
            }
        }
        best
    }

    proptest! {
        #[test]
        fn the_best_candidates_are_the_best_of_all_texts(
            positions in proptest::collection::vec(proptest::array::uniform32(0.0_f32..1.0), 1..5)
        ) {
            let positions = positions.iter().map(|some| {
                let mut position = [0.001_f32; CLASSES];
                position[..32].copy_from_slice(some);
                position.map(|p| p.powi(4))
            });
            let slots = Slots::new(positions.collect());
            let (found, all) = (slots.candidates(8), all_texts(&slots));
            // A beam may lose a text on the way, but never the best, and it names none that is not there.
            prop_assert_eq!(&found[0].0, &all[0].0);
            for (text, p) in &found {
                let best = all.iter().find(|(t, _)| t == text).map(|(_, p)| *p);
                prop_assert!(best.is_some_and(|b| f64::from(*p) <= b * 1.000_01));
            }
        }

        #[test]
        fn the_mean_of_looks_is_no_surer_than_the_surest(text in "[A-Z1-9]{1,9}", p in 0.3_f32..0.99, q in 0.3_f32..0.99) {
            let (one, other) = (Slots::reading(&text, p), Slots::reading(&text, q));
            let both = Slots::mean([&one, &other].into_iter()).candidates(1).remove(0);
            let sure = |s: &Slots| s.candidates(1)[0].1;
            prop_assert_eq!(&both.0, &text.replace('O', "0"));
            prop_assert!(both.1 <= sure(&one).max(sure(&other)) + 1e-4 && both.1 >= sure(&one).min(sure(&other)) - 1e-4);
        }

        #[test]
        fn candidates_are_ranked_and_begin_with_the_best(text in "[A-Z0-9]{1,9}", p in 0.3_f32..0.99) {
            let slots = Slots::reading(&text, p);
            let c = slots.candidates(5);
            prop_assert_eq!(&c[0].0, &text.replace('O', "0"));
            prop_assert!(c.windows(2).all(|w| w[0].1 >= w[1].1));
            prop_assert!((slots.log_probability(&c[0].0) - c[0].1.ln()).abs() < 1e-3);
        }
    }
}
