//! How far two texts are apart.

/// Characters that have to be replaced, put in or taken out to make one text the other (Levenshtein
/// distance, of bytes: plates are ASCII).
pub fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_change_of_a_character_counts_once() {
        for (a, b, n) in
            [("", "", 0), ("7ABC123", "7ABC124", 1), ("XMP41", "XMP417", 1), ("7ABC", "ABC1", 2), ("", "LL", 2)]
        {
            assert_eq!(edit_distance(a, b), n, "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn it_is_the_same_both_ways_and_at_most_the_longer_text(a in "[A-C1-3]{0,7}", b in "[A-C1-3]{0,7}") {
            prop_assert_eq!(edit_distance(&a, &b), edit_distance(&b, &a));
            prop_assert!(edit_distance(&a, &b) <= a.len().max(b.len()));
            prop_assert!(edit_distance(&a, &b) >= a.len().abs_diff(b.len()));
        }
    }
}
