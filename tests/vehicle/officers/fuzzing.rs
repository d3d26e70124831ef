//! Whatever is typed or comes over the socket: no bytes panic, and the next caller is served.

use super::*;
use crate::control_entry_points;
use crate::kit::corpus;
use plated_core::runtime::Runtime;
use plated_vehicle::control::Server;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

#[test]
fn no_bytes_that_an_officer_or_the_socket_can_bring_panic() {
    for (target, run) in control_entry_points::TARGETS {
        corpus::run(target, run, 300);
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Z0-9]{0,14}", "[A-Z0-9?*]{2,9}", "\\PC{0,20}", any::<String>()]
}

/// A moment, as far as the calendar goes, or none.
fn any_moment() -> impl Strategy<Value = Value> {
    let seconds = prop_oneof![-377_705_023_201..253_402_207_200_i64, 1_795_000_000..1_797_000_000_i64];
    prop_oneof![
        Just(Value::Null),
        seconds.prop_map(|s| json!(jiff::Timestamp::from_second(s).unwrap())),
        any_text().prop_map(Value::from),
    ]
}

/// A request of the right form with anything in it.
fn any_request() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop::sample::select(vec!["add", "remove", "show", "search", "import", "export", "sync", "status"]);
    let number = prop_oneof![0..100_u64, any::<u64>()];
    (kinds, any_text(), any_text(), any_moment(), number, proptest::option::of(any::<u64>())).prop_map(
        |(kind, plate, text, moment, number, back)| {
            let mostly = |usual: &str, other: &str| if number % 4 > 0 { usual.to_owned() } else { other.to_owned() };
            let mut request = match kind {
                "add" => json!({"plate": plate, "state": mostly("CA", &text), "category": text, "priority": "high",
                                "case": text, "expires": moment, "search_back": back}),
                "remove" => json!({"id": number as i64}),
                "show" => json!({"plate": plate, "case": text}),
                "search" => json!({"plate": plate, "window": number, "case": text}),
                "import" => json!({"list": "svs", "file": mostly("svs.csv", &text), "modified": moment, "force": true,
                                   "bytes": if number % 2 > 0 { 14 } else { number }}),
                "export" => json!({"list": mostly("svs", &plate)}),
                _ => json!({}),
            };
            request["do"] = kind.into();
            if !matches!(kind, "sync" | "status") {
                request["reason"] = "a test".into();
            }
            let mut line = request.to_string().into_bytes();
            line.extend(b"\nplate\n7ABC123\n");
            line
        },
    )
}

/// All lines of the answer.
fn answer(socket: &std::path::Path, request: &[u8]) -> Vec<Value> {
    let mut stream = UnixStream::connect(socket).unwrap();
    // One who is refused at once may not take the rest.
    let _ = stream.write_all(request).and_then(|()| stream.shutdown(Shutdown::Write));
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    lines.map(|line| serde_json::from_str(&line).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn whatever_comes_over_the_socket_has_an_answer_with_an_end(
        requests in proptest::collection::vec(
            prop_oneof![4 => any_request(), 1 => proptest::collection::vec(any::<u8>(), 0..80)], 30..60
        ),
    ) {
        let Vehicle { place, store, service } = Vehicle::new("[[hotlists]]\nname = \"svs\"\n");
        let socket = place.dir.path().join("control");
        let runtime = Runtime::start().unwrap();
        let server = Server::start(&socket, Arc::new(service), runtime.handle(), &Default::default()).unwrap();
        for request in requests {
            let last = answer(&socket, &request).pop();
            let end = last.as_ref().is_some_and(|l| *l == "end" || l["error"]["message"].is_string());
            prop_assert!(end, "{} is answered {last:?}", request.escape_ascii());
        }
        drop(server);
        store.close().unwrap();
    }
}
