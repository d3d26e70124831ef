//! A D-Bus of the test's own, and on it what logind says and is asked, by its real protocol: the real one wants to be
//! started by systemd.

use super::process::until;
use std::io::Read;
use std::os::fd::OwnedFd as Handle;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;
use zbus::Connection;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedFd;

const PATH: &str = "/org/freedesktop/login1";

/// The bus and logind; both end when it is dropped.
pub struct Logind {
    bus: Child,
    address: String,
    locks: Locks,
    connection: Option<Connection>,
    runtime: Runtime,
}

/// What is held up, and this end of the handle that was given out.
type Locks = Arc<Mutex<Vec<(String, UnixStream)>>>;

struct Manager(Locks);

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    fn inhibit(&self, what: &str, who: &str, why: &str, mode: &str) -> zbus::fdo::Result<OwnedFd> {
        if who != "plated" || why.is_empty() || mode != "delay" {
            return Err(zbus::fdo::Error::InvalidArgs("not so".into()));
        }
        let (here, given) = UnixStream::pair().unwrap();
        here.set_nonblocking(true).unwrap();
        self.0.lock().unwrap().push((what.to_owned(), here));
        Ok(Handle::from(given).into())
    }

    #[zbus(signal)]
    async fn prepare_for_shutdown(emitter: &SignalEmitter<'_>, start: bool) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn prepare_for_sleep(emitter: &SignalEmitter<'_>, start: bool) -> zbus::Result<()>;
}

impl Logind {
    /// None, and a line that says so, where there is no dbus-daemon.
    pub fn start(dir: &Path) -> Option<Self> {
        let (config, socket) = (dir.join("bus.conf"), dir.join("bus"));
        let text = format!(
            "<busconfig><type>system</type><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context=\"default\">\
             <allow user=\"*\"/><allow own=\"*\"/><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/></policy></busconfig>",
            socket.display()
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new("dbus-daemon");
        command.arg("--nofork").arg(format!("--config-file={}", config.display())).stdin(Stdio::null());
        let bus = match command.spawn() {
            Ok(bus) => bus,
            Err(e) => {
                eprintln!("SKIPPED: there is no dbus-daemon ({e}); .ci/setup installs it");
                return None;
            }
        };
        until("the bus", || UnixStream::connect(&socket).ok());
        let address = format!("unix:path={}", socket.display());
        let mut logind =
            Self { bus, address, locks: Locks::default(), connection: None, runtime: Runtime::new().unwrap() };
        logind.begin();
        Some(logind)
    }

    fn begin(&mut self) {
        let (address, manager) = (self.address.clone(), Manager(self.locks.clone()));
        let made = self.runtime.block_on(async {
            let builder = zbus::connection::Builder::address(&*address)?;
            builder.name("org.freedesktop.login1")?.serve_at(PATH, manager)?.build().await
        });
        self.connection = Some(made.unwrap());
    }

    /// Where the bus is, as `DBUS_SYSTEM_BUS_ADDRESS` names it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether the shutdown, or the sleep, is held up.
    pub fn is_held(&self, what: &str) -> bool {
        let mut locks = self.locks.lock().unwrap();
        // The other end was closed: whoever had it let go.
        locks.retain_mut(|(_, here)| !matches!(here.read(&mut [0]), Ok(0)));
        locks.iter().any(|(held, _)| held == what)
    }

    /// Waits until it is held up.
    pub fn wait_held(&self, what: &str) {
        until(&format!("the lock on {what}"), || self.is_held(what).then_some(()));
    }

    /// Waits until nobody holds it up.
    pub fn wait_free(&self, what: &str) {
        until(&format!("the end of the lock on {what}"), || (!self.is_held(what)).then_some(()));
    }

    /// Says that the computer is about to shut down.
    pub fn shuts_down(&self) {
        let emitter = self.emitter();
        self.runtime.block_on(Manager::prepare_for_shutdown(&emitter, true)).unwrap();
    }

    /// Says that it is about to sleep, or that it woke.
    pub fn sleeps(&self, start: bool) {
        let emitter = self.emitter();
        self.runtime.block_on(Manager::prepare_for_sleep(&emitter, start)).unwrap();
    }

    fn emitter(&self) -> SignalEmitter<'static> {
        SignalEmitter::new(self.connection.as_ref().unwrap(), PATH).unwrap().to_owned()
    }
}

impl Drop for Logind {
    fn drop(&mut self) {
        self.connection = None;
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}
