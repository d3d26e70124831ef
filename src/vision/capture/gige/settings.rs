//! What is asked of a GigE Vision camera.

/// Which camera, and what it is set to. What is not given stays as the camera has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Gige {
    /// Which.
    pub which: Which,
    /// GenICam's name of a pixel format, such as `Mono8` or `BayerRG8`.
    pub pixel_format: Option<String>,
    /// Columns.
    pub width: Option<u32>,
    /// Rows.
    pub height: Option<u32>,
    /// Pictures a second, without a trigger.
    pub rate: Option<f64>,
    /// How long the shutter is open, in microseconds.
    pub exposure_us: Option<f64>,
    /// In the camera's own unit, mostly dB.
    pub gain: Option<f64>,
    /// What a picture is taken at, such as `Line1`; without, the camera takes them by itself.
    pub trigger: Option<String>,
    /// Bytes of a packet; without, the largest that gets through is found out.
    pub packet_size: Option<u32>,
}

/// How a camera is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// By its serial number, wherever it is in the networks of this computer.
    Serial(String),
    /// By its address.
    Address(String),
}
