//! `plated camera snap`: one picture into a file.

use super::Which;
use crate::cli::say;
use plated_core::error::Result;
use plated_core::text::count;
use plated_core::tls::write_new;
use plated_vision::capture::v4l2::UsbCamera;
use std::path::PathBuf;

/// Of pictures that the camera does not give as JPEG.
const QUALITY: i32 = 92;
/// A camera needs some pictures to find its exposure.
const SETTLING: usize = 10;

/// Take one picture, as plated would get it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated camera snap front --out front.jpg
  plated camera snap /dev/video0 --count 30 --out drive.jpg    makes drive-1.jpg to drive-30.jpg

The daemon must not run, since a camera streams to one program only. Nothing is read from the picture. It shows
whatever is on the street: treat it like a read, and delete it when the camera is aimed.")]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// The file, which must not be there yet
    #[arg(long, value_name = "FILE", default_value = "camera.jpg")]
    out: PathBuf,
    /// So many pictures, one after the other; their numbers are put before the ending
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    count: u32,
}

/// Takes it.
pub fn run(args: &Args) -> Result<()> {
    let wanted = args.which.find()?;
    let mut camera = UsbCamera::open(&wanted.device, &wanted.wish, &wanted.controls)?;
    for _ in 0..SETTLING {
        camera.picture()?;
    }
    for number in 1..=args.count {
        let bytes = camera.picture()?.jpeg(QUALITY)?;
        write_new(&args.name(number), &bytes, 0o600)?;
    }
    let (last, mode) = (args.name(args.count), camera.mode());
    match camera.lost() {
        0 => say(format_args!(
            "{} taken of {mode}, the last is {}.",
            count(args.count.into(), "picture"),
            last.display()
        )),
        lost => say(format_args!(
            "{} taken of {mode}, the last is {}; {lost} between them were lost.",
            count(args.count.into(), "picture"),
            last.display()
        )),
    }
}

impl Args {
    fn name(&self, number: u32) -> PathBuf {
        if self.count == 1 {
            return self.out.clone();
        }
        let stem = self.out.file_stem().unwrap_or_default().to_string_lossy();
        let ending = self.out.extension().unwrap_or_default().to_string_lossy();
        self.out.with_file_name(format!("{stem}-{number}.{ending}"))
    }
}
