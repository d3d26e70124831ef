//! Settings and models go from a station that runs to a vehicle that runs, over mutual TLS.

use crate::kit::process::{Daemon, Station, until};
use crate::kit::vehicle::{Settings, Vehicle, images, transfer};
use crate::kit::{Depot, VEHICLE, reading};
use plated_access::SealSecret;
use plated_core::signing::{Signer, write_public};
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};

struct Bench {
    depot: Depot,
    vehicle: Vehicle,
    _station: Station,
    address: SocketAddr,
}

impl Bench {
    fn new() -> Self {
        let depot = Depot::new();
        let signer = Signer::create_file(&depot.config.hotlist_key).unwrap();
        write_public(&depot.dir.path().join("hotlist.pub"), &signer.public_key()).unwrap();
        SealSecret::create_file(&depot.config.seal_key).unwrap();
        let beside = depot.vehicle.key.parent().unwrap();
        SealSecret::give(depot.dir.path(), VEHICLE, beside).unwrap();
        let (station, address) = Station::start(&depot);
        let bench = Self { depot, vehicle: Vehicle::new(), _station: station, address };
        bench.well(&["vehicle", "add", bench.depot.vehicle.certificate.to_str().unwrap(), "--reason", "test"]);
        bench.vehicle.pictures("road", &reading::plates(3));
        bench.configure("");
        bench
    }

    fn configure(&self, more: &str) {
        let key = |name: &str| self.depot.vehicle.key.with_file_name(name).display().to_string();
        let provision = format!(
            "[provision]\nkey = \"{}\"\nseal_key = \"{}\"\ninterval_s = 0.1\n{more}\n",
            self.depot.dir.path().join("hotlist.pub").display(),
            key("seal.key")
        );
        let source = images("front", "road", 0).replace("every_frame", "realtime");
        self.vehicle.configure(&Settings::default(), &[source, transfer(&self.depot, self.address), provision]);
    }

    fn station(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        command.args(args).arg("--config").arg(self.depot.file_at(self.address)).stdin(Stdio::null()).output().unwrap()
    }

    fn well(&self, args: &[&str]) -> String {
        let done = self.station(args);
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Waits for this in the status of the vehicle.
    fn until_status(&self, text: &str) -> String {
        until(text, || {
            let (status, _) = self.vehicle.status();
            status.lines().find(|line| line.contains(text)).map(str::to_owned)
        })
    }

    fn plated(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        command.args(args).arg("--config").arg(self.vehicle.path("plated.toml"));
        command.env("XDG_RUNTIME_DIR", self.vehicle.dir.path()).stdin(Stdio::null()).output().unwrap()
    }

    fn start(&self) -> Daemon {
        let mut daemon = self.vehicle.start(&[]);
        daemon.wait_log("Reading plates.");
        daemon
    }

    fn serial(&self, kind: &str) -> i64 {
        let sql = "SELECT serial FROM provisions WHERE kind = ?1";
        self.depot.database().query_row(sql, [kind], |row| row.get(0)).unwrap()
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

// policy: P-01, P-07
#[test]
fn what_the_agency_sets_counts_from_the_next_start_on_also_for_commands_without_a_daemon() {
    let bench = Bench::new();
    let file = bench.vehicle.path("agency.toml");
    std::fs::write(&file, "[access]\npurpose_required = true\n[access.accounts]\ntraining_days = 0\n").unwrap();
    let wrong = bench.station(&["provision", "settings", file.to_str().unwrap(), "--reason", "policy"]);
    assert!(text(&wrong).contains("training_days"), "{}", text(&wrong));
    std::fs::write(&file, "[access]\npurpose_required = true\n").unwrap();
    bench.well(&["provision", "settings", file.to_str().unwrap(), "--reason", "policy"]);
    let daemon = bench.start();
    bench.until_status("settings of the station: number");
    bench.until_status("counts from the next start of the daemon on");
    let look = ["hotlist", "show", "7ABC123", "--reason", "traffic stop"];
    assert!(bench.plated(&look).status.success());
    daemon.terminate().well();
    let asks = |output: &Output| !output.status.success() && text(output).contains("purpose");
    let without = bench.plated(&look);
    assert!(asks(&without), "{}", text(&without));
    let daemon = bench.start();
    let serial = bench.serial("settings");
    bench.until_status(&format!("settings of the station: number {serial} of the station is in force"));
    let with = bench.plated(&look);
    assert!(asks(&with), "{}", text(&with));
    daemon.terminate().well();
}

#[test]
fn models_of_the_station_are_tried_before_they_count_and_those_that_fail_are_refused() {
    let bench = Bench::new();
    let folder = bench.vehicle.path("new-models");
    std::fs::create_dir(&folder).unwrap();
    reading::models(&folder);
    std::fs::write(folder.join("reader.onnx"), b"no model").unwrap();
    bench.well(&["provision", "models", folder.to_str().unwrap(), "--reason", "reader of January"]);
    let bad = bench.serial("models");
    let mut daemon = bench.start();
    let line = bench.until_status("failed their test, so those before stay");
    assert!(line.starts_with("WARN") && line.contains(&format!("models number {bad}")), "{line}");
    daemon.wait_reads(1);

    reading::models(&folder);
    bench.well(&["provision", "models", folder.to_str().unwrap(), "--reason", "the right reader of January"]);
    let good = bench.serial("models");
    assert!(good > bad);
    bench.until_status(&format!("models of the station: number {good} of the station counts from the next start"));
    daemon.terminate().well();
    // The configured ones are gone: it works by those of the station.
    for name in ["detector.onnx", "reader.onnx"] {
        std::fs::remove_file(bench.vehicle.path(name)).unwrap();
    }
    let mut daemon = bench.start();
    daemon.wait_reads(1);
    bench.until_status(&format!("models of the station: number {good} of the station is in force"));
    daemon.terminate().well();
}
