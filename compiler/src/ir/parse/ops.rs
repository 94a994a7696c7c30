//! Instructions and what ends blocks: the other direction of the tables in `print`.

use super::super::{
    CheckedOp, Cmp, ConstId, DescId, FloatBin, FloatUn, FormatPart, FuncId, GlobalId, IntBin,
    NativeId, Op, Reg, SiteId, TryOp, WaitOp, print,
};
use super::tables::scalar_of;
use super::{Parsed, Parser};

const CMPS: [Cmp; 6] = [Cmp::Eq, Cmp::Ne, Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge];
const INT_BINS: [IntBin; 10] = [
    IntBin::And,
    IntBin::Or,
    IntBin::Xor,
    IntBin::Add,
    IntBin::Sub,
    IntBin::Mul,
    IntBin::Div,
    IntBin::Rem,
    IntBin::Shl,
    IntBin::Shr,
];
const FLOAT_BINS: [FloatBin; 5] = [
    FloatBin::Add,
    FloatBin::Sub,
    FloatBin::Mul,
    FloatBin::Div,
    FloatBin::Rem,
];
const CHECKED: [CheckedOp; 7] = [
    CheckedOp::Add,
    CheckedOp::Sub,
    CheckedOp::Mul,
    CheckedOp::Div,
    CheckedOp::Rem,
    CheckedOp::Shl,
    CheckedOp::Shr,
];

impl Parser {
    fn then_reg(&mut self) -> Parsed<Reg> {
        self.lexer.mark(',')?;
        self.reg()
    }

    fn two(&mut self) -> Parsed<(Reg, Reg)> {
        Ok((self.reg()?, self.then_reg()?))
    }

    fn index(&mut self) -> Parsed<u32> {
        self.lexer.mark(',')?;
        Ok(self.lexer.num()? as u32)
    }

    fn then_regs(&mut self) -> Parsed<Vec<Reg>> {
        self.lexer.mark(',')?;
        self.list(Self::reg)
    }

    fn desc_id(&mut self) -> Parsed<DescId> {
        self.id("desc").map(DescId)
    }

    pub(super) fn op(&mut self) -> Parsed<Op> {
        let word = self.lexer.word()?;
        if let Some(op) = INT_BINS
            .into_iter()
            .find(|op| print::int_bin_word(*op) == word)
        {
            return self.two().map(|(a, b)| Op::IntBin(op, a, b));
        }
        if let Some(op) = FLOAT_BINS
            .into_iter()
            .find(|op| print::float_bin_word(*op) == word)
        {
            return self.two().map(|(a, b)| Op::FloatBin(op, a, b));
        }
        if let Some(cmp) = CMPS
            .into_iter()
            .find(|cmp| print::cmp_word(*cmp, false) == word)
        {
            return self.two().map(|(a, b)| Op::IntCmp(cmp, a, b));
        }
        if let Some(cmp) = CMPS
            .into_iter()
            .find(|cmp| print::cmp_word(*cmp, true) == word)
        {
            return self.two().map(|(a, b)| Op::FloatCmp(cmp, a, b));
        }
        self.scalar_op(&word)
    }

    fn scalar_op(&mut self, word: &str) -> Parsed<Op> {
        Ok(match word {
            "int" => Op::Int(self.lexer.num()?),
            "float" => {
                // The value is for people, the bits behind it are exact.
                self.lexer.next();
                self.lexer.mark(',')?;
                Op::Float(self.lexer.num()? as u64)
            }
            "const" => Op::Const(ConstId(self.id("const")?)),
            "null" => Op::Null,
            "global" => Op::Global(GlobalId(self.id("global")?)),
            "fneg" => Op::FloatNeg(self.reg()?),
            "fabs" => Op::FloatUn(FloatUn::Abs, self.reg()?),
            "ceil" => Op::FloatUn(FloatUn::Ceil, self.reg()?),
            "floor" => Op::FloatUn(FloatUn::Floor, self.reg()?),
            "sqrt" => Op::FloatUn(FloatUn::Sqrt, self.reg()?),
            "trunc" => Op::FloatUn(FloatUn::Trunc, self.reg()?),
            "select" => {
                let (flag, yes) = self.two()?;
                Op::Select(flag, yes, self.then_reg()?)
            }
            "not" => Op::Not(self.reg()?),
            "to_float" => Op::ToFloat(self.reg()?),
            "is_null" => Op::IsNull(self.reg()?),
            "opt_flag" => Op::OptFlag(self.reg()?),
            "opt_payload" => Op::OptPayload(self.reg()?),
            "retain" => Op::Retain(self.reg()?),
            "drop" => Op::Drop(self.reg()?),
            "keep" => Op::Keep(self.reg()?),
            "err_take" => Op::ErrTake,
            "err_set" => Op::ErrSet(self.reg()?),
            "err_is_cancel" => Op::ErrIsCancel,
            "err_trace" => Op::ErrTrace,
            "site" => Op::Site(SiteId(self.id("site")?)),
            "call" => Op::Call(self.func()?, self.then_regs()?),
            "spawn" => Op::Spawn(self.func()?, self.then_regs()?),
            "host" => Op::Host(NativeId(self.id("host")?), self.then_regs()?),
            _ => return self.object_op(word),
        })
    }

    fn object_op(&mut self, word: &str) -> Parsed<Op> {
        Ok(match word {
            "opt_box" => Op::OptBox(self.desc_id()?, self.then_reg()?, self.then_reg()?),
            "box" => Op::Box(self.desc_id()?, self.then_reg()?),
            "new" => Op::New(self.desc_id()?, self.then_regs()?),
            "new_list" => Op::NewList(self.desc_id()?, self.then_regs()?),
            "new_map" => Op::NewMap(self.desc_id()?, self.then_regs()?),
            "load" => Op::Load(self.reg()?, self.index()?),
            "take" => Op::Take(self.reg()?, self.index()?),
            "store" => Op::Store(self.reg()?, self.index()?, self.then_reg()?),
            "unique" => Op::Unique(self.reg()?),
            "list_len" => Op::ListLen(self.reg()?),
            "bytes_len" => Op::BytesLen(self.reg()?),
            "list_at" => self.two().map(|(a, b)| Op::ListAt(a, b))?,
            "map_len" => Op::MapLen(self.reg()?),
            "map_key_at" => self.two().map(|(a, b)| Op::MapKeyAt(a, b))?,
            "map_value_at" => self.two().map(|(a, b)| Op::MapValueAt(a, b))?,
            "map_get" => self.two().map(|(a, b)| Op::MapGet(a, b))?,
            "map_take" => self.two().map(|(a, b)| Op::MapTake(a, b))?,
            "map_insert" => Op::MapInsert(self.reg()?, self.then_reg()?, self.then_reg()?),
            "list_push" => self.two().map(|(a, b)| Op::ListPush(a, b))?,
            "list_take_at" => self.two().map(|(a, b)| Op::ListTake(a, b))?,
            "list_put" => Op::ListPut(self.reg()?, self.then_reg()?, self.then_reg()?),
            "equal" => self.two().map(|(a, b)| Op::Equal(a, b))?,
            "format" => Op::Format(self.format_parts()?),
            "cell_load" => Op::CellLoad(self.lexer.num()? as u32),
            "cell_take" => Op::CellTake(self.lexer.num()? as u32),
            "cell_store" => Op::CellStore(self.lexer.num()? as u32, self.then_reg()?),
            _ => {
                return Err(self
                    .lexer
                    .expected(&format!("an instruction, {word:?} is none,")));
            }
        })
    }

    fn format_parts(&mut self) -> Parsed<Vec<FormatPart>> {
        self.list(|p| {
            if let Some(id) = p.maybe_id("const") {
                return Ok(FormatPart::Text(ConstId(id)));
            }
            let word = p.lexer.word()?;
            let scalar = scalar_of(&word);
            let reg = p.then_reg()?;
            match (scalar, word.as_str()) {
                (Some(scalar), _) => Ok(FormatPart::Scalar(scalar, reg)),
                (None, "object") => Ok(FormatPart::Object(reg)),
                _ => Err(p.lexer.expected("a part")),
            }
        })
    }

    pub(super) fn try_op(&mut self) -> Parsed<TryOp> {
        let word = self.lexer.word()?;
        if let Some(op) = CHECKED
            .into_iter()
            .find(|op| print::checked_word(*op) == word)
        {
            return self.two().map(|(a, b)| TryOp::Int(op, a, b));
        }
        Ok(match word.as_str() {
            "neg" => TryOp::Neg(self.reg()?),
            "to_int" => TryOp::ToInt(self.reg()?),
            "list_get" => self.two().map(|(a, b)| TryOp::ListGet(a, b))?,
            "list_set" => TryOp::ListSet(self.reg()?, self.then_reg()?, self.then_reg()?),
            "list_take" => self.two().map(|(a, b)| TryOp::ListTake(a, b))?,
            "list_put" => TryOp::ListPut(self.reg()?, self.then_reg()?, self.then_reg()?),
            "bytes_get" => self.two().map(|(a, b)| TryOp::BytesGet(a, b))?,
            "call" => TryOp::Call(self.func()?, self.then_regs()?),
            "host" => TryOp::Host(NativeId(self.id("host")?), self.then_regs()?),
            "poke" => TryOp::Poke,
            _ => return Err(self.lexer.expected("an operation that can fail")),
        })
    }

    pub(super) fn wait_op(&mut self) -> Parsed<WaitOp> {
        let word = self.lexer.word()?;
        Ok(match word.as_str() {
            "call" => WaitOp::Call(self.func()?, self.then_regs()?),
            "host" => WaitOp::Host(NativeId(self.id("host")?), self.then_regs()?),
            "parallel" => {
                let desc = self.desc_id()?;
                self.lexer.mark(',')?;
                WaitOp::Parallel(desc, self.branches()?)
            }
            "race" => WaitOp::Race(self.branches()?),
            "for_each" => {
                let (result, list) = (self.desc_id()?, self.then_reg()?);
                self.lexer.mark(',')?;
                let func = self.func()?;
                WaitOp::ForEach {
                    result,
                    list,
                    func,
                    captures: self.then_regs()?,
                    max: self.then_reg()?,
                }
            }
            _ => return Err(self.lexer.expected("an operation that can wait")),
        })
    }

    fn branches(&mut self) -> Parsed<Vec<(FuncId, Vec<Reg>)>> {
        self.list(|p| Ok((p.func()?, p.then_regs()?)))
    }
}
