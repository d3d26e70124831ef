//! The start of a shift: what is in order, and what must be fixed before driving.

use super::{CameraCard, Frame};
use crate::ui::{Form, Health, Link};
use askama::Template;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// How it is.
    pub health: Health,
    /// What.
    pub title: String,
    /// What was found, and what to do.
    pub detail: String,
    /// Where it can be mended.
    pub link: Option<Link>,
}

/// A list and how fresh it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRow {
    /// Its name.
    pub name: String,
    /// Such as `412,806 entries`.
    pub entries: String,
    /// Such as `3 h old`.
    pub age: String,
    /// How it is.
    pub health: Health,
    /// What to know; may be empty.
    pub note: String,
}

/// The page at the start of a shift.
#[derive(Clone, Debug, Template)]
#[template(path = "shift.html")]
pub struct Shift {
    /// Around it.
    pub frame: Frame,
    /// One sentence: ready, or what is in the way.
    pub verdict: String,
    /// How it is altogether.
    pub health: Health,
    /// What needs somebody first.
    pub checks: Vec<Check>,
    /// All lists.
    pub lists: Vec<ListRow>,
    /// All cameras.
    pub cameras: Vec<CameraCard>,
    /// Begins the shift.
    pub form: Form,
}
