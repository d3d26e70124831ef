//! A station with lists, and a vehicle that fetches them by a way that can be disturbed.

use crate::kit::process::Station;
use crate::kit::{Depot, VEHICLE, link};
use plated_core::clock::SystemClock;
use plated_core::error::{Error, Kind, Result};
use plated_core::record::{EntryRecord, Priority};
use plated_core::signing::Trust;
use plated_core::wire::ListVersion;
use plated_vehicle::lists;
use plated_vehicle::lists::{Accept, Ask, Body, Change, Outcome, Remote, Reply, Round, Sync};
use plated_vehicle::transfer::{Download, HttpsLink};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

/// Entries as an importer gives them, one on each line.
pub fn entries(numbers: impl IntoIterator<Item = u32>) -> String {
    let line = |n: u32| {
        let record = EntryRecord {
            plate: format!("7ABC{n:03}"),
            state: "CA".into(),
            category: "stolen_vehicle".into(),
            priority: Priority::High,
            reason: "for the test".into(),
            ..EntryRecord::default()
        };
        serde_json::to_string(&record).unwrap() + "\n"
    };
    numbers.into_iter().map(line).collect()
}

/// What happened to one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    pub path: String,
    pub from: Option<u64>,
    pub status: u16,
    pub bytes: usize,
}

#[derive(Default)]
pub struct Plan {
    seen: Vec<Seen>,
    /// Bodies of lists are cut off after so many bytes, one after the other.
    cuts: VecDeque<usize>,
    /// The next manifests are these.
    replays: VecDeque<Vec<u8>>,
    /// The last manifest that came.
    manifest: Vec<u8>,
    /// `If-Range` names this instead.
    other_tag: Option<String>,
}

/// The real link, which keeps account and can be disturbed.
#[derive(Clone)]
pub struct Way(HttpsLink, Arc<Mutex<Plan>>);

impl Way {
    pub fn new(link: HttpsLink) -> Self {
        Self(link, Arc::default())
    }

    /// What was asked for since this was called last.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.1.lock().unwrap().seen)
    }

    pub fn cut(&self, after: usize) {
        self.1.lock().unwrap().cuts.push_back(after);
    }

    pub fn replay(&self, manifest: Vec<u8>) {
        self.1.lock().unwrap().replays.push_back(manifest);
    }

    pub fn manifest(&self) -> Vec<u8> {
        self.1.lock().unwrap().manifest.clone()
    }

    pub fn name_other_tag(&self, tag: &str) {
        self.1.lock().unwrap().other_tag = Some(tag.into());
    }
}

pub enum Pieces {
    Real { body: Download, plan: Arc<Mutex<Plan>>, at: usize, cut: Option<usize>, manifest: bool },
    Replayed(Option<Vec<u8>>),
}

impl Remote for Way {
    type Body = Pieces;

    async fn get(&self, path: &str, ask: &Ask) -> Result<Reply<Pieces>> {
        if path == "v1/findings" {
            // No list, and undisturbed.
            let Reply { status, etag, start, retry_after, body } = self.0.get(path, ask).await?;
            let body = Pieces::Real { body, plan: Arc::default(), at: usize::MAX, cut: None, manifest: false };
            return Ok(Reply { status, etag, start, retry_after, body });
        }
        let manifest = path == "v1/hotlists";
        let mut ask = ask.clone();
        let (replayed, cut) = {
            let mut plan = self.1.lock().unwrap();
            if let (Some(tag), Some(from)) = (plan.other_tag.take_if(|_| ask.from.is_some()), &mut ask.from) {
                from.1 = tag;
            }
            let replayed = if manifest { plan.replays.pop_front() } else { None };
            (replayed, if manifest { None } else { plan.cuts.pop_front() })
        };
        if let Some(text) = replayed {
            return Ok(Reply {
                status: 200,
                etag: None,
                start: None,
                retry_after: None,
                body: Pieces::Replayed(Some(text)),
            });
        }
        let reply = self.0.get(path, &ask).await?;
        let mut plan = self.1.lock().unwrap();
        let from = ask.from.map(|(from, _)| from);
        plan.seen.push(Seen { path: path.into(), from, status: reply.status, bytes: 0 });
        if manifest && reply.status == 200 {
            plan.manifest.clear();
        }
        let at = plan.seen.len() - 1;
        let body = Pieces::Real { body: reply.body, plan: self.1.clone(), at, cut, manifest };
        Ok(Reply { status: reply.status, etag: reply.etag, start: reply.start, retry_after: reply.retry_after, body })
    }
}

impl Body for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let (body, plan, at, cut, manifest) = match self {
            Pieces::Replayed(text) => return Ok(text.take()),
            Pieces::Real { body, plan, at, cut, manifest } => (body, plan, *at, cut, *manifest),
        };
        if *cut == Some(0) {
            return Err(Error::new(Kind::Network, "the line was cut"));
        }
        let Some(mut piece) = body.next().await? else { return Ok(None) };
        if let Some(left) = cut {
            piece.truncate(*left);
            *left -= piece.len();
        }
        let mut plan = plan.lock().unwrap();
        if let Some(seen) = plan.seen.get_mut(at) {
            seen.bytes += piece.len();
        }
        if manifest {
            plan.manifest.extend_from_slice(&piece);
        }
        Ok(Some(piece))
    }
}

/// A station that runs, and a vehicle.
pub struct Bench {
    pub depot: Depot,
    pub address: SocketAddr,
    pub way: Way,
    /// Names and versions handed over, in order; `NAME gone` when withdrawn.
    pub handed: Arc<Mutex<Vec<String>>>,
    /// Lists of these names are refused.
    pub refused: Arc<Mutex<Vec<String>>>,
    station_process: Mutex<Option<Station>>,
}

impl Bench {
    pub fn new() -> Self {
        let depot = Depot::new();
        let (station, address) = Station::start(&depot);
        let way = Way::new(depot.link(address));
        Self {
            depot,
            address,
            way,
            handed: Arc::default(),
            refused: Arc::default(),
            station_process: Mutex::new(Some(station)),
        }
    }

    /// The station is not there any more.
    pub fn stop(&self) {
        self.station_process.lock().unwrap().take();
    }

    /// The file of the version of a list that was published last.
    pub fn newest(&self, name: &str) -> PathBuf {
        let listed = self.station(&["list", "--json"]);
        let lines = String::from_utf8(listed.stdout).unwrap();
        let of = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        let current = lines.lines().map(of).find(|v| v["name"] == name && v["current"] == true).unwrap();
        let sha256 = current["sha256"].as_str().unwrap();
        self.depot.config.data.join(format!("hotlists/{name}/{sha256}.jsonl"))
    }

    /// `plated-station hotlist …`
    pub fn station(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
        let config = self.depot.dir.path().join("station.toml");
        command.arg("hotlist").args(args).arg("--config").arg(config).output().unwrap()
    }

    /// Adds to station.toml, for the commands.
    pub fn configure(&self, text: &str) {
        let config = self.depot.dir.path().join("station.toml");
        let before = std::fs::read_to_string(&config).unwrap();
        std::fs::write(config, before + text).unwrap();
    }

    /// `plated-station hotlist import`
    pub fn import(&self, file: &std::path::Path, name: &str, args: &[&str]) -> Output {
        self.station(&[&["import", file.to_str().unwrap(), "--name", name][..], args].concat())
    }

    /// Publishes these entries, whatever the station's checks say; what was said.
    pub fn publish(&self, name: &str, text: &str) -> String {
        let file = self.depot.dir.path().join("list.jsonl");
        std::fs::write(&file, text).unwrap();
        let done = self.import(&file, name, &["--force", "--reason", "for the test"]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    pub fn folder(&self) -> PathBuf {
        self.depot.dir.path().join("vehicle/hotlists")
    }

    pub fn key(&self) -> PathBuf {
        self.depot.dir.path().join("hotlist.pub")
    }

    /// The vehicle's side, as after a start.
    pub fn sync(&self) -> Sync<Way> {
        self.sync_trusting(Trust::load(&self.key()).unwrap())
    }

    pub fn sync_trusting(&self, trust: Trust) -> Sync<Way> {
        Sync::new(self.way.clone(), self.folder(), trust, Arc::new(SystemClock::new()), self.accept())
    }

    pub fn accept(&self) -> Arc<Accept> {
        let (handed, refused) = (self.handed.clone(), self.refused.clone());
        Arc::new(move |change: &Change| {
            let (name, what) = match change {
                Change::Station { version, path } => {
                    assert_eq!(std::fs::metadata(path).unwrap().len(), version.bytes);
                    (&version.name, format!("{} {}", version.name, version.version))
                }
                Change::Current { .. } | Change::Findings(_) => return Ok("fine".into()),
                Change::Withdrawn { list } => (list, format!("{list} gone")),
                Change::File { list, .. } => (list, format!("{list} file")),
            };
            handed.lock().unwrap().push(what);
            match refused.lock().unwrap().contains(name) {
                true => Err(Error::new(Kind::Input, "it has 1 entries where the list in force has 100")),
                false => Ok("fine".into()),
            }
        })
    }

    pub fn handed(&self) -> Vec<String> {
        std::mem::take(&mut *self.handed.lock().unwrap())
    }

    /// The lists that were accepted, by name and version.
    pub fn in_force(&self) -> Vec<(String, u64)> {
        lists::accepted(&self.folder()).into_iter().map(|(v, _)| (v.name, v.version)).collect()
    }

    /// The accepted version of a list, and its bytes.
    pub fn held(&self, name: &str) -> (ListVersion, Vec<u8>) {
        let found = lists::accepted(&self.folder()).into_iter().find(|(v, _)| v.name == name).unwrap();
        (found.0, std::fs::read(found.1).unwrap())
    }

    /// Files at the station, of a list.
    pub fn files(&self, name: &str, extension: &str) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.depot.config.data.join("hotlists").join(name)).unwrap();
        let mut files: Vec<_> = files.map(|f| f.unwrap().path()).collect();
        files.retain(|f| f.extension().is_some_and(|e| e == extension));
        files
    }

    /// The same link with other files of certificate and key.
    pub fn other_link(&self, files: &plated_core::tls::authority::Issued) -> HttpsLink {
        link(files, VEHICLE, &self.depot.vehicle.ca, self.address)
    }
}

/// The outcome of one list.
pub fn of<'a>(round: &'a Round, name: &str) -> &'a Result<Outcome> {
    assert!(round.error.is_none(), "{:?}", round.error);
    &round.lists.iter().find(|(n, _)| n == name).unwrap().1
}

/// Why it failed.
pub fn why(round: &Round) -> String {
    round.errors().map(|(_, e)| e.chain()).collect()
}
