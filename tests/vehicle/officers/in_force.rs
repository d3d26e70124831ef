//! Which list is in force: the one that was accepted last, through restarts, whatever lies where.

use super::*;
use plated_vehicle::lists::{Watched, Watcher, settings_digest};
use std::fs::File;
use std::sync::Arc;

const SVS: &str = "[[hotlists]]\nname = \"svs\"\npath = \"svs.csv\"\n";

/// Puts a file at the path of the list, changed last at this time.
fn at_path(vehicle: &Vehicle, text: &str, changed: jiff::Timestamp) {
    let path = vehicle.file("svs.csv", text);
    File::options().write(true).open(path).unwrap().set_modified(changed.into()).unwrap();
}

fn now(vehicle: &Vehicle) -> jiff::Timestamp {
    vehicle.place.clock.wall()
}

/// Which of these plates is wanted.
fn wanted<'a>(vehicle: &Vehicle, plates: &[&'a str]) -> Vec<&'a str> {
    plates.iter().copied().filter(|plate| !vehicle.matches(plate).is_empty()).collect()
}

#[test]
fn a_restart_with_the_older_file_at_its_path_keeps_the_list_that_was_imported_since() {
    let vehicle = Vehicle::new(SVS);
    at_path(&vehicle, "plate\n7ABC123\n", now(&vehicle));
    vehicle.service.look_at_files();
    assert_eq!(wanted(&vehicle, &["7ABC123", "6DEF128"]), ["7ABC123"]);
    vehicle.place.clock.advance(48 * HOUR);
    vehicle.import("svs", "plate\n6DEF128\n", false, "from the radio room").unwrap();
    let mut vehicle = vehicle;
    for _ in 0..2 {
        vehicle = vehicle.again(SVS);
        assert_eq!(wanted(&vehicle, &["7ABC123", "6DEF128"]), ["6DEF128"], "before its file is looked at");
        vehicle.service.look_at_files();
        assert_eq!(wanted(&vehicle, &["7ABC123", "6DEF128"]), ["6DEF128"]);
    }
    // Touched, it is still the same content.
    at_path(&vehicle, "plate\n7ABC123\n", now(&vehicle));
    vehicle.service.look_at_files();
    assert_eq!(wanted(&vehicle, &["7ABC123", "6DEF128"]), ["6DEF128"]);
    at_path(&vehicle, "plate\n4KLM567\n", now(&vehicle));
    vehicle.service.look_at_files();
    assert_eq!(wanted(&vehicle, &["4KLM567", "6DEF128"]), ["4KLM567"], "a new one comes in");
    assert_eq!(whats(&vehicle.events()), [What::ListImported; 3]);
}

#[test]
fn a_file_that_was_refused_is_refused_once_and_tried_again_under_other_settings() {
    let vehicle = Vehicle::new(SVS);
    vehicle.import("svs", "plate\n7ABC123\n6DEF128\n4KLM567\n", false, "x").unwrap();
    at_path(&vehicle, "plate\n7ABC123\n", now(&vehicle));
    let mut vehicle = vehicle;
    for _ in 0..3 {
        vehicle.service.look_at_files();
        let error = vehicle.service.status().unwrap().lists[0].error.clone().unwrap();
        assert!(error.contains("1 entry where the list in force has 3"), "{error}");
        vehicle = vehicle.again(SVS);
    }
    assert_eq!(whats(&vehicle.events()), [What::ListImported, What::ListRefused]);
    let lenient = format!("{SVS}[hotlists.limits]\nshrink = 1.0\n");
    let vehicle = vehicle.again(&lenient);
    vehicle.service.look_at_files();
    assert_eq!(wanted(&vehicle, &["7ABC123", "6DEF128"]), ["7ABC123"]);
}

#[test]
fn the_index_is_opened_again_and_built_only_when_it_is_not_what_this_vehicle_built() {
    use std::os::unix::fs::MetadataExt;
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"svs\"\n[[hotlists]]\nname = \"bolo\"\n");
    vehicle.import("svs", "plate\n7ABC123\n", false, "x").unwrap();
    vehicle.import("bolo", "plate\n6DEF128\n", false, "x").unwrap();
    let index = |vehicle: &Vehicle, list: &str| {
        let folder = std::fs::read_dir(vehicle.place.beside("-lists")).unwrap();
        let all = folder.map(|e| e.unwrap().path()).filter(|p| p.extension().is_some_and(|e| e == "index"));
        let mut all = all.filter(|p| p.file_name().unwrap().to_str().unwrap().starts_with(list));
        let path = all.next().unwrap();
        assert_eq!(all.next(), None, "old ones are gone");
        path
    };
    let inode = |path: &std::path::Path| std::fs::metadata(path).unwrap().ino();
    let lists = "[[hotlists]]\nname = \"svs\"\n[[hotlists]]\nname = \"bolo\"\n";
    let built = inode(&index(&vehicle, "svs"));
    let vehicle = vehicle.again(lists);
    assert_eq!(inode(&index(&vehicle, "svs")), built);
    // That of another list, whole and signed.
    std::fs::copy(index(&vehicle, "bolo"), index(&vehicle, "svs")).unwrap();
    let vehicle = vehicle.again(lists);
    assert_eq!(wanted(&vehicle, &["7ABC123", "6DEF128"]), ["7ABC123", "6DEF128"]);
    assert_eq!(vehicle.matches("6DEF128"), [(Rule::Exact, "bolo".to_owned())]);
    // One that is damaged.
    let path = index(&vehicle, "svs");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let vehicle = vehicle.again(lists);
    assert_eq!(vehicle.matches("7ABC123"), [(Rule::Exact, "svs".to_owned())]);
    // A new version takes the place of both its files.
    vehicle.import("svs", "plate\n4KLM567\n", false, "x").unwrap();
    assert_ne!(index(&vehicle, "svs"), path);
}

#[test]
fn of_files_dropped_into_a_folder_the_one_that_appeared_last_is_in_force_or_was_refused_with_its_reason() {
    let lists = "[[hotlists]]\nname = \"svs\"\nkind = \"folder\"\npath = \"stick\"\n";
    let vehicle = Vehicle::new(lists);
    let stick = vehicle.place.dir.path().join("stick");
    std::fs::create_dir(&stick).unwrap();
    let vehicle = Arc::new(vehicle);
    let service = vehicle.clone();
    let watched = Watched { list: "svs".into(), folder: stick.clone(), settings: Sha256::of(b"") };
    let spool = vehicle.place.dir.path().join("spool");
    let accept = Arc::new(move |change: &Change| service.service.take(change));
    let mut watcher = Watcher::new(vec![watched], spool, vehicle.place.clock.clone(), accept).unwrap();
    let mut dropped = |text: &str| {
        std::thread::sleep(Duration::from_millis(20)); // Files of one tick of the clock look the same.
        std::fs::write(stick.join("list.csv"), text).unwrap();
        vehicle.place.clock.advance(HOUR);
        watcher.look();
        watcher.look();
        (wanted(&vehicle, &["7ABC123", "6DEF128"]), watcher.states().next().unwrap().last_error.clone())
    };
    let (a, b) = ("plate\n7ABC123\n", "plate\n6DEF128\n");
    assert_eq!(dropped(a), (vec!["7ABC123"], None));
    assert_eq!(dropped(b), (vec!["6DEF128"], None));
    assert_eq!(dropped(a), (vec!["7ABC123"], None), "the car of list B was recovered");
    let (in_force, why) = dropped("plate\n");
    assert_eq!(in_force, ["7ABC123"]);
    assert!(why.is_some());
}

#[test]
fn a_list_that_was_looked_for_and_is_still_the_newest_is_fresh() {
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"bolo\"\n");
    vehicle.service.take(&super::lists::handed_out(&vehicle, 1, &["7ABC123"])).unwrap();
    vehicle.import("bolo", "plate\n6DEF128\n", false, "x").unwrap();
    let levels = || vehicle.service.status().unwrap().lists.iter().map(|l| l.staleness).collect::<Vec<_>>();
    vehicle.place.clock.advance(80 * HOUR);
    assert_eq!(levels(), [Staleness::Critical; 2]);
    // The station hands out the same for want of anything newer: nobody has asked its source since.
    let current = |confirmed| Change::Current { list: "svs".into(), confirmed };
    vehicle.service.take(&current(vehicle.place.clock.wall() - jiff::SignedDuration::from_hours(80))).unwrap();
    assert_eq!(levels(), [Staleness::Critical; 2]);
    vehicle.service.take(&current(vehicle.place.clock.wall())).unwrap();
    assert_eq!(levels(), [Staleness::Critical, Staleness::Fresh]);
    // The same file, brought anew today.
    vehicle.import("bolo", "plate\n6DEF128\n", false, "downloaded again").unwrap();
    assert_eq!(levels(), [Staleness::Fresh; 2]);
    let vehicle = vehicle.again("[[hotlists]]\nname = \"bolo\"\n");
    assert_eq!(vehicle.service.status().unwrap().lists.iter().map(|l| l.staleness).max(), Some(Staleness::Fresh));
    vehicle.place.clock.advance(30 * HOUR);
    assert_eq!(vehicle.service.warn_stale().unwrap().len(), 2, "and grows old from then on");
}

#[test]
fn a_list_dated_in_the_future_keeps_no_true_one_out_and_grows_old_too() {
    let vehicle = Vehicle::new("[[hotlists]]\nname = \"svs\"\n");
    let file = vehicle.file("new.csv", "plate\n7ABC123\n");
    let future = "2099-01-01T00:00:00Z".parse().unwrap();
    let incoming = plated_vehicle::control::Incoming::file(&file, Some(future));
    vehicle.service.import("svs", incoming, true, &by("told by phone")).unwrap();
    vehicle.place.clock.advance(80 * HOUR);
    assert_eq!(vehicle.service.status().unwrap().lists[0].staleness, Staleness::Critical);
    vehicle.import("svs", "plate\n6DEF128\n", false, "the true one").unwrap();
    assert_eq!(wanted(&vehicle, &["7ABC123", "6DEF128"]), ["6DEF128"]);
}

// policy: P-05
#[test]
fn of_a_covert_list_nothing_is_shown_to_anybody_and_what_is_told_gives_nothing_away() {
    let lists = "[[hotlists]]\nname = \"quiet\"\ncovert = true\n";
    let vehicle = Vehicle::new(lists);
    vehicle.import("quiet", "plate\n7ABC123\n", false, "x").unwrap();
    vehicle.ask(add("6DEF128")).unwrap();
    let told = |plate: &str| {
        let replies = vehicle.ask(show(plate)).unwrap();
        let left = replies.iter().filter(|r| matches!(r, Reply::LeftOut { list, .. } if list == "quiet")).count();
        (replies.len() - left, left)
    };
    assert_eq!((told("7ABC123"), told("4KLM567")), ((0, 1), (0, 1)), "listed or not");
    assert_eq!(told("6DEF128"), (1, 1), "what officers entered is theirs");
    let export = |list: &str| {
        vehicle.ask(Request::Export { list: list.into(), reason: reason("hand over"), case: String::new() })
    };
    let refused = export("quiet").unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden);
    assert!(refused.chain().contains("covert"), "{refused}");
    assert_eq!(export("officers").unwrap().len(), 1);
    // Hits of a list that was covert and is not configured any more stay unseen.
    let mut covert = read("7ABC123");
    covert.record.hits = vec![crate::kit::store::hit("quiet")];
    vehicle.store.put_read(&covert).unwrap();
    let hits = |vehicle: &Vehicle| {
        let window = 365 * 86_400;
        let request = Request::Hits { window, reason: reason("shift report"), case: String::new() };
        vehicle.ask(request).unwrap().iter().filter(|r| matches!(r, Reply::Hit(_))).count()
    };
    assert_eq!(hits(&vehicle), 0);
    let vehicle = vehicle.again("");
    assert_eq!(hits(&vehicle), 0);
}

#[test]
fn what_is_no_plain_file_at_a_lists_path_is_said_and_waited_for_by_nobody() {
    let lists = "[[hotlists]]\nname = \"pipe\"\npath = \"pipe\"\n[[hotlists]]\nname = \"folder\"\npath = \"/\"\n\
                 [[hotlists]]\nname = \"device\"\npath = \"/dev/zero\"\n";
    let vehicle = Vehicle::new(lists);
    let pipe = vehicle.place.dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    vehicle.service.look_at_files();
    for line in vehicle.service.status().unwrap().lists {
        assert!(line.error.is_some_and(|e| e.contains("no plain file")), "{}", line.name);
    }
}

/// Something that happens to a list.
#[derive(Clone, Debug)]
enum Step {
    /// Somebody imports content `n`, whose file is so many days old.
    Import(usize, i64),
    /// Content `n` is put at the path, so many days old.
    Put(usize, i64),
    /// The daemon starts again and looks at the path.
    Restart,
    /// It is killed before it looks.
    Kill,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..4usize, 0..9i64).prop_map(|(n, age)| Step::Import(n, age)),
        (0..4usize, 0..9i64).prop_map(|(n, age)| Step::Put(n, age)),
        Just(Step::Restart),
        Just(Step::Kill),
    ];
    proptest::collection::vec(step, 1..16)
}

/// The rule, in the simplest form that it can have.
#[derive(Default)]
struct Model {
    /// Content and day of what is in force.
    in_force: Option<(usize, i64)>,
    at_path: Option<(usize, i64)>,
    seen: Option<usize>,
}

impl Model {
    fn offer(&mut self, (n, day): (usize, i64)) {
        match self.in_force {
            Some((now, _)) if now == n => {}
            // The date of a file makes it older from a day on.
            Some((_, of)) if day < of => {}
            _ => self.in_force = Some((n, day)),
        }
    }

    fn look(&mut self) {
        let Some((n, day)) = self.at_path else { return };
        if self.seen != Some(n) || self.in_force.is_none_or(|(now, _)| now == n) {
            self.offer((n, day));
        }
        self.seen = Some(n);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn in_force_is_what_the_order_of_acceptance_says(steps in steps()) {
        const PLATES: [&str; 4] = ["1AAA111", "2BBB222", "3CCC333", "4DDD444"];
        let mut vehicle = Vehicle::new(SVS);
        let mut model = Model::default();
        let today = 20;
        vehicle.place.clock.advance(24 * HOUR * 70);
        let text = |n: usize| format!("plate\n{}\n", PLATES[n]);
        for step in &steps {
            let of = |day: i64| start() + Duration::from_secs(86_400 * day.unsigned_abs());
            match step {
                Step::Import(n, age) => {
                    let file = vehicle.file("new.csv", &text(*n));
                    let incoming = plated_vehicle::control::Incoming::file(&file, Some(of(3 * (today - age))));
                    let _ = vehicle.service.import("svs", incoming, false, &by("test"));
                    model.offer((*n, 3 * (today - age)));
                }
                Step::Put(n, age) => {
                    at_path(&vehicle, &text(*n), of(3 * (today - age)));
                    model.at_path = Some((*n, 3 * (today - age)));
                }
                Step::Restart => {
                    vehicle = vehicle.again(SVS);
                    vehicle.service.look_at_files();
                    model.look();
                }
                Step::Kill => vehicle = vehicle.again(SVS),
            }
            let expected: Vec<&str> = model.in_force.iter().map(|(n, _)| PLATES[*n]).collect();
            prop_assert_eq!(wanted(&vehicle, &PLATES), expected, "after {:?} of {:?}", step, steps);
        }
    }
}

#[test]
fn the_settings_of_a_list_have_one_digest_until_they_change() {
    let list = |toml: &str| toml::from_str::<plated_hotlist::settings::Hotlist>(toml).unwrap();
    let digest = settings_digest(&list("name = \"svs\"\n"));
    assert_eq!(settings_digest(&list("name = \"svs\"\n")), digest);
    assert_ne!(settings_digest(&list("name = \"svs\"\nformat = \"csv\"\n")), digest);
}
