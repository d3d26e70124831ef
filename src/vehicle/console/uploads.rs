//! Files of lists that were sent and looked at, and not yet taken: one for each session. They go with the session,
//! with the next one, and with the daemon.

use crate::control::Preview;
use crate::lists::IncomingFile;
use jiff::Timestamp;
use plated_access::SessionId;
use plated_core::error::{Error, Kind, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Files that are kept at a time.
const MAX_UPLOADS: usize = 3;

/// A file that was looked at.
pub struct Upload {
    /// Of which list it is to be.
    pub list: String,
    /// Name of the file at the other end.
    pub file_name: String,
    /// Its date, as it was given.
    pub dated: Option<Timestamp>,
    /// Where it is.
    pub file: IncomingFile,
    /// What would become of it.
    pub preview: Preview,
}

/// Those that are kept.
#[derive(Default)]
pub struct Uploads(Mutex<HashMap<SessionId, Arc<Upload>>>);

impl Uploads {
    /// Keeps one in place of the one before.
    ///
    /// # Errors
    /// `Busy` when others have all the room.
    pub fn keep(&self, session: SessionId, upload: Upload) -> Result<()> {
        let mut kept = self.lock();
        if kept.len() >= MAX_UPLOADS && !kept.contains_key(&session) {
            let message = "other administrators have sent files that they did not decide on yet; try again later";
            return Err(Error::new(Kind::Busy, message));
        }
        kept.insert(session, Arc::new(upload));
        Ok(())
    }

    /// That of a session.
    pub fn of(&self, session: SessionId) -> Option<Arc<Upload>> {
        self.lock().get(&session).cloned()
    }

    /// It is decided on, or the session is over.
    pub fn end(&self, session: SessionId) {
        self.lock().remove(&session);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Upload>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
