//! Where bytes from the station enter the vehicle; one function for each fuzz target.
//!
//! `tests/e2e/hotlist_sync/fuzzing.rs` runs them too, over the corpus and changes of it.

use plated_access::signed;
use plated_core::digest::Sha256;
use plated_core::record::EntryRecord;
use plated_core::signing::{Purpose, Signer, Trust};
use plated_core::wire::{DeltaHeader, FindingSet, SignedManifest};
use plated_hotlist::canonical::{CanonicalLines, CanonicalWriter};
use plated_hotlist::{delta, manifest};
use serde_json::value::RawValue;
use std::sync::LazyLock;

/// Takes any bytes.
pub type EntryPoint = fn(&[u8]);

/// The entry points by name.
pub const TARGETS: [(&str, EntryPoint); 4] =
    [("hotlist_manifest", manifest), ("hotlist_delta", delta), ("hotlist_lines", lines), ("finding_set", findings)];

static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::generate().expect("random numbers"));

/// As they came, and signed, since what is not signed is not looked at any further.
pub fn manifest(bytes: &[u8]) {
    let trust = Trust::only([SIGNER.public_key()]);
    assert!(manifest::open(bytes, &trust).is_err(), "nobody signed it");
    let Some(text) = std::str::from_utf8(bytes).ok().and_then(|t| RawValue::from_string(t.to_owned()).ok()) else {
        return;
    };
    let signature = hex::encode(SIGNER.sign(Purpose::HOTLIST_MANIFEST, text.get().as_bytes()));
    let signed = SignedManifest { key: hex::encode(SIGNER.public_key()), signature, manifest: text };
    let signed = serde_json::to_vec(&signed).expect("text");
    if let Ok(manifest) = manifest::open(&signed, &trust) {
        assert!(manifest.lists.iter().all(|list| manifest::is_list_name(&list.name)));
    }
}

/// What was approved as not the wanted vehicle: as it came, and signed.
pub fn findings(bytes: &[u8]) {
    const WHAT: &str = "the findings";
    let trust = Trust::only([SIGNER.public_key()]);
    assert!(signed::open::<FindingSet>(bytes, WHAT, Purpose::FINDINGS, &trust).is_err(), "nobody signed it");
    let Ok(document) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let text = signed::sign(&document, Purpose::FINDINGS, &SIGNER).expect("text");
    if let Ok(set) = signed::open::<FindingSet>(text.as_bytes(), WHAT, Purpose::FINDINGS, &trust) {
        assert!(serde_json::to_string(&set).is_ok());
    }
}

/// A list that is made has the hash that it should have.
pub fn delta(bytes: &[u8]) {
    const BASE: &[u8] = include_bytes!("../tests/golden/hotlist_from.jsonl");
    let header = bytes.split(|b| *b == b'\n').next().and_then(|line| serde_json::from_slice(line).ok());
    let header: Option<DeltaHeader> = header;
    let (from, to) = header.map_or((Sha256::of(BASE), Sha256::of(b"")), |h| (h.from, h.to));
    if let Ok((made, written)) = delta::apply((from, BASE), bytes, to, Vec::new()) {
        assert_eq!((Sha256::of(&made), written.sha256, written.bytes), (to, to, made.len() as u64));
    }
}

/// Lines that are taken are those that were sent.
pub fn lines(bytes: &[u8]) {
    let (mut lines, mut writer) = (CanonicalLines::new(bytes), CanonicalWriter::new(Vec::new()));
    while let Ok(more) = lines.advance() {
        if !more {
            let (written, counts) = writer.finish().expect("memory");
            assert_eq!((&*written, counts.sha256, counts.bytes), (bytes, Sha256::of(bytes), bytes.len() as u64));
            return;
        }
        writer.add(lines.line()).expect("memory");
        if let Ok(entry) = serde_json::from_slice::<EntryRecord>(lines.line()) {
            assert!(!serde_json::to_string(&entry).expect("text").contains('\n'));
        }
    }
}
