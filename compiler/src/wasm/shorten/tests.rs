//! Each pass by small pieces of code, written as in wasm's text format, one instruction after another; all passes
//! together by random functions, which must do the same when they are shorter (`random`).

mod machine;
mod random;

use super::*;
use wasm_encoder::{BlockType, MemArg, ValType};

/// Instructions without parts.
const PLAIN: &[(&str, Instruction<'static>)] = &[
    ("drop", Instruction::Drop),
    ("select", Instruction::Select),
    ("return", Instruction::Return),
    ("unreachable", Instruction::Unreachable),
    ("block", Instruction::Block(BlockType::Empty)),
    ("loop", Instruction::Loop(BlockType::Empty)),
    ("if", Instruction::If(BlockType::Empty)),
    ("else", Instruction::Else),
    ("end", Instruction::End),
    ("i64.add", Instruction::I64Add),
    ("i64.sub", Instruction::I64Sub),
    ("i64.mul", Instruction::I64Mul),
    ("i64.eq", Instruction::I64Eq),
    ("i64.ne", Instruction::I64Ne),
    ("i64.lt_s", Instruction::I64LtS),
    ("i64.ge_s", Instruction::I64GeS),
    ("i64.eqz", Instruction::I64Eqz),
    ("i32.eqz", Instruction::I32Eqz),
    ("i32.add", Instruction::I32Add),
    ("i32.wrap_i64", Instruction::I32WrapI64),
    ("i64.extend_i32_u", Instruction::I64ExtendI32U),
];

/// Makes an instruction of its number.
type Make = fn(i64) -> Instruction<'static>;

/// Instructions with a number.
const NUMBERED: &[(&str, Make)] = &[
    ("local.get", |number| Instruction::LocalGet(number as u32)),
    ("local.set", |number| Instruction::LocalSet(number as u32)),
    ("local.tee", |number| Instruction::LocalTee(number as u32)),
    ("global.get", |number| Instruction::GlobalGet(number as u32)),
    ("global.set", |number| Instruction::GlobalSet(number as u32)),
    ("i64.const", Instruction::I64Const),
    ("i32.const", |number| Instruction::I32Const(number as i32)),
    ("br", |number| Instruction::Br(number as u32)),
    ("br_if", |number| Instruction::BrIf(number as u32)),
    ("call", |number| Instruction::Call(number as u32)),
    ("i64.load", |offset| Instruction::I64Load(place(offset, 3))),
    ("i32.load", |offset| Instruction::I32Load(place(offset, 2))),
    ("i64.store", |offset| {
        Instruction::I64Store(place(offset, 3))
    }),
];

fn place(offset: i64, align: u32) -> MemArg {
    MemArg {
        offset: offset as u64,
        align,
        memory_index: 0,
    }
}

/// Reads code.
fn read(text: &str) -> Vec<Instruction<'static>> {
    let mut words = text.split_whitespace().peekable();
    let mut code = Vec::new();
    while let Some(word) = words.next() {
        if let Some((_, plain)) = PLAIN.iter().find(|(name, _)| *name == word) {
            code.push(plain.clone());
            continue;
        }
        let numbered = NUMBERED.iter().find(|(name, _)| *name == word);
        let (_, make) = numbered.unwrap_or_else(|| panic!("`{word}` is not known here"));
        let number = words.next().and_then(|number| number.parse().ok());
        code.push(make(
            number.unwrap_or_else(|| panic!("`{word}` has a number")),
        ));
    }
    code
}

/// What can be compared and read.
fn shown(code: &[Instruction<'static>]) -> String {
    let lines: Vec<String> = code.iter().map(|one| format!("{one:?}")).collect();
    lines.join("\n")
}

/// Functions 0 and 1 take nothing, 2 takes one value; 1 and 2 give one.
fn arity(number: u32) -> (usize, usize) {
    [(0, 0), (0, 1), (1, 1)][number as usize]
}

/// A function of one `i64` and some more of them as locals, with one result.
fn function(text: &str) -> Code {
    Code {
        params: vec![ValType::I64],
        results: vec![ValType::I64],
        locals: vec![ValType::I64; 4],
        body: read(text),
    }
}

/// What a pass makes of code.
fn made(text: &str, waits: bool, pass: impl FnOnce(&mut Shortening<'_>)) -> Code {
    let signatures = Signatures(&arity);
    let mut work = Shortening {
        code: function(text),
        signatures: &signatures,
        waits,
    };
    pass(&mut work);
    work.code
}

/// Compares what a pass makes of code with what it should.
#[track_caller]
fn gives(text: &str, pass: impl FnOnce(&mut Shortening<'_>), wanted: &str) {
    assert_eq!(shown(&made(text, false, pass).body), shown(&read(wanted)));
}

#[track_caller]
fn stays(text: &str, pass: impl FnOnce(&mut Shortening<'_>)) {
    gives(text, pass, text);
}

fn flow(work: &mut Shortening<'_>) {
    work.flow();
}

fn fold(work: &mut Shortening<'_>) {
    fold::fold(&mut work.code.body);
}

fn exits(work: &mut Shortening<'_>) {
    let mut tree = work.tree();
    exits::share(&mut tree, work.signatures);
    work.code.body = tree.flatten();
}

#[test]
fn jumps_that_lead_where_control_goes_anyway_go() {
    gives(
        "block call 0 br 0 end i64.const 1 return",
        flow,
        "call 0 i64.const 1 return",
    );
    gives(
        "block block call 0 br 1 end call 0 br 0 end i64.const 1 return",
        flow,
        "call 0 i64.const 1 return",
    );
    // A loop is left by its end.
    gives(
        "block loop call 1 br_if 1 call 0 br 0 end end i64.const 1 return",
        flow,
        "loop call 1 i32.eqz if call 0 br 1 end end i64.const 1 return",
    );
}

#[test]
fn what_a_jump_skips_becomes_an_arm() {
    gives(
        "block local.get 0 i32.wrap_i64 br_if 0 call 0 end i64.const 1 return",
        flow,
        "local.get 0 i32.wrap_i64 i32.eqz if call 0 end i64.const 1 return",
    );
    gives(
        "block local.get 0 i32.wrap_i64 if call 0 br 1 end call 1 drop end i64.const 1 return",
        flow,
        "local.get 0 i32.wrap_i64 if call 0 else call 1 drop end i64.const 1 return",
    );
    gives(
        "local.get 0 i32.wrap_i64 i32.eqz if call 0 else call 1 drop end i64.const 1 return",
        flow,
        "local.get 0 i32.wrap_i64 if call 1 drop else call 0 end i64.const 1 return",
    );
}

#[test]
fn code_that_is_never_reached_goes() {
    gives(
        "i64.const 1 return call 0 i64.const 2 return",
        flow,
        "i64.const 1 return",
    );
    gives(
        "loop call 0 end i64.const 1 return",
        flow,
        "call 0 i64.const 1 return",
    );
    gives(
        "local.get 0 i32.wrap_i64 if else end i64.const 1 return",
        flow,
        "local.get 0 i32.wrap_i64 drop i64.const 1 return",
    );
}

#[test]
fn values_move_to_their_use() {
    gives(
        "local.get 0 i64.const 1 i64.add local.set 1 call 0 local.get 1 return",
        sink::sink,
        "call 0 local.get 0 i64.const 1 i64.add return",
    );
    // What is used twice is kept as well.
    gives(
        "local.get 0 i64.const 1 i64.add local.set 1 call 0 local.get 1 local.get 1 i64.mul return",
        sink::sink,
        "call 0 local.get 0 i64.const 1 i64.add local.tee 1 local.get 1 i64.mul return",
    );
    gives(
        "i64.const 7 local.set 1 local.get 0 i32.wrap_i64 if local.get 1 return end i64.const 1 return",
        sink::sink,
        "local.get 0 i32.wrap_i64 if i64.const 7 return end i64.const 1 return",
    );
}

#[test]
fn values_stay_where_something_on_the_way_touches_them() {
    // A call may write memory and globals.
    stays(
        "local.get 0 i32.wrap_i64 i64.load 0 local.set 1 call 0 local.get 1 return",
        sink::sink,
    );
    stays(
        "local.get 0 i32.wrap_i64 i64.load 0 local.set 1 local.get 0 i32.wrap_i64 i64.const 5 i64.store 0 local.get 1 return",
        sink::sink,
    );
    stays(
        "global.get 3 local.set 1 call 0 local.get 1 return",
        sink::sink,
    );
    stays("call 1 local.set 1 call 0 local.get 1 return", sink::sink);
    // What it reads is written.
    gives(
        "local.get 0 i64.const 1 i64.add local.set 1 call 1 local.set 0 local.get 1 local.get 0 i64.add return",
        sink::sink,
        "local.get 0 i64.const 1 i64.add local.set 1 local.get 1 call 1 local.tee 0 i64.add return",
    );
    // A loop would make it again and again.
    stays(
        "local.get 0 i64.const 3 i64.mul local.set 1 loop local.get 1 i64.eqz br_if 0 end i64.const 1 return",
        sink::sink,
    );
    // A dispatch comes back to code behind.
    let text = "i64.const 7 local.set 1 local.get 0 i32.wrap_i64 if local.get 1 return end i64.const 1 return";
    let code = made(text, true, sink::sink);
    assert_eq!(shown(&code.body), shown(&read(text)));
}

#[test]
fn short_sequences_stand_for_longer_ones() {
    gives("local.set 1 local.get 1", fold, "local.tee 1");
    gives("local.get 1 local.set 1", fold, "");
    gives(
        "local.get 0 i64.const 3 i64.add i64.const 5 i64.add",
        fold,
        "local.get 0 i64.const 8 i64.add",
    );
    gives("local.get 0 i64.const 0 i64.add", fold, "local.get 0");
    gives("i64.load 8 i32.wrap_i64", fold, "i32.load 8");
    gives("i64.lt_s i32.eqz", fold, "i64.ge_s");
    gives(
        "i64.eq i64.extend_i32_u i64.const 0 i64.ne br_if 0",
        fold,
        "i64.eq br_if 0",
    );
    gives("i64.extend_i32_u i64.eqz", fold, "i32.eqz");
    gives("i32.eqz i32.eqz br_if 0", fold, "br_if 0");
    stays("i32.eqz i32.eqz i64.extend_i32_u", fold);
}

#[test]
fn constants_go_into_offsets() {
    gives(
        "local.get 0 i64.const 24 i64.add i32.wrap_i64 i64.load 8",
        fold::offsets,
        "local.get 0 i32.wrap_i64 i64.load 32",
    );
    gives(
        "local.get 0 i64.const 24 i64.add i32.wrap_i64 call 1 i64.store 0",
        fold::offsets,
        "local.get 0 i32.wrap_i64 call 1 i64.store 24",
    );
    // What is taken is no address, or is not near.
    stays(
        "local.get 0 i64.const 24 i64.add i32.wrap_i64 i32.eqz",
        fold::offsets,
    );
    stays(
        "local.get 0 i64.const -8 i64.add i32.wrap_i64 i64.load 8",
        fold::offsets,
    );
    stays(
        "i32.const 64 local.get 0 i64.const 24 i64.add i32.wrap_i64 i32.add i64.load 8",
        fold::offsets,
    );
}

#[test]
fn locals_of_which_addresses_are_taken_are_narrow() {
    let text = "local.get 0 i64.const 8 i64.add local.set 1 \
                local.get 1 i32.wrap_i64 i64.load 0 drop local.get 1 i32.wrap_i64 i64.load 8 return";
    let code = made(text, false, narrow::narrow);
    let wanted = "local.get 0 i64.const 8 i64.add i32.wrap_i64 local.set 1 \
                  local.get 1 i64.load 0 drop local.get 1 i64.load 8 return";
    assert_eq!(shown(&code.body), shown(&read(wanted)));
    assert_eq!(code.locals[0], ValType::I32);
    // One that is wanted whole stays.
    stays(
        "local.get 0 local.set 1 local.get 1 i32.wrap_i64 i64.load 0 local.get 1 i64.add return",
        narrow::narrow,
    );
}

#[test]
fn what_is_never_read_goes() {
    gives(
        "local.get 0 i64.const 3 i64.mul local.set 1 i64.const 1 return",
        live::leave_out_dead,
        "i64.const 1 return",
    );
    // Its call does not.
    gives(
        "call 1 local.set 1 i64.const 1 return",
        live::leave_out_dead,
        "call 1 drop i64.const 1 return",
    );
    gives(
        "local.get 0 local.tee 1 return",
        live::leave_out_dead,
        "local.get 0 return",
    );
    // A loop reads it when it comes round.
    stays(
        "i64.const 1 local.set 1 loop local.get 1 i32.wrap_i64 if i64.const 1 return end i64.const 0 local.set 1 br 0 end",
        live::leave_out_dead,
    );
}

#[test]
fn locals_share_places() {
    let text = "call 1 local.set 1 local.get 1 call 2 local.set 2 local.get 2 call 2 return";
    let code = made(text, false, colour::colour);
    let wanted = "call 1 local.set 0 local.get 0 call 2 local.set 0 local.get 0 call 2 return";
    assert_eq!(shown(&code.body), shown(&read(wanted)));
    assert_eq!(code.locals, []);
    // Two that are needed at the same time do not.
    let text = "call 1 local.set 1 call 1 local.set 2 local.get 0 local.get 1 i64.add local.get 2 i64.add return";
    let code = made(text, false, colour::colour);
    assert_eq!(code.locals.len(), 2);
    // What is copied is the same.
    let text = "call 1 local.set 1 local.get 1 local.set 2 local.get 2 local.get 0 i64.add return";
    let code = made(text, false, colour::colour);
    assert_eq!(code.locals.len(), 1);
}

#[test]
fn ends_that_many_paths_have_are_written_once() {
    let end = "call 0 call 0 local.get 0 i64.const 12345 i64.add call 2 return";
    let text = format!(
        "local.get 0 i32.wrap_i64 if {end} end call 1 i64.eqz if {end} end call 1 drop {end}"
    );
    let wanted = format!(
        "block local.get 0 i32.wrap_i64 if br 1 end call 1 i64.eqz if br 1 end call 1 drop br 0 end {end}"
    );
    gives(&text, exits, &wanted);
    // It does not pay.
    stays(
        "local.get 0 i32.wrap_i64 if local.get 0 return end call 1 drop local.get 0 return",
        exits,
    );
}
