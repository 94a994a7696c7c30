//! TLS of components: `wasi:tls` and https, with certificate authorities of the system or of one's own.
//!
//! Enter at [`Roots`].

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::sync::Arc;
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
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Box<dyn TlsStream>, Error>> + Send>> {
        let connector = self.0.clone();
        Box::pin(async move {
            let name = ServerName::try_from(server_name)
                .map_err(|_| Error::msg("the server's name is neither a name nor an address"))?;
            let stream = connector.connect(name, transport).await.map_err(told)?;
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
