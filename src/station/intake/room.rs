//! Room for batches that are arriving: how many, and how much memory, all together and of one vehicle. Whoever finds
//! none is told to come again; nobody waits for room that others hold.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Batches and bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Memory for all that is arriving, in bytes.
    pub bytes: usize,
    /// And of one vehicle. One batch of the largest size fits, packed and unpacked.
    pub vehicle_bytes: usize,
    /// Batches of one vehicle at a time. A vehicle sends one; those before it may not be known to be lost yet.
    pub vehicle_batches: usize,
}

/// The limits of a station.
pub const LIMITS: Limits = Limits { bytes: 384 << 20, vehicle_bytes: 144 << 20, vehicle_batches: 4 };

#[derive(Debug, Default)]
struct Taken {
    bytes: usize,
    vehicles: HashMap<Arc<str>, (usize, usize)>,
}

/// The room.
#[derive(Debug)]
pub struct Room {
    limits: Limits,
    taken: Mutex<Taken>,
}

/// Why there is no room now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRoom {
    /// The vehicle has its share.
    OfVehicle,
    /// Others have it all.
    Full,
}

/// A batch that is arriving, and what it holds. Gives its room back when it is dropped.
#[derive(Debug)]
pub struct Place {
    room: Arc<Room>,
    vehicle: Arc<str>,
    bytes: usize,
}

impl Room {
    /// An empty room.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default() })
    }

    /// A place for one batch of this vehicle.
    pub fn place(self: &Arc<Self>, vehicle: &Arc<str>) -> Result<Place, NoRoom> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (batches, _) = taken.vehicles.entry(vehicle.clone()).or_default();
        if *batches >= self.limits.vehicle_batches {
            return Err(NoRoom::OfVehicle);
        }
        *batches += 1;
        Ok(Place { room: self.clone(), vehicle: vehicle.clone(), bytes: 0 })
    }
}

impl Place {
    /// Memory that it has taken, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes memory for so many more bytes.
    pub fn grow(&mut self, more: usize) -> Result<(), NoRoom> {
        let mut taken = self.room.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.bytes + more > self.room.limits.bytes {
            return Err(NoRoom::Full);
        }
        let (_, bytes) = taken.vehicles.entry(self.vehicle.clone()).or_default();
        if *bytes + more > self.room.limits.vehicle_bytes {
            return Err(NoRoom::OfVehicle);
        }
        *bytes += more;
        taken.bytes += more;
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.room.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.bytes -= self.bytes;
        if let Some((batches, bytes)) = taken.vehicles.get_mut(&self.vehicle) {
            *batches -= 1;
            *bytes -= self.bytes;
            if *batches == 0 {
                taken.vehicles.remove(&self.vehicle);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_vehicle_never_takes_all_the_room_and_what_it_held_is_given_back() {
        let room = Room::new(Limits { bytes: 100, vehicle_bytes: 60, vehicle_batches: 2 });
        let (one, two): (Arc<str>, Arc<str>) = ("unit-1".into(), "unit-2".into());
        let mut first = room.place(&one).unwrap();
        let mut second = room.place(&one).unwrap();
        assert_eq!(room.place(&one).unwrap_err(), NoRoom::OfVehicle);
        first.grow(40).unwrap();
        assert_eq!(second.grow(30), Err(NoRoom::OfVehicle));
        second.grow(20).unwrap();
        let mut other = room.place(&two).unwrap();
        assert_eq!(other.grow(50), Err(NoRoom::Full));
        other.grow(40).unwrap();
        drop((first, second));
        other.grow(20).unwrap();
        drop(other);
        let taken = room.taken.lock().unwrap();
        assert_eq!((taken.bytes, taken.vehicles.len()), (0, 0));
    }
}
