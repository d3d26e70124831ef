//! PostgreSQL: connections, transactions, and what its errors mean.
//!
//! Everything here blocks: a runtime of its own does the work, and whoever calls is on a thread that may wait. What goes
//! wrong is told by its SQLSTATE only; the server's own words can hold values of rows.

mod failure;
mod schema;

pub(crate) use failure::PgContext;
pub(crate) use schema::schema_of;

use crate::reach::Reach;
use crate::rows::Rows;
use bytes::Bytes;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Transaction};
use futures_util::{SinkExt, StreamExt};
use plated_core::error::{Context, Error, Kind, Result};
use plated_core::tls;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, IsolationLevel, NoTls, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long a connection may take to be made, and a request may wait for a free one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection on which the server says nothing for so long is given up.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);
/// What each connection is set to. A receipt must not outlive its reads; plans are made for the parts that are asked
/// for; whoever waits for a lock comes again rather than for ever.
const SETTINGS: &str = "-c synchronous_commit=on -c plan_cache_mode=force_custom_plan -c lock_timeout=30s \
                        -c idle_in_transaction_session_timeout=10min -c client_min_messages=warning";
/// The oldest server that will do.
const MIN_VERSION: i32 = 150_000;
/// Threads of the runtime. They only wait for the network.
const THREADS: usize = 2;
/// Rows that are copied travel in pieces of this size.
const COPY_BYTES: usize = 64 << 10;

/// How a server is reached.
#[derive(Clone)]
pub struct ServerOptions {
    /// `postgresql://USER:PASSWORD@HOST/DATABASE`. Never shown.
    pub url: String,
    /// PEM file of the authority of the server's certificate.
    pub ca: Option<PathBuf>,
    /// Most connections.
    pub connections: usize,
}

impl std::fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerOptions").field("ca", &self.ca).finish_non_exhaustive()
    }
}

/// A server with the station's tables.
pub struct Server {
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
    pool: Pool,
    reach: Reach,
}

/// One transaction.
pub struct Tx<'a> {
    handle: &'a Handle,
    transaction: Transaction<'a>,
}

/// Locks that all stations on one server share. Each ends with its transaction.
#[derive(Clone, Copy, Debug)]
pub enum Lock<'a> {
    /// Changes of what the station knows besides reads, one at a time.
    State,
    /// One hold, release or purge at a time.
    Changes,
    /// Parts are made one at a time.
    Parts,
    /// One changes lists at a time.
    Lists,
    /// Batches of one vehicle, one at a time.
    Vehicle(&'a str),
    /// Reads are being put into this part.
    Filling(i32),
    /// This part is taken away from whoever fills it.
    Closing(i32),
}

impl Server {
    /// Connects, and makes the tables where there are none.
    ///
    /// # Errors
    /// `Config` when the URL is none or asks for a connection that anybody could read, `Network` when the server is not
    /// there.
    pub fn connect(options: &ServerOptions) -> Result<Self> {
        let server = Self::of(options)?;
        server.transaction(schema::bring_to_date)?;
        Ok(server)
    }

    /// Connects, and makes nothing.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn reach(options: &ServerOptions) -> Result<Self> {
        let server = Self::of(options)?;
        server.read(schema::check_version)?;
        Ok(server)
    }

    fn of(options: &ServerOptions) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("archive")
            .enable_all()
            .build()
            .context(Kind::Internal, || "could not start the runtime of the database".into())?;
        Ok(Self { pool: pool(options, runtime.handle())?, runtime: Some(runtime), reach: Reach::of("database") })
    }

    /// Where its futures run.
    pub fn handle(&self) -> &Handle {
        // It is there until this is dropped.
        match &self.runtime {
            Some(runtime) => runtime.handle(),
            None => unreachable!("the runtime is taken when the server is dropped"),
        }
    }

    /// Runs `work` in one transaction, durable on return. On an error nothing of it counts.
    ///
    /// # Errors
    /// `Network` when the server is not there, and what `work` itself returns.
    pub fn transaction<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        self.reach.noted((|| {
            let mut client = self.client()?;
            let transaction = self.handle().block_on(client.transaction()).pg("could not begin a transaction")?;
            let tx = Tx { handle: self.handle(), transaction };
            let result = work(&tx)?;
            self.handle().block_on(tx.transaction.commit()).pg("could not commit")?;
            Ok(result)
        })())
    }

    /// Looks at everything as it is at one moment.
    ///
    /// # Errors
    /// The same.
    pub fn read<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        self.reach.noted((|| {
            let mut client = self.client()?;
            let begun = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
            let transaction = self.handle().block_on(begun.start()).pg("could not begin to read")?;
            work(&Tx { handle: self.handle(), transaction })
        })())
    }

    /// Runs a statement that can't be in a transaction.
    ///
    /// # Errors
    /// The same.
    pub fn run_alone(&self, sql: &str) -> Result<()> {
        self.reach.noted((|| {
            let client = self.client()?;
            self.handle().block_on(client.batch_execute(sql)).pg("the database could not do it")
        })())
    }

    /// The station's rows in one transaction; one at a time, by all stations together.
    ///
    /// # Errors
    /// As of a transaction.
    pub fn change_state<T>(&self, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
        self.transaction(|tx| {
            tx.lock(Lock::State)?;
            work(&Rows::of_postgres(tx))
        })
    }

    /// A connection with a transaction that holds a lock until it is dropped.
    pub(crate) fn hold_lock(self: &Arc<Self>, lock: Lock<'_>) -> Result<HeldLock> {
        self.reach.noted((|| {
            let client = self.client()?;
            let failed = "could not wait for whoever changes the same";
            self.handle()
                .block_on(client.batch_execute(
                    "BEGIN; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0",
                ))
                .pg(failed)?;
            self.handle().block_on(client.batch_execute(&lock.statement())).pg(failed)?;
            Ok(HeldLock { client: Some(client), server: self.clone() })
        })())
    }

    fn client(&self) -> Result<Object> {
        self.handle().block_on(self.pool.get()).map_err(failure::of_pool)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A runtime must not be waited for where futures run, and this may be dropped there.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

/// A lock that is held.
pub(crate) struct HeldLock {
    client: Option<Object>,
    server: Arc<Server>,
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // Where it fails, the connection is gone, and the lock with it.
            let _ = self.server.handle().block_on(client.batch_execute("COMMIT"));
        }
    }
}

impl Lock<'_> {
    /// Two numbers name a lock; the first is ours.
    fn statement(self) -> String {
        let (shared, kind, of) = match self {
            Self::State => ("", 1, "0".to_owned()),
            Self::Changes => ("", 2, "0".to_owned()),
            Self::Parts => ("", 3, "0".to_owned()),
            Self::Vehicle(vehicle) => ("", 4, number_of(vehicle).to_string()),
            Self::Filling(part) => ("_shared", 5, part.to_string()),
            Self::Closing(part) => ("", 5, part.to_string()),
            Self::Lists => ("", 6, "0".to_owned()),
        };
        format!("SELECT pg_advisory_xact_lock{shared}({}, {of})", 0x706c_6100 + kind)
    }
}

/// A number for a vehicle. Two vehicles with the same one wait for each other, no more.
fn number_of(vehicle: &str) -> i32 {
    let hash = plated_core::digest::Sha256::of(vehicle.as_bytes()).0;
    i32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

impl Tx<'_> {
    /// Waits for a lock.
    pub fn lock(&self, lock: Lock<'_>) -> Result<()> {
        self.ddl(&lock.statement())
    }

    /// Changes rows; gives how many.
    pub fn run(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64> {
        let statement = self.prepared(sql)?;
        self.handle.block_on(self.transaction.execute(&statement, values)).pg("the database could not write")
    }

    /// All rows that are found.
    pub fn all(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>> {
        let statement = self.prepared(sql)?;
        self.handle.block_on(self.transaction.query(&statement, values)).pg("the database could not be read")
    }

    /// The one row that there is.
    pub fn one(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Row> {
        let none = || Error::new(Kind::Internal, "the database found nothing where something has to be");
        self.all(sql, values)?.pop().ok_or_else(none)
    }

    /// Statements without values, one or several.
    pub fn ddl(&self, sql: &str) -> Result<()> {
        self.handle.block_on(self.transaction.batch_execute(sql)).pg("the database could not do it")
    }

    /// Hands what a `COPY … TO STDOUT` gives to `take`, piece by piece.
    pub(crate) fn copy_out(&self, sql: &str, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let failed = "the database could not hand out its rows";
        let mut rows = Box::pin(self.handle.block_on(self.transaction.copy_out(sql)).pg(failed)?);
        while let Some(bytes) = self.handle.block_on(rows.next()) {
            take(&bytes.pg(failed)?)?;
        }
        Ok(())
    }

    /// Puts in by a `COPY … FROM STDIN` what is read from `input`; gives how many rows.
    pub(crate) fn copy_in(&self, sql: &str, mut input: impl Read) -> Result<u64> {
        let failed = "the database could not take rows in";
        let mut rows = Box::pin(self.handle.block_on(self.transaction.copy_in::<_, Bytes>(sql)).pg(failed)?);
        let mut piece = vec![0; COPY_BYTES];
        loop {
            match input.read(&mut piece).context(Kind::Damaged, || "rows could not be read".into())? {
                0 => return self.handle.block_on(rows.as_mut().finish()).pg(failed),
                read => self.handle.block_on(rows.send(Bytes::copy_from_slice(&piece[..read]))).pg(failed)?,
            }
        }
    }

    fn prepared(&self, sql: &str) -> Result<Statement> {
        self.handle.block_on(self.transaction.prepare_cached(sql)).pg("the database did not understand a statement")
    }
}

fn pool(options: &ServerOptions, handle: &Handle) -> Result<Pool> {
    // What is wrong in it is not shown: it holds the password.
    let none = || Error::new(Kind::Config, "archive.database: the file holds no postgresql:// URL of one line");
    let mut config = Config::from_str(options.url.trim()).map_err(|_| none())?;
    let given = config.get_options().map(|given| format!("{given} ")).unwrap_or_default();
    config
        .options(format!("{given}{SETTINGS}"))
        .application_name("plated-station")
        .connect_timeout(CONNECT_TIMEOUT)
        .keepalives_idle(SILENCE_TIMEOUT)
        .tcp_user_timeout(SILENCE_TIMEOUT);
    let is_here = config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|a: std::net::IpAddr| a.is_loopback()),
    });
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match (&options.ca, is_here) {
        (Some(ca), _) => {
            config.ssl_mode(SslMode::Require);
            let mut tls = tls::client_without_certificate(ca)?;
            // Not those of HTTP: from version 17 on a server refuses a connection that names others than its own.
            tls.alpn_protocols = vec![b"postgresql".to_vec()];
            Manager::from_config(config, MakeRustlsConnect::new(tls), manager)
        }
        (None, true) => Manager::from_config(config, NoTls, manager),
        (None, false) => {
            return Err(Error::new(
                Kind::Config,
                "archive.database_ca: a database on another computer is reached over TLS only; name the PEM file of the \
                 authority that signed its certificate",
            ));
        }
    };
    let _in_runtime = handle.enter();
    Pool::builder(manager)
        .max_size(options.connections)
        .runtime(deadpool_postgres::Runtime::Tokio1)
        .wait_timeout(Some(CONNECT_TIMEOUT))
        .create_timeout(Some(CONNECT_TIMEOUT))
        .recycle_timeout(Some(CONNECT_TIMEOUT))
        .build()
        .context(Kind::Internal, || "could not make connections to the database".into())
}

/// A secret of one or more lines in a file of the owner or a credential.
///
/// # Errors
/// `Missing` when it is not there, `Refused` when others may read it.
pub fn read_secret(path: &Path, key: &str) -> Result<String> {
    use std::os::unix::fs::MetadataExt;
    let failed = || format!("{key}: could not read {}", path.display());
    let mode = std::fs::metadata(path).context(Kind::Missing, failed)?.mode() & 0o777;
    if mode & 0o077 != 0 && !plated_core::config_file::is_credential(path) {
        let message = format!(
            "{key}: {0} may be read or written by others (mode {mode:04o}); run `chmod 0400 {0}`",
            path.display()
        );
        return Err(Error::new(Kind::Refused, message));
    }
    std::fs::read_to_string(path).context(Kind::Missing, failed)
}
