//! The side of the command line.

use super::server::Frame;
use super::service::{Answer, OfficerService};
use super::{Call, Reply, Request, sync};
use crate::config::Config;
use crate::provision;
use crate::store::{Key, Options, Store, refuse_damaged};
use plated_access::Actor;
use plated_core::clock::{Clock, TrustedClock};
use plated_core::error::{Context, Error, Kind, Result, opened};
use plated_hotlist::format::open_plain;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a command waits for its turn while others have the store or the daemon's attention.
const TURN_TIMEOUT: Duration = Duration::from_secs(30);

/// Has the daemon do it or, when none runs, does it on the store itself. Of several commands at once
/// each waits for its turn. `file` is what an import brings.
///
/// # Errors
/// What keeps it from being done.
pub fn call(
    config: &Config,
    clock: &Arc<dyn Clock>,
    asked: &Call,
    file: Option<&Path>,
    answer: Answer<'_>,
) -> Result<()> {
    let until = clock.monotonic() + TURN_TIMEOUT;
    let mut pause = Duration::from_millis(10);
    loop {
        match once(config, clock, asked, file, answer) {
            Err(Turn::NotYet(e)) if clock.monotonic() >= until => {
                return Err(e).context(Kind::Busy, || {
                    format!("waited {} s for its turn; try again when others are done", TURN_TIMEOUT.as_secs())
                });
            }
            // So long as nothing was begun, asking again does nothing twice.
            Err(Turn::NotYet(_)) => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(200));
            }
            Err(Turn::Failed(e)) => return Err(e),
            Ok(()) => return Ok(()),
        }
    }
}

/// Why a command was not done.
enum Turn {
    /// Somebody else has the store, or too many ask the daemon; nothing was begun.
    NotYet(Error),
    Failed(Error),
}

impl From<Error> for Turn {
    fn from(e: Error) -> Self {
        Self::Failed(e)
    }
}

fn once(
    config: &Config,
    clock: &Arc<dyn Clock>,
    asked: &Call,
    file: Option<&Path>,
    answer: Answer<'_>,
) -> Result<(), Turn> {
    let socket = config.control_socket();
    match UnixStream::connect(&socket) {
        Ok(stream) => {
            let mut replies = 0;
            let mut counted = |reply: Reply| {
                replies += 1;
                answer(reply)
            };
            match ask(&stream, &socket, asked, file, &mut counted) {
                Err(e) if e.kind() == Kind::Busy && replies == 0 => Err(Turn::NotYet(e)),
                done => Ok(done?),
            }
        }
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::ConnectionRefused) => {
            let key = Key::load(&config.store)?;
            if is_look(&asked.request) {
                refuse_damaged(&config.store.path, &key)?;
            }
            let trusted = TrustedClock::over(clock.clone());
            let clock: &Arc<dyn Clock> = &(trusted.clone() as Arc<dyn Clock>);
            let opened = Store::open(Options::from(config), &key, clock.clone());
            let (store, opened) = opened.map_err(|e| match e.kind() {
                Kind::Busy => Turn::NotYet(e),
                _ => Turn::Failed(e),
            })?;
            store.date(&trusted);
            if let Some(aside) = &opened.set_aside {
                let path = aside.path.display();
                tracing::error!(
                    %path, why = aside.why,
                    "The store was damaged. It was set aside and a new one begun. `plated store salvage` brings over \
                     what can still be read of it; the daemon does so by itself."
                );
            }
            let config = &*provision::in_force(config, &key);
            let service = Arc::new(OfficerService::open(config, store.clone(), clock.clone()));
            let done = match &asked.request {
                Request::Sync => {
                    sync::round(config, clock.clone(), &service).and_then(|round| sync::tell(round, answer))
                }
                Request::BeginSecondFactor { .. } | Request::ConfirmSecondFactor { .. } => Err(Error::new(
                    Kind::Missing,
                    "a second factor is set up while the daemon runs; start it first: plated run",
                )),
                _ => service.call(asked.clone(), Actor::of_this_process(), file, answer),
            };
            drop(service);
            store.close()?;
            Ok(done?)
        }
        Err(e) => Err(e).context(Kind::Refused, || {
            format!("could not reach the daemon at {}; are you in the group that may?", socket.display())
        })?,
    }
}

/// Nothing is changed by it but the record of who looked: then a damaged store stays where it is.
fn is_look(request: &Request) -> bool {
    matches!(
        request,
        Request::Status
            | Request::Show { .. }
            | Request::Search { .. }
            | Request::Hits { .. }
            | Request::Export { .. }
            | Request::Accounts { .. }
            | Request::ShowAudit { .. }
            | Request::ExportAudit { .. }
    )
}

fn ask(stream: &UnixStream, socket: &Path, asked: &Call, file: Option<&Path>, answer: Answer<'_>) -> Result<()> {
    let lost = || format!("the daemon at {} stopped answering; look whether it was done", socket.display());
    let line = serde_json::to_vec(asked).context(Kind::Internal, || "a request can't be written".into())?;
    let mut line = Zeroizing::new(line);
    line.push(b'\n');
    (&*stream).write_all(&line).context(Kind::Network, lost)?;
    if let (Some((_, bytes)), Some(path)) = (asked.request.file(), file) {
        let failed = || format!("could not read {}", path.display());
        let file = opened(open_plain(path), failed)?;
        // A daemon that refuses says so before it has all; its sentence is worth more than ours.
        let _ = std::io::copy(&mut file.take(bytes), &mut &*stream);
    }
    for line in BufReader::new(stream).lines() {
        let frame = serde_json::from_str(&line.context(Kind::Network, lost)?);
        match frame.context(Kind::Internal, || "the daemon is of another version than this program".into())? {
            Frame::Reply(reply) => answer(reply)?,
            Frame::Error { kind, message } => return Err(Error::new(kind, message)),
            Frame::End => return Ok(()),
        }
    }
    Err(Error::new(Kind::Network, lost()))
}
