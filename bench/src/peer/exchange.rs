//! What the raw clients send, and when an answer is complete.

use std::io;
use std::net::SocketAddr;

/// One kind of request and answer.
pub(crate) trait Exchange {
    /// The bytes of a request.
    fn request(&self) -> &[u8];
    /// Whether the bytes are a whole answer; an error if they cannot become one.
    fn is_complete(&self, data: &[u8]) -> io::Result<bool>;
}

/// A GET, whose answer must have status 200 and say its length.
pub(crate) struct Http {
    request: Vec<u8>,
}

impl Http {
    /// A GET of `/`.
    pub(crate) fn new(target: SocketAddr) -> Http {
        let request = format!("GET / HTTP/1.1\r\nhost: {target}\r\n\r\n").into_bytes();
        Http { request }
    }
}

impl Exchange for Http {
    fn request(&self) -> &[u8] {
        &self.request
    }

    fn is_complete(&self, data: &[u8]) -> io::Result<bool> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut headers);
        let head = match response.parse(data).map_err(io::Error::other)? {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => return Ok(false),
        };
        if response.code != Some(200) {
            return Err(io::Error::other("a status other than 200"));
        }
        let length = response
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case("content-length"))
            .and_then(|header| {
                std::str::from_utf8(header.value)
                    .ok()?
                    .parse::<usize>()
                    .ok()
            })
            .ok_or_else(|| io::Error::other("no content-length"))?;
        match data.len().cmp(&(head + length)) {
            std::cmp::Ordering::Less => Ok(false),
            std::cmp::Ordering::Equal => Ok(true),
            std::cmp::Ordering::Greater => Err(io::Error::other("more than one answer")),
        }
    }
}

/// A message that comes back as it is.
pub(crate) struct Echo {
    message: Vec<u8>,
}

impl Echo {
    /// A message of that many bytes.
    pub(crate) fn new(length: usize) -> Echo {
        let message = (0..length.max(1)).map(|i| b'0' + (i % 10) as u8).collect();
        Echo { message }
    }
}

impl Exchange for Echo {
    fn request(&self) -> &[u8] {
        &self.message
    }

    fn is_complete(&self, data: &[u8]) -> io::Result<bool> {
        if data == self.message {
            return Ok(true);
        }
        match self.message.starts_with(data) {
            true => Ok(false),
            false => Err(io::Error::other("the echo differs")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_answer_is_complete_with_its_body() {
        let http = Http::new("127.0.0.1:80".parse().expect("an address"));
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        for cut in 0..answer.len() {
            assert!(
                !http
                    .is_complete(&answer[..cut])
                    .expect("a part is no error"),
                "{cut}"
            );
        }
        assert!(http.is_complete(answer).expect("an answer"));
        assert!(
            http.is_complete(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")
                .is_err()
        );
        assert!(http.is_complete(b"SSH-2.0\r\n").is_err());
    }

    #[test]
    fn an_echo_is_complete_when_it_is_the_message() {
        let echo = Echo::new(12);
        assert_eq!(echo.request(), b"012345678901");
        assert!(!echo.is_complete(b"01234").expect("a part is no error"));
        assert!(
            echo.is_complete(b"012345678901")
                .expect("it is the message")
        );
        assert!(echo.is_complete(b"01x").is_err());
    }
}
