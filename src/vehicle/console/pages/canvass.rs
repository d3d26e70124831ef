//! Canvasses for an incident (control P-03). They show no ALPR data.

use crate::console::door::redirect;
use crate::console::forms::{self, Wrong};
use crate::console::look::Look;
use crate::console::routes::{Needs, Routes};
use crate::console::visit::Visit;
use crate::console::{Console, blocking, draw, words};
use crate::control::{Reply, Request};
use crate::store::{self, CanvassReads};
use axum::Extension;
use axum::response::{IntoResponse, Response};
use plated_access::Reason;
use plated_core::error::Result;
use plated_core::text::count;
use plated_web::fields::Fields;
use plated_web::pages::{Canvass, CanvassRow, OpenCanvass};
use plated_web::problem::Problem;
use plated_web::ui::{Field, Input};

pub fn routes(routes: Routes) -> Routes {
    routes.get("/canvass", Needs::Look, page).post("/canvass", Needs::Look, begin).post(
        "/canvass/end",
        Needs::Look,
        end,
    )
}

/// All of them, the newest first, each with its reads. Blocks.
fn canvasses(console: &Console, look: &Look) -> Result<Vec<(store::Canvass, CanvassReads)>> {
    let mut canvasses = Vec::new();
    console.officers.answer(Request::Canvasses, look.actor(), None, &mut |reply| {
        if let Reply::Canvass(canvass) = reply {
            let reads = console.store.canvass_reads(&canvass.incident)?;
            canvasses.push((canvass, reads));
        }
        Ok(())
    })?;
    Ok(canvasses)
}

async fn page(visit: Visit) -> Result<Response, Problem> {
    let incident = visit.look()?.case.as_str().to_owned();
    canvass_page(&visit, &incident, "", &Wrong::default()).await
}

async fn canvass_page(visit: &Visit, incident: &str, reason: &str, wrong: &Wrong) -> Result<Response, Problem> {
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let all = blocking(move || canvasses(&console, &look)).await?;
    let now = visit.console.clock.wall();
    let open = all.iter().find(|(canvass, _)| canvass.ended.is_none()).map(|(canvass, reads)| OpenCanvass {
        incident: canvass.incident.clone(),
        since: words::moment(canvass.started, now),
        reads: so_far(*reads),
        end: visit.form("/canvass/end", "End the canvass"),
    });
    let over = all.iter().filter_map(|(canvass, reads)| {
        Some(CanvassRow {
            incident: canvass.incident.clone(),
            from: words::moment(canvass.started, now),
            until: words::moment(canvass.ended?, now),
            by: format!("{}: {}", canvass.by, canvass.reason),
            reads: count(reads.reads, "read"),
            href: format!("/search?canvass={}", canvass.id),
        })
    });
    let mut form = visit.form("/canvass", "Begin");
    form.fields = vec![
        Field::new(Input::Text, "incident", "Incident number").value(incident).max(64).required(),
        Field::new(Input::Text, "reason", "Reason").value(reason).max(500).required(),
    ];
    wrong.mark(&mut form);
    let mut frame = visit.frame("Canvass", "Canvass").await?;
    let begun = "Reads carry the number from now on.";
    frame.messages.extend(forms::done(visit, &[("begun", begun), ("ended", "The canvass is over.")]));
    frame.messages.extend(wrong.message());
    let page = draw(&Canvass { frame, open, form, rows: over.collect() })?;
    Ok((wrong.status(), page).into_response())
}

fn so_far(CanvassReads { reads, sent }: CanvassReads) -> String {
    match reads {
        0 => "No read so far.".to_owned(),
        _ if sent == reads => format!("{} so far, all sent.", count(reads, "read")),
        _ => format!("{} so far; {} sent.", count(reads, "read"), words::number(sent)),
    }
}

async fn begin(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let (incident, text) = (fields.get("incident").trim().to_owned(), forms::line(fields.get("reason")));
    let wrong = match forms::reason(&look, &text) {
        _ if incident.is_empty() => Wrong::field("incident", "Give the number of the incident."),
        Err(wrong) => wrong,
        Ok(reason) => {
            let request = Request::StartCanvass { incident: incident.clone(), reason };
            let started = blocking(move || Ok(console.officers.answer(request, look.actor(), None, &mut |_| Ok(()))));
            match started.await? {
                Ok(()) => return Ok(redirect("/canvass?done=begun")),
                Err(e) => Wrong::of(e)?,
            }
        }
    };
    canvass_page(&visit, &incident, &text, &wrong).await
}

async fn end(visit: Visit) -> Result<Response, Problem> {
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let reason = Reason::new("the canvass is over")?.for_purpose(look.reason.purpose().cloned());
    let request = Request::EndCanvass { reason };
    let ended = blocking(move || Ok(console.officers.answer(request, look.actor(), None, &mut |_| Ok(()))));
    match ended.await? {
        Ok(()) => Ok(redirect("/canvass?done=ended")),
        Err(e) => canvass_page(&visit, "", "", &Wrong::of(e)?).await,
    }
}
