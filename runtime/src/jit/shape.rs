//! What a function looks like from outside: its parameters and results in machine registers.

use cranelift_codegen::ir::{AbiParam, Signature, Type, types};
use cranelift_codegen::isa::CallConv;
use scn_compiler::ir::{Function, Op, Program, Terminator, TryOp, Ty};

/// The machine type of a register.
pub(super) fn machine_type(ty: Ty) -> Type {
    match ty {
        Ty::Int | Ty::Ptr => types::I64,
        Ty::Float => types::F64,
    }
}

/// What callers must know of a function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Shape {
    /// Whether it may fail: then its last result is a status.
    pub fails: bool,
    /// Whether it takes the depth of calls: it is recursive, or calls such a function.
    pub counts_depth: bool,
}

/// The shapes of a program's functions.
pub(super) fn shapes(program: &Program) -> Vec<Shape> {
    let fails = |function: &Function| {
        let mut ends = function.blocks.iter().map(|block| &block.term);
        ends.any(|term| matches!(term, Terminator::Fail))
    };
    let mut shapes: Vec<Shape> = program
        .functions
        .iter()
        .map(|function| Shape {
            fails: fails(function),
            counts_depth: function.recursive,
        })
        .collect();
    let callees: Vec<Vec<usize>> = program.functions.iter().map(pure_callees).collect();
    loop {
        let mut changed = false;
        for at in 0..shapes.len() {
            if !shapes[at].counts_depth && callees[at].iter().any(|to| shapes[*to].counts_depth) {
                shapes[at].counts_depth = true;
                changed = true;
            }
        }
        if !changed {
            return shapes;
        }
    }
}

fn pure_callees(function: &Function) -> Vec<usize> {
    let mut callees = Vec::new();
    for block in &function.blocks {
        for inst in &block.insts {
            if let Op::Call(callee, _) = &inst.op {
                callees.push(callee.index());
            }
        }
        if let Terminator::Try {
            op: TryOp::Call(callee, _),
            ..
        } = &block.term
        {
            callees.push(callee.index());
        }
    }
    callees
}

/// The signature of a function: `resume` of a waiting one, else the function itself.
pub(super) fn signature(function: &Function, shape: Shape, conv: CallConv) -> Signature {
    let mut signature = Signature::new(conv);
    let params = &mut signature.params;
    params.push(AbiParam::new(types::I64));
    if function.waits {
        params.push(AbiParam::new(types::I64));
        // By the rules of some machines (aarch64 of Apple) callers rely on a byte that was extended.
        signature.returns.push(AbiParam::new(types::I8).uext());
        return signature;
    }
    if shape.counts_depth {
        params.push(AbiParam::new(types::I64));
    }
    for param in &function.params {
        let ty = machine_type(function.regs[param.reg.index()]);
        params.push(AbiParam::new(ty));
    }
    let returns = &mut signature.returns;
    match function.results.as_slice() {
        [] => {}
        [value] => returns.push(AbiParam::new(machine_type(*value))),
        // Of what may fail, the status tells whether there is a payload.
        [_, payload, ..] => {
            if !shape.fails {
                returns.push(AbiParam::new(types::I64));
            }
            returns.push(AbiParam::new(machine_type(*payload)));
        }
    }
    if shape.fails {
        returns.push(AbiParam::new(types::I64));
    }
    signature
}
