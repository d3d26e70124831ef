//! `plated recognize`: plates in pictures and videos, without a daemon.

mod inputs;
mod output;

use super::annotate;
use indicatif::{ProgressBar, ProgressStyle};
use inputs::{Input, Medium};
use output::{Line, Plate};
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Context, Error, Kind, Result};
use plated_vision::capture::{VideoReader, load_image, load_picture};
use plated_vision::frame::Frame;
use plated_vision::picture::Picture;
use plated_vision::recognition::{Event, Models, Recognizer, TrackRead, Tracker};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Read the plates in pictures, folders and videos
#[derive(clap::Args)]
#[command(after_help = "Examples:
  plated recognize photo.jpg
  plated recognize --json --annotate out/ photos/ drive.mp4 > reads.jsonl
  plated recognize --plate-crops crops/

A picture gives one line; a video gives one line with a read for each vehicle pass.
Exit code 65 when a file could not be read; the others are still recognised.")]
pub struct Args {
    /// Pictures, folders of them, and videos
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    /// Write pictures with boxes, texts and confidences to this folder
    #[arg(long, value_name = "DIR")]
    annotate: Option<PathBuf>,
    /// Take each picture as one plate and skip detection
    #[arg(long)]
    plate_crops: bool,
    /// Leave out reads of lower confidence, 0 to 1 [default: 0 with --json, else 0.05]
    #[arg(long, value_name = "SHARE")]
    min_confidence: Option<f32>,
    /// Folder of detector.toml and reader.toml
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// Sidecar of another detector
    #[arg(long, value_name = "FILE")]
    detector: Option<PathBuf>,
    /// Sidecar of another reader
    #[arg(long, value_name = "FILE")]
    reader: Option<PathBuf>,
}

/// What a person is not shown: nothing that can be read.
const SHOWN: f32 = 0.05;

impl Args {
    fn printed(&self, plate: &Plate) -> bool {
        plate.confidence() >= self.min_confidence.unwrap_or(if self.json { 0.0 } else { SHOWN })
    }

    fn drawn(&self, plate: &Plate) -> bool {
        plate.confidence() >= self.min_confidence.unwrap_or(SHOWN)
    }
}

pub fn run(args: &Args) -> Result<()> {
    let settings = plated_vision::recognition::Recognition {
        models: args.models.clone(),
        detector: args.detector.clone(),
        reader: args.reader.clone(),
        ..Default::default()
    };
    let mut recognizer = Recognizer::open(&Models::find(&settings)?)?;
    if let Some(dir) = &args.annotate {
        std::fs::create_dir_all(dir)
            .context(Kind::Storage, || format!("could not make the folder {}", dir.display()))?;
    }
    let (inputs, mut failed) = inputs::list(&args.paths);
    for error in &failed {
        report(error);
    }
    let bar = progress(inputs.len());
    for input in &inputs {
        let line = match input.medium {
            Medium::Image => image(&mut recognizer, &input.path, args),
            Medium::Video => video(&mut recognizer, input, &settings, args),
        };
        let line = line.unwrap_or_else(|error| {
            bar.suspend(|| report(&error));
            let line = Line::failed(&input.path, &error);
            failed.push(error);
            line
        });
        bar.suspend(|| line.print(args.json))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    match (failed.len(), inputs.len()) {
        (0, 0) => Err(Error::new(Kind::Input, "there is no picture or video in what was named")),
        (0, _) => Ok(()),
        (n, _) => {
            Err(Error::new(Kind::Input, format!("{n} of the files could not be recognised; each is named above")))
        }
    }
}

#[allow(clippy::print_stderr, reason = "the command line speaks to its user")]
fn report(error: &Error) {
    eprintln!("plated: {}", error.chain());
}

/// Shown only on a terminal, and only when there is something to wait for.
fn progress(count: usize) -> ProgressBar {
    if count < 10 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(count as u64).with_style(style)
}

fn image(recognizer: &mut Recognizer, path: &Path, args: &Args) -> Result<Line> {
    let start = Instant::now();
    let picture = if args.plate_crops { Picture::Pixels(load_image(path)?) } else { load_picture(path)? };
    let loaded = start.elapsed();
    let outcome = match &picture {
        Picture::Pixels(image) if args.plate_crops => recognizer.read_crop(image),
        _ => recognizer.recognize(&picture),
    };
    let (sightings, mut timings) =
        outcome.map_err(|e| Error::new(e.kind(), format!("{}: {}", path.display(), e.chain())))?;
    timings.decode += loaded;
    let mut plates: Vec<Plate> = sightings.iter().map(Plate::of_sighting).collect();
    if let Some(dir) = &args.annotate {
        let marks: Vec<_> = plates.iter().filter(|p| args.drawn(p)).map(Plate::mark).collect();
        annotate::write(dir, path, &*picture.pixels()?, &marks)?;
    }
    plates.retain(|p| args.printed(p));
    Ok(Line::image(path, plates, timings))
}

/// One read for each vehicle pass, by the same tracker as the daemon's.
fn video(
    recognizer: &mut Recognizer,
    input: &Input,
    settings: &plated_vision::recognition::Recognition,
    args: &Args,
) -> Result<Line> {
    let start = Instant::now();
    let began = SystemClock::new().wall();
    let source: Arc<str> = input.path.display().to_string().into();
    let mut tracker = Tracker::new(source.clone(), settings.clone());
    let mut reads: Vec<TrackRead> = Vec::new();
    let (mut frames, mut busy) = (0, Duration::ZERO);
    let mut closed = |events: Vec<Event>| {
        reads.extend(events.into_iter().filter_map(|e| if let Event::Closed(r) = e { Some(*r) } else { None }));
    };
    for shot in VideoReader::open(&input.path)? {
        let shot = shot?;
        let frame = Frame {
            source: source.clone(),
            sequence: shot.index,
            at: began + shot.time,
            monotonic: shot.time,
            picture: shot.picture,
        };
        let (sightings, timings) = recognizer.recognize(&frame.picture)?;
        busy += timings.decode + timings.detect + timings.rectify + timings.read;
        closed(tracker.update(&frame, &sightings));
        frames += 1;
    }
    closed(tracker.finish());
    reads.sort_by_key(|r| r.first_seen);
    let mut plates: Vec<Plate> = reads.iter().map(|r| Plate::of_read(r, began)).collect();
    if let Some(dir) = &args.annotate {
        for (read, plate) in reads.iter().zip(&plates).filter(|(_, p)| args.drawn(p)) {
            let stem = input.path.file_stem().unwrap_or_default().to_string_lossy();
            let name = PathBuf::from(format!("{stem}-{:06}.jpg", read.best.frame));
            annotate::write(dir, &name, &*read.frame.picture.pixels()?, &[plate.mark()])?;
        }
    }
    plates.retain(|p| args.printed(p));
    Ok(Line::video(&input.path, plates, frames, start.elapsed(), busy))
}
