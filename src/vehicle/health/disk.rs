//! How much room the disk has.

use super::Level;
use nix::sys::statvfs::statvfs;
use std::path::Path;

/// Free bytes under which reads will soon be lost.
const MIN_FREE: u64 = 64 << 20;
/// Free bytes under which somebody should make room.
const LOW_FREE: u64 = 1 << 30;

/// The disk on which the store lies. May hang with it.
pub fn disk(store: &Path) -> (Level, String) {
    let folder = store.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match statvfs(folder) {
        Ok(disk) => free(disk.blocks_available().saturating_mul(disk.fragment_size())),
        Err(e) => (Level::Failed, format!("{} can't be looked at: {}", folder.display(), e.desc())),
    }
}

fn free(bytes: u64) -> (Level, String) {
    let room = match bytes {
        0..LOW_FREE => format!("{} MiB free", bytes >> 20),
        _ => format!("{} GiB free", bytes >> 30),
    };
    match bytes {
        0..MIN_FREE => (Level::Failed, format!("{room}: make room, or reads will be lost")),
        MIN_FREE..LOW_FREE => (Level::Degraded, format!("{room}: make room")),
        _ => (Level::Ok, room),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_told_before_there_is_none() {
        assert_eq!(free(20 << 30), (Level::Ok, "20 GiB free".into()));
        assert_eq!(free(500 << 20).0, Level::Degraded);
        let (level, text) = free(10 << 20);
        assert!(level == Level::Failed && text.starts_with("10 MiB free: "), "{text}");
        assert_eq!(disk(Path::new("/no/such/folder/store.db")).0, Level::Failed);
    }
}
