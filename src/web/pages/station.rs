//! The station's own pages: evidence holds, the fleet, the public policy.

use super::Frame;
use crate::bars::Bars;
use crate::plate::Plate;
use crate::ui::{Fact, Form, Health, Link, Moment, Pager};
use askama::Template;

/// An evidence hold.
#[derive(Clone, Debug)]
pub struct HoldRow {
    /// Number of the case.
    pub case: String,
    /// Why.
    pub why: String,
    /// Who began it, and when.
    pub by: String,
    /// How many reads it keeps, in words.
    pub reads: String,
    /// The first of them.
    pub links: Vec<Link>,
    /// Whether it was released.
    pub standing: (Health, String),
    /// Releases it.
    pub release: Option<Form>,
}

/// All evidence holds.
#[derive(Clone, Debug, Template)]
#[template(path = "holds.html")]
pub struct Holds {
    /// Around it.
    pub frame: Frame,
    /// Those that go on first.
    pub rows: Vec<HoldRow>,
    /// Where it stands among the others.
    pub pager: Pager,
}

/// A vehicle.
#[derive(Clone, Debug)]
pub struct VehicleRow {
    /// Its name.
    pub name: String,
    /// How it is, in a sentence.
    pub standing: (Health, String),
    /// When it was heard of last.
    pub last: String,
    /// All reads that ever came.
    pub reads: String,
    /// Reads and hits of the last days.
    pub recent: String,
}

/// How the vehicles are.
#[derive(Clone, Debug, Template)]
#[template(path = "fleet.html")]
pub struct Fleet {
    /// Around it.
    pub frame: Frame,
    /// How all is.
    pub health: Health,
    /// The same as a sentence.
    pub verdict: String,
    /// What the station keeps.
    pub facts: Vec<Fact>,
    /// What needs somebody first.
    pub rows: Vec<VehicleRow>,
}

/// What the agency does with license plates, for everybody.
#[derive(Clone, Debug, Template)]
#[template(path = "policy.html")]
pub struct PolicyPage {
    /// Around it.
    pub frame: Frame,
    /// Agency, custodian, administrator.
    pub who: Vec<Fact>,
    /// What reads may be looked at for.
    pub purposes: Vec<String>,
    /// How long reads are kept.
    pub retention: Vec<Fact>,
    /// Who gets in, and how that is watched; sentences.
    pub access: Vec<String>,
    /// How data is shared; sentences, may be none.
    pub sharing: Vec<String>,
    /// What everybody is shown beside it.
    pub figures: Option<Link>,
    /// Address of the whole policy; empty for none.
    pub document: String,
}

/// What a camera read in a time.
#[derive(Clone, Debug)]
pub struct CameraFigures {
    /// The vehicle.
    pub vehicle: String,
    /// The camera.
    pub camera: String,
    /// Reads.
    pub reads: String,
    /// Those of them with a hit.
    pub hits: String,
    /// Share of those, in percent.
    pub share: String,
    /// Reads on a day, on average.
    pub daily: String,
}

/// Figures of a time.
#[derive(Clone, Debug, Template)]
#[template(path = "statistics.html")]
pub struct StatisticsPage {
    /// Around it.
    pub frame: Frame,
    /// Chooses the days.
    pub find: Form,
    /// Sums.
    pub facts: Vec<Fact>,
    /// Reads over time.
    pub reads: Bars,
    /// Reads with a hit over time.
    pub hits: Bars,
    /// Most reads first.
    pub rows: Vec<CameraFigures>,
    /// The same for a spreadsheet.
    pub csv: Link,
}

/// A misread.
#[derive(Clone, Debug)]
pub struct MisreadRow {
    /// The page of its read.
    pub link: Link,
    /// The vehicle.
    pub vehicle: String,
    /// As it was read, or what it hit.
    pub read_as: Plate,
    /// What the plate says; none where an officer only found that it was misread.
    pub says: Option<Plate>,
    /// Why, in their words.
    pub why: String,
    /// Who found it.
    pub by: String,
    /// When.
    pub at: Moment,
    /// Who looked at it, and what they noted; empty while it waits.
    pub reviewed: String,
    /// Takes it off the queue.
    pub review: Option<Form>,
}

/// The queue of misreads.
#[derive(Clone, Debug, Template)]
#[template(path = "misreads.html")]
pub struct Misreads {
    /// Around it.
    pub frame: Frame,
    /// Whether any waits.
    pub health: Health,
    /// The same as a sentence.
    pub verdict: String,
    /// Those that wait first.
    pub rows: Vec<MisreadRow>,
}
