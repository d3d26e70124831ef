//! Release of reads to other agencies: the queue of requests, one of them, and the register of agencies.

use super::Frame;
use crate::plate::Plate;
use crate::ui::{Fact, Form, Health, Link, Moment, Pager};
use askama::Template;

/// A request in the queue.
#[derive(Clone, Debug)]
pub struct ReleaseRow {
    /// Its page; the agency.
    pub link: Link,
    /// Who asks there.
    pub person: String,
    /// Their case, and the purpose.
    pub case: String,
    /// When it was taken down.
    pub at: Moment,
    /// By whom.
    pub by: String,
    /// It can't wait.
    pub exigent: bool,
    /// Where it stands.
    pub standing: (Health, String),
}

/// The queue of requests.
#[derive(Clone, Debug, Template)]
#[template(path = "releases.html")]
pub struct Releases {
    /// Around it.
    pub frame: Frame,
    /// Whether any waits.
    pub health: Health,
    /// The same as a sentence.
    pub verdict: String,
    /// Takes one down.
    pub new: Link,
    /// Those that wait first.
    pub rows: Vec<ReleaseRow>,
    /// Where it stands among the others.
    pub pager: Pager,
}

/// One request, with what became of it.
#[derive(Clone, Debug, Template)]
#[template(path = "release.html")]
pub struct ReleaseDetail {
    /// Around it.
    pub frame: Frame,
    /// Where it stands.
    pub health: Health,
    /// The same as a sentence.
    pub verdict: String,
    /// The plate that is asked for; none where a place is.
    pub plate: Option<Plate>,
    /// What is asked for, by whom, and what for.
    pub facts: Vec<Fact>,
    /// The agency, as the register has it; empty where it is not in there.
    pub agency: Vec<Fact>,
    /// What was said about it; empty while it waits.
    pub decision: Vec<Fact>,
    /// What left, each as a sentence.
    pub given_out: Vec<String>,
    /// Approves it.
    pub approve: Option<Form>,
    /// Turns it down, or says how it was answered; with what it does.
    pub refuse: Option<(String, Form)>,
    /// Takes the reads out.
    pub give_out: Option<Form>,
}

/// An agency of the register.
#[derive(Clone, Debug)]
pub struct PartnerRow {
    /// As it is called.
    pub name: String,
    /// What it is, and where.
    pub kind: String,
    /// What its requests are for.
    pub purpose: String,
    /// By what it has a right to know.
    pub right_to_know: String,
    /// What it needs reads for.
    pub need_to_know: String,
    /// Whether anything may be released to it.
    pub standing: (Health, String),
    /// Who put it in or changed it last.
    pub by: String,
    /// It was looked at again.
    pub review: Option<Form>,
    /// Ends it.
    pub end: Option<Form>,
}

/// The register of agencies.
#[derive(Clone, Debug, Template)]
#[template(path = "partners.html")]
pub struct PartnersPage {
    /// Around it.
    pub frame: Frame,
    /// To whom reads are released, as a sentence.
    pub rule: String,
    /// By name; those that ended last.
    pub rows: Vec<PartnerRow>,
    /// Puts one in.
    pub add: Option<Form>,
}
