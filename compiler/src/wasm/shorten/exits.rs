//! Ends that many paths share are written once: what comes before a `return`, or before a jump out of a block.
//!
//! `block … end; shared code` takes the place of all copies, which become jumps to the block's end.

use super::facts::{Signatures, encode};
use super::flow::{Label, Node, Tree, ends};
use std::collections::BTreeMap;
use wasm_encoder::{BlockType, Instruction as I};

/// Longer ends are hardly ever the same.
const LONGEST: usize = 24;
/// As many shared ends may one function have.
const ROUNDS: usize = 12;
/// The bytes of a jump.
const JUMP: i64 = 2;
/// The bytes of a block around code.
const BLOCK: i64 = 3;

/// Where an end leads: out of the function, or to a label.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Exit {
    Return,
    To(Label),
}

/// Some copies of one end.
#[derive(Default)]
struct Copies {
    count: i64,
    /// How many of them are all that a condition leads to: these become conditional jumps.
    whole: i64,
}

/// Shares ends where that makes code shorter.
pub(super) fn share(tree: &mut Tree, signatures: &Signatures<'_>) {
    for _ in 0..ROUNDS {
        let mut found = BTreeMap::new();
        Look {
            tree,
            signatures,
            found: &mut found,
        }
        .sequence(&tree.nodes, false);
        let gain = |(exit, end): &(Exit, Vec<u8>), copies: &Copies| {
            let size = end.len() as i64 + if *exit == Exit::Return { 0 } else { JUMP };
            // The code in front may have to jump over the shared end of a block.
            let over = if *exit == Exit::Return { 0 } else { JUMP };
            let kept = end.len() as i64 + BLOCK + over;
            copies.count * (size - JUMP) + copies.whole * BLOCK - kept
        };
        let best = found
            .iter()
            .max_by_key(|(end, copies)| (gain(end, copies), *end));
        let Some(((exit, end), copies)) = best else {
            return;
        };
        if copies.count < 2 || gain(&(*exit, end.clone()), copies) <= 0 {
            return;
        }
        let (exit, end) = (*exit, end.clone());
        replace(tree, exit, &end);
    }
}

/// Looks at all ends.
struct Look<'l> {
    tree: &'l Tree,
    signatures: &'l Signatures<'l>,
    found: &'l mut BTreeMap<(Exit, Vec<u8>), Copies>,
}

impl Look<'_> {
    fn sequence(&mut self, nodes: &[Node], is_arm: bool) {
        self.ends_of(nodes, is_arm);
        for node in nodes {
            match node {
                Node::Block(_, body) | Node::Loop(_, body) => self.sequence(body, false),
                Node::If(ty, then, otherwise) => {
                    let is_lone = matches!(ty, BlockType::Empty) && otherwise.is_empty();
                    self.sequence(then, is_lone);
                    self.sequence(otherwise, false);
                }
                _ => {}
            }
        }
    }

    fn ends_of(&mut self, nodes: &[Node], is_arm: bool) {
        let Some((exit, mut needed)) = exit_of(nodes, self.tree.results) else {
            return;
        };
        if matches!(exit, Exit::To(label) if self.tree.is_loop(label)) {
            return;
        }
        let last = nodes.len() - usize::from(exit != Exit::Return);
        let mut sizes = Vec::new();
        for at in (last.saturating_sub(LONGEST)..last).rev() {
            let Node::Plain(instruction) = &nodes[at] else {
                return;
            };
            let mut bytes = Vec::new();
            encode(instruction, &mut bytes);
            sizes.splice(0..0, bytes);
            if !matches!(instruction, I::Return | I::Unreachable) {
                let Some((pops, pushes)) = self.signatures.arity(instruction) else {
                    return;
                };
                let Some(left) = usize::checked_sub(needed, pushes) else {
                    return;
                };
                needed = left + pops;
            }
            if needed == 0 {
                let copies = self.found.entry((exit, sizes.clone())).or_default();
                copies.count += 1;
                copies.whole += i64::from(is_arm && at == 0);
            }
        }
    }
}

/// Where nodes lead at their end, and how many values that takes.
fn exit_of(nodes: &[Node], results: usize) -> Option<(Exit, usize)> {
    match nodes.last()? {
        Node::Plain(I::Return) => Some((Exit::Return, results)),
        Node::Plain(I::Unreachable) => Some((Exit::Return, 0)),
        Node::Jump(label) => Some((Exit::To(*label), 0)),
        _ => None,
    }
}

fn replace(tree: &mut Tree, exit: Exit, end: &[u8]) {
    let label = tree.label();
    let mut nodes = std::mem::take(&mut tree.nodes);
    let mut shared = Vec::new();
    let mut taken = 0;
    swap(&mut nodes, exit, end, label, &mut shared, &mut taken);
    (0..taken).for_each(|_| tree.refer(label));
    tree.nodes = match exit {
        Exit::Return => around(nodes, label, shared),
        Exit::To(out) => {
            // The jumps out of the copies went with them; behind the shared code control is there.
            shared.pop();
            (0..taken).for_each(|_| tree.release(out));
            let jumps = inside(&mut nodes, out, label, &mut shared);
            let jumps = jumps.expect("what is jumped out of is a block");
            (0..jumps).for_each(|_| tree.refer(out));
            nodes
        }
    };
}

fn around(nodes: Vec<Node>, label: Label, shared: Vec<Node>) -> Vec<Node> {
    let mut all = vec![Node::Block(label, nodes)];
    all.extend(shared);
    all
}

/// Puts shared code at the end of the block with the label `out`; how many jumps to it that took, if it is there.
fn inside(nodes: &mut [Node], out: Label, label: Label, shared: &mut Vec<Node>) -> Option<usize> {
    nodes.iter_mut().find_map(|node| match node {
        Node::Block(known, body) if *known == out => {
            let mut within = std::mem::take(body);
            let falls = !ends(&within);
            if falls {
                within.push(Node::Jump(out));
            }
            *body = around(within, label, std::mem::take(shared));
            Some(usize::from(falls))
        }
        Node::Block(_, body) | Node::Loop(_, body) => inside(body, out, label, shared),
        Node::If(_, then, otherwise) => {
            inside(then, out, label, shared).or_else(|| inside(otherwise, out, label, shared))
        }
        _ => None,
    })
}

/// Makes jumps of all copies; the first one is kept in `shared`.
fn swap(
    nodes: &mut Vec<Node>,
    exit: Exit,
    end: &[u8],
    label: Label,
    shared: &mut Vec<Node>,
    taken: &mut usize,
) {
    for node in nodes.iter_mut() {
        match node {
            Node::Block(_, body) | Node::Loop(_, body) => {
                swap(body, exit, end, label, shared, taken);
            }
            Node::If(_, then, otherwise) => {
                swap(then, exit, end, label, shared, taken);
                swap(otherwise, exit, end, label, shared, taken);
            }
            _ => {}
        }
    }
    let Some(start) = start_of(nodes, exit, end) else {
        return;
    };
    let copy = nodes.split_off(start);
    if shared.is_empty() {
        *shared = copy;
    }
    *taken += 1;
    nodes.push(Node::Jump(label));
}

/// Where the end begins, if nodes end so.
fn start_of(nodes: &[Node], exit: Exit, end: &[u8]) -> Option<usize> {
    let last = match (nodes.last()?, exit) {
        (Node::Plain(I::Return | I::Unreachable), Exit::Return) => nodes.len(),
        (Node::Jump(label), Exit::To(out)) if *label == out => nodes.len() - 1,
        _ => return None,
    };
    let mut left = end;
    for at in (0..last).rev() {
        if left.is_empty() {
            return Some(at + 1);
        }
        let Node::Plain(instruction) = &nodes[at] else {
            return None;
        };
        let mut bytes = Vec::new();
        encode(instruction, &mut bytes);
        left = left.strip_suffix(&bytes[..])?;
    }
    left.is_empty().then_some(0)
}
