//! A network camera that is there but does not work.
use crate::kit::rtsp::{Model, Order, RtspCamera};
use opencv::core::{CV_8UC3, Mat, Scalar, Vec3b};
use opencv::prelude::MatTraitConst;
use plated_core::clock::SystemClock;
use plated_vision::capture::{CameraUrl, Capture, CaptureSource, Input, NextFrame, Pace, SourceState, View};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

fn camera(name: &str, url: String) -> CaptureSource {
    CaptureSource {
        name: name.into(),
        input: Input::Rtsp(CameraUrl::Plain(url)),
        view: View::default(),
        position: None,
    }
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
            view: View::default(),
            position: None,
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

/// A camera that sends numbered JPEGs over HTTP to whoever has the password.
fn mjpeg_camera(jpegs: Vec<Vec<u8>>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let (mut connection, jpegs) = (connection.unwrap(), jpegs.clone());
            // Whoever hangs up has had enough.
            std::thread::spawn(move || send_jpegs(&mut connection, &jpegs));
        }
    });
    address
}

fn send_jpegs(connection: &mut std::net::TcpStream, jpegs: &[Vec<u8>]) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    if !String::from_utf8_lossy(&head).contains("Authorization: Basic dXNlcjpodW50ZXIy") {
        let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"camera\"\r\nContent-Length: 0\r\n";
        return write!(connection, "{refusal}Connection: close\r\n\r\n");
    }
    let kind = "multipart/x-mixed-replace; boundary=frame";
    write!(connection, "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n")?;
    for jpeg in jpegs.iter().cycle() {
        write!(connection, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", jpeg.len())?;
        connection.write_all(jpeg)?;
        connection.write_all(b"\r\n")?;
        std::thread::sleep(Duration::from_millis(20)); // The camera's rate.
    }
    Ok(())
}

#[test]
fn jpegs_over_http_become_frames_and_the_password_is_in_no_error() {
    let drawn = |value: i32| {
        let mat = Mat::new_rows_cols_with_default(120, 160, CV_8UC3, Scalar::all(f64::from(value))).unwrap();
        plated_vision::picture::encode(&mat, 90).unwrap().to_vec()
    };
    let sent: Vec<Vec<u8>> = (0..10).map(|n| drawn(20 * n)).collect();
    let url = format!("http://user:hunter2@{}/video.mjpg", mjpeg_camera(sent.clone()));
    let source = |url| CaptureSource {
        name: "pole".into(),
        input: Input::Mjpeg(CameraUrl::Plain(url)),
        view: View::default(),
        position: None,
    };
    let capture = Capture::start(&[source(url)], Arc::new(SystemClock::new())).unwrap();
    for _ in 0..20 {
        let NextFrame::Frame(taken) = capture.next(LONG) else { panic!("no picture: {:?}", capture.status()) };
        let pixels = taken.frame.picture.pixels().unwrap();
        let seen = i32::from(pixels.at_2d::<Vec3b>(60, 80).unwrap()[0]);
        assert_eq!((pixels.cols(), pixels.rows(), (seen + 3) / 20 * 20), (160, 120, (seen + 10) / 20 * 20), "{seen}");
    }
    drop(capture);
    let wrong = format!("http://user:wrong@{}/video.mjpg", mjpeg_camera(sent));
    let capture = Capture::start(&[source(wrong)], Arc::new(SystemClock::new())).unwrap();
    let error = loop {
        assert!(matches!(capture.next(Duration::from_millis(10)), NextFrame::TimedOut));
        if let SourceState::Waiting { error } = &capture.status()[0].state {
            break error.clone();
        }
    };
    assert!(error.contains("its password") && !error.contains("wrong") && !error.contains("127.0.0.1"), "{error}");
}
