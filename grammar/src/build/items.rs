//! Items: everything at file level except pools, servers and scenarios.

use super::Builder;
use crate::ast::{
    Attribute, EnumCase, Expr, FnItem, Ident, Item, ItemKind, Param, StrLit, StrPart, TypeExpr,
    TypeKind,
};
use crate::syntax::{Kids, Node, Rule};
use crate::{Span, SyntaxErrorKind};

impl<'t> Builder<'t> {
    pub(super) fn item(&mut self, node: Node) -> Item {
        let doc = self.doc(node.start);
        let mut kids = self.kids(node);
        let attributes = self.attributes(&mut kids);
        let export = kids.accept(Rule::export_kw).is_some();
        let kind = kids.next().map_or(ItemKind::Bad, |kid| self.item_kind(kid));
        Item {
            doc,
            attributes,
            export,
            span: self.span(node),
            kind,
        }
    }

    fn item_kind(&mut self, node: Node) -> ItemKind {
        let mut kids = self.kids(node);
        match node.rule {
            Rule::use_item => {
                let path = self.take_str_lit(&mut kids, node);
                ItemKind::Use {
                    path,
                    alias: self.take_name(&mut kids, node),
                }
            }
            Rule::type_item => {
                let name = self.take_name(&mut kids, node);
                ItemKind::Type {
                    name,
                    ty: self.take_type(&mut kids, node),
                }
            }
            Rule::enum_item => {
                let name = self.take_name(&mut kids, node);
                ItemKind::Enum {
                    name,
                    cases: self.enum_cases(&mut kids),
                }
            }
            Rule::const_item | Rule::param_item | Rule::data_item | Rule::metric_item => {
                self.declaration(node)
            }
            Rule::pool_item => {
                let name = self.take_name(&mut kids, node);
                ItemKind::Pool {
                    name,
                    lines: self.pool_lines(&mut kids),
                }
            }
            Rule::fn_item => ItemKind::Fn(Box::new(self.fn_item(node, false))),
            Rule::extern_fn => ItemKind::Fn(Box::new(self.fn_item(node, true))),
            Rule::extern_type => ItemKind::ExternType {
                name: self.take_name(&mut kids, node),
            },
            Rule::server_item => ItemKind::Server(Box::new(self.server(node))),
            Rule::scenario_item => ItemKind::Scenario(Box::new(self.scenario(node))),
            Rule::test_item => {
                let name = self.take_str_lit(&mut kids, node);
                ItemKind::Test {
                    name,
                    body: self.take_block(&mut kids, node),
                }
            }
            Rule::thresholds_item => ItemKind::Thresholds(self.thresholds(node)),
            _ => ItemKind::Bad,
        }
    }

    fn attributes(&mut self, kids: &mut Kids<'t>) -> Vec<Attribute> {
        let mut attributes = Vec::new();
        while let Some(attribute) = kids.accept(Rule::attribute) {
            let mut inner = self.kids(attribute);
            let name = self.take_word(&mut inner, attribute);
            let args = inner
                .filter(|kid| kid.rule == Rule::word)
                .map(|kid| self.word(kid));
            attributes.push(Attribute {
                name,
                args: args.collect(),
            });
        }
        attributes
    }

    fn enum_cases(&mut self, kids: &mut Kids<'t>) -> Vec<EnumCase> {
        let cases = self.take_all(kids, Rule::enum_body, Rule::enum_case);
        let build = |case: Node| {
            let doc = self.doc(case.start);
            let name = self.take_name(&mut self.kids(case), case);
            EnumCase { doc, name }
        };
        cases.into_iter().map(build).collect()
    }

    /// The children `inner` of the child `outer`.
    pub(super) fn take_all(&self, kids: &mut Kids<'t>, outer: Rule, inner: Rule) -> Vec<Node> {
        let outer = kids.accept(outer);
        self.inside(outer).filter(|kid| kid.rule == inner).collect()
    }

    fn declaration(&mut self, node: Node) -> ItemKind {
        let mut kids = self.kids(node);
        let name = self.take_name(&mut kids, node);
        match node.rule {
            Rule::const_item => {
                let ty = self.take_annotation(&mut kids);
                ItemKind::Const {
                    name,
                    ty,
                    value: self.take_expr(&mut kids, node),
                }
            }
            Rule::param_item => {
                let ty = self.take_type(&mut kids, node);
                ItemKind::Param {
                    name,
                    ty,
                    value: self.take_value(&mut kids),
                }
            }
            Rule::data_item => {
                let ty = self.take_type(&mut kids, node);
                ItemKind::Data {
                    name,
                    ty,
                    value: self.take_expr(&mut kids, node),
                }
            }
            _ => ItemKind::Metric {
                name,
                ty: self.take_type(&mut kids, node),
            },
        }
    }

    /// An expression that may be absent; `no_expr` says that something asked for it.
    pub(super) fn take_value(&mut self, kids: &mut Kids<'t>) -> Option<Expr> {
        if let Some(expr) = kids.accept(Rule::expr) {
            return Some(self.expr(expr));
        }
        let gap = kids.accept(Rule::no_expr)?;
        Some(self.missing(self.span(gap)))
    }

    fn fn_item(&mut self, node: Node, is_extern: bool) -> FnItem {
        let mut kids = self.kids(node);
        let receiver = kids
            .accept(Rule::receiver)
            .map(|receiver| self.receiver(receiver));
        // Behind a dot every word is a name.
        let name = match receiver {
            Some(_) => self.take_word(&mut kids, node),
            None => self.take_name(&mut kids, node),
        };
        let generics = kids.accept(Rule::generics).map_or(Vec::new(), |generics| {
            let names = self.kids(generics).filter(|kid| kid.rule == Rule::name);
            names.map(|name| self.name(name)).collect()
        });
        let params = self.take_params(&mut kids);
        let result = kids.accept(Rule::result);
        let result = result.map(|result| self.take_type(&mut self.kids(result), result));
        let has_body = !is_extern || kids.has(Rule::block);
        let body = has_body.then(|| self.take_block(&mut kids, node));
        FnItem {
            is_extern,
            receiver,
            name,
            generics,
            params,
            result,
            body,
        }
    }

    fn receiver(&mut self, node: Node) -> TypeExpr {
        let mut kids = self.kids(node);
        let name = match kids.accept(Rule::receiver_name) {
            Some(name) => self.word(name),
            None => Ident {
                text: String::new(),
                span: self.span(node),
            },
        };
        let args = self.type_args(&mut kids);
        let span = Span {
            end: node.end - 1,
            ..self.span(node)
        };
        TypeExpr {
            span,
            kind: TypeKind::Name {
                module: None,
                name,
                args,
            },
        }
    }

    /// The parameters of a function or section.
    pub(super) fn take_params(&mut self, kids: &mut Kids<'t>) -> Vec<Param> {
        let params = self.take_all(kids, Rule::params, Rule::param);
        params.into_iter().map(|param| self.param(param)).collect()
    }

    fn param(&mut self, node: Node) -> Param {
        let doc = self.doc(node.start);
        let mut kids = self.kids(node);
        let attributes = self.attributes(&mut kids);
        // A parameter may be called like a reserved word, because arguments name it.
        let name = self.take_word(&mut kids, node);
        let ty = self.take_annotation(&mut kids);
        Param {
            doc,
            attributes,
            name,
            ty,
            default: self.take_value(&mut kids),
        }
    }

    /// The next string among `kids`, which must be plain text.
    pub(super) fn take_str_lit(&mut self, kids: &mut Kids<'t>, parent: Node) -> StrLit {
        match kids.accept(Rule::string) {
            Some(string) => self.str_lit(string),
            None => StrLit {
                text: String::new(),
                span: self.gap(kids, parent),
            },
        }
    }

    /// A string without interpolation.
    fn str_lit(&mut self, node: Node) -> StrLit {
        let mut plain = String::new();
        for part in self.string_parts(node) {
            match part {
                StrPart::Text(text) => plain.push_str(&text),
                StrPart::Expr(expr) => self.no_interpolation(expr.span),
            }
        }
        StrLit {
            text: plain,
            span: self.span(node),
        }
    }

    fn no_interpolation(&mut self, span: Span) {
        let message = "this string must be plain text, without `${...}`".to_owned();
        self.error(
            SyntaxErrorKind::BadLiteral,
            span,
            message,
            "interpolation here",
            None,
        );
    }
}
