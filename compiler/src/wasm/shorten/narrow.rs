//! Values of which only the low half is wanted, addresses above all, become 32 bits wide.

use super::Shortening;
use wasm_encoder::Instruction as I;
use wasm_encoder::ValType;

/// A second, narrow local for a value pays from as many uses on.
const SHADOW: u32 = 6;

#[derive(Clone, Default)]
struct Uses {
    sets: u32,
    /// Sets whose value is as easily made narrow.
    easy: u32,
    gets: u32,
    /// Gets of which only the low half is taken.
    narrow: u32,
    /// Whether a `local.tee` leaves the whole value.
    is_wide: bool,
}

/// Makes locals narrow.
pub(super) fn narrow(work: &mut Shortening<'_>) {
    let uses = uses(work);
    let params = work.code.params.len();
    // For each local whether it is narrow now, and a second local for its low half.
    let mut is_narrow = vec![false; uses.len()];
    let mut shadows: Vec<Option<u32>> = vec![None; uses.len()];
    for (at, uses) in uses.iter().enumerate() {
        if work.type_of(at as u32) != ValType::I64 {
            continue;
        }
        let all = uses.narrow == uses.gets && !uses.is_wide && at >= params;
        if all && uses.gets + uses.easy > uses.sets {
            is_narrow[at] = true;
            work.code.locals[at - params] = ValType::I32;
        } else if uses.narrow >= SHADOW && uses.sets == u32::from(at >= params) {
            work.code.locals.push(ValType::I32);
            shadows[at] = Some(work.count_locals() as u32 - 1);
        }
    }
    rewrite(work, &is_narrow, &shadows);
}

fn uses(work: &Shortening<'_>) -> Vec<Uses> {
    let mut uses = vec![Uses::default(); work.count_locals()];
    let body = &work.code.body;
    for (at, instruction) in body.iter().enumerate() {
        let is_wrapped = matches!(body.get(at + 1), Some(I::I32WrapI64));
        match instruction {
            I::LocalGet(local) => {
                uses[*local as usize].gets += 1;
                uses[*local as usize].narrow += u32::from(is_wrapped);
            }
            I::LocalSet(local) | I::LocalTee(local) => {
                let uses = &mut uses[*local as usize];
                uses.sets += 1;
                uses.is_wide |= matches!(instruction, I::LocalTee(_)) && !is_wrapped;
                let before = at.checked_sub(1).map(|before| &body[before]);
                let is_easy = matches!(
                    before,
                    Some(
                        I::I64Load(_)
                            | I::I64Load32U(_)
                            | I::I64Load16U(_)
                            | I::I64Load8U(_)
                            | I::I64Const(_)
                            | I::I64ExtendI32U
                    )
                );
                let is_tee = matches!(instruction, I::LocalTee(_));
                uses.easy += u32::from(is_easy || is_tee);
            }
            _ => {}
        }
    }
    uses
}

fn rewrite(work: &mut Shortening<'_>, is_narrow: &[bool], shadows: &[Option<u32>]) {
    let old = std::mem::take(&mut work.code.body);
    let mut out = Vec::with_capacity(old.len());
    for (param, shadow) in (0..).zip(&shadows[..work.code.params.len()]) {
        if let Some(shadow) = shadow {
            out.extend([I::LocalGet(param), I::I32WrapI64, I::LocalSet(*shadow)]);
        }
    }
    let mut code = old.into_iter().peekable();
    while let Some(instruction) = code.next() {
        match instruction {
            I::LocalGet(local) => {
                let is_wrapped = matches!(code.peek(), Some(I::I32WrapI64));
                let narrow = match shadows[local as usize] {
                    Some(shadow) if is_wrapped => Some(shadow),
                    _ => is_narrow[local as usize].then_some(local),
                };
                if narrow.is_some() {
                    code.next();
                }
                out.push(I::LocalGet(narrow.unwrap_or(local)));
            }
            I::LocalSet(local) if is_narrow[local as usize] => {
                out.extend([I::I32WrapI64, I::LocalSet(local)]);
            }
            I::LocalTee(local) if is_narrow[local as usize] => {
                code.next();
                out.extend([I::I32WrapI64, I::LocalTee(local)]);
            }
            I::LocalSet(local) | I::LocalTee(local) if shadows[local as usize].is_some() => {
                let is_tee = matches!(instruction, I::LocalTee(_));
                out.push(I::LocalTee(local));
                out.push(I::I32WrapI64);
                if let Some(shadow) = shadows[local as usize] {
                    out.push(I::LocalSet(shadow));
                }
                if is_tee {
                    out.push(I::LocalGet(local));
                }
            }
            other => out.push(other),
        }
    }
    work.code.body = out;
}
