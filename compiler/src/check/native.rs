//! Library declarations: from `extern fn` to [`Native`], when somebody first calls one.

use super::Checker;
use super::scope::Returns;
use super::units::UnitId;
use crate::hir::{FuncId, Native, NativeId, NativeParam, TypeId};
use scn_grammar::ast::{Attribute, FnItem, ItemKind, Param, TypeExpr, TypeKind};
use std::collections::HashMap;
use std::rc::Rc;

/// A library body that waits to be checked.
pub(super) enum Body {
    /// The scn body of a native.
    Native {
        unit: UnitId,
        item: usize,
        native: NativeId,
        func: FuncId,
    },
    /// A plain `fn` of a library module.
    Function(usize),
}

/// What the checker knows of a native beside its [`Native`].
#[derive(Default)]
pub(super) struct NativeRules {
    /// `@secret`: a secret argument makes the result secret.
    pub secret: bool,
    /// `@where(T, int, float)`.
    pub bounds: Vec<(String, Vec<String>)>,
}

/// The word under which a receiver's methods are kept: `list` of `list<T>`.
pub(super) fn receiver_word(ty: &TypeExpr) -> Option<&str> {
    match &ty.kind {
        TypeKind::Name { name, .. } => Some(&name.text),
        _ => None,
    }
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute.name.text == name)
}

impl Checker<'_> {
    /// The native of a library item.
    pub(super) fn native(&mut self, unit: UnitId, item: usize) -> NativeId {
        if let Some(native) = self.natives.get(&(unit, item)) {
            return *native;
        }
        let file = Rc::clone(&self.units[unit].file);
        let declared = &file.items[item];
        let ItemKind::Fn(f) = &declared.kind else {
            unreachable!("natives are declared by function items")
        };
        let mut params = Vec::with_capacity(f.params.len());
        if let Some(receiver) = &f.receiver {
            let ty = self.type_of(unit, receiver);
            params.push(self.receiver_param(f, &declared.attributes, ty));
        }
        let written = f
            .params
            .iter()
            .filter(|param| !(f.receiver.is_some() && param.name.text == "self"));
        let written: Vec<_> = written
            .map(|param| self.native_param(unit, param))
            .collect();
        params.extend(written);
        let result = f
            .result
            .as_ref()
            .map_or(self.basic.none, |ty| self.type_of(unit, ty));
        let native = Native {
            name: self.native_name(unit, f),
            params,
            result,
            waits: has(&declared.attributes, "waits"),
            fails: has(&declared.attributes, "fails"),
            typed: has(&declared.attributes, "typed"),
            property: has(&declared.attributes, "property"),
            body: None,
            doc: declared.doc.clone(),
            span: f.name.span,
        };
        let id = NativeId(self.hir.natives.len() as u32);
        self.hir.natives.push(native);
        self.natives.insert((unit, item), id);
        self.native_rules.push(NativeRules {
            secret: has(&declared.attributes, "secret"),
            bounds: bounds(&declared.attributes),
        });
        self.queue_body(unit, item, f, id);
        id
    }

    fn receiver_param(&self, f: &FnItem, attributes: &[Attribute], ty: TypeId) -> NativeParam {
        let written = f.params.iter().find(|param| param.name.text == "self");
        let own = written.map_or(attributes, |param| &param.attributes);
        NativeParam {
            name: "self".to_owned(),
            ty,
            own: has(own, "own"),
            var: has(own, "var"),
            wire: has(own, "wire"),
            default: None,
        }
    }

    fn native_param(&mut self, unit: UnitId, param: &Param) -> NativeParam {
        let def = self.param_def(unit, param);
        NativeParam {
            name: def.name,
            ty: def.ty,
            own: has(&param.attributes, "own"),
            var: has(&param.attributes, "var"),
            wire: def.wire,
            default: def.default,
        }
    }

    fn native_name(&self, unit: UnitId, f: &FnItem) -> String {
        let name = &f.name.text;
        match (
            f.receiver.as_ref().and_then(receiver_word),
            self.units[unit].module.as_deref(),
        ) {
            (Some(receiver), _) => format!("{receiver}.{name}"),
            (None, Some("prelude") | None) => name.clone(),
            (None, Some(module)) => format!("{module}.{name}"),
        }
    }

    /// A body is checked later, unless type parameters are in the way: those declarations are Rust only.
    fn queue_body(&mut self, unit: UnitId, item: usize, f: &FnItem, native: NativeId) {
        let declared = &self.hir.natives[native.index()];
        let types = declared
            .params
            .iter()
            .map(|param| param.ty)
            .chain([declared.result]);
        if f.body.is_none() || types.into_iter().any(|ty| self.is_generic(ty)) {
            return;
        }
        let func = self.new_function();
        self.hir.natives[native.index()].body = Some(func);
        self.bodies.push(Body::Native {
            unit,
            item,
            native,
            func,
        });
    }

    /// Checks the scn bodies of what was used; they may use more.
    pub(super) fn check_library_bodies(&mut self) {
        while let Some(body) = self.bodies.pop() {
            match body {
                Body::Function(at) => self.check_fn(at),
                Body::Native {
                    unit,
                    item,
                    native,
                    func,
                } => self.check_native_body(unit, item, native, func),
            }
        }
    }

    fn check_native_body(&mut self, unit: UnitId, item: usize, native: NativeId, func: FuncId) {
        let file = Rc::clone(&self.units[unit].file);
        let ItemKind::Fn(f) = &file.items[item].kind else {
            unreachable!("natives are declared by function items")
        };
        let Some(body) = &f.body else {
            unreachable!("only bodies are queued")
        };
        let declared = self.hir.natives[native.index()].clone();
        let names: HashMap<&str, _> = f
            .params
            .iter()
            .map(|p| (p.name.text.as_str(), &p.name))
            .collect();
        let params: Vec<_> = declared
            .params
            .iter()
            .map(|param| match names.get(param.name.as_str()) {
                Some(name) => ((*name).clone(), param.ty),
                None => (
                    scn_grammar::ast::Ident {
                        text: param.name.clone(),
                        span: f.name.span,
                    },
                    param.ty,
                ),
            })
            .collect();
        let returns = if declared.result == self.basic.none {
            Returns::Plain
        } else {
            Returns::Value(declared.result)
        };
        let head = super::function::Head {
            unit,
            func,
            name: declared.name,
            kind: crate::hir::FunctionKind::Fn,
            returns,
            result_span: f.result.as_ref().map(|ty| ty.span),
            span: f.name.span,
            cells: None,
        };
        self.check_function(head, &params, super::scope::VarKind::Silent, body);
    }
}

fn bounds(attributes: &[Attribute]) -> Vec<(String, Vec<String>)> {
    let wheres = attributes
        .iter()
        .filter(|attribute| attribute.name.text == "where");
    let words = wheres.map(|attribute| attribute.args.iter().map(|arg| arg.text.clone()));
    words
        .filter_map(|mut words| {
            let parameter = words.next()?;
            Some((parameter, words.collect()))
        })
        .collect()
}
