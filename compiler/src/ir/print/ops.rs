//! Names and operands of operations: one row for each, which the parser mirrors.

use super::{Arg, scalar_word};
use crate::ir::{
    CheckedOp, Cmp, FloatBin, FloatUn, FormatPart, FuncId, IntBin, Op, Reg, TryOp, WaitOp,
};

/// Name and operands of an instruction.
pub(in crate::ir) fn op_parts(op: &Op) -> (&'static str, Vec<Arg>) {
    use Arg::{Id, Num, Word};
    let r = |reg: &Reg| Arg::Reg(*reg);
    match op {
        Op::Int(n) => ("int", vec![Num(*n)]),
        Op::Float(bits) => (
            "float",
            vec![
                Word(format!("{:?}", f64::from_bits(*bits))),
                Num(*bits as i64),
            ],
        ),
        Op::Const(id) => ("const", vec![Id("const", id.0)]),
        Op::Null => ("null", vec![]),
        Op::Global(id) => ("global", vec![Id("global", id.0)]),
        Op::IntBin(op, a, b) => (int_bin_word(*op), vec![r(a), r(b)]),
        Op::IntCmp(cmp, a, b) => (cmp_word(*cmp, false), vec![r(a), r(b)]),
        Op::FloatBin(op, a, b) => (float_bin_word(*op), vec![r(a), r(b)]),
        Op::FloatCmp(cmp, a, b) => (cmp_word(*cmp, true), vec![r(a), r(b)]),
        Op::FloatNeg(a) => ("fneg", vec![r(a)]),
        Op::FloatUn(op, a) => (float_un_word(*op), vec![r(a)]),
        Op::Select(c, a, b) => ("select", vec![r(c), r(a), r(b)]),
        Op::Not(a) => ("not", vec![r(a)]),
        Op::ToFloat(a) => ("to_float", vec![r(a)]),
        Op::IsNull(a) => ("is_null", vec![r(a)]),
        Op::OptFlag(a) => ("opt_flag", vec![r(a)]),
        Op::OptPayload(a) => ("opt_payload", vec![r(a)]),
        Op::OptBox(desc, a, b) => ("opt_box", vec![Id("desc", desc.0), r(a), r(b)]),
        Op::Box(desc, a) => ("box", vec![Id("desc", desc.0), r(a)]),
        Op::New(desc, regs) => ("new", vec![Id("desc", desc.0), Arg::regs(regs)]),
        Op::NewList(desc, regs) => ("new_list", vec![Id("desc", desc.0), Arg::regs(regs)]),
        Op::NewMap(desc, regs) => ("new_map", vec![Id("desc", desc.0), Arg::regs(regs)]),
        Op::Load(a, at) => ("load", vec![r(a), Num(i64::from(*at))]),
        Op::Take(a, at) => ("take", vec![r(a), Num(i64::from(*at))]),
        Op::Store(a, at, v) => ("store", vec![r(a), Num(i64::from(*at)), r(v)]),
        Op::Unique(a) => ("unique", vec![r(a)]),
        Op::ListLen(a) => ("list_len", vec![r(a)]),
        Op::BytesLen(a) => ("bytes_len", vec![r(a)]),
        Op::ListAt(a, b) => ("list_at", vec![r(a), r(b)]),
        Op::MapLen(a) => ("map_len", vec![r(a)]),
        Op::MapKeyAt(a, b) => ("map_key_at", vec![r(a), r(b)]),
        Op::MapValueAt(a, b) => ("map_value_at", vec![r(a), r(b)]),
        Op::MapGet(a, b) => ("map_get", vec![r(a), r(b)]),
        Op::MapTake(a, b) => ("map_take", vec![r(a), r(b)]),
        Op::MapInsert(a, b, c) => ("map_insert", vec![r(a), r(b), r(c)]),
        Op::ListPush(a, b) => ("list_push", vec![r(a), r(b)]),
        Op::ListTake(a, b) => ("list_take_at", vec![r(a), r(b)]),
        Op::ListPut(a, b, c) => ("list_put", vec![r(a), r(b), r(c)]),
        Op::Equal(a, b) => ("equal", vec![r(a), r(b)]),
        Op::Format(parts) => (
            "format",
            vec![Arg::List(parts.iter().flat_map(format_part).collect())],
        ),
        Op::CellLoad(cell) => ("cell_load", vec![Num(i64::from(*cell))]),
        Op::CellTake(cell) => ("cell_take", vec![Num(i64::from(*cell))]),
        Op::CellStore(cell, a) => ("cell_store", vec![Num(i64::from(*cell)), r(a)]),
        Op::Retain(a) => ("retain", vec![r(a)]),
        Op::Drop(a) => ("drop", vec![r(a)]),
        Op::Keep(a) => ("keep", vec![r(a)]),
        Op::ErrTake => ("err_take", vec![]),
        Op::ErrSet(a) => ("err_set", vec![r(a)]),
        Op::ErrIsCancel => ("err_is_cancel", vec![]),
        Op::ErrTrace => ("err_trace", vec![]),
        Op::Site(site) => ("site", vec![Id("site", site.0)]),
        Op::Call(func, regs) => ("call", vec![Id("fn", func.0), Arg::regs(regs)]),
        Op::Host(native, regs) => ("host", vec![Id("host", native.0), Arg::regs(regs)]),
        Op::Spawn(func, regs) => ("spawn", vec![Id("fn", func.0), Arg::regs(regs)]),
    }
}

fn format_part(part: &FormatPart) -> Vec<Arg> {
    match part {
        FormatPart::Text(id) => vec![Arg::Id("const", id.0)],
        FormatPart::Scalar(scalar, reg) => vec![Arg::Word(scalar_word(*scalar)), Arg::Reg(*reg)],
        FormatPart::Object(reg) => vec![Arg::Word("object".to_owned()), Arg::Reg(*reg)],
    }
}

/// Name and operands of what a `try` does.
pub(in crate::ir) fn try_parts(op: &TryOp) -> (&'static str, Vec<Arg>) {
    let r = |reg: &Reg| Arg::Reg(*reg);
    match op {
        TryOp::Int(op, a, b) => (checked_word(*op), vec![r(a), r(b)]),
        TryOp::Neg(a) => ("neg", vec![r(a)]),
        TryOp::ToInt(a) => ("to_int", vec![r(a)]),
        TryOp::ListGet(a, b) => ("list_get", vec![r(a), r(b)]),
        TryOp::ListSet(a, b, c) => ("list_set", vec![r(a), r(b), r(c)]),
        TryOp::ListTake(a, b) => ("list_take", vec![r(a), r(b)]),
        TryOp::ListPut(a, b, c) => ("list_put", vec![r(a), r(b), r(c)]),
        TryOp::BytesGet(a, b) => ("bytes_get", vec![r(a), r(b)]),
        TryOp::Call(func, regs) => ("call", vec![Arg::Id("fn", func.0), Arg::regs(regs)]),
        TryOp::Host(native, regs) => ("host", vec![Arg::Id("host", native.0), Arg::regs(regs)]),
        TryOp::Poke => ("poke", vec![]),
    }
}

/// Name and operands of what a `wait` does.
pub(in crate::ir) fn wait_parts(op: &WaitOp) -> (&'static str, Vec<Arg>) {
    let branches = |branches: &[(FuncId, Vec<Reg>)]| {
        Arg::List(
            branches
                .iter()
                .flat_map(|(func, regs)| [Arg::Id("fn", func.0), Arg::regs(regs)])
                .collect(),
        )
    };
    match op {
        WaitOp::Call(func, regs) => ("call", vec![Arg::Id("fn", func.0), Arg::regs(regs)]),
        WaitOp::Host(native, regs) => ("host", vec![Arg::Id("host", native.0), Arg::regs(regs)]),
        WaitOp::Parallel(desc, all) => ("parallel", vec![Arg::Id("desc", desc.0), branches(all)]),
        WaitOp::Race(all) => ("race", vec![branches(all)]),
        WaitOp::ForEach {
            result,
            list,
            func,
            captures,
            max,
        } => {
            let list = Arg::Reg(*list);
            let (desc, func) = (Arg::Id("desc", result.0), Arg::Id("fn", func.0));
            (
                "for_each",
                vec![desc, list, func, Arg::regs(captures), Arg::Reg(*max)],
            )
        }
    }
}

pub(in crate::ir) fn int_bin_word(op: IntBin) -> &'static str {
    match op {
        IntBin::And => "and",
        IntBin::Or => "or",
        IntBin::Xor => "xor",
        IntBin::Add => "wrapping_add",
        IntBin::Sub => "wrapping_sub",
        IntBin::Mul => "wrapping_mul",
        IntBin::Div => "sure_div",
        IntBin::Rem => "sure_rem",
        IntBin::Shl => "sure_shl",
        IntBin::Shr => "sure_shr",
    }
}

pub(in crate::ir) fn float_bin_word(op: FloatBin) -> &'static str {
    match op {
        FloatBin::Add => "fadd",
        FloatBin::Sub => "fsub",
        FloatBin::Mul => "fmul",
        FloatBin::Div => "fdiv",
        FloatBin::Rem => "frem",
    }
}

fn float_un_word(op: FloatUn) -> &'static str {
    match op {
        FloatUn::Abs => "fabs",
        FloatUn::Ceil => "ceil",
        FloatUn::Floor => "floor",
        FloatUn::Sqrt => "sqrt",
        FloatUn::Trunc => "trunc",
    }
}

pub(in crate::ir) fn cmp_word(cmp: Cmp, float: bool) -> &'static str {
    match (cmp, float) {
        (Cmp::Eq, false) => "eq",
        (Cmp::Ne, false) => "ne",
        (Cmp::Lt, false) => "lt",
        (Cmp::Le, false) => "le",
        (Cmp::Gt, false) => "gt",
        (Cmp::Ge, false) => "ge",
        (Cmp::Eq, true) => "feq",
        (Cmp::Ne, true) => "fne",
        (Cmp::Lt, true) => "flt",
        (Cmp::Le, true) => "fle",
        (Cmp::Gt, true) => "fgt",
        (Cmp::Ge, true) => "fge",
    }
}

pub(in crate::ir) fn checked_word(op: CheckedOp) -> &'static str {
    match op {
        CheckedOp::Add => "add",
        CheckedOp::Sub => "sub",
        CheckedOp::Mul => "mul",
        CheckedOp::Div => "div",
        CheckedOp::Rem => "rem",
        CheckedOp::Shl => "shl",
        CheckedOp::Shr => "shr",
    }
}
