//! What scenarios see of a response, and the small values that go into calls.

use super::body::Part;
use super::content::{json_object, string_map};
use super::cookies::pair;
use super::job::basic;
use super::response::Message;
use super::session::{Dialled, Ends};
use super::transfer::Marks;
use crate::json;
use scn_runtime::{
    Ctx, DescId, Extern, Fault, List, NativeDef, New, Own, OwnSlot, Text, VarList, VarMap, ready,
};
use std::net::SocketAddr;
use std::rc::Rc;

/// The natives of this file.
pub(super) fn natives() -> Vec<NativeDef> {
    vec![
        ready("http.basic", basic_auth),
        ready("http.bearer", bearer_auth),
        ready("http.part", part),
        ready("Response.status", status),
        ready("Response.reason", reason),
        ready("Response.version", version),
        ready("Response.headers", headers),
        ready("Response.header", header),
        ready("Response.header_values", header_values),
        ready("Response.cookies", cookies),
        ready("Response.body", body),
        ready("Response.text", text),
        ready("Response.json", json),
        ready("Response.json_part", json_part),
        ready("Response.json_parts", json_parts),
        ready("Response.url", url),
        ready("Response.remote", remote),
        ready("Response.local", local),
        ready("Response.timings", timings),
    ]
}

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    /// Status, headers, body.
    pub(super) message: Message,
    /// The URL that answered.
    pub(super) url: Rc<str>,
    /// The addresses of its connection.
    pub(super) ends: Rc<Ends>,
    /// How long connecting took.
    pub(super) dialled: Option<Box<Dialled>>,
    /// When what happened.
    pub(super) marks: Marks,
    /// When the call began.
    pub(super) started: u64,
}

impl Extern for Response {
    const NAME: &'static str = "Response";
}

/// The value of an `authorization` header.
#[derive(Debug)]
pub(crate) struct Auth(pub(super) String);

impl Extern for Auth {
    const NAME: &'static str = "Auth";
}

impl Extern for Part {
    const NAME: &'static str = "Part";
}

/// How long the phases of an exchange took, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Timings {
    pub(super) dns: i64,
    pub(super) connect: i64,
    pub(super) tls: i64,
    pub(super) send: i64,
    pub(super) wait: i64,
    pub(super) receive: i64,
}

impl Timings {
    /// From the parts of connecting and the marks of a transfer.
    pub(super) fn of(dialled: Option<&Dialled>, marks: &Marks) -> Timings {
        let dialled = dialled.copied().unwrap_or_default();
        let span = |from: u64, to: u64| {
            if from == 0 || to < from {
                0
            } else {
                (to - from).cast_signed()
            }
        };
        let sent = if marks.sent == 0 {
            marks.first
        } else {
            marks.sent
        };
        Timings {
            dns: dialled.dns,
            connect: dialled.connect,
            tls: dialled.tls,
            send: span(marks.started, sent),
            wait: span(
                sent,
                if marks.first == 0 {
                    marks.done
                } else {
                    marks.first
                },
            ),
            receive: span(marks.first, marks.done),
        }
    }

    /// The phases as they are measured: -1 for those that did not take place.
    pub(super) fn measured(&self, connected: bool) -> [i64; 6] {
        let [dns, connect, tls] = match connected {
            false => [-1; 3],
            true => {
                [self.dns, self.connect, self.tls].map(|took| if took == 0 { -1 } else { took })
            }
        };
        [dns, connect, tls, self.send, self.wait, self.receive]
    }

    /// The phases with their names.
    pub(super) fn phases(&self) -> Vec<(&'static str, i64)> {
        vec![
            ("dns", self.dns),
            ("connect", self.connect),
            ("tls", self.tls),
            ("send", self.send),
            ("wait", self.wait),
            ("receive", self.receive),
        ]
    }
}

fn basic_auth(ctx: &Ctx, user: &str, password: &str) -> New<Auth> {
    let header = basic(user, password);
    // What follows the scheme is what reports would show.
    let credentials = header.rsplit(' ').next().unwrap_or_default();
    ctx.with_user(|me| me.add_encoded_secret(password, credentials));
    New(Auth(header))
}

fn bearer_auth(token: &str) -> New<Auth> {
    New(Auth(format!("Bearer {token}")))
}

fn part(
    name: &str,
    content: Text<'_>,
    filename: Option<&str>,
    media_type: Option<&str>,
) -> New<Part> {
    let default =
        (filename.is_some() || content.as_str().is_none()).then_some("application/octet-stream");
    New(Part {
        name: name.to_owned(),
        content: content.bytes.to_vec(),
        filename: filename.map(str::to_owned),
        media_type: media_type.or(default).map(str::to_owned),
    })
}

fn status(r: &Response) -> i64 {
    r.message.first.status.into()
}

fn reason(r: &Response) -> String {
    r.message.head.reason().to_owned()
}

fn version(r: &Response) -> &'static str {
    if r.message.first.minor == 0 {
        "HTTP/1.0"
    } else {
        "HTTP/1.1"
    }
}

fn headers(cx: &Ctx, desc: DescId, r: &Response) -> VarMap {
    string_map(cx, desc, &r.message.head)
}

fn header(r: &Response, name: &str) -> Option<String> {
    r.message.head.get(name)
}

fn header_values(cx: &Ctx, _desc: DescId, r: &Response, name: &str) -> VarList {
    VarList::of_strings(cx, r.message.head.all(name).map(String::from_utf8_lossy))
}

fn cookies(cx: &Ctx, desc: DescId, r: &Response) -> VarMap {
    let mut map = VarMap::new(cx, desc);
    for line in r.message.head.all("set-cookie") {
        if let Some((name, value)) = pair(&String::from_utf8_lossy(line)) {
            map.insert_str(cx, name, value);
        }
    }
    map
}

fn body(cx: &Ctx, r: &Response) -> Own {
    cx.heap.bytes(&r.message.body)
}

fn text(cx: &Ctx, r: &Response) -> Own {
    cx.heap.string(&String::from_utf8_lossy(&r.message.body))
}

fn json(cx: &Ctx, r: &Response) -> Result<Own, Fault> {
    json_object(cx, &r.message.body)
}

/// What the compiler makes of `json` when one path of the value is all that is read.
fn json_part(cx: &Ctx, r: &Response, path: List<'_>) -> Result<Own, Fault> {
    json::part(cx, &r.message.body, path).map_err(|fault| fault.during("Response.json"))
}

/// The same for several paths.
fn json_parts(cx: &Ctx, r: &Response, paths: List<'_>) -> Result<VarList, Fault> {
    json::parts(cx, &r.message.body, paths).map_err(|fault| fault.during("Response.json"))
}

fn url(r: &Response) -> String {
    r.url.to_string()
}

fn remote(r: &Response) -> SocketAddr {
    r.ends.remote
}

fn local(r: &Response) -> SocketAddr {
    r.ends.local
}

fn timings(cx: &Ctx, desc: DescId, r: &Response) -> Own {
    let t = Timings::of(r.dialled.as_deref(), &r.marks);
    let total = r.marks.done.saturating_sub(r.started).cast_signed();
    let all = [t.dns, t.connect, t.tls, t.send, t.wait, t.receive, total];
    cx.heap
        .record(desc, all.into_iter().map(OwnSlot::int).collect())
}
