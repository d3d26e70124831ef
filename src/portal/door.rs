//! The door of each route: session, lock, what is due, training, purpose. Who does not come through is led
//! to where that can be mended.

use crate::blocking;
use crate::house::{Portal, Site};
use crate::routes::Needs;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use plated_access::{Activity, Due, Role, Session, Token, User};
use plated_core::error::{Error, Kind, Result};
use plated_web::cookies;
use plated_web::csrf::SESSION_COOKIE;
use plated_web::problem::Problem;
use std::sync::Arc;

/// Who came through: an extension of the request.
#[derive(Clone)]
pub struct Visitor {
    /// Opens the session.
    pub token: Arc<Token>,
    /// As it is now.
    pub session: Session,
    /// Its owner, as it is kept.
    pub user: Arc<User>,
    /// Why no ALPR function is allowed, if so.
    pub untrained: Option<String>,
}

impl Visitor {
    /// What the person is to the agency.
    pub fn role(&self) -> Role {
        self.session.account.role
    }
}

/// Why somebody did not come through.
enum Refusal {
    LogIn,
    Unlock,
    Due(Due),
    Train,
    SayWhy,
    Problem(Problem),
}

/// A layer of each route.
pub(crate) async fn guard(State((site, needs)): State<(Site, Needs)>, mut request: Request, next: Next) -> Response {
    if needs == Needs::Nobody {
        return next.run(request).await;
    }
    let path = request.uri().path().to_owned();
    let activity = if site.comes_by_itself(&path) { Activity::Background } else { Activity::Person };
    let admitted = match token(request.headers()) {
        Some(token) => admit(site.clone(), token, activity, needs).await,
        None => Err(Refusal::LogIn),
    };
    match admitted {
        Ok(visitor) => {
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        Err(Refusal::Problem(problem)) => problem.into_response(),
        Err(refusal) => {
            site.turned_away(&path).unwrap_or_else(|| redirect(&address(&refusal, request.method(), &path)))
        }
    }
}

/// The session's token that a browser sent.
pub(crate) fn token(headers: &HeaderMap) -> Option<Token> {
    cookies::get(headers, SESSION_COOKIE).and_then(Token::parse)
}

async fn admit(site: Site, token: Token, activity: Activity, needs: Needs) -> Result<Visitor, Refusal> {
    let house = site.clone();
    let visitor = blocking(move || house.portal().visitor(token, activity)).await.map_err(|problem| {
        if problem.status == StatusCode::UNAUTHORIZED { Refusal::LogIn } else { Refusal::Problem(problem) }
    })?;
    let session = &visitor.session;
    if needs >= Needs::Own && session.locked {
        return Err(Refusal::Unlock);
    }
    if let (true, Some(due)) = (needs >= Needs::Session, session.due) {
        return Err(Refusal::Due(due));
    }
    if needs >= Needs::Trained && visitor.untrained.is_some() {
        return Err(Refusal::Train);
    }
    if needs >= Needs::Look && !site.has_look(session) {
        return Err(Refusal::SayWhy);
    }
    Ok(visitor)
}

impl Portal {
    /// Who has this session; blocks.
    ///
    /// # Errors
    /// `Unauthenticated` when it is over.
    pub fn visitor(&self, token: Token, activity: Activity) -> Result<Visitor> {
        let session = self.accounts.session(&token, activity)?;
        let over = || Error::new(Kind::Unauthenticated, "the session is over; log in again");
        let user = self.store.user(&session.account.name)?.ok_or_else(over)?;
        let untrained = self.accounts.check_training(&user).err().map(|e| e.to_string());
        Ok(Visitor { token: Arc::new(token), session, user: Arc::new(user), untrained })
    }
}

fn address(refusal: &Refusal, method: &Method, path: &str) -> String {
    // A form can't be gone back to. Of an address the path alone: a query could hold what was searched for.
    let then = if method == Method::GET && path != "/" { format!("?then={path}") } else { String::new() };
    match refusal {
        Refusal::LogIn => format!("/login{then}"),
        Refusal::Unlock => format!("/unlock{then}"),
        Refusal::Due(Due::Password) => "/account/password".to_owned(),
        Refusal::Due(Due::SecondFactor) => "/account/second-factor".to_owned(),
        Refusal::Train => "/refused".to_owned(),
        Refusal::SayWhy | Refusal::Problem(_) => format!("/purpose{then}"),
    }
}

/// Leads on after a form, or to where something is to be done first.
pub fn redirect(to: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, to.to_owned())]).into_response()
}

/// A path of these pages that a form or an address brought; the start page for anything else.
pub fn target(then: &str) -> String {
    let own = then.starts_with('/') && then.len() <= 200;
    let plain = then.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.".contains(&b));
    if own && plain && !then.starts_with("//") { then.to_owned() } else { "/".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_to_no_other_site() {
        for own in ["/alerts", "/reads/0199-ab.jpg", "/"] {
            assert_eq!(target(own), own);
        }
        for other in ["//evil.example", "https://evil.example", "/\\evil.example", "evil", "", "/a?b=c", "/%2f"] {
            assert_eq!(target(other), "/", "{other}");
        }
    }
}
