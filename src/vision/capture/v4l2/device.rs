//! A camera's device node: what it is, what it offers, and setting it.

use super::control::{self, Control};
use super::mode::{Mode, Offer, PixelFormat, Size};
use super::sys;
use plated_core::error::{Error, Kind, Result};
use plated_core::text::visible;
use rustix::io::Errno;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// A driver that names more formats, sizes or rates is in disorder.
const MAX_NAMED: u32 = 256;

/// An open camera.
pub struct Device {
    file: File,
    name: String,
}

/// Who a camera says it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// Its model.
    pub card: String,
    /// The kernel's driver.
    pub driver: String,
    /// Where it is connected.
    pub bus: String,
}

/// What a camera gives, as it answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// Format, size and rate.
    pub mode: Mode,
    /// Bytes from the beginning of a row to that of the next.
    pub bytes_per_line: u32,
}

impl Device {
    /// Opens a camera.
    ///
    /// # Errors
    /// `Missing` when there is none, `Config` when it is no camera, or may not be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let name = visible(path).to_string();
        let fail = |kind, text: &str| Err(Error::new(kind, format!("{name} {text}")));
        match std::fs::metadata(path) {
            Err(_) => return fail(Kind::Missing, "is not there; is the camera plugged in?"),
            Ok(about) if !about.file_type().is_char_device() => return fail(Kind::Config, "is not a camera"),
            Ok(_) => {}
        }
        // A camera that hangs must not keep its thread from being stopped.
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32);
        let file = match options.open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
                return fail(Kind::Config, "may not be opened; its user must be in the group video");
            }
            Err(e) => return Err(failed(&name, "could not be opened", e.raw_os_error().map(Errno::from_raw_os_error))),
        };
        let device = Self { file, name };
        let mut about = sys::Capability::default();
        if sys::query_capability(device.fd(), &mut about).is_err() {
            return fail_of(&device.name, "is not a camera");
        }
        let is_own = about.capabilities & sys::CAP_DEVICE_CAPS != 0;
        let can = if is_own { about.device_caps } else { about.capabilities };
        if can & sys::CAP_CAPTURE == 0 {
            return fail_of(
                &device.name,
                "gives no pictures; a camera has several devices, and another one of them does",
            );
        }
        if can & sys::CAP_STREAMING == 0 {
            return fail_of(&device.name, "can't stream pictures");
        }
        Ok(device)
    }

    /// Who it is.
    pub fn identity(&self) -> Result<Identity> {
        let mut about = sys::Capability::default();
        sys::query_capability(self.fd(), &mut about)
            .map_err(|e| failed(&self.name, "does not say what it is", Some(e)))?;
        let sys::Capability { card, driver, bus, .. } = about;
        Ok(Identity { card: sys::text(&card), driver: sys::text(&driver), bus: sys::text(&bus) })
    }

    /// Every format, size and rate it offers.
    pub fn offers(&self) -> Vec<Offer> {
        let mut offers = Vec::new();
        for index in 0..MAX_NAMED {
            let mut format = sys::FormatDescription { index, kind: sys::CAPTURE, ..sys::FormatDescription::default() };
            if sys::enumerate_formats(self.fd(), &mut format).is_err() {
                break;
            }
            self.add_sizes(format.pixel_format, &mut offers);
        }
        offers
    }

    fn add_sizes(&self, pixel_format: u32, offers: &mut Vec<Offer>) {
        for index in 0..MAX_NAMED {
            let mut size = sys::FrameSize { index, pixel_format, ..sys::FrameSize::default() };
            if sys::enumerate_sizes(self.fd(), &mut size).is_err() {
                return;
            }
            let [a, b, c, d, e, f] = size.sizes;
            let is_one = size.kind == sys::DISCRETE;
            let ((from, to), step) = match is_one {
                true => ((Size { width: a, height: b }, Size { width: a, height: b }), Size { width: 1, height: 1 }),
                false => ((Size { width: a, height: d }, Size { width: b, height: e }), Size { width: c, height: f }),
            };
            let format = PixelFormat::of_code(pixel_format);
            let code = sys::text(&pixel_format.to_le_bytes());
            offers.push(Offer { code, format, from, to, step, rates: self.rates(pixel_format, to) });
            if !is_one {
                return;
            }
        }
    }

    fn rates(&self, pixel_format: u32, size: Size) -> Vec<f64> {
        let mut rates = Vec::new();
        for index in 0..MAX_NAMED {
            let Size { width, height } = size;
            let mut interval =
                sys::FrameInterval { index, pixel_format, width, height, ..sys::FrameInterval::default() };
            if sys::enumerate_intervals(self.fd(), &mut interval).is_err() {
                break;
            }
            rates.extend(rate(interval.numerator, interval.denominator));
            if interval.kind != sys::DISCRETE {
                break;
            }
        }
        rates.sort_by(|a, b| b.total_cmp(a));
        rates
    }

    /// Asks for a format, size and rate; the answer is what it gives.
    ///
    /// # Errors
    /// `Missing` when another program uses it or it went away, `Config` when it gives no format that is read.
    pub fn set(&self, mode: &Mode) -> Result<Answer> {
        let Mode { format, size: Size { width, height }, rate: wanted } = *mode;
        let progressive = 1;
        let mut answer =
            sys::Format { width, height, pixel_format: format.code(), field: progressive, ..sys::Format::default() };
        sys::set_format(self.fd(), &mut answer).map_err(|e| failed(&self.name, "did not take a format", Some(e)))?;
        let Some(format) = PixelFormat::of_code(answer.pixel_format) else {
            let code = sys::text(&answer.pixel_format.to_le_bytes());
            return fail_of(
                &self.name,
                &format!("gives pictures as {code}, which is not read; ask for another format"),
            );
        };
        let mut parameters = sys::StreamParameters::default();
        let mut given = wanted;
        if sys::get_parameters(self.fd(), &mut parameters).is_ok() {
            if parameters.capability & sys::CAP_RATE != 0 {
                (parameters.numerator, parameters.denominator) = (1000, (wanted * 1000.0).round() as u32);
                // Its old rate stays where it takes no other.
                let _ = sys::set_parameters(self.fd(), &mut parameters);
            }
            given = rate(parameters.numerator, parameters.denominator).unwrap_or(wanted);
        }
        let size = Size { width: answer.width, height: answer.height };
        Ok(Answer { mode: Mode { format, size, rate: given }, bytes_per_line: answer.bytes_per_line })
    }

    /// Its controls, in its own order.
    pub fn controls(&self) -> Vec<Control> {
        control::controls(self.fd())
    }

    /// Sets controls by name, each that can be; see [`control::set`].
    pub fn set_controls(&self, settings: &control::Settings) -> Vec<Error> {
        control::set(self.fd(), settings)
    }

    /// For the calls.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// For mapping its memory.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// For messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// Frames a second of seconds for one frame. None for what no camera has.
fn rate(numerator: u32, denominator: u32) -> Option<f64> {
    let rate = f64::from(denominator) / f64::from(numerator);
    (rate.is_finite() && rate > 0.01 && rate <= 1000.0).then_some(rate)
}

/// What the kernel says, and what to do.
pub(super) fn failed(name: &str, what: &str, code: Option<Errno>) -> Error {
    let (kind, why) = match code {
        Some(Errno::NODEV | Errno::NXIO | Errno::NOENT) => (Kind::Missing, "the camera was unplugged".to_owned()),
        Some(Errno::BUSY) => (Kind::Missing, "another program uses the camera".into()),
        Some(Errno::NOSPC) => {
            let why = "the USB bus has no room for it beside the other cameras: ask for mjpeg, a smaller size or a \
                       lower rate, or plug it into a socket of another controller";
            (Kind::Missing, why.into())
        }
        Some(Errno::PROTO | Errno::IO | Errno::PIPE) => {
            (Kind::Missing, "the camera does not answer rightly; look at its cable and its power".into())
        }
        Some(other) => (Kind::Missing, other.to_string()),
        None => (Kind::Missing, "the system does not say why".into()),
    };
    Error::new(kind, format!("{name} {what}: {why}"))
}

fn fail_of<T>(name: &str, text: &str) -> Result<T> {
    Err(Error::new(Kind::Config, format!("{name} {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_camera_is_named_with_what_to_do() {
        let why = |path: &str| Device::open(Path::new(path)).err().unwrap().chain();
        assert!(why("/dev/plated/serial-none").contains("serial-none is not there; is the camera plugged in?"));
        assert!(why("/etc/hostname").contains("/etc/hostname is not a camera"));
        assert!(why("/dev/null").contains("/dev/null is not a camera"));
    }

    #[test]
    fn a_full_bus_a_camera_in_use_and_one_that_went_away_are_told_apart() {
        let why = |code| failed("/dev/video0", "could not begin", Some(code)).to_string();
        assert!(why(Errno::NOSPC).contains("socket of another controller"));
        assert!(why(Errno::BUSY).contains("another program"));
        assert!(why(Errno::NODEV).contains("unplugged"));
    }

    #[test]
    fn a_rate_that_no_camera_has_is_none() {
        assert_eq!((rate(1001, 30_000).map(f64::round), rate(0, 30), rate(1, 0)), (Some(30.0), None, None));
    }
}
