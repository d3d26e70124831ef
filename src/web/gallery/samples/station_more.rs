//! A vehicle's track, and what everybody is shown.

use super::station::station;
use super::*;
use plated_web::bars::Bars;

/// Where and when one plate was read.
pub fn track() -> Track {
    let rows = reads();
    let places = [(38.1302, -121.2724), (38.1341, -121.2690), (38.1322, -121.2601), (38.1398, -121.2644)];
    let place = |n: usize, (lat, lon): (f64, f64)| plated_web::map::Place {
        lat,
        lon,
        label: format!("{}: 26 Nov 2026, 21:0{n}, unit-7", n + 1),
        focus: n == 1,
        ..Default::default()
    };
    Track {
        frame: station("Track", "Search"),
        plate: plated_web::plate::Plate::new("6KOJ318", "CA"),
        purpose: "Locating stolen, wanted or investigated vehicles · case 26-048113".into(),
        summary: "4 reads, from 24 Nov 2026, 08:12 to 26 Nov 2026, 21:04".into(),
        map: plated_web::map::Map::of(
            "Where it was read, 4 places from the oldest to the newest.",
            places.iter().enumerate().map(|(n, at)| place(n, *at)).collect(),
            places.to_vec(),
        ),
        days: ["24 Nov 2026", "26 Nov 2026"]
            .iter()
            .zip(rows.chunks(2))
            .map(|(day, rows)| TrackDay { day: (*day).into(), rows: rows.to_vec() })
            .collect(),
        read: Link::new("The read", "/reads/1"),
    }
}

/// Figures and proofs for everybody.
pub fn transparency() -> TransparencyPage {
    let months = ["Nov 2026", "Oct 2026", "Sep 2026"];
    let table = |title: &str, columns: &[&str], figures: &[&str]| FiguresTable {
        title: title.into(),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        rows: months.map(|month| (month.into(), figures.iter().map(|n| (*n).to_owned()).collect())).into(),
    };
    let key = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let proof = |title: &str, link: Option<Link>| Proof {
        title: title.into(),
        text: "Plates, names of people, case numbers and reasons are hidden.".into(),
        link,
        facts: vec![Fact::new("Public key", key).copied_by("Copy the key")],
    };
    TransparencyPage {
        frame: Frame { shape: Shape::Full, ..alone("License plate readers in figures") },
        facts: vec![
            Fact::new("Months", "13"),
            Fact::new("Reads", "4,412,806"),
            Fact::new("With a hit", "7,020"),
            Fact::new("Share", "0.16 %"),
        ],
        reads: Some(Bars {
            summary: "Reads of each month: 4,412,806 in all.".into(),
            values: (1..=13).map(|n| (format!("Month {n}"), 300_000 + n * 9_001)).collect(),
        }),
        tables: vec![
            table("Reads and hits", &["Reads", "With a hit", "Share"], &["412,806", "702", "0.17 %"]),
            table(
                "Looks at data, by purpose",
                &[
                    "Locating stolen, wanted or investigated vehicles",
                    "Missing children and elders",
                    "Another, or none",
                ],
                &["804", "31", "0"],
            ),
            table("Releases to other agencies", &["Requests", "Approved", "Reads"], &["12", "9", "31"]),
        ],
        lists: vec![Fact::new("svs", "104,551 entries"), Fact::new("amber", "3 entries")],
        csv: Some(Link::new("As a table", "/policy/figures.csv")),
        proofs: vec![
            proof("Audit log", Some(Link::new("Audit log", "/policy/audit-log.jsonl"))),
            proof("Certificates of deletion", None),
        ],
    }
}
