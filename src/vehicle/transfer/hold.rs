//! Reads set aside for a while, so that one which can't be transferred never blocks the others.

use std::collections::HashMap;
use std::time::Duration;
use uuid::Uuid;

/// How long a read is set aside before it is tried again.
const TIME: Duration = Duration::from_secs(3600);
/// Most reads set aside; past it the one that comes back first is let go.
const MAX_RECORDS: usize = 1000;

/// The reads set aside, each until a monotonic time.
#[derive(Debug, Default)]
pub(super) struct Held(HashMap<Uuid, Duration>);

impl Held {
    pub(super) fn add(&mut self, id: Uuid, now: Duration) {
        if self.0.len() >= MAX_RECORDS
            && let Some(first) = self.0.iter().min_by_key(|(_, until)| **until).map(|(id, _)| *id)
        {
            self.0.remove(&first);
        }
        self.0.insert(id, now + TIME);
    }

    pub(super) fn release_due(&mut self, now: Duration) {
        self.0.retain(|_, until| *until > now);
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Uuid> {
        self.0.keys().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_set_aside_comes_back_and_their_number_is_bounded() {
        let mut held = Held::default();
        let first = Uuid::now_v7();
        held.add(first, Duration::ZERO);
        for s in 0..MAX_RECORDS as u64 {
            held.add(Uuid::now_v7(), Duration::from_secs(1 + s));
        }
        assert_eq!(held.len(), MAX_RECORDS);
        assert!(held.all().all(|id| id != first));
        held.release_due(TIME * 2);
        assert_eq!(held.len(), 0);
    }
}
