//! All routes in one table, each with what it needs of whoever comes.

use crate::door;
use crate::house::Site;
use crate::pages;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};
use plated_web::csrf::{self, Csrf};
use plated_web::problem::{self, FrameOf, Problem};
use plated_web::theme::Theme;
use plated_web::{Frame, assets, headers, limits, pages::Shape};
use std::sync::Arc;

/// What a route needs of whoever comes; each needs what stands before it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// The token of a program, which is no session: no cookie opens it, and the token opens nothing else.
    Token,
    /// Nothing: whoever comes.
    Nobody,
    /// A session, whatever its state: locked, with something due, without training.
    Door,
    /// One that is not locked. Shows what is one's own.
    Own,
    /// Nothing that must be done first: a password to be changed, a second factor to be set up.
    Session,
    /// Current training (control P-07), where the role has ALPR functions.
    Trained,
    /// Purpose and case, on record (controls P-01, P-02, P-21). Whatever shows reads, hits or entries.
    Look,
}

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Its path, with `{names}`.
    pub path: &'static str,
    /// What it needs.
    pub needs: Needs,
}

/// Takes routes up, of handlers with the state `S`.
pub struct Routes<S> {
    site: Site,
    router: Router<S>,
    table: Vec<Route>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// None yet.
    pub fn new(site: Site) -> Self {
        Self { site, router: Router::new(), table: Vec::new() }
    }

    /// A page, or part of one.
    pub fn get<H: Handler<T, S>, T: 'static>(self, path: &'static str, needs: Needs, handler: H) -> Self {
        self.add(Route { method: "GET", path, needs }, get(handler))
    }

    /// A form.
    pub fn post<H: Handler<T, S>, T: 'static>(self, path: &'static str, needs: Needs, handler: H) -> Self {
        self.add(Route { method: "POST", path, needs }, post(handler))
    }

    /// A form with a file of at most so many bytes. Its path stands among those of [`Csrf::with_uploads`].
    pub fn upload<H: Handler<T, S>, T: 'static>(
        self,
        path: &'static str,
        needs: Needs,
        max_bytes: usize,
        handler: H,
    ) -> Self {
        let method = post(handler).layer(DefaultBodyLimit::max(max_bytes));
        self.add(Route { method: "POST", path, needs }, method)
    }

    fn add(mut self, route: Route, method: MethodRouter<S>) -> Self {
        let guarded = method.layer(from_fn_with_state((self.site.clone(), route.needs), door::guard));
        self.table.push(route);
        Self { router: self.router.route(route.path, guarded), ..self }
    }

    /// All of them with the shared pages, behind the doors that each request passes, and the table of what is in it.
    /// `programs` is what has doors of its own. Styles, script and icons are there too, for everybody.
    pub fn into_router(self, state: S, csrf: Csrf, programs: Option<(Router<S>, Vec<Route>)>) -> (Router, Vec<Route>) {
        let frame = frame_of_errors(&self.site);
        let shared = pages::routes(Routes::new(self.site.clone()));
        let mut table = shared.table;
        table.extend(self.table);
        let (programs, others) = programs.unwrap_or_default();
        table.extend(others);
        let router = self
            .router
            .with_state(state.clone())
            .merge(shared.router.with_state(self.site))
            .layer(from_fn_with_state(csrf, csrf::guard))
            .layer(from_fn_with_state(frame.clone(), problem::pages))
            .merge(programs.with_state(state))
            .merge(assets::router())
            .fallback(Problem::not_found)
            .layer(from_fn_with_state(frame, problem::pages))
            .layer(from_fn(limits::limited))
            .layer(from_fn(headers::secure));
        (router, table)
    }
}

/// An error page says nothing of the session: it may be about that.
fn frame_of_errors(site: &Site) -> FrameOf {
    let place = site.portal().place.clone();
    Arc::new(move |headers| Frame {
        place: place.clone(),
        theme: Theme::of_request(headers),
        shape: Shape::Alone,
        ..Frame::default()
    })
}
