//! `plated setup` as somebody meets it who installs a vehicle: by answers, and question by question on a terminal.

use plated_core::clock::SystemClock;
use plated_core::signing::{Signer, write_public};
use plated_core::tls::authority::Authority;
use plated_vehicle::config::Config;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use tempfile::TempDir;

fn drive() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/drive.mp4")
}

/// A folder with the certificates of unit-7, as a station gives them.
fn bench() -> TempDir {
    let (dir, clock) = (tempfile::tempdir().unwrap(), SystemClock::new());
    let authority = Authority::create(&dir.path().join("ca"), &clock).unwrap();
    authority.issue_vehicle("unit-7", &dir.path().join("unit"), &clock).unwrap();
    write_public(&dir.path().join("unit/receipt.pub"), &Signer::generate().unwrap().public_key()).unwrap();
    dir
}

fn setup(dir: &Path, args: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
    command.arg("setup").args(args).arg("--config").arg(dir.join("etc/plated.toml"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_first_installation_by_answers_makes_a_vehicle_with_its_administrator_and_ends_with_the_doctor() {
    let dir = bench();
    let fleet = dir.path().join("fleet.toml");
    let answers = "station = \"https://localhost:1\"\ncertificates = \"unit\"\nagency = \"Example PD\"\n";
    std::fs::write(&fleet, format!("{answers}cameras = [\"front={}\"]\n", drive().display())).unwrap();
    let given = ["--answers", fleet.to_str().unwrap(), "--user", "chief", "--full-name", "Ann Smith"];
    let args = [&given[..], &["--password-stdin", "--no-questions"]].concat();
    let done = setup(dir.path(), &args, "gravel otter umbrella 61\n");
    let (told, errors) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{told}{errors}");
    for part in ["Keep a copy of it in a safe place", "Added chief, administrator.", "camera front: it gives pictures"]
    {
        assert!(told.contains(part), "{part}: {told}{errors}");
    }
    let config = Config::load(&dir.path().join("etc/plated.toml")).unwrap();
    assert_eq!(config.vehicle, "unit-7", "by its certificate");
    let key = config.store.key_file.unwrap();
    assert_eq!(std::fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o400);
    assert_eq!(config.transfer.unwrap().station, "https://localhost:1");
    // The same again changes nothing, and the key stays.
    let text = std::fs::read(dir.path().join("etc/plated.toml")).unwrap();
    let again = setup(dir.path(), &["--answers", fleet.to_str().unwrap(), "--no-questions"], "");
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert_eq!(std::fs::read(dir.path().join("etc/plated.toml")).unwrap(), text);
}

/// `plated setup` on a terminal of its own.
struct Terminal {
    child: Child,
    input: Option<ChildStdin>,
    shown: String,
}

impl Terminal {
    fn open(dir: &Path) -> Self {
        let program = env!("CARGO_BIN_EXE_plated");
        let config = dir.join("etc/plated.toml");
        let line = format!("exec '{program}' setup --config '{}'", config.display());
        let mut script = Command::new("script");
        script.args(["-qefc", &line, "/dev/null"]).env("SHELL", "/bin/sh").env("XDG_RUNTIME_DIR", dir);
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        Self { child, input, shown: String::new() }
    }

    /// Waits for a question, and answers it.
    fn answer(&mut self, question: &str, answer: &str) {
        let mut byte = [0];
        let mut bytes = Vec::new();
        while !String::from_utf8_lossy(&bytes).contains(question) {
            let n = self.child.stdout.as_mut().unwrap().read(&mut byte).unwrap();
            assert_eq!(n, 1, "{question:?} is not asked: {}{}", self.shown, String::from_utf8_lossy(&bytes));
            bytes.extend(byte);
        }
        self.shown += &String::from_utf8_lossy(&bytes);
        self.input.as_mut().unwrap().write_all(format!("{answer}\n").as_bytes()).unwrap();
    }

    /// Says nothing more; gives all that was shown, and whether it did well.
    fn end(mut self) -> (String, bool) {
        let mut rest = Vec::new();
        let mut out = self.child.stdout.take().unwrap();
        out.read_to_end(&mut rest).unwrap();
        drop(self.input.take());
        (self.shown + &String::from_utf8_lossy(&rest), self.child.wait().unwrap().success())
    }

    /// As when the line to the terminal breaks.
    fn cut_off(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The questions of a first installation, and answers.
fn dialog(dir: &Path) -> Vec<(String, String)> {
    let unit = dir.join("unit").display().to_string();
    let of = |(question, answer): (&str, &str)| (question.to_owned(), answer.to_owned());
    let mut all: Vec<_> = [
        ("certificates, made by `plated-station vehicle issue` [none yet]: ", &*unit),
        ("Address of the station [https://localhost:8443]: ", "https://localhost:1"),
        ("Name of the vehicle [unit-7]: ", ""),
        ("Another camera: ", ""),
    ]
    .map(of)
    .into();
    all.pop();
    all.push(("a folder of pictures: ".into(), drive().display().to_string()));
    all.extend(
        [
            ("Use it? [yes]: ", "y"),
            ("Its name [front]: ", "hood"),
            ("a folder of pictures [no more]: ", ""),
            ("File of a hotlist (the station's come by themselves) [none]: ", "/no/such/list"),
            ("there is no such file\r\nFile of a hotlist (the station's come by themselves) [none]: ", ""),
            ("Login name of a first administrator [none]: ", "chief"),
            ("Their full name: ", "Ann Smith"),
            ("Their agency: ", "Example PD"),
            ("New password for chief: ", "gravel otter umbrella 61"),
            ("The same again: ", "gravel otter umbrella 61"),
            ("plated.toml? [yes]: ", ""),
        ]
        .map(of),
    );
    all
}

#[test]
fn on_a_terminal_it_asks_for_all_shows_the_camera_and_ends_with_the_doctor() {
    let dir = bench();
    let mut terminal = Terminal::open(dir.path());
    for (question, answer) in dialog(dir.path()) {
        terminal.answer(&question, &answer);
    }
    let (shown, well) = terminal.end();
    assert!(well, "{shown}");
    for part in ["\u{2580}", "It gives pictures of ", "Added chief", "camera hood: it gives pictures"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("otter"), "a password is not shown");
    let config = Config::load(&dir.path().join("etc/plated.toml")).unwrap();
    assert_eq!((&*config.vehicle, &*config.sources[0].name), ("unit-7", "hood"));
    // Asked again, Enter keeps all.
    let text = std::fs::read_to_string(dir.path().join("etc/plated.toml")).unwrap();
    let mut terminal = Terminal::open(dir.path());
    for question in [
        "[as they are]: ",
        "[https://localhost:1]: ",
        "[unit-7]: ",
        "Cameras are hood. Keep them? [yes]: ",
        "File of a hotlist (the station's come by themselves) [none]: ",
        "[none]: ",
        "plated.toml? [yes]: ",
    ] {
        terminal.answer(question, "");
    }
    let (shown, well) = terminal.end();
    assert!(well, "{shown}");
    assert_eq!(std::fs::read_to_string(dir.path().join("etc/plated.toml")).unwrap(), text);
}

#[test]
fn cut_off_at_any_question_it_has_written_nothing() {
    let questions = dialog(Path::new("/")).len();
    for count in [1, 4, questions - 1] {
        let dir = bench();
        let mut terminal = Terminal::open(dir.path());
        let all = dialog(dir.path());
        for (question, answer) in &all[..count] {
            terminal.answer(question, answer);
        }
        terminal.cut_off();
        assert!(!dir.path().join("etc").exists(), "{count}");
    }
    let dir = bench();
    let mut terminal = Terminal::open(dir.path());
    let all = dialog(dir.path());
    let (last, before) = all.split_last().unwrap();
    for (question, answer) in before {
        terminal.answer(question, answer);
    }
    terminal.answer(&last.0, "no");
    let (shown, well) = terminal.end();
    assert!(!well && shown.contains("nothing was written") && !dir.path().join("etc").exists(), "{shown}");
}
