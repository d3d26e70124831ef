//! Places for open connections: a number for all, and one for each vehicle, so that one certificate does not lock
//! others out. A vehicle that opens more loses its oldest connection: that is the one which may be dead without the
//! station knowing it.

use plated_core::digest::Sha256;
use plated_core::tls::Facts;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Most open connections.
pub const MAX_CONNECTIONS: usize = 1024;
/// And of one vehicle. It uses up to three: for batches, for lists, and for signs of a breach.
pub const MAX_VEHICLE_CONNECTIONS: usize = 16;

/// Number, certificate, and what tells it to close.
type Closers = VecDeque<(u64, Sha256, oneshot::Sender<()>)>;

#[derive(Debug, Default)]
struct Open {
    next: u64,
    count: usize,
    vehicles: HashMap<String, Closers>,
}

/// All places.
#[derive(Clone, Debug, Default)]
pub struct Places(Arc<Mutex<Open>>);

/// A taken place, free again when it is dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    vehicle: String,
    number: u64,
}

impl Places {
    /// A place for a connection by this certificate, and what tells it to close; none when all are taken.
    pub fn take(&self, facts: &Facts) -> Option<(Place, oneshot::Receiver<()>)> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = match open.vehicles.get_mut(&facts.name) {
            Some(own) if own.len() >= MAX_VEHICLE_CONNECTIONS => own.pop_front(),
            _ => None,
        };
        match oldest {
            // Its place is taken over; it may have closed by itself already.
            Some((_, _, close)) => drop(close.send(())),
            None if open.count >= MAX_CONNECTIONS => return None,
            None => open.count += 1,
        }
        open.next += 1;
        let number = open.next;
        let (close, closing) = oneshot::channel();
        open.vehicles.entry(facts.name.clone()).or_default().push_back((number, facts.fingerprint, close));
        Some((Place { places: self.clone(), vehicle: facts.name.clone(), number }, closing))
    }

    /// Closes the connections by certificates that are over; gives how many.
    pub fn close(&self, is_over: impl Fn(&Sha256) -> bool) -> usize {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut closed = 0;
        open.vehicles.retain(|_, own| {
            for (number, certificate, close) in std::mem::take(own) {
                match is_over(&certificate) {
                    // It may have closed by itself already.
                    true => closed += usize::from(close.send(()).is_ok()),
                    false => own.push_back((number, certificate, close)),
                }
            }
            !own.is_empty()
        });
        open.count = open.vehicles.values().map(VecDeque::len).sum();
        closed
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(own) = open.vehicles.get_mut(&self.vehicle) else { return };
        let before = own.len();
        own.retain(|(number, ..)| *number != self.number);
        let gone = before - own.len();
        if own.is_empty() {
            open.vehicles.remove(&self.vehicle);
        }
        open.count -= gone;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(name: &str) -> Facts {
        let (not_before, not_after) = Default::default();
        let (fingerprint, serial) = (Sha256::of(name.as_bytes()), String::new());
        Facts { fingerprint, name: name.into(), serial, not_before, not_after }
    }

    #[test]
    fn connections_by_a_certificate_that_is_over_are_closed_and_others_stay() {
        let places = Places::default();
        let (one, two) = (facts("unit-1"), facts("unit-2"));
        let mut held: Vec<_> = [&one, &two, &one].map(|facts| places.take(facts).unwrap()).into();
        assert_eq!(places.close(|certificate| *certificate == one.fingerprint), 2);
        let is_closed: Vec<_> = held.iter_mut().map(|(_, closing)| closing.try_recv().is_ok()).collect();
        assert_eq!(is_closed, [true, false, true]);
        assert_eq!(places.0.lock().unwrap().count, 1);
        drop(held);
        let open = places.0.lock().unwrap();
        assert_eq!((open.count, open.vehicles.len()), (0, 0));
    }

    #[test]
    fn a_vehicle_with_too_many_connections_loses_its_oldest_and_others_get_in() {
        let places = Places::default();
        let (one, two) = (facts("unit-1"), facts("unit-2"));
        let mut held: Vec<_> = (0..MAX_CONNECTIONS).map(|_| places.take(&one).unwrap()).collect();
        let open = held.iter_mut().map(|(_, closing)| closing.try_recv()).filter(Result::is_err).count();
        assert_eq!(open, MAX_VEHICLE_CONNECTIONS);
        assert!(places.take(&two).is_some());
        drop(held);
        let open = places.0.lock().unwrap();
        assert_eq!((open.count, open.vehicles.len()), (0, 0));
    }

    #[test]
    fn when_all_places_are_taken_one_is_free_once_a_connection_closes() {
        let places = Places::default();
        let mut held = Vec::new();
        for n in 0..MAX_CONNECTIONS {
            held.push(places.take(&facts(&format!("unit-{n}"))).unwrap());
        }
        assert!(places.take(&facts("another")).is_none());
        held.pop();
        assert!(places.take(&facts("another")).is_some());
    }
}
