//! Names of the wireless networks that the computer is on, from the kernel (nl80211).

/// Whether this interface, or any where none is named, is on the wireless network of this name.
pub(super) fn is_on(interface: Option<&str>, ssid: &str) -> bool {
    let _ = (interface, ssid);
    false
}
