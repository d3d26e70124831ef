//! Getting in: name and password, second factor, lock, and out again (controls P-07, P-20).

use crate::door::{Visitor, redirect, target, token};
use crate::house::{Portal, Site};
use crate::routes::{Needs, Routes};
use crate::visit::Visit;
use crate::{blocking, draw, words};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plated_access::{LoggedIn, LoginRefused, Password, Token};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::sentence;
use plated_web::cookies;
use plated_web::csrf::SESSION_COOKIE;
use plated_web::fields::Fields;
use plated_web::pages::{Login, Refused, SecondFactor};
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Field, Health, Input, Link, Message};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Cookie of somebody whose password was right and whose code is asked for.
const UNFINISHED: &str = "login";
/// For so long the code can be given.
const CODE_TIMEOUT: Duration = Duration::from_secs(180);
/// Logins that may wait for their code.
const MAX_UNFINISHED: usize = 50;

pub fn routes(routes: Routes<Site>) -> Routes<Site> {
    routes
        .get("/login", Needs::Nobody, form)
        .post("/login", Needs::Nobody, log_in)
        .get("/login/code", Needs::Nobody, code_form)
        .get("/login/recovery", Needs::Nobody, recovery_form)
        .post("/login/code", Needs::Nobody, give_code)
        .get("/unlock", Needs::Door, unlock_form)
        .post("/unlock", Needs::Door, unlock)
        .post("/lock", Needs::Door, lock)
        .post("/logout", Needs::Nobody, log_out)
        .get("/refused", Needs::Own, refused)
        .post("/theme", Needs::Nobody, plated_web::theme::choose)
}

/// Names and passwords of who has to give a code yet, by a random cookie. In memory alone, and not for long.
#[derive(Default)]
pub struct UnfinishedLogins(Mutex<HashMap<String, Unfinished>>);

#[derive(Clone)]
struct Unfinished {
    name: String,
    password: Arc<Password>,
    then: String,
    until: Duration,
}

impl UnfinishedLogins {
    fn begin(&self, name: &str, password: Arc<Password>, then: String, now: Duration) -> Result<String> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)
            .map_err(|e| Error::new(Kind::Internal, format!("the system gave no random numbers: {e}")))?;
        let id = hex::encode(random);
        let mut all = self.lock();
        all.retain(|_, login| login.until > now);
        if all.len() >= MAX_UNFINISHED {
            all.clear(); // Whoever is not done begins again.
        }
        all.insert(id.clone(), Unfinished { name: name.to_owned(), password, then, until: now + CODE_TIMEOUT });
        Ok(id)
    }

    fn get(&self, id: &str, now: Duration) -> Option<Unfinished> {
        let mut all = self.lock();
        all.retain(|_, login| login.until > now);
        all.get(id).cloned()
    }

    fn end(&self, id: &str) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Unfinished>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is wrong with what was entered.
#[derive(Default)]
struct Wrong<'a> {
    name: &'a str,
    error: &'a str,
    /// Above the form.
    message: String,
}

async fn form(visit: Visit) -> Result<Response, Problem> {
    let then = target(visit.query.get("then"));
    Ok(login_page(&visit, &then, Wrong::default())?.into_response())
}

fn login_page(visit: &Visit, then: &str, wrong: Wrong<'_>) -> Result<impl IntoResponse + use<>, Problem> {
    let name = Field::new(Input::Text, "name", "Name").autocomplete("username").required().value(wrong.name);
    let password = Field::new(Input::Password, "password", "Password").autocomplete("current-password").required();
    let (name, password) = match wrong.name {
        "" => (name.focused(), password),
        _ => (name, password.error(wrong.error).focused()),
    };
    let mut frame = visit.alone("Log in");
    if !wrong.message.is_empty() {
        frame.messages.push(Message { health: Health::Bad, text: wrong.message });
    }
    let mut form = visit.form("/login", "Log in");
    (form.fields, form.hidden) = (vec![name, password], vec![("then".into(), then.to_owned())]);
    draw(&Login { frame, form, notice: visit.portal().notice.clone() })
}

async fn log_in(visit: Visit, headers: HeaderMap, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let attempt = Attempt {
        name: fields.get("name").to_owned(),
        password: Arc::new(Password::new(fields.get("password"))),
        code: None,
        then: target(fields.get("then")),
        unfinished: None,
    };
    attempt.make(visit, &headers).await
}

async fn code_form(visit: Visit, headers: HeaderMap) -> Result<Response, Problem> {
    match unfinished(visit.portal(), &headers) {
        Some(_) => Ok(code_page(&visit, false, "")?.into_response()),
        None => Ok(redirect("/login")),
    }
}

async fn recovery_form(visit: Visit, headers: HeaderMap) -> Result<Response, Problem> {
    match unfinished(visit.portal(), &headers) {
        Some(_) => Ok(code_page(&visit, true, "")?.into_response()),
        None => Ok(redirect("/login")),
    }
}

fn code_page(visit: &Visit, recovery: bool, error: &str) -> Result<impl IntoResponse + use<>, Problem> {
    let (label, hint, link) = match recovery {
        false => (
            "Code of your device",
            "Six digits, from your authenticator app",
            Link::new("Use a recovery code", "/login/recovery"),
        ),
        true => (
            "Recovery code",
            "One of the ten codes that you were given; each counts once",
            Link::new("Use the code of your device", "/login/code"),
        ),
    };
    let input = if recovery { Input::Text } else { Input::Code };
    let code = Field::new(input, "code", label).hint(hint).autocomplete("one-time-code").max(24).required().focused();
    let mut form = visit.form("/login/code", "Go on");
    form.fields = vec![code.error(error)];
    form.hidden = if recovery { vec![("recovery".into(), "on".into())] } else { Vec::new() };
    form.cancel = Some(Link::new("Back", "/login"));
    draw(&SecondFactor { frame: visit.alone("Second step"), form, recovery: link })
}

async fn give_code(
    visit: Visit,
    headers: HeaderMap,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let Some((id, Unfinished { name, password, then, .. })) = unfinished(visit.portal(), &headers) else {
        let message = "The login took too long. Begin again.".to_owned();
        let page = login_page(&visit, "/", Wrong { message, ..Wrong::default() })?;
        return Ok((StatusCode::UNAUTHORIZED, page).into_response());
    };
    let code = Some((fields.get("code").to_owned(), fields.get("recovery") == "on"));
    Attempt { name, password, code, then, unfinished: Some(id) }.make(visit, &headers).await
}

fn unfinished(portal: &Portal, headers: &HeaderMap) -> Option<(String, Unfinished)> {
    let id = cookies::get(headers, UNFINISHED)?;
    Some((id.to_owned(), portal.logins.get(id, portal.clock.monotonic())?))
}

/// Somebody wants in.
struct Attempt {
    name: String,
    password: Arc<Password>,
    /// Whether it is meant as a recovery code comes with it.
    code: Option<(String, bool)>,
    then: String,
    /// Which unfinished login it goes on from.
    unfinished: Option<String>,
}

impl Attempt {
    async fn make(self, visit: Visit, headers: &HeaderMap) -> Result<Response, Problem> {
        let (site, portal) = (visit.site.clone(), visit.portal());
        let (accounts, name, password) = (portal.accounts.clone(), self.name.clone(), self.password.clone());
        let code = self.code.clone();
        let outcome = blocking(move || {
            let code = code.as_ref().map(|(code, _)| code.as_str());
            Ok(accounts.login(&name, &password, code))
        });
        match outcome.await? {
            Ok(LoggedIn { token: new, session }) => {
                if let Some(id) = &self.unfinished {
                    portal.logins.end(id);
                }
                self.leave_old(&site, headers).await;
                let to = if self.then == "/" { site.home(session.account.role) } else { &self.then };
                let cookie = cookies::set(SESSION_COOKIE, &new.to_hex(), None);
                Ok(with_cookies(redirect(to), [cookie, cookies::clear(UNFINISHED)]))
            }
            Err(LoginRefused::CodeNeeded) => {
                let now = portal.clock.monotonic();
                let id = portal.logins.begin(&self.name, self.password, self.then, now)?;
                Ok(with_cookies(redirect("/login/code"), [cookies::set(UNFINISHED, &id, Some(CODE_TIMEOUT))]))
            }
            Err(LoginRefused::Code(why)) => {
                let recovery = self.code.is_some_and(|(_, recovery)| recovery);
                let error = sentence(&words::capital(&why.to_string()));
                Ok((StatusCode::UNAUTHORIZED, code_page(&visit, recovery, &error)?).into_response())
            }
            Err(LoginRefused::Credentials) => {
                let error = "Name and password don't fit. After some failures the account is locked.";
                let page = login_page(&visit, &self.then, Wrong { name: &self.name, error, ..Wrong::default() })?;
                Ok((StatusCode::UNAUTHORIZED, page).into_response())
            }
            Err(LoginRefused::Locked(locked)) => {
                if let Some(id) = &self.unfinished {
                    portal.logins.end(id);
                }
                let message = sentence(&words::capital(&LoginRefused::Locked(locked).to_string()));
                let page = login_page(&visit, &self.then, Wrong { message, ..Wrong::default() })?;
                Ok((StatusCode::TOO_MANY_REQUESTS, page).into_response())
            }
            Err(LoginRefused::Account(why)) => {
                let page = Refused {
                    frame: visit.alone("This account can't be used"),
                    why: sentence(&words::capital(&why.to_string())),
                    todo: "Nothing was shown. That you tried is on record.".into(),
                    facts: vec![Fact::new("Name", self.name)],
                    links: vec![Link::new("Log in as somebody else", "/login")],
                };
                Ok((StatusCode::FORBIDDEN, draw(&page)?).into_response())
            }
            Err(LoginRefused::Failed(e)) => Err(e.into()),
        }
    }

    /// Whoever was logged in in this browser before is not any more.
    async fn leave_old(&self, site: &Site, headers: &HeaderMap) {
        let Some(old) = token(headers) else { return };
        if let Err(problem) = end(site.clone(), old).await {
            tracing::warn!("A session could not be ended: {}", problem.what);
        }
    }
}

async fn end(site: Site, token: Token) -> Result<(), Problem> {
    site.session_over(token.session());
    blocking(move || {
        site.portal().accounts.logout(&token)?;
        site.logged_out();
        Ok(())
    })
    .await
}

fn with_cookies<const N: usize>(mut answer: Response, cookies: [Option<HeaderValue>; N]) -> Response {
    for cookie in cookies.into_iter().flatten() {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

async fn unlock_form(visit: Visit) -> Result<Response, Problem> {
    let then = target(visit.query.get("then"));
    if !visit.visitor()?.session.locked {
        return Ok(redirect(&then));
    }
    Ok(unlock_page(&visit, &then, "", String::new())?.into_response())
}

fn unlock_page(visit: &Visit, then: &str, error: &str, message: String) -> Result<impl IntoResponse + use<>, Problem> {
    let account = &visit.visitor()?.session.account;
    let password = Field::new(Input::Password, "password", "Password").autocomplete("current-password").required();
    let mut form = visit.form("/unlock", "Unlock");
    form.fields = vec![password.error(error).focused()];
    form.hidden = vec![("then".into(), then.to_owned())];
    form.cancel = Some(Link::new("Log in as somebody else", "/login"));
    let mut frame = visit.alone("Locked");
    if !message.is_empty() {
        frame.messages.push(Message { health: Health::Bad, text: message });
    }
    let alerts = if visit.portal().has_alerts { " Alerts go on sounding from the vehicle's own speaker." } else { "" };
    let notice = format!("{} is logged in.{alerts}", account.full_name);
    draw(&Login { frame, form, notice })
}

async fn unlock(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let (site, then) = (visit.site.clone(), target(fields.get("then")));
    let (token, password) = (visit.visitor()?.token.clone(), Password::new(fields.get("password")));
    match blocking(move || Ok(site.portal().accounts.unlock(&token, &password))).await? {
        Ok(_) => Ok(redirect(&then)),
        Err(LoginRefused::Credentials) => {
            let page = unlock_page(&visit, &then, "The password is wrong.", String::new())?;
            Ok((StatusCode::UNAUTHORIZED, page).into_response())
        }
        Err(refused @ LoginRefused::Locked(_)) => {
            let message = sentence(&words::capital(&refused.to_string()));
            Ok((StatusCode::TOO_MANY_REQUESTS, unlock_page(&visit, &then, "", message)?).into_response())
        }
        Err(other) => Err(Error::from(other).into()),
    }
}

async fn lock(visit: Visit) -> Result<Response, Problem> {
    let (site, token) = (visit.site.clone(), visit.visitor()?.token.clone());
    blocking(move || site.portal().accounts.lock(&token)).await?;
    Ok(redirect("/unlock"))
}

async fn log_out(State(site): State<Site>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(token) = token(&headers) {
        end(site, token).await?;
    }
    Ok(with_cookies(redirect("/login"), [cookies::clear(SESSION_COOKIE)]))
}

/// Logged in, and yet refused: training is not current (control P-07).
async fn refused(visit: Visit) -> Result<Response, Problem> {
    let Visitor { user, untrained, .. } = visit.visitor()?;
    let Some(why) = untrained else { return Ok(redirect("/")) };
    let trained = user.account.trained.map_or_else(|| "None on record".to_owned(), words::day);
    let page = Refused {
        frame: visit.alone("Training is not current"),
        why: sentence(&words::capital(why)),
        todo: "Until then no reads, alerts or searches are shown to you. Have the new date entered, then go on.".into(),
        facts: vec![
            Fact::new("Name", user.account.full_name.clone()),
            Fact::new("Last training", trained).health(Health::Warning),
            Fact::new("Counts for", format!("{} days", visit.portal().access.accounts.training_days)),
        ],
        links: vec![Link::new("Your account", "/account"), Link::new("Log in as somebody else", "/login")],
    };
    Ok((StatusCode::FORBIDDEN, draw(&page)?).into_response())
}
