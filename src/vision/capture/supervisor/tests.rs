use super::worker::FilePlan;
use super::*;
use crate::capture::pace::MIN_RETRY;
use crate::capture::{FrameReader, Pace};
use crate::picture::{Jpeg, Picture, encode};
use jiff::Timestamp;
use opencv::core::{CV_8UC3, Mat, Scalar};
use plated_core::clock::SystemClock;
use plated_core::error::Error;
use std::sync::atomic::AtomicU32;

const LONG: Duration = Duration::from_secs(60);

/// Gives some frames and then fails in a way of its own.
struct Fake {
    left: u32,
    then: fn() -> Result<bool>,
}

impl FrameReader for Fake {
    fn advance(&mut self) -> Result<bool> {
        if self.left == 0 {
            return (self.then)();
        }
        self.left -= 1;
        Ok(true)
    }
    fn fetch(&mut self) -> Result<Option<Picture>> {
        Ok(Some(Mat::new_rows_cols_with_default(2, 2, CV_8UC3, Scalar::all(1.)).unwrap().into()))
    }
    fn rate(&self) -> f64 {
        15.0
    }
}

fn camera(name: &str, open: impl Fn() -> Result<Fake> + Send + 'static) -> Plan {
    let open = move || open().map(|f| Box::new(f) as Box<dyn FrameReader>);
    Plan { name: name.into(), position: None, probe: None, open: Box::new(open), file: None, max_retry: LONG }
}

fn start(plans: Vec<Plan>) -> Capture {
    Capture::start_plans(plans, Arc::new(SystemClock::new())).unwrap()
}

/// The work of a source's thread, without the thread.
fn alone(plan: Plan, clock: Arc<dyn Clock>) -> Worker {
    let status = vec![Mutex::new(SourceStatus::new(&plan.name, None))];
    let (stop, paused, closed) = (Shutdown::new(), AtomicBool::default(), vec![AtomicBool::default()]);
    let shared = Arc::new(Shared { clock, stop, paused, closed, inbox: Inbox::new(1), status });
    Worker::new(shared, 0, plan, bounded(0).1)
}

fn frames_of(capture: &Capture, name: &str, count: usize) -> Vec<u64> {
    let mut seen = Vec::new();
    while seen.len() < count {
        match capture.next(LONG) {
            NextFrame::Frame(t) if &*t.frame.source == name => seen.push(t.frame.sequence),
            NextFrame::Frame(_) => {}
            _ => panic!("no more frames"),
        }
    }
    seen
}

#[test]
fn a_camera_comes_back_by_itself_after_every_kind_of_failure() {
    let opened = AtomicU32::new(0);
    let open = move || match opened.fetch_add(1, Ordering::Relaxed) {
        0 => Err(Error::new(Kind::Missing, "unplugged")),
        1 => Ok(Fake { left: 1, then: || panic!("driver defect") }),
        2 => Ok(Fake { left: 1, then: || Ok(false) }),
        _ => Ok(Fake { left: 1, then: || Err(Error::new(Kind::Missing, "read error")) }),
    };
    let capture = start(vec![camera("front", open)]);
    assert_eq!(frames_of(&capture, "front", 3), [0, 1, 2], "numbers go on over restarts");
    assert!(capture.status()[0].restarts >= 3);
}

#[test]
fn a_camera_that_never_works_does_not_disturb_another() {
    let capture = start(vec![
        camera("dead", || Err(Error::new(Kind::Missing, "unplugged"))),
        camera("front", || Ok(Fake { left: u32::MAX, then: || Ok(false) })),
    ]);
    frames_of(&capture, "front", 50);
    // It is opened again now and then.
    let waiting = SourceState::Waiting { error: "unplugged".into() };
    let waits = |_| !frames_of(&capture, "front", 1).is_empty() && capture.status()[0].state == waiting;
    assert!((0..1000).any(waits));
    let status = capture.status();
    assert_eq!(status[1].state, SourceState::Running);
    assert_eq!(status[0].captured, 0);
}

#[test]
fn a_camera_that_does_not_answer_is_never_opened_and_so_holds_up_no_other() {
    let opened = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&opened);
    let mut silent = camera("silent", move || {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(Fake { left: 1, then: || Ok(false) })
    });
    silent.probe = Some(Box::new(|| Err(Error::new(Kind::Network, "it does not answer"))));
    let capture = start(vec![silent]);
    while capture.status()[0].restarts < 2 {
        std::thread::yield_now();
    }
    assert_eq!(opened.load(Ordering::Relaxed), 0);
}

#[test]
fn a_camera_that_hangs_while_it_is_opened_rests_longer_than_it_held_up_the_others() {
    let clock = Arc::new(plated_core::clock::ManualClock::at(Timestamp::UNIX_EPOCH));
    let hand = Arc::clone(&clock);
    // FFmpeg may call it a success, and then nothing comes.
    let plan = camera("hangs", move || {
        hand.advance(Duration::from_secs(15));
        Ok(Fake { left: 0, then: || Err(Error::new(Kind::Missing, "the camera stopped sending")) })
    });
    let mut worker = alone(plan, clock);
    assert!(worker.play().is_err());
    assert_eq!(worker.rest(MIN_RETRY), Duration::from_secs(60));
    worker.plan = camera("works", || Ok(Fake { left: 1, then: || Err(Error::new(Kind::Missing, "unplugged")) }));
    assert!(worker.play().is_err());
    assert_eq!(worker.rest(MIN_RETRY), MIN_RETRY);
}

#[test]
fn the_last_frame_of_a_recording_played_slower_than_it_was_made_is_as_old_as_it_is() {
    let clock = Arc::new(plated_core::clock::ManualClock::at(Timestamp::UNIX_EPOCH));
    let hand = Arc::clone(&clock);
    let mut plan = camera("recording", move || {
        hand.advance(Duration::from_secs(15));
        Ok(Fake { left: 1, then: || Ok(false) })
    });
    plan.file = Some(FilePlan { pace: Pace::EveryFrame, repeat: 2, start: None });
    let mut worker = alone(plan, clock.clone());
    for _ in 0..2 {
        worker.play().unwrap();
        assert!(matches!(worker.shared.inbox.take(LONG), Take::Item { .. }));
        assert_eq!(worker.shared.status(0).last_frame, Some(clock.monotonic()));
    }
}

#[test]
fn stopping_ends_a_camera_that_waits_to_be_tried_again() {
    let capture = start(vec![camera("dead", || Err(Error::new(Kind::Missing, "unplugged")))]);
    capture.stop();
    assert_eq!(capture.status()[0].state, SourceState::Ended { error: None });
    assert!(matches!(capture.next(LONG), NextFrame::AllEnded));
    assert!(capture.threads().is_empty());
}

/// Sends the same JPEG again and again, and keeps what it sent.
struct Jpegs {
    left: u32,
    sent: Arc<Mutex<Vec<Jpeg>>>,
}

impl FrameReader for Jpegs {
    fn advance(&mut self) -> Result<bool> {
        self.left = self.left.saturating_sub(1);
        Ok(self.left > 0)
    }
    fn fetch(&mut self) -> Result<Option<Picture>> {
        let pixels = Mat::new_rows_cols_with_default(16, 16, CV_8UC3, Scalar::all(90.0)).unwrap();
        let jpeg = Jpeg::new(encode(&pixels, 90).unwrap()).unwrap();
        self.sent.lock().unwrap().push(jpeg.clone());
        Ok(Some(Picture::Jpeg(jpeg)))
    }
    fn rate(&self) -> f64 {
        1000.0
    }
}

#[test]
fn a_dropped_frame_is_never_decoded() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&sent);
    let open = move || Ok(Box::new(Jpegs { left: 40, sent: Arc::clone(&all) }) as Box<dyn FrameReader>);
    let file = Some(FilePlan { pace: Pace::Realtime, repeat: 1, start: None });
    let capture = start(vec![Plan {
        name: "front".into(),
        position: None,
        probe: None,
        open: Box::new(open),
        file,
        max_retry: LONG,
    }]);
    // Nobody takes a frame before the file is at its end.
    assert!(capture.shared.inbox.wait_ended(LONG));
    let NextFrame::Frame(taken) = capture.next(LONG) else { panic!("no frame") };
    taken.frame.picture.pixels().unwrap();
    let decodes: Vec<u32> = sent.lock().unwrap().iter().map(Jpeg::decodes).collect();
    let last = decodes.len() - 1;
    assert_eq!(taken.frame.sequence, last as u64);
    assert!(last > 30 && decodes[..last].iter().all(|n| *n == 0) && decodes[last] == 1, "{decodes:?}");
    assert_eq!(capture.status()[0].dropped, last as u64);
}

#[test]
fn cameras_are_closed_while_the_computer_sleeps_and_opened_at_once_when_it_woke_also_one_that_failed() {
    let (opened, drops) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    struct Open(Arc<AtomicU32>);
    impl Drop for Open {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    struct Endless(#[allow(dead_code, reason = "counts when it is closed")] Open);
    impl FrameReader for Endless {
        fn advance(&mut self) -> Result<bool> {
            std::thread::yield_now();
            Ok(true)
        }
        fn fetch(&mut self) -> Result<Option<Picture>> {
            Ok(Some(Mat::new_rows_cols_with_default(2, 2, CV_8UC3, Scalar::all(1.)).unwrap().into()))
        }
        fn rate(&self) -> f64 {
            15.0
        }
    }
    let (count, closed) = (opened.clone(), drops.clone());
    let open = move || -> Result<Box<dyn FrameReader>> {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Endless(Open(closed.clone()))))
    };
    let tries = Arc::new(AtomicU32::new(0));
    let tried = tries.clone();
    let fails = move || -> Result<Fake> {
        tried.fetch_add(1, Ordering::SeqCst);
        Err(Error::new(Kind::Missing, "it is not plugged in"))
    };
    let front =
        Plan { name: "front".into(), position: None, probe: None, open: Box::new(open), file: None, max_retry: LONG };
    let capture = start(vec![front, camera("rear", fails)]);
    frames_of(&capture, "front", 3);
    capture.pause();
    let until = |what: &str, is: &dyn Fn() -> bool| {
        let begun = std::time::Instant::now();
        while !is() {
            assert!(begun.elapsed() < LONG, "waited too long for {what}");
            std::thread::yield_now();
        }
    };
    until("the closing", &|| drops.load(Ordering::SeqCst) == 1);
    until("the pause", &|| {
        // What was captured before is still taken.
        let _ = capture.next(Duration::ZERO);
        capture.is_paused()
    });
    assert_eq!(opened.load(Ordering::SeqCst), 1);
    let before = tries.load(Ordering::SeqCst);
    capture.open_anew();
    frames_of(&capture, "front", 3);
    assert_eq!(opened.load(Ordering::SeqCst), 2);
    until("another try", &|| tries.load(Ordering::SeqCst) > before);
}
