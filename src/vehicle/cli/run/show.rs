//! What the daemon prints: reads and hits when they are durable, and a summary at the end.

use super::{say, write_line};
use crate::cli::annotate;
use crate::cli::annotate::Mark;
use crate::cli::hit;
use crate::pipeline::{Announcement, Status};
use opencv::prelude::*;
use plated_core::error::{Context, Kind, Result};
use plated_core::plate::PlateText;
use plated_core::record::{Alerting, HitRecord, ReadRecord};
use plated_core::text::count;
use serde_json::json;
use std::cell::Cell;
use std::path::PathBuf;

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

    /// Makes the folder for annotated frames.
    pub fn prepare(&self) -> Result<()> {
        match &self.annotate {
            Some(dir) => std::fs::create_dir_all(dir)
                .context(Kind::Storage, || format!("could not make the folder {}", dir.display())),
            None => Ok(()),
        }
    }

    /// Called once it is durable.
    pub fn announce(&self, announcement: &Announcement) {
        let line = if self.json { as_json(announcement) } else { as_text(announcement) };
        // A terminal or pipe that went away must not end the reading.
        if let Err(e) = write_line(format_args!("{line}"))
            && !self.deaf.replace(true)
        {
            tracing::warn!("Reads and hits can't be shown any more; they are kept all the same: {e}");
        }
        if let (Some(dir), Announcement::Read { read, frame }) = (&self.annotate, announcement)
            && let Some(image) = frame.picture.pixels().ok().filter(|i| !i.empty())
        {
            let look = &read.best;
            let mark = Mark { corners: look.corners, label: format!("{} {:.0} %", read.text, read.confidence * 100.0) };
            let name = PathBuf::from(format!("{}-{:06}-{}.jpg", read.camera, look.frame, read.text));
            if let Err(e) = annotate::write(dir, &name, &image, &[mark]) {
                // The name of the file holds the plate.
                tracing::warn!(read = %read.id, "A frame could not be written to {}; is there room?", dir.display());
                tracing::debug!(read = %read.id, "{}", e.chain());
            }
        }
    }
}

fn as_json(announcement: &Announcement) -> String {
    match announcement {
        Announcement::Read { read, .. } => json!({"read": read}).to_string(),
        Announcement::Hit { read, hit, .. } => {
            let sounded = hit.alert == Alerting::Sounded;
            json!({"hit": hit, "read": read.id, "sounded": sounded}).to_string()
        }
    }
}

fn as_text(announcement: &Announcement) -> String {
    match announcement {
        Announcement::Read { read, .. } => read_line(read),
        Announcement::Hit { hit, .. } => hit_line(hit),
    }
}

fn read_line(read: &ReadRecord) -> String {
    let text = PlateText::normalise(&read.text).display();
    let state = if read.state.is_empty() { "--" } else { &read.state };
    let (sure, looks, agreeing) = (read.confidence * 100.0, read.looks, read.agreeing);
    let at = read.best.at.strftime("%H:%M:%S");
    format!(
        "{at}  read  {text:<9} {state}  {sure:3.0} %  {agreeing} of {}  {}",
        count(looks.into(), "look"),
        read.camera
    )
}

fn hit_line(hit: &HitRecord) -> String {
    format!("{}  {}  {}", hit.at.strftime("%H:%M:%S"), hit::line(hit, "unverified"), hit.short())
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
            "frames": t.frames, "dropped": dropped, "reads": t.reads, "hits": t.hits, "alerts": t.alerts,
            "transferred": s.transferred, "receipts": receipts, "pending": s.pending,
            "errors": errors,
        }});
        return say(format_args!("{text}"));
    }
    for source in &status.sources {
        if let Some(error) = source.ended_with_error() {
            say(format_args!("{} ended with an error: {error}", source.name))?;
        }
    }
    say(format_args!("frames      {} recognised, {dropped} dropped for newer ones", t.frames))?;
    say(format_args!("reads       {}", t.reads))?;
    say(format_args!("hits        {}, alerts {}", t.hits, t.alerts))?;
    say(format_args!("transferred {}, in {receipts} receipts; {} waiting", s.transferred, s.pending))
}
