//! Text in UTF-16 as text in UTF-8. Other encodings are told line by line.

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE};
use std::io::{self, Read};

/// Gives UTF-16 with its byte order mark as UTF-8; everything else as it is.
pub struct Utf8<R> {
    input: R,
    /// `None` where nothing is to be changed.
    decoder: Option<Decoder>,
    /// Read, and not yet decoded.
    undecoded: Vec<u8>,
    /// Decoded, and given up to `given`.
    decoded: Vec<u8>,
    given: usize,
    begun: bool,
    finished: bool,
}

const CHUNK_BYTES: usize = 16 << 10;

impl<R: Read> Utf8<R> {
    /// The text of `input`.
    pub fn new(input: R) -> Self {
        let (undecoded, decoded) = (Vec::new(), Vec::new());
        Self { input, decoder: None, undecoded, decoded, given: 0, begun: false, finished: false }
    }

    /// Reads the first two bytes, which tell UTF-16.
    fn begin(&mut self) -> io::Result<()> {
        let mut first = Vec::new();
        (&mut self.input).take(2).read_to_end(&mut first)?;
        let encoding = match first[..] {
            [0xFF, 0xFE] => Some(UTF_16LE),
            [0xFE, 0xFF] => Some(UTF_16BE),
            _ => None,
        };
        self.begun = true;
        self.decoder = encoding.map(|e| e.new_decoder_with_bom_removal());
        *(if encoding.is_some() { &mut self.undecoded } else { &mut self.decoded }) = first;
        Ok(())
    }

    /// Decodes the next piece.
    fn fill(&mut self) -> io::Result<()> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let before = self.undecoded.len();
        (&mut self.input).take((CHUNK_BYTES - before) as u64).read_to_end(&mut self.undecoded)?;
        let last = self.undecoded.len() < CHUNK_BYTES;
        self.decoded.resize(2 * CHUNK_BYTES, 0);
        let (result, read, written, _) = decoder.decode_to_utf8(&self.undecoded, &mut self.decoded, last);
        self.undecoded.drain(..read);
        self.decoded.truncate(written);
        self.finished = last && result == CoderResult::InputEmpty;
        Ok(())
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if !self.begun {
            self.begin()?;
        }
        while self.given == self.decoded.len() {
            if self.decoder.is_none() {
                return self.input.read(to);
            }
            if self.finished {
                return Ok(0);
            }
            self.given = 0;
            self.fill()?;
        }
        let n = to.len().min(self.decoded.len() - self.given);
        to[..n].copy_from_slice(&self.decoded[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utf_16(text: &str, big: bool) -> Vec<u8> {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
    }

    fn decoded(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Utf8::new(bytes).read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn utf_16_with_its_mark_is_read_and_other_bytes_stay() {
        let long = "plate,reason\n7ABC123,Muñoz €\n".repeat(3000);
        for big in [false, true] {
            assert_eq!(decoded(&utf_16(&long, big)), long.as_bytes());
        }
        for bytes in [&b""[..], b"p", b"\xEF\xBB\xBFplate", b"\xFE", b"\xFF\xFE"] {
            let expected = if bytes == b"\xFF\xFE" { &b""[..] } else { bytes };
            assert_eq!(decoded(bytes), expected);
        }
        assert_eq!(decoded(b"\xFF\xFEa\0b"), "a\u{FFFD}".as_bytes(), "half a character is shown");
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "\\PC{0,40}", big in any::<bool>()) {
            prop_assert_eq!(decoded(&utf_16(&text, big)), text.as_bytes());
        }
    }
}
