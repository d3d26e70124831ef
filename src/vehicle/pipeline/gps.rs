//! The receiver's task.

use super::transfer::{AFTER_DEFECT, again_after_defects};
use crate::gps::{Fixes, Receiver, Settings, run};
use crate::health::Health;
use plated_core::clock::Clock;
use plated_core::runtime::Task;
use plated_core::shutdown::Shutdown;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Starts it; the fixes come as they do.
pub fn start(
    settings: &Settings,
    health: &Arc<Health>,
    clock: &Arc<dyn Clock>,
    runtime: &Handle,
    stop: &Shutdown,
) -> (Task, Arc<Fixes>) {
    let fixes = Arc::<Fixes>::default();
    let receiver = Receiver {
        address: settings.address.clone(),
        fixes: fixes.clone(),
        health: health.clone(),
        clock: clock.clone(),
    };
    let work = again_after_defects("The position", AFTER_DEFECT, move || run(receiver.clone()));
    (Task::start(runtime, "The position", stop, work), fixes)
}
