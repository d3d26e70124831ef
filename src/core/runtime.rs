//! The one async runtime of a program, and tasks on it that are asked to stop as everything else is.
//!
//! Futures of all parts share its threads, so none of them may block: what waits for a disk or the
//! store goes to `spawn_blocking` or to a thread of its own that drives its future with
//! [`Handle::block_on`].

use crate::error::{Context, Kind, Result};
use crate::shutdown::Shutdown;
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use std::time::Duration;
use tokio::runtime::{Builder, Handle};

/// Threads that run futures: while one is held up after all, the other goes on.
const THREADS: usize = 2;
/// A blocking call or a future that has not ended after so long is left behind.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// The runtime. Dropping it ends it, within two seconds whatever hangs.
#[derive(Debug)]
pub struct Runtime(Option<tokio::runtime::Runtime>, Handle);

impl Runtime {
    /// Starts its threads.
    ///
    /// # Errors
    /// `Internal` when the system doesn't let it.
    pub fn start() -> Result<Self> {
        let built = Builder::new_multi_thread().worker_threads(THREADS).thread_name("async").enable_all().build();
        let runtime = built.context(Kind::Internal, || "could not start the threads for the network".into())?;
        let handle = runtime.handle().clone();
        Ok(Self(Some(runtime), handle))
    }

    /// What futures are run by.
    pub fn handle(&self) -> &Handle {
        &self.1
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(END_TIMEOUT);
        }
    }
}

/// A future at work until its stop is asked for. Dropping it asks for that, and waits two seconds at most.
/// Not to be dropped by a future.
#[derive(Debug)]
pub struct Task {
    what: &'static str,
    stop: Shutdown,
    /// Hears of its end; disconnected without it when it ended by a defect.
    end: Receiver<()>,
}

impl Task {
    /// Starts it. It is cut off wherever it waits once `stop` is asked for. `what` it is for begins the
    /// sentence that is logged if it ends by a defect or hangs.
    pub fn start(
        runtime: &Handle,
        what: &'static str,
        stop: &Shutdown,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let stop = stop.child();
        let requested = stop.requested();
        let (ended, end) = bounded(1);
        runtime.spawn(async move {
            tokio::select! {
                () = requested => {}
                () = work => {}
            }
            let _ = ended.send(());
        });
        Self { what, stop, end }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.stop.request();
        // Not by a timer of the runtime: nobody drives that while all its threads are held up.
        match self.end.recv_timeout(END_TIMEOUT) {
            Ok(()) => {}
            Err(RecvTimeoutError::Disconnected) => tracing::error!("{} ended by a defect.", self.what),
            Err(RecvTimeoutError::Timeout) => tracing::error!("{} hangs and is left behind.", self.what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn a_future_that_blocks_holds_up_neither_another_nor_the_end() {
        let runtime = Runtime::start().unwrap();
        let (stop, release) = (Shutdown::new(), Shutdown::new());
        let hangs = release.clone();
        let hung = Task::start(runtime.handle(), "The one that hangs", &stop, async move { hangs.wait() });
        let counted = Arc::new(AtomicU32::new(0));
        let count = counted.clone();
        let (tell, told) = crossbeam_channel::bounded(1);
        let other = Task::start(runtime.handle(), "The other", &stop, async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            count.fetch_add(1, Ordering::Relaxed);
            let _ = tell.send(());
        });
        told.recv_timeout(Duration::from_secs(60)).unwrap();
        stop.request();
        drop((hung, other, runtime));
        assert_eq!(counted.load(Ordering::Relaxed), 1);
        release.request();
    }

    #[test]
    fn a_task_is_left_behind_also_when_all_threads_are_held_up() {
        let runtime = Runtime::start().unwrap();
        let (stop, release) = (Shutdown::new(), Shutdown::new());
        let (tell, told) = crossbeam_channel::unbounded();
        let hung: Vec<Task> = (0..THREADS)
            .map(|_| {
                let (hangs, tell) = (release.clone(), tell.clone());
                Task::start(runtime.handle(), "The one that hangs", &stop, async move {
                    let _ = tell.send(());
                    hangs.wait();
                })
            })
            .collect();
        (0..THREADS).for_each(|_| told.recv_timeout(Duration::from_secs(60)).unwrap());
        let ends = std::thread::spawn(move || {
            drop((hung, runtime));
            let _ = tell.send(());
        });
        let ended = told.recv_timeout(Duration::from_secs(60));
        release.request();
        ended.unwrap();
        ends.join().unwrap();
    }

    #[test]
    fn a_task_is_cut_off_where_it_waits_once_its_stop_is_asked_for() {
        let runtime = Runtime::start().unwrap();
        let stop = Shutdown::new();
        let (held, gone) = crossbeam_channel::bounded::<()>(0);
        let task = Task::start(runtime.handle(), "The task", &stop, async move {
            let _held = held;
            std::future::pending().await
        });
        stop.request();
        assert!(gone.recv_timeout(Duration::from_secs(60)).is_err_and(|e| e.is_disconnected()));
        drop(task);
    }
}
