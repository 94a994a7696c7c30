//! The shape of a function's control flow: which blocks are nested in which, for code without gotos.
//!
//! Nodes are the function's blocks, and for a function that waits one more for each landing; node `root` leads to the
//! entry and to all landings. A block goes into the code of its parent in the dominator tree; one that is
//! reached from several places gets a label there (Ramsey: Beyond Relooper, ICFP 2022). Children of the root are
//! reached through the dispatch of a waiting function.

use crate::ir::{Function, Terminator};

/// What control flow looks like.
pub(super) struct Structure {
    /// For each node its children in the dominator tree, in reverse postorder.
    pub children: Vec<Vec<usize>>,
    /// Whether control comes from more than one place, backwards not counted.
    pub is_merge: Vec<bool>,
    /// Whether control comes back to it.
    pub is_loop: Vec<bool>,
    /// Position in reverse postorder; an edge to a position that is not greater goes backwards.
    pub rank: Vec<usize>,
    /// The node that leads to the entry and to landings: the number of other nodes.
    pub root: usize,
}

/// The successors of each node. `waits` are the blocks that end with a wait, in order of their numbers.
fn successors(function: &Function, waits: &[usize]) -> Vec<Vec<usize>> {
    let blocks = function.blocks.len();
    let targets = |block: usize| -> Vec<usize> {
        let targets = function.blocks[block].term.targets();
        targets.iter().map(|target| target.block.index()).collect()
    };
    let mut all: Vec<Vec<usize>> = (0..blocks)
        .map(|at| match waits.contains(&at) {
            true => Vec::new(),
            false => targets(at),
        })
        .collect();
    all.extend(waits.iter().map(|wait| targets(*wait)));
    let mut root = vec![0];
    root.extend(blocks..blocks + waits.len());
    all.push(root);
    all
}

impl Structure {
    /// Looks at a function.
    pub(super) fn of(function: &Function, waits: &[usize]) -> Structure {
        let successors = successors(function, waits);
        let root = successors.len() - 1;
        let order = reverse_postorder(&successors, root);
        let mut rank = vec![usize::MAX; successors.len()];
        order
            .iter()
            .enumerate()
            .for_each(|(at, node)| rank[*node] = at);
        let mut predecessors = vec![Vec::new(); successors.len()];
        for node in &order {
            successors[*node]
                .iter()
                .for_each(|to| predecessors[*to].push(*node));
        }
        let parents = dominators(&order, &rank, &predecessors, root);
        let mut structure = Structure {
            children: vec![Vec::new(); successors.len()],
            is_merge: vec![false; successors.len()],
            is_loop: vec![false; successors.len()],
            rank,
            root,
        };
        for node in order.iter().skip(1) {
            structure.children[parents[*node]].push(*node);
            let forward = |from: &&usize| structure.rank[**from] < structure.rank[*node];
            let before = predecessors[*node].iter().filter(forward).count();
            structure.is_merge[*node] = before > 1;
            structure.is_loop[*node] = before < predecessors[*node].len();
        }
        structure
    }

    /// Whether a jump to a node is one to a label that is open already, instead of the node's own code.
    pub(super) fn has_label(&self, from: usize, to: usize) -> bool {
        self.is_merge[to] || self.rank[to] <= self.rank[from]
    }
}

fn reverse_postorder(successors: &[Vec<usize>], root: usize) -> Vec<usize> {
    let mut seen = vec![false; successors.len()];
    let mut order = Vec::with_capacity(successors.len());
    let mut stack = vec![(root, successors[root].len())];
    seen[root] = true;
    while let Some((node, left)) = stack.last_mut() {
        // The first target comes right behind its node: so it is visited last.
        let Some(next) = left.checked_sub(1) else {
            order.push(*node);
            stack.pop();
            continue;
        };
        *left = next;
        let to = successors[*node][next];
        if !std::mem::replace(&mut seen[to], true) {
            stack.push((to, successors[to].len()));
        }
    }
    order.reverse();
    order
}

/// The parent of each node in the dominator tree (Cooper, Harvey, Kennedy).
fn dominators(
    order: &[usize],
    rank: &[usize],
    predecessors: &[Vec<usize>],
    root: usize,
) -> Vec<usize> {
    let unknown = usize::MAX;
    let mut parents = vec![unknown; predecessors.len()];
    parents[root] = root;
    let common = |parents: &[usize], mut a: usize, mut b: usize| {
        while a != b {
            match rank[a] > rank[b] {
                true => a = parents[a],
                false => b = parents[b],
            }
        }
        a
    };
    loop {
        let mut changed = false;
        for node in order.iter().skip(1) {
            let known = predecessors[*node]
                .iter()
                .copied()
                .filter(|from| parents[*from] != unknown);
            let parent = known.reduce(|a, b| common(&parents, a, b));
            let parent = parent.expect("a reachable node has a predecessor before it");
            changed |= parents[*node] != parent;
            parents[*node] = parent;
        }
        if !changed {
            return parents;
        }
    }
}

/// The blocks of a function that end with a wait.
pub(super) fn waiting_blocks(function: &Function) -> Vec<usize> {
    let waits = |block: &crate::ir::Block| matches!(block.term, Terminator::Wait { .. });
    let blocks = function.blocks.iter().enumerate();
    blocks
        .filter(|(_, block)| waits(block))
        .map(|(at, _)| at)
        .collect()
}
