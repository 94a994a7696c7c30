//! URLs: taking apart, joining, percent-encoding, query texts. The work is the `url` crate's.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The parts of a URL, decoded but for path and query.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Parts {
    pub scheme: String,
    pub user: Option<String>,
    pub password: Option<String>,
    pub host: String,
    pub port: Option<i64>,
    pub path: String,
    pub query: Option<String>,
    pub fragment: Option<String>,
}

/// Takes an absolute URL apart.
pub(crate) fn parse(text: &str) -> Result<Parts, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is no URL: {error}"))?;
    let lossy = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    Ok(Parts {
        scheme: url.scheme().to_owned(),
        user: Some(url.username())
            .filter(|user| !user.is_empty())
            .map(lossy),
        password: url.password().map(lossy),
        host: url.host_str().unwrap_or_default().to_owned(),
        port: url.port().map(i64::from),
        path: url.path().to_owned(),
        query: url.query().map(str::to_owned),
        fragment: url.fragment().map(lossy),
    })
}

/// Puts a URL together.
pub(crate) fn build(parts: &Parts) -> Result<String, String> {
    let Parts { scheme, host, .. } = parts;
    let bracketed = if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]")
    } else {
        host.clone()
    };
    let mut url = Url::parse(&format!("{scheme}://{bracketed}"))
        .map_err(|error| format!("`{scheme}` and `{host}` make no URL: {error}"))?;
    let port = parts
        .port
        .map(u16::try_from)
        .transpose()
        .map_err(|_| "the port must be 0..=65535".to_owned())?;
    let unfit = |()| format!("a URL of scheme `{scheme}` has no user and no port");
    url.set_port(port).map_err(unfit)?;
    if let Some(user) = &parts.user {
        url.set_username(user).map_err(unfit)?;
    }
    url.set_password(parts.password.as_deref()).map_err(unfit)?;
    url.set_path(&parts.path);
    url.set_query(parts.query.as_deref());
    url.set_fragment(parts.fragment.as_deref());
    Ok(url.into())
}

/// Resolves a reference against a base.
pub(crate) fn join(base: &str, reference: &str) -> Result<String, String> {
    let url = Url::parse(base).map_err(|error| format!("`{base}` is no URL: {error}"))?;
    let joined = url
        .join(reference)
        .map_err(|error| format!("`{reference}` is no reference: {error}"))?;
    Ok(joined.into())
}

/// Percent-encodes everything but unreserved characters.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Undoes percent-encoding.
pub(crate) fn decode(text: &str) -> Result<String, String> {
    let hex = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_hexdigit);
    let bad = text
        .bytes()
        .enumerate()
        .find(|(at, byte)| *byte == b'%' && !(hex(at + 1) && hex(at + 2)));
    if let Some((at, _)) = bad {
        return Err(format!("the `%` at byte {at} starts no escape"));
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| "the decoded bytes are no UTF-8".to_owned())
}

/// A query or form text.
pub(crate) fn encode_query(pairs: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// The pairs of a query or form text.
pub(crate) fn decode_query(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_comes_apart_and_together() {
        let text = "https://me%40x:pw@example.com:8443/a%20b/c?x=1&y=%C3%A9#top";
        let parts = parse(text).expect("a valid URL");
        assert_eq!(parts.user.as_deref(), Some("me@x"));
        assert_eq!(
            (parts.host.as_str(), parts.port),
            ("example.com", Some(8443))
        );
        assert_eq!(
            (parts.path.as_str(), parts.query.as_deref()),
            ("/a%20b/c", Some("x=1&y=%C3%A9"))
        );
        assert_eq!(build(&parts).as_deref(), Ok(text));
        assert_eq!(parse("http://[::1]:80/").expect("a valid URL").port, None);
        assert_eq!(
            parse("/a").expect_err("relative"),
            "`/a` is no URL: relative URL without a base"
        );
    }

    #[test]
    fn a_url_is_built_from_few_parts() {
        let parts = Parts {
            scheme: "http".into(),
            host: "::1".into(),
            port: Some(8080),
            ..Parts::default()
        };
        assert_eq!(build(&parts).as_deref(), Ok("http://[::1]:8080/"));
        assert!(
            build(&Parts {
                port: Some(70_000),
                ..parts
            })
            .is_err()
        );
    }

    #[test]
    fn references_resolve() {
        assert_eq!(
            join("http://h/a/b/c", "../x?y=1").as_deref(),
            Ok("http://h/a/x?y=1")
        );
        assert_eq!(
            join("http://h/a", "//other/z").as_deref(),
            Ok("http://other/z")
        );
    }

    #[test]
    fn escapes() {
        assert_eq!(encode("a b/ü~"), "a%20b%2F%C3%BC~");
        assert_eq!(decode("a%20b%2f").as_deref(), Ok("a b/"));
        assert_eq!(
            decode("50%").expect_err("cut"),
            "the `%` at byte 2 starts no escape"
        );
        assert_eq!(
            decode("%ff").expect_err("no UTF-8"),
            "the decoded bytes are no UTF-8"
        );
        let pairs = [
            ("q".to_owned(), "a b&".to_owned()),
            ("n".to_owned(), "1".to_owned()),
        ];
        assert_eq!(encode_query(&pairs), "q=a+b%26&n=1");
        assert_eq!(decode_query("q=a+b%26&n=1"), pairs);
    }
}
