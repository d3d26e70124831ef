//! What the forms of the pages share: what is wrong with one, its reason, and what was done.

use crate::visit::Visit;
use crate::words;
use axum::http::StatusCode;
use plated_access::Reason;
use plated_core::error::{Error, Kind};
use plated_core::text::sentence;
use plated_web::problem::Problem;
use plated_web::ui::{Form, Health, Message, Pager};

/// What is wrong with a form that came, if anything.
#[derive(Clone, Debug, Default)]
pub struct Wrong {
    /// Name of the field, and a sentence.
    field: Option<(&'static str, String)>,
    /// What concerns the form as a whole, as a sentence.
    whole: Option<String>,
}

impl Wrong {
    /// This field.
    pub fn field(name: &'static str, what: impl Into<String>) -> Self {
        Self { field: Some((name, what.into())), whole: None }
    }

    /// What a service would not take, if whoever filled in the form can mend it.
    ///
    /// # Errors
    /// Anything else.
    pub fn of(error: Error) -> Result<Self, Problem> {
        match error.kind() {
            Kind::Input | Kind::Config | Kind::Refused => {
                Ok(Self { field: None, whole: Some(sentence(&words::capital(&error.chain()))) })
            }
            _ => Err(error.into()),
        }
    }

    /// Puts it to its field.
    pub fn mark(&self, form: &mut Form) {
        if let Some((name, what)) = &self.field {
            form.fields.iter_mut().filter(|f| f.name == *name).for_each(|f| f.error.clone_from(what));
        }
    }

    /// The sentence above the page.
    pub fn message(&self) -> Option<Message> {
        self.whole.clone().map(|text| Message { health: Health::Bad, text })
    }

    /// That of the page with the form.
    pub fn status(&self) -> StatusCode {
        if self.field.is_some() || self.whole.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }
    }
}

/// Several lines as one: a reason has one.
pub fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A reason that was typed.
///
/// # Errors
/// What is wrong with the field `reason`.
pub fn reason(text: &str) -> Result<Reason, Wrong> {
    Reason::new(text).map_err(|e| Wrong::field("reason", sentence(&words::capital(&e.to_string()))))
}

/// What was done before this page, by the word in its address.
pub fn done(visit: &Visit, words: &[(&str, &str)]) -> Option<Message> {
    let word = visit.query.get("done");
    let (_, text) = words.iter().find(|(w, _)| *w == word)?;
    Some(Message { health: Health::Good, text: (*text).into() })
}

/// Where a page with `shown` of `all` rows from `first` on stands; `page` rows are on each.
pub fn pager(path: &str, first: usize, shown: usize, all: usize, page: usize) -> Pager {
    let at = |from: usize| format!("{path}?from={from}");
    let range = match shown {
        0 => format!("None of {all}"),
        _ => format!("{}–{} of {all}", first + 1, first + shown),
    };
    let next = first.checked_add(shown).filter(|next| shown > 0 && *next < all);
    Pager { shown: range, previous: (first > 0).then(|| at(first.saturating_sub(page))), next: next.map(at) }
}
