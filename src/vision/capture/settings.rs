//! Cameras and files.

use super::gige::{Gige, Which};
use super::v4l2::{PixelFormat, Settings, Wish};
use super::view::{Area, View};
use jiff::{SignedDuration, Timestamp};
use plated_core::clock::BUILT;
use plated_core::config_file::{moment, within};
use plated_core::record::CameraPosition;
use serde::Deserialize;
use std::path::PathBuf;

/// One camera or file.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "SourceKeys")]
pub struct CaptureSource {
    /// Name of the camera in records.
    pub name: String,
    /// What it is.
    pub input: Input,
    /// Which plates in its picture count.
    pub view: View,
    /// Which way from the vehicle it looks.
    pub position: Option<CameraPosition>,
}

/// Where frames come from.
#[derive(Clone, Debug)]
pub enum Input {
    /// A video file.
    Video {
        /// The file.
        path: PathBuf,
        /// How fast it is played.
        pace: Pace,
        /// How many times it is played; 0 is for ever.
        repeat: u32,
        /// When the recording began, in place of what the file says.
        start: Option<Timestamp>,
    },
    /// A folder of pictures and of folders with pictures, in the order of their names.
    Images {
        /// The folder.
        path: PathBuf,
        /// How fast they are played.
        pace: Pace,
        /// Pictures a second with `pace = "realtime"`.
        rate: f64,
        /// How many times they are played; 0 is for ever.
        repeat: u32,
        /// When the first of them was taken.
        start: Option<Timestamp>,
    },
    /// A folder of pictures, those that are there and those that arrive.
    Watch {
        /// The folder.
        path: PathBuf,
    },
    /// A network camera that sends a stream over RTSP.
    Rtsp(CameraUrl),
    /// A network camera that sends one JPEG after the other over HTTP.
    Mjpeg(CameraUrl),
    /// A USB camera.
    V4l2 {
        /// `/dev/video0`, or better a stable udev name.
        device: PathBuf,
        /// Format, size and rate asked of the camera; it may give others.
        wish: Wish,
        /// What its controls are set to.
        controls: Settings,
    },
    /// A GigE Vision camera.
    Gige(Gige),
}

/// The address of a network camera.
#[derive(Clone, Debug)]
pub enum CameraUrl {
    /// Written in the configuration; no credentials in it.
    Plain(String),
    /// The first line of a file of mode 0400, for addresses with credentials.
    File(PathBuf),
}

/// The keys of a `[[sources]]` table before it is known which of them belong together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceKeys {
    name: String,
    kind: SourceKind,
    position: Option<CameraPosition>,
    path: Option<PathBuf>,
    pace: Option<Pace>,
    repeat: Option<u32>,
    rate: Option<f64>,
    start: Option<toml::Value>,
    url: Option<String>,
    url_file: Option<PathBuf>,
    device: Option<PathBuf>,
    format: Option<PixelFormat>,
    width: Option<u32>,
    height: Option<u32>,
    controls: Option<Settings>,
    serial: Option<String>,
    address: Option<String>,
    pixel_format: Option<String>,
    exposure_us: Option<f64>,
    gain: Option<f64>,
    trigger: Option<String>,
    packet_size: Option<u32>,
    region: Option<Area>,
    #[serde(default)]
    ignore: Vec<Area>,
    #[serde(default)]
    min_plate: u32,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SourceKind {
    Video,
    Images,
    Rtsp,
    Mjpeg,
    V4l2,
    Gige,
}

impl TryFrom<SourceKeys> for CaptureSource {
    type Error = String;

    fn try_from(k: SourceKeys) -> std::result::Result<Self, String> {
        let name = k.name;
        let given = [
            ("path", k.path.is_some()),
            ("pace", k.pace.is_some()),
            ("repeat", k.repeat.is_some()),
            ("rate", k.rate.is_some()),
            ("start", k.start.is_some()),
            ("url", k.url.is_some()),
            ("url_file", k.url_file.is_some()),
            ("device", k.device.is_some()),
            ("format", k.format.is_some()),
            ("width", k.width.is_some()),
            ("height", k.height.is_some()),
            ("controls", k.controls.is_some()),
            ("serial", k.serial.is_some()),
            ("address", k.address.is_some()),
            ("pixel_format", k.pixel_format.is_some()),
            ("exposure_us", k.exposure_us.is_some()),
            ("gain", k.gain.is_some()),
            ("trigger", k.trigger.is_some()),
            ("packet_size", k.packet_size.is_some()),
        ];
        let only = |allowed: &[&str], kind: &str| match given.iter().find(|(key, is)| *is && !allowed.contains(key)) {
            Some(("start", _)) => Err(format!(
                "source \"{name}\": start is for recordings; what a source of kind \"{kind}\" sends is dated when it comes"
            )),
            Some((key, _)) => Err(format!("source \"{name}\": a source of kind \"{kind}\" has no key \"{key}\"")),
            None => Ok(()),
        };
        let needs = |key: &str| format!("source \"{name}\": {key} is missing");
        let named = |why: String| format!("source \"{name}\": {why}");
        k.rate.map_or(Ok(()), |rate| within("rate", rate, 0.01..=1000.0).map_err(named))?;
        k.width.map_or(Ok(()), |width| within("width", width, 16..=16_384).map_err(named))?;
        k.height.map_or(Ok(()), |height| within("height", height, 16..=16_384).map_err(named))?;
        k.exposure_us.map_or(Ok(()), |time| within("exposure_us", time, 1.0..=1e6).map_err(named))?;
        k.gain.map_or(Ok(()), |gain| within("gain", gain, 0.0..=1e4).map_err(named))?;
        k.packet_size.map_or(Ok(()), |bytes| within("packet_size", bytes, 576..=9000).map_err(named))?;
        let start = k.start.map(|value| start_of(&value).map_err(|why| named(format!("start: {why}")))).transpose()?;
        let pace = k.pace.unwrap_or_default();
        let repeat = k.repeat.unwrap_or(1);
        let input = match k.kind {
            SourceKind::Video => {
                only(&["path", "pace", "repeat", "start"], "video")?;
                Input::Video { path: k.path.ok_or_else(|| needs("path"))?, pace, repeat, start }
            }
            SourceKind::Images => {
                only(&["path", "pace", "repeat", "rate", "start"], "images")?;
                // Keys of a recording make it one.
                if k.pace.is_none() && k.repeat.is_none() && k.rate.is_none() && start.is_none() {
                    Input::Watch { path: k.path.ok_or_else(|| needs("path"))? }
                } else {
                    let path = k.path.ok_or_else(|| needs("path"))?;
                    Input::Images { path, pace, repeat, rate: k.rate.unwrap_or(15.0), start }
                }
            }
            SourceKind::Rtsp | SourceKind::Mjpeg => {
                let is_rtsp = matches!(k.kind, SourceKind::Rtsp);
                only(&["url", "url_file"], if is_rtsp { "rtsp" } else { "mjpeg" })?;
                let url = match (k.url, k.url_file) {
                    (Some(url), None) => CameraUrl::Plain(url),
                    (None, Some(file)) => CameraUrl::File(file),
                    _ => return Err(format!("source \"{name}\": give either url or url_file")),
                };
                if is_rtsp { Input::Rtsp(url) } else { Input::Mjpeg(url) }
            }
            SourceKind::Gige => {
                let keys = ["serial", "address", "pixel_format", "width", "height", "rate", "exposure_us", "gain"];
                only(&[&keys[..], &["trigger", "packet_size"]].concat(), "gige")?;
                let which = match (k.serial, k.address) {
                    (Some(serial), None) => Which::Serial(serial),
                    (None, Some(address)) => Which::Address(address),
                    _ => return Err(format!("source \"{name}\": give either serial or address")),
                };
                if k.width.is_some() != k.height.is_some() {
                    return Err(format!("source \"{name}\": give both width and height, or neither"));
                }
                if k.trigger.is_some() && k.rate.is_some() {
                    return Err(format!("source \"{name}\": with a trigger there is no rate"));
                }
                Input::Gige(Gige {
                    which,
                    pixel_format: k.pixel_format,
                    width: k.width,
                    height: k.height,
                    rate: k.rate,
                    exposure_us: k.exposure_us,
                    gain: k.gain,
                    trigger: k.trigger,
                    packet_size: k.packet_size,
                })
            }
            SourceKind::V4l2 => {
                only(&["device", "format", "width", "height", "rate", "controls"], "v4l2")?;
                let device = k.device.ok_or_else(|| needs("device"))?;
                let wish = Wish { format: k.format, width: k.width, height: k.height, rate: k.rate };
                Input::V4l2 { device, wish, controls: k.controls.unwrap_or_default() }
            }
        };
        let view = View { region: k.region, ignore: k.ignore, min_plate: k.min_plate };
        Ok(CaptureSource { name, input, view, position: k.position })
    }
}

/// A time as a text or as TOML's own.
fn start_of(value: &toml::Value) -> Result<Timestamp, String> {
    match value {
        toml::Value::String(text) => recording_start(text),
        other => recording_start(&other.to_string()),
    }
}

/// How far ahead of the clock a recording may be said to have begun: time zones are mistaken easily.
const MAX_AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// When a recording began, as a person writes it ([`moment`]).
///
/// # Errors
/// A sentence that goes behind the key or the flag: it is no time, or none at which anything was recorded.
pub fn recording_start(text: &str) -> Result<Timestamp, String> {
    let start = moment(text)?;
    let latest = Timestamp::now().max(BUILT) + MAX_AHEAD;
    // The ids of reads hold the time, since 1970.
    match (Timestamp::UNIX_EPOCH..=latest).contains(&start) {
        true => Ok(start),
        false => Err(format!("a recording begins between 1970-01-01 and a day from now, and {start:.0} does not")),
    }
}

/// How fast a file is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// As a camera would: by its own frame rate, newest frame wins.
    #[default]
    Realtime,
    /// Every frame is read, as fast as the machine can.
    EveryFrame,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(keys: &str) -> Result<CaptureSource, String> {
        toml::from_str(&format!("name = \"front\"\n{keys}")).map_err(|e| e.to_string())
    }

    #[test]
    fn a_camera_looks_one_of_four_ways_or_does_not_say() {
        let position = |keys: &str| source(&format!("kind = \"v4l2\"\ndevice = \"/dev/video0\"\n{keys}"));
        assert_eq!(position("").unwrap().position, None);
        assert_eq!(position("position = \"rear\"").unwrap().position, Some(CameraPosition::Rear));
        let why = position("position = \"roof\"").unwrap_err();
        assert!(why.contains("roof") && why.contains("`front`, `rear`, `left`, `right`"), "{why}");
    }

    #[test]
    fn a_recording_has_a_start_and_what_is_live_refuses_one() {
        let start = |keys: &str| match source(keys).unwrap().input {
            Input::Video { start, .. } | Input::Images { start, .. } => start.map(|at| at.to_string()),
            other => panic!("{other:?}"),
        };
        let video = "kind = \"video\"\npath = \"drive.mp4\"\n";
        assert_eq!(start(video), None);
        for written in ["\"2026-03-01T12:00:00Z\"", "2026-03-01T12:00:00Z", "2026-03-01T04:00:00-08:00"] {
            assert_eq!(
                start(&format!("{video}start = {written}")).as_deref(),
                Some("2026-03-01T12:00:00Z"),
                "{written}"
            );
        }
        let pictures = "kind = \"images\"\npath = \"pictures\"\nstart = 2026-03-01T12:00:00Z";
        assert_eq!(start(pictures).as_deref(), Some("2026-03-01T12:00:00Z"), "it makes them a recording");
        for live in ["kind = \"v4l2\"\ndevice = \"/dev/video0\"", "kind = \"rtsp\"\nurl = \"rtsp://cam/\""] {
            let why = source(&format!("{live}\nstart = 2026-03-01T12:00:00Z")).unwrap_err();
            assert!(why.contains("\"front\": start is for recordings"), "{why}");
        }
        for wrong in ["\"yesterday\"", "5", "2026-13-01T12:00:00Z"] {
            assert!(source(&format!("{video}start = {wrong}")).is_err(), "{wrong}");
        }
        for odd in ["\"1960-03-01T12:00:00Z\"", "2199-03-01T12:00:00Z"] {
            let why = source(&format!("{video}start = {odd}")).unwrap_err();
            assert!(
                why.contains("\"front\": start: a recording begins between 1970-01-01 and a day from now"),
                "{why}"
            );
        }
        let why = source(&format!("{video}start = \"yesterday\"")).unwrap_err();
        assert!(why.contains("\"front\": start: it must be a time like 2026-"), "{why}");
    }
}
