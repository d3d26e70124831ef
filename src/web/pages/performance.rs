//! Performance tests (control P-31).

use super::Frame;
use crate::chart::Chart;
use crate::ui::{Form, Moment};
use askama::Template;

/// One test.
#[derive(Clone, Debug)]
pub struct TestRow {
    /// When.
    pub at: Moment,
    /// Which camera.
    pub camera: String,
    /// Plates found / plates that a person can read.
    pub capture: String,
    /// Exact texts / plates found.
    pub accuracy: String,
    /// The product.
    pub end_to_end: String,
    /// Number of plates.
    pub plates: String,
    /// Who signed.
    pub signed: String,
}

/// Tests with their history.
#[derive(Clone, Debug, Template)]
#[template(path = "performance.html")]
pub struct Performance {
    /// Around it.
    pub frame: Frame,
    /// Runs one.
    pub form: Form,
    /// None with fewer than two tests.
    pub chart: Option<Chart>,
    /// Newest first.
    pub rows: Vec<TestRow>,
}
