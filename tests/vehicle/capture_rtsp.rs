//! A network camera that works, fails and works again.
use crate::kit::rtsp;

use opencv::prelude::*;
use plated_core::clock::SystemClock;
use plated_vision::capture::{CameraUrl, Capture, CaptureSource, Input, NextFrame, SourceState, SourceStatus, View};
use plated_vision::frame::Frame;
use rtsp::{Codec, H265_PICTURES, HEIGHT, LOGIN, Model, Order, RtspCamera, WIDTH, colour, colour_of, number_of};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything takes on a busy machine; nothing waits for it when all goes well.
const LONG: Duration = Duration::from_secs(90);

fn start(url: CameraUrl) -> Capture {
    let source = CaptureSource { name: "pole".into(), input: Input::Rtsp(url), view: View::default(), position: None };
    Capture::start(&[source], Arc::new(SystemClock::new())).unwrap()
}

fn plain(camera: &RtspCamera) -> Capture {
    start(CameraUrl::Plain(camera.url("")))
}

fn frame(capture: &Capture) -> Frame {
    match capture.next(LONG) {
        NextFrame::Frame(taken) => taken.frame,
        _ => panic!("no frame came: {:?}", capture.status()),
    }
}

fn status(capture: &Capture) -> SourceStatus {
    capture.status().remove(0)
}

/// Looks again and again, and takes no frame meanwhile.
fn until(what: &str, capture: &Capture, done: impl Fn(&SourceStatus) -> bool) -> SourceStatus {
    let deadline = Instant::now() + LONG;
    loop {
        let status = status(capture);
        if done(&status) {
            return status;
        }
        assert!(Instant::now() < deadline, "waited too long for {what}: {status:?}");
        std::thread::sleep(Duration::from_millis(5)); // The status can only be asked for.
    }
}

/// Why the camera does not work, once it does not.
fn failure(capture: &Capture) -> String {
    match until("a failure", capture, |s| matches!(s.state, SourceState::Waiting { .. })).state {
        SourceState::Waiting { error } => error,
        _ => unreachable!(),
    }
}

fn address_file(url: &str, mode: u32) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pole.url");
    std::fs::write(&path, format!("{url}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    (dir, path)
}

/// The picture is as large and of the colour as the camera sent the one of this number.
fn assert_shows(image: &Mat, number: u64) {
    let (shown, wanted) = (colour_of(image), colour(number));
    assert_eq!((image.cols(), image.rows()), (WIDTH, HEIGHT));
    let off = shown.iter().zip(wanted).map(|(s, w)| (s - w).abs()).fold(0.0, f64::max);
    assert!(off <= 8.0, "{shown:?} in place of {wanted:?}");
}

#[test]
fn frames_come_in_order_and_show_what_the_camera_sent() {
    let camera = RtspCamera::start(Model::default());
    let capture = plain(&camera);
    let mut last: Option<(u64, u64)> = None;
    for _ in 0..25 {
        let frame = frame(&capture);
        let image = frame.picture.pixels().unwrap();
        let number = number_of(&image);
        if let Some((sequence, before)) = last {
            assert!(sequence < frame.sequence);
            assert_eq!(frame.sequence - sequence, number - before);
        }
        last = Some((frame.sequence, number));
        assert_shows(&image, number);
    }
    assert_eq!(status(&capture).state, SourceState::Running);
}

#[test]
fn frames_of_h265_come_in_order_and_show_what_the_camera_sent() {
    let camera = RtspCamera::start(Model { codec: Codec::H265, ..Model::default() });
    let capture = plain(&camera);
    let mut last: Option<(u64, u64)> = None;
    for _ in 0..2 * H265_PICTURES {
        let frame = frame(&capture);
        let image = frame.picture.pixels().unwrap();
        let number = number_of(&image);
        if let Some((sequence, before)) = last {
            assert_eq!((before + frame.sequence - sequence) % H265_PICTURES, number);
        }
        last = Some((frame.sequence, number));
        assert_shows(&image, number);
    }
    assert_eq!(status(&capture).state, SourceState::Running);
}

#[test]
fn the_camera_is_told_when_capture_stops() {
    let camera = RtspCamera::start(Model::default());
    let capture = plain(&camera);
    frame(&capture);
    capture.stop();
    until("the end of the session", &capture, |_| camera.seen().teardowns == 1);
}

#[test]
fn a_session_is_kept_alive_as_long_as_frames_are_wanted() {
    let camera = RtspCamera::start(Model { session: 4, ..Model::default() });
    let capture = plain(&camera);
    until("signs of life", &capture, |_| camera.seen().keepalives >= 2);
    let before = status(&capture).captured;
    until("frames after them", &capture, |s| s.captured > before);
    let seen = camera.seen();
    assert_eq!((seen.connections, seen.expired), (2, 0), "it was asked whether it answers, and then opened once");
}

#[test]
fn a_camera_that_cuts_the_connection_is_waited_for_and_comes_back() {
    let camera = RtspCamera::start(Model::default());
    let capture = plain(&camera);
    frame(&capture);
    until("a frame that waits", &capture, |s| s.captured >= 2);
    camera.order(Order::Cut);
    let error = failure(&capture);
    assert!(error.contains("the camera stopped sending"), "{error}");
    // A try is counted before its error is known.
    let refused = "could not connect to the network camera";
    until("a try that fails", &capture, |s| match &s.state {
        SourceState::Waiting { error } => s.restarts >= 1 && error.contains(refused),
        _ => false,
    });
    assert!(camera.seen().connections >= 3);
    let error = failure(&capture);
    assert!(!error.contains("127.0.0.1"), "{error}");

    // The frame that was waiting is still taken first.
    let (cut, captured) = (camera.seen().sent, status(&capture).captured);
    let last = frame(&capture);
    camera.order(Order::Send);
    let back = until("new frames", &capture, |s| s.captured > captured);
    assert_eq!(back.state, SourceState::Running);
    let new = frame(&capture);
    assert!(new.sequence > last.sequence && number_of(&new.picture.pixels().unwrap()) >= cut);
    assert!(new.monotonic > last.monotonic);
}

#[test]
fn a_camera_that_falls_silent_is_found_out_and_opened_again() {
    let camera = RtspCamera::start(Model::default());
    let capture = plain(&camera);
    frame(&capture);
    camera.order(Order::Hang);
    let error = failure(&capture);
    assert!(error.contains("the camera stopped sending"), "{error}");
    let captured = status(&capture).captured;
    camera.order(Order::Send);
    let back = until("new frames", &capture, |s| s.captured > captured);
    assert!(back.restarts >= 1 && back.state == SourceState::Running, "{back:?}");
}

#[test]
fn a_slow_consumer_gets_the_newest_frame_and_the_rest_is_counted() {
    let camera = RtspCamera::start(Model { rate: 100, ..Model::default() });
    let capture = plain(&camera);
    let first = frame(&capture);
    // Frames from before the stream was open.
    let old = number_of(&first.picture.pixels().unwrap()) - first.sequence;
    let mut taken = 1;
    for wanted in [30, 60, 120] {
        until("many frames", &capture, |s| s.captured >= wanted);
        // It pauses, so that "newest" has one meaning.
        camera.order(Order::Hang);
        let sent = camera.seen().sent;
        let status = until("all that was sent", &capture, |s| old + s.captured == sent);
        assert_eq!(number_of(&frame(&capture).picture.pixels().unwrap()), sent - 1);
        taken += 1;
        assert_eq!((status.dropped, status.skipped), (status.captured - taken, 0));
        camera.order(Order::Send);
    }
}

/// Opening takes some 20 frames.
#[test]
fn a_camera_with_few_frames_a_second_works_and_its_frames_from_before_are_not_taken_for_new() {
    let camera = RtspCamera::start(Model { rate: 3, ..Model::default() });
    let capture = plain(&camera);
    let (first, second) =
        (number_of(&frame(&capture).picture.pixels().unwrap()), number_of(&frame(&capture).picture.pixels().unwrap()));
    assert!(10 < first && first < second, "{first} {second}");
    assert_eq!(status(&capture).restarts, 0);
}

#[test]
fn a_camera_with_a_password_is_opened_from_a_file_that_only_its_owner_reads() {
    let camera = RtspCamera::start(Model { login: true, ..Model::default() });
    let (_dir, path) = address_file(&camera.url(LOGIN), 0o400);
    let capture = start(CameraUrl::File(path));
    frame(&capture);
    assert_eq!(status(&capture).state, SourceState::Running);
}

#[test]
fn an_address_file_that_others_can_read_is_refused_without_showing_the_address() {
    let camera = RtspCamera::start(Model { login: true, ..Model::default() });
    let (_dir, path) = address_file(&camera.url(LOGIN), 0o440);
    let error = failure(&start(CameraUrl::File(path)));
    assert!(error.contains("pole.url can be read by others (mode 0440); set it to 0400"), "{error}");
    assert!(!error.contains("rtsp:") && !error.contains("hunter2") && !error.contains("127.0.0.1"), "{error}");
    assert_eq!(camera.seen().connections, 0);
}

#[test]
fn a_wrong_password_is_said_without_showing_it() {
    let camera = RtspCamera::start(Model { login: true, ..Model::default() });
    let (_dir, path) = address_file(&camera.url("user:hunter3"), 0o400);
    let error = failure(&start(CameraUrl::File(path)));
    assert!(error.contains("check its address, its password"), "{error}");
    assert!(!error.contains("rtsp:") && !error.contains("hunter3") && !error.contains("127.0.0.1"), "{error}");
    assert_eq!(camera.seen().sent, 0);
}
