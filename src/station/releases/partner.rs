//! An agency that may ask for reads.

use super::Settings;
use super::settings::is_jurisdiction;
use jiff::Timestamp;
use jiff::civil::Date;
use plated_core::clock::id_at;
use plated_core::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Longest name, purpose and right, in characters.
const MAX_NAME: usize = 100;
const MAX_WORDS: usize = 300;

/// What an agency is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum AgencyKind {
    /// Police, sheriff, highway patrol
    LawEnforcement,
    /// A district attorney, an attorney general
    Prosecutor,
    /// Anybody else: nothing is released to them
    Other,
}

impl AgencyKind {
    /// All of them, with the word for each.
    pub const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::LawEnforcement, "law_enforcement", "Law enforcement"),
        (Self::Prosecutor, "prosecutor", "Prosecutor"),
        (Self::Other, "other", "Neither: nothing is released to it"),
    ];

    /// As people say it.
    pub fn in_words(self) -> &'static str {
        Self::ALL.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, _, words)| words)
    }

    /// The kind of such a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, of, _)| *of == word).map(|(kind, ..)| *kind)
    }
}

/// What somebody says of an agency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPartner {
    /// As it is called.
    pub name: String,
    /// What it is.
    pub kind: AgencyKind,
    /// Two letters of its state; `US` for a federal one.
    pub jurisdiction: String,
    /// What its requests are for.
    pub purpose: String,
    /// By what law or agreement it has a right to know.
    pub right_to_know: String,
    /// What its duties need reads for.
    pub need_to_know: String,
    /// The day on which somebody looks at it again.
    pub review: Date,
}

/// An agency of the register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partner {
    /// Names it.
    pub id: Uuid,
    /// As it is called.
    pub name: String,
    /// What it is.
    pub kind: AgencyKind,
    /// Two letters of its state; `US` for a federal one.
    pub jurisdiction: String,
    /// What its requests are for.
    pub purpose: String,
    /// By what law or agreement it has a right to know.
    pub right_to_know: String,
    /// What its duties need reads for.
    pub need_to_know: String,
    /// The day on which somebody looks at it again; from then on nothing is released before that.
    pub review: Date,
    /// Who put it into the register or changed it last.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Nothing is released to it any more.
    pub ended: bool,
}

impl Partner {
    /// A fresh entry.
    ///
    /// # Errors
    /// `Input` for what is missing, too long, or no state.
    pub fn new(new: NewPartner, by: String, at: Timestamp) -> Result<Self> {
        let refuse = |why: String| Err(Error::new(Kind::Input, why));
        for (what, text, max) in [
            ("name", &new.name, MAX_NAME),
            ("purpose", &new.purpose, MAX_WORDS),
            ("right to know", &new.right_to_know, MAX_WORDS),
            ("need to know", &new.need_to_know, MAX_WORDS),
        ] {
            if text.trim().is_empty() {
                return refuse(format!("the {what} of the agency is missing"));
            }
            if text.chars().count() > max || text.chars().any(char::is_control) {
                return refuse(format!(
                    "the {what} of the agency has more than {max} characters, or signs that can't be"
                ));
            }
        }
        if !is_jurisdiction(&new.jurisdiction) {
            return refuse("give the two letters of the agency's state, or US for a federal agency".into());
        }
        let NewPartner { name, kind, jurisdiction, purpose, right_to_know, need_to_know, review } = new;
        let id = id_at(at);
        Ok(Self { id, name, kind, jurisdiction, purpose, right_to_know, need_to_know, review, by, at, ended: false })
    }

    /// Somebody looked at it again: it counts until this day.
    ///
    /// # Errors
    /// `Refused` when it has ended, `Input` for a day that is over.
    pub fn reviewed(self, until: Date, today: Date, by: String, at: Timestamp) -> Result<Self> {
        if self.ended {
            return Err(Error::new(Kind::Refused, "nothing is released to this agency any more; enter it anew"));
        }
        if until <= today {
            return Err(Error::new(Kind::Input, "the next review has to be after today"));
        }
        Ok(Self { review: until, by, at, ..self })
    }

    /// Nothing is released to it any more.
    pub fn ended(self, by: String, at: Timestamp) -> Self {
        Self { ended: true, by, at, ..self }
    }
}

/// Why nothing may be released to an agency on this day; none where it may (controls P-40, P-42).
pub fn refusal(settings: &Settings, partner: Option<&Partner>, today: Date) -> Option<String> {
    let Some(partner) = partner else {
        return Some("The agency is not in the register: records staff answer it.".into());
    };
    match () {
        () if partner.ended => Some("Nothing is released to this agency any more.".into()),
        () if partner.kind == AgencyKind::Other => {
            Some("It is no law enforcement or prosecutorial agency: records staff answer it.".into())
        }
        () if !settings.jurisdictions.contains(&partner.jurisdiction) => Some(format!(
            "It is of {}; reads are released to agencies of {} only.",
            if partner.jurisdiction == "US" { "the federal government" } else { &partner.jurisdiction },
            settings.jurisdictions.join(", ")
        )),
        () if partner.review <= today => {
            Some("Its entry in the register is to be reviewed before anything is released.".into())
        }
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn partner(kind: AgencyKind, jurisdiction: &str) -> Partner {
        let new = NewPartner {
            name: "Lodi PD".into(),
            kind,
            jurisdiction: jurisdiction.into(),
            purpose: "investigations".into(),
            right_to_know: "agreement of 2026".into(),
            need_to_know: "stolen vehicles".into(),
            review: day("2027-01-01"),
        };
        Partner::new(new, "clerk".into(), Timestamp::UNIX_EPOCH).unwrap()
    }

    // policy: P-40, P-42
    #[test]
    fn only_agencies_of_the_register_that_enforce_the_law_here_qualify_and_until_their_review() {
        let (settings, today) = (Settings::default(), day("2026-11-27"));
        let why = |partner: Option<&Partner>| refusal(&settings, partner, today);
        assert_eq!(why(Some(&partner(AgencyKind::LawEnforcement, "CA"))), None);
        assert_eq!(why(Some(&partner(AgencyKind::Prosecutor, "CA"))), None);
        assert!(why(None).unwrap().contains("records staff"));
        assert!(why(Some(&partner(AgencyKind::Other, "CA"))).unwrap().contains("records staff"));
        assert!(why(Some(&partner(AgencyKind::LawEnforcement, "NV"))).unwrap().contains("of NV"));
        assert!(why(Some(&partner(AgencyKind::LawEnforcement, "US"))).unwrap().contains("federal"));
        let due = Partner { review: today, ..partner(AgencyKind::LawEnforcement, "CA") };
        assert!(why(Some(&due)).unwrap().contains("to be reviewed"));
        let ended = partner(AgencyKind::LawEnforcement, "CA").ended("clerk".into(), Timestamp::UNIX_EPOCH);
        assert!(why(Some(&ended)).is_some());
        assert!(ended.reviewed(day("2028-01-01"), today, "clerk".into(), Timestamp::UNIX_EPOCH).is_err());
        // Who wants it otherwise says so in the configuration.
        let wider = Settings { jurisdictions: vec!["CA".into(), "NV".into()] };
        assert_eq!(refusal(&wider, Some(&partner(AgencyKind::LawEnforcement, "NV")), today), None);
    }

    #[test]
    fn an_agency_without_a_right_to_know_or_of_no_state_is_not_entered() {
        let new = || NewPartner {
            name: "Lodi PD".into(),
            kind: AgencyKind::LawEnforcement,
            jurisdiction: "CA".into(),
            purpose: "investigations".into(),
            right_to_know: "agreement of 2026".into(),
            need_to_know: "stolen vehicles".into(),
            review: day("2027-01-01"),
        };
        let refused = |new| Partner::new(new, "clerk".into(), Timestamp::UNIX_EPOCH).unwrap_err().to_string();
        assert!(refused(NewPartner { right_to_know: " ".into(), ..new() }).contains("right to know"));
        assert!(refused(NewPartner { jurisdiction: "Cal".into(), ..new() }).contains("two letters"));
        assert!(refused(NewPartner { name: "x".repeat(101), ..new() }).contains("100 characters"));
    }
}
