//! Types as written.

use super::Builder;
use crate::ast::{FieldType, Ident, TypeExpr, TypeKind};
use crate::syntax::{Kids, Node, Rule};
use crate::{Span, SyntaxErrorKind};

impl<'t> Builder<'t> {
    /// The next type among `kids`, or a missing one.
    pub(super) fn take_type(&mut self, kids: &mut Kids<'t>, parent: Node) -> TypeExpr {
        let gap = self.gap(kids, parent);
        let missing = TypeExpr {
            span: gap,
            kind: TypeKind::Missing,
        };
        self.take_annotation(kids).unwrap_or(missing)
    }

    /// A type that may be absent; `no_type` says that something asked for it.
    pub(super) fn take_annotation(&mut self, kids: &mut Kids<'t>) -> Option<TypeExpr> {
        let node = kids.accept_any(&[Rule::type_x, Rule::type_one, Rule::no_type])?;
        Some(self.type_expr(node))
    }

    fn type_expr(&mut self, node: Node) -> TypeExpr {
        match node.rule {
            Rule::type_x => self.alternatives(node),
            Rule::type_one => self.type_one(node),
            _ => TypeExpr {
                span: self.span(node),
                kind: TypeKind::Missing,
            },
        }
    }

    fn alternatives(&mut self, node: Node) -> TypeExpr {
        let parts = self
            .kids(node)
            .filter(|kid| !matches!(kid.rule, Rule::deep));
        let mut types: Vec<TypeExpr> = parts.map(|part| self.type_expr(part)).collect();
        match types.len() {
            1 => types.remove(0),
            _ => TypeExpr {
                span: self.span(node),
                kind: TypeKind::Union(types),
            },
        }
    }

    fn type_one(&mut self, node: Node) -> TypeExpr {
        let span = self.span(node);
        let mut kids = self.kids(node);
        let kind = match kids.next() {
            Some(name) if name.rule == Rule::type_name => self.named_type(name, &mut kids),
            Some(record) if record.rule == Rule::type_record => self.record_type(record),
            Some(tuple) if tuple.rule == Rule::type_tuple => self.tuple_type(tuple),
            _ => TypeKind::Missing,
        };
        let Some(mark) = kids.accept(Rule::optional) else {
            return TypeExpr { span, kind };
        };
        let inner = TypeExpr {
            span: Span {
                end: mark.start,
                ..span
            },
            kind,
        };
        TypeExpr {
            span,
            kind: TypeKind::Optional(Box::new(inner)),
        }
    }

    fn named_type(&mut self, node: Node, kids: &mut Kids<'t>) -> TypeKind {
        let (module, name) = match self.str(node).split_once('.') {
            Some((module, _)) => {
                let dot = node.start + module.len() as u32;
                (
                    Some(self.part(node.start, dot)),
                    self.part(dot + 1, node.end),
                )
            }
            None => (None, self.part(node.start, node.end)),
        };
        TypeKind::Name {
            module,
            name,
            args: self.type_args(kids),
        }
    }

    fn part(&self, start: u32, end: u32) -> Ident {
        let span = Span {
            source: self.source,
            start,
            end,
        };
        Ident {
            text: self.text[span.range()].to_owned(),
            span,
        }
    }

    /// `<A, B>`, if it follows.
    pub(super) fn type_args(&mut self, kids: &mut Kids<'t>) -> Vec<TypeExpr> {
        kids.accept(Rule::type_args)
            .map_or(Vec::new(), |args| self.type_list(args))
    }

    fn type_list(&mut self, node: Node) -> Vec<TypeExpr> {
        let types = self
            .kids(node)
            .filter(|kid| matches!(kid.rule, Rule::type_x | Rule::no_type));
        types.map(|ty| self.type_expr(ty)).collect()
    }

    fn tuple_type(&mut self, node: Node) -> TypeKind {
        let mut types = self.type_list(node);
        if types.len() != 1 {
            return TypeKind::Tuple(types);
        }
        // Parentheses around alternatives group them: `(string | bytes)?`.
        if !matches!(types[0].kind, TypeKind::Missing | TypeKind::Union(_)) {
            let message = "a tuple type has at least two parts".to_owned();
            let help = Some("leave the parentheses out".to_owned());
            self.error(
                SyntaxErrorKind::Unexpected,
                self.span(node),
                message,
                "one part",
                help,
            );
        }
        types.remove(0).kind
    }

    fn record_type(&mut self, node: Node) -> TypeKind {
        let fields = self.kids(node).filter(|kid| kid.rule == Rule::field_type);
        TypeKind::Record(fields.map(|field| self.field_type(field)).collect())
    }

    fn field_type(&mut self, node: Node) -> FieldType {
        let doc = self.doc(node.start);
        let mut kids = self.kids(node);
        let name = self.take_word(&mut kids, node);
        FieldType {
            doc,
            name,
            ty: self.take_type(&mut kids, node),
        }
    }
}
