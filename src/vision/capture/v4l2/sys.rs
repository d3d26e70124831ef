//! The calls of the kernel's `linux/videodev2.h` that a camera takes, and their structures.
//!
//! The number of a call holds the size of its structure, so that the kernel refuses one of another layout.

use rustix::io::{Errno, retry_on_intr};
use rustix::ioctl::{Setter, Updater, ioctl, opcode};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// `V4L2_BUF_TYPE_VIDEO_CAPTURE`
pub const CAPTURE: u32 = 1;
/// `V4L2_MEMORY_MMAP`
pub const MMAP: u32 = 1;
/// `V4L2_CAP_VIDEO_CAPTURE`
pub const CAP_CAPTURE: u32 = 1;
/// `V4L2_CAP_STREAMING`
pub const CAP_STREAMING: u32 = 0x0400_0000;
/// `V4L2_CAP_DEVICE_CAPS`: `device_caps` tells of this node, `capabilities` of all nodes of the camera.
pub const CAP_DEVICE_CAPS: u32 = 0x8000_0000;
/// `V4L2_CAP_TIMEPERFRAME`: the rate can be set.
pub const CAP_RATE: u32 = 0x1000;
/// `V4L2_BUF_FLAG_ERROR`: what is in the buffer is damaged.
pub const BUFFER_DAMAGED: u32 = 0x40;
/// `V4L2_BUF_FLAG_TIMESTAMP_MASK`
pub const TIMESTAMP_MASK: u32 = 0xE000;
/// `V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC`
pub const TIMESTAMP_MONOTONIC: u32 = 0x2000;
/// `V4L2_CTRL_FLAG_NEXT_CTRL`: tell of the control after this one.
pub const NEXT_CONTROL: u32 = 0x8000_0000;
/// `V4L2_FRMSIZE_TYPE_DISCRETE` and `V4L2_FRMIVAL_TYPE_DISCRETE`
pub const DISCRETE: u32 = 1;

/// `v4l2_capability`
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Capability {
    pub driver: [u8; 16],
    pub card: [u8; 32],
    pub bus: [u8; 32],
    pub version: u32,
    pub capabilities: u32,
    pub device_caps: u32,
    pub reserved: [u32; 3],
}

/// `v4l2_fmtdesc`
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct FormatDescription {
    pub index: u32,
    pub kind: u32,
    pub flags: u32,
    pub description: [u8; 32],
    pub pixel_format: u32,
    pub mbus_code: u32,
    pub reserved: [u32; 3],
}

/// `v4l2_format` with its `v4l2_pix_format`
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct Format {
    pub kind: u32,
    pub padding: u32,
    pub width: u32,
    pub height: u32,
    pub pixel_format: u32,
    pub field: u32,
    pub bytes_per_line: u32,
    pub size: u32,
    pub colour: [u32; 6],
    pub unused: [u64; 19],
}

/// `v4l2_requestbuffers`
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct RequestBuffers {
    pub count: u32,
    pub kind: u32,
    pub memory: u32,
    pub capabilities: u32,
    pub flags: u32,
}

/// `v4l2_buffer` of mapped memory
#[repr(C, align(8))]
#[derive(Clone, Copy, Default)]
pub struct Buffer {
    pub index: u32,
    pub kind: u32,
    pub bytes_used: u32,
    pub flags: u32,
    pub field: u32,
    pub padding: u32,
    pub seconds: i64,
    pub microseconds: i64,
    pub timecode: [u32; 4],
    pub sequence: u32,
    pub memory: u32,
    /// Where it begins, for mapping. Of a union of 8 bytes.
    pub offset: u32,
    pub offset_rest: u32,
    pub length: u32,
    pub reserved: u32,
    pub request: i32,
    pub padding_end: u32,
}

/// `v4l2_streamparm` with its `v4l2_captureparm`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StreamParameters {
    pub kind: u32,
    pub capability: u32,
    pub mode: u32,
    /// Seconds for one frame, as a fraction.
    pub numerator: u32,
    pub denominator: u32,
    pub unused: [u32; 46],
}

/// `v4l2_control`
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Control {
    pub id: u32,
    pub value: i32,
}

/// `v4l2_queryctrl`
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct QueryControl {
    pub id: u32,
    pub kind: u32,
    pub name: [u8; 32],
    pub minimum: i32,
    pub maximum: i32,
    pub step: i32,
    pub default: i32,
    pub flags: u32,
    pub reserved: [u32; 2],
}

/// `v4l2_querymenu`
#[repr(C, packed)]
#[derive(Clone, Copy, Default)]
pub struct QueryMenu {
    pub id: u32,
    pub index: u32,
    /// A name, or a number of 8 bytes.
    pub name: [u8; 32],
    pub reserved: u32,
}

/// `v4l2_frmsizeenum`
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct FrameSize {
    pub index: u32,
    pub pixel_format: u32,
    pub kind: u32,
    /// Width and height; or least, most and step of the width, then of the height.
    pub sizes: [u32; 6],
    pub reserved: [u32; 2],
}

/// `v4l2_frmivalenum`
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct FrameInterval {
    pub index: u32,
    pub pixel_format: u32,
    pub width: u32,
    pub height: u32,
    pub kind: u32,
    /// Seconds for one frame, as a fraction; the shortest of them, where there are more than can be named.
    pub numerator: u32,
    pub denominator: u32,
    pub rest: [u32; 4],
    pub reserved: [u32; 2],
}

impl Default for Format {
    fn default() -> Self {
        let (kind, padding, width, height, pixel_format, field, bytes_per_line, size) = (CAPTURE, 0, 0, 0, 0, 0, 0, 0);
        Self {
            kind,
            padding,
            width,
            height,
            pixel_format,
            field,
            bytes_per_line,
            size,
            colour: [0; 6],
            unused: [0; 19],
        }
    }
}

impl Default for StreamParameters {
    fn default() -> Self {
        Self { kind: CAPTURE, capability: 0, mode: 0, numerator: 0, denominator: 0, unused: [0; 46] }
    }
}

/// A call that fills in, or reads and fills in, its structure.
macro_rules! call {
    ($name:ident, $direction:ident, $number:literal, $value:ty) => {
        #[doc = concat!("The call number ", stringify!($number), ".")]
        #[allow(unsafe_code, reason = "a call into the kernel")]
        pub fn $name(device: BorrowedFd<'_>, value: &mut $value) -> Result<(), Errno> {
            retry_on_intr(|| {
                // SAFETY: the kernel reads and writes as many bytes as the number says, which is made of the size of
                // the structure. Every pattern of bits is a value of it, and it holds no pointer.
                unsafe { ioctl(device, Updater::<{ opcode::$direction::<$value>(b'V', $number) }, $value>::new(value)) }
            })
        }
    };
}

call!(query_capability, read, 0, Capability);
call!(enumerate_formats, read_write, 2, FormatDescription);
call!(set_format, read_write, 5, Format);
call!(request_buffers, read_write, 8, RequestBuffers);
call!(query_buffer, read_write, 9, Buffer);
call!(queue_buffer, read_write, 15, Buffer);
call!(dequeue_buffer, read_write, 17, Buffer);
call!(get_parameters, read_write, 21, StreamParameters);
call!(set_parameters, read_write, 22, StreamParameters);
call!(get_control, read_write, 27, Control);
call!(set_control, read_write, 28, Control);
call!(query_control, read_write, 36, QueryControl);
call!(query_menu, read_write, 37, QueryMenu);
call!(enumerate_sizes, read_write, 74, FrameSize);
call!(enumerate_intervals, read_write, 75, FrameInterval);

/// Begins the stream.
#[allow(unsafe_code, reason = "a call into the kernel")]
pub fn stream_on(device: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: the kernel reads one number.
    retry_on_intr(|| unsafe { ioctl(device, Setter::<{ opcode::write::<u32>(b'V', 18) }, u32>::new(CAPTURE)) })
}

/// Ends the stream.
#[allow(unsafe_code, reason = "a call into the kernel")]
pub fn stream_off(device: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: the kernel reads one number.
    retry_on_intr(|| unsafe { ioctl(device, Setter::<{ opcode::write::<u32>(b'V', 19) }, u32>::new(CAPTURE)) })
}

/// Waits until the device has something to say, at most so long. False when it has not.
#[allow(unsafe_code, reason = "a call into the kernel")]
pub fn wait(device: BorrowedFd<'_>, timeout: Duration) -> Result<bool, Errno> {
    let mut wanted = libc::pollfd { fd: device.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let milliseconds = timeout.as_millis().try_into().unwrap_or(libc::c_int::MAX);
    retry_on_intr(|| {
        // SAFETY: one structure, which the kernel fills in.
        match unsafe { libc::poll(&mut wanted, 1, milliseconds) } {
            -1 => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)),
            ready => Ok(ready > 0),
        }
    })
}

/// The clock of the kernel's drivers, in nanoseconds.
#[allow(unsafe_code, reason = "a call into the kernel")]
pub fn monotonic() -> i128 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: one structure, which the kernel fills in. It can't fail: this clock is always there.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec)
}

/// The text in a field of fixed size.
pub fn text(field: &[u8]) -> String {
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_are_as_large_as_those_of_the_kernel_with_their_fields_where_it_has_them() {
        let sizes = [
            (size_of::<Capability>(), 104),
            (size_of::<FormatDescription>(), 64),
            (size_of::<Format>(), 208),
            (size_of::<RequestBuffers>(), 20),
            (size_of::<Buffer>(), 88),
            (size_of::<StreamParameters>(), 204),
            (size_of::<Control>(), 8),
            (size_of::<QueryControl>(), 68),
            (size_of::<QueryMenu>(), 44),
            (size_of::<FrameSize>(), 44),
            (size_of::<FrameInterval>(), 52),
        ];
        assert!(sizes.iter().all(|(ours, kernels)| ours == kernels), "{sizes:?}");
        let offsets = [
            (std::mem::offset_of!(Format, width), 8),
            (std::mem::offset_of!(Buffer, seconds), 24),
            (std::mem::offset_of!(Buffer, sequence), 56),
            (std::mem::offset_of!(Buffer, offset), 64),
            (std::mem::offset_of!(Buffer, length), 72),
        ];
        assert!(offsets.iter().all(|(ours, kernels)| ours == kernels), "{offsets:?}");
    }

    #[test]
    fn a_text_ends_at_its_zero_and_may_hold_anything() {
        assert_eq!(text(b"HD Webcam\0\0\0garbage"), "HD Webcam");
        assert_eq!(text(&[0xFF, b'a']), "\u{FFFD}a");
        assert_eq!(text(b""), "");
    }
}
