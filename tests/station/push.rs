//! Reads pushed on to programs of others, as the JSON of OpenALPR's agents, over real HTTPS.

use crate::kit::objects::Objects;
use crate::kit::postgres::Postgres;
use crate::kit::process::{Station, until};
use crate::kit::{Batch, Depot, VEHICLE, batch, body, pictures, post, receipt, record, seal};
use plated_core::clock::SystemClock;
use plated_core::record::{Alerting, ImageRef, ImageRole, ReadRecord};
use plated_core::tls::authority::Authority;
use plated_core::tls::{Identity, page_server};
use rustls::{ServerConnection, StreamOwned};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

/// A program that is sent reads; it keeps what came, and answers as the test says.
struct Receiver {
    address: SocketAddr,
    ca: PathBuf,
    state: Arc<Mutex<State>>,
}

struct State {
    answer: u16,
    /// Head and body of each request.
    requests: Vec<(String, Vec<u8>)>,
}

impl Receiver {
    fn start(depot: &Depot, answer: u16) -> Self {
        let dir = depot.dir.path().join("receiver");
        std::fs::create_dir(&dir).unwrap();
        let clock = SystemClock::new();
        let authority = Authority::create(&dir, &clock).unwrap();
        let own = authority.issue_station(&["127.0.0.1".into()], &clock).unwrap();
        let mut config = page_server(&Identity::load_for_pages(&own.certificate, &own.key).unwrap()).unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { answer, requests: Vec::new() }));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(config.clone()).unwrap();
                serve(StreamOwned::new(connection, stream), &shared);
            }
        });
        Self { address, ca: dir.join("ca.crt"), state }
    }

    fn answers(&self, status: u16) {
        self.state.lock().unwrap().answer = status;
    }

    fn count(&self) -> usize {
        self.state.lock().unwrap().requests.len()
    }

    /// Ids of reads that it took, in order.
    fn taken(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let uuid = |(_, body): &(String, Vec<u8>)| {
            serde_json::from_slice::<Value>(body).unwrap()["best_uuid"].as_str().unwrap().to_owned()
        };
        state.requests.iter().map(uuid).collect()
    }

    fn last(&self) -> (String, Value) {
        let state = self.state.lock().unwrap();
        let (head, body) = state.requests.last().unwrap();
        (head.clone(), serde_json::from_slice(body).unwrap())
    }
}

/// Takes one request, keeps it where it says that it took it, and closes.
fn serve(stream: impl Read + Write, state: &Mutex<State>) {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    if stream.read_exact(&mut body).is_err() {
        return;
    }
    let mut state = state.lock().unwrap();
    let answer = state.answer;
    state.requests.push((head, body));
    drop(state);
    let stream = stream.get_mut();
    let _ =
        stream.write_all(format!("HTTP/1.1 {answer} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes());
    let _ = stream.flush();
}

/// The depot's station pushes to this receiver what `more` says.
fn pushes_to(depot: &Depot, receiver: &Receiver, more: &str) {
    let (config, token) = (depot.file(), depot.dir.path().join("push.token"));
    std::fs::write(&token, "s3cret\n").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o400)).unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    let push = format!(
        "[[push]]\nname = \"centre\"\nurl = \"https://{}/alpr\"\nca = \"{}\"\ntoken_file = \"push.token\"\n\
         idle_s = 0.02\nmax_backoff_s = 0.1\n{more}",
        receiver.address,
        receiver.ca.display()
    );
    std::fs::write(&config, text + &push).unwrap();
}

fn run(depot: &Depot) -> (Station, SocketAddr) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plated-station"));
    Station::run(command.args(["run", "--config"]).arg(depot.dir.path().join("station.toml")))
}

fn jpeg(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web/gallery/pictures");
    std::fs::read(folder.join(format!("{name}.jpg"))).unwrap()
}

/// A read with a picture of the plate and one of the vehicle.
fn read(has_hit: bool) -> (ReadRecord, Vec<Vec<u8>>) {
    let images = vec![jpeg("6koj318"), jpeg("6koj318-overview")];
    let image = |role, jpeg: &Vec<u8>| ImageRef { role, ..record(std::slice::from_ref(jpeg)).images[0] };
    let named = vec![image(ImageRole::Plate, &images[0]), image(ImageRole::Overview, &images[1])];
    let mut read = ReadRecord { images: named, canvass: None, ..record(&[]) };
    if !has_hit {
        read.hits.clear();
    }
    (read, images)
}

async fn send(depot: &Depot, address: SocketAddr, reads: &[(ReadRecord, Vec<Vec<u8>>)]) {
    let sealed: Vec<_> = reads.iter().map(|(read, _)| seal(read)).collect();
    let all: Vec<_> = reads.iter().flat_map(|(_, images)| images.clone()).collect();
    let sent = Batch { pictures: pictures(&all), ..batch(VEHICLE, sealed) };
    let receipt = receipt(&post(&depot.link(address), body(&sent)).await.unwrap());
    assert_eq!(receipt.reads.durable.len(), reads.len(), "{receipt:?}");
}

async fn waits_over_failures_and_restarts(depot: Depot) {
    let receiver = Receiver::start(&depot, 503);
    pushes_to(&depot, &receiver, "classes = [\"hit\"]\n");
    let (station, address) = run(&depot);
    let all = [read(true), read(false), read(true), read(true)];
    send(&depot, address, &all).await;
    send(&depot, address, &all).await; // A vehicle may send a batch twice.
    until("a receiver that fails is tried again", || (receiver.count() >= 3).then_some(()));
    drop(station); // Killed.
    receiver.answers(401);
    let before = receiver.count();
    let (station, _) = run(&depot);
    until("it is tried again after a start", || (receiver.count() > before + 1).then_some(()));
    drop(station);
    receiver.state.lock().unwrap().requests.clear();
    receiver.answers(204);
    let (_station, _) = run(&depot);
    until("all that waited came", || (receiver.count() == 3).then_some(()));
    let mut taken = receiver.taken();
    taken.sort();
    let mut hits: Vec<_> = [0, 2, 3].map(|n: usize| all[n].0.id.to_string()).into();
    hits.sort();
    assert_eq!(taken, hits, "each read with a hit once, and no other");
    let (head, _) = receiver.last();
    assert!(head.contains("POST /alpr ") && head.to_lowercase().contains("authorization: bearer s3cret"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_does_not_take_waits_over_its_failures_and_starts_of_the_station_and_comes_once() {
    waits_over_failures_and_restarts(Depot::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_does_not_take_waits_on_postgresql_too() {
    let Some(server) = Postgres::shared() else { return };
    let mut depot = Depot::new();
    depot.on_postgres(&server.database(), &Objects::shared().bucket());
    waits_over_failures_and_restarts(depot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_goes_as_an_alpr_group_with_pictures_within_the_limits_of_the_receiver() {
    let depot = Depot::new();
    let receiver = Receiver::start(&depot, 200);
    pushes_to(&depot, &receiver, "classes = [\"hit\"]\nplate_bytes = 3000\noverview_bytes = 20000\n");
    let (_station, address) = run(&depot);
    let golden: ReadRecord = serde_json::from_str(include_str!("../golden/read_record.json")).unwrap();
    let (with_pictures, images) = read(true);
    let read = ReadRecord { id: golden.id, images: with_pictures.images, ..golden };
    assert!(images[1].len() > 20_000, "the picture has to be made smaller: {}", images[1].len());
    send(&depot, address, &[(read, images)]).await;
    until("the read came", || (receiver.count() == 1).then_some(()));
    let (_, mut group) = receiver.last();
    let picture = |value: &Value| {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.decode(value.as_str().unwrap()).unwrap()
    };
    let (plate, overview) = (picture(&group["best_plate"]["plate_crop_jpeg"]), picture(&group["vehicle_crop_jpeg"]));
    assert!(plate.len() <= 3000 && overview.len() <= 20_000, "{} {}", plate.len(), overview.len());
    for jpeg in [&plate, &overview] {
        let buffer = opencv::core::Vector::from_slice(jpeg);
        let shown = opencv::imgcodecs::imdecode(&buffer, opencv::imgcodecs::IMREAD_COLOR).unwrap();
        assert!(opencv::core::MatTraitConst::cols(&shown) > 20, "it is a picture");
    }
    // All else is a golden file: what receivers were made for.
    group["best_plate"]["plate_crop_jpeg"] = "...".into();
    group["vehicle_crop_jpeg"] = "...".into();
    group["custom_data"]["sealed_sha256"] = "...".into();
    let golden: Value = serde_json::from_str(include_str!("../golden/alpr_group.json")).unwrap();
    assert_eq!(group, golden, "{}", serde_json::to_string_pretty(&group).unwrap());
}

// policy: P-08
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_is_there_for_a_covert_list_alone_is_pushed_to_nobody_who_gets_hits() {
    let depot = Depot::new();
    let receiver = Receiver::start(&depot, 200);
    pushes_to(&depot, &receiver, "classes = [\"hit\"]\n");
    let (_station, address) = run(&depot);
    let mut covert = read(true);
    covert.0.hits.iter_mut().for_each(|hit| hit.alert = Alerting::Covert);
    let open = read(true);
    let id = open.0.id.to_string();
    send(&depot, address, &[covert, open]).await;
    let waiting =
        || -> i64 { depot.database().query_row("SELECT count(*) FROM forward_queue", [], |row| row.get(0)).unwrap() };
    until("nothing waits any more", || (waiting() == 0).then_some(()));
    assert_eq!(receiver.taken(), [id]);
}
