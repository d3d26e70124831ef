//! What gpsd says: JSON, an object a line (its manual page `gpsd_json`). Only what is needed is read, and
//! what is not known is passed over, so that any gpsd of protocol 3 will do
//! (`docs/decisions/0037-own-reading-of-gpsd.md`).

use jiff::Timestamp;
use serde::Deserialize;

/// Asks for reports as they come.
pub const WATCH: &[u8] = b"?WATCH={\"enable\":true,\"json\":true};\n";
/// Longest line; gpsd itself makes none over 10 KiB.
pub const MAX_LINE: usize = 64 << 10;

/// A line of gpsd.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// A report of place, time and motion (`TPV`).
    Report(Report),
    /// The receivers that gpsd reads, so many (`DEVICES`).
    Devices(usize),
    /// What gpsd can't do (`ERROR`), in its own words.
    Error(String),
    /// Anything else.
    Other,
}

/// What a receiver told, not judged yet.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Path of the receiver.
    pub device: String,
    /// 2 and 3 are fixes in two and three dimensions; 0 and 1 are none.
    pub mode: i64,
    /// Of the fix, as it is written.
    pub time: Option<String>,
    /// Degrees north.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
    /// Direction of travel, degrees from true north.
    pub track: Option<f64>,
    /// Metres a second.
    pub speed: Option<f64>,
    /// Horizontal error, metres.
    pub eph: Option<f64>,
    /// Error to the east, metres.
    pub epx: Option<f64>,
    /// Error to the north, metres.
    pub epy: Option<f64>,
}

#[derive(Deserialize)]
struct Class {
    class: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    devices: Vec<serde::de::IgnoredAny>,
}

impl Report {
    /// The time of the fix, where it has one that can be read.
    pub fn at(&self) -> Option<Timestamp> {
        self.time.as_ref()?.parse().ok()
    }

    /// The horizontal error in metres, where the receiver gives one that can be.
    pub fn error_m(&self) -> Option<f64> {
        let both = || Some(self.epx?.hypot(self.epy?));
        self.eph.or_else(both).filter(|e| e.is_finite() && *e >= 0.0)
    }
}

/// Reads a line; `None` when it is not one of gpsd.
pub fn parse(line: &[u8]) -> Option<Message> {
    let Class { class, message, devices } = serde_json::from_slice(line).ok()?;
    Some(match class.as_str() {
        "TPV" => Message::Report(serde_json::from_slice(line).ok()?),
        "DEVICES" => Message::Devices(devices.len()),
        "ERROR" => Message::Error(message),
        _ => Message::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As gpsd 3.22 and 3.25 write them.
    const LINES: [&str; 4] = [
        r#"{"class":"VERSION","release":"3.22","rev":"3.22","proto_major":3,"proto_minor":14}"#,
        r#"{"class":"DEVICES","devices":[{"class":"DEVICE","path":"/dev/ttyACM0","driver":"u-blox","native":1}]}"#,
        r#"{"class":"TPV","device":"/dev/ttyACM0","status":2,"mode":3,"time":"2026-11-26T08:00:00.000Z","ept":0.005,"lat":38.130200000,"lon":-121.272400000,"altHAE":-15.2,"epx":3.1,"epy":4.2,"track":271.5,"speed":13.5,"eph":5.2,"sep":9.1}"#,
        r#"{"class":"TPV","device":"/dev/ttyACM0","mode":1,"leapseconds":18,"ecefx":1.0,"wspeedt":2.0,"jam":7}"#,
    ];

    #[test]
    fn what_gpsd_writes_is_read_whatever_else_stands_there() {
        let read = LINES.map(|line| parse(line.as_bytes()).unwrap());
        assert_eq!(read[..2], [Message::Other, Message::Devices(1)]);
        let Message::Report(fix) = &read[2] else { panic!("{read:?}") };
        assert_eq!((fix.mode, fix.at()), (3, Some("2026-11-26T08:00:00Z".parse().unwrap())));
        assert_eq!((fix.lat, fix.error_m(), fix.track), (Some(38.1302), Some(5.2), Some(271.5)));
        let Message::Report(none) = &read[3] else { panic!("{read:?}") };
        assert_eq!((none.mode, none.at(), none.lat), (1, None, None));
        let error = parse(br#"{"class":"ERROR","message":"Unrecognized request"}"#);
        assert_eq!(error, Some(Message::Error("Unrecognized request".into())));
    }

    #[test]
    fn without_one_error_for_the_place_it_is_made_of_those_to_the_east_and_to_the_north() {
        let report = Report { epx: Some(3.0), epy: Some(4.0), ..Report::default() };
        assert_eq!(report.error_m(), Some(5.0));
        assert_eq!(Report { eph: Some(-1.0), ..report }.error_m(), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_line_that_is_changed_or_cut_is_read_without_a_panic(
            line in 0usize..LINES.len(), at in 0usize..400, byte: u8, cut in 0usize..400,
        ) {
            let mut bytes = LINES[line].as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(cut.max(1));
            if let Some(Message::Report(report)) = parse(&bytes) {
                let _ = (report.at(), report.error_m());
            }
        }

        #[test]
        fn any_numbers_are_taken_as_they_are(mode: i64, lat: f64, lon: f64, track: f64) {
            prop_assume!(lat.is_finite() && lon.is_finite() && track.is_finite());
            let line = format!(r#"{{"class":"TPV","mode":{mode},"lat":{lat:e},"lon":{lon:e},"track":{track:e},"new":[1]}}"#);
            let Some(Message::Report(report)) = parse(line.as_bytes()) else { panic!("{line}") };
            // To the last but one digit: that is how JSON is read.
            let same = |read: Option<f64>, written: f64| read.is_some_and(|r| (r - written).abs() <= written.abs() * 1e-12 + 1e-300);
            prop_assert!(report.mode == mode && same(report.lat, lat) && same(report.lon, lon) && same(report.track, track));
        }
    }
}
