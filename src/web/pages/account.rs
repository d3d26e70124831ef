//! One's own account, and those of the others.

use super::Frame;
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
    /// Keys, tones and the like.
    pub settings: Form,
    /// Logs out.
    pub leave: Form,
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
}
