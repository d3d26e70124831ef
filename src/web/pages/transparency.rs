//! What the agency shows to everybody beside its policy.

use super::Frame;
use crate::bars::Bars;
use crate::ui::{Fact, Link};
use askama::Template;

/// A table of figures: a row for each month.
#[derive(Clone, Debug)]
pub struct FiguresTable {
    /// What it is of.
    pub title: String,
    /// Names of the columns after the month.
    pub columns: Vec<String>,
    /// Month, and a figure for each column; the newest first.
    pub rows: Vec<(String, Vec<String>)>,
}

/// Something to take along, by which key it verifies, and how.
#[derive(Clone, Debug)]
pub struct Proof {
    /// What it is.
    pub title: String,
    /// What it says and what not.
    pub text: String,
    /// The file; none while it is being made.
    pub link: Option<Link>,
    /// The key, and the command.
    pub facts: Vec<Fact>,
}

/// Figures and proofs for everybody.
#[derive(Clone, Debug, Template)]
#[template(path = "transparency.html")]
pub struct TransparencyPage {
    /// Around it.
    pub frame: Frame,
    /// Sums of the time.
    pub facts: Vec<Fact>,
    /// Reads of each month; none where no figures are shown.
    pub reads: Option<Bars>,
    /// By month.
    pub tables: Vec<FiguresTable>,
    /// Lists that vehicles compare with.
    pub lists: Vec<Fact>,
    /// The same for a spreadsheet.
    pub csv: Option<Link>,
    /// Audit log, certificates.
    pub proofs: Vec<Proof>,
}
