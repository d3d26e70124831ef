//! All routes of the console in one table, each with what it needs of whoever comes.
//!
//! A new area of pages is a file in `pages/` with a `routes` of its own, and a line in [`router`].

use super::Shared;
use super::pages;
use axum::Router;
use plated_portal::Site;
use plated_web::csrf::Csrf;

pub use plated_portal::{Needs, Route};

/// Takes routes of the console up.
pub(crate) type Routes = plated_portal::Routes<Shared>;

/// The whole router, and the table of what is in it.
pub(crate) fn router(console: Shared, csrf: Csrf) -> (Router, Vec<Route>) {
    let site: Site = console.clone();
    let routes = pages::shift::routes(Routes::new(site));
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
    let routes = pages::office::routes(routes);
    let routes = pages::aiming::routes(routes);
    let routes = pages::import::routes(routes);
    let programs = pages::stream::programs(&console);
    routes.into_router(console, csrf.with_uploads(&[pages::import::IMPORT]), Some(programs))
}
