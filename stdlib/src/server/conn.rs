//! The connection of an http server: requests in, replies out.

use super::members::ServerRequest;
use super::reply::Reply;
use super::request::{Asked, Refusal, Request, RequestReader};
use super::route::{Route, find};
use crate::net::stream::Stream;
use crate::net::{Limit, within};
use scn_runtime::{Ctx, Cx, Extern, Fault, List, NativeDef, New, ready, waiting};
use socket2::SockRef;
use std::cell::{Cell, RefCell};
use std::net::{Shutdown, SocketAddr};
use std::task::Poll;
use std::time::SystemTime;

/// The natives of this file.
pub(super) fn natives() -> Vec<NativeDef> {
    vec![
        waiting("server.read", read),
        ready("server.route", route),
        ready("server.param_int", param_int),
        ready("server.param_string", param_string),
        waiting("server.respond", respond),
        waiting("server.respond_error", respond_error),
        waiting("server.respond_missing", respond_missing),
    ]
}

/// How long a refused client may go on sending before the connection is cut, in nanoseconds.
const LINGER: i64 = 500_000_000;

/// How long a client may take for the handshake, in nanoseconds.
const HANDSHAKE_LIMIT: i64 = 30_000_000_000;

/// A connection of an http server.
#[derive(Debug)]
pub(crate) struct HttpConn {
    stream: Stream,
    remote: SocketAddr,
    reader: RefCell<RequestReader>,
    /// Received behind the request that is served: the next one. Empty at rest, and then without memory.
    rest: RefCell<Vec<u8>>,
    /// What the reply depends on.
    asked: Cell<Option<Asked>>,
    /// Whether no further request is read.
    closing: Cell<bool>,
    /// Whether a TLS handshake comes first.
    greeting: Cell<bool>,
}

impl Extern for HttpConn {
    const NAME: &'static str = "HttpConn";
}

/// Why reading stops.
enum Read {
    Request(Box<Request>),
    Expects,
    Refused(Refusal),
    End,
}

impl HttpConn {
    /// A new connection.
    pub(super) fn new(stream: Stream, remote: SocketAddr) -> HttpConn {
        HttpConn {
            greeting: Cell::new(matches!(stream, Stream::Tls(_))),
            stream,
            remote,
            reader: RefCell::default(),
            rest: RefCell::default(),
            asked: Cell::new(None),
            closing: Cell::new(false),
        }
    }

    /// Takes input; what is behind a complete request is kept.
    fn take(&self, data: &[u8]) -> Poll<Read> {
        if data.is_empty() {
            return Poll::Ready(Read::End);
        }
        let mut reader = self.reader.borrow_mut();
        let used = match reader.feed(data) {
            Ok(used) => used,
            Err(refusal) => return Poll::Ready(Read::Refused(refusal)),
        };
        if let Some(request) = reader.take() {
            self.rest.borrow_mut().extend_from_slice(&data[used..]);
            return Poll::Ready(Read::Request(Box::new(request)));
        }
        match reader.take_expectation() {
            true => Poll::Ready(Read::Expects),
            false => Poll::Pending,
        }
    }

    async fn next(&self) -> Result<Read, Fault> {
        let rest = self.rest.take();
        if !rest.is_empty()
            && let Poll::Ready(read) = self.take(&rest)
        {
            return Ok(read);
        }
        self.stream.receive(|data: &[u8]| self.take(data)).await
    }

    async fn answer(&self, cx: Cx, reply: &Reply) -> Result<(), Fault> {
        let (bytes, stays) = reply.write(self.asked.get(), now());
        self.stream.send(&bytes).await?;
        if !stays {
            self.end(cx).await;
        }
        Ok(())
    }

    /// Ends the connection so that the client still gets the reply: unread bytes would make the kernel cut it.
    async fn end(&self, cx: Cx) {
        self.closing.set(true);
        if let Stream::Tls(tls) = &self.stream {
            tls.announce_end();
        }
        // The client may have gone already.
        let _ = SockRef::from(self.stream.io()).shutdown(Shutdown::Write);
        let silence = self.stream.receive(|data: &[u8]| {
            if data.is_empty() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        let _ = within(cx, Some(Limit::from_now(cx, LINGER)), silence).await;
    }
}

/// Seconds since 1970.
fn now() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs().cast_signed())
}

async fn read(cx: Cx, conn: &HttpConn) -> Result<Option<New<ServerRequest>>, Fault> {
    if conn.closing.get() {
        return Ok(None);
    }
    if conn.greeting.take()
        && let Stream::Tls(tls) = &conn.stream
    {
        within(
            cx,
            Some(Limit::from_now(cx, HANDSHAKE_LIMIT)),
            tls.handshake(),
        )
        .await?;
    }
    conn.asked.set(None);
    loop {
        match conn.next().await? {
            Read::Request(request) => {
                conn.asked.set(Some(request.asked()));
                return Ok(Some(New(ServerRequest::new(*request, conn.remote))));
            }
            Read::Expects => conn.stream.send(b"HTTP/1.1 100 Continue\r\n\r\n").await?,
            Read::Refused(refusal) => {
                conn.answer(cx, &Reply::text(refusal.status, refusal.message))
                    .await?;
                return Ok(None);
            }
            Read::End => return Ok(None),
        }
    }
}

fn route(cx: &Ctx, request: &ServerRequest, table: List<'_>) -> i64 {
    let lines: Vec<&str> = table.strings(cx.descs()).collect();
    match find(
        &request.request.first.method,
        request.request.path(),
        lines.iter().copied(),
    ) {
        Route::Found(at, values) => {
            request.params.replace(values);
            at as i64
        }
        Route::OtherMethod(methods) => {
            request.allowed.replace(methods);
            -1
        }
        Route::Missing => -1,
    }
}

fn param_string(request: &ServerRequest, at: i64) -> String {
    let params = request.params.borrow();
    usize::try_from(at)
        .ok()
        .and_then(|at| params.get(at))
        .cloned()
        .unwrap_or_default()
}

fn param_int(request: &ServerRequest, at: i64) -> i64 {
    // The route fits only when the segment is a number.
    param_string(request, at).parse().unwrap_or_default()
}

async fn respond(
    cx: Cx,
    conn: &HttpConn,
    _request: &ServerRequest,
    reply: &Reply,
) -> Result<(), Fault> {
    conn.answer(cx, reply).await
}

async fn respond_error(cx: Cx, conn: &HttpConn) -> Result<(), Fault> {
    conn.answer(cx, &Reply::text(500, "the server's route failed"))
        .await
}

async fn respond_missing(cx: Cx, conn: &HttpConn, request: &ServerRequest) -> Result<(), Fault> {
    let methods = request.allowed.borrow().join(", ");
    let reply = match methods.is_empty() {
        true => Reply::text(404, "no route fits"),
        false => Reply {
            headers: vec![("allow".to_owned(), methods)],
            ..Reply::text(405, "no route fits the method")
        },
    };
    conn.answer(cx, &reply).await
}
