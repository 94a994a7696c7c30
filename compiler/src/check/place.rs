//! Places that change: assignments and receivers of methods that change them.

use super::Checker;
use super::expr::Want;
use super::scope::Var;
use crate::diagnostics::{names, types, values};
use crate::hir::{Expr, Place, Root, Step, StmtKind, Type, TypeId};
use scn_grammar::Span;
use scn_grammar::ast::{self, BinaryOp, Ident};

impl Checker<'_> {
    /// `place = value`, `place op= value`.
    pub(super) fn assign(
        &mut self,
        place: &ast::Expr,
        op: Option<BinaryOp>,
        op_span: Span,
        value: &ast::Expr,
    ) -> Option<StmtKind> {
        let Some(target) = self.place(place, "assigned here") else {
            self.expr(value, Want::Any);
            return None;
        };
        let Some(op) = op else {
            let value = self.typed(value, target.ty);
            return Some(StmtKind::Assign {
                place: target,
                value,
            });
        };
        let old = self.hidden_local(target.ty, place.span);
        let value = self.updated(old, target.ty, op, op_span, place, value);
        let value = self.coerce(value, target.ty);
        Some(StmtKind::Update {
            place: target,
            old,
            value,
        })
    }

    /// `old op value`, where `old` is a hidden local that stands for the place.
    fn updated(
        &mut self,
        old: crate::hir::LocalId,
        ty: TypeId,
        op: BinaryOp,
        op_span: Span,
        place: &ast::Expr,
        value: &ast::Expr,
    ) -> Expr {
        // The operator's rules read syntax; a name that cannot be written stands for the old value.
        let name = Ident {
            text: "\0old".to_owned(),
            span: place.span,
        };
        self.push(super::scope::ScopeKind::Block);
        self.bind(&name.text, Var::Local(old), place.span);
        let left = ast::Expr {
            span: place.span,
            kind: Box::new(ast::ExprKind::Name(name)),
        };
        let span = place.span.to(value.span);
        let updated = self.binary(op, op_span, &left, value, span, Want::Type(ty));
        self.pop();
        updated
    }

    /// A place that may change; reports why not.
    pub(super) fn place(&mut self, expr: &ast::Expr, why: &str) -> Option<Place> {
        match &*expr.kind {
            ast::ExprKind::Name(name) => self.root(name, why),
            ast::ExprKind::Paren(inner) => self.place(inner, why),
            ast::ExprKind::Field {
                base,
                name,
                optional: false,
            } => {
                let mut place = self.place(base, why)?;
                let (step, ty) = self.field_step(place.ty, name, base.span)?;
                place.path.push(step);
                Some(Place {
                    ty,
                    span: expr.span,
                    ..place
                })
            }
            ast::ExprKind::Index { base, index } => {
                let mut place = self.place(base, why)?;
                let (step, ty) = self.index_step(place.ty, index, base.span)?;
                place.path.push(step);
                Some(Place {
                    ty,
                    span: expr.span,
                    ..place
                })
            }
            ast::ExprKind::Missing => None,
            _ => {
                self.value(expr);
                self.report(values::not_a_place(expr.span));
                None
            }
        }
    }

    fn root(&mut self, name: &Ident, why: &str) -> Option<Place> {
        if name.text.is_empty() {
            return None;
        }
        let Some(found) = self.lookup(&name.text) else {
            self.report_no_root(name);
            return None;
        };
        self.marks(found.var).written = true;
        let declared = self.declaration(found.var).clone();
        if let Some(branch) = found.branch {
            self.report(values::assigned_in_branch(
                &name.text,
                branch,
                name.span,
                declared.span,
            ));
            return None;
        }
        if !declared.mutable {
            self.report(values::immutable(
                &name.text,
                why,
                name.span,
                declared.span,
                self.is_parameter(found.var),
            ));
            return None;
        }
        let root = match found.var {
            Var::Local(id) => Root::Local(id),
            Var::Cell(id) => Root::Cell(id),
        };
        Some(Place {
            root,
            path: Vec::new(),
            ty: declared.ty,
            span: name.span,
        })
    }

    fn is_parameter(&self, var: Var) -> bool {
        match var {
            Var::Local(id) => self.f.marks[id.index()].kind != super::scope::VarKind::Variable,
            Var::Cell(_) => false,
        }
    }

    fn report_no_root(&mut self, name: &Ident) {
        let value = self.units[self.f.unit].values.get(&name.text).copied();
        match value {
            Some(super::units::Value::Global(id)) => {
                let (what, span) = (self.global_word(id), self.hir.globals[id.index()].span);
                self.report(values::immutable_item(&name.text, what, name.span, span));
            }
            Some(super::units::Value::Const(at)) => {
                let span = self.consts[at].span;
                self.report(values::immutable_item(&name.text, "const", name.span, span));
            }
            _ => {
                let help = self
                    .name_suggestion(&name.text)
                    .or_else(|| Some(format!("declare it: `var {} = ...`", name.text)));
                self.report(names::unknown_name(&name.text, name.span, help));
            }
        }
    }

    fn field_step(&mut self, ty: TypeId, name: &Ident, span: Span) -> Option<(Step, TypeId)> {
        match self.ty(ty).clone() {
            Type::Record(fields) => {
                match fields.iter().position(|(field, _)| *field == name.text) {
                    Some(at) => Some((
                        Step::Field {
                            record: ty,
                            index: at as u32,
                        },
                        fields[at].1,
                    )),
                    None => {
                        let help = self.member_suggestion(ty, &name.text);
                        let ty = self.name(ty);
                        self.report(names::unknown_member(
                            &ty, &name.text, "field", name.span, help,
                        ));
                        None
                    }
                }
            }
            Type::Unknown => None,
            Type::Optional(_) => {
                let ty = self.name(ty);
                self.report(types::optional_member(&ty, &name.text, span));
                None
            }
            _ => {
                let ty = self.name(ty);
                self.report(values::no_field_to_set(&ty, &name.text, name.span));
                None
            }
        }
    }

    fn index_step(&mut self, ty: TypeId, index: &ast::Expr, span: Span) -> Option<(Step, TypeId)> {
        match self.ty(ty).clone() {
            Type::List(element) => {
                let index = self.typed(index, self.basic.int);
                self.check_index(&index);
                Some((Step::Index { list: ty, index }, element))
            }
            Type::Map(key, value) => {
                let key = self.typed(index, key);
                Some((Step::Key { map: ty, key }, value))
            }
            other => {
                self.expr(index, Want::Any);
                if other != Type::Unknown {
                    let ty = self.name(ty);
                    self.report(values::no_element_to_set(&ty, span));
                }
                None
            }
        }
    }

    /// The type of what looks like a place rooted in a variable, without looking further: tells which method is meant.
    pub(super) fn place_type(&self, expr: &ast::Expr) -> Option<TypeId> {
        match &*expr.kind {
            ast::ExprKind::Name(name) => Some(self.declaration(self.lookup(&name.text)?.var).ty),
            ast::ExprKind::Paren(inner) => self.place_type(inner),
            ast::ExprKind::Field {
                base,
                name,
                optional: false,
            } => match self.ty(self.place_type(base)?) {
                Type::Record(fields) => fields
                    .iter()
                    .find(|(field, _)| *field == name.text)
                    .map(|(_, ty)| *ty),
                _ => None,
            },
            ast::ExprKind::Index { base, .. } => match self.ty(self.place_type(base)?) {
                Type::List(element) => Some(*element),
                Type::Map(_, value) => Some(*value),
                _ => None,
            },
            _ => None,
        }
    }
}
