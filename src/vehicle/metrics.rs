//! `[metrics]`: an address where a monitoring system gets numbers, in the text format of Prometheus. They have no plate,
//! no name of a person and no list.

use crate::health::{Health, Level};
use plated_core::clock::Clock;
use plated_core::error::{Context, Kind, Result};
use plated_core::plain_http::{self, Answer};
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The name of the part.
const METRICS: &str = "metrics";
/// Pause after the system refused the address.
const PAUSE: Duration = Duration::from_secs(2);

/// The endpoint; without the section there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it listens; on this computer alone unless another address is given.
    #[serde(default = "here")]
    pub listen: SocketAddr,
}

fn here() -> SocketAddr {
    plain_http::here(9464)
}

/// Answers `GET /metrics` with what `text` says then, for ever.
pub async fn serve(
    settings: Settings,
    health: Arc<Health>,
    clock: Arc<dyn Clock>,
    text: Arc<dyn Fn() -> String + Send + Sync>,
) {
    let listener = loop {
        match bind(settings.listen).await {
            Ok(listener) => break listener,
            Err(e) => {
                if health.report(METRICS, Level::Degraded, e.chain(), clock.wall()) {
                    tracing::warn!("A monitoring system gets no numbers: {}", e.chain());
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    };
    health.report(METRICS, Level::Ok, format!("it listens on {}", settings.listen), clock.wall());
    let respond = move |path: &str| match path {
        "/metrics" => Answer::metrics(text()),
        _ => Answer::not_found("/metrics"),
    };
    plain_http::serve(listener, Arc::new(respond)).await
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    let failed = || format!("could not listen on {address} (metrics.listen); is another program running there?");
    TcpListener::bind(address).await.context(Kind::Refused, failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_reached_from_this_computer_alone_unless_another_address_is_given() {
        let settings: Settings = toml::from_str("").unwrap();
        assert!(settings.listen.ip().is_loopback());
        assert!(toml::from_str::<Settings>("listne = \"[::]:1\"").is_err());
    }
}
