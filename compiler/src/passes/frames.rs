//! Gives every register a local, and a slot to those of waiting functions that must outlive a wait.
//!
//! Both are coloured greedily over interference: registers that are never live at the same time share a place.
//! The operands of a wait count as live while its results are written; of everything else an engine reads all operands
//! before it writes a result, so that a result may take the local of an operand that ends there. An argument of a jump
//! takes the local of the parameter where it can: most loops move nothing. Very large functions do without sharing.

use super::graph::{Liveness, RegSet, add_terminator_uses, insert_with_roots, reverse_postorder};
use crate::ir::{
    BlockId, Frame, Function, Mode, Program, Reg, Signatures, Terminator, Ty, WaitPoint,
};
use smallvec::SmallVec;

/// Above this many registers, each has a place of its own.
const SHARING_LIMIT: usize = 6_000;

/// Makes the frames of all functions.
pub(crate) fn run(program: &mut Program) {
    let sigs = Signatures::of(program);
    for function in &mut program.functions {
        let frame = frame(function, &sigs);
        function.frame = Some(frame);
    }
}

fn frame(function: &Function, sigs: &Signatures) -> Frame {
    let liveness = Liveness::compute(function, sigs, &|_| None);
    let waits = wait_points(function, sigs, &liveness);
    let all = RegSet::full(function.regs.len());
    let local = colours(function, sigs, &liveness, &all, &[]);
    let locals = count(&local);
    let params: Vec<Reg> = function.params.iter().map(|param| param.reg).collect();
    let mut frame = Frame {
        slots: 0,
        locals,
        local: local
            .into_iter()
            .map(|colour| colour.unwrap_or(0))
            .collect(),
        slot: vec![None; function.regs.len()],
        waits,
    };
    if function.waits {
        let slotted = slotted(function, sigs, &frame.waits, &params);
        frame.slot = colours(function, sigs, &liveness, &slotted, &params);
        let least = params.len().max(function.results.len()) as u32;
        frame.slots = count(&frame.slot).max(least);
    }
    frame
}

fn count(colours: &[Option<u32>]) -> u32 {
    colours
        .iter()
        .flatten()
        .map(|colour| colour + 1)
        .max()
        .unwrap_or(0)
}

fn wait_points(function: &Function, sigs: &Signatures, liveness: &Liveness) -> Vec<WaitPoint> {
    let mut points = Vec::new();
    for (at, block) in function.blocks.iter().enumerate() {
        let Terminator::Wait { ok, err, .. } = &block.term else {
            continue;
        };
        let live = |edge: usize, target: BlockId| {
            let results = block.term.results_at(edge, sigs);
            liveness.live_in[target.index()]
                .iter()
                .filter(|reg| !results.contains(reg))
                .collect()
        };
        points.push(WaitPoint {
            block: BlockId(at as u32),
            ok_live: live(0, ok.block),
            err_live: live(1, err.block),
        });
    }
    points
}

/// Parameters, what landings read, and mortal pointers that a wait borrows.
fn slotted(function: &Function, sigs: &Signatures, waits: &[WaitPoint], params: &[Reg]) -> RegSet {
    let mut set = RegSet::new(function.regs.len());
    for reg in params.iter().chain(
        waits
            .iter()
            .flat_map(|wait| wait.ok_live.iter().chain(&wait.err_live)),
    ) {
        set.insert(*reg);
    }
    let immortal = crate::ir::immortals(function);
    for wait in waits {
        function.blocks[wait.block.index()]
            .term
            .each_reg(sigs, &mut |reg, mode| {
                let is_pointer = function.regs[reg.index()] == Ty::Ptr;
                if mode == Mode::Borrow && is_pointer && !immortal.contains(reg) {
                    set.insert(*reg);
                }
            });
    }
    set
}

/// A colour for each register of `wanted`; `fixed` have their position as colour.
fn colours(
    function: &Function,
    sigs: &Signatures,
    liveness: &Liveness,
    wanted: &RegSet,
    fixed: &[Reg],
) -> Vec<Option<u32>> {
    let mut colour: Vec<Option<u32>> = vec![None; function.regs.len()];
    for (at, reg) in fixed.iter().enumerate() {
        colour[reg.index()] = Some(at as u32);
    }
    if function.regs.len() > SHARING_LIMIT {
        let mut next = fixed.len() as u32;
        for reg in wanted.iter() {
            colour[reg.index()].get_or_insert_with(|| {
                next += 1;
                next - 1
            });
        }
        return colour;
    }
    let neighbours = interference(function, sigs, liveness, wanted);
    let friends = friends(function);
    for reg in wanted.iter() {
        if colour[reg.index()].is_none() {
            let mut taken: Vec<u32> = neighbours[reg.index()]
                .iter()
                .filter_map(|n| colour[n.index()])
                .collect();
            taken.sort_unstable();
            taken.dedup();
            let friendly = friends[reg.index()]
                .iter()
                .filter_map(|friend| colour[friend.index()])
                .find(|want| taken.binary_search(want).is_err());
            let free = (0..)
                .zip(&taken)
                .find(|(want, have)| want != *have)
                .map(|(want, _)| want);
            colour[reg.index()] = friendly.or(free).or(Some(taken.len() as u32));
        }
    }
    colour
}

/// For each register those that are moved into it by a jump, or that it is moved into.
fn friends(function: &Function) -> Vec<SmallVec<[Reg; 2]>> {
    let mut friends = vec![SmallVec::new(); function.regs.len()];
    for block in &function.blocks {
        for target in block.term.targets() {
            let params = &function.blocks[target.block.index()].params;
            for (param, arg) in params.iter().zip(&target.args) {
                friends[param.index()].push(*arg);
                friends[arg.index()].push(*param);
            }
        }
    }
    friends
}

fn interference(
    function: &Function,
    sigs: &Signatures,
    liveness: &Liveness,
    wanted: &RegSet,
) -> Vec<RegSet> {
    let regs = function.regs.len();
    let mut graph = Interference {
        edges: vec![RegSet::new(regs); regs],
        wanted,
    };
    for block in reverse_postorder(function) {
        let body = &function.blocks[block.index()];
        let mut live = liveness.behind(function, block);
        let mut during = live.clone();
        add_terminator_uses(&mut during, body, sigs, &|_| None);
        let waits = matches!(body.term, Terminator::Wait { .. });
        graph.define(body.term.results(), if waits { &during } else { &live });
        live = during;
        for inst in body.insts.iter().rev() {
            inst.results.iter().for_each(|reg| live.remove(*reg));
            graph.define(&inst.results, &live);
            inst.op.each_reg(sigs, &mut |reg, _| {
                insert_with_roots(&mut live, *reg, &|_| None)
            });
        }
        let at_start = &liveness.live_in[block.index()];
        graph.define(&body.params, at_start);
        if block.0 == 0 {
            let params: Vec<Reg> = function.params.iter().map(|param| param.reg).collect();
            graph.define(&params, at_start);
        }
    }
    graph.edges
}

struct Interference<'w> {
    edges: Vec<RegSet>,
    wanted: &'w RegSet,
}

impl Interference<'_> {
    /// Registers that are written at one place, while others are live.
    fn define(&mut self, defined: &[Reg], live: &RegSet) {
        for reg in defined.iter().filter(|reg| self.wanted.has(**reg)) {
            let others = live.iter().chain(defined.iter().copied());
            for other in others.filter(|other| other != reg && self.wanted.has(*other)) {
                self.edges[reg.index()].insert(other);
                self.edges[other.index()].insert(*reg);
            }
        }
    }
}
