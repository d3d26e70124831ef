//! PostgreSQL and object storage over TLS, with certificates of an authority of the agency's own.

use crate::kit::Depot;
use crate::kit::objects::Objects;
use crate::kit::postgres::Postgres;
use plated_core::error::{Error, Kind};
use plated_station::archive::{Archive as _, ObjectOptions, PostgresArchive, PostgresOptions, Retention};
use plated_station::{ArchiveKey, ServerOptions};
use std::path::Path;

use super::archive::{add, at, pictures, read, search};
use plated_core::digest::Sha256;
use plated_station::archive::Class;

/// Opens an archive whose database is at this port of this host, over TLS with this authority.
fn open(depot: &Depot, host: &str, port: u16, ca: &Path, objects: ObjectOptions) -> Result<PostgresArchive, Error> {
    PostgresArchive::open(&PostgresOptions {
        server: ServerOptions {
            url: format!("postgresql://plated@{host}:{port}/postgres?hostaddr=127.0.0.1"),
            ca: Some(ca.to_owned()),
            connections: 4,
        },
        objects,
        key: ArchiveKey::load(&depot.config.archive_key).unwrap(),
        station: "station-1",
        retention: Retention::default(),
    })
}

// policy: P-25
#[test]
fn a_database_is_reached_over_tls_only_by_its_name_and_by_a_certificate_of_the_authority() {
    let (depot, other) = (Depot::new(), Depot::new());
    let files = (depot.config.certificate.as_path(), depot.config.key.as_path());
    let Some(server) = Postgres::by_tcp(Some(files)) else { return };
    let bucket = || Objects::shared().bucket();
    let archive = open(&depot, "localhost", server.port(), &depot.config.ca, bucket()).unwrap();
    add(&archive, vec![read(at("2026-11-26T12:00:00Z"), "7ABC123", Class::NoHit, &[])], Vec::new());
    let used = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                WHERE application_name = 'plated-station'";
    assert_eq!(server.sql("postgres", used), "t\n");

    let wrong = open(&depot, "localhost", server.port(), &other.config.ca, bucket()).unwrap_err();
    assert!(wrong.kind() == Kind::Network && wrong.chain().contains("UnknownIssuer"), "{}", wrong.chain());
    // The certificate names `localhost` and 127.0.0.1, and no other name of the same machine.
    let wrong = open(&depot, "database.example.gov", server.port(), &depot.config.ca, bucket());
    let wrong = wrong.unwrap_err();
    assert!(wrong.kind() == Kind::Network && wrong.chain().contains("not valid for name"), "{}", wrong.chain());

    let plain = Postgres::by_tcp(None).unwrap();
    let wrong = open(&depot, "localhost", plain.port(), &depot.config.ca, bucket()).unwrap_err();
    assert!(wrong.kind() == Kind::Network && wrong.chain().contains("does not support TLS"), "{}", wrong.chain());
}

// policy: P-25
#[test]
fn object_storage_is_reached_over_tls_only_by_a_certificate_of_the_authority() {
    let (depot, other) = (Depot::new(), Depot::new());
    let Some(server) = Postgres::shared() else { return };
    let storage: &'static Objects = Box::leak(Box::new(Objects::start_tls(&depot.config)));
    let key = ArchiveKey::load(&depot.config.archive_key).unwrap();
    let open = |ca: &Path, endpoint: &dyn Fn(String) -> String| {
        let mut objects = ObjectOptions { ca: Some(ca.to_owned()), ..storage.bucket() };
        objects.endpoint = objects.endpoint.map(endpoint);
        PostgresArchive::open(&PostgresOptions {
            server: ServerOptions { url: server.database(), ca: None, connections: 4 },
            objects,
            key: key.clone(),
            station: "station-1",
            retention: Retention::default(),
        })
    };
    let same = |endpoint: String| endpoint;
    let new = || read(at("2026-11-26T12:00:00Z"), "7ABC123", Class::NoHit, &[b"a"]);
    let sent = |new| super::archive::batch(vec![new], pictures(&[b"a"]));
    let archive = open(&depot.config.ca, &same).unwrap();
    let stored = new();
    add(&archive, vec![stored.clone()], pictures(&[b"a"]));
    assert_eq!(archive.picture(&search(), stored.id, &Sha256::of(b"a")).unwrap().unwrap(), &b"a"[..]);

    let archive = open(&other.config.ca, &same).unwrap();
    let refused = archive.ingest(sent(new())).unwrap_err();
    assert!(refused.kind() == Kind::Network && refused.chain().contains("UnknownIssuer"), "{}", refused.chain());
    // A storage that is asked without TLS, on another computer, is refused before anything goes there.
    let refused = open(&depot.config.ca, &|_| "http://s3.example.gov".into()).unwrap_err();
    assert!(refused.kind() == Kind::Config && refused.chain().contains("https:// only"), "{}", refused.chain());
    let plain = Objects::shared().bucket().endpoint.unwrap().replace("http://", "https://");
    let archive = open(&depot.config.ca, &|_| plain.clone()).unwrap();
    assert_eq!(archive.ingest(sent(new())).unwrap_err().kind(), Kind::Network);
}
