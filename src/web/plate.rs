//! A plate as pages show it, and two of them compared.
//!
//! Read and listed plate stand above each other, position by position, and each difference is
//! marked, the letter O against the digit 0 too (control P-06). Where one has a character more, the
//! other has a gap.

/// Characters of a plate that are shown; a text from outside may have more.
const MAX_CHARACTERS: usize = 16;

/// One position of a plate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The character; a blank for a gap.
    pub character: char,
    /// It is not what the other plate has here.
    pub differs: bool,
}

impl Cell {
    /// The other plate has a character here, this one has none.
    pub fn is_gap(&self) -> bool {
        self.character == GAP
    }
}

/// A plate to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plate {
    /// Its positions.
    pub cells: Vec<Cell>,
    /// Issuing state, two letters, or empty when unknown.
    pub state: String,
}

/// A read and the listed plate it was taken for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// What was read.
    pub read: Plate,
    /// What the list has; `?` and `*` of a partial plate as they were written.
    pub listed: Plate,
    /// Each difference in words, such as `Place 3: letter O was read, the list has digit 0`.
    pub differences: Vec<String>,
    /// Both states are known and are not the same.
    pub states_differ: bool,
}

impl Pair {
    /// How the states compare, in words; empty when they are the same.
    pub fn states(&self) -> String {
        let (read, listed) = (&self.read.state, &self.listed.state);
        match (read.as_str(), listed.as_str()) {
            ("", "") => "Neither the read nor the list has a state".into(),
            ("", listed) => format!("The state was not read; the list has {listed}"),
            (read, "") => format!("The list has no state; {read} was read"),
            (read, listed) if read == listed => String::new(),
            (read, listed) => format!("The states differ: {read} was read, the list has {listed}"),
        }
    }

    /// The characters agree, as far as they are known.
    pub fn agreement(&self) -> &'static str {
        let partial = self.listed.cells.iter().any(|c| matches!(c.character, '?' | '*'));
        if partial { "Fits the partial plate" } else { "No differing characters" }
    }
}

impl Plate {
    /// A plate without a comparison.
    pub fn new(text: &str, state: &str) -> Self {
        let cells = text.chars().take(MAX_CHARACTERS).map(|character| Cell { character, differs: false }).collect();
        Self { cells, state: state.to_owned() }
    }

    /// Letters and digits, as they are copied.
    pub fn text(&self) -> String {
        self.cells.iter().map(|c| c.character).filter(|c| *c != GAP).collect()
    }

    /// As it is read aloud, so that zero and O are told apart: `6 K letter O J 3`.
    pub fn spoken(&self) -> String {
        let words: Vec<_> = self.cells.iter().filter(|c| c.character != GAP).map(|c| spoken(c.character)).collect();
        words.join(" ")
    }

    /// True for a plate so long that it has to be set smaller.
    pub fn is_long(&self) -> bool {
        self.cells.len() > 8
    }
}

const GAP: char = ' ';

fn spoken(c: char) -> String {
    match c {
        'O' => "letter O".into(),
        'I' => "letter I".into(),
        '0' => "zero".into(),
        '?' => "any character".into(),
        '*' => "anything".into(),
        c => c.into(),
    }
}

/// As it is named in a sentence.
fn named(c: char) -> String {
    match c {
        'A'..='Z' => format!("letter {c}"),
        '0'..='9' => format!("digit {c}"),
        c => c.into(),
    }
}

impl Pair {
    /// Compares a read with a listed plate.
    pub fn new(read: &str, read_state: &str, listed: &str, listed_state: &str) -> Self {
        let read: Vec<char> = read.chars().take(MAX_CHARACTERS).collect();
        let listed: Vec<char> = listed.chars().take(MAX_CHARACTERS).collect();
        let (mut above, mut below, mut differences) = (Vec::new(), Vec::new(), Vec::new());
        for (place, (a, b)) in align(&read, &listed).into_iter().enumerate() {
            let differs = a != b && !matches!(b, Some('?' | '*' | GAP));
            above.push(Cell { character: a.unwrap_or(GAP), differs });
            below.push(Cell { character: b.unwrap_or(GAP), differs });
            let place = place + 1;
            match (a, b) {
                _ if !differs => (),
                (Some(a), Some(b)) => {
                    differences.push(format!("Place {place}: {} was read, the list has {}", named(a), named(b)));
                }
                (Some(a), None) => {
                    differences.push(format!("Place {place}: {} was read, the list has nothing there", named(a)));
                }
                (None, Some(b)) => {
                    differences.push(format!("Place {place}: nothing was read, the list has {}", named(b)));
                }
                (None, None) => (),
            }
        }
        Self {
            read: Plate { cells: above, state: read_state.to_owned() },
            listed: Plate { cells: below, state: listed_state.to_owned() },
            differences,
            states_differ: !read_state.is_empty() && !listed_state.is_empty() && read_state != listed_state,
        }
    }
}

/// The alignment with the fewest differences. `?` stands for any character, `*` for any run, of which
/// the first position shows the `*`.
fn align(read: &[char], listed: &[char]) -> Vec<(Option<char>, Option<char>)> {
    let fits = |i: usize, j: usize| read[i] == listed[j] || listed[j] == '?';
    let (n, m) = (read.len(), listed.len());
    // cost[i][j]: differences between what follows place i of the read and place j of the list.
    let mut cost = vec![vec![0_usize; m + 1]; n + 1];
    for i in (0..=n).rev() {
        for j in (0..=m).rev() {
            cost[i][j] = match (i < n, j < m) {
                (false, false) => 0,
                (true, false) => n - i,
                (in_read, true) if listed[j] == '*' => {
                    let none = cost[i][j + 1];
                    if in_read { none.min(cost[i + 1][j]) } else { none }
                }
                (false, true) => 1 + cost[i][j + 1],
                (true, true) => {
                    (cost[i + 1][j + 1] + usize::from(!fits(i, j))).min(1 + cost[i + 1][j]).min(1 + cost[i][j + 1])
                }
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    let mut in_star = false;
    while i < n || j < m {
        if j < m && listed[j] == '*' {
            if i < n && cost[i][j] == cost[i + 1][j] && cost[i + 1][j] <= cost[i][j + 1] {
                pairs.push((Some(read[i]), Some(if in_star { GAP } else { '*' })));
                (i, in_star) = (i + 1, true);
            } else {
                if !in_star {
                    pairs.push((None, Some('*')));
                }
                (j, in_star) = (j + 1, false);
            }
        } else if i < n && j < m && cost[i][j] == cost[i + 1][j + 1] + usize::from(!fits(i, j)) {
            pairs.push((Some(read[i]), Some(listed[j])));
            (i, j) = (i + 1, j + 1);
        } else if i < n && cost[i][j] == 1 + cost[i + 1][j] {
            pairs.push((Some(read[i]), None));
            i += 1;
        } else {
            pairs.push((None, Some(listed[j])));
            j += 1;
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(plate: &Plate) -> String {
        plate.cells.iter().map(|c| if c.differs { '^' } else { '.' }).collect()
    }

    // policy: P-06
    #[test]
    fn letter_o_against_zero_is_a_difference_that_is_marked_and_named() {
        let pair = Pair::new("6KOJ318", "CA", "6K0J318", "CA");
        assert_eq!(marked(&pair.read), "..^....");
        assert_eq!(marked(&pair.listed), "..^....");
        assert_eq!(pair.differences, ["Place 3: letter O was read, the list has digit 0"]);
        assert!(!pair.states_differ);
    }

    #[test]
    fn a_character_more_leaves_a_gap_and_the_rest_stays_aligned() {
        let pair = Pair::new("ABC123", "", "ABC1X23", "NV");
        assert_eq!(pair.read.cells.len(), 7);
        assert_eq!(marked(&pair.listed), "....^..");
        assert_eq!(pair.listed.text(), "ABC1X23");
        assert_eq!(pair.read.text(), "ABC123");
        assert_eq!(pair.differences, ["Place 5: nothing was read, the list has letter X"]);
        assert!(!pair.states_differ, "an unknown state is no other state");
    }

    #[test]
    fn signs_of_a_partial_plate_are_no_differences() {
        let pair = Pair::new("7ABC123", "CA", "7A?*3", "CA");
        assert_eq!(pair.differences, Vec::<String>::new());
        assert_eq!(pair.read.text(), "7ABC123");
        assert_eq!(pair.agreement(), "Fits the partial plate");
        let pair = Pair::new("7ABC123", "CA", "*999", "CA");
        assert_eq!(pair.differences.len(), 3, "{:?}", pair.differences);
    }

    #[test]
    fn other_states_are_told() {
        let pair = Pair::new("9FWL270", "CA", "9FWL270", "NV");
        assert!(pair.states_differ);
        assert_eq!(pair.states(), "The states differ: CA was read, the list has NV");
        let unknown = Pair::new("9FWL270", "", "9FWL270", "NV");
        assert!(!unknown.states_differ);
        assert_eq!(unknown.states(), "The state was not read; the list has NV");
        assert_eq!(Pair::new("9FWL270", "NV", "9FWL270", "NV").states(), "");
    }

    #[test]
    fn zero_and_o_are_spoken_differently() {
        assert_eq!(Plate::new("6KO0", "CA").spoken(), "6 K letter O zero");
    }

    #[test]
    fn endless_texts_are_cut() {
        let long = "A".repeat(100_000);
        assert_eq!(Pair::new(&long, "", &long, "").read.cells.len(), MAX_CHARACTERS);
    }
}
