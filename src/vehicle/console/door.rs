//! What the console's doors have of their own: programs with a token, and what a script asks for.

use super::{Console, Shared, blocking};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use plated_access::{SubscriberAccount, Token};
use plated_web::bearer::{self, Credentials};
use plated_web::listener::Peer;
use plated_web::problem::Problem;
use plated_web::sse;
use std::sync::Arc;

pub use plated_portal::{Visitor, redirect, target};

/// Live events.
pub const EVENTS: &str = "/events";
/// Pictures, which a page asks for by itself.
pub const PICTURES: &str = "/pictures/";

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
    let (accounts, shown, from) = (console.portal.accounts.clone(), token.clone(), address.clone());
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

/// Live events that say one thing: the session is over.
pub fn left(console: &Console) -> Response {
    let (send, events) = tokio::sync::mpsc::channel(1);
    let _ = send.try_send(sse::Event { id: None, name: "leave", data: String::new() });
    sse::answer(events, console.clock.clone())
}
