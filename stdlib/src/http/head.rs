//! The head of a message: its bytes in one piece, its lines as ranges of them, and what they say about the body.

use super::{HEAD_LIMIT, HttpError, LINES_LIMIT};
use httparse::{Header, ParserConfig, Status};
use std::mem::MaybeUninit;

/// Header lines of a message. The bytes are taken apart when somebody asks: parsing has looked at each once, and noted
/// what decides over the body and the connection.
#[derive(Clone, Debug, Default)]
pub struct Head {
    bytes: Box<[u8]>,
    /// Where the header lines begin.
    lines: u32,
    /// Which of the headers that matter are there.
    noted: u8,
    /// The content length, if `LENGTH` is noted.
    length: u64,
}

/// There is one content-length, which is a number.
const LENGTH: u8 = 1;
/// There is a content-length that needs a closer look.
const ODD_LENGTH: u8 = 2;
/// There is a transfer-encoding.
const CODING: u8 = 4;
/// There is a connection header.
const CONNECTION: u8 = 8;
/// There is a set-cookie header.
const COOKIE: u8 = 16;
/// There is a location header.
const LOCATION: u8 = 32;

impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Head {}

/// A response's first line, without the reason phrase; see [`Head::reason`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusLine {
    /// The status code.
    pub status: u16,
    /// The minor version of HTTP/1.
    pub minor: u8,
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
        };
        if first.status < 100 {
            return Err(HttpError::BadResponse("the status code is below 100"));
        }
        let mut head = Head::noting(input, used, parsed.headers);
        head.keep(&input[..used], parsed.headers);
        Ok(Some((first, head, used)))
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
        let mut head = Head::noting(input, used, parsed.headers);
        head.keep(&input[..used], parsed.headers);
        Ok(Some((first, head, used)))
    }

    /// Notes what matters of parsed header lines; the bytes are not there yet.
    fn noting(input: &[u8], used: usize, headers: &[Header]) -> Head {
        let start = input.as_ptr() as usize;
        let lines = headers
            .first()
            .map_or(used, |first| first.name.as_ptr() as usize - start);
        let mut head = Head {
            lines: lines as u32,
            ..Head::default()
        };
        headers.iter().for_each(|header| head.note(header));
        head
    }

    fn note(&mut self, header: &Header) {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        match header.name.len() {
            8 if is("location") => self.noted |= LOCATION,
            10 if is("connection") => self.noted |= CONNECTION,
            10 if is("set-cookie") => self.noted |= COOKIE,
            17 if is("transfer-encoding") => self.noted |= CODING,
            14 if is("content-length") => match plain_number(header.value) {
                Some(length) if self.noted & LENGTH == 0 => {
                    self.noted |= LENGTH;
                    self.length = length;
                }
                _ => self.noted |= ODD_LENGTH,
            },
            _ => {}
        }
    }

    /// Keeps the bytes, with the line ends of folded values as blanks (RFC 9112 section 5.2).
    fn keep(&mut self, bytes: &[u8], headers: &[Header]) {
        self.bytes = bytes.into();
        for header in headers {
            if memchr::memchr(b'\n', header.value).is_some() {
                let from = header.value.as_ptr() as usize - bytes.as_ptr() as usize;
                for byte in &mut self.bytes[from..from + header.value.len()] {
                    if matches!(byte, b'\r' | b'\n') {
                        *byte = b' ';
                    }
                }
            }
        }
    }

    /// The reason phrase of a response, as far as it is plain text.
    pub fn reason(&self) -> &str {
        // Parsing has made sure of the form: version, blank, three digits, and perhaps a blank and the reason.
        let first = self.bytes[..self.lines as usize].trim_ascii();
        let first = first.split(|b| *b == b'\n').next().unwrap_or_default();
        let reason = first.get(13..).unwrap_or_default();
        match std::str::from_utf8(reason) {
            Ok(reason) if reason.is_ascii() => reason.trim_end_matches('\r'),
            _ => "",
        }
    }

    /// Whether it takes a look at the lines to tell how the body ends.
    pub fn is_odd(&self) -> bool {
        self.noted & (ODD_LENGTH | CODING) != 0
    }

    /// Whether the response sets cookies.
    pub fn sets_cookies(&self) -> bool {
        self.noted & COOKIE != 0
    }

    /// Whether it names another location.
    pub fn has_location(&self) -> bool {
        self.noted & LOCATION != 0
    }

    /// All lines as name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let lines = &self.bytes[self.lines as usize..];
        // Parsing has refused what has no colon, and a blank before it; the empty line at the end has none.
        lines.split(|b| *b == b'\n').filter_map(|line| {
            let colon = memchr::memchr(b':', line)?;
            let name = std::str::from_utf8(&line[..colon]).unwrap_or_default();
            Some((name, line[colon + 1..].trim_ascii()))
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
        let mut names: Vec<String> = Vec::new();
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
        if self.noted & CONNECTION == 0 {
            return minor > 0;
        }
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
        if !self.is_odd() {
            let known = self.noted & LENGTH != 0;
            return Ok(known.then_some(Framing::Length(self.length)));
        }
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

/// A value that is digits and nothing else, and fits.
fn plain_number(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    let few = matches!(digits.len(), 1..=18);
    if !few || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits
        .iter()
        .fold(0, |n, digit| n * 10 + u64::from(digit - b'0'));
    Some(number)
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
