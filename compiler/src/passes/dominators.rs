//! Dominators: which block every way to another one leads by.

use super::graph::reverse_postorder;
use crate::ir::loops::predecessors;
use crate::ir::{BlockId, Function};

/// The dominator tree (Cooper, Harvey, Kennedy), numbered so that a question is two comparisons.
pub(crate) struct Dominators {
    parent: Vec<Option<BlockId>>,
    rank: Vec<usize>,
    /// For each block, when a walk of the tree enters and leaves it.
    spans: Vec<(usize, usize)>,
}

impl Dominators {
    /// Computes the tree of a function.
    pub fn of(function: &Function) -> Dominators {
        let order = reverse_postorder(function);
        let blocks = function.blocks.len();
        let mut rank = vec![usize::MAX; blocks];
        order
            .iter()
            .enumerate()
            .for_each(|(at, block)| rank[block.index()] = at);
        let preds = predecessors(function);
        let mut dominators = Dominators {
            parent: vec![None; blocks],
            rank,
            spans: vec![(0, 0); blocks],
        };
        dominators.parent[0] = Some(BlockId(0));
        while dominators.refine(&order, &preds) {}
        dominators.number(&order);
        dominators
    }

    /// One round over all blocks; whether anything changed.
    fn refine(&mut self, order: &[BlockId], preds: &[Vec<BlockId>]) -> bool {
        let mut changed = false;
        for block in order.iter().skip(1) {
            let known = preds[block.index()]
                .iter()
                .filter(|p| self.parent[p.index()].is_some());
            let parent = known.copied().reduce(|a, b| self.common(a, b));
            changed |= self.parent[block.index()] != parent;
            self.parent[block.index()] = parent;
        }
        changed
    }

    fn common(&self, mut a: BlockId, mut b: BlockId) -> BlockId {
        while a != b {
            let lower = if self.rank[a.index()] > self.rank[b.index()] {
                &mut a
            } else {
                &mut b
            };
            *lower = self.parent[lower.index()].expect("both are reachable");
        }
        a
    }

    /// Parents come before children in `order`: sizes from the end, places from the start.
    fn number(&mut self, order: &[BlockId]) {
        let mut size = vec![1; self.parent.len()];
        for block in order.iter().skip(1).rev() {
            let parent = self.parent[block.index()].expect("the order holds reachable blocks");
            size[parent.index()] += size[block.index()];
        }
        let mut next: Vec<usize> = vec![1; self.parent.len()];
        for block in order {
            let start = match self.parent[block.index()] {
                Some(parent) if *block != parent => next[parent.index()],
                _ => 0,
            };
            if let Some(parent) = self.parent[block.index()].filter(|parent| parent != block) {
                next[parent.index()] += size[block.index()];
            }
            next[block.index()] = start + 1;
            self.spans[block.index()] = (start, start + size[block.index()]);
        }
    }

    /// Whether a way leads to a block at all.
    pub fn is_reachable(&self, block: BlockId) -> bool {
        self.parent[block.index()].is_some()
    }

    /// Whether a definition comes before a use on every path.
    /// Whether every way to `block` leads by `over`.
    pub fn dominates(&self, over: BlockId, block: BlockId) -> bool {
        let (start, end) = self.spans[over.index()];
        let inside = self.spans[block.index()].0;
        over == block || (self.is_reachable(over) && start < inside && inside < end)
    }

    pub fn precedes(&self, (block, at): (BlockId, usize), (user, place): (BlockId, usize)) -> bool {
        if block == user {
            return at < place;
        }
        self.dominates(block, user)
    }
}
