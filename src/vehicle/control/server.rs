//! The daemon's socket. The kernel says who is at the other end; the socket's mode says who may
//! come at all.

use super::pace::Paced;
use super::{OfficerService, Reply, Request};
use crate::lists::IncomingFile;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::thread::Service;
use plated_core::user::SystemUser;
use serde::{Deserialize, Serialize};
use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;

/// Callers that are served at the same time; the next one is told to come again.
const MAX_CALLERS: usize = 8;
/// Callers whose request is still arriving. They hold up nobody else.
const MAX_ARRIVING: usize = 32;
/// Lists that are arriving at the same time.
const MAX_ARRIVING_FILES: usize = 4;
/// Longest request, without the file that may follow it.
const MAX_REQUEST: u64 = 64 << 10;
/// Largest file of a list.
const MAX_FILE: u64 = 4 << 30;
/// How much a caller may be slower in all than the slowest [pace](Paced), while it sends its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// The same while it takes the answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A line of an answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Frame {
    /// One of the replies.
    Reply(Reply),
    /// It was not done.
    Error {
        /// The sort of failure.
        kind: Kind,
        /// The sentence.
        said: String,
    },
    /// There are no more replies.
    End,
}

/// The socket at work; dropping it ends it.
pub struct Server {
    _service: Service<oneshot::Sender<()>>,
}

impl Server {
    /// Listens at `path`. A socket at which nobody listens is of a daemon that is gone, and is replaced.
    ///
    /// # Errors
    /// `Refused` when somebody listens there, `Storage` when the socket can't be made.
    pub fn start(path: &Path, desk: Arc<OfficerService>) -> Result<Self> {
        let failed = || format!("could not listen for the command line at {}", path.display());
        if std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket()) {
            if UnixStream::connect(path).is_ok() {
                let said = format!("another program listens at {}; set control.socket to another path", path.display());
                return Err(Error::new(Kind::Refused, said));
            }
            std::fs::remove_file(path).context(Kind::Storage, failed)?;
        }
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context(Kind::Internal, failed)?;
        let listener = {
            let _in = runtime.enter();
            tokio::net::UnixListener::bind(path).context(Kind::Storage, failed)?
        };
        std::fs::set_permissions(path, Permissions::from_mode(0o660)).context(Kind::Storage, failed)?;
        let (stop, mut stopped) = oneshot::channel::<()>();
        let socket = path.to_owned();
        let run = move || {
            let places = Arc::default();
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = &mut stopped => return,
                        come = listener.accept() => match come {
                            Ok((stream, _)) => {
                                if let Err(e) = receive(stream, &desk, &places) {
                                    tracing::warn!("A caller of the command line could not be served: {e}");
                                }
                            }
                            Err(e) => {
                                tracing::warn!("The socket for the command line failed: {e}");
                                // It fails again at once while the process is out of file handles.
                                tokio::time::sleep(Duration::from_secs(1)).await;
                            }
                        },
                    }
                }
            });
            let _ = std::fs::remove_file(socket); // The next daemon does it otherwise.
        };
        Ok(Self { _service: Service::start("control", "The socket for the command line", stop, run)? })
    }
}

/// Gives a caller a thread of its own.
fn receive(stream: tokio::net::UnixStream, desk: &Arc<OfficerService>, places: &Arc<Places>) -> std::io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    let Some(arriving) = Place::take(places, |p| &p.arriving, MAX_ARRIVING) else {
        return send(&mut Paced::new(&stream, Duration::from_millis(10)), &busy());
    };
    let (desk, places) = (Arc::clone(desk), Arc::clone(places));
    std::thread::Builder::new().name("caller".into()).spawn(move || {
        let mut output = Paced::new(&stream, ANSWER_TIMEOUT);
        let last = match serve(&stream, uid, &desk, &places, arriving, &mut output) {
            Ok(()) => Frame::End,
            Err(e) => Frame::Error { kind: e.kind(), said: e.chain() },
        };
        // A caller that went away has nothing to hear.
        let _ = send(&mut output, &last);
    })?;
    Ok(())
}

fn busy() -> Frame {
    Frame::Error { kind: Kind::Busy, said: TOO_MANY.into() }
}

const TOO_MANY: &str = "too many others are asking; try again";

/// How many callers there are.
#[derive(Debug, Default)]
struct Places {
    arriving: AtomicUsize,
    files: AtomicUsize,
    served: AtomicUsize,
}

/// A caller's place, free again however its thread ends.
struct Place {
    places: Arc<Places>,
    of: fn(&Places) -> &AtomicUsize,
}

impl Place {
    fn take(places: &Arc<Places>, of: fn(&Places) -> &AtomicUsize, most: usize) -> Option<Self> {
        let place = Self { places: Arc::clone(places), of };
        (of(places).fetch_add(1, Ordering::AcqRel) < most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        (self.of)(&self.places).fetch_sub(1, Ordering::AcqRel);
    }
}

fn serve(
    stream: &UnixStream,
    uid: u32,
    desk: &OfficerService,
    places: &Arc<Places>,
    arriving: Place,
    output: &mut Paced<'_>,
) -> Result<()> {
    let mut input = BufReader::new(Paced::new(stream, REQUEST_TIMEOUT));
    let mut line = Vec::new();
    let said = || "the request did not arrive whole".to_owned();
    (&mut input).take(MAX_REQUEST).read_until(b'\n', &mut line).context(Kind::Network, said)?;
    let request: Request = serde_json::from_slice(&line).context(Kind::Input, || {
        "the request is not one that this daemon knows; is the program of the same version?".into()
    })?;
    let too_many = || Error::new(Kind::Busy, TOO_MANY);
    let file = match &request {
        Request::Import { file, bytes, .. } => {
            let _place = Place::take(places, |p| &p.files, MAX_ARRIVING_FILES).ok_or_else(too_many)?;
            Some(spool(&mut input, desk, file, *bytes)?)
        }
        _ => None,
    };
    drop(arriving);
    let _place = Place::take(places, |p| &p.served, MAX_CALLERS).ok_or_else(too_many)?;
    // Here, since a directory service may take its time.
    let who = SystemUser::of_uid(uid);
    let mut answer =
        |reply| send(output, &Frame::Reply(reply)).context(Kind::Network, || "the caller went away".to_owned());
    desk.answer(request, &who, file.as_ref().map(IncomingFile::path), &mut answer)
}

fn send(output: &mut Paced<'_>, frame: &Frame) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(frame)?;
    line.push(b'\n');
    output.write_all(&line)
}

/// Takes in the file that follows a request.
fn spool(input: &mut impl Read, desk: &OfficerService, name: &str, bytes: u64) -> Result<IncomingFile> {
    if bytes > MAX_FILE {
        return Err(Error::new(Kind::Input, "the list is larger than 4 GiB"));
    }
    let failed = || "could not take in the list's file".to_owned();
    let name = Path::new(name)
        .file_name()
        .filter(|n| *n == name)
        .ok_or_else(|| Error::new(Kind::Input, "the name of the list's file must be a plain one, without folder"))?;
    let incoming = desk.incoming(name)?;
    let mut file = File::create_new(incoming.path()).context(Kind::Storage, failed)?;
    let copied = std::io::copy(&mut input.take(bytes), &mut file).context(Kind::Storage, failed)?;
    if copied < bytes {
        return Err(Error::new(Kind::Network, "the list's file did not arrive whole"));
    }
    Ok(incoming)
}
