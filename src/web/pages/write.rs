//! Entering something: plates, partial plates, canvasses, findings. And the page for what went wrong.

use super::{Frame, ReadRow};
use crate::plate::Plate;
use crate::ui::{Fact, Form, Health, Link, Moment, Pager, Urgency};
use askama::Template;

/// An officer's entry.
#[derive(Clone, Debug)]
pub struct EntryRow {
    /// As it was entered.
    pub plate: Plate,
    /// How urgent.
    pub urgency: Urgency,
    /// What for, such as `Stolen vehicle`; may be empty.
    pub category: String,
    /// Why it is wanted.
    pub reason: String,
    /// Who entered it, and when.
    pub by: String,
    /// Case number; may be empty.
    pub case: String,
    /// Until when it counts.
    pub until: Moment,
    /// Where it is taken away.
    pub remove: Link,
}

/// Reads already made that fit what was just entered.
#[derive(Clone, Debug)]
pub struct FoundReads {
    /// How many, in a sentence.
    pub summary: String,
    /// The newest of them.
    pub rows: Vec<ReadRow>,
}

/// Entries of this vehicle (control P-04).
#[derive(Clone, Debug, Template)]
#[template(path = "entries.html")]
pub struct Entries {
    /// Around it.
    pub frame: Frame,
    /// What was entered a moment ago was already seen.
    pub found: Option<FoundReads>,
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
    /// Who began it, and why.
    pub by: String,
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

/// A finding that a plate is not the vehicle that an entry wants.
#[derive(Clone, Debug)]
pub struct FindingRow {
    /// The plate that is not the wanted one.
    pub plate: Plate,
    /// The entry's own plate.
    pub listed: Plate,
    /// What the entry is, and of which list.
    pub entry: String,
    /// Whether it is in force.
    pub standing: (Health, String),
    /// When the entry alerts again.
    pub until: Moment,
    /// Who proposed it, when and why.
    pub proposed: String,
    /// What can be done with it.
    pub actions: Vec<Link>,
}

/// Findings, "not this vehicle".
#[derive(Clone, Debug, Template)]
#[template(path = "findings.html")]
pub struct Findings {
    /// Around it.
    pub frame: Frame,
    /// Those that wait first, then the newest.
    pub rows: Vec<FindingRow>,
    /// Where this page stands among the others.
    pub pager: Pager,
}

/// One form about one thing.
#[derive(Clone, Debug, Template)]
#[template(path = "form.html")]
pub struct FormPage {
    /// Around it.
    pub frame: Frame,
    /// What happens when it is sent.
    pub lead: String,
    /// The plate that it is about.
    pub plate: Option<Plate>,
    /// What else is known of that.
    pub facts: Vec<Fact>,
    /// The form.
    pub form: Form,
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
