//! `plated doctor`: everything that a technician checks in a vehicle, in plain sentences.

use super::ask::print_json;
use super::{say, session};
use crate::alert::Chime;
use crate::config::Config;
use crate::control::{self, Call, Reply, Request, StatusReport};
use crate::health::{Level, clock_part, disk};
use crate::store::Key;
use crate::transfer::{HttpsLink, standing};
use opencv::core::MatTraitConst;
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Error, Kind, Result, exit_code};
use plated_core::text::{count, visible};
use plated_core::tls::Identity;
use plated_vision::capture::{Capture, NextFrame, SourceState};
use plated_vision::recognition::Models;
use serde::Serialize;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A camera gives its first picture in less.
const FIRST_PICTURE: Duration = Duration::from_secs(20);
/// A connection to gpsd or the station takes less.
const CONNECT: Duration = Duration::from_secs(5);

/// Check the whole vehicle as a technician would, and say what to do
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sudo plated doctor
  sudo plated doctor --json | jq '.[] | select(.level != \"ok\")'

Beside a running daemon, cameras, sound and position are as the daemon has them; without one they are tried here.
The exit code is 0 when all is well, 1 for a warning, 2 for what is critical. No plates are shown.")]
pub struct Args {
    /// The vehicle's configuration
    #[arg(long, value_name = "FILE", default_value = "/etc/plated/plated.toml")]
    config: PathBuf,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
}

/// What one look came to.
#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    level: Level,
    text: String,
}

/// Checks all and prints what was found.
pub fn run(args: &Args) -> ExitCode {
    let mut found = Findings::default();
    match Config::load(&args.config) {
        Ok(config) => {
            found.add("configuration", Level::Ok, format!("{} can be read", args.config.display()));
            examine(&config, &mut found);
        }
        Err(e) => found.add("configuration", Level::Failed, e.chain()),
    }
    let worst = found.0.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok);
    let printed = if args.json { print_json(&found.0) } else { print(&found.0) };
    match (printed, worst) {
        (Ok(()), Level::Degraded) => ExitCode::from(1),
        (Ok(()), Level::Failed) => ExitCode::from(2),
        (printed, _) => exit_code("plated", printed),
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, what: &str, level: Level, text: String) {
        self.0.push(Finding { what: what.to_owned(), level, text });
    }

    /// What works is said by `well`, and what does not by its error.
    fn put<T>(&mut self, what: &str, outcome: Result<T>, level: Level, well: impl FnOnce(T) -> String) {
        match outcome {
            Ok(done) => self.add(what, Level::Ok, well(done)),
            Err(e) => self.add(what, level, e.chain()),
        }
    }
}

fn examine(config: &Config, found: &mut Findings) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    found.put("key of the store", Key::load(&config.store), Level::Failed, |_| {
        "it is there, and its owner's alone".into()
    });
    let models = Models::find(&config.recognition);
    let vehicle =
        models.as_ref().ok().and_then(|models| models.vehicle().map(|found| found.map(drop).map_err(str::to_owned)));
    found.put("models", models, Level::Failed, |models| match models.reader_instead() {
        None => "libonnxruntime, detector and reader work on this processor".into(),
        Some(why) => format!("they work on this processor; {why}"),
    });
    match vehicle {
        Some(Ok(())) => found.add("vehicle model", Level::Ok, "reads say what vehicles look like".into()),
        Some(Err(why)) => {
            found.add("vehicle model", Level::Degraded, format!("reads don't say what vehicles look like: {why}"));
        }
        None => {}
    }
    let report = status(config, &clock);
    let daemon = report.as_ref().is_ok_and(|report| report.daemon);
    match report {
        Ok(report) => {
            if !report.daemon {
                let text = "it does not run: nothing is read and nobody is alerted; sudo systemctl start plated".into();
                found.add("daemon", Level::Degraded, text);
            }
            report.parts.into_iter().for_each(|part| found.add(&part.name, part.level, part.text));
        }
        Err(e) => {
            found.add("store", Level::Failed, e.chain());
            let (level, text) = disk(&config.store.path);
            found.add("disk", level, text);
        }
    }
    if !daemon {
        cameras(config, &clock, found);
        let (chime, silent) = Chime::start(&config.alert, clock.clone());
        drop(chime);
        match silent {
            None => found.add("chime", Level::Ok, "alerts can be heard".into()),
            Some(why) => found.add("chime", Level::Failed, format!("alerts can't be heard: {why}")),
        }
        if let Some(gps) = &config.gps {
            let reached = connect(&gps.address, "gpsd; does it run, and is gps.address its address?");
            found.put("gps", reached, Level::Degraded, |()| format!("gpsd answers at {}", gps.address));
        }
        let (level, text) = clock_part(&*clock);
        if !found.0.iter().any(|finding| finding.what == "clock") {
            found.add("clock", level, text);
        }
    }
    if let Some(console) = &config.console {
        let identity = Identity::load_for_pages(&console.certificate, &console.key);
        let counts = identity.and_then(|identity| identity.validity.check(clock.wall()));
        found.put("certificate of the console", counts, Level::Degraded, |()| "it counts, and its key is safe".into());
    }
    link(config, &clock, found);
}

/// How the daemon is; without one, what can be told of lists, store and transfer.
fn status(config: &Config, clock: &Arc<dyn Clock>) -> Result<StatusReport> {
    let mut told = None;
    let call = Call { session: session::load(config)?, request: Request::Status };
    control::call(config, clock, &call, None, &mut |reply| {
        if let Reply::Status(report) = reply {
            told = Some(*report);
        }
        Ok(())
    })?;
    told.ok_or_else(|| Error::new(Kind::Internal, "the status did not come"))
}

/// Opens every camera and waits for its first picture.
fn cameras(config: &Config, clock: &Arc<dyn Clock>, found: &mut Findings) {
    let capture = match Capture::start(&config.sources, clock.clone()) {
        Ok(capture) => capture,
        Err(e) => return found.add("cameras", Level::Failed, e.chain()),
    };
    let (until, mut sizes) = (Instant::now() + FIRST_PICTURE, vec![None; config.sources.len()]);
    // What waits to be tried again, or has ended, gave its answer.
    let is_open = |sizes: &[Option<String>]| {
        let states = capture.status();
        let waits = |state: &SourceState| matches!(state, SourceState::Opening | SourceState::Running);
        states.iter().zip(sizes).any(|(source, size)| size.is_none() && waits(&source.state))
    };
    while is_open(&sizes) && Instant::now() < until {
        if let NextFrame::Frame(taken) = capture.next(Duration::from_millis(100)) {
            // One that can't be decoded is no picture; the next may be.
            let pixels = taken.frame.picture.pixels().ok();
            let size = pixels.map(|pixels| format!("{} x {} pixels", pixels.cols(), pixels.rows()));
            let known = &mut sizes[taken.source_index];
            *known = known.take().or(size);
        }
    }
    for (source, size) in capture.status().into_iter().zip(sizes) {
        let what = format!("camera {}", source.name);
        match (size, source.state) {
            (Some(size), _) => found.add(&what, Level::Ok, format!("it gives pictures of {size}")),
            (None, SourceState::Waiting { error } | SourceState::Ended { error: Some(error) }) => {
                found.add(&what, Level::Failed, error);
            }
            (None, _) => {
                let text = format!(
                    "no picture in {} s; look at its cable and at sources in the configuration",
                    FIRST_PICTURE.as_secs()
                );
                found.add(&what, Level::Failed, text);
            }
        }
    }
}

/// Certificates of the way to the station, and whether it is reached.
fn link(config: &Config, clock: &Arc<dyn Clock>, found: &mut Findings) {
    let Some(transfer) = &config.transfer else {
        return found.add("station", Level::Ok, "none is configured: reads stay in the vehicle".into());
    };
    // One that the vehicle renewed lies with the store's secrets; the key of the store has its own line above.
    let made = match Key::load(&config.store) {
        Ok(key) => HttpsLink::of_vehicle(config, transfer, &key, clock.clone()),
        Err(_) => HttpsLink::new(&config.vehicle, transfer, clock.clone()),
    };
    match made {
        Ok(link) => {
            let (level, text) = standing(&link.validity(), clock.wall(), None);
            found.add("certificate of the vehicle", level, format!("{text}; it fits the vehicle, and its key is safe"));
        }
        Err(e) => found.add("certificate of the vehicle", Level::Failed, e.chain()),
    }
    let address = transfer.station.trim_start_matches("https://").split('/').next().unwrap_or_default();
    let address = if address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        address.to_owned()
    } else {
        format!("{address}:443")
    };
    let reached = connect(&address, "the station; is the vehicle's network there, and transfer.station right?");
    // Out of reach is how a vehicle is most of the day.
    found.put("station", reached, Level::Degraded, |()| format!("{address} is reached"));
}

fn connect(address: &str, whom: &str) -> Result<()> {
    let failed = |why: String| Error::new(Kind::Network, format!("could not reach {whom} ({address}: {why})"));
    let addresses = address.to_socket_addrs().map_err(|e| failed(e.to_string()))?;
    let mut last = "no address of that name".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(_) => return Ok(()),
            Err(e) => last = e.to_string(),
        }
    }
    Err(failed(last))
}

fn print(findings: &[Finding]) -> Result<()> {
    for finding in findings {
        let word = match finding.level {
            Level::Ok => "ok",
            Level::Degraded => "WARN",
            Level::Failed => "CRITICAL",
        };
        say(format_args!("{word:<9} {}: {}", finding.what, visible(&finding.text).at_most(usize::MAX)))?;
    }
    match findings.iter().filter(|finding| finding.level > Level::Ok).count() {
        0 => say(format_args!("All is well.")),
        n => say(format_args!("{} to look after.", count(n as u64, "thing"))),
    }
}
