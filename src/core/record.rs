//! The record of one read: what was read, when, where, from which pictures, and what it hit.

pub use crate::appearance::{Appearance, VehicleDifference};
use crate::digest::Sha256;
pub use crate::position::Position;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One vehicle pass: plate text, confidence, time and images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadRecord {
    /// UUIDv7, made when the track began.
    pub id: Uuid,
    /// The vehicle that made the read.
    pub vehicle: String,
    /// The camera or file it came from.
    pub camera: String,
    /// Registration number, A–Z and 0–9, as read.
    pub text: String,
    /// Issuing state, two letters, or empty when unknown.
    pub state: String,
    /// Probability that `text` is right, 0 to 1, calibrated.
    pub confidence: f32,
    /// Other readings, most probable first; `text` itself is the first.
    pub candidates: Vec<Candidate>,
    /// Frames in which the plate was seen and read.
    pub looks: u32,
    /// Looks whose own best text is `text`, O and 0 taken as one.
    pub agreeing: u32,
    /// Wall-clock time of the first look.
    pub first_seen: Timestamp,
    /// Wall-clock time of the last look.
    pub last_seen: Timestamp,
    /// Mark of its times, when the vehicle's clock was not trusted. None when it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockMark>,
    /// Seconds for which the plate kept its place in the picture, when it did so for 5 s or more: the
    /// vehicle stood, or drove on before the camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stood_s: Option<f32>,
    /// Where the vehicle was at the newest look. None where no receiver told it, or not well enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// What the vehicle looks like. None where no model looked at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appearance: Option<Appearance>,
    /// Incident number of the canvass that was open when it was made (control P-03).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canvass: Option<String>,
    /// The fixed site at which its camera stands; none on patrol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The look that shows the plate best; the images are of this frame.
    pub best: Look,
    /// A few looks over the pass, for review.
    pub sightings: Vec<Look>,
    /// Pictures, stored by hash.
    pub images: Vec<ImageRef>,
    /// Hotlist entries it matched.
    pub hits: Vec<HitRecord>,
    /// Program and model versions that made the read.
    pub made_by: MadeBy,
}

/// Mark of the times of a read that was made while the clock was not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockMark {
    /// They are counted on from the latest time that was known to be past: the read was made then or
    /// later, and reads of one run are in their order and at their distances.
    NotTrusted,
    /// The clock was set right before the read was sealed; they are what they really were, by the
    /// monotonic clock. Its id and its pictures' names are older.
    Corrected,
}

/// A reading and its probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Registration number, A–Z and 0–9.
    pub text: String,
    /// Probability, 0 to 1.
    pub confidence: f32,
}

/// What one frame showed of the plate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// Number of the frame in its source.
    pub frame: u64,
    /// Wall-clock time of the frame.
    pub at: Timestamp,
    /// This look's own best text.
    pub text: String,
    /// This look's own confidence, 0 to 1.
    pub confidence: f32,
    /// `[x, y, width, height]` in pixels of the frame.
    #[serde(rename = "box")]
    pub bounds: [f32; 4],
    /// Corners from the top left, clockwise, in pixels of the frame.
    pub corners: [[f32; 2]; 4],
}

/// What a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageRole {
    /// The plate alone.
    Plate,
    /// The whole frame.
    Overview,
}

impl ImageRole {
    /// The word used in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            ImageRole::Plate => "plate",
            ImageRole::Overview => "overview",
        }
    }
}

/// A picture of a read, named by its content.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageRef {
    /// What it shows.
    pub role: ImageRole,
    /// Over the JPEG bytes.
    pub sha256: Sha256,
    /// Size of the JPEG in bytes.
    pub bytes: u32,
}

/// How urgent a hit is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// For information.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Can't be muted.
    High,
}

/// A read that may be a listed plate, or fits a partial one. A lead, not a fact, until somebody
/// verified it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HitRecord {
    /// UUIDv7.
    pub id: Uuid,
    /// When it was found; in a recording, by its own time.
    pub at: Timestamp,
    /// Best text of the read (of the growing track, so it may differ from the final text).
    pub text: String,
    /// Probability of that text at that moment.
    pub confidence: f32,
    /// The strictest rule that found it.
    pub rule: Rule,
    /// The listed plate (letters and digits, O and 0 as the list writes them), or the partial plate
    /// as it was written.
    pub listed: String,
    /// Characters in which text and list differ, O against 0 among them.
    pub differs: Vec<Difference>,
    /// Probability that the plate is the listed one, 0 to 1.
    pub probability: f32,
    /// Whether anybody was alerted, and if not, why.
    pub alert: Alerting,
    /// The store could not write when this was found: the alert was given, and the read kept later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept_late: bool,
    /// Where the vehicle was at the look that hit, as at [`ReadRecord::position`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// The correction of the read that this is a hit of (control P-30); none when it is of the read itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Uuid>,
    /// Every entry of that plate, the most urgent first, those found not to want this vehicle last; at least one.
    pub entries: Vec<HitEntry>,
}

impl Priority {
    /// One step less urgent, as far as there is one.
    pub fn lowered(self) -> Self {
        match self {
            Self::High => Self::Normal,
            Self::Normal | Self::Low => Self::Low,
        }
    }
}

impl HitRecord {
    /// The last 8 digits of its id, by which people name it. The first ones are a time, which hits
    /// of the same minute share.
    pub fn short(&self) -> String {
        let id = self.id.simple().to_string();
        id[id.len() - 8..].to_owned()
    }

    /// Its entries that can alert: without those found not to want this vehicle.
    pub fn alerting(&self) -> impl Iterator<Item = &HitEntry> {
        self.entries.iter().filter(|e| e.finding.is_none())
    }

    /// Of its most urgent entry, as it alerts.
    pub fn priority(&self) -> Priority {
        self.entries.first().map_or(Priority::Normal, |e| e.priority)
    }
}

/// An entry of a listed plate, beside a read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HitEntry {
    /// How the states compare. Never a reason not to match.
    pub state: StateAgreement,
    /// How urgent it is for this read: the entry's own priority, lowered where the list says so,
    /// such as for another state.
    pub priority: Priority,
    /// Days since the date of the entry, when that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_days: Option<u32>,
    /// The finding that this vehicle is not the one it wants; such an entry does not alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<Uuid>,
    /// In what the vehicle that was seen is not the listed one. Never a reason not to alert.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vehicle_differs: Vec<VehicleDifference>,
    /// The list's own entry.
    pub entry: EntryRecord,
}

/// Whether a hit alerted anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alerting {
    /// It did.
    Sounded,
    /// The same plate with the same entries alerted a short while ago, or its entries alerted in
    /// this pass already.
    Repeat,
    /// Somebody found this shift that the one plate is not the other.
    Quieted,
    /// A supervisor approved that this vehicle is not the one that its entries want.
    NotThisVehicle,
    /// Its probability is under the set one.
    Candidate,
    /// All its entries are of covert lists: it is kept, and nobody is told.
    Covert,
}

/// The rule by which a read matched a listed plate, the strictest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Same characters.
    Exact,
    /// Same match key: letter O and digit 0 stand for each other in at least one place. Lists often
    /// write the letter as a zero, and some states issue both plates.
    ZeroOrO,
    /// Characters differ, each by a pair that readers confuse.
    Equivalent,
    /// A character differs, by any other pair.
    Difference,
    /// One of the two has one character more than the other.
    ExtraCharacter,
    /// The listed plate is another probable reading of this plate.
    Alternative,
    /// The read, or another probable reading, fits a partial plate.
    Wildcard,
}

/// One differing character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Position in the text that was read, from 0.
    pub position: u8,
    /// The character that was read; `-` when the list has one more here.
    pub read: char,
    /// The character that the list has; `-` when it has none here.
    pub listed: char,
}

/// How the state on the plate compares with the state in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateAgreement {
    /// Both known and the same.
    Agree,
    /// One of them is not known.
    Unknown,
    /// Both known and different.
    Differ,
}

/// A hotlist entry as the list has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EntryRecord {
    /// Name of the list.
    pub list: String,
    /// The list's own plate text.
    pub plate: String,
    /// The list's state, or empty.
    pub state: String,
    /// Why it is wanted, e.g. `stolen_vehicle`.
    pub category: String,
    /// How urgent it is.
    pub priority: Priority,
    /// Free text of the list.
    pub reason: String,
    /// Make of the vehicle, or empty.
    pub make: String,
    /// Colour of the vehicle, or empty.
    pub colour: String,
    /// Who made the entry, or empty.
    pub source: String,
    /// Date of the entry: `2026-11-02` where the list's format says how it writes dates, else as
    /// the list has it; or empty.
    pub date: String,
    /// The source's own id of the record, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Agency that made the entry, by its NCIC identifier (ORI), or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ori: String,
    /// Model of the vehicle, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// Body style of the vehicle, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub style: String,
    /// Year of the vehicle, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub year: String,
    /// Year in which the registration ends, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub plate_year: String,
    /// Type of plate, such as `PC` for a passenger car, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub plate_type: String,
    /// Vehicle identification number, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vin: String,
    /// Case number of the agency that made the entry, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub case_number: String,
    /// Further free text of the list, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remarks: String,
    /// Before this moment the entry does not match; without it, it matches from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Timestamp>,
    /// From this moment on the entry does not match; without it, it has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl EntryRecord {
    /// Whether the entry matches at this moment: not before its start, not from its end on.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.valid_from.is_none_or(|start| start <= now) && self.expires.is_none_or(|end| end > now)
    }
}

/// What made a read, so that a record can be understood years later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MadeBy {
    /// Version of this program.
    pub plated: String,
    /// Version of the detector model.
    pub detector: String,
    /// Version of the reader model.
    pub reader: String,
}
