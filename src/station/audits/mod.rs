//! Audits (control P-32): a random sample of accesses and of reads, which nobody can choose, what an auditor found
//! about each, and a signed report.
//!
//! An audit begins with a row of the audit log. The hash of that row, which holds random bytes and is chained up to the
//! signed head, is the seed: nobody knows it before, and what it draws can be drawn again by whoever has the log.

mod draw;
mod report;
mod settings;
mod table;

pub use draw::draw;
pub use report::{AuditReport, Figures};
pub use settings::Settings;
pub use table::Span;

use jiff::Timestamp;
use jiff::civil::Date;
use plated_core::digest::Sha256;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The schema in the station's database.
pub(super) const SCHEMA: &str = include_str!("audits.sql");

/// By what a sample can be drawn again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The log with the row that says that the audit was begun.
    pub log: Uuid,
    /// Its number.
    pub row: i64,
    /// Its hash: the seed.
    pub seed: Sha256,
    /// The head of the log right after, signed.
    pub head: String,
    /// Accesses that there were in the time.
    pub accesses: u64,
    /// Reads that there were, by day and vehicle.
    pub reads: Vec<(Date, String, u64)>,
    /// Accesses that were to be drawn.
    pub wanted_accesses: u32,
    /// Reads that were to be drawn.
    pub wanted_reads: u32,
}

/// Something that was drawn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A row of an audit log.
    Access {
        /// Vehicle whose log it is; none for the station's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vehicle: Option<String>,
        /// The log.
        log: Uuid,
        /// Number of the row.
        number: i64,
    },
    /// A read with pictures.
    Read {
        /// Its key.
        id: Uuid,
    },
}

/// What an auditor found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The access was as it should be; the read says what the plate says.
    InOrder,
    /// Somebody has to explain it; nobody can tell what the plate says.
    Unclear,
    /// The access should not have been; the read says something else than the plate.
    Wrong,
}

impl Finding {
    /// All of them, the best first.
    pub const ALL: [Self; 3] = [Self::InOrder, Self::Unclear, Self::Wrong];

    /// As forms have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InOrder => "in_order",
            Self::Unclear => "unclear",
            Self::Wrong => "wrong",
        }
    }

    /// That of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|finding| finding.as_str() == word)
    }

    /// As it is said of this item.
    pub fn words(self, item: &Item) -> &'static str {
        match (item, self) {
            (Item::Access { .. }, Self::InOrder) => "In order",
            (Item::Access { .. }, Self::Unclear) => "To be explained",
            (Item::Access { .. }, Self::Wrong) => "Not allowed",
            (Item::Read { .. }, Self::InOrder) => "Read right",
            (Item::Read { .. }, Self::Unclear) => "Can't tell",
            (Item::Read { .. }, Self::Wrong) => "Misread",
        }
    }
}

/// What somebody found about an item, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// What.
    pub finding: Finding,
    /// In their words; may be empty for what is in order.
    pub note: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// An audit.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// Names it.
    pub id: Uuid,
    /// When it was begun.
    pub begun: Timestamp,
    /// By whom.
    pub begun_by: String,
    /// First day.
    pub first: Date,
    /// Last day.
    pub last: Date,
    /// By what it was drawn.
    pub basis: Basis,
    /// What was drawn, and what was found about it.
    pub items: Vec<(Item, Option<Judgement>)>,
    /// The signed report; none while it goes on.
    pub report: Option<String>,
}

impl Audit {
    /// Items that nobody judged yet.
    pub fn open_items(&self) -> usize {
        self.items.iter().filter(|(_, judgement)| judgement.is_none()).count()
    }
}
