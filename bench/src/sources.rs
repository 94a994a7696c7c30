//! Source addresses of the raw clients: `127.0.0.2-127.0.0.9`, or one address.

use std::net::Ipv4Addr;
use std::str::FromStr;

/// A range of IPv4 addresses that connections bind in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sources {
    first: u32,
    count: u32,
}

impl Sources {
    /// The address of the connection with this number.
    pub(crate) fn of(&self, number: usize) -> Ipv4Addr {
        Ipv4Addr::from(self.first + number as u32 % self.count)
    }
}

impl FromStr for Sources {
    type Err = String;

    fn from_str(text: &str) -> Result<Sources, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let parse = |part: &str| {
            Ipv4Addr::from_str(part)
                .map(u32::from)
                .map_err(|_| format!("`{part}` is no IPv4 address"))
        };
        let (first, last) = (parse(first)?, parse(last)?);
        if last < first {
            return Err(format!("`{text}` ends before it begins"));
        }
        let count = (last - first).saturating_add(1);
        Ok(Sources { first, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_in_turn() {
        let sources: Sources = "127.0.0.254-127.0.1.1".parse().expect("a range");
        let taken: Vec<String> = (0..5).map(|n| sources.of(n).to_string()).collect();
        let wanted = [
            "127.0.0.254",
            "127.0.0.255",
            "127.0.1.0",
            "127.0.1.1",
            "127.0.0.254",
        ];
        assert_eq!(taken, wanted);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        assert!("127.0.0.9-127.0.0.2".parse::<Sources>().is_err());
        assert!("localhost".parse::<Sources>().is_err());
        assert!("127.0.0.2".parse::<Sources>().is_ok());
    }
}
