//! What an officer meets on the road.

use super::*;
use plated_core::record::Priority;
use plated_web::plate::{Pair, Plate};

pub fn row(id: u32, text: &str, state: &str, sure: f32, camera: &str, at: &str, place: &str) -> ReadRow {
    ReadRow {
        id: id.to_string(),
        href: format!("/reads/{id}"),
        plate: Plate::new(text, state),
        crop: crop(text),
        confidence: Confidence(sure),
        camera: camera.into(),
        at: moment(at, at),
        place: place.into(),
        urgency: None,
        corrected: false,
    }
}

pub fn reads() -> Vec<ReadRow> {
    let mut rows = vec![
        row(14, "2YZA194", "CA", 0.998, "Front right", "21:04:33", "Telegraph Ave near 51st St"),
        row(13, "6KOJ318", "CA", 0.97, "Front right", "21:04:21", "Telegraph Ave near 49th St"),
        row(12, "8T46291", "CA", 0.93, "Front left", "21:04:12", "Telegraph Ave near 48th St"),
        row(11, "583KWV", "OR", 0.99, "Front left", "21:03:58", "Telegraph Ave near 46th St"),
        row(10, "5RWE907", "CA", 0.999, "Front right", "21:03:40", "45th St near Webster St"),
        row(9, "XMP417", "CA", 0.71, "Front left", "21:03:22", ""),
        row(8, "PLATEDX", "CA", 0.98, "Rear", "21:03:05", "West MacArthur Boulevard near Martin Luther King Jr. Way"),
        row(7, "CJ4M586", "", 0.86, "Rear", "21:02:47", "MacArthur Blvd near Market St"),
        row(6, "1637024", "CA", 0.95, "Front right", "21:02:31", "MacArthur Blvd near West St"),
        row(5, "9FWL270", "CA", 0.96, "Front right", "21:02:15", "San Pablo Ave near 36th St"),
    ];
    rows[1].urgency = Some(Urgency(Priority::High));
    rows[6].urgency = Some(Urgency(Priority::Normal));
    rows[9].urgency = Some(Urgency(Priority::Low));
    rows[7].corrected = true;
    rows
}

pub fn camera(id: &str, name: &str, health: Health, rate: &str, last: &str, warnings: &[&str]) -> CameraCard {
    CameraCard {
        id: id.into(),
        name: name.into(),
        label: name.into(),
        health,
        rate: rate.into(),
        last_read: last.into(),
        warnings: warnings.iter().map(|w| (*w).into()).collect(),
    }
}

pub fn cameras() -> Vec<CameraCard> {
    vec![
        camera("front-right", "Front right", Health::Good, "28 frames/s", "read 2 s ago", &[]),
        camera("front-left", "Front left", Health::Good, "27 frames/s", "read 11 s ago", &[]),
        camera(
            "rear",
            "Rear",
            Health::Warning,
            "25 frames/s",
            "read 40 s ago",
            &["Out of focus: wipe the lens, then check the focus"],
        ),
    ]
}

pub fn live(name: &'static str) -> Live {
    match name {
        "live" => Live { frame: frame("Live reads", "Live"), reads: reads(), cameras: cameras() },
        "live-empty" => Live { frame: frame("Live reads", "Live"), reads: Vec::new(), cameras: Vec::new() },
        _ => {
            let mut cameras = cameras();
            cameras[1] = camera(
                "front-left",
                "Front left",
                Health::Bad,
                "No picture",
                "read 14 min ago",
                &["Not reached at 192.168.7.12: check cable and power"],
            );
            let frame = Frame { status: bad_status_line(), ..frame("Live reads", "Live") };
            Live { frame, reads: reads(), cameras }
        }
    }
}

pub fn alert(id: &str, read: (&str, &str), listed: (&str, &str), priority: Priority, category: &str) -> AlertCard {
    AlertCard {
        id: id.into(),
        href: format!("/alerts/{id}"),
        csrf: "0123456789abcdef".into(),
        urgency: Urgency(priority),
        category: category.into(),
        colour: String::new(),
        at: moment("21:04:42", "21:04:42"),
        ago: "12 s ago".into(),
        camera: "Front right".into(),
        place: "Telegraph Ave near 49th St".into(),
        pair: Pair::new(read.0, read.1, listed.0, listed.1),
        confidence: Confidence(0.97),
        matched: "Matched with O and 0 taken as one; 94 % probable that it is the listed plate.".into(),
        list: "SVS, 2 h old".into(),
        list_is_old: false,
        crop: crop(read.0),
        overview: overview(read.0),
        facts: vec![
            Fact::new("Kind", "Passenger"),
            Fact::new("Vehicle", "2014 Honda Accord"),
            Fact::new("Colour", "Silver"),
            Fact::new("Entered", "3 days ago").health(Health::Info),
            Fact::new("Case", "26-048113").copied_by("Copy the case number"),
            Fact::new("VIN", "1HGCR2F38EA123456").copied_by("Copy the VIN"),
        ],
        remark: String::new(),
        more_entries: 0,
        step: Step::Compare,
        seen: false,
        finding: format!("/alerts/{id}/finding"),
        muted: (priority != Priority::High).then_some(id == "d9"),
    }
}

pub fn alerts() -> Vec<AlertCard> {
    let mut wanted = alert("b7", ("5RWE907", "CA"), ("5RWE907", "CA"), Priority::High, "Felony warrant");
    wanted.remark = "Caution: may be armed. Two occupants expected.".into();
    wanted.matched = "Same characters; 99 % probable that it is the listed plate.".into();
    wanted.more_entries = 2;
    wanted.facts[0] = Fact::new("Kind", "Commercial");
    wanted.facts[1] = Fact::new("Vehicle", "2019 Freightliner M2 106 Wirtschaftsbetriebesonderfahrzeug");
    wanted.colour = "#7a3cff".into();
    let mut state = alert("c8", ("9FWL270", "CA"), ("9FWL270", "NV"), Priority::Normal, "Stolen plate");
    state.list_is_old = true;
    state.list = "NCIC, 31 h old".into();
    state.seen = true;
    state.matched = "Same characters, another state; 41 % probable.".into();
    let long = alert(
        "d9",
        ("8XBR815", "CA"),
        ("8X8R8155", "CA"),
        Priority::Normal,
        "Missing person (endangered), Silver Alert",
    );
    let mut bare = alert("e1", ("CJ4M586", ""), ("C?4M*", ""), Priority::Low, "Officer's own entry");
    (bare.crop, bare.overview, bare.place) = (None, None, String::new());
    bare.facts = vec![Fact::new("Kind", ""), Fact::new("Vehicle", ""), Fact::new("Colour", ""), Fact::new("Case", "")];
    bare.list = "This vehicle's entries".into();
    vec![
        alert("a6", ("6KOJ318", "CA"), ("6K0J318", "CA"), Priority::High, "Stolen vehicle"),
        wanted,
        state,
        long,
        alert("f2", ("PLATEDX", "CA"), ("PLATEDX", "CA"), Priority::Normal, "Local: be on the lookout"),
        bare,
    ]
}

pub fn alert_page(which: usize, step: Step, queued: usize) -> Alert {
    let cards = alerts();
    let mut queue: Vec<_> = cards.iter().take(queued).map(AlertCard::chip).collect();
    if queued == 1 {
        queue = vec![cards[which].chip()];
    }
    for chip in &mut queue {
        chip.current = chip.id == cards[which].id;
    }
    let seen = cards[which].seen || step != Step::Compare;
    let frame = Frame { shape: Shape::Full, ..frame("Alert", "Alerts") };
    Alert { frame, queue, card: AlertCard { step, seen, ..cards[which].clone() } }
}

pub fn check(health: Health, title: &str, detail: &str, link: Option<Link>) -> Check {
    Check { health, title: title.into(), detail: detail.into(), link }
}

pub fn list(name: &str, entries: &str, age: &str, health: Health, note: &str) -> ListRow {
    ListRow { name: name.into(), entries: entries.into(), age: age.into(), health, note: note.into() }
}

pub fn shift(ready: bool) -> Shift {
    let good = [
        check(Health::Good, "Training", "Passed on 3 March 2026; counts until 3 March 2027.", None),
        check(Health::Good, "Sound", "The vehicle's speaker works. This screen sounds after the first touch.", None),
        check(Health::Good, "Disk", "212 GB free, enough for some 90 days.", None),
        check(Health::Good, "Clock", "Set by GPS 4 s ago.", None),
    ];
    let bad = [
        check(
            Health::Bad,
            "Left camera",
            "Gives no picture since 20:50. Check its cable and its fuse (F12, trunk).",
            Some(Link::new("See its picture", "/cameras/left")),
        ),
        check(
            Health::Warning,
            "SVS list",
            "Is 9 hours old; it should be at most 6. It updates by itself once the station is reached.",
            None,
        ),
    ];
    let checks: Vec<_> = if ready { good.to_vec() } else { bad.into_iter().chain(good).collect() };
    let mut cameras = cameras();
    if !ready {
        cameras[1] = camera(
            "front-left",
            "Front left",
            Health::Bad,
            "No picture",
            "never read",
            &["Not reached: check cable and power"],
        );
    }
    let late = if ready { Health::Good } else { Health::Warning };
    let status = if ready { status_line() } else { bad_status_line() };
    Shift {
        frame: Frame { status, ..frame("Start of shift", "Shift") },
        verdict: if ready {
            "Everything is ready."
        } else {
            "One camera is out, and one list is old. You can drive; the left lane is not read."
        }
        .into(),
        health: if ready { Health::Good } else { Health::Bad },
        checks,
        lists: vec![
            list(
                "SVS",
                "412,806 entries",
                if ready { "2 h old" } else { "9 h old" },
                late,
                if ready { "" } else { "should be at most 6 h" },
            ),
            list("NCIC", "1,204,551 entries", "2 h old", Health::Good, ""),
            list("Department", "38 entries", "5 min old", Health::Good, ""),
        ],
        cameras,
        form: form("/shift/start", "Begin the shift", Vec::new()),
    }
}

pub fn alerts_list(empty: bool) -> Alerts {
    let rows = alerts().into_iter().enumerate().map(|(i, card)| AlertRow {
        chip: card.chip(),
        category: card.category.clone(),
        at: moment("21:04:42", "21:04:42"),
        place: card.place.clone(),
        answered: Answered { open: i < 2, text: if i < 2 { "Answer" } else { "Misread, no CLETS check" }.into() },
    });
    Alerts {
        frame: frame("Alerts of this shift", "Alerts"),
        rows: if empty { Vec::new() } else { rows.collect() },
        pager: Pager { shown: "1–6 of 6".into(), ..Pager::default() },
    }
}
