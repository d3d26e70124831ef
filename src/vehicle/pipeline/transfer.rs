//! The transfer as a task of the daemon, between the store and the station.

use crate::config::Config;
use crate::health::Health;
use crate::store::{Key, Store};
use crate::transfer;
use crate::transfer::{HttpsLink, Options, Progress, Renewal, SendNow, StoreOutbox, VehicleIdentity};
use plated_core::clock::Clock;
use plated_core::error::Result;
use plated_core::runtime::Task;
use plated_core::shutdown::Shutdown;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Wait after a defect before the transfer begins anew.
pub(super) const AFTER_DEFECT: Duration = Duration::from_secs(30);

/// A link whose certificates are loaded.
pub struct Prepared {
    link: HttpsLink,
    identity: Arc<VehicleIdentity>,
    options: Options,
    clock: Arc<dyn Clock>,
}

/// The transfer at work; dropping it ends it.
pub struct Running {
    progress: watch::Receiver<Progress>,
    send_now: SendNow,
    _task: Task,
    _security: Task,
    _renewal: Task,
}

pub fn prepare(config: &Config, transfer: &transfer::Settings, key: &Key, clock: Arc<dyn Clock>) -> Result<Prepared> {
    let identity = Arc::new(VehicleIdentity::open(config, transfer, key)?);
    let link = HttpsLink::with_identity(&config.vehicle, transfer, &identity.in_use()?, clock.clone())?;
    Ok(Prepared { link, identity, options: Options::of(&config.vehicle, transfer)?, clock })
}

impl Prepared {
    /// How the transfer goes about it.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The way to the station, for whoever else goes it.
    pub fn link(&self) -> &HttpsLink {
        &self.link
    }

    pub fn start(
        self,
        outbox: StoreOutbox,
        store: Store,
        health: Arc<Health>,
        runtime: &Handle,
        stop: &Shutdown,
    ) -> Running {
        let (publish, progress) = watch::channel(Progress::default());
        let Self { link, identity, options, clock } = self;
        let now = clock.clone();
        let tell: transfer::Tell = Arc::new(move |level, text| {
            health.report("certificate", level, text, now.wall());
        });
        let renewal = Renewal {
            link: link.clone(),
            identity,
            store: store.clone(),
            options: options.clone(),
            clock: clock.clone(),
            tell,
        };
        let what = "The renewal of the certificate";
        let renew = move || renewal.clone().run();
        let renewal = Task::start(runtime, what, stop, again_after_defects(what, AFTER_DEFECT, renew));
        let send_now = options.send_now.clone();
        let (reports, to, how) = (store, link.clone(), options.clone());
        let security = move || transfer::report_breaches(reports.clone(), to.clone(), how.clone());
        let what = "The reporting of breaches";
        let security = Task::start(runtime, what, stop, again_after_defects(what, AFTER_DEFECT, security));
        let transfer =
            move || transfer::run(outbox.clone(), link.clone(), options.clone(), clock.clone(), publish.clone());
        let task =
            Task::start(runtime, "The transfer", stop, again_after_defects("The transfer", AFTER_DEFECT, transfer));
        Running { progress, send_now, _task: task, _security: security, _renewal: renewal }
    }
}

/// Has the future run that `begin` makes, and another one after a panic in it.
pub(super) async fn again_after_defects<F>(what: &'static str, wait: Duration, begin: impl Fn() -> F + Send)
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    loop {
        // Dropping the set cuts the future off with this one.
        let mut at_work = JoinSet::new();
        at_work.spawn(begin());
        if at_work.join_next().await.is_none_or(|ended| ended.is_ok()) {
            return;
        }
        tracing::error!("{what} failed by a defect of the program; it begins anew in {} s.", wait.as_secs());
        tokio::time::sleep(wait).await;
    }
}

impl Running {
    /// By which somebody says that what waits is to be sent now.
    pub fn send_now(&self) -> SendNow {
        self.send_now.clone()
    }

    /// How it is getting on.
    pub fn progress(&self) -> &watch::Receiver<Progress> {
        &self.progress
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn a_transfer_that_fails_by_a_defect_begins_anew() {
        let begun = AtomicU32::new(0);
        let begin = || {
            let n = begun.fetch_add(1, Ordering::Relaxed);
            async move { assert!(n == 2, "the fault of the test") }
        };
        again_after_defects("The transfer", Duration::from_millis(1), begin).await;
        assert_eq!(begun.into_inner(), 3);
    }
}
