//! Alerts given to another program over a webhook: what it may see, on record before, tried again until it is taken.

use crate::kit::process::{Daemon, Line, until};
use crate::kit::vehicle::{Settings, Vehicle, images};
use plated_core::clock::SystemClock;
use plated_core::tls::authority::Authority;
use plated_core::tls::{Identity, page_server};
use plated_vehicle::subscribers::AlertMessage;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use uuid::Uuid;

/// A dispatch program: it keeps what it is sent, and answers as the test says.
struct Dispatch {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    answer: u16,
    /// Headers and body of each request.
    requests: Vec<(HashMap<String, String>, Vec<u8>)>,
}

impl Dispatch {
    fn start(answer: u16) -> Self {
        Self::start_with(answer, |stream, state| serve(&stream, state))
    }

    /// The same over https, with this certificate and key.
    fn start_tls(answer: u16, certificate: &Path, key: &Path) -> Self {
        let mut config = page_server(&Identity::load_for_pages(certificate, key).unwrap()).unwrap();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        Self::start_with(answer, move |stream, state| {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            serve(rustls::StreamOwned::new(connection, stream), state);
        })
    }

    fn start_with(answer: u16, answered: impl Fn(TcpStream, &Mutex<State>) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { answer, requests: Vec::new() }));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                answered(stream, &shared);
            }
        });
        Self { address, state }
    }

    fn answers(&self, status: u16) {
        self.state.lock().unwrap().answer = status;
    }

    fn count(&self) -> usize {
        self.state.lock().unwrap().requests.len()
    }

    /// Each alert once, by its key.
    fn alerts(&self) -> HashMap<Uuid, AlertMessage> {
        let state = self.state.lock().unwrap();
        let all = state.requests.iter().map(|(_, body)| serde_json::from_slice::<AlertMessage>(body).unwrap());
        all.map(|alert| (alert.id, alert)).collect()
    }

    /// All that it was ever sent.
    fn everything(&self) -> String {
        let state = self.state.lock().unwrap();
        state.requests.iter().map(|(_, body)| String::from_utf8_lossy(body).into_owned()).collect()
    }
}

fn serve(stream: impl Read + Write, state: &Mutex<State>) {
    let mut input = BufReader::new(stream);
    let (mut line, mut headers) = (String::new(), HashMap::new());
    while input.read_line(&mut line).is_ok_and(|n| n > 0) && line != "\r\n" {
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        line.clear();
    }
    let Some(length) = headers.get("content-length").and_then(|n| n.parse().ok()) else { return };
    let mut body = vec![0; length];
    if input.read_exact(&mut body).is_err() {
        return;
    }
    let mut state = state.lock().unwrap();
    state.requests.push((headers, body));
    let answer = format!("HTTP/1.1 {} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", state.answer);
    let stream = input.get_mut();
    // One that does not trust this certificate has gone.
    let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
}

/// A vehicle that meets a stolen vehicle, one of a list that dispatch may not see, and one of a covert list.
fn vehicle(dispatch: &Dispatch) -> Vehicle {
    vehicle_with(&format!("url = \"http://{}/alerts\"\n", dispatch.address))
}

/// The same with this way to the dispatch program.
fn vehicle_with(way: &str) -> Vehicle {
    let vehicle = Vehicle::new();
    vehicle.pictures("road", &["4KLM567".into(), "6DEF128".into(), "7ABC123".into()]);
    let list = |name: &str, plate: &str, more: &str| {
        std::fs::write(vehicle.path(&format!("{name}.csv")), format!("plate\n{plate}\n")).unwrap();
        format!("[[hotlists]]\nname = \"{name}\"\npath = \"{name}.csv\"\n{more}")
    };
    let tables = [
        images("front", "road", 1),
        list("stolen", "7ABC123", "priority = \"high\"\n"),
        list("local", "6DEF128", "priority = \"high\"\n"),
        list("watch", "4KLM567", "priority = \"high\"\ncovert = true\n"),
        format!("[[webhook]]\nname = \"cad\"\n{way}token_file = \"cad.token\"\nlists = [\"stolen\", \"watch\"]\n"),
    ];
    vehicle.configure(&Settings::default(), &tables);
    std::fs::write(vehicle.path("cad.token"), "a-token-of-dispatch\n").unwrap();
    std::fs::set_permissions(vehicle.path("cad.token"), std::fs::Permissions::from_mode(0o400)).unwrap();
    vehicle
}

/// Rows of the audit log with this action.
fn on_record(vehicle: &Vehicle, action: &str) -> usize {
    let output = Command::new(env!("CARGO_BIN_EXE_plated"))
        .args(["audit", "show", "--last", "200", "--json", "--reason", "test", "--config"])
        .arg(vehicle.path("plated.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).matches(&format!("\"{action}\"")).count()
}

fn hit_of(daemon: &mut Daemon, plate: &str) -> Uuid {
    let line = daemon.wait_for(|line| matches!(line, Line::Hit { hit, .. } if hit.text == plate));
    let Line::Hit { hit, .. } = line else { unreachable!() };
    hit.id
}

// policy: P-08, P-21
#[test]
fn dispatch_is_sent_the_alerts_of_its_lists_with_the_token_and_each_is_on_record() {
    let dispatch = Dispatch::start(204);
    let vehicle = vehicle(&dispatch);
    let mut daemon = vehicle.start(&[]);
    let hit = hit_of(&mut daemon, "7ABC123");
    let alert = until("the alert", || dispatch.alerts().remove(&hit));
    assert_eq!((&*alert.text, &*alert.entries[0].entry.list, alert.unverified), ("7ABC123", "stolen", true));
    until("the other alerts to be looked at", || {
        vehicle.status().0.contains("webhook cad: alerts are sent").then_some(())
    });
    daemon.terminate().well();

    let (headers, _) = dispatch.state.lock().unwrap().requests[0].clone();
    assert_eq!(headers["authorization"], "Bearer a-token-of-dispatch");
    assert_eq!(headers["idempotency-key"], hit.to_string());
    assert_eq!(dispatch.count(), 1, "once, and nothing else");
    for secret in ["6DEF128", "4KLM567", "watch", "local"] {
        assert!(!dispatch.everything().contains(secret), "{secret} was given out");
    }
    // The connection, and the alert.
    assert_eq!(on_record(&vehicle, "alert_given_out"), 2);
}

#[test]
fn an_alert_that_is_not_taken_is_sent_again_also_after_a_restart_and_holds_nothing_up() {
    let dispatch = Dispatch::start(503);
    let vehicle = vehicle(&dispatch);
    let mut daemon = vehicle.start(&[]);
    hit_of(&mut daemon, "6DEF128");
    let hit = hit_of(&mut daemon, "7ABC123");
    until("the first try", || (dispatch.count() > 0).then_some(()));
    until("the status to tell", || {
        vehicle.status().0.contains("webhook cad: 1 alert or more to be sent again: it answered 503").then_some(())
    });
    daemon.kill();

    dispatch.answers(200);
    let before = dispatch.count();
    let daemon = vehicle.start(&[]);
    until("the alert after the restart", || (dispatch.count() > before).then_some(()));
    until("it to be noted", || vehicle.status().0.contains("webhook cad: alerts are sent").then_some(()));
    daemon.terminate().well();
    assert!(dispatch.alerts().contains_key(&hit));

    // What was taken is not sent again.
    let before = dispatch.alerts().len();
    let mut daemon = vehicle.start(&[]);
    hit_of(&mut daemon, "7ABC123");
    until("the new alert", || (dispatch.alerts().len() > before).then_some(()));
    daemon.terminate().well();
    let sent =
        dispatch.state.lock().unwrap().requests.iter().filter(|(h, _)| h["idempotency-key"] == hit.to_string()).count();
    assert!(sent >= 2, "tried and taken");
}

#[test]
fn a_webhook_without_its_token_is_told_of_and_all_else_goes_on() {
    let dispatch = Dispatch::start(204);
    let vehicle = vehicle(&dispatch);
    std::fs::remove_file(vehicle.path("cad.token")).unwrap();
    let mut daemon = vehicle.start(&[]);
    hit_of(&mut daemon, "7ABC123");
    let (status, code) = vehicle.status();
    assert!(status.contains("webhook cad: no alert is sent: ") && status.contains("cad.token"), "{status}");
    assert_ne!(code, Some(0));
    daemon.terminate().well();
    assert_eq!(dispatch.count(), 0);
}

// policy: P-25
#[test]
fn over_https_a_webhook_trusts_the_authority_that_it_is_given_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let clock = SystemClock::new();
    let issued = |name: &str| {
        let authority = Authority::create(&folder.path().join(name), &clock).unwrap();
        authority.issue_console(&["127.0.0.1".into()], &folder.path().join(name).join("server"), &clock).unwrap()
    };
    let (theirs, strangers) = (issued("theirs"), issued("strangers"));
    let dispatch = Dispatch::start_tls(204, &theirs.certificate, &theirs.key);
    let way = |ca: &Path| format!("url = \"https://{}/alerts\"\nca = \"{}\"\n", dispatch.address, ca.display());

    let vehicle = vehicle_with(&way(&strangers.ca));
    let mut daemon = vehicle.start(&[]);
    hit_of(&mut daemon, "7ABC123");
    until("the status to tell", || vehicle.status().0.contains("it can't be reached").then_some(()));
    daemon.terminate().well();
    assert_eq!(dispatch.count(), 0, "no alert and no token for whoever can't show who it is");

    let vehicle = vehicle_with(&way(&theirs.ca));
    let mut daemon = vehicle.start(&[]);
    let hit = hit_of(&mut daemon, "7ABC123");
    until("the alert", || dispatch.alerts().remove(&hit));
    daemon.terminate().well();
    let (headers, _) = dispatch.state.lock().unwrap().requests[0].clone();
    assert_eq!(headers["authorization"], "Bearer a-token-of-dispatch");
}
