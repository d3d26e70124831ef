//! Where bytes from outside enter as a batch, as its receipt, or as a file of a medium; one function for each fuzz target.
//!
//! `tests/station/batch.rs` runs them too, over the corpus and changes of it.

use plated_core::medium::{MediumKey, Part};
use plated_core::signing::{Purpose, Signer, Trust};
use plated_core::wire::batch::{BatchReader, Event, SignedReceipt};
use std::sync::LazyLock;

/// Takes any bytes.
pub type EntryPoint = fn(&[u8]);

/// The entry points by name.
pub const TARGETS: [(&str, EntryPoint); 3] = [("batch", batch), ("receipt", receipt), ("medium", medium)];

static KEY: LazyLock<MediumKey> = LazyLock::new(MediumKey::generate);
static SIGNER: LazyLock<Signer> = LazyLock::new(|| Signer::generate().expect("random numbers"));

/// A batch says the same in one piece and in small ones.
pub fn batch(bytes: &[u8]) {
    assert_eq!(events(bytes, bytes.len().max(1)), events(bytes, 7));
}

/// What is in a file of a medium, and the file itself, which nobody encrypted for this key.
pub fn medium(bytes: &[u8]) {
    assert!(Part::open(&KEY, bytes).is_err());
    if let Ok(part) = Part::parse(bytes.to_vec()) {
        assert!(bytes.windows(part.batch().len().max(1)).any(|w| w.starts_with(part.batch())));
        assert!(!part.certificate().is_empty() || part.batch().len() <= bytes.len());
    }
}

/// How many events came before the end or the error, and whether the batch is whole.
fn events(bytes: &[u8], piece: usize) -> (usize, bool) {
    let (mut reader, mut events, mut ended) = (BatchReader::new(), 0, false);
    for mut piece in bytes.chunks(piece) {
        loop {
            match reader.next(&mut piece) {
                Ok(Some(event)) => {
                    assert!(!ended, "nothing comes behind the end");
                    ended = matches!(event, Event::End);
                    events += 1;
                }
                Ok(None) => break,
                Err(_) => return (events, false),
            }
        }
        assert!(piece.is_empty());
    }
    (events, reader.finish().is_ok())
}

/// The receipt as it came, and signed, since what is not signed is not looked at any further.
pub fn receipt(bytes: &[u8]) {
    let trust = Trust::only([SIGNER.public_key()]);
    assert!(SignedReceipt::open(bytes, &trust).is_err(), "nobody signed it");
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (key, signature) = (hex::encode(SIGNER.public_key()), hex::encode(SIGNER.sign(Purpose::RECEIPT, bytes)));
    let signed = format!("{{\"key\":\"{key}\",\"signature\":\"{signature}\",\"receipt\":{text}}}");
    if let Ok(receipt) = SignedReceipt::open(signed.as_bytes(), &trust) {
        let again = SignedReceipt::sign(&receipt, &SIGNER).expect("what was read can be signed");
        let again = serde_json::to_vec(&again).expect("and written");
        assert_eq!(SignedReceipt::open(&again, &trust).expect("and read"), receipt);
    }
}
