//! `plated camera focus`: a figure that grows as the lens is brought into focus.

use super::Which;
use crate::cli::ask::print_json;
use crate::cli::say;
use plated_core::error::Result;
use plated_vision::capture::v4l2::UsbCamera;
use plated_vision::picture::{PictureFault, Quality};
use serde_json::json;
use std::time::{Duration, Instant};

/// Between two figures: a hand on the lens follows it.
const INTERVAL: Duration = Duration::from_millis(300);

/// Show how sharp a camera's picture is while its lens is turned, until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated camera focus front
  plated camera focus /dev/video0 --count 20

Aim it at something with letters or hard edges at the distance of plates, turn the lens, and leave it where the
figure is largest. The daemon must not run, since a camera streams to one program only.")]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// End after so many figures
    #[arg(long, value_name = "NUMBER")]
    count: Option<u32>,
    /// Print a JSON object for each figure
    #[arg(long)]
    json: bool,
}

/// Shows it.
pub fn run(args: &Args) -> Result<()> {
    let wanted = args.which.find()?;
    let mut camera = UsbCamera::open(&wanted.device, &wanted.wish, &wanted.controls)?;
    let (mut best, mut shown) = (0.0_f32, 0);
    let mut next = Instant::now();
    while args.count.is_none_or(|count| shown < count) {
        let picture = camera.picture()?;
        if Instant::now() < next {
            continue;
        }
        next = Instant::now() + INTERVAL;
        shown += 1;
        let pixels = picture.pixels()?;
        let quality = Quality::of(&picture, &pixels);
        let sharpness = quality.and_then(|quality| quality.fine).map(|fine| fine * 1000.0);
        best = best.max(sharpness.unwrap_or(0.0));
        let fault = quality.and_then(|quality| quality.fault);
        if args.json {
            print_json(&json!({"sharpness": sharpness, "best": best, "fault": fault.map(named)}))?;
            continue;
        }
        let fault = fault.map(|fault| format!("  {}", named(fault))).unwrap_or_default();
        match sharpness {
            Some(now) => {
                let bar = "#".repeat((now / best.max(1.0) * 40.0) as usize);
                say(format_args!("sharpness {now:5.1}  best {best:5.1}  {bar:<40}{fault}"))?;
            }
            None => say(format_args!("too little to see to tell how sharp it is{fault}"))?,
        }
    }
    Ok(())
}

fn named(fault: PictureFault) -> &'static str {
    match fault {
        PictureFault::Blurred => "blurred",
        PictureFault::Black => "black",
        PictureFault::White => "overexposed",
    }
}
