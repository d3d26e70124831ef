//! Whatever is cut off, and wherever: what was accepted last is in force.

use super::*;
use crate::store::{Key, Options};
use plated_core::clock::{ManualClock, TrustedClock};
use plated_core::durable::Step;
use plated_core::durable::fault::{Faults, NAMES};
use plated_core::plate::{ALPHABET, CLASSES, PlateText, Slots};
use plated_core::record::Priority;
use plated_hotlist::Query;
use std::io::ErrorKind;

struct Bench {
    dir: tempfile::TempDir,
    config: Config,
    store: Store,
    clock: Arc<dyn Clock>,
}

impl Bench {
    fn new() -> Self {
        Self::with("")
    }

    /// With these settings of the list.
    fn with(settings: &str) -> Self {
        Self::made(settings, Arc::new(ManualClock::at("2026-11-26T08:00:00Z".parse().unwrap())))
    }

    /// By this clock.
    fn by(clock: Arc<dyn Clock>) -> Self {
        Self::made("", clock)
    }

    fn made(settings: &str, clock: Arc<dyn Clock>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plated.toml");
        let text = "vehicle = \"unit-7\"\n[[sources]]\nname = \"front\"\nkind = \"v4l2\"\ndevice = \"/dev/video0\"\n\
                    [store]\npath = \"store.db\"\n[[hotlists]]\nname = \"svs\"\n"
            .to_owned()
            + settings;
        std::fs::write(&path, text).unwrap();
        let key = Key::create_file(&dir.path().join("store.key")).unwrap();
        let config = Config::load(&path).unwrap();
        let (store, _) = Store::open(Options::from(&config), &key, clock.clone()).unwrap();
        Self { dir, config, store, clock }
    }

    /// As after a start.
    fn service(&self) -> OfficerService {
        OfficerService::open(&self.config, self.store.clone(), self.clock.clone())
    }

    fn armed(&self) -> OfficerService {
        let service = self.service();
        service.arm().unwrap();
        service
    }

    fn lists(&self) -> std::path::PathBuf {
        self.dir.path().canonicalize().unwrap().join("store.db-lists")
    }

    fn import(&self, service: &OfficerService, plate: &str) -> Result<()> {
        let file = self.dir.path().join("new.csv");
        std::fs::write(&file, format!("plate\n{plate}\n")).unwrap();
        let who = Actor::of_this_process();
        let by = By { who, reason: crate::store::Reason::new("test").unwrap() };
        service.import("svs", Incoming::file(&file, None), false, &by).map(|_| ())
    }

    fn clear_indexes(&self) {
        for file in std::fs::read_dir(self.lists()).unwrap().map(|f| f.unwrap().path()) {
            if file.extension().is_some_and(|e| e == "index") {
                std::fs::remove_file(file).unwrap();
            }
        }
    }
}

const OLD: &str = "1AAA111";
const NEW: &str = "2BBB222";

/// Which of the two is wanted.
fn wanted(service: &OfficerService) -> Vec<&'static str> {
    let is_wanted = |plate: &&str| {
        let at = |c: char| {
            let mut position = [0.0; CLASSES];
            position[ALPHABET.iter().position(|a| char::from(*a) == c).unwrap()] = 1.0;
            position
        };
        let (text, slots) = (PlateText::normalise(plate), Slots::new(plate.chars().map(at).collect()));
        let now = "2026-11-26T08:00:00Z".parse().unwrap();
        !service.lists().matches(&Query { text: &text, state: "", candidates: &[], slots: &slots, now }).is_empty()
    };
    [OLD, NEW].into_iter().filter(is_wanted).collect()
}

#[test]
fn a_power_cut_at_any_step_of_an_import_leaves_the_list_in_force_that_was_accepted_last() {
    let mut steps = 0;
    for names in NAMES {
        for count in 0.. {
            let bench = Bench::new();
            let service = bench.armed();
            bench.import(&service, OLD).unwrap();
            let faults = Faults::in_folder(&bench.lists());
            faults.cut_power_after(count, names);
            let accepted = bench.import(&service, NEW).is_ok();
            let was_cut = faults.power_is_cut();
            faults.restore_power();
            drop(service);
            let expected = if accepted { NEW } else { OLD };
            // The disk could be another one for a moment after the last step; a start needs nothing of it.
            assert_eq!(wanted(&bench.armed()), [expected], "cut at step {count} with names {names:?}");
            assert_eq!(wanted(&bench.armed()), [expected], "and after a further start");
            if !was_cut {
                break;
            }
            steps += 1;
        }
    }
    assert!(steps > 12, "{steps}");
}

#[test]
fn a_power_cut_at_any_step_of_taking_the_file_at_a_path_leaves_a_list_in_force_and_the_next_start_takes_it() {
    let mut steps = 0;
    for names in NAMES {
        for count in 0.. {
            let bench = Bench::with("path = \"svs.csv\"\n");
            bench.import(&bench.armed(), OLD).unwrap();
            std::fs::write(bench.dir.path().join("svs.csv"), format!("plate\n{NEW}\n")).unwrap();
            let service = bench.armed();
            let faults = Faults::in_folder(&bench.lists());
            faults.cut_power_after(count, names);
            service.look_at_files();
            let was_cut = faults.power_is_cut();
            faults.restore_power();
            drop(service);
            let service = bench.armed();
            assert_eq!(wanted(&service).len(), 1, "cut at step {count} with names {names:?}");
            service.look_at_files();
            assert_eq!(wanted(&service), [NEW], "cut at step {count} with names {names:?}");
            if !was_cut {
                // The copy that is read is written there too.
                assert_eq!(bench.lists().read_dir().unwrap().count(), 2);
                break;
            }
            steps += 1;
        }
    }
    assert!(steps > 2 * 12, "{steps}");
}

#[test]
fn a_power_cut_at_any_step_of_a_start_leaves_the_list_in_force() {
    let mut steps = 0;
    for names in NAMES {
        for count in 0.. {
            let bench = Bench::new();
            bench.import(&bench.armed(), OLD).unwrap();
            bench.clear_indexes();
            let faults = Faults::in_folder(&bench.lists());
            faults.cut_power_after(count, names);
            let _ = bench.service().arm();
            let was_cut = faults.power_is_cut();
            faults.restore_power();
            assert_eq!(wanted(&bench.armed()), [OLD], "cut at step {count} with names {names:?}");
            if !was_cut {
                break;
            }
            steps += 1;
        }
    }
    assert!(steps > 6, "{steps}");
}

#[test]
fn with_a_disk_that_takes_nothing_a_list_without_an_index_is_matched_from_memory() {
    let bench = Bench::new();
    bench.import(&bench.armed(), OLD).unwrap();
    bench.clear_indexes();
    let faults = Faults::in_folder(&bench.lists());
    for step in [Step::Create, Step::Write, Step::Sync, Step::Rename] {
        faults.fail_each(step, ErrorKind::StorageFull);
        assert_eq!(wanted(&bench.armed()), [OLD], "{step:?}");
    }
}

#[test]
fn what_officers_entered_is_matched_before_any_list_is_ready_and_the_status_says_what_is_not() {
    let bench = Bench::new();
    bench.import(&bench.armed(), OLD).unwrap();
    let service = bench.service();
    assert_eq!(wanted(&service), [""; 0]);
    *service.arming.lock().unwrap() = Arming::Begun;
    let error = service.status().unwrap().lists[0].error.clone().unwrap();
    assert!(error.contains("being made ready"), "{error}");
    service.arm().unwrap();
    assert_eq!((wanted(&service), service.status().unwrap().lists[0].error.clone()), (vec![OLD], None));
}

#[test]
fn an_import_that_is_faster_than_the_start_is_not_replaced_by_the_version_before() {
    let bench = Bench::new();
    bench.import(&bench.armed(), OLD).unwrap();
    let service = bench.service();
    bench.import(&service, NEW).unwrap();
    service.arm().unwrap();
    assert_eq!(wanted(&service), [NEW]);
}

#[test]
fn what_is_entered_while_the_clock_is_not_trusted_lasts_its_hours_once_the_clock_is_set_also_after_a_restart() {
    let hour = Duration::from_secs(3600);
    let system = Arc::new(ManualClock::at("1970-01-01T00:00:00Z".parse().unwrap()));
    let clock = TrustedClock::over(system.clone());
    let bench = Bench::by(clock.clone());
    let service = bench.armed();
    enter(&service, OLD, Expires::InSeconds(8 * 3600));
    clock.check().unwrap();
    system.advance(hour);
    let set: Timestamp = "2027-03-01T12:00:00Z".parse().unwrap();
    system.jump_to(set);
    bench.store.clock_changed(&clock.check().unwrap()).unwrap();
    let ends = |service: &OfficerService| service.status().unwrap().officers[0].expires;
    assert_eq!((wanted(&service), ends(&service)), (vec![OLD], set + 7 * hour));
    let again = bench.armed();
    assert_eq!((wanted(&again), ends(&again)), (vec![OLD], set + 7 * hour));
    system.advance(7 * hour);
    for service in [service, again] {
        service.expire().unwrap();
        assert_eq!(wanted(&service), [""; 0]);
    }
}

#[test]
fn while_the_store_does_not_answer_the_status_of_the_daemon_tells_how_the_parts_are_all_the_same() {
    let bench = Bench::new();
    bench.import(&bench.armed(), OLD).unwrap();
    let service = bench.armed();
    let health = Arc::new(Health::default());
    service.tell_health(health.clone());
    health.report("camera front", Level::Failed, "it is not plugged in".into(), bench.clock.wall());
    let whole = service.status().unwrap();
    assert!(whole.store.is_some() && whole.lists.len() == 1);
    let status = bench.store.hanging(|| service.status()).unwrap();
    assert!(status.daemon && status.store.is_none() && status.lists.is_empty());
    let level = |name: &str| status.parts.iter().find(|part| part.name == name).map(|part| part.level);
    assert_eq!((level("camera front"), level("store")), (Some(Level::Failed), Some(Level::Failed)));
    assert_eq!(status.worst(), Level::Failed);
    let again = service.status().unwrap();
    assert!(again.store.is_some() && again.parts.iter().all(|part| part.name != "store"));
}

#[test]
fn what_is_entered_until_a_time_while_the_clock_is_not_trusted_ends_at_that_time_once_the_clock_is_set() {
    let hour = Duration::from_secs(3600);
    let system = Arc::new(ManualClock::at("1970-01-01T00:00:00Z".parse().unwrap()));
    let clock = TrustedClock::over(system.clone());
    let bench = Bench::by(clock.clone());
    let service = bench.armed();
    let set: Timestamp = "2027-03-01T12:00:00Z".parse().unwrap();
    enter(&service, OLD, Expires::At(set - hour));
    enter(&service, NEW, Expires::At(set + hour));
    clock.check().unwrap();
    service.expire().unwrap();
    assert_eq!(service.status().unwrap().officers.len(), 2, "they are matched while nobody knows the time");
    system.jump_to(set);
    bench.store.clock_changed(&clock.check().unwrap()).unwrap();
    service.expire().unwrap();
    let again = bench.armed();
    for service in [&service, &again] {
        let status = service.status().unwrap();
        let ends: Vec<_> = status.officers.iter().map(|e| e.expires).collect();
        assert_eq!((wanted(service), ends), (vec![NEW], vec![set + hour]));
    }
    system.advance(hour);
    for service in [service, again] {
        service.expire().unwrap();
        assert_eq!(wanted(&service), [""; 0]);
    }
}

fn enter(service: &OfficerService, plate: &str, expires: Expires) {
    let request = crate::control::Request::Add {
        plate: plate.into(),
        state: String::new(),
        category: String::new(),
        priority: Priority::High,
        reason: crate::store::Reason::new("test").unwrap(),
        case: String::new(),
        expires: Some(expires),
        search_back: None,
    };
    service.answer(request, &Actor::of_this_process(), None, &mut |_| Ok(())).unwrap();
}
