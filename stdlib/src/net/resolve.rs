//! Names to addresses by the system's resolver, on a thread where it may block.

use scn_runtime::{Cx, Fault};
use std::io;
use std::net::{IpAddr, ToSocketAddrs};

/// The addresses of a name, or the address that it spells out, in the resolver's order.
pub(crate) async fn resolve(cx: Cx, host: &str) -> Result<Vec<IpAddr>, Fault> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![ip]);
    }
    check_name(host)?;
    let name = host.to_owned();
    let answer = cx
        .blocking(move || {
            (name.as_str(), 0)
                .to_socket_addrs()
                .map(Iterator::collect::<Vec<_>>)
        })
        .await;
    let mut found: Vec<IpAddr> = Vec::new();
    for addr in answer.map_err(|error| fault(host, &error))? {
        if !found.contains(&addr.ip()) {
            found.push(addr.ip());
        }
    }
    match found.is_empty() {
        true => Err(not_found(host)),
        false => Ok(found),
    }
}

/// Refuses what no resolver may be asked for (RFC 1035 section 2.3.4).
pub(crate) fn check_name(host: &str) -> Result<(), Fault> {
    let labels = host.strip_suffix('.').unwrap_or(host);
    let fits = labels.len() <= 253
        && labels
            .split('.')
            .all(|label| (1..=63).contains(&label.len()));
    match fits && host.is_ascii() && !host.bytes().any(|b| b.is_ascii_control() || b == b' ') {
        true => Ok(()),
        false => Err(Fault::text(
            "dns.invalid_name",
            format!("`{}` is no name of a host", host.escape_default()),
        )),
    }
}

/// The error for a name that has no address.
pub(crate) fn not_found(host: &str) -> Fault {
    Fault::text("dns.not_found", format!("no address is known for `{host}`"))
}

/// The system's resolver tells its failures apart by text only.
fn fault(host: &str, error: &io::Error) -> Fault {
    let text = error.to_string();
    let failure = [
        "Temporary failure",
        "Non-recoverable failure",
        "System error",
    ];
    match failure.iter().any(|start| text.contains(start)) {
        true => Fault::text(
            "dns.server_failure",
            format!("the name server gave no answer for `{host}`"),
        ),
        false => not_found(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_shape() {
        for name in ["a", "a.b-c.test", "_x.test", "a.test."] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let long = "a".repeat(64);
        for name in ["", ".", "a..b", "a b", "ä.test", long.as_str()] {
            assert_eq!(
                check_name(name).unwrap_err().kind(),
                "dns.invalid_name",
                "{name}"
            );
        }
    }

    #[test]
    fn failures_are_told_apart() {
        let failed = |text: &str| fault("x", &io::Error::other(text.to_owned()));
        assert_eq!(
            failed("failed to lookup: Name or service not known").kind(),
            "dns.not_found"
        );
        assert_eq!(
            failed("failed to lookup: Temporary failure in name resolution").kind(),
            "dns.server_failure"
        );
    }
}
