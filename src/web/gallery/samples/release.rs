//! Requests of other agencies, and the register of agencies.

use super::station::station;
use super::*;

fn in_release(title: &str, href: &str) -> Frame {
    let tab = |text: &str, of: &str| Tab { link: Link::new(text, of), current: of == href };
    let tabs = vec![tab("Requests", "/releases"), tab("Partners", "/partners")];
    Frame { tabs, ..station(title, "Release") }
}

pub fn releases(empty: bool) -> Releases {
    let row = |agency: &str, exigent: bool, standing: (Health, &str)| ReleaseRow {
        link: Link::new(agency, "/releases/1"),
        person: "Det. R. Smith".into(),
        case: "L-26-00777".into(),
        at: moment("21:04:33", "21:04:33"),
        by: "aalvarado".into(),
        exigent,
        standing: (standing.0, standing.1.into()),
    };
    let rows = vec![
        row("Lodi Police Department", true, (Health::Warning, "To be decided on; it can't wait")),
        row("Reno Police Department", false, (Health::Warning, "Refused; to be answered by records staff")),
        row("District Attorney of San Joaquin County", false, (Health::Good, "Approved; the reads left")),
    ];
    Releases {
        frame: in_release("Release", "/releases"),
        health: if empty { Health::Good } else { Health::Info },
        verdict: if empty { "Nothing waits." } else { "2 requests wait for a decision." }.into(),
        new: Link::new("Take a request down", "/releases/new"),
        pager: Pager { shown: "1–3 of 3".into(), ..Pager::default() },
        rows: if empty { Vec::new() } else { rows },
    }
}

pub fn release_new() -> FormPage {
    let agencies = [("", "Choose"), ("other", "Not in the register"), ("1", "Lodi Police Department")];
    let purposes = [("locate_vehicle", "Locating stolen, wanted or investigated vehicles")];
    let fields = vec![
        Field::new(Input::Select, "agency", "Agency").choices(agencies).required(),
        Field::new(Input::Text, "other", "Name of an agency that is not in the register"),
        Field::new(Input::Text, "person", "Who asks there, with their title").required(),
        Field::new(Input::Text, "need", "What they need it for").required().error("Say what it is needed for."),
        Field::new(Input::Radio, "purpose", "Purpose").choices(purposes).required(),
        Field::new(Input::Text, "case", "Number of their case").required(),
        Field::new(Input::Plate, "plate", "Plate").value("6K?J3*").hint("? one character, * any run; or a place below"),
        Field::new(Input::DateTime, "from", "From").value("2026-11-12T08:00").required(),
        Field::new(Input::DateTime, "until", "Until").value("2026-11-12T20:00").required(),
        Field::new(Input::Check, "exigent", "It can't wait: a life is in danger or evidence would be lost"),
    ];
    FormPage {
        frame: in_release("A request of another agency", "/releases"),
        lead: "It is kept with your name, and another person decides on it. Nothing leaves by this.".into(),
        plate: None,
        facts: Vec::new(),
        form: form("/releases/new", "Take down", fields),
    }
}

/// One that waits, or one by which the reads left.
pub fn release(approved: bool) -> ReleaseDetail {
    let why = |name: &str, label: &str| vec![Field::new(Input::Text, name, label).required()];
    let decision = vec![
        Fact::new("Said", "Approved"),
        Fact::new("By", "clerk, custodian, 26 Nov 2026, 21:30"),
        Fact::new("Why", "the agreement covers it"),
    ];
    let left = "3 reads, taken out by clerk on 26 Nov 2026, 21:34, in the archive 019ac5f2-7c1e-7a90-b1d2-3f5c7a9e0b11";
    ReleaseDetail {
        frame: in_release("A request of another agency", "/releases"),
        health: if approved { Health::Good } else { Health::Info },
        verdict: if approved { "Approved; the reads left." } else { "To be decided on." }.into(),
        plate: Some(plated_web::plate::Plate::new("6KOJ318", "")),
        facts: vec![
            Fact::new("Agency", "Lodi Police Department"),
            Fact::new("Asked by", "Det. R. Smith"),
            Fact::new("Purpose", "Locating stolen, wanted or investigated vehicles"),
            Fact::new("Their case", "L-26-00777"),
            Fact::new("Needed for", "the vehicle was seen near the burglary of 12 Nov"),
            Fact::new("From", "12 Nov 2026, 08:00"),
            Fact::new("Until", "12 Nov 2026, 20:00"),
            Fact::new("Taken down", "aalvarado, 26 Nov 2026, 21:04"),
            Fact::new("Can it wait", "Yes"),
        ],
        agency: vec![
            Fact::new("What it is", "Law enforcement, CA"),
            Fact::new("Purpose", "stolen vehicles and burglaries"),
            Fact::new("Right to know", "agreement of 3 Feb 2026"),
            Fact::new("Need to know", "its investigations in both cities"),
            Fact::new("Next review", "1 Feb 2027"),
        ],
        decision: if approved { decision } else { Vec::new() },
        given_out: if approved { vec![left.into()] } else { Vec::new() },
        approve: (!approved).then(|| form("/releases/1/decision", "Approve", why("why", "Why it is in order"))),
        refuse: (!approved)
            .then(|| ("Refuse".into(), form("/releases/1/decision", "Refuse", why("refuse_why", "Why not")))),
        give_out: approved.then(|| form("/releases/1/evidence", "Take the reads out", Vec::new())),
    }
}

pub fn partners(empty: bool) -> PartnersPage {
    let row = |name: &str, kind: &str, standing: (Health, &str), open: bool| PartnerRow {
        name: name.into(),
        kind: kind.into(),
        purpose: "stolen vehicles and burglaries".into(),
        right_to_know: "agreement of 3 Feb 2026".into(),
        need_to_know: "its investigations in both cities".into(),
        standing: (standing.0, standing.1.into()),
        by: "clerk, 3 Feb 2026, 09:12".into(),
        review: open.then(|| {
            let review = Field::new(Input::Date, format!("review-{name}"), "Next review").required();
            form("/partners/1/review", "Reviewed", vec![review])
        }),
        end: open.then(|| {
            form("/partners/1/end", "End", vec![Field::new(Input::Text, format!("end-{name}"), "Why").required()])
        }),
    };
    let rows = vec![
        row("Lodi PD", "Law enforcement, CA", (Health::Good, "Reads may be released; review on 1 Feb 2027"), true),
        row(
            "Reno PD",
            "Law enforcement, NV",
            (Health::Warning, "It is of NV; reads are released to agencies of CA only."),
            true,
        ),
        row("Tracy PD", "Law enforcement, CA", (Health::Info, "Nothing is released to this agency any more."), false),
    ];
    let fields = vec![
        Field::new(Input::Text, "name", "Agency").required(),
        Field::new(Input::Text, "jurisdiction", "State").hint("Two letters; US for a federal agency").required(),
        Field::new(Input::Date, "review", "Next review").required().error("The review has to be after today."),
        Field::new(Input::Text, "right_to_know", "Right to know").hint("The law or the agreement").required(),
    ];
    PartnersPage {
        frame: in_release("Partner agencies", "/partners"),
        rule:
            "Reads are released to law enforcement and prosecutorial agencies of CA only, on a request that a second \
               person approved."
                .into(),
        rows: if empty { Vec::new() } else { rows },
        add: Some(form("/partners", "Enter", fields)),
    }
}
