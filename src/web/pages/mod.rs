//! The pages: view models of plain data, and the templates that draw them.
//!
//! A view model holds words that are ready to be shown. It knows no store and no session; who fills it
//! has passed the gate before.

mod account;
mod alert;
mod find;
mod live;
mod login;
mod office;
mod performance;
mod release;
mod audit;
mod station;
mod start;
mod track;
mod transparency;
#[cfg(test)]
mod tests;
mod write;

pub use account::{Account, Enrol, RecoveryCodes, UserForm, UserRow, Users};
pub use alert::{Alert, AlertCard, AlertPart, AlertRow, Alerts, Answer, Answered, Chip, Step};
pub use audit::{AuditDetail, AuditItem, AuditRow, Audits};
pub use find::{Hit, Purpose, ReadDetail, Reading, Results, Search, Sheet, SheetRead};
pub use live::{CameraCard, CameraPart, Confidence, Live, ReadPart, ReadRow, StatusPart};
pub use login::{Arrived, Login, Refused, SecondFactor};
pub use office::{
    AimBox, AimFigures, AimPart, CameraAim, Cameras, LineRow, ListImport, ListPreview, ListState, Lists, Purposes,
    Review, ReviewRow,
};
pub use performance::{DriveTest, MissRow, Performance, RateText, TestRow};
pub use release::{PartnerRow, PartnersPage, ReleaseDetail, ReleaseRow, Releases};
pub use start::{Check, ListRow, Shift};
pub use station::{CameraFigures, Fleet, HoldRow, Holds, MisreadRow, Misreads, PolicyPage, StatisticsPage, VehicleRow};
pub use track::{Track, TrackDay};
pub use transparency::{FiguresTable, Proof, TransparencyPage};
pub use write::{
    Canvass, CanvassRow, Entries, EntryRow, ErrorPage, FindingRow, Findings, FormPage, FoundReads, OpenCanvass,
};

use crate::assets;
use crate::theme::Theme;
use crate::ui::{Message, NavItem, StatusLine, Tab};

/// How a page stands in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// With navigation and status line.
    #[default]
    Whole,
    /// One card in the middle: before somebody is logged in.
    Alone,
    /// Nothing but the page: alerts.
    Full,
}

/// What all pages have around their content.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Title of the page and its first heading.
    pub title: String,
    /// Name of the vehicle or the station.
    pub place: String,
    /// Day or night.
    pub theme: Theme,
    /// How it stands in the window.
    pub shape: Shape,
    /// Who is logged in; empty for nobody.
    pub user: String,
    /// Places to go to.
    pub nav: Vec<NavItem>,
    /// Pages of this place; empty where it has one.
    pub tabs: Vec<Tab>,
    /// How everything is.
    pub status: StatusLine,
    /// What was done, or was not.
    pub messages: Vec<Message>,
    /// The page's token ([`crate::csrf`]).
    pub csrf: String,
    /// Path of the live events; empty for a page without.
    pub events: String,
    /// Milliseconds since 1970 by this machine's clock: the browser's may be wrong.
    pub now_ms: i64,
    /// Without script the page loads itself again after so many seconds; 0 for never.
    pub refresh_s: u32,
    /// Seconds after which the tones of an alert nobody has seen come again; 0 for a page without tones.
    pub tones_again_s: u32,
    /// Low and normal alerts make no sound in this browser; high ones always do.
    pub muted: bool,
    /// Single keys do something ([`account`] has the switch).
    pub shortcuts: bool,
    /// Alerts without an answer, the most urgent first; shown over the page.
    pub pending: Vec<AlertCard>,
}

impl Frame {
    /// The address of a file of [`assets`].
    pub fn asset(&self, name: &str) -> &'static str {
        assets::url(name)
    }

    /// Class of the page's body.
    pub fn shape_class(&self) -> &'static str {
        match self.shape {
            Shape::Whole => "whole",
            Shape::Alone => "alone",
            Shape::Full => "full",
        }
    }
}
