//! TLS of components: `wasi:tls` and https, with certificate authorities of the system or of one's own.
//!
//! Enter at [`Roots`].

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use std::{fmt, io};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use tokio_rustls::TlsConnector;
use wasmtime_wasi_tls::{Error, TlsProvider, TlsStream, TlsTransport};

/// Certificate authorities that are trusted.
#[derive(Clone, Default)]
pub struct Roots {
    /// Nothing stands for those of the system.
    given: Option<Arc<RootCertStore>>,
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.given {
            Some(roots) => write!(f, "Roots({} given)", roots.len()),
            None => f.write_str("Roots(system)"),
        }
    }
}

impl Roots {
    /// The certificates of a PEM text, and no others.
    pub fn of_pem(pem: &[u8]) -> Result<Roots, String> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| error.to_string())?;
            roots.add(certificate).map_err(|error| error.to_string())?;
        }
        if roots.is_empty() {
            return Err("it holds no certificate".to_owned());
        }
        Ok(Roots {
            given: Some(Arc::new(roots)),
        })
    }

    fn store(&self) -> Arc<RootCertStore> {
        self.given.clone().unwrap_or_else(system_roots)
    }

    /// What clients use that trust these; reading those of the system takes a while.
    pub(crate) fn connector(&self) -> Result<TlsConnector, String> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let config = builder
            .with_root_certificates(self.store())
            .with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// The authorities of the system, or those of Mozilla where the system has none.
fn system_roots() -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Arc::new(roots)
}

/// The client handshakes of `wasi:tls`.
pub(crate) struct Provider(pub(crate) TlsConnector);

impl TlsProvider for Provider {
    fn connect(
        &self,
        server_name: String,
        transport: Box<dyn TlsTransport>,
    ) -> Pin<Box<dyn Future<Output = Result<Box<dyn TlsStream>, Error>> + Send>> {
        let connector = self.0.clone();
        Box::pin(async move {
            let name = ServerName::try_from(server_name)
                .map_err(|_| Error::msg("the server's name is neither a name nor an address"))?;
            let is_shaking = Arc::new(AtomicBool::new(true));
            let together = Together::new(transport, is_shaking.clone());
            let together = Box::new(together) as Box<dyn TlsTransport>;
            let stream = connector.connect(name, together).await.map_err(told)?;
            is_shaking.store(false, Ordering::Relaxed);
            Ok(Box::new(stream) as Box<dyn TlsStream>)
        })
    }
}

/// What TLS says itself is clearer than what the stream makes of it.
fn told(error: std::io::Error) -> Error {
    match error.downcast::<rustls::Error>() {
        Ok(error) => Error::msg(error.to_string()),
        Err(error) => Error::msg(error),
    }
}

/// How long the last words of a handshake wait for the first words behind them.
const PATIENCE: Duration = Duration::from_millis(1);

/// A connection that passes on together what is written together. WASI has no `TCP_NODELAY`: what is written behind the
/// last message of a handshake would wait until the peer has acknowledged that, which takes it 40 ms.
struct Together {
    inner: Box<dyn TlsTransport>,
    /// Written and not passed on yet.
    held: Vec<u8>,
    /// While hands are shaken, what is written waits for the next read. The other holder says when that is over.
    is_shaking: Arc<AtomicBool>,
    /// Whether that was seen.
    has_shaken: bool,
    /// How long what is held waits for more.
    patience: Option<Pin<Box<Sleep>>>,
    /// Who reads meanwhile.
    reader: Option<Waker>,
}

impl Together {
    fn new(inner: Box<dyn TlsTransport>, is_shaking: Arc<AtomicBool>) -> Together {
        Together {
            inner,
            held: Vec::new(),
            is_shaking,
            has_shaken: false,
            patience: None,
            reader: None,
        }
    }

    /// Whether hands are shaken; what is held then waits a little for more.
    fn is_shaking(&mut self) -> bool {
        if self.has_shaken {
            return false;
        }
        self.has_shaken = !self.is_shaking.load(Ordering::Relaxed);
        if self.has_shaken && !self.held.is_empty() {
            self.patience = Some(Box::pin(tokio::time::sleep(PATIENCE)));
        }
        !self.has_shaken
    }

    /// Passes on what is held.
    fn poll_pass(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let count = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.held))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.held.drain(..count);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Together {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.is_shaking();
        if let Some(patience) = &mut this.patience {
            if patience.as_mut().poll(cx).is_pending() {
                this.reader = Some(cx.waker().clone());
                return Poll::Pending;
            }
            this.patience = None;
        }
        ready!(this.poll_pass(cx))?;
        Pin::new(&mut this.inner).poll_read(cx, into)
    }
}

impl AsyncWrite for Together {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let is_shaking = self.is_shaking();
        let is_first = self.patience.take().is_some();
        if is_first || is_shaking {
            self.held.extend_from_slice(bytes);
            if is_first {
                // What cannot go now goes with the next read, which is near.
                let _ = self.poll_pass(cx)?;
                self.reader.take().into_iter().for_each(Waker::wake);
            }
            return Poll::Ready(Ok(bytes.len()));
        }
        ready!(self.poll_pass(cx))?;
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_shaking() || self.patience.is_some() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_pass(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.patience = None;
        ready!(self.poll_pass(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_certificates_is_refused() {
        assert!(Roots::of_pem(b"nothing").unwrap_err().contains("no cert"));
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(Roots::of_pem(broken).is_err());
    }
}
