//! The table of routes, what a handler knows of a request, and what is around each page.

use super::look::Look;
use super::{
    Shared, Station, agency, audit_report, audits, evidence, fleet, holds, misreads, partners, pictures, policy,
    purpose, read, release, releases, search, start, statistics, track, transparency,
};
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use plated_access::{HoldEvidence, Recorded, Release, Role, Search, Session, SessionId};
use plated_core::error::{Error, Kind, Result};
use plated_portal::{AgencyLogin, Framing, House, Place, Portal, Route, Site, Tab};
use plated_web::csrf::Csrf;
use plated_web::problem::Problem;
use std::ops::Deref;
use std::sync::Arc;

/// Takes routes of the station up.
pub(super) type Routes = plated_portal::Routes<Shared>;

/// The whole router, and the table of what is in it.
pub(super) fn router(station: Shared, csrf: Csrf) -> (Router, Vec<Route>) {
    let site: Site = station.clone();
    let routes = agency::routes(start::routes(Routes::new(site)));
    let routes = purpose::routes(routes);
    let routes = search::routes(routes);
    let routes = evidence::routes(routes);
    let routes = read::routes(routes);
    let routes = track::routes(routes);
    let routes = pictures::routes(routes);
    let routes = holds::routes(routes);
    let routes = misreads::routes(routes);
    let routes = releases::routes(routes);
    let routes = release::routes(routes);
    let routes = partners::routes(routes);
    let routes = fleet::routes(routes);
    let routes = statistics::routes(routes);
    let routes = audits::routes(routes);
    let routes = audit_report::routes(routes);
    let routes = policy::routes(routes);
    let routes = transparency::routes(routes);
    routes.into_router(station, csrf, None)
}

/// A request, as handlers take it.
#[derive(Clone)]
pub(super) struct Visit {
    pub station: Shared,
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

    async fn from_request_parts(parts: &mut Parts, station: &Shared) -> Result<Self, Problem> {
        let site: Site = station.clone();
        let base = plated_portal::Visit::of(parts, &site);
        let look = base.visitor().ok().and_then(|visitor| station.looks.of(&visitor.session));
        Ok(Self { station: station.clone(), look, base })
    }
}

impl Visit {
    /// What the visit is for.
    ///
    /// # Errors
    /// On a route that does not need it.
    pub fn look(&self) -> Result<&Arc<Look>, Problem> {
        self.look.as_ref().ok_or_else(|| Error::new(Kind::Unauthenticated, "no purpose is given").into())
    }

    /// Who may not is told so before they enter anything.
    ///
    /// # Errors
    /// `Forbidden` for a role that has no access of this kind.
    pub fn may<P: Recorded>(&self, what: &str) -> Result<(), Problem> {
        let role = self.visitor()?.role();
        match P::ROLES.contains(&role) {
            true => Ok(()),
            false => Err(Error::new(Kind::Forbidden, format!("the role {role} may not {what}")).into()),
        }
    }

    /// Purpose and case that were given, in words.
    ///
    /// # Errors
    /// On a route that does not need them.
    pub fn purpose(&self) -> Result<String, Problem> {
        let (look, access) = (self.look()?, &self.portal().access);
        let purpose = look.reason.purpose().and_then(|p| access.purposes.iter().find(|known| known.name == *p));
        let mut words = purpose.map_or_else(String::new, |p| p.text.clone());
        if !look.case.as_str().is_empty() {
            words += &format!(" · case {}", look.case.as_str());
        }
        Ok(words)
    }
}

impl House for Station {
    fn portal(&self) -> &Portal {
        &self.portal
    }

    fn has_look(&self, session: &Session) -> bool {
        self.looks.of(session).is_some()
    }

    fn session_over(&self, session: SessionId) {
        self.looks.end(session);
        self.samples.end(session);
    }

    fn home(&self, role: Role) -> &'static str {
        match role {
            Role::Officer | Role::Supervisor | Role::Custodian => "/search",
            Role::Administrator => "/fleet",
            Role::Auditor => "/review",
        }
    }

    fn places(&self) -> &'static [Place] {
        PLACES
    }

    fn tabs(&self) -> &'static [Tab] {
        TABS
    }

    fn comes_by_itself(&self, path: &str) -> bool {
        path.starts_with(pictures::PICTURES) || path.starts_with(audits::PICTURES)
    }

    fn turned_away(&self, _: &str) -> Option<Response> {
        None
    }

    fn agency_login(&self) -> Option<AgencyLogin> {
        self.provider.as_ref().map(agency::Provider::login)
    }

    fn frame(self: Arc<Self>, visit: plated_portal::Visit, title: String, current: String) -> Framing {
        Box::pin(async move {
            let mut frame = visit.bare(&title)?;
            frame.nav = visit.nav(&current, |_| 0)?;
            Ok(frame)
        })
    }
}

/// Who looks after accounts, or reviews them.
const OFFICE: [Role; 3] = [Role::Administrator, Role::Auditor, Role::Custodian];
/// Who is told how the vehicles are.
pub(super) const FLEET: [Role; 3] = [Role::Supervisor, Role::Administrator, Role::Auditor];

const fn place(name: &'static str, href: &'static str, icon: &'static str, roles: &'static [Role]) -> Place {
    Place { name, href, icon, roles, trained: true }
}

const PLACES: &[Place] = &[
    place("Search", "/search", "search", Search::ROLES),
    place("Holds", "/holds", "key", HoldEvidence::ROLES),
    place("Misreads", "/misreads", "misread", &misreads::ROLES),
    place("Release", "/releases", "export", Release::ROLES),
    Place { trained: false, ..place("Fleet", "/fleet", "camera", &FLEET) },
    Place { trained: false, ..place("Statistics", "/statistics", "chart", &statistics::ROLES) },
    Place { trained: false, ..place("Audits", "/audits", "check", &audits::ROLES) },
    Place { trained: false, ..place("Office", "/users", "office", &OFFICE) },
    place("Account", "/account", "user", &Role::ALL),
];

const TABS: &[Tab] = &[
    Tab { of: "Office", name: "Users", href: "/users", roles: &OFFICE },
    Tab { of: "Office", name: "Review", href: "/review", roles: &OFFICE },
    Tab { of: "Office", name: "Partners", href: "/partners", roles: &[Role::Administrator, Role::Auditor] },
    Tab { of: "Release", name: "Requests", href: "/releases", roles: Release::ROLES },
    Tab { of: "Release", name: "Partners", href: "/partners", roles: Release::ROLES },
];
