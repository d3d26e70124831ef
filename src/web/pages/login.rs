//! Getting in, and being told why not.

use super::Frame;
use crate::ui::{Fact, Form, Link};
use askama::Template;

/// Name and password.
#[derive(Clone, Debug, Template)]
#[template(path = "login.html")]
pub struct Login {
    /// Around it.
    pub frame: Frame,
    /// Name and password.
    pub form: Form,
    /// What the agency says to everybody who wants in; may be empty.
    pub notice: String,
}

/// The second factor.
#[derive(Clone, Debug, Template)]
#[template(path = "second_factor.html")]
pub struct SecondFactor {
    /// Around it.
    pub frame: Frame,
    /// The code.
    pub form: Form,
    /// For who has lost the device.
    pub recovery: Link,
}

/// Logged in, and yet refused: training has lapsed, the account is unused for too long (control P-07).
#[derive(Clone, Debug, Template)]
#[template(path = "refused.html")]
pub struct Refused {
    /// Around it.
    pub frame: Frame,
    /// Why, in one or two sentences.
    pub why: String,
    /// What to do.
    pub todo: String,
    /// Dates and names.
    pub facts: Vec<Fact>,
    /// Where to go from here.
    pub links: Vec<Link>,
}
