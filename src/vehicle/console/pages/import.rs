//! Bringing in the file of a list: sent, looked at, and only then taken by the same import as anywhere (control P-05).
//! What is shown of it are counts and the places of mistakes, and no plate.

use crate::console::door::redirect;
use crate::console::forms::{self, Wrong};
use crate::console::pages::office::allow;
use crate::console::routes::{Needs, Routes};
use crate::console::uploads::Upload;
use crate::console::visit::Visit;
use crate::console::{blocking, draw, words};
use crate::control::{Incoming, Preview};
use crate::store::By;
use axum::Extension;

use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use plated_access::{Duty, Reason};
use plated_core::error::{Context, Error, Kind};
use plated_core::text::{count, sentence};
use plated_hotlist::LineProblem;
use plated_web::fields::Fields;
use plated_web::pages::{LineRow, ListImport, ListPreview};
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Field, Form, Health, Input, Link};
use plated_web::upload::{Part, Upload as Sent};
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// Where a file is sent to.
pub const IMPORT: &str = "/lists/import";
/// Largest file. Larger ones come by `plated hotlist import`, whose file is on this computer or comes by its socket.
const MAX_BYTES: usize = 1 << 30;
/// Lines with mistakes that are shown.
const MAX_LINES: usize = 50;
/// A large list is read in less; what takes longer goes on while the page of the lists is shown.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(20);

pub fn routes(routes: Routes) -> Routes {
    routes
        .get(IMPORT, Needs::Session, page)
        .upload(IMPORT, Needs::Session, MAX_BYTES, send)
        .post("/lists/import/accept", Needs::Session, accept)
        .post("/lists/import/discard", Needs::Session, discard)
}

/// Names of the lists that can be brought in here: none that is covert.
async fn lists(visit: &Visit) -> Result<Vec<String>, Problem> {
    allow(visit, Duty::ManageLists).await?;
    let console = visit.console.clone();
    let report = blocking(move || Ok(console.status())).await?;
    Ok(report.lists.iter().filter(|list| !list.covert).map(|list| list.name.clone()).collect())
}

fn kept(visit: &Visit) -> Result<Option<Arc<Upload>>, Problem> {
    Ok(visit.console.uploads.of(visit.visitor()?.session.id))
}

async fn page(visit: Visit) -> Result<Response, Problem> {
    let lists = lists(&visit).await?;
    match kept(&visit)? {
        Some(upload) => preview_page(&visit, &upload, &Wrong::default(), "").await,
        None => form_page(&visit, lists, "", &Wrong::default()).await,
    }
}

async fn form_page(visit: &Visit, lists: Vec<String>, list: &str, wrong: &Wrong) -> Result<Response, Problem> {
    let mut form = Form { upload: true, ..visit.form(IMPORT, "Look at the file") };
    form.fields = vec![
        Field::new(Input::Select, "list", "List")
            .choices(lists.into_iter().map(|name| (name.clone(), name)))
            .value(list),
        Field::new(Input::DateTime, "dated", "Made at").hint("Only where the file itself has no date"),
        Field::new(Input::File, "file", "File").hint("As it comes from the source: packed or not").required(),
    ];
    form.cancel = Some(Link::new("Back", "/lists"));
    wrong.mark(&mut form);
    let mut frame = visit.frame_in("Import a list", "Office", "/lists").await?;
    frame.messages.extend(wrong.message());
    Ok((wrong.status(), draw(&ListImport { frame, form: Some(form), preview: None })?).into_response())
}

/// What came with a file.
#[derive(Default)]
struct Arrived {
    list: String,
    dated: String,
    file: Option<(String, crate::lists::IncomingFile)>,
}

async fn send(visit: Visit, mut sent: Sent) -> Result<Response, Problem> {
    let lists = lists(&visit).await?;
    let mut arrived = Arrived::default();
    while let Some(part) = sent.next().await? {
        match part.name.as_str() {
            "list" => arrived.list = part.text().await?,
            "dated" => arrived.dated = part.text().await?,
            "file" => arrived.file = take_in(&visit, part).await?,
            _ => {}
        }
    }
    let Arrived { list, dated, file } = arrived;
    let wrong = |field, what: &str| Wrong::field(field, what);
    if !lists.contains(&list) {
        return form_page(&visit, lists, "", &wrong("list", "Choose one of these.")).await;
    }
    let Ok(dated) = moment(&dated) else {
        return form_page(&visit, lists, &list, &wrong("dated", "Give a day and a time, or nothing.")).await;
    };
    let Some((file_name, file)) = file else {
        return form_page(&visit, lists, &list, &wrong("file", "Choose the file of the list.")).await;
    };
    let (console, name) = (visit.console.clone(), list.clone());
    let looked = blocking(move || {
        let preview = console.officers.preview(&name, &Incoming::file(file.path(), dated));
        // What is wrong with the file is for whoever sent it, not a failure of the page.
        match preview {
            Ok(preview) => Ok(Ok((file, preview))),
            Err(e) if matches!(e.kind(), Kind::Input | Kind::Config | Kind::Damaged) => Ok(Err(e)),
            Err(e) => Err(e),
        }
    });
    let (file, preview) = match looked.await? {
        Ok(looked) => looked,
        Err(e) => return form_page(&visit, lists, &list, &wrong("file", &sentence(&words::capital(&e.chain())))).await,
    };
    visit.console.uploads.keep(visit.visitor()?.session.id, Upload { list, file_name, dated, file, preview })?;
    Ok(redirect(IMPORT))
}

/// The file, under a name of its own in the folder of the lists; none when no file was chosen.
async fn take_in(visit: &Visit, mut part: Part<'_>) -> Result<Option<(String, crate::lists::IncomingFile)>, Problem> {
    let name = plain(part.file_name.as_deref().unwrap_or_default());
    if name.is_empty() {
        return Ok(None);
    }
    let failed = || "could not take in the list's file".to_owned();
    let (console, called) = (visit.console.clone(), OsString::from(&name));
    let (incoming, mut file) = blocking(move || {
        let incoming = console.officers.incoming(&called)?;
        // Not by `durable`: it goes when it is decided on, and an import writes its own copy.
        let file = File::create_new(incoming.path()).context(Kind::Storage, failed)?;
        Ok((incoming, file))
    })
    .await?;
    while let Some(chunk) = part.chunk().await? {
        file = blocking(move || {
            file.write_all(&chunk).context(Kind::Storage, failed)?;
            Ok(file)
        })
        .await?;
    }
    Ok(Some((name, incoming)))
}

/// The name of a file without folders and odd characters; its end can tell the format.
fn plain(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept = name.chars().filter(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).take(100).collect::<String>();
    kept.trim_start_matches('.').to_owned()
}

fn moment(text: &str) -> Result<Option<Timestamp>, ()> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let local = DateTime::strptime("%Y-%m-%dT%H:%M", text.trim()).map_err(drop)?;
    Ok(Some(local.to_zoned(TimeZone::system()).map_err(drop)?.timestamp()))
}

async fn preview_page(visit: &Visit, upload: &Upload, wrong: &Wrong, why: &str) -> Result<Response, Problem> {
    let Preview { report, dated, refusals } = &upload.preview;
    let refused = !refusals.is_empty();
    let mut accept = visit.form("/lists/import/accept", "Bring into force");
    accept.fields =
        vec![Field::new(Input::Text, "reason", "Why it is brought in by hand").required().max(300).value(why)];
    if refused {
        accept.fields.push(Field::new(Input::Check, "force", "Bring it into force all the same"));
    }
    wrong.mark(&mut accept);
    let verdict = match refused {
        true => (Health::Bad, "This file would be refused.".to_owned()),
        false if report.bad > 0 => (Health::Warning, "It can come into force; some lines are left out.".to_owned()),
        false => (Health::Good, "It can come into force.".to_owned()),
    };
    let number = words::number;
    let facts = vec![
        Fact::new("List", upload.list.clone()),
        Fact::new("File", upload.file_name.clone()),
        Fact::new("Dated", dated.map_or_else(|| "not known".into(), words::day_time)),
        Fact::new("Lines", number(report.lines)),
        Fact::new("Entries", number(report.entries)),
        Fact::new("Partial plates", number(report.partials)),
        Fact::new("Set aside", number(report.set_aside)),
        Fact::new("With mistakes", number(report.bad)).health(if report.bad > 0 {
            Health::Warning
        } else {
            Health::Good
        }),
    ];
    let row = |kind: &'static str| {
        move |p: &LineProblem| LineRow {
            line: words::number(p.line),
            kind,
            field: p.field.to_owned(),
            what: sentence(&words::capital(&p.reason)),
        }
    };
    let problems = report.bad_lines.iter().map(row("Left out"));
    let problems = problems.chain(report.set_aside_lines.iter().map(row("Set aside")));
    let lines: Vec<_> = problems.chain(report.noted_lines.iter().map(row("Remark"))).take(MAX_LINES).collect();
    let all = report.bad + report.set_aside + report.noted;
    let more = all.saturating_sub(lines.len() as u64);
    let mut frame = visit.frame_in("Import a list", "Office", "/lists").await?;
    frame.messages.extend(wrong.message());
    let preview = ListPreview {
        verdict,
        refusals: refusals.iter().map(|why| sentence(&words::capital(why))).collect(),
        facts,
        lines,
        more: if more > 0 {
            format!("{} more are not shown.", words::capital(&count(more, "line")))
        } else {
            String::new()
        },
        accept,
        discard: visit.form("/lists/import/discard", "Take another file"),
    };
    Ok((wrong.status(), draw(&ListImport { frame, form: None, preview: Some(preview) })?).into_response())
}

/// Brings what was looked at into force, by the same import as anywhere; either is on record.
async fn accept(visit: Visit, Extension(fields): Extension<Fields>) -> Result<Response, Problem> {
    allow(&visit, Duty::ManageLists).await?;
    let Some(upload) = kept(&visit)? else { return Ok(redirect(IMPORT)) };
    let why = forms::line(fields.get("reason"));
    let force = fields.get("force") == "on";
    let reason = match Reason::new(&why) {
        Ok(reason) => reason,
        Err(e) => {
            let wrong = Wrong::field("reason", sentence(&words::capital(&e.to_string())));
            return preview_page(&visit, &upload, &wrong, &why).await;
        }
    };
    if !upload.preview.refusals.is_empty() && !force {
        let wrong = Wrong::field("force", "Say that it is to come into force all the same, or take another file.");
        return preview_page(&visit, &upload, &wrong, &why).await;
    }
    let (console, session) = (visit.console.clone(), visit.visitor()?.session.clone());
    let by = By { who: session.actor(), reason };
    let taken = upload.clone();
    let work = tokio::task::spawn_blocking(move || {
        let incoming = Incoming::file(taken.file.path(), taken.dated);
        let imported = console.officers.import(&taken.list, incoming, force, &by);
        if imported.is_ok() {
            console.uploads.end(session.id);
        }
        imported
    });
    match tokio::time::timeout(IMPORT_TIMEOUT, work).await {
        Err(_) => Ok(redirect("/lists?done=importing")),
        Ok(Ok(Ok(imported))) if imported.unchanged => Ok(redirect("/lists?done=unchanged")),
        Ok(Ok(Ok(_))) => Ok(redirect("/lists?done=imported")),
        Ok(Ok(Err(e))) => preview_page(&visit, &upload, &Wrong::of(e)?, &why).await,
        Ok(Err(e)) => Err(Error::new(Kind::Internal, format!("an import failed by a defect: {e}")).into()),
    }
}

async fn discard(visit: Visit) -> Result<Response, Problem> {
    allow(&visit, Duty::ManageLists).await?;
    visit.console.uploads.end(visit.visitor()?.session.id);
    Ok(redirect(IMPORT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_name_of_a_file_leads_to_no_other_folder() {
        for (name, expected) in [
            ("svs.tbl", "svs.tbl"),
            ("C:\\lists\\SVS 7.zip", "SVS7.zip"),
            ("../../etc/passwd", "passwd"),
            ("..", ""),
            (".hidden", "hidden"),
            ("a\0b\n.csv", "ab.csv"),
            ("", ""),
        ] {
            assert_eq!(plain(name), expected, "{name:?}");
            assert!(Path::new(&plain(name)).components().count() <= 1);
        }
    }
}
