//! Which objects never leave their function.
//!
//! All that are made there are taken for such objects first, with the registers that they reach by jumps and by
//! `Unique`; then those go that are used in another way, or that may be something else, until nothing changes.

use crate::ir::{Desc, DescId, Function, Op, Reg, Scalar, Signatures, SlotKind, SlotType, Ty};
use std::collections::{HashMap, HashSet};

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A record, tuple or range.
    Slots(DescId),
    /// A boxed optional scalar: flag and payload; null is none.
    Optional(DescId),
}

/// The registers that hold such objects.
pub(super) struct Objects {
    kinds: HashMap<Reg, Kind>,
}

impl Objects {
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    pub fn has(&self, reg: Reg) -> bool {
        self.kinds.contains_key(&reg)
    }

    pub fn kind(&self, reg: Reg) -> Option<Kind> {
        self.kinds.get(&reg).copied()
    }
}

/// The classes of the slots of a kind.
pub(super) fn slots(kind: Kind, descs: &[Desc]) -> Vec<Ty> {
    match kind {
        Kind::Slots(desc) => match &descs[desc.index()] {
            Desc::Record { fields, .. } => fields.iter().map(|(_, slot)| class(*slot)).collect(),
            Desc::Tuple(slots) => slots.iter().map(|slot| class(*slot)).collect(),
            Desc::Range(scalar) => vec![scalar_class(*scalar), scalar_class(*scalar), Ty::Int],
            _ => Vec::new(),
        },
        Kind::Optional(desc) => match &descs[desc.index()] {
            Desc::Box(scalar) => vec![Ty::Int, scalar_class(*scalar)],
            _ => Vec::new(),
        },
    }
}

fn class(slot: SlotType) -> Ty {
    match slot.kind {
        SlotKind::Scalar(scalar) if !slot.optional => scalar_class(scalar),
        SlotKind::Unit if !slot.optional => Ty::Int,
        _ => Ty::Ptr,
    }
}

fn scalar_class(scalar: Scalar) -> Ty {
    match scalar {
        Scalar::Float | Scalar::Rate => Ty::Float,
        _ => Ty::Int,
    }
}

/// What a register is passed or copied to, and where from.
struct Flows {
    flows: Vec<(Reg, Reg)>,
    nulls: HashSet<Reg>,
}

/// Finds them.
pub(super) fn find(function: &Function, descs: &[Desc]) -> Objects {
    let mut kinds = made(function, descs);
    if kinds.is_empty() {
        return Objects { kinds };
    }
    let flows = flows(function);
    spread(&mut kinds, &flows.flows);
    let mut gone = used_otherwise(function, &kinds);
    gone.extend(defined_otherwise(function, &kinds));
    loop {
        let before = kinds.len();
        kinds.retain(|reg, _| !gone.contains(reg));
        for (from, to) in &flows.flows {
            let is_null = flows.nulls.contains(from) && !kinds.contains_key(from);
            match (kinds.get(from), kinds.get(to)) {
                (None, Some(Kind::Optional(_))) if is_null => {}
                (None, None) => {}
                (from_kind, to_kind) if from_kind == to_kind => {}
                _ => gone.extend([*from, *to]),
            }
        }
        if kinds.len() == before && !gone.iter().any(|reg| kinds.contains_key(reg)) {
            return Objects { kinds };
        }
    }
}

/// The objects that the function makes.
fn made(function: &Function, descs: &[Desc]) -> HashMap<Reg, Kind> {
    let insts = function.blocks.iter().flat_map(|block| &block.insts);
    let made = insts.filter_map(|inst| {
        let (kind, parts) = match &inst.op {
            Op::New(desc, regs) => (Kind::Slots(*desc), regs.clone()),
            Op::OptBox(desc, flag, payload) => (Kind::Optional(*desc), vec![*flag, *payload]),
            _ => return None,
        };
        let classes = parts.iter().map(|reg| function.regs[reg.index()]);
        classes
            .eq(slots(kind, descs))
            .then(|| (inst.results[0], kind))
    });
    made.collect()
}

/// Where registers get their values from other registers.
fn flows(function: &Function) -> Flows {
    let (mut flows, mut nulls) = (Vec::new(), HashSet::new());
    for block in &function.blocks {
        for inst in &block.insts {
            match &inst.op {
                Op::Unique(a) => flows.push((*a, inst.results[0])),
                Op::Null => {
                    nulls.insert(inst.results[0]);
                }
                _ => {}
            }
        }
        for target in block.term.targets() {
            let params = &function.blocks[target.block.index()].params;
            let pointers = |(arg, _): &(&Reg, &Reg)| function.regs[arg.index()] == Ty::Ptr;
            let passed = target.args.iter().zip(params).filter(pointers);
            flows.extend(passed.map(|(arg, param)| (*arg, *param)));
        }
    }
    Flows { flows, nulls }
}

/// What objects reach is of their kind, as far as nothing else is known.
fn spread(kinds: &mut HashMap<Reg, Kind>, flows: &[(Reg, Reg)]) {
    loop {
        let before = kinds.len();
        for (from, to) in flows {
            if let Some(kind) = kinds.get(from).copied() {
                kinds.entry(*to).or_insert(kind);
            }
        }
        if kinds.len() == before {
            return;
        }
    }
}

/// The objects that something is done with that only a whole object is good for.
fn used_otherwise(function: &Function, kinds: &HashMap<Reg, Kind>) -> HashSet<Reg> {
    let sigs = Signatures::default();
    let mut found = HashSet::new();
    for block in &function.blocks {
        for inst in &block.insts {
            let allowed = match (
                &inst.op,
                object_of(&inst.op).and_then(|reg| kinds.get(&reg)),
            ) {
                (Op::Load(a, _) | Op::Take(a, _), Some(Kind::Slots(_))) => Some(*a),
                (Op::Store(_, _, value), Some(Kind::Slots(_))) => {
                    found.insert(*value);
                    continue;
                }
                (Op::OptFlag(a) | Op::OptPayload(a), Some(Kind::Optional(_))) => Some(*a),
                (Op::Unique(a) | Op::Keep(a), Some(_)) => Some(*a),
                _ => None,
            };
            inst.op.each_reg(&sigs, &mut |reg, _| {
                if allowed != Some(*reg) {
                    found.insert(*reg);
                }
            });
        }
        block.term.each_reg(&sigs, &mut |reg, _| {
            found.insert(*reg);
        });
    }
    found
}

/// The object that an instruction reads, changes or copies.
fn object_of(op: &Op) -> Option<Reg> {
    match op {
        Op::Load(a, _) | Op::Take(a, _) | Op::Store(a, ..) => Some(*a),
        Op::OptFlag(a) | Op::OptPayload(a) | Op::Unique(a) | Op::Keep(a) => Some(*a),
        _ => None,
    }
}

/// Registers that get their value in another way than by being made, copied or passed.
fn defined_otherwise(function: &Function, kinds: &HashMap<Reg, Kind>) -> HashSet<Reg> {
    let mut known: HashSet<Reg> = HashSet::new();
    for block in &function.blocks {
        known.extend(&block.params);
        let is_copy = |op: &Op| matches!(op, Op::New(..) | Op::OptBox(..) | Op::Unique(_));
        let copies = block.insts.iter().filter(|inst| is_copy(&inst.op));
        known.extend(copies.flat_map(|inst| &inst.results));
    }
    let elsewhere = kinds.keys().filter(|reg| !known.contains(reg));
    elsewhere.copied().collect()
}
