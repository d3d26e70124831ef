//! What pages are made of: plain data, which the macros of `templates/ui.html` draw.

use plated_core::record::Priority;

/// How something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// As it should be.
    #[default]
    Good,
    /// To be known, without urgency.
    Info,
    /// Somebody should see to it.
    Warning,
    /// It does not work.
    Bad,
}

impl Health {
    /// Class in the style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Info => "info",
            Self::Warning => "warn",
            Self::Bad => "bad",
        }
    }

    /// Its icon, so that colour is not alone.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Good => "check",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Bad => "cross",
        }
    }

    /// As a screen reader says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "In order",
            Self::Info => "For information",
            Self::Warning => "Attention",
            Self::Bad => "Not working",
        }
    }

    /// True for what somebody has to act on.
    pub fn needs_somebody(self) -> bool {
        self >= Self::Warning
    }
}

/// A priority as it is shown: a word, a shape and a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Urgency(pub Priority);

impl Urgency {
    /// Class in the style sheet.
    pub fn class(self) -> &'static str {
        match self.0 {
            Priority::High => "high",
            Priority::Normal => "normal",
            Priority::Low => "low",
        }
    }

    /// As it is written on a badge.
    pub fn word(self) -> &'static str {
        match self.0 {
            Priority::High => "High",
            Priority::Normal => "Normal",
            Priority::Low => "Low",
        }
    }

    /// Low and normal alerts can be muted, high ones never.
    pub fn can_be_muted(self) -> bool {
        self.0 != Priority::High
    }
}

/// A place to go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it is called.
    pub text: String,
    /// Path in this program.
    pub href: String,
}

impl Link {
    /// A link.
    pub fn new(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self { text: text.into(), href: href.into() }
    }
}

/// A point in time with the words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// As it is shown: `21:04:33`, `26 Nov 21:04`.
    pub text: String,
    /// RFC 3339, for machines and for the script that keeps ages going.
    pub iso: String,
}

/// A picture by its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Path in this program.
    pub src: String,
    /// What it shows.
    pub alt: String,
    /// Pixels, so that nothing moves when it comes.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// A name and a value in a list of facts. An empty value is shown as a dash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// What it has.
    pub value: String,
    /// Text of the key that copies it; empty for none.
    pub copy: String,
    /// Warning and worse are marked.
    pub health: Health,
}

impl Fact {
    /// A fact in order.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), copy: String::new(), health: Health::Good }
    }

    /// One that can be copied with a button of this text.
    pub fn copied_by(self, button: impl Into<String>) -> Self {
        Self { copy: button.into(), ..self }
    }

    /// One that is marked.
    pub fn health(self, health: Health) -> Self {
        Self { health, ..self }
    }
}

/// A sentence above the page's content: what was done, or was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its colour and icon.
    pub health: Health,
    /// One or two sentences.
    pub text: String,
}

/// One part of the status line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusItem {
    /// How it is.
    pub health: Health,
    /// Name of the icon.
    pub icon: &'static str,
    /// Plain words: `2 of 2 cameras reading`.
    pub text: String,
    /// Where more stands about it.
    pub href: String,
}

/// The line that says how everything is: cameras, lists, outbox, link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusLine {
    /// Its parts; what needs somebody first.
    pub items: Vec<StatusItem>,
}

/// An item of the navigation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NavItem {
    /// Name and address.
    pub link: Link,
    /// Name of the icon.
    pub icon: &'static str,
    /// The page belongs to it.
    pub current: bool,
    /// What waits there, 0 for nothing.
    pub count: u32,
}

/// One of the pages of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab {
    /// Name and address.
    pub link: Link,
    /// It is this page.
    pub current: bool,
}

/// What is entered in a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// One line.
    #[default]
    Text,
    /// Not shown; never filled in again.
    Password,
    /// Digits of a one-time code.
    Code,
    /// A plate: capitals, set in the plate's type.
    Plate,
    /// A day.
    Date,
    /// A day and a time.
    DateTime,
    /// Several lines.
    Lines,
    /// One of the choices, in a list that opens.
    Select,
    /// One of the choices, all in view.
    Radio,
    /// Yes or no.
    Check,
    /// A file of the browser's computer; never filled in. Its form is an upload.
    File,
}

/// One of several values of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub label: String,
}

/// A field of a form, with its label, its hint and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// Name in the form, and id in the page: unique there.
    pub name: String,
    /// In front of everybody's eyes, also for a screen reader.
    pub label: String,
    /// What is in it. For a check `on`, for a choice the chosen value.
    pub value: String,
    /// One sentence on what belongs into it.
    pub hint: String,
    /// What is wrong and what to do; empty if nothing is.
    pub error: String,
    /// Sort of input.
    pub input: Input,
    /// Must be filled in.
    pub required: bool,
    /// Has the focus when the page opens.
    pub focus: bool,
    /// HTML's autocomplete; empty for `off`.
    pub autocomplete: &'static str,
    /// Most characters.
    pub max: u32,
    /// For [`Input::Select`] and [`Input::Radio`].
    pub choices: Vec<Choice>,
}

/// Most characters of a field that sets no limit of its own.
const MAX_FIELD: u32 = 200;

impl Field {
    /// An empty field.
    pub fn new(input: Input, name: impl Into<String>, label: impl Into<String>) -> Self {
        Self { name: name.into(), label: label.into(), input, max: MAX_FIELD, ..Self::default() }
    }

    /// With this in it. A password or a file is never filled in.
    pub fn value(self, value: impl Into<String>) -> Self {
        if matches!(self.input, Input::Password | Input::File) { self } else { Self { value: value.into(), ..self } }
    }

    /// With a hint.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// With an error.
    pub fn error(self, error: impl Into<String>) -> Self {
        Self { error: error.into(), ..self }
    }

    /// That must be filled in.
    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// That has the focus when the page opens.
    pub fn focused(self) -> Self {
        Self { focus: true, ..self }
    }

    /// That a password manager or the browser may fill in, by HTML's word for it.
    pub fn autocomplete(self, autocomplete: &'static str) -> Self {
        Self { autocomplete, ..self }
    }

    /// With other than the usual most characters.
    pub fn max(self, max: u32) -> Self {
        Self { max, ..self }
    }

    /// With the values to choose from.
    pub fn choices<V: Into<String>, L: Into<String>>(self, choices: impl IntoIterator<Item = (V, L)>) -> Self {
        let choices = choices.into_iter().map(|(v, l)| Choice { value: v.into(), label: l.into() }).collect();
        Self { choices, ..self }
    }

    /// HTML's input type, for those that are one.
    pub fn html_type(&self) -> &'static str {
        match self.input {
            Input::Password => "password",
            Input::Date => "date",
            Input::DateTime => "datetime-local",
            Input::File => "file",
            _ => "text",
        }
    }

    /// Ids of what describes it, for `aria-describedby`.
    pub fn described_by(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        let error = (!self.error.is_empty()).then(|| format!("{}-error", self.name));
        error.into_iter().chain(hint).collect::<Vec<_>>().join(" ")
    }

    /// True for this sort of input; templates can't name it.
    pub fn is(&self, input: &str) -> bool {
        match self.input {
            Input::Lines => input == "lines",
            Input::Select => input == "select",
            Input::Radio => input == "radio",
            Input::Check => input == "check",
            Input::Plate => input == "plate",
            Input::Code => input == "code",
            Input::Text | Input::Password | Input::Date | Input::DateTime | Input::File => input == "text",
        }
    }
}

/// A form: fields, a token and a button.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Where it is posted to.
    pub action: String,
    /// The page's token ([`crate::csrf`]); empty for a form that only asks, which is sent by GET.
    pub csrf: String,
    /// Fields in the order of the page.
    pub fields: Vec<Field>,
    /// What the button says: a verb.
    pub button: String,
    /// Hidden names and values.
    pub hidden: Vec<(String, String)>,
    /// Where to go instead.
    pub cancel: Option<Link>,
    /// It has a file ([`crate::upload`]).
    pub upload: bool,
}

impl Form {
    /// Fields in which something is wrong.
    pub fn errors(&self) -> Vec<&Field> {
        self.fields.iter().filter(|f| !f.error.is_empty()).collect()
    }
}

/// Where a page of rows stands among the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pager {
    /// `1–50 of 312`.
    pub shown: String,
    /// Address of the page before.
    pub previous: Option<String>,
    /// Address of the next page.
    pub next: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_filled_in_again() {
        assert_eq!(Field::new(Input::Password, "password", "Password").value("secret").value, "");
    }

    #[test]
    fn a_field_is_described_by_its_error_first() {
        let field = Field::new(Input::Text, "case", "Case number").hint("As dispatch gave it").error("Missing");
        assert_eq!(field.described_by(), "case-error case-hint");
    }
}
