use super::*;
use plated_core::clock::SystemClock;
use plated_core::durable::fault::{Faults, Names};
use plated_core::signing::{Signer, write_public};
use plated_core::tls::authority::Authority;
use std::io::ErrorKind;

/// A folder with a vehicle's certificates, and one that is set up.
struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let authority = Authority::create(&dir.path().join("ca"), &SystemClock::new()).unwrap();
        authority.issue_vehicle("unit-7", &dir.path().join("unit"), &SystemClock::new()).unwrap();
        write_public(&dir.path().join("unit/receipt.pub"), &Signer::generate().unwrap().public_key()).unwrap();
        Self { dir }
    }

    fn args(&self, given: Answers) -> Args {
        let (config, password) = (self.dir.path().join("etc/plated.toml"), password::From::default());
        Args { config, answers: None, no_questions: true, given, password }
    }

    fn first(&self) -> Args {
        self.args(Answers {
            certificates: Some(self.dir.path().join("unit")),
            cameras: vec!["front=/dev/video0".parse().unwrap()],
            station: Some("https://station.example:8443".into()),
            ..Answers::default()
        })
    }
}

fn set_up(args: &Args) -> Result<()> {
    prepare(args, None)?.write().map(drop)
}

#[test]
fn a_setup_that_is_cut_off_at_any_step_counts_for_nothing_and_the_next_one_goes_on() {
    for step in 0.. {
        let bench = Bench::new();
        let args = bench.first();
        let faults = Faults::in_folder(&bench.dir.path().join("etc"));
        match step % 2 {
            0 => faults.fail_after(step / 2, ErrorKind::StorageFull),
            _ => faults.cut_power_after(step / 2, Names::Kept),
        }
        let done = set_up(&args).is_ok();
        faults.restore_power();
        let key = std::fs::read(bench.dir.path().join("etc/store.key")).ok();
        let whole = Config::load(&args.config).is_ok_and(|config| config.vehicle == "unit-7");
        assert!(whole || (!done && !args.config.exists()), "step {step}");
        set_up(&args).unwrap();
        let config = Config::load(&args.config).unwrap();
        let transfer = config.transfer.unwrap();
        assert_eq!((&*config.vehicle, &*transfer.station), ("unit-7", "https://station.example:8443"));
        assert!(transfer.key.exists() && transfer.receipt_keys.exists());
        let after = std::fs::read(config.store.key_file.unwrap()).unwrap();
        assert!(key.is_none_or(|key| key.len() < 65 || key == after), "a key that is there is never another one");
        if done && step % 2 == 0 {
            return;
        }
    }
}

#[test]
fn a_change_that_is_cut_off_leaves_the_old_configuration_or_the_new_one() {
    for step in 0.. {
        let bench = Bench::new();
        set_up(&bench.first()).unwrap();
        let change = bench.args(Answers { station: Some("https://other.example:8443".into()), ..Answers::default() });
        let old = std::fs::read_to_string(&change.config).unwrap();
        let faults = Faults::in_folder(&bench.dir.path().join("etc"));
        faults.fail_after(step, ErrorKind::StorageFull);
        let done = set_up(&change).is_ok();
        drop(faults);
        let now = std::fs::read_to_string(&change.config).unwrap();
        let new = old.replace("https://station.example:8443", "https://other.example:8443");
        assert!(now == new || (!done && now == old), "step {step}");
        if done {
            return;
        }
    }
}

#[test]
fn what_is_not_asked_for_stays_with_its_comments_and_only_the_line_that_is_changes() {
    let bench = Bench::new();
    set_up(&bench.first()).unwrap();
    let path = bench.first().config;
    let text = std::fs::read_to_string(&path).unwrap().replace("[store]", "# Ours\n[store]");
    std::fs::write(&path, &text).unwrap();
    let (key, lines) = (std::fs::read(path.with_file_name("store.key")).unwrap(), |text: &str| -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    });
    set_up(&bench.args(Answers { cameras: vec!["front=/dev/video2".parse().unwrap()], ..Answers::default() })).unwrap();
    let now = std::fs::read_to_string(&path).unwrap();
    let changed: Vec<_> = lines(&text).into_iter().zip(lines(&now)).filter(|(a, b)| a != b).collect();
    assert_eq!(changed, [("device = \"/dev/video0\"".to_owned(), "device = \"/dev/video2\"".to_owned())]);
    assert_eq!(lines(&text).len(), lines(&now).len());
    assert_eq!(std::fs::read(path.with_file_name("store.key")).unwrap(), key);
    // Another kind of camera, one more, and a list.
    let list = bench.dir.path().join("list.csv");
    let answers = Answers {
        cameras: vec!["front=rtsp://10.0.0.2/a".parse().unwrap(), "rear=/dev/video4".parse().unwrap()],
        lists: vec![format!("local={}", list.display()).parse().unwrap()],
        ..Answers::default()
    };
    set_up(&bench.args(answers)).unwrap();
    let config = Config::load(&path).unwrap();
    assert_eq!(config.sources.iter().map(|s| &*s.name).collect::<Vec<_>>(), ["front", "rear"]);
    assert!(matches!(config.sources[0].input, plated_vision::capture::Input::Rtsp(_)));
    assert_eq!((config.hotlists.len(), &config.hotlists[0].path), (1, &list));
    assert!(std::fs::read_to_string(&path).unwrap().contains("# Ours\n[store]"));
}

#[test]
fn answers_that_can_t_be_are_told_with_what_to_do_and_nothing_is_written() {
    let bench = Bench::new();
    let first = || bench.first().given;
    let cases = [
        (Answers { cameras: Vec::new(), ..first() }, "--camera NAME=CAMERA"),
        (Answers { certificates: None, ..first() }, "--vehicle NAME"),
        (Answers { vehicle: Some("unit-8".into()), ..first() }, "the certificate is of \"unit-7\""),
        (Answers { station: None, ..first() }, "--station https://host:port"),
        (Answers { user: Some("chief".into()), ..first() }, "--full-name"),
        (Answers { certificates: Some(bench.dir.path().join("ca")), ..first() }, "vehicle.crt"),
    ];
    for (given, expected) in cases {
        let args = bench.args(given);
        let why = set_up(&args).unwrap_err().chain();
        assert!(why.contains(expected), "{expected}: {why}");
        assert!(!args.config.exists());
    }
    assert!("front".parse::<answers::Named>().is_err() && "a b=/dev/video0".parse::<answers::Named>().is_err());
}

#[test]
fn the_key_of_a_store_that_is_there_is_not_made_anew() {
    let bench = Bench::new();
    set_up(&bench.first()).unwrap();
    let folder = bench.dir.path().join("etc");
    std::fs::write(folder.join("plated.db"), b"a store").unwrap();
    std::fs::remove_file(folder.join("store.key")).unwrap();
    let why = set_up(&bench.first()).unwrap_err().chain();
    assert!(why.contains("bring it back") && !folder.join("store.key").exists(), "{why}");
}
