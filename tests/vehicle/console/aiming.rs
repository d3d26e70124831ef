//! Aiming a camera by the console.

use crate::kit::console::Desk;
use crate::kit::store::rows;
use opencv::core::{CV_8UC3, Mat, Rect, Scalar};
use opencv::imgproc;
use plated_access::Role;
use plated_vision::frame::Frame;
use plated_vision::picture::{Jpeg, Picture, encode};
use reqwest::StatusCode;
use std::sync::atomic::Ordering;

/// A street in a JPEG, with hard edges all over.
fn street() -> Picture {
    let mut image = Mat::new_rows_cols_with_default(720, 1280, CV_8UC3, Scalar::all(90.0)).unwrap();
    for n in 0..200 {
        let place = Rect::new(n * 61 % 1240, n * 37 % 700, 30, 14);
        imgproc::rectangle(&mut image, place, Scalar::all(200.0), -1, imgproc::LINE_8, 0).unwrap();
    }
    Picture::Jpeg(Jpeg::new(encode(&image, 90).unwrap()).unwrap())
}

fn frame(picture: Picture) -> Frame {
    Frame {
        source: "a".into(),
        sequence: 17,
        at: jiff::Timestamp::now(),
        clock_trusted: true,
        recorded: false,
        monotonic: std::time::Duration::ZERO,
        picture,
    }
}

fn looked(desk: &Desk) -> usize {
    rows(&desk.store).iter().filter(|row| row.entry.elements.get("camera").is_some_and(|name| name == "a")).count()
}

// policy: P-21, P-23
#[test]
fn an_administrator_who_aims_a_camera_sees_its_newest_picture_once_that_is_on_record_and_nobody_else_does() {
    let desk = Desk::new();
    let sent = street();
    *desk.newest.lock().unwrap() = Some(frame(sent.clone()));
    Role::ALL.into_iter().for_each(|role| desk.hire(role.as_str(), role));
    for role in [Role::Officer, Role::Supervisor, Role::Custodian] {
        let browser = desk.watching(role.as_str());
        for path in ["/cameras/a", "/cameras/a/figures", "/cameras/a/newest.jpg"] {
            assert_eq!(browser.get(path).status, StatusCode::FORBIDDEN, "{path} for {role}");
        }
    }
    assert_eq!(looked(&desk), 0);
    let browser = desk.watching("administrator");
    let page = browser.get("/cameras/a");
    assert_eq!((page.status, looked(&desk)), (StatusCode::OK, 1), "{}", page.body);
    assert!(
        page.body.contains("src=\"/cameras/a/newest.jpg?n=17\"") && page.body.contains("1280 × 720"),
        "{}",
        page.body
    );
    assert!(page.body.contains("the higher, the sharper"), "{}", page.body);
    let (status, bytes) = browser.fetch("/cameras/a/newest.jpg?n=17");
    assert_eq!((status, &bytes[..]), (StatusCode::OK, &sent.jpeg(90).unwrap()[..]), "the camera's own JPEG");
    *desk.newest.lock().unwrap() = Some(Frame { sequence: 18, ..frame(sent) });
    let figures = browser.get("/cameras/a/figures").body;
    assert!(figures.contains("id=\"aim-figures\"") && figures.contains("newest.jpg?n=18"), "{figures}");
    assert_eq!(looked(&desk), 1, "the pictures that follow belong to the look that is on record");
    assert_eq!(browser.get("/cameras/nobody").status, StatusCode::NOT_FOUND);
}

// policy: P-21
#[test]
fn no_picture_of_a_camera_is_shown_when_that_can_not_be_put_on_record() {
    let desk = Desk::new();
    *desk.newest.lock().unwrap() = Some(frame(street()));
    desk.hire("admin", Role::Administrator);
    let browser = desk.watching("admin");
    desk.break_record();
    for path in ["/cameras/a", "/cameras/a/figures", "/cameras/a/newest.jpg"] {
        assert!(browser.get(path).status.is_server_error(), "{path}");
    }
}

#[test]
fn the_page_says_how_many_pixels_a_plate_will_have_by_distance_and_lens_and_warns_of_too_few() {
    let desk = Desk::new();
    *desk.newest.lock().unwrap() = Some(frame(street()));
    desk.hire("admin", Role::Administrator);
    let browser = desk.watching("admin");
    let near = browser.get("/cameras/a?distance=12&view=25").body;
    assert!(near.contains("73 pixels in width<"), "{near}");
    assert!(near.contains("class=\"expected\"") && near.contains("A plate at this distance"), "{near}");
    let far = browser.get("/cameras/a?distance=30&view=25").body;
    assert!(far.contains("29 pixels in width; too few to be read well"), "{far}");
    let wrong = browser.get("/cameras/a?distance=far&view=25").body;
    assert!(wrong.contains("Give a number from 0.5 to 200") && !wrong.contains("pixels in width"), "{wrong}");
}

// policy: P-22
#[test]
fn that_a_camera_is_aimed_rightly_is_on_record_and_where_plates_are_is_learned_anew() {
    let desk = Desk::new();
    desk.hire("admin", Role::Administrator);
    let browser = desk.watching("admin");
    let page = browser.get("/cameras/a");
    assert!(
        page.body.contains("This camera has given none yet") && page.body.contains("is being learned"),
        "{}",
        page.body
    );
    let done = browser.post("/cameras/a/aimed", &page.token(), &[]);
    assert_eq!((done.to.as_str(), desk.learned_anew.load(Ordering::Relaxed)), ("/cameras/a?done=aimed", 1));
    let told =
        rows(&desk.store).iter().any(|row| row.entry.elements.get("as").is_some_and(|what| what == "aimed anew"));
    assert!(told && browser.get(&done.to).body.contains("is being learned anew"));
    desk.break_record();
    browser.post("/cameras/a/aimed", &page.token(), &[]);
    assert_eq!(desk.learned_anew.load(Ordering::Relaxed), 1);
}
