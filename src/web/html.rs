//! Text in a page.

use askama::filters::Escaper;
use plated_core::text::visible;
use std::fmt::{self, Write};

/// Characters of one value that a page shows; the rest is counted.
pub const MAX_SHOWN: usize = 2000;

/// The escaper of all templates: HTML's own characters are escaped, and what would hide or turn text
/// around is shown as a visible escape ([`plated_core::text`]). Line ends stay.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown;

impl Escaper for Shown {
    fn write_escaped_str<W: Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        // Nearly every value is short and plain.
        if string.len() <= MAX_SHOWN && string.bytes().all(is_plain) {
            return dest.write_str(string);
        }
        let mut room = MAX_SHOWN;
        for (i, line) in string.split('\n').enumerate() {
            if room == 0 {
                return dest.write_str("…");
            }
            if i > 0 {
                dest.write_char('\n')?;
            }
            let line = line.strip_suffix('\r').unwrap_or(line);
            write!(Escaped(&mut dest), "{}", visible(line).at_most(room))?;
            room = room.saturating_sub(line.chars().take(room).count() + 1);
        }
        Ok(())
    }
}

/// Means nothing to HTML, in a text or in a quoted attribute.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'')
}

struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        askama::filters::Html.write_escaped_str(&mut self.0, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut out = String::new();
        Shown.write_escaped_str(&mut out, text).unwrap();
        out
    }

    #[test]
    fn a_script_in_a_text_is_text() {
        assert_eq!(shown("<script>alert('x')</script>"), "&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62;");
        assert_eq!(shown("\" onload=\"x"), "&#34; onload=&#34;x");
    }

    #[test]
    fn what_turns_or_hides_text_is_shown_as_an_escape() {
        assert_eq!(shown("ABC\u{202e}321"), r"ABC\u{202e}321");
        assert_eq!(shown("a\u{200b}b\u{1b}[2J"), r"a\u{200b}b\u{1b}[2J");
    }

    #[test]
    fn letters_of_every_script_and_line_ends_stay() {
        assert_eq!(shown("Peña 佐藤\r\nMüller"), "Peña 佐藤\nMüller");
    }

    #[test]
    fn a_megabyte_of_text_is_cut_and_says_so() {
        let text = shown(&"x".repeat(1 << 20));
        assert!(text.len() < MAX_SHOWN + 40, "{}", text.len());
        assert!(text.ends_with("… (1046576 more)"), "{}", &text[text.len() - 40..]);
        let lines = shown(&"ab\n".repeat(1 << 20));
        assert!(lines.len() < 2 * MAX_SHOWN && lines.ends_with('…'), "{}", lines.len());
    }
}
