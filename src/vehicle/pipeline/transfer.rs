//! The transfer on its own thread, between the store and the station.

use crate::config;
use crate::config::Config;
use crate::transfer;
use crate::transfer::{HttpsLink, Options, Progress, StoreOutbox};
use plated_core::clock::Clock;
use plated_core::error::{Context, Kind, Result};
use plated_core::thread::Service;
use std::sync::Arc;
use tokio::sync::{oneshot, watch};

/// A link whose certificates are loaded.
pub struct Prepared {
    link: HttpsLink,
    options: Options,
    clock: Arc<dyn Clock>,
}

/// The transfer at work; dropping it ends it.
pub struct Running {
    progress: watch::Receiver<Progress>,
    _service: Service<oneshot::Sender<()>>,
}

pub fn prepare(config: &Config, transfer: &config::Transfer, clock: Arc<dyn Clock>) -> Result<Prepared> {
    let link = HttpsLink::new(&config.vehicle, transfer, clock.clone())?;
    Ok(Prepared { link, options: Options::of(config, transfer), clock })
}

impl Prepared {
    pub fn start(self, outbox: StoreOutbox) -> Result<Running> {
        let (publish, progress) = watch::channel(Progress::default());
        let (stop, stopped) = oneshot::channel::<()>();
        let failed = || "could not start the transfer".to_string();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context(Kind::Internal, failed)?;
        let service = Service::start("transfer", "The transfer", stop, move || {
            runtime.block_on(async {
                tokio::select! {
                    never = transfer::run(outbox, self.link, self.options, self.clock, publish) => match never {},
                    _ = stopped => {}
                }
            });
            // A call into the store may still be under way; it ends by itself.
            runtime.shutdown_timeout(std::time::Duration::from_secs(1));
        })?;
        Ok(Running { progress, _service: service })
    }
}

impl Running {
    /// How it is getting on.
    pub fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }
}
