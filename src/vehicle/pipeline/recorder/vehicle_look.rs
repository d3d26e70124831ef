//! The look at the vehicle of a pass, at its best frame: once, and once more where a better frame came. What it says
//! stands in the read, and in its hits as far as it differs from what the list says.

use opencv::core::{Mat, Rect};
use plated_core::appearance::Appearance;
use plated_core::error::Result;
use plated_vision::recognition::{TrackRead, VehicleModel};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// Looks at one pass, however often it is written.
const MAX_LOOKS: u32 = 2;
/// Passes remembered; the tracker follows a few at a time.
const MAX_PASSES: usize = 64;

/// What tells what a vehicle looks like.
pub trait Describes: Send {
    /// The part of a frame that a look at this plate needs.
    fn reach(&self, corners: &[[f32; 2]; 4]) -> Rect;

    /// The vehicle around a plate in `image`, which begins at `origin` in its frame.
    fn look(&mut self, image: &Mat, origin: [f32; 2], corners: &[[f32; 2]; 4]) -> Result<Appearance>;
}

impl Describes for VehicleModel {
    fn reach(&self, corners: &[[f32; 2]; 4]) -> Rect {
        self.reach(corners)
    }

    fn look(&mut self, image: &Mat, origin: [f32; 2], corners: &[[f32; 2]; 4]) -> Result<Appearance> {
        self.look(image, origin, corners)
    }
}

/// The model and what it said of the last passes. The keeper's, and the recorder's when many reads wait.
#[derive(Default)]
pub struct VehicleLook(Option<Mutex<State>>);

struct State {
    model: Box<dyn Describes>,
    passes: VecDeque<Pass>,
}

struct Pass {
    id: Uuid,
    /// Number of the frame that was looked at.
    frame: u64,
    looks: u32,
    seen: Appearance,
}

impl VehicleLook {
    /// Without a model nothing is looked at.
    pub fn new(model: Option<impl Describes + 'static>) -> Self {
        Self(model.map(|model| Mutex::new(State { model: Box::new(model), passes: VecDeque::new() })))
    }

    /// The part of a frame that a look needs; none without a model.
    pub fn reach(&self, read: &TrackRead) -> Option<Rect> {
        let state = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(state.model.reach(&read.best.corners))
    }

    /// What the vehicle looks like in `image`, a part of the read's frame that begins at `origin`.
    pub fn at(&self, read: &TrackRead, image: &Mat, origin: [f32; 2]) -> Option<Appearance> {
        let mut state = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let State { model, passes } = &mut *state;
        let known = passes.iter().position(|pass| pass.id == read.id);
        if let Some(pass) = known.map(|n| &passes[n])
            && (pass.frame == read.best.frame || pass.looks >= MAX_LOOKS)
        {
            return Some(pass.seen.clone());
        }
        let seen = model.look(image, origin, &read.best.corners);
        let seen = seen.inspect_err(|e| tracing::error!(read = %read.id, "A vehicle was not looked at: {}", e.chain()));
        let looks = known.and_then(|n| passes.remove(n)).map_or(1, |pass| pass.looks + 1);
        let seen = seen.ok()?;
        if passes.len() == MAX_PASSES {
            passes.pop_front();
        }
        passes.push_back(Pass { id: read.id, frame: read.best.frame, looks, seen: seen.clone() });
        Some(seen)
    }
}
