//! Expressions: on one line where they have no blocks.

use super::{Printer, constant};
use crate::hir::{
    Arith, Block, Const, Conversion, Expr, ExprKind, Function, NativeId, Part, Pattern, Type,
};
use scn_grammar::ast::{BinaryOp, UnaryOp};

impl<'h> Printer<'h> {
    pub(super) fn expr(&mut self, expr: &Expr) -> String {
        match &*expr.kind {
            ExprKind::Const(Const::Enum(id, case)) => {
                let def = &self.hir.enums[id.index()];
                format!("{}.{}", def.name, def.cases[*case as usize])
            }
            ExprKind::Const(value) => constant(value),
            ExprKind::Local(id) => self.local(*id),
            ExprKind::Cell(id) => self.cell(*id),
            ExprKind::Global(id) => self.hir.globals[id.index()].name.clone(),
            ExprKind::Call { func, args } => {
                let name = self.function_name(func.index());
                format!("{name}({})", self.all(args))
            }
            ExprKind::CallNative { native, args } => {
                format!("{}({})", self.native(*native), self.all(args))
            }
            ExprKind::CallVar {
                native,
                place,
                args,
            } => {
                let (place, args) = (self.place(place), self.all(args));
                let comma = if args.is_empty() { "" } else { ", " };
                format!("{}(var {place}{comma}{args})", self.native(*native))
            }
            ExprKind::Field { base, index } => {
                format!("{}.{}", self.expr(base), self.field(base.ty, *index))
            }
            ExprKind::Element { base, index } => format!("{}.{index}", self.expr(base)),
            ExprKind::Index { base, index } | ExprKind::ByteAt { base, index } => {
                format!("{}[{}]", self.expr(base), self.expr(index))
            }
            ExprKind::Lookup { base, key } => format!("{}[{}]?", self.expr(base), self.expr(key)),
            ExprKind::Interpolate(parts) => self.interpolation(parts),
            ExprKind::List(items) => format!("[{}]", self.all(items)),
            ExprKind::Tuple(items) => format!("({})", self.all(items)),
            ExprKind::Map(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| format!("{}: {}", self.expr(key), self.expr(value)))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
            ExprKind::Record { fields, .. } => {
                let fields: Vec<_> = fields
                    .iter()
                    .enumerate()
                    .map(|(at, value)| {
                        let name = self.field(expr.ty, at as u32);
                        format!("{name}: {}", self.expr(value))
                    })
                    .collect();
                format!("{{ {} }}", fields.join(", "))
            }
            _ => self.operation(expr),
        }
    }

    fn operation(&mut self, expr: &Expr) -> String {
        match &*expr.kind {
            ExprKind::Unary { op, operand } => {
                let op = match op {
                    UnaryOp::Neg => "-",
                    UnaryOp::Not => "!",
                    UnaryOp::BitNot => "~",
                };
                format!("{op}{}", self.expr(operand))
            }
            ExprKind::Arith { op, left, right } => self.infix(&arith(*op), left, right),
            ExprKind::Concat { left, right } => self.infix("++", left, right),
            ExprKind::Compare { op, left, right } | ExprKind::Logic { op, left, right } => {
                self.infix(word(*op), left, right)
            }
            ExprKind::Coalesce { left, right } => self.infix("??", left, right),
            ExprKind::OptionalChain { base, local, body } => {
                let (base, local, body) = (self.expr(base), self.local(*local), self.expr(body));
                format!("({base})?.({local} => {body})")
            }
            ExprKind::Range {
                start,
                end,
                inclusive,
            } => self.infix(if *inclusive { "..=" } else { ".." }, start, end),
            ExprKind::Decode { value, to } => {
                format!("decode<{}>({})", self.ty(*to), self.expr(value))
            }
            ExprKind::Parse { value, to } => {
                format!("parse<{}>({})", self.ty(*to), self.expr(value))
            }
            ExprKind::Convert { value, kind } => {
                format!("{}({})", conversion(*kind), self.expr(value))
            }
            ExprKind::Return(value) => {
                let value = value.as_ref().map(|value| self.expr(value));
                value.map_or("return".to_owned(), |value| format!("return {value}"))
            }
            ExprKind::Break => "break".to_owned(),
            ExprKind::Continue => "continue".to_owned(),
            ExprKind::Fail { message, kind } => {
                let kind = kind
                    .as_ref()
                    .map_or(String::new(), |kind| format!(" kind {}", self.expr(kind)));
                format!("fail {}{kind}", self.expr(message))
            }
            ExprKind::Rethrow(error) => format!("fail {}", self.expr(error)),
            _ => self.with_blocks(expr),
        }
    }

    fn with_blocks(&mut self, expr: &Expr) -> String {
        let ty = match &self.hir.types[expr.ty] {
            Type::None | Type::Never => String::new(),
            _ => format!(" -> {}", self.ty(expr.ty)),
        };
        match &*expr.kind {
            ExprKind::If {
                cond,
                then,
                otherwise,
            } => {
                let head = format!("if {}{ty}", self.cond(cond));
                let then = self.nested_block(then);
                match otherwise {
                    Some(block) => format!("{head} {then} else {}", self.nested_block(block)),
                    None => format!("{head} {then}"),
                }
            }
            ExprKind::Match { value, arms } => {
                let mut text = format!("match {}{ty} {{\n", self.expr(value));
                self.depth += 1;
                for arm in arms {
                    let guard = arm
                        .guard
                        .as_ref()
                        .map_or(String::new(), |guard| format!(" if {}", self.expr(guard)));
                    let arm = format!(
                        "{}{guard} => {}",
                        self.pattern(&arm.pattern),
                        self.expr(&arm.body)
                    );
                    text.push_str(&format!("{}{arm}\n", "  ".repeat(self.depth)));
                }
                self.depth -= 1;
                text + &"  ".repeat(self.depth) + "}"
            }
            ExprKind::Do(body) => format!("do{ty} {}", self.nested_block(body)),
            ExprKind::Step { name, body } => {
                format!("step {}{ty} {}", self.expr(name), self.nested_block(body))
            }
            ExprKind::Timeout { limit, body } => {
                format!(
                    "timeout {}{ty} {}",
                    self.expr(limit),
                    self.nested_block(body)
                )
            }
            ExprKind::Retry {
                times,
                backoff,
                body,
            } => {
                let times = times.as_ref().map_or(String::new(), |times| {
                    format!(" {} times", self.expr(times))
                });
                let backoff = backoff.as_ref().map_or(String::new(), |(from, to)| {
                    format!(" backoff {}..{}", self.expr(from), self.expr(to))
                });
                format!("retry{times}{backoff}{ty} {}", self.nested_block(body))
            }
            ExprKind::Race(branches) => {
                let branches: Vec<_> = branches
                    .iter()
                    .map(|branch| self.nested_block(&branch.body))
                    .collect();
                format!("race{ty} {}", branches.join(" or "))
            }
            ExprKind::ParallelFor {
                pattern,
                iterable,
                max,
                body,
            } => {
                let max = max
                    .as_ref()
                    .map_or(String::new(), |max| format!(" max {}", self.expr(max)));
                let head = format!(
                    "parallel for {} in {}{max}{ty}",
                    self.typed_binding(pattern),
                    self.expr(iterable)
                );
                format!("{head} {}", self.nested_block(body))
            }
            ExprKind::Comprehension {
                value,
                pattern,
                iterable,
                filter,
            } => {
                let filter = filter
                    .as_ref()
                    .map_or(String::new(), |filter| format!(" if {}", self.expr(filter)));
                let (pattern, iterable) = (self.typed_binding(pattern), self.expr(iterable));
                format!("[{} for {pattern} in {iterable}{filter}]", self.expr(value))
            }
            ExprKind::Catch {
                value,
                binder,
                handler,
            } => {
                let binder = binder.map_or(String::new(), |id| format!(" {}", self.local(id)));
                format!(
                    "{} catch{binder}{ty} {}",
                    self.expr(value),
                    self.nested_block(handler)
                )
            }
            _ => String::new(),
        }
    }

    /// A block in the middle of a line.
    fn nested_block(&mut self, block: &Block) -> String {
        let outer = std::mem::take(&mut self.out);
        self.block(block);
        let inner = std::mem::replace(&mut self.out, outer);
        format!("{{\n{inner}{}}}", "  ".repeat(self.depth))
    }

    fn infix(&mut self, op: &str, left: &Expr, right: &Expr) -> String {
        format!("({} {op} {})", self.expr(left), self.expr(right))
    }

    fn all(&mut self, args: &[Expr]) -> String {
        let args: Vec<_> = args.iter().map(|arg| self.expr(arg)).collect();
        args.join(", ")
    }

    fn function_name(&self, at: usize) -> String {
        let function: &Function = &self.hir.functions[at];
        function.name.clone()
    }

    fn native(&self, id: NativeId) -> &'h str {
        &self.hir.natives[id.index()].name
    }

    fn interpolation(&mut self, parts: &[Part]) -> String {
        let mut text = String::from("\"");
        for part in parts {
            match part {
                Part::Text(part) => text.extend(part.escape_debug()),
                Part::Value(value) => text.push_str(&format!("${{{}}}", self.expr(value))),
            }
        }
        text + "\""
    }

    fn pattern(&self, pattern: &Pattern) -> String {
        match pattern {
            Pattern::Any => "_".to_owned(),
            Pattern::Bind(id) => self.local(*id),
            Pattern::Const(Const::Enum(id, case)) => {
                let def = &self.hir.enums[id.index()];
                format!("{}.{}", def.name, def.cases[*case as usize])
            }
            Pattern::Const(value) => constant(value),
            Pattern::Range {
                start,
                end,
                inclusive,
            } => {
                let dots = if *inclusive { "..=" } else { ".." };
                format!("{}{dots}{}", constant(start), constant(end))
            }
            Pattern::None => "none".to_owned(),
            Pattern::Some(inner) => format!("some {}", self.pattern(inner)),
            Pattern::Or(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.pattern(part)).collect();
                parts.join(" | ")
            }
            Pattern::Tuple(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.pattern(part)).collect();
                format!("({})", parts.join(", "))
            }
        }
    }
}

fn conversion(kind: Conversion) -> &'static str {
    match kind {
        Conversion::ToOptional => "some",
        Conversion::ToJson => "json",
        Conversion::ToUnion => "either",
        Conversion::Record => "record",
        Conversion::Secret => "secret",
        Conversion::Static => "static",
        Conversion::IntToFloat => "float",
    }
}

/// An operator with the letter of its kind of arithmetic.
fn arith(op: Arith) -> String {
    match op {
        Arith::Int(op) => word(op).to_owned(),
        Arith::Float(op) => format!("{}f", word(op)),
        Arith::Duration(op) => format!("{}d", word(op)),
        Arith::DurationInt(op) => format!("{}di", word(op)),
        Arith::DurationFloat(op) => format!("{}df", word(op)),
        Arith::DurationRatio => "/dd".to_owned(),
        Arith::DurationRem => "%dd".to_owned(),
        Arith::NumberPerDuration => "/nd".to_owned(),
        Arith::RateTimesDuration => "*rd".to_owned(),
        Arith::NumberPerRate => "/nr".to_owned(),
    }
}

fn word(op: BinaryOp) -> &'static str {
    op.text()
}
