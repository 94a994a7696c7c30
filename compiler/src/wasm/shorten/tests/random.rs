//! Random functions do the same when they are shortened: results, memory, globals, calls in their order.
//!
//! They are made as emission makes them: nobody jumps to an `if`, a local is written before it is read, addresses do not
//! wrap.

use super::super::{Code, Signatures, shorten};
use super::machine::{GLOBALS, run};
use super::{arity, place, shown};
use wasm_encoder::{BlockType, Instruction as I, ValType};

/// Functions that each run of the tests tries.
const SEEDS: u64 = 500;
/// Locals that may be written again and again, behind the parameters.
const VARIABLES: u32 = 4;
const PARAMS: u32 = 2;

/// Makes one function.
struct Maker {
    state: u64,
    body: Vec<I<'static>>,
    locals: Vec<ValType>,
    /// Locals that can be read here.
    wide: Vec<u32>,
    narrow: Vec<u32>,
    /// What is open, from the outside in: whether it is a block that may be left.
    open: Vec<bool>,
    fuel: u32,
}

impl Maker {
    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let at = self.below(from.len() as u64);
        from[at as usize].clone()
    }

    fn i(&mut self, instruction: I<'static>) {
        self.body.push(instruction);
    }

    fn local(&mut self, ty: ValType) -> u32 {
        self.locals.push(ty);
        PARAMS + self.locals.len() as u32 - 1
    }

    /// A value of 64 bits.
    fn value(&mut self, depth: u32) {
        match self.below(if depth == 0 { 3 } else { 11 }) {
            0 => {
                let value = self.pick(&[0, 1, -1, 8, 255, 1 << 40, i64::MIN]);
                self.i(I::I64Const(value));
            }
            1 | 2 => {
                let local = self.pick(&self.wide.clone());
                self.i(I::LocalGet(local));
            }
            3..6 => {
                self.value(depth - 1);
                self.value(depth - 1);
                let operation = self.pick(&[I::I64Add, I::I64Add, I::I64Sub, I::I64Mul, I::I64Xor]);
                self.i(operation);
            }
            6 => {
                self.address(depth - 1);
                let offset = 8 * self.below(8) as i64;
                let load = self.pick(&[
                    I::I64Load(place(offset, 3)),
                    I::I64Load32U(place(offset, 2)),
                    I::I64Load8U(place(offset, 0)),
                ]);
                self.i(load);
            }
            7 => {
                self.flag(depth - 1);
                self.i(I::I64ExtendI32U);
            }
            8 => {
                let global = self.below(GLOBALS as u64) as u32;
                self.i(I::GlobalGet(global));
            }
            9 => {
                self.value(depth - 1);
                self.i(I::Call(2));
            }
            _ => {
                self.flag(depth - 1);
                self.i(I::If(BlockType::Result(ValType::I64)));
                self.value(depth - 1);
                self.i(I::Else);
                self.value(depth - 1);
                self.i(I::End);
            }
        }
    }

    /// An address that is in memory, with some bytes behind it.
    fn address(&mut self, depth: u32) {
        let known = self.narrow.clone();
        if !known.is_empty() && self.below(3) == 0 {
            let local = self.pick(&known);
            return self.i(I::LocalGet(local));
        }
        self.wide_address(depth);
        self.i(I::I32WrapI64);
    }

    fn wide_address(&mut self, depth: u32) {
        self.value(depth);
        self.i(I::I64Const(0xff8));
        self.i(I::I64And);
        if self.below(2) == 0 {
            let more = self.pick(&[8, 16, 1024]);
            self.i(I::I64Const(more));
            self.i(I::I64Add);
        }
    }

    /// A value of 32 bits that is 0 or 1.
    fn flag(&mut self, depth: u32) {
        self.value(depth);
        match self.below(3) {
            0 => self.i(I::I64Eqz),
            1 => {
                self.i(I::I64Const(0));
                self.i(I::I64Ne);
            }
            _ => {
                self.value(depth);
                let comparison = self.pick(&[I::I64Eq, I::I64LtS, I::I64GeS, I::I64LtU, I::I64GtU]);
                self.i(comparison);
            }
        }
        for _ in 0..self.below(3) {
            self.i(I::I32Eqz);
        }
    }

    fn statements(&mut self, depth: u32) {
        let (wide, narrow) = (self.wide.len(), self.narrow.len());
        for _ in 0..1 + self.below(4) {
            if self.fuel == 0 {
                break;
            }
            self.fuel -= 1;
            self.statement(depth);
        }
        self.wide.truncate(wide);
        self.narrow.truncate(narrow);
    }

    fn statement(&mut self, depth: u32) {
        match self.below(if depth == 0 { 9 } else { 15 }) {
            0 | 1 => {
                let local = PARAMS + self.below(VARIABLES.into()) as u32;
                self.value(2);
                self.i(I::LocalSet(local));
            }
            2 | 3 => {
                self.value(2);
                let local = self.local(ValType::I64);
                self.i(I::LocalSet(local));
                self.wide.push(local);
            }
            4 => {
                self.wide_address(1);
                let local = self.local(ValType::I64);
                self.i(I::LocalSet(local));
                for _ in 0..2 {
                    self.i(I::LocalGet(local));
                    self.i(I::I32WrapI64);
                    self.value(1);
                    self.i(I::I64Store(place(8, 3)));
                }
            }
            5 => {
                self.address(1);
                let local = self.local(ValType::I32);
                self.i(I::LocalSet(local));
                self.narrow.push(local);
            }
            6 => {
                self.address(1);
                self.value(1);
                let offset = 8 * self.below(8) as i64;
                let store = self.pick(&[
                    I::I64Store(place(offset, 3)),
                    I::I64Store32(place(offset, 2)),
                    I::I64Store8(place(offset, 0)),
                ]);
                self.i(store);
            }
            7 => {
                self.value(1);
                let global = self.below(GLOBALS as u64) as u32;
                self.i(I::GlobalSet(global));
            }
            8 => self.leave(),
            9 => self.i(I::Call(0)),
            10 | 11 => self.choice(depth),
            12 | 13 => {
                self.i(I::Block(BlockType::Empty));
                self.open.push(true);
                self.statements(depth - 1);
                self.open.pop();
                self.i(I::End);
            }
            _ => self.round(depth),
        }
    }

    /// Leaves the function or a block, if a condition holds.
    fn leave(&mut self) {
        let blocks: Vec<u32> = (0..self.open.len() as u32)
            .filter(|depth| self.open[self.open.len() - 1 - *depth as usize])
            .collect();
        self.flag(1);
        if blocks.is_empty() || self.below(3) == 0 {
            self.i(I::If(BlockType::Empty));
            self.value(1);
            self.i(I::Return);
            return self.i(I::End);
        }
        let depth = self.pick(&blocks);
        if self.below(2) == 0 {
            return self.i(I::BrIf(depth));
        }
        self.i(I::If(BlockType::Empty));
        self.i(I::Call(0));
        self.i(I::Br(depth + 1));
        self.i(I::End);
    }

    fn choice(&mut self, depth: u32) {
        self.flag(1);
        self.i(I::If(BlockType::Empty));
        self.open.push(false);
        self.statements(depth - 1);
        if self.below(2) == 0 {
            self.i(I::Else);
            self.statements(depth - 1);
        }
        self.open.pop();
        self.i(I::End);
    }

    /// A loop that counts down.
    fn round(&mut self, depth: u32) {
        let counter = self.local(ValType::I64);
        let times = 1 + self.below(3) as i64;
        self.i(I::I64Const(times));
        self.i(I::LocalSet(counter));
        self.i(I::Loop(BlockType::Empty));
        self.open.push(false);
        self.statements(depth - 1);
        self.open.pop();
        self.i(I::LocalGet(counter));
        self.i(I::I64Const(-1));
        self.i(I::I64Add);
        self.i(I::LocalTee(counter));
        self.i(I::I64Const(0));
        self.i(I::I64Ne);
        self.i(I::BrIf(0));
        self.i(I::End);
    }

    /// What a function that waits looks like: cases that one dispatch leads to, again and again.
    fn dispatch(&mut self) {
        const CASES: u32 = 4;
        let state = self.local(ValType::I32);
        let turns = self.local(ValType::I64);
        self.i(I::I64Const(9));
        self.i(I::LocalSet(turns));
        self.i(I::I32Const(0));
        self.i(I::LocalSet(state));
        self.i(I::Loop(BlockType::Empty));
        for _ in 0..CASES {
            self.i(I::Block(BlockType::Empty));
        }
        self.i(I::LocalGet(state));
        let depths: Vec<u32> = (0..CASES).collect();
        self.i(I::BrTable(depths.into(), CASES - 1));
        for case in 0..CASES {
            self.i(I::End);
            // Blocks of other cases and the loop are around, which nothing here jumps to.
            self.open = vec![false; (CASES - case) as usize];
            self.statements(2);
            self.i(I::LocalGet(turns));
            self.i(I::I64Const(-1));
            self.i(I::I64Add);
            self.i(I::LocalTee(turns));
            self.i(I::I64Eqz);
            self.i(I::If(BlockType::Empty));
            self.value(1);
            self.i(I::Return);
            self.i(I::End);
            let next = self.below(CASES.into()) as i32;
            self.i(I::I32Const(next));
            self.i(I::LocalSet(state));
            self.i(I::Br(CASES - 1 - case));
        }
        self.i(I::End);
    }
}

fn function(seed: u64, waits: bool) -> Code {
    let variables = PARAMS..PARAMS + VARIABLES;
    let mut maker = Maker {
        state: seed,
        body: Vec::new(),
        locals: vec![ValType::I64; VARIABLES as usize],
        wide: (0..PARAMS).chain(variables.clone()).collect(),
        narrow: Vec::new(),
        open: Vec::new(),
        fuel: 40,
    };
    for local in variables {
        maker.i(I::I64Const(local.into()));
        maker.i(I::LocalSet(local));
    }
    maker.statements(3);
    if waits {
        maker.dispatch();
    } else {
        maker.statements(4);
        maker.value(2);
        maker.i(I::Return);
    }
    maker.i(I::Unreachable);
    Code {
        params: vec![ValType::I64; PARAMS as usize],
        results: vec![ValType::I64],
        locals: maker.locals,
        body: maker.body,
    }
}

#[test]
fn random_functions_do_the_same_when_they_are_shorter() {
    let signatures = Signatures(&arity);
    let (mut before, mut behind) = (0, 0);
    for seed in 0..SEEDS {
        let waits = seed % 3 == 0;
        let long = function(seed, waits);
        let short = shorten(function(seed, waits), &signatures, waits);
        before += long.body.len();
        behind += short.body.len();
        for arguments in [[0, 0], [1, u64::MAX], [1 << 33, 4096]] {
            let (left, right) = (run(&long, &arguments), run(&short, &arguments));
            assert_eq!(
                left,
                right,
                "seed {seed} on {arguments:?}\n{}\n\n{}",
                shown(&long.body),
                shown(&short.body)
            );
        }
    }
    assert!(8 * behind < 7 * before, "{behind} of {before} are left");
}
