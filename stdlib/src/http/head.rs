//! The head of a message: its bytes in one piece, its lines as ranges of them, and what they say about the body.

use super::{HEAD_LIMIT, HttpError, LINES_LIMIT};
use httparse::{Header, ParserConfig, Status};
use smallvec::SmallVec;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Header lines of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    bytes: Box<[u8]>,
    lines: SmallVec<[Line; 12]>,
}

/// A header line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    name: Range<u32>,
    value: Range<u32>,
}

/// A response's first line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusLine {
    /// The status code.
    pub status: u16,
    /// The minor version of HTTP/1.
    pub minor: u8,
    /// The reason phrase.
    pub reason: String,
}

/// A request's first line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestLine {
    /// The method.
    pub method: String,
    /// The target as sent.
    pub target: String,
    /// The minor version of HTTP/1.
    pub minor: u8,
}

/// How the end of a body is found (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    Empty,
    /// That many bytes.
    Length(u64),
    /// The chunked coding.
    Chunked,
    /// Up to the end of the connection.
    Close,
}

impl Head {
    /// Parses the head of a response; `None` when it is not complete.
    pub fn response(input: &[u8]) -> Result<Option<(StatusLine, Head, usize)>, HttpError> {
        let mut lines = [const { MaybeUninit::<Header>::uninit() }; LINES_LIMIT];
        let mut parsed = httparse::Response::new(&mut []);
        let mut config = ParserConfig::default();
        config.allow_obsolete_multiline_headers_in_responses(true);
        let status = config.parse_response_with_uninit_headers(&mut parsed, input, &mut lines);
        let Some(used) = complete(status)? else {
            return Ok(None);
        };
        let first = StatusLine {
            status: parsed.code.unwrap_or_default(),
            minor: parsed.version.unwrap_or_default(),
            reason: parsed.reason.unwrap_or_default().to_owned(),
        };
        if first.status < 100 {
            return Err(HttpError::BadResponse("the status code is below 100"));
        }
        Ok(Some((first, Head::of(input, used, parsed.headers), used)))
    }

    /// Parses the head of a request; `None` when it is not complete.
    pub fn request(input: &[u8]) -> Result<Option<(RequestLine, Head, usize)>, HttpError> {
        let mut lines = [const { MaybeUninit::<Header>::uninit() }; LINES_LIMIT];
        let mut parsed = httparse::Request::new(&mut []);
        let status = parsed.parse_with_uninit_headers(input, &mut lines);
        let Some(used) = complete(status)? else {
            return Ok(None);
        };
        let first = RequestLine {
            method: parsed.method.unwrap_or_default().to_owned(),
            target: parsed.path.unwrap_or_default().to_owned(),
            minor: parsed.version.unwrap_or_default(),
        };
        Ok(Some((first, Head::of(input, used, parsed.headers), used)))
    }

    fn of(input: &[u8], used: usize, headers: &[Header]) -> Head {
        let start = input.as_ptr() as usize;
        let range = |part: &[u8]| {
            // An empty value may point anywhere.
            let from = if part.is_empty() {
                0
            } else {
                (part.as_ptr() as usize - start) as u32
            };
            from..from + part.len() as u32
        };
        let lines = headers.iter().map(|h| Line {
            name: range(h.name.as_bytes()),
            value: range(h.value),
        });
        let mut head = Head {
            lines: lines.collect(),
            bytes: input[..used].into(),
        };
        head.unfold();
        head
    }

    /// Replaces the line ends of folded values by blanks (RFC 9112 section 5.2).
    fn unfold(&mut self) {
        for line in &self.lines {
            for byte in &mut self.bytes[line.value.start as usize..line.value.end as usize] {
                if matches!(byte, b'\r' | b'\n') {
                    *byte = b' ';
                }
            }
        }
    }

    fn part(&self, range: &Range<u32>) -> &[u8] {
        &self.bytes[range.start as usize..range.end as usize]
    }

    /// All lines as name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.lines.iter().map(|line| {
            let name = std::str::from_utf8(self.part(&line.name)).unwrap_or_default();
            (name, self.part(&line.value).trim_ascii())
        })
    }

    /// The values of a header, in any case of its name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The value of a header, repeated ones joined by `, ` (`set-cookie` by line ends).
    pub fn get(&self, name: &str) -> Option<String> {
        let between = if name.eq_ignore_ascii_case("set-cookie") {
            "\n"
        } else {
            ", "
        };
        let mut found: Option<String> = None;
        for value in self.all(name) {
            let value = String::from_utf8_lossy(value);
            match &mut found {
                Some(text) => {
                    text.push_str(between);
                    text.push_str(&value);
                }
                None => found = Some(value.into_owned()),
            }
        }
        found
    }

    /// The names in lower case, each once, in order.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::with_capacity(self.lines.len());
        for (name, _) in self.iter() {
            let name = name.to_ascii_lowercase();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Whether a comma-separated header holds a word.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.all(name)
            .any(|value| tokens(value).any(|t| t.eq_ignore_ascii_case(token.as_bytes())))
    }

    /// How many bytes the head has.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The head as it came.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the connection stays open after this message (RFC 9112 section 9.3).
    pub fn keeps_alive(&self, minor: u8) -> bool {
        if self.has_token("connection", "close") {
            return false;
        }
        // Transfer codings in HTTP/1.0 make the framing doubtful (section 6.1).
        match minor {
            0 => {
                self.has_token("connection", "keep-alive")
                    && self.all("transfer-encoding").next().is_none()
            }
            _ => true,
        }
    }

    /// What `Content-Length` and `Transfer-Encoding` say; `None` when they say nothing.
    pub fn framing(&self) -> Result<Option<Framing>, HttpError> {
        let length = self.content_length()?;
        let mut codings = self.all("transfer-encoding").flat_map(tokens).peekable();
        if codings.peek().is_none() {
            return Ok(length.map(Framing::Length));
        }
        if length.is_some() {
            return Err(HttpError::BadLength(
                "the message has both a content-length and a transfer-encoding",
            ));
        }
        match (codings.next(), codings.next()) {
            (Some(only), None) if only.eq_ignore_ascii_case(b"chunked") => {
                Ok(Some(Framing::Chunked))
            }
            _ => Err(HttpError::Unsupported),
        }
    }

    fn content_length(&self) -> Result<Option<u64>, HttpError> {
        let mut length = None;
        for value in self
            .all("content-length")
            .flat_map(|v| v.split(|b| *b == b','))
        {
            let value = value.trim_ascii();
            let number = std::str::from_utf8(value)
                .ok()
                .filter(|_| value.iter().all(u8::is_ascii_digit));
            let number = number.and_then(|text| text.parse::<u64>().ok());
            let number = number.ok_or(HttpError::BadLength("the content-length is no number"))?;
            if length.is_some_and(|known| known != number) {
                return Err(HttpError::BadLength(
                    "the message has two content-lengths that differ",
                ));
            }
            length = Some(number);
        }
        Ok(length)
    }
}

/// The words of a comma-separated value.
fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|b| *b == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|t| !t.is_empty())
}

fn complete(status: Result<Status<usize>, httparse::Error>) -> Result<Option<usize>, HttpError> {
    use httparse::Error;
    match status {
        Ok(Status::Complete(used)) if used > HEAD_LIMIT => Err(HttpError::HeadTooLarge),
        Ok(Status::Complete(used)) => Ok(Some(used)),
        Ok(Status::Partial) => Ok(None),
        Err(Error::TooManyHeaders) => Err(HttpError::HeadTooLarge),
        Err(Error::Status) => Err(HttpError::BadResponse("the status line is malformed")),
        Err(Error::Version) => Err(HttpError::BadResponse(
            "the first line names no version of HTTP/1",
        )),
        Err(Error::HeaderName) => Err(HttpError::BadResponse("a header line has no valid name")),
        Err(Error::HeaderValue) => Err(HttpError::BadResponse(
            "a header value holds control characters",
        )),
        Err(Error::NewLine) => Err(HttpError::BadResponse(
            "a line of the head does not end with CRLF",
        )),
        Err(Error::Token) => Err(HttpError::BadResponse("the first line is malformed")),
    }
}

/// Collects a head that comes in pieces, and tells when it is complete, looking at each byte once.
#[derive(Debug, Default)]
pub struct HeadBuffer {
    kept: Vec<u8>,
    /// Line ends seen in a row at the end of what is kept.
    ends: u8,
}

impl HeadBuffer {
    /// Finds the end of the head. Gives the whole head if it lies in this input alone or completes what was kept,
    /// with the number of bytes used; else keeps the input.
    pub fn feed<'a>(&'a mut self, input: &'a [u8]) -> Result<Option<(&'a [u8], usize)>, HttpError> {
        let end = self.find_end(input);
        if self.kept.len() + end.unwrap_or(input.len()) > HEAD_LIMIT {
            return Err(HttpError::HeadTooLarge);
        }
        match end {
            Some(end) if self.kept.is_empty() => Ok(Some((&input[..end], end))),
            Some(end) => {
                self.kept.extend_from_slice(&input[..end]);
                Ok(Some((&self.kept, end)))
            }
            None => {
                self.kept.extend_from_slice(input);
                Ok(None)
            }
        }
    }

    /// What came so far.
    pub fn kept(&self) -> &[u8] {
        &self.kept
    }

    fn find_end(&mut self, input: &[u8]) -> Option<usize> {
        // Empty lines before the first line are skipped by the parser (RFC 9112 section 2.2), so they end nothing.
        let mut blank = self.kept.iter().all(|b| matches!(b, b'\r' | b'\n'));
        for (at, byte) in input.iter().enumerate() {
            match byte {
                b'\n' => self.ends += u8::from(!blank),
                b'\r' => {}
                _ => {
                    self.ends = 0;
                    blank = false;
                }
            }
            if self.ends == 2 {
                self.ends = 0;
                return Some(at + 1);
            }
        }
        None
    }
}
