//! Evidence holds (control P-15).

use jiff::Timestamp;
use plated_access::audit::Who;
use uuid::Uuid;

/// A hold that is to begin. Who begins it, and why, is in the permit.
#[derive(Clone, Debug)]
pub struct NewHold {
    /// Number of the case.
    pub case: String,
    /// The reads, at least one, at most [`NewHold::MAX_READS`].
    pub reads: Vec<Uuid>,
}

impl NewHold {
    /// Most reads in one hold.
    pub const MAX_READS: usize = 10_000;
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its key.
    pub id: Uuid,
    /// Number of the case.
    pub case: String,
    /// Why.
    pub reason: String,
    /// Who began it.
    pub by: Who,
    /// When.
    pub since: Timestamp,
    /// Its reads.
    pub reads: Vec<Uuid>,
    /// When and by whom it was released, and why.
    pub released: Option<(Timestamp, Who, String)>,
}
