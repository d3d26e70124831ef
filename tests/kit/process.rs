//! The real programs as child processes, and what they say.

use super::Depot;
use plated_core::record::{HitRecord, ReadRecord};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Longer than anything takes on a busy machine; nothing waits for it when all goes well.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Looks again and again until `what` is there.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A line of `plated run --json`.
#[derive(Clone, Debug)]
pub enum Line {
    Read(Box<ReadRecord>),
    Hit { hit: Box<HitRecord>, read: Uuid, sounded: bool },
    Summary(Value),
}

impl Line {
    fn parse(text: &str) -> Self {
        let mut value: Value = serde_json::from_str(text).unwrap();
        if value.get("summary").is_some() {
            return Line::Summary(value["summary"].take());
        }
        if value.get("hit").is_some() {
            return Line::Hit {
                hit: Box::new(serde_json::from_value(value["hit"].take()).unwrap()),
                read: serde_json::from_value(value["read"].take()).unwrap(),
                sounded: value["sounded"].as_bool().unwrap(),
            };
        }
        Line::Read(Box::new(serde_json::from_value(value["read"].take()).unwrap()))
    }
}

/// A running `plated run --json`. Killed when dropped.
pub struct Daemon {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
    lines: Vec<Line>,
    log: String,
}

/// A daemon that has ended, and all it ever said.
pub struct Ended {
    pub status: ExitStatus,
    pub lines: Vec<Line>,
    pub log: String,
}

impl Daemon {
    /// Starts it in `dir`, where `plated.toml` and `asound.conf` are.
    pub fn start(dir: &Path, args: &[&str]) -> Self {
        Self::run(dir, &mut Command::new(env!("CARGO_BIN_EXE_plated")), args)
    }

    /// The same as a service manager starts it, which listens at `socket`.
    pub fn start_as_service(dir: &Path, socket: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        Self::run(dir, command.env("NOTIFY_SOCKET", socket).env("WATCHDOG_USEC", "30000000"), args)
    }

    /// The same where the system's bus is at this address.
    pub fn start_on_bus(dir: &Path, address: &str, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated"));
        Self::run(dir, command.env("DBUS_SYSTEM_BUS_ADDRESS", address), args)
    }

    /// The same where no file may grow past so many KiB, as if the disk were full.
    pub fn start_on_full_disk(dir: &Path, kib: u32, args: &[&str]) -> Self {
        let shell = format!("trap '' XFSZ; ulimit -S -f {}; exec \"$0\" \"$@\"", 2 * kib);
        Self::run(dir, Command::new("sh").args(["-c", &shell, env!("CARGO_BIN_EXE_plated")]), args)
    }

    fn run(dir: &Path, command: &mut Command, args: &[&str]) -> Self {
        command.args(["run", "--json", "--config"]).arg(dir.join("plated.toml")).args(args);
        command.env("ALSA_CONFIG_PATH", dir.join("asound.conf")).env("XDG_RUNTIME_DIR", dir);
        for name in ["PLATED_LOG", "JOURNAL_STREAM", "CREDENTIALS_DIRECTORY"] {
            command.env_remove(name);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (out, err) = (lines(child.stdout.take().unwrap()), lines(child.stderr.take().unwrap()));
        Self { child, out, err, lines: Vec::new(), log: String::new() }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line it prints; `None` once there are no more.
    pub fn next(&mut self) -> Option<Line> {
        match self.out.recv_timeout(PATIENCE) {
            Ok(line) => {
                let line = Line::parse(&line);
                self.lines.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the daemon prints nothing any more: {}", self.log()),
        }
    }

    /// Waits for the next such line.
    pub fn wait_for(&mut self, wanted: impl Fn(&Line) -> bool) -> Line {
        loop {
            match self.next() {
                Some(line) if wanted(&line) => return line,
                Some(_) => {}
                None => panic!("the daemon ended: {}", self.log()),
            }
        }
    }

    /// Waits until so many reads were announced since the start.
    pub fn wait_reads(&mut self, count: usize) {
        while self.announced() < count {
            assert!(self.next().is_some(), "the daemon ended: {}", self.log());
        }
    }

    /// Reads announced up to now.
    pub fn announced(&mut self) -> usize {
        while let Ok(line) = self.out.try_recv() {
            self.lines.push(Line::parse(&line));
        }
        self.lines.iter().filter(|l| matches!(l, Line::Read(_))).count()
    }

    /// Hits shown up to now.
    pub fn hits(&mut self) -> usize {
        self.announced();
        self.lines.iter().filter(|l| matches!(l, Line::Hit { .. })).count()
    }

    /// Waits until `text` is in a line of the log, which is given.
    pub fn wait_log(&mut self, text: &str) -> String {
        loop {
            if let Some(line) = self.log.lines().find(|l| l.contains(text)) {
                return line.to_owned();
            }
            match self.err.recv_timeout(PATIENCE) {
                Ok(line) => self.log.push_str(&line),
                Err(_) => panic!("\"{text}\" was not said in: {}", self.log),
            }
        }
    }

    /// What it has said on stderr up to now.
    pub fn log(&mut self) -> &str {
        self.log.extend(self.err.try_iter());
        &self.log
    }

    /// Gives the disk room again.
    pub fn free_disk(&self) {
        let pid = self.id().to_string();
        let status = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).status().unwrap();
        assert!(status.success());
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGTERM, and the end in order.
    pub fn terminate(self) -> Ended {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        self.end()
    }

    /// SIGKILL: no part of it gets to do anything any more.
    pub fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        self.end()
    }

    /// Waits for its own end.
    pub fn end(mut self) -> Ended {
        while self.next().is_some() {}
        while let Ok(line) = self.err.recv_timeout(PATIENCE) {
            self.log.push_str(&line);
        }
        let status = until("the daemon's end", || self.child.try_wait().unwrap());
        Ended { status, lines: std::mem::take(&mut self.lines), log: std::mem::take(&mut self.log) }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Ended well, or the log says why not.
    pub fn well(self) -> Self {
        assert!(self.status.success(), "{}: {}", self.status, self.log);
        self
    }

    pub fn reads(&self) -> impl Iterator<Item = &ReadRecord> {
        self.lines.iter().filter_map(|l| if let Line::Read(read) = l { Some(&**read) } else { None })
    }

    pub fn hits(&self) -> impl Iterator<Item = (&HitRecord, Uuid, bool)> {
        self.lines.iter().filter_map(|l| match l {
            Line::Hit { hit, read, sounded } => Some((&**hit, *read, *sounded)),
            _ => None,
        })
    }

    pub fn summary(&self) -> &Value {
        self.lines.iter().find_map(|l| if let Line::Summary(s) = l { Some(s) } else { None }).unwrap()
    }

    /// Lines of the log at this level.
    pub fn at(&self, level: &str) -> Vec<&str> {
        self.log.lines().filter(|l| l.contains(&format!(" {level} "))).collect()
    }
}

/// The lines of a stream as they come, on a thread of their own. What a killed process left
/// half written was not said.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while stream.read_line(&mut line).is_ok() && line.ends_with('\n') {
            if send.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    receive
}

/// A running `plated-station run`. Killed (SIGKILL) when dropped.
pub struct Station(pub Child);

impl Station {
    /// On an address of its choice.
    pub fn start(depot: &Depot) -> (Self, SocketAddr) {
        Self::start_at(depot, "127.0.0.1:0".parse().unwrap())
    }

    /// On this address. Returns once it listens.
    pub fn start_at(depot: &Depot, address: SocketAddr) -> (Self, SocketAddr) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        Self::run(command.args(["run", "--config"]).arg(depot.file_at(address)))
    }

    /// The same, and where its log is.
    pub fn start_with_log(depot: &Depot) -> (Self, SocketAddr, PathBuf) {
        let log = depot.dir.path().join("station.log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        command.args(["run", "--config"]).arg(depot.file()).env_remove("JOURNAL_STREAM").env_remove("PLATED_LOG");
        let (station, address) = Self::spawn(command.stderr(File::create(&log).unwrap()));
        (station, address, log)
    }

    pub fn run(command: &mut Command) -> (Self, SocketAddr) {
        Self::spawn(command.stderr(Stdio::null()))
    }

    fn spawn(command: &mut Command) -> (Self, SocketAddr) {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on https://").unwrap().parse().unwrap();
        (Self(child), address)
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address for a station that comes and goes. Its port is none that the system gives away by
/// itself meanwhile.
pub fn address() -> SocketAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let n = std::process::id().wrapping_mul(17).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let address = SocketAddr::from(([127, 0, 0, 1], 20_000 + (n % 10_000) as u16));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
