//! Servers: mock peers, with routes when they speak http.

use super::Builder;
use crate::ast::{Arg, Expr, Ident, Route, ServerItem, Stmt, StmtKind};
use crate::syntax::{Kids, Node, Rule};

impl<'t> Builder<'t> {
    pub(super) fn server(&mut self, node: Node) -> ServerItem {
        let mut kids = self.kids(node);
        match kids.accept(Rule::http_server) {
            Some(http) => self.http_server(http),
            None => self.plain_server(node),
        }
    }

    fn plain_server(&mut self, node: Node) -> ServerItem {
        let mut kids = self.kids(node);
        let name = self.take_name(&mut kids, node);
        let protocol = self.take_word(&mut kids, node);
        let address = self.address(&mut kids, node);
        let options = self.options(&mut kids);
        let params = self.take_all(&mut kids, Rule::server_params, Rule::name);
        let params: Vec<Ident> = params.into_iter().map(|param| self.name(param)).collect();
        let body = Some(self.take_block(&mut kids, node));
        let (state, routes) = (Vec::new(), Vec::new());
        ServerItem {
            name,
            protocol,
            address,
            options,
            params,
            state,
            routes,
            body,
        }
    }

    fn http_server(&mut self, node: Node) -> ServerItem {
        let mut kids = self.kids(node);
        let name = self.take_name(&mut kids, node);
        let protocol = match kids.accept(Rule::http_kw) {
            Some(word) => self.word(word),
            None => self.nameless(node),
        };
        let address = self.address(&mut kids, node);
        let options = self.options(&mut kids);
        let (mut state, mut routes) = (Vec::new(), Vec::new());
        let body = kids.accept(Rule::http_body);
        for line in self.inside(body) {
            match line.rule {
                Rule::state => state.push(self.state(line)),
                Rule::route => routes.push(self.route(line)),
                Rule::bad_stmt => state.push(Stmt {
                    span: self.span(line),
                    kind: StmtKind::Bad,
                }),
                _ => {}
            }
        }
        ServerItem {
            name,
            protocol,
            address,
            options,
            params: Vec::new(),
            state,
            routes,
            body: None,
        }
    }

    fn address(&mut self, kids: &mut Kids<'t>, parent: Node) -> Expr {
        match kids.accept(Rule::address) {
            Some(address) => self.expr(address),
            None => self.missing(self.gap(kids, parent)),
        }
    }

    fn options(&mut self, kids: &mut Kids<'t>) -> Vec<Arg> {
        let options = kids.accept(Rule::server_options);
        let call =
            options.and_then(|options| self.kids(options).find(|kid| kid.rule == Rule::call));
        call.map_or(Vec::new(), |call| self.args(call))
    }

    fn route(&mut self, node: Node) -> Route {
        let mut kids = self.kids(node);
        let method = kids.accept(Rule::method).map(|method| self.word(method));
        let path = method.is_some().then(|| self.take_str_lit(&mut kids, node));
        if method.is_none() {
            kids.accept(Rule::ignore);
        }
        Route {
            span: self.span(node),
            method,
            path,
            body: self.take_block(&mut kids, node),
        }
    }
}
