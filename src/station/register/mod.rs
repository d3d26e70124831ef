//! The register of vehicles (control P-26): which certificates count at this station. One of the authority that is not
//! in it opens nothing, nor does one that was revoked.
//!
//! The running station holds it in memory and looks each second what changed in the database, since commands and
//! other processes of the station change it. What is revoked is refused from then on, and its open connections are
//! closed. The vehicle hears why: the handshake lets it in, and each request is answered 403 with what to do.

pub(super) mod command;
pub(super) mod door;
pub(super) mod renewal;
mod table;

pub use table::{CertificateState, End, Renewal, VehicleCertificate};

use crate::archive::Engine;
use crate::places::Places;
use crate::rows::Rows;
use crate::writer::DatabaseHandle;
use jiff::{SignedDuration, Timestamp};
use plated_access::{AccessRecord, Actor, AuditLog, Machine};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::error::{Context, Kind, Result};
use plated_core::tls::{Facts, authority};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// It is looked so often whether the register changed.
const LOOK: Duration = Duration::from_secs(1);
/// A certificate that was renewed counts for so long after the first use of the new one: requests that were on their
/// way over it end in peace.
const GRACE: SignedDuration = SignedDuration::from_mins(5);
/// The same refusal is noted again after so long.
const NOTE_AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// In the place of a vehicle's name, where the certificate does not count at all.
const NO_VEHICLE: &str = "(no vehicle)";
/// The word for the security event of such a one.
const STRANGER: &str = "certificate_of_no_vehicle";
/// Refused certificates that are remembered.
const MAX_REFUSED: usize = 10_000;

/// Why a certificate opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Refusal {
    /// It is not in the register.
    Unknown,
    /// The vehicle has a newer one.
    Retired,
    /// Somebody took it back.
    Revoked,
}

impl Refusal {
    /// The word for the security event.
    fn indicator(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_certificate",
            Self::Retired => "retired_certificate",
            Self::Revoked => "revoked_certificate",
        }
    }

    /// What happened and what to do, for the vehicle's log.
    fn text(self, fingerprint: &Sha256) -> String {
        let known = format!("the certificate of this vehicle (SHA-256 {fingerprint})");
        match self {
            Self::Unknown => format!(
                "{known} is not in the station's register; nothing was taken. If it is this agency's, an administrator of \
                 the station enters it: plated-station vehicle add vehicle.crt"
            ),
            Self::Retired => format!(
                "{known} was replaced by a newer one; nothing was taken. If the newer one is lost, an administrator of \
                 the station makes another: plated-station vehicle issue"
            ),
            Self::Revoked => format!(
                "{known} was revoked; nothing was taken. An administrator of the station says why, and makes another if \
                 this vehicle is to have one: plated-station vehicle issue"
            ),
        }
    }
}

/// A security event of the register as a sentence.
pub(super) fn sign(indicator: &str) -> Option<&'static str> {
    match indicator {
        "unknown_certificate" => Some("it came with a certificate that is not in the register"),
        "retired_certificate" => Some("it came with a certificate that it had renewed"),
        "revoked_certificate" => Some("it came with a certificate that was revoked"),
        STRANGER => Some("a client came with a certificate that is none of the station's authority, or is over"),
        _ => None,
    }
}

#[derive(Debug, Default)]
struct Known {
    certificates: HashMap<Sha256, VehicleCertificate>,
    change: i64,
}

impl Known {
    fn take(&mut self, changed: Vec<VehicleCertificate>) {
        for certificate in changed {
            self.change = self.change.max(certificate.change);
            self.certificates.insert(certificate.facts.fingerprint, certificate);
        }
    }
}

/// The register of a running station.
pub struct Register {
    known: RwLock<Known>,
    refused: Mutex<HashMap<(Sha256, Refusal), Timestamp>>,
    writer: DatabaseHandle,
    /// Its own rows are in the log of the archive: the key that signs the other one is not with a running station.
    log: Arc<dyn AuditLog>,
    /// The authority's certificate.
    ca: PathBuf,
    clock: Arc<dyn Clock>,
}

/// The tasks; they end with this value.
pub(super) struct Running([JoinHandle<()>; 2]);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

impl Register {
    /// That of this archive's station, whose vehicles have certificates of the authority `ca`.
    ///
    /// # Errors
    /// What keeps it from being read.
    pub fn open(archive: &dyn Engine, writer: DatabaseHandle, ca: PathBuf, clock: Arc<dyn Clock>) -> Result<Self> {
        let mut known = Known::default();
        {
            let mut database = archive.database().lock().unwrap_or_else(PoisonError::into_inner);
            known.take(database.read(|rows| rows.vehicle_certificates_after(0))?);
        }
        let log = Arc::new(archive.audit_log(clock.clone())?);
        Ok(Self { known: known.into(), refused: Mutex::default(), writer, log, ca, clock })
    }

    /// Follows what is changed, closes the connections of what was revoked, and notes strangers.
    pub(super) fn follow(self: &Arc<Self>, places: Places, strangers: Option<mpsc::Receiver<SocketAddr>>) -> Running {
        let this = self.clone();
        let (noting, mut strangers) = (self.clone(), strangers);
        let note = tokio::spawn(async move {
            while let Some(strangers) = &mut strangers
                && let Some(peer) = strangers.recv().await
            {
                noting.note_stranger(peer).await;
            }
        });
        let follow = tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                if let Err(e) = this.look().await {
                    tracing::debug!(error = %e.chain(), "The register of vehicles could not be looked at; tried again");
                }
                // What is unknown is told so on each request; only what was taken back is shut out in its midst.
                let closed = places.close(|fingerprint| this.standing(fingerprint).err() == Some(Refusal::Revoked));
                if closed > 0 {
                    tracing::warn!(closed, "Connections of revoked certificates were closed");
                }
            }
        });
        Running([note, follow])
    }

    /// Notes that a client came with a certificate of another authority, or one that is over.
    async fn note_stranger(&self, peer: SocketAddr) {
        let now = self.clock.wall();
        let event = move |rows: &Rows<'_>| rows.security_event(NO_VEHICLE, STRANGER, now);
        match self.writer.call(move |database| database.transaction(event)).await {
            Ok(false) => {}
            Ok(true) => tracing::error!(
                %peer,
                "Security: a client came with a certificate that is none of this station's authority, or is over"
            ),
            Err(e) => {
                tracing::error!(error = %e.chain(), "A sign of a breach is in this log only: it could not be kept")
            }
        }
    }

    /// Takes over what was changed in the database.
    async fn look(&self) -> Result<()> {
        let after = self.read(|known| known.change);
        let work = move |rows: &Rows<'_>| rows.vehicle_certificates_after(after);
        let changed = self.writer.call(move |database| database.read(work)).await?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).take(changed);
        Ok(())
    }

    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a certificate counts, and if so, whether it was used before.
    fn standing(&self, fingerprint: &Sha256) -> Result<bool, Refusal> {
        let now = self.clock.wall();
        self.read(|known| known.certificates.get(fingerprint).ok_or(Refusal::Unknown)?.standing(now))
    }

    /// Whether a request over this certificate may go on.
    async fn admit(&self, facts: &Facts) -> Result<Result<(), Refusal>> {
        let mut standing = self.standing(&facts.fingerprint);
        // Once it was refused, the look of each second is enough: it keeps nobody else from the database.
        if standing == Err(Refusal::Unknown) && !self.was_noted(facts, Refusal::Unknown) {
            self.look().await?;
            standing = self.standing(&facts.fingerprint);
            if standing == Err(Refusal::Unknown) && self.was_issued_here(facts).await {
                self.enter(facts).await?;
                standing = self.standing(&facts.fingerprint);
            }
        }
        match standing {
            Ok(true) => Ok(Ok(())),
            Ok(false) => self.used(facts.fingerprint).await.map(Ok),
            Err(why) => {
                self.note(facts, why).await;
                Ok(Err(why))
            }
        }
    }

    /// Whether the station's own authority issued it: then a copy lies beside it, where only who has the authority's
    /// key can put it.
    async fn was_issued_here(&self, facts: &Facts) -> bool {
        let copy = authority::issued(&self.ca, &facts.fingerprint);
        let fingerprint = facts.fingerprint;
        tokio::task::spawn_blocking(move || is_issued(&copy, &fingerprint)).await.unwrap_or_default()
    }

    /// Enters a certificate of the station's own authority.
    async fn enter(&self, facts: &Facts) -> Result<()> {
        self.record("vehicle_certificate_added", "the station's authority issued it", subject(facts)).await?;
        let certificate = VehicleCertificate::new(facts.clone(), self.clock.wall(), Machine::Register.as_str());
        let add = move |rows: &Rows<'_>| match rows.vehicle_certificate(&certificate.facts.fingerprint)? {
            Some(_) => Ok(()),
            None => rows.put_vehicle_certificate(&certificate).map(drop),
        };
        self.writer.call(move |database| database.transaction(add)).await?;
        tracing::info!(vehicle = facts.name, "A certificate of the station's own authority is in the register now");
        self.look().await
    }

    /// Notes the first use of a certificate: the one that it renews is over.
    async fn used(&self, fingerprint: Sha256) -> Result<()> {
        let now = self.clock.wall();
        let note = move |rows: &Rows<'_>| first_use(rows, &fingerprint, now);
        if let Some(retired) = self.writer.call(move |database| database.transaction(note)).await? {
            let vehicle = retired.name.clone();
            let why = "the vehicle uses the one that renews it";
            self.record("vehicle_certificate_retired", why, subject(&retired)).await?;
            tracing::info!(vehicle, "A vehicle uses its renewed certificate; the one before does not count any more");
        }
        self.look().await
    }

    /// Puts on record what the register does by itself.
    async fn record(&self, what: &'static str, why: &str, subject: Value) -> Result<()> {
        let record = AccessRecord::done(&Actor::Machine(Machine::Register), what, why, subject)?;
        let log = self.log.clone();
        let failed = || "a task failed".into();
        tokio::task::spawn_blocking(move || log.append(record)).await.context(Kind::Internal, failed)?.map(drop)
    }

    fn was_noted(&self, facts: &Facts, why: Refusal) -> bool {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.wall();
        refused.get(&(facts.fingerprint, why)).is_some_and(|at| now.duration_since(*at).abs() < NOTE_AGAIN)
    }

    /// Notes a refusal as a sign of a breach: once, and again after an hour, however often it comes.
    async fn note(&self, facts: &Facts, why: Refusal) {
        if self.was_noted(facts, why) {
            return;
        }
        let now = self.clock.wall();
        {
            let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            if refused.len() >= MAX_REFUSED {
                refused.clear();
            }
            refused.insert((facts.fingerprint, why), now);
        }
        tracing::error!(
            vehicle = facts.name,
            certificate = %facts.fingerprint,
            "Security: a vehicle came with a certificate that does not count here: {}",
            why.text(&facts.fingerprint)
        );
        let vehicle = facts.name.clone();
        let event = move |rows: &Rows<'_>| rows.security_event(&vehicle, why.indicator(), now);
        if let Err(e) = self.writer.call(move |database| database.transaction(event)).await {
            tracing::error!(error = %e.chain(), "A sign of a breach is in this log only: it could not be kept");
        }
    }
}

impl VehicleCertificate {
    /// Whether it counts, and if so, whether it was used before.
    fn standing(&self, now: Timestamp) -> Result<bool, Refusal> {
        match (self.state, &self.end) {
            (CertificateState::Active, _) => Ok(self.first_used.is_some()),
            (CertificateState::Retired, Some(end)) if now.duration_since(end.at).abs() < GRACE => Ok(true),
            (CertificateState::Retired, _) => Err(Refusal::Retired),
            (CertificateState::Revoked, _) => Err(Refusal::Revoked),
        }
    }
}

/// What comes without a connection, signed with a certificate.
pub(super) enum Signed {
    /// It counts. What the register did by itself for it is to be put on record.
    Counts(Vec<AccessRecord>),
    /// It does not; why.
    Refused(String),
}

/// Whether what a vehicle signed with this certificate counts, where there is no connection. If so, the certificate is used
/// from now on, as by a request; if not, that is noted as a sign of a breach.
pub(super) fn admit_signed(rows: &Rows<'_>, ca: &Path, facts: &Facts, now: Timestamp) -> Result<Signed> {
    let refusal = match rows.vehicle_certificate(&facts.fingerprint)? {
        Some(found) => found.standing(now).err(),
        None if is_issued(&authority::issued(ca, &facts.fingerprint), &facts.fingerprint) => None,
        None => Some(Refusal::Unknown),
    };
    let Some(refusal) = refusal else { return use_signed(rows, facts, now).map(Signed::Counts) };
    let why = refusal.text(&facts.fingerprint);
    if rows.security_event(&facts.name, refusal.indicator(), now)? {
        tracing::error!(
            vehicle = facts.name,
            certificate = %facts.fingerprint,
            "Security: a medium came with a certificate that does not count here: {why}"
        );
    }
    Ok(Signed::Refused(why))
}

/// Enters a certificate of the station's own authority where it is not in the register yet, and notes its first use.
fn use_signed(rows: &Rows<'_>, facts: &Facts, now: Timestamp) -> Result<Vec<AccessRecord>> {
    let (actor, mut records) = (Actor::Machine(Machine::Register), Vec::new());
    if rows.vehicle_certificate(&facts.fingerprint)?.is_none() {
        rows.put_vehicle_certificate(&VehicleCertificate::new(facts.clone(), now, Machine::Register.as_str()))?;
        let (what, why) = ("vehicle_certificate_added", "the station's authority issued it");
        records.push(AccessRecord::done(&actor, what, why, subject(facts))?);
    }
    if let Some(retired) = first_use(rows, &facts.fingerprint, now)? {
        let (what, why) = ("vehicle_certificate_retired", "the vehicle uses the one that renews it");
        records.push(AccessRecord::done(&actor, what, why, subject(&retired))?);
    }
    Ok(records)
}

/// Whether this file is a copy of the certificate, as the authority leaves one beside itself.
fn is_issued(copy: &Path, fingerprint: &Sha256) -> bool {
    let found = plated_core::tls::certificates(copy, "an issued certificate").ok();
    found.is_some_and(|found| Sha256::of(&found[0]) == *fingerprint)
}

/// Notes the first use of a certificate and retires the one that it renews, which is given.
fn first_use(rows: &Rows<'_>, fingerprint: &Sha256, now: Timestamp) -> Result<Option<Facts>> {
    let Some(mut used) = rows.vehicle_certificate(fingerprint)? else { return Ok(None) };
    if used.first_used.is_some() {
        return Ok(None);
    }
    used.first_used = Some(now);
    rows.put_vehicle_certificate(&used)?;
    let renewed = match &used.renewal {
        Some(renewal) => rows.vehicle_certificate(&renewal.of)?,
        None => None,
    };
    let Some(mut old) = renewed.filter(|old| old.state == CertificateState::Active) else { return Ok(None) };
    old.end(CertificateState::Retired, now, Machine::Register.as_str(), "the vehicle uses the one that renews it");
    rows.put_vehicle_certificate(&old)?;
    Ok(Some(old.facts))
}

/// A certificate in the audit log.
fn subject(facts: &Facts) -> Value {
    json!({ "vehicle": facts.name, "certificate": facts.fingerprint, "not_after": facts.not_after })
}
