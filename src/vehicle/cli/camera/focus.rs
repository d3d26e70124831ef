//! `plated camera focus`: a figure that grows as the lens is brought into focus.

use super::{Which, drawn};
use crate::cli::ask::print_json;
use crate::cli::{say, written};
use plated_core::error::Result;
use plated_vision::capture::v4l2::UsbCamera;
use plated_vision::optics::{FEW_PIXELS, plate_pixels};
use plated_vision::picture::{PictureFault, Quality};
use serde_json::json;
use std::io::Write;
use std::time::{Duration, Instant};

/// Between two figures: a hand on the lens follows it.
const INTERVAL: Duration = Duration::from_millis(300);

/// Show how sharp a camera's picture is while its lens is turned, until Ctrl-C
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated camera focus front
  plated camera focus /dev/video0 --count 20
  plated camera focus front --picture --distance 12 --view 25

Aim it at something with letters or hard edges at the distance of plates, turn the lens, and leave it where the
figure is largest. With the distance of the plates and the lens's angle of view it says how many pixels a plate will
have, and with --picture it shows where the camera points. The daemon must not run, since a camera streams to one program only.")]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// End after so many figures
    #[arg(long, value_name = "NUMBER")]
    count: Option<u32>,
    /// Show the picture in shades of grey above each figure
    #[arg(long, conflicts_with = "json")]
    picture: bool,
    /// Distance of the plates, in metres
    #[arg(long, value_name = "METRES", requires = "view", value_parser = distance)]
    distance: Option<f32>,
    /// Angle of view of the lens from left to right, in degrees
    #[arg(long, value_name = "DEGREES", requires = "distance", value_parser = angle)]
    view: Option<f32>,
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
        let plate = args.distance.zip(args.view).map(|(metres, view)| plate_pixels(picture.size().0, metres, view));
        if args.json {
            print_json(
                &json!({"sharpness": sharpness, "best": best, "fault": fault.map(named), "plate_pixels": plate}),
            )?;
            continue;
        }
        let mut fault = fault.map(|fault| format!("  {}", named(fault))).unwrap_or_default();
        if let Some(plate) = plate {
            let few = if plate < FEW_PIXELS { ", too few" } else { "" };
            fault += &format!("  a plate has {plate:.0} pixels{few}");
        }
        if args.picture {
            written(std::io::stdout().lock().write_all(drawn(&picture)?.as_bytes()))?;
        }
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

fn distance(text: &str) -> Result<f32, String> {
    let metres = text.parse().ok().filter(|metres| (0.5..=200.0).contains(metres));
    metres.ok_or_else(|| "give metres from 0.5 to 200".into())
}

fn angle(text: &str) -> Result<f32, String> {
    let degrees = text.parse().ok().filter(|degrees| (1.0..=170.0).contains(degrees));
    degrees.ok_or_else(|| "give degrees from 1 to 170; the lens or the camera's data sheet says them".into())
}

fn named(fault: PictureFault) -> &'static str {
    match fault {
        PictureFault::Blurred => "blurred",
        PictureFault::Black => "black",
        PictureFault::White => "overexposed",
        PictureFault::Covered => "covered",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_and_an_angle_that_nobody_has_are_refused() {
        for wrong in ["0", "nan", "-3", "far", "1000"] {
            assert!(distance(wrong).is_err() && angle(wrong).is_err(), "{wrong}");
        }
    }
}
