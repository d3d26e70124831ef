//! Getting in, and being told why not.

use super::Frame;
use crate::ui::{Fact, Form, Link};
use askama::Template;

/// Name and password, and the way to the agency's own login.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "login.html")]
pub struct Login {
    /// Around it.
    pub frame: Frame,
    /// To the agency's own login; none without.
    pub agency: Option<Link>,
    /// Above name and password, where they are for some only; may be empty.
    pub beside: String,
    /// Name and password.
    pub form: Form,
    /// What the agency says to everybody who wants in; may be empty.
    pub notice: String,
}

/// Back from the agency's own login; leads on by itself.
#[derive(Clone, Debug, Template)]
#[template(path = "arrived.html")]
pub struct Arrived {
    /// Around it.
    pub frame: Frame,
    /// Where to.
    pub on: Link,
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
