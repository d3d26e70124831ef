use super::*;
use plated_core::clock::ManualClock;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;

const LIST: &str = "shift";

struct Bench {
    dir: tempfile::TempDir,
    clock: Arc<ManualClock>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("stick")).unwrap();
        let clock = ManualClock::at("2026-11-21T12:00:00Z".parse().unwrap());
        Self { dir, clock: Arc::new(clock), seen: Arc::default() }
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
        let watched = vec![Watched { list: LIST.into(), folder: self.dir.path().join("stick") }];
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
    // It stays said until a good one comes.
    watcher.look();
    assert!(watcher.states().next().unwrap().last_error.is_some());
    bench.put("better.csv", "good\n");
    watcher.look();
    assert!(watcher.look()[0].accepted);
    assert_eq!(watcher.states().next().unwrap().last_error, None);
}

#[test]
fn each_content_is_taken_once_also_after_a_restart_and_under_another_name() {
    let bench = Bench::new();
    let mut watcher = bench.watcher();
    bench.put("list.csv", "good\n");
    for _ in 0..5 {
        watcher.look();
    }
    let mut watcher = bench.watcher();
    assert_eq!(watcher.states().next().unwrap().sha256, Some(Sha256::of(b"good\n")));
    bench.put("again.csv", "good\n");
    for _ in 0..3 {
        assert_eq!(watcher.look(), []);
    }
    assert_eq!(bench.seen(), ["good\n"]);
    assert!(bench.outcome("again.csv").contains("accepted"));
    bench.put("again.csv", "better\n");
    watcher.look();
    assert_eq!(watcher.look().len(), 1);
    assert_eq!(bench.seen(), ["better\n"]);
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
