//! The one thread that works on the database for requests, beside the archive. They hand it work through a short queue.

use super::database::Database;
use plated_core::error::{Context, Error, Kind, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Work waiting for the database. When as much waits, more is refused, and vehicles come again.
const MAX_WAITING: usize = 64;

type Work = Box<dyn FnOnce(&mut Database) + Send>;

/// A handle to the thread; it ends when the last handle is gone and its queue is done.
#[derive(Clone, Debug)]
pub struct DatabaseHandle {
    queue: mpsc::Sender<Work>,
}

impl DatabaseHandle {
    /// Starts the thread.
    pub fn start(database: Arc<Mutex<Database>>) -> Result<Self> {
        let (queue, mut waiting) = mpsc::channel::<Work>(MAX_WAITING);
        std::thread::Builder::new()
            .name("database".into())
            .spawn(move || {
                while let Some(work) = waiting.blocking_recv() {
                    // A panic rolls its transaction back; it must not take the station down.
                    if catch_unwind(AssertUnwindSafe(|| {
                        work(&mut database.lock().unwrap_or_else(PoisonError::into_inner))
                    }))
                    .is_err()
                    {
                        tracing::error!("A defect in the station was caught while it wrote; the request failed");
                    }
                }
            })
            .context(Kind::Internal, || "could not start the database thread".into())?;
        Ok(Self { queue })
    }

    /// Has `work` done with the database.
    ///
    /// # Errors
    /// [`Kind::Network`] when too much is waiting already: come again later. Otherwise what
    /// `work` itself returns.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |database| {
            // Nobody waits any more when the request was cut off; the work is done all the same.
            let _ = answer.send(work(database));
        });
        self.queue.try_send(work).map_err(|_| Error::new(Kind::Network, "the station is busy; send it again later"))?;
        answered.await.context(Kind::Internal, || "the database thread failed".into())?
    }
}
