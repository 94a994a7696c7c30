//! Arguments: which argument is for which parameter, for functions and library declarations alike.

use super::Checker;
use super::expr::Want;
use crate::diagnostics::calls;
use crate::diagnostics::suggest::did_you_mean;
use crate::hir::TypeId;
use scn_grammar::Span;
use scn_grammar::ast::Arg;

/// A parameter as arguments see it.
pub(super) struct Slot<'s> {
    pub name: &'s str,
    pub ty: TypeId,
    pub optional: bool,
}

/// What is called, for messages.
pub(super) struct Callee<'s> {
    pub name: &'s str,
    pub declared: Span,
    pub call: Span,
}

impl Checker<'_> {
    /// The argument for each parameter; `None` stands for the default. Reports what does not fit; those arguments
    /// are still checked for what is wrong inside of them.
    pub(super) fn arrange<'a>(
        &mut self,
        args: &'a [Arg],
        slots: &[Slot<'_>],
        callee: &Callee<'_>,
    ) -> Option<Vec<Option<&'a Arg>>> {
        let mut found: Vec<Option<&Arg>> = vec![None; slots.len()];
        let mut fine = true;
        let mut named = false;
        for (at, arg) in args.iter().enumerate() {
            let slot = match &arg.name {
                Some(name) => {
                    named = true;
                    self.named_slot(name, slots, callee)
                }
                None if named => {
                    self.report(calls::positional_after_named(arg.value.span));
                    None
                }
                None if at >= slots.len() => {
                    self.report_too_many(args, slots, callee, at);
                    for extra in &args[at..] {
                        self.expr(&extra.value, Want::Any);
                    }
                    fine = false;
                    break;
                }
                None => Some(at),
            };
            match slot {
                Some(slot) if found[slot].is_none() => found[slot] = Some(arg),
                Some(slot) => {
                    let first = found[slot].map_or(arg.value.span, |first| first.value.span);
                    self.report(calls::argument_twice(
                        slots[slot].name,
                        arg.value.span,
                        first,
                    ));
                    fine = false;
                }
                None => {
                    self.expr(&arg.value, Want::Any);
                    fine = false;
                }
            }
        }
        let missing: Vec<_> = (0..slots.len())
            .filter(|at| found[*at].is_none() && !slots[*at].optional)
            .collect();
        if fine && !missing.is_empty() {
            let missing: Vec<_> = missing
                .iter()
                .map(|at| (slots[*at].name, self.name(slots[*at].ty)))
                .collect();
            self.report(calls::missing_arguments(
                callee.name,
                &missing,
                callee.call,
                callee.declared,
            ));
            fine = false;
            for arg in found.iter().flatten() {
                self.expr(&arg.value, Want::Any);
            }
        }
        fine.then_some(found)
    }

    fn named_slot(
        &mut self,
        name: &scn_grammar::ast::Ident,
        slots: &[Slot<'_>],
        callee: &Callee<'_>,
    ) -> Option<usize> {
        let found = slots.iter().position(|slot| slot.name == name.text);
        if found.is_none() && !name.text.is_empty() {
            let names = slots.iter().map(|slot| slot.name);
            let help = did_you_mean(&name.text, names.clone()).or_else(|| {
                let all: Vec<_> = names.map(|name| format!("`{name}`")).collect();
                (!all.is_empty()).then(|| format!("it takes {}", all.join(", ")))
            });
            self.report(calls::unknown_argument(
                callee.name,
                &name.text,
                name.span,
                callee.declared,
                help,
            ));
        }
        found
    }

    fn report_too_many(
        &mut self,
        args: &[Arg],
        slots: &[Slot<'_>],
        callee: &Callee<'_>,
        at: usize,
    ) {
        let diagnostic = calls::too_many_arguments(
            callee.name,
            slots.len(),
            args.len(),
            args[at].value.span,
            callee.declared,
        );
        self.report(diagnostic);
    }
}
