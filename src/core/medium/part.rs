//! One file of a medium.
//!
//! Encrypted with age: `PLATEDM1`, then frames (kind, length of the content as 4 bytes big-endian, content): the
//! vehicle's certificates as `C`, its own first; the batch as `B`; last the signature as `S`, over all bytes before it:
//! its scheme as TLS numbers them (2 bytes), and its bytes.

use super::key::{MediumKey, MediumRecipient};
use crate::error::{Context, Error, Kind, Result};
use crate::tls::{Facts, Identity, Signed};
use crate::wire::batch::MAX_BATCH_BYTES;
use age::DecryptError;
use rustls::pki_types::CertificateDer;

const MAGIC: &[u8; 8] = b"PLATEDM1";
const CERTIFICATE: u8 = b'C';
const BATCH: u8 = b'B';
const SIGNATURE: u8 = b'S';
/// Certificates up to the authority.
const MAX_CERTIFICATES: usize = 8;
/// Bytes of one certificate, or of a signature.
const MAX_SMALL_BYTES: usize = 16 << 10;
/// Largest file of a medium that is read: a batch, what is around it, and what age adds.
pub const MAX_FILE_BYTES: usize = MAX_BATCH_BYTES + (2 << 20);
/// What the signature is for; nothing else that a vehicle signs begins so.
const PURPOSE: &[u8] = b"plated part of a medium\n";

/// What a file holds. Who made it is known once [`Part::vehicle`] says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The certificates and the signature.
    signed: Signed,
    /// What is signed.
    message: Vec<u8>,
    batch: std::ops::Range<usize>,
}

/// Writes a batch as a file for the station, signed by the vehicle.
///
/// # Errors
/// `Config` when the vehicle's key can't sign, `Internal` when it can't be encrypted.
pub fn seal(to: &MediumRecipient, vehicle: &Identity, batch: &[u8]) -> Result<Vec<u8>> {
    let mut plain = MAGIC.to_vec();
    for certificate in vehicle.chain() {
        frame(&mut plain, CERTIFICATE, certificate)?;
    }
    frame(&mut plain, BATCH, batch)?;
    let (scheme, signature) = vehicle.sign(&[PURPOSE, &plain].concat())?;
    frame(&mut plain, SIGNATURE, &[&scheme.to_be_bytes()[..], &signature].concat())?;
    age::encrypt(&to.0, &plain).context(Kind::Internal, || "a batch can't be encrypted for the medium".into())
}

fn frame(out: &mut Vec<u8>, kind: u8, content: &[u8]) -> Result<()> {
    let length = u32::try_from(content.len()).context(Kind::Internal, || "a batch is too large for a medium".into())?;
    out.push(kind);
    out.extend(length.to_be_bytes());
    out.extend(content);
    Ok(())
}

impl Part {
    /// Opens a file of a medium.
    ///
    /// # Errors
    /// `Refused` when it is for another station; `Input` when it was cut off, changed, or is no such file.
    pub fn open(key: &MediumKey, file: &[u8]) -> Result<Self> {
        let wrong = |why: &str| Error::new(Kind::Input, why);
        if file.len() > MAX_FILE_BYTES {
            return Err(wrong("it is too large to be a part of a medium"));
        }
        let plain = age::decrypt(&key.0, file).map_err(|e| match e {
            DecryptError::NoMatchingKeys => Error::new(Kind::Refused, "it is encrypted for another station"),
            _ => wrong("it was cut off or changed, or is no part of a medium"),
        })?;
        Self::parse(plain)
    }

    /// Takes what was decrypted apart.
    ///
    /// # Errors
    /// `Input` when it is no part.
    pub fn parse(plain: Vec<u8>) -> Result<Self> {
        let wrong = || Error::new(Kind::Input, "what is in it is no part of a medium of this program's version");
        let mut rest = plain.strip_prefix(MAGIC).ok_or_else(wrong)?;
        let mut chain = Vec::new();
        let mut batch = None;
        loop {
            let begins = plain.len() - rest.len();
            let (&[kind, a, b, c, d], after) = rest.split_first_chunk().ok_or_else(wrong)?;
            let length = u32::from_be_bytes([a, b, c, d]) as usize;
            let (content, after) = after.split_at_checked(length).ok_or_else(wrong)?;
            match (kind, batch.is_some()) {
                (CERTIFICATE, false) if length <= MAX_SMALL_BYTES && chain.len() < MAX_CERTIFICATES => {
                    chain.push(content.to_vec());
                }
                (BATCH, false) if length <= MAX_BATCH_BYTES && !chain.is_empty() => {
                    batch = Some(begins + 5..begins + 5 + length);
                }
                (SIGNATURE, true) if (2..=MAX_SMALL_BYTES).contains(&length) && after.is_empty() => {
                    let (scheme, signature) = content.split_first_chunk().ok_or_else(wrong)?;
                    let signed = Signed { chain, scheme: u16::from_be_bytes(*scheme), signature: signature.to_vec() };
                    let batch = batch.ok_or_else(wrong)?;
                    let mut message = plain;
                    message.truncate(begins);
                    return Ok(Self { signed, message, batch });
                }
                _ => return Err(wrong()),
            }
            rest = after;
        }
    }

    /// The vehicle that made it, by its certificate, if one of the station's authority counts at `now` and it signed
    /// exactly this.
    ///
    /// # Errors
    /// `Refused` when not.
    pub fn vehicle(&self, station: &Identity, now: jiff::Timestamp) -> Result<String> {
        self.signed.verified(station, &[PURPOSE, &self.message].concat(), now)
    }

    /// The batch, as it would go over the network.
    pub fn batch(&self) -> &[u8] {
        self.message.get(self.batch.clone()).unwrap_or_default()
    }

    /// What its certificate says.
    ///
    /// # Errors
    /// `Input` when it is none.
    pub fn facts(&self) -> Result<Facts> {
        Facts::of(&CertificateDer::from(self.certificate()))
    }

    /// The vehicle's own certificate, DER.
    pub fn certificate(&self) -> &[u8] {
        self.signed.chain.first().map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};
    use crate::tls::Files;
    use crate::tls::authority::{Authority, Issued};
    use proptest::prelude::*;

    struct Depot {
        _dir: tempfile::TempDir,
        station: Identity,
        vehicle: Identity,
        key: MediumKey,
    }

    fn identity(issued: &Issued) -> Identity {
        Identity::load(&Files { ca: &issued.ca, certificate: &issued.certificate, key: &issued.key }).unwrap()
    }

    fn depot() -> Depot {
        let (dir, clock) = (tempfile::tempdir().unwrap(), SystemClock::new());
        let authority = Authority::create(dir.path(), &clock).unwrap();
        let station = identity(&authority.issue_station(&["localhost".into()], &clock).unwrap());
        let vehicle = identity(&authority.issue_vehicle("unit-7", &dir.path().join("v"), &clock).unwrap());
        Depot { _dir: dir, station, vehicle, key: MediumKey::generate() }
    }

    // policy: P-11, P-25
    #[test]
    fn a_part_comes_back_as_it_was_names_its_vehicle_and_lies_encrypted() {
        let depot = depot();
        let batch = b"a batch of reads that nobody may see".repeat(100);
        let file = seal(&depot.key.recipient(), &depot.vehicle, &batch).unwrap();
        assert!(!file.windows(12).any(|w| w == b"batch of rea" || w == b"PLATEDM1\x43\x00\x00\x00"));
        let part = Part::open(&depot.key, &file).unwrap();
        assert_eq!(part.batch(), batch);
        assert_eq!(part.vehicle(&depot.station, SystemClock::new().wall()).unwrap(), "unit-7");
        let other = Part::open(&MediumKey::generate(), &file).unwrap_err();
        assert!(other.kind() == Kind::Refused && other.to_string().contains("another station"), "{other}");
    }

    // policy: P-12, P-25
    #[test]
    fn one_that_was_cut_off_anywhere_or_changed_does_not_open() {
        let depot = depot();
        let file = seal(&depot.key.recipient(), &depot.vehicle, &[7; 200_000]).unwrap();
        for end in (0..file.len()).step_by(file.len() / 97).chain([file.len() - 1]) {
            assert_eq!(Part::open(&depot.key, &file[..end]).unwrap_err().kind(), Kind::Input, "{end}");
        }
        for at in (0..file.len()).step_by(file.len() / 53) {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(Part::open(&depot.key, &changed).is_err(), "{at}");
        }
    }

    // policy: P-25
    #[test]
    fn only_a_vehicle_of_the_authority_that_signed_exactly_this_counts() {
        let (depot, other) = (depot(), self::depot());
        let now = SystemClock::new().wall();
        let by = |vehicle: &Identity| {
            let file = seal(&depot.key.recipient(), vehicle, b"batch").unwrap();
            Part::open(&depot.key, &file).unwrap().vehicle(&depot.station, now).map_err(|e| e.kind())
        };
        assert_eq!(by(&depot.vehicle).as_deref(), Ok("unit-7"));
        assert_eq!(by(&other.vehicle), Err(Kind::Refused), "of another authority");
        assert_eq!(by(&depot.station), Err(Kind::Refused), "the station's own certificate is no vehicle's");
        let mut part =
            Part::open(&depot.key, &seal(&depot.key.recipient(), &depot.vehicle, b"batch").unwrap()).unwrap();
        let expired = now + jiff::SignedDuration::from_hours(24 * 365 * 30);
        assert_eq!(part.vehicle(&depot.station, expired).unwrap_err().kind(), Kind::Refused);
        let last = part.message.len() - 1;
        part.message[last] ^= 1;
        assert_eq!(part.vehicle(&depot.station, now).unwrap_err().kind(), Kind::Refused);
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_part_by_chance(bytes in proptest::collection::vec(any::<u8>(), 0..200), frames in proptest::collection::vec((prop_oneof![Just(b'C'), Just(b'B'), Just(b'S'), any::<u8>()], 0u32..40), 0..6)) {
            let mut plain = MAGIC.to_vec();
            for (kind, length) in frames {
                plain.push(kind);
                plain.extend(length.to_be_bytes());
                plain.extend(bytes.iter().take(length as usize));
            }
            for input in [bytes, plain] {
                if let Ok(part) = Part::parse(input) {
                    prop_assert!(part.batch().len() <= part.message.len());
                }
            }
        }
    }
}
