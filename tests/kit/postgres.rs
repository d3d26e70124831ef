//! The real PostgreSQL of Debian's package, on a Unix socket in a folder of its own.

use super::process::{address, until};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// A server with databases for tests.
pub struct Postgres {
    dir: PathBuf,
    bin: PathBuf,
    server: Option<Child>,
    settings: Vec<String>,
    /// Names the socket in the folder too.
    port: u16,
    /// Removed with it, where it is not the one that all tests share.
    _dir: Option<TempDir>,
}

/// Fast instead of safe from power cuts, which no test has.
const FAST: &[&str] = &["fsync=off", "full_page_writes=off", "max_connections=300", "shared_buffers=128MB"];
/// As safe as in service; memory as on a machine of 8 GiB.
const DURABLE: &[&str] = &["fsync=on", "shared_buffers=2GB", "max_wal_size=8GB", "maintenance_work_mem=512MB"];

/// The server that the tests of one program share. It ends with the program, however that ends.
static SHARED: LazyLock<Option<Postgres>> = LazyLock::new(|| {
    let dir = tempfile::Builder::new().prefix("plated-pg-").tempdir().unwrap().keep();
    Postgres::make(dir, None, of(FAST), &[])
});

impl Postgres {
    /// The one for all tests of this program; none, and a line that says so, where PostgreSQL is not installed.
    pub fn shared() -> Option<&'static Self> {
        let server = SHARED.as_ref();
        if server.is_none() {
            // The place is written past the test program, which keeps what a passing test says to itself.
            let line = "SKIPPED: PostgreSQL 15 or newer is not installed; .ci/setup installs it\n";
            let _ = std::fs::OpenOptions::new()
                .append(true)
                .open("/dev/stderr")
                .and_then(|mut stderr| std::io::Write::write_all(&mut stderr, line.as_bytes()));
            assert!(std::env::var_os("CI").is_none(), "{line}");
        }
        server
    }

    /// One that a test has for itself, and may stop.
    pub fn own() -> Option<Self> {
        Self::shared()?;
        let dir = tempfile::Builder::new().prefix("plated-pg-").tempdir().unwrap();
        Self::make(dir.path().to_owned(), Some(dir), of(FAST), &[])
    }

    /// One for a test that is reached by TCP too, over TLS where a certificate and its key are given.
    pub fn by_tcp(tls: Option<(&Path, &Path)>) -> Option<Self> {
        Self::shared()?;
        let dir = tempfile::Builder::new().prefix("plated-pg-").tempdir().unwrap();
        let mut settings = of(FAST);
        settings.push("listen_addresses=127.0.0.1".into());
        let mut files = Vec::new();
        if let Some((certificate, key)) = tls {
            for (setting, from, name) in [("ssl_cert_file", certificate, "tls.crt"), ("ssl_key_file", key, "tls.key")] {
                let to = dir.path().join(name);
                std::fs::copy(from, &to).unwrap();
                std::fs::set_permissions(&to, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
                settings.push(format!("{setting}={}", to.display()));
                files.push(to);
            }
            settings.push("ssl=on".into());
        }
        Self::make(dir.path().to_owned(), Some(dir), settings, &files)
    }

    /// Its port, where it is reached by TCP.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its folder, in which it may make tablespaces.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// One for figures, which syncs what it commits.
    pub fn durable() -> Option<Self> {
        let dir = tempfile::Builder::new().prefix("plated-pg-").tempdir().unwrap();
        Self::make(dir.path().to_owned(), Some(dir), of(DURABLE), &[])
    }

    /// With files of its own besides, which have to belong to it.
    fn make(dir: PathBuf, temporary: Option<TempDir>, settings: Vec<String>, files: &[PathBuf]) -> Option<Self> {
        let newest = |path: PathBuf| Some((path.file_name()?.to_str()?.parse::<u32>().ok()?, path.join("bin")));
        let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let found = installed.filter_map(|entry| newest(entry.path())).filter(|(_, bin)| bin.join("initdb").exists());
        let Some((_, bin)) = found.filter(|(version, _)| *version >= 15).max() else {
            if temporary.is_none() {
                let _ = std::fs::remove_dir_all(&dir);
            }
            return None;
        };
        let mut server = Self { dir, bin, server: None, settings, port: address().port(), _dir: temporary };
        server.own_path(&server.dir);
        files.iter().for_each(|file| server.own_path(file));
        let data = server.data();
        let init = ["--username=plated", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"];
        run(server.command("initdb").args(init).arg(data));
        server.start();
        Some(server)
    }

    /// Gives it a file or a folder.
    pub fn own_path(&self, path: &Path) {
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(path));
        }
    }

    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// A program of PostgreSQL; it refuses to run as root.
    fn command(&self, program: &str) -> Command {
        let path = self.bin.join(program);
        if !is_root() {
            return Command::new(path);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(path);
        command
    }

    /// Starts it, and waits until it answers.
    pub fn start(&mut self) {
        assert!(self.server.is_none());
        let server = self.command("postgres");
        let words: Vec<_> = std::iter::once(server.get_program()).chain(server.get_args()).collect();
        // A shell ends it when its own input ends, as it does however this program ends.
        let script = "dir=$1; gone=$2; shift 2; \"$@\" & server=$!; read -r line; kill -QUIT $server; wait $server; \
                      [ $gone = no ] || rm -rf \"$dir\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(&self.dir).arg(if self._dir.is_some() { "no" } else { "yes" });
        command.args(words).arg("-D").arg(self.data()).arg("-k").arg(&self.dir);
        let always = ["listen_addresses=".to_owned(), format!("port={}", self.port)];
        // What comes later counts.
        always.iter().chain(&self.settings).for_each(|setting| {
            command.arg("-c").arg(setting);
        });
        let log = std::fs::File::options().create(true).append(true).open(self.dir.join("log")).unwrap();
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(log);
        self.server = Some(command.spawn().unwrap());
        until("PostgreSQL to answer", || {
            let ready = self
                .command("pg_isready")
                .arg("-q")
                .arg("-h")
                .arg(&self.dir)
                .arg("-p")
                .arg(self.port.to_string())
                .status()
                .unwrap();
            ready.success().then_some(())
        });
    }

    /// Stops it at once, as when its process is killed.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            drop(server.stdin.take());
            server.wait().unwrap();
        }
    }

    /// The URL of a new and empty database.
    pub fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {name} STRATEGY file_copy");
        self.sql("postgres", &create);
        self.url(&name)
    }

    /// The URL of this database.
    pub fn url(&self, name: &str) -> String {
        format!("postgresql://plated@{}:{}/{name}", self.dir.display().to_string().replace('/', "%2F"), self.port)
    }

    /// What a statement prints in a database.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = self.command("psql");
        psql.args(["-U", "plated", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql]);
        let output = psql.arg("-h").arg(&self.dir).arg("-p").arg(self.port.to_string()).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The name of the database in a URL of [`Postgres::database`].
pub fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

fn of(settings: &[&str]) -> Vec<String> {
    settings.iter().map(|setting| (*setting).to_owned()).collect()
}

fn is_root() -> bool {
    Path::new("/proc/self").exists()
        && std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").unwrap()) == 0
}

fn run(command: &mut Command) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut error = String::new();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert!(child.wait().unwrap().success(), "{command:?}: {error}");
}
