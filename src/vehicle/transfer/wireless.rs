//! Names of the wireless networks that the computer is on, as the kernel says them.
//!
//! Asked by the call of the wireless extensions, which cfg80211 answers for its drivers: a few bytes of a call, and no
//! netlink, for which the service's sandbox would have to be opened.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

/// Longest name of an interface, with its end.
const NAME_BYTES: usize = 16;
/// Longest name of a wireless network.
const SSID_BYTES: usize = 32;
/// `SIOCGIWESSID` of `linux/wireless.h`.
const GET_ESSID: libc::c_ulong = 0x8B1B;

/// `struct iwreq` with `struct iw_point` in it.
#[repr(C)]
struct Request {
    name: [u8; NAME_BYTES],
    pointer: *mut u8,
    length: u16,
    flags: u16,
}

/// Whether this interface, or any where none is named, is on the wireless network of this name.
pub(super) fn is_on(interface: Option<&str>, ssid: &str) -> bool {
    let on = |name: &str| essid(name).is_some_and(|bytes| bytes == ssid.as_bytes());
    match interface {
        Some(name) => on(name),
        None => interfaces(Path::new("/sys/class/net")).iter().any(|name| on(name)),
    }
}

fn interfaces(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// The network that an interface is on; none when it is on none, or is no wireless one.
fn essid(interface: &str) -> Option<Vec<u8>> {
    let mut name = [0; NAME_BYTES];
    name[..NAME_BYTES - 1].get_mut(..interface.len())?.copy_from_slice(interface.as_bytes());
    let socket: OwnedFd = std::net::UdpSocket::bind("127.0.0.1:0").ok()?.into();
    // One byte more: older drivers end the name with a zero.
    let mut ssid = [0u8; SSID_BYTES + 1];
    let mut request = Request { name, pointer: ssid.as_mut_ptr(), length: SSID_BYTES as u16, flags: 0 };
    #[allow(unsafe_code, reason = "there is no safe call for it")]
    // SAFETY: the request names a buffer of at least `length` bytes that outlives the call, and the kernel writes no
    // more than that into it and the rest of the answer into the request, which has the kernel's layout.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), GET_ESSID as _, &raw mut request) };
    let length = usize::from(request.length).min(SSID_BYTES);
    // Without the flag it is on no network.
    (answer == 0 && request.flags != 0 && length > 0).then(|| ssid[..length].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_has_the_layout_of_the_kernel() {
        assert_eq!(size_of::<Request>(), if cfg!(target_pointer_width = "64") { 32 } else { 24 });
    }

    #[test]
    fn an_interface_that_is_not_wireless_or_not_there_is_on_no_network() {
        assert!(interfaces(Path::new("/sys/class/net")).iter().any(|name| name == "lo"));
        assert_eq!(essid("lo"), None);
        assert_eq!(essid("a-name-that-is-too-long"), None);
        assert!(!is_on(Some("no-such"), "Depot") && !is_on(None, "no network has this name"));
    }
}
