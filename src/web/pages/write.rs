//! Entering something: plates, partial plates, canvasses. And the page for what went wrong.

use super::Frame;
use crate::plate::Plate;
use crate::ui::{Form, Moment, Pager, Urgency};
use askama::Template;

/// An officer's entry.
#[derive(Clone, Debug)]
pub struct EntryRow {
    /// As it was entered.
    pub plate: Plate,
    /// How urgent.
    pub urgency: Urgency,
    /// Why it is wanted.
    pub reason: String,
    /// Case number; may be empty.
    pub case: String,
    /// Until when it counts.
    pub until: Moment,
    /// Takes it away.
    pub remove: Form,
}

/// Entries of this vehicle (control P-04).
#[derive(Clone, Debug, Template)]
#[template(path = "entries.html")]
pub struct Entries {
    /// Around it.
    pub frame: Frame,
    /// Adds one.
    pub form: Form,
    /// Those that are there.
    pub rows: Vec<EntryRow>,
    /// Where this page stands among the others.
    pub pager: Pager,
}

/// The canvass that is going on.
#[derive(Clone, Debug)]
pub struct OpenCanvass {
    /// Number of the incident.
    pub incident: String,
    /// Since when.
    pub since: Moment,
    /// Reads so far, in words.
    pub reads: String,
    /// Ends it.
    pub end: Form,
}

/// A canvass that is over.
#[derive(Clone, Debug)]
pub struct CanvassRow {
    /// Number of the incident.
    pub incident: String,
    /// Begin.
    pub from: Moment,
    /// End.
    pub until: Moment,
    /// Reads, in words.
    pub reads: String,
    /// Search for them.
    pub href: String,
}

/// Canvasses (control P-03).
#[derive(Clone, Debug, Template)]
#[template(path = "canvass.html")]
pub struct Canvass {
    /// Around it.
    pub frame: Frame,
    /// The one that is going on.
    pub open: Option<OpenCanvass>,
    /// Begins one; shown when none is going on.
    pub form: Form,
    /// Those that are over, newest first.
    pub rows: Vec<CanvassRow>,
}

/// Something went wrong, or is not there.
#[derive(Clone, Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Around it; its title says what happened.
    pub frame: Frame,
    /// HTTP status.
    pub status: u16,
    /// What happened.
    pub what: String,
    /// What to do.
    pub todo: String,
}
