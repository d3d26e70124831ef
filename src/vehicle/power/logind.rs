//! What systemd's logind says of the computer over D-Bus: it is about to shut down or to sleep, or woke. It is held up
//! by a *delay inhibitor*, a file handle for which logind waits, for `InhibitDelayMaxSec` at most (5 s by default).
//!
//! Source: <https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.login1.html>

use crossbeam_channel::Sender;
use futures_util::StreamExt;
use plated_core::retry::Backoff;
use std::time::Duration;
use zbus::Connection;
use zbus::zvariant::OwnedFd;

/// The bus, or logind, is looked for again after so long at first,
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// and at the most.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Holds the computer up, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _handle: OwnedFd,
}

/// What logind said. Without a lock the computer waits for nobody.
#[derive(Debug)]
pub enum Word {
    /// It is about to shut down.
    ShutsDown(Option<Lock>),
    /// It is about to sleep.
    Sleeps(Option<Lock>),
    /// It woke.
    Woke,
}

#[zbus::proxy(
    interface = "org.freedesktop.login1.Manager",
    default_service = "org.freedesktop.login1",
    default_path = "/org/freedesktop/login1",
    gen_blocking = false
)]
trait Manager {
    /// Holds up what `what` names, `shutdown` or `sleep`, as long as the handle is open.
    fn inhibit(&self, what: &str, who: &str, why: &str, mode: &str) -> zbus::Result<OwnedFd>;

    /// It is about to shut down.
    #[zbus(signal)]
    fn prepare_for_shutdown(&self, start: bool) -> zbus::Result<()>;

    /// It is about to sleep, or woke.
    #[zbus(signal)]
    fn prepare_for_sleep(&self, start: bool) -> zbus::Result<()>;
}

/// Tells what logind says until it is cut off. A computer without the bus is no failure: then it is not told.
pub async fn follow(words: Sender<Word>) {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    let mut told = false;
    loop {
        let mut any = false;
        if let Err(e) = listen(&words, &mut any).await {
            match any || !told {
                true => tracing::info!("That the computer shuts down or sleeps is not told by logind: {e}."),
                false => tracing::debug!("Logind is still not there: {e}."),
            }
            told = true;
        }
        if any {
            backoff.reset();
        }
        tokio::time::sleep(backoff.fail()).await;
    }
}

/// One connection, from its beginning to its end. `any`: logind is there.
async fn listen(words: &Sender<Word>, any: &mut bool) -> zbus::Result<()> {
    let bus = Connection::system().await?;
    let manager = ManagerProxy::new(&bus).await?;
    // Before the locks, so that nothing is said between.
    let mut shutdowns = manager.receive_prepare_for_shutdown().await?;
    let mut sleeps = manager.receive_prepare_for_sleep().await?;
    let mut shutdown = lock(&manager, "shutdown", "Reads are being kept").await?;
    let mut sleep = lock(&manager, "sleep", "Reads are being kept, and cameras closed").await?;
    *any = true;
    tracing::info!("Logind tells when the computer shuts down or sleeps.");
    loop {
        let word = tokio::select! {
            said = shutdowns.next() => match said {
                Some(said) if said.args()?.start => Word::ShutsDown(shutdown.take()),
                Some(_) => {
                    // It was called off.
                    shutdown = lock(&manager, "shutdown", "Reads are being kept").await?;
                    continue;
                }
                None => return Err(zbus::Error::InputOutput(gone().into())),
            },
            said = sleeps.next() => match said {
                Some(said) if said.args()?.start => Word::Sleeps(sleep.take()),
                Some(_) => {
                    sleep = lock(&manager, "sleep", "Reads are being kept, and cameras closed").await?;
                    Word::Woke
                }
                None => return Err(zbus::Error::InputOutput(gone().into())),
            },
        };
        // Nobody hears it once the daemon ends.
        let _ = words.send(word);
    }
}

fn gone() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "the bus has gone")
}

/// A lock, unless this user may have none: then the computer waits for nobody, and says so all the same.
async fn lock(manager: &ManagerProxy<'_>, what: &str, why: &str) -> zbus::Result<Option<Lock>> {
    match manager.inhibit(what, "plated", why, "delay").await {
        Ok(handle) => Ok(Some(Lock { _handle: handle })),
        Err(zbus::Error::MethodError(name, text, _)) if !is_absent(&name) => {
            let text = text.unwrap_or_default();
            tracing::warn!(
                "The computer's {what} does not wait until reads are kept: logind refuses it ({name}: {text})."
            );
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

/// Logind is not there at all.
fn is_absent(name: &str) -> bool {
    ["org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner"].contains(&name)
        || name.starts_with("org.freedesktop.DBus.Error.Spawn")
}
