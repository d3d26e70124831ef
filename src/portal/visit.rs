//! What a handler knows of the request, and what a page has around it.

use crate::door::Visitor;
use crate::house::{Portal, Site, nav, tabs};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use plated_core::error::{Error, Kind, Result};
use plated_web::csrf::Token;
use plated_web::fields::Fields;
use plated_web::pages::Shape;
use plated_web::problem::Problem;
use plated_web::theme::Theme;
use plated_web::ui::{Form, NavItem};
use plated_web::{Frame, cookies};

/// Cookie in which a browser keeps that single keys do nothing.
pub(crate) const NO_SHORTCUTS: &str = "no-shortcuts";
/// Cookie in which a browser keeps that only high alerts sound.
pub(crate) const MUTED: &str = "muted";

/// A request, as handlers take it.
#[derive(Clone)]
pub struct Visit {
    /// Whose pages these are.
    pub site: Site,
    /// Who came through the door; none where everybody does.
    visitor: Option<Visitor>,
    /// The page's token.
    pub csrf: String,
    theme: Theme,
    /// Single keys do something.
    pub shortcuts: bool,
    /// Only high alerts sound in this browser.
    pub muted: bool,
    /// The query of the address.
    pub query: Fields,
}

impl FromRequestParts<Site> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        Ok(Self::of(parts, site))
    }
}

impl Visit {
    /// That of a request.
    pub fn of(parts: &Parts, site: &Site) -> Self {
        let on = |name: &str| cookies::get(&parts.headers, name) == Some("on");
        Self {
            site: site.clone(),
            visitor: parts.extensions.get().cloned(),
            csrf: parts.extensions.get::<Token>().map(|token| token.0.clone()).unwrap_or_default(),
            theme: Theme::of_request(&parts.headers),
            shortcuts: !on(NO_SHORTCUTS),
            muted: on(MUTED),
            query: parts.uri.query().and_then(|query| Fields::parse(query.as_bytes())).unwrap_or_default(),
        }
    }

    /// What all pages work with.
    pub fn portal(&self) -> &Portal {
        self.site.portal()
    }

    /// Who came through the door.
    ///
    /// # Errors
    /// On a route that lets everybody in.
    pub fn visitor(&self) -> Result<&Visitor, Problem> {
        self.visitor.as_ref().ok_or_else(|| Error::new(Kind::Unauthenticated, "nobody is logged in").into())
    }

    /// A form of this page.
    pub fn form(&self, action: &str, button: &str) -> Form {
        Form { action: action.into(), csrf: self.csrf.clone(), button: button.into(), ..Form::default() }
    }

    /// Around a page of one card, for who is not through all doors.
    pub fn alone(&self, title: &str) -> Frame {
        Frame {
            title: title.into(),
            place: self.portal().place.clone(),
            theme: self.theme,
            shape: Shape::Alone,
            csrf: self.csrf.clone(),
            now_ms: self.portal().clock.wall().as_millisecond(),
            ..Frame::default()
        }
    }

    /// Around a whole page without what the program adds: its navigation is still empty.
    ///
    /// # Errors
    /// On a route that lets everybody in.
    pub fn bare(&self, title: &str) -> Result<Frame, Problem> {
        Ok(Frame {
            shape: Shape::Whole,
            user: self.visitor()?.session.account.full_name.clone(),
            muted: self.muted,
            shortcuts: self.shortcuts,
            ..self.alone(title)
        })
    }

    /// The navigation, where `waiting` says how much waits at a place.
    ///
    /// # Errors
    /// On a route that lets everybody in.
    pub fn nav(&self, current: &str, waiting: impl Fn(&str) -> u32) -> Result<Vec<NavItem>, Problem> {
        Ok(nav(&*self.site, self.visitor()?, current, waiting))
    }

    /// Around a whole page; `current` is its item of the navigation.
    ///
    /// # Errors
    /// On a route that lets everybody in, and what the program has against it.
    pub async fn frame(&self, title: &str, current: &str) -> Result<Frame, Problem> {
        self.site.clone().frame(self.clone(), title.to_owned(), current.to_owned()).await
    }

    /// Around a page of a place that has several; `href` is the address of this one.
    ///
    /// # Errors
    /// As [`frame`](Self::frame).
    pub async fn frame_in(&self, title: &str, place: &str, href: &str) -> Result<Frame, Problem> {
        let (mut frame, role) = (self.frame(title, place).await?, self.visitor()?.role());
        frame.tabs = tabs(&*self.site, role, place, href);
        Ok(frame)
    }
}
