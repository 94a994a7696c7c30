//! Frames: every register has a local, what a landing or a waiting call reads has a slot, waits are complete,
//! and no two registers that are live together share a place.

use super::{Broken, Check, Result_};
use crate::ir::{BlockId, Frame, Mode, Reg, Terminator, Ty};
use crate::passes::graph::{
    Liveness, RegSet, add_terminator_uses, insert_with_roots, reverse_postorder,
};
use std::collections::{HashMap, HashSet};

impl Check<'_> {
    fn no_frame(&self, message: String) -> Broken {
        Broken {
            function: self.function.name.clone(),
            block: None,
            message,
        }
    }

    pub(super) fn frames(&self) -> Result_ {
        let Some(frame) = &self.function.frame else {
            return Err(self.no_frame("no frame".to_owned()));
        };
        let regs = self.function.regs.len();
        if frame.local.len() != regs || frame.slot.len() != regs {
            return Err(self.no_frame("a frame for another number of registers".to_owned()));
        }
        if frame.local.iter().any(|local| *local >= frame.locals) {
            return Err(self.no_frame("a local beyond the frame's locals".to_owned()));
        }
        if frame.slot.iter().flatten().any(|slot| *slot >= frame.slots) {
            return Err(self.no_frame("a slot beyond the frame's slots".to_owned()));
        }
        if self.function.waits {
            self.boundary(frame)?;
        }
        let liveness = Liveness::compute(self.function, self.sigs, &|_| None);
        self.landings_reload(frame, &liveness)?;
        self.places(frame, &liveness)
    }

    /// Parameters arrive and results leave in the first slots.
    fn boundary(&self, frame: &Frame) -> Result_ {
        for (at, param) in self.function.params.iter().enumerate() {
            if frame.slot[param.reg.index()] != Some(at as u32) {
                return Err(self.no_frame(format!("parameter {:?} is not in slot {at}", param.reg)));
            }
        }
        if (frame.slots as usize) < self.function.results.len() {
            return Err(self.no_frame("no slots for the results".to_owned()));
        }
        Ok(())
    }

    fn landings_reload(&self, frame: &Frame, liveness: &Liveness) -> Result_ {
        let mut points = frame.waits.iter();
        let immortal = crate::ir::immortals(self.function);
        for (id, block) in self.blocks() {
            let Terminator::Wait { .. } = &block.term else {
                continue;
            };
            let Some(point) = points.next().filter(|point| point.block == id) else {
                return Err(self.broken(id, "a wait that the frame does not know".to_owned()));
            };
            for (edge, listed) in [&point.ok_live, &point.err_live].into_iter().enumerate() {
                let target = block.term.targets()[edge].block;
                let results = block.term.results_at(edge, self.sigs);
                let needed = liveness.live_in[target.index()]
                    .iter()
                    .filter(|reg| !results.contains(reg));
                self.reloads(id, frame, needed.collect(), listed)?;
            }
            self.borrows_in_slots(id, frame, &immortal)?;
        }
        match points.next() {
            Some(point) => Err(self.broken(
                point.block,
                "the frame knows a wait that is none".to_owned(),
            )),
            None => Ok(()),
        }
    }

    fn reloads(&self, id: BlockId, frame: &Frame, needed: Vec<Reg>, listed: &[Reg]) -> Result_ {
        if let Some(reg) = needed.iter().find(|reg| !listed.contains(reg)) {
            return Err(self.broken(id, format!("{reg:?} is not reloaded behind the wait")));
        }
        match listed.iter().find(|reg| frame.slot[reg.index()].is_none()) {
            Some(reg) => Err(self.broken(id, format!("{reg:?} has no slot"))),
            None => Ok(()),
        }
    }

    fn borrows_in_slots(&self, id: BlockId, frame: &Frame, immortal: &HashSet<Reg>) -> Result_ {
        let mut homeless = None;
        self.function.blocks[id.index()]
            .term
            .each_reg(self.sigs, &mut |reg, mode| {
                let pointer = self.function.regs[reg.index()] == Ty::Ptr;
                if pointer
                    && !immortal.contains(reg)
                    && mode == Mode::Borrow
                    && frame.slot[reg.index()].is_none()
                {
                    homeless = Some(*reg);
                }
            });
        match homeless {
            Some(reg) => {
                Err(self.broken(id, format!("{reg:?} is borrowed by a wait and has no slot")))
            }
            None => Ok(()),
        }
    }

    fn places(&self, frame: &Frame, liveness: &Liveness) -> Result_ {
        let roots = |_: Reg| None;
        for id in reverse_postorder(self.function) {
            let block = &self.function.blocks[id.index()];
            let mut live = liveness.behind(self.function, id);
            add_terminator_uses(&mut live, block, self.sigs, &roots);
            self.distinct(id, frame, &live)?;
            for inst in block.insts.iter().rev() {
                inst.results.iter().for_each(|reg| live.remove(*reg));
                inst.op.each_reg(self.sigs, &mut |reg, _| {
                    insert_with_roots(&mut live, *reg, &roots)
                });
                self.distinct(id, frame, &live)?;
            }
        }
        Ok(())
    }

    fn distinct(&self, id: BlockId, frame: &Frame, live: &RegSet) -> Result_ {
        let (mut locals, mut slots) = (HashMap::new(), HashMap::new());
        for reg in live.iter() {
            let local = locals.insert(frame.local[reg.index()], reg);
            let slot = frame.slot[reg.index()].and_then(|slot| slots.insert(slot, reg));
            if let Some(other) = local.or(slot) {
                return Err(self.broken(
                    id,
                    format!("{reg:?} and {other:?} share a place while both are live"),
                ));
            }
        }
        Ok(())
    }
}
