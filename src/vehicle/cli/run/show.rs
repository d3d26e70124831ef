//! What the daemon prints: reads and hits when they are durable, and a summary at the end. A thread of
//! its own prints: a terminal that was stopped holds up nobody.

use super::{say, say_json, write_json, write_line};
use crate::cli::annotate;
use crate::cli::annotate::Mark;
use crate::cli::hit;
use crate::events::{Next, Subscription};
use crate::performance::Seen;
use crate::pipeline::{Announcement, LiveGate, Published, Status};
use crossbeam_channel::{Receiver, bounded};
use opencv::core::Mat;
use opencv::imgcodecs;
use plated_core::durable;
use plated_core::error::{Context, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::record::{Alerting, Appearance, HitRecord, ImageRole, ReadRecord};
use plated_core::text::count;
use plated_core::thread::{guarded, spawn};
use serde_json::json;
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How announcements are shown.
pub struct Show {
    json: bool,
    annotate: Option<PathBuf>,
    /// Nobody can see what is printed, and that has been logged.
    deaf: Cell<bool>,
}

impl Show {
    /// Prints as `json` or for people, and keeps annotated frames in `annotate`.
    pub fn new(json: bool, annotate: Option<PathBuf>) -> Self {
        Self { json, annotate, deaf: Cell::new(false) }
    }

    /// Makes the folder for annotated frames. They show plates: it is for its owner alone.
    pub fn prepare(&self) -> Result<()> {
        match &self.annotate {
            Some(dir) => durable::make_folder(dir)
                .context(Kind::Storage, || format!("could not make the folder {}", dir.display())),
            None => Ok(()),
        }
    }

    /// Shows what comes and `gate` lets, on a thread of its own, until nothing will come any more.
    ///
    /// # Errors
    /// `Internal` when the system can't start the thread.
    pub fn follow(self, mut events: Subscription<Published>, gate: Arc<LiveGate>) -> Result<Shown> {
        let (done, reads) = bounded(1);
        spawn("show", move || {
            let mut reads = Vec::new();
            loop {
                match events.next(Duration::from_secs(60)) {
                    Next::Event(number, event) => {
                        let Some(event) = gate.admit(number, &event) else { continue };
                        if let Announcement::Read { read, .. } = &event {
                            reads.push(Seen::from(&**read));
                        }
                        guarded("A read or hit was not shown", || self.show(&event));
                    }
                    Next::Lagged(missed) => self.lagged(missed),
                    Next::TimedOut => {}
                    Next::Closed => break,
                }
            }
            let _ = done.send(reads);
        })?;
        Ok(Shown(reads))
    }

    fn show(&self, announcement: &Announcement) {
        let line = if self.json { as_json(announcement) } else { as_text(announcement) };
        let Some(line) = line else { return };
        self.print(&line);
        let (Some(dir), Announcement::Read { read, pictures }) = (&self.annotate, announcement) else { return };
        let Some(overview) = pictures.iter().find(|p| p.role == ImageRole::Overview) else { return };
        let look = &read.best;
        let mark = Mark { corners: look.corners, label: format!("{} {:.0} %", read.text, read.confidence * 100.0) };
        let name = PathBuf::from(format!("{}-{:06}-{}.jpg", read.camera, look.frame, read.text));
        let written = decode(&overview.jpeg).and_then(|image| annotate::write(dir, &name, &image, &[mark]));
        if let Err(e) = written {
            // The name of the file holds the plate.
            tracing::warn!(read = %read.id, "A frame could not be written to {}; is there room?", dir.display());
            tracing::debug!(read = %read.id, "{}", e.chain());
        }
    }

    /// The terminal was slower than the events.
    fn lagged(&self, missed: u64) {
        tracing::warn!(missed, "Reads and hits were not shown, since the output is too slow; they are kept.");
        if self.json {
            self.print(&json!({"lagged": missed}).to_string());
        }
    }

    fn print(&self, line: &str) {
        // A terminal or pipe that went away must not end the reading.
        let written = if self.json { write_json(line) } else { write_line(format_args!("{line}")) };
        if let Err(e) = written
            && !self.deaf.replace(true)
        {
            tracing::warn!("Reads and hits can't be shown any more; they are kept all the same: {e}");
        }
    }
}

/// The thread that shows.
pub struct Shown(Receiver<Vec<Seen>>);

impl Shown {
    /// Waits until everything was shown, for as long as `patience`, and gives the reads.
    pub fn wait(self, patience: Duration) -> Vec<Seen> {
        self.0.recv_timeout(patience).unwrap_or_else(|_| {
            tracing::warn!("The output takes no more lines; what was not shown is kept all the same.");
            Vec::new()
        })
    }
}

fn decode(jpeg: &[u8]) -> Result<Mat> {
    let failed = || "could not read a picture back".to_string();
    let bytes = Mat::from_slice(jpeg).context(Kind::Internal, failed)?;
    imgcodecs::imdecode(&bytes, imgcodecs::IMREAD_COLOR).context(Kind::Internal, failed)
}

fn as_json(announcement: &Announcement) -> Option<String> {
    Some(match announcement {
        Announcement::Read { read, .. } => json!({"read": read}).to_string(),
        Announcement::Hit { read, hit, .. } => {
            let sounded = hit.alert == Alerting::Sounded;
            json!({"hit": hit, "read": read.id, "sounded": sounded}).to_string()
        }
        Announcement::Concealed { at } => json!({"concealed": {"at": at}}).to_string(),
        Announcement::Disposed { .. } | Announcement::Corrected { .. } => return None,
    })
}

fn as_text(announcement: &Announcement) -> Option<String> {
    match announcement {
        Announcement::Read { read, .. } => Some(read_line(read)),
        Announcement::Hit { hit, .. } => Some(hit_line(hit)),
        Announcement::Concealed { at } => {
            Some(format!("{}  an alert of a list that you are not authorised to see", time_of_day(*at)))
        }
        Announcement::Disposed { .. } | Announcement::Corrected { .. } => None,
    }
}

fn read_line(read: &ReadRecord) -> String {
    let text = PlateText::normalise(&read.text).display();
    let state = if read.state.is_empty() { "--" } else { &read.state };
    let (sure, looks, agreeing) = (read.confidence * 100.0, read.looks, read.agreeing);
    let at = time_of_day(read.best.at);
    let vehicle = read.appearance.as_ref().map(Appearance::in_words).filter(|words| !words.is_empty());
    let vehicle = vehicle.map_or_else(String::new, |words| format!("  {words}"));
    format!(
        "{at}  read  {text:<9} {state}  {sure:3.0} %  {agreeing} of {}  {}{vehicle}",
        count(looks.into(), "look"),
        read.camera
    )
}

/// The vehicle's local time.
fn time_of_day(at: jiff::Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string()
}

fn hit_line(hit: &HitRecord) -> String {
    format!("{}  {}  {}", time_of_day(hit.at), hit::line(hit, "unverified"), hit.short())
}

/// Counts of a run that has ended.
pub fn summary(status: &Status, json: bool) -> Result<()> {
    let (t, s) = (&status.totals, &status.store);
    let dropped: u64 = status.sources.iter().map(|s| s.dropped).sum();
    let receipts = status.transfer.as_ref().map_or(0, |p| p.receipts);
    if json {
        let errors: Vec<_> = status
            .sources
            .iter()
            .filter_map(|s| s.ended_with_error().map(|error| json!({"source": s.name, "error": error})))
            .collect();
        let text = json!({"summary": {
            "frames": t.frames, "spared": t.spared, "dropped": dropped, "reads": t.reads, "hits": t.hits, "alerts": t.alerts,
            "transferred": s.transferred, "receipts": receipts, "pending": s.pending,
            "errors": errors,
        }});
        return say_json(&text.to_string());
    }
    for source in &status.sources {
        if let Some(error) = source.ended_with_error() {
            say(format_args!("{} ended with an error: {error}", source.name))?;
        }
    }
    let spared = if t.spared == 0 { String::new() } else { format!("{} spared, ", t.spared) };
    say(format_args!("frames      {} recognised, {spared}{dropped} dropped for newer ones", t.frames))?;
    say(format_args!("reads       {}", t.reads))?;
    say(format_args!("hits        {}, alerts {}", t.hits, t.alerts))?;
    let receipts = count(receipts, "receipt");
    say(format_args!("transferred {}, in {receipts}; {} waiting", s.transferred, s.pending))
}
