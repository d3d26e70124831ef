//! Coming in by the agency's own login (OpenID Connect): to the provider, back from it, and out of it
//! (docs/decisions/0063). It says who somebody is; what they may do stays with their account here.

mod claims;
mod http;
mod provider;
mod settings;

pub use provider::Provider;
pub use settings::Settings;

use super::site::{Routes, Visit};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plated_access::Token;
use plated_core::error::{Error, Kind};
use plated_core::text::sentence;
use plated_portal::{AgencyLogin, Needs, arrive, at_the_door, blocking, redirect, target, words};
use plated_web::cookies;
use plated_web::csrf::SESSION_COOKIE;
use plated_web::problem::Problem;

/// Where it begins.
const BEGIN: &str = "/login/agency";
/// Where a browser is logged out of it too.
const END: &str = "/login/agency/out";
/// Cookie of a login that has begun.
const BEGUN: &str = "agency-login";

pub fn routes(routes: Routes) -> Routes {
    routes.get(BEGIN, Needs::Nobody, begin).get(provider::BACK, Needs::Nobody, back).get(END, Needs::Nobody, end)
}

impl Provider {
    /// As the pages lead to it.
    pub fn login(&self) -> AgencyLogin {
        let few = (!self.settings.local_login).then(|| self.settings.break_glass.clone());
        AgencyLogin { agency: self.settings.agency.clone(), begin: BEGIN, end: END, passwords_of: few }
    }
}

fn provider(visit: &Visit) -> Result<&Provider, Problem> {
    visit.station.provider.as_ref().ok_or_else(|| super::not_found("page").into())
}

async fn begin(visit: Visit, headers: HeaderMap) -> Result<Response, Problem> {
    let (provider, then) = (provider(&visit)?, target(visit.query.get("then")));
    let old = cookies::get(&headers, SESSION_COOKIE).and_then(Token::parse);
    match provider.begin(then.clone(), old.as_ref()).await {
        Ok((url, kept)) => {
            let mut answer = redirect(url.as_str());
            if let Some(cookie) = cookies::set_for_return(BEGUN, &kept, provider::PATIENCE) {
                answer.headers_mut().append(header::SET_COOKIE, cookie);
            }
            Ok(answer)
        }
        Err(e) => turned_away(&visit, &then, &e).await,
    }
}

async fn back(visit: Visit, headers: HeaderMap) -> Result<Response, Problem> {
    let provider = provider(&visit)?;
    let mut answer = match provider.finish(&visit.query, cookies::get(&headers, BEGUN)).await {
        Ok(back) => arrive((*visit).clone(), back.person, back.then, back.old).await?,
        Err(e) => turned_away(&visit, "/", &e).await?,
    };
    // Each login comes back once.
    if let Some(cookie) = cookies::clear(BEGUN) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// The login's page with why; what the provider said and does not count is on record as a failed login.
async fn turned_away(visit: &Visit, then: &str, why: &Error) -> Result<Response, Problem> {
    let settings = &provider(visit)?.settings;
    let (status, message) = match why.kind() {
        Kind::Network => {
            tracing::warn!("{}.", words::capital(&why.chain()));
            let todo = if settings.local_login { "Log in with name and password, or try again" } else { "Try again" };
            (StatusCode::SERVICE_UNAVAILABLE, format!("{} {todo} in a while.", sentence(&words::capital(&why.chain()))))
        }
        Kind::Unauthenticated => {
            let (accounts, text) = (visit.portal().accounts.clone(), format!("the agency's login: {}", why.chain()));
            blocking(move || {
                accounts.not_vouched(&text);
                Ok(())
            })
            .await?;
            let message = format!("The login of {} does not count: {}", settings.agency, sentence(&why.chain()));
            (StatusCode::UNAUTHORIZED, message)
        }
        _ => return Err(Problem::from(Error::new(Kind::Internal, why.chain()))),
    };
    Ok((status, at_the_door(visit, then, message)?).into_response())
}

async fn end(visit: Visit) -> Result<Response, Problem> {
    Ok(match provider(&visit)?.end().await {
        Some(url) => redirect(url.as_str()),
        None => redirect("/login"),
    })
}
