//! Strands: frame stacks that run by turns, in a slab whose places carry generations.
//!
//! A strand waits, is queued, or runs; running it is the driver's. A user is a tree of strands: each knows to whom it
//! reports its end. Enter at [`Strands`].

use crate::frame::FrameStack;
use crate::metrics::ContextId;
use crate::scope::{Cancellation, Scope};
use crate::timer::{NEVER, Nanos, TimerId};
use crate::waker::StrandId;
use std::rc::Rc;

/// A strand.
pub(crate) struct Strand {
    /// Its frames.
    pub stack: FrameStack,
    /// Who is told of its end.
    pub owner: Owner,
    /// Place of the life that it is part of.
    pub life: u32,
    /// How deep recursive functions are in each other.
    pub depth: u32,
    /// Whether it is in the ready list.
    pub queued: bool,
    /// A cancellation that is pending or unwinding, outside of any shield.
    pub cancel: Option<Cancellation>,
    /// Deadline scopes and shields, outermost first.
    pub scopes: Vec<Scope>,
    /// Serial number of the next scope.
    pub serial: u32,
    /// Steps that are open, outermost first.
    pub steps: Steps,
    /// How many steps were open where it was started.
    pub outer_steps: u32,
    /// Nanoseconds spent in `think`.
    pub think: i64,
    /// Where its samples belong: its user's base context, or that of the step it is in.
    pub context: ContextId,
    /// When it became runnable for its next operation: an arrival or timer was due, or the operation before had ended.
    pub intended: u64,
    /// When the host function that it waits for wants to be resumed at the latest.
    pub limit: Nanos,
    /// The timer that looks at the limit, and when. It is not moved when the limit is: it fires, and is set anew.
    pub alarm: (TimerId, Nanos),
}

/// What [`Strand::alarm`] is when there is none.
pub(crate) const NO_ALARM: (TimerId, Nanos) = (TimerId::NONE, NEVER);

/// To whom a strand reports its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// The join frame on top of another strand, as the child of this number.
    Join { parent: StrandId, child: u32 },
    /// The life itself: this is the user's root strand.
    Life,
    /// Nobody: a server's connection. It ends at the latest with the life.
    Nobody,
}

/// An open step.
pub(crate) struct Step {
    pub site: u32,
    pub name: Option<Rc<str>>,
    pub started: u64,
    /// The strand's `think` when it began.
    pub think: i64,
    /// The strand's context around it.
    pub outer: ContextId,
    /// The steps around it, and how many these are.
    pub around: Steps,
    pub outer_steps: usize,
}

/// Open steps. Most strands have none, and a user at rest is to be small.
#[derive(Default)]
pub(crate) struct Steps(Option<Box<Step>>);

impl Steps {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |step| step.outer_steps + 1)
    }

    /// Opens one inside of all others.
    pub fn push(&mut self, mut step: Step) {
        step.outer_steps = self.len();
        step.around.0 = self.0.take();
        self.0 = Some(Box::new(step));
    }

    /// Closes the one that has so many others around it, with all that are open inside of it.
    pub fn close(&mut self, outer_steps: usize) -> Option<Step> {
        loop {
            let step = self.0.take()?;
            if step.outer_steps < outer_steps {
                self.0 = Some(step);
                return None;
            }
            let mut step = *step;
            self.0 = step.around.0.take();
            if step.outer_steps == outer_steps {
                return Some(step);
            }
        }
    }

    /// Closes all.
    pub fn clear(&mut self) {
        if self.0.is_some() {
            self.close(0);
        }
    }
}

impl Strand {
    pub fn new(owner: Owner, life: u32) -> Strand {
        Strand {
            stack: FrameStack::new(),
            owner,
            life,
            depth: 0,
            queued: false,
            cancel: None,
            scopes: Vec::new(),
            serial: 0,
            steps: Steps::default(),
            outer_steps: 0,
            think: 0,
            context: ContextId::NONE,
            intended: 0,
            limit: NEVER,
            alarm: NO_ALARM,
        }
    }

    /// Forgets what a section without open scopes has left; gives the nanoseconds that it spent in `think`.
    pub fn start_anew(&mut self) -> i64 {
        self.steps.clear();
        self.cancel = None;
        self.depth = 0;
        std::mem::take(&mut self.think)
    }
}

/// The strands of a worker.
pub(crate) struct Strands {
    worker: u16,
    places: Vec<Place>,
    free: Vec<u32>,
}

struct Place {
    generation: u32,
    strand: Option<Box<Strand>>,
}

impl Strands {
    pub fn new(worker: u16) -> Strands {
        Strands {
            worker,
            places: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Adds a strand.
    pub fn insert(&mut self, strand: Strand) -> StrandId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place {
                generation: 0,
                strand: None,
            });
            self.places.len() as u32 - 1
        });
        let place = &mut self.places[index as usize];
        place.strand = Some(Box::new(strand));
        StrandId::new(self.worker, index, place.generation)
    }

    /// A strand that has not ended.
    #[inline]
    pub fn find(&mut self, id: StrandId) -> Option<&mut Strand> {
        let place = self.places.get_mut(id.index())?;
        if place.generation != id.generation() {
            None
        } else {
            place.strand.as_deref_mut()
        }
    }

    /// Ends a strand; wakes for it go nowhere from now on.
    pub fn remove(&mut self, id: StrandId) -> Option<Box<Strand>> {
        self.find(id)?;
        let place = &mut self.places[id.index()];
        place.generation = (place.generation + 1) & 0x00ff_ffff;
        self.free.push(id.index() as u32);
        place.strand.take()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// All strands.
    pub fn ids(&self) -> Vec<StrandId> {
        self.select(|_| true)
    }

    /// The strands of a life that report to no other strand.
    pub fn tops_of(&self, life: u32) -> Vec<StrandId> {
        self.select(|strand| strand.life == life && !matches!(strand.owner, Owner::Join { .. }))
    }

    /// The strands of a life.
    pub fn all_of(&self, life: u32) -> Vec<StrandId> {
        self.select(|strand| strand.life == life)
    }

    fn select(&self, wanted: impl Fn(&Strand) -> bool) -> Vec<StrandId> {
        let places = (0u32..).zip(&self.places);
        let chosen = places.filter(|(_, place)| place.strand.as_deref().is_some_and(&wanted));
        chosen
            .map(|(index, place)| StrandId::new(self.worker, index, place.generation))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(site: u32) -> Step {
        Step {
            site,
            name: None,
            started: 0,
            think: 0,
            outer: ContextId::NONE,
            around: Steps::default(),
            outer_steps: 0,
        }
    }

    #[test]
    fn closing_a_step_closes_those_inside_of_it() {
        let mut steps = Steps::default();
        (0..4).for_each(|site| steps.push(step(site)));
        assert_eq!(steps.len(), 4);
        assert_eq!(steps.close(2).map(|step| step.site), Some(2));
        assert_eq!(steps.len(), 2);
        assert!(steps.close(2).is_none());
        assert_eq!(steps.len(), 2);
        steps.clear();
        assert_eq!(steps.len(), 0);
    }

    #[test]
    fn a_stale_strand_is_not_found() {
        let mut strands = Strands::new(3);
        let first = strands.insert(Strand::new(Owner::Life, 0));
        assert!(strands.find(first).is_some());
        assert!(strands.remove(first).is_some());
        let second = strands.insert(Strand::new(Owner::Nobody, 0));
        assert_eq!(first.index(), second.index());
        assert!(strands.find(first).is_none());
        assert!(strands.remove(first).is_none());
        assert_eq!(strands.len(), 1);
    }
}
