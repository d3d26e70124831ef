//! What a path holds after each step failed, and after the power was cut at each.

use super::fault::{Faults, NAMES, Names};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A folder with a file `old` in it, of the content "old".
fn with_old() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, "old").unwrap();
    (dir, path)
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
}

/// Does `work` once for each of its steps, with the power cut there, and once without; `check` is
/// told what came of it, with the power back.
fn cut_everywhere(
    prepare: impl Fn(&Path),
    work: impl Fn(&Path) -> io::Result<()>,
    check: impl Fn(&Path, io::Result<()>, Names),
) {
    for names in NAMES {
        for step in 0.. {
            let dir = tempfile::tempdir().unwrap();
            prepare(dir.path());
            let faults = Faults::in_folder(dir.path());
            faults.cut_power_after(step, names);
            let result = work(dir.path());
            let cut = faults.power_is_cut();
            assert!(cut || result.is_ok(), "{result:?}");
            assert!(!cut || result.is_err(), "nothing is durable that was not when the power went");
            faults.restore_power();
            check(dir.path(), result, names);
            if !cut {
                assert!(step > 2, "there are steps");
                break;
            }
        }
    }
}

#[test]
fn a_power_cut_at_any_step_leaves_the_old_content_or_the_new() {
    let large = vec![b'n'; 600 << 10]; // More than the buffer: several writes.
    for new in [&b""[..], b"new", &large] {
        let prepare = |dir: &Path| fs::write(dir.join("file"), "old").unwrap();
        cut_everywhere(
            prepare,
            |dir| write(&dir.join("file"), new),
            |dir, result, _| {
                let content = fs::read(dir.join("file")).unwrap();
                assert!(content == new || result.is_err() && content == b"old");
                sweep(dir);
                assert_eq!(names(dir), ["file"]);
            },
        );
    }
}

#[test]
fn a_power_cut_while_a_new_file_is_written_leaves_all_of_it_or_none() {
    cut_everywhere(
        |_| {},
        |dir| write_new(&dir.join("key"), b"secret", 0o400),
        |dir, result, _| match fs::read(dir.join("key")) {
            Ok(content) => assert_eq!(content, b"secret"),
            Err(e) => assert!(result.is_err() && e.kind() == ErrorKind::NotFound),
        },
    );
}

#[test]
fn a_power_cut_while_a_file_is_moved_or_shared_leaves_the_old_content_or_the_new() {
    type Work = fn(&Path, &Path) -> io::Result<()>;
    for work in [put_in_place as Work, share] {
        let prepare = |dir: &Path| {
            fs::write(dir.join("made"), "new").unwrap();
            fs::write(dir.join("file"), "old").unwrap();
        };
        cut_everywhere(
            prepare,
            |dir| work(&dir.join("made"), &dir.join("file")),
            |dir, result, _| {
                let content = fs::read_to_string(dir.join("file")).unwrap();
                assert!(content == "new" || result.is_err() && content == "old", "{content}");
            },
        );
    }
}

#[test]
fn what_was_removed_or_made_stays_so_once_it_is_reported() {
    cut_everywhere(
        |dir| fs::write(dir.join("file"), "old").unwrap(),
        |dir| {
            remove(&dir.join("file"))?;
            make_folder(&dir.join("a/b"))
        },
        |dir, result, _| {
            if result.is_ok() {
                assert!(!dir.join("file").exists() && dir.join("a/b").is_dir());
            }
        },
    );
}

#[test]
fn content_that_is_renamed_before_it_is_synced_is_lost_in_the_played_power_cut() {
    // The fault model itself: without this the tests above could not fail.
    let (dir, path) = with_old();
    let faults = Faults::in_folder(dir.path());
    let mut file = Writer::create(dir.path(), 0o600).unwrap();
    file.write_all(b"new content").unwrap();
    file.size().unwrap();
    fault::renaming(file.path(), &path).unwrap();
    fs::rename(file.path(), &path).unwrap();
    faults.cut_power_after(0, Names::Kept);
    assert!(sync_folder(dir.path()).is_err());
    assert_ne!(fs::read(&path).unwrap(), b"new content");
}

#[test]
fn an_error_at_any_step_leaves_the_old_content_or_the_new_and_nothing_beside() {
    for step in 0.. {
        let (dir, path) = with_old();
        let faults = Faults::in_folder(dir.path());
        faults.fail_after(step, ErrorKind::StorageFull);
        let result = write(&path, b"new");
        let content = fs::read_to_string(&path).unwrap();
        assert_eq!(names(dir.path()), ["file"]);
        match result {
            Err(e) => assert!(e.kind() == ErrorKind::StorageFull && (content == "old" || content == "new")),
            Ok(()) => {
                assert_eq!(content, "new");
                assert_eq!(faults.steps(), [Step::Create, Step::Write, Step::Sync, Step::Rename, Step::SyncFolder]);
                break;
            }
        }
    }
}

#[test]
fn a_disk_that_is_full_again_and_again_keeps_the_old_content() {
    let (dir, path) = with_old();
    let faults = Faults::in_folder(dir.path());
    for step in [Step::Create, Step::Write, Step::Sync, Step::Rename] {
        faults.fail_each(step, ErrorKind::StorageFull);
        for _ in 0..3 {
            assert_eq!(write(&path, b"new").unwrap_err().kind(), ErrorKind::StorageFull);
        }
        assert_eq!((fs::read(&path).unwrap(), names(dir.path()).len()), (b"old".to_vec(), 1));
    }
    faults.restore_power();
    write(&path, b"new").unwrap();
}

#[test]
fn faults_of_one_folder_leave_another_alone() {
    let (dir, path) = with_old();
    let (_other, elsewhere) = with_old();
    let faults = Faults::in_folder(dir.path());
    faults.cut_power_after(0, Names::Lost);
    assert!(write(&path, b"new").is_err());
    write(&elsewhere, b"new").unwrap();
}

#[test]
fn what_is_there_is_never_written_over_by_a_new_file() {
    let (dir, path) = with_old();
    assert_eq!(write_new(&path, b"new", 0o400).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!((fs::read(&path).unwrap(), names(dir.path()).len()), (b"old".to_vec(), 1));
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(dir.path().join("nowhere"), &link).unwrap();
    assert_eq!(write_new(&link, b"new", 0o400).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert!(!dir.path().join("nowhere").exists(), "a link is not followed");
}

#[test]
fn a_link_at_the_path_is_replaced_and_not_followed() {
    let (dir, path) = with_old();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    write(&link, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert!(link.symlink_metadata().unwrap().is_file());
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing() {
    let (dir, path) = with_old();
    let mut file = Writer::create(dir.path(), 0o600).unwrap();
    file.write_all(&vec![1; 1 << 20]).unwrap();
    file.sync().unwrap();
    assert_eq!(fs::metadata(file.path()).unwrap().len(), 1 << 20, "it can be read back");
    drop(file);
    assert_eq!((fs::read(&path).unwrap(), names(dir.path()).len()), (b"old".to_vec(), 1));
}

#[test]
fn a_writer_can_go_back_and_fill_in_a_header() {
    let (_dir, path) = with_old();
    let mut file = Writer::create(path.parent().unwrap(), 0o600).unwrap();
    file.write_all(b"....body").unwrap();
    io::Seek::seek(&mut file, io::SeekFrom::Start(0)).unwrap();
    file.write_all(b"head").unwrap();
    assert_eq!(file.size().unwrap(), 8);
    file.finish(&path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"headbody");
}

#[test]
fn modes_are_as_asked() {
    let dir = tempfile::tempdir().unwrap();
    let mode = |name: &str| fs::metadata(dir.path().join(name)).unwrap().mode() & 0o7777;
    write(&dir.path().join("private"), b"").unwrap();
    write_new(&dir.path().join("key"), b"", 0o400).unwrap();
    write_new(&dir.path().join("public"), b"", 0o644).unwrap();
    make_folder(&dir.path().join("a/b")).unwrap();
    assert_eq!([mode("private"), mode("key"), mode("public")], [0o600, 0o400, 0o644]);
    assert_eq!([mode("a"), mode("a/b")], [0o700, 0o700]);
}

#[test]
fn modes_are_as_asked_whatever_the_umask() {
    // The umask is one for the whole process: these are processes of their own, of the test above.
    for umask in ["0000", "0027", "0077"] {
        let status = std::process::Command::new("sh")
            .args(["-c", "umask $1 && exec \"$0\" --exact durable::tests::modes_are_as_asked -q"])
            .arg(std::env::current_exe().unwrap())
            .arg(umask)
            .stdout(std::process::Stdio::null())
            .status();
        assert!(status.unwrap().success(), "under umask {umask}");
    }
}

#[test]
fn a_folder_that_is_there_stays_as_it_is_and_a_file_in_the_way_is_an_error() {
    let (dir, path) = with_old();
    let shared = dir.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, Permissions::from_mode(0o750)).unwrap();
    make_folder(&shared).unwrap();
    assert_eq!(fs::metadata(&shared).unwrap().mode() & 0o777, 0o750);
    assert!(make_folder(&path).is_err());
    assert!(make_folder(&path.join("below")).is_err());
}

#[test]
fn a_shared_file_is_one_file_and_sharing_it_again_leaves_nothing_beside() {
    let (dir, path) = with_old();
    let second = dir.path().join("second");
    for _ in 0..2 {
        share(&path, &second).unwrap();
        assert_eq!(fs::metadata(&second).unwrap().nlink(), 2);
        assert_eq!(names(dir.path()).len(), 2);
    }
    remove(&path).unwrap();
    assert_eq!(fs::read(&second).unwrap(), b"old");
}

#[test]
fn where_there_are_no_second_names_a_shared_file_is_a_copy() {
    let (dir, _) = with_old();
    let other_system = Path::new("/dev/shm").join(format!("plated-core-{}", std::process::id()));
    fs::write(&other_system, "elsewhere").unwrap();
    let shared = share(&other_system, &dir.path().join("second"));
    fs::remove_file(&other_system).unwrap();
    shared.unwrap();
    assert_eq!(fs::read(dir.path().join("second")).unwrap(), b"elsewhere");
    assert_eq!(names(dir.path()).len(), 2);
}

#[test]
fn a_scratch_file_has_its_name_from_the_start_and_goes_on_where_it_was() {
    let (dir, old) = with_old();
    let path = dir.path().join("part");
    Scratch::create_new(&path).unwrap().write_all(b"half").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let mut file = Scratch::append(&path).unwrap();
    file.write_all(b" whole").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"half whole");
    file.clear().unwrap();
    file.write_all(b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    Scratch::create(&path).unwrap().allocate(5000).unwrap();
    assert_eq!(fs::read(&path).unwrap(), [0; 5000]);
    // A link that somebody laid there leads no write elsewhere.
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&old, &link).unwrap();
    assert_eq!(Scratch::create_new(&link).unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&old).unwrap(), b"old");
}

#[test]
fn each_step_of_a_scratch_file_can_fail() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("part");
    let faults = Faults::in_folder(dir.path());
    let work = || {
        let mut file = Scratch::append(&path)?;
        file.write_all(b"new")?;
        file.clear()?;
        file.allocate(100)
    };
    for step in 0..5 {
        faults.fail_after(step, ErrorKind::StorageFull);
        assert_eq!(work().unwrap_err().kind(), ErrorKind::StorageFull, "step {step}");
        faults.restore_power();
    }
    work().unwrap();
    assert_eq!(faults.steps(), [Step::Create, Step::Write, Step::Write, Step::Write, Step::Sync]);
}

#[test]
fn sweeping_removes_unfinished_files_and_nothing_else() {
    let (dir, _) = with_old();
    for name in [".a1b2c3.unfinished", "list.jsonl", ".hidden", "notes.unfinished"] {
        fs::write(dir.path().join(name), "").unwrap();
    }
    let file = Writer::create(dir.path(), 0o600).unwrap();
    assert!(is_unfinished(file.path().file_name().unwrap().to_str().unwrap()));
    sweep(dir.path());
    let mut left = names(dir.path());
    left.sort();
    assert_eq!(left, [".hidden", "file", "list.jsonl", "notes.unfinished"]);
}

#[test]
fn removing_what_is_not_there_is_no_error() {
    let (dir, path) = with_old();
    remove(&path).unwrap();
    remove(&path).unwrap();
    remove_folder(&dir.path().join("none")).unwrap();
    make_folder(&dir.path().join("a/b")).unwrap();
    remove_folder(&dir.path().join("a")).unwrap();
    assert!(names(dir.path()).is_empty());
}

#[test]
fn the_folder_of_a_bare_name_is_the_current_one() {
    for (path, folder) in [("a", "."), ("a/b", "a"), ("/a", "/"), ("/", "/")] {
        assert_eq!(folder_of(Path::new(path)), Path::new(folder));
    }
    assert_eq!(beside(Path::new("x/store.db"), "-wal"), Path::new("x/store.db-wal"));
}

/// What is done to a folder.
#[derive(Clone, Debug)]
enum Do {
    Write(u8, u8),
    WriteNew(u8, u8),
    Move(u8, u8),
    Share(u8, u8),
    Remove(u8),
}

fn operation() -> impl Strategy<Value = Do> {
    let n = || 0u8..4;
    prop_oneof![
        (n(), any::<u8>()).prop_map(|(to, c)| Do::Write(to, c)),
        (n(), any::<u8>()).prop_map(|(to, c)| Do::WriteNew(to, c)),
        (n(), n()).prop_map(|(from, to)| Do::Move(from, to)),
        (n(), n()).prop_map(|(from, to)| Do::Share(from, to)),
        n().prop_map(Do::Remove),
    ]
}

/// What the folder should hold: for each name the content, and which file that is.
type Model = BTreeMap<u8, (u8, usize)>;

fn on_the_model(model: &mut Model, number: usize, operation: &Do) {
    match *operation {
        Do::Write(to, c) => drop(model.insert(to, (c, number))),
        Do::WriteNew(to, c) => drop(model.entry(to).or_insert((c, number))),
        // Two names of one file stay.
        Do::Move(from, to) if model.get(&from) == model.get(&to) => {}
        Do::Move(from, to) => {
            if let Some(file) = model.remove(&from) {
                model.insert(to, file);
            }
        }
        Do::Share(from, to) => {
            if let Some(file) = model.get(&from).copied() {
                model.insert(to, file);
            }
        }
        Do::Remove(at) => drop(model.remove(&at)),
    }
}

fn on_the_disk(dir: &Path, operation: &Do) -> io::Result<()> {
    let path = |n: u8| dir.join(n.to_string());
    let content = |c: u8| vec![c; 1 + usize::from(c)];
    match *operation {
        Do::Write(to, c) => write(&path(to), &content(c)),
        Do::WriteNew(to, c) => write_new(&path(to), &content(c), 0o400),
        Do::Move(from, to) => put_in_place(&path(from), &path(to)),
        Do::Share(from, to) => share(&path(from), &path(to)),
        Do::Remove(at) => remove(&path(at)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn after_a_power_cut_all_that_was_reported_is_there_and_nothing_is_half(
        operations in proptest::collection::vec(operation(), 1..12), cut in 0usize..60, lost: bool,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let faults = Faults::in_folder(dir.path());
        faults.cut_power_after(cut, if lost { Names::Lost } else { Names::Kept });
        let (mut before, mut after) = (Model::new(), Model::new());
        for (number, operation) in operations.iter().enumerate() {
            before = after.clone();
            on_the_model(&mut after, number, operation);
            // What fails for another reason (a file not there, or there already) changes nothing.
            let _ = on_the_disk(dir.path(), operation);
            if faults.power_is_cut() {
                break;
            }
            before = after.clone();
        }
        faults.restore_power();
        sweep(dir.path());
        let mut found = BTreeMap::new();
        for name in names(dir.path()) {
            let content = fs::read(dir.path().join(&name)).unwrap();
            prop_assert!(!content.is_empty() && content.len() == 1 + usize::from(content[0]), "{name} is half");
            found.insert(name.parse::<u8>().unwrap(), content[0]);
        }
        let contents = |model: Model| model.into_iter().map(|(name, (c, _))| (name, c)).collect();
        let (before, after): (BTreeMap<_, _>, BTreeMap<_, _>) = (contents(before), contents(after));
        prop_assert!(found == before || found == after, "{found:?} is neither {before:?} nor {after:?}");
    }
}
