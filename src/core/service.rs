//! What the program tells the service manager that started it, by the protocol of systemd. Without one, nothing
//! is told and nothing else changes.

use sd_notify::NotifyState;
use std::time::Duration;

/// Whether somebody listens.
pub fn is_told() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
}

/// How long the manager waits for a sign of life before it ends the program; `None` when it does not.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|_| is_told())
}

/// The program does its work from now on.
pub fn ready() {
    tell(&NotifyState::Ready);
}

/// What it does, in one line that everybody on this computer may see: no plates, names or lists.
pub fn status(text: &str) {
    tell(&NotifyState::Status(text));
}

/// All threads get on.
pub fn alive() {
    tell(&NotifyState::Watchdog);
}

/// It was asked to end, and does.
pub fn stopping() {
    tell(&NotifyState::Stopping);
}

/// A manager that does not listen holds up nothing; the next word may reach it.
fn tell(state: &NotifyState<'_>) {
    if let Err(e) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::debug!("The service manager could not be told: {e}");
    }
}
