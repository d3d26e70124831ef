//! Whose lists come, and to whom they go.

use super::bench::{Bench, Way, entries, why};
use crate::kit::VEHICLE;
use plated_core::clock::SystemClock;
use plated_core::signing::{Signer, Trust};
use plated_core::tls::authority::Authority;
use plated_vehicle::lists::{Ask, Remote};

// policy: P-25
#[tokio::test]
async fn a_client_without_a_certificate_of_the_authority_gets_no_list() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..10));
    let other = tempfile::tempdir().unwrap();
    let clock = SystemClock::new();
    let authority = Authority::create(other.path(), &clock).unwrap();
    let stranger = authority.issue_vehicle(VEHICLE, &other.path().join("vehicle"), &clock).unwrap();
    assert!(bench.other_link(&stranger).get("v1/hotlists", &Ask::default()).await.is_err());

    let roots = reqwest::Certificate::from_pem(&std::fs::read(&bench.depot.vehicle.ca).unwrap()).unwrap();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let bare = reqwest::Client::builder().tls_certs_only([roots]).no_proxy().build().unwrap();
    assert!(bare.get(format!("https://{}/v1/hotlists", bench.address)).send().await.is_err());
    assert_eq!(bench.depot.link(bench.address).get("v1/hotlists", &Ask::default()).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_manifest_signed_by_another_key_is_refused_and_the_list_there_stays() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..10));
    bench.sync().round().await;
    bench.publish("svs", &entries(0..11));
    let mut other = bench.sync_trusting(Trust::only([Signer::generate().unwrap().public_key()]));
    let round = other.round().await;
    assert!(why(&round).contains("signed by somebody whose key is not trusted here"), "{}", why(&round));
    assert!(other.states().all(|s| s.last_error.is_some() && s.version == Some(1)));
    assert_eq!(bench.in_force(), [("svs".into(), 1)]);
    // A new key can be trusted beside the old one.
    let both = format!("{}{}\n", std::fs::read_to_string(bench.key()).unwrap(), "a1".repeat(32));
    let path = bench.depot.dir.path().join("both.pub");
    std::fs::write(&path, both).unwrap();
    assert_eq!(why(&bench.sync_trusting(Trust::load(&path).unwrap()).round().await), "");
    assert_eq!(bench.in_force(), [("svs".into(), 2)]);
}

#[tokio::test]
async fn an_older_manifest_that_is_played_again_is_refused_and_the_newer_list_stays() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..10));
    let mut sync = bench.sync();
    sync.round().await;
    let old = bench.way.manifest();
    bench.publish("svs", &entries(0..12));
    sync.round().await;
    for mut sync in [sync, bench.sync()] {
        bench.way.replay(old.clone());
        let round = sync.round().await;
        assert!(why(&round).contains("older than the one in force"), "{}", why(&round));
        assert_eq!(bench.in_force(), [("svs".into(), 2)]);
    }
    let changed = String::from_utf8(bench.way.manifest()).unwrap().replace("\"version\":2", "\"version\":3");
    bench.way.replay(changed.into_bytes());
    assert!(why(&bench.sync().round().await).contains("changed after it was signed"));
}

#[tokio::test]
async fn the_running_station_hands_out_lists_without_the_key_that_signs_them() {
    let bench = Bench::new();
    bench.publish("svs", &entries(0..10));
    let key = bench.depot.dir.path().join("hotlist.key");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o400);
    std::fs::remove_file(key).unwrap();
    assert_eq!(why(&bench.sync().round().await), "");
}

#[tokio::test]
async fn without_a_station_or_a_list_the_lists_there_stay_and_it_is_said() {
    let bench = Bench::new();
    let trust = Trust::only([Signer::generate().unwrap().public_key()]);
    let round = bench.sync_trusting(trust).round().await;
    assert!(why(&round).contains("hands out no hotlists") && round.again_soon(), "{}", why(&round));
    bench.publish("svs", &entries(0..10));
    bench.sync().round().await;
    let nobody = Way::new(bench.depot.link("127.0.0.1:1".parse().unwrap()));
    let trust = Trust::load(&bench.key()).unwrap();
    let clock = std::sync::Arc::new(SystemClock::new());
    let mut cut_off = plated_vehicle::lists::Sync::new(nobody, bench.folder(), trust, clock, bench.accept());
    let round = cut_off.round().await;
    assert!(why(&round).contains("could not reach the station") && round.again_soon());
    let state = cut_off.states().next().unwrap();
    assert!(state.version == Some(1) && state.last_success.is_none() && state.last_error.is_some());
    assert_eq!(bench.in_force(), [("svs".into(), 1)]);
}
