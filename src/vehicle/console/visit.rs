//! What a handler knows of the request, and what the console puts around its pages.

use super::look::Look;
use super::{Console, Shared, blocking, door, pages, status};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use plated_access::{Recorded, Role, Search, Session, SessionId};
use plated_core::error::{Error, Kind, Result};
use plated_portal::{Framing, House, Place, Portal, Site, Tab};
use plated_web::Frame;
use plated_web::problem::Problem;
use plated_web::ui::{Health, Message};
use std::ops::Deref;
use std::sync::Arc;

/// A request, as handlers take it.
#[derive(Clone)]
pub struct Visit {
    pub console: Shared,
    look: Option<Arc<Look>>,
    base: plated_portal::Visit,
}

impl Deref for Visit {
    type Target = plated_portal::Visit;

    fn deref(&self) -> &plated_portal::Visit {
        &self.base
    }
}

impl FromRequestParts<Shared> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, console: &Shared) -> Result<Self, Problem> {
        let site: Site = console.clone();
        Ok(Self::of(console, plated_portal::Visit::of(parts, &site)))
    }
}

impl Visit {
    fn of(console: &Shared, base: plated_portal::Visit) -> Self {
        let look = base.visitor().ok().and_then(|visitor| console.looks.of(&visitor.session));
        Self { console: console.clone(), look, base }
    }

    /// What the visit is for.
    ///
    /// # Errors
    /// On a route that does not need it.
    pub fn look(&self) -> Result<&Arc<Look>, Problem> {
        self.look.as_ref().ok_or_else(|| Error::new(Kind::Unauthenticated, "no purpose is given").into())
    }

    /// What is around a whole page. With a look it listens to live events and shows the alerts that wait.
    async fn around(&self, title: &str, current: &str) -> Result<Frame, Problem> {
        let mut frame = self.bare(title)?;
        // Before anything is looked for, so that what comes meanwhile is told again rather than missed.
        let events = self.look.is_some().then(|| pages::events::address(&self.console));
        let (console, csrf, look) = (self.console.clone(), self.csrf.clone(), self.look.clone());
        let role = self.visitor()?.role();
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
        let waiting = u32::try_from(pending.len()).unwrap_or(u32::MAX);
        frame.nav = self.nav(current, |place| if place == "Alerts" { waiting } else { 0 })?;
        frame.status = line;
        if let Some(events) = events {
            (frame.events, frame.pending) = (events, pending);
            frame.tones_again_s = self.console.settings.tones_again_s;
        }
        Ok(frame)
    }
}

impl House for Console {
    fn portal(&self) -> &Portal {
        &self.portal
    }

    fn has_look(&self, session: &Session) -> bool {
        self.looks.of(session).is_some()
    }

    fn session_over(&self, session: SessionId) {
        self.looks.end(session);
        self.uploads.end(session);
    }

    fn logged_out(&self) {
        self.officers.logged_out();
    }

    fn home(&self, role: Role) -> &'static str {
        home(role)
    }

    fn places(&self) -> &'static [Place] {
        PLACES
    }

    fn tabs(&self) -> &'static [Tab] {
        TABS
    }

    fn comes_by_itself(&self, path: &str) -> bool {
        path == door::EVENTS || path.starts_with(door::PICTURES) || pages::aiming::comes_by_itself(path)
    }

    fn turned_away(&self, path: &str) -> Option<Response> {
        // The page that listens goes to the start page, which leads on.
        (path == door::EVENTS).then(|| door::left(self))
    }

    fn frame(self: Arc<Self>, visit: plated_portal::Visit, title: String, current: String) -> Framing {
        Box::pin(async move { Visit::of(&self, visit).around(&title, &current).await })
    }
}

/// Who looks after accounts and the vehicle, or reviews them.
const OFFICE: [Role; 3] = [Role::Administrator, Role::Auditor, Role::Custodian];
const FINDINGS: [Role; 3] = [Role::Officer, Role::Supervisor, Role::Custodian];
const DRIVING: [Role; 3] = [Role::Officer, Role::Supervisor, Role::Administrator];
const ENTERING: [Role; 2] = [Role::Officer, Role::Supervisor];

const fn tab(of: &'static str, name: &'static str, href: &'static str, roles: &'static [Role]) -> Tab {
    Tab { of, name, href, roles }
}

const TABS: &[Tab] = &[
    tab("Alerts", "This shift", "/alerts", &FINDINGS),
    tab("Alerts", "Not this vehicle", "/findings", &FINDINGS),
    tab("Office", "Users", "/users", &OFFICE),
    tab("Office", "Review", "/review", &OFFICE),
    tab("Office", "Lists", "/lists", &[Role::Administrator]),
    tab("Office", "Cameras", "/cameras", &[Role::Administrator]),
    tab("Office", "Purposes", "/purposes", &OFFICE),
];

const fn place(name: &'static str, href: &'static str, icon: &'static str, roles: &'static [Role]) -> Place {
    Place { name, href, icon, roles, trained: true }
}

const PLACES: &[Place] = &[
    place("Live", "/", "live", &DRIVING),
    place("Alerts", "/alerts", "bell", &FINDINGS),
    place("Search", "/search", "search", Search::ROLES),
    place("Add plate", "/entries", "plus", &ENTERING),
    place("Canvass", "/canvass", "canvass", &ENTERING),
    place("Shift", "/shift", "check", &DRIVING),
    place("Tests", "/performance", "chart", &DRIVING),
    Place { trained: false, ..place("Office", "/users", "office", &OFFICE) },
    place("Account", "/account", "user", &Role::ALL),
];

/// Where somebody of this role begins.
pub fn home(role: Role) -> &'static str {
    match role {
        Role::Officer | Role::Supervisor | Role::Administrator => "/shift",
        Role::Custodian => "/alerts",
        Role::Auditor => "/users",
    }
}
