//! The end of a shift, and that what waits is to be sent: both outlive the daemon.

use super::Store;
use super::events::{self, By, What};
use plated_core::error::Result;
use serde_json::json;

impl Store {
    /// Puts the end of a shift on record; with `send`, what waits is to be sent, in the same transaction.
    ///
    /// # Errors
    /// What keeps it from being written.
    pub fn end_shift(&self, send: bool, by: &By) -> Result<()> {
        let by = by.clone();
        self.ask("could not put the end of the shift on record", move |w| {
            let stamp = w.stamp();
            let tx = w.write()?;
            events::write(&tx, &stamp, What::ShiftEnded, &by, json!({}))?;
            if send {
                tx.execute("UPDATE installation SET send_all = 1", [])?;
            }
            Ok(tx.commit()?)
        })
    }

    /// What waits is to be sent until nothing is left; or not any more.
    ///
    /// # Errors
    /// What keeps it from being written.
    pub fn send_all(&self, send: bool) -> Result<()> {
        self.ask("could not note that all is to be sent", move |w| {
            let tx = w.write_receipt()?;
            tx.execute("UPDATE installation SET send_all = ?1", [send])?;
            Ok(tx.commit()?)
        })
    }

    /// Whether what waits is to be sent until nothing is left.
    ///
    /// # Errors
    /// What keeps it from being read.
    pub fn is_to_send_all(&self) -> Result<bool> {
        self.look("could not read whether all is to be sent", |view| {
            Ok(view.conn().query_row("SELECT send_all FROM installation", [], |row| row.get(0))?)
        })
    }
}
