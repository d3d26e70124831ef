//! The OpenAPI document of the station's calls, and whether the station keeps to it.

use crate::kit::Depot;
use crate::kit::process::Station;
use std::io::Write;
use std::path::Path;
use std::process::Command;

fn document() -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_plated-station")).arg("api").output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_document_of_the_calls_is_the_golden_file() {
    assert_eq!(document(), include_str!("../golden/openapi.json"));
}

#[test]
fn the_running_station_answers_whatever_it_is_sent_as_its_document_says() {
    let schemathesis = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/schemathesis/bin/schemathesis");
    if !schemathesis.exists() {
        // Written past the test runner, which keeps what a test that passes prints.
        let _ = writeln!(std::io::stderr(), "SKIPPED: schemathesis is not there; .ci/schemathesis installs it");
        return;
    }
    let depot = Depot::new();
    let (_station, address) = Station::start(&depot);
    let list = depot.dir.path().join("list.csv");
    std::fs::write(&list, "plate,state\n8ABC123,CA\n").unwrap();
    depot.well(&["hotlist", "import", list.to_str().unwrap(), "--name", "stolen"]);
    let file = depot.dir.path().join("openapi.json");
    std::fs::write(&file, document()).unwrap();
    let hooks = "import schemathesis\n\
                 schemathesis.serializer.alias('application/vnd.plated.batch', 'application/octet-stream')\n";
    std::fs::write(depot.dir.path().join("plated_hooks.py"), hooks).unwrap();
    let output = Command::new(schemathesis)
        .env("SCHEMATHESIS_HOOKS", "plated_hooks")
        .current_dir(depot.dir.path())
        .args(["--no-color", "run", "openapi.json", "--url", &format!("https://{address}")])
        .arg("--tls-verify")
        .arg(&depot.vehicle.ca)
        .arg("--request-cert")
        .arg(&depot.vehicle.certificate)
        .arg("--request-cert-key")
        .arg(&depot.vehicle.key)
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"])
        .args(["--checks", "response_headers_conformance,response_schema_conformance"])
        .args(["--max-examples", "25", "--generation-deterministic"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("12 selected / 12 total"), "{said}");
}
