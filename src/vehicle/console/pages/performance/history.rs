//! Results as rows and as a chart.

use crate::console::words;
use crate::store::KeptTest;
use jiff::Timestamp;
use plated_core::performance::{Counts, Method, Rate};
use plated_web::chart::{Chart, Series};
use plated_web::pages::{RateText, TestRow};
use plated_web::ui::{Field, Form, Input};

/// Tests in the chart, the newest.
const CHARTED: usize = 24;
/// Lines that can be told apart.
const LINES: usize = 4;

/// Shows the tests of one camera; none where there is one at most.
pub fn find(tests: &[KeptTest], wanted: &str) -> Option<Form> {
    let cameras = cameras(tests);
    (cameras.len() > 1 || !wanted.is_empty()).then(|| {
        let every = [(String::new(), "All cameras".to_owned())];
        let named = cameras.into_iter().filter(|camera| !camera.is_empty());
        let choices = every.into_iter().chain(named.map(|camera| (camera.to_owned(), words::title(camera))));
        let field = Field::new(Input::Select, "of", "Camera").choices(choices).value(wanted);
        Form { action: super::PAGE.into(), button: "Show".into(), fields: vec![field], ..Form::default() }
    })
}

/// Of tests, newest first: the cameras, that of the newest first.
fn cameras(tests: &[KeptTest]) -> Vec<&str> {
    let mut cameras = Vec::new();
    for camera in tests.iter().map(|kept| kept.test.camera.as_str()) {
        if !cameras.contains(&camera) {
            cameras.push(camera);
        }
    }
    cameras
}

fn name(camera: &str) -> String {
    if camera.is_empty() { "No camera".into() } else { words::title(camera) }
}

/// A row of the table.
pub fn row(kept: &KeptTest, now: Timestamp) -> TestRow {
    let test = &kept.test;
    let counts = &test.counts;
    let set = match &test.method {
        // Enough of the digest to see whether two results are of the same set.
        Method::Replay { set, sha256, .. } => format!("{set} ({:.8})", sha256.to_string()),
        Method::Drive { .. } => "Drive".into(),
    };
    TestRow {
        at: words::moment(test.at, now),
        camera: if test.camera.is_empty() { String::new() } else { words::title(&test.camera) },
        set,
        capture: text(counts.capture()),
        accuracy: text(counts.accuracy()),
        end_to_end: text(counts.end_to_end()),
        plates: words::number(counts.plates),
        signed: test.tester.to_string(),
        note: if kept.genuine { test.note.clone() } else { "Not as it was signed".into() },
    }
}

fn text(rate: Rate) -> RateText {
    let percent = |share: f64| format!("{:.1}", share * 100.0);
    match (rate.value(), rate.interval()) {
        (Some(value), Some((low, high))) => RateText {
            value: format!("{} %", percent(value)),
            interval: format!("{} to {} %", percent(low), percent(high)),
        },
        _ => RateText { value: "–".into(), interval: String::new() },
    }
}

/// The newest tests over time: of one camera all three rates, of several the product of each.
pub fn chart(tests: &[KeptTest], now: Timestamp) -> Option<Chart> {
    let mut tests: Vec<&KeptTest> = tests.iter().take(CHARTED).collect();
    tests.reverse();
    if tests.len() < 2 {
        return None;
    }
    let series = |name: String, value: &dyn Fn(&KeptTest) -> Option<f64>| Series {
        name,
        values: tests.iter().map(|kept| value(kept)).collect(),
    };
    let newest_first: Vec<KeptTest> = tests.iter().rev().map(|kept| (*kept).clone()).collect();
    let cameras = cameras(&newest_first);
    let of = |rate: fn(&Counts) -> Rate| move |kept: &KeptTest| rate(&kept.test.counts).value();
    let (what, series) = match cameras[..] {
        [camera] => (
            format!("Capture rate, read accuracy and their product of {}", name(camera).to_lowercase()),
            vec![
                series("Capture rate".into(), &of(Counts::capture)),
                series("Read accuracy".into(), &of(Counts::accuracy)),
                series("End to end".into(), &of(Counts::end_to_end)),
            ],
        ),
        _ => (
            "Plates read exactly of those that a person can read, by camera".into(),
            cameras
                .iter()
                .take(LINES)
                .map(|camera| {
                    let value = |kept: &KeptTest| {
                        (kept.test.camera == *camera).then(|| kept.test.counts.end_to_end().value()).flatten()
                    };
                    series(name(camera), &value)
                })
                .collect(),
        ),
    };
    let labels: Vec<String> = tests.iter().map(|kept| words::moment(kept.test.at, now).text).collect();
    let (first, last) = (labels.first()?, labels.last()?);
    let summary = format!("{what}, in {} tests from {first} to {last}; the figures stand in the table.", tests.len());
    Some(Chart { summary, labels, series })
}
