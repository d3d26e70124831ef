//! Text from outside, made safe to show on a terminal or a screen.
//!
//! Lists, file names, plates and other programs can bring control characters, terminal escapes,
//! overrides of the reading direction and characters that nobody sees. Shown raw they move the
//! cursor, hide a word or turn `ABC123` around. Here each of them becomes a visible escape.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;

/// Characters shown of a text that has no limit of its own.
pub const MAX_SHOWN: usize = 2000;
/// Accents above each other on one letter; more of them run over the lines above and below.
const MAX_MARKS: usize = 2;

/// Text that is safe to show, on one line.
///
/// Letters of every script stay as they are. Shown as `\u{202e}` or `\n` are control characters,
/// line ends, format characters (among them all that change the reading direction), characters that
/// are invisible or mean nothing to Unicode, spaces other than the common one, and accents piled
/// up. Bytes that are not UTF-8, as in a file name, are shown as `\x{ff}`. What is too long ends in
/// `… (12 more)`.
#[derive(Clone, Copy, Debug)]
pub struct Visible<'a> {
    bytes: &'a [u8],
    most: usize,
}

/// A text or a file name, to be shown.
pub fn visible<T: AsRef<OsStr> + ?Sized>(text: &T) -> Visible<'_> {
    Visible { bytes: text.as_ref().as_bytes(), most: MAX_SHOWN }
}

impl Visible<'_> {
    /// Shows so many characters only, escapes counted as they are shown.
    pub fn at_most(self, characters: usize) -> Self {
        Self { most: characters, ..self }
    }
}

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Out { f, room: self.most, left_out: 0 };
        let mut marks = MAX_MARKS; // Nothing to stand on at the begin.
        for chunk in self.bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                marks = if is_mark(c) { marks + 1 } else { 0 };
                if is_safe(c) && marks <= MAX_MARKS {
                    out.put(format_args!("{c}"), 1)?;
                } else {
                    let escape = c.escape_default();
                    out.put(format_args!("{escape}"), escape.len())?;
                    marks = MAX_MARKS;
                }
            }
            for byte in chunk.invalid() {
                out.put(format_args!("\\x{{{byte:02x}}}"), 6)?;
                marks = MAX_MARKS;
            }
        }
        match out.left_out {
            0 => Ok(()),
            more => write!(f, "… ({more} more)"),
        }
    }
}

struct Out<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    room: usize,
    left_out: usize,
}

impl Out<'_, '_> {
    /// Shows one character that takes this much room, or counts it. None after the first left out.
    fn put(&mut self, shown: fmt::Arguments<'_>, takes: usize) -> fmt::Result {
        if self.left_out > 0 || takes > self.room {
            self.left_out += 1;
            return Ok(());
        }
        self.room -= takes;
        self.f.write_fmt(shown)
    }
}

/// Visible by itself, and harmless.
fn is_safe(c: char) -> bool {
    matches!(c, ' '..='~') || c > '~' && is_printable(c) && !is_blank(c)
}

/// Printable to the standard library: no control, format or private character, no separator, and
/// known to Unicode. Behind a letter, since a mark alone counts as not printable there.
fn is_printable(c: char) -> bool {
    let mut text = [b'a'; 5];
    let end = 1 + c.encode_utf8(&mut text[1..]).len();
    str::from_utf8(&text[..end]).is_ok_and(|text| text.escape_debug().nth(1) == Some(c))
}

/// An accent or other mark that stands on the character before it.
fn is_mark(c: char) -> bool {
    c > '~' && is_printable(c) && c.escape_debug().next() != Some(c)
}

/// Letters, signs and marks that are shown as nothing, though Unicode does not count them among the
/// format characters (`Default_Ignorable_Code_Point`, and the blank of Braille).
fn is_blank(c: char) -> bool {
    matches!(c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A writer for lines of text from the program and from outside: what a terminal would obey, and what
/// hides or turns text around, becomes a visible escape as in [`visible`]. Line ends stay.
#[derive(Debug)]
pub struct VisibleLines<W>(pub W);

impl<W: io::Write> io::Write for VisibleLines<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let mut shown = String::with_capacity(text.len());
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let (line, end) = line.strip_suffix(b"\n").map_or((line, ""), |line| (line, "\n"));
            shown.push_str(&format!("{}{end}", visible(OsStr::from_bytes(line)).at_most(usize::MAX)));
        }
        self.0.write_all(shown.as_bytes())?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// JSON as it can be shown on a terminal: the same to every reader of JSON, with escapes for the
/// characters that [`visible`] shows as escapes. Outside of its texts JSON has none of these.
pub fn visible_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        match is_safe(c) {
            true => shown.push(c),
            false => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| shown.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    shown
}

/// The text as a sentence: with a full stop, unless it ends with a sign of its own.
pub fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '?', '!']) { text.to_owned() } else { format!("{text}.") }
}

/// A moment for people: the vehicle's local time to the second, with its offset from UTC.
pub fn local(at: jiff::Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// A number of things in words: `1 look`, `2 looks`. `one` is a word whose plural ends in s.
pub fn count(number: u64, one: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    }
}

/// An age in seconds for people: `5 min`, `7 h`, `3 days`.
pub fn age(seconds: u64) -> String {
    match seconds {
        s if s < 2 * 3600 => format!("{} min", s / 60),
        s if s < 2 * 86_400 => format!("{} h", s / 3600),
        s => count(s / 86_400, "day"),
    }
}

/// Entries in words: `1 entry`, `2 entries`.
pub fn entries(number: u64) -> String {
    format!("{number} {}", if number == 1 { "entry" } else { "entries" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        visible(text).to_string()
    }

    /// Any text with more than its share of what is dangerous.
    fn hostile() -> impl Strategy<Value = String> {
        let odd = prop::sample::select(vec![
            '\0',
            '\x07',
            '\x1b',
            '\r',
            '\n',
            '\t',
            '\x7f',
            '\u{80}',
            '\u{9b}',
            '\u{85}',
            '\u{a0}',
            '\u{ad}',
            '\u{61c}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202b}',
            '\u{202c}',
            '\u{202d}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2067}',
            '\u{2068}',
            '\u{2069}',
            '\u{206f}',
            '\u{301}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{fffb}',
            '\u{e0041}',
            '\u{e000}',
            '\u{10ffff}',
        ]);
        proptest::collection::vec(prop_oneof![odd, any::<char>()], 0..60).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn nothing_shown_moves_the_cursor_turns_the_text_or_hides(text in hostile()) {
            let shown = shown(&text);
            for c in shown.chars() {
                prop_assert!(!c.is_control(), "{c:?}");
                prop_assert!(c == ' ' || !c.is_whitespace(), "{c:?}");
                prop_assert!(is_safe(c), "{c:?}");
                let directs = matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}');
                prop_assert!(!directs && c != '\u{feff}' && c != '\u{ad}', "{c:?}");
            }
        }

        #[test]
        fn what_is_shown_is_safe_to_show_again(text in hostile()) {
            let once = shown(&text);
            prop_assert_eq!(shown(&once), once);
        }

        #[test]
        fn no_text_takes_more_room_than_it_is_given(text in hostile(), most in 0usize..100) {
            let shown = visible(&text).at_most(most).to_string();
            let kept = shown.rsplit_once('…').map_or(&*shown, |(kept, _)| kept);
            prop_assert!(kept.chars().count() <= most);
        }

        #[test]
        fn plain_text_stays_as_it_is(text in "[ -~äöüßéñçÅøŁ東京АБ]{0,80}") {
            prop_assert_eq!(shown(&text), text);
        }

        #[test]
        fn any_bytes_of_a_file_name_can_be_shown(bytes: Vec<u8>) {
            prop_assert!(visible(OsStr::from_bytes(&bytes)).to_string().chars().all(is_safe));
        }
    }

    proptest! {
        #[test]
        fn json_is_the_same_to_its_readers_and_safe_to_show(text in hostile()) {
            let json = serde_json::to_string(&text).unwrap();
            let shown = visible_json(&json);
            prop_assert!(shown.chars().all(is_safe));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }

        #[test]
        fn lines_stay_lines_and_nothing_in_them_acts_on_a_terminal(texts in proptest::collection::vec(hostile(), 0..5)) {
            let mut out = VisibleLines(Vec::new());
            let lines: Vec<String> = texts.iter().map(|t| t.replace('\n', "")).collect();
            lines.iter().for_each(|line| io::Write::write_all(&mut out, format!("{line}\n").as_bytes()).unwrap());
            let expected: String = lines.iter().map(|line| format!("{}\n", visible(line).at_most(usize::MAX))).collect();
            prop_assert_eq!(String::from_utf8(out.0).unwrap(), expected);
        }
    }

    #[test]
    fn dangerous_characters_become_visible_escapes() {
        for (text, expected) in [
            ("8ABC\u{202e}321", r"8ABC\u{202e}321"),
            ("\x1b[2J\x1b]0;owned\x07", r"\u{1b}[2J\u{1b}]0;owned\u{7}"),
            ("a\u{2066}b\u{2069}", r"a\u{2066}b\u{2069}"),
            ("one\r\ntwo\tthree", r"one\r\ntwo\tthree"),
            ("nul\0", r"nul\u{0}"),
            ("zero\u{200b}width\u{feff}", r"zero\u{200b}width\u{feff}"),
            ("tags\u{e0041}", r"tags\u{e0041}"),
            ("BLK\u{a0}SUV", r"BLK\u{a0}SUV"),
            ("\u{3164}", r"\u{3164}"),
            ("\u{9b}31m", r"\u{9b}31m"),
            (r"C:\lists", r"C:\lists"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn accents_stay_on_their_letter_and_do_not_pile_up() {
        assert_eq!(shown("Jose\u{301}"), "Jose\u{301}");
        assert_eq!(shown("e\u{302}\u{301}"), "e\u{302}\u{301}");
        assert_eq!(shown("e\u{301}\u{301}\u{301}"), "e\u{301}\u{301}\\u{301}");
        assert_eq!(shown("\u{301}e"), "\\u{301}e", "none stands on what is in front of the text");
    }

    #[test]
    fn a_sentence_ends_once_and_numbers_agree_with_their_word() {
        let ends = ["is the camera plugged in?", "It may have been disconnected.", "no space left"].map(sentence);
        assert_eq!(ends, ["is the camera plugged in?", "It may have been disconnected.", "no space left."]);
        assert_eq!([count(0, "read"), count(1, "read"), count(2, "read")], ["0 reads", "1 read", "2 reads"]);
    }

    #[test]
    fn a_text_that_is_too_long_says_how_much_is_missing() {
        assert_eq!(visible("ABCDEF").at_most(4).to_string(), "ABCD… (2 more)");
        assert_eq!(visible("AB\u{202e}F").at_most(4).to_string(), "AB… (2 more)", "an escape is whole or not there");
        assert_eq!(visible(&"A".repeat(5000)).to_string().chars().count(), MAX_SHOWN + "… (3000 more)".chars().count());
    }

    #[test]
    fn a_file_name_that_is_not_utf_8_is_shown_byte_by_byte() {
        assert_eq!(visible(OsStr::from_bytes(b"a\xff\xfe.csv")).to_string(), r"a\x{ff}\x{fe}.csv");
    }
}
