//! USB and other cameras that the kernel has as Video4Linux devices, by its own calls (`docs/decisions/0049-v4l2.md`).
//!
//! ```text
//! Device  ──►  what it offers, its controls, the mode it is set to
//! Stream  ──►  buffers that the driver fills, with its number and its time of each picture
//! UsbCamera ►  frames: what is lost or damaged is counted, and never given out as a picture
//! ```

mod camera;
mod control;
mod device;
mod list;
mod mode;
mod stream;
mod sys;

pub use camera::UsbCamera;
pub use control::{Control, Setting, Settings};
pub use device::{Device, Identity};
pub use list::{Listed, list};
pub use mode::{Mode, Offer, PixelFormat, Size, Wish, table};
