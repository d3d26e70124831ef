//! The one form in which a list is handed out: JSON of an entry on each line, the lines in the
//! order of their bytes, none twice, each with its line feed. So equal lists are equal bytes.

use plated_core::digest::{Hasher, Sha256};
use plated_core::error::{Context, Error, Kind, Result};
use std::io::{BufRead, Read, Write};

/// A longer line is a mistake.
pub const MAX_LINE: usize = 64 * 1024;

/// The lines of a list, in order.
#[derive(Debug)]
pub struct CanonicalLines<R> {
    input: R,
    line: Vec<u8>,
    before: Vec<u8>,
    number: u64,
}

impl<R: BufRead> CanonicalLines<R> {
    /// The lines of `input`.
    pub fn new(input: R) -> Self {
        Self { input, line: Vec::new(), before: Vec::new(), number: 0 }
    }

    /// Goes on to the next line; false at the end.
    ///
    /// # Errors
    /// `Input` when the lines are not in order or the last one is cut off.
    pub fn advance(&mut self) -> Result<bool> {
        std::mem::swap(&mut self.line, &mut self.before);
        if !read_line(&mut self.input, &mut self.line, self.number + 1)? {
            return Ok(false);
        }
        self.number += 1;
        if self.number > 1 && self.line <= self.before {
            return Err(Error::new(Kind::Input, format!("line {} is not in order", self.number)));
        }
        Ok(true)
    }

    /// The line, without its line feed; empty before the first and after the last.
    pub fn line(&self) -> &[u8] {
        &self.line
    }
}

/// Reads the next line into `line`, without its line feed; false at the end.
pub fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>, number: u64) -> Result<bool> {
    line.clear();
    input
        .take(MAX_LINE as u64 + 1)
        .read_until(b'\n', line)
        .context(Kind::Storage, || format!("line {number} could not be read"))?;
    if line.is_empty() {
        return Ok(false);
    }
    if line.pop_if(|last| *last == b'\n').is_some() {
        return Ok(true);
    }
    let what = if line.len() > MAX_LINE { "is too long" } else { "is cut off" };
    Err(Error::new(Kind::Input, format!("line {number} {what}")))
}

/// Writes a list, and takes its hash and its counts.
pub struct CanonicalWriter<W> {
    output: W,
    hasher: Hasher,
    bytes: u64,
    entries: u64,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Over all bytes.
    pub sha256: Sha256,
    /// Size in bytes.
    pub bytes: u64,
    /// Lines.
    pub entries: u64,
}

impl<W: Write> CanonicalWriter<W> {
    /// Writes to `output`.
    pub fn new(output: W) -> Self {
        Self { output, hasher: Hasher::new(), bytes: 0, entries: 0 }
    }

    /// Adds a line; the caller keeps the order.
    pub fn add(&mut self, line: &[u8]) -> Result<()> {
        for part in [line, b"\n"] {
            self.hasher.update(part);
            self.output.write_all(part).context(Kind::Storage, || "could not write a list".into())?;
        }
        self.bytes += line.len() as u64 + 1;
        self.entries += 1;
        Ok(())
    }

    /// Ends the list; gives the output back.
    pub fn finish(mut self) -> Result<(W, Written)> {
        self.output.flush().context(Kind::Storage, || "could not write a list".into())?;
        let sha256 = self.hasher.finish();
        Ok((self.output, Written { sha256, bytes: self.bytes, entries: self.entries }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut lines = CanonicalLines::new(text);
        let mut all = Vec::new();
        while lines.advance()? {
            all.push(lines.line().to_vec());
        }
        Ok(all)
    }

    #[test]
    fn lines_come_as_they_were_written_and_anything_out_of_order_is_refused() {
        let mut writer = CanonicalWriter::new(Vec::new());
        for line in [&b"{\"a\":1}"[..], b"{\"b\":1}"] {
            writer.add(line).unwrap();
        }
        let (text, written) = writer.finish().unwrap();
        assert_eq!((written.sha256, written.bytes, written.entries), (Sha256::of(&text), 16, 2));
        assert_eq!(Sha256::of_reader(&text[..]).unwrap(), written.sha256);
        assert_eq!(read(&text).unwrap(), [b"{\"a\":1}", b"{\"b\":1}"]);
        for (wrong, expected) in
            [(&b"b\na\n"[..], "line 2 is not in order"), (b"a\na\n", "not in order"), (b"a\nb", "line 2 is cut off")]
        {
            let why = read(wrong).unwrap_err();
            assert!(why.to_string().contains(expected), "{why}");
        }
        assert!(read(&vec![b'a'; MAX_LINE + 10]).unwrap_err().to_string().contains("too long"));
        assert_eq!(read(b"").unwrap(), Vec::<Vec<u8>>::new());
    }
}
