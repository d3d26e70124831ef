//! What the cameras see now.

use super::Frame;
use crate::plate::Plate;
use crate::ui::{Health, Moment, Picture, StatusLine, Urgency};
use askama::Template;

/// How sure a text is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confidence(pub f32);

/// From here on a text is called sure.
const SURE: f32 = 0.95;
/// From here on it is called likely.
const LIKELY: f32 = 0.8;

impl Confidence {
    /// Whole percent, never rounded up.
    pub fn percent(self) -> String {
        match (self.0.clamp(0.0, 1.0) * 100.0).floor() {
            p if p >= 1.0 => format!("{p} %"),
            _ => "under 1 %".into(),
        }
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self.0 {
            c if c >= SURE => "sure",
            c if c >= LIKELY => "likely",
            _ => "unsure",
        }
    }

    /// Class in the style sheet.
    pub fn class(self) -> &'static str {
        self.word()
    }
}

/// One read in a list.
#[derive(Clone, Debug)]
pub struct ReadRow {
    /// Its id.
    pub id: String,
    /// Address of its page; empty for who may not see that.
    pub href: String,
    /// Text and state.
    pub plate: Plate,
    /// The plate alone, if there is a picture of it.
    pub crop: Option<Picture>,
    /// How sure the text is.
    pub confidence: Confidence,
    /// Name of the camera.
    pub camera: String,
    /// When it was seen last.
    pub at: Moment,
    /// Street or coordinates; empty without a position.
    pub place: String,
    /// Of the hit, if there is one that may be shown.
    pub urgency: Option<Urgency>,
    /// Somebody corrected the text.
    pub corrected: bool,
}

/// One camera and how it is.
#[derive(Clone, Debug)]
pub struct CameraCard {
    /// Name made of letters, digits and hyphens.
    pub id: String,
    /// Its name in the configuration.
    pub name: String,
    /// As people are shown it: the name, and which way it looks.
    pub label: String,
    /// How it is.
    pub health: Health,
    /// Such as `28 frames/s`.
    pub rate: String,
    /// Such as `last read 4 s ago`.
    pub last_read: String,
    /// What is wrong and what to do: focus, light, no picture.
    pub warnings: Vec<String>,
}

/// The page of live reads.
#[derive(Clone, Debug, Template)]
#[template(path = "live.html")]
pub struct Live {
    /// Around it.
    pub frame: Frame,
    /// Newest first.
    pub reads: Vec<ReadRow>,
    /// In the order of the configuration.
    pub cameras: Vec<CameraCard>,
}

/// A read as an event brings it.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/read.html")]
pub struct ReadPart {
    /// The read.
    pub read: ReadRow,
}

/// A camera as an event brings it.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/camera.html")]
pub struct CameraPart {
    /// The camera.
    pub camera: CameraCard,
}

/// The status line as an event brings it.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/status.html")]
pub struct StatusPart {
    /// The line.
    pub status: StatusLine,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_confidence_is_rounded_up_to_certainty() {
        assert_eq!(Confidence(0.9999).percent(), "99 %");
        assert_eq!(Confidence(0.9999).word(), "sure");
        assert_eq!(Confidence(0.004).percent(), "under 1 %");
        assert_eq!(Confidence(0.5).word(), "unsure");
        assert_eq!(Confidence(f32::NAN).word(), "unsure");
    }
}
