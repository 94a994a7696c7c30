//! What components print: cut into lines, handed to the thread that runs them in the order in which they came.

use bytes::Bytes;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// A component may write so many bytes at once.
const PERMIT: usize = 64 * 1024;

/// A line without an end is handed on in pieces of this size.
const MOST_LINE: usize = 4 * 1024 * 1024;

/// A line that an instance printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The instance, from 0.
    pub instance: u32,
    /// Where to.
    pub stream: Stream,
    /// Its bytes with the newline, which the last one may lack.
    pub bytes: Vec<u8>,
}

/// The two streams of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// The error stream.
    Err,
}

/// One stream of one instance; clones go on with the same line.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    instance: u32,
    stream: Stream,
    /// What has come of a line that has not ended.
    begun: Arc<Mutex<Vec<u8>>>,
    /// Holds back who prints faster than anybody reads.
    sender: SyncSender<Line>,
}

impl Lines {
    /// A stream that nothing was written to.
    pub(crate) fn new(instance: u32, stream: Stream, sender: SyncSender<Line>) -> Lines {
        Lines {
            instance,
            stream,
            begun: Arc::default(),
            sender,
        }
    }

    /// Hands on a last line that has no end.
    pub(crate) fn finish(&self) {
        let rest = std::mem::take(&mut *self.begun());
        if !rest.is_empty() {
            // Nobody reads any more: the run is over.
            let _ = self.send(rest);
        }
    }

    fn begun(&self) -> MutexGuard<'_, Vec<u8>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, bytes: &[u8]) -> StreamResult<()> {
        let mut begun = self.begun();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            begun.extend_from_slice(piece);
            if piece.ends_with(b"\n") || begun.len() > MOST_LINE {
                self.send(std::mem::take(&mut *begun))?;
            }
        }
        Ok(())
    }

    fn send(&self, bytes: Vec<u8>) -> StreamResult<()> {
        let (instance, stream) = (self.instance, self.stream);
        let line = Line {
            instance,
            stream,
            bytes,
        };
        self.sender.send(line).map_err(|_| StreamError::Closed)
    }
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this form, which is not linked.
        Box::new(tokio::io::sink())
    }
}

#[async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_whatever_the_pieces() {
        let (sender, receiver) = std::sync::mpsc::sync_channel(10);
        let mut lines = Lines::new(3, Stream::Err, sender);
        for piece in ["one\ntw", "o\n", "\nthree"] {
            lines.write(Bytes::from(piece)).unwrap();
        }
        lines.finish();
        drop(lines);
        let read: Vec<String> = receiver
            .iter()
            .map(|line| {
                assert_eq!((line.instance, line.stream), (3, Stream::Err));
                String::from_utf8(line.bytes).unwrap()
            })
            .collect();
        assert_eq!(read, ["one\n", "two\n", "\n", "three"]);
    }
}
