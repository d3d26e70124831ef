//! Pages that people log in to, as the vehicle's console and the station have them: the doors of the routes, login and
//! second factor, one's own account, accounts and their review.
//!
//! ```text
//! browser ─► listener ─► headers, limits, errors ─► token of the form ─► door of the route ─► page
//!                                                    (no change without)   (session, training, purpose)
//! ```
//!
//! A program that has such pages is a [`House`]. Its own pages stand beside these in one table of [`Routes`], each
//! with what it [needs](Needs) of whoever comes.

pub mod words; // times, names and codes as people read them
mod house; // what a program with pages is
mod visit; // what a handler knows of the request
mod door; // session, lock, what is due, training, purpose
mod routes; // the table
pub mod forms; // what is wrong with a form
mod purpose; // purpose and case as they are given
pub mod search; // what is searched for, as it is entered
pub mod pages; // login, account, second factor, users, review

pub use door::{Visitor, redirect, target};
pub use house::{AgencyLogin, Framing, House, Place, Portal, Site, Tab};
pub use pages::login::{arrive, at_the_door};
pub use purpose::Given;
pub use routes::{Needs, Route, Routes};
pub use visit::Visit;

use plated_core::error::{Error, Kind, Result};
use plated_web::problem::Problem;

/// Does what waits for the store or the processor where that holds nobody up.
///
/// # Errors
/// What `work` gives.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Problem::from),
        Err(e) => Err(Error::new(Kind::Internal, format!("a page failed by a defect: {e}")).into()),
    }
}

/// Draws a page.
///
/// # Errors
/// When it can't be drawn.
pub fn draw(page: &impl askama::Template) -> Result<axum::response::Html<String>, Problem> {
    let drawn = page.render();
    let drawn = drawn.map_err(|e| Problem::from(Error::new(Kind::Internal, format!("a page can't be drawn: {e}"))))?;
    Ok(axum::response::Html(drawn))
}
