//! Addresses and networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

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
