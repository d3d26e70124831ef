//! What a source wrote is what is read, whatever it wrote.

use plated_core::record::{EntryRecord, Priority};
use plated_hotlist::format::{DojFile, ImportSettings, Row, Spec, open};
use proptest::prelude::*;

/// Plate, state, make and colour of a record; the plate is none of the words for no plate.
fn record() -> impl Strategy<Value = [String; 4]> {
    // States that NCIC and the post write alike.
    let state = proptest::sample::select(vec!["", "CA", "NV", "OH", "DC", "PR", "ON", "BC", "US", "BA", "MX", "QR"]);
    ("[2-9][A-Z]{3}[0-9]{2,3}", state.prop_map(str::to_owned), "[A-Z0]{0,4}", "([A-Z]{3}(/[A-Z]{3})?)?")
        .prop_map(|(plate, state, make, colour)| [plate, state, make, colour])
}

fn read(spec: &Spec, text: &str) -> Vec<EntryRecord> {
    let importer =
        open(text.as_bytes(), spec, &ImportSettings { priority: Priority::Low, ..ImportSettings::named("x") }).unwrap();
    importer
        .map(|row| match row.unwrap() {
            Row::Entry(entry, _) => entry,
            other => panic!("{other:?} in {text}"),
        })
        .collect()
}

fn fields(entries: &[EntryRecord]) -> Vec<[String; 4]> {
    entries.iter().map(|e| [e.plate.clone(), e.state.clone(), e.make.clone(), e.colour.clone()]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn records_come_back_from_each_format(
        records in proptest::collection::vec(record(), 1..20),
        end in prop_oneof![Just("\n"), Just("\r\n")],
    ) {
        let lines = |write: &dyn Fn(&[String; 4]) -> String| {
            records.iter().map(|r| write(r) + end).collect::<String>()
        };
        let ncic = lines(&|[plate, state, make, colour]| {
            format!("V123456789CA001000020261102{plate:<10}{state:<2}2027PC2019{make:<4}CYLMC{colour}")
        });
        prop_assert_eq!(fields(&read(&Spec::Ncic, &ncic)), records.clone());
        let csv = lines(&|[plate, state, make, colour]| {
            format!("V1,CA0010000,20261102,{plate},{state},2027,2019,{make},CYL,MC,{colour}")
        });
        prop_assert_eq!(fields(&read(&Spec::NcicCsv, &csv)), records.clone());
        let csv = lines(&|[plate, state, make, colour]| {
            format!("V1,CA0010000,20261102,{plate},{state},2027,PC,2019,{make},CYL,MC,{colour}")
        });
        prop_assert_eq!(fields(&read(&Spec::NcicCsv12, &csv)), records.clone());
        let own = format!("colour,\"plate\",make,state{end}")
            + &lines(&|[plate, state, make, colour]| format!("{colour}, {plate},\"{make}\",{state}"));
        prop_assert_eq!(fields(&read(&Spec::Csv, &own)), records.clone());
        let json = lines(&|[plate, state, make, colour]| {
            serde_json::json!({ "plate": plate, "state": state, "make": make, "colour": colour }).to_string()
        });
        prop_assert_eq!(fields(&read(&Spec::JsonLines, &json)), records.clone());
        let doj = format!("DATE11/21/2026 08:00{end}")
            + &lines(&|[plate, state, ..]| format!("{plate:<8}{state:<2}0120261102"))
            + &format!("TOTAL RECORD {:07}{end}", records.len());
        let plates: Vec<[String; 2]> = records.iter().map(|[plate, state, ..]| [plate.clone(), state.clone()]).collect();
        let got = read(&Spec::CaDoj(DojFile::Svs), &doj);
        prop_assert_eq!(got.iter().map(|e| [e.plate.clone(), e.state.clone()]).collect::<Vec<_>>(), plates);
    }

    #[test]
    fn an_entry_written_as_json_reads_back_whole(
        texts in proptest::collection::vec("[a-zA-Z0-9é\",;:/]([a-zA-Z0-9é\",;:/ ]{0,12}[a-z0-9])?", 17),
        priority in prop_oneof![Just(Priority::Low), Just(Priority::Normal), Just(Priority::High)],
        seconds in proptest::option::of(0i64..4_000_000_000),
    ) {
        let t = |n: usize| texts[n].clone();
        let entry = EntryRecord {
            list: "x".into(), plate: "7ABC123".into(), state: "CA".into(), category: t(0), priority,
            reason: t(1), make: t(2), colour: t(3), source: t(4), date: "2026-11-02".into(), id: t(6), ori: t(7), model: t(8),
            style: t(9), year: t(10), plate_year: t(11), plate_type: t(12),
            vin: t(13), case_number: t(14), remarks: t(15),
            valid_from: seconds.map(|s| jiff::Timestamp::from_second(s - 60).unwrap()),
            expires: seconds.map(|s| jiff::Timestamp::from_second(s).unwrap()),
        };
        prop_assert_eq!(read(&Spec::JsonLines, &serde_json::to_string(&entry).unwrap()), vec![entry]);
    }
}
