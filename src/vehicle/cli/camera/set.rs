//! `plated camera set`: controls of a camera by name.

use super::Which;
use crate::cli::say;
use plated_core::error::{Error, Kind, Result};
use plated_vision::capture::v4l2::{Device, Setting, Settings};

/// Set controls of a camera, also while the daemon streams from it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated camera set front auto_exposure=manual_mode exposure_time_absolute=20
  plated camera set /dev/video0 gain=0

They last until the camera is unplugged. What is to last goes into the configuration, as it is printed.")]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Controls and what they are set to, as NAME=VALUE
    #[arg(required = true, value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, Setting)>,
}

fn setting(text: &str) -> Result<(String, Setting), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), Setting::of_text(value)))
}

/// Sets them.
pub fn run(args: &Args) -> Result<()> {
    let device = Device::open(&args.which.find()?.device)?;
    let settings: Settings = args.settings.iter().cloned().collect();
    let failed: Vec<String> = device.set_controls(&settings).iter().map(Error::chain).collect();
    if !failed.is_empty() {
        return Err(Error::new(Kind::Config, failed.join("; ")));
    }
    let toml: Vec<_> = settings.iter().map(|(name, value)| format!("{name} = {}", written(value))).collect();
    say(format_args!("Set. For the configuration of its source: controls = {{ {} }}", toml.join(", ")))
}

fn written(setting: &Setting) -> String {
    match setting {
        Setting::Switch(on) => on.to_string(),
        Setting::Number(number) => number.to_string(),
        Setting::Choice(choice) => format!("{choice:?}"),
    }
}
