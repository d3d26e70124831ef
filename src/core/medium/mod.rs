//! Batches on a medium, for a vehicle without a link (control P-11): each a file that only the station can read and
//! only the vehicle can have made.
//!
//! A file is encrypted with age (X25519, ChaCha20-Poly1305 in parts whose order and end are authenticated), so one that
//! was cut off does not open. Inside is a [`Part`]: the vehicle's certificate, the same bytes that go over the network,
//! and a signature over both. `docs/reference/medium.md` has the table.

mod key;
mod part;

pub use key::{MediumKey, MediumRecipient};
pub use part::{MAX_FILE_BYTES, Part, seal};

/// How the name of a part ends; before it are 32 digits, in the order in which parts are made.
pub const PART_SUFFIX: &str = ".age";
/// How the name of the receipt of a part ends, in place of [`PART_SUFFIX`].
pub const RECEIPT_SUFFIX: &str = ".receipt";

use uuid::Uuid;

/// A name for a new part, which tells nothing but when it was made: rows of an audit log count in their order.
pub fn new_name() -> String {
    format!("{}{PART_SUFFIX}", Uuid::now_v7().simple())
}

/// Whether a file of this name is a part.
pub fn is_part(name: &str) -> bool {
    name.strip_suffix(PART_SUFFIX)
        .is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

/// The name of the receipt of a part.
pub fn receipt_of(part: &str) -> String {
    format!("{}{RECEIPT_SUFFIX}", part.strip_suffix(PART_SUFFIX).unwrap_or(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_the_order_of_their_making_and_others_are_none_of_ours() {
        let (a, b) = (new_name(), new_name());
        assert!(a < b && is_part(&a) && is_part(&b));
        for other in ["report.age", "..age", "0123456789abcdef0123456789ABCDEF.age", "x", &receipt_of(&a)] {
            assert!(!is_part(other), "{other}");
        }
        assert!(receipt_of(&a).ends_with(".receipt") && receipt_of(&a).starts_with(&a[..32]));
    }
}
