//! The text form of a program, which stage snapshots show and the parser reads back. Spans are left out.
//!
//! A line is `results = op operands`; what follows a `;` is for people only.

mod load;
mod ops;

pub(super) use load::{COMPARISONS, LEASES};
pub(super) use ops::{
    checked_word, cmp_word, float_bin_word, int_bin_word, op_parts, try_parts, wait_parts,
};

use super::{
    Block, ConstObject, Desc, Frame, FuncId, Function, GlobalKind, NativeParam, NativeRef, Param,
    Program, Reg, Scalar, SiteKind, SlotKind, SlotType, Target, Terminator, Ty, desc,
};
use std::fmt::Write;

/// An operand in text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Arg {
    /// `v1`
    Reg(Reg),
    /// `17`
    Num(i64),
    /// `fn3`, `const2`: prefix and number.
    Id(&'static str, u32),
    /// `bool`, `enum`.
    Word(String),
    /// `[v1, v2]`
    List(Vec<Arg>),
}

impl Arg {
    pub(super) fn regs(regs: &[Reg]) -> Arg {
        Arg::List(regs.iter().map(|reg| Arg::Reg(*reg)).collect())
    }
}

impl std::fmt::Display for Arg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Arg::Reg(reg) => write!(f, "{reg:?}"),
            Arg::Num(n) => write!(f, "{n}"),
            Arg::Id(prefix, n) => write!(f, "{prefix}{n}"),
            Arg::Word(word) => f.write_str(word),
            Arg::List(args) => write!(f, "[{}]", comma(args)),
        }
    }
}

fn comma<T: std::fmt::Display>(items: &[T]) -> String {
    items
        .iter()
        .map(T::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The text of a program.
pub fn ir_text(program: &Program) -> String {
    let mut out = String::new();
    tables(program, &mut out);
    for (at, function) in program.functions.iter().enumerate() {
        out.push_str(&function_text(program, FuncId(at as u32), function));
    }
    items(program, &mut out);
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text)
        .expect("writing to a string cannot fail");
    out.push('\n');
}

fn tables(program: &Program, out: &mut String) {
    for (at, info) in program.enums.iter().enumerate() {
        let cases: Vec<String> = info.cases.iter().map(|case| format!("{case:?}")).collect();
        line(
            out,
            format_args!("enum{at} = {:?} [{}]", info.name, comma(&cases)),
        );
    }
    for (at, desc) in program.descs.iter().enumerate().skip(desc::COUNT as usize) {
        line(out, format_args!("desc{at} = {}", desc_text(desc)));
    }
    for (at, object) in program.consts.iter().enumerate() {
        line(out, format_args!("const{at} = {}", const_text(object)));
    }
    for (at, native) in program.natives.iter().enumerate() {
        line(out, format_args!("host{at} = {}", native_text(native)));
    }
    for (at, site) in program.sites.iter().enumerate() {
        line(
            out,
            format_args!("site{at} = {} {:?}", site_word(site.kind), site.label),
        );
    }
}

pub(super) fn site_word(kind: SiteKind) -> &'static str {
    match kind {
        SiteKind::Check => "check",
        SiteKind::Expect => "expect",
        SiteKind::Step => "step",
        SiteKind::Call => "call",
    }
}

pub(super) fn scalar_word(scalar: Scalar) -> String {
    match scalar {
        Scalar::Bool => "bool".to_owned(),
        Scalar::Int => "int".to_owned(),
        Scalar::Float => "float".to_owned(),
        Scalar::Duration => "duration".to_owned(),
        Scalar::Rate => "rate".to_owned(),
        Scalar::Enum(id) => format!("enum{id}"),
    }
}

fn slot_text(slot: &SlotType) -> String {
    let kind = match slot.kind {
        SlotKind::Scalar(scalar) => scalar_word(scalar),
        SlotKind::Object(id) => format!("{id:?}"),
        SlotKind::Any => "any".to_owned(),
        SlotKind::Unit => "unit".to_owned(),
    };
    if slot.optional { kind + "?" } else { kind }
}

fn desc_text(desc: &Desc) -> String {
    match desc {
        Desc::Box(scalar) => format!("box {}", scalar_word(*scalar)),
        Desc::Range(scalar) => format!("range {}", scalar_word(*scalar)),
        Desc::List(slot) => format!("list {}", slot_text(slot)),
        Desc::Map(key, value) => format!("map {} {}", slot_text(key), slot_text(value)),
        Desc::Tuple(slots) => format!(
            "tuple [{}]",
            comma(&slots.iter().map(slot_text).collect::<Vec<_>>())
        ),
        Desc::Record { name, fields } => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(n, slot)| format!("{n:?} {}", slot_text(slot)))
                .collect();
            let name = name
                .as_ref()
                .map(|name| format!("{name:?} "))
                .unwrap_or_default();
            format!("record {name}[{}]", comma(&fields))
        }
        Desc::Extern { name, is_handle } => {
            format!("extern {name:?}{}", if *is_handle { " handle" } else { "" })
        }
        other => format!("{other:?}").to_lowercase(),
    }
}

fn const_text(object: &ConstObject) -> String {
    let list = |items: &[ConstObject]| comma(&items.iter().map(const_text).collect::<Vec<_>>());
    match object {
        ConstObject::Scalar(bits) => format!("{}", *bits as i64),
        ConstObject::None => "none".to_owned(),
        ConstObject::Null => "null".to_owned(),
        ConstObject::String(text) => format!("{text:?}"),
        ConstObject::Bytes(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("bytes {hex:?}")
        }
        ConstObject::Regex(text) => format!("regex {text:?}"),
        ConstObject::Ip(ip) => format!("ip \"{ip}\""),
        ConstObject::Addr(addr) => format!("addr \"{addr}\""),
        ConstObject::Box(desc, bits) => format!("box {desc:?} {}", *bits as i64),
        ConstObject::List(desc, items) => format!("list {desc:?} [{}]", list(items)),
        ConstObject::Slots(desc, items) => format!("slots {desc:?} [{}]", list(items)),
        ConstObject::Map(desc, entries) => {
            let flat: Vec<String> = entries
                .iter()
                .flat_map(|(k, v)| [const_text(k), const_text(v)])
                .collect();
            format!("map {desc:?} [{}]", comma(&flat))
        }
    }
}

pub(super) fn class_word(ty: Ty) -> &'static str {
    match ty {
        Ty::Int => "int",
        Ty::Float => "float",
        Ty::Ptr => "ptr",
    }
}

fn native_text(native: &NativeRef) -> String {
    let param =
        |p: &NativeParam| format!("{}{}", class_word(p.ty), if p.own { " own" } else { "" });
    let params: Vec<String> = native.params.iter().map(param).collect();
    let flags = [
        (native.waits, " waits"),
        (native.fails, " fails"),
        (native.inout, " inout"),
        (native.typed, " typed"),
    ];
    let flags: String = flags
        .iter()
        .filter(|(set, _)| *set)
        .map(|(_, word)| *word)
        .collect();
    format!(
        "{:?} ({}){}{flags}",
        native.name,
        comma(&params),
        results_text(&native.results)
    )
}

fn results_text(results: &[Ty]) -> String {
    let words: Vec<&str> = results.iter().map(|ty| class_word(*ty)).collect();
    if words.is_empty() {
        String::new()
    } else {
        format!(" -> {}", comma(&words))
    }
}

/// The text of a function.
pub fn function_text(program: &Program, id: FuncId, function: &Function) -> String {
    let mut out = String::new();
    let class = |reg: Reg| class_word(function.regs[reg.index()]);
    let param = |p: &Param| {
        format!(
            "{:?} {}{}",
            p.reg,
            class(p.reg),
            if p.own { " own" } else { "" }
        )
    };
    let params: Vec<String> = function.params.iter().map(param).collect();
    let flags = [
        (function.waits, " waits"),
        (function.recursive, " recursive"),
    ];
    let flags: String = flags
        .iter()
        .filter(|(set, _)| *set)
        .map(|(_, word)| *word)
        .collect();
    let head = format!(
        "{id:?} {:?} ({}){}{flags}",
        function.name,
        comma(&params),
        results_text(&function.results)
    );
    line(&mut out, format_args!("\n{head} {{"));
    for (at, block) in function.blocks.iter().enumerate() {
        block_text(program, function, at, block, &mut out);
    }
    if let Some(frame) = &function.frame {
        frame_text(function, frame, &mut out);
    }
    out.push_str("}\n");
    out
}

fn block_text(program: &Program, function: &Function, at: usize, block: &Block, out: &mut String) {
    let params: Vec<String> = block
        .params
        .iter()
        .map(|reg| format!("{reg:?} {}", class_word(function.regs[reg.index()])))
        .collect();
    let params = if params.is_empty() {
        String::new()
    } else {
        format!("({})", comma(&params))
    };
    line(
        out,
        format_args!("bb{at}{params}:{}", if block.cold { " cold" } else { "" }),
    );
    for inst in &block.insts {
        let (op, args) = op_parts(&inst.op);
        let note = note(program, &args);
        line(
            out,
            format_args!(
                "  {}{op}{}{note}",
                defined(function, &inst.results),
                operands(&args)
            ),
        );
    }
    line(
        out,
        format_args!("  {}", terminator_text(program, function, &block.term)),
    );
}

/// `v1, v2 float = `: the class is written where it is not `int`.
fn defined(function: &Function, results: &[Reg]) -> String {
    if results.is_empty() {
        return String::new();
    }
    let result = |reg: &Reg| match function.regs[reg.index()] {
        Ty::Int => format!("{reg:?}"),
        ty => format!("{reg:?} {}", class_word(ty)),
    };
    comma(&results.iter().map(result).collect::<Vec<_>>()) + " = "
}

fn operands(args: &[Arg]) -> String {
    if args.is_empty() {
        String::new()
    } else {
        format!(" {}", comma(args))
    }
}

/// Names what ids stand for.
fn note(program: &Program, args: &[Arg]) -> String {
    let name = |arg: &Arg| match arg {
        Arg::Id("fn", n) => program.functions.get(*n as usize).map(|f| f.name.clone()),
        Arg::Id("host", n) => program
            .natives
            .get(*n as usize)
            .map(|native| native.name.clone()),
        Arg::Id("const", n) => program
            .consts
            .get(*n as usize)
            .map(|c| short(&const_text(c))),
        Arg::Id("global", n) => program
            .globals
            .get(*n as usize)
            .map(|global| global.name.clone()),
        _ => None,
    };
    args.iter()
        .find_map(name)
        .map(|name| format!("  ; {name}"))
        .unwrap_or_default()
}

fn short(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

fn target_text(target: &Target) -> String {
    let args: Vec<String> = target.args.iter().map(|reg| format!("{reg:?}")).collect();
    if args.is_empty() {
        format!("{:?}", target.block)
    } else {
        format!("{:?}({})", target.block, comma(&args))
    }
}

fn terminator_text(program: &Program, function: &Function, term: &Terminator) -> String {
    match term {
        Terminator::None => "none".to_owned(),
        Terminator::Jump(target) => format!("jump {}", target_text(target)),
        Terminator::Branch {
            cond,
            then,
            otherwise,
        } => {
            format!(
                "branch {cond:?}, {}, {}",
                target_text(then),
                target_text(otherwise)
            )
        }
        Terminator::Switch {
            value,
            cases,
            default,
        } => {
            let cases: Vec<String> = cases
                .iter()
                .map(|(n, target)| format!("{n} {}", target_text(target)))
                .collect();
            format!(
                "switch {value:?}, [{}], {}",
                comma(&cases),
                target_text(default)
            )
        }
        Terminator::Return(regs) => format!(
            "return{}",
            operands(&regs.iter().map(|r| Arg::Reg(*r)).collect::<Vec<_>>())
        ),
        Terminator::Fail => "fail".to_owned(),
        Terminator::Unreachable => "unreachable".to_owned(),
        Terminator::Try {
            op,
            results,
            ok,
            err,
        } => {
            let (name, args) = try_parts(op);
            edge_text(program, function, "try", (name, &args), results, (ok, err))
        }
        Terminator::Wait {
            op,
            results,
            ok,
            err,
        } => {
            let (name, args) = wait_parts(op);
            edge_text(program, function, "wait", (name, &args), results, (ok, err))
        }
    }
}

fn edge_text(
    program: &Program,
    function: &Function,
    word: &str,
    (name, args): (&str, &[Arg]),
    results: &[Reg],
    (ok, err): (&Target, &Target),
) -> String {
    let defined = defined(function, results);
    let (operands, note) = (operands(args), note(program, args));
    format!(
        "{word} {defined}{name}{operands} -> {}, {}{note}",
        target_text(ok),
        target_text(err)
    )
}

fn frame_text(function: &Function, frame: &Frame, out: &mut String) {
    let slots: Vec<String> = frame
        .slot
        .iter()
        .enumerate()
        .filter_map(|(reg, slot)| Some(format!("v{reg} {}", (*slot)?)))
        .collect();
    let locals: Vec<String> = frame.local.iter().map(u32::to_string).collect();
    line(
        out,
        format_args!("locals {} [{}]", frame.locals, comma(&locals)),
    );
    if function.waits {
        line(
            out,
            format_args!("slots {} [{}]", frame.slots, comma(&slots)),
        );
    }
    for wait in &frame.waits {
        let (ok, err) = (Arg::regs(&wait.ok_live), Arg::regs(&wait.err_live));
        line(out, format_args!("landing {:?} {ok} {err}", wait.block));
    }
}

fn items(program: &Program, out: &mut String) {
    for (at, global) in program.globals.iter().enumerate() {
        line(
            out,
            format_args!(
                "\nglobal{at} {:?} {}",
                global.name,
                global_text(&global.kind)
            ),
        );
    }
    if !program.thresholds.is_empty() {
        let all = load::thresholds(&program.thresholds);
        line(out, format_args!("\nthresholds {all}"));
    }
    for scenario in &program.scenarios {
        let sections = [
            ("setup", scenario.setup),
            ("init", scenario.init),
            ("each", scenario.each),
            ("exit", scenario.exit),
            ("teardown", scenario.teardown),
        ];
        let sections: String = sections
            .iter()
            .filter_map(|(word, id)| Some(format!(" {word} {:?}", (*id)?)))
            .collect();
        let cells: Vec<String> = scenario.cells.iter().map(slot_text).collect();
        let load = load::of_scenario(scenario);
        line(
            out,
            format_args!(
                "\nscenario {:?} [{}]{sections}{load}",
                scenario.name,
                comma(&cells)
            ),
        );
    }
    for test in &program.tests {
        line(out, format_args!("test {:?} {:?}", test.name, test.func));
    }
}

fn global_text(kind: &GlobalKind) -> String {
    match kind {
        GlobalKind::Param { ty, secret, init } => {
            let secret = if *secret { " secret" } else { "" };
            let init = init.map(|init| format!(" {init:?}")).unwrap_or_default();
            format!("param {}{secret}{init}", slot_text(ty))
        }
        GlobalKind::Data { list, init } => format!("data {list:?} {init:?}"),
        GlobalKind::Pool(pool) => load::pool(pool),
        GlobalKind::Metric { kind, sample } => format!("metric {kind:?} {}", scalar_word(*sample)),
        GlobalKind::Server(server) => {
            let cells: Vec<String> = server.cells.iter().map(slot_text).collect();
            let state = server
                .state
                .map(|state| format!(" state {state:?}"))
                .unwrap_or_default();
            let (start, main) = (server.start, server.main);
            format!(
                "server {:?} [{}] start {start:?} main {main:?}{state}",
                server.protocol,
                comma(&cells)
            )
        }
    }
}
