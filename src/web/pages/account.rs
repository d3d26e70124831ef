//! One's own account, and those of the others.

use super::Frame;
use crate::qr::Qr;
use crate::ui::{Fact, Form, Health, Link, Pager};
use askama::Template;

/// One's own account.
#[derive(Clone, Debug, Template)]
#[template(path = "account.html")]
pub struct Account {
    /// Around it.
    pub frame: Frame,
    /// Name, role, agency, who authorised.
    pub facts: Vec<Fact>,
    /// How it is with the training.
    pub training: (Health, String),
    /// Sources of which alerts and entries may be seen.
    pub grants: Vec<String>,
    /// Changes the password.
    pub password: Form,
    /// Sets up a second factor.
    pub factor: Form,
    /// New recovery codes; none without a second factor.
    pub codes: Option<Form>,
    /// Keys, tones and the like, where alerts sound.
    pub settings: Option<Form>,
    /// Locks, logs out.
    pub leave: Vec<Form>,
}

/// The secret of a second factor, shown once.
#[derive(Clone, Debug, Template)]
#[template(path = "enrol.html")]
pub struct Enrol {
    /// Around it.
    pub frame: Frame,
    /// For the authenticator app's camera.
    pub qr: Qr,
    /// The same for typing it in.
    pub secret: String,
    /// Takes the code that the app shows.
    pub form: Form,
}

/// Recovery codes, shown once.
#[derive(Clone, Debug, Template)]
#[template(path = "recovery_codes.html")]
pub struct RecoveryCodes {
    /// Around it.
    pub frame: Frame,
    /// Each counts once.
    pub codes: Vec<String>,
    /// Goes on.
    pub next: Link,
}

/// A user in the administrator's list.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// Name and page.
    pub link: Link,
    /// Title or designation, and role.
    pub role: String,
    /// How it is with the training.
    pub training: (Health, String),
    /// Last login, in words.
    pub last_login: String,
    /// How it is with the account.
    pub state: (Health, String),
}

/// The administrator's list of users.
#[derive(Clone, Debug, Template)]
#[template(path = "users.html")]
pub struct Users {
    /// Around it.
    pub frame: Frame,
    /// Searches for a name.
    pub find: Form,
    /// Leads to a new user.
    pub add: Link,
    /// This page of users.
    pub rows: Vec<UserRow>,
    /// Where it stands among the others.
    pub pager: Pager,
}

/// One user: new or changed.
#[derive(Clone, Debug, Template)]
#[template(path = "user_form.html")]
pub struct UserForm {
    /// Around it.
    pub frame: Frame,
    /// All that is kept of a user (control P-23).
    pub form: Form,
    /// How it is with the account; nothing for a new one.
    pub facts: Vec<Fact>,
    /// What else can be done with the account, each with a heading.
    pub actions: Vec<(String, Form)>,
}
