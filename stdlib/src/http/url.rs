//! URLs of requests (RFC 3986, RFC 9110 section 4.2): taken apart, resolved, percent-encoded.
//!
//! Only what a request needs: `http` and `https`, no other schemes. Fragments are dropped, since they are never sent.

use scn_runtime::Fault;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// An `http` or `https` URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Whether the scheme is `https`.
    pub tls: bool,
    /// `user:password` as written, percent-encoded.
    pub userinfo: Option<String>,
    /// The host in lower case; an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query as they go into the request line; starts with `/`.
    pub target: String,
}

impl Url {
    /// Takes a URL apart. What a URL may not hold in path and query is percent-encoded.
    pub fn parse(text: &str) -> Result<Url, Fault> {
        let text = text.trim();
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(invalid(text, "it does not start with http:// or https://"));
        };
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(invalid(text, "its scheme is neither http nor https")),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (userinfo, host) = match authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo.to_owned()), host),
            None => (None, authority),
        };
        let (host, port) = split_host(host).map_err(|why| invalid(text, why))?;
        let port = port.unwrap_or(if tls { 443 } else { 80 });
        Ok(Url {
            tls,
            userinfo,
            host,
            port,
            target: target(rest),
        })
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }

    /// The value of the `Host` header: the host, and the port unless it is the scheme's own.
    pub fn authority(&self) -> String {
        let host = bracketed(&self.host);
        match self.port == if self.tls { 443 } else { 80 } {
            true => host,
            false => format!("{host}:{}", self.port),
        }
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("/")
    }

    /// Whether another URL has the same scheme, host and port.
    pub fn same_origin(&self, other: &Url) -> bool {
        (self.tls, &self.host, self.port) == (other.tls, &other.host, other.port)
    }

    /// Appends an encoded query, after `?` or `&`.
    pub fn add_query(&mut self, query: &str) {
        if query.is_empty() {
            return;
        }
        match self.target.find('?') {
            None => self.target.push('?'),
            Some(at) if at + 1 < self.target.len() && !self.target.ends_with('&') => {
                self.target.push('&')
            }
            Some(_) => {}
        }
        self.target.push_str(query);
    }

    /// Resolves a reference such as a `Location` against this URL (RFC 3986 section 5.2).
    pub fn join(&self, reference: &str) -> Result<Url, Fault> {
        let reference = reference.trim();
        let reference = reference.split('#').next().unwrap_or("");
        if has_scheme(reference) {
            return Url::parse(reference);
        }
        if let Some(rest) = reference.strip_prefix("//") {
            return Url::parse(&format!("{}://{rest}", self.scheme()));
        }
        let joined = match reference.as_bytes().first() {
            None => self.target.clone(),
            Some(b'?') => format!("{}{reference}", self.path()),
            Some(b'/') => without_dots(reference),
            Some(_) => {
                let folder = self.path().rfind('/').map_or("/", |at| &self.path()[..=at]);
                without_dots(&format!("{folder}{reference}"))
            }
        };
        Ok(Url {
            target: target(&joined),
            userinfo: None,
            ..self.clone()
        })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority(), self.target)
    }
}

fn invalid(text: &str, why: &str) -> Fault {
    Fault::text(
        "http.invalid_url",
        format!("`{text}` is no URL to request: {why}"),
    )
}

/// Takes `host`, `host:port`, `[::1]` or `[::1]:port` apart.
pub fn split_host(text: &str) -> Result<(String, Option<u16>), &'static str> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or("its `[` is never closed")?;
        host.parse::<Ipv6Addr>()
            .map_err(|_| "what stands in brackets is no IPv6 address")?;
        match port.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if port.is_empty() => (host, None),
            None => return Err("after `]` only a port can follow"),
        }
    } else {
        match text.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err("an IPv6 address needs brackets"),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    if host.is_empty() {
        return Err("it has no host");
    }
    if !host
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-._~:!$&'()*+,;=%".contains(&b))
    {
        return Err("its host holds characters that no host name has");
    }
    let port = match port {
        Some("") | None => None,
        Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => {
            Some(port.parse::<u16>().map_err(|_| "its port is above 65535")?)
        }
        Some(_) => return Err("its port is no number"),
    };
    Ok((host.to_ascii_lowercase(), port))
}

/// The host as it stands in a URL or a `Host` header.
pub fn bracketed(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(_)) => format!("[{host}]"),
        _ => host.to_owned(),
    }
}

fn has_scheme(reference: &str) -> bool {
    let end = reference.find([':', '/', '?']).unwrap_or(reference.len());
    reference[end..].starts_with(':')
        && reference[..end].starts_with(|c: char| c.is_ascii_alphabetic())
        && reference[..end]
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// Path and query for the request line.
fn target(rest: &str) -> String {
    let rest = rest.split('#').next().unwrap_or("");
    let mut target = String::with_capacity(rest.len() + 1);
    if !rest.starts_with('/') {
        target.push('/');
    }
    for byte in rest.bytes() {
        let allowed = byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
        push_encoded(&mut target, byte, allowed);
    }
    target
}

/// Removes `.` and `..` segments from a path, leaving a query alone (RFC 3986 section 5.2.4).
fn without_dots(reference: &str) -> String {
    let (path, query) = match reference.find('?') {
        Some(at) => reference.split_at(at),
        None => (reference, ""),
    };
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (at, segment) in segments.iter().enumerate() {
        let last = at + 1 == segments.len();
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}{query}", kept.join("/"))
}

/// Encodes a name or value of a query or form: all but unreserved characters.
pub fn encode_component(text: &str, out: &mut String) {
    for byte in text.bytes() {
        let allowed = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        push_encoded(out, byte, allowed);
    }
}

fn push_encoded(out: &mut String, byte: u8, allowed: bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if allowed {
        out.push(byte as char);
    } else {
        out.push('%');
        out.push(HEX[usize::from(byte >> 4)] as char);
        out.push(HEX[usize::from(byte & 15)] as char);
    }
}

/// Decodes percent-encoding, and `+` as a blank when asked; broken escapes stay as they are.
pub fn decode_component(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten();
        match escaped.filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit())) {
            Some(hex) => {
                out.push(u8::from_str_radix(hex, 16).expect("two hexadecimal digits were checked"));
                at += 3;
            }
            None => {
                out.push(if plus && bytes[at] == b'+' {
                    b' '
                } else {
                    bytes[at]
                });
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_url_is_taken_apart() {
        let u = url("https://u:p@Shop.Test:8443/a/b?c=d#e");
        assert!(u.tls);
        assert_eq!(u.userinfo.as_deref(), Some("u:p"));
        assert_eq!((u.host.as_str(), u.port), ("shop.test", 8443));
        assert_eq!(u.target, "/a/b?c=d");
        assert_eq!(u.authority(), "shop.test:8443");
    }

    #[test]
    fn ports_and_paths_have_defaults() {
        assert_eq!(url("http://a").to_string(), "http://a/");
        assert_eq!(url("http://a?x=1").target, "/?x=1");
        assert_eq!(url("https://a:443/").authority(), "a");
        assert_eq!(url("http://a:443/").authority(), "a:443");
        assert_eq!(url("http://a:/").port, 80);
    }

    #[test]
    fn ipv6_hosts_have_brackets() {
        let u = url("http://[::1]:8080/x");
        assert_eq!((u.host.as_str(), u.port), ("::1", 8080));
        assert_eq!(u.to_string(), "http://[::1]:8080/x");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in [
            "",
            "shop.test/",
            "ftp://a/",
            "http://",
            "http:///x",
            "http://a:99999/",
            "http://a:x/",
            "http://[::1/",
            "http://[1]/",
            "http://::1/",
            "http://a b/",
            "http://a\r\nx/",
        ] {
            assert_eq!(
                Url::parse(text).unwrap_err().kind(),
                "http.invalid_url",
                "{text}"
            );
        }
    }

    #[test]
    fn what_may_not_stand_in_a_target_is_encoded() {
        assert_eq!(
            url("http://a/é x?q=\"{}\"&p=%20").target,
            "/%C3%A9%20x?q=%22%7B%7D%22&p=%20"
        );
        assert_eq!(url("http://a/x\r\nHost: b").target, "/x%0D%0AHost:%20b");
    }

    #[test]
    fn queries_are_appended() {
        for (text, want) in [
            ("http://a/", "/?x=1"),
            ("http://a/?", "/?x=1"),
            ("http://a/?b", "/?b&x=1"),
            ("http://a/?b&", "/?b&x=1"),
        ] {
            let mut u = url(text);
            u.add_query("x=1");
            assert_eq!(u.target, want);
        }
    }

    #[test]
    fn references_resolve_as_the_rfc_says() {
        let base = url("http://a/b/c/d?q");
        for (reference, want) in [
            ("g", "http://a/b/c/g"),
            ("./g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g:81", "http://g:81/"),
            ("?y", "http://a/b/c/d?y"),
            ("", "http://a/b/c/d?q"),
            ("../g?x=../y", "http://a/b/g?x=../y"),
            ("../../../g", "http://a/g"),
            ("..", "http://a/b/"),
            (".", "http://a/b/c/"),
            ("https://x/y#z", "https://x/y"),
            ("g;x=1/../y", "http://a/b/c/y"),
        ] {
            assert_eq!(
                base.join(reference).unwrap().to_string(),
                want,
                "{reference}"
            );
        }
        assert_eq!(
            base.join("mailto:x@y").unwrap_err().kind(),
            "http.invalid_url"
        );
    }

    #[test]
    fn components_round_trip() {
        let mut out = String::new();
        encode_component("a b&c=ü/+", &mut out);
        assert_eq!(out, "a%20b%26c%3D%C3%BC%2F%2B");
        assert_eq!(decode_component(&out, true), "a b&c=ü/+");
        assert_eq!(decode_component("a+b%zz%4", true), "a b%zz%4");
        assert_eq!(decode_component("a+b", false), "a+b");
    }
}
