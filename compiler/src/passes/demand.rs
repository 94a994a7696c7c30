//! Reads of JSON that ask for parts only: a value that is parsed and then used by nothing but constant paths is not built.
//!
//! `r.json().user.id` is lowered to a call that parses and one for each step. Here, if names and positions are all that
//! ever becomes of the parsed value, the call that parses is given the paths and hands over what is there:
//! one value, or a list of several. The text is checked to its end all the same, so errors stay what they are.
//! Runs on SSA form, before ownership. Enter at [`run`].

use super::simplify::{rename, simplify};
use crate::ir::{
    ConstId, ConstObject, Function, Inst, NativeId, NativeParam, NativeRef, Op, Program, Reg,
    Terminator, TryOp, Ty, desc,
};
use smallvec::smallvec;
use std::collections::{HashMap, HashSet, VecDeque};

/// Host functions that parse their first argument; `_part` and `_parts` behind the name are those that get paths.
const SOURCES: [&str; 3] = ["Response.json", "Request.json", "json.parse"];

/// Host functions that take one step.
const STEPS: [&str; 3] = ["json.field", "json.key", "json.at"];

/// As many paths and steps as are looked for in one pass.
const PATHS: usize = 32;
const DEPTH: usize = 16;

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    Name(String),
    Index(i64),
}

impl Step {
    fn constant(&self) -> ConstObject {
        match self {
            Step::Name(name) => ConstObject::String(name.clone()),
            Step::Index(index) => ConstObject::Box(desc::BOX_INT, index.cast_unsigned()),
        }
    }
}

/// A part that is asked for, and the registers that hold it.
struct Part {
    path: Vec<Step>,
    regs: Vec<Reg>,
}

impl Part {
    fn constant(&self) -> ConstObject {
        ConstObject::List(
            desc::JSON_LIST,
            self.path.iter().map(Step::constant).collect(),
        )
    }
}

/// What is read of a parsed value.
#[derive(Default)]
struct Demand {
    /// The parts that are read: none of them is inside of another.
    parts: Vec<Part>,
    /// The registers on the way to them.
    passed: Vec<Reg>,
}

/// Treats all functions.
pub(crate) fn run(program: &mut Program) {
    let named = |names: &[&str]| -> HashSet<NativeId> {
        let natives = (0u32..).map(NativeId).zip(&program.natives);
        natives
            .filter(|(_, native)| names.contains(&native.name.as_str()))
            .map(|(id, _)| id)
            .collect()
    };
    let (sources, steps) = (named(&SOURCES), named(&STEPS));
    let Program {
        functions,
        consts,
        natives,
        ..
    } = program;
    for function in functions {
        let blocks: Vec<usize> = (0..function.blocks.len())
            .filter(|at| parsed(&function.blocks[*at].term, &sources).is_some())
            .collect();
        if blocks.is_empty() {
            continue;
        }
        let uses = Uses::of(function, &steps, consts);
        let mut narrowed = false;
        for block in blocks {
            let root = parsed(&function.blocks[block].term, &sources);
            if let Some(demand) = root.and_then(|root| uses.demand(root)) {
                Narrowing {
                    function,
                    consts,
                    natives,
                }
                .rewrite(block, demand);
                narrowed = true;
            }
        }
        if narrowed {
            // Nobody reads the names of the steps any more.
            simplify(function);
        }
    }
}

/// What a terminator parses, if it does.
fn parsed(term: &Terminator, sources: &HashSet<NativeId>) -> Option<Reg> {
    match term {
        Terminator::Try {
            op: TryOp::Host(native, _),
            results,
            ..
        } if sources.contains(native) => results.first().copied(),
        _ => None,
    }
}

/// What becomes of the registers of a function.
#[derive(Default)]
struct Uses {
    /// How often each is read.
    reads: Vec<u32>,
    /// The constant steps that lead on from each.
    steps: HashMap<Reg, Vec<(Step, Reg)>>,
}

impl Uses {
    fn of(function: &Function, steps: &HashSet<NativeId>, consts: &[ConstObject]) -> Uses {
        let insts = || function.blocks.iter().flat_map(|block| &block.insts);
        let constants: HashMap<Reg, Step> = insts()
            .filter_map(|inst| Some((*inst.results.first()?, constant_step(&inst.op, consts)?)))
            .collect();
        let mut uses = Uses::default();
        for inst in insts() {
            if let (Op::Host(native, args), [result]) = (&inst.op, &inst.results[..])
                && steps.contains(native)
                && let Some(step) = constants.get(&args[1])
            {
                let known = uses.steps.entry(args[0]).or_default();
                known.push((step.clone(), *result));
            }
        }
        uses.reads = function.use_counts();
        uses
    }

    /// Where the steps from a register lead, if nothing else is done with it.
    fn leading_on(&self, reg: Reg) -> Option<&[(Step, Reg)]> {
        let steps = self.steps.get(&reg)?;
        (self.reads[reg.index()] as usize == steps.len()).then_some(steps)
    }

    /// What is read of a parsed value, if it is no more than some parts.
    fn demand(&self, root: Reg) -> Option<Demand> {
        self.leading_on(root)?;
        let mut demand = Demand::default();
        let mut open = VecDeque::from([Part {
            path: Vec::new(),
            regs: vec![root],
        }]);
        while let Some(part) = open.pop_front() {
            let steps: Option<Vec<&[(Step, Reg)]>> =
                part.regs.iter().map(|reg| self.leading_on(*reg)).collect();
            match steps {
                Some(steps) if part.path.len() < DEPTH => {
                    open.extend(below(&part.path, steps.concat()));
                    demand.passed.extend(part.regs);
                }
                _ => demand.parts.push(part),
            }
        }
        (demand.parts.len() <= PATHS).then_some(demand)
    }
}

/// The step that a constant stands for. Positions that count from the end take a list to count in.
fn constant_step(op: &Op, consts: &[ConstObject]) -> Option<Step> {
    match op {
        Op::Int(index) if *index >= 0 => Some(Step::Index(*index)),
        Op::Const(id) => match &consts[id.index()] {
            ConstObject::String(name) => Some(Step::Name(name.clone())),
            _ => None,
        },
        _ => None,
    }
}

/// What steps from a path lead to, equal ones together.
fn below(path: &[Step], steps: Vec<(Step, Reg)>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (step, reg) in steps {
        match parts
            .iter_mut()
            .find(|part| part.path.last() == Some(&step))
        {
            Some(part) => part.regs.push(reg),
            None => parts.push(Part {
                path: path.iter().cloned().chain([step]).collect(),
                regs: vec![reg],
            }),
        }
    }
    parts
}

/// A function whose call that parses is rewritten, and the tables that it takes its constants from.
struct Narrowing<'p> {
    function: &'p mut Function,
    consts: &'p mut Vec<ConstObject>,
    natives: &'p mut Vec<NativeRef>,
}

impl Narrowing<'_> {
    /// Lets the call that ends a block hand over parts; the steps to them go.
    fn rewrite(mut self, block: usize, demand: Demand) {
        let mut steps: HashMap<Reg, Option<usize>> =
            demand.passed.into_iter().map(|reg| (reg, None)).collect();
        if let [part] = &demand.parts[..] {
            self.ask(block, "_part", part.constant(), part.regs[0]);
            steps.extend(part.regs.iter().map(|reg| (*reg, None)));
            self.replace_steps(&steps, part.regs[0]);
            let same = part.regs[1..].iter().map(|reg| (*reg, part.regs[0]));
            rename(self.function, &same.collect());
        } else {
            let paths = demand.parts.iter().map(Part::constant).collect();
            let list = self.reg(Ty::Ptr);
            self.ask(
                block,
                "_parts",
                ConstObject::List(desc::JSON_LIST, paths),
                list,
            );
            for (at, part) in demand.parts.iter().enumerate() {
                steps.extend(part.regs.iter().map(|reg| (*reg, Some(at))));
            }
            self.replace_steps(&steps, list);
        }
    }

    /// Gives the call that ends a block its paths and its new result.
    fn ask(&mut self, block: usize, suffix: &str, paths: ConstObject, result: Reg) {
        let (paths, constant) = (self.reg(Ty::Ptr), self.constant(paths));
        let block = &mut self.function.blocks[block];
        block.insts.push(Inst {
            results: smallvec![paths],
            op: Op::Const(constant),
            span: block.term_span,
        });
        let Terminator::Try {
            op: TryOp::Host(native, args),
            results,
            ..
        } = &mut block.term
        else {
            unreachable!("the terminator was seen to be a call of a host function");
        };
        args.push(paths);
        results[0] = result;
        let mut with_paths = self.natives[native.index()].clone();
        with_paths.name.push_str(suffix);
        with_paths.params.push(NativeParam {
            ty: Ty::Ptr,
            own: false,
        });
        *native = NativeId(place(self.natives, with_paths));
    }

    /// Leaves out the steps to these registers, or takes the elements of a list instead.
    fn replace_steps(&mut self, steps: &HashMap<Reg, Option<usize>>, list: Reg) {
        for block in 0..self.function.blocks.len() {
            let insts = std::mem::take(&mut self.function.blocks[block].insts);
            let mut kept = Vec::with_capacity(insts.len());
            for inst in insts {
                match inst.results.first().and_then(|reg| steps.get(reg)) {
                    None => kept.push(inst),
                    Some(None) => {}
                    Some(Some(at)) => kept.extend(self.element(inst, list, *at)),
                }
            }
            self.function.blocks[block].insts = kept;
        }
    }

    /// The element of a list in the place of a step.
    fn element(&mut self, step: Inst, list: Reg, at: usize) -> [Inst; 2] {
        let index = self.reg(Ty::Int);
        let number = Inst {
            results: smallvec![index],
            op: Op::Int(at as i64),
            span: step.span,
        };
        let element = Inst {
            op: Op::ListAt(list, index),
            ..step
        };
        [number, element]
    }

    fn reg(&mut self, ty: Ty) -> Reg {
        self.function.regs.push(ty);
        Reg(self.function.regs.len() as u32 - 1)
    }

    fn constant(&mut self, object: ConstObject) -> ConstId {
        ConstId(place(self.consts, object))
    }
}

/// The index of an item in a table, which it is added to unless it is there.
fn place<T: PartialEq>(table: &mut Vec<T>, item: T) -> u32 {
    let known = table.iter().position(|other| *other == item);
    known.unwrap_or_else(|| {
        table.push(item);
        table.len() - 1
    }) as u32
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, trial};
    use super::run;
    use insta::assert_snapshot;

    const TABLES: &str = r#"const0 = "user"
const1 = "id"
const2 = "name"
const3 = "roles"
host0 = "Response.json" (ptr) -> ptr fails
host1 = "json.field" (ptr, ptr) -> ptr
host2 = "json.at" (ptr, int) -> ptr
host3 = "log.info" (ptr)
"#;

    /// What the pass makes of a function that parses `v0` to `v1`. The rest of the function starts at `bb2`; `bb1` is
    /// its error path.
    fn narrowed(rest: &str) -> Trial {
        let start = "bb0:\n  try v1 ptr = host host0, [v0] -> bb2, bb1\nbb1: cold\n  fail\nbb2:\n";
        let text = format!("{TABLES}\nfn0 \"f\" (v0 ptr) {{\n{start}{rest}}}\n");
        trial(&text, run)
    }

    fn both(narrowed: Trial) -> String {
        narrowed.both()
    }

    #[test]
    fn a_single_path_is_read_as_a_part() {
        assert_snapshot!(both(narrowed(
            "  v2 ptr = const const0\n  v3 ptr = host host1, [v1, v2]\n  v4 ptr = const const1\n  \
             v5 ptr = host host1, [v3, v4]\n  v6 ptr = host host1, [v3, v4]\n  \
             host host3, [v5]\n  host host3, [v6]\n  return\n"
        )));
    }

    #[test]
    fn several_paths_are_read_in_one_pass() {
        assert_snapshot!(both(narrowed(
            "  v2 ptr = const const0\n  v3 ptr = host host1, [v1, v2]\n  v4 ptr = const const1\n  \
             v5 ptr = host host1, [v3, v4]\n  host host3, [v5]\n  v6 ptr = const const3\n  \
             v7 ptr = host host1, [v1, v6]\n  v8 = int 2\n  v9 ptr = host host2, [v7, v8]\n  \
             host host3, [v9]\n  return\n"
        )));
    }

    #[test]
    fn a_part_that_is_used_as_a_whole_ends_its_path() {
        // The name is looked up in the user, who is read as a whole elsewhere; a position from the end in all roles.
        assert_snapshot!(both(narrowed(
            "  v2 ptr = const const0\n  v3 ptr = host host1, [v1, v2]\n  host host3, [v3]\n  \
             v4 ptr = host host1, [v1, v2]\n  v5 ptr = const const2\n  v6 ptr = host host1, [v4, v5]\n  \
             host host3, [v6]\n  v7 ptr = const const3\n  v8 ptr = host host1, [v1, v7]\n  v9 = int -1\n  \
             v10 ptr = host host2, [v8, v9]\n  host host3, [v10]\n  return\n"
        )));
    }

    #[test]
    fn a_value_that_goes_elsewhere_is_built() {
        for rest in [
            "  return\n",
            "  host host3, [v1]\n  return\n",
            "  v2 ptr = const const0\n  v3 ptr = host host1, [v1, v2]\n  host host3, [v3]\n  host host3, [v1]\n  return\n",
            "  v2 ptr = host host1, [v1, v0]\n  host host3, [v2]\n  return\n",
            "  v2 ptr = const const0\n  v3 ptr = host host1, [v1, v2]\n  host host3, [v3]\n  jump bb3(v1)\n\
             bb3(v4 ptr):\n  host host3, [v4]\n  return\n",
        ] {
            assert!(narrowed(rest).is_unchanged(), "{rest}");
        }
    }
}
