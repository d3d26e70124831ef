//! Manifest and delta stay as they are on the wire.

use plated_access::signed;
use plated_core::digest::Sha256;
use plated_core::signing::{Purpose, Signer, Trust};
use plated_core::wire::{FindingSet, Manifest, SignedManifest};
use plated_hotlist::{delta, manifest};
use std::os::unix::fs::PermissionsExt;

const SIGNED: &str = include_str!("../../golden/hotlist_manifest.json");
const FROM: &[u8] = include_bytes!("../../golden/hotlist_from.jsonl");
const TO: &[u8] = include_bytes!("../../golden/hotlist_to.jsonl");
const DELTA: &[u8] = include_bytes!("../../golden/hotlist.delta");

/// The key of the golden file, which another program signed.
fn signer() -> Signer {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hotlist.key");
    std::fs::write(&path, "07".repeat(32)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    Signer::load(&path).unwrap()
}

#[test]
fn a_manifest_reads_and_is_signed_byte_for_byte_as_the_golden_file() {
    let golden = SIGNED.trim_end();
    let opened: Manifest = manifest::open(golden.as_bytes(), &Trust::only([signer().public_key()])).unwrap();
    let list = &opened.lists[0];
    assert_eq!((list.name.as_str(), list.version, list.sha256), ("svs", 12, Sha256::of(TO)));
    assert_eq!((list.bytes, list.entries), (TO.len() as u64, 3));
    assert_eq!((list.deltas[0].from, list.deltas[0].bytes), (Sha256::of(FROM), DELTA.len() as u64));
    assert_eq!(manifest::sign(&opened, &signer()).unwrap(), golden);
    let signed: SignedManifest = serde_json::from_str(golden).unwrap();
    assert_eq!(serde_json::to_string(&signed).unwrap(), golden);
}

#[test]
fn a_manifest_with_a_version_for_later_reads_and_is_signed_byte_for_byte_as_the_golden_file() {
    let golden = include_str!("../../golden/hotlist_manifest_coming.json").trim_end();
    let opened: Manifest = manifest::open(golden.as_bytes(), &Trust::only([signer().public_key()])).unwrap();
    let (now, later) = ("2026-11-28T05:59:59Z".parse().unwrap(), "2026-11-28T06:00:00Z".parse().unwrap());
    assert_eq!((opened.lists_at(now)[0].version, opened.lists_at(later)[0].version), (12, 13));
    assert_eq!(opened.coming[0].stale.map(|stale| stale.critical_h), Some(72));
    assert_eq!(manifest::sign(&opened, &signer()).unwrap(), golden);
}

#[test]
fn findings_for_all_vehicles_read_and_are_signed_byte_for_byte_as_the_golden_file() {
    let golden = include_str!("../../golden/findings.json").trim_end();
    let trust = Trust::only([signer().public_key()]);
    let set: FindingSet = signed::open(golden.as_bytes(), "the set", Purpose::FINDINGS, &trust).unwrap();
    assert_eq!((set.serial, set.refused.len(), set.findings[0].counts()), (1_795_262_400, 1, true));
    assert_eq!(signed::sign(&set, Purpose::FINDINGS, &signer()).unwrap(), golden);
    let elsewhere = signed::open::<FindingSet>(golden.as_bytes(), "the set", Purpose::HOTLIST_MANIFEST, &trust);
    assert!(elsewhere.is_err(), "signed for another purpose");
}

#[test]
fn a_delta_is_written_and_applied_byte_for_byte_as_the_golden_file() {
    let (from, to) = (Sha256::of(FROM), Sha256::of(TO));
    let written = delta::diff(&(from, || Ok(FROM)), &(to, || Ok(TO)), Vec::new()).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), String::from_utf8(DELTA.to_vec()).unwrap());
    let (made, account) = delta::apply((from, FROM), DELTA, to, Vec::new()).unwrap();
    assert_eq!((made.as_slice(), account.sha256, account.entries), (TO, to, 3));
}
