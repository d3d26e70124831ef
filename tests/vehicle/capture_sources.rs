//! Files as sources: what comes out of them, and what is reported about broken ones.
use crate::kit::matroska::matroska;
use opencv::core::Vector;
use opencv::core::{CV_8UC3, Mat, Scalar, Size};
use opencv::imgcodecs::{imencode_def, imwrite_def};
use opencv::prelude::*;
use opencv::videoio::{CAP_FFMPEG, VideoWriter};
use plated_core::clock::SystemClock;
use plated_vision::capture::{Capture, CaptureSource, Input, NextFrame, Pace, SourceState, VideoReader, View};
use plated_vision::picture::Picture;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(60);
const FRAMES: usize = 40;

/// Each frame is of one grey, by its number, so that it can be told which it is.
fn picture(number: usize) -> Mat {
    Mat::new_rows_cols_with_default(48, 64, CV_8UC3, Scalar::all(number as f64 * 5.0 + 20.0)).unwrap()
}

fn number_of(image: &Mat) -> usize {
    let pixel = image.at_2d::<opencv::core::Vec3b>(24, 32).unwrap();
    ((f64::from(pixel[1]) - 20.0) / 5.0).round() as usize
}

fn write_video(path: &Path, frames: usize) {
    let mjpg = VideoWriter::fourcc('M', 'J', 'P', 'G').unwrap();
    let mut writer =
        VideoWriter::new_with_backend_def(&path.to_string_lossy()[..], CAP_FFMPEG, mjpg, 50.0, Size::new(64, 48))
            .unwrap();
    assert!(writer.is_opened().unwrap());
    (0..frames).for_each(|n| writer.write(&picture(n)).unwrap());
    writer.release().unwrap();
}

fn video(name: &str, path: PathBuf, pace: Pace, repeat: u32) -> CaptureSource {
    CaptureSource {
        name: name.into(),
        input: Input::Video { path, pace, repeat, start: None },
        view: View::default(),
        position: None,
    }
}

fn start(sources: &[CaptureSource]) -> Capture {
    Capture::start(sources, Arc::new(SystemClock::new())).unwrap()
}

/// Takes everything to the end: source, ticket, number in the source, number in the picture.
fn drain(capture: &Capture) -> Vec<(usize, u64, u64, usize)> {
    let mut seen = Vec::new();
    loop {
        match capture.next(LONG) {
            NextFrame::Frame(t) => {
                seen.push((t.source_index, t.ticket, t.frame.sequence, number_of(&t.frame.picture.pixels().unwrap())));
            }
            NextFrame::TimedOut => panic!("a source hangs"),
            NextFrame::AllEnded => return seen,
        }
    }
}

#[test]
fn every_frame_of_a_video_comes_once_and_in_order_when_none_may_be_lost() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("drive.avi");
    write_video(&path, FRAMES);
    let capture = start(&[video("front", path, Pace::EveryFrame, 2)]);
    let expected: Vec<_> = (0..2 * FRAMES).map(|n| (0, n as u64, n as u64, n % FRAMES)).collect();
    assert_eq!(drain(&capture), expected);
    let status = &capture.status()[0];
    assert_eq!((status.captured, status.dropped, status.skipped), (2 * FRAMES as u64, 0, 0));
    assert_eq!(status.state, SourceState::Ended { error: None });
}

#[test]
fn several_workers_share_the_frames_and_their_tickets_have_no_gap() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("drive.avi");
    write_video(&path, FRAMES);
    let capture = Arc::new(start(&[video("front", path, Pace::EveryFrame, 1)]));
    let workers = [(); 3].map(|()| {
        let capture = Arc::clone(&capture);
        std::thread::spawn(move || drain(&capture))
    });
    let mut all: Vec<_> = workers.into_iter().flat_map(|w| w.join().unwrap()).collect();
    all.sort_unstable();
    // In the order of the tickets the frames are in their own order.
    assert_eq!(all, (0..FRAMES).map(|n| (0, n as u64, n as u64, n)).collect::<Vec<_>>());
}

#[test]
fn a_slow_worker_gets_the_newest_frame_and_the_others_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("drive.avi");
    write_video(&path, FRAMES);
    let capture = start(&[video("front", path, Pace::Realtime, 1)]);
    // Nobody takes a frame before the file is at its end.
    while !matches!(capture.status()[0].state, SourceState::Ended { .. }) {
        std::thread::yield_now();
    }
    assert_eq!(drain(&capture), [(0, 0, FRAMES as u64 - 1, FRAMES - 1)]);
    assert_eq!(capture.status()[0].dropped, FRAMES as u64 - 1);
}

#[test]
fn a_video_in_real_time_keeps_the_pace_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("drive.avi");
    write_video(&path, FRAMES);
    let began = Instant::now();
    drain(&start(&[video("front", path, Pace::Realtime, 1)]));
    // Never faster than the file says; how much slower is the machine's business.
    assert!(began.elapsed() >= Duration::from_millis((FRAMES as u64 - 1) * 20));
}

#[test]
fn broken_files_end_with_a_clear_error_while_another_source_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    write_video(&path("good.avi"), FRAMES);
    let whole = std::fs::read(path("good.avi")).unwrap();
    std::fs::write(path("empty.avi"), b"").unwrap();
    std::fs::write(path("head.avi"), &whole[..whole.len() / 20]).unwrap();
    std::fs::write(path("half.avi"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(path("letter7.mp4"), "Dear Sir, ".repeat(5000)).unwrap();
    imwrite_def(&path("front7.jpg").to_string_lossy()[..], &picture(1)).unwrap();
    let broken = [
        ("absent.avi", "could not open"),
        ("empty.avi", "is empty"),
        ("head.avi", "head.avi"),
        ("half.avi", "is cut off"),
        ("letter7.mp4", "not a video"),
        (".", "not a file"),
    ];
    let mut sources = vec![video("good", path("good.avi"), Pace::EveryFrame, 1)];
    sources.extend(broken.iter().map(|(name, _)| video(name, path(name), Pace::EveryFrame, 0)));
    let capture = start(&sources);
    let seen = drain(&capture);
    assert_eq!(seen.iter().filter(|(source, ..)| *source == 0).count(), FRAMES);
    let status = capture.status();
    assert_eq!(status[0].ended_with_error(), None);
    for ((name, why), status) in broken.iter().zip(&status[1..]) {
        let error = status.ended_with_error().unwrap();
        assert!(error.contains(why) && (error.contains(name) || *name == "."), "{name}: {error}");
    }
}

#[test]
fn a_folder_plays_in_natural_order_and_passes_over_what_is_no_picture() {
    let dir = tempfile::tempdir().unwrap();
    for n in [1, 2, 9, 10, 11] {
        imwrite_def(&dir.path().join(format!("frame{n}.png")).to_string_lossy()[..], &picture(n)).unwrap();
    }
    std::fs::write(dir.path().join("frame3.txt"), "notes").unwrap();
    std::fs::write(dir.path().join(".hidden.png"), "x").unwrap();
    let input = Input::Images { path: dir.path().into(), pace: Pace::EveryFrame, rate: 15.0, repeat: 1, start: None };
    let capture = start(&[CaptureSource { name: "folder".into(), input, view: View::default(), position: None }]);
    let seen: Vec<_> = drain(&capture).into_iter().map(|(_, _, sequence, number)| (sequence, number)).collect();
    assert_eq!(seen, [(0, 1), (1, 2), (3, 9), (4, 10), (5, 11)]);
    assert_eq!((capture.status()[0].skipped, capture.status()[0].ended_with_error()), (1, None));
}

#[test]
fn a_folder_without_any_picture_ends_with_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let folder = |name: &str| CaptureSource {
        name: name.into(),
        input: Input::Images {
            path: dir.path().join(name),
            pace: Pace::EveryFrame,
            rate: 15.0,
            repeat: 0,
            start: None,
        },
        view: View::default(),
        position: None,
    };
    std::fs::create_dir(dir.path().join("empty")).unwrap();
    std::fs::create_dir(dir.path().join("notes")).unwrap();
    std::fs::write(dir.path().join("notes/a.txt"), "notes").unwrap();
    let capture = start(&[folder("empty"), folder("notes"), folder("absent")]);
    assert!(drain(&capture).is_empty());
    for (status, why) in capture.status().iter().zip(["holds no pictures", "is a picture", "could not list"]) {
        let error = status.ended_with_error().unwrap();
        assert!(error.contains(why) && error.contains(&*status.name), "{error}");
    }
}

#[test]
fn stopping_ends_a_file_that_waits_for_its_pace_and_one_that_waits_for_room() {
    let dir = tempfile::tempdir().unwrap();
    imwrite_def(&dir.path().join("a.png").to_string_lossy()[..], &picture(1)).unwrap();
    let folder = |name: &str, pace, rate| CaptureSource {
        name: name.into(),
        input: Input::Images { path: dir.path().into(), pace, rate, repeat: 0, start: None },
        view: View::default(),
        position: None,
    };
    // One picture in a thousand seconds, and one that nobody takes.
    let capture = start(&[folder("slow", Pace::Realtime, 0.001), folder("full", Pace::EveryFrame, 15.0)]);
    while capture.status().iter().any(|s| s.captured == 0) {
        std::thread::yield_now();
    }
    capture.stop();
    assert!(matches!(capture.next(LONG), NextFrame::AllEnded));
    assert!(capture.status().iter().all(|s| s.state == SourceState::Ended { error: None }));
}

#[test]
fn frames_of_a_file_are_read_with_number_and_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("drive.avi");
    write_video(&path, FRAMES);
    let mut reader = VideoReader::open(&path).unwrap();
    assert_eq!(reader.rate(), 50.0);
    let frames: Vec<_> = reader.by_ref().map(|f| f.unwrap()).collect();
    assert!(frames.iter().all(|f| matches!(f.picture, Picture::Jpeg(_))), "MJPEG is handed out as it is");
    assert_eq!(
        frames.iter().map(|f| number_of(&f.picture.pixels().unwrap())).collect::<Vec<_>>(),
        (0..FRAMES).collect::<Vec<_>>()
    );
    assert_eq!((frames[5].index, frames[5].time), (5, Duration::from_millis(100)));

    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let outcomes: Vec<_> = VideoReader::open(&path).unwrap().collect();
    assert!(outcomes.last().unwrap().as_ref().err().unwrap().chain().contains("cut off"));
    assert!(outcomes.iter().rev().skip(1).all(|f| f.is_ok()), "what is there is given");
}

fn jpeg(number: usize) -> Vec<u8> {
    let mut bytes = Vector::new();
    imencode_def(".jpg", &picture(number), &mut bytes).unwrap();
    bytes.to_vec()
}

#[test]
fn a_recording_without_a_frame_rate_is_whole_and_each_frame_has_its_own_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("motion.mkv");
    // Some frames come fast, some slow.
    let times: Vec<u64> = (0..FRAMES as u64).map(|n| if n < 20 { 33 * n } else { 660 + 400 * (n - 20) }).collect();
    let pictures: Vec<_> = times.iter().enumerate().map(|(n, time)| (*time, jpeg(n))).collect();
    // 2026-03-01T12:00:00Z.
    let whole = matroska(&pictures, (64, 48), Some(794_059_200_000_000_000));
    std::fs::write(&path, &whole).unwrap();
    let reader = VideoReader::open(&path).unwrap();
    assert_eq!(reader.recorded(), Some("2026-03-01T12:00:00Z".parse().unwrap()));
    let found: Vec<u64> = reader.map(|f| f.unwrap().time.as_millis() as u64).collect();
    assert_eq!(found, times);

    // The daemon dates it by that, too.
    let capture = start(&[video("gate", path.clone(), Pace::EveryFrame, 1)]);
    let mut at = Vec::new();
    while let NextFrame::Frame(t) = capture.next(LONG) {
        at.push(t.frame.at.to_string());
    }
    assert_eq!((&*at[0], &*at[FRAMES - 1]), ("2026-03-01T12:00:00Z", "2026-03-01T12:00:08.26Z"));
    assert_eq!(capture.status()[0].ended_with_error(), None);

    // Cut off by a loss of power.
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let outcomes: Vec<_> = VideoReader::open(&path).unwrap().collect();
    let (last, frames) = outcomes.split_last().unwrap();
    let error = last.as_ref().err().unwrap().chain();
    assert!(error.contains("motion.mkv is cut off") && error.contains("bytes are missing"), "{error}");
    assert!(frames.len() >= FRAMES / 2 - 2 && frames.iter().all(|f| f.is_ok()), "{}", frames.len());
}

/// Waits for the next picture: its number, and when it was taken.
fn next_number(capture: &Capture) -> (usize, String) {
    match capture.next(LONG) {
        NextFrame::Frame(t) => (number_of(&t.frame.picture.pixels().unwrap()), t.frame.at.to_string()),
        _ => panic!("no picture came"),
    }
}

#[test]
fn a_camera_that_drops_pictures_into_a_folder_is_followed_and_each_is_taken_once_when_it_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("snapshots");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("1.jpg"), jpeg(1)).unwrap();
    let capture = start(&[CaptureSource {
        name: "gate".into(),
        input: Input::Watch { path: folder.clone() },
        view: View::default(),
        position: None,
    }]);
    assert_eq!(next_number(&capture).0, 1);
    // One that is still being written is not taken before its end.
    let two = jpeg(2);
    std::fs::write(folder.join("2.jpg"), &two[..two.len() / 2]).unwrap();
    std::fs::write(folder.join("notes.txt"), "notes").unwrap();
    let taken = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_366_400);
    std::fs::write(dir.path().join("3.tmp"), jpeg(3)).unwrap();
    std::fs::File::options().write(true).open(dir.path().join("3.tmp")).unwrap().set_modified(taken).unwrap();
    std::fs::rename(dir.path().join("3.tmp"), folder.join("3.jpg")).unwrap();
    let (number, at) = next_number(&capture);
    assert_eq!((number, &*at), (3, "2026-03-01T12:00:00Z"), "dated by when it was taken");
    std::fs::rename(folder.join("3.jpg"), folder.join("three.jpg")).unwrap();
    std::fs::write(folder.join("2.jpg"), &two).unwrap();
    assert_eq!(next_number(&capture).0, 2);
    // A camera that writes each picture over the last one.
    std::fs::write(folder.join("1.jpg"), jpeg(4)).unwrap();
    assert_eq!(next_number(&capture).0, 4);
    // The folder vanishes, as a network share does, and comes back with all that was in it.
    let away = dir.path().join("away");
    std::fs::rename(&folder, &away).unwrap();
    while !matches!(capture.status()[0].state, SourceState::Waiting { .. }) {
        std::thread::yield_now();
    }
    std::fs::write(away.join("5.jpg"), jpeg(5)).unwrap();
    std::fs::rename(&away, &folder).unwrap();
    assert_eq!(next_number(&capture).0, 5, "and nothing comes twice");
    assert_eq!(capture.status()[0].captured, 5);
    capture.stop();
}

/// Frames of a recording in real time: its number and its time.
fn dated(path: &Path, pace: Pace, start: Option<&str>) -> Vec<(usize, jiff::Timestamp)> {
    let start = start.map(|time| time.parse().unwrap());
    let input = Input::Video { path: path.into(), pace, repeat: 1, start };
    let capture = self::start(&[CaptureSource { name: "gate".into(), input, view: View::default(), position: None }]);
    let mut frames = Vec::new();
    while let NextFrame::Frame(t) = capture.next(LONG) {
        frames.push((number_of(&t.frame.picture.pixels().unwrap()), t.frame.at));
    }
    frames
}

#[test]
fn a_recording_is_dated_by_its_start_or_by_what_the_file_says_also_in_real_time() {
    let dir = tempfile::tempdir().unwrap();
    let (path, bare) = (dir.path().join("motion.mkv"), dir.path().join("bare.mkv"));
    let pictures: Vec<_> = (0..6).map(|n| (n as u64 * 40, jpeg(n))).collect();
    // 2026-03-01T12:00:00Z.
    std::fs::write(&path, matroska(&pictures, (64, 48), Some(794_059_200_000_000_000))).unwrap();
    std::fs::write(&bare, matroska(&pictures, (64, 48), None)).unwrap();
    for (pace, given, began) in [
        (Pace::Realtime, None, "2026-03-01T12:00:00Z"),
        (Pace::Realtime, Some("2025-07-04T09:30:00-07:00"), "2025-07-04T16:30:00Z"),
        (Pace::EveryFrame, Some("2025-07-04T09:30:00-07:00"), "2025-07-04T16:30:00Z"),
    ] {
        let began: jiff::Timestamp = began.parse().unwrap();
        let frames = dated(&path, pace, given);
        assert!(!frames.is_empty());
        for (number, at) in frames {
            assert_eq!(at, began + Duration::from_millis(number as u64 * 40), "frame {number}, {pace:?}");
        }
    }
    let before = jiff::Timestamp::now();
    let frames = dated(&bare, Pace::Realtime, None);
    assert!(frames.iter().all(|(_, at)| (before..=jiff::Timestamp::now()).contains(at)), "nothing is known of it");
}

/// FFmpeg writes them; the counts of frames in the headers are made wrong, as of a recorder that estimates.
#[test]
fn an_avi_whose_header_counts_other_frames_than_it_has_is_read_whole() {
    for codec in ["H264", "MJPG"] {
        let dir = tempfile::tempdir().unwrap();
        avi_of_a_wrong_count(&dir.path().join("drive, part 1|2.avi"), codec);
    }
}

fn avi_of_a_wrong_count(path: &Path, codec: &str) {
    let [a, b, c, d] = *codec.chars().collect::<Vec<_>>() else { unreachable!() };
    let codec = VideoWriter::fourcc(a, b, c, d).unwrap();
    let name = path.to_string_lossy();
    let mut writer = VideoWriter::new_with_backend_def(&name[..], CAP_FFMPEG, codec, 25.0, Size::new(64, 48)).unwrap();
    assert!(writer.is_opened().unwrap());
    (0..FRAMES).for_each(|n| writer.write(&picture(n)).unwrap());
    writer.release().unwrap();
    let whole = std::fs::read(path).unwrap();
    let header = |name: &[u8]| whole.windows(4).position(|w| w == name).unwrap() + 8;
    // dwTotalFrames of the file and dwLength of the stream.
    let counts = [header(b"avih") + 16, header(b"strh") + 32];
    for at in counts {
        assert_eq!(whole[at..at + 4], (FRAMES as u32).to_le_bytes());
    }
    for stated in [7_u32, 5000] {
        let mut wrong = whole.clone();
        counts.iter().for_each(|at| wrong[*at..at + 4].copy_from_slice(&stated.to_le_bytes()));
        std::fs::write(path, wrong).unwrap();
        let frames: Vec<_> = VideoReader::open(path).unwrap().map(|frame| frame.unwrap()).collect();
        let numbers: Vec<_> = frames.iter().map(|f| number_of(&f.picture.pixels().unwrap())).collect();
        assert_eq!(numbers, (0..FRAMES).collect::<Vec<_>>(), "the header counts {stated}");
        assert!(frames.windows(2).all(|two| two[0].time < two[1].time));
    }
}

#[test]
fn a_folder_is_played_with_the_folders_in_it_but_for_hidden_ones_and_links() {
    let dir = tempfile::tempdir().unwrap();
    let played = dir.path().join("played");
    for (number, name) in
        [(1, "day1/a.png"), (2, "day2/b.png"), (3, "day2/late/c.png"), (4, "day10/a.png"), (5, "e.png")]
    {
        let path = played.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        imwrite_def(&path.to_string_lossy()[..], &picture(number)).unwrap();
    }
    std::fs::create_dir(played.join(".trash")).unwrap();
    std::fs::create_dir(dir.path().join("elsewhere")).unwrap();
    for away in [played.join(".trash"), dir.path().join("elsewhere")] {
        imwrite_def(&away.join("x.png").to_string_lossy()[..], &picture(9)).unwrap();
    }
    std::os::unix::fs::symlink(dir.path().join("elsewhere"), played.join("link")).unwrap();
    let input = Input::Images { path: played, pace: Pace::EveryFrame, rate: 15.0, repeat: 1, start: None };
    let seen = drain(&start(&[CaptureSource { name: "folder".into(), input, view: View::default(), position: None }]));
    assert_eq!(seen.iter().map(|(.., number)| *number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_camera_that_begins_a_folder_each_day_is_followed_into_it() {
    let dir = tempfile::tempdir().unwrap();
    let capture = start(&[CaptureSource {
        name: "gate".into(),
        input: Input::Watch { path: dir.path().into() },
        view: View::default(),
        position: None,
    }]);
    for (number, day) in [(1, "2026/11/25"), (2, "2026/11/26")] {
        std::fs::create_dir_all(dir.path().join(day)).unwrap();
        std::fs::write(dir.path().join(day).join("1.jpg"), jpeg(number)).unwrap();
        assert_eq!(next_number(&capture).0, number);
    }
    capture.stop();
}
