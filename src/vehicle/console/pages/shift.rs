//! The start of a shift: what is in order, and what must be fixed before driving. It shows no ALPR data.

use crate::console::door::Visitor;
use crate::console::routes::{Needs, Routes};
use crate::console::status::{freshness, health};
use crate::console::visit::Visit;
use crate::console::{Console, blocking, draw, words};
use crate::control::{ListLine, StatusReport};
use crate::health::{Level, Part};
use axum::response::{IntoResponse, Response};
use plated_portal::pages::account::training;
use plated_web::pages::{Check, ListRow, Shift};
use plated_web::problem::Problem;
use plated_web::ui::{Form, Health, Link};

pub fn routes(routes: Routes) -> Routes {
    routes.get("/shift", Needs::Trained, page)
}

async fn page(visit: Visit) -> Result<Response, Problem> {
    let (console, visitor) = (visit.console.clone(), visit.visitor()?.clone());
    let (report, cards) = blocking(move || {
        let report = console.status();
        let cards = console.cameras.cards(&report.parts, report.at, console.clock.monotonic());
        Ok((report, cards))
    })
    .await?;
    let mut checks: Vec<Check> = report.parts.iter().filter(|part| is_told(part)).map(check).collect();
    checks.push(training_check(&visit.console, &visitor));
    checks.sort_by_key(|check| std::cmp::Reverse(check.health));
    let lists: Vec<ListRow> = report.lists.iter().filter(|list| !list.covert).map(|list| row(list, &report)).collect();
    let worst = checks.iter().map(|c| c.health).chain(lists.iter().map(|l| l.health)).max().unwrap_or_default();
    let verdict = match worst {
        Health::Good | Health::Info => "Ready to drive.",
        Health::Warning => "Ready to drive. Have what is marked seen to when there is time.",
        Health::Bad => "Not ready: something does not work. Fix it before you drive, or drive knowing what is missing.",
    };
    let watching = visit.look().is_ok();
    // Asks only: it changes nothing.
    let form = Form {
        action: if watching { "/" } else { "/purpose" }.into(),
        button: if watching { "To the live reads" } else { "Start" }.into(),
        ..Form::default()
    };
    let frame = visit.frame("Start of shift", "Shift").await?;
    let page = Shift { frame, verdict: verdict.into(), health: worst, checks, lists, cameras: cards, form };
    Ok(draw(&page)?.into_response())
}

/// Lists have a place of their own, and of some parts nobody needs to know that they work.
fn is_told(part: &Part) -> bool {
    let inside = matches!(part.name.as_str(), "console" | "control" | "log" | "officers' entries");
    let is_well = part.level == Level::Ok;
    !(part.name.starts_with("list ") || inside && is_well)
}

fn check(part: &Part) -> Check {
    let detail = plated_core::text::sentence(&words::capital(&part.text));
    Check { health: health(part.level), title: words::capital(&part.name), detail, link: None }
}

fn training_check(console: &Console, visitor: &Visitor) -> Check {
    let (health, detail) = training(&console.portal, visitor);
    Check { health, title: "Your training".into(), detail, link: Some(Link::new("Your account", "/account")) }
}

fn row(list: &ListLine, report: &StatusReport) -> ListRow {
    let note = match (&list.error, list.counts) {
        (Some(error), _) => words::capital(error),
        (None, false) => "Does not count at this hour".into(),
        (None, true) => String::new(),
    };
    let readiness = if list.ready { Level::Ok } else { Level::Degraded };
    let entries = if list.entries == 1 { "entry" } else { "entries" };
    ListRow {
        name: list.name.clone(),
        entries: format!("{} {entries}", words::number(list.entries)),
        age: list.old(report.clock.trusted),
        health: freshness(list.staleness).max(health(readiness)),
        note,
    }
}
