//! Audits at the station (control P-32): all of them, and one with what was drawn.

use super::Frame;
use crate::plate::Plate;
use crate::ui::{Fact, Form, Health, Link, Picture};
use askama::Template;

/// An audit in the list.
#[derive(Clone, Debug)]
pub struct AuditRow {
    /// Its days, and its page.
    pub link: Link,
    /// Who began it, and when.
    pub begun: String,
    /// What was drawn, in words.
    pub drawn: String,
    /// How far it is.
    pub standing: (Health, String),
}

/// All audits.
#[derive(Clone, Debug, Template)]
#[template(path = "audits.html")]
pub struct Audits {
    /// Around it.
    pub frame: Frame,
    /// Whether one is due.
    pub health: Health,
    /// The same as a sentence.
    pub verdict: String,
    /// Begins one; none for whoever only reads reports.
    pub begin: Option<Form>,
    /// The newest first.
    pub rows: Vec<AuditRow>,
}

/// Something that was drawn.
#[derive(Clone, Debug)]
pub struct AuditItem {
    /// `Access 1`.
    pub title: String,
    /// For an address in the page.
    pub anchor: String,
    /// What is known of it; none for whoever only reads reports.
    pub facts: Vec<Fact>,
    /// What was read.
    pub plate: Option<Plate>,
    /// Pictures of a read.
    pub pictures: Vec<Picture>,
    /// What was found about it.
    pub judgement: Option<(Health, String)>,
    /// Puts down what is found.
    pub form: Option<Form>,
}

/// An audit with what was drawn; closed, its report.
#[derive(Clone, Debug, Template)]
#[template(path = "audit.html")]
pub struct AuditDetail {
    /// Around it.
    pub frame: Frame,
    /// How far it is.
    pub health: Health,
    /// The same as a sentence.
    pub verdict: String,
    /// Days, seed, how many there were.
    pub facts: Vec<Fact>,
    /// Draws it again and compares.
    pub again: Link,
    /// The signed report; none while it goes on.
    pub report: Option<Link>,
    /// In the auditor's words; empty while it goes on.
    pub conclusion: String,
    /// What happened in the time.
    pub figures: Vec<Fact>,
    /// Accesses by user, and by purpose: a title, and name and number of each.
    pub tables: Vec<(String, Vec<(String, String)>)>,
    /// What was drawn.
    pub items: Vec<AuditItem>,
    /// Closes it.
    pub close: Option<Form>,
}
