//! Whether the arms of a `match` cover everything, and which are never taken.
//!
//! The question is always "is there a value that this row of patterns matches and none of the rows before does?", answered
//! by taking the first column apart into the cases that its type or its patterns tell apart (Maranget, "Warnings for pattern matching").

use super::Checker;
use crate::diagnostics::{lints, types};
use crate::hir::{Const, Expr, Pattern, Type, TypeId};
use scn_grammar::Span;
use scn_grammar::ast;

/// A case that a column of patterns is taken apart by.
#[derive(Clone, Debug, PartialEq)]
enum Case {
    /// A constant, told apart by equality.
    Const(Const),
    /// Ints or durations from and to.
    Numbers(i64, i64),
    /// `none`.
    None,
    /// There is a value.
    Some,
    /// The only case of a tuple.
    Tuple(usize),
    /// What no pattern of the column names.
    Other,
}

impl Checker<'_> {
    pub(super) fn check_exhaustive(
        &mut self,
        value: &Expr,
        arms: &[ast::MatchArm],
        patterns: &[Pattern],
        guards: &[Option<Expr>],
        span: Span,
    ) {
        if self.is_unknown(value.ty) || value.ty == self.basic.never {
            return;
        }
        let mut rows: Vec<Vec<Pattern>> = Vec::with_capacity(patterns.len());
        for ((pattern, guard), arm) in patterns.iter().zip(guards).zip(arms) {
            let row = vec![plain(pattern)];
            if self.uncovered(&rows, &row, &[value.ty]).is_none() {
                self.report(lints::unreachable_arm(arm.pattern.span));
            }
            if guard.is_none() {
                rows.push(row);
            }
        }
        if let Some(missing) = self.uncovered(&rows, &[Pattern::Any], &[value.ty]) {
            let name = self.name(value.ty);
            let open = matches!(missing[0].as_str(), "_");
            let head = Span {
                end: value.span.end,
                ..span
            };
            self.report(types::not_exhaustive(&name, &missing[0], open, head));
        }
    }

    /// A value that `row` matches and no row of `rows` does, as patterns.
    fn uncovered(
        &self,
        rows: &[Vec<Pattern>],
        row: &[Pattern],
        types: &[TypeId],
    ) -> Option<Vec<String>> {
        let Some((head, rest)) = row.split_first() else {
            return rows.is_empty().then(Vec::new);
        };
        if let Pattern::Or(parts) = head {
            return parts.iter().find_map(|part| {
                let row: Vec<_> = std::iter::once(plain(part))
                    .chain(rest.iter().map(plain))
                    .collect();
                self.uncovered(rows, &row, types)
            });
        }
        let column = rows.iter().map(|row| &row[0]).chain([head]);
        self.cases(types[0], column).into_iter().find_map(|case| {
            let wanted = self.specialised(row, &case, types[0]).into_iter().next()?;
            let rows: Vec<_> = rows
                .iter()
                .flat_map(|row| self.specialised(row, &case, types[0]))
                .collect();
            let parts = self.part_types(&case, types[0]);
            let inner: Vec<_> = parts.iter().chain(&types[1..]).copied().collect();
            let mut found = self.uncovered(&rows, &wanted, &inner)?;
            let rest = found.split_off(parts.len());
            Some(
                std::iter::once(self.case_text(&case, &found))
                    .chain(rest)
                    .collect(),
            )
        })
    }

    /// The cases that a column tells apart; together they are all values of the type.
    fn cases<'p>(&self, ty: TypeId, column: impl Iterator<Item = &'p Pattern>) -> Vec<Case> {
        match self.ty(ty) {
            Type::Bool => vec![
                Case::Const(Const::Bool(true)),
                Case::Const(Const::Bool(false)),
            ],
            Type::Enum(id) => (0..self.hir.enums[id.index()].cases.len() as u32)
                .map(|at| Case::Const(Const::Enum(*id, at)))
                .collect(),
            Type::Optional(_) => vec![Case::None, Case::Some],
            Type::Tuple(parts) => vec![Case::Tuple(parts.len())],
            Type::Int | Type::Duration => intervals(column),
            _ => constants(column),
        }
    }

    fn part_types(&self, case: &Case, ty: TypeId) -> Vec<TypeId> {
        match (case, self.ty(ty)) {
            (Case::Some, Type::Optional(inner)) => vec![*inner],
            (Case::Tuple(_), Type::Tuple(parts)) => parts.clone(),
            _ => Vec::new(),
        }
    }

    /// The rows that a row becomes when its head is known to be this case: none if it does not match it.
    fn specialised(&self, row: &[Pattern], case: &Case, ty: TypeId) -> Vec<Vec<Pattern>> {
        let rest = || row[1..].iter().map(plain);
        if let Pattern::Or(parts) = &row[0] {
            return parts
                .iter()
                .flat_map(|part| {
                    let row: Vec<_> = std::iter::once(plain(part)).chain(rest()).collect();
                    self.specialised(&row, case, ty)
                })
                .collect();
        }
        let wild = || self.part_types(case, ty).into_iter().map(|_| Pattern::Any);
        let head: Option<Vec<Pattern>> = match (&row[0], case) {
            (Pattern::Any | Pattern::Bind(_), _) => Some(wild().collect()),
            (Pattern::None, Case::None) => Some(Vec::new()),
            (Pattern::Some(inner), Case::Some) => Some(vec![plain(inner)]),
            (Pattern::Tuple(parts), Case::Tuple(_)) => Some(parts.iter().map(plain).collect()),
            (Pattern::Const(known), Case::Const(case)) => (known == case).then(Vec::new),
            (pattern, Case::Numbers(from, to)) => span_of(pattern)
                .filter(|(a, b)| a <= from && to <= b)
                .map(|_| Vec::new()),
            (
                Pattern::Range {
                    start,
                    end,
                    inclusive,
                },
                Case::Const(Const::Float(x)),
            ) => holds(start, end, *inclusive, *x).then(Vec::new),
            _ => None,
        };
        head.map(|head| head.into_iter().chain(rest()).collect())
            .into_iter()
            .collect()
    }

    fn case_text(&self, case: &Case, parts: &[String]) -> String {
        match case {
            Case::Const(Const::Bool(value)) => value.to_string(),
            Case::Const(Const::Enum(id, at)) => {
                let def = &self.hir.enums[id.index()];
                format!("{}.{}", def.name, def.cases[*at as usize])
            }
            Case::Numbers(from, to) if from == to => from.to_string(),
            Case::Const(_) | Case::Numbers(..) | Case::Other => "_".to_owned(),
            Case::None => "none".to_owned(),
            Case::Some => parts[0].clone(),
            Case::Tuple(_) => format!("({})", parts.join(", ")),
        }
    }
}

fn holds(start: &Const, end: &Const, inclusive: bool, x: f64) -> bool {
    match (start, end) {
        (Const::Float(a), Const::Float(b)) => *a <= x && (x < *b || (inclusive && x == *b)),
        _ => false,
    }
}

/// A pattern for rows: bindings match everything.
fn plain(pattern: &Pattern) -> Pattern {
    match pattern {
        Pattern::Any | Pattern::Bind(_) => Pattern::Any,
        Pattern::Const(value) => Pattern::Const(value.clone()),
        Pattern::Range {
            start,
            end,
            inclusive,
        } => Pattern::Range {
            start: start.clone(),
            end: end.clone(),
            inclusive: *inclusive,
        },
        Pattern::None => Pattern::None,
        Pattern::Some(inner) => Pattern::Some(Box::new(plain(inner))),
        Pattern::Or(parts) => Pattern::Or(parts.iter().map(plain).collect()),
        Pattern::Tuple(parts) => Pattern::Tuple(parts.iter().map(plain).collect()),
    }
}

/// The numbers that a pattern matches, both ends included.
fn span_of(pattern: &Pattern) -> Option<(i64, i64)> {
    let number = |value: &Const| match value {
        Const::Int(n) | Const::Duration(n) => Some(*n),
        _ => None,
    };
    match pattern {
        Pattern::Const(value) => number(value).map(|n| (n, n)),
        Pattern::Range {
            start,
            end,
            inclusive,
        } => {
            let (start, end) = (number(start)?, number(end)?);
            Some((
                start,
                if *inclusive {
                    end
                } else {
                    end.saturating_sub(1)
                },
            ))
        }
        _ => None,
    }
}

/// Cuts all numbers at the ends of the patterns in a column.
fn intervals<'p>(column: impl Iterator<Item = &'p Pattern>) -> Vec<Case> {
    let mut starts = vec![i64::MIN];
    let mut stack: Vec<&Pattern> = column.collect();
    while let Some(pattern) = stack.pop() {
        if let Pattern::Or(parts) = pattern {
            stack.extend(parts);
        } else if let Some((from, to)) = span_of(pattern) {
            starts.push(from);
            starts.extend(to.checked_add(1));
        }
    }
    starts.sort_unstable();
    starts.dedup();
    let ends = starts.iter().skip(1).map(|next| next - 1).chain([i64::MAX]);
    starts
        .iter()
        .zip(ends)
        .map(|(from, to)| Case::Numbers(*from, to))
        .collect()
}

/// The constants of a column, and everything else.
fn constants<'p>(column: impl Iterator<Item = &'p Pattern>) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut stack: Vec<&Pattern> = column.collect();
    while let Some(pattern) = stack.pop() {
        match pattern {
            Pattern::Or(parts) => stack.extend(parts),
            Pattern::Const(value) => cases.push(Case::Const(value.clone())),
            Pattern::Range { start, .. } => cases.push(Case::Const(start.clone())),
            _ => {}
        }
    }
    cases.dedup();
    cases.push(Case::Other);
    cases
}
