//! The frames of a camera, and what of them was lost.

use super::control::Settings;
use super::device::{Answer, Device};
use super::mode::{Mode, PixelFormat, Wish, table};
use super::stream::{Arrival, Buffers, Stream};
use crate::capture::FrameReader;
use crate::picture::{Jpeg, Picture, is_jpeg};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::sentence;
use std::path::Path;
use std::time::Duration;
use tracing::{debug, warn};

/// A camera that sends nothing for so long has failed; a slow one has the time of ten of its frames.
const MIN_SILENCE: Duration = Duration::from_secs(3);
/// A gap that is larger is a driver that counts from another number on.
const MAX_GAP: u32 = 1000;
/// A picture is not older than this when it is taken out of the driver: then its clock is another one.
const MAX_AGE: Duration = Duration::from_secs(5);

/// A camera at work.
pub struct UsbCamera<B = Stream> {
    buffers: B,
    answer: Answer,
    arrival: Option<Arrival>,
    lost: u64,
    note: Option<String>,
}

impl UsbCamera {
    /// Opens a camera, asks it for what is wished, sets its controls and begins the stream. What it does not give as
    /// wished is told in the log, with all that it offers, and in its note; it is used as it is.
    ///
    /// # Errors
    /// `Missing` when it is not there or another program uses it, `Config` when it gives nothing that is read.
    pub fn open(path: &Path, wish: &Wish, controls: &Settings) -> Result<Self> {
        let device = Device::open(path)?;
        let offers = device.offers();
        let name = path.display();
        let wanted = wish.choose(&offers).ok_or_else(|| {
            let text = format!("{name} offers no format that is read:\n{}", table(&offers));
            Error::new(Kind::Config, text)
        })?;
        let answer = device.set(&wanted)?;
        let mut notes = Vec::new();
        if let Some(unmet) = wish.unmet(&answer.mode) {
            warn!("{} It offers:\n{}", sentence(&format!("{name}: {unmet}")), table(&offers));
            notes.push(unmet);
        }
        for error in device.set_controls(controls) {
            warn!("{name}: {}", sentence(&error.chain()));
            notes.push(error.to_string());
        }
        debug!("{name} streams {}.", answer.mode);
        let silence = MIN_SILENCE.max(Duration::from_secs_f64(10.0 / answer.mode.rate));
        let note = (!notes.is_empty()).then(|| notes.join("; "));
        Ok(Self { buffers: Stream::begin(device, silence)?, answer, arrival: None, lost: 0, note })
    }

    /// The device that it streams from.
    pub fn device(&self) -> &Device {
        self.buffers.device()
    }

    /// What it gives.
    pub fn mode(&self) -> Mode {
        self.answer.mode
    }

    /// Pictures that were lost on their way since it was opened, as its driver counts them.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// The next picture that is whole.
    ///
    /// # Errors
    /// As of the stream.
    pub fn picture(&mut self) -> Result<Picture> {
        loop {
            self.advance()?;
            if let Some(picture) = self.fetch()? {
                return Ok(picture);
            }
        }
    }
}

impl<B: Buffers> FrameReader for UsbCamera<B> {
    fn advance(&mut self) -> Result<bool> {
        let arrival = self.buffers.next()?;
        let before = self.arrival.replace(arrival);
        if let Some(before) = before {
            let gap = arrival.sequence.wrapping_sub(before.sequence).saturating_sub(1);
            self.lost += u64::from(if gap <= MAX_GAP { gap } else { 0 });
        }
        Ok(true)
    }

    fn fetch(&mut self) -> Result<Option<Picture>> {
        if self.arrival.is_none_or(|arrival| arrival.damaged) {
            return Ok(None);
        }
        let Answer { mode: Mode { format, size, .. }, bytes_per_line } = self.answer;
        let bytes = self.buffers.bytes();
        match format {
            PixelFormat::Mjpeg if is_jpeg(bytes) => Ok(Jpeg::new(bytes).ok().map(Picture::Jpeg)),
            PixelFormat::Mjpeg => Ok(None),
            other => Ok(other.pixels(bytes, size.width, size.height, bytes_per_line)?.map(Picture::from)),
        }
    }

    fn rate(&self) -> f64 {
        self.answer.mode.rate
    }

    fn age(&self) -> Duration {
        self.arrival.map(|arrival| arrival.age).filter(|age| *age <= MAX_AGE).unwrap_or_default()
    }

    fn lost(&self) -> u64 {
        self.lost
    }

    fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::v4l2::mode::Size;
    use opencv::core::{CV_8UC3, Mat, Scalar};
    use std::collections::VecDeque;

    /// A driver that hands out what it is told to.
    struct Driver {
        to_come: VecDeque<(Arrival, Vec<u8>)>,
        bytes: Vec<u8>,
    }

    impl Buffers for Driver {
        fn next(&mut self) -> Result<Arrival> {
            let (arrival, bytes) = self.to_come.pop_front().ok_or_else(|| Error::new(Kind::Missing, "unplugged"))?;
            self.bytes = bytes;
            Ok(arrival)
        }
        fn bytes(&self) -> &[u8] {
            &self.bytes
        }
    }

    fn camera(format: PixelFormat, to_come: Vec<(Arrival, Vec<u8>)>) -> UsbCamera<Driver> {
        let mode = Mode { format, size: Size { width: 64, height: 48 }, rate: 30.0 };
        let buffers = Driver { to_come: to_come.into(), bytes: Vec::new() };
        UsbCamera { buffers, answer: Answer { mode, bytes_per_line: 0 }, arrival: None, lost: 0, note: None }
    }

    fn arrival(sequence: u32) -> Arrival {
        Arrival { sequence, age: Duration::from_millis(4), damaged: false }
    }

    fn jpeg() -> Vec<u8> {
        let grey = Mat::new_rows_cols_with_default(48, 64, CV_8UC3, Scalar::all(90.0)).unwrap();
        crate::picture::encode(&grey, 90).unwrap().to_vec()
    }

    #[test]
    fn what_the_driver_lost_is_counted_also_past_the_largest_number_and_a_new_count_is_no_loss() {
        let numbers = [u32::MAX - 1, u32::MAX, 2, 3, 9, 0, 1];
        let mut camera = camera(PixelFormat::Mjpeg, numbers.map(|n| (arrival(n), jpeg())).into());
        let lost: Vec<u64> = numbers.iter().map(|_| (camera.advance().unwrap(), camera.lost()).1).collect();
        assert_eq!(lost, [0, 0, 2, 2, 7, 7, 7]);
        assert!(camera.advance().is_err(), "unplugged");
    }

    #[test]
    fn a_picture_is_bit_for_bit_what_the_camera_sent_and_a_damaged_or_empty_one_is_none() {
        let sent = jpeg();
        let damaged = Arrival { damaged: true, ..arrival(2) };
        let to_come = vec![(arrival(1), sent.clone()), (damaged, sent.clone()), (arrival(3), Vec::new())];
        let mut camera = camera(PixelFormat::Mjpeg, to_come);
        let mut next = || (camera.advance().unwrap(), camera.fetch().unwrap()).1;
        match next() {
            Some(Picture::Jpeg(jpeg)) => assert_eq!(**jpeg.bytes(), *sent),
            _ => panic!("no JPEG"),
        }
        assert!(next().is_none() && next().is_none());
    }

    #[test]
    fn pixels_are_converted_and_a_short_buffer_is_none() {
        let whole = vec![128; 64 * 48 * 2];
        let to_come = vec![(arrival(1), whole.clone()), (arrival(2), whole[1..].to_vec())];
        let mut camera = camera(PixelFormat::Yuyv, to_come);
        let mut next = || (camera.advance().unwrap(), camera.fetch().unwrap()).1;
        assert!(matches!(next(), Some(Picture::Pixels(_))));
        assert!(next().is_none());
    }

    #[test]
    fn an_age_that_can_not_be_is_none() {
        let old = Arrival { age: Duration::from_secs(3600), ..arrival(2) };
        let mut camera = camera(PixelFormat::Mjpeg, vec![(arrival(1), jpeg()), (old, jpeg())]);
        let mut age = || (camera.advance().unwrap(), camera.age()).1;
        assert_eq!((age(), age()), (Duration::from_millis(4), Duration::ZERO));
    }
}
