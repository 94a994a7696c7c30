//! Register classes of operands and results; the signatures of calls; who may call whom and how.

use super::{Broken, Check, Result_};
use crate::ir::{Block, BlockId, FuncId, NativeId, Op, Reg, Terminator, TryOp, Ty, WaitOp, print};

/// An expected class; `A` is any.
#[derive(Clone, Copy)]
enum Class {
    I,
    F,
    P,
    A,
}
use Class::{A, F, I, P};

impl Class {
    fn fits(self, ty: Ty) -> bool {
        matches!(
            (self, ty),
            (A, _) | (I, Ty::Int) | (F, Ty::Float) | (P, Ty::Ptr)
        )
    }
}

fn exact(ty: Ty) -> Class {
    match ty {
        Ty::Int => I,
        Ty::Float => F,
        Ty::Ptr => P,
    }
}

impl Check<'_> {
    fn class(&self, reg: Reg) -> Ty {
        self.function.regs[reg.index()]
    }

    fn expect(&self, block: BlockId, what: &str, regs: &[Reg], classes: &[Class]) -> Result_ {
        let fits = regs.len() == classes.len()
            && regs
                .iter()
                .zip(classes)
                .all(|(r, c)| c.fits(self.class(*r)));
        if fits {
            Ok(())
        } else {
            Err(self.broken(
                block,
                format!("{what} has registers of the wrong number or class"),
            ))
        }
    }

    pub(super) fn types(&self) -> Result_ {
        for (id, block) in self.blocks() {
            for inst in &block.insts {
                self.instruction(id, &inst.op, &inst.results)?;
            }
            self.terminator(id, block)?;
            for target in block.term.targets() {
                let params = &self.function.blocks[target.block.index()].params;
                let classes: Vec<Class> = params
                    .iter()
                    .map(|param| exact(self.class(*param)))
                    .collect();
                self.expect(id, "an edge", &target.args, &classes)?;
            }
        }
        Ok(())
    }

    fn instruction(&self, id: BlockId, op: &Op, results: &[Reg]) -> Result_ {
        match op {
            Op::Call(func, args) => {
                self.call(id, *func, args, results)?;
                if self.program.functions[func.index()].waits {
                    return Err(self.broken(id, "a plain call of a function that waits".to_owned()));
                }
                return Ok(());
            }
            Op::Host(native, args) => {
                self.host(id, *native, args, results)?;
                let native = &self.program.natives[native.index()];
                if native.waits || native.fails {
                    return Err(self.broken(
                        id,
                        format!("a plain call of {}, which waits or fails", native.name),
                    ));
                }
                return Ok(());
            }
            Op::Spawn(func, args) => return self.strand(id, *func, args),
            _ => {}
        }
        let mut operands = Vec::new();
        op.each_reg(self.sigs, &mut |reg, _| operands.push(*reg));
        let (wanted, made) = shape(op, operands.len());
        let (name, _) = print::op_parts(op);
        self.expect(id, name, &operands, &wanted)?;
        self.expect(id, name, results, made)
    }

    fn call(&self, id: BlockId, func: FuncId, args: &[Reg], results: &[Reg]) -> Result_ {
        let Some(callee) = self.program.functions.get(func.index()) else {
            return Err(self.broken(id, format!("{func:?} does not exist")));
        };
        let params: Vec<Class> = callee
            .params
            .iter()
            .map(|p| exact(callee.regs[p.reg.index()]))
            .collect();
        self.expect(id, "a call", args, &params)?;
        let made: Vec<Class> = callee.results.iter().map(|ty| exact(*ty)).collect();
        self.expect(id, "a call", results, &made)
    }

    fn strand(&self, id: BlockId, func: FuncId, args: &[Reg]) -> Result_ {
        let Some(callee) = self.program.functions.get(func.index()) else {
            return Err(self.broken(id, format!("{func:?} does not exist")));
        };
        let params: Vec<Class> = callee
            .params
            .iter()
            .map(|p| exact(callee.regs[p.reg.index()]))
            .collect();
        if !callee.waits {
            return Err(self.broken(
                id,
                format!("{func:?} runs as a strand but has no frame of its own"),
            ));
        }
        self.expect(id, "a strand", args, &params)
    }

    fn host(&self, id: BlockId, native: NativeId, args: &[Reg], results: &[Reg]) -> Result_ {
        let Some(native) = self.program.natives.get(native.index()) else {
            return Err(self.broken(id, format!("{native:?} does not exist")));
        };
        let params: Vec<Class> = native.params.iter().map(|param| exact(param.ty)).collect();
        self.expect(id, &native.name, args, &params)?;
        let receiver = native.inout.then_some(P);
        let made: Vec<Class> = receiver
            .into_iter()
            .chain(native.results.iter().map(|ty| exact(*ty)))
            .collect();
        self.expect(id, &native.name, results, &made)
    }

    fn terminator(&self, id: BlockId, block: &Block) -> Result_ {
        match &block.term {
            Terminator::Branch { cond, .. } => self.expect(id, "a branch", &[*cond], &[I]),
            Terminator::Switch { value, .. } => self.expect(id, "a switch", &[*value], &[I]),
            Terminator::Return(regs) => {
                let wanted: Vec<Class> =
                    self.function.results.iter().map(|ty| exact(*ty)).collect();
                self.expect(id, "a return", regs, &wanted)
            }
            Terminator::Try { op, results, .. } => self.try_op(id, op, results),
            Terminator::Wait { op, results, .. } => self.wait_op(id, op, results),
            _ => Ok(()),
        }
    }

    fn try_op(&self, id: BlockId, op: &TryOp, results: &[Reg]) -> Result_ {
        let (wanted, made): (&[Class], &[Class]) = match op {
            TryOp::Call(func, args) => {
                self.call(id, *func, args, results)?;
                // Until the call graph is known, all calls are of this kind.
                return match self.program.functions[func.index()].waits {
                    true => Err(self.broken(id, "a pure call of a function that waits".to_owned())),
                    false => Ok(()),
                };
            }
            TryOp::Host(native, args) => {
                self.host(id, *native, args, results)?;
                return match self.program.natives[native.index()].waits {
                    true => {
                        Err(self.broken(id, "a pure call of a host function that waits".to_owned()))
                    }
                    false => Ok(()),
                };
            }
            TryOp::Int(..) => (&[I, I], &[I]),
            TryOp::Neg(_) => (&[I], &[I]),
            TryOp::ToInt(_) => (&[F], &[I]),
            TryOp::ListGet(..) => (&[P, I], &[A]),
            TryOp::ListSet(..) => (&[P, I, A], &[P]),
            TryOp::ListTake(..) => (&[P, I], &[P]),
            TryOp::ListPut(..) => (&[P, I, A], &[]),
            TryOp::BytesGet(..) => (&[P, I], &[I]),
            TryOp::Poke => (&[], &[]),
        };
        let mut operands = Vec::new();
        op.each_reg(self.sigs, &mut |reg, _| operands.push(*reg));
        let (name, _) = print::try_parts(op);
        self.expect(id, name, &operands, wanted)?;
        self.expect(id, name, results, made)
    }

    fn wait_op(&self, id: BlockId, op: &WaitOp, results: &[Reg]) -> Result_ {
        match op {
            WaitOp::Call(func, args) => {
                self.call(id, *func, args, results)?;
                match self.program.functions[func.index()].waits {
                    true => Ok(()),
                    false => Err(self.broken(id, "a wait for a pure function".to_owned())),
                }
            }
            WaitOp::Host(native, args) => {
                self.host(id, *native, args, results)?;
                match self.program.natives[native.index()].waits {
                    true => Ok(()),
                    false => {
                        Err(self.broken(id, "a wait for a host function that does not".to_owned()))
                    }
                }
            }
            WaitOp::Parallel(_, branches) => {
                branches
                    .iter()
                    .try_for_each(|(func, args)| self.strand(id, *func, args))?;
                self.expect(id, "parallel", results, &[P])
            }
            WaitOp::Race(branches) => self.race(id, branches, results),
            WaitOp::ForEach {
                list,
                func,
                captures,
                max,
                ..
            } => self.for_each(id, *func, &[*list, *max], captures, results),
        }
    }

    fn race(&self, id: BlockId, branches: &[(FuncId, Vec<Reg>)], results: &[Reg]) -> Result_ {
        for (func, args) in branches {
            self.strand(id, *func, args)?;
            let made: Vec<Class> = self.program.functions[func.index()]
                .results
                .iter()
                .map(|ty| exact(*ty))
                .collect();
            self.expect(id, "a branch of a race", results, &made)?;
        }
        Ok(())
    }

    fn for_each(
        &self,
        id: BlockId,
        func: FuncId,
        fixed: &[Reg],
        captures: &[Reg],
        results: &[Reg],
    ) -> Result_ {
        self.expect(id, "for_each", fixed, &[P, I])?;
        self.expect(id, "for_each", results, &[P])?;
        let broken = || Broken {
            ..self.broken(
                id,
                "for_each runs a function with other parameters".to_owned(),
            )
        };
        let callee = self
            .program
            .functions
            .get(func.index())
            .filter(|callee| callee.waits)
            .ok_or_else(broken)?;
        let rest = callee.params.get(1..).ok_or_else(broken)?;
        let params: Vec<Class> = rest
            .iter()
            .map(|p| exact(callee.regs[p.reg.index()]))
            .collect();
        self.expect(id, "for_each", captures, &params)
    }
}

/// Operand and result classes of an instruction that is no call.
fn shape(op: &Op, operands: usize) -> (Vec<Class>, &'static [Class]) {
    let (wanted, made): (&[Class], &'static [Class]) = match op {
        Op::Int(_) | Op::ErrIsCancel => (&[], &[I]),
        Op::Float(_) => (&[], &[F]),
        Op::Const(_) | Op::Null | Op::ErrTake | Op::CellTake(_) => (&[], &[P]),
        Op::Global(_) | Op::CellLoad(_) => (&[], &[A]),
        Op::IntBin(..) | Op::IntCmp(..) => (&[I, I], &[I]),
        Op::FloatBin(..) => (&[F, F], &[F]),
        Op::FloatCmp(..) => (&[F, F], &[I]),
        Op::FloatNeg(_) | Op::FloatUn(..) => (&[F], &[F]),
        Op::Select(..) => (&[I, A, A], &[A]),
        Op::Not(_) => (&[I], &[I]),
        Op::ToFloat(_) => (&[I], &[F]),
        Op::IsNull(_) | Op::OptFlag(_) | Op::ListLen(_) | Op::BytesLen(_) | Op::MapLen(_) => {
            (&[P], &[I])
        }
        Op::OptPayload(_) | Op::Load(..) => (&[P], &[A]),
        Op::OptBox(..) => (&[I, A], &[P]),
        Op::Box(..) => (&[A], &[P]),
        Op::New(..) | Op::NewList(..) | Op::NewMap(..) => return (vec![A; operands], &[P]),
        Op::Format(_) => return (vec![A; operands], &[P]),
        Op::Take(..) | Op::Unique(_) | Op::Retain(_) => (&[P], &[P]),
        Op::Store(..) => (&[P, A], &[]),
        Op::ListAt(..) | Op::MapKeyAt(..) | Op::MapValueAt(..) => (&[P, I], &[A]),
        Op::MapGet(..) => (&[P, A], &[I, A]),
        Op::MapTake(..) => (&[P, A], &[I, P]),
        Op::MapInsert(..) => (&[P, A, A], &[P]),
        Op::ListPush(..) => (&[P, A], &[P]),
        Op::ListTake(..) => (&[P, I], &[P]),
        Op::ListPut(..) => (&[P, I, A], &[]),
        Op::Equal(..) => (&[P, P], &[I]),
        Op::CellStore(..) => (&[A], &[]),
        Op::Drop(_) | Op::Keep(_) | Op::ErrSet(_) => (&[P], &[]),
        Op::ErrTrace | Op::Site(_) | Op::Call(..) | Op::Host(..) | Op::Spawn(..) => (&[], &[]),
    };
    (wanted.to_vec(), made)
}
