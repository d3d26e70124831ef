//! Video files and RTSP cameras, through OpenCV.

use super::FrameReader;
use super::container::{Container, examine};
use super::image::{silence_opencv, to_bgr};
use super::media_time::MediaTime;
use super::pace::Backlog;
use super::probe::probe;
use super::uncounted::Uncounted;
use crate::capture::CameraUrl;
use crate::picture::{Jpeg, Picture, is_jpeg};
use jiff::Timestamp;
use opencv::core::{CV_8UC1, Mat, Vector};
use opencv::prelude::*;
use opencv::videoio::{self, VideoCapture};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::visible;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tracing::debug;

/// A camera on the network that sends nothing for this long has failed, in milliseconds.
pub(super) const NETWORK_TIMEOUT_MS: i32 = 5000;
/// Opening takes longer, in milliseconds: FFmpeg looks at some 20 frames before it is satisfied,
/// however slowly they come, and cutting that short leaves a stream that is broken.
const NETWORK_OPEN_TIMEOUT_MS: i32 = 15_000;
/// What makes a backend hand out frames as they came.
const FFMPEG_COMPRESSED: (i32, f64) = (videoio::CAP_PROP_FORMAT, -1.0);
/// For files that don't say their frame rate.
const USUAL_RATE: f64 = 25.0;

/// The frames of a video file, one after the other.
pub struct VideoReader {
    stream: Stream,
    path: PathBuf,
    name: String,
    container: Container,
    clock: MediaTime,
    /// Of the frame gone to.
    time: Duration,
    advanced: u64,
    fetched: u64,
}

/// One frame of a video file.
pub struct VideoFrame {
    /// Number in the file, from 0.
    pub index: u64,
    /// Time since the beginning, as the file says of this frame.
    pub time: Duration,
    /// What it shows.
    pub picture: Picture,
}

impl VideoReader {
    /// Opens a video file.
    ///
    /// # Errors
    /// `Missing` when there is none, `Input` when it is empty or no video; the sentence names it.
    /// A file that was cut off says so when its end is reached, after the frames it has.
    pub fn open(path: &Path) -> Result<Self> {
        let name = visible(path).to_string();
        let about = std::fs::metadata(path).context(Kind::Missing, || format!("could not open {name}"))?;
        if !about.is_file() {
            return Err(Error::new(Kind::Input, format!("{name} is not a file")));
        }
        if about.len() == 0 {
            return Err(Error::new(Kind::Input, format!("{name} is empty")));
        }
        // FFmpeg by name: OpenCV's other backends take a picture or a name with digits for a video.
        let capture = open(path.as_os_str(), videoio::CAP_FFMPEG, &[]).ok_or_else(|| {
            let why = examine(path).cut_off.map(|why| format!(": {why}")).unwrap_or_default();
            Error::new(Kind::Input, format!("{name} is not a video that can be decoded{why}"))
        })?;
        let stream = Stream::new(capture, Some(FFMPEG_COMPRESSED));
        let clock = MediaTime::new(stream.rate);
        let (path, container) = (path.to_owned(), examine(path));
        Ok(Self { stream, path, name, container, clock, time: Duration::ZERO, advanced: 0, fetched: 0 })
    }

    /// When the recording began, as the file says; many say nothing.
    pub fn recorded(&self) -> Option<Timestamp> {
        self.container.recorded
    }

    /// Frames a second, as the file says.
    pub fn rate(&self) -> f64 {
        self.stream.rate
    }

    /// Goes on with an AVI that has more frames than its header counts: OpenCV ends one frame after that. False at
    /// the end of the file.
    fn go_on(&mut self) -> Result<bool> {
        let counted = self.stream.capture.get(videoio::CAP_PROP_FRAME_COUNT).unwrap_or(0.0);
        if counted < 1.0 || self.advanced as f64 <= counted {
            return Ok(false);
        }
        let name = &self.name;
        let failed = || {
            format!("{name} has more frames than its header counts, and those could not be read; {counted} frames were")
        };
        let uncounted = Uncounted::of(&self.path).context(Kind::Input, failed)?;
        let capture = open(&uncounted.name, videoio::CAP_FFMPEG, &[]);
        let capture = capture.ok_or_else(|| Error::new(Kind::Input, failed()))?;
        self.stream = Stream::new(capture, Some(FFMPEG_COMPRESSED));
        Ok((0..=self.advanced).all(|_| self.stream.grab()))
    }

    /// What the end of the file means: a broken file ends like a whole one.
    fn judge_end(&self) -> Result<()> {
        let (name, seconds) = (&self.name, self.time.as_secs_f64());
        match (&self.container.cut_off, self.fetched) {
            (None, 0) => Err(Error::new(Kind::Input, format!("{name} holds no frame that can be decoded"))),
            (Some(why), 0) => Err(Error::new(Kind::Input, format!("{name} is cut off: {why}; no frame is left of it"))),
            (Some(why), frames) => {
                let text = format!("{name} is cut off: {why}; {frames} frames, up to {seconds:.1} s, were read");
                Err(Error::new(Kind::Input, text))
            }
            (None, _) => Ok(()),
        }
    }
}

impl FrameReader for VideoReader {
    fn advance(&mut self) -> Result<bool> {
        if !self.stream.grab() && !self.go_on()? {
            self.judge_end()?;
            return Ok(false);
        }
        self.advanced += 1;
        self.time = self.clock.next(self.stream.media_time());
        Ok(true)
    }

    fn media_time(&self) -> Option<Duration> {
        Some(self.time)
    }

    fn recorded(&self) -> Option<Timestamp> {
        self.container.recorded
    }

    fn fetch(&mut self) -> Result<Option<Picture>> {
        let picture = self.stream.retrieve()?;
        self.fetched += u64::from(picture.is_some());
        Ok(picture)
    }

    fn rate(&self) -> f64 {
        self.stream.rate
    }
}

/// Frames that can't be decoded are passed over; after an error nothing more comes.
impl Iterator for VideoReader {
    type Item = Result<VideoFrame>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    // Reported once: the next call finds a whole file.
                    (self.container.cut_off, self.fetched) = (None, self.fetched.max(1));
                    return Some(Err(error));
                }
            }
            let index = self.advanced - 1;
            match self.fetch() {
                Ok(Some(picture)) => {
                    return Some(Ok(VideoFrame { index, time: self.time, picture }));
                }
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// A network camera: its frames come when they come, and it never ends but by failing.
pub struct Camera {
    stream: Stream,
    /// Where a camera keeps what it sent while it was being opened; over HTTP nothing is kept.
    backlog: Option<Backlog>,
}

impl Camera {
    /// Sees that a network camera answers, before [`Camera::rtsp`]. Neither the address nor a part of it is ever in
    /// an error.
    pub fn probe(url: &CameraUrl) -> Result<()> {
        probe(&address(url, &ANY)?, Duration::from_millis(NETWORK_TIMEOUT_MS as u64)).map_err(|_| {
            let text = "could not connect to the network camera: it does not answer; check its address, its power and the network";
            Error::new(Kind::Network, text)
        })
    }

    /// Opens a network camera. Neither the address nor a part of it is ever in an error.
    pub fn rtsp(url: &CameraUrl) -> Result<Self> {
        // OpenCV gives no time of compressed frames, and without it old frames can't be told from new.
        Self::open(&address(url, &RTSP)?, None)
    }

    /// Opens a network camera that sends JPEGs over HTTP. Neither the address nor a part of it is ever in an error.
    pub fn mjpeg(url: &CameraUrl) -> Result<Self> {
        Self::open(&address(url, &HTTP)?, Some(FFMPEG_COMPRESSED))
    }

    fn open(url: &str, compressed: Option<(i32, f64)>) -> Result<Self> {
        let timeouts = [
            (videoio::CAP_PROP_OPEN_TIMEOUT_MSEC, NETWORK_OPEN_TIMEOUT_MS),
            (videoio::CAP_PROP_READ_TIMEOUT_MSEC, NETWORK_TIMEOUT_MS),
        ];
        let capture = open(url.as_ref(), videoio::CAP_FFMPEG, &timeouts).ok_or_else(|| {
            let text = "could not connect to the network camera; check its address, its password and the network";
            Error::new(Kind::Network, text)
        })?;
        let backlog = compressed.is_none().then(|| Backlog::new(Instant::now()));
        Ok(Self { stream: Stream::new(capture, compressed), backlog })
    }
}

impl FrameReader for Camera {
    fn advance(&mut self) -> Result<bool> {
        loop {
            if !self.stream.grab() {
                return Err(Error::new(Kind::Missing, "the camera stopped sending"));
            }
            // An old frame would be stamped with a time that is not its own.
            let time = self.stream.media_time();
            if !self.backlog.as_mut().is_some_and(|backlog| backlog.holds(Instant::now(), time)) {
                return Ok(true);
            }
        }
    }

    fn fetch(&mut self) -> Result<Option<Picture>> {
        self.stream.retrieve()
    }

    fn rate(&self) -> f64 {
        self.stream.rate
    }
}

/// What file and camera have in common.
struct Stream {
    capture: VideoCapture,
    rate: f64,
    /// It hands out each frame's JPEG as it came.
    compressed: bool,
}

impl Stream {
    /// Of frames that are JPEGs the bytes are asked for, so that nothing is decoded that nobody looks
    /// at; `setting` is how this backend is asked.
    fn new(mut capture: VideoCapture, setting: Option<(i32, f64)>) -> Self {
        let stated = capture.get(videoio::CAP_PROP_FPS).unwrap_or(0.0);
        let rate = if stated > 0.1 && stated <= 1000.0 { stated } else { USUAL_RATE };
        let code = capture.get(videoio::CAP_PROP_FOURCC).unwrap_or(0.0) as u32;
        let compressed = matches!(&code.to_le_bytes().map(|b| b.to_ascii_uppercase()), b"MJPG" | b"JPEG")
            && setting.is_some_and(|(key, value)| capture.set(key, value).unwrap_or(false));
        debug!(compressed, "The stream is open.");
        Self { capture, rate, compressed }
    }

    /// OpenCV tells a failure, a time-out and the end by the same `false`.
    fn grab(&mut self) -> bool {
        self.capture.grab().unwrap_or(false)
    }

    /// The stream's own time of the frame grabbed last, in seconds from any beginning.
    fn media_time(&self) -> f64 {
        self.capture.get(videoio::CAP_PROP_POS_MSEC).unwrap_or(0.0) / 1000.0
    }

    fn retrieve(&mut self) -> Result<Option<Picture>> {
        let mut image = Mat::default();
        if !self.capture.retrieve_def(&mut image).unwrap_or(false) {
            return Ok(None);
        }
        // One row of bytes is a compressed frame; a backend that does not know how gives pixels.
        let row = self.compressed && image.rows() == 1 && image.typ() == CV_8UC1;
        match image.data_bytes() {
            Ok(bytes) if row && is_jpeg(bytes) => Ok(Jpeg::new(bytes).ok().map(Picture::Jpeg)),
            _ if row => Ok(None),
            _ => Ok(to_bgr(image)?.map(Picture::from)),
        }
    }
}

/// OpenCV's own messages are left out on purpose: they can hold the address.
fn open(name: &std::ffi::OsStr, backend: i32, settings: &[(i32, i32)]) -> Option<VideoCapture> {
    silence_opencv();
    let settings: Vector<i32> = settings.iter().flat_map(|(key, value)| [*key, *value]).collect();
    let capture = VideoCapture::from_file_with_params(name, backend, &settings).ok()?;
    capture.is_opened().unwrap_or(false).then_some(capture)
}

/// How addresses of network cameras begin.
const RTSP: [&str; 2] = ["rtsp://", "rtsps://"];
const HTTP: [&str; 2] = ["http://", "https://"];
const ANY: [&str; 4] = [RTSP[0], RTSP[1], HTTP[0], HTTP[1]];

/// The address of a network camera, which begins with one of these.
fn address(url: &CameraUrl, schemes: &[&str]) -> Result<String> {
    let url = match url {
        CameraUrl::Plain(url) => url.clone(),
        CameraUrl::File(path) => secret_line(path)?,
    };
    if !schemes.iter().any(|scheme| url.starts_with(scheme)) {
        let text = format!("the camera's address does not begin with {}", schemes.join(" or "));
        return Err(Error::new(Kind::Config, text));
    }
    Ok(url)
}

/// The first line of a file that only its owner can read.
fn secret_line(path: &Path) -> Result<String> {
    let fail = || format!("could not read the camera's address from {}", path.display());
    let mode = std::fs::metadata(path).context(Kind::Config, fail)?.permissions().mode();
    if mode & 0o077 != 0 {
        let text = format!("{} can be read by others (mode {:04o}); set it to 0400", path.display(), mode & 0o7777);
        return Err(Error::new(Kind::Config, text));
    }
    let text = std::fs::read_to_string(path).context(Kind::Config, fail)?;
    let line = text.lines().next().unwrap_or("").trim();
    if line.is_empty() {
        return Err(Error::new(Kind::Config, format!("the first line of {} is empty", path.display())));
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rtsp(text: &str, mode: u32) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("front.url");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        Camera::probe(&CameraUrl::File(path)).err().unwrap().chain()
    }

    #[test]
    fn an_address_file_that_others_can_read_is_refused() {
        assert!(rtsp("rtsp://a:b@127.0.0.1:1/\n", 0o640).contains("0640"));
    }

    #[test]
    fn an_address_with_a_password_is_never_in_an_error() {
        for url in [
            "rtsp://user:hunter2@127.0.0.1:1/live\n",
            "http://user:hunter2@127.0.0.1:1/a\n",
            "ftp://user:hunter2@127.0.0.1:1/live\n",
        ] {
            let err = rtsp(url, 0o400);
            assert!(!err.contains("hunter2") && !err.contains("127.0.0.1"), "{err}");
        }
    }
}
