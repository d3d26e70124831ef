//! Accounts in the vehicle, by the command line and by the service behind it.

use crate::kit::store::{Place, permit, rows};
use plated_access::{Actor, Grants, LoginName, Role};
use plated_core::error::{Kind, Result};
use plated_core::user::SystemUser;
use plated_vehicle::config::Config;
use plated_vehicle::control::{AccountChange, AccountLine, NewAccount, OfficerService, Reply, Request};
use plated_vehicle::store::{Reason, Store};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const PASSWORD: &str = "gravel otter umbrella 61";

struct Vehicle {
    place: Place,
    config: PathBuf,
}

impl Vehicle {
    fn new() -> Self {
        let place = Place::new();
        place.clock.jump_to(jiff::Timestamp::now());
        let config = place.dir.path().join("plated.toml");
        let text = "vehicle = \"unit-7\"\nsources = [{ name = \"a\", kind = \"video\", path = \"a\" }]\n\
                    [store]\npath = \"store.db\"\nkey_file = \"store.key\"\n\
                    [access]\nlogins_required = false\n";
        std::fs::write(&config, text).unwrap();
        Self { place, config }
    }

    fn service(&self) -> (Store, OfficerService) {
        let (store, _) = self.place.open();
        let config = Config::load(&self.config).unwrap();
        let service = OfficerService::open(&config, store.clone(), self.place.clock.clone());
        (store, service)
    }

    fn plated(&self, args: &[&str], input: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        command.args(args).arg("--config").arg(&self.config);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// What it says when all is well.
    fn well(&self, args: &[&str], input: &str) -> String {
        let done = self.plated(args, input);
        assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Actions on record, in order.
    fn actions(&self) -> Vec<String> {
        let (store, _) = self.place.open();
        let actions = rows(&store).iter().map(|row| row.entry.action.to_string()).collect();
        store.close().unwrap();
        actions
    }
}

fn name(name: &str) -> LoginName {
    LoginName::new(name).unwrap()
}

fn why() -> Reason {
    Reason::new("assigned to patrol").unwrap()
}

fn user(uid: u32) -> Actor {
    Actor::SystemUser(SystemUser { user: if uid == 0 { "root".into() } else { "jdoe".into() }, uid })
}

fn new(who: &str, role: Role) -> Request {
    let account = NewAccount {
        name: name(who),
        full_name: "Robin Vale".into(),
        title: "Officer".into(),
        agency: "Example PD".into(),
        role,
        trained: None,
        grants: Grants::default(),
        password: PASSWORD.to_owned().into(),
    };
    Request::AddAccount { account, reason: why() }
}

fn change(who: &str, change: AccountChange) -> Request {
    Request::ChangeAccount { name: name(who), change, reason: why() }
}

fn ask(service: &OfficerService, uid: u32, request: Request) -> Result<Vec<AccountLine>> {
    let mut accounts = Vec::new();
    service.answer(request, &user(uid), None, &mut |reply| {
        if let Reply::Account(account) = reply {
            accounts.push(*account);
        }
        Ok(())
    })?;
    Ok(accounts)
}

// policy: P-20, P-23
#[test]
fn the_first_administrator_is_added_by_anybody_and_after_that_only_root_changes_accounts() {
    let vehicle = Vehicle::new();
    let (_store, service) = vehicle.service();
    ask(&service, 1007, new("chief", Role::Administrator)).unwrap();
    for request in
        [new("mallory", Role::Officer), change("chief", AccountChange::Disable), Request::Accounts { name: None }]
    {
        let refused = ask(&service, 1007, request).unwrap_err();
        assert_eq!(refused.kind(), Kind::Unauthenticated, "{refused}");
    }
    ask(&service, 0, new("avale", Role::Officer)).unwrap();
    let names: Vec<String> =
        ask(&service, 0, Request::Accounts { name: None }).unwrap().iter().map(|a| a.name.to_string()).collect();
    assert_eq!(names, ["avale", "chief"]);
    let refused = ask(&service, 0, change("chief", AccountChange::Role(Role::Officer))).unwrap_err();
    assert!(refused.chain().contains("last administrator"), "{refused}");
}

// policy: P-07, P-08, P-20, P-22, P-23
#[test]
fn each_change_of_an_account_is_kept_over_a_restart_and_on_record_with_who_and_why() {
    let vehicle = Vehicle::new();
    let (store, service) = vehicle.service();
    let grants = Grants { every_list: true, lists: ["watch".to_owned()].into(), clets: true };
    ask(&service, 0, new("jdoe", Role::Officer)).unwrap();
    for made in [
        AccountChange::Training("2026-01-15".parse().unwrap()),
        AccountChange::Grants(grants.clone()),
        AccountChange::Role(Role::Supervisor),
        AccountChange::RemoveSecondFactor,
        AccountChange::Password("basalt pelican lantern 47".to_owned().into()),
        AccountChange::Disable,
    ] {
        ask(&service, 0, change("jdoe", made)).unwrap();
    }
    let records = rows(&store);
    let words: Vec<&str> = records.iter().map(|row| row.entry.action.as_str()).collect();
    assert_eq!(
        words,
        [
            "user_added",
            "user_training_changed",
            "user_grants_changed",
            "user_role_changed",
            "user_second_factor_removed",
            "user_password_set",
            "user_disabled"
        ]
    );
    for row in &records {
        assert_eq!((row.entry.actor.name.as_str(), row.entry.actor.uid), ("root", Some(0)));
        assert_eq!((row.entry.reason.as_str(), &*row.entry.elements["user"]), ("assigned to patrol", "jdoe"));
        let text = serde_json::to_string(&row.entry).unwrap();
        assert!(!text.contains("pelican") && !text.contains("otter"), "{text}");
    }
    drop(service);
    store.close().unwrap();
    let (_store, service) = vehicle.service();
    let account = ask(&service, 0, Request::Accounts { name: Some(name("jdoe")) }).unwrap().remove(0);
    assert_eq!((account.role, account.grants, account.must_change_password), (Role::Supervisor, grants, true));
    assert_eq!(account.trained, Some("2026-01-15".parse().unwrap()));
    assert_eq!(account.disabled.unwrap().why, "assigned to patrol");
    let enabled = ask(&service, 0, change("jdoe", AccountChange::Enable)).unwrap().remove(0);
    assert_eq!(enabled.disabled, None);
}

// policy: P-20, P-22
#[test]
fn an_account_is_not_changed_when_that_cannot_be_put_on_record() {
    let vehicle = Vehicle::new();
    let (store, service) = vehicle.service();
    ask(&service, 0, new("jdoe", Role::Officer)).unwrap();
    drop(service);
    store.close().unwrap();
    let hex = std::fs::read_to_string(vehicle.place.dir.path().join("store.key")).unwrap();
    let conn = rusqlite::Connection::open(vehicle.place.path()).unwrap();
    conn.execute_batch(&format!("PRAGMA key = \"x'{}'\";", hex.trim())).unwrap();
    conn.execute_batch("CREATE TRIGGER fault BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'fault'); END;").unwrap();
    drop(conn);
    let (_store, service) = vehicle.service();
    ask(&service, 0, new("asmith", Role::Officer)).unwrap_err();
    ask(&service, 0, change("jdoe", AccountChange::Disable)).unwrap_err();
    let accounts = ask(&service, 0, Request::Accounts { name: None }).unwrap();
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0].disabled, None);
}

// policy: P-20
#[test]
fn accounts_outlast_a_store_that_had_to_be_set_aside() {
    let vehicle = Vehicle::new();
    let (store, service) = vehicle.service();
    ask(&service, 0, new("chief", Role::Administrator)).unwrap();
    drop(service);
    store.close().unwrap();
    let old = vehicle.place.beside(".old");
    std::fs::rename(vehicle.place.path(), &old).unwrap();
    let (store, _) = vehicle.place.open();
    store.salvage(&old).unwrap();
    drop(store);
    let (_store, service) = vehicle.service();
    assert_eq!(ask(&service, 0, Request::Accounts { name: None }).unwrap()[0].name, name("chief"));
}

// policy: P-20, P-22
#[test]
fn the_command_line_takes_a_password_from_standard_input_only_and_shows_it_nowhere() {
    let vehicle = Vehicle::new();
    let why = ["--reason", "assigned to patrol"];
    let add = ["user", "add", "jdoe", "--full-name", "Robin Vale", "--agency", "Example PD", "--role", "officer"];
    let weak = vehicle.plated(&[&add[..], &why, &["--password-stdin"]].concat(), "password1234\n");
    assert!(!weak.status.success() && vehicle.actions().is_empty());
    let mut told = vehicle.well(&[&add[..], &why, &["--password-stdin"]].concat(), &format!("{PASSWORD}\n"));
    for args in [
        &["user", "training", "jdoe", "2026-01-15"][..],
        &["user", "grant", "jdoe", "--every-list", "--clets"],
        &["user", "role", "jdoe", "supervisor"],
        &["user", "second-factor", "jdoe", "--remove"],
        &["user", "disable", "jdoe"],
        &["user", "enable", "jdoe"],
    ] {
        told += &vehicle.well(&[args, &why].concat(), "");
    }
    told += &vehicle
        .well(&[&["user", "password", "jdoe", "--password-stdin"][..], &why].concat(), "basalt pelican lantern 47\n");
    let shown = vehicle.well(&["user", "show", "jdoe"], "");
    assert!(shown.contains("supervisor") && shown.contains("2026-01-15") && shown.contains("every list"), "{shown}");
    told += &shown;
    told += &vehicle.well(&["user", "list"], "");
    told += &vehicle.well(&["user", "show", "jdoe", "--json"], "");
    assert!(!told.contains("pelican") && !told.contains("otter") && !told.contains("argon2"), "{told}");
    assert_eq!(vehicle.actions().len(), 9, "enabling releases too: {:?}", vehicle.actions());
    let args = plated_vehicle::cli::command();
    let user = args.find_subcommand("user").unwrap();
    for sub in user.get_subcommands() {
        let takes = sub.get_arguments().filter(|a| a.get_id().as_str().contains("password"));
        assert!(takes.into_iter().all(|a| !a.get_action().takes_values()), "{}", sub.get_name());
    }
}

// policy: P-22
#[test]
fn an_export_whole_or_redacted_is_verified_and_one_that_was_changed_is_not() {
    let vehicle = Vehicle::new();
    let (store, service) = vehicle.service();
    ask(&service, 0, new("jdoe", Role::Officer)).unwrap();
    drop(service);
    store.close().unwrap();
    let why = ["--reason", "yearly audit"];
    let shown = vehicle.well(&[&["audit", "show", "--last", "10"][..], &why].concat(), "");
    assert!(shown.contains("user_added") && shown.contains("user jdoe") && shown.contains("events_shown"), "{shown}");
    let verified = vehicle.well(&["audit", "verify"], "");
    let key = verified.lines().last().unwrap().strip_prefix("Signed by ").unwrap().to_owned();
    let path = |name: &str| vehicle.place.dir.path().join(name).display().to_string();
    std::fs::write(path("vehicle.pub"), key).unwrap();
    for (redacted, name) in [(&[][..], "whole.jsonl"), (&["--redacted"][..], "published.jsonl")] {
        let text = vehicle.well(&[&["audit", "export"][..], redacted, &why].concat(), "");
        assert_eq!(text.contains("jdoe"), redacted.is_empty(), "{text}");
        std::fs::write(path(name), &text).unwrap();
        let args = ["audit", "verify", &path(name), "--key", &path("vehicle.pub")];
        let found = vehicle.well(&args, "");
        assert!(found.contains("all as they were written"), "{found}");
        // The first row goes.
        let cut: Vec<&str> = text.lines().enumerate().filter(|(n, _)| *n != 1).map(|(_, line)| line).collect();
        std::fs::write(path(name), cut.join("\n") + "\n").unwrap();
        let found = vehicle.plated(&args, "");
        let said = String::from_utf8_lossy(&found.stdout).into_owned();
        assert!(!found.status.success() && said.contains("row 1 is missing"), "{said}");
    }
}

// policy: P-22
#[test]
fn the_command_line_names_a_row_that_was_changed_in_the_store() {
    let vehicle = Vehicle::new();
    let (store, service) = vehicle.service();
    ask(&service, 0, new("jdoe", Role::Officer)).unwrap();
    ask(&service, 0, change("jdoe", AccountChange::Disable)).unwrap();
    assert_eq!(store.audit_logs(&permit()).unwrap().len(), 1);
    drop(service);
    store.close().unwrap();
    let hex = std::fs::read_to_string(vehicle.place.dir.path().join("store.key")).unwrap();
    let conn = rusqlite::Connection::open(vehicle.place.path()).unwrap();
    conn.execute_batch(&format!("PRAGMA key = \"x'{}'\";", hex.trim())).unwrap();
    conn.execute_batch(
        "DROP TRIGGER audit_is_not_changed; UPDATE audit SET entry = replace(entry, 'root', 'toor') WHERE number = 2;",
    )
    .unwrap();
    drop(conn);
    let found = vehicle.plated(&["audit", "verify"], "");
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(!found.status.success() && said.contains("row 2 was changed"), "{said}");
}
