//! The kinds of TLS failures, from what rustls reports.

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};
use scn_runtime::Fault;

/// The error for a failure of rustls. `unanswered` tells that the peer asked for a client certificate and got none.
pub(crate) fn fault(error: &Error, unanswered: bool) -> Fault {
    match error {
        Error::InvalidCertificate(error) => certificate(error),
        Error::AlertReceived(alert) => self::alert(*alert, unanswered),
        Error::PeerIncompatible(error) => incompatible(error),
        Error::NoApplicationProtocol => {
            Fault::fixed("tls.alpn", "no application protocol in common")
        }
        Error::NoCertificatesPresented => Fault::fixed(
            "tls.certificate_required",
            "the peer sent no certificate, though one is required",
        ),
        Error::InvalidMessage(_) | Error::DecryptError | Error::PeerSentOversizedRecord => {
            Fault::text(
                "tls.protocol",
                format!("what came is no valid TLS: {}", lower(&error.to_string())),
            )
        }
        Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerMisbehaved(_) => Fault::text(
            "tls.protocol",
            format!(
                "the peer broke the rules of TLS: {}",
                lower(&error.to_string())
            ),
        ),
        Error::InconsistentKeys(_) => {
            Fault::fixed("tls.config", "key and certificate do not belong together")
        }
        other => Fault::text("tls.handshake", lower(&other.to_string())),
    }
}

fn certificate(error: &CertificateError) -> Fault {
    use CertificateError as E;
    match error {
        E::Expired => Fault::fixed(
            "tls.expired",
            "the peer's certificate is not valid any more",
        ),
        E::ExpiredContext { not_after, .. } => {
            let end = crate::http::date::iso_date(not_after.as_secs().cast_signed());
            Fault::text(
                "tls.expired",
                format!("the peer's certificate is not valid any more, since {end}"),
            )
        }
        E::NotValidYet | E::NotValidYetContext { .. } => Fault::fixed(
            "tls.not_yet_valid",
            "the peer's certificate is not valid yet",
        ),
        E::Revoked => Fault::fixed("tls.revoked", "the peer's certificate was revoked"),
        E::UnknownIssuer => Fault::fixed(
            "tls.unknown_issuer",
            "the peer's certificate is self-signed, or by an authority that is not trusted",
        ),
        E::BadSignature => Fault::fixed(
            "tls.unknown_issuer",
            "the peer's certificate is not signed by the trusted authority of that name",
        ),
        E::NotValidForName => Fault::fixed(
            "tls.wrong_host",
            "the peer's certificate is for other names",
        ),
        E::NotValidForNameContext {
            expected,
            presented,
        } => {
            let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
            let (expected, names) = (expected.to_str(), names.join(", "));
            let names = if names.is_empty() {
                "no name at all"
            } else {
                &names
            };
            Fault::text(
                "tls.wrong_host",
                format!("the peer's certificate is not for {expected}, but for {names}"),
            )
        }
        other => Fault::text(
            "tls.bad_certificate",
            format!(
                "the peer's certificate is unusable: {}",
                lower(&other.to_string())
            ),
        ),
    }
}

/// A name as webpki prints it, `DnsName("a.test")`, without the wrapping.
fn bare(name: &str) -> &str {
    name.split_once('(')
        .map_or(name, |(_, rest)| rest.trim_end_matches(')'))
        .trim_matches('"')
}

fn alert(alert: AlertDescription, unanswered: bool) -> Fault {
    use AlertDescription as A;
    match alert {
        A::CertificateRequired => required(),
        A::HandshakeFailure | A::BadCertificate | A::AccessDenied | A::CertificateUnknown
            if unanswered =>
        {
            required()
        }
        A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateRevoked
        | A::CertificateExpired
        | A::CertificateUnknown
        | A::UnknownCA
        | A::AccessDenied => Fault::text(
            "tls.certificate_rejected",
            format!("the peer does not accept our certificate: {}", words(alert)),
        ),
        A::ProtocolVersion => Fault::fixed(
            "tls.version",
            "the peer supports none of the versions that are allowed here",
        ),
        A::NoApplicationProtocol => Fault::fixed(
            "tls.alpn",
            "the peer knows none of the application protocols",
        ),
        other => Fault::text(
            "tls.handshake",
            format!("the peer ended with the alert `{}`", words(other)),
        ),
    }
}

fn required() -> Fault {
    Fault::fixed(
        "tls.certificate_required",
        "the peer wants a client certificate (`cert:` and `key:`)",
    )
}

fn incompatible(error: &PeerIncompatible) -> Fault {
    use PeerIncompatible as P;
    match error {
        P::ServerDoesNotSupportTls12Or13
        | P::ServerTlsVersionIsDisabledByOurConfig
        | P::SupportedVersionsExtensionRequired
        | P::Tls12NotOffered
        | P::Tls12NotOfferedOrEnabled => Fault::fixed("tls.version", "no version of TLS in common"),
        other => Fault::text(
            "tls.handshake",
            format!(
                "nothing in common with the peer: {}",
                lower(&format!("{other:?}"))
            ),
        ),
    }
}

/// `UnknownCA` as `unknown ca`.
fn words(alert: AlertDescription) -> String {
    let mut text = String::new();
    let mut before = ' ';
    for c in format!("{alert:?}").chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            text.push(' ');
        }
        text.push(c.to_ascii_lowercase());
        before = c;
    }
    text
}

fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| {
        first.to_lowercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::InvalidMessage;

    #[test]
    fn each_failure_has_its_kind() {
        let cases = [
            (
                Error::InvalidCertificate(CertificateError::Expired),
                "tls.expired",
            ),
            (
                Error::InvalidCertificate(CertificateError::NotValidYet),
                "tls.not_yet_valid",
            ),
            (
                Error::InvalidCertificate(CertificateError::UnknownIssuer),
                "tls.unknown_issuer",
            ),
            (
                Error::InvalidCertificate(CertificateError::NotValidForName),
                "tls.wrong_host",
            ),
            (
                Error::InvalidCertificate(CertificateError::Revoked),
                "tls.revoked",
            ),
            (
                Error::InvalidCertificate(CertificateError::BadEncoding),
                "tls.bad_certificate",
            ),
            (
                Error::AlertReceived(AlertDescription::CertificateRequired),
                "tls.certificate_required",
            ),
            (
                Error::AlertReceived(AlertDescription::UnknownCA),
                "tls.certificate_rejected",
            ),
            (
                Error::AlertReceived(AlertDescription::ProtocolVersion),
                "tls.version",
            ),
            (
                Error::AlertReceived(AlertDescription::HandshakeFailure),
                "tls.handshake",
            ),
            (
                Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
                "tls.version",
            ),
            (
                Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
                "tls.handshake",
            ),
            (
                Error::InvalidMessage(InvalidMessage::InvalidContentType),
                "tls.protocol",
            ),
            (Error::NoApplicationProtocol, "tls.alpn"),
        ];
        for (error, kind) in cases {
            assert_eq!(fault(&error, false).kind(), kind, "{error:?}");
        }
        let failure = Error::AlertReceived(AlertDescription::HandshakeFailure);
        assert_eq!(fault(&failure, true).kind(), "tls.certificate_required");
    }

    #[test]
    fn a_wrong_host_names_both_sides() {
        let error = Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            expected: "a.test".try_into().unwrap(),
            presented: vec!["DnsName(\"b.test\")".to_owned()],
        });
        assert_eq!(
            fault(&error, false).message(),
            "the peer's certificate is not for a.test, but for b.test"
        );
    }

    #[test]
    fn alerts_are_words() {
        assert_eq!(words(AlertDescription::UnknownCA), "unknown ca");
        assert_eq!(
            words(AlertDescription::HandshakeFailure),
            "handshake failure"
        );
    }
}
