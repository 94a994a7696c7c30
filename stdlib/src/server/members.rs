//! What routes see: the members of `req`, and `reply`.

use super::reply::{self, Reply};
use super::request::Request;
use crate::http::content::{json_object, json_text, string_map, string_pairs};
use crate::json;
use scn_runtime::{
    Any, Ctx, DescId, Extern, Fault, List, Map, NativeDef, New, Own, Text, VarList, VarMap, ready,
};
use std::cell::RefCell;
use std::net::SocketAddr;

/// The natives of this file.
pub(super) fn natives() -> Vec<NativeDef> {
    vec![
        ready("Request.method", method),
        ready("Request.path", path),
        ready("Request.query", query),
        ready("Request.query_string", query_string),
        ready("Request.header", header),
        ready("Request.headers", headers),
        ready("Request.cookie", cookie),
        ready("Request.body", body),
        ready("Request.text", text),
        ready("Request.json", json),
        ready("Request.json_part", json_part),
        ready("Request.json_parts", json_parts),
        ready("Request.form", form),
        ready("Request.remote", remote),
        ready("server.reply", reply),
    ]
}

/// The request of a route.
#[derive(Debug)]
pub(crate) struct ServerRequest {
    pub(super) request: Request,
    remote: SocketAddr,
    /// Values of the route's parameters, once it is known.
    pub(super) params: RefCell<Vec<String>>,
    /// Methods of the path, when the one asked for is not among them.
    pub(super) allowed: RefCell<Vec<String>>,
}

impl Extern for ServerRequest {
    const NAME: &'static str = "Request";
}

impl Extern for Reply {
    const NAME: &'static str = "Reply";
}

impl ServerRequest {
    /// A request of a client.
    pub(super) fn new(request: Request, remote: SocketAddr) -> ServerRequest {
        ServerRequest {
            request,
            remote,
            params: RefCell::default(),
            allowed: RefCell::default(),
        }
    }
}

fn method(req: &ServerRequest) -> String {
    req.request.first.method.clone()
}

fn path(req: &ServerRequest) -> String {
    req.request.path().to_owned()
}

fn query(req: &ServerRequest, name: &str) -> Option<String> {
    req.request.query_value(name)
}

fn query_string(req: &ServerRequest) -> String {
    req.request.query().to_owned()
}

fn header(req: &ServerRequest, name: &str) -> Option<String> {
    req.request.head.get(name)
}

fn headers(cx: &Ctx, desc: DescId, req: &ServerRequest) -> VarMap {
    string_map(cx, desc, &req.request.head)
}

fn cookie(req: &ServerRequest, name: &str) -> Option<String> {
    req.request.cookie(name)
}

fn body(cx: &Ctx, req: &ServerRequest) -> Own {
    cx.heap.bytes(&req.request.body)
}

fn text(req: &ServerRequest) -> String {
    String::from_utf8_lossy(&req.request.body).into_owned()
}

fn json(cx: &Ctx, req: &ServerRequest) -> Result<Own, Fault> {
    json_object(cx, &req.request.body)
}

/// What the compiler makes of `json` when one path of the value is all that is read.
fn json_part(cx: &Ctx, req: &ServerRequest, path: List<'_>) -> Result<Own, Fault> {
    json::part(cx, &req.request.body, path).map_err(|fault| fault.during("Request.json"))
}

/// The same for several paths.
fn json_parts(cx: &Ctx, req: &ServerRequest, paths: List<'_>) -> Result<VarList, Fault> {
    json::parts(cx, &req.request.body, paths).map_err(|fault| fault.during("Request.json"))
}

fn form(req: &ServerRequest, name: &str) -> Option<String> {
    req.request.form_value(name)
}

fn remote(req: &ServerRequest) -> SocketAddr {
    req.remote
}

fn reply(
    cx: &Ctx,
    status: i64,
    json: Option<Any<'_>>,
    body: Option<Text<'_>>,
    headers: Option<Map<'_>>,
    chunked: bool,
) -> Result<New<Reply>, Fault> {
    let (body, media_type) = match (json, body) {
        (Some(_), Some(_)) => return Err(Fault::invalid("a reply has one body: `json` or `body`")),
        (Some(json), None) => (json_text(cx, json).into_bytes(), "application/json"),
        (None, Some(text)) if text.as_str().is_some() => {
            (text.bytes.to_vec(), "text/plain; charset=utf-8")
        }
        (None, Some(bytes)) => (bytes.bytes.to_vec(), "application/octet-stream"),
        (None, None) => (Vec::new(), ""),
    };
    let code = u16::try_from(status).map_err(|_| reply::no_status(status))?;
    let reply = Reply {
        status: code,
        headers: string_pairs(cx, headers),
        body,
        media_type,
        chunked,
    };
    reply.check()?;
    Ok(New(reply))
}
