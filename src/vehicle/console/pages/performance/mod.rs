//! Performance tests (control P-31): the results so far, and a test while driving. Results hold no plate; what was
//! missed in a drive is shown to its tester when it ends, on record.

mod history;

use crate::console::door::redirect;
use crate::console::routes::{Needs, Routes};
use crate::console::visit::Visit;
use crate::console::{blocking, draw, words};
use crate::control::{Reply, Request};
use crate::performance::Miss;
use crate::store::{DriveTest, KeptTest, Reason};
use axum::Extension;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use plated_access::Duty;
use plated_core::error::{Error, Kind, Result};
use plated_core::text::{count, sentence};
use plated_web::fields::Fields;
use plated_web::pages::{self, MissRow, Performance};
use plated_web::plate::Plate;
use plated_web::problem::Problem;
use plated_web::ui::{Field, Form, Health, Input, Link, Message};

/// Where the page is.
const PAGE: &str = "/performance";
/// Results on it.
const LISTED: u64 = 200;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get(PAGE, Needs::Trained, list)
        .post("/performance/start", Needs::Look, start)
        .post("/performance/plate", Needs::Look, plate)
        .post("/performance/undo", Needs::Look, undo)
        .post("/performance/end", Needs::Look, end)
        .post("/performance/discard", Needs::Look, discard)
}

/// What was entered in a form, and what became of it.
#[derive(Default)]
struct Entered {
    camera: String,
    note: String,
    plate: String,
    state: String,
    error: Option<Error>,
    misses: Vec<Miss>,
    ended: bool,
}

async fn list(visit: Visit) -> Result<Response, Problem> {
    page(&visit, Entered::default()).await
}

async fn page(visit: &Visit, entered: Entered) -> Result<Response, Problem> {
    let visitor = visit.visitor()?.clone();
    let (console, actor) = (visit.console.clone(), visitor.session.actor());
    let (drive, tests) = blocking(move || {
        let (mut drive, mut tests) = (None, Vec::new());
        console.officers.answer(Request::PerformanceTests { limit: LISTED }, &actor, None, &mut |reply| {
            match reply {
                Reply::DriveTest(going_on) => drive = Some(*going_on),
                Reply::Test(test) => tests.push(*test),
                _ => {}
            }
            Ok(())
        })?;
        Ok((drive, tests))
    })
    .await?;
    let mut frame = visit.frame("Performance tests", "Tests").await?;
    let mut status = StatusCode::OK;
    if let Some(e) = &entered.error {
        if !matches!(e.kind(), Kind::Input | Kind::Config | Kind::Refused | Kind::NotFound) {
            return Err(Error::new(e.kind(), e.chain()).into());
        }
        status = StatusCode::UNPROCESSABLE_ENTITY;
        frame.messages.push(Message { health: Health::Bad, text: sentence(&words::capital(&e.chain())) });
    }
    frame.messages.extend(done(&entered, visit.query.get("done"), drive.as_ref()));
    let may_test = Duty::Enter.roles().contains(&visitor.role());
    let has_purpose = visit.look().is_ok();
    let tester = visitor.session.actor().author();
    let now = visit.console.clock.wall();
    let cameras = visit.console.officers.cameras();
    let start = (drive.is_none() && may_test && has_purpose).then(|| start_form(visit, cameras, &entered));
    let purpose =
        (may_test && !has_purpose).then(|| Link::new("Say what you look for", format!("/purpose?then={PAGE}")));
    let drive = drive.filter(|_| may_test && has_purpose).map(|d| pages::DriveTest {
        since: words::moment(d.started, now),
        entered: format!("{} entered.", words::capital(&count(d.plates, "plate"))),
        enter: (d.by == tester).then(|| plate_form(visit, &entered)),
        actions: actions(visit, &d, d.by == tester),
        camera: words::title(&d.camera),
    });
    let wanted = visit.query.get("of").to_owned();
    let find = history::find(&tests, &wanted);
    let tests: Vec<KeptTest> =
        tests.into_iter().filter(|kept| wanted.is_empty() || kept.test.camera == wanted).collect();
    let (chart, rows) = (history::chart(&tests, now), tests.iter().map(|kept| history::row(kept, now)).collect());
    let misses = entered.misses.into_iter().map(miss).collect();
    let page = Performance { frame, drive, start, purpose, misses, find, chart, rows };
    Ok((status, draw(&page)?).into_response())
}

fn miss(Miss { plate, read, .. }: Miss) -> MissRow {
    let show = |text: &str, state: &str| Plate::new(text, state);
    MissRow { plate: show(&plate.text, &plate.state), read: read.map(|read| show(&read.text, &read.state)) }
}

fn done(entered: &Entered, word: &str, drive: Option<&DriveTest>) -> Option<Message> {
    let so_far = || drive.map_or(String::new(), |d| format!(" {} so far.", words::capital(&count(d.plates, "plate"))));
    let text = match word {
        _ if entered.ended && entered.misses.is_empty() => "The test is over: every plate was read exactly.".into(),
        _ if entered.ended => "The test is over. Its result is kept; the plates you entered are deleted.".into(),
        "started" => "The test has begun. Enter every plate that you can read.".into(),
        "entered" => format!("Entered.{}", so_far()),
        "undone" => format!("Taken back.{}", so_far()),
        "discarded" => "The test is discarded; no result was kept.".into(),
        _ => return None,
    };
    Some(Message { health: Health::Good, text })
}

fn start_form(visit: &Visit, cameras: &[String], entered: &Entered) -> Form {
    let mut form = visit.form("/performance/start", "Begin the test");
    let choices = cameras.iter().map(|name| (name.clone(), words::title(name)));
    form.fields = vec![
        Field::new(Input::Select, "camera", "Camera").choices(choices).value(&entered.camera),
        Field::new(Input::Text, "note", "Note").max(500).value(&entered.note),
    ];
    form
}

fn plate_form(visit: &Visit, entered: &Entered) -> Form {
    let mut form = visit.form("/performance/plate", "Enter");
    form.fields = vec![
        Field::new(Input::Plate, "plate", "Plate").required().focused().max(16).value(&entered.plate),
        Field::new(Input::Text, "state", "State").max(2).value(&entered.state),
    ];
    form
}

fn actions(visit: &Visit, drive: &DriveTest, own: bool) -> Vec<Form> {
    let form = |word: &str, button: &str| visit.form(&format!("/performance/{word}"), button);
    let mut forms = Vec::new();
    if own && drive.plates > 0 {
        forms.extend([form("end", "End the test"), form("undo", "Take the last plate back")]);
    }
    forms.push(form("discard", "Discard"));
    forms
}

/// Has the officers' service do it, and gives its answers.
async fn ask(
    visit: &Visit,
    request: impl FnOnce(Reason, String) -> Request + Send + 'static,
) -> Result<Result<Vec<Reply>>, Problem> {
    let (console, look) = (visit.console.clone(), visit.look()?.clone());
    blocking(move || {
        let reason = Reason::new("performance test")?.for_purpose(look.reason.purpose().cloned());
        let request = request(reason, look.case.as_str().to_owned());
        let mut replies = Vec::new();
        let done = console.officers.answer(request, look.actor(), None, &mut |reply| {
            replies.push(reply);
            Ok(())
        });
        Ok(done.map(|()| replies))
    })
    .await
}

/// Back to the page, or the page with what is wrong.
async fn settle(visit: &Visit, done: Result<Vec<Reply>>, word: &str, entered: Entered) -> Result<Response, Problem> {
    match done {
        Ok(_) => Ok(redirect(&format!("{PAGE}?done={word}"))),
        Err(e) => page(visit, Entered { error: Some(e), ..entered }).await,
    }
}

async fn start(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let (camera, note) = (fields.get("camera").to_owned(), fields.get("note").to_owned());
    let entered = Entered { camera: camera.clone(), note: note.clone(), ..Entered::default() };
    let done = ask(&visit, move |reason, _| Request::StartDriveTest { camera, note, reason }).await?;
    settle(&visit, done, "started", entered).await
}

async fn plate(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    let (plate, state) = (fields.get("plate").to_owned(), fields.get("state").to_owned());
    let entered = Entered { plate: plate.clone(), state: state.clone(), ..Entered::default() };
    let done = ask(&visit, move |reason, _| Request::EnterTestPlate { plate, state, reason }).await?;
    settle(&visit, done, "entered", entered).await
}

async fn undo(visit: Visit) -> Result<Response, Problem> {
    let done = ask(&visit, |reason, _| Request::TakeTestPlateBack { reason }).await?;
    settle(&visit, done, "undone", Entered::default()).await
}

async fn discard(visit: Visit) -> Result<Response, Problem> {
    let done = ask(&visit, |reason, _| Request::DiscardDriveTest { reason }).await?;
    settle(&visit, done, "discarded", Entered::default()).await
}

/// What was missed is shown in this answer alone: the plates that were entered are deleted by now.
async fn end(visit: Visit) -> Result<Response, Problem> {
    let done = ask(&visit, |reason, case| Request::EndDriveTest { misses: true, reason, case }).await?;
    let entered = match done {
        Ok(replies) => {
            let miss = |reply| if let Reply::Miss(miss) = reply { Some(*miss) } else { None };
            Entered { misses: replies.into_iter().filter_map(miss).collect(), ended: true, ..Entered::default() }
        }
        Err(e) => Entered { error: Some(e), ..Entered::default() },
    };
    page(&visit, entered).await
}
