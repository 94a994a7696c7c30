//! Values that are put aside in memory while a loop calls, which it seldom does: a look at the clock. Enter at
//! [`Emit::seldom`].

use super::emit::{self, Emit};
use super::unit::val_type;
use crate::ir::{BlockId, Reg};
use wasm_encoder::{Instruction as I, MemArg, ValType};

/// How many values are put aside at most: they lie before the words.
const ASIDE: usize = 126;

/// Where a value is put aside.
fn aside(at: usize) -> MemArg {
    emit::at(8 + 8 * at as u64, 3)
}

impl Emit<'_, '_> {
    /// Writes a call that loops seldom make and that leads back to them, with what is needed behind it in memory
    /// meanwhile. Whoever compiles this keeps nothing in a register across a call; a value that is read back is another
    /// one, so that loops have theirs in registers.
    pub(super) fn seldom(&mut self, node: usize, call: impl FnOnce(&mut Self)) {
        let kept = self.kept(node);
        for (at, (home, ty)) in kept.iter().enumerate() {
            self.i(I::I32Const(0));
            self.i(I::LocalGet(*home));
            self.i(match ty {
                ValType::F64 => I::F64Store(aside(at)),
                _ => I::I64Store(aside(at)),
            });
        }
        call(self);
        for (at, (home, ty)) in kept.iter().enumerate() {
            self.i(I::I32Const(0));
            self.i(match ty {
                ValType::F64 => I::F64Load(aside(at)),
                _ => I::I64Load(aside(at)),
            });
            self.i(I::LocalSet(*home));
        }
    }

    /// The locals of what is live behind a block, none where that is not known or too much.
    fn kept(&mut self, node: usize) -> Vec<(u32, ValType)> {
        let Some(live) = &self.live else {
            return Vec::new();
        };
        let term = &self.function.blocks[node].term;
        let behind = live.behind(self.function, BlockId(node as u32));
        let passed = term.targets().into_iter().flat_map(|to| &to.args);
        let regs = behind.iter().chain(passed.copied());
        let results = term.results();
        let regs: Vec<Reg> = regs.filter(|reg| !results.contains(reg)).collect();
        let mut kept = Vec::new();
        for reg in regs {
            if !self.is_known(reg) {
                let home = (self.home(reg), val_type(self.class(reg)));
                if !kept.contains(&home) {
                    kept.push(home);
                }
            }
        }
        match kept.len() <= ASIDE {
            true => kept,
            false => Vec::new(),
        }
    }
}
