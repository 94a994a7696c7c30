//! URLs: taking apart, joining, percent-encoding, query texts. The work is the `url` crate's.

use crate::raise;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use scn_runtime::object::show;
use scn_runtime::{
    Any, Ctx, DescId, Fault, NativeDef, Own, OwnSlot, Seen, Slot, Slots, VarMap, desc, ready,
};
use url::Url;

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("url.parse", parse_record),
        ready("url.build", build_record),
        ready("url.join", join_text),
        ready("url.encode", encode),
        ready("url.decode", decode_text),
        ready("url.encode_query", encode_params),
        ready("url.decode_query", decode_params),
    ]
}

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

/// The `Url` of the declaration: its fields in order.
fn parse_record(ctx: &Ctx, result: DescId, text: &str) -> Result<Own, Fault> {
    let parts = parse(text).map_err(raise::parse)?;
    let text = |text: &str| OwnSlot::own(ctx.heap.string(text));
    let optional = |part: Option<String>| OwnSlot::option(part.map(|part| ctx.heap.string(&part)));
    let slots = vec![
        text(&parts.scheme),
        optional(parts.user),
        optional(parts.password),
        text(&parts.host),
        OwnSlot::option(parts.port.map(|port| ctx.heap.box_int(port))),
        text(&parts.path),
        optional(parts.query),
        optional(parts.fragment),
    ];
    Ok(ctx.heap.record(result, slots))
}

fn build_record(ctx: &Ctx, record: Slots<'_>) -> Result<String, Fault> {
    let text = |name: &str| {
        record
            .field(ctx.descs(), name)
            .and_then(Slot::str)
            .map(str::to_owned)
    };
    let port = record
        .field(ctx.descs(), "port")
        .map(|slot| slot.seen(ctx.descs()));
    let parts = Parts {
        scheme: text("scheme").unwrap_or_default(),
        user: text("user"),
        password: text("password"),
        host: text("host").unwrap_or_default(),
        port: match port {
            Some(Seen::Scalar(_, port)) => Some(port.int()),
            _ => None,
        },
        path: text("path").unwrap_or_default(),
        query: text("query"),
        fragment: text("fragment"),
    };
    build(&parts).map_err(raise::argument)
}

fn join_text(base: &str, reference: &str) -> Result<String, Fault> {
    join(base, reference).map_err(raise::parse)
}

fn decode_text(text: &str) -> Result<String, Fault> {
    decode(text).map_err(raise::parse)
}

/// Pairs of names and texts of a JSON object: lists repeat their name, null is left out.
pub(crate) fn pairs(ctx: &Ctx, params: Any<'_>) -> Result<Vec<(String, String)>, Fault> {
    let descs = ctx.descs();
    let mut pairs = Vec::new();
    match params.seen(descs) {
        Seen::Map(map) => {
            map.iter(descs).for_each(|(key, value)| {
                add_pairs(ctx, &show::interpolated(descs, key), value, &mut pairs)
            });
        }
        Seen::Record(record) => {
            record
                .fields(descs)
                .for_each(|(name, value)| add_pairs(ctx, name, value, &mut pairs));
        }
        _ => return Err(raise::argument("parameters are an object")),
    }
    Ok(pairs)
}

fn add_pairs(ctx: &Ctx, name: &str, value: Slot<'_>, pairs: &mut Vec<(String, String)>) {
    match value.seen(ctx.descs()) {
        Seen::None | Seen::Null | Seen::Missing(_) => {}
        Seen::List(list) => {
            let texts = list
                .iter(ctx.descs())
                .map(|slot| show::interpolated(ctx.descs(), slot));
            pairs.extend(texts.map(|text| (name.to_owned(), text)));
        }
        _ => pairs.push((name.to_owned(), show::interpolated(ctx.descs(), value))),
    }
}

fn encode_params(ctx: &Ctx, params: Any<'_>) -> Result<String, Fault> {
    Ok(encode_query(&pairs(ctx, params)?))
}

fn decode_params(ctx: &Ctx, text: &str) -> VarMap {
    let mut map = VarMap::new(ctx, desc::MAP_STRING);
    for (name, value) in decode_query(text) {
        map.insert_str(ctx, &name, &value);
    }
    map
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
