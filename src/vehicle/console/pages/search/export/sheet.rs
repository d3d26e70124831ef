//! The reads of an export as a page to print, with their pictures.

use super::{Exported, ExportedRead};
use crate::console::visit::Visit;
use crate::console::{door, draw, words};
use axum::response::{IntoResponse, Response};
use plated_core::error::Result;
use plated_core::record::ImageRole;
use plated_core::text::count;
use plated_web::Frame;
use plated_web::pages::{Shape, Sheet, SheetRead};
use plated_web::plate::Plate;
use plated_web::problem::Problem;
use plated_web::ui::{Fact, Link, Picture};

pub fn page(visit: &Visit, search: &str, exported: Exported) -> Result<Response, Problem> {
    let purposes = &visit.console.access.purposes;
    let purpose = purposes.iter().find(|p| p.name.as_str() == exported.purpose).map_or("", |p| p.text.as_str());
    let facts = vec![
        Fact::new("Exported", words::day_time(exported.exported)),
        Fact::new("By", exported.by),
        Fact::new("Purpose", purpose),
        Fact::new("Case", exported.case),
        Fact::new("For", exported.reason),
        Fact::new("Vehicle", visit.console.vehicle.clone()),
    ];
    let title = count(exported.reads.len() as u64, "read");
    let sheet = Sheet {
        frame: Frame { shape: Shape::Full, ..visit.alone(&words::capital(&title)) },
        facts,
        reads: exported.reads.into_iter().map(read).collect(),
        back: Link::new("Back to the result", format!("/search/{search}")),
    };
    Ok(draw(&sheet)?.into_response())
}

fn read(read: ExportedRead) -> SheetRead {
    let picture = |role: ImageRole, alt: &str, width, height| Picture {
        src: format!("{}{}/{}.jpg", door::PICTURES, read.read, role.as_str()),
        alt: alt.into(),
        width,
        height,
    };
    let place = match (read.latitude, read.longitude) {
        (Some(lat), Some(lon)) => format!("{lat:.5}, {lon:.5}"),
        _ => "not known".into(),
    };
    let corrected = (read.plate != read.read_as || read.state != read.read_as_state)
        .then(|| Fact::new("Read as", format!("{} {}", read.read_as, read.read_as_state)));
    let hits = (!read.hit_lists.is_empty()).then(|| Fact::new("Listed in", read.hit_lists.join(", ")));
    let facts = [
        Some(Fact::new("Seen", words::day_time(read.last_seen))),
        Some(Fact::new("Camera", read.camera)),
        Some(Fact::new("Position", place)),
        Some(Fact::new("Confidence", format!("{:.0} %", (f64::from(read.confidence) * 100.0).floor()))),
        corrected,
        hits,
        Some(Fact::new("Read", read.read.to_string())),
    ];
    SheetRead {
        plate: Plate::new(&read.plate, &read.state),
        crop: picture(ImageRole::Plate, "Plate as the camera saw it", 320, 160),
        overview: picture(ImageRole::Overview, "Vehicle as the camera saw it", 800, 450),
        facts: facts.into_iter().flatten().collect(),
    }
}
