//! What a certificate says: the fields that scenarios look at, read from DER (RFC 5280, X.690).
//!
//! It reads, it does not verify; that is for rustls.

use crate::http::date::{days_from_civil, iso_date};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The fields of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// As `CN=a.test, O=A`.
    pub(crate) subject: String,
    /// In the same form.
    pub(crate) issuer: String,
    /// Names and addresses of the subject.
    pub(crate) names: Vec<String>,
    /// Seconds since 1970.
    pub(crate) not_before: i64,
    /// Seconds since 1970.
    pub(crate) not_after: i64,
    /// In hexadecimal.
    pub(crate) serial: String,
}

/// Reads elements of DER one by one.
#[derive(Clone, Copy)]
struct Der<'a>(&'a [u8]);

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];

impl<'a> Der<'a> {
    /// The next element: tag and content.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (len, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (
                    digits
                        .iter()
                        .fold(0, |len, digit| len << 8 | usize::from(*digit)),
                    rest,
                )
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The next element, which must have this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next()
            .filter(|(found, _)| *found == tag)
            .map(|(_, content)| content)
    }

    fn all(self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let mut der = self;
        std::iter::from_fn(move || der.next())
    }
}

impl Certificate {
    /// Reads a certificate; `None` when it is none.
    pub(crate) fn parse(der: &[u8]) -> Option<Certificate> {
        let mut outer = Der(Der(der).expect(SEQUENCE)?);
        let mut fields = Der(outer.expect(SEQUENCE)?);
        let mut serial = fields.next()?;
        if serial.0 == 0xa0 {
            // The version stands before it, unless it is the first.
            serial = fields.next()?;
        }
        if serial.0 != INTEGER {
            return None;
        }
        fields.expect(SEQUENCE)?;
        let issuer = distinguished_name(fields.expect(SEQUENCE)?);
        let mut validity = Der(fields.expect(SEQUENCE)?);
        let (not_before, not_after) = (time(validity.next()?)?, time(validity.next()?)?);
        let subject = distinguished_name(fields.expect(SEQUENCE)?);
        fields.expect(SEQUENCE)?;
        let extensions = fields.all().find(|(tag, _)| *tag == 0xa3);
        let names = extensions
            .and_then(|(_, content)| alternative_names(content))
            .unwrap_or_default();
        let serial = hex(strip_sign(serial.1));
        Some(Certificate {
            subject,
            issuer,
            names,
            not_before,
            not_after,
            serial,
        })
    }

    /// The first moment of validity as `2026-01-31T00:00:00Z`.
    pub(crate) fn not_before(&self) -> String {
        iso_date(self.not_before)
    }

    /// The last moment of validity.
    pub(crate) fn not_after(&self) -> String {
        iso_date(self.not_after)
    }
}

fn strip_sign(integer: &[u8]) -> &[u8] {
    match integer {
        [0, rest @ ..] if !rest.is_empty() => rest,
        all => all,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn distinguished_name(content: &[u8]) -> String {
    let mut parts = Vec::new();
    for (_, set) in Der(content).all() {
        for (_, pair) in Der(set).all() {
            let mut pair = Der(pair);
            if let (Some(oid), Some((tag, value))) = (pair.expect(OID), pair.next()) {
                parts.push(format!("{}={}", attribute(oid), text(tag, value)));
            }
        }
    }
    parts.join(", ")
}

fn attribute(oid: &[u8]) -> String {
    let known = match oid {
        [0x55, 0x04, 3] => "CN",
        [0x55, 0x04, 5] => "serialNumber",
        [0x55, 0x04, 6] => "C",
        [0x55, 0x04, 7] => "L",
        [0x55, 0x04, 8] => "ST",
        [0x55, 0x04, 9] => "street",
        [0x55, 0x04, 10] => "O",
        [0x55, 0x04, 11] => "OU",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1] => "emailAddress",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 0x19] => "DC",
        _ => return dotted(oid),
    };
    known.to_owned()
}

fn dotted(oid: &[u8]) -> String {
    let mut numbers: Vec<u64> = Vec::new();
    let mut number: u64 = 0;
    for byte in oid {
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            match numbers.is_empty() {
                true => numbers.extend([(number / 40).min(2), number - 40 * (number / 40).min(2)]),
                false => numbers.push(number),
            }
            number = 0;
        }
    }
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    numbers.join(".")
}

fn text(tag: u8, value: &[u8]) -> String {
    match tag {
        // BMPString: UTF-16, big endian.
        0x1e => {
            let units: Vec<u16> = value
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                .collect();
            String::from_utf16_lossy(&units)
        }
        // T61String, read as Latin-1 by everybody.
        0x14 => value.iter().map(|byte| char::from(*byte)).collect(),
        _ => String::from_utf8_lossy(value).into_owned(),
    }
}

/// Seconds since 1970 of a UTCTime or GeneralizedTime.
fn time((tag, text): (u8, &[u8])) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        0x17 => {
            let year: i64 = text.get(..2)?.parse().ok()?;
            (
                if year < 50 { 2000 + year } else { 1900 + year },
                text.get(2..)?,
            )
        }
        0x18 => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let number = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    let (month, day) = (number(0)?, number(2)?);
    let seconds = number(4)? * 3600 + number(6)? * 60 + number(8).unwrap_or(0);
    Some(days_from_civil(year, month, day) * 86_400 + seconds)
}

/// The names and addresses of the extension, if there is one.
fn alternative_names(content: &[u8]) -> Option<Vec<String>> {
    for (_, extension) in Der(Der(content).expect(SEQUENCE)?).all() {
        let mut extension = Der(extension);
        if extension.expect(OID) != Some(ALTERNATIVE_NAMES) {
            continue;
        }
        // A boolean may say that the extension is critical.
        let (_, octets) = extension.all().find(|(tag, _)| *tag == OCTETS)?;
        let names = Der(Der(octets).expect(SEQUENCE)?);
        return Some(names.all().filter_map(general_name).collect());
    }
    None
}

fn general_name((tag, content): (u8, &[u8])) -> Option<String> {
    match (tag, content.len()) {
        (0x81 | 0x82 | 0x86, _) => Some(String::from_utf8_lossy(content).into_owned()),
        (0x87, 4) => {
            Some(IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(content).ok()?)).to_string())
        }
        (0x87, 16) => {
            Some(IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(content).ok()?)).to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> Vec<u8> {
        let mut params = rcgen::CertificateParams::new(vec![
            "a.test".to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
        ])
        .unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "a.test");
        params
            .distinguished_name
            .push(rcgen::DnType::OrganizationName, "Ä & B");
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&[0x0f, 0xa0]));
        params.not_before = rcgen::date_time_ymd(2024, 2, 29);
        params.not_after = rcgen::date_time_ymd(2061, 12, 31);
        let key = rcgen::KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_fields_are_read() {
        let certificate = Certificate::parse(&made()).unwrap();
        assert_eq!(certificate.subject, "CN=a.test, O=Ä & B");
        assert_eq!(certificate.issuer, certificate.subject);
        assert_eq!(certificate.names, ["a.test", "127.0.0.1", "::1"]);
        assert_eq!(certificate.not_before(), "2024-02-29T00:00:00Z");
        assert_eq!(certificate.not_after(), "2061-12-31T00:00:00Z");
        assert_eq!(certificate.serial, "0fa0");
    }

    #[test]
    fn truncated_and_changed_certificates_are_no_harm() {
        let der = made();
        for len in 0..der.len() {
            Certificate::parse(&der[..len]);
        }
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 0xff;
            Certificate::parse(&changed);
        }
        assert_eq!(Certificate::parse(&der[..20]), None);
    }

    #[test]
    fn unknown_attributes_are_dotted() {
        assert_eq!(attribute(&[0x55, 0x04, 0x2a]), "2.5.4.42");
        assert_eq!(attribute(&[0x2a, 0x86, 0x48]), "1.2.840");
    }
}
