//! The cookie jar of a user (RFC 6265 sections 5.1 to 5.4), without a list of public suffixes.

use super::date::cookie_date;
use super::url::Url;
use std::net::IpAddr;

/// The most cookies of a jar; the oldest make room.
const JAR_LIMIT: usize = 1000;

/// The largest name and value together.
const COOKIE_LIMIT: usize = 4096;

/// Cookies of one user.
#[derive(Debug, Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
}

#[derive(Clone, Debug)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Whether only the host itself gets it.
    host_only: bool,
    path: String,
    secure: bool,
    /// Seconds since 1970; `None` lives with the user.
    expires: Option<i64>,
}

/// The name and value of a `Set-Cookie` line.
pub fn pair(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split(';').next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    (!name.is_empty()).then_some((name, value))
}

impl Jar {
    /// Takes a `Set-Cookie` line of a response from `url`; what the rules forbid is ignored.
    pub fn store(&mut self, url: &Url, line: &str, now: i64) {
        let Some(cookie) = parse(url, line, now) else {
            return;
        };
        let same = |c: &Cookie| {
            c.name == cookie.name && c.domain == cookie.domain && c.path == cookie.path
        };
        let old = self.cookies.iter().position(same);
        if cookie.expires.is_some_and(|at| at <= now) {
            if let Some(at) = old {
                self.cookies.remove(at);
            }
            return;
        }
        match old {
            // The time of creation stays, and with it the place.
            Some(at) => self.cookies[at] = cookie,
            None => {
                if self.cookies.len() == JAR_LIMIT {
                    self.cookies.remove(0);
                }
                self.cookies.push(cookie);
            }
        }
    }

    /// The `Cookie` header for a request; empty when there is nothing to send.
    pub fn header(&self, url: &Url, now: i64) -> String {
        let path = url.path();
        let mut sent: Vec<&Cookie> = self
            .cookies
            .iter()
            .filter(|c| c.is_for(url, path, now))
            .collect();
        sent.sort_by_key(|c| std::cmp::Reverse(c.path.len()));
        let pairs: Vec<String> = sent
            .iter()
            .map(|c| format!("{}={}", c.name, c.value))
            .collect();
        pairs.join("; ")
    }

    /// Whether there are no cookies.
    pub fn is_empty(&self) -> bool {
        self.cookies.is_empty()
    }
}

impl Cookie {
    fn is_for(&self, url: &Url, path: &str, now: i64) -> bool {
        let host = if self.host_only {
            url.host == self.domain
        } else {
            domain_matches(&url.host, &self.domain)
        };
        host && (url.tls || !self.secure)
            && path_matches(path, &self.path)
            && self.expires.is_none_or(|at| at > now)
    }
}

fn parse(url: &Url, line: &str, now: i64) -> Option<Cookie> {
    let (name, value) = pair(line)?;
    let control = |text: &str| text.bytes().any(|b| b < b' ' && b != b'\t' || b == 127);
    if name.len() + value.len() > COOKIE_LIMIT || control(name) || control(value) {
        return None;
    }
    let mut cookie = Cookie {
        name: name.to_owned(),
        value: value.to_owned(),
        domain: url.host.clone(),
        host_only: true,
        path: default_path(url.path()),
        secure: false,
        expires: None,
    };
    let mut max_age = None;
    for attribute in line.split(';').skip(1) {
        let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "secure" => cookie.secure = true,
            "path" if value.starts_with('/') => cookie.path = value.to_owned(),
            "path" => cookie.path = default_path(url.path()),
            "expires" => cookie.expires = cookie_date(value).or(cookie.expires),
            "max-age" => max_age = value.parse::<i64>().ok().or(max_age),
            "domain" if !value.is_empty() => cookie.set_domain(value)?,
            _ => {}
        }
    }
    if let Some(seconds) = max_age {
        cookie.expires = Some(if seconds <= 0 {
            i64::MIN
        } else {
            now.saturating_add(seconds)
        });
    }
    Some(cookie)
}

impl Cookie {
    /// A domain must be the host or one of its parents, and no top-level domain.
    fn set_domain(&mut self, value: &str) -> Option<()> {
        let domain = value
            .strip_prefix('.')
            .unwrap_or(value)
            .to_ascii_lowercase();
        if domain == self.domain {
            self.host_only = self.domain.parse::<IpAddr>().is_ok();
            return Some(());
        }
        if !domain.contains('.') || !domain_matches(&self.domain, &domain) {
            return None;
        }
        self.domain = domain;
        self.host_only = false;
        Some(())
    }
}

fn domain_matches(host: &str, domain: &str) -> bool {
    host == domain
        || host
            .strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'))
            && host.parse::<IpAddr>().is_err()
}

fn path_matches(path: &str, cookie: &str) -> bool {
    path == cookie
        || path
            .strip_prefix(cookie)
            .is_some_and(|rest| cookie.ends_with('/') || rest.starts_with('/'))
}

fn default_path(path: &str) -> String {
    match path.rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(at) => path[..at].to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000_000;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn after(stored: &[(&str, &str)], asked: &str) -> String {
        let mut jar = Jar::default();
        for (from, line) in stored {
            jar.store(&url(from), line, NOW);
        }
        jar.header(&url(asked), NOW)
    }

    #[test]
    fn a_cookie_comes_back() {
        assert_eq!(
            after(
                &[("http://a.test/", "s=1; HttpOnly; SameSite=Lax")],
                "http://a.test/x/y"
            ),
            "s=1"
        );
        assert_eq!(after(&[("http://a.test/", "s=1")], "http://b.test/"), "");
        assert_eq!(
            after(&[("http://a.test/", " s = \"1=2\" ;x")], "http://a.test/"),
            "s=\"1=2\""
        );
        assert_eq!(
            after(
                &[("http://127.0.0.1:1/", "s=1; Domain=127.0.0.1")],
                "http://127.0.0.1:2/"
            ),
            "s=1"
        );
    }

    #[test]
    fn domains_reach_down_and_not_up() {
        let set = ("http://www.a.test/", "s=1; Domain=.A.test");
        assert_eq!(after(&[set], "http://x.a.test/"), "s=1");
        assert_eq!(after(&[set], "http://a.test/"), "s=1");
        assert_eq!(after(&[set], "http://xa.test/"), "");
        for refused in [
            "s=1; Domain=test",
            "s=1; Domain=b.test",
            "s=1; Domain=x.www.a.test",
        ] {
            assert_eq!(
                after(&[("http://www.a.test/", refused)], "http://www.a.test/"),
                "",
                "{refused}"
            );
        }
        assert_eq!(
            after(&[("http://www.a.test/", "s=1")], "http://x.www.a.test/"),
            ""
        );
    }

    #[test]
    fn paths_are_matched_by_segment() {
        let set = ("http://a.test/shop/cart", "s=1");
        assert_eq!(after(&[set], "http://a.test/shop"), "s=1");
        assert_eq!(after(&[set], "http://a.test/shop/x?y"), "s=1");
        assert_eq!(after(&[set], "http://a.test/shopping"), "");
        assert_eq!(
            after(&[("http://a.test/x", "s=1; Path=/b/")], "http://a.test/b/c"),
            "s=1"
        );
        let both = [
            ("http://a.test/", "a=1; Path=/"),
            ("http://a.test/", "b=2; Path=/b"),
        ];
        assert_eq!(
            after(&both, "http://a.test/b"),
            "b=2; a=1",
            "longer paths first"
        );
    }

    #[test]
    fn secure_cookies_need_tls() {
        let set = ("https://a.test/", "s=1; Secure");
        assert_eq!(after(&[set], "http://a.test/"), "");
        assert_eq!(after(&[set], "https://a.test/"), "s=1");
    }

    #[test]
    fn cookies_expire_and_are_replaced() {
        let a = "http://a.test/";
        assert_eq!(after(&[(a, "s=1"), (a, "s=2")], a), "s=2");
        assert_eq!(after(&[(a, "s=1"), (a, "s=; Max-Age=0")], a), "");
        assert_eq!(
            after(
                &[
                    (a, "s=1"),
                    (a, "s=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
                ],
                a
            ),
            ""
        );
        assert_eq!(
            after(
                &[(a, "s=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT")],
                a
            ),
            "s=1"
        );
        let mut jar = Jar::default();
        jar.store(&url(a), "s=1; Max-Age=10", NOW);
        assert_eq!(jar.header(&url(a), NOW + 9), "s=1");
        assert_eq!(jar.header(&url(a), NOW + 10), "");
    }

    #[test]
    fn what_is_no_cookie_is_ignored() {
        let a = "http://a.test/";
        for line in ["", "novalue", "=x", "a=b\u{1}c"] {
            assert_eq!(after(&[(a, line)], a), "");
        }
        let long = format!("s={}", "x".repeat(5000));
        assert_eq!(after(&[(a, &long)], a), "");
    }
}
