//! The end of a shift: said by an officer, by logging out, or by a script that is told of the ignition.

use super::OfficerService;
use crate::store::By;
use plated_core::error::Result;

impl OfficerService {
    /// The shift is over, on record; what waits is sent, where the configuration says so. Without a daemon the next one
    /// sends it.
    pub(super) fn end_shift(&self, by: &By) -> Result<()> {
        self.store.end_shift(self.sends_at_shift_end, by)?;
        self.send_at_shift_end();
        Ok(())
    }

    /// Somebody logged out, which is on record.
    pub fn logged_out(&self) {
        if !self.sends_at_shift_end {
            return;
        }
        if let Err(e) = self.store.send_all(true) {
            tracing::warn!("After a restart not all is sent: {}", e.chain());
        }
        self.send_at_shift_end();
    }

    fn send_at_shift_end(&self) {
        if let Some(send_now) = self.send_now.get().filter(|_| self.sends_at_shift_end) {
            send_now.ask();
        }
    }
}
