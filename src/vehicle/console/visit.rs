//! What a handler knows of the request, and what a page has around it.

use super::door::Visitor;
use super::look::Look;
use super::{Shared, blocking, pages, status};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use plated_access::{Recorded, Role, Search};
use plated_core::error::{Error, Kind};
use plated_web::csrf::Token;
use plated_web::fields::Fields;
use plated_web::pages::Shape;
use plated_web::problem::Problem;
use plated_web::theme::Theme;
use plated_web::ui::{Form, Health, Link, Message, NavItem, Tab};
use plated_web::{Frame, cookies};
use std::sync::Arc;

/// Cookie in which a browser keeps that single keys do nothing.
pub const NO_SHORTCUTS: &str = "no-shortcuts";
/// Cookie in which a browser keeps that only high alerts sound.
pub const MUTED: &str = "muted";

/// A request, as handlers take it.
#[derive(Clone)]
pub struct Visit {
    pub console: Shared,
    /// Who came through the door; none where everybody does.
    visitor: Option<Visitor>,
    /// The page's token.
    pub csrf: String,
    theme: Theme,
    pub shortcuts: bool,
    pub muted: bool,
    /// The query of the address.
    pub query: Fields,
}

impl FromRequestParts<Shared> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, console: &Shared) -> Result<Self, Problem> {
        let on = |name: &str| cookies::get(&parts.headers, name) == Some("on");
        Ok(Self {
            console: console.clone(),
            visitor: parts.extensions.get().cloned(),
            csrf: parts.extensions.get::<Token>().map(|token| token.0.clone()).unwrap_or_default(),
            theme: Theme::of_request(&parts.headers),
            shortcuts: !on(NO_SHORTCUTS),
            muted: on(MUTED),
            query: parts.uri.query().and_then(|query| Fields::parse(query.as_bytes())).unwrap_or_default(),
        })
    }
}

impl Visit {
    /// Who came through the door.
    ///
    /// # Errors
    /// On a route that lets everybody in.
    pub fn visitor(&self) -> Result<&Visitor, Problem> {
        self.visitor.as_ref().ok_or_else(|| Error::new(Kind::Unauthenticated, "nobody is logged in").into())
    }

    /// What the visit is for.
    ///
    /// # Errors
    /// On a route that does not need it.
    pub fn look(&self) -> Result<&Arc<Look>, Problem> {
        let look = self.visitor()?.look.as_ref();
        look.ok_or_else(|| Error::new(Kind::Unauthenticated, "no purpose is given").into())
    }

    /// A form of this page.
    pub fn form(&self, action: &str, button: &str) -> Form {
        Form { action: action.into(), csrf: self.csrf.clone(), button: button.into(), ..Form::default() }
    }

    /// Around a page of one card, for who is not through all doors.
    pub fn alone(&self, title: &str) -> Frame {
        Frame {
            title: title.into(),
            place: self.console.vehicle.clone(),
            theme: self.theme,
            shape: Shape::Alone,
            csrf: self.csrf.clone(),
            now_ms: self.console.clock.wall().as_millisecond(),
            ..Frame::default()
        }
    }

    /// Around a whole page; `current` is its item of the navigation. With a look it listens to live events and
    /// shows the alerts that wait.
    ///
    /// # Errors
    /// On a route that lets everybody in.
    pub async fn frame(&self, title: &str, current: &str) -> Result<Frame, Problem> {
        let visitor = self.visitor()?.clone();
        let mut frame = Frame {
            shape: Shape::Whole,
            user: visitor.session.account.full_name.clone(),
            muted: self.muted,
            shortcuts: self.shortcuts,
            ..self.alone(title)
        };
        // Before anything is looked for, so that what comes meanwhile is told again rather than missed.
        let events = visitor.look.is_some().then(|| pages::events::address(&self.console));
        let (console, csrf) = (self.console.clone(), self.csrf.clone());
        let look = visitor.look.clone();
        let role = visitor.role();
        let (line, pending) = blocking(move || {
            let report = console.status();
            let pending = match &look {
                Some(look) => pages::alerts::pending(&console, look, &csrf, &report),
                None => Ok(Vec::new()),
            };
            Ok((status::line(&console, &report, role), pending))
        })
        .await?;
        // Whatever keeps alerts from being shown keeps nobody from the other pages.
        let pending = pending.unwrap_or_else(|e| {
            tracing::error!("Alerts are not shown on the console: {}", e.chain());
            let text = "Alerts can't be shown, since that can't be put on record. They sound all the same.".into();
            frame.messages.push(Message { health: Health::Bad, text });
            Vec::new()
        });
        frame.nav = nav(&visitor, current, u32::try_from(pending.len()).unwrap_or(u32::MAX));
        frame.status = line;
        if let Some(events) = events {
            (frame.events, frame.pending) = (events, pending);
            frame.tones_again_s = self.console.settings.tones_again_s;
        }
        Ok(frame)
    }

    /// Around a page of a place that has several; `href` is the address of this one.
    ///
    /// # Errors
    /// As [`frame`](Self::frame).
    pub async fn frame_in(&self, title: &str, place: &str, href: &str) -> Result<Frame, Problem> {
        let (mut frame, role) = (self.frame(title, place).await?, self.visitor()?.role());
        let tabs = TABS.iter().filter(|(of, _, _, roles)| *of == place && roles.contains(&role));
        frame.tabs = tabs.map(|(_, text, to, _)| Tab { link: Link::new(*text, *to), current: *to == href }).collect();
        Ok(frame)
    }
}

/// Who looks after accounts and the vehicle, or reviews them.
const OFFICE: [Role; 3] = [Role::Administrator, Role::Auditor, Role::Custodian];
const FINDINGS: [Role; 3] = [Role::Officer, Role::Supervisor, Role::Custodian];

/// Pages of places that have several: the place, name, address and roles of each.
const TABS: &[(&str, &str, &str, &[Role])] = &[
    ("Alerts", "This shift", "/alerts", &FINDINGS),
    ("Alerts", "Not this vehicle", "/findings", &FINDINGS),
    ("Office", "Users", "/users", &OFFICE),
    ("Office", "Review", "/review", &OFFICE),
    ("Office", "Lists", "/lists", &[Role::Administrator]),
    ("Office", "Cameras", "/cameras", &[Role::Administrator]),
    ("Office", "Purposes", "/purposes", &OFFICE),
];

/// Places to go to, for the roles that may.
const PLACES: &[(&str, &str, &str, &[Role])] = &[
    ("Live", "/", "live", &[Role::Officer, Role::Supervisor, Role::Administrator]),
    ("Alerts", "/alerts", "bell", &[Role::Officer, Role::Supervisor, Role::Custodian]),
    ("Search", "/search", "search", Search::ROLES),
    ("Add plate", "/entries", "plus", &[Role::Officer, Role::Supervisor]),
    ("Canvass", "/canvass", "canvass", &[Role::Officer, Role::Supervisor]),
    ("Shift", "/shift", "check", &[Role::Officer, Role::Supervisor, Role::Administrator]),
    ("Tests", "/performance", "chart", &[Role::Officer, Role::Supervisor, Role::Administrator]),
    ("Office", "/users", "office", &OFFICE),
    ("Account", "/account", "user", &Role::ALL),
];

/// Where somebody of this role begins.
pub fn home(role: Role) -> &'static str {
    match role {
        Role::Officer | Role::Supervisor | Role::Administrator => "/shift",
        Role::Custodian => "/alerts",
        Role::Auditor => "/users",
    }
}

fn nav(visitor: &Visitor, current: &str, pending: u32) -> Vec<NavItem> {
    let role = visitor.role();
    // Who has to do something first is led there from everywhere else.
    let only_own = visitor.session.due.is_some() || visitor.session.locked;
    let may = |name: &str, roles: &[Role]| match name {
        "Account" => true,
        "Office" => roles.contains(&role) && !only_own,
        _ => roles.contains(&role) && !only_own && visitor.untrained.is_none(),
    };
    let places = PLACES.iter().filter(|(name, _, _, roles)| may(name, roles));
    let item = |(name, href, icon, _): &(&str, &str, &'static str, &[Role])| NavItem {
        link: Link::new(*name, *href),
        icon,
        current: *name == current,
        count: if *name == "Alerts" { pending } else { 0 },
    };
    places.map(item).collect()
}
