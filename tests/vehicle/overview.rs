//! The overview of a read is what the camera sent.
use plated_core::clock::SystemClock;
use plated_core::digest::Sha256;
use plated_core::record::ImageRole;
use plated_core::shutdown::Shutdown;
use plated_vehicle::config::Config;
use plated_vehicle::events::Next;
use plated_vehicle::pipeline::{Announcement, Daemon};
use plated_vehicle::store::Key;
use plated_vision::capture::VideoReader;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn the_overview_of_a_read_is_the_cameras_own_jpeg_byte_for_byte() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = tempfile::tempdir().unwrap();
    let frames = dir.path().join("frames");
    std::fs::create_dir(&frames).unwrap();
    let mut sent = HashSet::new();
    for (n, shot) in VideoReader::open(&root.join("fixtures/drive.mp4")).unwrap().skip(18).take(16).enumerate() {
        let jpeg = shot.unwrap().picture.jpeg(90).unwrap();
        std::fs::write(frames.join(format!("{n:02}.jpg")), &jpeg).unwrap();
        sent.insert(Sha256::of(&jpeg));
    }
    Key::create_file(&dir.path().join("store.key")).unwrap();
    let config = dir.path().join("plated.toml");
    let text = format!(
        "vehicle = \"car\"\n[[sources]]\nname = \"front\"\nkind = \"images\"\npath = \"frames\"\npace = \"every_frame\"\n\
         [recognition]\nmodels = {:?}\n[store]\npath = \"store.db\"\nkey_file = \"store.key\"\n",
        root.join("models")
    );
    std::fs::write(&config, text).unwrap();
    let daemon =
        Daemon::start(&Config::load(&config).unwrap(), Arc::new(SystemClock::new()), &Shutdown::default()).unwrap();
    let mut events = daemon.events().resume(0);
    let live = daemon.live(None, None, plated_access::Case::none());
    assert!(daemon.wait_done(&Shutdown::new()));
    daemon.stop().unwrap();
    let mut overviews = Vec::new();
    loop {
        match events.next(Duration::ZERO) {
            Next::Event(number, event) => {
                let seen = live.admit(number, &event);
                let seen = seen.expect("what was published may be shown although the store is closed by now");
                if let Announcement::Read { read, .. } = seen {
                    overviews.push(read.images.iter().find(|i| i.role == ImageRole::Overview).unwrap().sha256);
                }
            }
            Next::Lagged(_) => {}
            Next::Closed => break,
            Next::TimedOut => panic!("the daemon has ended"),
        }
    }
    assert!(!overviews.is_empty() && overviews.iter().all(|o| sent.contains(o)), "{overviews:?}");
}
