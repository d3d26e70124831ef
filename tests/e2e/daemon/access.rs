//! Where the agency asks for a purpose and a case, `plated run` shows what it reads for these only.

use crate::kit::process::Line;
use crate::kit::store::events;
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
    let args = ["--until-end", "--drain", "0", "--purpose", "locate_vehicle", "--case", "26-1234"];
    let ended = vehicle.start(&args).end();
    assert!(shown(&ended.lines) >= 2, "{}", ended.log);
    let store = vehicle.store();
    let record = events(&store).into_iter().find(|event| event.what == What::LiveShown).unwrap();
    assert_eq!((record.purpose.as_deref(), &record.subject["case"]), (Some("locate_vehicle"), &"26-1234".into()));
}
