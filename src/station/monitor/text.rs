//! Numbers in the text format of Prometheus.

use super::{Counts, Look};
use crate::contacts::{Contact, Standing};
use jiff::Timestamp;
use std::fmt::Write;
use std::sync::atomic::Ordering;

/// Names begin with it.
const PREFIX: &str = "plated_station_";

struct Text(String);

impl Text {
    /// A number with what it is about, in words of Prometheus: `gauge` or `counter`.
    fn family(&mut self, name: &str, kind: &str, help: &str, values: impl IntoIterator<Item = (String, f64)>) {
        let _ = write!(self.0, "# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}\n");
        for (labels, value) in values {
            let _ = writeln!(self.0, "{PREFIX}{name}{labels} {value}");
        }
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help, [(String::new(), value)]);
    }
}

/// Names of vehicles and lists are letters, digits, `-`, `_`, `.` and `/`; anything else is kept from the format.
fn label(key: &str, value: &str) -> String {
    let plain: String =
        value.chars().map(|c| if c.is_ascii_graphic() && !"\"\\".contains(c) { c } else { '_' }).collect();
    format!("{{{key}=\"{plain}\"}}")
}

fn seconds(at: Timestamp) -> f64 {
    at.as_microsecond() as f64 / 1e6
}

pub fn metrics(look: &Look, counts: &Counts, started: Timestamp) -> String {
    let mut text = Text(String::new());
    let version = label("version", env!("CARGO_PKG_VERSION"));
    text.family("info", "gauge", "Version of the program", [(version, 1.0)]);
    text.one("start_time_seconds", "gauge", "When it was started", seconds(started));
    text.one("up", "gauge", "The archive answers", if look.failed.is_none() { 1.0 } else { 0.0 });

    for (name, help, count) in [
        ("batches_total", "Batches taken in", &counts.batches),
        ("batch_bytes_total", "Their bytes", &counts.batch_bytes),
        ("ingested_reads_total", "Reads receipted as durable, again and again where they came again", &counts.reads),
        ("ingested_documents_total", "Documents receipted as durable", &counts.documents),
        ("ingested_audit_rows_total", "Rows of audit logs receipted as durable", &counts.audit_rows),
        ("refused_parts_total", "Parts of batches that were refused", &counts.refused),
        ("failed_batches_total", "Batches that got no receipt", &counts.failures),
    ] {
        text.one(name, "counter", help, count.load(Ordering::Relaxed) as f64);
    }
    if look.failed.is_some() {
        return text.0;
    }

    let kept = &look.statistics;
    text.one("reads", "gauge", "Reads that are kept", kept.reads as f64);
    text.one("pictures", "gauge", "Pictures that are kept", kept.pictures as f64);
    text.one("picture_bytes", "gauge", "Their bytes", kept.picture_bytes as f64);
    let vehicles = |value: fn(&crate::archive::VehicleCount) -> f64| {
        kept.vehicles.iter().map(move |v| (label("vehicle", &v.vehicle), value(v))).collect::<Vec<_>>()
    };
    text.family(
        "vehicle_last_contact_seconds",
        "gauge",
        "When a batch of the vehicle came last",
        vehicles(|v| seconds(v.last_received)),
    );
    text.family("vehicle_reads_total", "counter", "Reads that ever came of it", vehicles(|v| v.reads as f64));

    let contacts = |value: fn(&(Contact, Standing)) -> Option<f64>| {
        look.contacts.iter().filter_map(move |c| Some((label("vehicle", &c.0.vehicle), value(c)?))).collect::<Vec<_>>()
    };
    text.family(
        "vehicle_waiting_reads",
        "gauge",
        "Reads that it had and that were not here, as it last said",
        contacts(|(contact, _)| contact.waiting.map(|reads| reads as f64)),
    );
    text.family(
        "vehicle_oldest_waiting_seconds",
        "gauge",
        "When the oldest of them was made; none where none waits",
        contacts(|(contact, _)| contact.oldest.map(seconds)),
    );
    text.family(
        "vehicle_standing",
        "gauge",
        "0 ok, 1 it has to come soon, 2 at once, 3 a read of it is overdue, by [overdue]",
        contacts(|(_, standing)| Some(f64::from(*standing as u8))),
    );

    let lists = |value: fn(&crate::hotlists::ListAge) -> Option<f64>| {
        look.lists.iter().filter_map(move |l| Some((label("list", &l.name), value(l)?))).collect::<Vec<_>>()
    };
    text.family(
        "list_age_seconds",
        "gauge",
        "Time since the list was known to be the newest",
        lists(|l| l.age.map(|age| age.as_secs() as f64)),
    );
    text.family(
        "list_staleness",
        "gauge",
        "0 fresh, 1 older than it should be, 2 too old to rely on, or none",
        lists(|l| Some(f64::from(l.staleness as u8))),
    );
    text.family(
        "list_source_failing",
        "gauge",
        "1 while the list can't be fetched",
        lists(|l| l.is_fetched.then_some(if l.failing.is_some() { 1.0 } else { 0.0 })),
    );

    text.one(
        "purge_due_reads",
        "gauge",
        "Reads whose retention is over and that are still here",
        look.due_reads as f64,
    );
    if let Some(at) = look.last_purge {
        text.one("purge_last_seconds", "gauge", "When something was deleted last", seconds(at));
    }
    text.one("holds", "gauge", "Evidence holds that go on", look.holds.0 as f64);
    text.one("held_reads", "gauge", "Reads that they keep", look.holds.1 as f64);
    let (batches, reads, last) = look.media;
    text.one("medium_batches_total", "counter", "Batches that came on a medium, each once", batches as f64);
    text.one("medium_reads_total", "counter", "Reads in them, which batches_total does not count", reads as f64);
    if let Some(at) = last {
        text.one("medium_last_import_seconds", "gauge", "When one of them came last", seconds(at));
    }
    if let Some((waiting, progress)) = &look.forward {
        text.one("forward_waiting_reads", "gauge", "Reads that wait for the upstream station", waiting.reads as f64);
        text.one("forward_refused_reads", "gauge", "Those of them that it refused", waiting.refused as f64);
        let oldest = waiting.oldest.map_or(0.0, seconds);
        text.one("forward_oldest_seconds", "gauge", "Since when the oldest waits; 0: none does", oldest);
        text.one("forwarded_reads_total", "counter", "Reads that it holds since the start", progress.sent as f64);
        let failing = if progress.failing.is_some() { 1.0 } else { 0.0 };
        text.one("forward_failing", "gauge", "1 while nothing can be forwarded", failing);
    }
    let open = look.signs.iter().filter(|sign| sign.is_open()).count();
    text.one("security_open", "gauge", "Signs of a breach that nobody looked into", open as f64);
    text.one("findings_waiting", "gauge", "Findings that wait for a supervisor", look.findings_waiting as f64);
    if let Some(free) = look.free_bytes {
        text.one("disk_free_bytes", "gauge", "Room on the disk of the archive", free as f64);
    }
    text.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Statistics, VehicleCount};

    #[test]
    fn each_family_has_its_help_and_type_once_and_no_value_breaks_the_format() {
        let last_received = "2026-11-26T08:00:00Z".parse().unwrap();
        let vehicle = |name: &str| VehicleCount { vehicle: name.into(), reads: 3, last_received };
        let statistics =
            Statistics { reads: 3, vehicles: vec![vehicle("unit-7"), vehicle("x\"} 1\ny")], ..Statistics::default() };
        let text = metrics(&Look { statistics, ..Look::default() }, &Counts::default(), last_received);
        assert!(
            text.contains("plated_station_vehicle_last_contact_seconds{vehicle=\"unit-7\"} 1795680000\n"),
            "{text}"
        );
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with(PREFIX) && value.parse::<f64>().is_ok(), "{line}");
        }
        let types: Vec<_> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
        let mut once = types.clone();
        once.dedup();
        assert_eq!(once, types);
    }
}
