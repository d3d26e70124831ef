//! A round: the manifest, then what is new of each list.

use super::fetch::{Way, blocking, fetch, problem};
use super::received::{self, Place, ReceivedLists};
use super::remote::{Ask, Remote};
use super::state::{ListState, Origin};
use super::{Accept, Change};
use plated_core::clock::Clock;
use plated_core::digest::Sha256;
use plated_core::durable;
use plated_core::error::{Error, Kind, Result};
use plated_core::signing::Trust;
use plated_core::wire::etag;
use plated_core::wire::{ListVersion, Manifest};
use plated_hotlist::manifest;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Brings the station's lists into the vehicle.
pub struct Sync<R> {
    pub(super) remote: R,
    pub(super) folder: PathBuf,
    pub(super) trust: Trust,
    clock: Arc<dyn Clock>,
    pub(super) accept: Arc<Accept>,
    /// What was handed over of what the station approved as not the wanted vehicle, and that it was begun with.
    pub(super) findings: Option<Sha256>,
    pub(super) findings_begun: bool,
    /// What this process has accepted; another may have fetched and accepted more.
    handed: HashMap<String, Sha256>,
    states: BTreeMap<String, ListState>,
    /// Why the last round had no manifest, so that it is logged once. A station out of reach is one
    /// trouble, whatever each try ends with.
    error: Option<(Kind, String)>,
}

/// What became of one list in a round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is the newest.
    Unchanged,
    /// Another version was accepted.
    Changed {
        /// Its number.
        version: u64,
        /// How it came.
        way: Way,
        /// Bytes that were received for it.
        bytes: u64,
        /// The message of its acceptance.
        message: String,
    },
    /// The station does not hand it out any more, and it is gone.
    Withdrawn,
}

/// What became of a round.
#[derive(Debug)]
pub struct Round {
    /// Each list of the manifest, and those withdrawn. Empty without a manifest.
    pub lists: Vec<(String, Result<Outcome>)>,
    /// Why there is no manifest that counts.
    pub error: Option<Error>,
    /// Why what the station approved as not the wanted vehicle is not up to date.
    pub findings: Option<Error>,
}

impl Round {
    /// All errors, each with the list that it is about.
    pub fn errors(&self) -> impl Iterator<Item = (Option<&str>, &Error)> {
        let lists = self.lists.iter().filter_map(|(name, o)| o.as_ref().err().map(|e| (Some(name.as_str()), e)));
        self.error.iter().chain(&self.findings).map(|e| (None, e)).chain(lists)
    }

    /// The longest wait that the station asked for, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        self.errors().filter_map(|(_, e)| e.retry_after()).max()
    }

    /// True when trying again before the usual time is right: the network or the disk failed.
    pub fn again_soon(&self) -> bool {
        self.errors().any(|(_, e)| matches!(e.kind(), Kind::Network | Kind::Storage | Kind::Busy))
    }
}

impl<R: Remote> Sync<R> {
    /// Keeps the lists in `folder`. Those that were accepted before count as accepted: whoever
    /// uses them has loaded them by [`accepted`](received::accepted).
    pub fn new(remote: R, folder: PathBuf, trust: Trust, clock: Arc<dyn Clock>, accept: Arc<Accept>) -> Self {
        let mut states = BTreeMap::new();
        let mut handed = HashMap::new();
        for (version, _) in received::accepted(&folder) {
            let mut state = ListState::new(&version.name, Origin::Station);
            state.hold(&version);
            handed.insert(version.name.clone(), version.sha256);
            states.insert(version.name, state);
        }
        let (findings, findings_begun) = (None, false);
        Self { remote, folder, trust, clock, accept, findings, findings_begun, handed, states, error: None }
    }

    /// How each list is getting on, by name.
    pub fn states(&self) -> impl Iterator<Item = &ListState> {
        self.states.values()
    }

    /// Fetches what is new. One list that fails does not stop the others. May be cut off
    /// anywhere (dropped); the next round goes on from there.
    pub async fn round(&mut self) -> Round {
        let mut round = Round { lists: Vec::new(), error: None, findings: None };
        self.held_findings().await;
        let outcome = self.lists(&mut round).await;
        if outcome.is_ok() {
            round.findings = self.fetch_findings().await.err();
            if let Some(e) = &round.findings {
                tracing::warn!(error = %e.chain(), "What the station approved as not the wanted vehicle is not up to date");
            }
        }
        let trouble = |e: &Error| (e.kind(), if e.kind() == Kind::Network { String::new() } else { e.chain() });
        let error = outcome.as_ref().err().map(trouble);
        if let Err(e) = outcome {
            let now = self.clock.wall();
            for state in self.states.values_mut() {
                state.note(now, Some(e.chain()));
            }
            if error != self.error {
                tell(None, &e);
            }
            round.error = Some(e);
        }
        self.error = error;
        round
    }

    async fn lists(&mut self, round: &mut Round) -> Result<()> {
        let received = ReceivedLists::open(&self.folder)?;
        let manifest = match self.manifest(&received).await {
            Ok(manifest) => manifest,
            Err(e) => {
                self.without_station(&received, round).await;
                return Err(e);
            }
        };
        for version in manifest.lists_at(self.clock.wall()) {
            self.bring(&received, &manifest, version, round).await;
        }
        for coming in &manifest.coming {
            if let Err(e) = self.fetch_ahead(&received, coming).await {
                tell(Some(&coming.name), &e);
                round.lists.push((coming.name.clone(), Err(e)));
            }
        }
        for name in received.names() {
            if !manifest.lists.iter().chain(&manifest.coming).any(|list| list.name == name) {
                let outcome = self.withdraw(&received, &name).await;
                if let Err(e) = &outcome {
                    tell(Some(&name), e);
                }
                round.lists.push((name, outcome));
            }
        }
        Ok(())
    }

    /// Brings one version into force, and notes how that went.
    async fn bring(&mut self, received: &ReceivedLists, manifest: &Manifest, version: &ListVersion, round: &mut Round) {
        let outcome = self.list(received, manifest, version).await;
        let state = self.states.entry(version.name.clone());
        let state = state.or_insert_with(|| ListState::new(&version.name, Origin::Station));
        if outcome.is_ok() {
            state.hold(version);
        }
        if state.note(self.clock.wall(), outcome.as_ref().err().map(Error::chain))
            && let Err(e) = &outcome
        {
            tell(Some(&version.name), e);
        }
        round.lists.push((version.name.clone(), outcome));
    }

    /// A version whose time has come, and which was fetched ahead, comes into force without the station too.
    async fn without_station(&mut self, received: &ReceivedLists, round: &mut Round) {
        let held = received.manifest().and_then(|text| manifest::open(&text, &self.trust).ok());
        let Some(manifest) = held else { return };
        for version in manifest.lists_at(self.clock.wall()) {
            let is_here = received.place(&version.name).is_ok_and(|place| place.has(version));
            if version.valid_from.is_some() && is_here && self.handed.get(&version.name) != Some(&version.sha256) {
                self.bring(received, &manifest, version, round).await;
            }
        }
    }

    /// Fetches a version before its time.
    async fn fetch_ahead(&self, received: &ReceivedLists, version: &ListVersion) -> Result<()> {
        let place = received.place(&version.name)?;
        fetch(&self.remote, &place, version).await.map(drop)
    }

    /// The manifest that counts now.
    async fn manifest(&self, received: &ReceivedLists) -> Result<Manifest> {
        let held = received.manifest();
        let done = held.as_ref().and_then(|text| {
            let manifest = manifest::open(text, &self.trust).ok()?;
            self.is_done(received, &manifest).then(|| (manifest, etag(&Sha256::of(text))))
        });
        let ask = Ask { unless: done.as_ref().map(|(_, tag)| tag.clone()), from: None };
        let mut reply = self.remote.get("v1/hotlists", &ask).await?;
        match (reply.status, done) {
            (304, Some((manifest, _))) => Ok(manifest),
            (200, _) => {
                let text = reply.collect(manifest::MAX_BYTES).await?;
                let text = text.ok_or_else(|| Error::new(Kind::Input, "the station's manifest is too long"))?;
                let new = manifest::open(&text, &self.trust)?;
                manifest::check_newer(&new, &text, held.as_deref())?;
                if held.as_deref() != Some(&text) {
                    // Before anything is fetched by it: from now on no older one counts.
                    received.put_manifest(&text)?;
                }
                Ok(new)
            }
            _ => Err(problem(reply).await),
        }
    }

    /// True when nothing is left to do for this manifest.
    fn is_done(&self, received: &ReceivedLists, manifest: &Manifest) -> bool {
        let held = |list: &ListVersion| self.handed.get(&list.name) == Some(&list.sha256);
        let accepted = received::accepted(&self.folder);
        let here = |list: &ListVersion| received.place(&list.name).is_ok_and(|place| place.has(list));
        let names: BTreeSet<_> = manifest.lists.iter().chain(&manifest.coming).map(|list| &list.name).collect();
        let lists = manifest.lists_at(self.clock.wall());
        lists.into_iter().all(|list| held(list) && accepted.iter().any(|(a, _)| a == list))
            && manifest.coming.iter().all(here)
            && received.names().len() == names.len()
    }

    async fn list(&mut self, received: &ReceivedLists, manifest: &Manifest, version: &ListVersion) -> Result<Outcome> {
        let place = received.place(&version.name)?;
        let coming: Vec<Sha256> = manifest.coming.iter().filter(|v| v.name == version.name).map(|v| v.sha256).collect();
        let accepted = place.accepted();
        let same = accepted.as_ref().is_some_and(|a| a.sha256 == version.sha256);
        if same && self.handed.get(&version.name) == Some(&version.sha256) {
            if accepted.as_ref() != Some(version) {
                place.accept(version, &coming)?;
            }
            let current = Change::Current { list: version.name.clone(), confirmed: version.confirmed };
            if let Err(e) = self.hand_over(&place, current).await {
                tracing::warn!(list = version.name, "That a list is current can't be noted: {}", e.chain());
            }
            return Ok(Outcome::Unchanged);
        }
        let kept = accepted.iter().map(|a| a.sha256).chain([version.sha256]).chain(coming.iter().copied());
        place.keep_only(&kept.collect::<Vec<_>>());
        let (way, bytes) = fetch(&self.remote, &place, version).await?;
        let change = Change::Station { version: version.clone(), path: place.file(&version.sha256) };
        let message = self.hand_over(&place, change).await.inspect_err(|e| {
            if e.kind() == Kind::Damaged {
                // The next round fetches it anew.
                let _ = durable::remove(&place.file(&version.sha256));
            }
        })?;
        place.accept(version, &coming)?;
        self.handed.insert(version.name.clone(), version.sha256);
        tracing::info!(list = version.name, version = version.version, ?way, bytes, "A list was accepted: {message}");
        Ok(Outcome::Changed { version: version.version, way, bytes, message })
    }

    async fn withdraw(&mut self, received: &ReceivedLists, name: &str) -> Result<Outcome> {
        let place = received.place(name)?;
        self.hand_over(&place, Change::Withdrawn { list: name.to_owned() }).await?;
        place.remove()?;
        self.handed.remove(name);
        self.states.remove(name);
        tracing::info!(list = name, "The station withdrew a list");
        Ok(Outcome::Withdrawn)
    }

    async fn hand_over(&self, place: &Place, change: Change) -> Result<String> {
        let accept = self.accept.clone();
        blocking(place.clone(), move |_| accept(&change)).await
    }
}

/// Once for each new error, not for each round.
fn tell(list: Option<&str>, e: &Error) {
    let what = match list {
        Some(_) => "A list is not brought up to date; the one before stays in force",
        None => "Lists can't be brought up to date; those there are stay in force",
    };
    match e.kind() {
        Kind::Network => tracing::warn!(list, error = %e.chain(), "{what}"),
        _ => tracing::error!(list, error = %e.chain(), "{what}"),
    }
}
