//! Text of lists made safe where it enters: what is kept in a field can be shown as it is.

use plated_core::record::EntryRecord;
use std::borrow::Cow;

/// Characters that are not kept: controls (a terminal obeys them), marks that turn the direction of
/// writing (they make another text of what is shown), and others that can't be seen.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Line breaks and tabs; they become a space.
fn is_break(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The text without hidden characters, and whether some were left out. Line breaks, with the spaces
/// around them, become one space; that alone counts as nothing left out.
pub fn clean(text: &str) -> (Cow<'_, str>, bool) {
    if !text.chars().any(is_hidden) {
        return (Cow::Borrowed(text), false);
    }
    let (mut out, mut left_out, mut after_break) = (String::with_capacity(text.len()), false, false);
    for c in text.chars() {
        if is_break(c) {
            out.truncate(out.trim_end().len());
            after_break = true;
        } else if is_hidden(c) {
            left_out = true;
        } else if !(after_break && c.is_whitespace()) {
            if std::mem::take(&mut after_break) && !out.is_empty() {
                out.push(' ');
            }
            out.push(c);
        }
    }
    (Cow::Owned(out), left_out)
}

/// Makes the texts of an entry safe that did not come through the import of a file.
pub fn clean_entry(entry: &mut EntryRecord) {
    #[rustfmt::skip]
    let EntryRecord {
        list: _, priority: _, valid_from: _, expires: _, plate, state, category, reason, make, colour, source, date, id,
        ori, model, style, year, plate_year, plate_type, vin, case_number, remarks,
    } = entry;
    #[rustfmt::skip]
    let texts = [
        plate, state, category, reason, make, colour, source, date, id, ori, model, style, year, plate_year, plate_type,
        vin, case_number, remarks,
    ];
    for text in texts {
        if let (Cow::Owned(clean), _) = clean(text) {
            *text = clean;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_and_marks_of_direction_are_not_kept_and_line_breaks_become_spaces() {
        assert_eq!(clean("red\u{1b}[31m \u{202e}4 door"), ("red[31m 4 door".into(), true));
        assert_eq!(clean("stolen \r\n   at gunpoint\t\n"), ("stolen at gunpoint".into(), false));
        assert_eq!(clean("Señor Muñoz, 5' 7\""), ("Señor Muñoz, 5' 7\"".into(), false));
        let mut entry =
            EntryRecord { remarks: "a\u{9b}31mb".into(), vin: "1\u{200b}2".into(), ..EntryRecord::default() };
        clean_entry(&mut entry);
        assert_eq!((&*entry.remarks, &*entry.vin), ("a31mb", "12"));
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left_of_any_text(text in "\\PC{0,20}[\\x00-\\x1f\\x7f-\\xa0\u{202a}-\u{202e}]{0,5}\\PC{0,20}") {
            let (safe, _) = clean(&text);
            prop_assert!(!safe.chars().any(is_hidden));
            prop_assert_eq!(clean(&safe), (Cow::Borrowed(&*safe), false));
        }
    }
}
