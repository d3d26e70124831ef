//! What is searched for, and what is found.

use super::batch::{Envelope, Picture};
use super::class::Class;
use bytes::Bytes;
use jiff::Timestamp;
use plated_core::appearance::Looks;
use plated_core::area::Area;
use plated_core::digest::Sha256;
use plated_core::error::{Error, Kind, Result};
use plated_core::officers::Reading;
use plated_core::plate::PlateText;
use plated_hotlist::Pattern;
use serde_json::{Value, json};
use uuid::Uuid;

/// What is searched for: reads to which all that is given applies.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Plate or partial plate: as it was read, or as it was corrected.
    pub plate: Option<Plate>,
    /// Issuing state, as read.
    pub state: Option<String>,
    /// Last seen then or later.
    pub from: Option<Timestamp>,
    /// First seen before then.
    pub until: Option<Timestamp>,
    /// Camera.
    pub camera: Option<String>,
    /// Vehicle.
    pub vehicle: Option<String>,
    /// Made there; reads without a position are not.
    pub area: Option<Area>,
    /// Of this class.
    pub class: Option<Class>,
    /// What the vehicle behind the plate looks like. Reads whose vehicle could not be told are not found by it.
    pub looks: Looks,
    /// Incident number of the canvass in which they were made.
    pub canvass: Option<String>,
    /// Only those with a hit.
    pub hits_only: bool,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Most reads in the page, at most [`Query::MAX_PAGE`]; 0 is that many.
    pub limit: usize,
}

/// A plate, or a part of one.
#[derive(Clone, Debug)]
pub enum Plate {
    /// Reads with this match key.
    Whole(String),
    /// Reads whose match key fits, and how it was written.
    Partial(Pattern, String),
}

/// Where a page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub Uuid);

/// A page of what was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The newest first, by the time in their ids.
    pub reads: Vec<Found>,
    /// Where to go on; none after the last.
    pub next: Option<Cursor>,
}

/// A read that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its key.
    pub id: Uuid,
    /// Over its record.
    pub sha256: Sha256,
    /// When it came.
    pub received: Timestamp,
    /// What it says.
    pub envelope: Envelope,
    /// What it really says, where somebody corrected it; the newest counts (control P-30).
    pub corrected: Option<Reading>,
}

/// Documents of one kind, those that came last first.
#[derive(Clone, Debug, Default)]
pub struct DocumentQuery {
    /// The kind, such as `correction`.
    pub kind: String,
    /// Of this vehicle.
    pub vehicle: Option<String>,
    /// Came then or later.
    pub from: Option<Timestamp>,
    /// Came before then.
    pub until: Option<Timestamp>,
    /// At most so many, and never more than [`DocumentQuery::MAX`].
    pub limit: usize,
}

impl DocumentQuery {
    /// Most documents of one look.
    pub const MAX: usize = 10_000;
}

/// Something that an officer put down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDocument {
    /// The vehicle that sent it.
    pub vehicle: String,
    /// When it came.
    pub received: Timestamp,
    /// The read that it is about.
    pub read: Option<Uuid>,
    /// The exact bytes.
    pub json: Vec<u8>,
}

/// A read as it goes on to another station.
#[derive(Clone, Debug)]
pub struct SharedRead {
    /// By which it is decided whether it goes.
    pub envelope: Envelope,
    /// Over its record.
    pub sha256: Sha256,
    /// The exact bytes.
    pub record: Vec<u8>,
    /// All pictures that it names.
    pub pictures: Vec<Picture>,
    /// What was put down about it: kind and exact bytes.
    pub documents: Vec<(String, Vec<u8>)>,
}

impl SharedRead {
    /// Of a read that is here and its pictures; none when one was deleted.
    pub(super) fn of(stored: StoredRead, picture: impl Fn(&Sha256) -> Result<Option<Bytes>>) -> Result<Option<Self>> {
        let StoredRead { found, record, documents, .. } = stored;
        let mut pictures: Vec<Picture> = Vec::new();
        for named in &found.envelope.pictures {
            if pictures.iter().any(|picture| picture.sha256 == named.sha256) {
                continue;
            }
            let Some(bytes) = picture(&named.sha256)? else { return Ok(None) };
            pictures.push(Picture { sha256: named.sha256, bytes });
        }
        Ok(Some(Self { envelope: found.envelope, sha256: found.sha256, record, pictures, documents }))
    }
}

/// A read with all that is kept of it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredRead {
    /// As a search finds it.
    pub found: Found,
    /// The exact bytes as the vehicle sealed them.
    pub record: Vec<u8>,
    /// The batch that brought it.
    pub batch: Uuid,
    /// What was put down about it: kind and exact bytes, in the order in which they came.
    pub documents: Vec<(String, Vec<u8>)>,
    /// Holds that have it.
    pub holds: Vec<Uuid>,
}

impl Plate {
    /// A partial plate when `text` holds `?` or `*`, else a plate.
    ///
    /// # Errors
    /// `Input` when it is neither.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |why: String| Error::new(Kind::Input, why);
        if Pattern::is_pattern(text) {
            return Ok(Self::Partial(Pattern::parse(text).map_err(refuse)?, text.to_owned()));
        }
        match PlateText::normalise(text) {
            plate if plate.len() < 2 => Err(refuse("a plate has at least 2 characters".into())),
            plate => Ok(Self::Whole(plate.key().as_str().to_owned())),
        }
    }
}

impl Query {
    /// Most reads in one page.
    pub const MAX_PAGE: usize = 500;

    /// How many reads its page has at most.
    pub fn page_size(&self) -> usize {
        match self.limit {
            0 => Self::MAX_PAGE,
            limit => limit.min(Self::MAX_PAGE),
        }
    }

    /// What goes on record of it (control P-21).
    pub fn elements(&self) -> Value {
        let mut all = serde_json::Map::new();
        let mut put = |key: &str, value: Option<Value>| all.extend(value.map(|value| (key.to_owned(), value)));
        put(
            "plate",
            self.plate.as_ref().map(|plate| match plate {
                Plate::Whole(key) => json!(key),
                Plate::Partial(_, text) => json!(text),
            }),
        );
        put("state", self.state.as_ref().map(|v| json!(v)));
        put("from", self.from.map(|v| json!(v)));
        put("until", self.until.map(|v| json!(v)));
        put("camera", self.camera.as_ref().map(|v| json!(v)));
        put("vehicle", self.vehicle.as_ref().map(|v| json!(v)));
        put("area", self.area.as_ref().map(Area::element));
        put("class", self.class.map(|v| json!(v)));
        put("looks", (!self.looks.is_empty()).then(|| json!(self.looks)));
        put("canvass", self.canvass.as_ref().map(|v| json!(v)));
        put("hits_only", self.hits_only.then_some(Value::Bool(true)));
        Value::Object(all)
    }
}
