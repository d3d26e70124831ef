//! The daemon's socket. The kernel says who is at the other end; the socket's mode says who may
//! come at all.

use super::pace::Paced;
use super::{Call, OfficerService, Reply};
use crate::health::Level;
use crate::lists::IncomingFile;
use plated_access::Actor;
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::inode::InodeWatch;
use plated_core::runtime::Task;
use plated_core::shutdown::Shutdown;
use plated_core::text::sentence;
use plated_core::user::SystemUser;
use serde::{Deserialize, Serialize};
use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener as SyncListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use zeroize::Zeroize;

/// Callers that are served at the same time; the next one is told to come again.
const MAX_CALLERS: usize = 8;
/// Callers whose request is still arriving. They hold up nobody else.
const MAX_ARRIVING: usize = 32;
/// Lists that are arriving at the same time.
const MAX_ARRIVING_FILES: usize = 4;
/// Longest request, without the file that may follow it: the hashes of some thousand files on a medium.
const MAX_REQUEST: u64 = 256 << 10;
/// Largest file of a list.
const MAX_FILE: u64 = 4 << 30;
/// How much a caller may be slower in all than the slowest [pace](Paced), while it sends its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// The same while it takes the answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How often it is looked whether the socket is still in its place.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Wait after a failed accept. Mostly the process is out of file handles, and the next one would fail at once, again
/// and again, on a thread that others need; callers stay in the socket's queue meanwhile and hear nothing of it.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

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
        message: String,
    },
    /// There are no more replies.
    End,
}

/// The socket at work; dropping it ends it.
pub struct Server {
    socket: PathBuf,
    task: Option<Task>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.take();
        // One at which somebody listens is of another program, put in its place.
        if UnixStream::connect(&self.socket).is_err() {
            let _ = std::fs::remove_file(&self.socket); // The next daemon does it otherwise.
        }
    }
}

impl Server {
    /// Listens at `path` until `stop` is asked for. A socket at which nobody listens is of a daemon that
    /// is gone, and is replaced.
    ///
    /// # Errors
    /// `Refused` when somebody listens there, `Storage` when the socket can't be made.
    pub fn start(path: &Path, service: Arc<OfficerService>, runtime: &Handle, stop: &Shutdown) -> Result<Self> {
        let (listener, watch) = bind(path)?;
        let listener = {
            let _in = runtime.enter();
            UnixListener::from_std(listener).context(Kind::Internal, || failed(path))?
        };
        service.report("control", Level::Ok, answered(path));
        let (anew, replaced) = mpsc::channel(1);
        let kept = keep(path.to_owned(), watch, anew, Arc::clone(&service));
        let work = async move { tokio::join!(accept(listener, replaced, service), kept).0 };
        let task = Task::start(runtime, "The socket for the command line", stop, work);
        Ok(Self { socket: path.to_owned(), task: Some(task) })
    }
}

fn failed(path: &Path) -> String {
    format!("could not listen for the command line at {}", path.display())
}

fn answered(path: &Path) -> String {
    format!("the command line is answered at {}", path.display())
}

/// Makes the socket, and notes which file it is.
fn bind(path: &Path) -> Result<(SyncListener, InodeWatch)> {
    if std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket()) {
        if UnixStream::connect(path).is_ok() {
            let message = format!("another program listens at {}; set control.socket to another path", path.display());
            return Err(Error::new(Kind::Refused, message));
        }
        std::fs::remove_file(path).context(Kind::Storage, || failed(path))?;
    }
    let listener = SyncListener::bind(path).context(Kind::Storage, || failed(path))?;
    listener.set_nonblocking(true).context(Kind::Internal, || failed(path))?;
    std::fs::set_permissions(path, Permissions::from_mode(0o660)).context(Kind::Storage, || failed(path))?;
    Ok((listener, InodeWatch::of([path.to_owned()])?))
}

/// Makes the socket anew when it was removed or replaced: nobody would find the daemon any more.
async fn keep(path: PathBuf, mut watch: InodeWatch, anew: mpsc::Sender<SyncListener>, service: Arc<OfficerService>) {
    let mut reported = false;
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        let at = path.clone();
        // Elsewhere, since the disk may hang.
        let looked = tokio::task::spawn_blocking(move || {
            let displaced = watch.displaced();
            let made = displaced.is_some().then(|| bind(&at));
            (watch, displaced.unwrap_or_default(), made)
        });
        let Ok((before, why, made)) = looked.await else { return };
        watch = before;
        match made {
            None => {}
            Some(Ok((listener, now))) => {
                tracing::warn!("The socket for the command line was made anew: {why}.");
                (watch, reported) = (now, false);
                let _ = anew.send(listener).await; // It is heard as long as this goes on.
                service.report("control", Level::Ok, answered(&path));
            }
            Some(Err(e)) => {
                let text = format!("the command line is not answered, {why}: {}", e.chain());
                if !std::mem::replace(&mut reported, true) {
                    tracing::error!("{}", sentence(&text));
                }
                service.report("control", Level::Failed, text);
            }
        }
    }
}

async fn accept(mut listener: UnixListener, mut anew: mpsc::Receiver<SyncListener>, service: Arc<OfficerService>) {
    let (places, mut failed) = (Arc::default(), false);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(new) = anew.recv() => match UnixListener::from_std(new) {
                Ok(new) => {
                    listener = new;
                    continue;
                }
                Err(e) => Err(e),
            },
        };
        match accepted {
            Ok((stream, _)) => {
                if std::mem::take(&mut failed) {
                    service.report("control", Level::Ok, "the command line is answered again".into());
                }
                if let Err(e) = receive(stream, &service, &places) {
                    tracing::warn!("A caller of the command line could not be served: {e}");
                }
            }
            Err(e) => {
                if !std::mem::replace(&mut failed, true) {
                    tracing::warn!("The socket for the command line failed: {e}");
                }
                service.report("control", Level::Degraded, format!("the command line is not answered: {e}"));
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Gives a caller a thread of its own.
fn receive(stream: tokio::net::UnixStream, service: &Arc<OfficerService>, places: &Arc<Places>) -> std::io::Result<()> {
    let uid = stream.peer_cred()?.uid();
    let stream = stream.into_std()?;
    let Some(arriving) = Place::take(places, |p| &p.arriving, MAX_ARRIVING) else {
        // Without waiting for the caller: this thread belongs to all.
        return (&stream).write_all(&line(&busy())?);
    };
    stream.set_nonblocking(false)?;
    let (service, places) = (Arc::clone(service), Arc::clone(places));
    std::thread::Builder::new().name("caller".into()).spawn(move || {
        let mut output = Paced::new(&stream, ANSWER_TIMEOUT);
        let last = match serve(&stream, uid, &service, &places, arriving, &mut output) {
            Ok(()) => Frame::End,
            Err(e) => Frame::Error { kind: e.kind(), message: e.chain() },
        };
        // A caller that went away has nothing to hear.
        let _ = send(&mut output, &last);
    })?;
    Ok(())
}

fn busy() -> Frame {
    Frame::Error { kind: Kind::Busy, message: TOO_MANY.into() }
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
    service: &OfficerService,
    places: &Arc<Places>,
    arriving: Place,
    output: &mut Paced<'_>,
) -> Result<()> {
    let mut input = BufReader::new(Paced::new(stream, REQUEST_TIMEOUT));
    let mut line = Vec::new();
    let message = || "the request did not arrive whole".to_owned();
    (&mut input).take(MAX_REQUEST).read_until(b'\n', &mut line).context(Kind::Network, message)?;
    let call: Call = serde_json::from_slice(&line).context(Kind::Input, || {
        "the request is not one that this daemon knows; is the program of the same version?".into()
    })?;
    let too_many = || Error::new(Kind::Busy, TOO_MANY);
    line.zeroize();
    let file = match call.request.file() {
        Some((file, bytes)) => {
            let _place = Place::take(places, |p| &p.files, MAX_ARRIVING_FILES).ok_or_else(too_many)?;
            Some(spool(&mut input, service, file, bytes)?)
        }
        None => None,
    };
    drop(arriving);
    let _place = Place::take(places, |p| &p.served, MAX_CALLERS).ok_or_else(too_many)?;
    // Here, since a directory service may take its time.
    let who = Actor::SystemUser(SystemUser::of_uid(uid));
    let mut answer =
        |reply| send(output, &Frame::Reply(reply)).context(Kind::Network, || "the caller went away".to_owned());
    service.call(call, who, file.as_ref().map(IncomingFile::path), &mut answer)
}

fn send(output: &mut Paced<'_>, frame: &Frame) -> std::io::Result<()> {
    output.write_all(&line(frame)?)
}

fn line(frame: &Frame) -> std::io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(frame)?;
    line.push(b'\n');
    Ok(line)
}

/// Takes in the file that follows a request.
fn spool(input: &mut impl Read, service: &OfficerService, name: &str, bytes: u64) -> Result<IncomingFile> {
    if bytes > MAX_FILE {
        return Err(Error::new(Kind::Input, "the file is larger than 4 GiB"));
    }
    let failed = || "could not take in the file".to_owned();
    let name = Path::new(name)
        .file_name()
        .filter(|n| *n == name)
        .ok_or_else(|| Error::new(Kind::Input, "the name of the file must be a plain one, without folder"))?;
    let incoming = service.incoming(name)?;
    // Not by `durable`: it goes when the answer is given, and an import writes its own copy by it.
    let mut file = File::create_new(incoming.path()).context(Kind::Storage, failed)?;
    let copied = std::io::copy(&mut input.take(bytes), &mut file).context(Kind::Storage, failed)?;
    if copied < bytes {
        return Err(Error::new(Kind::Network, "the file did not arrive whole"));
    }
    Ok(incoming)
}
