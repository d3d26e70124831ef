//! A network camera that is there but does not work.
use crate::kit::rtsp::{Model, Order, RtspCamera};
use plated_core::clock::SystemClock;
use plated_vision::capture::{Capture, CaptureSource, Input, NextFrame, Pace, RtspUrl, SourceState};
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

fn camera(name: &str, url: String) -> CaptureSource {
    CaptureSource { name: name.into(), input: Input::Rtsp(RtspUrl::Plain(url)) }
}

fn start(port: u16) -> Capture {
    let source = camera("pole", format!("rtsp://127.0.0.1:{port}/live"));
    Capture::start(&[source], Arc::new(SystemClock::new())).unwrap()
}

#[test]
fn a_network_camera_that_refuses_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let capture = start(listener.local_addr().unwrap().port());
    for _ in 0..3 {
        drop(listener.accept().unwrap()); // Hangs up on each try.
    }
    let status = &capture.status()[0];
    assert!(status.restarts >= 2, "{status:?}");
    assert!(!matches!(status.state, SourceState::Ended { .. }));
}

#[test]
fn a_network_camera_that_never_answers_does_not_hold_up_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let capture = start(listener.local_addr().unwrap().port());
    let (mut connection, _) = listener.accept().unwrap();
    connection.read_exact(&mut [0; 4]).unwrap(); // It waits for an answer now.
    capture.stop();
    assert!(matches!(capture.next(LONG), NextFrame::AllEnded));
}

/// While FFmpeg opens one stream, OpenCV lets it open no other.
#[test]
fn cameras_that_hang_hold_up_neither_another_camera_nor_a_video() {
    let (hangs, works) = (RtspCamera::start(Model::default()), RtspCamera::start(Model::default()));
    hangs.order(Order::OptionsOnly);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap(); // It takes connections, and that is all.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/drive.mp4");
    let sources = [
        camera("hangs", hangs.url("")),
        camera("silent", format!("rtsps://{}/live", silent.local_addr().unwrap())),
        camera("works", works.url("")),
        CaptureSource {
            name: "drive".into(),
            input: Input::Video { path, pace: Pace::EveryFrame, repeat: 0, start: None },
        },
    ];
    let capture = Capture::start(&sources, Arc::new(SystemClock::new())).unwrap();
    let mut seen = [false; 4];
    while !(seen[2] && seen[3]) {
        match capture.next(LONG) {
            NextFrame::Frame(taken) => seen[taken.source_index] = true,
            _ => panic!("{:?}", capture.status()),
        }
    }
    for hanging in [0, 1] {
        let error = loop {
            match capture.status().swap_remove(hanging).state {
                SourceState::Waiting { error } => break error,
                _ => std::thread::yield_now(),
            }
        };
        assert!(error.contains("it does not answer"), "{error}");
    }
    assert_eq!(hangs.seen().by_ffmpeg, 0, "it was never opened");
    assert!(works.seen().by_ffmpeg > 0);
}
