use super::*;
use crate::index::{Builder, Index, Meta, Signer, Trust};
use crate::lists::{Lists, Partial};
use crate::settings::MatchRules;
use plated_core::plate::{ALPHABET, CLASSES};
use plated_core::record::StateAgreement;
use proptest::prelude::*;
use std::path::Path;

const NOW: &str = "2026-03-01T12:00:00Z";

fn entry(list: &str, plate: &str, reason: &str) -> EntryRecord {
    EntryRecord { list: list.into(), plate: plate.into(), reason: reason.into(), ..EntryRecord::default() }
}

/// A read of `text` with the probability `p` at each position, the rest spread evenly.
struct Read {
    text: PlateText,
    candidates: Vec<Candidate>,
    slots: Slots,
}

impl Read {
    fn new(text: &str, p: f32, others: &[(&str, f32)]) -> Self {
        let text = PlateText::normalise(text);
        let positions = (0..9).map(|at| {
            let class =
                text.as_str().as_bytes().get(at).and_then(|c| ALPHABET.iter().position(|a| a == c)).unwrap_or(0);
            let mut position = [(1.0 - p) / (CLASSES - 1) as f32; CLASSES];
            position[class] = p;
            position
        });
        let slots = Slots::new(positions.collect());
        let candidates = others.iter().map(|(t, p)| Candidate { text: (*t).into(), confidence: *p });
        Self { text, candidates: candidates.collect(), slots }
    }

    fn query<'a>(&'a self, state: &'a str) -> Query<'a> {
        let now = NOW.parse().unwrap();
        Query { text: &self.text, state, candidates: &self.candidates, slots: &self.slots, now }
    }
}

/// Rules that keep everything they find.
fn keeping(rules: MatchRules) -> Rules {
    Rules::new(&MatchRules { keep_probability: 0.0, ..rules })
}

fn in_force(entries: &[EntryRecord], rules: MatchRules) -> Lists {
    let lists = Lists::default();
    lists.put(Source::memory("svs", entries.to_vec(), keeping(rules)));
    lists
}

fn found(lists: &Lists, text: &str) -> Vec<(Rule, String)> {
    let read = Read::new(text, 0.9, &[]);
    lists.matches(&read.query("")).into_iter().map(|m| (m.rule, m.listed)).collect()
}

#[test]
fn letter_o_in_the_read_finds_the_zero_that_ncic_writes_and_the_difference_is_named() {
    let lists = in_force(&[EntryRecord { state: "CA".into(), ..entry("svs", "7O0L234", "") }], MatchRules::default());
    let all = lists.matches(&Read::new("70OL234", 0.99, &[]).query("CA"));
    let differs = [(1, '0', 'O'), (2, 'O', '0')].map(|(position, read, listed)| Difference { position, read, listed });
    assert_eq!(
        (all[0].rule, &*all[0].listed, &all[0].differs[..], all[0].entries[0].state),
        (Rule::ZeroOrO, "7O0L234", &differs[..], StateAgreement::Agree)
    );
    assert!(all[0].alerts && all[0].probability > 0.8);
}

#[test]
fn plates_that_differ_in_o_and_zero_alone_are_two_plates_and_only_the_one_as_read_is_exact() {
    let lists = in_force(&[entry("svs", "7AB0123", "zero"), entry("svs", "7ABO123", "letter")], MatchRules::default());
    let all = lists.matches(&Read::new("7ABO123", 0.99, &[]).query("CO"));
    let told: Vec<_> = all.iter().map(|m| (m.rule, &*m.listed, m.differs.len(), m.entries.len())).collect();
    assert_eq!(told.len(), 2);
    assert!(told.contains(&(Rule::Exact, "7ABO123", 0, 1)) && told.contains(&(Rule::ZeroOrO, "7AB0123", 1, 1)));
}

#[test]
fn an_entry_of_another_state_is_one_priority_lower_unless_its_list_says_otherwise() {
    let stolen = EntryRecord { state: "AZ".into(), priority: Priority::High, ..entry("svs", "7ABC123", "") };
    let read = Read::new("7ABC123", 0.99, &[]);
    let alerts = |other_state, state| {
        let lists = in_force(std::slice::from_ref(&stolen), MatchRules { other_state, ..MatchRules::default() });
        let found = lists.matches(&read.query(state)).remove(0);
        (found.priority(), found.entries[0].state, found.alerts)
    };
    use StateAgreement::{Agree, Differ, Unknown};
    assert_eq!(alerts(OtherState::Lower, "CA"), (Priority::Normal, Differ, true));
    assert_eq!(alerts(OtherState::Lower, "AZ"), (Priority::High, Agree, true));
    assert_eq!(alerts(OtherState::Lower, ""), (Priority::High, Unknown, true), "what is not known lowers nothing");
    assert_eq!(alerts(OtherState::Same, "CA"), (Priority::High, Differ, true));
    assert_eq!(alerts(OtherState::Candidate, "CA"), (Priority::High, Differ, false));
}

#[test]
fn one_character_too_many_or_too_few_is_found_where_the_list_asks_for_it() {
    let rules = MatchRules { extra: 1, ..MatchRules::default() };
    let lists = in_force(&[entry("svs", "XMP41", ""), entry("svs", "7ABC123", "")], rules);
    let extra = |listed: &str| [(Rule::ExtraCharacter, listed.to_owned())];
    assert_eq!(found(&lists, "XMP417"), extra("XMP41"));
    assert_eq!(found(&lists, "7AC123"), extra("7ABC123"));
    assert_eq!(found(&lists, "7ABBC123"), extra("7ABC123"));
    assert!(found(&lists, "7ABC1234X").is_empty());
    let off = in_force(&[entry("svs", "XMP41", "")], MatchRules::default());
    assert!(found(&off, "XMP417").is_empty());
}

#[test]
fn one_confusable_character_matches_by_default_and_is_named() {
    let lists = in_force(&[entry("svs", "7ABO-123", "")], MatchRules::default());
    let all = lists.matches(&Read::new("7A8O123", 0.9, &[]).query("CA"));
    assert_eq!((all[0].rule, &*all[0].listed), (Rule::Equivalent, "7ABO123"));
    assert_eq!(all[0].differs, [Difference { position: 2, read: '8', listed: 'B' }]);
    assert!(found(&lists, "7A8C1Z3").is_empty() && found(&lists, "7AB0124").is_empty());
    let short = in_force(&[entry("svs", "8B66", "")], MatchRules::default());
    assert!(found(&short, "8866").is_empty(), "four characters must be exact");
}

#[test]
fn rules_of_each_list_are_its_own() {
    let lists = Lists::default();
    let exact = MatchRules { equivalents: 0, alternative_probability: 1.0, ..MatchRules::default() };
    let wide = MatchRules { equivalents: 2, differences: 1, ..MatchRules::default() };
    lists.put(Source::memory("exact", [entry("exact", "7ABC123", "a")], keeping(exact)));
    lists.put(Source::memory("wide", [entry("wide", "7ABC123", "b")], keeping(wide)));
    let reasons = |text: &str| {
        let all = lists.matches(&Read::new(text, 0.9, &[]).query(""));
        all.iter()
            .flat_map(|m| m.entries.iter().map(|e| e.entry.reason.clone()).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    assert_eq!(reasons("7ABC123"), ["a", "b"]);
    assert_eq!(reasons("7A8CI23"), ["b"]);
    assert_eq!(reasons("7A8C12X"), ["b"]);
    assert!(reasons("7A8CI2X").is_empty(), "three of seven are another plate");
    assert!(reasons("7XXC123").is_empty());
}

#[test]
fn another_probable_reading_is_looked_up_and_an_improbable_one_is_not() {
    let lists = in_force(&[entry("svs", "7ABC12", "")], MatchRules::default());
    let all = |p| lists.matches(&Read::new("7ABC123", 0.9, &[("7ABC123", 0.6), ("7ABC12", p)]).query(""));
    assert_eq!(all(0.2)[0].rule, Rule::Alternative);
    assert_eq!(all(0.2)[0].differs, [Difference { position: 6, read: '3', listed: '-' }]);
    assert!(all(0.005).is_empty());
}

#[test]
fn a_partial_plate_matches_the_read_or_a_probable_alternative_until_it_expires() {
    // policy: P-04
    let lists = Lists::default();
    let expires = Some("2026-03-01T13:00:00Z".parse().unwrap());
    let partial = |entry| vec![Partial::new(entry, keeping(MatchRules::default())).unwrap()];
    lists.set_partials(partial(EntryRecord { expires, ..entry("shift", "7A?C*3", "seen leaving") })).unwrap();
    let read = Read::new("7ABC123", 0.99, &[("7ABC123", 0.9)]);
    let all = lists.matches(&read.query(""));
    assert_eq!((all[0].rule, &*all[0].listed, all[0].alerts), (Rule::Wildcard, "7A?C*3", true));
    assert!(all[0].probability > 0.9 && all[0].differs.is_empty());
    let late = Query { now: "2026-03-01T13:00:00Z".parse().unwrap(), ..read.query("") };
    assert!(lists.matches(&late).is_empty());
    let other = Read::new("7ABC128", 0.9, &[("7ABC128", 0.5), ("7ABC123", 0.4)]);
    assert_eq!(lists.matches(&other.query(""))[0].differs, [Difference { position: 6, read: '8', listed: '3' }]);
    let many = vec![partial(entry("shift", "7A*", ""))[0].clone(); 101];
    assert!(lists.set_partials(many).unwrap_err().chain().contains("at most 100"));
    assert_eq!(lists.matches(&read.query("")).len(), 1, "those in force stay");
}

#[test]
fn a_match_in_doubt_is_kept_as_a_candidate_and_noise_is_not_kept() {
    let entries = [entry("svs", "7A8C123", "")];
    let lists = Lists::default();
    lists.put(Source::memory("svs", entries, Rules::default()));
    let doubt = |p: f32| {
        let mut read = Read::new("7ABC123", 1.0, &[("7ABC123", 1.0 - p), ("7A8C123", p)]);
        let mut positions = read.slots.positions().to_vec();
        let class = |c| ALPHABET.iter().position(|a| *a == c).unwrap();
        positions[2][class(b'B')] = 1.0 - p;
        positions[2][class(b'8')] = p;
        read.slots = Slots::new(positions);
        lists.matches(&read.query("NV")).first().map(|m| m.alerts)
    };
    assert_eq!((doubt(0.0001), doubt(0.15), doubt(0.7)), (None, Some(false), Some(true)));
}

#[test]
fn expired_entries_do_not_match_and_the_age_of_others_is_told() {
    let until = |t: &str| Some(t.parse().unwrap());
    let entries = [
        EntryRecord { expires: until("2026-03-01T11:00:00Z"), ..entry("svs", "7ABC123", "over") },
        EntryRecord {
            expires: until("2026-03-01T13:00:00Z"),
            date: "2026-02-27".into(),
            ..entry("svs", "7ABC123", "valid")
        },
        EntryRecord { expires: until("2026-03-01T11:00:00Z"), ..entry("svs", "8ABC123", "over") },
    ];
    let lists = in_force(&entries, MatchRules::default());
    let all = lists.matches(&Read::new("7ABC123", 0.99, &[]).query(""));
    let shown: Vec<_> = all[0].entries.iter().map(|e| (&*e.entry.reason, e.age_days)).collect();
    assert_eq!(shown, [("valid", Some(2))]);
    assert!(found(&lists, "8ABC123").is_empty());
}

#[test]
fn an_entry_does_not_match_before_its_start() {
    let from = |t: &str| Some(t.parse().unwrap());
    let entries = [
        EntryRecord { valid_from: from("2026-03-01T13:00:00Z"), ..entry("svs", "7ABC123", "later") },
        EntryRecord { valid_from: from("2026-03-01T13:00:00Z"), ..entry("svs", "8A*", "later") },
        EntryRecord { valid_from: from("2026-03-01T11:00:00Z"), ..entry("svs", "9ABC123", "begun") },
    ];
    let lists = in_force(&entries, MatchRules::default());
    assert!(found(&lists, "7ABC123").is_empty() && found(&lists, "8ABC123").is_empty());
    assert_eq!(found(&lists, "9ABC123").len(), 1);
    let read = Read::new("7ABC123", 0.99, &[]);
    let later = Query { now: "2026-03-01T13:00:00Z".parse().unwrap(), ..read.query("") };
    assert_eq!(lists.matches(&later).len(), 1);
}

#[test]
fn partial_plates_of_a_list_match_beside_those_of_officers_and_go_with_their_list() {
    // policy: P-04
    let dir = tempfile::tempdir().unwrap();
    let (path, signer) = (dir.path().join("svs.index"), Signer::generate().unwrap());
    let at = NOW.parse().unwrap();
    let meta = Meta { name: "svs".into(), source: String::new(), date: None, built: at, by: String::new() };
    let mut builder = Builder::create(&path, &signer, meta);
    for plate in ["*ABC123", "7XYZ*", "6DEF128"] {
        builder.add(&entry("file", plate, "from a file")).unwrap();
    }
    assert_eq!(builder.finish().unwrap().entries, 3);
    let index = Index::open(&path, &Trust::only([signer.public_key()])).unwrap();
    let lists = Lists::default();
    lists.put(Source::index(index, keeping(MatchRules::default())));
    let officers = Partial::new(entry("officers", "7A?C123", ""), keeping(MatchRules::default())).unwrap();
    lists.set_partials(vec![officers]).unwrap();
    let wildcard = |listed: &str| (Rule::Wildcard, listed.to_owned());
    assert_eq!(found(&lists, "7ABC123"), [wildcard("*ABC123"), wildcard("7A?C123")]);
    assert_eq!(found(&lists, "7XYZ99"), [wildcard("7XYZ*")]);
    assert_eq!(lists.matches(&Read::new("7XYZ99", 0.9, &[]).query(""))[0].entries[0].entry.list, "svs");
    assert!(found(&lists, "7XY").is_empty(), "the signs are not left out of a pattern");
    lists.remove("svs");
    assert_eq!(found(&lists, "7ABC123"), [wildcard("7A?C123")]);
    let in_memory = Source::memory("svs", [entry("svs", "7XYZ*", "")], keeping(MatchRules::default()));
    assert_eq!(in_memory.len(), 1);
    lists.put(in_memory);
    assert_eq!(found(&lists, "7XYZ99"), [wildcard("7XYZ*")]);
}

#[test]
fn exact_comes_first_and_then_the_most_urgent_with_all_entries_of_a_plate_together() {
    let with = |plate: &str, priority, reason: &str| EntryRecord { priority, ..entry("svs", plate, reason) };
    let entries = [
        with("7ABC123", Priority::Low, "a"),
        with("7A8C123", Priority::High, "b"),
        with("7ABCI23", Priority::Normal, "c"),
        with("7ABC123", Priority::Normal, "d"),
        with("7ABC123", Priority::Normal, "e"),
    ];
    let all = in_force(&entries, MatchRules::default()).matches(&Read::new("7ABC123", 0.9, &[]).query(""));
    let reasons: Vec<String> = all.iter().map(|m| m.entries.iter().map(|e| &*e.entry.reason).collect()).collect();
    assert_eq!(reasons, ["dea", "b", "c"]);
}

#[test]
fn a_plate_whose_entry_is_damaged_still_alerts() {
    let dir = tempfile::tempdir().unwrap();
    let lists = Lists::default();
    let index = indexed(dir.path(), "svs", &[entry("svs", "7ABC123", "stolen")]);
    let file = std::fs::OpenOptions::new().write(true).open(dir.path().join("svs")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"damage", 217).unwrap();
    lists.put(Source::index(index, Rules::default()));
    let all = lists.matches(&Read::new("7ABC123", 0.99, &[]).query(""));
    let entry = &all[0].entries[0].entry;
    assert!(all[0].alerts && entry.priority == Priority::High && entry.reason.contains("damaged"), "{all:?}");
}

#[test]
fn a_list_is_exchanged_by_its_name_while_reads_are_matched() {
    let lists = Lists::default();
    let of = |reason: &str| Source::memory("svs", [entry("svs", "7ABC123", reason)], Rules::default());
    lists.put(of("0"));
    let read = Read::new("7ABC123", 0.99, &[]);
    std::thread::scope(|scope| {
        let matching = scope.spawn(|| {
            let mut last = 0;
            while last < 500 {
                let all = lists.matches(&read.query(""));
                let [only] = &all[0].entries[..] else { panic!("one list is in force, no more and no less") };
                let now = only.entry.reason.parse().unwrap();
                assert!(now >= last, "an old list does not come back");
                last = now;
            }
        });
        (1..=500).for_each(|n| lists.put(of(&n.to_string())));
        matching.join().unwrap();
    });
    lists.remove("svs");
    assert!(lists.matches(&read.query("")).is_empty());
}

fn indexed(dir: &Path, name: &str, entries: &[EntryRecord]) -> Index {
    let signer = Signer::generate().unwrap();
    let built = NOW.parse().unwrap();
    let meta = Meta { name: name.into(), source: String::new(), date: None, built, by: "test".into() };
    let mut builder = Builder::create(&dir.join(name), &signer, meta);
    entries.iter().for_each(|e| builder.add(e).unwrap());
    builder.finish().unwrap();
    Index::open(&dir.join(name), &Trust::only([signer.public_key()])).unwrap()
}

/// The rules as the documentation says them, entry by entry.
fn naive(entries: &[EntryRecord], rules: &MatchRules, read: &Read) -> Vec<(Rule, String)> {
    let fold = |c: char| if c == 'O' { '0' } else { c };
    let folded = |text: &str| text.chars().map(fold).collect::<String>();
    let alike = |a: char, b: char| rules.classes.iter().any(|c| folded(c).contains(a) && folded(c).contains(b));
    let mut found = Vec::new();
    for entry in entries {
        let (a, b) = (folded(read.text.as_str()), folded(&entry.plate));
        let pairs: Vec<(char, char)> = a.chars().zip(b.chars()).filter(|(a, b)| a != b).collect();
        let equivalents = pairs.iter().filter(|(a, b)| alike(*a, *b)).count();
        let differences = pairs.len() - equivalents;
        let alternative =
            read.candidates.iter().any(|c| c.confidence >= rules.alternative_probability && folded(&c.text) == b);
        let inexact = a.len() == b.len()
            && (5..=11).contains(&a.len())
            && pairs.len() <= 2
            && equivalents <= usize::from(rules.equivalents)
            && differences <= usize::from(rules.differences);
        let shortened = |long: &str, short: &str| {
            long.len() == short.len() + 1
                && (0..long.len()).any(|at| format!("{}{}", &long[..at], &long[at + 1..]) == short)
        };
        let extra = rules.extra > 0
            && [&a, &b].iter().all(|text| (5..=11).contains(&text.len()))
            && (shortened(&a, &b) || shortened(&b, &a));
        let rule = match (a == b, inexact, differences) {
            (true, ..) if read.text.as_str() == entry.plate => Rule::Exact,
            (true, ..) => Rule::ZeroOrO,
            (_, true, 0) => Rule::Equivalent,
            (_, true, _) => Rule::Difference,
            _ if extra => Rule::ExtraCharacter,
            _ if alternative => Rule::Alternative,
            _ => continue,
        };
        found.push((rule, format!("{} {} {}", entry.list, entry.plate, entry.reason)));
    }
    found
}

fn some_rules() -> impl Strategy<Value = MatchRules> {
    let classes =
        prop_oneof![Just(MatchRules::default().classes), Just(vec!["38B".to_owned(), "HKM".into(), "8BD".into()])];
    (0..3u8, 0..2u8, 0..2u8, classes, 0.0_f32..1.0).prop_map(
        |(equivalents, differences, extra, classes, alternative_probability)| {
            let keep_probability = 0.0;
            MatchRules {
                equivalents,
                differences,
                extra,
                classes,
                alternative_probability,
                keep_probability,
                ..MatchRules::default()
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_lists_find_what_the_rules_say_entry_by_entry(
        lists in proptest::collection::vec((some_rules(), proptest::collection::vec("[08BODQ13HK]{3,8}", 0..60), any::<bool>()), 1..4),
        reads in proptest::collection::vec(("[08BODQ13HK]{3,8}", proptest::collection::vec(("[08BODQ13HK]{3,8}", 0.0_f32..1.0), 0..4)), 1..12),
        partials in proptest::collection::vec("[08B?*]{3,6}", 0..6),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let in_force = Lists::default();
        let mut all = Vec::new();
        for (number, (rules, plates, on_disk)) in lists.into_iter().enumerate() {
            let name = format!("list-{number}");
            let entries: Vec<EntryRecord> =
                plates.iter().enumerate().map(|(n, plate)| entry(&name, plate, &n.to_string())).collect();
            in_force.put(match on_disk {
                true => Source::index(indexed(dir.path(), &name, &entries), keeping(rules.clone())),
                false => Source::memory(&name, entries.clone(), keeping(rules.clone())),
            });
            all.push((rules, entries));
        }
        let rules = keeping(MatchRules { alternative_probability: 0.5, ..MatchRules::default() });
        let partials: Vec<Partial> =
            partials.iter().filter_map(|p| Partial::new(entry("shift", p, ""), rules.clone()).ok()).collect();
        in_force.set_partials(partials.clone()).unwrap();

        // The listed plates themselves too, or few reads would match.
        let plates = all.iter().flat_map(|(_, entries)| entries).map(|e| (e.plate.clone(), Vec::new()));
        for (text, others) in reads.into_iter().chain(plates.take(20)) {
            let others: Vec<(&str, f32)> = others.iter().map(|(t, p)| (t.as_str(), *p)).collect();
            let read = Read::new(&text, 0.8, &others);
            let matches = in_force.matches(&read.query(""));
            // A match has the strictest rule of its entries.
            let mut expected: Vec<(Rule, String)> = all.iter().flat_map(|(rules, entries)| naive(entries, rules, &read)).collect();
            let strictest = |expected: &[(Rule, String)], plate: &str| {
                expected.iter().filter(|(_, e)| e.split(' ').nth(1) == Some(plate)).map(|(rule, _)| *rule).min().unwrap()
            };
            expected = expected.iter().map(|(_, e)| (strictest(&expected, e.split(' ').nth(1).unwrap()), e.clone())).collect();
            for partial in &partials {
                let texts = std::iter::once(read.text.clone())
                    .chain(read.candidates.iter().filter(|c| c.confidence >= 0.5).map(|c| PlateText::normalise(&c.text)));
                if texts.into_iter().any(|t| partial.pattern.fits(t.key().as_str())) {
                    expected.push((Rule::Wildcard, format!("shift {} ", partial.entry.plate)));
                }
            }
            let mut got: Vec<(Rule, String)> = matches
                .iter()
                .flat_map(|m| m.entries.iter().map(|e| (m.rule, format!("{} {} {}", e.entry.list, m.listed, e.entry.reason))))
                .collect();
            got.sort();
            expected.sort();
            prop_assert_eq!(got, expected);
            let listed: Vec<&Match> = matches.iter().filter(|m| m.rule != Rule::Wildcard).collect();
            // The reader does not tell O from 0: plates that differ in these alone share a probability.
            let by_key: std::collections::BTreeMap<String, f32> =
                listed.iter().map(|m| (m.listed.replace('O', "0"), m.probability)).collect();
            prop_assert!(by_key.values().sum::<f32>() <= 1.0 + 1e-4, "only one of them is the plate");
            let plates: std::collections::BTreeSet<&str> = listed.iter().map(|m| &*m.listed).collect();
            prop_assert_eq!(plates.len(), listed.len(), "each plate once");
        }
    }
}
