//! What somebody sees of the hits of a read (control P-08). At the station it is not known what list a vehicle
//! has covert, so a list counts as covert unless the station publishes it: such a list is seen by those only to whom it
//! is granted by name.

use super::Station;
use plated_access::{Scope, Source, Visibility};
use plated_core::error::Result;
use plated_core::record::{Alerting, HitRecord, Priority, ReadRecord};
use plated_hotlist::settings::OFFICERS;
use std::collections::HashSet;
use std::sync::PoisonError;

/// What is known of lists.
pub struct KnownLists {
    /// Names of those that are not covert.
    open: HashSet<String>,
    /// Names of those for which a CLETS grant is needed.
    clets: HashSet<String>,
}

impl KnownLists {
    /// Those that the station publishes, but for the ones that are configured as covert. Blocks.
    ///
    /// # Errors
    /// What keeps them from being read.
    pub fn of(station: &Station) -> Result<Self> {
        let database = station.archive.database();
        let versions = database.lock().unwrap_or_else(PoisonError::into_inner).read(|rows| rows.list_versions())?;
        let names = versions.into_iter().map(|version| version.name).chain([OFFICERS.to_owned()]);
        let covert = |name: &String| station.settings.covert_lists.contains(name);
        Ok(Self { open: names.filter(|name| !covert(name)).collect(), clets: station.clets_lists.clone() })
    }

    /// The hit with the entries that may be seen; none when there is none.
    pub fn hit(&self, scope: &Scope, hit: &HitRecord) -> Option<HitRecord> {
        let mut whole = hit.clone();
        whole.entries.retain(|of| {
            let covert = hit.alert == Alerting::Covert || !self.open.contains(&of.entry.list);
            let clets = self.clets.contains(&of.entry.list) || is_of_clets(&of.entry.source);
            let source = Source { list: &of.entry.list, clets, covert };
            scope.visibility(source) == Visibility::Whole
        });
        (!whole.entries.is_empty()).then_some(whole)
    }

    /// The hits of a read that may be seen.
    pub fn hits(&self, scope: &Scope, read: &ReadRecord) -> Vec<HitRecord> {
        read.hits.iter().filter_map(|hit| self.hit(scope, hit)).collect()
    }
}

/// The most urgent of them.
pub fn urgency(hits: &[HitRecord]) -> Option<Priority> {
    hits.iter().map(HitRecord::priority).max()
}

/// Sources that reach an agency by CLETS, as the formats of lists write them.
fn is_of_clets(source: &str) -> bool {
    let source = source.trim().to_ascii_uppercase();
    ["NCIC", "CLETS", "CA DOJ"].iter().any(|system| source.starts_with(system))
}
