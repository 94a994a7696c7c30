//! Servers: their state, their routes, the body of a connection.

use super::Checker;
use super::function::Head;
use super::scope::{Cells, Returns, VarKind};
use super::units::UnitId;
use crate::diagnostics::suggest::did_you_mean;
use crate::diagnostics::{lints, scenario, values};
use crate::hir::{
    Block, CellOwner, Const, FuncId, FunctionKind, GlobalId, GlobalKind, Protocol, Route, Segment,
    Server, Type, TypeId,
};
use scn_grammar::Span;
use scn_grammar::ast::{self, Ident, ServerItem, StrLit};

/// Methods that routes can have.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
];

/// The protocols, and what their bodies get.
const PROTOCOLS: [(&str, Protocol, &str); 4] = [
    ("tcp", Protocol::Tcp, "TcpConn"),
    ("udp", Protocol::Udp, "UdpSocket"),
    ("tls", Protocol::Tls, "TlsConn"),
    ("http", Protocol::Http, ""),
];

impl Checker<'_> {
    pub(super) fn server_type(&mut self, server: &ServerItem) -> TypeId {
        let word = &server.protocol;
        match PROTOCOLS.iter().find(|(name, ..)| *name == word.text) {
            Some((_, protocol, _)) => self.intern(Type::Server(*protocol)),
            None => {
                if !word.text.is_empty() {
                    let names: Vec<_> = PROTOCOLS.iter().map(|(name, ..)| *name).collect();
                    self.report(scenario::unknown_word(
                        "protocol", &word.text, word.span, &names,
                    ));
                }
                self.basic.unknown
            }
        }
    }

    pub(super) fn check_server(&mut self, unit: UnitId, item: &ServerItem) {
        let Some(id) = self.global_declared_at(unit, &item.name) else {
            return;
        };
        let Type::Server(protocol) = *self.ty(self.hir.globals[id.index()].ty) else {
            return;
        };
        self.cells = Cells::default();
        let address = self.initialiser(
            unit,
            id,
            &item.address,
            self.basic.string,
            "the address of a server",
        );
        self.check_server_address(address, item.address.span);
        let options = self.server_options(unit, id, item, protocol);
        let state = self.server_state(unit, id, item);
        let body = self.server_body(unit, id, item, protocol);
        let routes = self.routes(unit, id, item);
        self.lint_server_cells();
        let cells = std::mem::take(&mut self.cells).all;
        self.hir.globals[id.index()].kind = GlobalKind::Server(Server {
            protocol,
            address,
            options,
            cells,
            state,
            body,
            routes,
        });
    }

    fn check_server_address(&mut self, address: FuncId, span: Span) {
        let function = self.functions[address.index()].as_ref();
        let value = function
            .and_then(|f| f.body.value.as_ref())
            .and_then(super::fold::constant);
        if let Some(Const::String(text)) = value
            && let Some(why) = super::constants::host_port_error(&text)
        {
            let help = Some("such as `\"127.0.0.1:0\"`; port 0 takes a free one".to_owned());
            self.report(values::bad_constant("address", &why, span, help));
        }
    }

    fn server_options(
        &mut self,
        unit: UnitId,
        id: GlobalId,
        item: &ServerItem,
        protocol: Protocol,
    ) -> Vec<(String, FuncId)> {
        let known: &[&str] = if protocol == Protocol::Tls {
            &["cert", "key", "client_roots", "alpn"]
        } else {
            &[]
        };
        let mut options = Vec::new();
        for option in &item.options {
            let Some(name) = option
                .name
                .as_ref()
                .filter(|name| known.contains(&name.text.as_str()))
            else {
                let span = option
                    .name
                    .as_ref()
                    .map_or(option.value.span, |name| name.span);
                let help = option
                    .name
                    .as_ref()
                    .and_then(|name| did_you_mean(&name.text, known.iter().copied()));
                self.report(scenario::unknown_server_option(
                    &item.protocol.text,
                    span,
                    help,
                ));
                continue;
            };
            let value = self.initialiser(
                unit,
                id,
                &option.value,
                self.basic.string,
                "an option of a server",
            );
            options.push((name.text.clone(), value));
        }
        options
    }

    fn server_state(&mut self, unit: UnitId, id: GlobalId, item: &ServerItem) -> Option<FuncId> {
        let (first, last) = (item.state.first()?, item.state.last()?);
        let func = self.new_function();
        let head = self.server_head(
            unit,
            func,
            id,
            item.name.text.clone(),
            FunctionKind::ServerState,
            item.name.span,
        );
        let outer = self.begin(&head);
        let mut stmts = Vec::with_capacity(item.state.len());
        for stmt in &item.state {
            if let ast::StmtKind::Let {
                mutable,
                pattern,
                ty,
                value,
            } = &stmt.kind
            {
                let kind = self.let_stmt(*mutable, pattern, ty.as_ref(), value, true);
                stmts.push(crate::hir::Stmt {
                    span: stmt.span,
                    kind,
                });
            }
        }
        let body = Block {
            stmts,
            value: None,
            span: first.span.to(last.span),
        };
        self.store(head, Vec::new(), body, outer);
        Some(func)
    }

    fn server_head(
        &self,
        unit: UnitId,
        func: FuncId,
        id: GlobalId,
        name: String,
        kind: FunctionKind,
        span: Span,
    ) -> Head {
        Head {
            unit,
            func,
            name,
            kind,
            returns: Returns::Plain,
            result_span: None,
            span,
            cells: Some(CellOwner::Server(id)),
        }
    }

    fn server_body(
        &mut self,
        unit: UnitId,
        id: GlobalId,
        item: &ServerItem,
        protocol: Protocol,
    ) -> Option<FuncId> {
        let (_, _, handle) = PROTOCOLS.iter().find(|(_, known, _)| *known == protocol)?;
        if protocol == Protocol::Http {
            if let Some(body) = &item.body {
                self.report(scenario::http_server_body(body.span));
            }
            return None;
        }
        if let Some(route) = item.routes.first() {
            self.report(scenario::routes_without_http(
                &item.protocol.text,
                route.span,
            ));
        }
        let Some(body) = &item.body else {
            self.report(scenario::server_without_body(
                &item.protocol.text,
                item.name.span,
            ));
            return None;
        };
        if let Some(second) = item.params.get(1) {
            self.report(scenario::too_many_section_parameters(second.span));
        }
        let ty = self.library_type(handle);
        let param = match item.params.first() {
            Some(name) => (name.clone(), ty),
            None => (
                Ident {
                    text: String::new(),
                    span: item.name.span,
                },
                ty,
            ),
        };
        let func = self.new_function();
        let name = item.name.text.clone();
        let head = self.server_head(
            unit,
            func,
            id,
            name,
            FunctionKind::Connection,
            item.name.span,
        );
        self.check_function(head, &[param], VarKind::Parameter, body);
        Some(func)
    }

    /// A type that the library declares, for what the language hands out by itself.
    fn library_type(&mut self, name: &str) -> TypeId {
        match self.module_of_type(name) {
            Some(unit) if self.units[unit].types.contains_key(name) => {
                self.declared_type(unit, name)
            }
            _ => self.basic.unknown,
        }
    }

    fn routes(&mut self, unit: UnitId, id: GlobalId, item: &ServerItem) -> Vec<Route> {
        if item.protocol.text != "http" {
            return Vec::new();
        }
        let mut routes: Vec<Route> = Vec::with_capacity(item.routes.len());
        for route in &item.routes {
            let checked = self.route(unit, id, item, route);
            let same = |other: &&Route| {
                other.method == checked.method
                    && shape(other.path.as_deref()) == shape(checked.path.as_deref())
            };
            if let Some(first) = routes.iter().find(same) {
                self.report(scenario::route_twice(route_head(route), first.span));
            }
            routes.push(checked);
        }
        routes
    }

    fn route(
        &mut self,
        unit: UnitId,
        id: GlobalId,
        item: &ServerItem,
        route: &ast::Route,
    ) -> Route {
        if let Some(method) = &route.method
            && !METHODS.contains(&method.text.as_str())
            && !method.text.is_empty()
        {
            self.report(scenario::unknown_word(
                "method",
                &method.text,
                method.span,
                &METHODS,
            ));
        }
        let path = route.path.as_ref().map(|path| self.route_path(path));
        let span = route_head(route);
        let mut params = vec![(
            Ident {
                text: "req".to_owned(),
                span,
            },
            self.library_type("Request"),
        )];
        for segment in path.iter().flatten() {
            if let Segment::Param(name, ty) = segment {
                params.push((
                    Ident {
                        text: name.clone(),
                        span: route.path.as_ref().map_or(span, |p| p.span),
                    },
                    *ty,
                ));
            }
        }
        let func = self.new_function();
        let name = format!("{} {}", item.name.text, self.route_name(route));
        let reply = self.library_type("Reply");
        let mut head = self.server_head(unit, func, id, name, FunctionKind::Route, span);
        head.returns = Returns::Value(reply);
        self.check_function(head, &params, VarKind::Silent, &route.body);
        Route {
            method: route.method.as_ref().map(|method| method.text.clone()),
            path,
            func,
            span,
        }
    }

    fn route_name(&self, route: &ast::Route) -> String {
        match (&route.method, &route.path) {
            (Some(method), Some(path)) => format!("{} {}", method.text, path.text),
            _ => "_".to_owned(),
        }
    }

    /// `/users/{id: int}` taken apart.
    fn route_path(&mut self, path: &StrLit) -> Vec<Segment> {
        let Some(rest) = path.text.strip_prefix('/') else {
            self.report(scenario::bad_route("a path starts with `/`", path.span));
            return Vec::new();
        };
        if rest.is_empty() {
            return Vec::new();
        }
        let mut segments = Vec::new();
        for part in rest.split('/') {
            let segment = self.segment(part, path.span);
            if let Segment::Param(name, _) = &segment
                && segments
                    .iter()
                    .any(|known| matches!(known, Segment::Param(other, _) if other == name))
            {
                self.report(scenario::bad_route(
                    &format!("`{name}` is there twice"),
                    path.span,
                ));
            }
            segments.push(segment);
        }
        segments
    }

    fn segment(&mut self, part: &str, span: Span) -> Segment {
        let Some(inner) = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'))
        else {
            if part.contains(['{', '}']) {
                self.report(scenario::bad_route(
                    "a parameter takes a whole segment: `/{name}/`",
                    span,
                ));
            } else if part.contains(['?', '#', ' ']) {
                self.report(scenario::bad_route(
                    "a path has no query, fragment or blank",
                    span,
                ));
            }
            return Segment::Text(part.to_owned());
        };
        let (name, ty) = inner.split_once(':').unwrap_or((inner, "string"));
        let (name, ty) = (name.trim(), ty.trim());
        let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !is_name {
            self.report(scenario::bad_route(&format!("`{name}` is no name"), span));
        }
        let ty = match ty {
            "int" => self.basic.int,
            "string" => self.basic.string,
            _ => {
                self.report(scenario::bad_route(
                    &format!("a parameter is an `int` or a `string`, not `{ty}`"),
                    span,
                ));
                self.basic.unknown
            }
        };
        Segment::Param(name.to_owned(), ty)
    }

    fn lint_server_cells(&mut self) {
        let mut found = Vec::new();
        for (cell, marks) in self.cells.all.iter().zip(&self.cells.marks) {
            if !marks.read && !cell.name.starts_with('_') {
                found.push(lints::unused_variable(&cell.name, cell.span, marks.written));
            } else if cell.mutable && !marks.written {
                found.push(lints::never_changes(&cell.name, cell.span));
            }
        }
        self.diagnostics.extend(found);
    }
}

fn shape(path: Option<&[Segment]>) -> Option<Vec<String>> {
    path.map(|path| {
        path.iter()
            .map(|segment| match segment {
                Segment::Text(text) => format!("/{text}"),
                Segment::Param(_, ty) => format!("{{{}}}", ty.0),
            })
            .collect()
    })
}

fn route_head(route: &ast::Route) -> Span {
    match (&route.method, &route.path) {
        (Some(method), Some(path)) => method.span.to(path.span),
        _ => Span {
            end: (route.span.start + 1).min(route.span.end),
            ..route.span
        },
    }
}
