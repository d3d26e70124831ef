//! The station fetches lists from a real server and by a real command, and is never old in silence.

use super::bench::{Bench, entries};
use crate::kit::list_server::{ListServer, Saying};
use crate::kit::process::until;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

/// `agency-12:secret word`
const LOGIN: &str = "YWdlbmN5LTEyOnNlY3JldCB3b3Jk";

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn file(bench: &Bench, name: &str, content: &str, mode: u32) -> PathBuf {
    let path = bench.depot.dir.path().join(name);
    std::fs::write(&path, content).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn fetch(bench: &Bench, args: &[&str]) -> Output {
    bench.station(&[&["fetch"][..], args].concat())
}

fn well(done: &Output) -> String {
    assert!(done.status.success(), "{} {}", text(&done.stdout), text(&done.stderr));
    text(&done.stdout)
}

fn listed(bench: &Bench) -> String {
    well(&bench.station(&["list"]))
}

/// A station whose list svs comes from a server.
fn with_server() -> (Bench, ListServer) {
    let bench = Bench::new();
    let folder = bench.depot.dir.path().join("source");
    std::fs::create_dir(&folder).unwrap();
    let server = ListServer::start(&folder);
    file(&bench, "svs.password", "secret word\n", 0o400);
    bench.configure(&format!(
        "[[sources]]\nname = \"svs\"\nurl = \"https://{}/lists/svs.jsonl?key=hush\"\nuser = \"agency-12\"\n\
         password_file = \"svs.password\"\nca = \"{}\"\ninterval_s = 0.05\n",
        server.address,
        server.ca.display()
    ));
    (bench, server)
}

fn saying(numbers: std::ops::Range<u32>, etag: &str) -> Saying {
    let fields = format!("ETag: \"{etag}\"\r\nLast-Modified: Sat, 21 Nov 2026 06:00:00 GMT\r\n");
    Saying { body: entries(numbers).into_bytes(), fields, login: Some(LOGIN), ..Saying::default() }
}

#[test]
fn a_list_comes_from_a_server_with_name_and_password_and_is_not_sent_again_while_it_is_the_same() {
    let (bench, server) = with_server();
    server.say(saying(0..100, "one"));
    let said = well(&fetch(&bench, &[]));
    assert!(said.contains("published svs version 1: 100 entries"), "{said}");
    let seen = server.seen();
    assert!(seen[0].starts_with("get /lists/svs.jsonl?key=hush ") && !seen[0].contains("if-none-match"), "{seen:?}");

    let said = well(&fetch(&bench, &["svs"]));
    assert_eq!(said, "svs version 1 is the newest that its source has\n");
    assert!(server.seen()[0].contains("if-none-match: \"one\""));

    server.say(saying(1..101, "two"));
    assert!(well(&fetch(&bench, &[])).contains("published svs version 2: 100 entries"));
    let listed = listed(&bench);
    assert!(listed.contains("ok list svs: known to be the newest 0 min ago"), "{listed}");
    // What decides how it is read has changed: it is read again.
    let config = bench.depot.dir.path().join("station.toml");
    let before = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, before.replace("interval_s", "priority = \"low\"\ninterval_s")).unwrap();
    server.seen();
    well(&fetch(&bench, &[]));
    assert!(!server.seen()[0].contains("if-none-match"));
    let left: Vec<_> = std::fs::read_dir(bench.depot.config.data.join("fetching")).unwrap().collect();
    assert_eq!(left.len(), 1, "the lock, and no file: {left:?}");
}

#[test]
fn a_source_that_fails_is_told_with_why_and_what_to_do_and_the_list_before_stays() {
    let (bench, server) = with_server();
    let why = |args: &[&str]| {
        let done = fetch(&bench, args);
        assert!(!done.status.success(), "{}", text(&done.stdout));
        text(&done.stdout)
    };
    server.say(Saying { login: Some("other"), ..saying(0..10, "one") });
    assert!(why(&[]).contains("look at user and password_file (status 401)"));
    assert!(listed(&bench).contains("CRITICAL list svs: there is no version of it; it can't be fetched since "));
    server.say(saying(0..100, "one"));
    well(&fetch(&bench, &[]));
    for (other, expected) in [
        (Saying { status: Some("404 Not Found"), ..Saying::default() }, "has no such file; look at url (status 404)"),
        (Saying { status: Some("302 Found"), ..Saying::default() }, "put the new one into url (status 302)"),
        (Saying { status: Some("503 Busy"), ..Saying::default() }, "is busy; it is tried again later (status 503)"),
        (Saying { cut: Some(100), ..saying(0..100, "two") }, "was cut off"),
        (saying(0..50, "three"), "it has 50 entries where the list in force has 100"),
        (Saying { body: b"no list".to_vec(), ..saying(0..1, "four") }, "was refused"),
    ] {
        server.say(other);
        let why = why(&["svs"]);
        assert!(why.contains(expected) && why.contains("the version before stays"), "{why}");
        assert!(!why.contains("hush") && !why.contains("secret"), "{why}");
        let listed = listed(&bench);
        assert!(listed.contains("svs version 1 current: 100 entries") && listed.contains(expected), "{listed}");
    }
    server.say(saying(0..101, "five"));
    well(&fetch(&bench, &[]));
    assert!(listed(&bench).contains("ok list svs"));
    // Somebody else with a certificate of an authority that is not trusted here.
    let other = bench.depot.dir.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let stranger = ListServer::start(&other);
    let config = bench.depot.dir.path().join("station.toml");
    let before = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, before.replace(&server.address.to_string(), &stranger.address.to_string())).unwrap();
    stranger.say(saying(0..100, "one"));
    let why = why(&[]);
    assert!(why.contains("could not reach 127.0.0.1; look at url, ca"), "{why}");
    assert!(stranger.seen().is_empty(), "it learns no password");
}

#[test]
fn a_list_that_was_withdrawn_is_fetched_only_where_it_is_named() {
    let (bench, server) = with_server();
    server.say(saying(0..10, "one"));
    well(&fetch(&bench, &[]));
    well(&bench.station(&["withdraw", "svs", "--reason", "a test list"]));
    assert!(
        well(&fetch(&bench, &[])).contains("svs was withdrawn; `plated-station hotlist fetch svs` brings it again")
    );
    assert!(listed(&bench).contains("the station hands out no lists"));
    well(&fetch(&bench, &["svs"]));
    assert!(listed(&bench).contains("svs version 2 current: 10 entries"));
}

#[test]
fn a_list_comes_by_a_command_also_in_a_zip_archive_with_a_password() {
    let bench = Bench::new();
    let source = file(&bench, "source.jsonl", &entries(0..10), 0o600);
    let script = file(&bench, "get", "#!/bin/sh\nexec cat \"$1\"\n", 0o700);
    let copy = file(&bench, "copy", "#!/bin/sh\necho 'one moment' >&2\ncp \"$1\" \"$2\"\n", 0o700);
    let failing = file(&bench, "fail", "#!/bin/sh\necho 'Permission denied (publickey).' >&2\nexit 255\n", 0o700);
    bench.configure(&format!(
        "[[sources]]\nname = \"svs\"\ncommand = [\"{}\", \"{}\"]\n\
         [[sources]]\nname = \"sfr\"\ncommand = [\"{}\", \"{}\", \"{{file}}\"]\n\
         [[sources]]\nname = \"slr\"\ncommand = [\"{}\"]\n",
        script.display(),
        source.display(),
        copy.display(),
        source.display(),
        failing.display()
    ));
    let done = fetch(&bench, &[]);
    let said = text(&done.stdout);
    assert!(said.contains("published svs version 1: 10 entries") && said.contains("published sfr version 1"), "{said}");
    assert!(said.contains("slr was not fetched") && said.contains("fail failed with exit code 255: Permission denied"));
    assert_eq!(done.status.code(), Some(75));
    assert!(text(&done.stderr).contains("1 of 3 lists could not be fetched"));
    assert!(well(&fetch(&bench, &["sfr"])).contains("is the same as version 1, which is known to be the newest at"));
    assert_eq!(fetch(&bench, &["other"]).status.code(), Some(78));
}

/// A running `plated-station hotlist fetch --watch`. Ended when dropped.
struct Watching(Child);

impl Watching {
    fn start(bench: &Bench) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        let config = bench.depot.dir.path().join("station.toml");
        let child = command.args(["hotlist", "fetch", "--watch", "--config"]).arg(config).env_remove("PLATED_LOG");
        Self(child.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn end(mut self) -> String {
        assert!(Command::new("kill").arg(self.0.id().to_string()).status().unwrap().success());
        let mut log = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        assert!(self.0.wait().unwrap().success(), "{log}");
        log
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn sources_are_looked_at_by_schedule_and_one_that_fails_again_until_it_works() {
    let (bench, server) = with_server();
    server.say(Saying { status: Some("503 Busy"), ..Saying::default() });
    let watching = Watching::start(&bench);
    let mut tries = 0;
    until("three tries", || {
        tries += server.seen().len();
        (tries >= 3).then_some(())
    });
    server.say(saying(0..10, "one"));
    until("the list", || listed(&bench).contains("svs version 1 current: 10 entries").then_some(()));
    server.say(saying(0..11, "two"));
    until("the next", || listed(&bench).contains("svs version 2 current: 11 entries").then_some(()));
    // What comes later comes by itself too.
    let list = file(&bench, "parade.jsonl", &entries(500..510), 0o600);
    let soon = (jiff::Timestamp::now() + jiff::SignedDuration::from_millis(1500)).to_string();
    let said = well(&bench.import(&list, "parade", &["--valid-from", &soon]));
    assert!(said.contains("parade version 1 comes into force at"), "{said}");
    until("its time", || listed(&bench).contains("parade version 1 current: 10 entries").then_some(()));
    let log = watching.end();
    assert!(log.contains("could not be fetched; the version before stays and grows old"), "{log}");
    assert!(log.contains("The list can be fetched again") && !log.contains("secret") && !log.contains("hush"), "{log}");
    assert!(!log.contains("7ABC"), "{log}");
}

#[test]
fn increments_are_applied_by_schedule_once_each_and_the_same_whole_list_does_not_undo_them() {
    let bench = Bench::new();
    let path = |name: &str| bench.depot.dir.path().join(name).display().to_string();
    file(&bench, "whole.jsonl", &entries(0..10), 0o600);
    bench.configure(&format!(
        "[[sources]]\nname = \"svs\"\ncommand = [\"cat\", \"{}\"]\n\
         increments = {{ add = [\"cat\", \"{}\"], remove = [\"cat\", \"{}\"], interval_s = 0.05 }}\n",
        path("whole.jsonl"),
        path("add.jsonl"),
        path("remove.jsonl")
    ));
    assert!(well(&fetch(&bench, &["svs"])).contains("10 entries"));
    let watching = Watching::start(&bench);
    until("the failure", || listed(&bench).contains("increment: cat failed").then_some(()));
    // Each is put in its place whole.
    let put = |name: &str, content: &str| {
        let made = file(&bench, "being-written", content, 0o600);
        std::fs::rename(made, path(name)).unwrap();
    };
    put("add.jsonl", &entries(20..23));
    put("remove.jsonl", &entries(0..2));
    until("the increment", || listed(&bench).contains("svs version 2 current: 11 entries").then_some(()));
    // The next one: entries come, and those that go are the same as before.
    put("add.jsonl", &entries(30..34));
    until("the next", || listed(&bench).contains("svs version 3 current: 15 entries").then_some(()));
    let same = until("the lock", || Some(fetch(&bench, &["svs"])).filter(|done| done.status.success()));
    assert!(well(&same).contains("version 3 is the newest that its source has"), "{}", well(&same));
    put("whole.jsonl", &entries(0..12));
    until("the lock", || Some(()).filter(|()| fetch(&bench, &["svs"]).status.success()));
    assert!(listed(&bench).contains("svs version 4 current: 12 entries"), "{}", listed(&bench));
    let log = watching.end();
    assert!(log.contains("Fetched an increment") && !log.contains("7ABC"), "{log}");
}
