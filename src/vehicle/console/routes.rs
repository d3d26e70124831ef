//! All routes in one table, each with what it needs of whoever comes.
//!
//! A new area of pages is a file in `pages/` with a `routes` of its own, and a line in [`router`].

use super::door;
use super::pages;
use super::{Console, Shared};
use axum::Router;
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

/// Takes routes up.
pub(crate) struct Routes {
    console: Shared,
    router: Router<Shared>,
    /// For programs: without cookies, and without the token of a form.
    programs: Router<Shared>,
    table: Vec<Route>,
}

impl Routes {
    /// A page, or part of one.
    pub fn get<H: Handler<T, Shared>, T: 'static>(self, path: &'static str, needs: Needs, handler: H) -> Self {
        self.add(Route { method: "GET", path, needs }, get(handler))
    }

    /// A form.
    pub fn post<H: Handler<T, Shared>, T: 'static>(self, path: &'static str, needs: Needs, handler: H) -> Self {
        self.add(Route { method: "POST", path, needs }, post(handler))
    }

    /// What a program asks for, with a token of its own.
    pub fn program<H: Handler<T, Shared>, T: 'static>(mut self, path: &'static str, handler: H) -> Self {
        let route = Route { method: "GET", path, needs: Needs::Token };
        let guarded = get(handler).layer(from_fn_with_state(self.console.clone(), door::program));
        self.table.push(route);
        Self { programs: self.programs.route(path, guarded), ..self }
    }

    fn add(mut self, route: Route, method: MethodRouter<Shared>) -> Self {
        let guarded = method.layer(from_fn_with_state((self.console.clone(), route.needs), door::guard));
        self.table.push(route);
        Self { router: self.router.route(route.path, guarded), ..self }
    }
}

/// The whole router, and the table of what is in it. Styles, script and icons are there too, for everybody.
pub(crate) fn router(console: Shared, csrf: Csrf) -> (Router, Vec<Route>) {
    let frame = frame_of_errors(&console);
    let routes = Routes { console: console.clone(), router: Router::new(), programs: Router::new(), table: Vec::new() };
    let routes = pages::login::routes(routes);
    let routes = pages::account::routes(routes);
    let routes = pages::second_factor::routes(routes);
    let routes = pages::shift::routes(routes);
    let routes = pages::purpose::routes(routes);
    let routes = pages::live::routes(routes);
    let routes = pages::events::routes(routes);
    let routes = pages::pictures::routes(routes);
    let routes = pages::alerts::routes(routes);
    let routes = pages::search::routes(routes);
    let routes = pages::reads::routes(routes);
    let routes = pages::entries::routes(routes);
    let routes = pages::canvass::routes(routes);
    let routes = pages::findings::routes(routes);
    let routes = pages::performance::routes(routes);
    let routes = pages::users::routes(routes);
    let routes = pages::office::routes(routes);
    let routes = pages::stream::routes(routes);
    let Routes { router, programs, table, .. } = routes;
    let router = router
        .layer(from_fn_with_state(csrf, csrf::guard))
        .layer(from_fn_with_state(frame.clone(), problem::pages))
        .merge(programs)
        .merge(assets::router())
        .fallback(Problem::not_found)
        .layer(from_fn_with_state(frame, problem::pages))
        .layer(from_fn(limits::limited))
        .layer(from_fn(headers::secure))
        .with_state(console);
    (router, table)
}

/// An error page says nothing of the session: it may be about that.
fn frame_of_errors(console: &Console) -> FrameOf {
    let place = console.vehicle.clone();
    Arc::new(move |headers| Frame {
        place: place.clone(),
        theme: Theme::of_request(headers),
        shape: Shape::Alone,
        ..Frame::default()
    })
}
