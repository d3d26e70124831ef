//! What a row says.

use crate::actor::Actor;
use crate::record::{AccessRecord, Outcome};
use jiff::Timestamp;
use plated_core::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// What was done, as a word such as `search_back`: 1 to 64 small letters, digits and `_`. Words are not
/// a fixed set, so that a station takes rows of a newer vehicle.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Action(String);

impl Action {
    /// # Errors
    /// `Input` when it is none.
    pub fn new(word: &str) -> Result<Self> {
        if is_word(word) {
            return Ok(Self(word.to_owned()));
        }
        Err(Error::new(Kind::Input, "an action must be 1 to 64 small letters, digits and '_'"))
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Action {
    type Error = String;
    fn try_from(word: String) -> Result<Self, String> {
        Self::new(&word).map_err(|e| e.to_string())
    }
}

impl From<Action> for String {
    fn from(action: Action) -> Self {
        action.0
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_word(word: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=64).contains(&word.len()) && word.bytes().all(plain)
}

/// How somebody is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhoKind {
    /// By a login.
    User,
    /// By the system user, for whom the kernel vouches.
    SystemUser,
    /// A part of the program.
    Machine,
}

impl WhoKind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::SystemUser => "system_user",
            Self::Machine => "machine",
        }
    }
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// How they are known.
    pub kind: WhoKind,
    /// Login name, name of the system user, or part of the program.
    pub name: String,
    /// The system user's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// The agency that employs them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    /// What they are to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

impl From<&Actor> for Who {
    fn from(actor: &Actor) -> Self {
        let (kind, uid, agency, role) = match actor {
            Actor::User(user) => (WhoKind::User, None, Some(user.agency().to_owned()), Some(user.role().to_string())),
            Actor::SystemUser(user) => (WhoKind::SystemUser, Some(user.uid), None, None),
            Actor::Machine(_) => (WhoKind::Machine, None, None, None),
        };
        Self { kind, name: actor.to_string(), uid, agency, role }
    }
}

/// What a row says (control P-21). In JSON an object of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// The clock was trusted then.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub clock_trusted: bool,
    /// Who.
    pub actor: Who,
    /// What.
    pub action: Action,
    /// Why, in their words.
    pub reason: String,
    /// For which of the agency's purposes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Number of the case or incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// Plate or other elements queried or changed, by name (small letters, digits, `_`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub elements: BTreeMap<String, String>,
    /// Number of rows shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Number of the row that this one goes on from, as the number of rows shown from the query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<i64>,
    /// What became of it.
    pub outcome: Outcome,
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

impl Entry {
    /// Largest elements together, in bytes.
    pub const MAX_BYTES: usize = 64 << 10;

    /// What a record of the gate or of the accounts says, at this time. Each key of its subject is an
    /// element: a text as it is, anything else as its JSON.
    ///
    /// # Errors
    /// `Internal` when it can't be a row: its action or the name of an element is no word, or it is too
    /// large.
    pub fn of(record: &AccessRecord, at: Timestamp, clock_trusted: bool) -> Result<Self> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let elements = record.subject.as_object().into_iter().flatten();
        let entry = Self {
            // As precise as it is kept.
            at: Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at),
            clock_trusted,
            actor: Who::from(&record.actor),
            action: Action::new(record.what)?,
            reason: record.reason.as_str().to_owned(),
            purpose: record.reason.purpose().map(ToString::to_string),
            case: Some(record.case.as_str().to_owned()).filter(|case| !case.is_empty()),
            elements: elements.filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), text(v))).collect(),
            rows: record.rows,
            about: record.about,
            outcome: record.outcome,
        };
        entry.check().map_err(|why| Error::new(Kind::Internal, why))?;
        Ok(entry)
    }

    /// What types can't say.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        if self.elements.keys().any(|name| !is_word(name)) {
            return Err("an element of a row of the audit log has a name that is no word".to_owned());
        }
        if self.elements.values().map(String::len).sum::<usize>() > Self::MAX_BYTES {
            return Err("the elements of a row of the audit log are larger than 64 KiB".to_owned());
        }
        Ok(())
    }

    /// The fields in the order in which they are hashed, by name. What is not there has no field.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        let outcome = match self.outcome {
            Outcome::Done => "done",
            Outcome::Refused => "refused",
        };
        let who = &self.actor;
        let fields = [
            ("at", Some(self.at.to_string())),
            ("clock", (!self.clock_trusted).then(|| "not trusted".to_owned())),
            (ACTOR, Some(who.name.clone())),
            (ACTOR_KIND, Some(who.kind.as_str().to_owned())),
            ("uid", who.uid.map(|uid| uid.to_string())),
            ("agency", who.agency.clone()),
            ("role", who.role.clone()),
            ("action", Some(self.action.as_str().to_owned())),
            (REASON, Some(self.reason.clone())),
            ("purpose", self.purpose.clone()),
            (CASE, self.case.clone()),
            ("rows", self.rows.map(|rows| rows.to_string())),
            ("about", self.about.map(|about| about.to_string())),
            ("outcome", Some(outcome.to_owned())),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let elements = self.elements.iter().map(|(name, value)| (format!("{ELEMENT}{name}"), value.clone()));
        fields.chain(elements).collect()
    }
}

/// Names of fields that others look at.
pub(super) const ACTOR: &str = "actor";
pub(super) const ACTOR_KIND: &str = "actor_kind";
pub(super) const REASON: &str = "reason";
pub(super) const CASE: &str = "case";
/// Stands in front of the name of an element among the fields.
pub(super) const ELEMENT: &str = "element.";
