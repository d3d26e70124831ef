//! Accounts, settings and models go from a station that runs to a vehicle that runs, over mutual TLS.

use crate::kit::process::{Daemon, Station, until};
use crate::kit::vehicle::{Settings, Vehicle, images, transfer};
use crate::kit::{Depot, VEHICLE, reading};
use plated_access::SealSecret;
use plated_core::signing::{Signer, write_public};
use plated_station::Provisioner;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Output, Stdio};

const PASSWORD: &str = "gravel otter umbrella 61";

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
        command.args(args).arg("--config").arg(self.depot.file_at(self.address)).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes());
        child.wait_with_output().unwrap()
    }

    fn well(&self, args: &[&str]) -> String {
        let done = self.station(args);
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    fn add(&self, name: &str, role: &str) {
        let today = jiff::Zoned::now().date().to_string();
        let user = ["user", "add", name, "--full-name", "Robin Vale", "--agency", "Example PD", "--role", role];
        let more =
            ["--trained", &today, "--every-list", "--clets", "--password-stdin", "--chosen", "--reason", "patrol"];
        self.well(&[&user[..], &more[..]].concat());
    }

    /// Waits for this in the status of the vehicle.
    fn until_status(&self, text: &str) -> String {
        until(text, || {
            let (status, _) = self.vehicle.status();
            status.lines().find(|line| line.contains(text)).map(str::to_owned)
        })
    }

    fn login(&self, name: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        command.args(["login", name, "--password-stdin", "--config"]).arg(self.vehicle.path("plated.toml"));
        command.env("XDG_RUNTIME_DIR", self.vehicle.dir.path()).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes());
        child.wait_with_output().unwrap()
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

/// A process that ends with this value.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

// policy: P-20, P-23
#[test]
fn an_account_of_the_station_logs_in_at_the_vehicle_and_its_session_ends_when_it_is_revoked() {
    let bench = Bench::new();
    bench.add("chief", "auditor");
    let daemon = bench.start();
    bench.until_status("accounts of the station: number");
    bench.add("jdoe", "officer");
    until("the login", || Some(bench.login("jdoe")).filter(|done| done.status.success()));
    let look = ["hotlist", "show", "7ABC123", "--reason", "traffic stop"];
    assert!(bench.plated(&look).status.success(), "{}", text(&bench.plated(&look)));

    bench.well(&["user", "disable", "jdoe", "--reason", "left the agency"]);
    let refused = until("the end of the session", || Some(bench.plated(&look)).filter(|done| !done.status.success()));
    assert!(text(&refused).contains("log in"), "{}", text(&refused));
    assert!(!bench.login("jdoe").status.success());
    assert!(bench.login("chief").status.success());
    let log = text(&bench.plated(&["audit", "show", "--reason", "review"]));
    assert!(log.contains("users_provisioned"), "{log}");
    daemon.terminate().well();
    let mut verify = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    let verified = verify.args(["audit-verify", "--config"]).arg(bench.depot.file()).output().unwrap();
    assert!(verified.status.success(), "{}", text(&verified));
}

// policy: P-20
#[test]
fn accounts_of_the_vehicle_stay_and_one_that_the_station_hands_out_no_more_is_disabled() {
    let bench = Bench::new();
    let here = ["user", "add", "local", "--full-name", "L", "--agency", "Example PD", "--role", "officer"];
    bench.vehicle.plated(&[&here[..], &["--reason", "spare", "--password-stdin"]].concat(), &format!("{PASSWORD}\n"));
    bench.add("chief", "auditor");
    bench.add("jdoe", "officer");
    let daemon = bench.start();
    bench.until_status("accounts of the station: number");
    until("the login", || Some(bench.login("jdoe")).filter(|done| done.status.success()));
    bench.depot.database().execute("DELETE FROM accounts WHERE name = 'jdoe'", []).unwrap();
    bench.well(&["provision", "publish", "--reason", "test"]);
    until("the account's end", || Some(()).filter(|()| !bench.login("jdoe").status.success()));
    assert!(bench.login("chief").status.success());
    let local = text(&bench.plated(&["user", "show", "local"]));
    assert!(local.contains("in use") && local.contains("here"), "{local}");
    let jdoe = text(&bench.plated(&["user", "show", "jdoe"]));
    assert!(jdoe.contains("the station does not hand out this account any more"), "{jdoe}");
    daemon.terminate().well();
}

// policy: P-20
#[test]
fn an_account_opens_no_vehicle_until_its_owner_has_changed_the_first_password() {
    let bench = Bench::new();
    let user = ["user", "add", "jdoe", "--full-name", "Robin Vale", "--agency", "Example PD", "--role", "officer"];
    let more = ["--password-stdin", "--reason", "assigned to patrol"];
    bench.well(&[&user[..], &more[..]].concat());
    let daemon = bench.start();
    bench.until_status("accounts of the station: number");
    let look = ["hotlist", "show", "7ABC123", "--reason", "traffic stop"];
    until("the refusal", || {
        let said = text(&bench.login("jdoe")) + &text(&bench.plated(&look));
        said.contains("change it at the station first").then_some(())
    });
    assert!(!bench.plated(&look).status.success());
    daemon.terminate().well();
}

// policy: P-20
#[test]
fn an_account_that_was_changed_on_the_pages_is_handed_out_by_the_process_that_has_the_key() {
    let bench = Bench::new();
    bench.add("jdoe", "officer");
    let before = bench.serial("users");
    let mut provisioner = Provisioner::open(&bench.depot.config).unwrap();
    assert_eq!(provisioner.publish_changed_users("test").unwrap(), 0, "nothing was changed");
    drop(provisioner);
    let set = "UPDATE accounts SET account = json_set(account, '$.title', 'Sergeant') WHERE name = 'jdoe'";
    bench.depot.database().execute(set, []).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    command.args(["hotlist", "fetch", "--watch", "--config"]).arg(bench.depot.file_at(bench.address));
    let _watching = Ended(command.stdout(Stdio::null()).spawn().unwrap());
    until("the new document", || (bench.serial("users") > before).then_some(()));
}

// policy: P-20
#[test]
fn an_older_or_changed_document_is_refused_and_the_one_in_force_stays() {
    let bench = Bench::new();
    bench.add("chief", "auditor");
    let database = bench.depot.database();
    let older: String =
        database.query_row("SELECT signed FROM provisions WHERE kind = 'users'", [], |row| row.get(0)).unwrap();
    bench.add("jdoe", "officer");
    let daemon = bench.start();
    until("the login", || Some(bench.login("jdoe")).filter(|done| done.status.success()));
    database.execute("UPDATE provisions SET signed = ?1 WHERE kind = 'users'", [&older]).unwrap();
    let line = bench.until_status("not newer than the one in force");
    assert!(line.starts_with("WARN") && line.contains("accounts of the station: what was in force stays"), "{line}");
    let changed = older.replace("auditor", "custodian");
    database.execute("UPDATE provisions SET signed = ?1 WHERE kind = 'users'", [&changed]).unwrap();
    bench.until_status("its signature is wrong");
    assert!(bench.login("jdoe").status.success());
    // Not after a start either.
    database.execute("UPDATE provisions SET signed = ?1 WHERE kind = 'users'", [&older]).unwrap();
    daemon.terminate().well();
    let daemon = bench.start();
    bench.until_status("not newer than the one in force");
    assert!(bench.login("jdoe").status.success());
    daemon.terminate().well();
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
