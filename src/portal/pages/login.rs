//! Getting in: name and password or the agency's own login, second factor, lock, and out again (controls P-07, P-20).

use crate::door::{Visitor, redirect, target, token};
use crate::house::{Portal, Site};
use crate::routes::{Needs, Routes};
use crate::visit::Visit;
use crate::{blocking, draw, words};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use plated_access::{Activity, LoggedIn, LoginRefused, Means, Password, Token, Vouched};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::sentence;
use plated_web::cookies;
use plated_web::csrf::SESSION_COOKIE;
use plated_web::fields::Fields;
use plated_web::pages::{Arrived, Login, Refused, SecondFactor};
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

/// Who has to give a code yet, by a random cookie. In memory alone, and not for long.
#[derive(Default)]
pub struct UnfinishedLogins(Mutex<HashMap<String, Unfinished>>);

/// What somebody wants in by.
#[derive(Clone)]
enum Way {
    Password(String, Arc<Password>),
    /// The agency's own login vouches for them.
    Vouched(Arc<Vouched>),
}

impl Way {
    fn name(&self) -> &str {
        match self {
            Self::Password(name, _) => name,
            Self::Vouched(person) => person.name.as_str(),
        }
    }
}

#[derive(Clone)]
struct Unfinished {
    way: Way,
    then: String,
    until: Duration,
}

impl UnfinishedLogins {
    fn begin(&self, way: Way, then: String, now: Duration) -> Result<String> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)
            .map_err(|e| Error::new(Kind::Internal, format!("the system gave no random numbers: {e}")))?;
        let id = hex::encode(random);
        let mut all = self.lock();
        all.retain(|_, login| login.until > now);
        if all.len() >= MAX_UNFINISHED {
            all.clear(); // Whoever is not done begins again.
        }
        all.insert(id.clone(), Unfinished { way, then, until: now + CODE_TIMEOUT });
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

/// The login's page with what keeps somebody from coming in.
///
/// # Errors
/// What keeps it from being drawn.
pub fn at_the_door(visit: &Visit, then: &str, message: String) -> Result<Response, Problem> {
    Ok(login_page(visit, then, Wrong { message, ..Wrong::default() })?.into_response())
}

/// The way to the agency's own login, where there is one.
fn agency(visit: &Visit, then: &str) -> Option<Link> {
    let login = visit.site.agency_login()?;
    let then = if then == "/" { String::new() } else { format!("?then={then}") };
    Some(Link::new(format!("Sign in with {}", login.agency), format!("{}{then}", login.begin)))
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
    let login = visit.site.agency_login();
    let left = login.as_ref().filter(|_| visit.query.get("left") == "agency");
    if let Some(login) = left {
        let text = format!("You are logged out here. The login of {} may still know this browser.", login.agency);
        frame.messages.push(Message { health: Health::Good, text });
    }
    let mut form = visit.form("/login", "Log in");
    (form.fields, form.hidden) = (vec![name, password], vec![("then".into(), then.to_owned())]);
    form.cancel = left.map(|login| Link::new("Log out there too", login.end));
    let few = login.as_ref().is_some_and(|login| login.passwords_of.is_some());
    let beside = if few { "For emergencies, with the password of an account that is named for them" } else { "" };
    let (agency, notice) = (agency(visit, then), visit.portal().notice.clone());
    draw(&Login { frame, form, agency, beside: beside.into(), notice })
}

async fn log_in(visit: Visit, headers: HeaderMap, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let (name, then) = (fields.get("name").to_owned(), target(fields.get("then")));
    if let Some(login) = visit.site.agency_login().filter(|login| !login.takes_password_of(&name)) {
        let accounts = visit.portal().accounts.clone();
        blocking(move || {
            accounts.no_password_taken(&name);
            Ok(())
        })
        .await?;
        let message = format!("Passwords are not taken from this name. Sign in with {}.", login.agency);
        return Ok((StatusCode::FORBIDDEN, at_the_door(&visit, &then, message)?).into_response());
    }
    let way = Way::Password(name, Arc::new(Password::new(fields.get("password"))));
    Attempt { way, code: None, then, unfinished: None, old: token(&headers) }.make(visit).await
}

/// Somebody comes from the agency's own login, which vouches for them; `old` is whoever was logged in before in this
/// browser. A page leads on, since a browser that comes from elsewhere shows no cookies of its own.
///
/// # Errors
/// What kept it from being checked or kept.
pub async fn arrive(visit: Visit, person: Vouched, then: String, old: Option<Token>) -> Result<Response, Problem> {
    let way = Way::Vouched(Arc::new(person));
    let mut answer = Attempt { way, code: None, then, unfinished: None, old }.make(visit.clone()).await?;
    let Some(to) = answer.headers_mut().remove(header::LOCATION) else { return Ok(answer) };
    let href = to.to_str().unwrap_or("/").to_owned();
    let arrived = Arrived { frame: visit.alone("Signed in"), on: Link::new("Go on", href.clone()) };
    let mut page = draw(&arrived)?.into_response();
    for cookie in answer.headers().get_all(header::SET_COOKIE) {
        page.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    if let Ok(refresh) = HeaderValue::from_str(&format!("0; url={href}")) {
        page.headers_mut().insert(header::REFRESH, refresh);
    }
    Ok(page)
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
    let Some((id, Unfinished { way, then, .. })) = unfinished(visit.portal(), &headers) else {
        let page = at_the_door(&visit, "/", "The login took too long. Begin again.".into())?;
        return Ok((StatusCode::UNAUTHORIZED, page).into_response());
    };
    let code = Some((fields.get("code").to_owned(), fields.get("recovery") == "on"));
    Attempt { way, code, then, unfinished: Some(id), old: token(&headers) }.make(visit).await
}

fn unfinished(portal: &Portal, headers: &HeaderMap) -> Option<(String, Unfinished)> {
    let id = cookies::get(headers, UNFINISHED)?;
    Some((id.to_owned(), portal.logins.get(id, portal.clock.monotonic())?))
}

/// Somebody wants in.
struct Attempt {
    way: Way,
    /// Whether it is meant as a recovery code comes with it.
    code: Option<(String, bool)>,
    then: String,
    /// Which unfinished login it goes on from.
    unfinished: Option<String>,
    /// Whoever was logged in in this browser before.
    old: Option<Token>,
}

impl Attempt {
    async fn make(self, visit: Visit) -> Result<Response, Problem> {
        let (site, portal) = (visit.site.clone(), visit.portal());
        let (accounts, way, code) = (portal.accounts.clone(), self.way.clone(), self.code.clone());
        let outcome = blocking(move || {
            let code = code.as_ref().map(|(code, _)| code.as_str());
            Ok(match &way {
                Way::Password(name, password) => accounts.login(name, password, code),
                Way::Vouched(person) => accounts.login_vouched(person, code),
            })
        });
        match outcome.await? {
            Ok(LoggedIn { token: new, session }) => {
                if let Some(id) = &self.unfinished {
                    portal.logins.end(id);
                }
                leave(&site, self.old).await;
                let to = if self.then == "/" { site.home(session.account.role) } else { &self.then };
                let cookie = cookies::set(SESSION_COOKIE, &new.to_hex(), None);
                Ok(with_cookies(redirect(to), [cookie, cookies::clear(UNFINISHED)]))
            }
            Err(LoginRefused::CodeNeeded) => {
                let now = portal.clock.monotonic();
                let id = portal.logins.begin(self.way, self.then, now)?;
                Ok(with_cookies(redirect("/login/code"), [cookies::set(UNFINISHED, &id, Some(CODE_TIMEOUT))]))
            }
            Err(LoginRefused::Code(why)) => {
                let recovery = self.code.is_some_and(|(_, recovery)| recovery);
                let error = sentence(&words::capital(&why.to_string()));
                Ok((StatusCode::UNAUTHORIZED, code_page(&visit, recovery, &error)?).into_response())
            }
            Err(LoginRefused::Credentials) => {
                let error = "Name and password don't fit. After some failures the account is locked.";
                let page = login_page(&visit, &self.then, Wrong { name: self.way.name(), error, ..Wrong::default() })?;
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
                    facts: vec![Fact::new("Name", self.way.name())],
                    links: vec![Link::new("Log in as somebody else", "/login")],
                };
                Ok((StatusCode::FORBIDDEN, draw(&page)?).into_response())
            }
            Err(LoginRefused::Failed(e)) => Err(e.into()),
        }
    }
}

/// Whoever was logged in in this browser before is not any more.
async fn leave(site: &Site, old: Option<Token>) {
    let Some(old) = old else { return };
    if let Err(problem) = end(site.clone(), old.into()).await {
        tracing::warn!("A session could not be ended: {}", problem.what);
    }
}

async fn end(site: Site, token: Arc<Token>) -> Result<(), Problem> {
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
    let login = visit.site.agency_login();
    if login.is_some_and(|login| !login.takes_password_of(account.name.as_str())) {
        (form.fields, form.button) = (Vec::new(), String::new());
    }
    let mut frame = visit.alone("Locked");
    if !message.is_empty() {
        frame.messages.push(Message { health: Health::Bad, text: message });
    }
    let alerts = if visit.portal().has_alerts { " Alerts go on sounding from the vehicle's own speaker." } else { "" };
    let notice = format!("{} is logged in.{alerts}", account.full_name);
    draw(&Login { frame, form, agency: agency(visit, then), beside: "or with your password".into(), notice })
}

async fn unlock(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let (site, then) = (visit.site.clone(), target(fields.get("then")));
    let Visitor { token, user, .. } = visit.visitor()?.clone();
    let name = user.account.name.as_str();
    if visit.site.agency_login().is_some_and(|login| !login.takes_password_of(name)) {
        return Ok((StatusCode::FORBIDDEN, unlock_page(&visit, &then, "", String::new())?).into_response());
    }
    let password = Password::new(fields.get("password"));
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
    let mut to = "/login";
    if let Some(token) = token(&headers) {
        let (house, token) = (site.clone(), Arc::new(token));
        let of = token.clone();
        let session = blocking(move || Ok(house.portal().accounts.session(&of, Activity::Background).ok())).await?;
        if session.is_some_and(|session| session.means != Means::Password) {
            to = "/login?left=agency";
        }
        end(site, token).await?;
    }
    Ok(with_cookies(redirect(to), [cookies::clear(SESSION_COOKIE)]))
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
