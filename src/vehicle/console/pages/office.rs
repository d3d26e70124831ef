//! What an administrator looks after: lists, cameras, purposes, accounts under review. None shows ALPR data.

use crate::console::pages::users;
use crate::console::routes::{Needs, Routes};
use crate::console::status::{freshness, health};
use crate::console::visit::Visit;
use crate::console::{Console, blocking, draw, forms, words};
use crate::control::ListLine;
use crate::health::Level;
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use plated_access::{Duty, User};
use plated_core::text::{count, sentence};
use plated_hotlist::settings::ListKind;
use plated_web::pages::{Cameras, ListState, Lists, Purposes, Review, ReviewRow};
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Health, Link};

/// Rows on a page.
const PAGE: usize = 50;
/// The last read of a camera is looked for so far back.
const LAST_READ: SignedDuration = SignedDuration::from_hours(24);

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/review", Needs::Session, review)
        .get("/lists", Needs::Session, lists)
        .get("/cameras", Needs::Session, cameras)
        .get("/purposes", Needs::Session, purposes)
}

/// Whether the person of this visit has a duty.
async fn allow(visit: &Visit, duty: Duty) -> Result<(), Problem> {
    let (console, actor) = (visit.console.clone(), visit.visitor()?.session.actor());
    blocking(move || console.officers.gate().allow(&actor, duty)).await
}

async fn lists(visit: Visit) -> Result<Response, Problem> {
    allow(&visit, Duty::ManageLists).await?;
    let console = visit.console.clone();
    let report = blocking(move || Ok(console.status())).await?;
    let mut rows: Vec<_> =
        report.lists.iter().filter(|list| !list.covert).map(|l| list(l, report.clock.trusted)).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.state.0));
    let frame = visit.frame_in("Lists", "Office", "/lists").await?;
    Ok(draw(&Lists { frame, rows })?.into_response())
}

fn list(list: &ListLine, trusted: bool) -> ListState {
    let readiness = if list.ready { Level::Ok } else { Level::Degraded };
    let when = |at: Option<jiff::Timestamp>| at.map_or_else(|| "never".to_owned(), words::day_time);
    let origin = match list.kind {
        ListKind::Station => "From the station",
        ListKind::File => "From its file",
        ListKind::Folder => "From its folder",
    };
    let off_hours = (!list.counts).then(|| "It does not count at this hour.".to_owned());
    let error = list.error.as_ref().map(|error| sentence(&words::capital(error)));
    ListState {
        name: list.name.clone(),
        origin: origin.into(),
        state: (freshness(list.staleness).max(health(readiness)), words::capital(&list.old(trusted))),
        entries: words::number(list.entries),
        since: when(list.imported),
        checked: when(list.checked),
        error: error.into_iter().chain(off_hours).collect::<Vec<_>>().join(" "),
    }
}

async fn cameras(visit: Visit) -> Result<Response, Problem> {
    allow(&visit, Duty::Configure).await?;
    let console = visit.console.clone();
    let rows = blocking(move || {
        let (report, now) = (console.status(), console.clock.wall());
        let cards = |console: &Console| console.cameras.cards(&report.parts, now, console.clock.monotonic());
        for camera in cards(&console) {
            let last = console.store.last_read_of(&camera.name, now - LAST_READ)?;
            last.into_iter().for_each(|at| console.cameras.read(&camera.name, at));
        }
        Ok(cards(&console))
    })
    .await?;
    let frame = visit.frame_in("Cameras", "Office", "/cameras").await?;
    Ok(draw(&Cameras { frame, rows })?.into_response())
}

async fn purposes(visit: Visit) -> Result<Response, Problem> {
    let access = &visit.console.access;
    let or_not = |asked: bool, yes: &str, no: &str| if asked { yes.to_owned() } else { no.to_owned() };
    let facts = vec![
        Fact::new("Purpose on the console", "Asked for before anything is shown"),
        Fact::new("Purpose on the command line", or_not(access.purpose_required, "Mandatory", "May be left out")),
        Fact::new("Case number", or_not(access.case_required, "Mandatory", "May be left out")),
        Fact::new(
            "Alerts of lists that are not granted",
            or_not(access.alert_existence_shown, "That there is one is told", "Not told of"),
        ),
    ];
    let rows = access.purposes.iter().map(|p| (p.name.as_str().to_owned(), p.text.clone())).collect();
    let frame = visit.frame_in("Purposes", "Office", "/purposes").await?;
    Ok(draw(&Purposes { frame, facts, rows })?.into_response())
}

async fn review(visit: Visit) -> Result<Response, Problem> {
    let mut all = users::users(&visit).await?;
    all.retain(|user| user.account.disabled.is_none());
    let console = &visit.console;
    let mut rows: Vec<_> = all.iter().map(|user| reviewed(console, user)).collect();
    rows.sort_by_key(|row| row.attention.is_empty());
    let needing = rows.iter().filter(|row| !row.attention.is_empty()).count();
    let (health, verdict) = match needing {
        0 => (Health::Good, format!("In order: {}.", count(all.len() as u64, "account"))),
        1 => (Health::Warning, format!("1 of {} needs somebody.", count(all.len() as u64, "account"))),
        n => (Health::Warning, format!("{n} of {} need somebody.", count(all.len() as u64, "account"))),
    };
    let first: usize = visit.query.get("from").parse().unwrap_or(0);
    let total = rows.len();
    let rows: Vec<_> = rows.into_iter().skip(first).take(PAGE).collect();
    let pager = forms::pager("/review", first, rows.len(), total, PAGE);
    let frame = visit.frame_in("Account review", "Office", "/review").await?;
    Ok(draw(&Review { frame, verdict, health, rows, pager })?.into_response())
}

fn reviewed(console: &Console, user: &User) -> ReviewRow {
    let account = &user.account;
    let unused = users::unused_days(console, user);
    let mut attention = Vec::new();
    if unused > users::limit(console) {
        attention
            .push(format!("Not used for {}: disable it if it is not needed.", count(unused.unsigned_abs(), "day")));
    }
    if console.accounts.check_training(user).is_err() {
        attention.push("Without current training: nothing is shown to them.".into());
    }
    if console.access.accounts.second_factor_required && user.second_factor.is_none() {
        attention.push("No second factor is set up.".into());
    }
    if account.must_change_password {
        attention.push("The first password was not changed.".into());
    }
    ReviewRow {
        link: Link::new(account.full_name.clone(), format!("/users/{}", account.name)),
        role: words::title(account.role.as_str()),
        authorised: format!("{}, {}", account.authorised_by, words::day_time(account.authorised_at)),
        last_login: user.last_login.map_or_else(|| "never".into(), words::day_time),
        training: users::training(console, user),
        attention,
    }
}
