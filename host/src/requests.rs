//! `wasi:http`: requests to granted hosts, each over a connection of its own, TLS with the run's own roots.
//!
//! wasmtime's own way of sending trusts fixed authorities and goes anywhere; the rest of `wasi:http` is wasmtime's.
//! Enter at [`Requests`].

use crate::gate::Gate;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use rustls::pki_types::ServerName;
use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::io::TokioIo;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, TlsAlertReceivedPayload};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// The limit of each step that the component gives none.
const USUAL_LIMIT: Duration = Duration::from_secs(600);

/// A response's head with its body, and what drives the connection meanwhile.
type Sent = (
    Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

/// Sends requests.
pub(crate) struct Requests {
    pub(crate) gate: Arc<Gate>,
    pub(crate) tls: TlsConnector,
}

impl WasiHttpHooks for Requests {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let (gate, tls) = (self.gate.clone(), self.tls.clone());
        Box::new(async move { send(request, options.unwrap_or_default(), &gate, &tls).await })
    }

    fn p2_error_from_connect(&mut self, error: &io::Error) -> ErrorCode {
        match error.kind() {
            io::ErrorKind::TimedOut => ErrorCode::ConnectionTimeout,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                ErrorCode::DestinationIpUnroutable
            }
            _ => ErrorCode::ConnectionRefused,
        }
    }

    fn p2_error_from_tls(&mut self, error: &io::Error) -> ErrorCode {
        of_tls(error).unwrap_or(ErrorCode::TlsProtocolError)
    }

    fn p2_error_from_hyper(&mut self, error: &hyper::Error) -> ErrorCode {
        let cause = error.source().and_then(|cause| cause.downcast_ref());
        // With TLS 1.3 a peer refuses its client when that thinks that they have agreed.
        let of_tls = cause.and_then(of_tls);
        of_tls.unwrap_or(match error.is_parse() {
            true => ErrorCode::HttpProtocolError,
            false => ErrorCode::ConnectionTerminated,
        })
    }
}

/// What TLS says of an error, if it is one of TLS.
fn of_tls(error: &io::Error) -> Option<ErrorCode> {
    Some(match error.get_ref()?.downcast_ref()? {
        rustls::Error::InvalidCertificate(_) => ErrorCode::TlsCertificateError,
        rustls::Error::AlertReceived(alert) => {
            ErrorCode::TlsAlertReceived(TlsAlertReceivedPayload {
                alert_id: Some(u8::from(*alert)),
                alert_message: Some(format!("{alert:?}")),
            })
        }
        _ => ErrorCode::TlsProtocolError,
    })
}

async fn send(
    mut request: Request<WasiBody>,
    options: RequestOptions,
    gate: &Gate,
    tls: &TlsConnector,
) -> Result<Sent, Error> {
    let is_tls = request.uri().scheme() == Some(&Scheme::HTTPS);
    let authority = request
        .uri()
        .authority()
        .ok_or(Error::HttpRequestUriInvalid)?;
    let host = authority.host().to_owned();
    let port = authority
        .port_u16()
        .unwrap_or(if is_tls { 443 } else { 80 });
    if !gate.check_request(&host, port) {
        return Err(Error::HttpRequestDenied);
    }
    let connect_limit = options.connect_timeout.unwrap_or(USUAL_LIMIT);
    let connected = timeout(connect_limit, connect(&host, port, is_tls.then_some(tls)));
    let stream = connected.await.map_err(|_| Error::ConnectionTimeout)??;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    *request.uri_mut() = path_of(request.uri());
    // The connection makes progress beside the request; it ends when the body was read or is dropped.
    let driven = tokio::spawn(connection);
    let first_limit = options.first_byte_timeout.unwrap_or(USUAL_LIMIT);
    let response = timeout(first_limit, sender.send_request(request))
        .await
        .map_err(|_| Error::ConnectionReadTimeout)??;
    let response = response.map(|body| body.map_err(of_body).boxed_unsync());
    let rest = async move {
        match driven.await {
            Ok(ended) => ended.map_err(Error::from),
            Err(_) => Err(Error::ConnectionTerminated),
        }
    };
    Ok((response, Box::new(rest)))
}

/// What ends a body before it is complete: the peer, or what it sends.
fn of_body(error: hyper::Error) -> Error {
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    match cause.map(io::Error::kind) {
        Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => Error::HttpProtocolError,
        _ => Error::HttpResponseIncomplete,
    }
}

/// The first line of a request names a path only.
fn path_of(uri: &Uri) -> Uri {
    let path = uri.path_and_query().cloned();
    path.map(Uri::from).unwrap_or_else(|| Uri::from_static("/"))
}

/// A stream of either kind.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

async fn connect(
    host: &str,
    port: u16,
    tls: Option<&TlsConnector>,
) -> Result<Box<dyn Duplex>, Error> {
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let stream = TcpStream::connect((host.as_str(), port))
        .await
        .map_err(Error::Connect)?;
    // The last piece of a request must not wait for the peer's answer to the first.
    stream.set_nodelay(true).map_err(Error::Connect)?;
    let Some(tls) = tls else {
        return Ok(Box::new(stream));
    };
    let name = ServerName::try_from(host)?;
    let stream = tls.connect(name, stream).await.map_err(Error::Tls)?;
    Ok(Box::new(stream))
}
