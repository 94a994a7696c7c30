//! The functions of a server that nobody wrote: binding, accepting, a connection's life, the loop of http.

use super::builder::target;
use super::function::{Fallible, Lower, Returns, Value};
use super::scopes::ScopeKind;
use super::tables::Tables;
use crate::hir::{self, Protocol, Route, Segment, Server, Type};
use crate::ir::{self, BlockId, ConstObject, FuncId, Op, Reg, Terminator, TryOp, Ty};

/// Lowers a server's functions.
pub(super) fn lower_server<'h>(
    t: &mut Tables<'h>,
    global: &'h hir::Global,
    server: &'h Server,
    at: u32,
) -> ir::GlobalKind {
    let start = start(t, global, server, at);
    let main = main(t, global, server);
    ir::GlobalKind::Server(ir::Server {
        protocol: word(server.protocol).to_owned(),
        cells: server.cells.iter().map(|cell| t.slot(cell.ty)).collect(),
        state: server.state.map(|state| t.func(state)),
        start,
        main,
    })
}

fn word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Tls => "tls",
        Protocol::Http => "http",
    }
}

/// Makes a strand function of a server that `body` fills and ends.
fn synthesise<'h>(
    t: &mut Tables<'h>,
    (global, server): (&'h hir::Global, &'h Server),
    what: &str,
    returns: Returns,
    body: impl FnOnce(&mut Lower<'_, 'h>),
) -> FuncId {
    let id = t.reserve(format!("{} {what}", global.name), global.span);
    t.strands.push(id);
    let function = &t.hir.functions[server.address.index()];
    let mut lower = Lower::new(t, function, returns, global.span);
    body(&mut lower);
    lower.finish(id);
    id
}

/// Evaluates address and options, binds, returns the listener.
fn start<'h>(t: &mut Tables<'h>, global: &'h hir::Global, server: &'h Server, at: u32) -> FuncId {
    synthesise(t, (global, server), "start", Returns::Pointer, |lower| {
        let id = lower.b.int(i64::from(at));
        let protocol = lower.text(word(server.protocol));
        let address = lower.call_regs(server.address, Vec::new())[0];
        let mut options = Vec::new();
        for (name, value) in &server.options {
            options.push(lower.text(name));
            options.push(lower.call_regs(*value, Vec::new())[0]);
        }
        let options = lower
            .b
            .emit1(Op::NewList(ir::desc::LIST_STRING, options), Ty::Ptr);
        // Datagrams are another machine: a component without them goes without it.
        let bind = match server.protocol {
            Protocol::Udp => "server.listen_udp",
            _ => "server.listen",
        };
        let listener = lower.rt1(bind, &[id, protocol, address, options]);
        lower
            .b
            .terminate(Terminator::Return(smallvec::smallvec![listener]));
    })
}

/// Accepts connections for ever; udp has none and runs its body on the socket.
fn main<'h>(t: &mut Tables<'h>, global: &'h hir::Global, server: &'h Server) -> FuncId {
    if server.protocol == Protocol::Udp {
        return synthesise(t, (global, server), "main", Returns::Nothing, |lower| {
            let socket = lower.param(Ty::Ptr);
            lower.serve(global, |lower| lower.connection(server, socket));
            lower.end_connection(socket);
        });
    }
    let connection = connection(t, global, server);
    synthesise(t, (global, server), "main", Returns::Nothing, |lower| {
        let listener = lower.param(Ty::Ptr);
        let header = lower.b.block();
        lower.b.jump(header);
        lower.b.switch_to(header);
        let conn = lower.rt1("server.accept", &[listener]);
        lower.b.emit0(Op::Spawn(connection, vec![conn]));
        lower.poke();
        lower.b.jump(header);
        lower.b.seal(header);
    })
}

fn connection<'h>(t: &mut Tables<'h>, global: &'h hir::Global, server: &'h Server) -> FuncId {
    synthesise(
        t,
        (global, server),
        "connection",
        Returns::Nothing,
        |lower| {
            let conn = lower.param(Ty::Ptr);
            if server.protocol == Protocol::Http {
                lower.http_loop(global, server, conn);
            } else {
                lower.serve(global, |lower| match server.protocol {
                    Protocol::Tls => {
                        let conn = lower.rt1("server.handshake", &[conn]);
                        lower.connection(server, conn);
                    }
                    _ => lower.connection(server, conn),
                });
            }
            lower.end_connection(conn);
        },
    )
}

impl<'h> Lower<'_, 'h> {
    fn call_regs(&mut self, func: hir::FuncId, args: Vec<Reg>) -> smallvec::SmallVec<[Reg; 2]> {
        let callee = &self.hir.functions[func.index()];
        let memory = callee.kind == hir::FunctionKind::Initialiser;
        let classes = match (callee.kind, self.t.repr(callee.result)) {
            (hir::FunctionKind::Connection, _) => Vec::new(),
            (_, repr) if memory => vec![repr.slot_class()],
            (_, repr) => repr.classes().to_vec(),
        };
        self.fallible(
            Fallible::Try(TryOp::Call(self.t.func(func), args)),
            &classes,
        )
    }

    fn connection(&mut self, server: &'h Server, conn: Reg) {
        if let Some(body) = server.body {
            self.call_regs(body, vec![conn]);
        }
        self.b.emit0(Op::Keep(conn));
    }

    /// Runs `body`; an error of it is reported as the server's, a cancellation passes.
    fn serve(&mut self, global: &'h hir::Global, body: impl FnOnce(&mut Self)) {
        self.push_scope(ScopeKind::Handler);
        body(self);
        let failed = self.pop_handler();
        let done = self.b.block();
        self.b.jump(done);
        if let Some(failed) = failed {
            self.b.enter(failed);
            self.pass_cancellation();
            self.server_error(global);
            self.b.jump(done);
        }
        self.b.enter(done);
    }

    fn server_error(&mut self, global: &'h hir::Global) {
        let name = self.text(&global.name);
        self.rt("rt.server_error", &[name]);
    }

    fn end_connection(&mut self, conn: Reg) {
        self.b.emit0(Op::Keep(conn));
        self.b
            .terminate(Terminator::Return(smallvec::SmallVec::new()));
    }

    /// Reads requests until the peer is done. An error while reading or answering ends the connection and is
    /// not the script's; one in a route is, and answers 500.
    fn http_loop(&mut self, global: &'h hir::Global, server: &'h Server, conn: Reg) {
        let (header, closed) = (self.b.block(), self.b.block());
        self.b.jump(header);
        self.b.switch_to(header);
        self.push_scope(ScopeKind::Handler);
        let request = self.rt1("server.read", &[conn]);
        let more = self.b.block();
        let ended = self.b.emit1(Op::IsNull(request), Ty::Int);
        self.b.branch(ended, closed, more);
        self.b.enter(more);
        self.answer(global, server, conn, request);
        self.poke();
        let broken = self.pop_handler();
        self.b.jump(header);
        self.b.seal(header);
        if let Some(broken) = broken {
            self.b.enter(broken);
            self.pass_cancellation();
            self.b.emit1(Op::ErrTake, Ty::Ptr);
            self.b.jump(closed);
        }
        self.b.enter(closed);
    }

    fn answer(&mut self, global: &'h hir::Global, server: &'h Server, conn: Reg, request: Reg) {
        let lines = server.routes.iter();
        let lines = lines
            .map(|route| ConstObject::String(self.route_line(route)))
            .collect();
        let table = ConstObject::List(ir::desc::LIST_STRING, lines);
        let table = self.t.constant(table);
        let table = self.b.emit1(Op::Const(table), Ty::Ptr);
        let index = self.rt1("server.route", &[request, table]);
        let (missing, done) = (self.b.block(), self.b.block());
        let blocks: Vec<BlockId> = server.routes.iter().map(|_| self.b.block()).collect();
        let cases = blocks
            .iter()
            .enumerate()
            .map(|(at, block)| (at as i64, target(*block)))
            .collect();
        self.b.terminate(Terminator::Switch {
            value: index,
            cases,
            default: target(missing),
        });
        for (route, block) in server.routes.iter().zip(blocks) {
            self.b.enter(block);
            self.run_route(global, route, conn, request);
            self.b.jump(done);
        }
        self.b.enter(missing);
        self.rt("server.respond_missing", &[conn, request]);
        self.b.jump(done);
        self.b.enter(done);
    }

    fn run_route(&mut self, global: &'h hir::Global, route: &'h Route, conn: Reg, request: Reg) {
        self.push_scope(ScopeKind::Handler);
        let args = self.route_args(route, request);
        let reply = self.call_regs(route.func, args);
        let failed = self.pop_handler();
        let done = self.b.block();
        let reply = self.reg(Value::of(&reply));
        self.rt("server.respond", &[conn, request, reply]);
        self.b.jump(done);
        if let Some(failed) = failed {
            self.b.enter(failed);
            self.pass_cancellation();
            self.server_error(global);
            self.rt("server.respond_error", &[conn]);
            self.b.jump(done);
        }
        self.b.enter(done);
    }

    fn route_args(&mut self, route: &'h Route, request: Reg) -> Vec<Reg> {
        let mut args = vec![request];
        let params = route
            .path
            .iter()
            .flatten()
            .filter_map(|segment| match segment {
                Segment::Param(_, ty) => Some(*ty),
                Segment::Text(_) => None,
            });
        for (at, ty) in params.enumerate() {
            let at = self.b.int(at as i64);
            let name = match self.t.ty(ty) {
                Type::Int => "server.param_int",
                _ => "server.param_string",
            };
            args.push(self.rt1(name, &[request, at]));
        }
        args
    }

    /// The line of a route in the table: `GET /users/{id:int}`.
    fn route_line(&self, route: &Route) -> String {
        let Some(path) = &route.path else {
            return "*".to_owned();
        };
        let segment = |segment: &Segment| match segment {
            Segment::Text(text) => format!("/{text}"),
            Segment::Param(name, ty) => match self.t.ty(*ty) {
                Type::Int => format!("/{{{name}:int}}"),
                _ => format!("/{{{name}:string}}"),
            },
        };
        let path: String = path.iter().map(segment).collect();
        let path = if path.is_empty() {
            "/".to_owned()
        } else {
            path
        };
        format!("{} {path}", route.method.as_deref().unwrap_or("*"))
    }
}
