//! Reads as rows of a list.

use super::{Console, scope, words};
use crate::store::{Found, KeptRead};
use jiff::Timestamp;
use plated_access::{Recorded, Role, Scope, Search};
use plated_core::record::{ImageRole, ReadRecord};
use plated_web::pages::{Confidence, ReadRow};
use plated_web::plate::Plate;
use plated_web::ui::{Picture, Urgency};

/// A read as a row; `hits` says which of its hits may be seen, if any.
pub fn row(console: &Console, read: &ReadRecord, hits: Option<&Scope>, now: Timestamp) -> ReadRow {
    let urgency = hits.and_then(|seen| scope::urgency(&read.hits, seen, console.officers.settings()));
    ReadRow {
        id: read.id.to_string(),
        href: format!("/reads/{}", read.id),
        plate: Plate::new(&read.text, &read.state),
        crop: picture(read, ImageRole::Plate),
        confidence: Confidence(read.confidence),
        camera: read.camera_label(),
        at: words::moment(read.last_seen, now),
        place: place(read),
        urgency: urgency.map(Urgency),
        corrected: false,
    }
}

/// A read that a search found, as a row.
pub fn found(read: &Found, now: Timestamp) -> ReadRow {
    let (text, state) = match &read.corrected {
        Some(corrected) => (&corrected.text, &corrected.state),
        None => (&read.text, &read.state),
    };
    let src = format!("{}{}/{}.jpg", super::door::PICTURES, read.id, ImageRole::Plate.as_str());
    let crop = Picture { src, alt: "Plate as the camera saw it".into(), width: 320, height: 160 };
    ReadRow {
        id: read.id.to_string(),
        href: format!("/reads/{}", read.id),
        plate: Plate::new(text, state),
        crop: Some(crop),
        confidence: Confidence(read.confidence),
        camera: read.camera.clone(),
        at: words::moment(read.last_seen, now),
        place: String::new(),
        urgency: None,
        corrected: read.corrected.is_some(),
    }
}

/// A read with its corrections as a row: as it was corrected last.
pub fn kept(console: &Console, kept: &KeptRead, hits: Option<&Scope>, now: Timestamp) -> ReadRow {
    let mut row = row(console, &kept.record, None, now);
    let urgency = hits.and_then(|hits| scope::urgency(kept.hits(), hits, console.officers.settings()));
    row.urgency = urgency.map(Urgency);
    if let Some(last) = kept.corrections.first() {
        row.plate = Plate::new(&last.corrected.text, &last.corrected.state);
        row.corrected = true;
    }
    row
}

/// The row as somebody of this role has it: without a way to the read's page where they may not see that.
pub fn reached(row: ReadRow, role: Role) -> ReadRow {
    if Search::ROLES.contains(&role) { row } else { ReadRow { href: String::new(), ..row } }
}

/// Where a read was made, to about a metre, and which way the vehicle went; empty without a position.
pub fn place(read: &ReadRecord) -> String {
    let Some(position) = read.position else { return String::new() };
    let going = position.heading.map_or_else(String::new, |degrees| format!(", going {}", compass(degrees)));
    format!("{:.5}, {:.5}{going}", position.lat, position.lon)
}

/// A direction as one of eight.
pub fn compass(degrees: f32) -> &'static str {
    const DIRECTIONS: [&str; 8] =
        ["north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest"];
    let eighth = (degrees.rem_euclid(360.0) / 45.0).round() as usize;
    DIRECTIONS.get(eighth).unwrap_or(&DIRECTIONS[0])
}

/// The first picture of this sort.
pub fn picture(read: &ReadRecord, role: ImageRole) -> Option<Picture> {
    read.images.iter().find(|image| image.role == role)?;
    let (alt, width, height) = match role {
        ImageRole::Plate => ("Plate as the camera saw it", 320, 160),
        ImageRole::Overview => ("Vehicle as the camera saw it", 800, 450),
    };
    let src = format!("{}{}/{}.jpg", super::door::PICTURES, read.id, role.as_str());
    Some(Picture { src, alt: alt.into(), width, height })
}

#[cfg(test)]
mod tests {
    use super::compass;

    #[test]
    fn a_direction_is_told_as_one_of_eight() {
        for (degrees, direction) in
            [(0.0, "north"), (22.0, "north"), (23.0, "northeast"), (181.0, "south"), (359.0, "north")]
        {
            assert_eq!(compass(degrees), direction, "{degrees}");
        }
        assert_eq!(compass(f32::NAN), "north");
    }
}
