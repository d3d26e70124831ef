//! Results, as text and as JSON.

use crate::cli::ask::{local, print_json};
use crate::cli::say;
use crate::performance::Miss;
use crate::store::{DriveTest, KeptTest};
use plated_core::error::Result;
use plated_core::officers::Reading;
use plated_core::performance::{Method, PerformanceTest, Rate};
use plated_core::text::count;
use serde_json::{Value, json};

/// One result, with everything that is known of it.
pub fn test(kept: &KeptTest, json: bool) -> Result<()> {
    let KeptTest { number, test, .. } = kept;
    let counts = &test.counts;
    if json {
        let rates = json!({
            "capture": rate_json(counts.capture()), "accuracy": rate_json(counts.accuracy()),
            "end_to_end": rate_json(counts.end_to_end()),
        });
        return print_json(&json!({"test": kept, "rates": rates}));
    }
    let note = if test.note.is_empty() { String::new() } else { format!("  ({})", test.note) };
    say(format_args!("test {number}  {}  {}  {}  by {}{note}", local(test.at), camera(test), set(test), test.tester))?;
    if !kept.genuine {
        say(format_args!("It is not what this vehicle signed: it was changed, or another key was in use."))?;
    }
    say(format_args!(
        "plates {}, found {}, read exactly {} (the text alone {}, with O and 0 as one {}), extra reads {}",
        counts.plates, counts.found, counts.exact, counts.texts, counts.folded, counts.extra
    ))?;
    let rates =
        [("capture rate", counts.capture()), ("read accuracy", counts.accuracy()), ("end to end", counts.end_to_end())];
    for (name, rate) in rates {
        say(format_args!("{name:<14} {}", rate_text(rate)))?;
    }
    let unknown = |version: &str| if version.is_empty() { "unknown".to_owned() } else { version.to_owned() };
    let made_by = &test.made_by;
    say(format_args!(
        "read by plated {}, detector {}, reader {}",
        made_by.plated,
        unknown(&made_by.detector),
        unknown(&made_by.reader)
    ))?;
    match &test.method {
        Method::Replay { sha256, files, .. } => {
            say(format_args!("{}, digest of the set {sha256}", count(*files, "file")))
        }
        Method::Drive { from, until } => say(format_args!("driven from {} to {}", local(*from), local(*until))),
    }
}

/// One result among others.
pub fn line(kept: &KeptTest) -> Result<()> {
    let KeptTest { number, test, genuine } = kept;
    let counts = &test.counts;
    let percent = |rate: Rate| rate.value().map_or("–".into(), |v| format!("{:.1} %", v * 100.0));
    let doubt = if *genuine { "" } else { "  NOT AS IT WAS SIGNED" };
    say(format_args!(
        "{number:>4}  {}  {}  {}  {}  capture {}, accuracy {}, end to end {}  by {}{doubt}",
        local(test.at),
        camera(test),
        set(test),
        count(counts.plates, "plate"),
        percent(counts.capture()),
        percent(counts.accuracy()),
        percent(counts.end_to_end()),
        test.tester
    ))
}

/// A drive test that is going on.
pub fn drive(drive: &DriveTest, json: bool) -> Result<()> {
    if json {
        return print_json(&json!({ "drive_test": drive }));
    }
    say(format_args!(
        "{} tests the camera {} since {}: {} entered",
        drive.by,
        drive.camera,
        local(drive.started),
        count(drive.plates, "plate")
    ))
}

/// A plate that was missed or misread.
pub fn miss(miss: &Miss, json: bool) -> Result<()> {
    if json {
        return print_json(&json!({ "miss": miss }));
    }
    let reading = |Reading { text, state }: &Reading| format!("{text} {}", if state.is_empty() { "--" } else { state });
    let read = miss.read.as_ref().map_or("not read".into(), |read| format!("read as {}", reading(read)));
    let file = if miss.file.is_empty() { String::new() } else { format!("  {}", miss.file) };
    say(format_args!("  {}  {read}{file}", reading(&miss.plate)))
}

fn camera(test: &PerformanceTest) -> String {
    if test.camera.is_empty() { "no camera".into() } else { format!("camera {}", test.camera) }
}

fn set(test: &PerformanceTest) -> String {
    match &test.method {
        Method::Replay { set, .. } => format!("set {set}"),
        Method::Drive { .. } => "drive".into(),
    }
}

fn rate_text(rate: Rate) -> String {
    let (Some(value), Some((low, high))) = (rate.value(), rate.interval()) else {
        return "none: no plate was found".into();
    };
    format!("{:5.1} %  ({:.1} to {:.1} %)  {} of {}", value * 100.0, low * 100.0, high * 100.0, rate.part, rate.whole)
}

fn rate_json(rate: Rate) -> Value {
    let (low, high) = rate.interval().unzip();
    json!({"value": rate.value(), "low": low, "high": high})
}
