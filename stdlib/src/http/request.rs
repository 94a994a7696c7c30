//! The writer of requests: one buffer with the head, and the body behind it when it is sent at once.

use super::chunk;
use super::url::Url;
use scn_runtime::Fault;

/// How a body is announced and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// With its length, together with the head.
    Length,
    /// In chunks, together with the head.
    Chunked,
}

/// What goes into a request besides what every request has.
#[derive(Clone, Debug)]
pub struct Request<'a, T = String> {
    /// The method, as given.
    pub method: &'a str,
    /// Where it goes.
    pub url: &'a Url,
    /// The caller's headers: they replace those that are set otherwise.
    pub headers: &'a [(T, T)],
    /// The `Cookie` header; empty for none.
    pub cookie: &'a str,
    /// The `Authorization` header; empty for none.
    pub authorization: &'a str,
    /// The body and its media type (empty for none); `None` when there is no body.
    pub body: Option<(&'a [u8], &'a str)>,
    /// How the body is sent.
    pub sending: Sending,
    /// Whether the body waits for `100 Continue`.
    pub expect_continue: bool,
}

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where the body starts.
    pub head_len: usize,
    /// Whether the connection cannot be used again, because the caller's headers say something else than the body.
    pub last: bool,
}

impl<T: AsRef<str>> Request<'_, T> {
    /// Writes the request.
    pub fn write(&self) -> Result<Wire, Fault> {
        self.write_with(&self.url.target)
    }

    /// Writes the request with this path and query.
    pub fn write_with(&self, target: &str) -> Result<Wire, Fault> {
        self.check()?;
        let mut out = Vec::with_capacity(256 + self.body.map_or(0, |(body, _)| body.len()));
        put(&mut out, &[self.method, " ", target, " HTTP/1.1\r\n"]);
        self.write_defaults(&mut out);
        for (name, value) in self.headers {
            line(&mut out, name.as_ref(), value.as_ref().trim());
        }
        out.extend_from_slice(b"\r\n");
        let head_len = out.len();
        if let Some((body, _)) = self.body {
            match self.sending {
                Sending::Length => out.extend_from_slice(body),
                Sending::Chunked => chunk::encode_body(body, &mut out),
            }
        }
        Ok(Wire {
            bytes: out,
            head_len,
            last: self.is_last(),
        })
    }

    fn write_defaults(&self, out: &mut Vec<u8>) {
        let mut default = |name: &str, value: &str| {
            if !value.is_empty() && !self.has(name) {
                line(out, name, value);
            }
        };
        default("host", &self.url.authority());
        default("user-agent", concat!("scn/", env!("CARGO_PKG_VERSION")));
        default("accept", "*/*");
        default("cookie", self.cookie);
        default("authorization", self.authorization);
        match self.body {
            Some((body, media_type)) => {
                default("content-type", media_type);
                match self.sending {
                    Sending::Length => {
                        default("content-length", itoa::Buffer::new().format(body.len()))
                    }
                    Sending::Chunked => default("transfer-encoding", "chunked"),
                }
                if self.expect_continue {
                    default("expect", "100-continue");
                }
            }
            // Methods that anticipate a body say that there is none (RFC 9110 section 8.6).
            None if matches!(self.method, "POST" | "PUT" | "PATCH") => {
                default("content-length", "0")
            }
            None => {}
        }
    }

    fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(other, _)| other.as_ref().eq_ignore_ascii_case(name))
    }

    fn is_last(&self) -> bool {
        self.headers.iter().any(|(name, value)| {
            let (name, value) = (name.as_ref(), value.as_ref());
            name.eq_ignore_ascii_case("connection") && value.to_ascii_lowercase().contains("close")
                || name.eq_ignore_ascii_case("upgrade")
                || name.eq_ignore_ascii_case("content-length") && value.trim() != self.length()
        })
    }

    fn length(&self) -> String {
        self.body.map_or(0, |(body, _)| body.len()).to_string()
    }

    fn check(&self) -> Result<(), Fault> {
        if self.method.is_empty() || !self.method.bytes().all(is_token) {
            return Err(invalid(format!(
                "`{}` is no method",
                self.method.escape_default()
            )));
        }
        if self.method == "CONNECT" {
            return Err(invalid(
                "CONNECT is for proxies, and not sent to a resource".to_owned(),
            ));
        }
        for (name, value) in self.headers {
            let (name, value) = (name.as_ref(), value.as_ref());
            if name.is_empty() || !name.bytes().all(is_token) {
                return Err(invalid(format!(
                    "`{}` is no name of a header",
                    name.escape_default()
                )));
            }
            if value.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
                return Err(invalid(format!(
                    "the value of header `{name}` holds a line end or a zero byte"
                )));
            }
            if name.eq_ignore_ascii_case("transfer-encoding") {
                return Err(invalid(
                    "`transfer-encoding` is set by `chunked: true`".to_owned(),
                ));
            }
        }
        Ok(())
    }
}

fn invalid(message: String) -> Fault {
    Fault::text("http.invalid_request", message)
}

/// Whether a byte may stand in a method or a header's name (RFC 9110 section 5.6.2).
pub fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn put(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}

/// Appends a header line.
pub fn line(out: &mut Vec<u8>, name: &str, value: &str) {
    put(out, &[name, ": ", value, "\r\n"]);
}

/// Whether a request with this method may be repeated (RFC 9110 section 9.2.2).
pub fn is_idempotent(method: &str) -> bool {
    matches!(
        method,
        "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS" | "TRACE"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(change: impl FnOnce(&mut Request)) -> Result<String, Fault> {
        wire_with(&[], change)
    }

    fn wire_with(
        headers: &[(&str, &str)],
        change: impl FnOnce(&mut Request),
    ) -> Result<String, Fault> {
        let url = Url::parse("http://shop.test:8080/a?b=c").unwrap();
        let headers: Vec<_> = headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        let mut request = Request {
            method: "GET",
            url: &url,
            headers: &headers,
            cookie: "",
            authorization: "",
            body: None,
            sending: Sending::Length,
            expect_continue: false,
        };
        change(&mut request);
        request
            .write()
            .map(|wire| String::from_utf8(wire.bytes).unwrap())
    }

    const AGENT: &str = concat!(
        "user-agent: scn/",
        env!("CARGO_PKG_VERSION"),
        "\r\naccept: */*\r\n"
    );

    #[test]
    fn a_plain_get() {
        let want = format!("GET /a?b=c HTTP/1.1\r\nhost: shop.test:8080\r\n{AGENT}\r\n");
        assert_eq!(wire(|_| {}).unwrap(), want);
    }

    #[test]
    fn a_body_has_length_and_type() {
        let got = wire(|r| {
            r.method = "POST";
            r.body = Some((b"{}", "application/json"));
            r.cookie = "a=b";
            r.authorization = "Bearer t";
        });
        let want = format!(
            "POST /a?b=c HTTP/1.1\r\nhost: shop.test:8080\r\n{AGENT}cookie: a=b\r\nauthorization: Bearer t\r\n\
             content-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        assert_eq!(got.unwrap(), want);
    }

    #[test]
    fn chunks_replace_the_length() {
        let got = wire(|r| {
            r.method = "PUT";
            r.body = Some((b"hello", ""));
            r.sending = Sending::Chunked;
            r.expect_continue = true;
        })
        .unwrap();
        assert!(
            got.ends_with(
                "transfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
            ),
            "{got}"
        );
        assert!(!got.contains("content-length"));
    }

    #[test]
    fn a_missing_body_is_announced_where_one_is_expected() {
        assert!(
            wire(|r| r.method = "POST")
                .unwrap()
                .contains("content-length: 0\r\n")
        );
        assert!(
            !wire(|r| r.method = "DELETE")
                .unwrap()
                .contains("content-length")
        );
    }

    #[test]
    fn own_headers_replace_the_defaults() {
        let headers = [("HOST", "other"), ("User-Agent", " me "), ("X", "")];
        let got = wire_with(&headers, |_| {}).unwrap();
        assert_eq!(
            got,
            "GET /a?b=c HTTP/1.1\r\naccept: */*\r\nHOST: other\r\nUser-Agent: me\r\nX: \r\n\r\n"
        );
    }

    #[test]
    fn nothing_can_be_smuggled_into_a_head() {
        for (name, value) in [
            ("a b", "c"),
            ("", "c"),
            ("a", "b\r\nc: d"),
            ("a", "b\nc"),
            ("a\r\nb", "c"),
            ("Transfer-Encoding", "x"),
        ] {
            assert_eq!(
                wire_with(&[(name, value)], |_| {}).unwrap_err().kind(),
                "http.invalid_request",
                "{name}: {value}"
            );
        }
        for method in ["", "GET /x", "G\r\nT", "CONNECT"] {
            assert_eq!(
                wire(|r| r.method = method).unwrap_err().kind(),
                "http.invalid_request"
            );
        }
    }

    #[test]
    fn headers_that_contradict_the_body_end_the_connection() {
        let url = Url::parse("http://a/").unwrap();
        let last = |name: &'static str, value: &'static str| {
            let headers = [(name.to_owned(), value.to_owned())];
            let request = Request {
                method: "POST",
                url: &url,
                headers: &headers,
                cookie: "",
                authorization: "",
                body: Some((b"hello", "")),
                sending: Sending::Length,
                expect_continue: false,
            };
            request.write().unwrap().last
        };
        assert!(last("Content-Length", "9") && last("connection", "Close") && last("upgrade", "x"));
        assert!(!last("content-length", "5") && !last("x", "y"));
    }
}
