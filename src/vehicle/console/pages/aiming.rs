//! Aiming a camera: its newest picture, how sharp it is, where plates count in it, and how large they will be. Each
//! look at a camera is on record before its first picture is shown; the pictures that follow belong to it.

use super::office::allow;
use crate::console::door::redirect;
use crate::console::routes::{Needs, Routes};
use crate::console::visit::Visit;
use crate::console::{Console, blocking, draw, forms, words};
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use plated_access::Duty;
use plated_core::error::{Error, Kind, Result};
use plated_core::text::sentence;
use plated_vision::capture::View;
use plated_vision::frame::Frame;
use plated_vision::optics::{FEW_PIXELS, plate_pixels};
use plated_vision::picture::{PictureFault, Quality};
use plated_web::pages::{AimBox, AimFigures, AimPart, CameraAim};
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Field, Form, Health, Input, Picture};

/// Quality of the JPEG of a camera that gives none.
const QUALITY: i32 = 85;
/// Without script the page loads itself again after so long.
const REFRESH_S: u32 = 5;
/// A picture is not the newest one any more after so many seconds.
const MAX_AGE_S: f64 = 3.0;
/// Distances in metres and angles in degrees that there are.
const DISTANCES: std::ops::RangeInclusive<f32> = 0.5..=200.0;
const ANGLES: std::ops::RangeInclusive<f32> = 1.0..=170.0;

pub fn routes(routes: Routes) -> Routes {
    routes
        .get("/cameras/{camera}", Needs::Look, page)
        .get("/cameras/{camera}/figures", Needs::Look, figures)
        .get("/cameras/{camera}/newest.jpg", Needs::Look, picture)
        .post("/cameras/{camera}/aimed", Needs::Look, aimed)
}

/// Whether a page asks for this by itself.
pub fn comes_by_itself(path: &str) -> bool {
    path.starts_with("/cameras/") && (path.ends_with("/figures") || path.ends_with("/newest.jpg"))
}

/// The newest picture of a camera, once that somebody looks at it is on record.
async fn newest(visit: &Visit, camera: &str) -> Result<Option<Frame>, Problem> {
    allow(visit, Duty::Configure).await?;
    let (console, look, camera) = (visit.console.clone(), visit.look()?.clone(), camera.to_owned());
    if !console.views.contains_key(&camera) {
        return Err(Error::new(Kind::NotFound, "there is no such camera").into());
    }
    blocking(move || {
        let permit = look.aim(&console, &camera)?;
        Ok((console.cameras.access.newest)(&permit, &camera))
    })
    .await
}

/// How sharp it is; decoding takes its time.
async fn measured(console: &Console, camera: &str, frame: Frame) -> Result<AimFigures, Problem> {
    let (wall, now, name) = (console.clock.wall(), console.clock.monotonic(), camera.to_owned());
    blocking(move || {
        let quality = Quality::of(&frame.picture, &*frame.picture.pixels()?);
        Ok(figures_of(&name, &frame, quality, now.saturating_sub(frame.monotonic).as_secs_f64(), wall))
    })
    .await
}

fn figures_of(camera: &str, frame: &Frame, quality: Option<Quality>, age: f64, wall: jiff::Timestamp) -> AimFigures {
    let sharpness = match quality.and_then(|quality| quality.fine) {
        Some(fine) => format!("{:.0}; the higher, the sharper", fine * 1000.0),
        None => "there is too little to see to tell".into(),
    };
    let fault = quality.and_then(|quality| quality.fault).map(|fault| match fault {
        PictureFault::Blurred => "blurred: focus or clean the lens",
        PictureFault::Black => "black: uncover the lens, or look after light and exposure",
        PictureFault::White => "white: shade the lens, or lower the exposure",
        PictureFault::Covered => "nothing can be seen: uncover the lens",
    });
    let old = age > MAX_AGE_S && !frame.recorded;
    let health = |is_bad| if is_bad { Health::Warning } else { Health::Good };
    let taken = if old { format!("taken {age:.0} s ago") } else { "now".into() };
    let (width, height) = frame.picture.size();
    AimFigures {
        src: format!("/cameras/{camera}/newest.jpg?n={}", frame.sequence),
        facts: vec![
            Fact::new("Sharpness", sharpness),
            Fact::new("Looks", fault.unwrap_or("as it should")).health(health(fault.is_some())),
            Fact::new("Picture", format!("{width} × {height}, {taken}")).health(health(old)),
            Fact::new("Shown", words::day_time(wall)),
        ],
    }
}

async fn page(visit: Visit, Path(camera): Path<String>) -> Result<Response, Problem> {
    let frame = newest(&visit, &camera).await?;
    let console = visit.console.clone();
    let size = frame.as_ref().map_or((0, 0), |frame| frame.picture.size());
    let view = console.views.get(&camera).cloned().unwrap_or_default();
    let (form, expected) = plate_size(&visit, &camera, size);
    let (mut boxes, legend) = areas(&view, size, expected);
    boxes.retain(|area| area.width > 0 && area.height > 0);
    let picture = frame.as_ref().map(|frame| Picture {
        src: format!("/cameras/{camera}/newest.jpg?n={}", frame.sequence),
        alt: format!("What the camera {camera} sees"),
        width: size.0.unsigned_abs(),
        height: size.1.unsigned_abs(),
    });
    let figures = match frame {
        Some(frame) => Some(measured(&console, &camera, frame).await?),
        None => None,
    };
    let aim = (console.cameras.access.aim)(&camera);
    let usual = match (&aim.moved, aim.is_known) {
        (Some(moved), _) => sentence(&words::capital(moved)),
        (None, true) => "It is known, and plates are where they usually are.".into(),
        (None, false) => "It is being learned from the first 200 plates.".into(),
    };
    let mut around = visit.frame_in(&format!("Camera {camera}"), "Office", "/cameras").await?;
    around.refresh_s = REFRESH_S;
    around.messages.extend(forms::done(&visit, &[("aimed", "Where plates usually are is being learned anew.")]));
    let plate = expected.map(|pixels| {
        let few = pixels < FEW_PIXELS;
        let advice = if few { "; too few to be read well: a longer lens, or nearer plates" } else { "" };
        let health = if few { Health::Warning } else { Health::Good };
        Fact::new("A plate has", format!("{pixels:.0} pixels in width{advice}")).health(health)
    });
    let anew = Form {
        action: format!("/cameras/{camera}/aimed"),
        csrf: visit.csrf.clone(),
        button: "It is aimed rightly: learn anew".into(),
        ..Form::default()
    };
    let figures_at = format!("/cameras/{camera}/figures");
    let plate = plate.into_iter().collect();
    let page = CameraAim { frame: around, picture, figures_at, boxes, legend, figures, plate, size: form, usual, anew };
    Ok(draw(&page)?.into_response())
}

/// The form for distance and lens, and the pixels that a plate will have, where both are given.
fn plate_size(visit: &Visit, camera: &str, size: (i32, i32)) -> (Form, Option<f32>) {
    let given = |name: &str, range: std::ops::RangeInclusive<f32>| {
        visit.query.get(name).trim().parse::<f32>().ok().filter(|number| range.contains(number))
    };
    let field = |name: &str, label: &str, hint: &str, range: std::ops::RangeInclusive<f32>| {
        let text = visit.query.get(name).trim().to_owned();
        let wrong = !text.is_empty() && given(name, range.clone()).is_none();
        let field = Field::new(Input::Text, name, label).hint(hint).value(text).max(8);
        if wrong { field.error(format!("Give a number from {} to {}", range.start(), range.end())) } else { field }
    };
    let form = Form {
        action: format!("/cameras/{camera}"),
        button: "Compute".into(),
        fields: vec![
            field("distance", "Distance in metres", "From the camera to the plates", DISTANCES),
            field("view", "Angle of view in degrees", "From left to right; the lens's data sheet says it", ANGLES),
        ],
        ..Form::default()
    };
    let expected = given("distance", DISTANCES).zip(given("view", ANGLES));
    let pixels = expected.map(|(metres, degrees)| plate_pixels(size.0, metres, degrees));
    (form, pixels.filter(|pixels| pixels.is_finite() && size.0 > 0))
}

/// What is drawn over the picture, and what it means.
fn areas(view: &View, size: (i32, i32), plate: Option<f32>) -> (Vec<AimBox>, Vec<(&'static str, &'static str)>) {
    let of = |kind, [x, y, width, height]: [i32; 4]| AimBox { kind, x, y, width, height };
    let mut boxes: Vec<AimBox> = view.ignore.iter().map(|area| of("ignored", area.pixels(size))).collect();
    let mut legend = Vec::new();
    let region = match view.region {
        Some(region) => region.pixels(size),
        None => [0, size.1 / 4, size.0, size.1 - size.1 / 4],
    };
    boxes.push(of("region", region));
    legend.push(("region", if view.region.is_some() { "Plates count here" } else { "Plates should be here" }));
    if !view.ignore.is_empty() {
        legend.push(("ignored", "Plates do not count here"));
    }
    if let Some(pixels) = plate {
        let width = (pixels as i32).clamp(1, size.0.max(1));
        let (x, y) = (region[0] + (region[2] - width) / 2, region[1] + (region[3] - width / 2) / 2);
        boxes.push(of("expected", [x, y, width, width / 2]));
        legend.push(("expected", "A plate at this distance"));
    }
    (boxes, legend)
}

async fn figures(visit: Visit, Path(camera): Path<String>) -> Result<Response, Problem> {
    let none = || Error::new(Kind::NotFound, "this camera has given no picture yet");
    let frame = newest(&visit, &camera).await?.ok_or_else(none)?;
    let part = measured(&visit.console, &camera, frame).await?;
    Ok(draw(&AimPart { part })?.into_response())
}

async fn picture(visit: Visit, Path(camera): Path<String>) -> Result<Response, Problem> {
    let none = || Error::new(Kind::NotFound, "this camera has given no picture yet");
    let frame = newest(&visit, &camera).await?.ok_or_else(none)?;
    let jpeg = blocking(move || frame.picture.jpeg(QUALITY)).await?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg.to_vec()).into_response())
}

/// The camera is aimed rightly by now, which is on record before anything is forgotten.
async fn aimed(visit: Visit, Path(camera): Path<String>) -> Result<Response, Problem> {
    newest(&visit, &camera).await?;
    let (console, look, name) = (visit.console.clone(), visit.look()?.clone(), camera.clone());
    blocking(move || {
        look.aimed_anew(&console, &name)?;
        (console.cameras.access.learn_anew)(&name);
        Ok(())
    })
    .await?;
    Ok(redirect(&format!("/cameras/{camera}?done=aimed")))
}
