//! A small machine for the instructions that random functions are made of: what it is left with is what a function does.
//! Enter at [`run`].

use super::super::Code;
use wasm_encoder::{BlockType, Instruction as I, MemArg, ValType};

/// Bytes of memory; addresses are taken modulo nothing: what is outside traps.
pub(super) const MEMORY: usize = 8192;
/// Globals that functions may use, by their numbers.
pub(super) const GLOBALS: usize = 4;
/// As many instructions may one run take.
const FUEL: u32 = 40_000;

/// All that can be told of a run.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Told {
    /// Results, or why there are none.
    pub end: Result<Vec<u64>, &'static str>,
    memory: Vec<u8>,
    globals: [u64; GLOBALS],
    /// Calls with their arguments.
    calls: Vec<(u32, u64)>,
}

struct Machine<'c> {
    code: &'c [I<'static>],
    /// For each opening its `else` and its end.
    ends: Vec<(Option<usize>, usize)>,
    locals: Vec<u64>,
    stack: Vec<u64>,
    /// What is open: where a jump to it leads, how high the stack was.
    open: Vec<(usize, bool, usize)>,
    told: Told,
}

/// Runs a function on arguments.
pub(super) fn run(code: &Code, arguments: &[u64]) -> Told {
    let mut locals = arguments.to_vec();
    locals.resize(code.params.len() + code.locals.len(), 0);
    let mut machine = Machine {
        code: &code.body,
        ends: ends(&code.body),
        locals,
        stack: Vec::new(),
        open: Vec::new(),
        told: Told {
            end: Err("it is not over"),
            memory: (0..MEMORY).map(|at| (at * 37 % 251) as u8).collect(),
            globals: [11, 22, 33, 44],
            calls: Vec::new(),
        },
    };
    machine.told.end = machine.whole(code.results.len());
    for (local, ty) in machine
        .locals
        .iter()
        .zip(code.params.iter().chain(&code.locals))
    {
        let is_narrow = *ty == ValType::I32;
        assert!(!is_narrow || *local <= u64::from(u32::MAX), "it is narrow");
    }
    machine.told
}

fn ends(code: &[I<'static>]) -> Vec<(Option<usize>, usize)> {
    let mut ends = vec![(None, 0); code.len()];
    let mut open = Vec::new();
    for (at, instruction) in code.iter().enumerate() {
        match instruction {
            I::Block(_) | I::Loop(_) | I::If(_) => open.push(at),
            I::Else => ends[*open.last().expect("an `else` is in an `if`")].0 = Some(at),
            I::End => ends[open.pop().expect("an end ends something")].1 = at,
            _ => {}
        }
    }
    assert!(open.is_empty(), "all that is opened ends");
    ends
}

impl Machine<'_> {
    fn pop(&mut self) -> u64 {
        self.stack.pop().expect("there is a value")
    }

    fn whole(&mut self, results: usize) -> Result<Vec<u64>, &'static str> {
        let mut at = 0;
        for _ in 0..FUEL {
            let Some(instruction) = self.code.get(at) else {
                break;
            };
            if matches!(instruction, I::Return) {
                let from = self.stack.len() - results;
                return Ok(self.stack.split_off(from));
            }
            at = self.step(at, instruction)?;
        }
        match at == self.code.len() {
            true => Ok(std::mem::take(&mut self.stack)),
            false => Err("it takes too long"),
        }
    }

    /// Does one instruction; gives the next one's place.
    fn step(&mut self, at: usize, instruction: &I<'static>) -> Result<usize, &'static str> {
        match instruction {
            I::Block(_) => self
                .open
                .push((self.ends[at].1 + 1, false, self.stack.len())),
            I::Loop(_) => self.open.push((at, true, self.stack.len())),
            I::If(ty) => {
                assert!(matches!(ty, BlockType::Empty | BlockType::Result(_)));
                let condition = self.pop() as u32;
                let (otherwise, end) = self.ends[at];
                self.open.push((end + 1, false, self.stack.len()));
                if condition == 0 {
                    return Ok(otherwise.unwrap_or(end - 1) + 1);
                }
            }
            I::Else => {
                let (behind, ..) = self.open.pop().expect("it is in an `if`");
                return Ok(behind);
            }
            I::End => {
                self.open.pop();
            }
            I::Br(depth) => return Ok(self.jump(*depth)),
            I::BrIf(depth) => {
                if self.pop() as u32 != 0 {
                    return Ok(self.jump(*depth));
                }
            }
            I::BrTable(depths, last) => {
                let index = self.pop() as u32 as usize;
                return Ok(self.jump(depths.get(index).copied().unwrap_or(*last)));
            }
            I::Unreachable => return Err("it is unreachable"),
            other => self.plain(other)?,
        }
        Ok(at + 1)
    }

    fn jump(&mut self, depth: u32) -> usize {
        let target = self.open.len() - 1 - depth as usize;
        let (to, is_loop, height) = self.open[target];
        self.stack.truncate(height);
        self.open.truncate(target);
        // A loop opens itself again.
        debug_assert!(!is_loop || matches!(self.code[to], I::Loop(_)));
        to
    }

    fn plain(&mut self, instruction: &I<'static>) -> Result<(), &'static str> {
        match instruction {
            I::I64Const(value) => self.stack.push(*value as u64),
            I::I32Const(value) => self.stack.push(u64::from(*value as u32)),
            I::LocalGet(local) => self.stack.push(self.locals[*local as usize]),
            I::LocalSet(local) => self.locals[*local as usize] = self.pop(),
            I::LocalTee(local) => {
                self.locals[*local as usize] = *self.stack.last().expect("there is a value");
            }
            I::GlobalGet(global) => self.stack.push(self.told.globals[*global as usize]),
            I::GlobalSet(global) => self.told.globals[*global as usize] = self.pop(),
            I::Drop => {
                self.pop();
            }
            I::Select => {
                let (condition, otherwise, then) = (self.pop() as u32, self.pop(), self.pop());
                self.stack
                    .push(if condition != 0 { then } else { otherwise });
            }
            I::Call(number) => self.call(*number),
            I::I64Load(place) => self.load(place, 8)?,
            I::I32Load(place) | I::I64Load32U(place) => self.load(place, 4)?,
            I::I32Load8U(place) | I::I64Load8U(place) => self.load(place, 1)?,
            I::I64Store(place) => self.store(place, 8)?,
            I::I32Store(place) | I::I64Store32(place) => self.store(place, 4)?,
            I::I64Store8(place) => self.store(place, 1)?,
            I::I32WrapI64 => {
                let value = self.pop();
                self.stack.push(u64::from(value as u32));
            }
            // An i32 has zeros in its high half here.
            I::I64ExtendI32U => {}
            I::I32Eqz | I::I64Eqz => {
                let value = self.pop();
                self.stack.push(u64::from(value == 0));
            }
            other => {
                let (right, left) = (self.pop(), self.pop());
                self.stack.push(binary(other, left, right));
            }
        }
        Ok(())
    }

    /// What is called reads and writes memory and a global.
    fn call(&mut self, number: u32) {
        let argument = if number == 2 { self.pop() } else { 0 };
        self.told.calls.push((number, argument));
        let seen = u64::from(self.told.memory[16]).wrapping_add(self.told.globals[1]);
        let found = (seen ^ argument).wrapping_mul(0x9e37_79b9).rotate_left(7);
        self.told.memory[24] = found as u8;
        self.told.globals[2] = found;
        if number > 0 {
            self.stack.push(found);
        }
    }

    fn place(&mut self, place: &MemArg, size: usize) -> Result<usize, &'static str> {
        let at = self.pop() as u32 as usize + place.offset as usize;
        match at + size <= MEMORY {
            true => Ok(at),
            false => Err("it is outside of memory"),
        }
    }

    fn load(&mut self, place: &MemArg, size: usize) -> Result<(), &'static str> {
        let at = self.place(place, size)?;
        let mut bytes = [0; 8];
        bytes[..size].copy_from_slice(&self.told.memory[at..at + size]);
        self.stack.push(u64::from_le_bytes(bytes));
        Ok(())
    }

    fn store(&mut self, place: &MemArg, size: usize) -> Result<(), &'static str> {
        let value = self.pop();
        let at = self.place(place, size)?;
        self.told.memory[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
        Ok(())
    }
}

fn binary(instruction: &I<'static>, left: u64, right: u64) -> u64 {
    let (signed, other) = (left as i64, right as i64);
    let flag = |holds: bool| u64::from(holds);
    match instruction {
        I::I64Add => left.wrapping_add(right),
        I::I64Sub => left.wrapping_sub(right),
        I::I64Mul => left.wrapping_mul(right),
        I::I64And | I::I32And => left & right,
        I::I64Or | I::I32Or => left | right,
        I::I64Xor => left ^ right,
        I::I64Shl => left.wrapping_shl(right as u32),
        I::I64ShrU => left.wrapping_shr(right as u32),
        I::I32Add => u64::from((left as u32).wrapping_add(right as u32)),
        I::I32Sub => u64::from((left as u32).wrapping_sub(right as u32)),
        I::I64Eq | I::I32Eq => flag(left == right),
        I::I64Ne | I::I32Ne => flag(left != right),
        I::I64LtS => flag(signed < other),
        I::I64LeS => flag(signed <= other),
        I::I64GtS => flag(signed > other),
        I::I64GeS => flag(signed >= other),
        I::I64LtU | I::I32LtU => flag(left < right),
        I::I64LeU | I::I32LeU => flag(left <= right),
        I::I64GtU | I::I32GtU => flag(left > right),
        I::I64GeU | I::I32GeU => flag(left >= right),
        unknown => unreachable!("random functions have no {unknown:?}"),
    }
}
