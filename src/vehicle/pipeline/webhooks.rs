//! The webhooks' tasks.

use super::transfer::{AFTER_DEFECT, again_after_defects};
use crate::subscribers::{Parts, Webhook, start as begin};
use plated_core::runtime::Task;
use plated_core::shutdown::Shutdown;
use tokio::runtime::Handle;

/// Starts them, each by itself.
pub fn start(webhooks: &[Webhook], parts: &Parts, runtime: &Handle, stop: &Shutdown) -> Vec<Task> {
    let works = webhooks.iter().filter_map(|webhook| begin(webhook, parts));
    works
        .map(|work| {
            let work = again_after_defects("A webhook", AFTER_DEFECT, work);
            Task::start(runtime, "A webhook", stop, work)
        })
        .collect()
}
