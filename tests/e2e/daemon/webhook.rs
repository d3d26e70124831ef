//! Alerts given to another program over a webhook: what it may see, on record before, tried again until it is taken.

use crate::kit::process::{Daemon, Line, until};
use crate::kit::vehicle::{Settings, Vehicle, images};
use plated_vehicle::subscribers::AlertMessage;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { answer, requests: Vec::new() }));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serve(&stream, &shared);
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

fn serve(stream: &TcpStream, state: &Mutex<State>) {
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
    let _ = { stream }.write_all(answer.as_bytes());
}

/// A vehicle that meets a stolen vehicle, one of a list that dispatch may not see, and one of a covert list.
fn vehicle(dispatch: &Dispatch) -> Vehicle {
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
        format!(
            "[[webhook]]\nname = \"cad\"\nurl = \"http://{}/alerts\"\ntoken_file = \"cad.token\"\n\
             lists = [\"stolen\", \"watch\"]\n",
            dispatch.address
        ),
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
