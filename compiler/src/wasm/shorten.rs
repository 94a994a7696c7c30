//! Makes a function's finished code shorter without changing what it does. Enter at [`shorten`].
//!
//! Emission gives each register a local of its own and stores every value. Here values stay on the stack where they
//! are used once (`sink`), constants go into the offsets of loads and stores (`fold`), values of which only addresses
//! are made become 32 bits wide (`narrow`), nested blocks lose the jumps that lead where control goes anyway (`flow`),
//! ends that many paths share are written once (`exits`), and locals share places (`colour`).

mod colour;
mod exits;
mod facts;
mod flow;
mod fold;
mod live;
mod narrow;
mod set;
mod sink;
#[cfg(test)]
mod tests;

pub(super) use facts::Signatures;

use super::unit::Code;
use wasm_encoder::Instruction;

/// A function's code, and what is known of those that it calls.
struct Shortening<'s> {
    code: Code,
    signatures: &'s Signatures<'s>,
    /// Whether control may come back by a dispatch: then code between two places is not all that may run between.
    waits: bool,
}

/// Shortens a function's code.
pub(super) fn shorten(code: Code, signatures: &Signatures<'_>, waits: bool) -> Code {
    let mut work = Shortening {
        code,
        signatures,
        waits,
    };
    work.flow();
    for _ in 0..2 {
        fold::fold(&mut work.code.body);
        sink::sink(&mut work);
        fold::offsets(&mut work);
        live::leave_out_dead(&mut work);
    }
    narrow::narrow(&mut work);
    fold::fold(&mut work.code.body);
    colour::colour(&mut work);
    fold::fold(&mut work.code.body);
    live::leave_out_dead(&mut work);
    let mut tree = work.tree();
    tree.simplify(signatures);
    exits::share(&mut tree, signatures);
    tree.simplify(signatures);
    work.code.body = tree.flatten();
    fold::fold(&mut work.code.body);
    work.code
}

impl Shortening<'_> {
    fn flow(&mut self) {
        let mut tree = self.tree();
        tree.simplify(self.signatures);
        self.code.body = tree.flatten();
    }

    fn tree(&mut self) -> flow::Tree {
        flow::Tree::parse(std::mem::take(&mut self.code.body), self.code.results.len())
    }

    fn count_locals(&self) -> usize {
        self.code.params.len() + self.code.locals.len()
    }

    fn type_of(&self, local: u32) -> wasm_encoder::ValType {
        let local = local as usize;
        let params = self.code.params.len();
        match local < params {
            true => self.code.params[local],
            false => self.code.locals[local - params],
        }
    }
}

/// Where the operands of an instruction begin that leaves one value: the start of the code that makes the value on top
/// of the stack behind `end`, if that is in one line.
fn value_start(code: &[Instruction<'_>], end: usize, signatures: &Signatures<'_>) -> Option<usize> {
    let mut needed = 1_usize;
    for at in (0..end).rev() {
        let (pops, pushes) = signatures.arity(&code[at])?;
        needed = needed.checked_sub(pushes)? + pops;
        if needed == 0 {
            return Some(at);
        }
    }
    None
}
