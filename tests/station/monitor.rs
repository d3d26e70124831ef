//! What a monitoring system and whoever gathers logs get of the running station.

use crate::kit::process::until;
use crate::kit::{Depot, VEHICLE, batch, body_with, post, receipt, record, seal};
use jiff::Timestamp;
use plated_core::wire::batch::WaitingReport;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

pub struct Running {
    child: Child,
    pub address: SocketAddr,
    metrics: SocketAddr,
}

impl Running {
    pub fn start(depot: &Depot, more: &str) -> Self {
        let config = depot.file();
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, format!("{text}[metrics]\nlisten = \"127.0.0.1:0\"\n{more}")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        command.args(["run", "--config"]).arg(config).env_remove("PLATED_LOG").env_remove("JOURNAL_STREAM");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let address = out.next().unwrap().strip_prefix("listening on https://").unwrap().parse().unwrap();
        let metrics = out.find_map(|line| Some(line.strip_prefix("metrics at http://")?.to_owned())).unwrap();
        Self { child, address, metrics: metrics.trim_end_matches("/metrics").parse().unwrap() }
    }

    /// The status and the body.
    pub fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.metrics).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// The end in order, and what it logged.
    pub fn terminate(mut self) -> String {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(self.child.wait().unwrap().success(), "{log}");
        log
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// policy: P-10
#[tokio::test(flavor = "multi_thread")]
async fn numbers_and_health_have_vehicles_and_lists_and_no_plate() {
    let depot = Depot::new();
    let source = "[[sources]]\nname = \"svs\"\ncommand = [\"/nowhere/scp\"]\nstale = { warn_h = 1, critical_h = 2 }\n";
    let station = Running::start(&depot, source);
    let list = depot.dir.path().join("svs.csv");
    std::fs::write(&list, "plate\n8XYZ999\n").unwrap();
    depot.well(&["hotlist", "import", list.to_str().unwrap(), "--name", "svs"]);
    assert!(!depot.command(&["hotlist", "fetch"]).status.success());
    let oldest = Timestamp::from_second(Timestamp::now().as_second() - 28 * 86_400).unwrap();
    let waiting = WaitingReport { reads: 2, oldest: Some(oldest) };
    let sent = body_with(&batch(VEHICLE, vec![seal(&record(&[]))]), Some(waiting));
    assert_eq!(receipt(&post(&depot.link(station.address), sent).await.unwrap()).reads.durable.len(), 1);
    assert_eq!(station.get("/readyz").0, 200);

    let text = until("the numbers", || {
        let (status, text) = station.get("/metrics");
        (status == 200 && text.contains("vehicle_standing{vehicle=\"unit-7\"}")).then_some(text)
    });
    for line in [
        "plated_station_up 1",
        "plated_station_batches_total 1",
        "plated_station_ingested_reads_total 1",
        "plated_station_reads 1",
        "plated_station_vehicle_reads_total{vehicle=\"unit-7\"} 1",
        "plated_station_vehicle_waiting_reads{vehicle=\"unit-7\"} 2",
        "plated_station_vehicle_standing{vehicle=\"unit-7\"} 2",
        "plated_station_list_staleness{list=\"svs\"} 0",
        "plated_station_list_source_failing{list=\"svs\"} 1",
        "plated_station_purge_due_reads 0",
        "plated_station_holds 0",
        "plated_station_security_open 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is not in: {text}");
    }
    let line = format!("plated_station_vehicle_oldest_waiting_seconds{{vehicle=\"unit-7\"}} {}\n", oldest.as_second());
    assert!(text.contains(&line), "{text}");
    assert!(text.contains("plated_station_list_age_seconds{list=\"svs\"} "), "{text}");
    let (status, health) = station.get("/healthz");
    let health: serde_json::Value = serde_json::from_str(&health).unwrap();
    assert_eq!((status, &health["status"]), (200, &"degraded".into()), "{health}");
    let part = |name: &str| health["parts"].as_array().unwrap().iter().find(|p| p["name"] == name).unwrap().clone();
    assert!(part("list svs")["text"].as_str().unwrap().contains("it can't be fetched since"), "{health}");
    assert_eq!(part("archive")["level"], "ok");
    assert_eq!(part("vehicles")["text"], "to come at once: 1 vehicle; plated-station vehicles");
    let all = text + &health.to_string();
    assert!(!all.contains("8XYZ999") && !all.contains("7ABC234"), "{all}");
    assert_eq!(station.get("/").0, 404);
}

#[test]
fn the_log_is_an_object_on_each_line_where_that_is_set() {
    let depot = Depot::new();
    let station = Running::start(&depot, "[log]\nformat = \"json\"\n");
    let log = station.terminate();
    assert!(log.lines().count() > 0);
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["message"].is_string(), "{line}");
    }
}
