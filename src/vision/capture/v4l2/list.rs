//! The cameras that are plugged in.

use super::device::{Device, Identity};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Where the kernel lists video devices.
const CLASS: &str = "/sys/class/video4linux";
/// Where the udev rule puts names that stay.
const NAMES: &str = "/dev/plated";

/// A camera that is plugged in.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// Its device.
    pub device: PathBuf,
    /// Names for it that stay the same when it is plugged in again; empty without the udev rule.
    pub names: Vec<PathBuf>,
    /// Who it is; none where it may not be opened.
    pub identity: Option<Identity>,
}

/// Every camera, in the order of their numbers. Of the several devices that one camera has, the one that gives
/// pictures.
pub fn list() -> Vec<Listed> {
    listed(Path::new(CLASS), Path::new(NAMES))
}

fn listed(class: &Path, names: &Path) -> Vec<Listed> {
    let mut numbers: Vec<u32> = std::fs::read_dir(class)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| is_first(&entry.path()))
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("video")?.parse().ok())
        .collect();
    numbers.sort_unstable();
    let links: Vec<PathBuf> = std::fs::read_dir(names).into_iter().flatten().flatten().map(|e| e.path()).collect();
    let camera = |number| {
        let device = PathBuf::from(format!("/dev/video{number}"));
        let leads = |link: &&PathBuf| std::fs::canonicalize(link).is_ok_and(|target| target == device);
        let mut names: Vec<PathBuf> = links.iter().filter(leads).cloned().collect();
        names.sort();
        let identity = Device::open(&device).and_then(|device| device.identity()).ok();
        Listed { device, names, identity }
    };
    numbers.into_iter().map(camera).collect()
}

/// A camera's first device is the one that gives pictures; others tell of them.
fn is_first(device: &Path) -> bool {
    std::fs::read_to_string(device.join("index")).is_ok_and(|index| index.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_devices_of_a_camera_the_one_with_pictures_is_listed_and_without_cameras_nothing() {
        let dir = tempfile::tempdir().unwrap();
        for (name, index) in [("video10", "0\n"), ("video2", "0\n"), ("video3", "1\n"), ("v4l-subdev0", "0\n")] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
            std::fs::write(dir.path().join(name).join("index"), index).unwrap();
        }
        let found = listed(dir.path(), dir.path());
        let devices: Vec<_> = found.iter().map(|camera| camera.device.to_str().unwrap()).collect();
        assert_eq!(devices, ["/dev/video2", "/dev/video10"]);
        assert!(listed(Path::new("/nowhere"), Path::new("/nowhere")).is_empty());
    }
}
