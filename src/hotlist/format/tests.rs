use super::*;
use proptest::prelude::*;

/// All rows of a list, and its summary.
fn import(spec: &Spec, bytes: &[u8]) -> Result<(Vec<Row>, Summary)> {
    let mut importer = open(bytes, spec, &ImportSettings::named("svs"))?;
    let rows = importer.by_ref().collect::<Result<Vec<Row>>>()?;
    Ok((rows, importer.summary()))
}

fn entries(spec: &Spec, bytes: &[u8]) -> Vec<EntryRecord> {
    let rows = import(spec, bytes).unwrap().0;
    rows.into_iter().filter_map(|row| if let Row::Entry(entry, _) = row { Some(entry) } else { None }).collect()
}

fn refusal(bytes: &[u8]) -> String {
    import(&Spec::Csv, bytes).unwrap_err().chain()
}

fn map(text: &str) -> Spec {
    let map: Map = toml::from_str(text).unwrap();
    map.check().unwrap();
    Spec::Map(Box::new(map))
}

#[test]
fn every_column_arrives_in_any_order() {
    let list = entries(
        &Spec::Csv,
        b"\xEF\xBB\xBFDate,color,make,Reason,priority,category,state,plate,source,id,ori,model,style,year,plate_year,\
          plate_type,expires,valid_from,vin,case_number,remarks\r\n\
          2026-11-02,red,\"Ford, US\",\"said \"\"stop\"\"\",HIGH,stolen_vehicle,ca,7abc-123,SVS,V1,CA0010000,F15,PK,\
          2019,2027,PC,2026-12-01T08:00:00Z,2026-11-02T08:00:00Z,1FTFW1ET5DFC10312,26-1234,\"armed,\n caution\"\r\n",
    );
    let expected = EntryRecord {
        list: "svs".into(),
        plate: "7abc-123".into(),
        state: "CA".into(),
        category: "stolen_vehicle".into(),
        priority: Priority::High,
        reason: "said \"stop\"".into(),
        make: "Ford, US".into(),
        colour: "red".into(),
        source: "SVS".into(),
        date: "2026-11-02".into(),
        id: "V1".into(),
        ori: "CA0010000".into(),
        model: "F15".into(),
        style: "PK".into(),
        year: "2019".into(),
        plate_year: "2027".into(),
        plate_type: "PC".into(),
        vin: "1FTFW1ET5DFC10312".into(),
        case_number: "26-1234".into(),
        remarks: "armed, caution".into(),
        valid_from: Some("2026-11-02T08:00:00Z".parse().unwrap()),
        expires: Some("2026-12-01T08:00:00Z".parse().unwrap()),
    };
    assert_eq!(list, [expected]);
}

#[test]
fn latin_1_and_utf_8_both_read_and_the_list_gives_the_default_priority() {
    let list = entries(&Spec::Csv, b"plate,reason\n7ABC123,Mu\xF1oz\n8ABC123,Mu\xC3\xB1oz");
    assert!(list.len() == 2 && list.iter().all(|e| e.reason == "Muñoz" && e.priority == Priority::Normal));
}

#[test]
fn several_entries_for_one_plate_are_all_kept() {
    assert_eq!(entries(&Spec::Csv, b"plate,reason\n7ABC123,stolen\n7ABC123,felony\n7abc 123,stolen\n").len(), 3);
}

#[test]
fn an_unknown_or_missing_column_is_named() {
    assert!(refusal(b"plate,colr\n").contains("\"colr\""));
    assert!(refusal(b"plate,plate\n").contains("plate twice"));
    assert!(refusal(b"state,make\n").contains("no column plate"));
    let headless = refusal(b"7ABC123,CA\n");
    assert!(headless.contains("line 1 is no header") && !headless.contains("7ABC123"));
    assert_eq!(refusal(b""), "it is empty");
    assert!(refusal(b"\xFF\xFEp\0l\0").contains("UTF-16"));
    let long = [&b"plate,"[..], &[b'x'; MAX_LINE]].concat();
    assert!(refusal(&long).contains("its header is longer"));
}

#[test]
fn junk_plates_are_set_aside_and_are_no_mistakes() {
    let list = b"plate\n0\n00\n000\n190\nNOTAG\nno tag\nUnknown\nN0NE\nno-plate\nNULL\nUNK\nNEW\nTEMP\n--\n1900\n7ABC123\n\n\x1A";
    let report = import(&Spec::Csv, list).unwrap().1.report;
    assert_eq!((report.set_aside, report.bad, report.lines), (14, 0, 16));
    let plates: Vec<String> = entries(&Spec::Csv, list).into_iter().map(|e| e.plate).collect();
    assert_eq!(plates, ["1900", "7ABC123"]);
    assert_eq!(report.set_aside_lines[0].to_string(), "line 2, plate: it is a word for no plate");
    assert_eq!(report.set_aside_lines[13].to_string(), "line 15, plate: there is none");
    assert_eq!(report.to_string(), "16 lines: 2 entries, 14 set aside, 0 with mistakes");
    let one = entries(&Spec::Csv, b"plate\n7\n");
    assert_eq!(one[0].plate, "7", "28 jurisdictions issue plates of one character");
}

#[test]
fn each_mistake_is_reported_with_line_field_and_reason_and_without_the_plate() {
    let cases: [(&[u8], &str); 11] = [
        (b"7ABC123,CA,urgent", "line 4, priority: it is none of"),
        (b"7ABC123,ZZ,", "line 4, state: there is no such state"),
        (b"7ABC123,Bavaria,", "line 4, state: there is no such state"),
        (b"7ABC123,CA", "line 4, line: it has 2 fields where the header has 3"),
        (b"7ABC123,CA,,high", "line 4, line: it has 4 fields"),
        (b"7ABC123,CA,\"high", "line 4, line: a quote is not closed"),
        (b"7*,CA,", "line 4, plate: a pattern names at least 2 characters"),
        (b"7AB\xC4123,CA,", "line 4, plate: it holds a character"),
        (b"7ABC1234567890,CA,", "line 4, plate: it has 14 characters"),
        (b"7ABC\x07123,CA,", "line 4, plate: it holds a control character"),
        (b"7ABC123,C\0,", "line 4, state: it holds a control character"),
    ];
    for (line, expected) in cases {
        let text = [&b"plate,state,priority\n8ABC123,CA,low\n\n"[..], line, b"\n9ABC123,CA,\n"].concat();
        let report = import(&Spec::Csv, &text).unwrap().1.report;
        assert_eq!((report.bad, report.entries), (1, 2));
        let text = report.bad_lines[0].to_string();
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("7AB"), "a plate in a message that is logged: {text}");
    }
    let long = [&b"plate\n7ABC123\n"[..], &[b'7'; MAX_LINE + 1], b"\n8ABC123"].concat();
    let report = import(&Spec::Csv, &long).unwrap().1.report;
    assert_eq!((report.entries, report.bad_lines[0].to_string()), (2, "line 3, line: it is longer than 64 KiB".into()));
}

#[test]
fn ncic_writes_zero_for_the_letter_o_in_states_too() {
    let list = b"plate,state\n7ABC123,0H\n8ABC123,C0\n9ABC123,0R\n";
    assert_eq!(entries(&Spec::Csv, list).iter().map(|e| &*e.state).collect::<Vec<_>>(), ["OH", "CO", "OR"]);
    let line = b"V123456789CA001000020261102JFJ4764   NB2027PC2013CHEVAVAPKCRM\n";
    assert_eq!(entries(&Spec::Ncic, line)[0].state, "NE", "Nebraska");
    let line = String::from_utf8_lossy(line).replace("NB2027", "GT2027");
    assert_eq!(entries(&Spec::Ncic, line.as_bytes())[0].state, "GT", "NCIC has plates of other countries");
}

#[test]
fn a_code_or_date_that_is_not_known_is_kept_with_a_remark() {
    let (rows, summary) =
        import(&Spec::NcicCsv, b"B1,CA0010000,2026-11-02,7ABC123,CA,2027,2013,CHEV,AVA,PK,CRM\n").unwrap();
    let Row::Entry(entry, 1) = &rows[0] else { panic!("{rows:?}") };
    assert_eq!((&*entry.category, &*entry.date), ("B", "2026-11-02"));
    assert_eq!((summary.report.noted, summary.report.bad), (1, 0));
    assert_eq!(summary.report.noted_lines[0].field, "category", "the first of two");
    assert!(summary.report.to_string().ends_with("; 1 of the entries with a remark"));
}

const DOJ: Spec = Spec::CaDoj(DojFile::Slr);

#[test]
fn a_ca_doj_file_has_its_date_its_count_and_its_category() {
    let text = b"DATE11/21/2026 08:00\r\n7ABC123 CA0120261102\r\nXYZ999  NV0220180430\r\nTOTAL RECORD 0000002\r\n";
    let (_, summary) = import(&DOJ, text).unwrap();
    assert_eq!(summary.date.unwrap().to_string(), "2026-11-21T16:00:00Z");
    assert_eq!((summary.footer, summary.report.lines), (Count::Of(2), 2));
    let list = entries(&DOJ, text);
    assert_eq!((&*list[0].category, &*list[0].source, &*list[0].reason), ("stolen_plate", "CA DOJ SLR", "code 01"));
    assert_eq!((&*list[1].plate, &*list[1].state, &*list[1].date), ("XYZ999", "NV", "2018-04-30"));
    assert_eq!(entries(&Spec::CaDoj(DojFile::Sfr), text)[0].priority, Priority::High);
}

#[test]
fn a_ca_doj_file_that_was_cut_or_joined_shows_it() {
    let whole = "DATE11/21/2026 08:00\n7ABC123 CA0120261102\nTOTAL RECORD 0000001\n";
    assert!(import(&DOJ, b"7ABC123 CA0120261102\n").unwrap_err().chain().contains("line 1 is not the header"));
    assert!(import(&DOJ, b"DATE11/31/2026 08:00\n").is_err(), "no such day");
    let cut = import(&DOJ, &whole.as_bytes()[..whole.len() - 22]).unwrap().1;
    assert_eq!((cut.footer, cut.report.entries), (Count::Missing, 1));
    let joined = import(&DOJ, whole.repeat(2).as_bytes()).unwrap().1;
    assert_eq!((joined.footer, joined.report.entries, joined.report.bad), (Count::Of(1), 1, 3));
    assert!(joined.report.bad_lines.iter().all(|p| p.reason == "it comes after the footer"));
    let empty = import(&DOJ, b"DATE11/21/2026 08:00\nTOTAL RECORD 0000000\n").unwrap().1;
    assert_eq!((empty.footer, empty.report.lines), (Count::Of(0), 0));
}

#[test]
fn a_map_reads_by_the_names_of_a_header_it_did_not_choose() {
    let spec =
        map("layout = \"delimited\"\nseparator = \";\"\n[header]\n[footer]\ncount = \"END;{count}\"\n[columns]\n\
         plate = \"LIC\"\nstate = \"LIS\"\nreason = { column = \"OCA\", prefix = \"case \" }\n\
         category = { column = \"ID\", at = [1, 2] }\n[defaults]\nstate = \"FL\"\nreason = \"no case\"\n\
         [categories]\nW = \"wanted_person\"\n[priorities]\nwanted_person = \"high\"\n");
    let text = b"ID;LIC;LIS;OCA;NOTES\nTW1;7ABC123;;\"12;34\";x\nTW2;8ABC123;GA;;\nEND;2\n";
    let (_, summary) = import(&spec, text).unwrap();
    assert_eq!((summary.footer, summary.report.noted), (Count::Of(2), 0));
    let list = entries(&spec, text);
    assert_eq!((&*list[0].state, &*list[0].reason), ("FL", "case 12;34"));
    assert_eq!((&*list[1].state, &*list[1].reason), ("GA", "no case"));
    assert_eq!((&*list[1].category, list[1].priority), ("wanted_person", Priority::High));
    for (header, expected) in [("ID;LIC;LIS\n", "no column \"OCA\""), ("ID;LIC;LIS;OCA;lic\n", "\"LIC\" twice")] {
        assert!(import(&spec, header.as_bytes()).unwrap_err().chain().contains(expected));
    }
    let columns = "layout = \"delimited\"\n[header]\n[columns]\nstate = \"LIS\"\nplate = 9\n";
    assert!(import(&map(columns), b"LIS,LIC\n").unwrap_err().chain().contains("column 9"));
}

#[test]
fn a_word_that_stands_for_a_code_or_is_the_default_is_a_known_category() {
    let spec = map(
        "layout = \"delimited\"\n[header]\n[defaults]\ncategory = \"bolo\"\n[categories]\nV = \"stolen_vehicle\"\n",
    );
    let text = b"plate,category\n7ABC123,V\n8ABC123,stolen_vehicle\n9ABC123,\n6ABC123,v\n";
    let categories: Vec<String> = entries(&spec, text).into_iter().map(|e| e.category).collect();
    assert_eq!(categories, ["stolen_vehicle", "stolen_vehicle", "bolo", "v"]);
    assert_eq!(import(&spec, text).unwrap().1.report.noted, 1);
}

#[test]
fn an_end_or_start_that_cannot_be_read_leaves_the_entry_out_and_is_told() {
    let text =
        b"plate,valid_from,expires\n7ABC123,,soon\n8ABC123,soon,\n9ABC123,11/3/2026,11/1/2026\n6ABC123,,NONEXP\n";
    let (rows, summary) = import(&Spec::Csv, text).unwrap();
    assert!(matches!(&rows[3], Row::Entry(entry, 5) if entry.expires.is_none()));
    let told: Vec<String> = summary.report.bad_lines.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 2, expires: it is no date that can be read; the entry is left out",
            "line 3, valid_from: it is no date that can be read; the entry is left out",
            "line 4, expires: the entry ends before it begins; it is left out",
        ]
    );
}

#[test]
fn dates_of_a_list_are_of_its_zone_whatever_form_they_have() {
    let settings = ImportSettings { time_zone: Some("America/New_York".into()), ..ImportSettings::named("svs") };
    for (text, expected) in [
        ("11/1/2026", "2026-11-02T05:00:00Z"),
        ("11/01/2026", "2026-11-02T05:00:00Z"),
        ("11/2/2026", "2026-11-03T05:00:00Z"),
        ("11/2/2026 6:00 PM", "2026-11-02T23:00:00Z"),
        ("20261102", "2026-11-03T05:00:00Z"),
        ("2026-11-02T18:00:00Z", "2026-11-02T18:00:00Z"),
    ] {
        let text = format!("plate,expires\n7ABC123,{text}\n");
        let row = open(text.as_bytes(), &Spec::Csv, &settings).unwrap().next().unwrap().unwrap();
        assert!(matches!(row, Row::Entry(entry, _) if entry.expires.unwrap().to_string() == expected), "{text}");
    }
}

#[test]
fn the_words_for_no_plate_can_be_set_for_a_list() {
    let settings = ImportSettings { junk: Some(vec!["TEST-1".into()]), ..ImportSettings::named("svs") };
    let rows = open(&b"plate\nNEW\ntest 1\n"[..], &Spec::Csv, &settings).unwrap();
    let rows: Vec<Row> = rows.map(Result::unwrap).collect();
    assert!(matches!(rows[..], [Row::Entry(..), Row::SetAside(..)]), "{rows:?}");
}

#[test]
fn signs_that_readers_leave_out_do_not_matter_in_a_plate() {
    let list = b"plate\nA&B\nM-12.3\nO'BRIEN\n7ABC 123\nKID\xE2\x99\xA5S\n";
    let (_, summary) = import(&Spec::Csv, list).unwrap();
    assert_eq!((summary.report.entries, summary.report.noted), (5, 0));
    let keys: Vec<_> =
        entries(&Spec::Csv, list).iter().map(|e| plated_core::plate::PlateText::normalise(&e.plate)).collect();
    assert_eq!(keys.iter().map(|k| k.as_str()).collect::<Vec<_>>(), ["AB", "M123", "OBRIEN", "7ABC123", "KIDS"]);
}

#[test]
fn wildcards_become_partial_plates_and_those_above_the_most_are_told() {
    let mut text = String::from("plate\n*ABC123\n7ABC*\n7A?C12\n7ABC123\n");
    (0..100).for_each(|n| text.push_str(&format!("8A{n:03}*\n")));
    let (rows, summary) = import(&Spec::Csv, text.as_bytes()).unwrap();
    let report = &summary.report;
    assert_eq!((report.entries, report.partials, report.set_aside, report.bad), (101, 100, 3, 0));
    assert!(matches!(&rows[0], Row::Entry(entry, 2) if entry.plate == "*ABC123"));
    assert!(report.set_aside_lines[0].to_string().contains("line 103, plate: a list has at most 100 partial plates"));
    let text = report.to_string();
    assert!(text.contains("; 100 of the entries are partial plates and 3 above the most are not matched"), "{text}");
}

#[test]
fn a_line_break_in_quotes_is_text_and_a_forgotten_quote_takes_its_own_line_only() {
    let text = b"plate,state,reason\n7ABC123,CA,\"stolen\nat gunpoint\"\n8ABC123,CA,\"open\n9ABC123,CA,x\n";
    let (rows, summary) = import(&Spec::Csv, text).unwrap();
    assert!(matches!(&rows[0], Row::Entry(entry, 2) if entry.reason == "stolen at gunpoint"), "{rows:?}");
    assert_eq!(summary.report.bad_lines[0].to_string(), "line 4, line: a quote is not closed");
    assert_eq!((summary.report.entries, summary.report.lines, summary.report.continued), (2, 3, 1));
}

#[test]
fn other_separators_names_of_columns_and_empty_columns_at_the_end_are_understood() {
    for text in [
        "Plate;State;Category\n7ABC123;CA;stolen_vehicle\n",
        "Plate Number\tState/Province\tCategory\n7ABC123\tus-ca\tstolen_vehicle\n",
        "plate,state,category,,\n7ABC123,CA,stolen_vehicle,,\n",
        "plate,state,category,,\n7ABC123,CA,stolen_vehicle\n",
        "plate,state,category\n7ABC123,CA,stolen_vehicle,,\n",
        "plate,,state,category\n7ABC123,,California,stolen_vehicle\n",
        "\"LIC\"|\"LIS\"|\"category\"\r7ABC123|CA|stolen_vehicle\r",
    ] {
        let list = entries(&Spec::Csv, text.as_bytes());
        assert_eq!(
            (&*list[0].plate, &*list[0].state, &*list[0].category),
            ("7ABC123", "CA", "stolen_vehicle"),
            "{text}"
        );
        assert_eq!(detect(text.as_bytes(), "a.csv").unwrap().spec, Spec::Csv, "{text}");
    }
    let rekor = b"Plate Number,Description,State/Province\n7ABC123,\"Stolen, armed\",us-ca\n";
    assert_eq!(
        (&*entries(&Spec::Csv, rekor)[0].reason, &*entries(&Spec::Csv, rekor)[0].state),
        ("Stolen, armed", "CA")
    );
}

#[test]
fn a_file_with_old_line_ends_shows_no_plate_in_its_refusal() {
    let list = entries(&Spec::Csv, b"plate,state\r7ABC123,CA\r8ABC123,NV\r");
    assert_eq!(list.len(), 2);
    for header in [
        "plate,7ABC123\n",
        "plate,HOTROD\n",
        "plate;7ABC123,x\n",
        "plate\x0b7ABC123\n",
        "{\"plate\":\"HOTROD\",\"state\":\"CA\"}\n",
    ] {
        let why = refusal(header.as_bytes());
        assert!(!why.contains("7ABC") && !why.contains("HOTROD"), "{why}");
    }
}

#[test]
fn text_of_a_list_is_safe_to_show_and_what_was_left_out_is_told() {
    let text = "plate,reason,make\n7ABC123,\u{202e}detrevni\u{1b}[2J,Fo\u{200b}rd\n7ABC\u{202e}124,,\n";
    let (rows, summary) = import(&Spec::Csv, text.as_bytes()).unwrap();
    assert!(matches!(&rows[0], Row::Entry(e, _) if e.reason == "detrevni[2J" && e.make == "Ford"), "{rows:?}");
    assert!(matches!(&rows[1], Row::Entry(e, _) if e.plate == "7ABC124"), "{rows:?}");
    assert_eq!((summary.report.noted, summary.report.noted_lines.len()), (2, 3));
}

#[test]
fn text_behind_the_colour_of_an_ncic_line_is_remarks_however_long_it_is() {
    let line = "M123456789CA0010000202611027ABC123   CA2027PC2019YAMACYLMC";
    let text =
        format!("{line}BLK    MISSING PERSON NCIC\n{line}SIL/BLU\n{line}\n{line}WHI {}\n", "CAUTION ".repeat(20));
    let list = entries(&Spec::Ncic, text.as_bytes());
    let got: Vec<(&str, &str)> = list.iter().map(|e| (&*e.colour, &*e.remarks)).collect();
    assert_eq!(got[..3], [("BLK", "MISSING PERSON NCIC"), ("SIL/BLU", ""), ("", "")]);
    assert!(got[3].0 == "WHI" && got[3].1.len() > 150);
    let joined = format!("{line}BLK{line}WHI\n");
    let report = import(&Spec::Ncic, joined.as_bytes()).unwrap().1.report;
    assert!(report.bad_lines[0].reason.contains("run together"), "{report:?}");
    let erpo = line.replacen('M', "E", 1);
    assert_eq!(entries(&Spec::Ncic, erpo.as_bytes())[0].category, "extreme_risk_protection_order");
}

#[test]
fn a_california_file_with_each_line_one_character_short_is_refused_for_its_columns() {
    use crate::import::{Compared, check};
    let whole =
        |lines: &[&str]| format!("DATE11/21/2026 08:00\n{}\nTOTAL RECORD {:07}\n", lines.join("\n"), lines.len());
    let refused = |text: &str| {
        let summary = import(&DOJ, text.as_bytes()).unwrap().1;
        check(&summary, &Compared::default(), &crate::settings::Limits::default(), None).unwrap_err().chain()
    };
    for lines in [["ABC123 CA0120180627"; 4], ["7ABC12 NM0120180627"; 4], ["ABC123 AZ0220180627"; 4]] {
        let why = refused(&whole(&lines));
        assert!(why.contains("its columns don't line up: in 4 of its 4 lines"), "{why}");
        assert!(!why.contains("ABC12"), "{why}");
    }
    let right = import(&DOJ, whole(&["ABC123  CA0120180627"; 4]).as_bytes()).unwrap().1;
    assert!(check(&right, &Compared::default(), &crate::settings::Limits::default(), None).is_ok());
}

#[test]
fn a_map_describes_lists_between_blanks_whose_records_go_on_in_further_lines() {
    let spec = map(
        "layout = \"delimited\"\nseparator = \"blanks\"\ncontinuation = \"indented\"\nfields = 3\ntrailing_text = true\n\
         [header]\n[footer]\ncount = \"END {count}\"\n[columns]\nplate = 1\nstate = 2\nremarks = 3\n",
    );
    let text = b"PLATE   ST TEXT\n7ABC123 CA red Ford\n        armed, caution\n\tNCIC\n8ABC123 NV\n\nEND 2\n";
    let (_, summary) = import(&spec, text).unwrap();
    assert_eq!((summary.footer, summary.report.continued, summary.report.bad), (Count::Of(2), 2, 1));
    assert_eq!(entries(&spec, text)[0].remarks, "red Ford armed, caution NCIC");
    let cards =
        map("layout = \"delimited\"\nseparator = \"lines\"\ncontinuation = \"blank_lines\"\n[columns]\nplate = 1\n\
         state = 2\nreason = [{ column = 3, prefix = \"for \" }, 4]\n");
    let text = b"7ABC123\nCA\ntheft\nof a car\n\n\n8ABC123\nNV\n\nblue\n";
    let list = entries(&cards, text);
    assert_eq!((list.len(), &*list[0].reason), (1, "for theft of a car"));
}

fn detected(bytes: &[u8], name: &str) -> String {
    detect(bytes, name).unwrap().spec.to_string()
}

fn undetected(bytes: &[u8], name: &str) -> String {
    let why = detect(bytes, name).unwrap_err().chain();
    assert!(!why.contains("7ABC"), "a plate in a message that is logged: {why}");
    why
}

#[test]
fn each_format_is_told_from_its_beginning() {
    let doj = b"DATE11/21/2026 08:00\n7ABC123 CA0120261102\nTOTAL RECORD 0000001\n";
    assert_eq!(detected(doj, "SVS.TBL"), "ca_doj:svs");
    assert_eq!(detected(b"V123456789CA001000020261102JFJ4764   0H2027PC2013CHEVAVAPKCRM\n", "a.txt"), "ncic");
    let csv = b"C845996328,0H0671200,20211122,JFJ4764,0H,2022,2013,CHEV,AVA,PK,CRM\n";
    assert_eq!(detected(csv, "a.csv"), "ncic_csv");
    let csv = b"C845996328,0H0671200,20211122,JFJ4764,0H,2022,TK,2013,CHEV,AVA,PK,CRM\n";
    assert_eq!(detected(csv, "a.csv"), "ncic_csv_12");
    assert_eq!(detected(b"{\"plate\": \"7ABC123\"}\n", "a"), "json_lines");
    assert_eq!(detected(b"\xEF\xBB\xBFPlate\r\n", "a"), "csv");
    assert_eq!(detected(b"plate\nBAD PLATE!\n\xFF\xFE\n", "a"), "csv", "the header says it");
}

#[test]
fn a_long_file_is_told_by_its_first_lines() {
    let line = b"V123456789CA001000020261102JFJ4764   0H2027PC2013CHEVAVAPKCRM\n";
    let long = line.repeat(2000);
    for cut in [SAMPLE, SAMPLE + 1, long.len()] {
        let found = detect(&long[..cut], "x").unwrap();
        assert!(found.why[1].starts_with("1057 of the first 1057 lines"), "{:?}", found.why);
    }
    assert!(undetected(&[b'x'; SAMPLE], "x").contains("first line is longer"));
}

#[test]
fn a_file_of_no_known_format_is_told_what_is_close_and_what_to_do() {
    let why = undetected(b"plate,colr\n7ABC123,red\n", "a.csv");
    assert!(why.contains("csv: line 1 names the columns, and column 2, \"colr\", is none that is known"), "{why}");
    let why = undetected(b"7ABC123;CA;stolen\n7ABC124;CA;stolen\n", "a.csv");
    assert!(why.contains("3 fields between semicolons") && why.contains("column map"), "{why}");
    assert!(undetected(b"7ABC123,CA\n", "a").contains("add a first line that names the columns"));
    let mixed = "V1,CA0010000,20261102,JFJ4764,CA,2027,2013,CHEV,AVA,PK,CRM\n".repeat(3) + "7ABC123\n";
    let why = undetected(mixed.as_bytes(), "a");
    assert!(why.contains("ncic_csv: 3 of the first 4 lines") && why.contains("line 4, line: it has 1 field "), "{why}");
    let doj = b"DATE11/21/2026 08:00\n7ABC123 CA0120261102\n";
    assert!(undetected(doj, "hotlist.tbl").contains("ca_doj:svs"));
    assert!(undetected(b" \r\n", "a").contains("empty") && undetected(b"", "a").contains("empty"));
    assert!(undetected(b"p\0l\0a\0t\0e\0", "a").contains("UTF-16"));
}

proptest! {
    #[test]
    fn any_bytes_under_a_header_are_read_and_every_line_is_accounted_for(
        head in prop_oneof![Just(&b"plate,state,priority\n"[..]), Just(&b""[..])],
        body in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..400),
            "([A-C0-2?*\", \n\r]|low|high|é){0,120}".prop_map(String::into_bytes),
        ],
    ) {
        let bytes = [head, &body].concat();
        if let Ok((rows, Summary { report, .. })) = import(&Spec::Csv, &bytes) {
            prop_assert_eq!(report.lines, report.entries + report.set_aside + report.bad);
            prop_assert_eq!(report.lines, rows.len() as u64);
            for row in &rows {
                if let Row::Entry(e, _) = row {
                    prop_assert!(plated_core::plate::PlateText::normalise(&e.plate).len() >= 2);
                }
            }
        }
    }
}
