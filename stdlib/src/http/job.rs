//! What a call of `http` asks for: its arguments, read once.

use super::body::{Part, multipart};
use super::content::{encoded_pairs, json_text, string_pairs};
use super::members::Auth;
use super::request::{Request, Sending};
use super::session::Dial;
use super::url::Url;
use crate::net::address::source;
use crate::tls::config::Options;
use base64::Engine;
use scn_compiler::ir::Scalar;
use scn_runtime::{Any, Ctx, Fault, List, Map, Nanos, Text, Unread, View};

/// `headers`, `query`.
pub(crate) type Lines<'a> = (Option<Map<'a>>, Option<Map<'a>>);

/// `json`, `form`, `multipart`, `body`, `chunked`, `expect_continue`.
pub(crate) type Body<'a> = (
    Option<Any<'a>>,
    Option<Map<'a>>,
    Option<List<'a>>,
    Option<Text<'a>>,
    bool,
    bool,
);

/// `auth`, `timeout`, `connect_timeout`, `first_byte_timeout`, `redirects`, `bind`, `name`, `ok`, `max_body`.
pub(crate) type Common<'a> = (
    Option<&'a Auth>,
    Nanos,
    Option<Nanos>,
    Option<Nanos>,
    i64,
    Option<Any<'a>>,
    Option<&'a str>,
    Option<Any<'a>>,
    i64,
);

/// `verify`, `roots`, `cert`, `key`, `server_name`.
pub(crate) type Tls<'a> = (
    bool,
    Option<Text<'a>>,
    Option<Text<'a>>,
    Option<Text<'a>>,
    Option<&'a str>,
);

/// What a call is given.
#[derive(Clone, Copy)]
pub(crate) struct Arguments<'a> {
    /// The method.
    pub(crate) method: &'a str,
    /// The URL.
    pub(crate) url: &'a str,
    /// The others, read when that is needed.
    pub(crate) rest: Rest<'a>,
}

/// Arguments behind the URL.
#[derive(Clone, Copy)]
pub(crate) enum Rest<'a> {
    /// Of a method without a body.
    Bodiless(Unread<'a, Bodiless>),
    /// Of a method that may have one.
    WithBody(Unread<'a, WithBody>),
}

/// Parameters of `get` and `head` behind the URL.
pub(crate) type Bodiless = (Lines<'static>, Common<'static>, Tls<'static>);
/// Parameters of `post` and the like behind the URL.
pub(crate) type WithBody = (Lines<'static>, Body<'static>, Common<'static>, Tls<'static>);

/// The register of `headers` among those behind the URL.
const HEADERS: usize = 0;
/// That of `query`.
const QUERY: usize = 1;
/// Those of `json`, `form`, `multipart` and `body`, where there are such.
const BODIES: std::ops::Range<usize> = 2..6;

const NO_BODY: Body<'static> = (None, None, None, None, false, false);

impl<'a> Arguments<'a> {
    /// Reads them all.
    pub(crate) fn job(&self, cx: &Ctx) -> Result<Job, Fault> {
        let (lines, body, common, tls) = match &self.rest {
            Rest::Bodiless(unread) => {
                let (lines, common, tls) = unread.read(cx);
                (lines, NO_BODY, common, tls)
            }
            Rest::WithBody(unread) => unread.read(cx),
        };
        Job::new(cx, (self.method, self.url), lines, body, common, tls)
    }

    /// The headers that are given.
    pub(crate) fn headers<'c>(&self, cx: &'c Ctx) -> Option<Map<'c>>
    where
        'a: 'c,
    {
        match &self.rest {
            Rest::Bodiless(unread) => unread.read(cx).0.0,
            Rest::WithBody(unread) => unread.read(cx).0.0,
        }
    }

    /// The body that is given, with its media type.
    pub(crate) fn body(&self, cx: &Ctx) -> Result<Option<(Vec<u8>, String)>, Fault> {
        match &self.rest {
            Rest::Bodiless(_) => Ok(None),
            Rest::WithBody(unread) => body_of(cx, unread.read(cx).1),
        }
    }

    /// The registers behind the URL as they are.
    pub(crate) fn registers(&self) -> &'a [u64] {
        match &self.rest {
            Rest::Bodiless(unread) => unread.registers(),
            Rest::WithBody(unread) => unread.registers(),
        }
    }

    /// Whether `query` is given.
    pub(crate) fn has_query(&self) -> bool {
        self.registers()[QUERY] != 0
    }

    /// The registers that may mean something else the next time though their bits are the same; `None` if there are
    /// others than those of headers and body.
    pub(crate) fn loose(&self) -> Option<Vec<usize>> {
        let (lasting, has_body): (Vec<bool>, bool) = match &self.rest {
            Rest::Bodiless(unread) => (unread.is_lasting().collect(), false),
            Rest::WithBody(unread) => (unread.is_lasting().collect(), true),
        };
        let loose: Vec<usize> = (0..lasting.len()).filter(|at| !lasting[*at]).collect();
        let known = |at: &usize| *at == HEADERS || has_body && BODIES.contains(at);
        loose.iter().all(known).then_some(loose)
    }

    /// Whether a loose register is that of the headers.
    pub(crate) fn is_headers(register: usize) -> bool {
        register == HEADERS
    }
}

/// A call, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// The method.
    pub(crate) method: String,
    /// Where it goes.
    pub(crate) url: Url,
    /// The caller's headers.
    pub(crate) headers: Vec<(String, String)>,
    /// Body and media type.
    pub(crate) body: Option<(Vec<u8>, String)>,
    /// Whether the body is sent in chunks.
    pub(crate) chunked: bool,
    /// Whether the body waits for `100 Continue`.
    pub(crate) expect_continue: bool,
    /// The `authorization` header; empty for none.
    pub(crate) authorization: String,
    /// The limit for everything.
    pub(crate) timeout: i64,
    /// The limit from the last byte sent to the first received.
    pub(crate) first_byte: Option<i64>,
    /// How many redirects are followed.
    pub(crate) redirects: i64,
    /// The name in reports, when it was given.
    pub(crate) name: Option<String>,
    /// Statuses that count as success.
    pub(crate) ok: Ok,
    /// The largest body of a response.
    pub(crate) max_body: u64,
    /// How to connect.
    pub(crate) dial: Dial,
}

/// Statuses that count as success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ok {
    /// Below 400.
    Default,
    /// These.
    Among(Vec<i64>),
    /// From the first to the second.
    Within(i64, i64),
}

impl Ok {
    fn of(cx: &Ctx, any: Option<Any<'_>>) -> Ok {
        let int = |scalar: Option<(Scalar, scn_runtime::value::Value)>| {
            scalar.map(|(_, value)| value.int())
        };
        match any.map(|any| any.view(cx.descs())) {
            Some(View::Box(_, value)) => Ok::Among(vec![value.int()]),
            Some(View::List(list)) => Ok::Among(
                list.iter(cx.descs())
                    .filter_map(|s| int(s.scalar()))
                    .collect(),
            ),
            Some(View::Range(range)) => {
                let at = |index| int(range.slot(cx.descs(), index).scalar()).unwrap_or_default();
                Ok::Within(at(0), if at(2) != 0 { at(1) } else { at(1) - 1 })
            }
            _ => Ok::Default,
        }
    }

    /// Whether a status is one of them.
    pub(crate) fn holds(&self, status: u16) -> bool {
        let status = i64::from(status);
        match self {
            Ok::Default => status < 400,
            Ok::Among(all) => all.contains(&status),
            Ok::Within(from, to) => (*from..=*to).contains(&status),
        }
    }
}

impl Job {
    /// Reads the arguments of a call.
    pub(crate) fn new(
        cx: &Ctx,
        (method, url): (&str, &str),
        (headers, query): Lines<'_>,
        body: Body<'_>,
        common: Common<'_>,
        tls: Tls<'_>,
    ) -> Result<Job, Fault> {
        let (auth, timeout, connect, first_byte, redirects, bind, name, ok, max_body) = common;
        let mut url = Url::parse(url)?;
        if let Some(query) = query {
            url.add_query(&encoded_pairs(cx, query));
        }
        let authorization = match (auth, &url.userinfo) {
            (Some(auth), _) => auth.0.clone(),
            (None, Some(userinfo)) => basic_of(userinfo),
            (None, None) => String::new(),
        };
        Ok(Job {
            method: method.to_owned(),
            authorization,
            headers: string_pairs(cx, headers),
            body: body_of(cx, body)?,
            chunked: body.4,
            expect_continue: body.5,
            timeout: timeout.0,
            first_byte: first_byte.map(|nanos| nanos.0),
            redirects,
            name: name.map(str::to_owned),
            ok: self::Ok::of(cx, ok),
            max_body: u64::try_from(max_body).unwrap_or(0),
            dial: Dial {
                bind: source(bind, cx.descs()),
                limit: connect.map(|nanos| nanos.0),
                tls: tls_options(tls),
                server_name: tls.4.map(str::to_owned),
            },
            url,
        })
    }
}

impl Job {
    /// The request, with this `Cookie` header.
    pub(crate) fn request<'a>(&'a self, cookie: &'a str) -> Request<'a> {
        Request {
            method: &self.method,
            url: &self.url,
            headers: &self.headers,
            cookie,
            authorization: &self.authorization,
            body: self
                .body
                .as_ref()
                .map(|(body, media_type)| (body.as_slice(), media_type.as_str())),
            sending: self.sending(),
            expect_continue: self.expect_continue,
        }
    }

    /// How a body is sent.
    pub(crate) fn sending(&self) -> Sending {
        match self.chunked {
            true => Sending::Chunked,
            false => Sending::Length,
        }
    }
}

/// Credentials in a URL (RFC 3986 section 3.2.1), as basic credentials.
fn basic_of(userinfo: &str) -> String {
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decode = |text| super::url::decode_component(text, false);
    basic(&decode(user), &decode(password))
}

/// The header of basic credentials (RFC 7617).
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"))
    )
}

fn tls_options((verify, roots, cert, key, _): Tls<'_>) -> Options {
    let owned = |text: Option<Text<'_>>| text.map(|text| text.bytes.to_vec());
    Options {
        verify,
        roots: owned(roots),
        cert: owned(cert),
        key: owned(key),
        alpn: vec!["http/1.1".to_owned()],
        ..Options::default()
    }
}

fn body_of(
    cx: &Ctx,
    (json, form, parts, body, ..): Body<'_>,
) -> Result<Option<(Vec<u8>, String)>, Fault> {
    let given = [
        json.is_some(),
        form.is_some(),
        parts.is_some(),
        body.is_some(),
    ];
    if given.iter().filter(|given| **given).count() > 1 {
        return Err(Fault::text(
            "http.invalid_request",
            "a request has one body: `json`, `form`, `multipart` or `body`",
        ));
    }
    let body = match (json, form, parts, body) {
        (Some(json), ..) => Some((
            json_text(cx, json).into_bytes(),
            "application/json".to_owned(),
        )),
        (_, Some(form), ..) => Some((
            encoded_pairs(cx, form).into_bytes(),
            "application/x-www-form-urlencoded".to_owned(),
        )),
        (_, _, Some(parts), _) => {
            let parts = parts
                .iter(cx.descs())
                .filter_map(|slot| slot.any()?.as_extern::<Part>(cx.descs()).cloned());
            Some(multipart(&parts.collect::<Vec<_>>()))
        }
        (_, _, _, Some(text)) => {
            let media_type = if text.as_str().is_some() {
                "text/plain; charset=utf-8"
            } else {
                "application/octet-stream"
            };
            Some((text.bytes.to_vec(), media_type.to_owned()))
        }
        (None, None, None, None) => None,
    };
    Ok(body)
}
