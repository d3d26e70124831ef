use super::*;
use plated_core::clock::ManualClock;
use plated_core::durable::Step;
use plated_core::durable::fault::Faults;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;

const LIST: &str = "shift";

struct Bench {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    seen: Arc<Mutex<Vec<String>>>,
    settings: &'static str,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("stick")).unwrap();
        let clock = ManualClock::at("2026-11-21T12:00:00Z".parse().unwrap());
        Self { dir, clock: Arc::new(clock), seen: Arc::default(), settings: "as they are" }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("stick").join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn outcome(&self, name: &str) -> String {
        fs::read_to_string(self.path(&format!("{name}{OUTCOME}"))).unwrap()
    }

    /// Refuses what has `bad` in it, and has no room for what has `full` in it.
    fn watcher(&self) -> Watcher {
        let seen = self.seen.clone();
        let accept = move |change: &Change| {
            let Change::File { path, .. } = change else { panic!("{change:?}") };
            let text = fs::read_to_string(path).unwrap();
            seen.lock().unwrap().push(text.clone());
            match text {
                t if t.contains("bad") => Err(Error::new(Kind::Input, "2 of its 2 lines have mistakes")),
                t if t.contains("full") => Err(Error::new(Kind::Storage, "the disk is full")),
                t => Ok(format!("{} entries", t.lines().count())),
            }
        };
        let settings = Sha256::of(self.settings.as_bytes());
        let watched = vec![Watched { list: LIST.into(), folder: self.dir.path().join("stick"), settings }];
        Watcher::new(watched, self.dir.path().join("spool"), self.clock.clone(), Arc::new(accept)).unwrap()
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

#[test]
fn a_file_that_is_still_being_written_is_not_taken() {
    let bench = Bench::new();
    let mut watcher = bench.watcher();
    for text in ["half", "half of it", "half of it and the rest"] {
        bench.put("list.csv", text);
        assert_eq!(watcher.look(), []);
    }
    let taken = watcher.look();
    assert_eq!((taken[0].name.as_str(), taken[0].accepted), ("list.csv", true));
    assert_eq!(bench.seen(), ["half of it and the rest"]);
    assert!(bench.outcome("list.csv").starts_with("accepted for the list shift at 2026-11-21T12:00:00Z\n1 entries\n"));
}

#[test]
fn a_refused_file_has_its_sentence_beside_it_and_in_the_state() {
    let bench = Bench::new();
    let mut watcher = bench.watcher();
    bench.put("list.csv", "bad\n");
    watcher.look();
    assert!(!watcher.look()[0].accepted);
    assert!(bench.outcome("list.csv").contains("refused for the list shift"));
    assert!(bench.outcome("list.csv").contains("2 of its 2 lines have mistakes"));
    let state = watcher.states().next().unwrap();
    assert_eq!(state.last_error.as_deref(), Some("2 of its 2 lines have mistakes"));
    // The message stays until a good one comes.
    watcher.look();
    assert!(watcher.states().next().unwrap().last_error.is_some());
    bench.put("better.csv", "good\n");
    watcher.look();
    assert!(watcher.look()[0].accepted);
    assert_eq!(watcher.states().next().unwrap().last_error, None);
}

#[test]
fn a_file_is_taken_once_for_each_time_that_it_appears_and_a_restart_is_no_appearance() {
    let bench = Bench::new();
    let mut watcher = bench.watcher();
    bench.put("list.csv", "good\n");
    for _ in 0..5 {
        watcher.look();
    }
    assert_eq!(bench.seen(), ["good\n"]);
    let mut watcher = bench.watcher();
    assert_eq!(watcher.states().next().unwrap().sha256, Some(Sha256::of(b"good\n")));
    for _ in 0..3 {
        assert_eq!(watcher.look(), []);
    }
    bench.put("again.csv", "good\n");
    watcher.look();
    assert_eq!(watcher.look().len(), 1);
    assert!(bench.outcome("again.csv").contains("accepted"));
    assert_eq!(bench.seen(), ["good\n"]);
}

#[test]
fn a_content_that_comes_again_after_another_is_handed_over_again_also_with_its_old_date() {
    let bench = Bench::new();
    let mut watcher = bench.watcher();
    let mut drop_in = |name: &str, text: &str, keep_date: bool| {
        let before = fs::metadata(bench.path(name)).and_then(|m| m.modified());
        // A file written within the same tick of the kernel's clock would look the same.
        std::thread::sleep(Duration::from_millis(20));
        bench.put(name, text);
        if keep_date {
            File::options().write(true).open(bench.path(name)).unwrap().set_modified(before.unwrap()).unwrap();
        }
        watcher.look();
        watcher.look();
        bench.seen()
    };
    assert_eq!(drop_in("monday.csv", "A\n", false), ["A\n"]);
    assert_eq!(drop_in("tuesday.csv", "B\n", false), ["B\n"]);
    assert_eq!(drop_in("monday.csv", "A\n", true), ["A\n"]);
    assert_eq!(drop_in("tuesday.csv", "A\n", false), ["A\n"]);
}

#[test]
fn a_refused_file_is_tried_again_when_the_settings_have_changed_and_an_accepted_one_is_not() {
    let mut bench = Bench::new();
    bench.put("good.csv", "good\n");
    bench.put("list.csv", "bad\n");
    let looked = |bench: &mut Bench, settings| {
        bench.settings = settings;
        let mut watcher = bench.watcher();
        watcher.look();
        watcher.look();
        let mut seen = bench.seen();
        seen.sort();
        seen
    };
    assert_eq!(looked(&mut bench, "as they are"), ["bad\n", "good\n"]);
    assert_eq!(looked(&mut bench, "as they are"), [""; 0]);
    assert_eq!(looked(&mut bench, "another map"), ["bad\n"]);
    assert_eq!(looked(&mut bench, "another map"), [""; 0]);
    // Nothing of it is in force any more, as in a store that was begun anew.
    forget(&bench.dir.path().join("spool"), LIST);
    assert_eq!(looked(&mut bench, "another map"), ["bad\n", "good\n"]);
}

#[test]
fn a_named_pipe_in_the_folder_holds_up_nothing() {
    let bench = Bench::new();
    let pipe = bench.path("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(open_plain(&pipe).unwrap_err().kind(), ErrorKind::InvalidInput);
    let mut watcher = bench.watcher();
    bench.put("list.csv", "good\n");
    watcher.look();
    assert_eq!(watcher.look().len(), 1);
}

#[test]
fn what_has_nothing_to_do_with_the_content_is_tried_again_later() {
    let bench = Bench::new();
    let mut watcher = bench.watcher();
    bench.put("list.csv", "full\n");
    for _ in 0..4 {
        assert_eq!(watcher.look(), []);
    }
    assert_eq!(bench.seen().len(), 1);
    assert_eq!(watcher.states().next().unwrap().last_error.as_deref(), Some("the disk is full"));
    bench.clock.advance(AGAIN);
    watcher.look();
    assert_eq!(bench.seen().len(), 1);
}

#[test]
fn a_file_of_which_no_copy_can_be_made_is_not_handed_over_and_tried_again_later() {
    let bench = Bench::new();
    let mut watcher = bench.watcher();
    let faults = Faults::in_folder(&bench.dir.path().join("spool"));
    bench.put("a.csv", "7ABC123\n");
    watcher.look();
    for step in [Step::Create, Step::Write] {
        faults.fail_each(step, ErrorKind::StorageFull);
        assert_eq!((watcher.look(), bench.seen()), (vec![], vec![]), "{step:?}");
        let error = watcher.states().next().unwrap().last_error.clone().unwrap();
        assert!(error.contains("could not write"), "{error}");
        faults.restore_power();
        bench.clock.advance(AGAIN);
    }
    assert_eq!(watcher.look().len(), 1);
    assert_eq!(bench.seen(), ["7ABC123\n"]);
}

#[test]
fn links_hidden_files_folders_and_outcomes_are_left_alone_and_a_missing_medium_is_no_error() {
    let bench = Bench::new();
    let mut watcher = bench.watcher();
    let secret = bench.dir.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    std::os::unix::fs::symlink(&secret, bench.path("link.csv")).unwrap();
    bench.put(".hidden", "x");
    bench.put(&format!("old.csv{OUTCOME}"), "x");
    fs::create_dir(bench.path("folder")).unwrap();
    for _ in 0..3 {
        assert_eq!(watcher.look(), []);
    }
    assert_eq!(bench.seen(), [""; 0]);
    // A link in the place of the outcome is replaced, not followed.
    std::os::unix::fs::symlink(&secret, bench.path(&format!("list.csv{OUTCOME}"))).unwrap();
    bench.put("list.csv", "good\n");
    watcher.look();
    watcher.look();
    assert_eq!(fs::read_to_string(&secret).unwrap(), "secret");
    assert!(bench.outcome("list.csv").contains("accepted"));

    fs::remove_dir_all(bench.dir.path().join("stick")).unwrap();
    assert_eq!(watcher.look(), []);
    assert_eq!(watcher.states().next().unwrap().last_error, None);
}

#[test]
fn a_folder_that_takes_no_outcome_still_gives_its_files_and_the_spool_is_left_empty() {
    let bench = Bench::new();
    let mut watcher = bench.watcher();
    bench.put("list.csv", "good\n");
    // Its name beside the file is taken by a folder, which stands for any reason not to write.
    fs::create_dir(bench.path(&format!("list.csv{OUTCOME}"))).unwrap();
    fs::set_permissions(bench.path("list.csv"), fs::Permissions::from_mode(0o400)).unwrap();
    watcher.look();
    assert!(watcher.look()[0].accepted);
    let spool: Vec<_> = fs::read_dir(bench.dir.path().join("spool")).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(spool, ["shift.taken.json"]);
}
