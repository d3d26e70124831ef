//! Cameras and files to frames, frames to reads. OpenCV and onnxruntime live here only.

pub mod capture; // cameras and files to frames, newest frame wins
pub mod frame; // one picture from one camera
pub mod optics; // how many pixels a plate has
pub mod picture; // JPEG or pixels, decoded as far as is wanted
pub mod recognition; // frames to sightings to reads
