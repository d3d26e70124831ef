//! Pictures out of buffers that the driver fills and that are mapped into memory.

use super::device::{Device, failed};
use super::sys;
use memmap2::{Mmap, MmapOptions};
use plated_core::error::{Context, Error, Kind, Result};
use rustix::io::Errno;
use std::time::Duration;

/// So many pictures the driver may be ahead: a tenth of a second of a fast camera, in which this thread may be kept
/// from running.
const BUFFERS: u32 = 4;

/// What the driver says of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The driver's number of it; pictures between two numbers were lost.
    pub sequence: u32,
    /// How long ago it was taken, by the driver's clock; zero where the driver has another clock.
    pub age: Duration,
    /// Part of it is missing or wrong.
    pub damaged: bool,
}

/// Where pictures come from one after the other; the device, and what stands for it in tests.
pub trait Buffers {
    /// Waits for the next picture. The one before it is given back to the driver.
    ///
    /// # Errors
    /// `Missing` when none comes any more.
    fn next(&mut self) -> Result<Arrival>;
    /// The bytes of the picture that came last.
    fn bytes(&self) -> &[u8];
}

/// A camera that streams.
pub struct Stream {
    device: Device,
    maps: Vec<Mmap>,
    /// The buffer that is looked at, and the bytes in it.
    taken: Option<(u32, usize)>,
    silence: Duration,
}

impl Stream {
    /// Begins the stream; none comes for `silence`, and the camera has failed.
    ///
    /// # Errors
    /// `Missing` when another program streams from it, or it went away.
    pub fn begin(device: Device, silence: Duration) -> Result<Self> {
        let told = |e| failed(device.name(), "could not begin to stream", Some(e));
        let mut request = sys::RequestBuffers {
            count: BUFFERS,
            kind: sys::CAPTURE,
            memory: sys::MMAP,
            ..sys::RequestBuffers::default()
        };
        sys::request_buffers(device.fd(), &mut request).map_err(told)?;
        let mut maps = Vec::new();
        for index in 0..request.count {
            let mut buffer = buffer(index);
            sys::query_buffer(device.fd(), &mut buffer).map_err(told)?;
            maps.push(map(&device, &buffer)?);
            sys::queue_buffer(device.fd(), &mut buffer).map_err(told)?;
        }
        if maps.is_empty() {
            return Err(Error::new(Kind::Missing, format!("{} has no room for pictures", device.name())));
        }
        sys::stream_on(device.fd()).map_err(told)?;
        Ok(Self { device, maps, taken: None, silence })
    }

    /// The camera.
    pub fn device(&self) -> &Device {
        &self.device
    }

    fn wait(&self) -> Result<()> {
        let name = self.device.name();
        match sys::wait(self.device.fd(), self.silence) {
            Ok(false) => {
                let seconds = self.silence.as_secs();
                let text = format!("{name} has sent nothing for {seconds} s; look at the camera's cable and power");
                Err(Error::new(Kind::Missing, text))
            }
            // What is wrong, if anything, the next call says.
            Ok(true) => Ok(()),
            Err(e) => Err(failed(name, "could not be waited for", Some(e))),
        }
    }
}

impl Buffers for Stream {
    fn next(&mut self) -> Result<Arrival> {
        if let Some((index, _)) = self.taken.take() {
            let queued = sys::queue_buffer(self.device.fd(), &mut buffer(index));
            queued.map_err(|e| failed(self.device.name(), "stopped sending", Some(e)))?;
        }
        let mut filled = buffer(0);
        loop {
            self.wait()?;
            match sys::dequeue_buffer(self.device.fd(), &mut filled) {
                Ok(()) => break,
                Err(Errno::AGAIN) => {}
                Err(e) => return Err(failed(self.device.name(), "stopped sending", Some(e))),
            }
        }
        let room = self.maps.get(filled.index as usize).map_or(0, |map| map.len());
        self.taken = Some((filled.index, (filled.bytes_used as usize).min(room)));
        let is_monotonic = filled.flags & sys::TIMESTAMP_MASK == sys::TIMESTAMP_MONOTONIC;
        Ok(Arrival {
            sequence: filled.sequence,
            age: if is_monotonic { since(filled.seconds, filled.microseconds) } else { Duration::ZERO },
            damaged: filled.flags & sys::BUFFER_DAMAGED != 0,
        })
    }

    fn bytes(&self) -> &[u8] {
        let map = |(index, used): (u32, usize)| self.maps.get(index as usize).map(|map| &map[..used]);
        self.taken.and_then(map).unwrap_or_default()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Whatever comes of it, the device is closed next.
        let _ = sys::stream_off(self.device.fd());
    }
}

fn buffer(index: u32) -> sys::Buffer {
    sys::Buffer { index, kind: sys::CAPTURE, memory: sys::MMAP, ..sys::Buffer::default() }
}

fn map(device: &Device, buffer: &sys::Buffer) -> Result<Mmap> {
    let mut options = MmapOptions::new();
    options.offset(buffer.offset.into()).len(buffer.length as usize);
    // SAFETY: the memory is the driver's, which writes to it only while the buffer is queued; it is read only between
    // `dequeue_buffer` and the next `queue_buffer`. It stays mapped though the camera is unplugged.
    #[allow(unsafe_code, reason = "memory that is shared with the driver")]
    let mapped = unsafe { options.map(device.file()) };
    mapped.context(Kind::Missing, || format!("could not map the memory of {}", device.name()))
}

/// How long ago something was by the clock that the kernel's drivers have.
fn since(seconds: i64, microseconds: i64) -> Duration {
    let then = i128::from(seconds) * 1_000_000_000 + i128::from(microseconds) * 1000;
    Duration::from_nanos(u64::try_from(sys::monotonic() - then).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_picture_is_counted_by_the_drivers_clock_and_is_never_less_than_nothing() {
        let now = (sys::monotonic() / 1_000_000_000) as i64;
        assert!(since(now - 2, 0) >= Duration::from_secs(2));
        assert_eq!(since(now + 60, 0), Duration::ZERO);
        assert_eq!(since(i64::MAX, i64::MAX), Duration::ZERO);
    }
}
