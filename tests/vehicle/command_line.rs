//! The command line as its user meets it: what it prints, with which code it ends, what it leaves on the disk.

use crate::kit::store::{Place, hit, read};
use plated_core::clock::Clock;
use plated_core::user::SystemUser;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A right-to-left override and an escape that clears a terminal.
const HOSTILE: &str = "\u{202e}\u{1b}[2J";

struct Vehicle {
    place: Place,
    config: PathBuf,
}

impl Vehicle {
    /// With lists that are configured like this.
    fn new(lists: &str) -> Self {
        let place = Place::new();
        place.clock.jump_to(jiff::Timestamp::now());
        let config = place.dir.path().join("plated.toml");
        let text = "vehicle = \"unit-7\"\nsources = [{ name = \"a\", kind = \"video\", path = \"a\" }]\n\
                    [store]\npath = \"store.db\"\nkey_file = \"store.key\"\n";
        std::fs::write(&config, format!("{text}{lists}")).unwrap();
        Self { place, config }
    }

    fn file(&self, name: impl AsRef<OsStr>, text: &str) -> PathBuf {
        let path = self.place.dir.path().join(Path::new(name.as_ref()));
        std::fs::write(&path, text).unwrap();
        path
    }

    fn plated(&self, args: &[&OsStr]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        command.args(args).arg("--config").arg(&self.config).env("TZ", "America/Los_Angeles").output().unwrap()
    }

    fn say(&self, args: &[&str]) -> Output {
        self.plated(&args.iter().map(OsStr::new).collect::<Vec<_>>())
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What it printed, all of it safe to print.
fn safe(what: &str, output: &Output) -> String {
    let all = out(output) + &err(output);
    let acts = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!all.contains(acts), "{what}: {all:?}");
    all
}

#[test]
fn nothing_that_came_from_outside_acts_on_the_terminal() {
    let lists = "[[hotlists]]\nname = \"svs\"\n[[hotlists]]\nname = \"bolo\"\npath = \"\\u202e\\u001b[2J.csv\"\n";
    let vehicle = Vehicle::new(lists);
    let list = format!("plate,reason,remarks,category\n7ABC123,stolen {HOSTILE},\"two\nlines {HOSTILE}\",{HOSTILE}x\n");
    let path = vehicle.file(format!("{HOSTILE}svs.csv"), &list);
    let name = path.as_os_str();
    let reason = [OsStr::new("--reason"), OsStr::new("stop")];
    let of_list = [OsStr::new("--list"), OsStr::new("svs")];
    let hotlist = |word: &'static str, more: &[&OsStr]| {
        let done = vehicle.plated(&[&[OsStr::new("hotlist"), OsStr::new(word)], more].concat());
        safe(word, &done)
    };
    // Without a configuration, so without --config.
    for args in [&["check"][..], &["check", "--json"], &["detect"], &["detect", "--json"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        let done = command.arg("hotlist").args(args).arg(&path).output().unwrap();
        assert!(done.status.success(), "{}", err(&done));
        let shown = safe(args[0], &done);
        assert!(
            shown.contains(if args.len() == 1 { r"\u{202e}\u{1b}[2Jsvs.csv" } else { r"\u202e\u001b[2Jsvs.csv" }),
            "{shown}"
        );
    }
    hotlist("import", &[&[name], &of_list[..]].concat());
    let shown = hotlist("show", &[&[OsStr::new("7ABC123")], &reason[..]].concat());
    assert!(shown.contains("stolen") && shown.contains("two lines"), "{shown}");
    hotlist("export", &[&of_list[..], &reason[..]].concat());
    hotlist("stats", &[]);
    // What officers and other programs wrote into the store, by whatever way.
    let (store, _) = vehicle.place.open();
    let mut new = read("7ABC123");
    new.record.camera = format!("front{HOSTILE}");
    let mut hit = hit("svs");
    hit.entries[0].entry.category = format!("stolen{HOSTILE}");
    (new.record.last_seen, hit.at) = (vehicle.place.clock.wall(), vehicle.place.clock.wall());
    new.record.hits.push(hit);
    store.put_read(&new).unwrap();
    store.list_checked("svs", Some(&format!("the station said {HOSTILE}"))).unwrap();
    store.close().unwrap();
    for args in [
        &["hit", "list", "--reason", "stop"][..],
        &["hit", "list", "--reason", "stop", "--json"],
        &["hotlist", "search", "7ABC123", "--reason", "stop"],
        &["hotlist", "search", "7ABC123", "--reason", "stop", "--json"],
        &["status"],
        &["status", "--json"],
    ] {
        let done = vehicle.say(args);
        let shown = safe(&args.join(" "), &done);
        assert!(shown.contains("202e"), "{args:?} shows it as an escape: {shown}");
    }
    // What is wrong, with the name of what it is wrong with.
    let odd = vehicle.place.dir.path().join(OsStr::from_bytes(b"\x1b[2J\xff.toml"));
    std::fs::write(&odd, format!("vehicle = \"unit-7\"\n\"{HOSTILE}\" = 1\n").replace('\u{1b}', "\\u001b")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
    let refused = command.args(["status", "--config"]).arg(&odd).output().unwrap();
    let shown = safe("an odd configuration", &refused);
    assert!(!refused.status.success() && shown.contains(r"\u{1b}[2J"), "{shown}");
}

#[test]
fn the_log_of_the_daemon_shows_names_of_files_and_texts_of_others_as_escapes() {
    let lists = "[[hotlists]]\nname = \"bolo\"\npath = \"\\u202e\\u001b[2J.csv\"\n[recognition]\nmodels = \"none\"\n";
    let vehicle = Vehicle::new(lists);
    vehicle.file(format!("{HOSTILE}.csv"), "no,list\n");
    let done = vehicle.say(&["run", "--until-end", "--drain", "0"]);
    assert!(!done.status.success());
    safe("the log", &done);
}

#[test]
fn completions_that_are_not_read_to_their_end_end_quietly() {
    let script = "\"$0\" completions bash | head -1; exit ${PIPESTATUS[0]}";
    let done = Command::new("bash").args(["-c", script, env!("CARGO_BIN_EXE_plated")]).output().unwrap();
    assert_eq!((err(&done), done.status.code()), (String::new(), Some(0)));
    assert_eq!(out(&done).lines().count(), 1);
}

#[test]
fn the_manual_has_a_page_for_every_subcommand_with_its_flags_and_examples() {
    fn pages(command: &clap::Command, name: &str, into: &mut Vec<String>) {
        into.push(format!("{name}.1"));
        command.get_subcommands().for_each(|sub| pages(sub, &format!("{name}-{}", sub.get_name()), into));
    }
    let dir = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_plated")).arg("man").arg(dir.path()).output().unwrap();
    assert_eq!((err(&done), done.status.code()), (String::new(), Some(0)));
    let (mut wanted, name) = (Vec::new(), |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap());
    pages(&plated_vehicle::cli::command(), "plated", &mut wanted);
    let mut made: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| name(entry.unwrap())).collect();
    wanted.sort();
    made.sort();
    assert_eq!(made, wanted);
    let page = std::fs::read_to_string(dir.path().join("plated-status.1")).unwrap();
    assert!(page.contains("plated status \\-\\-watch") && page.contains("exit code"), "{page}");
}

#[test]
fn a_status_that_is_watched_is_printed_again_and_again() {
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"svs\"\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
    command.args(["status", "--json", "--watch=1", "--config"]).arg(&vehicle.config);
    let mut watch = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let times: Vec<String> = lines
        .take(2)
        .map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap()["at"].to_string())
        .collect();
    // It goes on by itself until it is ended, or nobody reads it any more.
    watch.wait().unwrap();
    assert_ne!(times[0], times[1]);
}

#[test]
fn folders_and_files_are_for_their_owner_alone_under_any_umask() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("vehicle");
    let run = |args: &[&OsStr]| {
        let script = "umask 000; exec \"$0\" \"$@\"";
        let done = Command::new("sh").args(["-c", script, env!("CARGO_BIN_EXE_plated")]).args(args).output().unwrap();
        assert!(done.status.success(), "{}", err(&done));
    };
    let word = OsStr::new;
    run(&[word("init"), word("--vehicle"), word("unit-7"), word("--dir"), folder.as_os_str()]);
    let config = folder.join("plated.toml");
    let text = std::fs::read_to_string(&config).unwrap() + "\n[[hotlists]]\nname = \"mine\"\n";
    std::fs::write(&config, text).unwrap();
    let list = dir.path().join("mine.csv");
    std::fs::write(&list, "plate\n7ABC123\n").unwrap();
    let import = [word("hotlist"), word("import"), list.as_os_str(), word("--list"), word("mine")];
    run(&[&import[..], &[word("--config"), config.as_os_str()]].concat());
    let mut folders = vec![folder];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for path in std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()) {
            seen += 1;
            match path.is_dir() {
                true => folders.push(path),
                false => assert_eq!(mode(&path) & 0o022, 0, "{}", path.display()),
            }
        }
    }
    assert!(seen > 4, "{seen}");
}

#[test]
fn times_are_the_vehicles_own_to_the_second() {
    let vehicle = Vehicle::new("");
    let added =
        vehicle.say(&["hotlist", "add", "7ABC123", "--reason", "stop", "--expires", "2027-01-02T03:04:05.678901Z"]);
    assert!(out(&added).trim_end().ends_with("until 2027-01-01 19:04:05 -08:00"), "{} {}", out(&added), err(&added));
    let (store, _) = vehicle.place.open();
    let mut new = read("7ABC123");
    let mut hit = hit("svs");
    (new.record.last_seen, hit.at) = (vehicle.place.clock.wall(), vehicle.place.clock.wall());
    new.record.hits.push(hit);
    store.put_read(&new).unwrap();
    store.close().unwrap();
    for args in [&["hotlist", "search", "7ABC123"][..], &["hotlist", "show", "7ABC123"], &["hit", "list"]] {
        let shown = out(&vehicle.say(&[args, &["--reason", "stop"]].concat()));
        let local = |line: &str| line.contains(" -08:00") || line.contains(" -07:00");
        assert!(shown.lines().any(local), "{args:?}: {shown}");
        let fraction = |w: &[u8]| w[0].is_ascii_digit() && w[1] == b'.' && w[2..].iter().all(u8::is_ascii_digit);
        assert!(!shown.as_bytes().windows(8).any(fraction), "{args:?}: {shown}");
    }
}

#[test]
fn the_exit_code_of_status_says_how_it_is_and_of_a_command_what_failed() {
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"svs\"\n");
    let status = vehicle.say(&["status"]);
    assert_eq!(status.status.code(), Some(2), "{}", out(&status));
    assert!(out(&status).contains("CRITICAL  no daemon runs"), "{}", out(&status));
    assert!(out(&status).contains("clock: trusted"), "{}", out(&status));
    let json: serde_json::Value = serde_json::from_str(&out(&vehicle.say(&["status", "--json"]))).unwrap();
    assert_eq!((&json["daemon"], &json["clock"]["trusted"]), (&false.into(), &true.into()));
    std::fs::remove_file(vehicle.place.dir.path().join("store.key")).unwrap();
    let failed = vehicle.say(&["status"]);
    assert!(failed.status.code().unwrap() > 2, "not a state, but a failure: {}", err(&failed));
}

#[test]
fn what_is_named_and_not_there_ends_with_66_and_what_is_wrong_with_65_or_78() {
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"svs\"\n");
    let list = vehicle.file("svs.csv", "plate\n7ABC123\n");
    let (list, nothing) = (list.to_str().unwrap(), vehicle.place.dir.path().join("nothing.csv"));
    let nothing = nothing.to_str().unwrap();
    let why = ["--reason", "test"];
    let code = |args: &[&str]| {
        let done = vehicle.say(args);
        (done.status.code(), err(&done))
    };
    for args in [
        &["hotlist", "import", nothing, "--list", "svs"][..],
        &["hotlist", "import", list, "--list", "bolo"],
        &["hotlist", "export", "--list", "svs", why[0], why[1]],
        &["hotlist", "remove", "7", why[0], why[1]],
        &["hit", "disposition", "0123456789", "correct", why[0], why[1]],
        &["user", "show", "nobody"],
    ] {
        let (code, message) = code(args);
        assert_eq!(code, Some(66), "{args:?}: {message}");
    }
    let odd = vehicle.file("odd.csv", "this is no list\n");
    assert_eq!(code(&["hotlist", "import", odd.to_str().unwrap(), "--list", "svs"]).0, Some(65));
    vehicle.file("plated.toml", "vehicle = 7\n");
    assert_eq!(code(&["status"]).0, Some(78));
}

#[test]
fn a_command_without_a_daemon_says_nothing_of_lists_that_it_made_ready() {
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"svs\"\n");
    let list = vehicle.file("svs.csv", "plate\n7ABC123\n");
    for args in [
        &["hotlist", "import", list.to_str().unwrap(), "--list", "svs"][..],
        &["hotlist", "show", "7ABC123", "--reason", "traffic stop"],
    ] {
        let done = vehicle.say(args);
        assert_eq!((done.status.code(), err(&done)), (Some(0), String::new()));
    }
}

#[test]
fn a_look_at_a_damaged_store_leaves_it_where_it_is_and_says_so() {
    let vehicle = Vehicle::new("");
    assert_eq!(vehicle.say(&["status"]).status.code(), Some(2));
    let store = vehicle.place.path();
    let bytes = std::fs::metadata(&store).unwrap().len();
    let damaged = vec![7; bytes as usize];
    std::fs::write(&store, &damaged).unwrap();
    for args in
        [&["status"][..], &["hit", "list", "--reason", "test"], &["hotlist", "show", "7ABC123", "--reason", "x"]]
    {
        let done = vehicle.say(args);
        assert_eq!(done.status.code(), Some(65), "{args:?}: {}", err(&done));
        assert!(err(&done).contains("is damaged, and nothing was touched"), "{}", err(&done));
        assert_eq!(std::fs::read(&store).unwrap(), damaged);
    }
    let beside = |name: &str| {
        std::fs::read_dir(vehicle.place.dir.path())
            .unwrap()
            .any(|f| f.unwrap().file_name().to_string_lossy().contains(name))
    };
    assert!(!beside("damaged"));
    // A change sets it aside: it is not kept waiting.
    let added = vehicle.say(&["hotlist", "add", "7ABC123", "--reason", "test"]);
    assert!(added.status.success() && beside("damaged"), "{}", err(&added));
}

// policy: P-21
#[test]
fn who_is_known_by_a_directory_service_alone_is_on_record_by_name() {
    let vehicle = Vehicle::new("");
    let uid = SystemUser::of_this_process().uid;
    let directory = vehicle.file("passwd", &format!("dlopez:x:{uid}:{uid}:Dana Lopez:/home/dlopez:/bin/sh\n"));
    let groups = vehicle.file("group", &format!("officers:x:{uid}:dlopez\n"));
    let as_in_the_directory = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        command.args(args).arg("--config").arg(&vehicle.config);
        // A module of the name service, as those of LDAP and Active Directory are.
        command.env("LD_PRELOAD", "libnss_wrapper.so").env("NSS_WRAPPER_PASSWD", &directory);
        let done = command.env("NSS_WRAPPER_GROUP", &groups).output().unwrap();
        assert_eq!((done.status.code(), err(&done)), (Some(0), String::new()), "{args:?}");
        out(&done)
    };
    as_in_the_directory(&["hotlist", "add", "7ABC123", "--reason", "stop"]);
    let log = as_in_the_directory(&["audit", "show", "--reason", "who was it"]);
    assert!(log.contains("dlopez"), "{log}");
}
