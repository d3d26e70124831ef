//! One request of another agency: what is asked for, the decision of a second person, and the reads that leave by it
//! (controls P-40, P-41, P-42).

use super::evidence::{Wanted, take_out};
use super::look::Look;
use super::partners::today;
use super::site::{Routes, Visit};
use super::{Station, not_found};
use crate::releases::{
    Decision, GivenOut, Partner, Release as Kept, Request, may_not_approve, may_not_decide, may_not_give_out, refusal,
};
use axum::Extension;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use plated_access::{Case, ExportReads, Permit, Purpose, Reason, Release, Role};
use plated_core::error::{Error, Kind, Result};
use plated_core::text::count;
use plated_portal::forms::{Wrong, done, line};
use plated_portal::{Needs, blocking, draw, redirect, words};
use plated_web::fields::Fields;
use plated_web::pages::ReleaseDetail;
use plated_web::plate::Plate;
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Field, Form, Health, Input};
use serde_json::json;
use uuid::Uuid;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/releases/{release}", Needs::Look, detail)
        .post("/releases/{release}/decision", Needs::Look, decide)
        .post("/releases/{release}/evidence", Needs::Look, give_out)
}

/// Where a request stands.
pub fn standing(release: &Kept) -> (Health, String) {
    let refused = release.request.refused.as_deref();
    match (&release.decision, release.given_out.len()) {
        (None, _) if refused.is_some() => (Health::Warning, "Refused; to be answered by records staff".into()),
        (None, _) if release.request.exigent => (Health::Warning, "To be decided on; it can't wait".into()),
        (None, _) => (Health::Info, "To be decided on".into()),
        (Some(decision), _) if !decision.approved => (Health::Good, "Refused and answered".into()),
        (Some(_), 0) => (Health::Info, "Approved; to be taken out".into()),
        (Some(_), _) => (Health::Good, "Approved; the reads left".into()),
    }
}

fn id_of(text: &str) -> Result<Uuid> {
    Uuid::parse_str(text).map_err(|_| not_found("request"))
}

/// Who it is, as requests name them.
fn who(look: &Look, visit: &Visit) -> Result<(String, Role), Problem> {
    Ok((look.actor().to_string(), visit.visitor()?.role()))
}

async fn detail(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    page(&visit, id_of(&id)?, &Wrong::default()).await
}

async fn page(visit: &Visit, id: Uuid, wrong: &Wrong) -> Result<Response, Problem> {
    visit.may::<Release>("see what other agencies ask for")?;
    let (station, look) = (visit.station.clone(), visit.look()?.clone());
    let (me, role) = who(&look, visit)?;
    let own = (role == Role::Officer).then(|| me.clone());
    let (release, partner) = blocking(move || find(&station, &look, id, own.as_deref())).await?;
    let request = &release.request;
    let mut frame = visit.frame_in("A request of another agency", "Release", "/releases").await?;
    let told = [
        ("taken_down", "It is taken down. Another person decides on it."),
        ("approved", "It is approved."),
        ("refused", "It is answered; nothing leaves."),
    ];
    frame.messages.extend(done(visit, &told));
    frame.messages.extend(wrong.message());
    let (health, verdict) = standing(&release);
    let verdict = match (&release.decision, &request.refused) {
        (None, Some(why)) => format!("{verdict}: {why}"),
        _ => format!("{verdict}."),
    };
    let waits = release.decision.is_none();
    let decides = |refuses: bool| {
        let why = if refuses { "refuse_why" } else { "why" };
        let (button, label) = match (refuses, request.refused.is_some()) {
            (false, _) => ("Approve", "Why it is in order"),
            (true, false) => ("Refuse", "Why not"),
            (true, true) => ("Answered", "How it was answered"),
        };
        let mut form = visit.form(&format!("/releases/{id}/decision"), button);
        form.fields = vec![Field::new(Input::Text, why, label).required().max(300)];
        form.hidden = vec![("decision".into(), if refuses { "refused" } else { "approved" }.into())];
        wrong.mark(&mut form);
        form
    };
    let approve = (waits && may_not_approve(request, &me, role).is_none()).then(|| decides(false));
    let refuse = (waits && may_not_decide(request, &me, role).is_none()).then(|| {
        let title = if request.refused.is_some() { "Answer it" } else { "Refuse" };
        (title.to_owned(), decides(true))
    });
    let give_out: Option<Form> = may_not_give_out(&release, role)
        .is_none()
        .then(|| visit.form(&format!("/releases/{id}/evidence"), "Take the reads out"));
    let page = ReleaseDetail {
        frame,
        health,
        verdict,
        plate: (!request.sought.plate.is_empty()).then(|| Plate::new(&request.sought.plate, "")),
        facts: facts(visit, request),
        agency: partner.map_or_else(Vec::new, |partner| agency(visit, &partner)),
        decision: release.decision.as_ref().map_or_else(Vec::new, decision),
        given_out: release.given_out.iter().map(left).collect(),
        approve,
        refuse,
        give_out,
    };
    Ok((wrong.status(), draw(&page)?).into_response())
}

/// A request with the agency as it is in the register now, on record as shown. An officer finds their own. Blocks.
fn find(station: &Station, look: &Look, id: Uuid, own: Option<&str>) -> Result<(Kept, Option<Partner>)> {
    let permit: Permit<Release> = look.open(station, json!({"release": id}))?;
    let (found, partners) = station.rows(|rows| Ok((rows.release(&permit, id)?, rows.partners()?)))?;
    let release = found.filter(|release| own.is_none_or(|own| release.request.by == own));
    let release = release.ok_or_else(|| not_found("request"))?;
    station.gate.shown(&permit, 1)?;
    let partner = partners.into_iter().find(|partner| Some(partner.id) == release.request.partner);
    Ok((release, partner))
}

fn facts(visit: &Visit, request: &Request) -> Vec<Fact> {
    let purposes = &visit.portal().access.purposes;
    let purpose = purposes.iter().find(|purpose| purpose.name.as_str() == request.purpose);
    let sought = &request.sought;
    let mut facts = vec![
        Fact::new("Agency", &*request.agency),
        Fact::new("Asked by", &*request.person),
        Fact::new("Purpose", purpose.map_or(&*request.purpose, |purpose| &purpose.text)),
        Fact::new("Their case", &*request.case),
        Fact::new("Needed for", &*request.need),
        Fact::new("From", words::day_time(sought.from)),
        Fact::new("Until", words::day_time(sought.until)),
    ];
    facts.extend((!sought.near.is_empty()).then(|| match sought.metres {
        0.0 => Fact::new("In the box", &*sought.near),
        metres => Fact::new("Near", format!("{}, within {metres:.0} m", sought.near)),
    }));
    facts.push(Fact::new("Taken down", format!("{}, {}", request.by, words::day_time(request.at))));
    let wait = if request.exigent { "No: a supervisor's approval is enough" } else { "Yes" };
    facts.push(Fact::new("Can it wait", wait));
    facts
}

fn agency(visit: &Visit, partner: &Partner) -> Vec<Fact> {
    let now = refusal(&visit.station.release, Some(partner), today(visit));
    vec![
        Fact::new("What it is", format!("{}, {}", partner.kind.in_words(), partner.jurisdiction)),
        Fact::new("Purpose", &*partner.purpose),
        Fact::new("Right to know", &*partner.right_to_know),
        Fact::new("Need to know", &*partner.need_to_know),
        match now {
            None => Fact::new("Next review", words::day(partner.review)),
            Some(why) => Fact::new("Nothing is released", why).health(Health::Warning),
        },
    ]
}

fn decision(decision: &Decision) -> Vec<Fact> {
    vec![
        Fact::new("Said", if decision.approved { "Approved" } else { "Refused" }),
        Fact::new("By", format!("{}, {}, {}", decision.by, decision.role, words::day_time(decision.at))),
        Fact::new("Why", &*decision.why),
    ]
}

fn left(given_out: &GivenOut) -> String {
    let GivenOut { export, reads, by, at } = given_out;
    format!("{}, taken out by {by} on {}, in the archive {export}", count(*reads, "read"), words::day_time(*at))
}

async fn decide(
    visit: Visit,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    visit.may::<Release>("decide on requests")?;
    let id = id_of(&id)?;
    let (approved, field) = match fields.get("decision") {
        "approved" => (true, "why"),
        "refused" => (false, "refuse_why"),
        _ => return page(&visit, id, &Wrong::field("why", "Approve it or refuse it.")).await,
    };
    let why = line(fields.get(field));
    if let Err(e) = Reason::new(&why) {
        let wrong = Wrong::field(field, plated_core::text::sentence(&words::capital(&e.to_string())));
        return page(&visit, id, &wrong).await;
    }
    let (station, look, day) = (visit.station.clone(), visit.look()?.clone(), today(&visit));
    let (by, role) = who(&look, &visit)?;
    let said = blocking(move || {
        let decision = Decision { approved, why, by, role, at: station.clock.wall() };
        match decide_now(&station, &look, id, &decision, day) {
            Err(e) if e.kind() == Kind::Refused => Ok(Some(e)),
            other => other.map(|()| None),
        }
    });
    match said.await? {
        None => Ok(redirect(&format!("/releases/{id}?done={}", if approved { "approved" } else { "refused" }))),
        Some(e) => page(&visit, id, &Wrong::of(e)?).await,
    }
}

/// Keeps a decision, once it is on record, if this person may make it. Blocks.
fn decide_now(station: &Station, look: &Look, id: Uuid, decision: &Decision, today: Date) -> Result<()> {
    let done = if decision.approved { "approved" } else { "refused" };
    let subject = json!({"release": id, "as": done});
    let look_at: Permit<Release> = look.open(station, json!({"release": id, "as": "to_decide"}))?;
    let (found, partners) = station.rows(|rows| Ok((rows.release(&look_at, id)?, rows.partners()?)))?;
    let request = found.ok_or_else(|| not_found("request"))?.request;
    let refuse = |why: &str| Err(Error::new(Kind::Refused, why));
    let against = match decision.approved {
        true => may_not_approve(&request, &decision.by, decision.role),
        false => may_not_decide(&request, &decision.by, decision.role),
    };
    if let Some(why) = against {
        return refuse(why);
    }
    let partner = partners.iter().find(|partner| Some(partner.id) == request.partner);
    if let Some(why) = refusal(&station.release, partner, today).filter(|_| decision.approved) {
        return refuse(&why);
    }
    let permit: Permit<Release> = look.open_because(station, &decision.why, &Case::new(&request.case)?, subject)?;
    station.rows(|rows| rows.decide_release(&permit, id, decision))
}

async fn give_out(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    visit.may::<ExportReads>("take reads out")?;
    let id = id_of(&id)?;
    let (station, look, day) = (visit.station.clone(), visit.look()?.clone(), today(&visit));
    let (_, role) = who(&look, &visit)?;
    let taken = blocking(move || match give_out_now(&station, &look, id, role, day) {
        Err(e) if matches!(e.kind(), Kind::Refused | Kind::Input) => Ok(Err(e)),
        other => other.map(Ok),
    });
    match taken.await? {
        Ok(taken) => Ok(taken.into_response()),
        Err(e) => page(&visit, id, &Wrong::of(e)?).await,
    }
}

/// The archive for an approved request; that it left is durable before it is given. Blocks.
fn give_out_now(
    station: &Station,
    look: &Look,
    id: Uuid,
    role: Role,
    today: Date,
) -> Result<super::evidence::TakenOut> {
    let permit: Permit<Release> = look.open(station, json!({"release": id, "as": "to_give_out"}))?;
    let (found, partners) = station.rows(|rows| Ok((rows.release(&permit, id)?, rows.partners()?)))?;
    let release = found.ok_or_else(|| not_found("request"))?;
    let request = &release.request;
    let partner = partners.iter().find(|partner| Some(partner.id) == request.partner);
    let against = may_not_give_out(&release, role).map(str::to_owned);
    if let Some(why) = against.or_else(|| refusal(&station.release, partner, today)) {
        return Err(Error::new(Kind::Refused, why));
    }
    let words = format!("released to {}, {}: request {id}", request.agency, request.person);
    let because = Reason::new(&words)?.for_purpose(Some(Purpose::new(&request.purpose)?));
    let query = request.sought.query()?;
    let mut elements = query.elements();
    if let Some(elements) = elements.as_object_mut() {
        elements.extend([("as".to_owned(), json!("release")), ("release".to_owned(), json!(id))]);
    }
    let case = Case::new(&request.case)?;
    let taken = take_out(station, look, Wanted { query: &query, because, case: &case, elements })?;
    let by = look.actor().to_string();
    let given_out = GivenOut { export: taken.id, reads: taken.reads as u64, by, at: station.clock.wall() };
    station.rows(|rows| rows.release_given_out(&permit, id, given_out))?;
    Ok(taken)
}
