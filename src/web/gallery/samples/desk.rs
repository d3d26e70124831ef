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
    Lists { frame: office("Lists", "/lists"), rows: if empty { Vec::new() } else { rows } }
}

pub fn camera_table() -> Cameras {
    Cameras { frame: office("Cameras", "/cameras"), rows: cameras() }
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
