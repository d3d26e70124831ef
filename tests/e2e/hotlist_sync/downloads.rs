//! Downloads that are cut off, and parts of files.

use super::bench::{Bench, entries, of, why};
use plated_core::digest::Sha256;
use plated_core::wire::etag;
use plated_vehicle::lists::{Ask, Outcome, Remote, Way};

fn part(bench: &Bench) -> std::path::PathBuf {
    let files = std::fs::read_dir(bench.folder().join("station/svs")).unwrap().map(|f| f.unwrap().path());
    { files }.find(|f| f.extension().is_some_and(|e| e == "part")).unwrap()
}

#[tokio::test]
async fn a_download_that_is_cut_off_goes_on_where_it_was_cut_and_no_byte_comes_twice() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..100));
    let size = std::fs::metadata(bench.files("svs", "jsonl").remove(0)).unwrap().len() as usize;
    for cuts in [vec![1], vec![size - 1], vec![size / 2], vec![0], vec![1, 1, 1], vec![100, size / 3, size / 3]] {
        std::fs::remove_dir_all(bench.folder()).ok();
        bench.way.seen();
        let mut sync = bench.sync();
        for cut in &cuts {
            bench.way.cut(*cut);
            let round = sync.round().await;
            assert!(why(&round).contains("the line was cut") && round.again_soon());
            assert_eq!(bench.in_force(), []);
        }
        assert_eq!(why(&sync.round().await), "");
        assert_eq!(bench.held("svs").0.entries, 100);
        let lists: Vec<_> = bench.way.seen().into_iter().filter(|s| s.path != "v1/hotlists").collect();
        assert_eq!(lists.iter().map(|s| s.bytes).sum::<usize>(), size, "{cuts:?}");
        let mut at = 0;
        for seen in &lists {
            assert_eq!((seen.from, seen.status), if at == 0 { (None, 200) } else { (Some(at as u64), 206) });
            at += seen.bytes;
        }
    }
}

#[tokio::test]
async fn a_part_that_is_damaged_is_fetched_again_from_its_beginning() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..100));
    let size = std::fs::metadata(bench.files("svs", "jsonl").remove(0)).unwrap().len();
    let mut sync = bench.sync();
    // As a power cut can leave it, and longer than it can be.
    for damaged in [vec![0; 500], vec![0; size as usize], vec![0; size as usize + 1]] {
        std::fs::remove_dir_all(bench.folder()).ok();
        bench.way.cut(300);
        bench.sync().round().await;
        std::fs::write(part(&bench), &damaged).unwrap();
        let round = sync.round().await;
        assert_eq!(why(&round), "", "{} bytes", damaged.len());
        assert_eq!(bench.held("svs").0.entries, 100);
    }
}

#[tokio::test]
async fn when_the_station_has_another_file_there_the_download_starts_again() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..100));
    bench.way.cut(300);
    bench.sync().round().await;
    bench.way.seen();
    bench.way.name_other_tag("\"another\"");
    let round = bench.sync().round().await;
    let size = bench.held("svs").0.bytes;
    assert!(
        matches!(of(&round, "svs"), Ok(Outcome::Changed { way: Way::Whole, bytes, .. }) if *bytes == size),
        "{round:?}"
    );
    let seen = &bench.way.seen()[1];
    assert_eq!((seen.from, seen.status, seen.bytes as u64), (Some(300), 200, size));
}

#[tokio::test]
async fn the_station_sends_parts_says_when_there_are_none_and_sends_nothing_that_is_known() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..100));
    let whole = std::fs::read(bench.files("svs", "jsonl").remove(0)).unwrap();
    let (sha256, size) = (Sha256::of(&whole), whole.len() as u64);
    let path = format!("v1/hotlists/svs/{sha256}");
    let link = bench.depot.link(bench.address);
    let get = async |unless: Option<&str>, from: Option<(u64, &str)>| {
        let ask = Ask { unless: unless.map(Into::into), from: from.map(|(at, tag)| (at, tag.into())) };
        let mut reply = link.get(&path, &ask).await.unwrap();
        let body = reply.collect(1 << 20).await.unwrap().unwrap();
        (reply.status, reply.start, body)
    };
    let tag = etag(&sha256);
    assert_eq!(get(None, None).await, (200, None, whole.clone()));
    assert_eq!(get(None, Some((10, &tag))).await, (206, Some(10), whole[10..].to_vec()));
    assert_eq!(get(None, Some((size - 1, &tag))).await, (206, Some(size - 1), b"\n".to_vec()));
    assert_eq!(get(None, Some((10, "\"another\""))).await, (200, None, whole.clone()));
    let (status, _, message) = get(None, Some((size, &tag))).await;
    assert!(status == 416 && String::from_utf8(message).unwrap().contains("no such bytes"));
    assert_eq!(get(Some(&tag), None).await, (304, None, Vec::new()));
    assert_eq!(get(Some("\"another\""), None).await.0, 200);

    for (wrong, status) in [
        (format!("v1/hotlists/svs/{}", Sha256::of(b"other")), 404),
        (format!("v1/hotlists/sfr/{sha256}"), 404),
        (format!("v1/hotlists/..%2f..%2f/{sha256}"), 404),
        (format!("v1/hotlists/svs/{sha256}/from/{sha256}"), 404),
        ("v1/hotlists/svs/..%2f..%2fstation.key".into(), 400),
    ] {
        let reply = link.get(&wrong, &Ask::default()).await.unwrap();
        assert_eq!(reply.status, status, "{wrong}");
    }
}
