//! The frames of a GigE Vision camera.

use super::library::{Arrived, Found, Library, Stream};
use super::settings::{Gige, Which};
use crate::capture::{FrameReader, Packets};
use crate::picture::Picture;
use opencv::core::Mat;
use opencv::imgproc;
use opencv::prelude::*;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::sentence;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tracing::{debug, warn};

/// A camera without a trigger that sends nothing for so long has failed.
const SILENCE: Duration = Duration::from_secs(3);
/// One with a trigger is waited for so long at a time.
const TRIGGER_WAIT: Duration = Duration::from_millis(500);
/// A gap that is larger is a camera that counts from another number on.
const MAX_GAP: u64 = 1000;
/// A picture is not older than this when it is taken: then the clock jumped.
const MAX_AGE: Duration = Duration::from_secs(5);
/// Pictures a second of a camera that does not say.
const USUAL_RATE: f64 = 30.0;

/// A camera at work.
pub struct GigeCamera {
    stream: Stream,
    rate: f64,
    has_trigger: bool,
    arrived: Option<Arrived>,
    lost: u64,
    note: Option<String>,
}

/// The GigE Vision cameras that answer in the networks of this computer.
///
/// # Errors
/// `Missing` without libaravis, with what to install.
pub fn discover() -> Result<Vec<Found>> {
    Ok(Library::load()?.devices())
}

impl GigeCamera {
    /// Finds the camera, sets it up and begins to stream. What it does not take is told in its note.
    ///
    /// # Errors
    /// `Missing` without libaravis, or when it does not answer or another program controls it.
    pub fn open(wish: &Gige) -> Result<Self> {
        let library = Library::load()?;
        let address = match &wish.which {
            Which::Address(address) => address.clone(),
            Which::Serial(serial) => of_serial(&library.devices(), serial)?,
        };
        let camera = library.open(&address)?;
        let mut notes = Vec::new();
        let mut asked = |what: &str, done: Result<(), String>| {
            if let Err(why) = done {
                warn!("The camera at {address} does not take its {what}: {}", sentence(&why));
                notes.push(format!("it does not take its {what}: {why}"));
            }
        };
        if let Some(format) = &wish.pixel_format {
            asked("pixel_format", camera.set_pixel_format(format));
        }
        if let Some((width, height)) = wish.width.zip(wish.height) {
            asked("width and height", camera.set_size(width as i32, height as i32));
        }
        if let Some(exposure) = wish.exposure_us {
            asked("exposure_us", camera.set_exposure(exposure));
        }
        if let Some(gain) = wish.gain {
            asked("gain", camera.set_gain(gain));
        }
        match &wish.trigger {
            Some(trigger) => asked("trigger", camera.set_trigger(trigger)),
            None => wish.rate.into_iter().for_each(|rate| asked("rate", camera.set_rate(rate))),
        }
        asked("packet_size", camera.set_packet_size(wish.packet_size));
        let rate = camera.rate().ok().filter(|rate| (0.01..=1000.0).contains(rate));
        debug!(
            "The camera at {address} sends packets of {:?} bytes, pictures of {:?}.",
            camera.packet_size(),
            camera.size()
        );
        let failed = |why: String| Error::new(Kind::Missing, format!("the camera at {address} does not stream: {why}"));
        let stream = camera.stream().map_err(failed)?;
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        let rate = rate.or(wish.rate).unwrap_or(USUAL_RATE);
        Ok(Self { stream, rate, has_trigger: wish.trigger.is_some(), arrived: None, lost: 0, note })
    }
}

/// The address of the camera with this serial number.
fn of_serial(found: &[Found], serial: &str) -> Result<String> {
    let wanted = found.iter().find(|camera| camera.serial == serial);
    wanted.map(|camera| camera.address.clone()).ok_or_else(|| {
        let others: Vec<_> = found.iter().map(|camera| format!("{} at {}", camera.serial, camera.address)).collect();
        let others = if others.is_empty() { "none answers".into() } else { format!("there are {}", others.join(", ")) };
        Error::new(Kind::Missing, format!("no GigE Vision camera with the serial number {serial}: {others}"))
    })
}

impl FrameReader for GigeCamera {
    fn advance(&mut self) -> Result<bool> {
        let wait = if self.has_trigger { TRIGGER_WAIT } else { SILENCE };
        let Some(arrived) = self.stream.next(wait) else {
            self.arrived = None;
            if self.has_trigger {
                return Ok(false);
            }
            let seconds = SILENCE.as_secs();
            return Err(Error::new(Kind::Missing, format!("the camera has sent no picture for {seconds} s")));
        };
        let before = self.arrived.replace(arrived).map(|before| before.number);
        self.lost += before.map_or(0, |before| gap(before, arrived.number));
        Ok(true)
    }

    fn fetch(&mut self) -> Result<Option<Picture>> {
        match self.arrived {
            Some(Arrived { is_whole: true, shape: (width, height, format), .. }) => {
                Ok(pixels(self.stream.bytes(), width, height, format)?.map(Picture::from))
            }
            _ => Ok(None),
        }
    }

    fn rate(&self) -> f64 {
        self.rate
    }

    fn again_after(&self) -> Option<Duration> {
        self.has_trigger.then_some(Duration::ZERO)
    }

    fn age(&self) -> Duration {
        let Some(arrived) = self.arrived else { return Duration::ZERO };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        now.checked_sub(arrived.at).filter(|age| *age <= MAX_AGE).unwrap_or_default()
    }

    fn lost(&self) -> u64 {
        self.lost
    }

    fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    fn packets(&self) -> Option<Packets> {
        let (resent, missing) = self.stream.packets();
        Some(Packets { resent, missing })
    }
}

/// Pictures between two numbers.
fn gap(before: u64, now: u64) -> u64 {
    now.checked_sub(before + 1).filter(|gap| *gap <= MAX_GAP).unwrap_or(0)
}

/// 8-bit BGR of the formats that cameras for plates have; none for bytes that are too few.
///
/// # Errors
/// `Config` for another format.
fn pixels(bytes: &[u8], width: i32, height: i32, format: u32) -> Result<Option<Mat>> {
    // GenICam names a Bayer pattern by its first two pixels.
    let (channels, code) = match format {
        0x0108_0001 => (1, imgproc::COLOR_GRAY2BGR),
        0x0108_0008 => (1, imgproc::COLOR_BayerGRBG2BGR),
        0x0108_0009 => (1, imgproc::COLOR_BayerRGGB2BGR),
        0x0108_000a => (1, imgproc::COLOR_BayerGBRG2BGR),
        0x0108_000b => (1, imgproc::COLOR_BayerBGGR2BGR),
        0x0218_0014 => (3, imgproc::COLOR_RGB2BGR),
        0x0218_0015 => (3, -1),
        0x0210_001f => (2, imgproc::COLOR_YUV2BGR_UYVY),
        0x0210_0032 => (2, imgproc::COLOR_YUV2BGR_YUYV),
        other => {
            let text = format!(
                "the camera sends the pixel format {other:#010x}, which is not read; set pixel_format = \"Mono8\""
            );
            return Err(Error::new(Kind::Config, text));
        }
    };
    let wanted = usize::try_from(width).unwrap_or(0) * usize::try_from(height).unwrap_or(0) * channels;
    if wanted == 0 || bytes.len() < wanted {
        return Ok(None);
    }
    let failed = || "the pixels of a camera could not be converted".to_string();
    let made = (|| {
        let flat = Mat::from_slice(&bytes[..wanted])?;
        let raw = flat.reshape(channels as i32, height)?;
        let mut out = Mat::default();
        if code < 0 {
            raw.copy_to(&mut out)?;
        } else {
            imgproc::cvt_color_def(&raw, &mut out, code)?;
        }
        Ok::<_, opencv::Error>(out)
    })();
    made.context(Kind::Internal, failed).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use opencv::core::Vec3b;

    #[test]
    fn each_format_becomes_the_colours_that_it_means_and_too_few_bytes_are_no_picture() {
        let of = |format, bytes: &[u8]| {
            let mat = pixels(bytes, 4, 4, format).unwrap().unwrap();
            mat.at_2d::<Vec3b>(1, 1).unwrap().0
        };
        assert_eq!(of(0x0108_0001, &[77; 16]), [77; 3]);
        assert_eq!(of(0x0218_0014, &[9, 5, 1].repeat(16)), [1, 5, 9], "red first");
        assert_eq!(of(0x0218_0015, &[9, 5, 1].repeat(16)), [9, 5, 1]);
        let red = [200, 0, 200, 0, 0, 0, 0, 0].repeat(2);
        let [blue, green, bright] = of(0x0108_0009, &red);
        assert!(blue == 0 && green == 0 && bright > 150, "a red scene through the pattern RGGB");
        assert!(pixels(&[0; 15], 4, 4, 0x0108_0001).unwrap().is_none());
        assert!(pixels(&[0; 99], 4, 4, 1).err().unwrap().to_string().contains("pixel_format = \"Mono8\""));
    }

    #[test]
    fn pictures_between_two_numbers_are_lost_and_a_count_that_begins_anew_is_no_loss() {
        assert_eq!([gap(1, 2), gap(1, 5), gap(65_535, 1), gap(1, 50_000)], [0, 3, 0, 0]);
    }

    #[test]
    fn a_serial_number_that_nobody_has_is_told_with_those_that_there_are() {
        let found = [Found { serial: "S1".into(), address: "192.168.1.7".into(), ..Found::default() }];
        assert_eq!(of_serial(&found, "S1").unwrap(), "192.168.1.7");
        let message = of_serial(&found, "S2").unwrap_err().to_string();
        assert!(message.contains("S2: there are S1 at 192.168.1.7"), "{message}");
        assert!(of_serial(&[], "S2").unwrap_err().to_string().contains("none answers"));
    }
}
