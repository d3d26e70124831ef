//! `plated run`: the daemon in the vehicle.

mod show;
mod truth;

use super::{ask, say, say_json, session, write_json, write_line};
use crate::config::Config;
use crate::pipeline::Daemon;
use plated_access::{Case, Purpose};
use plated_core::clock::{Clock, SystemClock};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::shutdown::Shutdown;
use plated_core::text::count;
use plated_core::thread::spawn;
use show::Show;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use truth::Truth;

/// A terminal or pipe that takes no more lines keeps the daemon from ending for so long.
const LAST_LINES: Duration = Duration::from_secs(2);
/// The same for one that is expected to show everything.
const ALL_LINES: Duration = Duration::from_secs(60);

/// Run the daemon: read plates, alert, keep, transfer
#[derive(clap::Args)]
#[command(after_help = "Examples:
  plated run --config /etc/plated/plated.toml
  plated run --config demo/plated.toml --until-end --annotate demo/frames

Reads and hits are printed once they are durable and that they are shown is on record. SIGTERM or Ctrl-C ends it in order.
PLATED_LOG=debug shows more.")]
pub struct Args {
    /// The configuration; `plated init` writes an annotated one
    #[arg(long, value_name = "FILE", default_value = "/etc/plated/plated.toml")]
    config: PathBuf,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    /// For what reads and hits are shown, where the agency asks for a purpose, e.g. locate_vehicle
    #[arg(long, value_name = "PURPOSE", value_parser = ask::purpose)]
    purpose: Option<Purpose>,
    /// For which case or incident, where the agency asks for one
    #[arg(long, value_name = "NUMBER", default_value = "")]
    case: String,
    /// End when all sources are files and have ended, and print a summary
    #[arg(long)]
    until_end: bool,
    /// With --until-end: wait this many seconds at most for the station's receipts
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    drain: u64,
    /// With --until-end: compare the reads with the labels of a drive, one JSON object with
    /// "plate" per vehicle and line, and print capture rate and read accuracy
    #[arg(long, value_name = "FILE", requires = "until_end")]
    truth: Option<PathBuf>,
    /// Write the best frame of each read, with what was read, to this folder
    #[arg(long, value_name = "DIR")]
    annotate: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<()> {
    let config = Config::load(&args.config)?;
    let case = Case::new(&args.case)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let shutdown = Shutdown::new();
    on_signal(&shutdown)?;
    let truth = args.truth.as_deref().map(Truth::load).transpose()?;
    let show = Show::new(args.json, args.annotate.clone());
    show.prepare()?;
    let daemon = Daemon::start(&config, clock, &shutdown)?;
    let live = daemon.live(session::load(&config)?, args.purpose.clone(), case);
    let shown = show.follow(daemon.events().resume(0), live)?;
    tracing::info!(sources = config.sources.len(), "Reading plates.");
    if !args.until_end {
        daemon.wait_done(&shutdown);
        // Better started again by whoever looks after it than here and blind.
        let blind = if shutdown.is_requested() { None } else { daemon.ended_early() };
        if blind.is_none() {
            // Recordings have ended: transfer and command line go on.
            shutdown.wait();
        }
        let stopped = daemon.stop();
        shown.wait(LAST_LINES);
        return blind.map_or(stopped, Err);
    }
    daemon.wait_done(&shutdown);
    let blind = if shutdown.is_requested() { None } else { daemon.ended_early() };
    let drained = daemon.drain(Duration::from_secs(args.drain), &shutdown);
    let status = daemon.status();
    // First of all, so that no open pass is lost to what went wrong.
    let stopped = daemon.stop();
    let status = drained.and(status)?;
    let reads = shown.wait(if shutdown.is_requested() { LAST_LINES } else { ALL_LINES });
    show::summary(&status, args.json)?;
    let failed = status.sources.iter().filter(|s| s.ended_with_error().is_some()).count();
    if let Some(truth) = truth {
        truth.print(&reads, args.json)?;
    }
    stopped?;
    if let Some(blind) = blind {
        return Err(blind);
    }
    match failed {
        0 => Ok(()),
        n => Err(Error::new(
            Kind::Input,
            format!("{} ended with an error; the rest was read", count(n as u64, "source")),
        )),
    }
}

/// Ends the daemon in order on SIGTERM and SIGINT, also while it starts or ends for another reason; a second signal
/// ends it at once. SIGHUP, whose default would end it with passes still open, changes nothing.
fn on_signal(shutdown: &Shutdown) -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    // Its default is the end at once; without it a file that may not grow is an error of the one write.
    const SIGXFSZ: i32 = libc::SIGXFSZ;
    let failed = || "could not set up the handling of signals".to_string();
    let mut signals =
        signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP, SIGXFSZ]).context(Kind::Internal, failed)?;
    let shutdown = shutdown.clone();
    spawn("signals", move || {
        let mut is_asked = false;
        for signal in signals.forever() {
            if signal == SIGHUP {
                tracing::info!("SIGHUP is ignored; restart the daemon to read the configuration anew.");
            } else if signal == SIGXFSZ {
                tracing::warn!("A file reached the limit of its size (ulimit -f); it is handled as a full disk.");
            } else if std::mem::replace(&mut is_asked, true) {
                std::process::exit(75);
            } else {
                shutdown.request();
            }
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::STOP_TIMEOUT;

    /// What the unit of the service sets `name` to, each time.
    fn unit(name: &str) -> Vec<String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../systemd/plated.service");
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().filter_map(|line| line.split_once('='));
        lines.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).collect()
    }

    #[test]
    fn the_unit_waits_longer_for_the_end_than_it_can_take() {
        let wait = Duration::from_secs(unit("TimeoutStopSec")[0].parse().unwrap());
        // What hangs in a sound device or holds the store is left behind after a second each.
        assert!(wait >= STOP_TIMEOUT + LAST_LINES + Duration::from_secs(3), "{wait:?}");
    }

    #[test]
    fn the_unit_gives_the_daemon_several_chances_to_show_that_it_is_alive() {
        assert_eq!(unit("Type"), ["notify"]);
        assert!(unit("WatchdogSec")[0].parse::<u64>().unwrap() >= 10);
        assert_eq!(unit("WatchdogSignal"), ["SIGTERM"], "it ends in order, as far as it can");
    }

    #[test]
    fn the_unit_lets_the_clock_be_asked_and_not_set() {
        // It forbids the calls by which the clock is asked, too.
        assert_eq!(unit("ProtectClock"), [""; 0]);
        let filters = unit("SystemCallFilter");
        let privileged = filters.iter().position(|f| f == "~@privileged").unwrap();
        let allowed = filters.iter().position(|f| f.contains("adjtimex")).unwrap();
        // The C library asks by the second one, on 32 bits by the third.
        assert_eq!(filters[allowed], "adjtimex clock_adjtime clock_adjtime64");
        assert!(allowed > privileged, "the later one counts");
        // To set it takes a capability.
        assert_eq!((unit("CapabilityBoundingSet"), unit("AmbientCapabilities")), (vec!["".into()], vec!["".into()]));
        assert_eq!(unit("NoNewPrivileges"), ["yes"]);
    }
}
