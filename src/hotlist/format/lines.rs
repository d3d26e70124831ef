//! Lines of a text file, whatever its encoding and line ends (LF, CRLF, or CR alone).

use plated_core::error::{Error, Kind, Result};
use std::borrow::Cow;
use std::io::{self, BufRead};

/// A longer line is a mistake; it is passed over without being kept.
pub const MAX_LINE: usize = 64 * 1024;

/// What was found at the place of the next line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextLine {
    /// There is one; [`TextLines::text`] gives it.
    Whole,
    /// It was longer than [`MAX_LINE`].
    TooLong,
    /// The file is at its end.
    End,
}

/// Reads a file line by line, in bounded memory.
#[derive(Debug)]
pub struct TextLines<R> {
    input: R,
    buffer: Vec<u8>,
    number: u64,
    /// The line before ended with CR: an LF that follows belongs to it.
    after_cr: bool,
}

impl<R: BufRead> TextLines<R> {
    /// The lines of `input`.
    pub fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), number: 0, after_cr: false }
    }

    /// Goes on to the next line.
    ///
    /// # Errors
    /// `Storage` when it can't be read; `Input` when the file is no text, which its beginning shows,
    /// or when it is packed and damaged.
    pub fn next(&mut self) -> Result<NextLine> {
        let read = next_line(&mut self.input, &mut self.buffer, &mut self.after_cr);
        let line = read.map_err(|e| unreadable(&e, || format!("line {} could not be read", self.number + 1)))?;
        self.number += u64::from(line != NextLine::End);
        if self.number == 1 {
            if let Some(what) = foreign(&self.buffer) {
                return Err(Error::new(Kind::Input, what));
            }
            if self.buffer.starts_with(b"\xEF\xBB\xBF") {
                self.buffer.drain(..3);
            }
        }
        Ok(line)
    }

    /// Number of the line in the file, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The line as text.
    pub fn text(&self) -> Cow<'_, str> {
        decode(&self.buffer)
    }
}

/// True when a line holds nothing. The byte 0x1A is how DOS ends a file.
pub fn is_blank(line: &str) -> bool {
    line.bytes().all(|b| b.is_ascii_whitespace() || b == 0x1A)
}

/// What a failure to read says: of the disk or, from a packed file, of the file.
pub fn unreadable(e: &io::Error, what: impl FnOnce() -> String) -> Error {
    let packed = matches!(e.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof);
    let kind = if packed { Kind::Input } else { Kind::Storage };
    Error::new(kind, format!("{}: {e}", what()))
}

/// Reads the next line into `buffer`, without its end.
fn next_line(input: &mut impl BufRead, buffer: &mut Vec<u8>, after_cr: &mut bool) -> io::Result<NextLine> {
    buffer.clear();
    let (mut length, mut ended) = (0_usize, false);
    while !ended {
        let chunk = match input.fill_buf() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if chunk.is_empty() {
            break;
        }
        if std::mem::take(after_cr) && chunk[0] == b'\n' {
            input.consume(1);
            continue;
        }
        let end = chunk.iter().position(|b| matches!(b, b'\n' | b'\r'));
        let part = &chunk[..end.unwrap_or(chunk.len())];
        length += part.len();
        if length <= MAX_LINE {
            buffer.extend_from_slice(part);
        }
        ended = end.is_some();
        *after_cr = end.is_some_and(|at| chunk[at] == b'\r');
        let used = end.map_or(chunk.len(), |e| e + 1);
        input.consume(used);
    }
    Ok(match length {
        0 if !ended => NextLine::End,
        _ if length > MAX_LINE => NextLine::TooLong,
        _ => NextLine::Whole,
    })
}

/// What a file is that is no text, by how it begins.
pub fn foreign(start: &[u8]) -> Option<&'static str> {
    let utf_16 = "it is UTF-16 without its mark; save it as UTF-8";
    let known: [(&[u8], &str); 6] = [
        (b"\xFF\xFE", utf_16),
        (b"\xFE\xFF", utf_16),
        (b"\x1F\x8B", "it is compressed by gzip within another file; unpack it first"),
        (b"PK\x03\x04", "it is a ZIP archive within another file, or a workbook; unpack it, or save it as CSV"),
        (b"\xD0\xCF\x11\xE0", "it is a workbook; save it as CSV"),
        (b"%PDF", "it is a PDF; ask its source for a text file"),
    ];
    if let Some((_, what)) = known.iter().find(|(mark, _)| start.starts_with(mark)) {
        return Some(what);
    }
    // UTF-16 without its mark: in Latin text every second byte is zero.
    let start = &start[..start.len().min(64) / 2 * 2];
    let zero = |at: usize| start.iter().skip(at).step_by(2).all(|b| *b == 0);
    (start.len() >= 4 && zero(0) != zero(1)).then_some(utf_16)
}

/// The line as text: UTF-8, or Windows-1252 where it is not that.
fn decode(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(line).0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Vec<String> {
        let mut lines = TextLines::new(bytes);
        let mut out = Vec::new();
        while lines.next().unwrap() != NextLine::End {
            out.push(lines.text().into_owned());
        }
        out
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_memory() {
        let mut text = vec![b'x'; MAX_LINE + 1];
        text.extend_from_slice(b"\r\nnext\n\nlast");
        let mut lines = TextLines::new(&text[..]);
        assert_eq!(lines.next().unwrap(), NextLine::TooLong);
        for expected in ["next", "", "last"] {
            assert_eq!(lines.next().unwrap(), NextLine::Whole);
            assert_eq!(lines.text(), expected);
        }
        assert_eq!((lines.next().unwrap(), lines.number()), (NextLine::End, 4));
    }

    #[test]
    fn marks_line_ends_and_encodings_leave_the_same_text() {
        assert_eq!(texts(b"\xEF\xBB\xBFa\r\nMu\xC3\xB1oz\r\n"), ["a", "Muñoz"]);
        assert_eq!(texts(b"a\nMu\xF1oz"), ["a", "Muñoz"]);
        assert_eq!(texts(b"\x93red\x94 \x96 4 door"), ["“red” – 4 door"]);
        assert_eq!(texts(b"a\rb\r"), ["a", "b"]);
        assert_eq!(texts(b"a\r\nb\r\r\nc"), ["a", "b", "", "c"]);
    }

    #[test]
    fn a_line_end_across_two_reads_is_one() {
        use std::io::{BufReader, Read};
        let pieces = (&b"a\r"[..]).chain(&b"\nb\r"[..]).chain(&b"\n"[..]);
        let mut lines = TextLines::new(BufReader::with_capacity(2, pieces));
        for expected in ["a", "b"] {
            assert_eq!((lines.next().unwrap(), &*lines.text()), (NextLine::Whole, expected));
        }
        assert_eq!((lines.next().unwrap(), lines.number()), (NextLine::End, 2));
    }

    #[test]
    fn what_is_no_text_is_named_at_its_first_line() {
        for (start, expected) in [
            (&b"\xFF\xFEp\0l\0"[..], "UTF-16"),
            (b"\xFE\xFF\0p\0l", "UTF-16"),
            (b"p\0l\0a\0t\0e\0", "UTF-16"),
            (b"\0p\0l\0a\0t\0e", "UTF-16"),
            (b"PK\x03\x04\x14\0", "workbook"),
            (b"\x1F\x8B\x08\0", "gzip"),
        ] {
            let why = TextLines::new(start).next().unwrap_err();
            assert!(why.chain().contains(expected), "{why}");
        }
        assert_eq!(TextLines::new(&b"\0\0\0\0\0\0"[..]).next().unwrap(), NextLine::Whole, "zeros alone are no UTF-16");
    }
}
