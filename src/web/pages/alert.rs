//! Alerts. Each is a lead until an officer has recorded an answer about it (control P-06): nothing here
//! calls one confirmed before.

use super::{Confidence, Frame};
use crate::plate::{Pair, Plate};
use crate::ui::{Fact, Moment, Pager, Picture, Urgency};
use askama::Template;

/// What an officer can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What is sent.
    pub value: &'static str,
    /// What the button says.
    pub label: &'static str,
    /// Name of its icon.
    pub icon: &'static str,
    /// The key that presses it.
    pub key: char,
    /// Class in the style sheet.
    pub class: &'static str,
}

const fn answer(
    value: &'static str,
    label: &'static str,
    icon: &'static str,
    key: char,
    class: &'static str,
) -> Answer {
    Answer { value, label, icon, key, class }
}

/// After a look at picture and list.
const COMPARED: [Answer; 5] = [
    answer("correct", "Correct", "check", '1', "yes"),
    answer("wrong-state", "Wrong state", "state", '2', ""),
    answer("misread", "Misread", "misread", '3', ""),
    answer("could-not-verify", "Could not verify", "question", '4', ""),
    answer("dismissed", "Dismiss", "cross", '5', ""),
];

/// What CLETS or dispatch answered. `Confirmed` has neither key nor place of `Correct`: a second press must
/// not confirm.
const DISPATCH: [Answer; 5] = [
    answer("could-not-verify", "No answer yet", "question", '1', ""),
    answer("not-on-file", "Not on file", "cross", '2', ""),
    answer("wrong-state", "Wrong state", "state", '3', ""),
    answer("misread", "Misread", "misread", '4', ""),
    answer("confirmed", "Confirmed", "check", '5', "yes"),
];

/// Where an alert stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Step {
    /// Nobody has compared it.
    #[default]
    Compare,
    /// The officer found that it is the listed plate; CLETS or dispatch has not answered.
    Dispatch,
    /// An answer is recorded, in these words.
    Answered(String),
}

/// All that an officer has to know about an alert.
#[derive(Clone, Debug)]
pub struct AlertCard {
    /// Id of the hit.
    pub id: String,
    /// Address of its page; answers are posted there.
    pub href: String,
    /// The page's token.
    pub csrf: String,
    /// How urgent.
    pub urgency: Urgency,
    /// Why the plate is wanted: `Stolen vehicle`.
    pub category: String,
    /// Colour that the list gives this category (control P-05), `#rrggbb`; empty for none. Nothing is
    /// written on it, so it may be any.
    pub colour: String,
    /// When it was seen last.
    pub at: Moment,
    /// How long ago that is, in words; the script keeps it going.
    pub ago: String,
    /// Name of the camera.
    pub camera: String,
    /// Street or coordinates; empty without a position.
    pub place: String,
    /// Read and list.
    pub pair: Pair,
    /// How sure the read is.
    pub confidence: Confidence,
    /// How the read was matched and how probable the match is, in one sentence.
    pub matched: String,
    /// Name and age of the list: `SVS, 3 h old`.
    pub list: String,
    /// The list is older than it should be.
    pub list_is_old: bool,
    /// The plate alone.
    pub crop: Option<Picture>,
    /// The vehicle.
    pub overview: Option<Picture>,
    /// Vehicle, VIN, case number, ages.
    pub facts: Vec<Fact>,
    /// The list's own remark, such as a caution; empty for none.
    pub remark: String,
    /// Other entries of this plate.
    pub more_entries: u32,
    /// Where it stands.
    pub step: Step,
    /// The tone goes on until somebody has seen the alert.
    pub seen: bool,
    /// Where it can be proposed that it is not the wanted vehicle; empty for who may not.
    pub finding: String,
    /// Whether this plate is muted for the shift; none where it can't be.
    pub muted: Option<bool>,
}

impl AlertCard {
    /// The answers that can be given now.
    pub fn answers(&self) -> &'static [Answer] {
        match self.step {
            Step::Compare => &COMPARED,
            Step::Dispatch => &DISPATCH,
            Step::Answered(_) => &[],
        }
    }

    /// The question above them.
    pub fn question(&self) -> &'static str {
        match self.step {
            Step::Compare => "Compare the picture with the list. What do you see?",
            Step::Dispatch => "You found it correct. What did CLETS or dispatch answer?",
            Step::Answered(_) => "",
        }
    }

    /// What it counts as, in words that are true.
    pub fn standing(&self) -> &str {
        match &self.step {
            Step::Compare => "Unverified lead: compare before you act",
            Step::Dispatch => "Unverified: ask CLETS or dispatch before you act",
            Step::Answered(text) => text,
        }
    }

    /// Name of the step in forms.
    pub fn step_word(&self) -> &'static str {
        match self.step {
            Step::Compare => "compare",
            Step::Dispatch => "dispatch",
            Step::Answered(_) => "answered",
        }
    }

    /// Its place in the queue.
    pub fn chip(&self) -> Chip {
        Chip {
            id: self.id.clone(),
            href: self.href.clone(),
            urgency: self.urgency,
            plate: Plate::new(&self.pair.read.text(), &self.pair.read.state),
            current: false,
        }
    }
}

/// An alert in the queue.
#[derive(Clone, Debug)]
pub struct Chip {
    /// Id of the hit.
    pub id: String,
    /// Address of its page.
    pub href: String,
    /// How urgent.
    pub urgency: Urgency,
    /// What was read.
    pub plate: Plate,
    /// It is the one shown.
    pub current: bool,
}

/// One alert on the whole screen, and the queue above it.
#[derive(Clone, Debug, Template)]
#[template(path = "alert.html")]
pub struct Alert {
    /// Around it.
    pub frame: Frame,
    /// Alerts without an answer, the most urgent first.
    pub queue: Vec<Chip>,
    /// The one shown.
    pub card: AlertCard,
}

/// An alert as an event brings it, and as the answer to an answer that the script sent.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/alert.html")]
pub struct AlertPart {
    /// The alert.
    pub card: AlertCard,
}

/// What came of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// In words.
    pub text: String,
    /// It still has to be answered.
    pub open: bool,
}

/// An alert in the list of all.
#[derive(Clone, Debug)]
pub struct AlertRow {
    /// Its place in the queue.
    pub chip: Chip,
    /// Why the plate is wanted.
    pub category: String,
    /// When it was seen last.
    pub at: Moment,
    /// Street or coordinates.
    pub place: String,
    /// What came of it.
    pub answered: Answered,
}

/// The alerts of this shift.
#[derive(Clone, Debug, Template)]
#[template(path = "alerts.html")]
pub struct Alerts {
    /// Around it.
    pub frame: Frame,
    /// Those without an answer first.
    pub rows: Vec<AlertRow>,
    /// Where it stands among the others.
    pub pager: Pager,
}
