//! What a JPEG says of itself before its pixels begin.

/// From the segments before the first scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JpegHeader {
    /// Columns, before any turning.
    pub width: u32,
    /// Rows, before any turning.
    pub height: u32,
    /// It can be decoded shrunk and in part: sequential, 8 bits, grey or colour, and not to be
    /// turned. All cameras send such pictures.
    pub plain: bool,
    /// How colours are kept beside brightness.
    pub colours: Colours,
    /// No byte is missing at the end. A decoder fills up with grey and calls it a success.
    pub whole: bool,
}

/// What there is of colours in a JPEG beside a value of brightness for each pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colours {
    /// None: it is grey.
    Grey,
    /// Two values for so many columns and rows of pixels: 1 or 2 each.
    Each { columns: u32, rows: u32 },
    #[default]
    /// Kept in another way, which few files are.
    Other,
}

const START: [u8; 2] = [0xFF, 0xD8];
const END: [u8; 2] = [0xFF, 0xD9];
/// EXIF's tag for how the picture is to be turned.
const ORIENTATION: u16 = 0x0112;

/// True for what begins as a JPEG does.
pub fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&START)
}

/// Walks over the segments. `None` when there is no picture to be decoded.
pub fn parse(bytes: &[u8]) -> Option<JpegHeader> {
    if !is_jpeg(bytes) {
        return None;
    }
    let mut at = START.len();
    let (mut frame, mut turned) = (None, false);
    loop {
        if *bytes.get(at)? != 0xFF {
            // Stray bytes between segments are passed over, as libjpeg does.
            at += 1;
            continue;
        }
        let marker = *bytes.get(at + 1)?;
        match marker {
            0xFF => at += 1,
            0x00 | 0x01 | 0xD0..=0xD8 => at += 2,
            0xD9 => return None,
            _ => {
                let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
                let body = bytes.get(at + 4..at + 2 + length)?;
                match marker {
                    0xDA => {
                        // Looked for from the end: the pixels are long, and some cameras fill up
                        // what they send with zeros.
                        let whole = bytes[at..].windows(2).rev().any(|w| w == END);
                        let (width, height, sequential, colours) = frame?;
                        return Some(JpegHeader { width, height, plain: sequential && !turned, colours, whole });
                    }
                    0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => frame = Some(frame_of(marker, body)?),
                    0xE1 => turned |= orientation(body).is_some_and(|o| o != 1),
                    _ => {}
                }
                at += 2 + length;
            }
        }
    }
}

/// Width, height, whether it is sequential, of 8 bits, grey or colour, and how its colours are kept.
fn frame_of(marker: u8, body: &[u8]) -> Option<(u32, u32, bool, Colours)> {
    let &[bits, h1, h0, w1, w0, components, ref each @ ..] = body else { return None };
    let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
    let plain = matches!(marker, 0xC0 | 0xC1) && bits == 8 && matches!(components, 1 | 3);
    (width > 0 && height > 0).then_some((width.into(), height.into(), plain, colours_of(components, each)))
}

/// From the number of components and three bytes for each: its name, its values in a block across and down
/// (four bits each), its table.
fn colours_of(components: u8, each: &[u8]) -> Colours {
    let factors: Vec<_> = each.chunks_exact(3).map(|c| (u32::from(c[1] >> 4), u32::from(c[1] & 0xF))).collect();
    let halves =
        |all: u32, part: u32| (matches!(all, 1 | 2) && matches!(part, 1 | 2)).then(|| all / part).filter(|n| *n > 0);
    match factors[..] {
        [(1 | 2, 1 | 2)] if components == 1 => Colours::Grey,
        [(w, h), first, second] if components == 3 && first == second => match (halves(w, first.0), halves(h, first.1))
        {
            (Some(columns), Some(rows)) => Colours::Each { columns, rows },
            _ => Colours::Other,
        },
        _ => Colours::Other,
    }
}

/// How an APP1 segment with EXIF says the picture is to be turned.
fn orientation(body: &[u8]) -> Option<u16> {
    let tiff = body.strip_prefix(b"Exif\0\0")?;
    let little = match tiff.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let u16_at = |at: usize| -> Option<u16> {
        let pair = [*tiff.get(at)?, *tiff.get(at.checked_add(1)?)?];
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let high_first = |at: usize| Some((u32::from(u16_at(at)?), u32::from(u16_at(at + 2)?)));
    let (a, b) = high_first(4)?;
    let directory = if little { b << 16 | a } else { a << 16 | b } as usize;
    let count = usize::from(u16_at(directory)?);
    let entries = (0..count).map_while(|n| directory.checked_add(2 + 12 * n));
    for entry in entries {
        if u16_at(entry)? == ORIENTATION {
            return u16_at(entry + 8);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::{Jpeg, MAX_JPEG_PIXELS};
    use proptest::prelude::*;

    fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
        [&[0xFF, marker][..], &(body.len() as u16 + 2).to_be_bytes(), body].concat()
    }

    /// A header as cameras write it, up to the first scan, with an orientation (0: none).
    fn header_of(width: u16, height: u16, marker: u8, components: u8, orientation: u8) -> Vec<u8> {
        let ([h1, h0], [w1, w0]) = (height.to_be_bytes(), width.to_be_bytes());
        let frame = [&[8, h1, h0, w1, w0, components][..], &vec![0x11; 3 * usize::from(components)]].concat();
        let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
        let exif = if orientation > 0 { segment(0xE1, &exif) } else { Vec::new() };
        [&START[..], &segment(0xE0, b"JFIF\0"), &exif, &segment(0xDB, &[3; 65]), &segment(marker, &frame)].concat()
    }

    proptest! {
        /// At any cut it is no picture, or one of which it is known that its end is missing.
        #[test]
        fn a_header_is_read_as_it_was_written_and_no_cut_of_it_counts_as_whole(
            (width, height) in (any::<u16>(), any::<u16>()),
            marker in prop::sample::select(vec![0xC0, 0xC1, 0xC2, 0xC9]),
            components in prop::sample::select(vec![1_u8, 3, 4]),
            orientation in 0..=8_u8,
        ) {
            let header = header_of(width, height, marker, components, orientation);
            let scan = [&segment(0xDA, &[1, 1, 0, 0, 63, 0]), &[0x55; 20][..], &END].concat();
            let bytes = [&header[..], &scan].concat();
            let plain = marker <= 0xC1 && components != 4 && orientation <= 1;
            let colours = match components {
                1 => Colours::Grey,
                3 => Colours::Each { columns: 1, rows: 1 },
                _ => Colours::Other,
            };
            let expected = JpegHeader { width: width.into(), height: height.into(), plain, colours, whole: true };
            prop_assert_eq!(parse(&bytes), (width > 0 && height > 0).then_some(expected));
            for end in 0..bytes.len() {
                prop_assert!(parse(&bytes[..end]).is_none_or(|header| !header.whole && end > bytes.len() - 23));
            }
            let pixels = u64::from(width) * u64::from(height);
            prop_assert_eq!(Jpeg::new(bytes).is_ok(), pixels > 0 && pixels <= MAX_JPEG_PIXELS);
        }

        #[test]
        fn any_bytes_are_judged_without_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            parse(&bytes);
            bytes.splice(0..0, *b"\xFF\xD8\xFF\xE1\x00\x40Exif\0\0II*\0");
            parse(&bytes);
        }
    }
}
