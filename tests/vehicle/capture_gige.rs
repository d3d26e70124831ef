//! GigE Vision cameras, against Aravis' fake camera over loopback.
use plated_core::clock::SystemClock;
use plated_vision::capture::gige::{Gige, Which};
use plated_vision::capture::{Capture, CaptureSource, Input, NextFrame, SourceState, View};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);

/// Aravis' fake camera. It has 127.0.0.1 for itself, so that tests take turns.
struct FakeCamera(Child);

impl FakeCamera {
    /// None, and a line that says so, where it is not installed.
    fn start(serial: &str) -> Option<Self> {
        let program = installed()?;
        let mut command = Command::new(program);
        command
            .args(["-i", "127.0.0.1", "-s", serial])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Some(Self(command.spawn().unwrap()))
    }
}

impl Drop for FakeCamera {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn installed() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/aravis/usr/bin/arv-fake-gv-camera-0.8");
    let found = [own, "/usr/bin/arv-fake-gv-camera-0.8".into()].into_iter().find(|path| path.exists());
    if found.is_none() {
        let line = "SKIPPED: Aravis' fake camera is not there; .ci/aravis fetches it\n";
        let _ = std::fs::OpenOptions::new()
            .append(true)
            .open("/dev/stderr")
            .and_then(|mut stderr| std::io::Write::write_all(&mut stderr, line.as_bytes()));
    }
    found
}

fn wish(which: Which) -> Gige {
    Gige {
        which,
        pixel_format: None,
        width: None,
        height: None,
        rate: None,
        exposure_us: None,
        gain: None,
        trigger: None,
        packet_size: None,
    }
}

fn capture(wish: Gige) -> Capture {
    let source = CaptureSource { name: "gige".into(), input: Input::Gige(wish), view: View::default(), position: None };
    Capture::start(&[source], Arc::new(SystemClock::new())).unwrap()
}

/// So many frames, in order; a camera that was under control a moment ago takes some seconds to be free.
fn frames(capture: &Capture, count: usize) -> Vec<u64> {
    let deadline = Instant::now() + LONG;
    let mut sequences = Vec::new();
    while sequences.len() < count {
        assert!(Instant::now() < deadline, "{:?}", capture.status());
        if let NextFrame::Frame(taken) = capture.next(Duration::from_secs(1)) {
            let pixels = taken.frame.picture.pixels().unwrap();
            assert!(opencv::prelude::MatTraitConst::total(&*pixels) > 0);
            sequences.push(taken.frame.sequence);
        }
    }
    sequences
}

/// One test, since there is one fake camera at a time.
#[test]
fn a_gige_camera_gives_frames_by_address_and_serial_takes_its_settings_counts_its_packets_and_comes_back() {
    let Some(camera) = FakeCamera::start("SN42") else { return };
    let asked = Gige {
        width: Some(320),
        height: Some(240),
        rate: Some(20.0),
        exposure_us: Some(5000.0),
        packet_size: Some(1400),
        ..wish(Which::Address("127.0.0.1".into()))
    };
    let running = capture(asked);
    let sequences = frames(&running, 30);
    assert!(sequences.windows(2).all(|pair| pair[0] < pair[1]), "{sequences:?}");
    let status = running.status().remove(0);
    assert_eq!((status.state.clone(), status.note.clone()), (SourceState::Running, None), "{status:?}");
    let packets = status.packets.expect("a network camera counts its packets");
    assert_eq!((packets.missing, status.skipped), (0, 0), "{status:?}");

    // Its plug is pulled, and put in again.
    drop(camera);
    let deadline = Instant::now() + LONG;
    while !matches!(running.status()[0].state, SourceState::Waiting { .. }) {
        assert!(Instant::now() < deadline, "{:?}", running.status());
        let _ = running.next(Duration::from_millis(100));
    }
    let camera = FakeCamera::start("SN42").unwrap();
    frames(&running, 5);
    drop(running);

    let missing = capture(wish(Which::Serial("SN43".into())));
    let deadline = Instant::now() + LONG;
    let error = loop {
        if let SourceState::Waiting { error } = &missing.status()[0].state {
            break error.clone();
        }
        assert!(Instant::now() < deadline, "{:?}", missing.status());
        std::thread::yield_now();
    };
    assert!(error.contains("no GigE Vision camera with the serial number SN43"), "{error}");
    drop(missing);
    assert!(error.contains("SN42 at 127.0.0.1"), "those that there are: {error}");
    frames(&capture(wish(Which::Serial("SN42".into()))), 5);

    let triggered = capture(Gige { trigger: Some("Software".into()), ..wish(Which::Address("127.0.0.1".into())) });
    let deadline = Instant::now() + Duration::from_secs(8);
    while Instant::now() < deadline {
        let _ = triggered.next(Duration::from_millis(200));
        let state = triggered.status().remove(0).state;
        assert!(!matches!(state, SourceState::Ended { .. }), "silence of a triggered camera is no failure: {state:?}");
    }
    drop(camera);
}

#[test]
fn an_address_at_which_no_camera_answers_is_told_and_holds_up_nothing() {
    if installed().is_none() {
        return;
    }
    let nobody = TcpListener::bind("127.0.0.9:0").unwrap();
    let capture = capture(wish(Which::Address("127.0.0.9".into())));
    let deadline = Instant::now() + LONG;
    let error = loop {
        if let SourceState::Waiting { error } = &capture.status()[0].state {
            break error.clone();
        }
        assert!(Instant::now() < deadline, "{:?}", capture.status());
        std::thread::yield_now();
    };
    assert!(error.contains("the camera at 127.0.0.9"), "{error}");
    drop((capture, nobody));
}
