//! What the station has to understand of a record: who made it, where, when, what was read, and its pictures. A newer
//! vehicle may write what it likes beside it.

use super::super::archive::{Class, Envelope, PictureRef};
use super::bounds;
use jiff::Timestamp;
use plated_core::digest::Sha256;
use plated_core::name::is_plain_name;
use plated_core::plate::PlateText;
use plated_core::record::Position;
use plated_core::wire::batch::SealedRead;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use uuid::Uuid;

#[derive(Deserialize)]
struct Known {
    id: Uuid,
    vehicle: String,
    camera: String,
    text: String,
    #[serde(default)]
    state: String,
    confidence: f32,
    first_seen: Timestamp,
    last_seen: Timestamp,
    #[serde(default)]
    position: Option<Position>,
    #[serde(default)]
    canvass: Option<String>,
    #[serde(default)]
    site: Option<String>,
    #[serde(default)]
    images: Vec<KnownPicture>,
    #[serde(default)]
    hits: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct KnownPicture {
    role: String,
    sha256: Sha256,
    bytes: u32,
}

/// Most pictures of one read.
const MAX_PICTURES: usize = 16;

/// The envelope of a read of `vehicle`, or of a vehicle of the station `vehicle`, or why it is not taken. The reason quotes
/// nothing of it.
pub(super) fn open(vehicle: &str, read: &SealedRead, is_station: bool) -> Result<Envelope, String> {
    let refuse = |reason: &str| Err(reason.to_owned());
    if read.record.len() > bounds::MAX_RECORD_BYTES {
        return refuse("the record has more than 1 MiB");
    }
    if Sha256::of(&read.record) != read.sha256 {
        return refuse("the hash does not fit the record; it was changed on the way or in the vehicle's store");
    }
    // Only the place: the parser's own message may quote the plate.
    let at = |e: serde_json::Error| format!("the record is not a read (line {}, column {})", e.line(), e.column());
    let known: Known = serde_json::from_slice(&read.record).map_err(at)?;
    if known.id != read.id {
        return refuse("the record has another id than the read");
    }
    if read.id.get_version_num() != 7 {
        return refuse("the id is not a UUID of version 7");
    }
    let name = match is_station {
        // Two departments may have vehicles of one name.
        true if is_plain_name(&known.vehicle) => format!("{vehicle}/{}", known.vehicle),
        true => return refuse("vehicle is not 1 to 64 letters, digits, '-', '_' or '.'"),
        false if known.vehicle == vehicle => known.vehicle,
        false => return refuse("the record names another vehicle"),
    };
    let json: Value = serde_json::from_slice(&read.record).map_err(at)?;
    if let Some(why) = bounds::violation(&json) {
        return Err(format!("in the record {why}"));
    }
    if known.images.len() > MAX_PICTURES {
        return Err(format!("the record names more than {MAX_PICTURES} pictures"));
    }
    if known.text.is_empty() {
        return refuse("in the record text is empty");
    }
    Ok(Envelope {
        vehicle: name,
        camera: known.camera,
        key: PlateText::normalise(&known.text).key().as_str().to_owned(),
        text: known.text,
        state: known.state,
        confidence: known.confidence,
        first_seen: known.first_seen,
        last_seen: known.last_seen,
        position: known.position,
        has_hit: !known.hits.is_empty(),
        class: Class::of(!known.hits.is_empty(), known.canvass.is_some(), known.site.is_some()),
        canvass: known.canvass,
        site: known.site,
        pictures: known
            .images
            .into_iter()
            .map(|KnownPicture { role, sha256, bytes }| PictureRef { role, sha256, bytes })
            .collect(),
    })
}
