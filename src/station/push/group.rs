//! A read as the JSON that OpenALPR's agents post for a group of plates, version 2. What a read does not know is left out;
//! what the format has no place for stands in `custom_data`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use plated_core::digest::Sha256;
use plated_core::record::ReadRecord;
use serde::Serialize;
use serde_json::{Value, json};

/// States of Canada, by their two letters.
const CANADA: [&str; 13] = ["AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"];

/// The message.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    data_type: &'static str,
    version: u32,
    epoch_start: i64,
    epoch_end: i64,
    frame_start: u64,
    frame_end: u64,
    company_id: String,
    agent_uid: String,
    agent_version: String,
    agent_type: &'static str,
    camera_id: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    gps_latitude: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gps_longitude: Option<f64>,
    country: &'static str,
    uuids: Vec<String>,
    plate_indexes: Vec<u32>,
    candidates: Vec<Candidate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vehicle_crop_jpeg: Option<String>,
    best_plate: BestPlate,
    best_confidence: f64,
    best_uuid: String,
    best_plate_number: String,
    best_region: String,
    best_region_confidence: f64,
    matches_template: bool,
    is_parked: bool,
    is_preview: bool,
    web_server_config: Value,
    custom_data: Value,
}

#[derive(Clone, Debug, Serialize)]
struct Candidate {
    plate: String,
    confidence: f64,
    matches_template: u32,
}

#[derive(Clone, Debug, Serialize)]
struct BestPlate {
    plate: String,
    confidence: f64,
    region: String,
    region_confidence: f64,
    matches_template: u32,
    plate_index: u32,
    coordinates: Vec<Corner>,
    candidates: Vec<Candidate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plate_crop_jpeg: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
struct Corner {
    x: i64,
    y: i64,
}

/// What is in a message beside the record.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The station that sends it.
    pub station: &'a str,
    /// Over the record, as the vehicle sealed it.
    pub sealed: Sha256,
    /// Text and state by the last correction; none where nobody corrected it.
    pub corrected: Option<(&'a str, &'a str)>,
    /// JPEG of the plate.
    pub plate: Option<&'a [u8]>,
    /// JPEG of the vehicle.
    pub overview: Option<&'a [u8]>,
}

impl Group {
    /// Of a read.
    pub fn of(record: &ReadRecord, about: About<'_>) -> Self {
        let (text, state) = about.corrected.unwrap_or((&record.text, &record.state));
        let country = if CANADA.contains(&state) { "ca" } else { "us" };
        let region = if state.is_empty() { String::new() } else { format!("{country}-{}", state.to_lowercase()) };
        let percent = |share: f32| f64::from(share) * 100.0;
        let candidate = |text: &str, share: f32| Candidate {
            plate: text.to_owned(),
            confidence: percent(share),
            matches_template: 0,
        };
        let candidates: Vec<Candidate> = match about.corrected {
            Some((text, _)) => vec![candidate(text, 1.0)],
            None => record.candidates.iter().map(|of| candidate(&of.text, of.confidence)).collect(),
        };
        let confidence = if about.corrected.is_some() { 100.0 } else { percent(record.confidence) };
        let frames = record.sightings.iter().map(|of| of.frame);
        let uuid = record.id.to_string();
        let position = record.position;
        Self {
            data_type: "alpr_group",
            version: 2,
            epoch_start: record.first_seen.as_millisecond(),
            epoch_end: record.last_seen.as_millisecond(),
            frame_start: frames.clone().min().unwrap_or_default(),
            frame_end: frames.max().unwrap_or_default(),
            company_id: about.station.to_owned(),
            agent_uid: format!("{}/{}", about.station, record.vehicle),
            agent_version: record.made_by.plated.clone(),
            agent_type: "plated",
            camera_id: camera_id(&record.vehicle, &record.camera),
            gps_latitude: position.map(|of| of.lat),
            gps_longitude: position.map(|of| of.lon),
            country,
            uuids: vec![uuid.clone()],
            plate_indexes: vec![0],
            vehicle_crop_jpeg: about.overview.map(|jpeg| STANDARD.encode(jpeg)),
            best_plate: BestPlate {
                plate: text.to_owned(),
                confidence,
                region: region.clone(),
                region_confidence: 0.0,
                matches_template: 0,
                plate_index: 0,
                coordinates: corners(record),
                candidates: candidates.clone(),
                plate_crop_jpeg: about.plate.map(|jpeg| STANDARD.encode(jpeg)),
            },
            candidates,
            best_confidence: confidence,
            best_uuid: uuid,
            best_plate_number: text.to_owned(),
            best_region: region,
            // The reader does not say how sure it is of the state.
            best_region_confidence: 0.0,
            matches_template: false,
            is_parked: false,
            is_preview: false,
            web_server_config: json!({"agent_label": record.vehicle, "camera_label": record.camera}),
            custom_data: json!({
                "vehicle": record.vehicle,
                "camera": record.camera,
                "sealed_sha256": about.sealed,
                "corrected": about.corrected.is_some(),
            }),
        }
    }
}

/// The format wants a number: the same for the same camera of the same vehicle, always.
fn camera_id(vehicle: &str, camera: &str) -> i32 {
    let hash = Sha256::of(format!("{vehicle}/{camera}").as_bytes()).0;
    i32::from_be_bytes([hash[0] & 0x7f, hash[1], hash[2], hash[3]])
}

fn corners(record: &ReadRecord) -> Vec<Corner> {
    record.best.corners.iter().map(|[x, y]| Corner { x: x.round() as i64, y: y.round() as i64 }).collect()
}
