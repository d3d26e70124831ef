//! Which manifest counts: signed by the station's key, and not older than the one in force.

use plated_core::error::{Error, Kind, Result};
use plated_core::signing::{Purpose, Signer, Trust};
use plated_core::wire::{Manifest, SignedManifest};
use serde_json::value::RawValue;
use std::collections::HashSet;

/// Largest signed manifest, in bytes.
pub const MAX_BYTES: usize = 4 << 20;

/// Signs a manifest; gives the JSON text of a [`SignedManifest`].
pub fn sign(manifest: &Manifest, signer: &Signer) -> Result<String> {
    let failed = |_| Error::new(Kind::Internal, "a manifest could not be written");
    let text = serde_json::to_string(manifest).map_err(failed)?;
    let signed = SignedManifest {
        key: hex::encode(signer.public_key()),
        signature: hex::encode(signer.sign(Purpose::HOTLIST_MANIFEST, text.as_bytes())),
        manifest: RawValue::from_string(text).map_err(failed)?,
    };
    serde_json::to_string(&signed).map_err(failed)
}

/// The manifest in the text of a [`SignedManifest`], if its signature counts.
///
/// # Errors
/// `Refused` when it is not signed by a trusted key, `Input` when it is no manifest.
pub fn open(text: &[u8], trust: &Trust) -> Result<Manifest> {
    let refused =
        |why: &str| Error::new(Kind::Refused, format!("the station's manifest of hotlists is refused: {why}"));
    let wrong = |why: &str| Error::new(Kind::Input, format!("the station's manifest of hotlists can't be used: {why}"));
    let signed: SignedManifest = serde_json::from_slice(text).map_err(|_| wrong("it is no signed manifest"))?;
    let (mut key, mut signature) = ([0; 32], [0; 64]);
    hex::decode_to_slice(&signed.key, &mut key).map_err(|_| wrong("its key is not valid"))?;
    hex::decode_to_slice(&signed.signature, &mut signature).map_err(|_| wrong("its signature is not valid"))?;
    let text = signed.manifest.get().as_bytes();
    trust.check(&key, Purpose::HOTLIST_MANIFEST, text, &signature).map_err(refused)?;
    let manifest = parse(signed.manifest.get()).ok_or_else(|| wrong("what is signed is no manifest"))?;
    let mut names = HashSet::new();
    for list in &manifest.lists {
        if !is_list_name(&list.name) || !names.insert((&list.name, None)) {
            return Err(wrong("a list's name is not valid, or there twice"));
        }
    }
    for coming in &manifest.coming {
        if !is_list_name(&coming.name)
            || coming.valid_from.is_none()
            || !names.insert((&coming.name, coming.valid_from))
        {
            return Err(wrong("a version to come has no valid name or time, or is there twice"));
        }
    }
    Ok(manifest)
}

/// The number of the manifest in a text that was checked before, when it was put by.
pub fn serial(text: &[u8]) -> Option<u64> {
    let signed: SignedManifest = serde_json::from_slice(text).ok()?;
    parse(signed.manifest.get()).map(|m| m.serial)
}

fn parse(text: &str) -> Option<Manifest> {
    serde_json::from_str(text).ok()
}

/// Refuses a manifest that is older than the one in force, or another one of the same number.
pub fn check_newer(new: &Manifest, text: &[u8], held: Option<&[u8]>) -> Result<()> {
    let Some((held, in_force)) = held.and_then(|held| Some((held, serial(held)?))) else { return Ok(()) };
    if new.serial < in_force {
        return Err(Error::new(
            Kind::Refused,
            format!(
                "the station's manifest of hotlists is refused: it is number {}, older than the one in force, which \
                 is number {in_force}",
                new.serial
            ),
        ));
    }
    if new.serial == in_force && text != held {
        return Err(Error::new(
            Kind::Refused,
            format!(
                "the station's manifest of hotlists is refused: it has the number {in_force} of the one in force \
                 and is another"
            ),
        ));
    }
    Ok(())
}

/// True for the names of lists: as other names, but never those of folders on the way up, nor
/// hidden ones.
pub fn is_list_name(name: &str) -> bool {
    plated_core::name::is_plain_name(name) && !name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use plated_core::digest::Sha256;
    use plated_core::wire::ListVersion;
    use proptest::prelude::*;

    fn manifest(serial: u64, names: &[&str]) -> Manifest {
        let list = |name: &&str| ListVersion {
            name: (*name).to_owned(),
            version: 1,
            sha256: Sha256::of(b""),
            bytes: 0,
            entries: 0,
            published: "2026-11-21T12:00:00Z".parse().unwrap(),
            file_date: None,
            confirmed: "2026-11-21T12:00:00Z".parse().unwrap(),
            forced: None,
            valid_from: None,
            stale: None,
            deltas: Vec::new(),
        };
        Manifest {
            station: "station-1".into(),
            serial,
            made: "2026-11-21T12:00:00Z".parse().unwrap(),
            lists: names.iter().map(list).collect(),
            coming: Vec::new(),
        }
    }

    fn signed(manifest: &Manifest, signer: &Signer) -> Vec<u8> {
        sign(manifest, signer).unwrap().into_bytes()
    }

    #[test]
    fn a_manifest_counts_only_when_the_stations_key_signed_exactly_its_bytes() {
        let (station, other) = (Signer::generate().unwrap(), Signer::generate().unwrap());
        let trust = Trust::only([station.public_key()]);
        let made = manifest(7, &["svs"]);
        assert_eq!(open(&signed(&made, &station), &trust).unwrap(), made);
        let error = open(&signed(&made, &other), &trust).unwrap_err();
        assert!(error.kind() == Kind::Refused && error.to_string().contains("not trusted here"), "{error}");
        let changed = String::from_utf8(signed(&made, &station)).unwrap().replace("\"serial\":7", "\"serial\":8");
        assert!(open(changed.as_bytes(), &trust).unwrap_err().to_string().contains("signature is wrong"));
    }

    #[test]
    fn names_that_lead_out_of_the_folder_or_come_twice_are_refused() {
        let station = Signer::generate().unwrap();
        let trust = Trust::only([station.public_key()]);
        for names in [&[".."][..], &["."], &["a/b"], &[""], &[".hidden"], &["svs", "svs"]] {
            assert!(open(&signed(&manifest(1, names), &station), &trust).is_err(), "{names:?}");
        }
    }

    #[test]
    fn an_older_manifest_or_another_of_the_same_number_is_refused() {
        let station = Signer::generate().unwrap();
        let held = signed(&manifest(7, &["svs"]), &station);
        let check = |made: &Manifest| check_newer(made, &signed(made, &station), Some(&held));
        assert!(check(&manifest(6, &["svs"])).unwrap_err().to_string().contains("older than the one in force"));
        assert!(check(&manifest(7, &["sfr"])).unwrap_err().to_string().contains("is another"));
        assert!(check(&manifest(7, &["svs"])).is_ok());
        assert!(check(&manifest(8, &[])).is_ok());
        assert!(check_newer(&manifest(1, &[]), b"", None).is_ok());
    }

    proptest! {
        #[test]
        fn any_change_of_a_byte_is_refused_without_a_panic(at: prop::sample::Index, byte: u8) {
            let station = Signer::generate().unwrap();
            let trust = Trust::only([station.public_key()]);
            let made = manifest(7, &["svs"]);
            let mut text = signed(&made, &station);
            let at = at.index(text.len());
            text[at] = byte;
            if let Ok(opened) = open(&text, &trust) {
                prop_assert_eq!(opened, made);
            }
        }
    }
}
