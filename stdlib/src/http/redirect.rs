//! Redirects (RFC 9110 section 15.4): where the next request goes, and as what.

use super::head::Head;
use super::url::Url;
use scn_runtime::Fault;

/// The next request after a redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    /// Where it goes.
    pub url: Url,
    /// Its method.
    pub method: String,
    /// Whether the body goes along.
    pub keeps_body: bool,
    /// Whether credentials go along: only to the same scheme, host and port.
    pub keeps_credentials: bool,
}

/// What follows from a response; `None` when it is no redirect.
pub fn next(method: &str, url: &Url, status: u16, head: &Head) -> Result<Option<Next>, Fault> {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = head.all("location").next() else {
        return Ok(None);
    };
    let location = String::from_utf8_lossy(location);
    let target = url.join(&location).map_err(|_| {
        Fault::text(
            "http.bad_redirect",
            format!("the redirect to `{location}` leads to no http or https address"),
        )
    })?;
    // Clients turn POST into GET after 301 and 302, and everything but HEAD after 303.
    let to_get = match status {
        301 | 302 => method == "POST",
        303 => !matches!(method, "GET" | "HEAD"),
        _ => false,
    };
    Ok(Some(Next {
        keeps_credentials: target.same_origin(url),
        url: target,
        method: if to_get { "GET" } else { method }.to_owned(),
        keeps_body: !to_get,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(method: &str, status: u16, location: &str) -> Result<Option<Next>, Fault> {
        let wire = format!("HTTP/1.1 {status} X\r\nLocation: {location}\r\n\r\n");
        let (_, head, _) = Head::response(wire.as_bytes()).unwrap().unwrap();
        next(
            method,
            &Url::parse("http://a.test/x/y").unwrap(),
            status,
            &head,
        )
    }

    #[test]
    fn methods_change_as_clients_do() {
        for (method, status, want) in [
            ("POST", 301, "GET"),
            ("POST", 302, "GET"),
            ("PUT", 302, "PUT"),
            ("PUT", 303, "GET"),
            ("HEAD", 303, "HEAD"),
            ("POST", 307, "POST"),
            ("POST", 308, "POST"),
        ] {
            let next = after(method, status, "/z").unwrap().unwrap();
            assert_eq!(
                (next.method.as_str(), next.keeps_body),
                (want, want == method),
                "{method} {status}"
            );
        }
        assert_eq!(after("GET", 200, "/z").unwrap(), None);
        assert_eq!(after("GET", 304, "/z").unwrap(), None);
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        assert!(after("GET", 302, "z").unwrap().unwrap().keeps_credentials);
        for other in [
            "https://a.test/",
            "http://b.test/",
            "http://a.test:81/",
            "//b.test/",
        ] {
            assert!(
                !after("GET", 302, other).unwrap().unwrap().keeps_credentials,
                "{other}"
            );
        }
    }

    #[test]
    fn a_redirect_to_nowhere_is_an_error() {
        assert_eq!(
            after("GET", 302, "ftp://a/").unwrap_err().kind(),
            "http.bad_redirect"
        );
        let (_, head, _) = Head::response(b"HTTP/1.1 302 X\r\n\r\n").unwrap().unwrap();
        let url = Url::parse("http://a/").unwrap();
        assert_eq!(next("GET", &url, 302, &head).unwrap(), None);
    }
}
