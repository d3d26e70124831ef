//! `plated recognize`: plates in pictures and videos, without a daemon.

mod inputs;
mod output;

use super::annotate;
use indicatif::{ProgressBar, ProgressStyle};
use inputs::Inputs;
use jiff::Timestamp;
use output::{Dated, Line, Plate, Recording};
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::text::{count, visible};
use plated_vision::capture::{MAX_PIXELS, Medium, VideoReader, load_picture_within, recording_start};
use plated_vision::frame::Frame;
use plated_vision::picture::Picture;
use plated_vision::recognition::{Event, Models, Recognizer, TrackRead, Tracker, VehicleModel};
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
Folders are searched with all folders in them. What a file is its content decides.
Exit code 65 when a file could not be read or is cut off; the others are still recognised,
and what can be read of it is. Exit code 74 when an annotated copy could not be written.")]
pub struct Args {
    /// Pictures, folders of them, and videos
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    /// Search folders so many levels deep, 1 for the files in them only [default: all]
    #[arg(long, value_name = "LEVELS", value_parser = clap::value_parser!(u16).range(1..))]
    depth: Option<u16>,
    /// When the video began, e.g. 2026-11-26T14:30:00-08:00 or, by this computer's time zone,
    /// 2026-11-26T14:30 [default: what the file says]
    #[arg(long, value_name = "TIME", value_parser = recording_start)]
    start: Option<Timestamp>,
    /// Write copies with boxes, texts and confidences to this folder; nothing in it is overwritten
    #[arg(long, value_name = "DIR")]
    annotate: Option<PathBuf>,
    /// Take each picture as one plate and skip detection
    #[arg(long)]
    plate_crops: bool,
    /// Leave out reads of lower confidence, 0 to 1 [default: 0 with --json, else 0.05]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    min_confidence: Option<f32>,
    /// Refuse pictures of more million pixels; each takes 3 MB of memory
    #[arg(long, value_name = "MILLION", default_value_t = MAX_PIXELS / 1_000_000,
          value_parser = clap::value_parser!(u64).range(1..=1000))]
    max_megapixels: u64,
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
    let models = Models::find(&settings)?;
    let (recognizer, vehicle) = (Recognizer::open(&models)?, models.vehicle_model());
    let copies = args.annotate.as_deref().map(prepare).transpose()?;
    let inputs = inputs::list(&args.paths, args.depth.map_or(usize::MAX, usize::from), copies.as_deref());
    check(&inputs, args, copies.as_deref())?;
    let Inputs { files, errors: mut failed, too_deep, odd, left_out } = inputs;
    failed.iter().for_each(report);
    if too_deep > 0 {
        note(&format!("not looked into, since deeper than --depth: {}", count(too_deep as u64, "folder")));
    }
    if odd > 0 {
        note(&format!("left out, since neither files nor folders (pipes, devices, links to nothing): {odd}"));
    }
    if left_out && let Some(dir) = &copies {
        note(&format!("{} takes the copies and is left out of what is read", visible(dir)));
    }
    let mut run = Run { recognizer, vehicle, settings, args, copies, uncopied: Vec::new(), reported: 0 };
    let bar = progress(files.len());
    for input in &files {
        let outcome = match input.medium {
            Medium::Picture => run.picture(&input.path),
            Medium::Video => run.video(&input.path),
        };
        let (line, error) = match outcome {
            Ok((line, error)) => (line, error),
            Err(error) => (Line::failed(&input.path, &error), Some(error)),
        };
        bar.suspend(|| error.iter().chain(&run.uncopied[run.reported..]).for_each(report));
        run.reported = run.uncopied.len();
        failed.extend(error);
        bar.suspend(|| line.print(args.json))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    match (failed.len(), files.len(), run.uncopied.len()) {
        (0, 0, _) => Err(Error::new(Kind::Input, "there is no picture or video in what was named")),
        (0, _, 0) => Ok(()),
        (0, _, n) => {
            Err(Error::new(Kind::Storage, format!("{n} annotated copies could not be written; all reads are given")))
        }
        (n, ..) => Err(Error::new(
            Kind::Input,
            format!("{n} of the files could not be read, or not to their end; each is named above"),
        )),
    }
}

/// Makes the folder for annotated copies, and gives its path without links. Not by `durable`: it is the caller's, with
/// the modes that the caller's umask says, and can be made again.
fn prepare(dir: &Path) -> Result<PathBuf> {
    let failed = || format!("could not make the folder {}", visible(dir));
    std::fs::create_dir_all(dir).context(Kind::Storage, failed)?;
    dir.canonicalize().context(Kind::Storage, failed)
}

/// What has to be refused before anything is read.
fn check(inputs: &Inputs, args: &Args, copies: Option<&Path>) -> Result<()> {
    let folder = |path: &Path| match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.canonicalize().ok(),
        _ => Path::new(".").canonicalize().ok(),
    };
    let named = args.paths.iter().filter(|p| p.is_dir()).filter_map(|p| p.canonicalize().ok());
    let mut originals = inputs.files.iter().filter_map(|i| folder(&i.path)).chain(named);
    if let Some(copies) = copies
        && originals.any(|original| original == copies)
    {
        let text = format!("{} holds what is read; give --annotate another folder for the copies", visible(copies));
        return Err(Error::new(Kind::Config, text));
    }
    let videos = inputs.files.iter().filter(|i| i.medium == Medium::Video).count();
    if args.start.is_some() && videos > 1 {
        let text = format!("--start says when one video began, and there are {videos}; read each by itself");
        return Err(Error::new(Kind::Config, text));
    }
    Ok(())
}

/// A share from 0 to 1.
fn share(text: &str) -> Result<f32, String> {
    text.parse().ok().filter(|v| (0.0..=1.0).contains(v)).ok_or_else(|| "it must be a number from 0 to 1".into())
}

#[allow(clippy::print_stderr, reason = "the command line speaks to its user")]
fn note(text: &str) {
    eprintln!("plated: {}", visible(text));
}

#[allow(clippy::print_stderr, reason = "the command line speaks to its user")]
fn report(error: &Error) {
    eprintln!("plated: {}", visible(&error.chain()));
}

/// Shown only on a terminal, and only when there is something to wait for.
pub fn progress(count: usize) -> ProgressBar {
    if count < 10 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(count as u64).with_style(style)
}

/// What one call of the command works with.
struct Run<'a> {
    recognizer: Recognizer,
    /// Looks at vehicles, where its model is there.
    vehicle: Option<VehicleModel>,
    settings: plated_vision::recognition::Recognition,
    args: &'a Args,
    /// Folder for annotated copies.
    copies: Option<PathBuf>,
    /// Copies that could not be written.
    uncopied: Vec<Error>,
    /// So many of them have been named.
    reported: usize,
}

impl Run<'_> {
    fn picture(&mut self, path: &Path) -> Result<(Line, Option<Error>)> {
        let start = Instant::now();
        let named = |e: Error| Error::new(e.kind(), format!("{}: {}", visible(path), e.chain()));
        let mut picture = load_picture_within(path, self.args.max_megapixels * 1_000_000)?;
        if self.args.plate_crops {
            picture = Picture::Pixels(picture.pixels().map_err(named)?);
        }
        let loaded = start.elapsed();
        let outcome = match &picture {
            Picture::Pixels(image) if self.args.plate_crops => self.recognizer.read_crop(image),
            _ => self.recognizer.recognize(&picture),
        };
        let (sightings, mut timings) = outcome.map_err(named)?;
        timings.decode += loaded;
        let mut plates: Vec<Plate> = sightings.iter().map(Plate::of_sighting).collect();
        if !self.args.plate_crops {
            let looked = plates.into_iter().map(|plate| self.look(&picture, plate));
            plates = looked.collect::<Result<_>>().map_err(named)?;
        }
        let marks: Vec<_> = plates.iter().filter(|p| self.args.drawn(p)).map(Plate::mark).collect();
        self.copy(path, &picture, &marks);
        plates.retain(|p| self.args.printed(p));
        Ok((Line::image(path, plates, timings), None))
    }

    /// One read for each vehicle pass, by the same tracker as the daemon's. Of a file that ends early
    /// the reads that there are, and why it ended.
    fn video(&mut self, path: &Path) -> Result<(Line, Option<Error>)> {
        let start = Instant::now();
        let reader = VideoReader::open(path)?;
        let (began, dated) = match (self.args.start, reader.recorded()) {
            (Some(start), _) => (start, Dated::Start),
            (None, Some(recorded)) => (recorded, Dated::Container),
            (None, None) => (SystemClock::new().wall(), Dated::Analysis),
        };
        let source: Arc<str> = visible(path).to_string().into();
        let mut tracker = Tracker::new(source.clone(), self.settings.clone());
        let mut reads: Vec<TrackRead> = Vec::new();
        let (mut frames, mut busy, mut failed) = (0, Duration::ZERO, None);
        let mut closed = |events: Vec<Event>| {
            reads.extend(events.into_iter().filter_map(|e| if let Event::Closed(r) = e { Some(*r) } else { None }));
        };
        for shot in reader {
            let seen = shot.and_then(|shot| {
                let frame = Frame {
                    source: source.clone(),
                    sequence: shot.index,
                    at: began + shot.time,
                    clock_trusted: true,
                    recorded: true,
                    monotonic: shot.time,
                    picture: shot.picture,
                };
                Ok((self.recognizer.recognize(&frame.picture)?, frame))
            });
            match seen {
                Ok(((sightings, timings), frame)) => {
                    busy += timings.decode + timings.detect + timings.rectify + timings.read;
                    closed(tracker.update(&frame, &sightings));
                    frames += 1;
                }
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        closed(tracker.finish());
        if frames == 0
            && let Some(error) = failed
        {
            return Err(error);
        }
        reads.sort_by_key(|r| r.first_seen);
        let plates = reads.iter().map(|r| self.look(&r.frame.picture, Plate::of_read(r, began)));
        let mut plates = plates.collect::<Result<Vec<_>>>()?;
        for (read, plate) in reads.iter().zip(&plates).filter(|(_, p)| self.args.drawn(p)) {
            let stem = path.file_stem().unwrap_or_default();
            let mut name = stem.to_owned();
            name.push(format!("-{:06}.jpg", read.best.frame));
            self.copy(Path::new(&name), &read.frame.picture, &[plate.mark()]);
        }
        plates.retain(|p| self.args.printed(p));
        let recording = Recording { began, dated, frames };
        let line = Line::video(path, plates, recording, start.elapsed(), busy, failed.as_ref());
        if dated == Dated::Analysis && !self.args.json && !line.is_empty() {
            note(&format!(
                "{} says nothing of when it was recorded; its reads are dated by analysis (--start)",
                visible(path)
            ));
        }
        Ok((line, failed))
    }

    /// With what its vehicle looks like.
    fn look(&mut self, picture: &Picture, plate: Plate) -> Result<Plate> {
        let Some(model) = &mut self.vehicle else { return Ok(plate) };
        let (image, origin) = picture.part(model.reach(plate.corners()))?;
        let appearance = model.look(&image, origin, plate.corners())?;
        Ok(plate.described(Some(appearance)))
    }

    /// A copy that can't be written is reported, and costs no read.
    fn copy(&mut self, path: &Path, picture: &Picture, marks: &[annotate::Mark]) {
        if let Some(dir) = &self.copies
            && let Err(error) = picture.pixels().and_then(|image| annotate::write(dir, path, &image, marks))
        {
            self.uncopied.push(error);
        }
    }
}
