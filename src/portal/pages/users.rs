//! Accounts, for whoever sets them up or reviews them (controls P-20, P-23). They show no ALPR data.

use crate::door::redirect;
use crate::house::{Portal, Site};
use crate::routes::{Needs, Routes};
use crate::visit::Visit;
use crate::{blocking, draw, words};
use axum::Extension;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use plated_access::{Actor, Change, Grants, LoginName, ManagedBy, NewUser, Password, Reason, Role, User};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::{count, sentence};
use plated_web::fields::Fields;
use plated_web::pages::{UserForm, UserRow, Users};
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Field, Form, Health, Input, Link, Message, Pager};

/// Rows on a page.
const PAGE: usize = 50;
/// Training that ends in so many days is told of.
const WARN_DAYS: i64 = 30;

pub(crate) fn routes(routes: Routes<Site>) -> Routes<Site> {
    routes
        .get("/users", Needs::Session, list)
        .get("/users/new", Needs::Session, new_page)
        .post("/users/new", Needs::Session, add)
        .get("/users/{name}", Needs::Session, page)
        .post("/users/{name}", Needs::Session, keep)
        .post("/users/{name}/{action}", Needs::Session, act)
}

/// Those who may see accounts get them, or the reason why not.
pub(crate) async fn users(visit: &Visit) -> Result<Vec<User>, Problem> {
    let (accounts, actor) = (visit.portal().accounts.clone(), visit.visitor()?.session.actor());
    blocking(move || accounts.users(&actor)).await
}

async fn user(visit: &Visit, name: &str) -> Result<User, Problem> {
    let found = users(visit).await?.into_iter().find(|user| user.account.name.as_str() == name);
    found.ok_or_else(|| Error::new(Kind::NotFound, "there is no such account").into())
}

async fn list(visit: Visit) -> Result<Response, Problem> {
    let mut all = users(&visit).await?;
    let portal = visit.portal();
    let review = review(portal, &all);
    let wanted = visit.query.get("name").trim().to_lowercase();
    let fits = |user: &User| {
        let account = &user.account;
        account.name.as_str().contains(&wanted) || account.full_name.to_lowercase().contains(&wanted)
    };
    all.retain(fits);
    let first: usize = visit.query.get("from").parse().unwrap_or(0);
    let rows: Vec<_> = all.iter().skip(first).take(PAGE).map(|user| row(portal, user)).collect();
    let at = |from: usize| format!("/users?from={from}");
    let pager = Pager {
        shown: format!("{}–{} of {}", (first + 1).min(all.len()), first + rows.len(), all.len()),
        previous: (first > 0).then(|| at(first.saturating_sub(PAGE))),
        next: (first + rows.len() < all.len()).then(|| at(first + rows.len())),
    };
    let mut frame = visit.frame_in("Users", "Office", "/users").await?;
    frame.messages.extend(done(visit.query.get("done")));
    frame.messages.extend(review);
    let field = Field::new(Input::Text, "name", "Name").value(visit.query.get("name"));
    let find = Form { action: "/users".into(), button: "Search".into(), fields: vec![field], ..Form::default() };
    Ok(draw(&Users { frame, find, add: Link::new("Add a user", "/users/new"), rows, pager })?.into_response())
}

fn done(word: &str) -> Option<Message> {
    let text = match word {
        "added" => "The account is added. Its first password must be changed at the first login.",
        "kept" => "The account is changed.",
        _ => return None,
    };
    Some(Message { health: Health::Good, text: text.into() })
}

/// What a review of the accounts finds, in short: unused ones, and those without current training.
fn review(portal: &Portal, users: &[User]) -> Vec<Message> {
    let active = || users.iter().filter(|user| user.account.disabled.is_none());
    let unused = active().filter(|user| unused_days(portal, user) > limit(portal)).count();
    let untrained = active().filter(|user| portal.accounts.check_training(user).is_err()).count();
    let mut found = Vec::new();
    if unused > 0 {
        let days = portal.access.accounts.unused_days;
        found.push(format!("{} not used for more than {days} days: disable what is not needed.", accounts(unused)));
    }
    if untrained > 0 {
        found.push(format!("{} without current training: no reads or alerts are shown to them.", accounts(untrained)));
    }
    found.into_iter().map(|text| Message { health: Health::Warning, text }).collect()
}

fn accounts(number: usize) -> String {
    count(number as u64, "account")
}

pub(crate) fn limit(portal: &Portal) -> i64 {
    i64::from(portal.access.accounts.unused_days)
}

pub(crate) fn unused_days(portal: &Portal, user: &User) -> i64 {
    let since = user.account.active_since;
    portal.clock.wall().duration_since(since.max(user.last_login.unwrap_or(since))).as_hours() / 24
}

fn row(portal: &Portal, user: &User) -> UserRow {
    let account = &user.account;
    let role = words::title(account.role.as_str());
    UserRow {
        link: Link::new(account.full_name.clone(), format!("/users/{}", account.name)),
        role: if account.title.is_empty() || account.title == role {
            role
        } else {
            format!("{}, {role}", account.title)
        },
        training: training(portal, user),
        last_login: user.last_login.map_or_else(|| "never".into(), words::day_time),
        state: state(portal, user),
    }
}

pub(crate) fn training(portal: &Portal, user: &User) -> (Health, String) {
    let Some(trained) = user.account.trained else { return (Health::Bad, "none on record".into()) };
    let days = i64::from(portal.access.accounts.training_days);
    let until = trained.checked_add(jiff::Span::new().days(days)).unwrap_or(trained);
    let today = portal.clock.wall().to_zoned(jiff::tz::TimeZone::UTC).date();
    match i64::from((until - today).get_days()) {
        _ if portal.accounts.check_training(user).is_err() => (Health::Bad, format!("lapsed {}", words::day(until))),
        left if left <= WARN_DAYS => (Health::Warning, format!("{left} days left")),
        _ => (Health::Good, format!("until {}", words::day(until))),
    }
}

fn state(portal: &Portal, user: &User) -> (Health, String) {
    let unused = unused_days(portal, user);
    match &user.account.disabled {
        Some(_) => (Health::Info, "Disabled".into()),
        None if unused > limit(portal) => (Health::Warning, format!("Unused for {unused} days")),
        None if user.account.must_change_password => (Health::Info, "First password not changed".into()),
        None => (Health::Good, "Active".into()),
    }
}

/// What a form of an account has, as it came or as it is.
#[derive(Clone, Default)]
struct Entered {
    login: String,
    name: String,
    title: String,
    agency: String,
    role: String,
    trained: String,
    lists: String,
    every_list: bool,
    clets: bool,
}

impl Entered {
    fn of(user: &User) -> Self {
        let a = &user.account;
        Self {
            login: a.name.to_string(),
            name: a.full_name.clone(),
            title: a.title.clone(),
            agency: a.agency.clone(),
            role: a.role.to_string(),
            trained: a.trained.map(|day| day.to_string()).unwrap_or_default(),
            lists: a.grants.lists.iter().cloned().collect::<Vec<_>>().join(" "),
            every_list: a.grants.every_list,
            clets: a.grants.clets,
        }
    }

    fn came(fields: &Fields) -> Self {
        let text = |name: &str| fields.get(name).trim().to_owned();
        Self {
            login: text("login"),
            name: text("name"),
            title: text("title"),
            agency: text("agency"),
            role: text("role"),
            trained: text("trained"),
            lists: text("lists"),
            every_list: fields.get("every-list") == "on",
            clets: fields.get("clets") == "on",
        }
    }

    fn role(&self) -> Result<Role> {
        Role::of(&self.role).ok_or_else(|| Error::new(Kind::Input, "choose a role"))
    }

    fn trained(&self) -> Result<Option<Date>> {
        if self.trained.is_empty() {
            return Ok(None);
        }
        let day = self.trained.parse().map_err(|_| Error::new(Kind::Input, "the day of the training is no date"))?;
        Ok(Some(day))
    }

    fn grants(&self) -> Grants {
        let lists = self.lists.split([' ', ',']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Grants { every_list: self.every_list, lists, clets: self.clets }
    }

    fn fields(&self) -> Vec<Field> {
        let on = |on: bool| if on { "on" } else { "" };
        let roles = Role::ALL.map(|role| (role.as_str(), words::title(role.as_str())));
        vec![
            Field::new(Input::Text, "name", "Full name").value(&self.name).required(),
            Field::new(Input::Text, "title", "Title or designation").value(&self.title),
            Field::new(Input::Text, "agency", "Agency").value(&self.agency).required(),
            Field::new(Input::Select, "role", "Role").choices(roles).value(&self.role),
            Field::new(Input::Date, "trained", "Training passed on").value(&self.trained),
            Field::new(Input::Text, "lists", "Lists by name")
                .hint("Apart by blanks; covert lists only by name")
                .value(&self.lists),
            Field::new(Input::Check, "every-list", "Sees every list that is not covert").value(on(self.every_list)),
            Field::new(Input::Check, "clets", "Sees state and federal entries (CLETS)").value(on(self.clets)),
            Field::new(Input::Text, "reason", "Reason").hint("Kept in the audit log").required().max(500),
        ]
    }
}

async fn new_page(visit: Visit) -> Result<Response, Problem> {
    // Whether somebody may see accounts at all.
    users(&visit).await?;
    new_form(&visit, &Entered { role: Role::Officer.to_string(), ..Entered::default() }, None).await
}

async fn new_form(visit: &Visit, entered: &Entered, error: Option<Error>) -> Result<Response, Problem> {
    let mut form = visit.form("/users/new", "Add");
    form.fields = vec![Field::new(Input::Text, "login", "Login").value(&entered.login).required().max(64)];
    form.fields.extend(entered.fields());
    let least = visit.portal().access.accounts.password_min_chars;
    form.fields.push(
        Field::new(Input::Password, "password", "First password")
            .hint(format!("At least {least} characters; it must be changed at the first login"))
            .autocomplete("new-password")
            .required(),
    );
    form.cancel = Some(Link::new("Back", "/users"));
    let frame = visit.frame_in("Add a user", "Office", "/users").await?;
    shown(frame, form, Vec::new(), Vec::new(), error)
}

/// The form with what is wrong with it above.
fn shown(
    mut frame: plated_web::Frame,
    form: Form,
    facts: Vec<Fact>,
    actions: Vec<(String, Form)>,
    error: Option<Error>,
) -> Result<Response, Problem> {
    let mut status = StatusCode::OK;
    if let Some(e) = error {
        if !matches!(e.kind(), Kind::Input | Kind::Config | Kind::Refused) {
            return Err(e.into());
        }
        status = StatusCode::UNPROCESSABLE_ENTITY;
        frame.messages.push(Message { health: Health::Bad, text: sentence(&words::capital(&e.chain())) });
    }
    Ok((status, draw(&UserForm { frame, form, facts, actions })?).into_response())
}

async fn add(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let (site, actor) = (visit.site.clone(), visit.visitor()?.session.actor());
    let entered = Entered::came(&fields);
    let made = {
        let (entered, fields) = (entered.clone(), fields.clone());
        blocking(move || Ok(add_account(site.portal(), &actor, &entered, &fields)))
    };
    match made.await? {
        Ok(()) => Ok(redirect("/users?done=added")),
        Err(e) => new_form(&visit, &entered, Some(e)).await,
    }
}

fn add_account(portal: &Portal, by: &Actor, entered: &Entered, fields: &Fields) -> Result<()> {
    let user = NewUser {
        name: LoginName::new(&entered.login)?,
        full_name: entered.name.clone(),
        title: entered.title.clone(),
        agency: entered.agency.clone(),
        role: entered.role()?,
        trained: entered.trained()?,
        grants: entered.grants(),
        must_change_password: true,
    };
    let (password, reason) = (Password::new(fields.get("password")), Reason::new(fields.get("reason"))?);
    portal.accounts.add(by, user, &password, &reason).map(drop)
}

async fn page(visit: Visit, Path(name): Path<String>) -> Result<Response, Problem> {
    let user = user(&visit, &name).await?;
    change_form(&visit, &user, &Entered::of(&user), None).await
}

async fn change_form(visit: &Visit, user: &User, entered: &Entered, error: Option<Error>) -> Result<Response, Problem> {
    let (portal, name) = (visit.portal(), &user.account.name);
    let mut form = visit.form(&format!("/users/{name}"), "Keep");
    form.fields = entered.fields();
    form.cancel = Some(Link::new("Back", "/users"));
    let (training, state) = (training(portal, user), state(portal, user));
    let managed = match user.managed_by {
        ManagedBy::Here => portal.here,
        ManagedBy::Station => "At the station; it is changed there",
    };
    let account = &user.account;
    let facts = vec![
        Fact::new("Login", name.as_str()),
        Fact::new("Account", state.1).health(state.0),
        Fact::new("Training", training.1).health(training.0),
        Fact::new("Last login", user.last_login.map_or_else(|| "Never".into(), words::day_time)),
        Fact::new("Second factor", if user.second_factor.is_some() { "On" } else { "Not set up" }),
        Fact::new("Authorised by", format!("{}, {}", account.authorised_by, words::day_time(account.authorised_at))),
        Fact::new("Account kept", managed),
    ];
    let action = |word: &str, button: &str, more: Vec<Field>| {
        let mut form = visit.form(&format!("/users/{name}/{word}"), button);
        form.fields = more;
        form.fields.push(Field::new(Input::Text, format!("{word}-reason"), "Reason").required().max(500));
        form
    };
    let password = Field::new(Input::Password, "password", "New password").autocomplete("new-password").required();
    let mut actions = vec![
        ("New password".into(), action("password", "Set", vec![password])),
        ("Release a locked account".into(), action("release", "Release", Vec::new())),
    ];
    if user.second_factor.is_some() {
        actions.push(("Second factor lost".into(), action("second-factor", "Take it away", Vec::new())));
    }
    if user.subject.is_some() {
        let title = "The agency's login knows them as somebody new".to_owned();
        actions.push((title, action("unbind", "Let the next one count", Vec::new())));
    }
    match account.disabled {
        Some(_) => actions.push(("Use the account again".into(), action("enable", "Enable", Vec::new()))),
        None => actions.push(("The account is not to be used".into(), action("disable", "Disable", Vec::new()))),
    }
    let frame = visit.frame_in(&account.full_name, "Office", "/users").await?;
    shown(frame, form, facts, actions, error)
}

async fn keep(
    visit: Visit,
    Path(name): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let (user, entered) = (user(&visit, &name).await?, Entered::came(&fields));
    let (site, actor) = (visit.site.clone(), visit.visitor()?.session.actor());
    let kept = {
        let (user, entered) = (user.clone(), entered.clone());
        blocking(move || Ok(change(site.portal(), &actor, &user, &entered, fields.get("reason"))))
    };
    match kept.await? {
        Ok(()) => Ok(redirect("/users?done=kept")),
        Err(e) => change_form(&visit, &user, &entered, Some(e)).await,
    }
}

/// Each part that is another than before is a change of its own, on record.
fn change(portal: &Portal, by: &Actor, user: &User, entered: &Entered, reason: &str) -> Result<()> {
    let (account, reason) = (&user.account, Reason::new(reason)?);
    let (role, trained, grants) = (entered.role()?, entered.trained()?, entered.grants());
    let mut changes = Vec::new();
    let details = (&account.full_name, &account.title, &account.agency);
    if details != (&entered.name, &entered.title, &entered.agency) {
        let (full_name, title, agency) = (entered.name.clone(), entered.title.clone(), entered.agency.clone());
        changes.push(Change::Details { full_name, title, agency });
    }
    match trained {
        Some(day) if Some(day) != account.trained => changes.push(Change::Training(day)),
        None if account.trained.is_some() => {
            return Err(Error::new(Kind::Input, "a training date can be changed, not taken away"));
        }
        _ => {}
    }
    if grants != account.grants {
        changes.push(Change::Grants(grants));
    }
    if role != account.role {
        changes.push(Change::Role(role));
    }
    changes.into_iter().try_for_each(|change| portal.accounts.change(by, &account.name, change, &reason).map(drop))
}

async fn act(
    visit: Visit,
    Path((name, action)): Path<(String, String)>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let user = user(&visit, &name).await?;
    let (site, actor) = (visit.site.clone(), visit.visitor()?.session.actor());
    let account = user.account.name.clone();
    let done = blocking(move || {
        let reason = fields.get(&format!("{action}-reason")).to_owned();
        let changes = match action.as_str() {
            "password" => vec![Change::Password(Password::new(fields.get("password")))],
            "release" => vec![Change::Release],
            "second-factor" => vec![Change::RemoveSecondFactor],
            "unbind" => vec![Change::Unbind],
            "disable" => vec![Change::Disable],
            // One that is enabled can log in.
            "enable" => vec![Change::Enable, Change::Release],
            _ => return Err(Error::new(Kind::NotFound, "there is no such change of an account")),
        };
        Ok(Reason::new(&reason).and_then(|reason| {
            changes
                .into_iter()
                .try_for_each(|change| site.portal().accounts.change(&actor, &account, change, &reason).map(drop))
        }))
    });
    match done.await? {
        Ok(()) => Ok(redirect("/users?done=kept")),
        Err(e) => change_form(&visit, &user, &Entered::of(&user), Some(e)).await,
    }
}
