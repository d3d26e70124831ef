//! One's own account: training, grants, password, and how this browser behaves.

use crate::door::{Visitor, redirect};
use crate::house::{Portal, Site};
use crate::routes::{Needs, Routes};
use crate::visit::{MUTED, NO_SHORTCUTS, Visit};
use crate::{blocking, draw, words};
use axum::Extension;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use plated_access::{Due, Grants, LoginRefused, ManagedBy, Password, User};
use plated_core::error::{Error, Kind};
use plated_core::text::sentence;
use plated_web::cookies;
use plated_web::fields::Fields;
use plated_web::pages::{Account, Login};
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Field, Form, Health, Input, Message};
use std::time::Duration;

/// Training that ends in so many days is told of.
const WARN_DAYS: i64 = 30;
/// A browser keeps its settings for so long.
const KEPT: Duration = Duration::from_secs(400 * 24 * 3600);

pub(crate) fn routes(routes: Routes<Site>) -> Routes<Site> {
    routes
        .get("/account", Needs::Own, page)
        .get("/account/password", Needs::Own, password_page)
        .post("/account/password", Needs::Own, change_password)
        .post("/account/settings", Needs::Own, keep_settings)
}

async fn page(visit: Visit) -> Result<Response, Problem> {
    let message = match visit.query.get("done") {
        "password" => "Your password is changed.",
        "settings" => "Kept for this browser.",
        "second-factor" => "Your second factor counts from now on.",
        _ => "",
    };
    let message = (!message.is_empty()).then(|| Message { health: Health::Good, text: message.into() });
    Ok(account_page(&visit, message, "", "").await?.into_response())
}

async fn account_page(visit: &Visit, message: Option<Message>, old: &str, new: &str) -> Result<Response, Problem> {
    let visitor = visit.visitor()?;
    let (portal, user) = (visit.portal(), &visitor.user);
    let mut frame = visit.frame("Your account", "Account").await?;
    frame.messages.extend(message);
    let mut password = visit.form("/account/password", "Change");
    password.fields = password_fields(portal, old, new);
    let settings = portal.has_alerts.then(|| {
        let on = |on: bool| if on { "on" } else { "" };
        let mut settings = visit.form("/account/settings", "Keep");
        settings.fields = vec![
            Field::new(Input::Check, "shortcuts", "Single keys answer alerts and copy").value(on(visit.shortcuts)),
            Field::new(Input::Check, "muted", "Only high alerts sound here").value(on(visit.muted)),
        ];
        settings
    });
    let page = Account {
        frame,
        facts: facts(portal, user),
        training: training(portal, visitor),
        grants: grants(&user.account.grants),
        password,
        factor: factor_form(visit, user),
        codes: user.second_factor.is_some().then(|| codes_form(visit)),
        settings,
        leave: vec![visit.form("/lock", "Lock the screen"), visit.form("/logout", "Log out")],
    };
    Ok(draw(&page)?.into_response())
}

fn facts(portal: &Portal, user: &User) -> Vec<Fact> {
    let account = &user.account;
    let factor = match (&user.second_factor, user.spent.codes.len()) {
        (None, _) => "Not set up".to_owned(),
        (Some(factor), used) => format!("On; {} recovery codes left", factor.recovery.len().saturating_sub(used)),
    };
    let last = user.last_login.map_or_else(String::new, words::day_time);
    let authorised = format!("{}, {}", account.authorised_by, words::day_time(account.authorised_at));
    let managed = match user.managed_by {
        ManagedBy::Here => portal.here,
        ManagedBy::Station => "At the station",
    };
    vec![
        Fact::new("Login", account.name.as_str()),
        Fact::new("Title", account.title.clone()),
        Fact::new("Role", words::title(account.role.as_str())),
        Fact::new("Agency", account.agency.clone()),
        Fact::new("Authorised by", authorised),
        Fact::new("Account kept", managed),
        Fact::new("Second factor", factor),
        Fact::new("This login", last),
    ]
}

/// How it is with somebody's own training (control P-07).
pub fn training(portal: &Portal, visitor: &Visitor) -> (Health, String) {
    if let Some(why) = &visitor.untrained {
        return (Health::Bad, sentence(&words::capital(why)));
    }
    let Some(trained) = visitor.user.account.trained else { return (Health::Good, "Not asked for.".into()) };
    let limit = i64::from(portal.access.accounts.training_days);
    let today = portal.clock.wall().to_zoned(jiff::tz::TimeZone::UTC).date();
    let left = limit - i64::from((today - trained).get_days());
    let last = trained.checked_add(jiff::Span::new().days(limit)).unwrap_or(trained);
    let text = format!("Training counts until {}: {left} days left.", words::day(last));
    (if left <= WARN_DAYS { Health::Warning } else { Health::Good }, text)
}

/// What somebody may see, in words (control P-08).
pub fn grants(grants: &Grants) -> Vec<String> {
    let every = grants.every_list.then(|| "Every list that is not covert".to_owned());
    let clets = grants.clets.then(|| "State and federal entries (CLETS)".to_owned());
    every.into_iter().chain(clets).chain(grants.lists.iter().cloned()).collect()
}

fn factor_form(visit: &Visit, user: &User) -> Form {
    let password = Field::new(Input::Password, "factor-password", "Password now");
    let button = if user.second_factor.is_some() { "Set up another" } else { "Set up" };
    let mut form = visit.form("/account/second-factor", button);
    form.fields = vec![password.autocomplete("current-password").required()];
    form
}

fn codes_form(visit: &Visit) -> Form {
    let password = Field::new(Input::Password, "codes-password", "Password now");
    let mut form = visit.form("/account/recovery-codes", "Make new ones");
    form.fields = vec![password.autocomplete("current-password").required()];
    form
}

fn password_fields(portal: &Portal, old: &str, new: &str) -> Vec<Field> {
    let least = portal.access.accounts.password_min_chars;
    vec![
        Field::new(Input::Password, "old", "Password now").autocomplete("current-password").required().error(old),
        Field::new(Input::Password, "new", "New password")
            .hint(format!("At least {least} characters; several words are good"))
            .autocomplete("new-password")
            .required()
            .error(new),
        Field::new(Input::Password, "again", "New password once more").autocomplete("new-password").required(),
    ]
}

/// The password alone, for whoever must change it first.
async fn password_page(visit: Visit) -> Result<Response, Problem> {
    due_page(&visit, "", "")
}

fn due_page(visit: &Visit, old: &str, new: &str) -> Result<Response, Problem> {
    let mut form = visit.form("/account/password", "Change");
    form.fields = password_fields(visit.portal(), old, new);
    let notice = match visit.visitor()?.session.due {
        Some(Due::Password) => "Your password was chosen by somebody else. Choose one that only you know.",
        _ => "Your other sessions end when it is changed.",
    };
    let page =
        draw(&Login { frame: visit.alone("Change your password"), form, notice: notice.into(), ..Login::default() })?;
    let wrong = !(old.is_empty() && new.is_empty());
    Ok((if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, page).into_response())
}

async fn change_password(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    if fields.get("new") != fields.get("again") {
        return due_page(&visit, "", "The two new passwords are not the same.");
    }
    let (accounts, token) = (visit.portal().accounts.clone(), visit.visitor()?.token.clone());
    let (old, new) = (Password::new(fields.get("old")), Password::new(fields.get("new")));
    let was_due = visit.visitor()?.session.due.is_some();
    match blocking(move || Ok(accounts.change_password(&token, &old, &new))).await? {
        Ok(()) if was_due => Ok(redirect("/")),
        Ok(()) => Ok(redirect("/account?done=password")),
        Err(LoginRefused::Credentials) => due_page(&visit, "The password is wrong.", ""),
        Err(refused @ LoginRefused::Locked(_)) => due_page(&visit, &said(&refused.to_string()), ""),
        Err(other) => match Error::from(other) {
            e if matches!(e.kind(), Kind::Input | Kind::Config | Kind::Refused) => {
                due_page(&visit, "", &said(&e.chain()))
            }
            e => Err(e.into()),
        },
    }
}

fn said(text: &str) -> String {
    sentence(&words::capital(text))
}

async fn keep_settings(Extension(fields): Extension<Fields>) -> Response {
    let keep = |name: &str, on: bool| cookies::set(name, if on { "on" } else { "off" }, Some(KEPT));
    let mut back = redirect("/account?done=settings");
    let kept = [keep(NO_SHORTCUTS, fields.get("shortcuts") != "on"), keep(MUTED, fields.get("muted") == "on")];
    for cookie in kept.into_iter().flatten() {
        back.headers_mut().append(header::SET_COOKIE, cookie);
    }
    back
}
