//! The door of each route: session, lock, what is due, training, purpose. Who does not come through is led
//! to where that can be mended.

use super::look::Look;
use super::routes::Needs;
use super::{Shared, blocking};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use plated_access::{AccountStore, Activity, Due, Role, Session, SubscriberAccount, Token, User};
use plated_core::error::{Kind, Result};
use plated_web::bearer::{self, Credentials};
use plated_web::csrf::SESSION_COOKIE;
use plated_web::listener::Peer;
use plated_web::problem::Problem;
use plated_web::{cookies, sse};
use std::sync::Arc;

/// Live events.
pub const EVENTS: &str = "/events";
/// Pictures, which a page asks for by itself.
pub const PICTURES: &str = "/pictures/";

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
    /// Purpose and case, once they are on record.
    pub look: Option<Arc<Look>>,
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
pub async fn guard(State((console, needs)): State<(Shared, Needs)>, mut request: Request, next: Next) -> Response {
    if needs == Needs::Nobody {
        return next.run(request).await;
    }
    let path = request.uri().path().to_owned();
    let by_itself = path == EVENTS || path.starts_with(PICTURES);
    let activity = if by_itself { Activity::Background } else { Activity::Person };
    let admitted = match token(request.headers()) {
        Some(token) => admit(console.clone(), token, activity, needs).await,
        None => Err(Refusal::LogIn),
    };
    match admitted {
        Ok(visitor) => {
            request.extensions_mut().insert(visitor);
            next.run(request).await
        }
        Err(Refusal::Problem(problem)) => problem.into_response(),
        // The page that listens goes to the start page, which leads on.
        Err(_) if path == EVENTS => left(&console),
        Err(refusal) => redirect(&address(&refusal, request.method(), &path)),
    }
}

/// Which program came through: an extension of the request.
#[derive(Clone)]
pub struct Program {
    /// As it is kept.
    pub account: SubscriberAccount,
    /// What it is known by.
    pub token: Arc<Token>,
    /// From where it came.
    pub address: Arc<str>,
}

/// A layer of what programs ask for.
pub async fn program(State(console): State<Shared>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_string());
    let address: Arc<str> = peer.unwrap_or_else(|| "unknown".into()).into();
    let token = match bearer::credentials(request.headers()) {
        Credentials::None => return unknown_program(),
        Credentials::Bearer(text) => Token::parse(text).map(Arc::new),
        Credentials::Other => None,
    };
    let (accounts, shown, from) = (console.accounts.clone(), token.clone(), address.clone());
    let known = blocking(move || accounts.subscriber(shown.as_deref(), &from)).await;
    match (known, token) {
        (Ok(account), Some(token)) => {
            request.extensions_mut().insert(Program { account, token, address });
            next.run(request).await
        }
        (Err(problem), _) if problem.status != StatusCode::UNAUTHORIZED => problem.into_response(),
        _ => unknown_program(),
    }
}

/// Whatever is wrong with a token, the answer is the same.
fn unknown_program() -> Response {
    let problem = Problem::new(
        StatusCode::UNAUTHORIZED,
        "This needs the token of a program.",
        "An administrator makes one: plated subscriber add NAME.",
    );
    ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response()
}

/// The session's token that a browser sent.
pub fn token(headers: &HeaderMap) -> Option<Token> {
    cookies::get(headers, SESSION_COOKIE).and_then(Token::parse)
}

async fn admit(console: Shared, token: Token, activity: Activity, needs: Needs) -> Result<Visitor, Refusal> {
    let visitor = blocking(move || visitor(&console, token, activity)).await.map_err(|problem| {
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
    if needs >= Needs::Look && visitor.look.is_none() {
        return Err(Refusal::SayWhy);
    }
    Ok(visitor)
}

/// Who has this session; blocks.
///
/// # Errors
/// `Unauthenticated` when it is over.
pub fn visitor(console: &Shared, token: Token, activity: Activity) -> Result<Visitor> {
    let session = console.accounts.session(&token, activity)?;
    let over = || plated_core::error::Error::new(Kind::Unauthenticated, "the session is over; log in again");
    let user = AccountStore::user(&console.store, &session.account.name)?.ok_or_else(over)?;
    let untrained = console.accounts.check_training(&user).err().map(|e| e.to_string());
    let look = console.looks.of(&session);
    Ok(Visitor { token: Arc::new(token), session, user: Arc::new(user), untrained, look })
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

/// A path of this console that a form or an address brought; the start page for anything else.
pub fn target(then: &str) -> String {
    let own = then.starts_with('/') && then.len() <= 200;
    let plain = then.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.".contains(&b));
    if own && plain && !then.starts_with("//") { then.to_owned() } else { "/".to_owned() }
}

/// Live events that say one thing: the session is over.
pub fn left(console: &Shared) -> Response {
    let (send, events) = tokio::sync::mpsc::channel(1);
    let _ = send.try_send(sse::Event { id: None, name: "leave", data: String::new() });
    sse::answer(events, console.clock.clone())
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
