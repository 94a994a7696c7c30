//! Deadline scopes and shields of a strand, and which cancellation reaches it when.
//!
//! Scopes are a stack. A cancellation aims at a depth of it: 0 is the whole strand, `n` the `n`-th scope. The outermost
//! aim wins. A shield keeps those that aim outside of it until it is left. This file is the pure part, which neither
//! runs nor wakes anything; [`crate::worker::Worker`] has the timers and wakes.

use crate::strand::Strand;
use crate::timer::TimerId;

/// A cancellation of a strand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cancellation {
    /// Depth of scopes that it unwinds to.
    pub depth: u32,
    /// Whether the strand is on an error path because of it.
    pub delivered: bool,
}

/// An open scope.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    /// Tells it from others of the strand: its token.
    pub serial: u32,
    /// What was allowed, in nanoseconds.
    pub limit: i64,
    /// Its deadline.
    pub timer: TimerId,
    /// What it does.
    pub kind: ScopeKind,
}

/// Kinds of scopes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ScopeKind {
    /// `timeout`.
    Deadline,
    /// A `defer` body, with the cancellation of outside.
    Shield(Option<Cancellation>),
}

/// What became of a scope that was left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Left {
    /// Its deadline had nothing to do with it.
    Quietly,
    /// Its deadline cancelled what was in it, which ran for longer than these nanoseconds.
    ByDeadline(i64),
}

impl Strand {
    /// Opens a scope and gives its token.
    pub fn enter_scope(
        &mut self,
        limit: i64,
        shield: bool,
        timer: impl FnOnce(u32) -> TimerId,
    ) -> u32 {
        let serial = self.serial;
        self.serial += 1;
        let kind = if shield {
            ScopeKind::Shield(self.cancel.take())
        } else {
            ScopeKind::Deadline
        };
        self.scopes.push(Scope {
            serial,
            limit,
            timer: timer(serial),
            kind,
        });
        serial
    }

    /// Closes a scope and those inside of it, handing their timers to `remove`.
    pub fn leave_scope(&mut self, serial: u32, mut remove: impl FnMut(TimerId)) -> Left {
        let Some(at) = self.scopes.iter().position(|scope| scope.serial == serial) else {
            return Left::Quietly;
        };
        let limit = self.scopes[at].limit;
        let mut left = Left::Quietly;
        while self.scopes.len() > at {
            let depth = self.scopes.len() as u32;
            // Aims at this scope or inside of it are reached, or came too late.
            if let Some(cancel) = self.cancel.take_if(|cancel| cancel.depth >= depth)
                && cancel.delivered
                && cancel.depth as usize == at + 1
            {
                left = Left::ByDeadline(limit);
            }
            let Some(scope) = self.scopes.pop() else {
                break;
            };
            remove(scope.timer);
            if let ScopeKind::Shield(kept) = scope.kind {
                self.cancel = outermost(self.cancel, kept);
            }
        }
        left
    }

    /// The depth that the deadline of a scope aims at, if the scope is open.
    pub fn depth_of(&self, serial: u32) -> Option<u32> {
        let at = self
            .scopes
            .iter()
            .position(|scope| scope.serial == serial)?;
        Some(at as u32 + 1)
    }

    /// Notes a cancellation. It is kept by the first shield that stands between it and the innermost frame.
    pub fn cancel_to(&mut self, depth: u32) {
        let inside = self.scopes.get_mut(depth as usize..).unwrap_or_default();
        let kept = inside.iter_mut().find_map(|scope| match &mut scope.kind {
            ScopeKind::Shield(kept) => Some(kept),
            ScopeKind::Deadline => None,
        });
        let place = kept.unwrap_or(&mut self.cancel);
        *place = outermost(
            *place,
            Some(Cancellation {
                depth,
                delivered: false,
            }),
        );
    }

    /// Whether it runs a `defer` body.
    pub fn is_shielded(&self) -> bool {
        let is_shield = |scope: &Scope| matches!(scope.kind, ScopeKind::Shield(_));
        self.scopes.iter().any(is_shield)
    }

    /// Whether a cancellation waits for the strand's next wait or poll point.
    pub fn is_interrupted(&self) -> bool {
        self.cancel.is_some_and(|cancel| !cancel.delivered)
    }

    /// Notes that the strand is on its error path now, and tells the token of the scope that it unwinds to,
    /// `None` for the whole strand.
    pub fn deliver_cancel(&mut self) -> Option<u32> {
        let cancel = self.cancel.as_mut()?;
        cancel.delivered = true;
        let at = cancel.depth.checked_sub(1)?;
        self.scopes.get(at as usize).map(|scope| scope.serial)
    }
}

/// The one that aims further out. An unwinding that is under way goes on to the new aim.
fn outermost(a: Option<Cancellation>, b: Option<Cancellation>) -> Option<Cancellation> {
    match (a, b) {
        (Some(a), Some(b)) => Some(Cancellation {
            depth: a.depth.min(b.depth),
            delivered: a.delivered || b.delivered,
        }),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strand::Owner;
    use crate::timer::{Target, Timers};
    use crate::waker::StrandId;

    fn strand() -> Strand {
        Strand::new(Owner::Nobody, 0)
    }

    fn enter(strand: &mut Strand, limit: i64, shield: bool) -> u32 {
        let mut timers = Timers::default();
        strand.enter_scope(limit, shield, |serial| {
            timers.insert(0, Target::Scope(StrandId::NONE, serial))
        })
    }

    fn leave(strand: &mut Strand, serial: u32) -> Left {
        strand.leave_scope(serial, |_| ())
    }

    fn expire(strand: &mut Strand, serial: u32) {
        let depth = strand.depth_of(serial).expect("the scope is open");
        strand.cancel_to(depth);
    }

    #[test]
    fn a_deadline_is_caught_at_its_own_scope() {
        let mut strand = strand();
        let outer = enter(&mut strand, 10, false);
        let inner = enter(&mut strand, 20, false);
        expire(&mut strand, outer);
        assert_eq!(strand.deliver_cancel(), Some(outer));
        assert_eq!(leave(&mut strand, inner), Left::Quietly);
        assert_eq!(leave(&mut strand, outer), Left::ByDeadline(10));
        assert_eq!(strand.cancel, None);
    }

    #[test]
    fn the_outermost_of_several_wins_also_while_unwinding() {
        let mut strand = strand();
        let outer = enter(&mut strand, 10, false);
        let inner = enter(&mut strand, 20, false);
        expire(&mut strand, inner);
        strand.deliver_cancel();
        expire(&mut strand, outer);
        assert!(!strand.is_interrupted());
        assert_eq!(leave(&mut strand, inner), Left::Quietly);
        assert_eq!(leave(&mut strand, outer), Left::ByDeadline(10));
    }

    #[test]
    fn a_deadline_that_was_not_delivered_leaves_no_trace() {
        let mut strand = strand();
        let scope = enter(&mut strand, 10, false);
        expire(&mut strand, scope);
        assert_eq!(leave(&mut strand, scope), Left::Quietly);
        assert!(!strand.is_interrupted());
    }

    #[test]
    fn a_shield_keeps_the_outside_away_and_has_a_deadline_of_its_own() {
        let mut strand = strand();
        let outer = enter(&mut strand, 10, false);
        let shield = enter(&mut strand, 5, true);
        expire(&mut strand, outer);
        assert!(!strand.is_interrupted());
        expire(&mut strand, shield);
        assert_eq!(strand.deliver_cancel(), Some(shield));
        assert_eq!(leave(&mut strand, shield), Left::ByDeadline(5));
        assert!(strand.is_interrupted());
        strand.deliver_cancel();
        assert_eq!(leave(&mut strand, outer), Left::ByDeadline(10));
    }

    #[test]
    fn an_unwinding_goes_on_after_the_shield_of_a_defer() {
        let mut strand = strand();
        let outer = enter(&mut strand, 10, false);
        expire(&mut strand, outer);
        strand.deliver_cancel();
        let shield = enter(&mut strand, 5, true);
        assert_eq!(strand.cancel, None);
        strand.cancel_to(0);
        assert_eq!(leave(&mut strand, shield), Left::Quietly);
        assert_eq!(
            strand.cancel,
            Some(Cancellation {
                depth: 0,
                delivered: true
            })
        );
        assert_eq!(leave(&mut strand, outer), Left::Quietly);
        assert_eq!(
            strand.cancel,
            Some(Cancellation {
                depth: 0,
                delivered: true
            })
        );
    }

    #[test]
    fn nested_shields_keep_what_aims_outside_of_each() {
        let mut strand = strand();
        let first = enter(&mut strand, 5, true);
        let between = enter(&mut strand, 7, false);
        let second = enter(&mut strand, 5, true);
        expire(&mut strand, between);
        strand.cancel_to(0);
        assert!(!strand.is_interrupted());
        assert_eq!(leave(&mut strand, second), Left::Quietly);
        assert!(strand.is_interrupted());
        assert_eq!(strand.deliver_cancel(), Some(between));
        assert_eq!(leave(&mut strand, between), Left::ByDeadline(7));
        assert!(!strand.is_interrupted());
        assert_eq!(leave(&mut strand, first), Left::Quietly);
        assert_eq!(strand.deliver_cancel(), None);
        assert_eq!(
            strand.cancel,
            Some(Cancellation {
                depth: 0,
                delivered: true
            })
        );
    }
}
