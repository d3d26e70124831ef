//! A vehicle's track.

use super::{Frame, ReadRow};
use crate::map::Map;
use crate::plate::Plate;
use crate::ui::Link;
use askama::Template;

/// Its reads of a day.
#[derive(Clone, Debug)]
pub struct TrackDay {
    /// The day, in words.
    pub day: String,
    /// The oldest first.
    pub rows: Vec<ReadRow>,
}

/// Where and when one plate was read.
#[derive(Clone, Debug, Template)]
#[template(path = "track.html")]
pub struct Track {
    /// Around it.
    pub frame: Frame,
    /// The plate.
    pub plate: Plate,
    /// Purpose and case that were given.
    pub purpose: String,
    /// How many reads, and from when to when.
    pub summary: String,
    /// Where it was read, in its order; none where no position is known.
    pub map: Option<Map>,
    /// The time line, the oldest day first.
    pub days: Vec<TrackDay>,
    /// The read from which it was asked for.
    pub read: Link,
}
