use super::record::tests::any_entry;
use super::*;
use plated_core::durable;
use plated_core::durable::fault::{Faults, NAMES};
use proptest::prelude::*;
use std::sync::LazyLock;

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::generate().unwrap());

fn trust() -> Trust {
    Trust::only([SIGNER.public_key()])
}

fn meta(name: &str) -> Meta {
    let at = "2026-03-01T12:00:00Z".parse().unwrap();
    Meta { name: name.into(), source: format!("{name}.csv"), date: Some(at), built: at, by: "test".into() }
}

fn entry(plate: &str, reason: &str) -> EntryRecord {
    EntryRecord { list: "svs".into(), plate: plate.into(), reason: reason.into(), ..EntryRecord::default() }
}

fn build(path: &Path, entries: &[EntryRecord], sort_memory: usize) -> Result<IndexSummary> {
    let mut builder = Builder::with_memory(path, &SIGNER, meta("svs"), sort_memory);
    entries.iter().try_for_each(|entry| builder.add(entry))?;
    builder.finish()
}

/// A list of so many plates, whose reason says which list it is.
fn plates(count: usize, reason: &str) -> Vec<EntryRecord> {
    (0..count).map(|n| entry(&format!("7ABC{n:03}"), reason)).collect()
}

#[test]
fn every_entry_of_a_plate_is_kept_in_the_order_of_the_list() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("svs.index");
    let entries =
        [entry("7ABC123", "stolen"), entry("8X0-Y111", "x"), entry("7abc 123", "felony"), entry("7ABC123", "stolen")];
    let manifest = build(&path, &entries, 1 << 20).unwrap();
    assert_eq!((manifest.entries, manifest.plates, manifest.meta.clone()), (4, 2, meta("svs")));
    let index = Index::open(&path, &trust()).unwrap();
    assert_eq!(index.manifest(), manifest);
    assert_eq!(index.entries("7ABC123").unwrap(), [entries[0].clone(), entries[2].clone(), entries[3].clone()]);
    assert_eq!(index.entries("8X0Y111").unwrap(), [entries[1].clone()]);
    assert!(index.entries("7ABC124").unwrap().is_empty() && index.entries("É").unwrap().is_empty());
}

#[test]
fn partial_plates_stand_apart_and_no_more_than_there_can_be() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("svs.index");
    let mut entries = vec![entry("7ABC123", "x"), entry("*", "fits everything")];
    entries.extend((0..105).map(|n| entry(&format!("7A{n:03}*"), "seen in part")));
    let manifest = build(&path, &entries, 1 << 20).unwrap();
    assert_eq!((manifest.entries, manifest.plates), (101, 1));
    let index = Index::open(&path, &trust()).unwrap();
    assert_eq!((index.partials().len(), &index.partials()[0]), (100, &entries[2]));
    assert_eq!(index.all().count(), 101);
    assert!(index.entries("7A000").unwrap().is_empty());
}

#[test]
fn a_list_without_entries_is_an_index_that_finds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("svs.index");
    build(&path, &[], 1 << 20).unwrap();
    let index = Index::open(&path, &trust()).unwrap();
    assert!(index.is_empty() && index.entries("7ABC123").unwrap().is_empty());
    index.verify().unwrap();
}

#[test]
fn each_plate_of_a_large_list_is_found_and_those_between_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("svs.index");
    let plate = |n: usize| format!("{}ABC{:04}", n / 10_000, n % 10_000);
    let entries: Vec<_> = (0..5000).map(|n| entry(&plate(3 * n), "stolen")).collect();
    build(&path, &entries, 1 << 20).unwrap();
    let index = Index::open(&path, &trust()).unwrap();
    assert!(index.signposts.len() > 2);
    for n in 0..15_002 {
        assert_eq!(index.find(Code::of(&plate(n)).unwrap()).is_some(), n % 3 == 0 && n < 15_000, "{n}");
    }
    assert_eq!(index.entries(&plate(14_997)).unwrap(), entries[4999..]);
}

#[test]
fn an_entry_without_a_plate_is_refused_and_nothing_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("svs.index");
    assert_eq!(build(&path, &[entry("7ABC123", ""), entry("--", "")], 1).unwrap_err().kind(), Kind::Input);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_index_holds_what_was_put_in_sorted_in_memory_or_on_disk(
        entries in proptest::collection::vec(any_entry(), 0..150), sort_memory in 256..100_000usize,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("svs.index");
        build(&path, &entries, sort_memory).unwrap();
        prop_assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let index = Index::open(&path, &trust()).unwrap();
        index.verify().unwrap();
        prop_assert_eq!(index.len(), entries.len() as u64);
        let key = |e: &EntryRecord| PlateText::normalise(&e.plate).key();
        for entry in &entries {
            let expected: Vec<_> = entries.iter().filter(|e| key(e) == key(entry)).cloned().collect();
            prop_assert_eq!(index.entries(key(entry).as_str()).unwrap(), expected);
        }
        let mut plates: Vec<_> = entries.iter().map(key).collect();
        plates.sort();
        plates.dedup();
        prop_assert_eq!(index.plates(), plates.len() as u64);
    }
}

/// What opening and reading the whole file says.
fn whole(path: &Path) -> Result<Vec<EntryRecord>> {
    let index = Index::open(path, &trust())?;
    index.verify()?;
    index.all().collect()
}

#[test]
fn a_file_with_any_byte_changed_or_cut_off_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("svs.index");
    build(&path, &plates(70, "stolen"), 1 << 20).unwrap();
    let good = std::fs::read(&path).unwrap();
    let in_keys = Index::open(&path, &trust()).unwrap().header.keys_at as usize;
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(whole(&path).unwrap_err().kind(), Kind::Damaged, "byte {at}");
        // What matching uses at once is refused when it is opened, entries when they are read.
        let entries = (HEADER..in_keys).contains(&at);
        assert_eq!(Index::open(&path, &trust()).is_ok(), entries, "byte {at}");
    }
    for cut in [0, 1, HEADER - 1, HEADER, in_keys, good.len() - 1] {
        std::fs::write(&path, &good[..cut]).unwrap();
        assert_eq!(whole(&path).unwrap_err().kind(), Kind::Damaged, "{cut} bytes");
    }
    std::fs::write(&path, [&good[..], b"\n"].concat()).unwrap();
    assert!(whole(&path).is_err());
}

/// The file with these bytes changed behind its header, and hashed and signed from anew, as whoever
/// has a key that is trusted here could have made it.
fn made_anew(good: &[u8], index: &Index, header: &IndexHeader, changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let (mut bytes, keys_at) = (good.to_vec(), index.header.keys_at as usize);
    for (at, byte) in changes {
        let at = HEADER + at.index(bytes.len() - HEADER);
        bytes[at] = *byte;
    }
    for block in 0..index.header.blocks as usize {
        let ([keys, start], [_, end]) = (index.begin(block).unwrap(), index.begin(block + 1).unwrap());
        let hash = Sha256::of(&bytes[start..end]).0;
        bytes[keys_at + index.blocks.start + keys..][..HASH].copy_from_slice(&hash);
    }
    let root = Sha256::of(&bytes[keys_at..]).0;
    bytes[..HEADER].copy_from_slice(&IndexHeader { root, ..header.clone() }.write(&SIGNER));
    bytes
}

proptest! {
    #[test]
    fn no_bytes_of_an_index_that_is_rightly_signed_panic(
        entries in proptest::collection::vec(any_entry(), 0..80),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        number in proptest::option::of((0..9usize, prop_oneof![0..200_u64, any::<u64>()])),
        codes in proptest::collection::vec(any::<u64>(), 8),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("svs.index");
        build(&path, &entries, 1 << 20).unwrap();
        let (good, index) = (std::fs::read(&path).unwrap(), Index::open(&path, &trust()).unwrap());
        let mut header = index.header.clone();
        let IndexHeader { file, keys_at, meta, tables, filter, blocks, block_bytes, plates, entries: count, .. } = &mut header;
        let numbers = [file, keys_at, meta, tables, filter, blocks, block_bytes, plates, count];
        if let Some((at, number)) = number {
            *numbers.into_iter().nth(at).unwrap() = number;
        }
        std::fs::write(&path, made_anew(&good, &index, &header, &changes)).unwrap();
        let Ok(index) = Index::open(&path, &trust()) else { return Ok(()) };
        let _ = (index.verify(), index.all().count(), index.manifest());
        for entry in &entries {
            let _ = index.entries(PlateText::normalise(&entry.plate).key().as_str());
        }
        for code in codes {
            let _ = index.find(Code(code)).map(|place| index.entries_at(place, "7ABC123"));
        }
    }
}

#[test]
fn an_entry_changed_after_the_index_was_opened_is_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("svs.index");
    build(&path, &plates(70, "stolen"), 1 << 20).unwrap();
    let index = Index::open(&path, &trust()).unwrap();
    assert_eq!(index.entries("7ABC000").unwrap().len(), 1);
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(b"\xFF", HEADER as u64 + 4).unwrap();
    assert_eq!(index.entries("7ABC000").unwrap_err().kind(), Kind::Damaged);
    assert_eq!(index.entries("7ABC069").unwrap().len(), 1, "another block");
}

#[test]
fn an_index_that_somebody_else_built_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("svs.index");
    build(&path, &plates(3, "stolen"), 1 << 20).unwrap();
    let other = Trust::only([Signer::generate().unwrap().public_key()]);
    let error = Index::open(&path, &other).unwrap_err().chain();
    assert!(error.contains("not trusted"), "{error}");
    assert_eq!(Index::open(&dir.path().join("none"), &trust()).unwrap_err().kind(), Kind::Missing);
}

#[test]
fn a_power_cut_at_any_step_of_an_update_leaves_the_old_list_or_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("svs.index");
    let (old, new) = (plates(50, "old"), plates(60, "new"));
    let faults = Faults::in_folder(dir.path());
    for names in NAMES {
        let (mut kept, mut came) = (0, 0);
        build(&path, &old, 1 << 20).unwrap();
        for step in 0.. {
            faults.cut_power_after(step, names);
            let done = build(&path, &new, 1000);
            faults.restore_power();
            let found = whole(&path).unwrap();
            if found == old {
                assert!(done.is_err(), "an update that did not happen is reported");
                kept += 1;
            } else {
                assert_eq!(found, new, "after {step} steps");
                came += 1;
            }
            if done.is_ok() {
                assert_eq!(found, new);
                break;
            }
            if came > 0 {
                build(&path, &old, 1 << 20).unwrap(); // What an interrupted one left is in nobody's way.
            }
        }
        assert!(kept > 5 && came > 0, "{kept} {came}");
    }
    durable::sweep(dir.path());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside");
}

#[test]
fn an_index_stays_what_it_is_while_another_takes_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("svs.index");
    build(&path, &plates(50, "old"), 1 << 20).unwrap();
    let before = Index::open(&path, &trust()).unwrap();
    build(&path, &plates(60, "new"), 1 << 20).unwrap();
    assert_eq!(before.entries("7ABC049").unwrap()[0].reason, "old");
    before.verify().unwrap();
    assert_eq!(Index::open(&path, &trust()).unwrap().entries("7ABC049").unwrap()[0].reason, "new");
}

#[test]
fn an_index_in_memory_is_the_same_list_and_leaves_nothing_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let faults = Faults::in_folder(dir.path());
    faults.fail_each(durable::Step::Create, std::io::ErrorKind::StorageFull);
    let entries = plates(500, "in memory");
    let mut builder = Builder::in_memory(&dir.path().join("svs.index"), &SIGNER, meta("svs"));
    entries.iter().try_for_each(|entry| builder.add(entry)).unwrap();
    let index = builder.finish_in_memory().unwrap();
    assert_eq!(index.all().map(Result::unwrap).collect::<Vec<_>>(), entries);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
