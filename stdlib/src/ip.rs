//! Addresses and networks.

use crate::raise;
use scn_runtime::{Fault, NativeDef, ready};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("ip.is_v4", is_v4),
        ready("ip.is_v6", is_v6),
        ready("ip.is_loopback", is_loopback),
        ready("ip.is_private", is_private),
        ready("ip.is_in", is_in),
        ready("ip.plus", plus_checked),
        ready("ip.bytes", bytes),
        ready("ip.with_port", with_port),
        ready("addr.ip", address),
        ready("addr.port", port),
        ready("ip", from_text),
        ready("addr", addr_from_text),
    ]
}

/// A network: an address and how many of its bits count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Network {
    address: IpAddr,
    prefix: u32,
}

/// The width of an address and its value.
fn bits(ip: IpAddr) -> (u32, u128) {
    match ip {
        IpAddr::V4(ip) => (32, ip.to_bits().into()),
        IpAddr::V6(ip) => (128, ip.to_bits()),
    }
}

impl Network {
    /// Reads `10.0.0.0/8`; an address alone is a network of one.
    pub(crate) fn parse(text: &str) -> Result<Network, String> {
        let bad = || format!("`{text}` is no network such as `10.0.0.0/8`");
        let (address, prefix) = text
            .split_once('/')
            .map_or((text, None), |(ip, bits)| (ip, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let width = bits(address).0;
        let prefix = prefix.map_or(Ok(width), |digits| digits.parse().map_err(|_| bad()))?;
        if prefix > width {
            Err(bad())
        } else {
            Ok(Network { address, prefix })
        }
    }

    /// Whether an address is in it.
    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        let ((width, network), (other, ip)) = (bits(self.address), bits(ip));
        let host = width - self.prefix;
        width == other && (host == 128 || network >> host == ip >> host)
    }
}

/// The address `n` behind another.
pub(crate) fn plus(ip: IpAddr, n: i64) -> Option<IpAddr> {
    match ip {
        IpAddr::V4(ip) => {
            let sum = i64::from(ip.to_bits()).checked_add(n)?;
            Some(Ipv4Addr::from_bits(u32::try_from(sum).ok()?).into())
        }
        IpAddr::V6(ip) => ip
            .to_bits()
            .checked_add_signed(n.into())
            .map(|sum| Ipv6Addr::from_bits(sum).into()),
    }
}

/// Whether an address is for private networks.
pub(crate) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

fn is_v4(ip: IpAddr) -> bool {
    ip.is_ipv4()
}

fn is_v6(ip: IpAddr) -> bool {
    ip.is_ipv6()
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.is_loopback()
}

fn is_in(ip: IpAddr, network: &str) -> Result<bool, Fault> {
    let network = Network::parse(network).map_err(raise::parse)?;
    Ok(network.contains(ip))
}

fn plus_checked(ip: IpAddr, n: i64) -> Result<IpAddr, Fault> {
    plus(ip, n).ok_or_else(|| raise::arithmetic(format!("there is no address {n} behind {ip}")))
}

fn bytes(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn with_port(ip: IpAddr, port: i64) -> Result<SocketAddr, Fault> {
    let port = u16::try_from(port)
        .map_err(|_| raise::argument(format!("{port} is no port: 0..=65535")))?;
    Ok(SocketAddr::new(ip, port))
}

fn address(addr: SocketAddr) -> IpAddr {
    addr.ip()
}

fn port(addr: SocketAddr) -> i64 {
    addr.port().into()
}

fn from_text(text: &str) -> Result<IpAddr, Fault> {
    text.parse()
        .map_err(|_| raise::parse(format!("`{text}` is no IP address")))
}

fn addr_from_text(text: &str) -> Result<SocketAddr, Fault> {
    text.parse().map_err(|_| {
        raise::parse(format!(
            "`{text}` is no address with port such as `127.0.0.1:80`"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn networks() {
        let network = Network::parse("10.1.0.0/16").expect("a network");
        assert!(network.contains(ip("10.1.255.1")));
        assert!(!network.contains(ip("10.2.0.0")));
        assert!(!network.contains(ip("::1")));
        assert!(
            Network::parse("::/0")
                .expect("a network")
                .contains(ip("ff::1"))
        );
        assert!(
            Network::parse("127.0.0.1")
                .expect("one address")
                .contains(ip("127.0.0.1"))
        );
        for bad in ["10.0.0.0/33", "10.0.0.0/x", "10.0.0/8", "/8", ""] {
            assert!(Network::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn counting_on() {
        assert_eq!(plus(ip("127.0.0.255"), 1), Some(ip("127.0.1.0")));
        assert_eq!(plus(ip("0.0.0.0"), -1), None);
        assert_eq!(plus(ip("255.255.255.255"), 1), None);
        assert_eq!(plus(ip("::ffff"), 1), Some(ip("::1:0")));
        assert_eq!(plus(ip("10.0.0.0"), i64::MAX), None);
    }

    #[test]
    fn private_ones() {
        assert!(is_private(ip("192.168.1.1")) && is_private(ip("fd00::1")));
        assert!(!is_private(ip("1.1.1.1")) && !is_private(ip("2001:db8::1")));
    }
}
