//! What an administrator looks after: lists, cameras, purposes. None shows ALPR data.

use crate::console::routes::{Needs, Routes};
use crate::console::status::{freshness, health};
use crate::console::visit::Visit;
use crate::console::{Console, blocking, draw, forms, words};
use crate::control::ListLine;
use crate::health::Level;
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use plated_access::Duty;
use plated_core::text::sentence;
use plated_hotlist::settings::ListKind;
use plated_web::pages::{Cameras, ListState, Lists, Purposes};
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Link};

/// The last read of a camera is looked for so far back.
const LAST_READ: SignedDuration = SignedDuration::from_hours(24);

pub fn routes(routes: Routes) -> Routes {
    routes.get("/lists", Needs::Session, lists).get("/cameras", Needs::Session, cameras).get(
        "/purposes",
        Needs::Session,
        purposes,
    )
}

/// Whether the person of this visit has a duty.
pub async fn allow(visit: &Visit, duty: Duty) -> Result<(), Problem> {
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
    let mut frame = visit.frame_in("Lists", "Office", "/lists").await?;
    frame.messages.extend(forms::done(
        &visit,
        &[
            ("imported", "The list is in force."),
            ("unchanged", "It is the list that is in force already."),
            ("importing", "The list is being read; it comes into force when that is done."),
        ],
    ));
    Ok(draw(&Lists { frame, rows, import: Link::new("Import a list", super::import::IMPORT) })?.into_response())
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
