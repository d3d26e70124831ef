//! What a vehicle costs that stands still with nothing moving, against one that drives: processor time of the whole
//! daemon, with one camera of 1280x720 JPEGs at 30 frames a second.

use super::support::{at, figure};
use plated_core::clock::SystemClock;
use plated_vehicle::config::Config;
use plated_vehicle::pipeline::Daemon;
use plated_vision::capture::VideoReader;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// By then models are loaded and a still picture is known as one.
const BEFORE: Duration = Duration::from_secs(8);
/// So long is measured.
const MEASURED: Duration = Duration::from_secs(30);

pub fn run() {
    let (driving, frames) = cost(usize::MAX);
    println!("  driving: {:.1} % of a core, {frames:.1} frames recognised a second", driving * 100.0);
    let (standing, frames) = cost(1);
    println!("  standing: {:.2} % of a core, {frames:.1} frames recognised a second", standing * 100.0);
    let share = standing / driving;
    figure("standing still against driving, processor time", share * 100.0, "%", share < 0.1, "< 10");
}

/// Cores' time, and frames recognised, a second, with the first so many pictures of the drive played again and again.
fn cost(pictures: usize) -> (f64, f64) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("road");
    std::fs::create_dir(&folder).unwrap();
    for (n, frame) in VideoReader::open(&at("fixtures/drive.mp4")).unwrap().skip(120).take(pictures).enumerate() {
        std::fs::write(folder.join(format!("{n:04}.jpg")), frame.unwrap().picture.jpeg(90).unwrap()).unwrap();
    }
    let daemon = Daemon::start(&config(dir.path()), Arc::new(SystemClock::new()), &Default::default()).unwrap();
    std::thread::sleep(BEFORE);
    let recognised = || daemon.status().unwrap().totals.frames;
    let (time, frames) = (processor_time(), recognised());
    std::thread::sleep(MEASURED);
    let (time, frames) = (processor_time() - time, recognised() - frames);
    daemon.stop().unwrap();
    (time / MEASURED.as_secs_f64(), frames as f64 / MEASURED.as_secs_f64())
}

fn config(dir: &Path) -> Config {
    plated_vehicle::store::Key::create_file(&dir.join("store.key")).unwrap();
    let text = format!(
        "vehicle = \"bench\"\n[[sources]]\nname = \"front\"\nkind = \"images\"\npath = \"road\"\npace = \"realtime\"\n\
         rate = 30.0\nrepeat = 0\n[recognition]\nmodels = \"{}\"\n[store]\npath = \"plated.db\"\nkey_file = \"store.key\"\n",
        at("models").display()
    );
    std::fs::write(dir.join("plated.toml"), text).unwrap();
    Config::load(&dir.join("plated.toml")).unwrap()
}

/// Seconds that this process was on a processor.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
    ticks as f64 / 100.0 // USER_HZ
}
