//! Threads, how their end is waited for, and what a defect in one of them may cost.

use crate::error::{Context, Error, Kind, Result};
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::Duration;

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

/// Does `work`, and survives a panic in it. `lost` says what that costs, without a full stop; it is
/// logged, and nothing is given back.
pub fn guarded<T>(lost: &str, work: impl FnOnce() -> T) -> Option<T> {
    let done = catch_unwind(AssertUnwindSafe(work));
    if done.is_err() {
        tracing::error!("{lost}; this is a defect of the program. The rest goes on.");
    }
    done.ok()
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

/// A thread whose end can be waited for with a limit: one that hangs in a driver or on a disk must not
/// hold up the end of all others.
#[derive(Debug)]
pub struct Thread {
    what: &'static str,
    handle: JoinHandle<()>,
    /// Closed when it has ended.
    ended: Receiver<Infallible>,
}

impl Thread {
    /// Starts it. `what` it is for begins the sentence that is logged if it ends by a defect or hangs.
    ///
    /// # Errors
    /// As [`spawn`].
    pub fn start(name: &str, what: &'static str, run: impl FnOnce() + Send + 'static) -> Result<Self> {
        let (ends, ended) = bounded(0);
        let handle = spawn(name, move || {
            let _ends = ends; // dropped at the end, also after a panic
            run();
        })?;
        Ok(Self { what, handle, ended })
    }

    /// Waits for its end, so long at most; false when it is left behind because it hangs. Whoever
    /// waits has asked for the end.
    pub fn end_within(self, timeout: Duration) -> bool {
        if self.ended.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout) {
            tracing::error!("{} hangs and is left behind.", self.what);
            return false;
        }
        if self.handle.join().is_err() {
            tracing::error!("{} ended by a defect.", self.what);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shutdown::Shutdown;

    #[test]
    fn a_thread_that_hangs_is_left_behind_and_one_that_ends_is_waited_for() {
        let (stop, never) = (Shutdown::new(), Shutdown::new());
        let (asked, hangs) = (stop.clone(), never.clone());
        let good = Thread::start("good", "The good one", move || asked.wait()).unwrap();
        let bad = Thread::start("bad", "The bad one", move || hangs.wait()).unwrap();
        stop.request();
        assert!(!bad.end_within(Duration::from_millis(1)));
        assert!(good.end_within(Duration::from_secs(60)));
        never.request();
        let broken = Thread::start("broken", "The broken one", || panic!("the fault of the test")).unwrap();
        assert!(broken.end_within(Duration::from_secs(60)), "it has ended, though by a defect");
    }

    #[test]
    fn a_defect_costs_one_task_and_not_the_thread() {
        assert_eq!(guarded("nothing is lost", || 7), Some(7));
        assert_eq!(guarded("one is lost", || -> u32 { panic!("the fault of the test") }), None);
    }
}
