//! What a component may reach: peers by address, block or name with ports, and local addresses to bind.
//!
//! Pure: no name is looked up here; what names stand for at run time is the gate's business. Enter at [`Grants`].

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Everything that is granted; by default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Whether everything is: any peer, any name, any local address.
    pub all: bool,
    /// Peers.
    pub allow: Vec<Grant>,
    /// Local addresses that sockets may be bound to. Without any, only the system chooses, unless everything is granted.
    pub sources: Vec<Block>,
}

/// A peer or many, as `host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    host: Host,
    ports: RangeInclusive<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Any,
    /// In lower case, without a dot at its end.
    Name(String),
    /// Names below this one: `*.example.com`.
    Below(String),
    Block(Block),
}

/// Addresses in a row: one, a CIDR block, or a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    first: IpAddr,
    last: IpAddr,
}

/// A text that is no grant, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadGrant {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

impl fmt::Display for BadGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` grants nothing: {}", self.text, self.why)
    }
}

impl std::error::Error for BadGrant {}

impl Grants {
    /// Everything.
    pub fn all() -> Grants {
        Grants {
            all: true,
            ..Grants::default()
        }
    }

    /// Whether a peer's address is granted without knowing a name for it.
    pub fn allows_address(&self, ip: IpAddr, port: u16) -> bool {
        self.all
            || self
                .allow
                .iter()
                .any(|grant| grant.ports.contains(&port) && grant.host.holds(ip))
    }

    /// The ports that are granted at a host of this name.
    pub fn ports_of<'g>(&'g self, name: &str) -> impl Iterator<Item = &'g RangeInclusive<u16>> {
        let name = plain(name);
        self.allow
            .iter()
            .filter(move |grant| grant.host.is_called(&name))
            .map(|grant| &grant.ports)
    }

    /// Whether a name may be looked up: some port of it is granted.
    pub fn allows_name(&self, name: &str) -> bool {
        self.all || self.ports_of(name).next().is_some()
    }

    /// Whether a socket may be bound to a local address.
    pub fn allows_source(&self, ip: IpAddr) -> bool {
        match self.sources.is_empty() {
            true => self.all,
            false => self.sources.iter().any(|block| block.holds(ip)),
        }
    }

    /// Names that are granted as they are written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.allow.iter().filter_map(|grant| match &grant.host {
            Host::Name(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// A name without capitals and without the dot of the root.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}

impl Host {
    fn holds(&self, ip: IpAddr) -> bool {
        match self {
            Host::Any => true,
            Host::Block(block) => block.holds(ip),
            Host::Name(_) | Host::Below(_) => false,
        }
    }

    fn is_called(&self, name: &str) -> bool {
        match self {
            Host::Any => true,
            Host::Name(own) => own == name,
            Host::Below(above) => name
                .strip_suffix(above.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            // An address written as text is a name to whoever looks it up.
            Host::Block(block) => name.parse().is_ok_and(|ip| block.holds(ip)),
        }
    }
}

impl Block {
    /// Whether an address is in it; an IPv4 address in IPv6 clothes is an IPv4 address.
    pub fn holds(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        ip.is_ipv4() == self.first.is_ipv4() && self.first <= ip && ip <= self.last
    }
}

impl FromStr for Block {
    type Err = BadGrant;

    fn from_str(text: &str) -> Result<Block, BadGrant> {
        let bad = |why: &str| BadGrant {
            text: text.to_owned(),
            why: why.to_owned(),
        };
        let address = |part: &str| {
            let parsed: Result<IpAddr, _> = part.trim().parse();
            parsed.map_err(|_| bad("an address is expected, as in 127.0.1.0/24"))
        };
        if let Some((base, bits)) = text.split_once('/') {
            let base = address(base)?;
            let most = if base.is_ipv4() { 32 } else { 128 };
            let bits: u32 = bits.trim().parse().unwrap_or(u32::MAX);
            if bits > most {
                return Err(bad(&format!("behind / comes a number from 0 to {most}")));
            }
            return Ok(cidr(base, bits));
        }
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (address(first)?, address(last)?),
            None => (address(text)?, address(text)?),
        };
        if first.is_ipv4() != last.is_ipv4() || last < first {
            return Err(bad("the last address comes before the first"));
        }
        Ok(Block { first, last })
    }
}

/// All addresses whose first bits are those of `base`.
fn cidr(base: IpAddr, bits: u32) -> Block {
    match base {
        IpAddr::V4(base) => {
            let rest = u32::MAX.checked_shr(bits).unwrap_or(0);
            let first = u32::from(base) & !rest;
            Block {
                first: IpAddr::V4(first.into()),
                last: IpAddr::V4((first | rest).into()),
            }
        }
        IpAddr::V6(base) => {
            let rest = u128::MAX.checked_shr(bits).unwrap_or(0);
            let first = u128::from(base) & !rest;
            Block {
                first: IpAddr::V6(first.into()),
                last: IpAddr::V6((first | rest).into()),
            }
        }
    }
}

impl FromStr for Grant {
    type Err = BadGrant;

    fn from_str(text: &str) -> Result<Grant, BadGrant> {
        let bad = |why: &str| BadGrant {
            text: text.to_owned(),
            why: why.to_owned(),
        };
        if let Some((scheme, _)) = text.split_once("://") {
            return Err(bad(&format!(
                "a scheme does not belong there: write a host and a port without {scheme}://"
            )));
        }
        let (host, ports) = text
            .rsplit_once(':')
            .ok_or_else(|| bad("it has no port, as in example.com:443 or 10.0.0.0/8:*"))?;
        if host.is_empty() {
            return Err(bad(
                "the host is missing, as in example.com:443, or * for all",
            ));
        }
        let ports = ports_of(ports)
            .ok_or_else(|| bad("a port is a number from 0 to 65535, a range 8000-8099, or *"))?;
        let host = host_of(host).map_err(|error| bad(&error))?;
        Ok(Grant { host, ports })
    }
}

fn ports_of(text: &str) -> Option<RangeInclusive<u16>> {
    if text == "*" {
        return Some(0..=u16::MAX);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(first..=last)
}

fn host_of(text: &str) -> Result<Host, String> {
    if text == "*" {
        return Ok(Host::Any);
    }
    let bracketed = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if let Some(inner) = bracketed {
        return inner
            .parse()
            .map(Host::Block)
            .map_err(|error: BadGrant| error.why);
    }
    if text.contains(':') {
        return Err("an IPv6 address stands in brackets, as in [::1]:443".to_owned());
    }
    let is_address = |c: char| c.is_ascii_digit() || matches!(c, '.' | '/' | '-');
    if text.chars().all(is_address) {
        return text
            .parse()
            .map(Host::Block)
            .map_err(|error: BadGrant| error.why);
    }
    match text.strip_prefix("*.") {
        Some(above) if is_name(above) => Ok(Host::Below(plain(above))),
        None if is_name(text) => Ok(Host::Name(plain(text))),
        _ => Err(format!("`{text}` is neither a name nor an address")),
    }
}

fn is_name(text: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    !text.is_empty() && text.chars().all(in_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(allow: &[&str]) -> Grants {
        Grants {
            allow: allow.iter().map(|text| text.parse().unwrap()).collect(),
            ..Grants::default()
        }
    }

    fn allows(grants: &Grants, address: &str) -> bool {
        let address: std::net::SocketAddr = address.parse().unwrap();
        grants.allows_address(address.ip(), address.port())
    }

    #[test]
    fn nothing_is_granted_by_default() {
        let none = Grants::default();
        assert!(!allows(&none, "127.0.0.1:80"));
        assert!(!none.allows_name("localhost"));
        assert!(!none.allows_source("127.0.0.2".parse().unwrap()));
        assert!(allows(&Grants::all(), "[::1]:80"));
    }

    #[test]
    fn blocks_hold_their_addresses_and_ports_only() {
        let some = grants(&["10.0.0.0/8:443", "[fd00::/16]:8000-8099", "127.0.0.1:*"]);
        assert!(allows(&some, "10.255.0.1:443"));
        assert!(!allows(&some, "10.255.0.1:80"));
        assert!(!allows(&some, "11.0.0.0:443"));
        assert!(allows(&some, "[fd00:ffff::1]:8050"));
        assert!(!allows(&some, "[fd01::1]:8050"));
        assert!(!allows(&some, "[fd00::1]:8100"));
        assert!(allows(&some, "[::ffff:127.0.0.1]:1"));
        assert!(allows(&grants(&["0.0.0.0/0:*"]), "8.8.8.8:53"));
    }

    #[test]
    fn names_grant_lookups_and_no_address_by_themselves() {
        let some = grants(&["Example.com:443", "*.test:80-81"]);
        assert!(some.allows_name("example.COM."));
        assert!(some.allows_name("a.b.test"));
        assert!(!some.allows_name("test"));
        assert!(!some.allows_name("notexample.com"));
        assert!(!allows(&some, "93.184.216.34:443"));
        assert_eq!(some.ports_of("a.test").collect::<Vec<_>>(), [&(80..=81)]);
        assert_eq!(some.names().collect::<Vec<_>>(), ["example.com"]);
        assert!(grants(&["*:443"]).allows_name("anything"));
        assert!(grants(&["127.0.0.0/8:*"]).allows_name("127.0.0.9"));
    }

    #[test]
    fn sources_are_blocks_and_ranges() {
        let some = Grants {
            sources: vec!["127.0.1.0/30".parse().unwrap()],
            all: true,
            ..Grants::default()
        };
        assert!(some.allows_source("127.0.1.3".parse().unwrap()));
        assert!(!some.allows_source("127.0.1.4".parse().unwrap()));
        let range: Block = "127.0.2.10-127.0.2.12".parse().unwrap();
        assert!(range.holds("127.0.2.11".parse().unwrap()));
        assert!(!range.holds("127.0.2.13".parse().unwrap()));
    }

    #[test]
    fn what_grants_nothing_says_why() {
        for (text, why) in [
            ("example.com", "no port"),
            (":80", "the host is missing"),
            ("http://localhost:80", "without http://"),
            ("example.com:http", "a port is"),
            ("example.com:9-1", "a port is"),
            ("::1:80", "brackets"),
            ("10.0.0.0/33:80", "0 to 32"),
            ("10.0.0.300:80", "an address is expected"),
            ("a b:80", "neither a name nor an address"),
        ] {
            let error = text.parse::<Grant>().unwrap_err();
            assert!(error.why.contains(why), "{error}");
        }
        assert!("10.0.0.9-10.0.0.1".parse::<Block>().is_err());
    }
}
