//! Functions: heads, blocks, terminators, frames.

use super::super::{
    Block, BlockId, Frame, Function, Inst, Param, Reg, Target, Terminator, Ty, WaitPoint,
};
use super::lexer::Token;
use super::{Parsed, Parser};
use scn_grammar::Span;
use smallvec::SmallVec;

impl Parser {
    pub(super) fn function(&mut self) -> Parsed<()> {
        let name = self.lexer.text()?;
        let mut function = Function {
            name,
            params: Vec::new(),
            results: SmallVec::new(),
            regs: Vec::new(),
            blocks: Vec::new(),
            waits: false,
            recursive: false,
            frame: None,
            inlined: Vec::new(),
            span: Span::default(),
        };
        self.lexer.mark('(')?;
        while !self.lexer.skip_mark(')') {
            let reg = self.typed_reg(&mut function)?;
            function.params.push(Param {
                reg,
                own: self.lexer.skip_word("own"),
            });
            self.lexer.skip_mark(',');
        }
        function.results = self.results()?;
        function.waits = self.lexer.skip_word("waits");
        function.recursive = self.lexer.skip_word("recursive");
        self.lexer.mark('{')?;
        while let Some(at) = self.maybe_id("bb") {
            if at as usize != function.blocks.len() {
                return Err(self.lexer.expected("blocks in order"));
            }
            let block = self.block(&mut function)?;
            function.blocks.push(block);
        }
        function.frame = self.frame(&function)?;
        self.lexer.mark('}')?;
        self.program.functions.push(function);
        Ok(())
    }

    pub(super) fn reg(&mut self) -> Parsed<Reg> {
        self.id("v").map(Reg)
    }

    /// A register with its class; without one it is an int.
    fn typed_reg(&mut self, function: &mut Function) -> Parsed<Reg> {
        let reg = self.reg()?;
        let ty = self.maybe_class().unwrap_or(Ty::Int);
        if function.regs.len() <= reg.index() {
            function.regs.resize(reg.index() + 1, Ty::Int);
        }
        function.regs[reg.index()] = ty;
        Ok(reg)
    }

    fn block(&mut self, function: &mut Function) -> Parsed<Block> {
        let mut block = Block::default();
        if self.lexer.skip_mark('(') {
            while !self.lexer.skip_mark(')') {
                block.params.push(self.typed_reg(function)?);
                self.lexer.skip_mark(',');
            }
        }
        self.lexer.mark(':')?;
        block.cold = self.lexer.skip_word("cold");
        loop {
            if let Some(term) = self.terminator(function)? {
                block.term = term;
                return Ok(block);
            }
            let results = self.results_of(function)?;
            let op = self.op()?;
            block.insts.push(Inst {
                results,
                op,
                span: Span::default(),
            });
        }
    }

    /// `v1, v2 float =` if it is there.
    fn results_of(&mut self, function: &mut Function) -> Parsed<SmallVec<[Reg; 2]>> {
        let mut results = SmallVec::new();
        while matches!(self.lexer.peek(), Token::Word(word) if is_reg(word)) {
            results.push(self.typed_reg(function)?);
            if self.lexer.skip_mark('=') {
                break;
            }
            self.lexer.mark(',')?;
        }
        Ok(results)
    }

    fn terminator(&mut self, function: &mut Function) -> Parsed<Option<Terminator>> {
        let Token::Word(word) = self.lexer.peek().clone() else {
            return Err(self.lexer.expected("an instruction"));
        };
        let known = [
            "none",
            "jump",
            "branch",
            "switch",
            "return",
            "fail",
            "unreachable",
            "try",
            "wait",
        ];
        if !known.contains(&word.as_str()) {
            return Ok(None);
        }
        self.lexer.next();
        Ok(Some(match word.as_str() {
            "jump" => Terminator::Jump(self.target()?),
            "branch" => self.branch()?,
            "switch" => self.switch()?,
            "return" => self.return_()?,
            "fail" => Terminator::Fail,
            "unreachable" => Terminator::Unreachable,
            "try" => {
                let results = self.results_of(function)?;
                let op = self.try_op()?;
                let (ok, err) = self.edges()?;
                Terminator::Try {
                    op,
                    results,
                    ok,
                    err,
                }
            }
            "wait" => {
                let results = self.results_of(function)?;
                let op = self.wait_op()?;
                let (ok, err) = self.edges()?;
                Terminator::Wait {
                    op,
                    results,
                    ok,
                    err,
                }
            }
            _ => Terminator::None,
        }))
    }

    fn target(&mut self) -> Parsed<Target> {
        let block = BlockId(self.id("bb")?);
        let mut args = Vec::new();
        if self.lexer.skip_mark('(') {
            while !self.lexer.skip_mark(')') {
                args.push(self.reg()?);
                self.lexer.skip_mark(',');
            }
        }
        Ok(Target { block, args })
    }

    fn edges(&mut self) -> Parsed<(Target, Target)> {
        self.lexer.arrow()?;
        let ok = self.target()?;
        self.lexer.mark(',')?;
        Ok((ok, self.target()?))
    }

    fn branch(&mut self) -> Parsed<Terminator> {
        let cond = self.reg()?;
        self.lexer.mark(',')?;
        let then = self.target()?;
        self.lexer.mark(',')?;
        Ok(Terminator::Branch {
            cond,
            then,
            otherwise: self.target()?,
        })
    }

    fn switch(&mut self) -> Parsed<Terminator> {
        let value = self.reg()?;
        self.lexer.mark(',')?;
        let cases = self.list(|p| Ok((p.lexer.num()?, p.target()?)))?;
        self.lexer.mark(',')?;
        Ok(Terminator::Switch {
            value,
            cases,
            default: self.target()?,
        })
    }

    fn return_(&mut self) -> Parsed<Terminator> {
        let mut regs = SmallVec::new();
        while matches!(self.lexer.peek(), Token::Word(word) if is_reg(word)) {
            regs.push(self.reg()?);
            self.lexer.skip_mark(',');
        }
        Ok(Terminator::Return(regs))
    }

    fn frame(&mut self, function: &Function) -> Parsed<Option<Frame>> {
        if !self.lexer.skip_word("locals") {
            return Ok(None);
        }
        let locals = self.lexer.num()? as u32;
        let local = self.list(|p| p.lexer.num().map(|n| n as u32))?;
        let mut frame = Frame {
            locals,
            local,
            slot: vec![None; function.regs.len()],
            ..Frame::default()
        };
        if self.lexer.skip_word("slots") {
            frame.slots = self.lexer.num()? as u32;
            for (reg, slot) in self.list(|p| Ok((p.reg()?, p.lexer.num()?)))? {
                if let Some(place) = frame.slot.get_mut(reg.index()) {
                    *place = Some(slot as u32);
                }
            }
        }
        while self.lexer.skip_word("landing") {
            let block = BlockId(self.id("bb")?);
            frame.waits.push(WaitPoint {
                block,
                ok_live: self.list(Self::reg)?,
                err_live: self.list(Self::reg)?,
            });
        }
        Ok(Some(frame))
    }
}

/// Whether a word names a register: no instruction is a `v` with digits only.
fn is_reg(word: &str) -> bool {
    let digits = word.strip_prefix('v');
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}
