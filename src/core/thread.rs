//! Threads, and such as end when their handle is dropped.

use crate::error::{Context, Error, Kind, Result};
use std::thread::JoinHandle;

/// Starts a thread of this name.
///
/// # Errors
/// `Internal` when the system can't start one.
pub fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .context(Kind::Internal, || format!("could not start the thread {name}"))
}

/// Does `work` on a thread that gives way to all others, such as those that read plates, and waits for
/// it.
///
/// # Errors
/// What `work` says, and `Internal` when the thread can't be started or ends by a defect.
pub fn give_way<T: Send>(name: &str, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name(name.into()).spawn_scoped(scope, || {
            // Without the lower priority it is done all the same.
            let _ = rustix::process::setpriority_process(None, 15);
            work()
        });
        let thread = thread.context(Kind::Internal, || format!("could not start the thread {name}"))?;
        let defect = |_| Err(Error::new(Kind::Internal, format!("the thread {name} ended by a defect")));
        thread.join().unwrap_or_else(defect)
    })
}

/// A thread at work. Dropping it drops `S`, by which the thread knows that it has to end, and waits
/// for that.
#[derive(Debug)]
pub struct Service<S> {
    what: &'static str,
    stop: Option<S>,
    thread: Option<JoinHandle<()>>,
}

impl<S> Service<S> {
    /// Starts it. `what` it is for begins the sentence that is logged if it ends by a defect.
    ///
    /// # Errors
    /// As [`spawn`].
    pub fn start(name: &str, what: &'static str, stop: S, run: impl FnOnce() + Send + 'static) -> Result<Self> {
        Ok(Self { what, stop: Some(stop), thread: Some(spawn(name, run)?) })
    }
}

impl<S> Drop for Service<S> {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("{} ended by a defect.", self.what);
        }
    }
}
