//! Whether the vehicle is on the station's network: by the interface that is up there, the name of the wireless network,
//! a route that the computer has there, or several of these.

use super::wireless;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// What tells the station's network. All that are given have to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StationNetwork {
    /// An interface that carries something.
    pub interface: Option<String>,
    /// Name of the wireless network, of that interface or of any.
    pub ssid: Option<String>,
    /// A network to which the computer has a route of its own.
    pub route: Option<Network>,
}

impl StationNetwork {
    /// Nothing tells it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn is_here(&self) -> bool {
        let Self { interface, ssid, route } = self;
        let interface_up = || interface.as_ref().is_none_or(|name| is_up(Path::new("/sys/class/net"), name));
        let on_ssid = || ssid.as_ref().is_none_or(|ssid| wireless::is_on(interface.as_deref(), ssid));
        let routed = || route.as_ref().is_none_or(|network| has_route(Path::new("/proc/net"), *network));
        !self.is_empty() && interface_up() && on_ssid() && routed()
    }
}

/// Whether a network interface carries something. One of a modem or tunnel does not say that it is up.
fn is_up(interfaces: &Path, name: &str) -> bool {
    let file = |file: &str| std::fs::read_to_string(interfaces.join(name).join(file)).unwrap_or_default();
    match file("operstate").trim() {
        "up" => true,
        "unknown" => file("carrier").trim() == "1",
        _ => false,
    }
}

/// A network: an address and how many of its bits count, such as `10.20.0.0/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || "write a network as 10.20.0.0/16, or one address of it".to_owned();
        let (address, bits) = text.split_once('/').map_or((&*text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| wrong()))?;
        // All addresses: the default route would do.
        if bits == 0 || bits > most { Err(wrong()) } else { Ok(Self { address, bits }) }
    }
}

impl Network {
    /// Its address without the bits that do not count, at the left of 128.
    fn prefix(self) -> u128 {
        let (all, width) = match self.address {
            IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let bits = u32::from(self.bits.min(width));
        all & u128::MAX.checked_shl(128 - bits).unwrap_or_default()
    }

    /// Whether all of `other` is in it.
    fn holds(self, other: Self) -> bool {
        let same = self.address.is_ipv4() == other.address.is_ipv4() && self.bits <= other.bits;
        same && Self { bits: self.bits, ..other }.prefix() == self.prefix()
    }
}

/// Whether the computer has a route that leads to this network or a part of it, and not to more: neither the default
/// route nor that of a tunnel for everything counts.
fn has_route(folder: &Path, network: Network) -> bool {
    let file = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let routes = match network.address {
        IpAddr::V4(_) => file("route").lines().filter_map(route_v4).collect::<Vec<_>>(),
        IpAddr::V6(_) => file("ipv6_route").lines().filter_map(route_v6).collect(),
    };
    routes.into_iter().any(|route| network.holds(route))
}

/// A route that is up (flag 1) and does not reject (flag 0x200), and not of the loopback.
fn counts(flags: u32, interface: &str) -> bool {
    flags & 0x201 == 1 && interface != "lo"
}

/// A line of `/proc/net/route`: interface, destination, gateway, flags, …, mask as its eighth. Numbers are
/// hexadecimal, addresses in the order of the machine's bytes.
fn route_v4(line: &str) -> Option<Network> {
    let columns: Vec<&str> = line.split_ascii_whitespace().collect();
    let number = |column: usize| u32::from_str_radix(columns.get(column)?, 16).ok();
    let (destination, flags, mask) = (number(1)?, number(3)?, u32::from_be_bytes(number(7)?.to_ne_bytes()));
    let address = IpAddr::V4(Ipv4Addr::from(destination.to_ne_bytes()));
    let bits = u8::try_from(mask.leading_ones()).ok()?;
    counts(flags, columns.first()?).then_some(Network { address, bits }).filter(|route| route.bits > 0)
}

/// A line of `/proc/net/ipv6_route`: destination, bits of it, …, flags as its ninth, interface.
fn route_v6(line: &str) -> Option<Network> {
    let columns: Vec<&str> = line.split_ascii_whitespace().collect();
    let address = IpAddr::V6(Ipv6Addr::from(u128::from_str_radix(columns.first()?, 16).ok()?));
    let bits = u8::from_str_radix(columns.get(1)?, 16).ok()?;
    let flags = u32::from_str_radix(columns.get(8)?, 16).ok()?;
    counts(flags, columns.get(9)?).then_some(Network { address, bits }).filter(|route| route.bits > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::try_from(text.to_owned()).unwrap()
    }

    // policy: P-11
    #[test]
    fn the_stations_network_is_there_while_its_interface_is_up() {
        let dir = tempfile::tempdir().unwrap();
        let state = |name: &str, operstate: &str, carrier: &str| {
            std::fs::create_dir_all(dir.path().join(name)).unwrap();
            std::fs::write(dir.path().join(name).join("operstate"), operstate).unwrap();
            std::fs::write(dir.path().join(name).join("carrier"), carrier).unwrap();
            is_up(dir.path(), name)
        };
        assert!(state("wlan0", "up\n", "1\n") && !state("wlan0", "down\n", "0\n"));
        assert!(state("ppp0", "unknown\n", "1\n") && !state("ppp0", "unknown\n", "0\n"));
        assert!(!is_up(dir.path(), "eth9"));
    }

    // policy: P-11
    #[test]
    fn a_route_of_its_own_tells_the_stations_network_and_a_default_route_or_a_wider_one_does_not() {
        let dir = tempfile::tempdir().unwrap();
        // 10.20.30.0/24 by wlan1; the default route and 10.0.0.0/8 by a modem; 10.99.0.0/16 is rejected.
        let text = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
                    wwan0\t00000000\t0100000A\t0003\t0\t0\t700\t00000000\t0\t0\t0\n\
                    wwan0\t0000000A\t00000000\t0001\t0\t0\t700\t000000FF\t0\t0\t0\n\
                    *\t0000630A\t00000000\t0201\t0\t0\t0\t0000FFFF\t0\t0\t0\n\
                    wlan1\t001E140A\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0\n";
        std::fs::write(dir.path().join("route"), text).unwrap();
        let six = "fd000020000000000000000000000000 40 00000000000000000000000000000000 00 \
                   00000000000000000000000000000000 00000100 00000001 00000000 00000001 wlan1\n\
                   00000000000000000000000000000000 00 00000000000000000000000000000000 00 \
                   fe800000000000000000000000000001 00000100 00000001 00000000 00000003 wwan0\n";
        std::fs::write(dir.path().join("ipv6_route"), six).unwrap();
        for (wanted, expected) in [
            ("10.20.0.0/16", true),
            ("10.20.30.0/24", true),
            ("10.20.30.7", false),
            ("10.21.0.0/16", false),
            ("10.99.0.0/16", false),
            ("192.168.0.0/16", false),
            ("fd00:20::/32", true),
            ("fd00:21::/32", false),
        ] {
            assert_eq!(has_route(dir.path(), network(wanted)), expected, "{wanted}");
        }
        assert!(!has_route(Path::new("/no/such/folder"), network("10.20.0.0/16")));
    }

    #[test]
    fn a_network_is_an_address_and_bits_and_not_everything() {
        for wrong in ["", "10.20.0.0/33", "0.0.0.0/0", "10.20", "depot", "::/0", "10.20.0.0/x"] {
            assert!(Network::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        assert_eq!(network("10.20.30.7"), network("10.20.30.7/32"));
    }

    #[test]
    fn where_nothing_tells_it_the_stations_network_is_nowhere() {
        assert!(!StationNetwork::default().is_here());
        let absent = Some("no-such-interface".to_owned());
        assert!(!StationNetwork { interface: absent, ..StationNetwork::default() }.is_here());
        let ssid = Some("no such network".to_owned());
        assert!(!StationNetwork { ssid, ..StationNetwork::default() }.is_here());
    }
}
