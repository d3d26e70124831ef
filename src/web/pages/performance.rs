//! Performance tests (control P-31).

use super::Frame;
use crate::chart::Chart;
use crate::plate::Plate;
use crate::ui::{Form, Link, Moment};
use askama::Template;

/// A share of plates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateText {
    /// The share, such as `95.8 %`.
    pub value: String,
    /// Where it lies with 95 % probability, such as `93.7 to 97.2 %`; empty where there is no share.
    pub interval: String,
}

/// One test.
#[derive(Clone, Debug)]
pub struct TestRow {
    /// When.
    pub at: Moment,
    /// Which camera; empty for a set that is of none of this vehicle.
    pub camera: String,
    /// What was compared: the test set, or a drive.
    pub set: String,
    /// Plates found / plates that a person can read.
    pub capture: RateText,
    /// Exact texts / plates found.
    pub accuracy: RateText,
    /// The product.
    pub end_to_end: RateText,
    /// Number of plates.
    pub plates: String,
    /// Who signed.
    pub signed: String,
    /// What is to be known about it: the tester's note, or that it is not what was signed.
    pub note: String,
}

/// The drive test that is going on.
#[derive(Clone, Debug)]
pub struct DriveTest {
    /// Camera that is tested.
    pub camera: String,
    /// Since when.
    pub since: Moment,
    /// How many plates are entered.
    pub entered: String,
    /// Enters a plate; none for who did not begin it.
    pub enter: Option<Form>,
    /// End, take the last plate back, discard: what is done most comes first.
    pub actions: Vec<Form>,
}

/// A plate that was missed or misread in the drive that has just ended.
#[derive(Clone, Debug)]
pub struct MissRow {
    /// What was on it.
    pub plate: Plate,
    /// What was read; none when nothing was.
    pub read: Option<Plate>,
}

/// Tests with their history.
#[derive(Clone, Debug, Template)]
#[template(path = "performance.html")]
pub struct Performance {
    /// Around it.
    pub frame: Frame,
    /// The drive test that is going on.
    pub drive: Option<DriveTest>,
    /// Begins one; none while one goes on, and for who may not.
    pub start: Option<Form>,
    /// Where the purpose is given, for who may test and has not given it.
    pub purpose: Option<Link>,
    /// Of the drive that has just ended, the worst first.
    pub misses: Vec<MissRow>,
    /// Shows the tests of one camera; none where there is one at most.
    pub find: Option<Form>,
    /// None with fewer than two tests.
    pub chart: Option<Chart>,
    /// Newest first.
    pub rows: Vec<TestRow>,
}
