//! Where the agency asks for a purpose and a case, `plated run` shows what it reads for these only.

use crate::kit::process::{Line, until};
use crate::kit::store::{events, rows};
use crate::kit::vehicle::{Settings, Vehicle, images};
use plated_vehicle::store::What;

// policy: P-01, P-02, P-21
#[test]
fn the_live_view_opens_with_purpose_and_case_where_they_are_required_and_reads_are_kept_either_way() {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &["4KLM567".into(), "7ABC123".into()]);
    let strict = "[access]\npurpose_required = true\ncase_required = true\n";
    vehicle.configure(&Settings::default(), &[images("front", "road", 1), strict.into()]);
    let ended = vehicle.start(&["--until-end", "--drain", "0"]).end();
    assert!(ended.status.success(), "{}", ended.log);
    let shown = |lines: &[Line]| lines.iter().filter(|line| !matches!(line, Line::Summary(_))).count();
    assert_eq!(shown(&ended.lines), 0);
    assert!(ended.log.contains("Reads and hits are not shown") && ended.log.contains("--purpose"), "{}", ended.log);
    assert_eq!(vehicle.stored().len(), 2);
    // Also the status says so, of a daemon that goes on.
    vehicle.configure(&Settings::default(), &[images("front", "road", 1), strict.into()]);
    let mut daemon = vehicle.start(&[]);
    daemon.wait_log("Reads and hits are not shown");
    let line = until("the live view in the status", || {
        vehicle.status().0.lines().find(|line| line.contains("live view: ")).map(str::to_owned)
    });
    assert!(line.starts_with("ok ") && line.contains("shows no reads") && line.contains("--purpose"), "{line}");
    daemon.terminate().well();
    let args = ["--until-end", "--drain", "0", "--purpose", "locate_vehicle", "--case", "26-1234"];
    let ended = vehicle.start(&args).end();
    assert!(shown(&ended.lines) >= 2, "{}", ended.log);
    let store = vehicle.store();
    let record = events(&store).into_iter().find(|event| event.what == What::LiveShown).unwrap();
    assert_eq!((record.purpose.as_deref(), &record.subject["case"]), (Some("locate_vehicle"), &"26-1234".into()));
}

// policy: P-20, P-21
#[test]
fn with_an_account_the_live_view_shows_to_whoever_is_logged_in_only_and_each_alert_with_its_own_record() {
    const FIRST: &str = "gravel otter umbrella 61";
    const OWN: &str = "basalt pelican lantern 47";
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &["4KLM567".into(), "7ABC123".into()]);
    std::fs::write(vehicle.path("list.csv"), "plate\n7ABC123\n").unwrap();
    let list = "[[hotlists]]\nname = \"svs\"\npath = \"list.csv\"\n";
    vehicle.configure(&Settings::default(), &[images("front", "road", 1), list.into()]);
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let account = ["user", "add", "jdoe", "--full-name", "Robin Vale", "--agency", "Example PD", "--role", "officer"];
    let more = ["--trained", &today, "--every-list", "--password-stdin", "--reason", "patrol"];
    vehicle.plated(&[&account[..], &more].concat(), &format!("{FIRST}\n"));
    let shown = |lines: &[Line]| lines.iter().filter(|line| !matches!(line, Line::Summary(_))).count();
    let ended = vehicle.start(&["--until-end", "--drain", "0"]).end();
    assert!(ended.status.success() && ended.log.contains("not shown here"), "{}", ended.log);
    assert_eq!((shown(&ended.lines), vehicle.stored().len()), (0, 2), "{}", ended.log);
    vehicle.plated(&["login", "jdoe", "--password-stdin"], &format!("{FIRST}\n"));
    vehicle.plated(&["user", "password", "--password-stdin"], &format!("{FIRST}\n{OWN}\n"));
    let ended = vehicle.start(&["--until-end", "--drain", "0"]).end();
    assert!(shown(&ended.lines) >= 3, "{}", ended.log);
    let rows = rows(&vehicle.store());
    let by = |action: &str| rows.iter().filter(|row| row.entry.action.as_str() == action).collect::<Vec<_>>();
    assert_eq!((by("live_shown").len(), &*by("live_shown")[0].entry.actor.name), (1, "jdoe"));
    let alerts = by("alert_shown");
    assert_eq!((alerts.len(), &*alerts[0].entry.actor.name, &*alerts[0].entry.elements["list"]), (1, "jdoe", "svs"));
}
