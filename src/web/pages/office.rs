//! What an administrator looks after: lists, cameras, purposes, accounts under review. None shows ALPR data.

use super::{CameraCard, Frame};
use crate::ui::{Fact, Form, Health, Link, Pager, Picture};
use askama::Template;

/// A list, as who answers for it sees it.
#[derive(Clone, Debug)]
pub struct ListState {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub origin: String,
    /// How it is, with its age.
    pub state: (Health, String),
    /// Entries in force, in words.
    pub entries: String,
    /// Since when this version is in force.
    pub since: String,
    /// When it was last looked for.
    pub checked: String,
    /// Why the newest file was not taken, and the like; empty for nothing.
    pub error: String,
}

/// All lists.
#[derive(Clone, Debug, Template)]
#[template(path = "lists.html")]
pub struct Lists {
    /// Around it.
    pub frame: Frame,
    /// What needs somebody first.
    pub rows: Vec<ListState>,
    /// Leads to where the file of one is sent.
    pub import: Link,
}

/// A line of a file that somebody should look at.
#[derive(Clone, Debug)]
pub struct LineRow {
    /// Its number in the file.
    pub line: String,
    /// What becomes of it: `Left out`, `Set aside`, `Remark`.
    pub kind: &'static str,
    /// The field it is about.
    pub field: String,
    /// What is wrong; holds no plate.
    pub what: String,
}

/// What is in a file, before it comes into force.
#[derive(Clone, Debug)]
pub struct ListPreview {
    /// Whether it can, in a sentence.
    pub verdict: (Health, String),
    /// What keeps it out.
    pub refusals: Vec<String>,
    /// Counts and dates.
    pub facts: Vec<Fact>,
    /// Lines with mistakes first.
    pub lines: Vec<LineRow>,
    /// How many more there are; may be empty.
    pub more: String,
    /// Brings it into force.
    pub accept: Form,
    /// Leaves it.
    pub discard: Form,
}

/// Bringing in the file of a list: the form, or what is in the file.
#[derive(Clone, Debug, Template)]
#[template(path = "import.html")]
pub struct ListImport {
    /// Around it.
    pub frame: Frame,
    /// Sends a file.
    pub form: Option<Form>,
    /// What was sent.
    pub preview: Option<ListPreview>,
}

/// All cameras.
#[derive(Clone, Debug, Template)]
#[template(path = "cameras.html")]
pub struct Cameras {
    /// Around it.
    pub frame: Frame,
    /// In the order of the configuration.
    pub rows: Vec<CameraCard>,
}

/// A box over a camera's picture, in its pixels.
#[derive(Clone, Copy, Debug)]
pub struct AimBox {
    /// Class in the style sheet: `region`, `ignored`, `expected`.
    pub kind: &'static str,
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Columns.
    pub width: i32,
    /// Rows.
    pub height: i32,
}

/// How a camera's newest picture is, and where it is.
#[derive(Clone, Debug)]
pub struct AimFigures {
    /// Path of the picture.
    pub src: String,
    /// Sharpness, light, age.
    pub facts: Vec<Fact>,
}

/// The figures as the page asks for them again and again.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/aim.html")]
pub struct AimPart {
    /// The figures.
    pub part: AimFigures,
}

/// Aiming one camera.
#[derive(Clone, Debug, Template)]
#[template(path = "camera.html")]
pub struct CameraAim {
    /// Around it.
    pub frame: Frame,
    /// The newest picture; none before the first.
    pub picture: Option<Picture>,
    /// Where its figures are asked for.
    pub figures_at: String,
    /// What is drawn over it.
    pub boxes: Vec<AimBox>,
    /// Class of a box, and what it means.
    pub legend: Vec<(&'static str, &'static str)>,
    /// How it is now.
    pub figures: Option<AimFigures>,
    /// How large a plate will be; empty where distance and lens are not given.
    pub plate: Vec<Fact>,
    /// Asks for distance and lens.
    pub size: Form,
    /// Whether it is known where plates usually are, in a sentence.
    pub usual: String,
    /// Has that learned anew.
    pub anew: Form,
}

/// The purposes that the agency authorises, and what it asks of each look (controls P-01, P-02).
#[derive(Clone, Debug, Template)]
#[template(path = "purposes.html")]
pub struct Purposes {
    /// Around it.
    pub frame: Frame,
    /// What is asked of each look.
    pub facts: Vec<Fact>,
    /// Name on record, and what it covers.
    pub rows: Vec<(String, String)>,
}

/// An account under review.
#[derive(Clone, Debug)]
pub struct ReviewRow {
    /// Name and page.
    pub link: Link,
    /// Title or designation, and role.
    pub role: String,
    /// Who authorised it, and when.
    pub authorised: String,
    /// Last login, in words.
    pub last_login: String,
    /// How it is with the training.
    pub training: (Health, String),
    /// What somebody should see to; empty for nothing.
    pub attention: Vec<String>,
}

/// Who has access, and who should not have it any more (control P-23).
#[derive(Clone, Debug, Template)]
#[template(path = "review.html")]
pub struct Review {
    /// Around it.
    pub frame: Frame,
    /// One sentence: what the review found.
    pub verdict: String,
    /// How it is altogether.
    pub health: Health,
    /// What needs somebody first.
    pub rows: Vec<ReviewRow>,
    /// Where this page stands among the others.
    pub pager: Pager,
}
