//! Takes objects apart that never leave their function: records, tuples, ranges, and boxes of optional scalars.
//!
//! Such an object is only made, passed from block to block, made unique, changed, and read. So each of its slots can
//! be a variable of its own, which costs nothing to make and needs no counts. What returned a tuple and was inlined,
//! or a record that a loop changes, becomes plain registers. Runs on SSA form, where objects are values: `Unique` is
//! a copy of the slots. Objects within others come apart in the next round.
//!
//! [`objects`] finds them, this file replaces them. Enter at [`run`].

mod objects;

use super::graph::reverse_postorder;
use super::simplify::{keep_params, rename, simplify};
use crate::ir::loops::predecessors;
use crate::ir::{Block, BlockId, Desc, Function, Inst, Op, Program, Reg, Ty};
use objects::{Kind, Objects};
use scn_grammar::Span;
use smallvec::smallvec;
use std::collections::HashMap;

/// How deep objects in objects are taken apart.
const ROUNDS: usize = 4;

/// Treats all functions.
pub(crate) fn run(program: &mut Program) {
    let Program {
        descs, functions, ..
    } = program;
    for function in functions {
        for _ in 0..ROUNDS {
            let objects = objects::find(function, descs);
            if objects.is_empty() {
                break;
            }
            Apart::new(function, descs, objects).take();
            simplify(function);
        }
    }
}

/// A slot of an object, as a variable.
type Var = (Reg, u32);

/// What a block must be given on each edge that leads to it.
enum Addition {
    /// The value of a variable.
    Var(Var),
    /// A slot of the object that is passed at this position.
    Slot(usize, u32),
}

struct Apart<'f> {
    function: &'f mut Function,
    descs: &'f [Desc],
    objects: Objects,
    preds: Vec<Vec<BlockId>>,
    /// Values at the ends of blocks, as far as the blocks set them.
    ends: Vec<HashMap<Var, Reg>>,
    /// Values at the starts of blocks, as far as they were asked for.
    starts: Vec<HashMap<Var, Reg>>,
    /// New parameters whose arguments are still to be found.
    open: Vec<(BlockId, Reg, Addition)>,
    /// What stands for the results of reads.
    replaced: HashMap<Reg, Reg>,
}

impl<'f> Apart<'f> {
    fn new(function: &'f mut Function, descs: &'f [Desc], objects: Objects) -> Self {
        let blocks = function.blocks.len();
        Apart {
            preds: predecessors(function),
            function,
            descs,
            objects,
            ends: vec![HashMap::new(); blocks],
            starts: vec![HashMap::new(); blocks],
            open: Vec::new(),
            replaced: HashMap::new(),
        }
    }

    fn take(mut self) {
        // A block with one predecessor comes behind it, so that its values are known.
        for id in reverse_postorder(self.function) {
            self.params(id);
            self.instructions(id);
        }
        while let Some((block, param, addition)) = self.open.pop() {
            self.add_param(block, param, addition);
        }
        rename(self.function, &self.replaced);
        let objects = &self.objects;
        keep_params(self.function, &|reg| !objects.has(reg));
    }

    fn reg(&mut self, ty: Ty) -> Reg {
        self.function.regs.push(ty);
        Reg(self.function.regs.len() as u32 - 1)
    }

    /// Each parameter that is such an object becomes one for each slot.
    fn params(&mut self, id: BlockId) {
        let params = self.function.blocks[id.index()].params.clone();
        for (at, param) in params.into_iter().enumerate() {
            let Some(kind) = self.objects.kind(param) else {
                continue;
            };
            for (slot, ty) in (0u32..).zip(kind.slots(self.descs)) {
                let reg = self.reg(ty);
                self.open.push((id, reg, Addition::Slot(at, slot)));
                self.starts[id.index()].insert((param, slot), reg);
            }
        }
    }

    fn instructions(&mut self, id: BlockId) {
        let insts = std::mem::take(&mut self.function.blocks[id.index()].insts);
        let mut kept = Vec::with_capacity(insts.len());
        for inst in insts {
            if let Some(inst) = self.inst(id, inst, &mut kept) {
                kept.push(inst);
            }
        }
        self.function.blocks[id.index()].insts = kept;
    }

    /// Gives the instruction back if it has nothing to do with such objects.
    fn inst(&mut self, id: BlockId, inst: Inst, kept: &mut Vec<Inst>) -> Option<Inst> {
        let result = inst.results.first().copied();
        match (&inst.op, result) {
            (Op::New(_, slots), Some(made)) if self.objects.has(made) => {
                self.set_all(id, made, slots);
            }
            (Op::OptBox(_, flag, payload), Some(made)) if self.objects.has(made) => {
                self.set_all(id, made, &[*flag, *payload]);
            }
            (Op::Unique(a), Some(made)) if self.objects.has(made) => {
                let slots = self.slots(id, *a);
                self.set_all(id, made, &slots);
            }
            (Op::Store(object, slot, value), _) if self.objects.has(*object) => {
                self.ends[id.index()].insert((*object, *slot), *value);
            }
            // What is taken out is put back before anything looks there.
            (Op::Load(object, slot) | Op::Take(object, slot), Some(read))
                if self.objects.has(*object) =>
            {
                let value = self.value(id, (*object, *slot));
                self.replaced.insert(read, value);
            }
            (Op::OptFlag(object), Some(read)) if self.objects.has(*object) => {
                let value = self.value(id, (*object, 0));
                self.replaced.insert(read, value);
            }
            (Op::OptPayload(object), Some(read)) if self.objects.has(*object) => {
                let value = self.value(id, (*object, 1));
                self.replaced.insert(read, value);
            }
            (Op::Keep(object), _) if self.objects.has(*object) => {
                for slot in self.slots(id, *object) {
                    if self.function.regs[slot.index()] == Ty::Ptr {
                        let (op, results) = (Op::Keep(slot), smallvec![]);
                        let span = inst.span;
                        kept.push(Inst { results, op, span });
                    }
                }
            }
            _ => return Some(inst),
        }
        None
    }

    fn set_all(&mut self, id: BlockId, object: Reg, slots: &[Reg]) {
        for (slot, value) in (0u32..).zip(slots) {
            self.ends[id.index()].insert((object, slot), *value);
        }
    }

    /// The present slots of an object.
    fn slots(&mut self, id: BlockId, object: Reg) -> Vec<Reg> {
        let count = self
            .objects
            .kind(object)
            .map_or(0, |kind| kind.slots(self.descs).len());
        (0..count as u32)
            .map(|slot| self.value(id, (object, slot)))
            .collect()
    }

    /// The value of a variable at the place that has been reached in a block: its end once all is done.
    fn value(&mut self, id: BlockId, var: Var) -> Reg {
        let mut at = id;
        let found = loop {
            let known = self.ends[at.index()].get(&var);
            if let Some(known) = known.or_else(|| self.starts[at.index()].get(&var)) {
                break *known;
            }
            match self.preds[at.index()][..] {
                [before] => at = before,
                _ => break self.join(at, var),
            }
        };
        if at != id {
            self.starts[id.index()].insert(var, found);
        }
        found
    }

    /// A parameter for a variable where several ways meet.
    fn join(&mut self, id: BlockId, var: Var) -> Reg {
        let kind = self.objects.kind(var.0).expect("variables are of objects");
        let reg = self.reg(kind.slots(self.descs)[var.1 as usize]);
        self.starts[id.index()].insert(var, reg);
        self.open.push((id, reg, Addition::Var(var)));
        reg
    }

    /// Adds a parameter to a block, and its argument to each edge that leads there.
    fn add_param(&mut self, id: BlockId, param: Reg, addition: Addition) {
        self.function.blocks[id.index()].params.push(param);
        let mut from = self.preds[id.index()].clone();
        from.dedup();
        for before in from {
            let edges = self.function.blocks[before.index()].term.targets().len();
            for edge in 0..edges {
                let target = self.function.blocks[before.index()].term.targets()[edge].clone();
                if target.block != id {
                    continue;
                }
                let arg = match addition {
                    Addition::Var(var) => self.value(before, var),
                    Addition::Slot(at, slot) => self.slot_of(before, target.args[at], slot, param),
                };
                let term = &mut self.function.blocks[before.index()].term;
                term.targets_mut()[edge].args.push(arg);
            }
        }
    }

    /// A slot of what a block passes: of such an object, or of null in its place.
    fn slot_of(&mut self, id: BlockId, object: Reg, slot: u32, like: Reg) -> Reg {
        if self.objects.has(object) {
            return self.value(id, (object, slot));
        }
        let ty = self.function.regs[like.index()];
        let nothing = self.reg(ty);
        let block: &mut Block = &mut self.function.blocks[id.index()];
        block.insts.push(Inst {
            results: smallvec![nothing],
            op: match ty {
                Ty::Int => Op::Int(0),
                Ty::Float => Op::Float(0),
                Ty::Ptr => Op::Null,
            },
            span: Span::default(),
        });
        nothing
    }
}

/// The slots of a kind of object, as registers.
impl Kind {
    fn slots(self, descs: &[Desc]) -> Vec<Ty> {
        objects::slots(self, descs)
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, trial};
    use super::run;
    use insta::assert_snapshot;

    const TABLES: &str = "desc20 = record \"Point\" [\"x\" float, \"y\" float]\n\
                          desc21 = tuple [int, desc20]\nhost0 = \"log.info\" (ptr)\n";

    fn tried(function: &str) -> Trial {
        trial(&format!("{TABLES}\n{function}"), run)
    }

    fn apart(function: &str) -> String {
        tried(function).both()
    }

    #[test]
    fn a_record_in_a_tuple_is_its_fields() {
        assert_snapshot!(apart(
            "fn0 \"f\" (v0, v1 float) -> float {\nbb0:\n  v2 ptr = new desc20, [v1, v1]\n  \
             v3 ptr = new desc21, [v0, v2]\n  branch v0, bb1, bb2\nbb1:\n  v4 ptr = load v3, 1\n  \
             v5 float = load v4, 1\n  return v5\nbb2:\n  return v1\n}\n"
        ));
    }

    #[test]
    fn a_record_that_a_loop_changes_is_carried_in_registers() {
        assert_snapshot!(apart(
            "fn0 \"f\" (v0, v1 float) -> float {\nbb0:\n  v2 ptr = new desc20, [v1, v1]\n  jump bb1(v0, v2)\n\
             bb1(v3, v4 ptr):\n  v5 = int 0\n  v6 = gt v3, v5\n  branch v6, bb2, bb3\nbb2:\n  v7 float = load v4, 0\n  \
             v8 float = fadd v7, v1\n  v9 ptr = unique v4\n  store v9, 0, v8\n  v10 = int 1\n  \
             v11 = wrapping_sub v3, v10\n  jump bb1(v11, v9)\nbb3:\n  v12 float = load v4, 0\n  v13 float = load v4, 1\n  \
             v14 float = fadd v12, v13\n  return v14\n}\n"
        ));
    }

    #[test]
    fn a_copy_that_is_changed_leaves_the_other_as_it_was() {
        assert_snapshot!(apart(
            "fn0 \"f\" (v0 float, v1 float) -> float {\nbb0:\n  v2 ptr = new desc20, [v0, v0]\n  v3 ptr = unique v2\n  \
             store v3, 1, v1\n  v4 float = load v2, 1\n  v5 float = load v3, 1\n  v6 float = fsub v4, v5\n  return v6\n}\n"
        ));
    }

    #[test]
    fn a_value_that_is_stored_on_one_way_joins_the_other() {
        assert_snapshot!(apart(
            "fn0 \"f\" (v0, v1 float) -> float {\nbb0:\n  v2 ptr = new desc20, [v1, v1]\n  v3 ptr = unique v2\n  \
             branch v0, bb1, bb2\nbb1:\n  v4 float = fadd v1, v1\n  store v3, 0, v4\n  jump bb2\nbb2:\n  \
             v5 float = load v3, 0\n  return v5\n}\n"
        ));
    }

    #[test]
    fn an_optional_in_memory_form_is_its_two_registers() {
        assert_snapshot!(apart(
            "fn0 \"f\" (v0, v1) -> int {\nbb0:\n  branch v0, bb1, bb2\nbb1:\n  v2 ptr = opt_box desc9, v0, v1\n  \
             jump bb3(v2)\nbb2:\n  v3 ptr = null\n  jump bb3(v3)\nbb3(v4 ptr):\n  v5 = opt_flag v4\n  \
             branch v5, bb4, bb5\nbb4:\n  v6 = opt_payload v4\n  return v6\nbb5:\n  return v0\n}\n"
        ));
    }

    #[test]
    fn what_goes_elsewhere_stays_an_object() {
        for rest in [
            "  return v2\n",
            "  host host0, [v2]\n  return v2\n",
            "  v3 = equal v2, v2\n  v4 float = load v2, 0\n  return v2\n",
            "  v3 float = load v2, 0\n  jump bb1(v2)\nbb1(v4 ptr):\n  host host0, [v4]\n  return v4\n",
        ] {
            let tried = tried(&format!(
                "fn0 \"f\" (v0 float) -> ptr {{\nbb0:\n  v2 ptr = new desc20, [v0, v0]\n{rest}}}\n"
            ));
            assert_eq!(tried.count("new desc20"), (1, 1), "{}", tried.behind());
        }
    }
}
