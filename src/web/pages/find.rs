//! Looking something up: purpose and case first (controls P-01, P-02), then the search, then a read.

use super::{Confidence, Frame, ReadRow};
use crate::map::Map;
use crate::plate::Plate;
use crate::ui::{Fact, Form, Health, Link, Moment, Pager, Picture, Urgency};
use askama::Template;

/// Asks for purpose and case.
#[derive(Clone, Debug, Template)]
#[template(path = "purpose.html")]
pub struct Purpose {
    /// Around it.
    pub frame: Frame,
    /// What it is asked for: `search reads`.
    pub what: String,
    /// Purpose and case number.
    pub form: Form,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Results {
    /// `312 reads, newest first`.
    pub summary: String,
    /// This page of them.
    pub rows: Vec<ReadRow>,
    /// Where it stands among the others.
    pub pager: Pager,
    /// Where the reads of this page were made; none where no position is known.
    pub map: Option<Map>,
    /// Leads to an export, which needs a purpose of its own.
    pub export: Option<Link>,
    /// Leads to the track of the one plate that was searched for.
    pub track: Option<Link>,
}

/// The search form, and what it found.
#[derive(Clone, Debug, Template)]
#[template(path = "search.html")]
pub struct Search {
    /// Around it.
    pub frame: Frame,
    /// Purpose and case that were given, in words.
    pub purpose: String,
    /// Leads to another purpose.
    pub change: Link,
    /// What is searched for. Folded away beside a result.
    pub form: Form,
    /// The same in a line, beside a result.
    pub asked: String,
    /// None before the first search.
    pub results: Option<Results>,
}

/// A read on a page to print.
#[derive(Clone, Debug)]
pub struct SheetRead {
    /// Text and state.
    pub plate: Plate,
    /// The plate alone.
    pub crop: Picture,
    /// The vehicle.
    pub overview: Picture,
    /// When, where, by which camera.
    pub facts: Vec<Fact>,
}

/// What a search found, to be printed.
#[derive(Clone, Debug, Template)]
#[template(path = "sheet.html")]
pub struct Sheet {
    /// Around it.
    pub frame: Frame,
    /// Who took it out, when, and why.
    pub facts: Vec<Fact>,
    /// Newest first.
    pub reads: Vec<SheetRead>,
    /// Not printed.
    pub back: Link,
}

/// Another text that the plate may have.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The text.
    pub plate: Plate,
    /// How sure.
    pub confidence: Confidence,
}

/// A hit of a read.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Its page, and why the plate is wanted.
    pub link: Link,
    /// How urgent.
    pub urgency: Urgency,
    /// The listed plate.
    pub listed: Plate,
    /// What came of it, or that it is unverified.
    pub standing: String,
}

/// One read with all that is known of it.
#[derive(Clone, Debug, Template)]
#[template(path = "read.html")]
pub struct ReadDetail {
    /// Around it.
    pub frame: Frame,
    /// Text and state as they count now.
    pub plate: Plate,
    /// How sure the reader was of its own text.
    pub confidence: Confidence,
    /// That text, where it was corrected.
    pub read_as: Option<Plate>,
    /// The plate alone.
    pub crop: Option<Picture>,
    /// The vehicle.
    pub overview: Option<Picture>,
    /// When, where, by which camera and which version.
    pub facts: Vec<Fact>,
    /// Where it was read, and the vehicle's way before and after; none without a position.
    pub map: Option<Map>,
    /// Other readings, most probable first.
    pub readings: Vec<Reading>,
    /// Hits that may be shown.
    pub hits: Vec<Hit>,
    /// That there are others, where that may be known; may be empty.
    pub hidden: String,
    /// Who corrected what (control P-30), oldest first.
    pub history: Vec<(Moment, String)>,
    /// Corrects a misread; none for who may not.
    pub correct: Option<Form>,
    /// How it is with the transfer.
    pub transfer: (Health, String),
    /// From the camera to the station: who had it, when, and by which hash it is the same; none in the vehicle.
    pub custody: Vec<Fact>,
    /// Leads to all reads of its plate; none in the vehicle.
    pub track: Option<Link>,
    /// Keeps it as evidence; none for who may not.
    pub hold: Option<Form>,
}
