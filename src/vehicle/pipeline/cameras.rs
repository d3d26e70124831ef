//! The console's way to the cameras at work.

use super::Counters;
use crate::console::{AimState, CameraAccess};
use plated_vision::capture::Capture;
use std::sync::Arc;

/// What the console may ask of these cameras.
pub fn access(capture: &Arc<Capture>, counters: &Arc<Counters>) -> CameraAccess {
    let sources = capture.clone();
    let number = |capture: &Arc<Capture>| {
        let capture = capture.clone();
        move |name: &str| capture.status().iter().position(|source| &*source.name == name)
    };
    let (of_frame, of_aim, of_change) = (number(capture), number(capture), number(capture));
    let (frames, aims, changes) = (counters.clone(), counters.clone(), counters.clone());
    CameraAccess {
        status: Box::new(move || sources.status()),
        newest: Box::new(move |_, name| frames.newest(of_frame(name)?)),
        aim: Box::new(move |name| {
            let Some(source) = of_aim(name) else { return AimState::default() };
            let moved = aims.moved(source).map(|moved| moved.text());
            AimState { is_known: aims.usual(source).is_some(), moved }
        }),
        learn_anew: Box::new(move |name| {
            if let Some(source) = of_change(name) {
                changes.aimed(source, None);
            }
        }),
    }
}
