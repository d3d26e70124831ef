//! Sessions of the command line: who logged in is on record with what they see, and sees what is granted.

use crate::kit::store::{Place, hit, read, rows};
use plated_access::audit::Entry;
use plated_access::{Actor, Gate, Grants, LoginName, Role};
use plated_core::clock::Clock;
use plated_core::error::{Error, Kind};
use plated_core::record::{HitRecord, Priority};
use plated_core::user::SystemUser;
use plated_vehicle::config::Config;
use plated_vehicle::control::{Call, NewAccount, OfficerService, OwnSession, Reply, Request, Secret};
use plated_vehicle::store::{Looks, Reason, Store};
use std::cell::RefCell;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use uuid::Uuid;

const FIRST: &str = "gravel otter umbrella 61";
const OWN: &str = "basalt pelican lantern 47";

struct Vehicle {
    place: Place,
    config: PathBuf,
}

impl Vehicle {
    /// With these lists and settings.
    fn new(more: &str) -> Self {
        let place = Place::new();
        place.clock.jump_to(jiff::Timestamp::now());
        let config = place.dir.path().join("plated.toml");
        let text = "vehicle = \"unit-7\"\nsources = [{ name = \"a\", kind = \"video\", path = \"a\" }]\n\
                    [store]\npath = \"store.db\"\nkey_file = \"store.key\"\n\
                    [access.accounts]\nargon2_memory_kib = 19456\nargon2_passes = 2\n";
        std::fs::write(&config, format!("{text}{more}")).unwrap();
        std::fs::create_dir(place.dir.path().join("run")).unwrap();
        Self { place, config }
    }

    fn service(&self) -> (Store, Service) {
        let (store, _) = self.place.open();
        let config = Config::load(&self.config).unwrap();
        let service = OfficerService::open(&config, store.clone(), self.place.clock.clone());
        service.arm().unwrap();
        (store.clone(), Service { service, store })
    }

    fn plated(&self, args: &[&str], input: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        command.args(args).arg("--config").arg(&self.config).env("XDG_RUNTIME_DIR", self.place.dir.path().join("run"));
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

    /// What it says when it refuses.
    fn refused(&self, args: &[&str], input: &str) -> String {
        let done = self.plated(args, input);
        assert!(!done.status.success() && done.stdout.is_empty(), "{args:?} {}", String::from_utf8_lossy(&done.stdout));
        String::from_utf8(done.stderr).unwrap()
    }

    fn entries(&self) -> Vec<Entry> {
        let (store, _) = self.place.open();
        let entries = rows(&store).into_iter().map(|row| row.entry).collect();
        store.close().unwrap();
        entries
    }
}

/// The service, and what is kept by it.
struct Service {
    service: OfficerService,
    store: Store,
}

impl Service {
    fn call(&self, session: Option<&Secret>, request: Request) -> Result<Vec<Reply>, Error> {
        let mut replies = Vec::new();
        let caller = Actor::SystemUser(SystemUser { user: "mdt".into(), uid: 1000 });
        let call = Call { session: session.cloned(), request };
        self.service.call(call, caller, None, &mut |reply| {
            replies.push(reply);
            Ok(())
        })?;
        Ok(replies)
    }

    fn add(&self, who: &str, role: Role, grants: Grants) {
        let root = Actor::SystemUser(SystemUser { user: "root".into(), uid: 0 });
        let account = NewAccount {
            name: LoginName::new(who).unwrap(),
            full_name: "Robin Vale".into(),
            title: "Officer".into(),
            agency: "Example PD".into(),
            role,
            trained: Some(self.today()),
            grants,
            password: FIRST.to_owned().into(),
        };
        let request = Request::AddAccount { account, reason: why() };
        self.service.answer(request, &root, None, &mut |_| Ok(())).unwrap();
    }

    fn today(&self) -> jiff::civil::Date {
        jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    fn login(&self, who: &str, password: &str, code: Option<&str>) -> Result<Option<OwnSession>, Error> {
        let code = code.map(|code| code.to_owned().into());
        let request = Request::Login { name: who.into(), password: password.to_owned().into(), code };
        let replies = self.call(None, request)?;
        Ok(replies.into_iter().find_map(|reply| if let Reply::LoggedIn(own) = reply { Some(*own) } else { None }))
    }

    /// A session of a new account with a password of its own.
    fn session(&self, who: &str, role: Role, grants: Grants) -> Secret {
        self.add(who, role, grants);
        let token = self.login(who, FIRST, None).unwrap().unwrap().token;
        let (old, new) = (FIRST.to_owned().into(), OWN.to_owned().into());
        self.call(Some(&token), Request::ChangePassword { old, new }).unwrap();
        token
    }

    fn rows(&self) -> Vec<Entry> {
        rows(&self.store).into_iter().map(|row| row.entry).collect()
    }

    /// Keeps a read with a hit of these lists.
    fn keep_hit(&self, lists: &[&str]) -> HitRecord {
        let mut new = read("7ABC123");
        let mut found = HitRecord { id: Uuid::now_v7(), at: jiff::Timestamp::now(), ..hit(lists[0]) };
        found.entries.extend(lists[1..].iter().flat_map(|list| hit(list).entries));
        (new.record.last_seen, new.record.hits) = (found.at, vec![found.clone()]);
        self.store.put_read(&new).unwrap();
        found
    }
}

fn why() -> Reason {
    Reason::new("traffic stop").unwrap()
}

fn every_list() -> Grants {
    Grants { every_list: true, clets: true, ..Grants::default() }
}

fn hits() -> Request {
    Request::Hits { window: 3600, reason: why(), case: String::new() }
}

fn show(plate: &str) -> Request {
    Request::Show { plate: plate.into(), reason: why(), case: String::new() }
}

fn export(list: &str) -> Request {
    Request::Export { list: list.into(), reason: why(), case: String::new() }
}

fn add(plate: &str) -> Request {
    Request::Add {
        plate: plate.into(),
        state: "CA".into(),
        category: "bolo".into(),
        priority: Priority::High,
        reason: why(),
        case: String::new(),
        expires: None,
        search_back: None,
    }
}

// policy: P-20, P-21
#[test]
fn on_the_command_line_a_login_is_asked_for_changes_its_password_first_and_is_on_record_until_it_ends() {
    let vehicle = Vehicle::new("");
    let look = ["hit", "list", "--reason", "shift report"];
    vehicle.well(&look, "");
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let account = ["user", "add", "jdoe", "--full-name", "Robin Vale", "--agency", "Example PD", "--role", "officer"];
    let more = ["--trained", &today, "--every-list", "--password-stdin", "--reason", "assigned to patrol"];
    vehicle.well(&[&account[..], &more].concat(), &format!("{FIRST}\n"));
    assert!(vehicle.refused(&look, "").contains("plated login"), "there is an account now");
    assert!(vehicle.refused(&["login", "jdoe", "--password-stdin"], "wrong\n").contains("name or the password"));
    let told = vehicle.well(&["login", "jdoe", "--password-stdin"], &format!("{FIRST}\n"));
    assert!(told.contains("jdoe") && told.contains("plated user password"), "{told}");
    assert!(vehicle.refused(&look, "").contains("change it first"));
    let own = ["user", "password", "--password-stdin"];
    assert!(vehicle.refused(&own, &format!("wrong\n{OWN}\n")).contains("password is wrong"));
    vehicle.well(&own, &format!("{FIRST}\n{OWN}\n"));
    vehicle.well(&look, "");
    let folder = vehicle.place.dir.path().join("run/plated");
    let kept: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap()).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let token = std::fs::read_to_string(kept[0].path()).unwrap();
    vehicle.well(&["logout"], "");
    assert!(vehicle.refused(&look, "").contains("plated login"));
    std::fs::write(kept[0].path(), token).unwrap();
    std::fs::set_permissions(kept[0].path(), std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(vehicle.refused(&look, "").contains("session is over"), "a token that was copied is of no use");
    let told = vehicle.well(&["logout"], "");
    assert!(told.contains("Logged out"), "{told}");
    let entries = vehicle.entries();
    let by = |action: &str| entries.iter().filter(|e| e.action.as_str() == action).collect::<Vec<_>>();
    let looks = by("hits_shown");
    assert_eq!((looks.len(), &*looks[1].actor.name, looks[1].actor.role.as_deref()), (2, "jdoe", Some("officer")));
    assert_eq!((by("login").len(), by("login_failed").len(), by("logout").len()), (1, 2, 1));
    assert_eq!(by("password_changed").len(), 1);
    let all = serde_json::to_string(&entries).unwrap();
    assert!(!all.contains("pelican") && !all.contains("otter"), "no password is on record");
}

// policy: P-20
#[test]
fn a_second_factor_is_set_up_by_its_owner_and_asked_for_at_each_login_from_then_on() {
    let vehicle = Vehicle::new("second_factor_required = true\n");
    let (_store, service) = vehicle.service();
    let token = service.session("jdoe", Role::Officer, every_list());
    let refused = service.call(Some(&token), hits()).unwrap_err();
    assert!(refused.chain().contains("second factor"), "{refused}");
    let password: Secret = OWN.to_owned().into();
    let made = service.call(Some(&token), Request::BeginSecondFactor { password }).unwrap().remove(0);
    let Reply::Enrolment { secret, url } = made else { panic!("{made:?}") };
    assert!(url.text().contains(secret.text()) && url.text().starts_with("otpauth://"));
    let app = totp_rs::Builder::new().with_secret(totp_rs::Secret::try_from_base32(secret.text()).unwrap());
    let app = app.build().unwrap();
    let code = |steps: i64| {
        let at = vehicle.place.clock.wall().as_second() + 30 * steps;
        app.generate(at.unsigned_abs()).to_string()
    };
    let confirm = |code: String| service.call(Some(&token), Request::ConfirmSecondFactor { code: code.into() });
    assert_eq!(confirm("000000".into()).unwrap_err().kind(), Kind::Unauthenticated);
    let confirmed = confirm(code(0)).unwrap().remove(0);
    let Reply::RecoveryCodes(codes) = confirmed else { panic!("{confirmed:?}") };
    assert_eq!(codes.len(), 10);
    service.call(Some(&token), hits()).unwrap();
    assert!(service.login("jdoe", OWN, None).unwrap().is_none(), "a code is needed");
    service.login("jdoe", OWN, Some("000000")).unwrap_err();
    service.login("jdoe", OWN, Some(codes[0].text())).unwrap().unwrap();
    service.login("jdoe", OWN, Some(codes[0].text())).unwrap_err();
    service.login("jdoe", OWN, Some(&code(1))).unwrap().unwrap();
}

// policy: P-08
#[test]
fn who_has_no_grant_for_a_list_sees_neither_its_entries_nor_its_hits_nor_its_export() {
    let lists = "[[hotlists]]\nname = \"local\"\n[[hotlists]]\nname = \"svs\"\nclets = true\n\
                 [[hotlists]]\nname = \"watch\"\ncovert = true\n";
    let vehicle = Vehicle::new(lists);
    let (_store, service) = vehicle.service();
    let own = |lists: &[&str], clets| {
        let lists = lists.iter().map(|l| (*l).to_owned()).collect();
        Grants { every_list: false, lists, clets }
    };
    let all = Grants { lists: ["watch".to_owned()].into(), ..every_list() };
    let chief = service.session("chief", Role::Supervisor, all);
    let patrol = service.session("patrol", Role::Supervisor, Grants { clets: false, ..every_list() });
    let none = service.session("recruit", Role::Supervisor, own(&["svs"], false));
    service.call(Some(&chief), add("7ABC123")).unwrap();
    let (local, svs) = (service.keep_hit(&["local"]), service.keep_hit(&["svs"]));
    let (watch, both) = (service.keep_hit(&["watch"]), service.keep_hit(&["watch", "local"]));
    let seen = |who: &Secret| -> Vec<(Uuid, usize)> {
        let replies = service.call(Some(who), hits()).unwrap();
        let hit = |reply: Reply| {
            if let Reply::Hit(kept) = reply { Some((kept.hit.id, kept.hit.entries.len())) } else { None }
        };
        let mut seen: Vec<_> = replies.into_iter().filter_map(hit).collect();
        seen.sort();
        seen
    };
    assert_eq!(seen(&chief), [(local.id, 1), (svs.id, 1), (watch.id, 1), (both.id, 2)]);
    assert_eq!(seen(&patrol), [(local.id, 1), (both.id, 1)], "without the covert entry");
    assert_eq!(seen(&none), []);
    let entries = |who: &Secret| {
        let replies = service.call(Some(who), show("7ABC123")).unwrap();
        replies.iter().filter(|reply| matches!(reply, Reply::Entry(_))).count()
    };
    assert_eq!((entries(&chief), entries(&patrol), entries(&none)), (1, 1, 0), "what officers entered");
    for (who, list, allowed) in [
        (&chief, "officers", true),
        (&chief, "watch", true),
        (&patrol, "officers", true),
        (&patrol, "watch", false),
        (&patrol, "svs", false),
        (&none, "officers", false),
        (&none, "svs", false),
    ] {
        match service.call(Some(who), export(list)) {
            // No version of it is in force.
            Err(e) if list != "officers" && allowed => assert_eq!(e.kind(), Kind::NotFound, "{list}"),
            Err(e) => assert!(!allowed && e.kind() == Kind::Forbidden && e.chain().contains(list), "{list}: {e}"),
            Ok(_) => assert!(allowed, "{list}"),
        }
    }
    let officers = |who: Option<&Secret>| match service.call(who, Request::Status).unwrap().remove(0) {
        Reply::Status(report) => report.officers[0].by.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((&*officers(Some(&chief)), &*officers(Some(&none)), &*officers(None)), ("chief", "", ""));
    let finding = plated_vehicle::store::Finding::Misread;
    let dispose = |who, id: &HitRecord| {
        let request = Request::Disposition { hit: id.short(), finding, reason: why(), case: String::new() };
        service.call(Some(who), request).map(drop)
    };
    assert!(dispose(&patrol, &watch).unwrap_err().chain().contains("there is no hit"));
    dispose(&chief, &watch).unwrap();
}

// policy: P-08
#[test]
fn that_there_were_hits_of_other_lists_is_told_only_where_the_agency_allows_it_and_never_of_covert_ones() {
    for (more, expected) in [("", None), ("[access]\nalert_existence_shown = true\n", Some(1))] {
        let lists = "[[hotlists]]\nname = \"svs\"\nclets = true\n[[hotlists]]\nname = \"watch\"\ncovert = true\n";
        let vehicle = Vehicle::new(&format!("{more}{lists}"));
        let (_store, service) = vehicle.service();
        let patrol = service.session("patrol", Role::Officer, Grants { clets: false, ..every_list() });
        service.keep_hit(&["svs"]);
        service.keep_hit(&["watch"]);
        let replies = service.call(Some(&patrol), hits()).unwrap();
        assert!(replies.iter().all(|reply| !matches!(reply, Reply::Hit(_))));
        let told = replies.iter().find_map(|r| if let Reply::Concealed { hits } = r { Some(*hits) } else { None });
        assert_eq!(told, expected);
    }
}

// policy: P-21
#[test]
fn how_many_rows_a_look_shows_is_on_record_before_the_first_of_them() {
    let vehicle = Vehicle::new("");
    let (store, service) = vehicle.service();
    let token = service.session("chief", Role::Supervisor, every_list());
    service.call(Some(&token), add("7ABC123")).unwrap();
    let auditor = service.session("auditor", Role::Auditor, Grants::default());
    for _ in 0..2 {
        service.keep_hit(&["svs"]);
    }
    let audit = Request::ShowAudit { last: 3, reason: why(), case: String::new() };
    let search = |plate: &str| Request::Search {
        plate: plate.into(),
        canvass: None,
        looks: Looks::default(),
        window: 3600,
        reason: why(),
        case: String::new(),
    };
    for (who, request, expected) in [
        (&token, hits(), 2),
        (&token, show("7ABC123"), 1),
        (&token, show("4KLM567"), 0),
        (&token, search("7ABC123"), 2),
        (&token, search("7*3"), 2),
        (&token, search("4KLM567"), 0),
        (&token, export("officers"), 1),
        (&auditor, audit, 3),
    ] {
        let (name, before, shown) = (format!("{request:?}"), service.rows().len(), RefCell::new(0));
        let call = Call { session: Some(who.clone()), request };
        let caller = Actor::of_this_process();
        service
            .service
            .call(call, caller, None, &mut |_| {
                let new = rows(&store).split_off(before);
                let counted = new.iter().any(|row| row.entry.action.as_str() == Gate::ROWS_SHOWN);
                assert!(counted, "{name}: shown before it was counted");
                *shown.borrow_mut() += 1;
                Ok(())
            })
            .unwrap();
        let new = rows(&store).split_off(before);
        let counted: Vec<_> = new.iter().filter(|row| row.entry.action.as_str() == Gate::ROWS_SHOWN).collect();
        assert_eq!(counted.len(), 1, "{name}");
        assert_eq!((counted[0].entry.rows, *shown.borrow()), (Some(expected), expected), "{name}");
        assert_eq!(
            (counted[0].entry.about, &counted[0].entry.actor),
            (Some(new[0].number), &new[0].entry.actor),
            "{name}"
        );
    }
}

// policy: P-20
#[test]
fn five_wrong_passwords_lock_an_account_and_a_locked_session_shows_nothing_until_its_owner_logs_in_again() {
    let vehicle = Vehicle::new("");
    let (_store, service) = vehicle.service();
    let token = service.session("jdoe", Role::Officer, every_list());
    service.call(Some(&token), hits()).unwrap();
    vehicle.place.clock.advance(std::time::Duration::from_secs(31 * 60));
    let locked = service.call(Some(&token), hits()).unwrap_err();
    assert!(locked.kind() == Kind::Unauthenticated && locked.chain().contains("locked"), "{locked}");
    for _ in 0..5 {
        service.login("jdoe", "wrong", None).unwrap_err();
    }
    assert!(service.login("jdoe", OWN, None).unwrap_err().chain().contains("locked"));
    vehicle.place.clock.advance(std::time::Duration::from_secs(10 * 60));
    let again = service.login("jdoe", OWN, None).unwrap().unwrap();
    service.call(Some(&again.token), hits()).unwrap();
}
