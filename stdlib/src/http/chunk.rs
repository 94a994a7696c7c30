//! The chunked transfer coding (RFC 9112 section 7.1), both ways.
//!
//! The decoder takes input split anywhere and holds no input itself. Extensions and trailers are skipped.
//! Sizes and data must end with CRLF: lenience there is how requests are smuggled, and a tester wants to know.

use super::HttpError;

/// The longest chunk-size line and the longest trailer section.
const LINE_LIMIT: u32 = 16 * 1024;

/// Decodes a chunked body.
#[derive(Debug, Default)]
pub struct ChunkDecoder {
    state: State,
    /// What is left of the current chunk, or its size so far.
    left: u64,
    /// Bytes of the current line, or of the trailers.
    line: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the first digit of a size.
    #[default]
    Size,
    /// After at least one digit.
    SizeMore,
    /// Behind `;` or a blank.
    Extension,
    /// After the `\r` of the size line.
    SizeLf,
    /// In the data.
    Data,
    /// Behind the data.
    DataCr,
    DataLf,
    /// At the start of a trailer line.
    TrailerStart,
    /// In a trailer line.
    Trailer,
    /// After the `\r` of the empty line.
    EndLf,
    /// At the end.
    Done,
}

impl ChunkDecoder {
    /// Decodes what is there, appends data to `out`, and gives how many bytes of the input were used.
    pub fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, HttpError> {
        let mut at = 0;
        while at < input.len() && self.state != State::Done {
            if self.state == State::Data {
                let take = self.left.min((input.len() - at) as u64) as usize;
                out.extend_from_slice(&input[at..at + take]);
                at += take;
                self.left -= take as u64;
                if self.left == 0 {
                    self.state = State::DataCr;
                }
            } else {
                self.step(input[at])?;
                at += 1;
            }
        }
        Ok(at)
    }

    /// Whether the last chunk and the trailers are complete.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// How many bytes of the current chunk are announced but not here: for limits.
    pub fn announced(&self) -> u64 {
        if self.state == State::Data {
            self.left
        } else {
            0
        }
    }

    fn step(&mut self, byte: u8) -> Result<(), HttpError> {
        self.line += 1;
        if self.line > LINE_LIMIT {
            return Err(HttpError::BadChunk);
        }
        self.state = match (self.state, byte) {
            (State::Size | State::SizeMore, digit) if digit.is_ascii_hexdigit() => {
                self.digit(digit)?
            }
            (State::SizeMore, b';' | b' ' | b'\t') => State::Extension,
            (State::SizeMore | State::Extension, b'\r') => State::SizeLf,
            (State::SizeLf, b'\n') => self.size_known(),
            (State::Extension, other) if other != b'\n' => State::Extension,
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => self.next_chunk(),
            (State::TrailerStart, b'\r') => State::EndLf,
            (State::TrailerStart | State::EndLf, b'\n') => State::Done,
            (State::TrailerStart, b' ' | b'\t' | b':') => return Err(HttpError::BadChunk),
            (State::Trailer, b'\n') => State::TrailerStart,
            (State::TrailerStart | State::Trailer, _) => State::Trailer,
            _ => return Err(HttpError::BadChunk),
        };
        Ok(())
    }

    fn digit(&mut self, digit: u8) -> Result<State, HttpError> {
        let value = (digit as char).to_digit(16).ok_or(HttpError::BadChunk)?;
        if self.left >> 59 != 0 {
            return Err(HttpError::BadChunk);
        }
        self.left = self.left << 4 | u64::from(value);
        Ok(State::SizeMore)
    }

    fn size_known(&mut self) -> State {
        self.line = 0;
        if self.left == 0 {
            State::TrailerStart
        } else {
            State::Data
        }
    }

    fn next_chunk(&mut self) -> State {
        self.line = 0;
        self.left = 0;
        State::Size
    }
}

/// Appends one chunk; of nothing nothing, since an empty chunk is the end.
pub fn encode_chunk(data: &[u8], out: &mut Vec<u8>) {
    if data.is_empty() {
        return;
    }
    out.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Appends a whole body in chunks of 16 KiB, with its end.
pub fn encode_body(data: &[u8], out: &mut Vec<u8>) {
    for chunk in data.chunks(16 * 1024) {
        encode_chunk(chunk, out);
    }
    out.extend_from_slice(b"0\r\n\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(input: &[u8], size: usize) -> Result<(Vec<u8>, usize, bool), HttpError> {
        let mut decoder = ChunkDecoder::default();
        let mut out = Vec::new();
        let mut used = 0;
        for piece in input.chunks(size) {
            let n = decoder.feed(piece, &mut out)?;
            used += n;
            if n < piece.len() {
                break;
            }
        }
        Ok((out, used, decoder.is_done()))
    }

    #[test]
    fn any_split_gives_the_same() {
        let wire =
            b"5;name=\"v\"\r\nhello\r\n6 \r\n world\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\nHTTP/1.1";
        for size in 1..=wire.len() {
            let (out, used, done) = decode(wire, size).unwrap();
            assert_eq!(out, b"hello world");
            assert_eq!(used, wire.len() - 8, "what follows is left alone");
            assert!(done);
        }
    }

    #[test]
    fn broken_coding_is_refused() {
        for wire in [
            &b"\r\n"[..],
            b"x\r\n",
            b"-1\r\n",
            b"5\r\nhelloX",
            b"5\rX",
            b"2\nab\n",
            b"2;x\nab",
            b"2\r\nab\n",
            b"ffffffffffffffff1\r\n",
            b"0\r\n : x\r\n",
            b"0\r\n\rX",
            b" 5\r\n",
        ] {
            assert_eq!(
                decode(wire, 1).unwrap_err(),
                HttpError::BadChunk,
                "{wire:?}"
            );
        }
    }

    #[test]
    fn an_endless_size_line_is_refused() {
        let mut wire = b"1;".to_vec();
        wire.resize(20_000, b'a');
        assert_eq!(decode(&wire, 4096).unwrap_err(), HttpError::BadChunk);
    }

    #[test]
    fn encoding_round_trips() {
        let body: Vec<u8> = (0..40_000u32).map(|n| n as u8).collect();
        let mut wire = Vec::new();
        encode_body(&body, &mut wire);
        let (out, used, done) = decode(&wire, 1000).unwrap();
        assert!(done);
        assert_eq!((out, used), (body, wire.len()));
    }
}
