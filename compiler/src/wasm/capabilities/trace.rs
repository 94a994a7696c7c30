//! Follows the targets of calls back to where they come from: constants, params with constant defaults, texts that
//! begin with one. Enter at [`calls`].

use crate::ir::{
    Block, ConstId, ConstObject, FormatPart, FuncId, Function, GlobalKind, NativeId, Op, Program,
    Reg, Terminator, TryOp, WaitOp,
};
use scn_grammar::Span;
use std::collections::HashMap;

/// A call of a host function.
pub(in crate::wasm) struct Call {
    /// `http.get`.
    pub(in crate::wasm) name: String,
    /// What is known of its arguments, without the hidden one.
    pub(in crate::wasm) arguments: Vec<Known>,
    /// Where it stands.
    pub(in crate::wasm) span: Span,
}

/// What is known of a value before the program runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::wasm) enum Known {
    /// A text: what it begins with, whether that is all of it, and the param that it comes from.
    Text {
        start: String,
        whole: bool,
        param: Option<String>,
    },
    /// The address of one of the program's own servers, or a text that begins with it.
    Own,
    /// The null pointer.
    Null,
    /// An int or a flag.
    Int(i64),
    /// Nothing.
    Unknown,
}

/// All calls of host functions of a program.
pub(in crate::wasm) fn calls(program: &Program) -> Vec<Call> {
    let functions = program.functions.iter();
    functions
        .flat_map(|function| calls_of(program, function))
        .collect()
}

fn calls_of(program: &Program, function: &Function) -> Vec<Call> {
    let values = Values::of(program, function);
    let found = function.blocks.iter().flat_map(hosts);
    found
        .map(|(native, args, span)| {
            let native = &program.natives[native.index()];
            let hidden = usize::from(native.typed);
            let arguments = args.iter().skip(hidden).map(|arg| values.of_reg(*arg));
            Call {
                name: native.name.clone(),
                arguments: arguments.collect(),
                span,
            }
        })
        .collect()
}

fn hosts(block: &Block) -> Vec<(NativeId, &[Reg], Span)> {
    let insts = block.insts.iter().filter_map(|inst| match &inst.op {
        Op::Host(native, args) => Some((*native, &args[..], inst.span)),
        _ => None,
    });
    let last = match &block.term {
        Terminator::Try {
            op: TryOp::Host(native, args),
            ..
        }
        | Terminator::Wait {
            op: WaitOp::Host(native, args),
            ..
        } => Some((*native, &args[..], block.term_span)),
        _ => None,
    };
    insts.chain(last).collect()
}

/// What the registers of a function hold, as far as it is known.
struct Values<'p> {
    program: &'p Program,
    known: HashMap<Reg, Known>,
}

impl<'p> Values<'p> {
    /// Registers are defined before they are used, but for parameters of blocks, which nothing is known of.
    fn of(program: &'p Program, function: &Function) -> Values<'p> {
        let mut values = Values {
            program,
            known: HashMap::new(),
        };
        for block in &function.blocks {
            for inst in &block.insts {
                let known = values.of_op(&inst.op);
                if let (Some(known), [result]) = (known, &inst.results[..]) {
                    values.known.insert(*result, known);
                }
            }
            values.of_end(&block.term);
        }
        values
    }

    fn of_reg(&self, reg: Reg) -> Known {
        self.known.get(&reg).cloned().unwrap_or(Known::Unknown)
    }

    fn of_op(&self, op: &Op) -> Option<Known> {
        match op {
            Op::Const(constant) => self.of_const(*constant),
            Op::Null => Some(Known::Null),
            Op::Int(value) => Some(Known::Int(*value)),
            Op::Global(global) => {
                let global = &self.program.globals[global.index()];
                match &global.kind {
                    GlobalKind::Param {
                        init: Some(init), ..
                    } => self.of_default(*init, &global.name),
                    _ => None,
                }
            }
            Op::Format(parts) => self.of_format(parts),
            Op::Host(native, _) => self.of_native(*native),
            Op::Retain(reg) => self.known.get(reg).cloned(),
            _ => None,
        }
    }

    fn of_end(&mut self, term: &Terminator) {
        let (op, results) = match term {
            Terminator::Try {
                op: TryOp::Host(native, _),
                results,
                ..
            }
            | Terminator::Wait {
                op: WaitOp::Host(native, _),
                results,
                ..
            } => (self.of_native(*native), results),
            // The address of a server is an expression of its own, and so a function.
            Terminator::Wait {
                op: WaitOp::Call(function, args),
                results,
                ..
            } if args.is_empty() => (self.of_constant_function(*function), results),
            _ => return,
        };
        if let (Some(known), [result]) = (op, &results[..]) {
            self.known.insert(*result, known);
        }
    }

    fn of_native(&self, native: NativeId) -> Option<Known> {
        let name = &self.program.natives[native.index()].name;
        matches!(name.as_str(), "server.url" | "server.addr" | "server.port").then_some(Known::Own)
    }

    fn of_const(&self, constant: ConstId) -> Option<Known> {
        let text = match &self.program.consts[constant.index()] {
            ConstObject::String(text) => text.clone(),
            ConstObject::Addr(address) => address.to_string(),
            ConstObject::Ip(ip) => ip.to_string(),
            _ => return None,
        };
        Some(Known::Text {
            start: text,
            whole: true,
            param: None,
        })
    }

    /// The default of a param, if its initialiser only returns a constant.
    fn of_default(&self, init: FuncId, name: &str) -> Option<Known> {
        match self.of_constant_function(init)? {
            Known::Text { start, whole, .. } => Some(Known::Text {
                start,
                whole,
                param: Some(name.to_owned()),
            }),
            other => Some(other),
        }
    }

    /// What a function gives that only returns a constant.
    fn of_constant_function(&self, function: FuncId) -> Option<Known> {
        let function = &self.program.functions[function.index()];
        let [block] = &function.blocks[..] else {
            return None;
        };
        let Terminator::Return(results) = &block.term else {
            return None;
        };
        let made = block
            .insts
            .iter()
            .find(|inst| inst.results[..] == results[..])?;
        match made.op {
            Op::Const(constant) => self.of_const(constant),
            _ => None,
        }
    }

    /// The text up to the first part that is not known.
    fn of_format(&self, parts: &[FormatPart]) -> Option<Known> {
        let mut text = String::new();
        let mut from = None;
        for (at, part) in parts.iter().enumerate() {
            let known = match part {
                FormatPart::Text(constant) => self.of_const(*constant),
                FormatPart::Object(reg) => self.known.get(reg).cloned(),
                FormatPart::Scalar(..) => None,
            };
            match known {
                Some(Known::Text {
                    start,
                    whole,
                    param,
                }) => {
                    text.push_str(&start);
                    from = from.or(param);
                    if !whole {
                        return Some(begun(text, from));
                    }
                }
                Some(Known::Own) if at == 0 => return Some(Known::Own),
                _ => return Some(begun(text, from)),
            }
        }
        Some(Known::Text {
            start: text,
            whole: true,
            param: from,
        })
    }
}

fn begun(start: String, param: Option<String>) -> Known {
    Known::Text {
        start,
        whole: false,
        param,
    }
}
