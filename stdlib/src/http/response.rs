//! The reader of responses: fed with whatever a connection gives, split anywhere, it finds the head, the body and their end.
//!
//! A head that arrives in one piece is parsed where it lies; only the pieces of a split one are kept.

use super::HttpError;
use super::chunk::ChunkDecoder;
use super::head::{Framing, Head, HeadBuffer, StatusLine};
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

/// What is left to read of a body.
#[derive(Debug)]
enum Body {
    /// Nothing.
    Done,
    /// That many bytes.
    Length(u64),
    /// Chunks.
    Chunked(ChunkDecoder),
    /// Everything up to the end of the connection.
    Close,
}

/// Reads one response, interim responses included.
#[derive(Debug)]
pub struct ResponseReader {
    /// Whether the request's method was HEAD.
    head_only: bool,
    max_body: u64,
    partial: HeadBuffer,
    /// The first line and the head, once complete.
    message: Option<(StatusLine, Head)>,
    body: Body,
    data: Vec<u8>,
    /// Whether an interim `100 Continue` came.
    continued: bool,
    /// Whether any byte came.
    started: bool,
}

/// A complete response.
#[derive(Debug, PartialEq)]
pub struct Message {
    /// Status and version.
    pub first: StatusLine,
    /// Headers.
    pub head: Rc<Head>,
    /// The body, decoded.
    pub body: Content,
    /// Whether the connection can be used again.
    pub keep_alive: bool,
}

/// The body of a response.
#[derive(Clone)]
pub enum Content {
    /// Its own bytes.
    Own(Vec<u8>),
    /// The bytes that came before as well.
    Shared(Rc<[u8]>),
}

/// A response that came before. Servers send the same bytes for the same request again and again: then the head is neither
/// parsed nor stored anew, nor is a short body.
#[derive(Debug)]
pub struct Known {
    first: StatusLine,
    head: Rc<Head>,
    length: usize,
    keep_alive: bool,
    /// Whether there is nothing to be done about it: no cookies, no redirect, and the connection stays.
    plain: bool,
    /// The last body, if it is short.
    body: Rc<[u8]>,
}

/// The longest body that is kept to be compared with the next.
const SHORT: usize = 4096;

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Content::Own(bytes) => bytes,
            Content::Shared(bytes) => bytes,
        }
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Content) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Known {
    /// The head at the beginning of the input, if the whole response may lie there and nothing is odd about it.
    fn parse(head_only: bool, max_body: u64, input: &[u8]) -> Option<Known> {
        if !input.starts_with(b"HTTP/1.") {
            return None;
        }
        let (first, head, _) = Head::response(input).ok()??;
        let length = match framing_of(head_only, &first, &head).ok()? {
            Framing::Empty => 0,
            Framing::Length(n) if n <= max_body => usize::try_from(n).ok()?,
            _ => return None,
        };
        let keep_alive = head.keeps_alive(first.minor);
        let is_redirect = (300..400).contains(&first.status) && head.has_location();
        (first.status >= 200).then(|| Known {
            plain: keep_alive && !is_redirect && !head.sets_cookies(),
            keep_alive,
            first,
            head: Rc::new(head),
            length,
            body: Rc::default(),
        })
    }

    /// The response, if it is the input as a whole, has this head, and there is nothing to be done about it.
    pub fn again(&mut self, input: &[u8]) -> Option<Message> {
        let fits = self.plain && input.len() == self.head.len() + self.length;
        if !fits || !input.starts_with(self.head.bytes()) {
            return None;
        }
        self.message(input).map(|(message, _)| message)
    }

    /// The response at the beginning of the input, if it has this head and is there as a whole.
    fn message(&mut self, input: &[u8]) -> Option<(Message, usize)> {
        let body = input.get(self.head.len()..)?.get(..self.length)?;
        let message = Message {
            first: self.first,
            head: self.head.clone(),
            body: self.content(body),
            keep_alive: self.keep_alive,
        };
        Some((message, self.head.len() + self.length))
    }

    /// A body, which is kept if it is short.
    fn content(&mut self, body: &[u8]) -> Content {
        if body.len() > SHORT {
            return Content::Own(body.to_vec());
        }
        if *self.body != *body {
            self.body = body.into();
        }
        Content::Shared(self.body.clone())
    }
}

impl Message {
    /// Reads a response that came as a whole: the message, and how many bytes it is. `None` when there may be more to
    /// come, or anything is odd about it; then a [`ResponseReader`] tells. `known` is what was read like that before
    /// with the same limits.
    pub fn whole(
        head_only: bool,
        max_body: u64,
        known: &mut Option<Known>,
        input: &[u8],
    ) -> Option<(Message, usize)> {
        match known {
            Some(again) if input.starts_with(again.head.bytes()) => again.message(input),
            known => {
                let new = Known::parse(head_only, max_body, input)?;
                known.insert(new).message(input)
            }
        }
    }
}

/// How the end of a response's body is found.
fn framing_of(head_only: bool, first: &StatusLine, head: &Head) -> Result<Framing, HttpError> {
    if head_only || matches!(first.status, 100..=199 | 204 | 304) {
        return Ok(Framing::Empty);
    }
    Ok(head.framing()?.unwrap_or(Framing::Close))
}

impl ResponseReader {
    /// A reader for the answer to a request, which is a head only if the method is HEAD.
    pub fn new(head_only: bool, max_body: u64) -> ResponseReader {
        ResponseReader {
            head_only,
            max_body,
            partial: HeadBuffer::default(),
            message: None,
            body: Body::Done,
            data: Vec::new(),
            continued: false,
            started: false,
        }
    }

    /// Takes input and gives how many bytes of it were used: less than all of them only when the response is complete.
    pub fn feed(&mut self, input: &[u8]) -> Result<usize, HttpError> {
        self.started |= !input.is_empty();
        let mut at = 0;
        while at < input.len() && !self.is_done() {
            at += match self.message {
                None => self.feed_head(&input[at..])?,
                Some(_) => self.feed_body(&input[at..])?,
            };
        }
        Ok(at)
    }

    /// Tells that the connection ended.
    pub fn end(&mut self) -> Result<(), HttpError> {
        match (&self.message, &self.body) {
            (Some(_), Body::Close) => {
                self.body = Body::Done;
                Ok(())
            }
            (Some(_), Body::Done) => Ok(()),
            (None, _) if !self.started => Err(HttpError::Closed),
            _ => Err(HttpError::Incomplete),
        }
    }

    /// Whether the response is complete.
    pub fn is_done(&self) -> bool {
        self.message.is_some() && matches!(self.body, Body::Done)
    }

    /// Whether any byte of a response came.
    pub fn has_started(&self) -> bool {
        self.started
    }

    /// Whether a `100 Continue` came.
    pub fn is_continued(&self) -> bool {
        self.continued
    }

    /// Whether the final head came.
    pub fn has_head(&self) -> bool {
        self.message.is_some()
    }

    /// The response, once it is complete.
    pub fn finish(self) -> Option<Message> {
        let done = self.is_done();
        let closing = self.closing();
        let (first, head) = self.message.filter(|_| done)?;
        let keep_alive = !closing && head.keeps_alive(first.minor) && first.status != 101;
        Some(Message {
            first,
            head: Rc::new(head),
            body: Content::Own(self.data),
            keep_alive,
        })
    }

    /// Whether the end of the connection was the end of the body.
    fn closing(&self) -> bool {
        self.message
            .as_ref()
            .is_some_and(|(first, head)| self.framing(first, head) == Ok(Framing::Close))
    }

    fn feed_head(&mut self, input: &[u8]) -> Result<usize, HttpError> {
        self.refuse_other_protocols(input)?;
        let Some((bytes, used)) = self.partial.feed(input)? else {
            return Ok(input.len());
        };
        let parsed = Head::response(bytes)?;
        let (first, head, _) = parsed.ok_or(HttpError::BadResponse("the head ends too early"))?;
        self.partial = HeadBuffer::default();
        if (100..200).contains(&first.status) && first.status != 101 {
            self.continued |= first.status == 100;
            return Ok(used);
        }
        let framing = self.framing(&first, &head)?;
        self.body = self.body_for(framing)?;
        self.message = Some((first, head));
        Ok(used)
    }

    /// A peer that speaks something else may never send an empty line, so its first bytes decide.
    fn refuse_other_protocols(&self, input: &[u8]) -> Result<(), HttpError> {
        let known = self
            .partial
            .kept()
            .iter()
            .chain(input)
            .skip_while(|b| matches!(b, b'\r' | b'\n'));
        match known.zip(b"HTTP/1.").all(|(got, want)| got == want) {
            true => Ok(()),
            false => Err(HttpError::BadResponse(
                "what came does not start with HTTP/1",
            )),
        }
    }

    fn framing(&self, first: &StatusLine, head: &Head) -> Result<Framing, HttpError> {
        framing_of(self.head_only, first, head)
    }

    fn body_for(&mut self, framing: Framing) -> Result<Body, HttpError> {
        Ok(match framing {
            Framing::Empty | Framing::Length(0) => Body::Done,
            Framing::Length(n) if n > self.max_body => {
                return Err(HttpError::BodyTooLarge(self.max_body));
            }
            Framing::Length(n) => {
                // The announced length is a claim: what is reserved for it stays small.
                self.data.reserve_exact(n.min(1 << 20) as usize);
                Body::Length(n)
            }
            Framing::Chunked => Body::Chunked(ChunkDecoder::default()),
            Framing::Close => Body::Close,
        })
    }

    fn feed_body(&mut self, input: &[u8]) -> Result<usize, HttpError> {
        let used = match &mut self.body {
            Body::Done => 0,
            Body::Length(left) => {
                let take = (*left).min(input.len() as u64) as usize;
                self.data.extend_from_slice(&input[..take]);
                *left -= take as u64;
                if *left == 0 {
                    self.body = Body::Done;
                }
                take
            }
            Body::Chunked(decoder) => {
                let used = decoder.feed(input, &mut self.data)?;
                let expected = self.data.len() as u64 + decoder.announced();
                if expected > self.max_body {
                    return Err(HttpError::BodyTooLarge(self.max_body));
                }
                if decoder.is_done() {
                    self.body = Body::Done;
                }
                used
            }
            Body::Close => {
                self.data.extend_from_slice(input);
                input.len()
            }
        };
        if self.data.len() as u64 > self.max_body {
            return Err(HttpError::BodyTooLarge(self.max_body));
        }
        Ok(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{HEAD_LIMIT, LINES_LIMIT};

    /// Feeds a wire in pieces, ends the connection if there is something left to say, and gives the response
    /// and the number of bytes used.
    fn read_as(
        method: &str,
        wire: &[u8],
        size: usize,
        end: bool,
    ) -> Result<(Message, usize), HttpError> {
        let mut reader = ResponseReader::new(method == "HEAD", 1000);
        let mut used = 0;
        for piece in wire.chunks(size) {
            used += reader.feed(piece)?;
            if reader.is_done() {
                break;
            }
        }
        if end && !reader.is_done() {
            reader.end()?;
        }
        Ok((reader.finish().ok_or(HttpError::Incomplete)?, used))
    }

    /// What is to be compared of a result.
    fn shown(result: &Result<(Message, usize), HttpError>) -> String {
        match result {
            Ok((m, used)) => format!(
                "{:?} {:?} {} {used} {:?}",
                m.first,
                m.head.bytes(),
                m.keep_alive,
                m.body
            ),
            Err(error) => format!("{error:?}"),
        }
    }

    fn read(wire: &[u8]) -> Result<Message, HttpError> {
        let whole = read_as("GET", wire, wire.len(), true);
        for size in 1..wire.len().min(60) {
            assert_eq!(
                shown(&read_as("GET", wire, size, true)),
                shown(&whole),
                "split every {size} bytes"
            );
        }
        let mut known = None;
        for again in [false, true] {
            if let Some(at_once) = Message::whole(false, 1000, &mut known, wire) {
                assert_eq!(
                    shown(&Ok(at_once)),
                    shown(&whole),
                    "at once, again: {again}"
                );
            }
        }
        whole.map(|(message, _)| message)
    }

    fn text(message: &Message) -> &str {
        std::str::from_utf8(&message.body).unwrap()
    }

    #[test]
    fn a_length_ends_the_body() {
        let wire =
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a:2 \r\n\r\nhelloHTTP/1.1 500";
        let message = read(wire).unwrap();
        assert_eq!(
            (message.first.status, text(&message), message.keep_alive),
            (200, "hello", true)
        );
        assert_eq!(message.head.get("X-a").as_deref(), Some("1, 2"));
        assert_eq!(message.head.names(), ["content-length", "x-a"]);
        assert_eq!(
            read_as("GET", wire, wire.len(), true).unwrap().1,
            wire.len() - 12
        );
    }

    #[test]
    fn a_known_head_is_told_from_others() {
        let mut known = None;
        let mut status = |wire: &[u8]| {
            let read = Message::whole(false, 1000, &mut known, wire);
            read.map(|(m, used)| (m.first.status, m.body.to_vec(), used))
        };
        let first = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
        let wanted = (200, b"ab".to_vec(), first.len());
        assert_eq!(status(first), Some(wanted.clone()));
        assert_eq!(status(&first[..first.len() - 1]), None);
        assert_eq!(status(&first[..20]), None);
        assert_eq!(
            status(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nab"),
            None
        );
        let other = b"HTTP/1.1 404 OK\r\nContent-Length: 2\r\n\r\nabcd";
        assert_eq!(status(other), Some((404, b"ab".to_vec(), other.len() - 2)));
        assert_eq!(status(first), Some(wanted));
    }

    #[test]
    fn a_response_like_the_last_one_is_known_again() {
        let again = |wire: &[u8], next: &[u8]| {
            let mut known = None;
            Message::whole(false, 100, &mut known, wire)?;
            let message = known?.again(next)?;
            Some((message.first.status, message.body.to_vec()))
        };
        let first = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
        let other = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nho";
        assert_eq!(again(first, first), Some((200, b"hi".to_vec())));
        assert_eq!(again(first, other), Some((200, b"ho".to_vec())));
        // More or less than a response, and another head.
        assert_eq!(again(first, &first[..first.len() - 1]), None);
        assert_eq!(again(first, &[&first[..], b"x"].concat()), None);
        let missing = b"HTTP/1.1 404 NO\r\ncontent-length: 2\r\n\r\nhi";
        assert_eq!(again(first, missing), None);
        // There is something to be done about these.
        for line in ["connection: close", "set-cookie: a=b"] {
            let wire = format!("HTTP/1.1 200 OK\r\n{line}\r\ncontent-length: 0\r\n\r\n");
            assert_eq!(again(wire.as_bytes(), wire.as_bytes()), None, "{line}");
        }
        let moved = b"HTTP/1.1 302 OK\r\nlocation: /\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(again(moved, moved), None);
    }

    #[test]
    fn chunks_end_the_body() {
        let wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n";
        let message = read(wire).unwrap();
        assert_eq!((text(&message), message.keep_alive), ("abcde", true));
    }

    #[test]
    fn the_end_of_the_connection_ends_the_body() {
        let message = read(b"HTTP/1.1 200 OK\r\n\r\nall of it").unwrap();
        assert_eq!((text(&message), message.keep_alive), ("all of it", false));
        assert!(text(&read(b"HTTP/1.0 200 OK\r\n\r\n").unwrap()).is_empty());
    }

    #[test]
    fn some_responses_have_no_body() {
        for wire in [
            &b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"[..],
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        ] {
            let message = read(wire).unwrap();
            assert!(message.body.is_empty() && message.keep_alive);
        }
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n";
        let (message, _) = read_as("HEAD", head, 7, false).unwrap();
        assert!(message.body.is_empty() && message.keep_alive);
        assert_eq!(message.head.get("content-length").as_deref(), Some("5000"));
    }

    #[test]
    fn interim_responses_are_skipped() {
        let wire = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok";
        let message = read(wire).unwrap();
        assert_eq!((message.first.status, text(&message)), (201, "ok"));
        let mut reader = ResponseReader::new(false, 10);
        reader.feed(b"HTTP/1.1 100 Continue\r\n\r\n").unwrap();
        assert!(reader.is_continued() && !reader.has_head() && !reader.is_done());
        assert_eq!(reader.end(), Err(HttpError::Incomplete));
    }

    #[test]
    fn switching_protocols_is_final() {
        let message = read(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nraw").unwrap();
        assert_eq!((message.first.status, message.keep_alive), (101, false));
    }

    #[test]
    fn keeping_alive_depends_on_version_and_connection() {
        let alive = |wire: &[u8]| read(wire).unwrap().keep_alive;
        assert!(!alive(
            b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n"
        ));
        assert!(!alive(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
        assert!(alive(
            b"HTTP/1.0 200 OK\r\nConnection: x, Keep-Alive\r\nContent-Length: 0\r\n\r\n"
        ));
        assert!(!alive(b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
    }

    #[test]
    fn odd_but_valid_heads_are_read() {
        let message = read(
            b"\r\nHTTP/1.1 200\r\nX-Fold: a\r\n  b\r\nEmpty:\r\nContent-Length: 2, 2\r\n\r\nok",
        )
        .unwrap();
        assert_eq!(message.head.reason(), "");
        assert_eq!(
            message
                .head
                .get("x-fold")
                .unwrap()
                .split_whitespace()
                .collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert_eq!(message.head.get("empty").as_deref(), Some(""));
        assert_eq!(message.head.get("missing"), None);
        assert_eq!(text(&message), "ok");
        assert_eq!(
            text(&read(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok").unwrap()),
            "ok"
        );
    }

    #[test]
    fn broken_heads_are_refused() {
        for wire in [
            &b"SSH-2.0-OpenSSH\r\n"[..],
            b"HTTP/2 200\r\n\r\n",
            b"HTTP/1.1 abc\r\n\r\n",
            b"HTTP/1.1 99 X\r\n\r\n",
            b"HTTP/1.1 099 X\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA: b\x00c\r\n\r\n",
        ] {
            assert!(
                matches!(read(wire), Err(HttpError::BadResponse(_))),
                "{:?} gave {:?}",
                wire.escape_ascii().to_string(),
                read(wire)
            );
        }
    }

    #[test]
    fn another_protocol_is_known_by_its_first_bytes() {
        let mut reader = ResponseReader::new(false, 10);
        assert!(matches!(
            reader.feed(b"220 mail"),
            Err(HttpError::BadResponse(_))
        ));
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        for wire in [
            &b"HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello"[..],
            b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello!",
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ] {
            assert!(
                matches!(read(wire), Err(HttpError::BadLength(_))),
                "{:?}",
                wire.escape_ascii().to_string()
            );
        }
    }

    #[test]
    fn an_early_end_is_told_apart() {
        assert_eq!(
            read(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello"),
            Err(HttpError::Incomplete)
        );
        assert_eq!(
            read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
            Err(HttpError::Incomplete)
        );
        assert_eq!(
            read(b"HTTP/1.1 200 OK\r\nContent-Le"),
            Err(HttpError::Incomplete)
        );
        assert_eq!(ResponseReader::new(false, 10).end(), Err(HttpError::Closed));
    }

    #[test]
    fn bodies_have_a_limit() {
        let announced = b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n";
        assert_eq!(read(announced), Err(HttpError::BodyTooLarge(1000)));
        let chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\nx";
        assert_eq!(read(chunk), Err(HttpError::BodyTooLarge(1000)));
        let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        endless.resize(2000, b'x');
        assert_eq!(read(&endless), Err(HttpError::BodyTooLarge(1000)));
    }

    #[test]
    fn heads_have_a_limit() {
        let mut many = b"HTTP/1.1 200 OK\r\n".to_vec();
        for _ in 0..=LINES_LIMIT {
            many.extend_from_slice(b"a: b\r\n");
        }
        many.extend_from_slice(b"\r\n");
        assert_eq!(read(&many), Err(HttpError::HeadTooLarge));
        let mut long = b"HTTP/1.1 200 OK\r\na: ".to_vec();
        long.resize(HEAD_LIMIT + 100, b'x');
        assert_eq!(
            read_as("GET", &long, 60_000, true),
            Err(HttpError::HeadTooLarge)
        );
    }

    #[test]
    fn unknown_codings_are_told() {
        let wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n";
        assert_eq!(read(wire), Err(HttpError::Unsupported));
    }
}
