//! What sort of file it is, by how its content begins. Endings lie, and cameras invent their own.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// A still picture that can be read: JPEG, PNG, BMP, WebP, TIFF.
    Picture,
    /// A video.
    Video,
}

/// Bytes that are looked at.
const HEAD: u64 = 400;
/// Sizes that the header of a BMP has.
const BMP_HEADERS: [u8; 7] = [12, 40, 52, 56, 64, 108, 124];

/// By the content of a regular file, or nothing for what is neither or can't be read.
pub fn medium(path: &Path) -> Option<Medium> {
    if !std::fs::metadata(path).ok()?.is_file() {
        return None; // A pipe would wait for its other end.
    }
    let mut head = Vec::new();
    File::open(path).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
    of_bytes(&head)
}

/// By how the content of a file begins, or nothing for what is neither.
pub fn of_bytes(head: &[u8]) -> Option<Medium> {
    let packets = |from: usize, step: usize| (0..2).all(|n| head.get(from + n * step) == Some(&0x47));
    match head {
        [0xFF, 0xD8, 0xFF, ..] | [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Medium::Picture),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Medium::Picture),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some(Medium::Picture),
        [b'B', b'M', ..] if head.get(14).is_some_and(|n| BMP_HEADERS.contains(n)) => Some(Medium::Picture),
        // Pictures in the same boxes as MP4, which can't be read.
        [_, _, _, _, b'f', b't', b'y', b'p', a, b, ..] if matches!(&[*a, *b], b"he" | b"av" | b"mi") => {
            (head.get(8..12) == Some(b"avc1")).then_some(Medium::Video)
        }
        [_, _, _, _, b'f', b't', b'y', b'p', ..] | [_, _, _, _, b'm', b'o', b'o', b'v', ..] => Some(Medium::Video),
        [_, _, _, _, b'm', b'd', b'a', b't', ..] | [0x1A, 0x45, 0xDF, 0xA3, ..] => Some(Medium::Video),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => Some(Medium::Video),
        // MPEG programme and elementary streams, ASF, Flash, Ogg, and two makers of recorders.
        [0, 0, 1, 0xB3 | 0xBA, ..] | [0x30, 0x26, 0xB2, 0x75, ..] | [b'F', b'L', b'V', 1, ..] => Some(Medium::Video),
        [b'O', b'g', b'g', b'S', ..] | [b'D', b'H', b'A', b'V', ..] | [b'I', b'M', b'K', b'H', ..] => {
            Some(Medium::Video)
        }
        _ if packets(0, 188) || packets(4, 192) => Some(Medium::Video),
        _ => None,
    }
}

/// Columns and rows of a picture by its header, in pixels before any turning; nothing where the header
/// can't be understood.
pub fn size(bytes: &[u8]) -> Option<(u64, u64)> {
    let at = |from: usize, n: usize| bytes.get(from..from + n);
    let big = |from, n| Some(at(from, n)?.iter().fold(0_u64, |v, b| v << 8 | u64::from(*b)));
    let little = |from, n| Some(at(from, n)?.iter().rev().fold(0_u64, |v, b| v << 8 | u64::from(*b)));
    match bytes {
        [0xFF, 0xD8, ..] => jpeg_size(bytes),
        [0x89, b'P', b'N', b'G', ..] => Some((big(16, 4)?, big(20, 4)?)),
        [b'B', b'M', ..] if bytes.get(14) == Some(&12) => Some((little(18, 2)?, little(20, 2)?)),
        // Rows may be written from the top, as a negative number.
        [b'B', b'M', ..] => {
            let rows = little(22, 4)? as u32 as i32;
            Some((little(18, 4)?, u64::from(rows.unsigned_abs())))
        }
        [b'R', b'I', b'F', b'F', ..] => match at(12, 4)? {
            b"VP8X" => Some((little(24, 3)? + 1, little(27, 3)? + 1)),
            b"VP8L" => {
                let packed = little(21, 4)?;
                Some(((packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1))
            }
            b"VP8 " => Some((little(26, 2)? & 0x3FFF, little(28, 2)? & 0x3FFF)),
            _ => None,
        },
        [b'I', b'I', ..] | [b'M', b'M', ..] => {
            let number = |from, n| if bytes[0] == b'I' { little(from, n) } else { big(from, n) };
            let directory = usize::try_from(number(4, 4)?).ok()?;
            let (mut columns, mut rows) = (None, None);
            for n in 0..usize::try_from(number(directory, 2)?).ok()? {
                let entry = directory.checked_add(2 + 12 * n)?;
                let value = if number(entry + 2, 2)? == 3 { number(entry + 8, 2)? } else { number(entry + 8, 4)? };
                match number(entry, 2)? {
                    256 => columns = Some(value),
                    257 => rows = Some(value),
                    _ => {}
                }
            }
            Some((columns?, rows?))
        }
        _ => None,
    }
}

/// From the segment that begins the picture.
fn jpeg_size(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut at = 2;
    loop {
        match bytes.get(at..at + 2)? {
            [0xFF, 0xFF] => at += 1,
            [0xFF, 0x00 | 0x01 | 0xD0..=0xD8] => at += 2,
            [0xFF, 0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF] => {
                let &[h1, h0, w1, w0] = bytes.get(at + 5..at + 9)? else { return None };
                return Some((u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into()));
            }
            [0xFF, 0xD9 | 0xDA] => return None,
            [0xFF, _] => {
                let &[high, low] = bytes.get(at + 2..at + 4)? else { return None };
                at += 2 + usize::from(u16::from_be_bytes([high, low]));
            }
            // Stray bytes between segments are passed over, as libjpeg does.
            _ => at += 1,
        }
    }
}

/// How a WebP's EXIF chunk says the picture is to be turned, 1 to 8; 1 is not at all.
pub fn webp_orientation(bytes: &[u8]) -> u16 {
    let mut at = 12;
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        if &head[..4] == b"EXIF" {
            let body = bytes.get(at + 8..(at + 8).saturating_add(length)).unwrap_or(&[]);
            let tiff = body.strip_prefix(b"Exif\0\0").unwrap_or(body);
            return tiff_orientation(tiff).filter(|o| (1..=8).contains(o)).unwrap_or(1);
        }
        at = (at + 8).saturating_add(length).saturating_add(length % 2);
    }
    1
}

fn tiff_orientation(tiff: &[u8]) -> Option<u16> {
    let little = tiff.starts_with(b"II");
    let u16_at = |at: usize| {
        let pair: [u8; 2] = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let offset: [u8; 4] = tiff.get(4..8)?.try_into().ok()?;
    let directory = if little { u32::from_le_bytes(offset) } else { u32::from_be_bytes(offset) } as usize;
    let count = usize::from(u16_at(directory)?);
    let mut entries = (0..count).map(|n| directory + 2 + 12 * n);
    entries.find(|entry| u16_at(*entry) == Some(0x0112)).and_then(|entry| u16_at(entry + 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use opencv::core::{CV_8UC3, Mat, Scalar, Vector};
    use opencv::imgcodecs::imencode_def;
    use opencv::prelude::VectorToVec;
    use proptest::prelude::*;

    fn picture(ending: &str) -> Vec<u8> {
        let mat = Mat::new_rows_cols_with_default(40, 60, CV_8UC3, Scalar::new(10., 90., 200., 0.)).unwrap();
        let mut out = Vector::new();
        imencode_def(ending, &mat, &mut out).unwrap();
        out.to_vec()
    }

    #[test]
    fn a_picture_is_known_by_its_content_and_its_size_by_its_header() {
        for ending in [".jpg", ".png", ".bmp", ".webp", ".tif"] {
            let bytes = picture(ending);
            assert_eq!(of_bytes(&bytes), Some(Medium::Picture), "{ending}");
            assert_eq!(size(&bytes), Some((60, 40)), "{ending}");
        }
    }

    #[test]
    fn videos_are_known_by_their_content_and_letters_are_neither() {
        let packets: Vec<u8> = [&[0x47; 1][..], &[9; 187], &[0x47], &[9; 187]].concat();
        let begins: [&[u8]; 7] = [
            b"\0\0\0\x20ftypisom\0\0",
            b"\0\0\0\x14ftypqt  \0\0",
            b"RIFF\0\0\0\0AVI LIST",
            b"\x1A\x45\xDF\xA3\x93\x42",
            b"\0\0\x01\xBA\x44",
            b"DHAV\xFD\0\0\0",
            &packets,
        ];
        assert!(begins.iter().all(|b| of_bytes(b) == Some(Medium::Video)));
        for other in
            [&b"Dear Sir, this is a letter"[..], b"", b"BMW 3 series, seen at", b"\0\0\0\x20ftypheic\0\0", b"GGGG"]
        {
            assert_eq!(of_bytes(other), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged_without_panic(
            start in prop::sample::select(vec![
                &b"\xFF\xD8\xFF\xE1"[..], b"\x89PNG\r\n\x1a\n", b"BM", b"RIFF\0\0\0\0WEBPVP8L", b"RIFF\0\0\0\0WEBPEXIF\x30\0\0\0Exif\0\0II*\0",
                b"II*\0", b"MM\0*"
            ]),
            rest in prop::collection::vec(any::<u8>(), 0..200)
        ) {
            let bytes = [start, &rest].concat();
            of_bytes(&bytes);
            size(&bytes);
            webp_orientation(&bytes);
        }
    }
}
