//! Findings, and what an administrator looks after.

use super::*;
use plated_web::plate::Plate;

fn finding(standing: (Health, &str), reason: &str, actions: &[&str]) -> FindingRow {
    FindingRow {
        plate: Plate::new("7ABC123", "NV"),
        listed: Plate::new("7ABC123", "CA"),
        entry: "Stolen vehicle, SVS".into(),
        standing: (standing.0, standing.1.into()),
        until: moment("1 Mar 2027", "00:00:00"),
        proposed: format!("aalvarado, 26 Nov 21:10: {reason}"),
        actions: actions.iter().map(|text| Link::new(*text, "/findings/3/approve")).collect(),
    }
}

pub fn findings(empty: bool) -> Findings {
    let waiting = (Health::Warning, "Waits for a supervisor");
    let rows = vec![
        finding(waiting, "same plate of Nevada, owner identified", &["Approve", "Withdraw"]),
        finding((Health::Good, "Approved by moyelaran"), "recovered, entry not cleared", &["Withdraw"]),
        finding((Health::Info, "Withdrawn by moyelaran"), "Verkehrsüberwachungsmaßnahmendokumentation", &[]),
    ];
    let tabs = [("This shift", "/alerts"), ("Not this vehicle", "/findings")];
    let tabs = tabs.map(|(text, to)| Tab { link: Link::new(text, to), current: to == "/findings" });
    Findings {
        frame: Frame { tabs: tabs.to_vec(), ..frame("Not this vehicle", "Alerts") },
        rows: if empty { Vec::new() } else { rows },
        pager: Pager { shown: "1–3 of 3".into(), ..Pager::default() },
    }
}

pub fn propose() -> FormPage {
    let choices = [("", "All entries below"), ("1", "Stolen vehicle, SVS"), ("2", "Felony warrant, NCIC")];
    let fields = vec![
        Field::new(Input::Radio, "entry", "Which entry").choices(choices).value(""),
        Field::new(Input::Date, "until", "Until").hint("Two years at most").required(),
        Field::new(Input::Lines, "reason", "Reason").required().error("Say how you know."),
    ];
    FormPage {
        frame: frame("Not this vehicle", "Alerts"),
        lead: "Proposes that this plate is not the wanted vehicle.".into(),
        plate: Some(Plate::new("7ABC123", "NV")),
        facts: vec![Fact::new("Listed", "7ABC123 CA"), Fact::new("Vehicle", "2014 Honda Accord")],
        form: Form { cancel: Some(Link::new("Back", "/alerts/a6")), ..form("/alerts/a6/finding", "Propose", fields) },
    }
}

fn list_state(name: &str, state: (Health, &str), error: &str) -> ListState {
    ListState {
        name: name.into(),
        origin: "From the station".into(),
        state: (state.0, state.1.into()),
        entries: "1,204,551".into(),
        since: "26 Nov 2026, 18:02".into(),
        checked: "26 Nov 2026, 20:55".into(),
        error: error.into(),
    }
}

pub fn lists(empty: bool) -> Lists {
    let refused = "The file has 3 lines with mistakes: more than 1 % of all. The list of before stays in force.";
    let rows = vec![
        list_state("svs", (Health::Bad, "31 h old"), refused),
        list_state("department_of_motor_vehicles_of_the_neighbouring_state", (Health::Good, "2 h old"), ""),
    ];
    Lists {
        frame: office("Lists", "/lists"),
        rows: if empty { Vec::new() } else { rows },
        import: Link::new("Import a list", "/lists/import"),
    }
}

/// The form that sends a file.
pub fn import_form(wrong: bool) -> ListImport {
    let file = Field::new(Input::File, "file", "File").hint("As it comes from the source: packed or not").required();
    let fields = vec![
        Field::new(Input::Select, "list", "List").choices([("svs", "svs"), ("amber", "amber")]).value("svs"),
        Field::new(Input::DateTime, "dated", "Made at").hint("Only where the file itself has no date"),
        if wrong { file.error("Choose the file of the list.") } else { file },
    ];
    let form = Form {
        upload: true,
        cancel: Some(Link::new("Back", "/lists")),
        ..form("/lists/import", "Look at the file", fields)
    };
    ListImport { frame: office("Import a list", "/lists"), form: Some(form), preview: None }
}

/// What is in a file.
pub fn import_preview(refused: bool) -> ListImport {
    let line = |line: &str, kind, field: &str, what: &str| LineRow {
        line: line.into(),
        kind,
        field: field.into(),
        what: what.into(),
    };
    let mut fields = vec![Field::new(Input::Text, "reason", "Why it is brought in by hand").required()];
    if refused {
        fields.push(Field::new(Input::Check, "force", "Bring it into force all the same"));
    }
    let preview = ListPreview {
        verdict: match refused {
            true => (Health::Bad, "This file would be refused.".into()),
            false => (Health::Warning, "It can come into force; some lines are left out.".into()),
        },
        refusals: if refused {
            vec!["It has 1,204 entries where the list in force has 412,806, and at most 20 % may go at once.".into()]
        } else {
            Vec::new()
        },
        facts: vec![
            Fact::new("List", "svs"),
            Fact::new("File", "svs-2026-11-26.tbl.zip"),
            Fact::new("Dated", "26 Nov 2026, 06:00"),
            Fact::new("Lines", "412,901"),
            Fact::new("Entries", "412,806"),
            Fact::new("With mistakes", "3").health(Health::Warning),
        ],
        lines: vec![
            line("1,204", "Left out", "date", "30 Feb is no day."),
            line("88,117", "Left out", "plate", "It has more than 10 characters."),
            line("90,002", "Set aside", "plate", "It is none, as the list says."),
            line("90,417", "Remark", "category", "A code that is not known."),
        ],
        more: "91 lines more are not shown.".into(),
        accept: form("/lists/import/accept", "Bring into force", fields),
        discard: form("/lists/import/discard", "Take another file", Vec::new()),
    };
    ListImport { frame: office("Import a list", "/lists"), form: None, preview: Some(preview) }
}

/// A result to be printed.
pub fn sheet() -> Sheet {
    let read = |plate: &str, seen: &str| SheetRead {
        plate: Plate::new(plate, "CA"),
        crop: picture_of_plate(plate),
        overview: picture_of_vehicle(plate),
        facts: vec![
            Fact::new("Seen", seen),
            Fact::new("Camera", "front"),
            Fact::new("Position", "37.83534, -122.26416"),
            Fact::new("Confidence", "98 %"),
            Fact::new("Listed in", "svs"),
            Fact::new("Read", "019ac5f2-7c1e-7a90-b1d2-3f5c7a9e0b11"),
        ],
    };
    let frame = Frame { shape: Shape::Full, ..alone("2 reads") };
    Sheet {
        frame,
        facts: vec![
            Fact::new("Exported", "26 Nov 2026, 21:04"),
            Fact::new("By", "sarge"),
            Fact::new("Purpose", "Locating stolen, wanted or investigated vehicles"),
            Fact::new("Case", "26-048113"),
            Fact::new("For", "District attorney, People v. Doe"),
            Fact::new("Vehicle", "Unit 214"),
        ],
        reads: vec![read("6KOJ318", "26 Nov 2026, 20:58"), read("4HNU635", "26 Nov 2026, 20:41")],
        back: Link::new("Back to the result", "/search"),
    }
}

pub fn camera_table() -> Cameras {
    Cameras { frame: office("Cameras", "/cameras"), rows: cameras() }
}

pub fn camera_aim(given: bool) -> CameraAim {
    let picture = Picture { width: 1280, height: 720, ..picture_of_vehicle("6KOJ318") };
    let expected = AimBox { kind: "expected", x: 603, y: 432, width: 73, height: 36 };
    let boxes = vec![
        AimBox { kind: "ignored", x: 448, y: 648, width: 384, height: 72 },
        AimBox { kind: "region", x: 0, y: 180, width: 1280, height: 540 },
        expected,
    ];
    let figures = AimFigures {
        src: picture.src.clone(),
        facts: vec![
            Fact::new("Sharpness", "84; the higher, the sharper"),
            Fact::new("Looks", "blurred: focus or clean the lens").health(Health::Warning),
            Fact::new("Picture", "1280 × 720, now"),
            Fact::new("Shown", "26 Nov, 21:04:33"),
        ],
    };
    let mut frame = office("Camera front-left", "/cameras");
    frame.refresh_s = 5;
    CameraAim {
        frame,
        picture: given.then_some(picture),
        figures_at: "/cameras/front-left/figures".into(),
        boxes,
        legend: vec![
            ("region", "Plates count here"),
            ("ignored", "Plates do not count here"),
            ("expected", "A plate at this distance"),
        ],
        figures: given.then_some(figures),
        plate: if given { vec![Fact::new("A plate has", "73 pixels in width")] } else { Vec::new() },
        size: Form {
            action: "/cameras/front-left".into(),
            button: "Compute".into(),
            fields: vec![
                Field::new(Input::Text, "distance", "Distance in metres")
                    .value("12")
                    .hint("From the camera to the plates"),
                Field::new(Input::Text, "view", "Angle of view in degrees").error("Give a number from 1 to 170"),
            ],
            ..Form::default()
        },
        usual: "It is being learned from the first 200 plates.".into(),
        anew: form("/cameras/front-left/aimed", "It is aimed rightly: learn anew", Vec::new()),
    }
}

pub fn purpose_table() -> Purposes {
    let rows = [
        ("locate_vehicle", "Locating stolen, wanted or investigated vehicles"),
        ("missing_person", "Locating missing children and elders, Amber, Blue and Silver Alerts included"),
    ];
    Purposes {
        frame: office("Purposes", "/purposes"),
        facts: vec![Fact::new("Purpose", "Asked for before anything is shown"), Fact::new("Case number", "Mandatory")],
        rows: rows.map(|(name, text)| (name.into(), text.into())).to_vec(),
    }
}

fn reviewed(name: &str, training: (Health, &str), attention: &[&str]) -> ReviewRow {
    ReviewRow {
        link: Link::new(name, "/users/1"),
        role: "Lieutenant, supervisor".into(),
        authorised: "Chief A. Example, 3 Mar 2026".into(),
        last_login: "never".into(),
        training: (training.0, training.1.into()),
        attention: attention.iter().map(|text| (*text).into()).collect(),
    }
}

pub fn review(well: bool) -> Review {
    let training = (Health::Good, "until 8 Aug 2027");
    let rows = vec![
        reviewed(
            "Oyelaran-Featherstonehaugh, Maximilian-Alexander",
            (Health::Bad, "lapsed 3 Nov 2026"),
            &["Unused for 97 days: disable it if it is not needed", "Training is over"],
        ),
        reviewed("Alvarado, Ana", training, &[]),
    ];
    Review {
        frame: office("Account review", "/review"),
        verdict: if well { "All 12 accounts are in order." } else { "1 of 12 accounts needs somebody." }.into(),
        health: if well { Health::Good } else { Health::Warning },
        rows: if well { rows.into_iter().skip(1).collect() } else { rows },
        pager: Pager { shown: "1–2 of 2".into(), ..Pager::default() },
    }
}
