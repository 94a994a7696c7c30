//! Which branches are hardly ever taken, for hosts that lay out code by such hints
//! (`metadata.code.branch_hint`). Enter at [`unlikely`].
//!
//! An arm is unlikely if it calls what makes errors or looks at the clock, or if it leaves the function with an error.

use super::flow::{Label, Node, Tree};
use std::collections::BTreeSet;
use wasm_encoder::{BlockType, Instruction as I};

/// What is hardly ever done.
pub(in crate::wasm) struct Rare<'r> {
    /// Whether a function is hardly ever called.
    pub calls: &'r dyn Fn(u32) -> bool,
    /// What the function gives last when it fails, if it can.
    pub failure: Option<i32>,
}

/// The positions of `if`s whose first arm is unlikely, and of unlikely `br_if`s.
pub(super) fn unlikely(tree: &Tree, rare: &Rare<'_>) -> Vec<usize> {
    let mut look = Look {
        rare,
        labels: BTreeSet::new(),
        at: 0,
        found: Vec::new(),
    };
    look.sequence(&tree.nodes);
    look.found
}

struct Look<'l> {
    rare: &'l Rare<'l>,
    /// Labels behind which only errors are.
    labels: BTreeSet<Label>,
    /// The position of the next instruction.
    at: usize,
    found: Vec<usize>,
}

impl Look<'_> {
    /// Whether nodes are run hardly ever, as far as can be seen at those that are not nested.
    fn is_rare(&self, nodes: &[Node]) -> bool {
        let calls = |node: &Node| matches!(node, Node::Plain(I::Call(number)) if (self.rare.calls)(*number));
        let ends = match nodes {
            [.., Node::Plain(I::I32Const(status)), Node::Plain(I::Return)] => {
                self.rare.failure == Some(*status)
            }
            [.., Node::Plain(I::Unreachable)] => true,
            [.., Node::Jump(label)] => self.labels.contains(label),
            // What is made sure of when a product may overflow.
            [
                ..,
                Node::If(BlockType::Result(_), ..),
                Node::If(BlockType::Empty, then, _),
            ] => self.is_rare(then),
            _ => false,
        };
        ends || nodes.iter().any(calls)
    }

    fn sequence(&mut self, nodes: &[Node]) {
        for (index, node) in nodes.iter().enumerate() {
            if let Node::Block(label, _) = node
                && self.is_rare(&nodes[index + 1..])
            {
                self.labels.insert(*label);
            }
            self.node(node);
        }
    }

    fn node(&mut self, node: &Node) {
        let here = self.at;
        self.at += 1;
        match node {
            Node::JumpIf(label) => {
                if self.labels.contains(label) {
                    self.found.push(here);
                }
            }
            Node::Block(_, body) | Node::Loop(_, body) => {
                self.sequence(body);
                self.at += 1;
            }
            Node::If(_, then, otherwise) => {
                if self.is_rare(then) {
                    self.found.push(here);
                }
                self.sequence(then);
                if !otherwise.is_empty() {
                    self.at += 1;
                    self.sequence(otherwise);
                }
                self.at += 1;
            }
            Node::Plain(_) | Node::Jump(_) | Node::Table(..) => {}
        }
    }
}
