//! Takes out of outputs what differs from run to run: ports that the system chose, and the project's own folder.

use crate::tree;

/// The output as snapshots hold it.
pub fn stable(text: &str) -> String {
    let root = format!("{}/", tree::root().display());
    ports(&text.replace(&root, ""))
}

/// Replaces the port behind loopback addresses by `[port]`. Ports below 1024 are meant and stay.
fn ports(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(colon) = rest.find(':') {
        let (before, after) = rest.split_at(colon);
        let digits = after[1..].bytes().take_while(u8::is_ascii_digit).count();
        let number = after[1..=digits].parse::<u32>().unwrap_or(0);
        out.push_str(before);
        if (1024..=65535).contains(&number) && ends_with_loopback(before) {
            out.push_str(":[port]");
        } else {
            out.push_str(&after[..=digits]);
        }
        rest = &after[1 + digits..];
    }
    out.push_str(rest);
    out
}

fn ends_with_loopback(text: &str) -> bool {
    let length = text.bytes().rev().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let word = &text[text.len() - length..];
    let is_v4 = word.starts_with("127.") && word.split('.').count() == 4;
    is_v4 || ["localhost", "[::1]", "0.0.0.0"].iter().any(|name| text.ends_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_loopback_addresses_are_replaced() {
        assert_eq!(ports("http://127.0.0.1:40123/x"), "http://127.0.0.1:[port]/x");
        assert_eq!(ports("127.0.0.12:2000 and [::1]:40000"), "127.0.0.12:[port] and [::1]:[port]");
        assert_eq!(ports("127.0.0.1:9 x.scn:1234:5 10:20:30"), "127.0.0.1:9 x.scn:1234:5 10:20:30");
    }
}
