//! Requests of other agencies for reads: the queue, and taking one down (controls P-40, P-42).

use super::look::Look;
use super::partners::today;
use super::release::standing;
use super::site::{Routes, Visit};
use crate::archive::Plate;
use crate::releases::{Partner, Release as Kept, Request, Sought, Which, refusal};
use axum::Extension;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use plated_access::{Permit, Release, Role};
use plated_core::area::Area;
use plated_core::clock::id_at;
use plated_core::error::Result;
use plated_core::text::count;
use plated_portal::forms::{line, pager};
use plated_portal::search::{Entered, Offered, Wrong as WrongFields};
use plated_portal::{Given, Needs, blocking, draw, redirect, words};
use plated_web::fields::Fields;
use plated_web::pages::{FormPage, ReleaseRow, Releases};
use plated_web::problem::Problem;
use plated_web::ui::{Field, Health, Input, Link};
use serde_json::json;
use uuid::Uuid;

/// Requests on a page.
const PAGE: usize = 50;
/// What is searched for in a request, of the fields of a search.
const SOUGHT: [&str; 5] = ["plate", "from", "until", "near", "distance"];

pub fn routes(routes: Routes) -> Routes {
    routes.get("/releases", Needs::Look, list).get("/releases/new", Needs::Look, new).post(
        "/releases/new",
        Needs::Look,
        take_down,
    )
}

async fn list(visit: Visit) -> Result<Response, Problem> {
    visit.may::<Release>("see what other agencies ask for")?;
    let (station, look, role) = (visit.station.clone(), visit.look()?.clone(), visit.visitor()?.role());
    let from: usize = visit.query.get("from").parse().unwrap_or(0);
    let (releases, all, waiting) = blocking(move || queue(&station, &look, role, from)).await?;
    let frame = visit.frame_in("Release", "Release", "/releases").await?;
    let (health, verdict) = match waiting {
        0 => (Health::Good, "Nothing waits.".to_owned()),
        1 => (Health::Info, "1 request waits for a decision.".to_owned()),
        n => (Health::Info, format!("{} wait for a decision.", count(n, "request"))),
    };
    let rows: Vec<_> = releases.iter().map(|release| row(&visit, release)).collect();
    let pager = pager("/releases", from, rows.len(), usize::try_from(all).unwrap_or(usize::MAX), PAGE);
    let new = Link::new("Take a request down", "/releases/new");
    Ok(draw(&Releases { frame, health, verdict, new, rows, pager })?.into_response())
}

/// Requests, on record as shown; an officer sees their own. How many there are, and how many of all wait. Blocks.
fn queue(station: &super::Station, look: &Look, role: Role, from: usize) -> Result<(Vec<Kept>, u64, u64)> {
    let by = (role == Role::Officer).then(|| look.actor().to_string());
    let permit: Permit<Release> = look.open(station, json!({"release": "list"}))?;
    let which = Which { by, from, limit: PAGE };
    let (found, all, waiting) = station.rows(|rows| {
        let (found, all) = rows.releases(&permit, &which)?;
        Ok((found, all, rows.releases_that_wait()?))
    })?;
    station.gate.shown(&permit, found.len() as u64)?;
    Ok((found, all, waiting))
}

fn row(visit: &Visit, release: &Kept) -> ReleaseRow {
    let request = &release.request;
    ReleaseRow {
        link: Link::new(&*request.agency, format!("/releases/{}", request.id)),
        person: request.person.clone(),
        case: request.case.clone(),
        at: words::moment(request.at, visit.station.clock.wall()),
        by: request.by.clone(),
        exigent: request.exigent,
        standing: standing(release),
    }
}

async fn new(visit: Visit) -> Result<Response, Problem> {
    let search = Entered::new(visit.station.clock.wall(), None);
    page(&visit, &Fields::default(), Given::default(), &search, &Wrong::new()).await
}

/// What is wrong, by the name of the field.
type Wrong = Vec<(&'static str, String)>;

async fn page(
    visit: &Visit,
    entered: &Fields,
    given: Given,
    search: &Entered,
    wrong: &Wrong,
) -> Result<Response, Problem> {
    visit.may::<Release>("take requests down")?;
    let station = visit.station.clone();
    let partners = blocking(move || station.rows(|rows| rows.partners())).await?;
    let mut form = visit.form("/releases/new", "Take down");
    form.fields = fields(visit, entered, &partners);
    form.fields.extend(given.fields(&visit.portal().access).into_iter().map(|field| match field.name.as_str() {
        "case" => Field { label: "Number of their case".into(), ..field.required() },
        _ => field,
    }));
    let sought = search.fields(Offered::Vehicles(Vec::new()), &WrongFields::new()).into_iter();
    form.fields.extend(sought.filter(|field| SOUGHT.contains(&&*field.name)).map(|field| match field.name.as_str() {
        "plate" => field.hint("? one character, * any run; or a place below"),
        "from" | "until" => field.required(),
        _ => field,
    }));
    let exigent = Field::new(Input::Check, "exigent", "It can't wait: a life is in danger or evidence would be lost");
    form.fields.push(exigent.value(entered.get("exigent")));
    for (name, why) in wrong {
        form.fields.iter_mut().filter(|field| field.name == *name).for_each(|field| field.error.clone_from(why));
    }
    form.cancel = Some(Link::new("Back", "/releases"));
    let status = if form.errors().is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = FormPage {
        frame: visit.frame_in("A request of another agency", "Release", "/releases").await?,
        lead: "It is kept with your name, and another person decides on it. Nothing leaves by this.".into(),
        plate: None,
        facts: Vec::new(),
        form,
    };
    Ok((status, draw(&page)?).into_response())
}

fn fields(visit: &Visit, entered: &Fields, partners: &[Partner]) -> Vec<Field> {
    let today = today(visit);
    let named = partners.iter().filter(|partner| !partner.ended).map(|partner| {
        let open = refusal(&visit.station.release, Some(partner), today).is_none();
        let name = if open { partner.name.clone() } else { format!("{} (nothing is released)", partner.name) };
        (partner.id.to_string(), name)
    });
    let others = [(String::new(), "Choose".to_owned()), ("other".to_owned(), "Not in the register".to_owned())];
    let text =
        |name: &'static str, label: &str, max| Field::new(Input::Text, name, label).max(max).value(entered.get(name));
    vec![
        Field::new(Input::Select, "agency", "Agency")
            .choices(others.into_iter().chain(named))
            .value(entered.get("agency"))
            .required(),
        text("other", "Name of an agency that is not in the register", 100),
        text("person", "Who asks there, with their title", 100).required(),
        text("need", "What they need it for", 300).required(),
    ]
}

async fn take_down(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    visit.may::<Release>("take requests down")?;
    let (station, look, day) = (visit.station.clone(), visit.look()?.clone(), today(&visit));
    let reader = visit.station.clone();
    let partners = blocking(move || reader.rows(|rows| rows.partners())).await?;
    let search = Entered::of(&fields);
    let request = match read(&visit, &fields, &search, &partners, &look, day) {
        Ok(request) => request,
        Err((given, wrong)) => return page(&visit, &fields, given, &search, &wrong).await,
    };
    let id = request.id;
    blocking(move || {
        let mut subject = request.sought.query()?.elements();
        if let Some(subject) = subject.as_object_mut() {
            subject.extend([("release".to_owned(), json!(id)), ("as".to_owned(), json!("taken_down"))]);
            subject
                .extend([("agency".to_owned(), json!(request.agency)), ("person".to_owned(), json!(request.person))]);
        }
        let case = plated_access::Case::new(&request.case)?;
        let permit: Permit<Release> = look.open_because(&station, &request.need, &case, subject)?;
        station.rows(|rows| rows.put_release(&permit, &request))
    })
    .await?;
    Ok(redirect(&format!("/releases/{id}?done=taken_down")))
}

/// The request of a form, or what is wrong with it.
fn read(
    visit: &Visit,
    fields: &Fields,
    search: &Entered,
    partners: &[Partner],
    look: &Look,
    today: Date,
) -> Result<Request, (Given, Wrong)> {
    let mut wrong = Wrong::new();
    let text = |name: &str| line(fields.get(name));
    let partner = Uuid::parse_str(fields.get("agency")).ok();
    let partner = partner.and_then(|id| partners.iter().find(|partner| partner.id == id && !partner.ended));
    let agency = partner.map_or_else(|| text("other"), |partner| partner.name.clone());
    if partner.is_none() && fields.get("agency") != "other" {
        wrong.push(("agency", "Choose one.".into()));
    }
    let mut words = |name: &'static str, text: &str, max: usize, missing: &str| {
        if text.is_empty() {
            wrong.push((name, missing.to_owned()));
        } else if text.chars().count() > max {
            wrong.push((name, format!("It has more than {max} characters.")));
        }
    };
    let (person, need) = (text("person"), text("need"));
    words("other", &agency, 100, "Say which agency it is.");
    words("person", &person, 100, "Say who asks, with their title.");
    words("need", &need, 300, "Say what it is needed for.");
    let (given, purpose_and_case) = match Given::read(&visit.portal().access, fields) {
        Ok(given) => (Given::of(fields), Some(given)),
        Err(given) => (given, None),
    };
    if text("case").is_empty() {
        wrong.push(("case", "Give the number of their case.".into()));
    }
    let sought = match search.read(|text| Plate::parse(text).map(|_| text.to_owned())) {
        Ok(asked) => {
            let now = visit.station.clock.wall();
            let (plate, near) = (asked.plate.unwrap_or_default(), text("near"));
            if plate.is_empty() && near.is_empty() {
                wrong.push(("plate", "Give a plate, a part of one, or a place.".into()));
            }
            match (asked.from, asked.until) {
                (Some(_), Some(until)) if until > now => {
                    wrong.push(("until", "This is still to come: nothing is released ahead.".into()));
                    None
                }
                (Some(from), Some(until)) => {
                    let metres = match asked.area {
                        Some(Area::Around { metres, .. }) => metres,
                        _ => 0.0,
                    };
                    Some(Sought { plate, near, metres, from, until })
                }
                (from, until) => {
                    let missing = [("from", from.is_none()), ("until", until.is_none())];
                    let missing = missing.into_iter().filter(|(_, is)| *is);
                    wrong.extend(missing.map(|(name, _)| (name, "Give a day and a time.".to_owned())));
                    None
                }
            }
        }
        Err(found) => {
            wrong.extend(found);
            None
        }
    };
    let (Some((purpose, case)), Some(sought), true) = (purpose_and_case, sought, wrong.is_empty()) else {
        return Err((given, wrong));
    };
    let at = visit.station.clock.wall();
    Ok(Request {
        id: id_at(at),
        agency,
        partner: partner.map(|partner| partner.id),
        person,
        purpose: purpose.to_string(),
        case: case.as_str().to_owned(),
        need,
        sought,
        exigent: fields.get("exigent") == "on",
        by: look.actor().to_string(),
        at,
        refused: refusal(&visit.station.release, partner, today),
    })
}
