//! The register of agencies that reads may be released to (controls P-40, P-42). It names no plate.

use super::not_found;
use super::site::{Routes, Visit};
use crate::releases::command::on_record;
use crate::releases::{AgencyKind, NewPartner, Partner, refusal};
use axum::Extension;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use plated_access::{Case, Partners, Permit, Reason, Recorded, Release};
use plated_core::error::{Error, Kind, Result};
use plated_portal::forms::{Wrong, done, line, reason};
use plated_portal::{Needs, blocking, draw, redirect, words};
use plated_web::fields::Fields;
use plated_web::pages::{PartnerRow, PartnersPage};
use plated_web::problem::Problem;
use plated_web::ui::{Field, Health, Input};
use uuid::Uuid;

pub fn routes(routes: Routes) -> Routes {
    routes.get("/partners", Needs::Session, list).post("/partners", Needs::Session, add).post(
        "/partners/{partner}/{action}",
        Needs::Session,
        change,
    )
}

/// The day by which reviews count.
pub fn today(visit: &Visit) -> Date {
    visit.station.clock.wall().to_zoned(TimeZone::UTC).date()
}

async fn list(visit: Visit) -> Result<Response, Problem> {
    page(&visit, &Fields::default(), &Wrong::default()).await
}

async fn page(visit: &Visit, entered: &Fields, wrong: &Wrong) -> Result<Response, Problem> {
    let (station, today) = (visit.station.clone(), today(visit));
    let mut partners = blocking(move || station.rows(|rows| rows.partners())).await?;
    partners.sort_by_key(|partner| partner.ended);
    let may_change = Partners::ROLES.contains(&visit.visitor()?.role());
    let rows = partners.iter().map(|partner| row(visit, partner, today, may_change)).collect();
    let add = may_change.then(|| {
        let mut form = visit.form("/partners", "Enter");
        form.fields = fields(entered);
        wrong.mark(&mut form);
        form
    });
    let place = if Release::ROLES.contains(&visit.visitor()?.role()) { "Release" } else { "Office" };
    let mut frame = visit.frame_in("Partner agencies", place, "/partners").await?;
    let told = [
        ("added", "The agency is in the register."),
        ("review", "It counts until its next review."),
        ("end", "Nothing is released to it any more."),
    ];
    frame.messages.extend(done(visit, &told));
    frame.messages.extend(wrong.message());
    let of = visit.station.release.jurisdictions.join(", ");
    let rule = match of.is_empty() {
        true => "Nothing is released to anybody: no jurisdiction is configured.".to_owned(),
        false => format!(
            "Reads are released to law enforcement and prosecutorial agencies of {of} only, on a request that a second \
             person approved."
        ),
    };
    Ok((wrong.status(), draw(&PartnersPage { frame, rule, rows, add })?).into_response())
}

fn row(visit: &Visit, partner: &Partner, today: Date, may_change: bool) -> PartnerRow {
    let may_change = may_change && !partner.ended;
    let form = |action: &str, button: &str, fields| {
        let mut form = visit.form(&format!("/partners/{}/{action}", partner.id), button);
        form.fields = fields;
        form
    };
    let why = || Field::new(Input::Text, format!("why-{}", partner.id), "Why").required().max(300);
    let until = Field::new(Input::Date, format!("review-{}", partner.id), "Next review").required();
    PartnerRow {
        name: partner.name.clone(),
        kind: format!("{}, {}", partner.kind.in_words(), partner.jurisdiction),
        purpose: partner.purpose.clone(),
        right_to_know: partner.right_to_know.clone(),
        need_to_know: partner.need_to_know.clone(),
        standing: match refusal(&visit.station.release, Some(partner), today) {
            None => (Health::Good, format!("Reads may be released; review on {}", words::day(partner.review))),
            Some(why) if partner.ended => (Health::Info, why),
            Some(why) => (Health::Warning, why),
        },
        by: format!("{}, {}", partner.by, words::day_time(partner.at)),
        review: may_change.then(|| form("review", "Reviewed", vec![until, why()])),
        end: may_change.then(|| {
            let why = Field::new(Input::Text, format!("end-{}", partner.id), "Why").required().max(300);
            form("end", "End", vec![why])
        }),
    }
}

fn fields(entered: &Fields) -> Vec<Field> {
    let text = |name: &'static str, label: &str, hint: &str| {
        Field::new(Input::Text, name, label).required().max(300).value(entered.get(name)).hint(hint)
    };
    let kinds = AgencyKind::ALL.map(|(_, word, words)| (word, words));
    vec![
        text("name", "Agency", "").max(100),
        Field::new(Input::Select, "kind", "What it is").choices(kinds).value(entered.get("kind")).required(),
        text("jurisdiction", "State", "Two letters; US for a federal agency").max(2),
        Field::new(Input::Date, "review", "Next review")
            .value(entered.get("review"))
            .hint("From this day on nothing is released until somebody has looked at it again")
            .required(),
        text("purpose", "Purpose", "What its requests are for"),
        text("right_to_know", "Right to know", "The law or the agreement"),
        text("need_to_know", "Need to know", "What its duties need reads for"),
        text("reason", "Why it is entered", ""),
    ]
}

async fn add(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    visit.may::<Partners>("change the register of agencies")?;
    let text = |name: &str| line(fields.get(name));
    let Ok(review) = fields.get("review").parse::<Date>() else {
        return page(&visit, &fields, &Wrong::field("review", "Give a day.")).await;
    };
    if review <= today(&visit) {
        return page(&visit, &fields, &Wrong::field("review", "The review has to be after today.")).await;
    }
    let Some(kind) = AgencyKind::of(fields.get("kind")) else {
        return page(&visit, &fields, &Wrong::field("kind", "Choose one.")).await;
    };
    let why = match reason(&text("reason")) {
        Ok(why) => why,
        Err(wrong) => return page(&visit, &fields, &wrong).await,
    };
    let new = NewPartner {
        name: text("name"),
        kind,
        jurisdiction: text("jurisdiction").to_uppercase(),
        purpose: text("purpose"),
        right_to_know: text("right_to_know"),
        need_to_know: text("need_to_know"),
        review,
    };
    let by = visit.visitor()?.session.actor().to_string();
    let done = match Partner::new(new, by, visit.station.clock.wall()) {
        Ok(partner) => keep(&visit, why, "added", partner).await?,
        Err(e) => Err(e),
    };
    match done {
        Ok(()) => Ok(redirect("/partners?done=added")),
        Err(e) => page(&visit, &fields, &Wrong::of(e)?).await,
    }
}

/// Changes the register, once that is on record. The inner error is for whoever filled in the form.
async fn keep(visit: &Visit, why: Reason, done: &'static str, partner: Partner) -> Result<Result<()>, Problem> {
    let (station, actor) = (visit.station.clone(), visit.visitor()?.session.actor());
    let kept = blocking(move || {
        let refused = |done: Result<()>| match done {
            Err(e) if e.kind() == Kind::Refused => Ok(Err(e)),
            other => other.map(Ok),
        };
        // What is refused did not happen, and is not on record.
        if let Err(e) = refused(station.rows(|rows| rows.check_partner(&partner)))? {
            return Ok(Err(e));
        }
        let subject = on_record(&partner, done);
        let permit: Permit<Partners> = station.gate.open(&actor, &why, &Case::none(), subject)?;
        refused(station.rows(|rows| rows.put_partner(&permit, &partner)))
    });
    kept.await
}

async fn change(
    visit: Visit,
    Path((id, action)): Path<(String, String)>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    visit.may::<Partners>("change the register of agencies")?;
    let id = Uuid::parse_str(&id).map_err(|_| not_found("agency"))?;
    let station = visit.station.clone();
    let partners = blocking(move || station.rows(|rows| rows.partners())).await?;
    let partner = partners.into_iter().find(|partner| partner.id == id).ok_or_else(|| not_found("agency"))?;
    let (by, at, now) = (visit.visitor()?.session.actor().to_string(), visit.station.clock.wall(), today(&visit));
    let (why, done, changed) = match action.as_str() {
        "review" => {
            let until = fields.get(&format!("review-{id}")).parse::<Date>();
            let until = until.map_err(|_| Error::new(Kind::Input, "give the day of the next review"));
            let changed = until.and_then(|until| partner.reviewed(until, now, by, at));
            (format!("why-{id}"), "reviewed", changed)
        }
        "end" => (format!("end-{id}"), "ended", Ok(partner.ended(by, at))),
        _ => return Err(not_found("page").into()),
    };
    let done = match (changed, Reason::new(&line(fields.get(&why)))) {
        (Ok(changed), Ok(why)) => keep(&visit, why, done, changed).await?,
        (Err(e), _) | (_, Err(e)) => Err(Error::new(Kind::Input, e.to_string())),
    };
    match done {
        Ok(()) => Ok(redirect(&format!("/partners?done={action}"))),
        Err(e) => page(&visit, &Fields::default(), &Wrong::of(e)?).await,
    }
}
