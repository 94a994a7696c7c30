//! Nested updates in a row work on one element: `list[i].x = a; list[i].y = b` takes the element out once.
//!
//! Each such statement takes the element out of its list, makes it unique, changes it and puts it back. Where the same
//! element is taken out again next, it is not put back in between; and what is unique already is not made so again.
//! Runs on SSA form behind `ranges`, which leaves taking out without a check. Enter at [`run`].

use super::simplify::rename;
use crate::ir::{Block, BlockId, Function, Inst, Mode, Op, Program, Reg, Signatures, Target};
use std::collections::HashMap;

/// Treats all functions.
pub(crate) fn run(program: &mut Program) {
    let sigs = Signatures::of(program);
    for function in &mut program.functions {
        let puts = |block: &Block| {
            block
                .insts
                .iter()
                .any(|inst| matches!(inst.op, Op::ListPut(..)))
        };
        if function.blocks.iter().any(puts) {
            while step(function, &sigs) {}
        }
    }
}

/// Does one thing; whether there was any.
fn step(function: &mut Function, sigs: &Signatures) -> bool {
    let uses = Uses::of(function, sigs);
    for at in 0..function.blocks.len() {
        let block = BlockId(at as u32);
        for place in 0..function.blocks[at].insts.len() {
            let found = match function.blocks[at].insts[place].op {
                Op::ListPut(..) => put_back_later(function, &uses, block, place),
                Op::Unique(_) => unique_already(function, &uses, block, place),
                _ => None,
            };
            if let Some(change) = found {
                change.apply(function, at);
                return true;
            }
        }
    }
    false
}

/// Instructions of a block that go, and the registers that stand for their results.
struct Change {
    gone: Vec<usize>,
    renamed: HashMap<Reg, Reg>,
}

impl Change {
    fn apply(self, function: &mut Function, block: usize) {
        let mut place = 0;
        function.blocks[block].insts.retain(|_| {
            place += 1;
            !self.gone.contains(&(place - 1))
        });
        rename(function, &self.renamed);
    }
}

/// Where a register is read: block, position, and how. The terminator and its arguments stand behind all instructions.
struct Uses {
    all: HashMap<Reg, Vec<(BlockId, usize, Mode)>>,
}

impl Uses {
    fn of(function: &Function, sigs: &Signatures) -> Uses {
        let mut all: HashMap<Reg, Vec<(BlockId, usize, Mode)>> = HashMap::new();
        for (at, block) in (0u32..).map(BlockId).zip(&function.blocks) {
            let mut note =
                |reg: Reg, place, mode| all.entry(reg).or_default().push((at, place, mode));
            for (place, inst) in block.insts.iter().enumerate() {
                inst.op
                    .each_reg(sigs, &mut |reg, mode| note(*reg, place, mode));
            }
            let end = block.insts.len();
            block
                .term
                .each_reg(sigs, &mut |reg, mode| note(*reg, end, mode));
            let args = |target: &&Target| target.args.clone();
            for arg in block.term.targets().iter().flat_map(args) {
                note(arg, end, Mode::Own);
            }
        }
        Uses { all }
    }

    fn of_reg(&self, reg: Reg) -> &[(BlockId, usize, Mode)] {
        self.all.get(&reg).map_or(&[], Vec::as_slice)
    }

    /// Whether nothing reads a register elsewhere than in a block, up to a position.
    fn end_at(&self, reg: Reg, block: BlockId, last: usize) -> bool {
        let mut uses = self.of_reg(reg).iter();
        uses.all(|(at, place, _)| *at == block && *place <= last)
    }
}

/// An element that is put into a list and taken out again before anything else is done with the list.
fn put_back_later(function: &Function, uses: &Uses, block: BlockId, put: usize) -> Option<Change> {
    let insts = &function.blocks[block.index()].insts;
    let Op::ListPut(list, at, value) = insts[put].op else {
        return None;
    };
    let is_read =
        |inst: &Inst, list: Reg| matches!(inst.op, Op::ListAt(l, i) if l == list && i == at);
    let mut renamed = HashMap::new();
    let mut gone = vec![put];
    let mut current = list;
    for (place, inst) in insts.iter().enumerate().skip(put + 1) {
        match inst.op {
            Op::Unique(of)
                if of == current && current == list && uses.end_at(list, block, place) =>
            {
                current = inst.results[0];
                renamed.insert(current, list);
                gone.push(place);
            }
            Op::ListTake(of, i) if of == current && i == at && current != list => {
                renamed.insert(inst.results[0], value);
                gone.push(place);
                return uses
                    .end_at(value, block, put)
                    .then_some(Change { gone, renamed });
            }
            _ if is_read(inst, current) => {
                renamed.insert(inst.results[0], value);
                gone.push(place);
            }
            _ if reads(inst, current) || reads(inst, list) => return None,
            _ => {}
        }
    }
    None
}

fn reads(inst: &Inst, wanted: Reg) -> bool {
    let mut found = false;
    inst.op.each_reg(&Signatures::default(), &mut |reg, _| {
        found |= *reg == wanted
    });
    found
}

/// What was made in this block, went nowhere else and was made unique is so still.
fn unique_already(
    function: &Function,
    uses: &Uses,
    block: BlockId,
    place: usize,
) -> Option<Change> {
    let insts = &function.blocks[block.index()].insts;
    let Op::Unique(object) = insts[place].op else {
        return None;
    };
    let is_maker = |inst: &&Inst| inst.results.first() == Some(&object);
    let made = insts[..place].iter().find(is_maker)?;
    let is_new = matches!(made.op, Op::Unique(_) | Op::New(..) | Op::NewList(..));
    let of_object = uses.of_reg(object);
    let taken_over = of_object
        .iter()
        .filter(|(_, _, mode)| *mode == Mode::Own)
        .count();
    let stays = |(_, at, _): &(BlockId, usize, Mode)| keeps_to_itself(&insts[*at].op);
    (is_new && taken_over == 1 && uses.end_at(object, block, place) && of_object.iter().all(stays))
        .then(|| Change {
            gone: vec![place],
            renamed: HashMap::from([(insts[place].results[0], object)]),
        })
}

/// Whether an operation makes no reference to what it reads.
fn keeps_to_itself(op: &Op) -> bool {
    matches!(
        op,
        Op::Unique(_)
            | Op::Load(..)
            | Op::Store(..)
            | Op::Take(..)
            | Op::ListLen(_)
            | Op::ListAt(..)
            | Op::ListTake(..)
            | Op::ListPut(..)
    )
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::ir::{Stage, ir_text, parse_ir, verify};
    use insta::assert_snapshot;

    /// What the pass makes of a block of a function of a list `v0`, two ints and a float, and what came in.
    fn both(insts: &[&str]) -> (String, String) {
        let body: String = insts.iter().map(|inst| format!("  {inst}\n")).collect();
        let text =
            format!("fn0 \"f\" (v0 ptr, v1 int, v2 int, v3 float) -> ptr {{\nbb0:\n{body}}}\n");
        let mut program = parse_ir(&text).unwrap_or_else(|wrong| panic!("{wrong} in:\n{text}"));
        let before = ir_text(&program);
        run(&mut program);
        verify(&program, Stage::Ssa).unwrap_or_else(|broken| panic!("{broken}"));
        (before, ir_text(&program))
    }

    const FIRST: [&str; 5] = [
        "v4 ptr = unique v0",
        "v5 ptr = list_take_at v4, v1",
        "v6 ptr = unique v5",
        "store v6, 0, v3",
        "list_put v4, v1, v6",
    ];

    #[test]
    fn an_element_is_taken_out_once_for_updates_in_a_row() {
        let second = [
            "v7 ptr = list_at v4, v1",
            "v8 float = load v7, 0",
            "v9 ptr = unique v4",
            "v10 ptr = list_take_at v9, v1",
            "v11 ptr = unique v10",
            "store v11, 1, v8",
            "list_put v9, v1, v11",
            "return v9",
        ];
        let (before, behind) = both(&[&FIRST[..], &second[..]].concat());
        assert_snapshot!(format!("before:\n{before}\nbehind:\n{behind}"));
    }

    #[test]
    fn another_element_is_another_one() {
        // The list is unique still, but the elements may be the same one: the first is put back.
        let second = [
            "v9 ptr = unique v4",
            "v10 ptr = list_take_at v9, v2",
            "v11 ptr = unique v10",
            "store v11, 1, v3",
            "list_put v9, v2, v11",
            "return v9",
        ];
        let (before, behind) = both(&[&FIRST[..], &second[..]].concat());
        assert_snapshot!(format!("before:\n{before}\nbehind:\n{behind}"));
    }

    #[test]
    fn what_is_read_between_or_kept_stays() {
        // The list itself is kept, and so is the element: both may be shared from then on.
        for (between, end) in [
            ("v7 ptr = list_at v4, v2", "v12 ptr = new desc15, [v9, v7]"),
            ("v7 = list_len v4", "v12 ptr = new desc15, [v9, v4]"),
            (
                "v7 ptr = new desc15, [v4]",
                "v12 ptr = new desc15, [v9, v7]",
            ),
        ] {
            let second = [
                between,
                "v9 ptr = unique v4",
                "v10 ptr = list_take_at v9, v1",
                "v11 ptr = unique v10",
                "store v11, 1, v3",
                "list_put v9, v1, v11",
                end,
                "return v12",
            ];
            let (_, behind) = both(&[&FIRST[..], &second[..]].concat());
            assert_eq!(behind.matches("list_take_at").count(), 2, "{behind}");
            let kept = usize::from(!between.starts_with("v7 ptr = list_at"));
            assert_eq!(behind.matches("unique").count(), 3 + kept, "{behind}");
        }
    }
}
