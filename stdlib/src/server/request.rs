//! The reader of requests: fed with whatever a connection gives, split anywhere.

use crate::http::chunk::ChunkDecoder;
use crate::http::head::{Framing, Head, HeadBuffer, RequestLine};
use crate::http::url::decode_component;
use crate::http::{HttpError, request::is_token};

/// The largest body that a server takes.
pub const BODY_LIMIT: u64 = 32 << 20;

/// A complete request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Method, target, version.
    pub first: RequestLine,
    /// Headers.
    pub head: Head,
    /// The body, decoded.
    pub body: Vec<u8>,
}

impl Request {
    /// The path as sent, without query; also when the whole URL was sent (RFC 9112 section 3.2.2).
    pub fn path(&self) -> &str {
        let path = self.origin_form().split('?').next().unwrap_or("");
        if path.is_empty() { "/" } else { path }
    }

    /// The query as sent, without the question mark.
    pub fn query(&self) -> &str {
        self.origin_form()
            .split_once('?')
            .map_or("", |(_, query)| query)
    }

    fn origin_form(&self) -> &str {
        let target = self.first.target.as_str();
        match target.split_once("://") {
            Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
                &rest[rest.find(['/', '?']).unwrap_or(rest.len())..]
            }
            _ => target,
        }
    }

    /// The first value of a query parameter, decoded.
    pub fn query_value(&self, name: &str) -> Option<String> {
        form_value(self.query(), name)
    }

    /// The first value of a form's field, decoded.
    pub fn form_value(&self, name: &str) -> Option<String> {
        form_value(std::str::from_utf8(&self.body).ok()?, name)
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let pairs = self.head.get("cookie")?;
        let mut pairs = pairs
            .split([';', ','])
            .filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim().to_owned())
    }

    /// Whether the connection stays open after the reply.
    pub fn keeps_alive(&self) -> bool {
        self.head.keeps_alive(self.first.minor)
    }

    /// What its reply depends on.
    pub fn asked(&self) -> Asked {
        Asked {
            head_only: self.first.method == "HEAD",
            old: self.first.minor == 0,
            keeps_alive: self.keeps_alive(),
        }
    }
}

/// What a reply depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Whether the method was HEAD: no body.
    pub head_only: bool,
    /// Whether the client speaks HTTP/1.0: no chunks.
    pub old: bool,
    /// Whether the client wants the connection to stay open.
    pub keeps_alive: bool,
}

fn form_value(form: &str, name: &str) -> Option<String> {
    let pairs = form
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut found = pairs.filter(|(key, _)| decode_component(key, true) == name);
    found.next().map(|(_, value)| decode_component(value, true))
}

/// Why a request is not served: the status that tells the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// What is wrong.
    pub message: &'static str,
}

#[derive(Debug)]
enum Body {
    Done,
    Length(u64),
    Chunked(ChunkDecoder),
}

/// Reads one request after another.
#[derive(Debug)]
pub struct RequestReader {
    partial: HeadBuffer,
    request: Option<Request>,
    body: Body,
    started: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    expects: bool,
}

impl Default for RequestReader {
    fn default() -> RequestReader {
        RequestReader {
            partial: HeadBuffer::default(),
            request: None,
            body: Body::Done,
            started: false,
            expects: false,
        }
    }
}

impl RequestReader {
    /// Takes input and gives how many bytes of it were used: less than all of them only when the request is complete.
    pub fn feed(&mut self, input: &[u8]) -> Result<usize, Refusal> {
        let mut at = 0;
        while at < input.len() && !self.is_done() {
            at += match self.request {
                None => self.feed_head(&input[at..])?,
                Some(_) => self.feed_body(&input[at..])?,
            };
        }
        Ok(at)
    }

    /// Whether a request is complete.
    pub fn is_done(&self) -> bool {
        self.request.is_some() && matches!(self.body, Body::Done)
    }

    /// Whether bytes of an incomplete request are there.
    pub fn has_started(&self) -> bool {
        self.started
    }

    /// Whether the client waits for `100 Continue`; says so once.
    pub fn take_expectation(&mut self) -> bool {
        std::mem::take(&mut self.expects) && !self.is_done()
    }

    /// Takes the complete request out; the reader is then ready for the next one.
    pub fn take(&mut self) -> Option<Request> {
        if !self.is_done() {
            return None;
        }
        std::mem::take(self).request
    }

    fn feed_head(&mut self, input: &[u8]) -> Result<usize, Refusal> {
        self.started |= input.iter().any(|b| !matches!(b, b'\r' | b'\n'));
        self.refuse_other_protocols(input)?;
        let Some((bytes, used)) = self.partial.feed(input).map_err(refusal)? else {
            return Ok(input.len());
        };
        let parsed = Head::request(bytes).map_err(refusal)?;
        let (first, head, _) = parsed.ok_or(BAD)?;
        self.partial = HeadBuffer::default();
        if first.minor == 1 && head.all("host").count() != 1 {
            return Err(Refusal {
                status: 400,
                message: "a request has exactly one host",
            });
        }
        self.body = body_for(&head)?;
        self.expects = first.minor == 1 && head.has_token("expect", "100-continue");
        self.request = Some(Request {
            first,
            head,
            body: Vec::new(),
        });
        Ok(used)
    }

    /// What starts with no method, or goes on for too long without a line end, is no request.
    fn refuse_other_protocols(&self, input: &[u8]) -> Result<(), Refusal> {
        let known = self
            .partial
            .kept()
            .iter()
            .chain(input)
            .skip_while(|b| matches!(b, b'\r' | b'\n'));
        let method = known.take(32).take_while(|b| **b != b' ');
        match method.clone().all(|b| is_token(*b)) && method.count() < 32 {
            true => Ok(()),
            false => Err(BAD),
        }
    }

    fn feed_body(&mut self, input: &[u8]) -> Result<usize, Refusal> {
        let Some(request) = &mut self.request else {
            return Ok(0);
        };
        let used = match &mut self.body {
            Body::Done => 0,
            Body::Length(left) => {
                let take = (*left).min(input.len() as u64) as usize;
                request.body.extend_from_slice(&input[..take]);
                *left -= take as u64;
                if *left == 0 {
                    self.body = Body::Done;
                }
                take
            }
            Body::Chunked(decoder) => {
                let used = decoder.feed(input, &mut request.body).map_err(refusal)?;
                if request.body.len() as u64 + decoder.announced() > BODY_LIMIT {
                    return Err(TOO_LARGE);
                }
                if decoder.is_done() {
                    self.body = Body::Done;
                }
                used
            }
        };
        Ok(used)
    }
}

const BAD: Refusal = Refusal {
    status: 400,
    message: "what came is no request",
};
const TOO_LARGE: Refusal = Refusal {
    status: 413,
    message: "the body is above 32 MiB",
};

fn body_for(head: &Head) -> Result<Body, Refusal> {
    Ok(match head.framing().map_err(refusal)? {
        None | Some(Framing::Empty | Framing::Close | Framing::Length(0)) => Body::Done,
        Some(Framing::Length(n)) if n > BODY_LIMIT => return Err(TOO_LARGE),
        Some(Framing::Length(n)) => Body::Length(n),
        Some(Framing::Chunked) => Body::Chunked(ChunkDecoder::default()),
    })
}

fn refusal(error: HttpError) -> Refusal {
    match error {
        HttpError::HeadTooLarge => Refusal {
            status: 431,
            message: "the head is too large",
        },
        HttpError::BodyTooLarge(_) => TOO_LARGE,
        HttpError::Unsupported => Refusal {
            status: 501,
            message: "the transfer coding is not known",
        },
        HttpError::BadLength(message) => Refusal {
            status: 400,
            message,
        },
        HttpError::BadChunk => Refusal {
            status: 400,
            message: "the chunked coding is broken",
        },
        HttpError::BadResponse(_) | HttpError::Incomplete | HttpError::Closed => BAD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(wire: &[u8], size: usize) -> Result<Vec<Request>, Refusal> {
        let mut reader = RequestReader::default();
        let mut requests = Vec::new();
        for mut piece in wire.chunks(size) {
            while !piece.is_empty() {
                let used = reader.feed(piece)?;
                piece = &piece[used..];
                requests.extend(reader.take());
            }
        }
        Ok(requests)
    }

    fn read(wire: &[u8]) -> Result<Vec<Request>, Refusal> {
        let whole = read_all(wire, wire.len());
        for size in 1..wire.len().min(60) {
            assert_eq!(read_all(wire, size), whole, "split every {size} bytes");
        }
        whole
    }

    #[test]
    fn pipelined_requests_are_read_one_by_one() {
        let wire = b"GET /a?x=1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nok\
                     PUT /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let requests = read(wire).unwrap();
        let seen: Vec<_> = requests
            .iter()
            .map(|r| (r.first.method.as_str(), r.path(), r.body.as_slice()))
            .collect();
        assert_eq!(
            seen,
            [
                ("GET", "/a", &b""[..]),
                ("POST", "/b", b"ok"),
                ("PUT", "/c", b"abc")
            ]
        );
    }

    #[test]
    fn targets_come_in_several_forms() {
        let get = |target: &str| {
            let wire = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
            let request = read(wire.as_bytes()).unwrap().remove(0);
            (request.path().to_owned(), request.query().to_owned())
        };
        assert_eq!(get("/a/b?c=d&e"), ("/a/b".to_owned(), "c=d&e".to_owned()));
        assert_eq!(get("http://a:1/b?c"), ("/b".to_owned(), "c".to_owned()));
        assert_eq!(get("http://a"), ("/".to_owned(), String::new()));
        assert_eq!(
            get("/x?u=http://b/c"),
            ("/x".to_owned(), "u=http://b/c".to_owned())
        );
        assert_eq!(get("*"), ("*".to_owned(), String::new()));
    }

    #[test]
    fn values_are_found() {
        let wire = b"POST /?a=1&b=x+y%26&a=2&c HTTP/1.1\r\nHost: a\r\nCookie: s=1; t=\"2\"\r\n\
                     Content-Length: 8\r\n\r\nn=%C3%BC";
        let request = read(wire).unwrap().remove(0);
        assert_eq!(request.query_value("a").as_deref(), Some("1"));
        assert_eq!(request.query_value("b").as_deref(), Some("x y&"));
        assert_eq!(request.query_value("c").as_deref(), Some(""));
        assert_eq!(request.query_value("d"), None);
        assert_eq!(request.cookie("t").as_deref(), Some("\"2\""));
        assert_eq!(request.form_value("n").as_deref(), Some("ü"));
    }

    #[test]
    fn an_expectation_is_told_once() {
        let mut reader = RequestReader::default();
        let head =
            b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
        reader.feed(head).unwrap();
        assert!(reader.take_expectation() && !reader.take_expectation());
        reader.feed(b"ok").unwrap();
        assert_eq!(reader.take().unwrap().body, b"ok");
        assert!(!reader.has_started());
    }

    #[test]
    fn keeping_alive_is_the_clients_wish() {
        let alive = |wire: &[u8]| read(wire).unwrap()[0].keeps_alive();
        assert!(alive(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(!alive(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        ));
        assert!(!alive(b"GET / HTTP/1.0\r\n\r\n"));
        assert!(alive(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (wire, status) in [
            (&b"\x16\x03\x01\x02\x00"[..], 400),
            (b"GET\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
            (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
            (b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 400),
        ] {
            assert_eq!(read(wire).unwrap_err().status, status, "{}", wire.escape_ascii());
        }
    }

    #[test]
    fn a_request_in_pieces_has_started() {
        let mut reader = RequestReader::default();
        reader.feed(b"\r\n").unwrap();
        assert!(!reader.has_started());
        reader.feed(b"GE").unwrap();
        assert!(reader.has_started() && !reader.is_done());
    }
}
