//! "Not this vehicle": proposed from an alert, approved by a supervisor, in force until its end.

use crate::console::door::redirect;
use crate::console::forms::{self, Wrong};
use crate::console::look::Look;
use crate::console::pages::alerts;
use crate::console::routes::{Needs, Routes};
use crate::console::visit::Visit;
use crate::console::{Console, blocking, cards, draw, words};
use crate::control::{Expires, Reply, Request};
use crate::store::KeptFinding;
use axum::Extension;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use plated_access::{Duty, Role};
use plated_core::error::{Error, Kind, Result};
use plated_core::officers::VehicleFinding;
use plated_core::record::HitRecord;
use plated_web::fields::Fields;
use plated_web::pages::{FindingRow, Findings, FormPage};
use plated_web::plate::Plate;
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Field, Health, Input, Link};

/// Rows on a page.
const PAGE: usize = 50;
/// A finding lasts so many days unless somebody says otherwise.
const USUAL_DAYS: i64 = 90;
/// What this is called in front of people.
const TITLE: &str = "Not this vehicle";

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/findings", Needs::Look, list)
        .get("/findings/{number}/{action}", Needs::Look, change_page)
        .post("/findings/{number}/{action}", Needs::Look, change)
        .get("/alerts/{hit}/finding", Needs::Look, propose_page)
        .post("/alerts/{hit}/finding", Needs::Look, propose)
}

/// Those that may be seen, what waits first, then the newest. Blocks.
fn findings(console: &Console, look: &Look) -> Result<Vec<KeptFinding>> {
    let mut findings = Vec::new();
    let request = Request::Findings { reason: look.reason.clone(), case: look.case.as_str().to_owned() };
    console.officers.answer(request, look.actor(), None, &mut |reply| {
        if let Reply::Finding(kept) = reply {
            findings.push(*kept);
        }
        Ok(())
    })?;
    let now = console.clock.wall();
    findings.sort_by_key(|kept| !waits(&kept.finding, now));
    Ok(findings)
}

/// A supervisor has to look at it.
fn waits(finding: &VehicleFinding, now: Timestamp) -> bool {
    finding.approved.is_none() && finding.withdrawn.is_none() && now < finding.until
}

async fn list(visit: Visit) -> Result<Response, Problem> {
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let all = blocking(move || findings(&console, &look)).await?;
    let first: usize = visit.query.get("from").parse().unwrap_or(0);
    let (role, name) = (visit.visitor()?.role(), visit.visitor()?.session.account.name.to_string());
    let now = visit.console.clock.wall();
    let rows: Vec<_> = all.iter().skip(first).take(PAGE).map(|kept| row(kept, role, &name, now)).collect();
    let pager = forms::pager("/findings", first, rows.len(), all.len(), PAGE);
    let mut frame = visit.frame_in(TITLE, "Alerts", "/findings").await?;
    let done = [
        ("proposed", "It is proposed. It counts once a supervisor, another person, has approved it."),
        ("approve", "It is approved: that entry does not alert for this plate any more."),
        ("withdraw", "It is withdrawn: the entry alerts again."),
    ];
    frame.messages.extend(forms::done(&visit, &done));
    Ok(draw(&Findings { frame, rows, pager })?.into_response())
}

fn row(KeptFinding { number, finding }: &KeptFinding, role: Role, name: &str, now: Timestamp) -> FindingRow {
    let (waits, may) = (waits(finding, now), Duty::Approve.roles().contains(&role));
    let own = finding.proposed.by.user == name;
    let link = |text: &str, word: &str| Link::new(text, format!("/findings/{number}/{word}"));
    let approve = (waits && may && !own).then(|| link("Approve", "approve"));
    let withdraw = (may && finding.withdrawn.is_none() && now < finding.until).then(|| link("Withdraw", "withdraw"));
    FindingRow {
        plate: Plate::new(&finding.plate, &finding.state),
        listed: Plate::new(&finding.entry.plate, &finding.entry.state),
        entry: entry(finding),
        standing: standing(finding, now),
        until: words::moment(finding.until, now),
        proposed: proposed(finding),
        actions: approve.into_iter().chain(withdraw).collect(),
    }
}

fn entry(finding: &VehicleFinding) -> String {
    format!("{}, {}", cards::category(&finding.entry), finding.entry.list)
}

fn proposed(finding: &VehicleFinding) -> String {
    let signed = &finding.proposed;
    format!("{}, {}: {}", signed.by, words::day_time(signed.at), signed.reason)
}

fn standing(finding: &VehicleFinding, now: Timestamp) -> (Health, String) {
    match (&finding.withdrawn, &finding.approved) {
        (Some(by), _) => (Health::Info, format!("Withdrawn by {}", by.by)),
        _ if finding.until <= now => (Health::Info, "Over".into()),
        (None, Some(by)) => (Health::Good, format!("Approved by {}", by.by)),
        (None, None) => (Health::Warning, "Waits for a supervisor".into()),
    }
}

/// What a form of this area has.
#[derive(Clone, Default)]
struct Entered {
    entry: String,
    until: String,
    reason: String,
}

impl Entered {
    fn came(fields: &Fields) -> Self {
        let text = |name: &str| fields.get(name).trim().to_owned();
        Self { entry: text("entry"), until: text("until"), reason: forms::line(fields.get("reason")) }
    }

    /// One of the entries, counted from 1; none for all of them.
    fn entry(&self) -> Result<Option<usize>, Wrong> {
        match self.entry.as_str() {
            "" => Ok(None),
            number => number.parse().map(Some).map_err(|_| Wrong::field("entry", "Choose one of the entries.")),
        }
    }

    /// The end of that day, by the clock here.
    fn until(&self) -> Result<Timestamp, Wrong> {
        let wrong = || Wrong::field("until", "Give the last day on which it counts.");
        let day: Date = self.until.parse().map_err(|_| wrong())?;
        let next = day.tomorrow().and_then(|day| day.to_zoned(TimeZone::system())).map_err(|_| wrong())?;
        Ok(next.timestamp())
    }
}

/// The hit of an address that may be seen, on record as shown. Blocks.
fn hit(console: &Console, look: &Look, id: &str) -> Result<(HitRecord, String)> {
    let (alert, hit) = alerts::find(console, look, alerts::id_of(id)?)?;
    Ok((*hit, alert.read.state))
}

async fn propose_page(visit: Visit, Path(id): Path<String>) -> Result<Response, Problem> {
    let today = visit.console.clock.wall().to_zoned(TimeZone::system()).date();
    let until = today.checked_add(jiff::Span::new().days(USUAL_DAYS)).unwrap_or(today).to_string();
    propose_form(&visit, &id, &Entered { until, ..Entered::default() }, &Wrong::default()).await
}

async fn propose_form(visit: &Visit, id: &str, entered: &Entered, wrong: &Wrong) -> Result<Response, Problem> {
    let (console, look, id) = (visit.console.clone(), visit.look()?.clone(), id.to_owned());
    let (hit, state) = blocking(move || hit(&console, &look, &id)).await?;
    let mut form = visit.form(&format!("{}/finding", cards::href(&hit)), "Propose");
    if hit.entries.len() > 1 {
        let all = [(String::new(), "All of them".to_owned())].into_iter();
        let each = hit.entries.iter().enumerate().map(|(n, of)| ((n + 1).to_string(), cards::also(of)));
        let field = Field::new(Input::Radio, "entry", "Which entry is it not?");
        form.fields.push(field.choices(all.chain(each)).value(&entered.entry));
    }
    form.fields.extend([
        Field::new(Input::Date, "until", "Last day on which it counts")
            .hint("Two years at most")
            .value(&entered.until)
            .required(),
        Field::new(Input::Text, "reason", "How do you know?").value(&entered.reason).max(500).required(),
    ]);
    form.cancel = Some(Link::new("Back to the alert", cards::href(&hit)));
    wrong.mark(&mut form);
    let mut facts = vec![Fact::new("Listed plate", hit.listed.clone())];
    if let [only] = &hit.entries[..] {
        facts.push(Fact::new("Entry", cards::also(only)));
    }
    let mut frame = visit.frame_in(TITLE, "Alerts", "/findings").await?;
    frame.messages.extend(wrong.message());
    let lead = "Proposes that this plate is not the vehicle that the entry wants. Once a supervisor has approved it, \
                the entry does not alert for this plate any more; another entry of the plate still does.";
    let plate = Some(Plate::new(&hit.text, &state));
    let page = draw(&FormPage { frame, lead: lead.into(), plate, facts, form })?;
    Ok((wrong.status(), page).into_response())
}

async fn propose(
    visit: Visit,
    Path(id): Path<String>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let (console, look, entered) = (visit.console.clone(), visit.look()?.clone(), Entered::came(&fields));
    let asked = entered.entry().and_then(|entry| Ok((entry, entered.until()?, forms::reason(&look, &entered.reason)?)));
    let (entry, until, reason) = match asked {
        Ok(asked) => asked,
        Err(wrong) => return propose_form(&visit, &id, &entered, &wrong).await,
    };
    let (hit, case) = (alerts::id_of(&id)?.to_string(), look.case.as_str().to_owned());
    let request = Request::ProposeFinding { hit, entry, until: Expires::At(until), reason, case };
    let proposed = blocking(move || Ok(console.officers.answer(request, look.actor(), None, &mut |_| Ok(()))));
    match proposed.await? {
        Ok(()) => Ok(redirect("/findings?done=proposed")),
        Err(e) => propose_form(&visit, &id, &entered, &Wrong::of(e)?).await,
    }
}

/// What a supervisor does with a finding.
#[derive(Clone, Copy)]
enum Change {
    Approve,
    Withdraw,
}

impl Change {
    fn of(word: &str) -> Result<Self> {
        match word {
            "approve" => Ok(Self::Approve),
            "withdraw" => Ok(Self::Withdraw),
            _ => Err(Error::new(Kind::NotFound, "there is no such change of a finding")),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Withdraw => "withdraw",
        }
    }

    fn button(self) -> &'static str {
        match self {
            Self::Approve => "Approve",
            Self::Withdraw => "Withdraw",
        }
    }

    fn lead(self) -> &'static str {
        match self {
            Self::Approve => "From then on this entry does not alert for this plate, on this vehicle, until its end.",
            Self::Withdraw => "From then on the entry alerts for this plate again.",
        }
    }
}

async fn finding(visit: &Visit, number: &str) -> Result<KeptFinding, Problem> {
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let number = number.parse::<i64>().ok();
    let all = blocking(move || {
        console.officers.gate().allow(look.actor(), Duty::Approve)?;
        findings(&console, &look)
    });
    let found = all.await?.into_iter().find(|kept| Some(kept.number) == number);
    found.ok_or_else(|| Error::new(Kind::NotFound, "there is no such finding").into())
}

async fn change_page(visit: Visit, Path((number, action)): Path<(String, String)>) -> Result<Response, Problem> {
    let change = Change::of(&action)?;
    let kept = finding(&visit, &number).await?;
    change_form(&visit, &kept, change, "", &Wrong::default()).await
}

async fn change_form(
    visit: &Visit,
    KeptFinding { number, finding }: &KeptFinding,
    change: Change,
    reason: &str,
    wrong: &Wrong,
) -> Result<Response, Problem> {
    let mut form = visit.form(&format!("/findings/{number}/{}", change.word()), change.button());
    form.fields = vec![Field::new(Input::Text, "reason", "Reason").value(reason).max(500).required()];
    form.cancel = Some(Link::new("Back", "/findings"));
    wrong.mark(&mut form);
    let standing = standing(finding, visit.console.clock.wall());
    let facts = vec![
        Fact::new("Is not", format!("{} {}", finding.entry.plate, finding.entry.state)),
        Fact::new("Entry", entry(finding)),
        Fact::new("Proposed", proposed(finding)),
        Fact::new("Until", words::day_time(finding.until)),
        Fact::new("Case", finding.case.clone()),
        Fact::new("Standing", standing.1).health(standing.0),
    ];
    let title = format!("{} the finding", change.button());
    let mut frame = visit.frame_in(&title, "Alerts", "/findings").await?;
    frame.messages.extend(wrong.message());
    let plate = Some(Plate::new(&finding.plate, &finding.state));
    let page = draw(&FormPage { frame, lead: change.lead().into(), plate, facts, form })?;
    Ok((wrong.status(), page).into_response())
}

async fn change(
    visit: Visit,
    Path((number, action)): Path<(String, String)>,
    Extension(fields): Extension<Fields>,
) -> Result<Response, Problem> {
    let change = Change::of(&action)?;
    let kept = finding(&visit, &number).await?;
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    let text = forms::line(fields.get("reason"));
    let reason = match forms::reason(&look, &text) {
        Ok(reason) => reason,
        Err(wrong) => return change_form(&visit, &kept, change, &text, &wrong).await,
    };
    let (number, case) = (kept.number, look.case.as_str().to_owned());
    let request = match change {
        Change::Approve => Request::ApproveFinding { number, reason, case },
        Change::Withdraw => Request::WithdrawFinding { number, reason, case },
    };
    let done = blocking(move || Ok(console.officers.answer(request, look.actor(), None, &mut |_| Ok(()))));
    match done.await? {
        Ok(()) => Ok(redirect(&format!("/findings?done={}", change.word()))),
        Err(e) => change_form(&visit, &kept, change, &text, &Wrong::of(e)?).await,
    }
}
