//! What the cameras see now.

use crate::console::door::redirect;
use crate::console::routes::{Needs, Routes};
use crate::console::visit::{Visit, home};
use crate::console::{blocking, draw, rows};
use axum::response::{IntoResponse, Response};
use plated_access::{Live as Access, Recorded};
use plated_web::pages::Live;
use plated_web::problem::Problem;
use plated_web::ui::{Health, Message};
use std::cmp::Reverse;

/// Reads on the page; as many as the script keeps there.
const MAX_READS: usize = 60;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/", Needs::Trained, start)
}

/// The live reads, for who has them and has said why; the own start page for the others.
async fn start(visit: Visit) -> Result<Response, Problem> {
    let visitor = visit.visitor()?;
    if !Access::ROLES.contains(&visitor.role()) {
        return Ok(redirect(home(visitor.role())));
    }
    let Ok(look) = visit.look().cloned() else { return Ok(redirect("/purpose")) };
    // First, so that what comes while the reads are looked for is told again rather than missed.
    let mut frame = visit.frame("Live reads", "Live").await?;
    let (console, role) = (visit.console.clone(), visitor.role());
    let (reads, cameras, hidden) = blocking(move || {
        let Some(live) = &look.live else { return Ok(Default::default()) };
        let mut reads = console.store.live_reads(live, MAX_READS)?;
        console.officers.gate().shown(live, reads.len() as u64)?;
        // The newest by their order in the store, which no clock changes; among them by the time that stands there.
        reads.sort_by_key(|read| Reverse(read.record.last_seen));
        reads.iter().for_each(|read| console.cameras.read(&read.record.camera, read.record.last_seen));
        let (report, now) = (console.status(), console.clock.wall());
        let scope = look.hits.as_ref().map(|permit| permit.scope());
        let rows: Vec<_> = reads
            .iter()
            .map(|read| rows::kept(&console, read, scope, now))
            .map(|row| rows::reached(row, role))
            .collect();
        let cameras = console.cameras.cards(&report.parts, now, console.clock.monotonic());
        let hidden = super::alerts::hidden(&console, &look)?;
        Ok((rows, cameras, hidden))
    })
    .await?;
    if hidden > 0 {
        let text = match hidden {
            1 => "There is an alert of a list for which you are not authorised. Ask a supervisor.".to_owned(),
            n => format!("There are {n} alerts of lists for which you are not authorised. Ask a supervisor."),
        };
        frame.messages.push(Message { health: Health::Info, text });
    }
    Ok(draw(&Live { frame, reads, cameras })?.into_response())
}
