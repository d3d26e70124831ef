//! A network camera that is there but does not work.
use plated_core::clock::SystemClock;
use plated_vision::capture::{Capture, Next, State};
use plated_vision::capture::{Input, RtspUrl, Source};
use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

fn start(port: u16) -> Capture {
    let url = RtspUrl::Plain(format!("rtsp://127.0.0.1:{port}/live"));
    let source = Source { name: "pole".into(), input: Input::Rtsp(url) };
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
    assert!(!matches!(status.state, State::Ended { .. }));
}

#[test]
fn a_network_camera_that_never_answers_does_not_hold_up_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let capture = start(listener.local_addr().unwrap().port());
    let (mut connection, _) = listener.accept().unwrap();
    connection.read_exact(&mut [0; 4]).unwrap(); // It waits for an answer now.
    capture.stop();
    assert!(matches!(capture.next(LONG), Next::AllEnded));
}
