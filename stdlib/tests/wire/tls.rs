//! `tls` and https against rustls servers with certificates made for the test.

use crate::harness::{Ran, scenario};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

/// An authority and what it signs.
struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: rcgen::KeyPair,
    pem: String,
}

impl Identity {
    fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).expect("a made key is a key")
    }
}

fn authority(name: &str) -> Authority {
    let key = rcgen::KeyPair::generate().expect("keys can be made");
    let mut params = rcgen::CertificateParams::new(Vec::new()).expect("no names");
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let cert = params.self_signed(&key).expect("it signs itself");
    let (pem, der) = (cert.pem(), cert.der().clone());
    Authority {
        issuer: rcgen::Issuer::new(params, key),
        pem,
        der,
    }
}

fn identity(by: &Authority, name: &str, last_year: i32) -> Identity {
    let key = rcgen::KeyPair::generate().expect("keys can be made");
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a valid name");
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(last_year, 1, 1);
    let cert = params
        .signed_by(&key, &by.issuer)
        .expect("the authority signs");
    Identity {
        chain: vec![cert.der().clone()],
        pem: cert.pem(),
        key,
    }
}

fn config(
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
    clients: Option<&Authority>,
) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .expect("versions that exist");
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der.clone()).expect("a certificate");
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.expect("it has a root"))
        }
    };
    builder
        .with_single_cert(identity.chain.clone(), identity.key_der())
        .expect("they belong together")
}

/// A server that answers one request on each connection and closes.
fn serve(config: ServerConfig, connections: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it is bound");
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for _ in 0..connections {
            let Ok((mut socket, _)) = listener.accept() else {
                return;
            };
            let mut tls = ServerConnection::new(config.clone()).expect("a valid configuration");
            let mut stream = rustls::Stream::new(&mut tls, &mut socket);
            let mut request = [0; 4096];
            // A client that refuses our certificate is gone by now.
            if matches!(stream.read(&mut request), Ok(1..)) {
                let _ = stream.write_all(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
                );
                tls.send_close_notify();
                let _ = tls.complete_io(&mut socket);
            }
            // The client ends first, so that an alert or answer is never cut by a reset.
            let _ = socket.shutdown(std::net::Shutdown::Write);
            let _ = socket.read_to_end(&mut Vec::new());
        }
    });
    addr
}

fn params(addr: SocketAddr, texts: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let mut all = vec![("port", addr.port().to_string())];
    all.extend(texts.iter().map(|(name, text)| (*name, (*text).to_owned())));
    all
}

/// The kind of error of a GET, or `ok`.
fn get(addr: SocketAddr, roots: &str, options: &str) -> String {
    let source = format!(
        "param port: int = 0\nparam roots: string = \"\"\nscenario s {{
            let r = http.get(\"https://localhost:${{port}}/\", roots: roots, bind: ip(\"127.0.0.1\"){options}) catch e {{ log.info(e.kind); none }}
            if let r = r {{ log.info(r.text()) }}
        }}"
    );
    let ran: Ran = scenario(&source, &params(addr, &[("roots", roots)]));
    assert!(ran.errors.is_empty(), "{:?}", ran.errors);
    ran.logs.join(",")
}

#[test]
fn certificates_are_told_apart_by_what_is_wrong() {
    let (ours, other) = (authority("ours"), authority("other"));
    let good = identity(&ours, "localhost", 2090);
    let both = [&TLS12, &TLS13];
    let served = |identity: &Identity| serve(config(identity, &both, None), 1);
    assert_eq!(get(served(&good), &ours.pem, ""), "ok");
    assert_eq!(get(served(&good), &other.pem, ""), "tls.unknown_issuer");
    let namesake = authority("ours");
    assert_eq!(get(served(&good), &namesake.pem, ""), "tls.unknown_issuer");
    assert_eq!(get(served(&good), &other.pem, ", verify: false"), "ok");
    assert_eq!(
        get(served(&identity(&ours, "localhost", 2021)), &ours.pem, ""),
        "tls.expired"
    );
    assert_eq!(
        get(served(&identity(&ours, "other.test", 2090)), &ours.pem, ""),
        "tls.wrong_host"
    );
    assert_eq!(
        get(
            served(&identity(&ours, "other.test", 2090)),
            &ours.pem,
            ", server_name: \"other.test\""
        ),
        "ok"
    );
}

#[test]
fn a_self_signed_certificate_is_trusted_when_it_is_given() {
    let made =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("it is made");
    let identity = Identity {
        chain: vec![made.cert.der().clone()],
        pem: made.cert.pem(),
        key: made.signing_key,
    };
    let served = || serve(config(&identity, &[&TLS13], None), 1);
    assert_eq!(get(served(), &identity.pem, ""), "ok");
    assert_eq!(
        get(served(), &authority("other").pem, ""),
        "tls.unknown_issuer"
    );
}

#[test]
fn a_client_certificate_is_sent_when_there_is_one() {
    let (ours, other) = (authority("ours"), authority("other"));
    let server = identity(&ours, "localhost", 2090);
    let (client, stranger) = (
        identity(&ours, "client", 2090),
        identity(&other, "client", 2090),
    );
    for version in [&TLS12, &TLS13] {
        let served = || serve(config(&server, &[version], Some(&ours)), 1);
        assert_eq!(
            get(served(), &ours.pem, ""),
            "tls.certificate_required",
            "{version:?}"
        );
        for (who, want) in [(&client, "ok"), (&stranger, "tls.certificate_rejected")] {
            let options = format!(", cert: {:?}, key: {:?}", who.pem, who.key.serialize_pem());
            assert_eq!(get(served(), &ours.pem, &options), want, "{version:?}");
        }
    }
}

#[test]
fn versions_must_meet() {
    let ours = authority("ours");
    let server = identity(&ours, "localhost", 2090);
    let source = |min: &str, max: &str| {
        format!(
            "param port: int = 0\nparam roots: string = \"\"\nscenario s {{
                let c = tls.connect(\"127.0.0.1:${{port}}\", server_name: \"localhost\", roots: roots,
                    min_version: \"{min}\", max_version: \"{max}\") catch e {{ log.info(e.kind); none }}
                if let c = c {{ log.info(c.version) }}
            }}"
        )
    };
    let version = |served: &'static SupportedProtocolVersion, min: &str, max: &str| {
        let addr = serve(config(&server, &[served], None), 1);
        scenario(&source(min, max), &params(addr, &[("roots", &ours.pem)]))
            .logs
            .join(",")
    };
    assert_eq!(version(&TLS12, "1.2", "1.3"), "1.2");
    assert_eq!(version(&TLS13, "1.2", "1.3"), "1.3");
    assert_eq!(version(&TLS13, "1.2", "1.2"), "tls.version");
    assert_eq!(version(&TLS12, "1.3", "1.3"), "tls.version");
}

#[test]
fn sessions_resume_within_a_user_and_certificates_can_be_read() {
    let ours = authority("ours");
    let server = identity(&ours, "localhost", 2090);
    let mut config = config(&server, &[&TLS13], None);
    config.alpn_protocols = vec![b"echo".to_vec()];
    let addr = serve(config, 2);
    let source = "param port: int = 0\nparam roots: string = \"\"\nscenario s {
        let a = tls.connect(\"127.0.0.1:${port}\", server_name: \"localhost\", roots: roots, alpn: [\"echo\"])
        check !a.resumed
        check a.alpn == \"echo\"
        if let shown = a.peer_certificate() {
            check shown.names[0] == \"localhost\"
            check shown.not_after == \"2090-01-01T00:00:00Z\"
        }
        a.send(\"x\")
        check a.recv_until(\"ok\").text() contains \"200 OK\"
        a.close()
        let b = tls.connect(\"127.0.0.1:${port}\", server_name: \"localhost\", roots: roots, alpn: [\"echo\"])
        check b.resumed
    }";
    scenario(source, &params(addr, &[("roots", &ours.pem)])).expect_ok();
}

#[test]
fn what_is_no_tls_is_told() {
    let peer = crate::harness::Peer::start(vec![vec![crate::harness::say(
        "HTTP/1.1 400 Bad Request\r\n\r\n",
    )]]);
    assert_eq!(get(peer.addr, &authority("other").pem, ""), "tls.protocol");
}
