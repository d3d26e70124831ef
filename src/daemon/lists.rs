//! The configured lists, from their files into force.

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::error::{Context, Kind, Result};
use crate::hotlist::{self, Builder, Index, List, Lists, Meta, Rules, Signer, Source, Trust};
use std::path::{Path, PathBuf};

/// Loads the lists. One that can't be used is left out, loudly; the others count.
pub fn load(config: &Config, clock: &dyn Clock) -> Result<Lists> {
    let lists = Lists::default();
    let signer = Signer::generate()?;
    for (number, configured) in config.hotlists.iter().enumerate() {
        match hotlist::load(configured) {
            Ok(list) => {
                report(&list);
                let rules = Rules::new(&configured.rules);
                let path = beside(&config.store, number);
                let source = index(&list, configured, &path, &signer, clock).map(|i| Source::index(i, rules.clone()));
                lists.put(source.unwrap_or_else(|e| {
                    // A full disk must not keep anybody from being found.
                    tracing::warn!(list = list.name, "The hotlist is kept in memory: {}", e.chain());
                    Source::memory(&list.name, list.entries.iter().map(|e| (**e).clone()), rules)
                }));
            }
            Err(e) => tracing::error!(list = configured.name, "The hotlist is not in force: {}", e.chain()),
        }
    }
    Ok(lists)
}

fn report(list: &List) {
    tracing::info!(list = list.name, "{}", list.report);
    for bad in &list.report.bad_lines {
        tracing::warn!(list = list.name, line = bad.line, field = bad.field, "A line was left out: {}", bad.reason);
    }
}

/// Builds the index of a list. Its file has no name any more when this returns, and its space is
/// free again when the daemon ends, however that happens.
fn index(list: &List, from: &config::Hotlist, path: &Path, signer: &Signer, clock: &dyn Clock) -> Result<Index> {
    let meta = Meta {
        name: list.name.clone(),
        source: from.path.display().to_string(),
        date: None,
        built: clock.wall(),
        by: concat!("plated ", env!("CARGO_PKG_VERSION")).into(),
    };
    let mut builder = Builder::create(path, signer, meta);
    list.entries.iter().try_for_each(|entry| builder.add(entry))?;
    builder.finish()?;
    let index = Index::open(path, &Trust::only([signer.public_key()]));
    std::fs::remove_file(path).context(Kind::Storage, || format!("could not remove {}", path.display()))?;
    index
}

fn beside(store: &config::Store, number: usize) -> PathBuf {
    let mut path = store.path.clone().into_os_string();
    path.push(format!("-hotlist-{number}"));
    path.into()
}
