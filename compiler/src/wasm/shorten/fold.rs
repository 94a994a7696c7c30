//! Short sequences of instructions that shorter ones stand for. Enter at [`fold`] and [`offsets`].

use super::Shortening;
use super::facts::{is_comparison, is_store, opposite, place_of};
use wasm_encoder::Instruction as I;

/// The largest constant that goes into the offset of a load or store; behind it lies memory that nobody has.
const LARGEST_OFFSET: i64 = 1 << 20;

/// Replaces what is longer than needed.
pub(super) fn fold(code: &mut Vec<I<'static>>) {
    let mut out: Vec<I<'static>> = Vec::with_capacity(code.len());
    for instruction in code.drain(..) {
        add(&mut out, instruction);
    }
    *code = out;
}

/// Appends an instruction, together with which the last ones may become shorter.
fn add(out: &mut Vec<I<'static>>, instruction: I<'static>) {
    match instruction {
        I::LocalGet(local) => match out.last() {
            Some(I::LocalSet(before)) if *before == local => {
                out.pop();
                out.push(I::LocalTee(local));
            }
            _ => out.push(I::LocalGet(local)),
        },
        I::LocalSet(local) => match out.last() {
            // What it holds already.
            Some(I::LocalGet(before)) if *before == local => {
                out.pop();
            }
            Some(I::LocalTee(before)) if *before == local => {
                out.pop();
                add(out, I::LocalSet(local));
            }
            _ => out.push(I::LocalSet(local)),
        },
        I::LocalTee(local) => match out.last() {
            Some(I::LocalGet(before) | I::LocalTee(before)) if *before == local => {}
            _ => out.push(I::LocalTee(local)),
        },
        I::I64Add => sum(out),
        I::I32WrapI64 => wrap(out),
        I::I32Eqz => not(out),
        I::I64Eqz => match out.last() {
            Some(I::I64ExtendI32U) => {
                out.pop();
                not(out);
            }
            _ => out.push(I::I64Eqz),
        },
        I::I64Eq if ends_with_zero(out) => {
            out.pop();
            add(out, I::I64Eqz);
        }
        I::I64Ne if ends_with_zero(out) => {
            out.pop();
            match out.last() {
                Some(I::I64ExtendI32U) if is_flag_before_last(out) => {
                    out.pop();
                }
                _ => {
                    add(out, I::I64Eqz);
                    out.push(I::I32Eqz);
                }
            }
        }
        I::If(_) | I::BrIf(_) => {
            // A condition is true where it is not 0.
            while let [.., I::I32Eqz, I::I32Eqz] = out[..] {
                out.truncate(out.len() - 2);
            }
            out.push(instruction);
        }
        other => out.push(other),
    }
}

fn ends_with_zero(out: &[I<'static>]) -> bool {
    matches!(out.last(), Some(I::I64Const(0)))
}

/// Whether what the last instruction makes wider is 0 or 1.
fn is_flag_before_last(out: &[I<'static>]) -> bool {
    let before = out.len().checked_sub(2).map(|at| &out[at]);
    before.is_some_and(|before| is_comparison(before) || matches!(before, I::I64Eqz | I::I32Eqz))
}

/// `x + a + b` is `x + (a + b)`.
fn sum(out: &mut Vec<I<'static>>) {
    match out[..] {
        [.., I::I64Const(a), I::I64Add, I::I64Const(b)] => {
            out.truncate(out.len() - 3);
            out.push(I::I64Const(a.wrapping_add(b)));
            sum(out);
        }
        [.., I::I64Const(0)] => {
            out.pop();
        }
        _ => out.push(I::I64Add),
    }
}

/// Makes an `i32` of what the last instruction leaves.
fn wrap(out: &mut Vec<I<'static>>) {
    let narrow = match out.last() {
        Some(I::I64ExtendI32U | I::I64ExtendI32S) => None,
        Some(I::I64Load(place) | I::I64Load32U(place) | I::I64Load32S(place)) => {
            let mut place = *place;
            place.align = place.align.min(2);
            Some(I::I32Load(place))
        }
        Some(I::I64Load16U(place)) => Some(I::I32Load16U(*place)),
        Some(I::I64Load8U(place)) => Some(I::I32Load8U(*place)),
        Some(I::I64Const(value)) => Some(I::I32Const(*value as i32)),
        _ => return out.push(I::I32WrapI64),
    };
    out.pop();
    out.extend(narrow);
}

/// `!x` of a flag.
fn not(out: &mut Vec<I<'static>>) {
    match out.last().and_then(opposite) {
        Some(opposite) => {
            out.pop();
            out.push(opposite);
        }
        None => out.push(I::I32Eqz),
    }
}

/// Moves constants that are added to an address into the offset of the load or store that takes it. Bodies of the
/// library make addresses of what lies in memory, so that nothing runs over.
pub(super) fn offsets(work: &mut Shortening<'_>) {
    let mut at = 0;
    while at + 2 < work.code.body.len() {
        let body = &work.code.body;
        if let [I::I64Const(more), I::I64Add, I::I32WrapI64] = body[at..at + 3]
            && (0..LARGEST_OFFSET).contains(&more)
            && let Some(taker) = taker(work, at + 3)
            && let Some(place) = place_of(&mut work.code.body[taker])
        {
            place.offset += more as u64;
            work.code.body.drain(at..at + 2);
            at = at.saturating_sub(1);
            continue;
        }
        at += 1;
    }
}

/// The load or store that takes the address which is on the stack before an instruction.
fn taker(work: &Shortening<'_>, from: usize) -> Option<usize> {
    let mut above = 0_usize;
    for (at, instruction) in work.code.body.iter().enumerate().skip(from) {
        let (pops, pushes) = work.signatures.arity(instruction)?;
        match above.checked_sub(pops) {
            Some(left) => above = left + pushes,
            // The address is the lowest operand of a store and the only one of a load.
            None => {
                let is_lowest = pops == above + 1;
                let takes = is_store(instruction) || pops == 1;
                return (is_lowest && takes).then_some(at);
            }
        }
    }
    None
}
