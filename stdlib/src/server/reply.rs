//! The writer of replies.

use super::request::Asked;
use crate::http::chunk;
use crate::http::date::http_date;
use crate::http::request::{is_token, line};
use scn_runtime::Fault;

/// What a route returns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers; they replace those that are set otherwise.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Its media type unless a header says it; empty for none.
    pub media_type: &'static str,
    /// Whether the body is sent in chunks.
    pub chunked: bool,
}

impl Reply {
    /// A reply without body.
    pub fn empty(status: u16) -> Reply {
        Reply {
            status,
            ..Reply::default()
        }
    }

    /// A reply of plain text.
    pub fn text(status: u16, text: &str) -> Reply {
        Reply {
            status,
            body: text.as_bytes().to_vec(),
            media_type: "text/plain; charset=utf-8",
            ..Reply::default()
        }
    }

    /// Refuses what cannot be sent.
    pub fn check(&self) -> Result<(), Fault> {
        if !(100..=999).contains(&self.status) {
            return Err(no_status(self.status.into()));
        }
        for (name, value) in &self.headers {
            if name.is_empty() || !name.bytes().all(is_token) {
                return Err(Fault::text(
                    "invalid_input",
                    format!("`{}` is no name of a header", name.escape_default()),
                ));
            }
            let lines = name.eq_ignore_ascii_case("set-cookie");
            if value
                .bytes()
                .any(|b| b == b'\r' || b == 0 || b == b'\n' && !lines)
            {
                return Err(Fault::text(
                    "invalid_input",
                    format!("the value of header `{name}` holds a line end"),
                ));
            }
        }
        Ok(())
    }

    /// Writes the reply to a request (`None` when none could be read) and tells whether the connection stays open.
    /// `now` is in seconds since 1970.
    pub fn write(&self, asked: Option<Asked>, now: i64) -> (Vec<u8>, bool) {
        let closes = self.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("connection") && value.to_ascii_lowercase().contains("close")
        });
        let stays = asked.is_some_and(|asked| asked.keeps_alive) && !closes;
        let old = asked.is_some_and(|asked| asked.old);
        let bodiless = matches!(self.status, 100..=199 | 204 | 304);
        let mut out = Vec::with_capacity(192 + self.body.len());
        out.extend_from_slice(
            format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status)).as_bytes(),
        );
        let mut default = |name: &str, value: &str| {
            if !value.is_empty()
                && !self
                    .headers
                    .iter()
                    .any(|(other, _)| other.eq_ignore_ascii_case(name))
            {
                line(&mut out, name, value);
            }
        };
        default("date", &http_date(now));
        let chunked = self.chunked && !old;
        if !bodiless {
            default(
                "content-type",
                if self.body.is_empty() {
                    ""
                } else {
                    self.media_type
                },
            );
            match chunked {
                true => default("transfer-encoding", "chunked"),
                false => default(
                    "content-length",
                    itoa::Buffer::new().format(self.body.len()),
                ),
            }
        }
        match (stays, old) {
            (false, _) => default("connection", "close"),
            (true, true) => default("connection", "keep-alive"),
            (true, false) => {}
        }
        for (name, value) in &self.headers {
            value
                .split('\n')
                .for_each(|value| line(&mut out, name, value.trim()));
        }
        out.extend_from_slice(b"\r\n");
        if !bodiless && !asked.is_some_and(|asked| asked.head_only) {
            match chunked {
                true => chunk::encode_body(&self.body, &mut out),
                false => out.extend_from_slice(&self.body),
            }
        }
        (out, stays)
    }
}

/// The error of a status that cannot be sent.
pub(super) fn no_status(status: i64) -> Fault {
    Fault::text(
        "invalid_input",
        format!("{status} is no status: they have three digits"),
    )
}

/// The reason phrase of a status (RFC 9110 section 15 and the registry); empty for others.
pub fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::request::{Request, RequestReader};

    fn request(wire: &str) -> Request {
        let mut reader = RequestReader::default();
        reader.feed(wire.as_bytes()).unwrap();
        reader.take().unwrap()
    }

    fn written(reply: &Reply, wire: &str) -> (String, bool) {
        let (bytes, stays) = reply.write(Some(request(wire).asked()), 784_111_777);
        (String::from_utf8(bytes).unwrap(), stays)
    }

    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const DATE: &str = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

    #[test]
    fn a_reply_has_length_and_type() {
        let want = format!(
            "HTTP/1.1 200 OK\r\n{DATE}content-type: text/plain; charset=utf-8\r\ncontent-length: 2\r\n\r\nok"
        );
        assert_eq!(written(&Reply::text(200, "ok"), GET), (want, true));
        let want = format!("HTTP/1.1 404 Not Found\r\n{DATE}content-length: 0\r\n\r\n");
        assert_eq!(written(&Reply::empty(404), GET), (want, true));
    }

    #[test]
    fn some_replies_have_no_body() {
        let want = format!("HTTP/1.1 204 No Content\r\n{DATE}\r\n");
        assert_eq!(written(&Reply::text(204, "no"), GET).0, want);
        let head = written(
            &Reply::text(200, "ok"),
            "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        )
        .0;
        assert!(head.contains("content-length: 2\r\n") && head.ends_with("\r\n\r\n"));
    }

    #[test]
    fn chunks_are_for_clients_that_know_them() {
        let reply = Reply {
            chunked: true,
            ..Reply::text(200, "hello")
        };
        let (new, _) = written(&reply, GET);
        assert!(
            new.contains("transfer-encoding: chunked\r\n")
                && new.ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        );
        let (old, stays) = written(&reply, "GET / HTTP/1.0\r\n\r\n");
        assert!(old.contains("content-length: 5\r\n") && old.ends_with("\r\n\r\nhello") && !stays);
    }

    #[test]
    fn the_connection_is_closed_when_either_side_wants() {
        let close = Reply {
            headers: vec![("Connection".into(), "close".into())],
            ..Reply::empty(200)
        };
        assert!(!written(&close, GET).1);
        let (text, stays) = written(
            &Reply::empty(200),
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        );
        assert!(text.contains("connection: close\r\n") && !stays);
        let (text, stays) = written(
            &Reply::empty(200),
            "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        );
        assert!(text.contains("connection: keep-alive\r\n") && stays);
        assert!(!Reply::empty(400).write(None, 0).1);
    }

    #[test]
    fn own_headers_replace_the_defaults() {
        let headers = vec![
            ("Content-Type".into(), "text/html".into()),
            ("Set-Cookie".into(), "a=1\nb=2".into()),
        ];
        let (text, _) = written(
            &Reply {
                headers,
                ..Reply::text(200, "ok")
            },
            GET,
        );
        assert!(
            text.contains(
                "Content-Type: text/html\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nok"
            )
        );
        assert!(!text.contains("text/plain"));
    }

    #[test]
    fn nothing_can_be_smuggled_into_a_head() {
        for (name, value) in [
            ("a", "b\r\nc: d"),
            ("a b", "c"),
            ("", ""),
            ("Set-Cookie", "a\rb"),
        ] {
            let reply = Reply {
                headers: vec![(name.into(), value.into())],
                ..Reply::empty(200)
            };
            assert_eq!(reply.check().unwrap_err().kind(), "invalid_input", "{name}");
        }
        assert!(
            Reply::empty(99).check().is_err()
                && Reply::empty(1000).check().is_err()
                && Reply::empty(299).check().is_ok()
        );
    }
}
