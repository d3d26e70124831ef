//! What the benches share.

use plated_vehicle::config::Config;
use plated_vision::recognition::Models;
use plated_vision::recognition::Recognition;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A place under the project's root.
pub fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Prints a figure against its bar.
pub fn figure(what: &str, value: f64, unit: &str, met: bool, bar: &str) {
    println!("  {what}: {value:.1} {unit}  (bar {bar}: {})", if met { "met" } else { "MISSED" });
}

/// Processor, cores and system.
pub fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpu.lines().find_map(|l| l.strip_prefix("model name")).map_or("unknown", |l| l.trim_matches([':', '\t', ' ']));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{model}, {cores} cores; load before: {}", load())
}

/// What else ran in the last minute.
pub fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("?").to_owned()
}

/// A size of a bench: as the environment says, or the usual one.
pub fn size(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// The project's own models.
pub fn models() -> Models {
    Models::find(&Recognition { models: Some(at("models")), ..Default::default() }).unwrap()
}

/// The value at `share` of the sorted times.
pub fn percentile(times: &mut [Duration], share: f64) -> Duration {
    times.sort();
    times[((times.len() as f64 * share).ceil() as usize).clamp(1, times.len()) - 1]
}

pub fn millis(d: Duration) -> f64 {
    d.as_secs_f64() * 1e3
}

/// Resident memory of this process in MiB.
pub fn resident_mib() -> f64 {
    resident_mib_of(std::process::id())
}

/// That of another process.
pub fn resident_mib_of(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

/// A vehicle in `dir` that plays the drive; `keys` go into its `[[sources]]` table, `rest` at
/// the end of the file.
pub fn vehicle(dir: &Path, keys: &str, rest: &str) -> Config {
    let key = dir.join("store.key");
    if !key.exists() {
        plated_vehicle::store::Key::create_file(&key).unwrap();
    }
    let text = format!(
        "vehicle = \"bench\"\n[[sources]]\nname = \"front\"\nkind = \"video\"\npath = \"{}\"\n{keys}\n\
         [recognition]\nmodels = \"{}\"\n[store]\npath = \"plated.db\"\nkey_file = \"store.key\"\n{rest}\n",
        at("fixtures/drive.mp4").display(),
        at("models").display()
    );
    let path = dir.join("plated.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(&path).unwrap()
}

/// Time that this thread was on a processor.
pub fn on_processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(stat.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0))
}

/// Processor time that the host of a virtual machine gave to others since boot.
pub fn stolen() -> Duration {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks = stat.lines().next().and_then(|cpu| cpu.split_whitespace().nth(8)).and_then(|t| t.parse().ok());
    Duration::from_millis(10 * ticks.unwrap_or(0u64))
}
