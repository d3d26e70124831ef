//! What a video file says of itself before anything is decoded: when it was recorded, and whether
//! its end is there. A decoder ends with a file that was cut off as with a whole one, and the count
//! of frames that a container states is an estimate.

use jiff::{SignedDuration, Timestamp};
use std::fs::File;
use std::io::{BufReader, Read, Result, Seek};
use std::path::Path;

/// What is known of a file; nothing of a container that is not known here.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// When the recording began, as the file says.
    pub recorded: Option<Timestamp>,
    /// How it can be told that its end is missing.
    pub cut_off: Option<String>,
}

/// Elements of a file that are looked at, at most.
const MAX_ELEMENTS: u32 = 10_000_000;
/// Of files that say they were recorded before this, the recorder had no clock: 1995.
const MIN_RECORDED_S: i64 = 788_918_400;
/// MP4 counts from 1904, in seconds before 1970.
const MP4_EPOCH_S: i64 = 2_082_844_800;
/// Matroska counts from 2001, in seconds after 1970.
const MATROSKA_EPOCH_S: i64 = 978_307_200;

const EBML: u64 = 0x1A45_DFA3;
const SEGMENT: u64 = 0x1853_8067;
const INFO: u64 = 0x1549_A966;
const DATE_UTC: u64 = 0x4461;
const CLUSTER: u64 = 0x1F43_B675;

/// Looks into a file. One that can't be read says nothing here; opening it will tell.
pub fn examine(path: &Path) -> Container {
    let open = || {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Result::Ok(Walk { file: BufReader::new(file), length, found: Container::default() })
    };
    let Ok(mut walk) = open() else { return Container::default() };
    // What was found before it could not be read any further counts.
    let _ = walk.all();
    walk.found
}

struct Walk {
    file: BufReader<File>,
    length: u64,
    found: Container,
}

impl Walk {
    fn all(&mut self) -> Result<()> {
        match &self.bytes::<12>()? {
            [.., b'f', b't', b'y', b'p', _, _, _, _] => self.mp4(),
            [b'R', b'I', b'F', b'F', .., b'A', b'V', b'I', b' '] => self.avi(),
            [0x1A, 0x45, 0xDF, 0xA3, ..] => self.matroska(),
            [0x47, ..] => self.packets(188),
            [_, _, _, _, 0x47, ..] => self.packets(192),
            _ => Ok(()),
        }
    }

    fn go(&mut self, at: u64) -> Result<()> {
        let here = self.file.stream_position()?;
        self.file.seek_relative(at as i64 - here as i64)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// An element that ends at `end` is the last one that begins in this file.
    fn ends_at(&mut self, end: u64) {
        if end > self.length {
            self.found.cut_off = Some(format!("its last {} are missing", bytes(end - self.length)));
        }
    }

    /// What stands at `at` is nothing that a recorder writes: room that was never filled.
    fn unfilled(&mut self, at: u64) {
        self.found.cut_off = Some(format!("its last {} hold nothing", bytes(self.length - at)));
    }

    fn recorded(&mut self, seconds: i64, nanos: i32) {
        if seconds >= MIN_RECORDED_S {
            self.found.recorded = Timestamp::new(seconds, nanos).ok();
        }
    }

    /// Boxes one after the other: size, name, content.
    fn mp4(&mut self) -> Result<()> {
        let (mut at, mut index, mut media) = (0_u64, false, false);
        for _ in 0..MAX_ELEMENTS {
            if at.saturating_add(8) > self.length {
                if at != self.length {
                    self.found.cut_off = Some("it ends inside a box".into());
                }
                break;
            }
            self.go(at)?;
            let (size, name) = (u32::from_be_bytes(self.bytes()?), self.bytes::<4>()?);
            if name.iter().any(|c| *c < b' ') {
                // Some recorders fill a whole file up to the next block.
                if !(index && media) {
                    self.unfilled(at);
                }
                break;
            }
            let (size, header) = match size {
                0 => (self.length - at, 8),
                1 => (u64::from_be_bytes(self.bytes()?), 16),
                n => (n.into(), 8),
            };
            let end = at.saturating_add(size);
            if size < header {
                break;
            }
            self.ends_at(end);
            media |= &name == b"mdat";
            if &name == b"moov" {
                index = true;
                self.movie(at + header, end.min(self.length))?;
            }
            at = end;
        }
        if !(index && media) && self.found.cut_off.is_none() {
            let what = if index { "it ends after its index" } else { "its index was never written" };
            self.found.cut_off = Some(what.into());
        }
        Ok(())
    }

    /// The box `mvhd` inside `moov`.
    fn movie(&mut self, mut at: u64, end: u64) -> Result<()> {
        while at + 8 <= end {
            self.go(at)?;
            let (size, name) = (u64::from(u32::from_be_bytes(self.bytes()?)), self.bytes::<4>()?);
            if &name == b"mvhd" {
                let [version, ..] = self.bytes::<4>()?;
                let created = if version == 1 {
                    u64::from_be_bytes(self.bytes()?)
                } else {
                    u32::from_be_bytes(self.bytes()?).into()
                };
                self.recorded(i64::try_from(created).unwrap_or(0) - MP4_EPOCH_S, 0);
                return Ok(());
            }
            if size < 8 {
                return Ok(());
            }
            at += size;
        }
        Ok(())
    }

    /// One `RIFF` chunk, or several in long files.
    fn avi(&mut self) -> Result<()> {
        let mut at = 0;
        while at + 12 <= self.length {
            self.go(at)?;
            let (name, size) = (self.bytes::<4>()?, u64::from(u32::from_le_bytes(self.bytes()?)));
            if &name != b"RIFF" {
                break;
            }
            if size == 0 {
                self.found.cut_off = Some("its recorder did not finish it".into());
                break;
            }
            let end = at + 8 + size;
            self.ends_at(end);
            at = end + size % 2;
        }
        Ok(())
    }

    /// Elements inside each other. What is streamed has a segment and clusters of unknown length,
    /// which end where the next one begins.
    fn matroska(&mut self) -> Result<()> {
        let mut at = 0;
        for _ in 0..MAX_ELEMENTS {
            if at >= self.length {
                break;
            }
            self.go(at)?;
            let (Some((id, a)), Some((size, b))) = (self.number(true)?, self.number(false)?) else {
                match at + 12 > self.length {
                    true => self.found.cut_off = Some("it ends inside an element".into()),
                    false => self.unfilled(at),
                }
                break;
            };
            let content = at + a + b;
            let unknown = size == (1 << (7 * b)) - 1;
            if !unknown {
                self.ends_at(content.saturating_add(size));
            }
            if id == DATE_UTC && size == 8 {
                let nanos = i64::from_be_bytes(self.bytes()?);
                let at = SignedDuration::from_nanos(nanos) + SignedDuration::from_secs(MATROSKA_EPOCH_S);
                self.recorded(at.as_secs(), at.subsec_nanos());
            }
            // Known lengths are gone by: a whole segment needs no further look than for its date.
            let inside = matches!(id, SEGMENT | INFO) || id == CLUSTER && unknown;
            at = if inside { content } else { content.saturating_add(size) };
            if id == CLUSTER && self.found.cut_off.is_some() {
                break;
            }
            if at == 0 || id == EBML && unknown {
                break;
            }
        }
        Ok(())
    }

    /// A number of 1 to 8 bytes and how many those are; the first bits say how many. Of an id they are
    /// part. `None` where there is none.
    fn number(&mut self, id: bool) -> Result<Option<(u64, u64)>> {
        let mut first = [0];
        if self.file.read(&mut first)? == 0 || first[0] == 0 {
            return Ok(None);
        }
        let more = first[0].leading_zeros();
        let mut value = u64::from(first[0]);
        if !id {
            value &= (1 << (7 - more)) - 1;
        }
        for _ in 0..more {
            let mut next = [0];
            if self.file.read(&mut next)? == 0 {
                return Ok(None);
            }
            value = value << 8 | u64::from(next[0]);
        }
        Ok(Some((value, u64::from(more) + 1)))
    }

    /// Packets of one length (MPEG transport streams).
    fn packets(&mut self, length: u64) -> Result<()> {
        if !self.length.is_multiple_of(length) {
            self.found.cut_off = Some("it ends inside a packet".into());
        }
        Ok(())
    }
}

fn bytes(count: u64) -> String {
    if count == 1 { "byte".into() } else { format!("{count} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(bytes: &[u8]) -> Container {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("drive");
        std::fs::write(&path, bytes).unwrap();
        examine(&path)
    }

    fn mp4_box(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32 + 8).to_be_bytes()[..], name, content].concat()
    }

    fn mp4(created: u32) -> Vec<u8> {
        let header = [&[0; 4][..], &created.to_be_bytes(), &[0; 92]].concat();
        let index = mp4_box(b"moov", &mp4_box(b"mvhd", &header));
        [mp4_box(b"ftyp", b"isom\0\0\0\0"), index, mp4_box(b"mdat", &[7; 500])].concat()
    }

    /// Elements as Matroska has them, with a length of 8 bytes.
    fn element(id: u64, content: &[u8]) -> Vec<u8> {
        let id: Vec<u8> = id.to_be_bytes().into_iter().skip_while(|b| *b == 0).collect();
        [&id[..], &[1], &(content.len() as u64).to_be_bytes()[1..], content].concat()
    }

    fn matroska(streamed: bool) -> Vec<u8> {
        // 2026-03-01T12:00:00Z.
        let date = ((1_772_366_400 - MATROSKA_EPOCH_S) * 1_000_000_000).to_be_bytes();
        let cluster = element(CLUSTER, &element(0xA3, &[5; 300]));
        let inside = [element(INFO, &element(DATE_UTC, &date)), cluster.clone(), cluster].concat();
        let segment = element(SEGMENT, &inside);
        let head = element(EBML, b"");
        if streamed {
            [&head[..], &segment[..4], &[0x01], &[0xFF; 7], &inside].concat()
        } else {
            [head, segment].concat()
        }
    }

    #[test]
    fn the_time_of_recording_is_what_the_container_says() {
        let noon: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        assert_eq!(of(&mp4((1_772_366_400 + MP4_EPOCH_S) as u32)).recorded, Some(noon));
        assert_eq!(of(&matroska(false)).recorded, Some(noon));
        assert_eq!(of(&matroska(true)).recorded, Some(noon));
        assert_eq!(of(&mp4(0)).recorded, None, "nothing is known");
        assert_eq!(of(&mp4(MP4_EPOCH_S as u32 + 30)).recorded, None, "a recorder without a clock");
    }

    #[test]
    fn a_file_that_ends_early_is_told_from_a_whole_one_wherever_it_ends() {
        let avi = [&b"RIFF"[..], &204_u32.to_le_bytes(), b"AVI ", &[1; 200]].concat();
        for (whole, from) in [(mp4(0), 40), (matroska(false), 40), (matroska(true), 80), (avi, 12)] {
            assert_eq!(of(&whole).cut_off, None);
            for end in from..whole.len() {
                // Between two elements of a stream there is nothing to tell it by.
                let at_border = whole.len() == matroska(true).len() && of(&whole[..end]).cut_off.is_none();
                assert!(of(&whole[..end]).cut_off.is_some() || at_border, "{end} of {}", whole.len());
            }
        }
        let streamed = matroska(true);
        assert!(of(&streamed[..streamed.len() - 1]).cut_off.unwrap().contains("last byte"));
    }

    #[test]
    fn room_that_was_never_filled_and_a_recorder_that_did_not_finish_are_told() {
        let why = |bytes: Vec<u8>| of(&bytes).cut_off.unwrap();
        assert_eq!(of(&[mp4(0), vec![0; 4096]].concat()).cut_off, None, "it is whole before that");
        assert!(why([matroska(true), vec![0; 4096]].concat()).contains("4096 bytes hold nothing"));
        assert!(why([&b"RIFF\0\0\0\0AVI "[..], &[1; 50]].concat()).contains("did not finish"));
        assert!(why([mp4_box(b"ftyp", b"isom\0\0\0\0"), mp4_box(b"mdat", &[7; 500])].concat()).contains("index"));
        assert!(why([&[0x47; 188 * 3][..], &[0x47; 100]].concat()).contains("inside a packet"));
        assert_eq!(of(&[0x47; 188 * 3]), Container::default());
        assert_eq!(of(b"Dear Sir"), Container::default());
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_through_without_panic(
            start in prop::sample::select(vec![mp4(9), matroska(true), matroska(false), b"RIFF\x90\0\0\0AVI ".to_vec()]),
            at in 0_usize..500, with in prop::collection::vec(any::<u8>(), 0..60)
        ) {
            let mut bytes = start;
            let at = at.min(bytes.len());
            bytes.splice(at..(at + with.len()).min(bytes.len()), with);
            of(&bytes);
        }
    }
}
