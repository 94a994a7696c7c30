//! Options of TLS to rustls configurations, one for each worker and set of options.

use super::resume::UserSessions;
use super::stream::note_unanswered;
use super::verify::{Anybody, Verifier};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ServerConfig, SignatureScheme, SupportedProtocolVersion, version};
use scn_runtime::{Ctx, Cx, Fault};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// What a scenario says about TLS.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Options {
    /// Whether the peer's certificate is checked.
    pub(crate) verify: bool,
    /// Authorities: PEM, or a path.
    pub(crate) roots: Option<Vec<u8>>,
    /// Client certificate: PEM, or a path.
    pub(crate) cert: Option<Vec<u8>>,
    /// Its key: PEM, or a path.
    pub(crate) key: Option<Vec<u8>>,
    /// Application protocols.
    pub(crate) alpn: Vec<String>,
    /// `1.2` or `1.3`.
    pub(crate) min_version: String,
    /// `1.2` or `1.3`.
    pub(crate) max_version: String,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            verify: true,
            roots: None,
            cert: None,
            key: None,
            alpn: Vec::new(),
            min_version: "1.2".to_owned(),
            max_version: "1.3".to_owned(),
        }
    }
}

/// The configurations of a worker.
#[derive(Debug, Default)]
struct Configs {
    ids: HashMap<Options, u32>,
    made: Vec<Option<Arc<ClientConfig>>>,
}

/// A number that stands for a set of options, for keys.
pub(crate) fn intern(ctx: &Ctx, options: &Options) -> u32 {
    ctx.run_state::<Configs, _>(|mut configs| {
        if let Some(id) = configs.ids.get(options) {
            return *id;
        }
        let id = u32::try_from(configs.made.len()).expect("programs have few sets of options");
        configs.ids.insert(options.clone(), id);
        configs.made.push(None);
        id
    })
}

/// The configuration of a set of options.
pub(crate) async fn client_config(cx: Cx, options: &Options) -> Result<Arc<ClientConfig>, Fault> {
    let id = cx.with(|ctx| intern(ctx, options));
    let known =
        cx.with(|ctx| ctx.run_state::<Configs, _>(|configs| configs.made[id as usize].clone()));
    if let Some(config) = known {
        return Ok(config);
    }
    let base = cx.with(|ctx| ctx.settings().base.clone());
    let theirs = options.clone();
    let made = cx.blocking(move || make(&theirs, &base, id)).await;
    let config = Arc::new(made.map_err(|why| Fault::text("tls.config", why))?);
    cx.with(|ctx| {
        ctx.run_state::<Configs, _>(|mut configs| configs.made[id as usize] = Some(config.clone()))
    });
    Ok(config)
}

/// The one provider of cryptography.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(rustls::crypto::ring::default_provider())))
}

fn make(options: &Options, base: &std::path::Path, id: u32) -> Result<ClientConfig, String> {
    let provider = provider();
    let verifier: Arc<dyn ServerCertVerifier> = match (&options.roots, options.verify) {
        (_, false) => Arc::new(Anybody(provider.clone())),
        (None, true) => Arc::new(Verifier::of_system(&provider)?),
        (Some(roots), true) => Arc::new(Verifier::of_roots(
            certificates(roots, base, "roots")?,
            &provider,
        )?),
    };
    let key = match (&options.cert, &options.key) {
        (Some(cert), Some(key)) => Some(certified_key(cert, key, base)?),
        (None, None) => None,
        _ => return Err("`cert` and `key` go together".to_owned()),
    };
    let versions = versions(&options.min_version, &options.max_version)?;
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&versions);
    let builder = builder.map_err(|error| error.to_string())?;
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_cert_resolver(Arc::new(ClientKey(key)));
    config.alpn_protocols = options
        .alpn
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    config.resumption = Resumption::store(Arc::new(UserSessions { config: id }));
    Ok(config)
}

/// The configuration of a server. Without a certificate it makes one for `localhost` and the loopback addresses.
pub(crate) fn server_config(
    cert: Option<&[u8]>,
    key: Option<&[u8]>,
    base: &std::path::Path,
    alpn: &[&str],
) -> Result<ServerConfig, String> {
    let (chain, key) = match (cert, key) {
        (Some(cert), Some(key)) => (certificates(cert, base, "cert")?, private_key(key, base)?),
        (None, None) => self_signed()?,
        _ => return Err("`cert` and `key` go together".to_owned()),
    };
    let builder =
        ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    let mut config = builder
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(config)
}

fn self_signed() -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let names = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    let made = rcgen::generate_simple_self_signed(names).map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(str::to_owned)?;
    Ok((vec![made.cert.der().clone()], key))
}

fn versions(min: &str, max: &str) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let all = [("1.2", &version::TLS12), ("1.3", &version::TLS13)];
    let position = |wanted: &str| {
        let known = all.iter().position(|(name, _)| *name == wanted);
        known.ok_or_else(|| {
            format!("`{wanted}` is no version of TLS that is supported; \"1.2\" and \"1.3\" are")
        })
    };
    let (min, max) = (position(min)?, position(max)?);
    match all.get(min..=max) {
        Some(range) if !range.is_empty() => Ok(range.iter().map(|(_, version)| *version).collect()),
        _ => Err("`min_version` is above `max_version`".to_owned()),
    }
}

/// PEM text as it is, or that of the file that a text names.
fn pem(given: &[u8], base: &std::path::Path, what: &str) -> Result<Vec<u8>, String> {
    if given.windows(11).any(|window| window == b"-----BEGIN ") {
        return Ok(given.to_vec());
    }
    let name =
        std::str::from_utf8(given).map_err(|_| format!("`{what}` is neither PEM nor a path"))?;
    let path: PathBuf = base.join(name);
    std::fs::read(&path).map_err(|error| {
        let why = error.to_string();
        let why = why
            .split(" (os error")
            .next()
            .unwrap_or(&why)
            .to_lowercase();
        format!("`{what}` cannot be read from {}: {why}", path.display())
    })
}

fn certificates(
    given: &[u8],
    base: &std::path::Path,
    what: &str,
) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = pem(given, base, what)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(format!("`{what}` holds no certificate")),
        Err(error) => Err(format!("`{what}` is no valid PEM: {error}")),
    }
}

fn private_key(given: &[u8], base: &std::path::Path) -> Result<PrivateKeyDer<'static>, String> {
    let pem = pem(given, base, "key")?;
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| format!("`key` holds no private key: {error}"))
}

fn certified_key(
    cert: &[u8],
    key: &[u8],
    base: &std::path::Path,
) -> Result<Arc<CertifiedKey>, String> {
    let (chain, key) = (certificates(cert, base, "cert")?, private_key(key, base)?);
    let made = CertifiedKey::from_der(chain, key, &provider());
    made.map(Arc::new)
        .map_err(|error| format!("`cert` and `key` are unusable: {error}"))
}

/// Answers a peer that asks for a client certificate.
#[derive(Debug)]
struct ClientKey(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for ClientKey {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        if self.0.is_none() {
            note_unanswered();
        }
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn made(change: impl FnOnce(&mut Options)) -> Result<ClientConfig, String> {
        let mut options = Options::default();
        change(&mut options);
        make(&options, Path::new("."), 0)
    }

    #[test]
    fn versions_are_a_range() {
        assert!(made(|o| o.max_version = "1.2".to_owned()).is_ok());
        assert!(
            made(|o| o.min_version = "1.1".to_owned())
                .unwrap_err()
                .contains("`1.1`")
        );
        let crossed = made(|o| {
            o.min_version = "1.3".to_owned();
            o.max_version = "1.2".to_owned();
        });
        assert_eq!(crossed.unwrap_err(), "`min_version` is above `max_version`");
    }

    #[test]
    fn what_is_unusable_says_why() {
        let roots = |text: &str| made(|o| o.roots = Some(text.as_bytes().to_vec())).unwrap_err();
        assert!(
            roots("no/such.pem")
                .contains("`roots` cannot be read from ./no/such.pem: no such file")
        );
        assert!(roots("-----BEGIN X-----\n-----END X-----\n").contains("no certificate"));
        assert!(
            made(|o| o.cert = Some(b"x".to_vec()))
                .unwrap_err()
                .contains("go together")
        );
    }

    #[test]
    fn a_certificate_can_be_given_as_text() {
        let made_cert = rcgen::generate_simple_self_signed(vec!["a.test".to_owned()]).unwrap();
        let (cert, key) = (made_cert.cert.pem(), made_cert.signing_key.serialize_pem());
        let config = made(|o| {
            o.roots = Some(cert.clone().into_bytes());
            o.cert = Some(cert.clone().into_bytes());
            o.key = Some(key.into_bytes());
        });
        assert!(config.is_ok());
        let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let mixed = made(|o| {
            o.cert = Some(cert.into_bytes());
            o.key = Some(other.into_bytes());
        });
        assert!(mixed.unwrap_err().contains("unusable"));
    }

    #[test]
    fn a_server_makes_a_certificate_when_it_has_none() {
        assert!(server_config(None, None, Path::new("."), &["http/1.1"]).is_ok());
    }
}
