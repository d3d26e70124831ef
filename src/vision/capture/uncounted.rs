//! An AVI without the count of frames in its header.
//!
//! That count is what the recorder expected. FFmpeg reads on past it, but OpenCV ends there, as if the file did. So
//! the same bytes are opened with a zero in that place, which stands for "not known".

use rustix::fs::{MemfdFlags, memfd_create};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::fd::AsRawFd;
use std::path::Path;

/// The header of the pictures' stream begins before this.
const MAX_HEADER: u64 = 64 << 10;
/// From the name of a stream's header to its count (`dwLength`), and its bytes.
const COUNT_AT: usize = 40;
const COUNT_BYTES: usize = 4;

/// The file as FFmpeg is to open it.
pub struct Uncounted {
    /// Name for FFmpeg, as long as this lives.
    pub name: OsString,
    _parts: [File; 2],
}

impl Uncounted {
    /// Of an AVI.
    ///
    /// # Errors
    /// When it can't be read, or is no AVI with pictures.
    pub fn of(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let mut start = Vec::new();
        (&file).take(MAX_HEADER).read_to_end(&mut start)?;
        let pictures = |w: &[u8]| w.starts_with(b"strh") && w.ends_with(b"vids");
        let at = start.windows(12).position(pictures).map(|at| at + COUNT_AT).filter(|_| start.starts_with(b"RIFF"));
        let at = at.filter(|at| at + COUNT_BYTES <= start.len()).ok_or(ErrorKind::InvalidData)?;
        start.truncate(at);
        start.extend([0; COUNT_BYTES]);
        let mut head = File::from(memfd_create("plated-avi-head", MemfdFlags::CLOEXEC).map_err(Error::from)?);
        head.write_all(&start)?;
        // By number, since a name can hold what FFmpeg takes for a sign of its own.
        let (first, second, from) = (head.as_raw_fd(), file.as_raw_fd(), start.len());
        let name = format!("concat:/proc/self/fd/{first}|subfile,,start,{from},end,0,,:/proc/self/fd/{second}");
        Ok(Self { name: name.into(), _parts: [head, file] })
    }
}
