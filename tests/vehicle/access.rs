//! Every way to data leaves its record before anything is shown, and shows nothing when that can't be
//! written.

use crate::kit::store::{Place, events, hit, read, rows, start};
use plated_access::{Actor, Grants, LoginName, NewSubscriber, Purpose, Role};
use plated_core::digest::Sha256;
use plated_core::error::{Kind, Result};
use plated_core::performance::{Counts, Method};
use plated_core::record::{MadeBy, Priority};
use plated_vehicle::config::Config;
use plated_vehicle::control::{AccountChange, Expires, NewAccount, OfficerService, Reply, Request};
use plated_vehicle::store::{Finding, Looks, NewTest, Reason, Store};
use std::path::PathBuf;
use std::process::{Command, Output};

const FAULT: &str = "CREATE TRIGGER fault BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'fault'); END;";

struct Vehicle {
    place: Place,
    config: PathBuf,
    hit: String,
    read: String,
}

impl Vehicle {
    /// With a list, an entry of an officer, a read and a hit.
    fn new() -> Self {
        Self::with("")
    }

    /// The same with this at the end of its configuration.
    fn with(more: &str) -> Self {
        let place = Place::new();
        place.clock.jump_to(jiff::Timestamp::now());
        let config = place.dir.path().join("plated.toml");
        let text = "vehicle = \"unit-7\"\nsources = [{ name = \"a\", kind = \"video\", path = \"a\" }]\n\
                    [[hotlists]]\nname = \"svs\"\n[store]\npath = \"store.db\"\nkey_file = \"store.key\"\n";
        std::fs::write(&config, format!("{text}{more}")).unwrap();
        std::fs::write(place.dir.path().join("new.csv"), "plate\n7ABC123\n").unwrap();
        let vehicle = Self { place, config, hit: String::new(), read: String::new() };
        let (store, service) = vehicle.service();
        let mut new = read("7ABC123");
        new.record.hits.push(hit("svs"));
        (new.record.last_seen, new.record.hits[0].at) = (jiff::Timestamp::now(), jiff::Timestamp::now());
        store.put_read(&new).unwrap();
        for request in [import(), add("7ABC123", None), start_drive_test(), enter_test_plate()] {
            ask(&service, &vehicle, request, &mut |_| {}).unwrap();
        }
        drop(service);
        store.close().unwrap();
        Self { hit: new.record.hits[0].short(), read: new.record.id.to_string(), ..vehicle }
    }

    fn service(&self) -> (Store, OfficerService) {
        let (store, _) = self.place.open();
        let service =
            OfficerService::open(&Config::load(&self.config).unwrap(), store.clone(), self.place.clock.clone());
        service.arm().unwrap();
        (store, service)
    }

    /// From now on no event can be written.
    fn break_record(&self) {
        let hex = std::fs::read_to_string(self.place.dir.path().join("store.key")).unwrap();
        let conn = rusqlite::Connection::open(self.place.path()).unwrap();
        conn.execute_batch(&format!("PRAGMA key = \"x'{}'\";", hex.trim())).unwrap();
        conn.execute_batch(FAULT).unwrap();
    }

    fn plated(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        command.args(args).args(["--config"]).arg(&self.config).output().unwrap()
    }

    fn records(&self) -> usize {
        let (store, _) = self.place.open();
        let count = events(&store).len();
        store.close().unwrap();
        count
    }
}

fn ask(service: &OfficerService, vehicle: &Vehicle, request: Request, seen: &mut dyn FnMut(Reply)) -> Result<()> {
    let file = matches!(request, Request::Import { .. }).then(|| vehicle.place.dir.path().join("new.csv"));
    service.answer(request, &Actor::of_this_process(), file.as_deref(), &mut |reply| {
        seen(reply);
        Ok(())
    })
}

fn why() -> Reason {
    Reason::new("traffic stop").unwrap()
}

fn add(plate: &str, search_back: Option<u64>) -> Request {
    Request::Add {
        plate: plate.into(),
        state: "CA".into(),
        category: "bolo".into(),
        priority: Priority::High,
        reason: why(),
        case: String::new(),
        expires: None,
        search_back,
    }
}

fn import() -> Request {
    let (list, file) = ("svs".into(), "new.csv".into());
    Request::Import { list, file, bytes: 14, modified: Some(start()), force: false, reason: why() }
}

fn start_drive_test() -> Request {
    Request::StartDriveTest { camera: "a".into(), note: "rain".into(), reason: why() }
}

fn enter_test_plate() -> Request {
    Request::EnterTestPlate { plate: "7ABC129".into(), state: "CA".into(), reason: why() }
}

/// The result of a replay.
fn test() -> NewTest {
    NewTest {
        camera: "a".into(),
        method: Method::Replay { set: "autumn".into(), sha256: Sha256::of(b"autumn"), files: 240 },
        counts: Counts { plates: 500, found: 479, exact: 470, texts: 474, folded: 476, extra: 12 },
        made_by: MadeBy { plated: "0.1.0".into(), detector: "d1".into(), reader: "r1".into() },
        note: String::new(),
    }
}

fn account() -> NewAccount {
    NewAccount {
        name: LoginName::new("jdoe").unwrap(),
        full_name: "Robin Vale".into(),
        title: "Officer".into(),
        agency: "Example PD".into(),
        role: Role::Officer,
        trained: Some("2026-01-15".parse().unwrap()),
        grants: Grants { every_list: true, ..Grants::default() },
        password: "gravel otter umbrella 61".to_owned().into(),
    }
}

fn program() -> NewSubscriber {
    NewSubscriber {
        name: "cad".into(),
        lists: ["svs".to_owned()].into(),
        clets: true,
        priority: Priority::Normal,
        purpose: Some(Purpose::new("locate_vehicle").unwrap()),
    }
}

/// One of each request.
fn requests(vehicle: &Vehicle) -> Vec<Request> {
    let (plate, case) = ("7ABC123".to_owned(), "26-1234".to_owned());
    vec![
        add("7DEF456", Some(3600)),
        Request::Show { plate: plate.clone(), reason: why(), case: case.clone() },
        Request::Search {
            plate,
            canvass: None,
            looks: Looks::default(),
            window: 3600,
            reason: why(),
            case: case.clone(),
        },
        Request::Search {
            plate: String::new(),
            canvass: None,
            looks: Looks { class: Some("pickup".into()), colour: Some("white".into()), make: None },
            window: 3600,
            reason: why(),
            case: case.clone(),
        },
        Request::Hits { window: 3600, reason: why(), case: case.clone() },
        Request::Disposition { hit: vehicle.hit.clone(), finding: Finding::Correct, reason: why(), case },
        Request::Export { list: "svs".into(), reason: why(), case: "26-1234".into() },
        Request::Export { list: "officers".into(), reason: why(), case: "26-1234".into() },
        Request::Entries { reason: why(), case: "26-1234".into() },
        Request::Remove { id: 1, reason: why() },
        import(),
        Request::Sync,
        Request::TransferNow,
        Request::EndShift { reason: why() },
        Request::ExportMedium { present: Vec::new(), rest: false, reason: why(), case: String::new() },
        Request::BringReceipt { file: "a.receipt".into(), bytes: 0, reason: why() },
        Request::Status,
        Request::Accounts { name: None },
        Request::AddAccount { account: account(), reason: why() },
        Request::ChangeAccount { name: account().name, change: AccountChange::Disable, reason: why() },
        Request::Subscribers,
        Request::AddSubscriber { subscriber: program(), reason: why() },
        Request::RemoveSubscriber { name: "cad".into(), reason: why() },
        Request::Login { name: "jdoe".into(), password: account().password, code: Some("123456".to_owned().into()) },
        Request::Logout,
        Request::ChangePassword { old: account().password, new: "basalt pelican lantern 47".to_owned().into() },
        Request::BeginSecondFactor { password: account().password },
        Request::ConfirmSecondFactor { code: "123456".to_owned().into() },
        Request::RenewRecoveryCodes { password: account().password },
        Request::ShowAudit { last: 50, reason: why(), case: "26-1234".into() },
        Request::ExportAudit { redacted: true, log: None, reason: why(), case: "26-1234".into() },
        Request::Correct {
            read: vehicle.read.clone(),
            plate: "7ABC128".into(),
            state: None,
            reason: why(),
            case: "26-1234".into(),
        },
        Request::Corrections { window: 3600, reason: why(), case: "26-1234".into() },
        Request::ProposeFinding {
            hit: vehicle.hit.clone(),
            entry: None,
            until: Expires::InSeconds(86_400),
            reason: why(),
            case: "26-1234".into(),
        },
        Request::Findings { reason: why(), case: "26-1234".into() },
        Request::WithdrawFinding { number: 1, reason: why(), case: "26-1234".into() },
        Request::StartCanvass { incident: "26-1234".into(), reason: why() },
        Request::Canvasses,
        Request::EndCanvass { reason: why() },
        Request::Mute { hit: vehicle.hit.clone(), muted: false, reason: why(), case: "26-1234".into() },
        Request::MayTest,
        Request::KeepTest { test: test(), reason: why() },
        Request::ShowMisses { set: "autumn".into(), misses: 3, reason: why(), case: "26-1234".into() },
        Request::PerformanceTests { limit: 100 },
        Request::EndDriveTest { misses: true, reason: why(), case: "26-1234".into() },
        start_drive_test(),
        enter_test_plate(),
        Request::TakeTestPlateBack { reason: why() },
        Request::DiscardDriveTest { reason: why() },
    ]
}

/// Whether a request is answered with data: the one who adds one has to say so here, and to put it
/// into [`requests`].
fn shows_data(request: &Request) -> bool {
    match request {
        Request::Add { .. }
        | Request::Remove { .. }
        | Request::Entries { .. }
        | Request::Mute { .. }
        | Request::Show { .. }
        | Request::Search { .. }
        | Request::Hits { .. }
        | Request::Disposition { .. }
        | Request::Correct { .. }
        | Request::Corrections { .. }
        | Request::ProposeFinding { .. }
        | Request::ApproveFinding { .. }
        | Request::WithdrawFinding { .. }
        | Request::Findings { .. }
        // What was missed in it.
        | Request::EndDriveTest { .. }
        | Request::Export { .. }
        | Request::ShowAudit { .. }
        | Request::ExportAudit { .. } => true,
        // Counts, states of lists, what became of a list; accounts, programs and canvasses, which say nothing of a plate.
        Request::Import { .. }
        | Request::StartCanvass { .. }
        | Request::EndCanvass { .. }
        | Request::Canvasses
        // Results, in which no plate is; plates that whoever asks brings along.
        | Request::MayTest
        | Request::KeepTest { .. }
        | Request::ShowMisses { .. }
        | Request::PerformanceTests { .. }
        | Request::StartDriveTest { .. }
        | Request::EnterTestPlate { .. }
        | Request::TakeTestPlateBack { .. }
        | Request::DiscardDriveTest { .. }
        | Request::Sync
        | Request::TransferNow
        | Request::EndShift { .. }
        // Encrypted, for the station alone; each export is on record (`medium.rs`).
        | Request::ExportMedium { .. }
        | Request::BringReceipt { .. }
        | Request::Status
        | Request::Accounts { .. }
        | Request::AddAccount { .. }
        | Request::ChangeAccount { .. }
        | Request::Subscribers
        | Request::AddSubscriber { .. }
        | Request::RemoveSubscriber { .. }
        | Request::Login { .. }
        | Request::Logout
        | Request::ChangePassword { .. }
        | Request::BeginSecondFactor { .. }
        | Request::ConfirmSecondFactor { .. }
        | Request::RenewRecoveryCodes { .. } => false,
    }
}

// policy: P-21
#[test]
fn every_request_that_shows_data_is_on_record_before_its_first_answer() {
    let vehicle = Vehicle::new();
    let (store, service) = vehicle.service();
    for request in requests(&vehicle).into_iter().filter(shows_data) {
        let (name, before) = (format!("{request:?}"), events(&store).len());
        let mut answers = 0;
        ask(&service, &vehicle, request, &mut |_| {
            answers += 1;
            let records = events(&store);
            assert!(records.len() > before, "{name}: shown before it was on record");
            let record = &records[before];
            assert_eq!((&record.who, &*record.reason), (&Actor::of_this_process().author(), "traffic stop"), "{name}");
        })
        .unwrap();
        assert!(answers > 0, "{name}: the test shows nothing");
    }
}

// policy: P-21
#[test]
fn no_request_shows_anything_when_its_record_cannot_be_written() {
    let vehicle = Vehicle::new();
    vehicle.break_record();
    let (_store, service) = vehicle.service();
    for request in requests(&vehicle).into_iter().filter(shows_data) {
        let name = format!("{request:?}");
        let mut answers = 0;
        ask(&service, &vehicle, request, &mut |_| answers += 1).unwrap_err();
        assert_eq!(answers, 0, "{name}");
    }
}

/// With a purpose.
fn purposeful(request: Request) -> Request {
    let mut json = serde_json::to_value(request).unwrap();
    json["reason"] = serde_json::json!({"text": "traffic stop", "purpose": "locate_vehicle"});
    if json["do"] == "add" {
        json["case"] = "26-1234".into();
    }
    serde_json::from_value(json).unwrap()
}

// policy: P-20, P-21
#[test]
fn where_logins_are_required_nobody_without_a_session_sees_or_changes_anything() {
    let vehicle = Vehicle::new();
    let text = std::fs::read_to_string(&vehicle.config).unwrap();
    std::fs::write(&vehicle.config, format!("{text}[access]\nlogins_required = true\n")).unwrap();
    let (store, service) = vehicle.service();
    let before = rows(&store).len();
    let guarded = |request: &Request| shows_data(request) || matches!(request, Request::Import { .. });
    for request in requests(&vehicle).into_iter().filter(guarded) {
        let (name, mut answers) = (format!("{request:?}"), 0);
        let refused = ask(&service, &vehicle, request, &mut |_| answers += 1).unwrap_err();
        assert_eq!((refused.kind(), answers), (Kind::Unauthenticated, 0), "{name}: {refused}");
    }
    assert_eq!(rows(&store).len(), before);
}

/// Its agency asks for a purpose and a case.
const STRICT: &str = "[access]\npurpose_required = true\ncase_required = true\n";

// policy: P-01, P-02, P-21
#[test]
fn where_purpose_and_case_are_required_every_look_opens_with_them_and_none_without() {
    let vehicle = Vehicle::with(STRICT);
    let (store, service) = vehicle.service();
    // Taking out what was entered is no look.
    let looks = || requests(&vehicle).into_iter().filter(|r| shows_data(r) && !matches!(r, Request::Remove { .. }));
    for request in looks() {
        let (name, before, mut answers) = (format!("{request:?}"), events(&store).len(), 0);
        let refused = ask(&service, &vehicle, request, &mut |_| answers += 1).unwrap_err().chain();
        assert!(refused.contains("no purpose is given"), "{name}: {refused}");
        assert_eq!((answers, events(&store).len()), (0, before), "{name}");
    }
    for request in looks().map(purposeful) {
        let (name, before, mut answers) = (format!("{request:?}"), events(&store).len(), 0);
        ask(&service, &vehicle, request, &mut |_| answers += 1).unwrap();
        assert!(answers > 0, "{name}");
        let records = events(&store).split_off(before);
        let record = records.iter().find(|r| r.subject["case"] == "26-1234").expect(&name);
        assert_eq!(record.purpose.as_deref(), Some("locate_vehicle"), "{name}");
    }
}

// policy: P-01, P-02
#[test]
fn where_purpose_and_case_are_required_every_subcommand_can_give_them() {
    let vehicle = Vehicle::with(STRICT);
    let reasoned = ["--reason", "stop"];
    for (args, more) in [
        (&["hotlist", "show", "7ABC123"][..], &reasoned[..]),
        (&["hotlist", "search", "7ABC123"], &reasoned),
        (&["hotlist", "add", "7DEF456", "--search-back", "24h"], &reasoned),
        (&["hotlist", "export", "--list", "svs"], &reasoned),
        (&["hotlist", "export", "--list", "officers"], &reasoned),
        (&["hit", "list"], &reasoned),
        (&["read", "correct", &vehicle.read, "--plate", "7ABC128"], &reasoned),
        (&["read", "corrections"], &reasoned),
        (&["audit", "show"], &reasoned),
        (&["audit", "export"], &reasoned),
        (&["performance", "end", "--misses"], &reasoned),
        (&["hit", "disposition", &vehicle.hit, "correct"], &[]),
    ] {
        let refused = vehicle.plated(&[args, more].concat());
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.stdout.is_empty() && message.contains("--purpose"), "{args:?}: {message}");
        let without_case = vehicle.plated(&[args, more, &["--purpose", "locate_vehicle"]].concat());
        let message = String::from_utf8_lossy(&without_case.stderr).into_owned();
        assert!(without_case.stdout.is_empty() && message.contains("--case"), "{args:?}: {message}");
        let done = vehicle.plated(&[args, more, &["--purpose", "locate_vehicle", "--case", "26-1234"]].concat());
        let message = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success() && !done.stdout.is_empty(), "{args:?}: {message}");
    }
}

#[test]
fn requests_are_on_the_socket_as_in_the_golden_file() {
    let vehicle = Vehicle::new();
    let mut requests = requests(&vehicle);
    requests.extend([purposeful(add("7DEF456", None)), purposeful(requests[5].clone())]);
    if let Request::Add { expires, .. } = &mut requests[0] {
        *expires = Some(Expires::At(start()));
    }
    if let Some(Request::Add { expires, .. }) = requests.iter_mut().rev().nth(1) {
        *expires = Some(Expires::InSeconds(28_800));
    }
    let lines = requests.iter().map(|r| serde_json::to_string(r).unwrap().replace(&vehicle.hit, "9f3a21c4") + "\n");
    let lines = lines.map(|line| line.replace(&vehicle.read, "0197a3c0-0000-7000-8000-000000000001"));
    assert_eq!(lines.collect::<String>(), include_str!("../golden/control_requests.jsonl"));
}

/// What a subcommand shows.
enum Shows<'a> {
    /// Data of the vehicle, when called like this.
    Data(Vec<&'a str>),
    /// Nothing of the store: counts and states, or what the caller brings.
    Nothing,
    /// Reads and hits as they are made; tested with the daemon.
    Live,
}

// policy: P-21
#[test]
fn every_subcommand_that_shows_data_is_on_record_and_shows_nothing_when_that_cannot_be_written() {
    let vehicle = Vehicle::new();
    let (hit, read) = (vehicle.hit.clone(), vehicle.read.clone());
    let shows = |name: &str| match name {
        "hotlist show" => Shows::Data(vec!["hotlist", "show", "7ABC123", "--reason", "stop"]),
        "hotlist search" => Shows::Data(vec!["hotlist", "search", "7ABC123", "--reason", "stop"]),
        "hotlist export" => Shows::Data(vec!["hotlist", "export", "--list", "svs", "--reason", "stop"]),
        "hotlist add" => Shows::Data(vec!["hotlist", "add", "7DEF456", "--reason", "stop"]),
        "hotlist remove" => Shows::Data(vec!["hotlist", "remove", "1", "--reason", "stop"]),
        "hit list" => Shows::Data(vec!["hit", "list", "--reason", "stop"]),
        "hit disposition" => Shows::Data(vec!["hit", "disposition", &hit, "correct"]),
        "read correct" => Shows::Data(vec!["read", "correct", &read, "--plate", "7ABC128", "--reason", "stop"]),
        "read corrections" => Shows::Data(vec!["read", "corrections", "--reason", "stop"]),
        "finding propose" => Shows::Data(vec!["finding", "propose", &hit, "--until", "2d", "--reason", "stop"]),
        "finding list" => Shows::Data(vec!["finding", "list", "--reason", "stop"]),
        "finding withdraw" => Shows::Data(vec!["finding", "withdraw", "1", "--reason", "stop"]),
        // It takes another person; each change is on record (`officers/findings.rs`).
        "finding approve" => Shows::Nothing,
        "audit show" => Shows::Data(vec!["audit", "show", "--reason", "stop"]),
        "audit export" => Shows::Data(vec!["audit", "export", "--reason", "stop"]),
        "run" => Shows::Live,
        "init" | "setup" | "recognize" | "check" | "doctor" | "completions" | "man" | "status" | "store salvage"
        | "hotlist check" | "login" | "logout" | "hotlist detect" | "hotlist import" | "hotlist stats"
        | "hotlist sync" | "transfer now" | "transfer status" | "shift end" | "medium export" | "medium receipts"
        | "audit verify" => Shows::Nothing,
        // What a camera of the caller's own device sees now; nothing of it is read or kept.
        camera if camera.starts_with("camera ") => Shows::Nothing,
        // Of plates; each change is on record (`accounts`).
        account if account.starts_with("user ") || account.starts_with("subscriber ") => Shows::Nothing,
        // Incident numbers; each change is on record (`officers/canvass.rs`).
        canvass if canvass.starts_with("canvass ") => Shows::Nothing,
        "performance end" => Shows::Data(vec!["performance", "end", "--misses", "--reason", "stop"]),
        // Results, in which no plate is, and plates that the caller brings (`officers/performance.rs`).
        test if test.starts_with("performance ") => Shows::Nothing,
        other => panic!("say here what `plated {other}` shows"),
    };
    let mut names = Vec::new();
    leaves(&plated_vehicle::cli::command(), "", &mut names);
    let calls: Vec<_> =
        names.iter().filter_map(|n| if let Shows::Data(args) = shows(n) { Some((n, args)) } else { None }).collect();
    assert_eq!(calls.len(), 15, "{names:?}");
    // The ones that change something last.
    let ordered = |(name, _): &&(&String, Vec<&str>)| ["remove", "withdraw"].iter().any(|last| name.contains(last));
    let in_order = calls.iter().filter(|c| !ordered(c)).chain(calls.iter().filter(ordered));
    for (name, args) in in_order {
        let before = vehicle.records();
        let done = vehicle.plated(args);
        assert!(done.status.success() && !done.stdout.is_empty(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        assert!(vehicle.records() > before, "{name} left no record");
    }
    let vehicle = Vehicle::new();
    vehicle.break_record();
    for (name, args) in &calls {
        let args: Vec<&str> = args
            .iter()
            .map(|a| {
                if *a == hit {
                    &*vehicle.hit
                } else if *a == read {
                    &*vehicle.read
                } else {
                    a
                }
            })
            .collect();
        let refused = vehicle.plated(&args);
        assert!(!refused.status.success() && refused.stdout.is_empty(), "{name}");
    }
}

fn leaves(command: &clap::Command, path: &str, into: &mut Vec<String>) {
    for sub in command.get_subcommands() {
        let name = format!("{path}{}", sub.get_name());
        match sub.has_subcommands() {
            true => leaves(sub, &format!("{name} "), into),
            false => into.push(name),
        }
    }
}
