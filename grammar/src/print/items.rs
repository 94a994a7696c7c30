//! Items, types and parameters.

use super::Printer;
use crate::ast::{
    Attribute, FnItem, Item, ItemKind, Param, ScenarioItem, Section, SectionKind, ServerItem,
    TypeExpr, TypeKind,
};

impl Printer {
    pub(super) fn item(&mut self, item: &Item) {
        self.doc(item.doc.as_ref());
        self.attributes(&item.attributes);
        if item.export {
            self.word("export ");
        }
        match &item.kind {
            ItemKind::Use { path, alias } => {
                self.word(&format!("use {:?} as {}", path.text, alias.text));
            }
            ItemKind::Type { name, ty } => {
                self.word(&format!("type {} = ", name.text));
                self.ty(ty);
            }
            ItemKind::Enum { name, cases } => {
                self.word(&format!("enum {} ", name.text));
                self.braces(cases, |printer, case| {
                    printer.doc(case.doc.as_ref());
                    printer.word(&case.name.text);
                });
            }
            ItemKind::Fn(function) => self.function(function),
            ItemKind::ExternType { name } => self.word(&format!("extern type {}", name.text)),
            ItemKind::Server(server) => self.server(server),
            ItemKind::Scenario(scenario) => self.scenario(scenario),
            ItemKind::Test { name, body } => {
                self.word(&format!("test {:?} ", name.text));
                self.block(body);
            }
            ItemKind::Thresholds(thresholds) => {
                self.word("thresholds ");
                self.braces(thresholds, Self::threshold);
            }
            ItemKind::Bad => self.word("<bad>"),
            _ => self.declaration(&item.kind),
        }
        self.line();
    }

    fn declaration(&mut self, kind: &ItemKind) {
        let (word, name, ty, value) = match kind {
            ItemKind::Const { name, ty, value } => ("const", name, ty.as_ref(), Some(value)),
            ItemKind::Param { name, ty, value } => ("param", name, Some(ty), value.as_ref()),
            ItemKind::Data { name, ty, value } => ("data", name, Some(ty), Some(value)),
            ItemKind::Metric { name, ty } => ("metric", name, Some(ty), None),
            ItemKind::Pool { name, lines } => {
                self.word(&format!("pool {} ", name.text));
                return self.braces(lines, Self::pool_line);
            }
            _ => return,
        };
        self.word(&format!("{word} {}", name.text));
        self.annotation(ty);
        if let Some(value) = value {
            self.word(" = ");
            self.expr(value);
        }
    }

    pub(super) fn annotation(&mut self, ty: Option<&TypeExpr>) {
        if let Some(ty) = ty {
            self.word(": ");
            self.ty(ty);
        }
    }

    fn attributes(&mut self, attributes: &[Attribute]) {
        for attribute in attributes {
            self.word(&format!("@{}", attribute.name.text));
            if !attribute.args.is_empty() {
                self.word("(");
                self.joined(&attribute.args, ", ", |printer, arg| {
                    printer.word(&arg.text)
                });
                self.word(")");
            }
            self.word(" ");
        }
    }

    fn function(&mut self, function: &FnItem) {
        self.word(if function.is_extern {
            "extern fn "
        } else {
            "fn "
        });
        if let Some(receiver) = &function.receiver {
            self.ty(receiver);
            self.word(".");
        }
        self.word(&function.name.text);
        if !function.generics.is_empty() {
            self.word("<");
            self.joined(&function.generics, ", ", |printer, name| {
                printer.word(&name.text)
            });
            self.word(">");
        }
        self.params(&function.params);
        if let Some(result) = &function.result {
            self.word(" -> ");
            self.ty(result);
        }
        if let Some(body) = &function.body {
            self.word(" ");
            self.block(body);
        }
    }

    fn params(&mut self, params: &[Param]) {
        self.word("(");
        self.joined(params, ", ", Self::param);
        self.word(")");
    }

    fn param(&mut self, param: &Param) {
        if let Some(doc) = &param.doc {
            self.word(&format!("/* {} */ ", doc.replace('\n', " ")));
        }
        self.attributes(&param.attributes);
        self.word(&param.name.text);
        self.annotation(param.ty.as_ref());
        if let Some(default) = &param.default {
            self.word(" = ");
            self.expr(default);
        }
    }

    pub(super) fn ty(&mut self, ty: &TypeExpr) {
        match &ty.kind {
            TypeKind::Name { module, name, args } => {
                if let Some(module) = module {
                    self.word(&format!("{}.", module.text));
                }
                self.word(&name.text);
                if !args.is_empty() {
                    self.word("<");
                    self.joined(args, ", ", Self::ty);
                    self.word(">");
                }
            }
            TypeKind::Record(fields) => {
                self.word("{ ");
                self.joined(fields, ", ", |printer, field| {
                    if let Some(doc) = &field.doc {
                        printer.word(&format!("/* {} */ ", doc.replace('\n', " ")));
                    }
                    printer.word(&field.name.text);
                    printer.annotation(Some(&field.ty));
                });
                self.word(" }");
            }
            TypeKind::Tuple(parts) => self.type_group(parts, ", "),
            TypeKind::Union(parts) => self.type_group(parts, " | "),
            TypeKind::Optional(inner) => {
                self.ty(inner);
                self.word("?");
            }
            TypeKind::Missing => self.word("<missing>"),
        }
    }

    fn type_group(&mut self, parts: &[TypeExpr], between: &str) {
        self.word("(");
        self.joined(parts, between, Self::ty);
        self.word(")");
    }

    fn server(&mut self, server: &ServerItem) {
        self.word(&format!(
            "server {} {} ",
            server.name.text, server.protocol.text
        ));
        self.expr(&server.address);
        if !server.options.is_empty() {
            self.word(" (");
            self.joined(&server.options, ", ", Self::arg);
            self.word(")");
        }
        if !server.params.is_empty() {
            self.word(" (");
            self.joined(&server.params, ", ", |printer, name| {
                printer.word(&name.text)
            });
            self.word(")");
        }
        self.word(" ");
        if let Some(body) = &server.body {
            return self.block(body);
        }
        self.braces(&server.state, Self::stmt);
        self.word(" ");
        self.braces(&server.routes, |printer, route| {
            match (&route.method, &route.path) {
                (Some(method), Some(path)) => {
                    printer.word(&format!("{} {:?} ", method.text, path.text));
                }
                _ => printer.word("_ "),
            }
            printer.block(&route.body);
        });
    }

    fn scenario(&mut self, scenario: &ScenarioItem) {
        self.word(&format!("scenario {} {{", scenario.name.text));
        self.indent += 1;
        for load in &scenario.load {
            self.line();
            self.word("load ");
            self.braces(&load.lines, Self::load_line);
        }
        for source in &scenario.source {
            self.line();
            self.word(&format!("source {}", source.text));
        }
        for tags in &scenario.tags {
            self.line();
            self.tags(tags);
        }
        if !scenario.thresholds.is_empty() {
            self.line();
            self.word("thresholds ");
            self.braces(&scenario.thresholds, Self::threshold);
        }
        for section in &scenario.sections {
            self.line();
            self.section(section);
        }
        for stmt in &scenario.body.stmts {
            self.line();
            self.stmt(stmt);
        }
        self.indent -= 1;
        self.line();
        self.word("}");
    }

    fn section(&mut self, section: &Section) {
        self.word(match section.kind {
            SectionKind::Setup => "setup",
            SectionKind::Init => "init",
            SectionKind::Each => "each",
            SectionKind::Exit => "exit",
            SectionKind::Teardown => "teardown",
        });
        if !section.params.is_empty() {
            self.params(&section.params);
        }
        self.word(" ");
        self.block(&section.body);
    }
}
