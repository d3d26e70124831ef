//! What a program with pages is.

use crate::door::Visitor;
use crate::pages::login::UnfinishedLogins;
use crate::visit::Visit;
use axum::response::Response;
use plated_access::{AccountStore, Accounts, LoginName, Role, Session, SessionId, Settings};
use plated_core::clock::Clock;
use plated_web::Frame;
use plated_web::problem::Problem;
use plated_web::ui::{Link, NavItem, Tab as PageTab};
use std::pin::Pin;
use std::sync::Arc;

/// What all pages work with.
pub struct Portal {
    /// Who logs in.
    pub accounts: Arc<Accounts>,
    /// Where accounts are kept.
    pub store: Arc<dyn AccountStore>,
    /// What the agency asks of each access.
    pub access: Settings,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Name of what the pages are of, above each: a vehicle or a station.
    pub place: String,
    /// What everybody who wants in is told.
    pub notice: String,
    /// Where accounts that are kept here are, as the pages say it: `In this vehicle`.
    pub here: &'static str,
    /// Alerts sound on these pages, so a browser has settings for that.
    pub has_alerts: bool,
    /// Passwords that wait for their code.
    pub logins: UnfinishedLogins,
}

/// A program with pages.
pub trait House: Send + Sync {
    /// What all pages work with.
    fn portal(&self) -> &Portal;

    /// Whether a purpose is on record for this session.
    fn has_look(&self, session: &Session) -> bool;

    /// The session is over: what is kept for it goes.
    fn session_over(&self, session: SessionId);

    /// Somebody logged out, which is on record. Blocks.
    fn logged_out(&self) {}

    /// Where somebody of this role begins.
    fn home(&self, role: Role) -> &'static str;

    /// Places to go to.
    fn places(&self) -> &'static [Place];

    /// Pages of places that have several.
    fn tabs(&self) -> &'static [Tab];

    /// Whether a page asks for this by itself, which keeps no session from being locked.
    fn comes_by_itself(&self, path: &str) -> bool;

    /// The answer to who is not let through to what a script asks for; none for the usual way to the login.
    fn turned_away(&self, path: &str) -> Option<Response>;

    /// The agency's own login, by which people come in too; none without.
    fn agency_login(&self) -> Option<AgencyLogin> {
        None
    }

    /// Around a whole page; `current` is its place.
    fn frame(self: Arc<Self>, visit: Visit, title: String, current: String) -> Framing;
}

/// The agency's own login, as the pages lead to it.
#[derive(Clone, Debug)]
pub struct AgencyLogin {
    /// Whose it is, as its button says.
    pub agency: String,
    /// Where it begins.
    pub begin: &'static str,
    /// Where a browser is logged out of it too.
    pub end: &'static str,
    /// From whom alone passwords are still taken; none: from everybody.
    pub passwords_of: Option<Vec<LoginName>>,
}

impl AgencyLogin {
    /// Whether a password is taken from this name.
    pub fn takes_password_of(&self, name: &str) -> bool {
        let named = |of: &Vec<LoginName>| LoginName::new(name).is_ok_and(|name| of.contains(&name));
        self.passwords_of.as_ref().is_none_or(named)
    }
}

/// A frame to come.
pub type Framing = Pin<Box<dyn Future<Output = Result<Frame, Problem>> + Send>>;

/// As handlers of shared pages take it.
pub type Site = Arc<dyn House>;

/// A place to go to, for the roles that may.
#[derive(Debug)]
pub struct Place {
    /// As the navigation has it.
    pub name: &'static str,
    /// Where it is.
    pub href: &'static str,
    /// Name of its icon.
    pub icon: &'static str,
    /// Who may.
    pub roles: &'static [Role],
    /// Training is asked for there.
    pub trained: bool,
}

/// One of the pages of a place.
#[derive(Debug)]
pub struct Tab {
    /// Name of the place.
    pub of: &'static str,
    /// As the page has it.
    pub name: &'static str,
    /// Where it is.
    pub href: &'static str,
    /// Who may.
    pub roles: &'static [Role],
}

/// Where everybody's own account is; whoever has something due is led there.
const OWN: &str = "/account";

/// The navigation for this person; `waiting` says how much waits at a place.
pub(crate) fn nav(house: &dyn House, visitor: &Visitor, current: &str, waiting: impl Fn(&str) -> u32) -> Vec<NavItem> {
    let role = visitor.role();
    // Who has to do something first is led there from everywhere else.
    let only_own = visitor.session.due.is_some() || visitor.session.locked;
    let may = |place: &Place| {
        place.href == OWN || place.roles.contains(&role) && !only_own && !(place.trained && visitor.untrained.is_some())
    };
    let item = |place: &Place| NavItem {
        link: Link::new(place.name, place.href),
        icon: place.icon,
        current: place.name == current,
        count: waiting(place.name),
    };
    house.places().iter().filter(|place| may(place)).map(item).collect()
}

/// The pages of a place for this role.
pub(crate) fn tabs(house: &dyn House, role: Role, place: &str, href: &str) -> Vec<PageTab> {
    let tabs = house.tabs().iter().filter(|tab| tab.of == place && tab.roles.contains(&role));
    tabs.map(|tab| PageTab { link: Link::new(tab.name, tab.href), current: tab.href == href }).collect()
}
