//! `plated camera`: USB cameras as a technician sets them up.

mod drawn;
mod focus;
mod set;
mod show;
mod snap;

pub use drawn::drawn;

use super::ask::print_json;
use super::say;
use crate::config::Config;
use clap::Subcommand;
use plated_core::error::{Error, Kind, Result};
use plated_vision::capture::gige::{Found, discover};
use plated_vision::capture::v4l2::{Listed, Settings, Wish, list};
use plated_vision::capture::{CaptureSource, Input};
use std::path::{Path, PathBuf};

/// Look at USB cameras and set them: what they offer, their controls, a picture, the focus
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    List(ListArgs),
    Show(show::Args),
    Set(set::Args),
    Snap(snap::Args),
    Focus(focus::Args),
}

/// The cameras that are plugged in
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  plated camera list
  plated camera list --network
  plated camera list --json | jq -r '.[].device'")]
struct ListArgs {
    /// Look for GigE Vision cameras too, which takes some seconds and needs libaravis
    #[arg(long, conflicts_with = "json")]
    network: bool,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// Which camera.
#[derive(Debug, clap::Args)]
struct Which {
    /// Its device, such as /dev/video0, or the name of its source in the configuration
    camera: PathBuf,
    /// The vehicle's configuration
    #[arg(long, value_name = "FILE", default_value = "/etc/plated/plated.toml")]
    config: PathBuf,
}

/// A camera, and what the configuration asks of it.
struct Wanted {
    device: PathBuf,
    wish: Wish,
    controls: Settings,
}

impl Which {
    /// What has a `/` in it is a device, and needs no configuration.
    fn find(&self) -> Result<Wanted> {
        if self.camera.components().count() > 1 {
            let (wish, controls) = (Wish::default(), Settings::default());
            let configured = Config::load(&self.config).ok().and_then(|config| by_device(&config, &self.camera));
            return Ok(configured.unwrap_or_else(|| Wanted { device: self.camera.clone(), wish, controls }));
        }
        let config = Config::load(&self.config)?;
        let name = self.camera.to_string_lossy();
        let named = config.sources.iter().find(|source| source.name == name).and_then(wanted);
        named.ok_or_else(|| {
            let cameras: Vec<_> = config.sources.iter().filter(|s| wanted(s).is_some()).map(|s| &*s.name).collect();
            let known = if cameras.is_empty() { "none".into() } else { cameras.join(", ") };
            let text =
                format!("no source named {name} is a USB camera in {}; there are: {known}", self.config.display());
            Error::new(Kind::Missing, text)
        })
    }
}

fn wanted(source: &CaptureSource) -> Option<Wanted> {
    match &source.input {
        Input::V4l2 { device, wish, controls } => {
            Some(Wanted { device: device.clone(), wish: *wish, controls: controls.clone() })
        }
        _ => None,
    }
}

fn by_device(config: &Config, device: &Path) -> Option<Wanted> {
    config.sources.iter().filter_map(wanted).find(|wanted| wanted.device == device)
}

/// Does what the command line asks.
///
/// # Errors
/// `Missing` when there is no such camera, or another program streams from it.
pub fn run(args: &Args) -> Result<()> {
    match &args.what {
        What::List(args) => {
            print_list(args.json, &list())?;
            if args.network { print_network(&discover()?) } else { Ok(()) }
        }
        What::Show(args) => show::run(args),
        What::Set(args) => set::run(args),
        What::Snap(args) => snap::run(args),
        What::Focus(args) => focus::run(args),
    }
}

fn print_network(cameras: &[Found]) -> Result<()> {
    if cameras.is_empty() {
        return say(format_args!(
            "No GigE Vision camera answers; look after its power, and the addresses of both ends."
        ));
    }
    for Found { serial, address, vendor, model } in cameras {
        say(format_args!("{address}  {vendor} {model} (GigE Vision, serial {serial})"))?;
    }
    Ok(())
}

fn print_list(json: bool, cameras: &[Listed]) -> Result<()> {
    if json {
        return print_json(&cameras);
    }
    if cameras.is_empty() {
        return say(format_args!("No camera is plugged in."));
    }
    for camera in cameras {
        let device = camera.device.display();
        match &camera.identity {
            Some(id) => say(format_args!("{device}  {} ({}, {})", id.card, id.driver, id.bus))?,
            None => {
                say(format_args!("{device}  may not be opened; run this with sudo, or as a member of the group video"))?
            }
        }
        for name in &camera.names {
            say(format_args!("    {}", name.display()))?;
        }
    }
    Ok(())
}
