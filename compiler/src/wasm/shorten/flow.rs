//! Nested control flow as a tree, and what makes it shorter: jumps that lead where control goes anyway go, blocks that
//! nobody jumps out of go, what a jump skips becomes the other arm of its condition.

use super::facts::{Signatures, diverges};
use wasm_encoder::{BlockType, Instruction as I};

/// The target of jumps: a block's end or a loop's start.
pub(super) type Label = u32;

/// A piece of code.
pub(super) enum Node {
    /// Any instruction that is none of the others.
    Plain(I<'static>),
    /// `br`.
    Jump(Label),
    /// `br_if`.
    JumpIf(Label),
    /// `br_table`.
    Table(Vec<Label>, Label),
    /// `block`.
    Block(Label, Vec<Node>),
    /// `loop`.
    Loop(Label, Vec<Node>),
    /// `if`, which is no target of jumps; its result, its arms.
    If(BlockType, Vec<Node>, Vec<Node>),
}

/// A function's code.
pub(super) struct Tree {
    pub nodes: Vec<Node>,
    /// How many values the function gives.
    pub results: usize,
    /// How many jumps lead to each label.
    refs: Vec<u32>,
    /// Which labels are loops.
    loops: Vec<bool>,
    changed: bool,
}

/// More rounds hardly ever find anything.
const ROUNDS: usize = 6;

impl Tree {
    /// Reads code whose `if`s nobody jumps to.
    pub(super) fn parse(code: Vec<I<'static>>, results: usize) -> Tree {
        let mut tree = Tree {
            nodes: Vec::new(),
            results,
            refs: Vec::new(),
            loops: Vec::new(),
            changed: false,
        };
        let mut code = code.into_iter();
        tree.nodes = tree.sequence(&mut code, &mut Vec::new()).0;
        tree
    }

    /// Nodes up to the end or `else` that closes them; whether it was an `else`.
    fn sequence(
        &mut self,
        code: &mut std::vec::IntoIter<I<'static>>,
        open: &mut Vec<Label>,
    ) -> (Vec<Node>, bool) {
        let mut nodes = Vec::new();
        while let Some(instruction) = code.next() {
            let node = match instruction {
                I::End => return (nodes, false),
                I::Else => return (nodes, true),
                I::Block(_) => {
                    let label = self.label();
                    Node::Block(label, self.nested(code, open, label).0)
                }
                I::Loop(_) => {
                    let label = self.label();
                    self.loops[label as usize] = true;
                    Node::Loop(label, self.nested(code, open, label).0)
                }
                I::If(ty) => {
                    let label = self.label();
                    let (then, has_else) = self.nested(code, open, label);
                    let otherwise = match has_else {
                        true => self.nested(code, open, label).0,
                        false => Vec::new(),
                    };
                    Node::If(ty, then, otherwise)
                }
                I::Br(depth) => Node::Jump(self.target(open, depth)),
                I::BrIf(depth) => Node::JumpIf(self.target(open, depth)),
                I::BrTable(depths, last) => {
                    let targets = depths.iter().map(|depth| self.target(open, *depth));
                    let targets = targets.collect();
                    Node::Table(targets, self.target(open, last))
                }
                other => Node::Plain(other),
            };
            nodes.push(node);
        }
        (nodes, false)
    }

    fn nested(
        &mut self,
        code: &mut std::vec::IntoIter<I<'static>>,
        open: &mut Vec<Label>,
        label: Label,
    ) -> (Vec<Node>, bool) {
        open.push(label);
        let nodes = self.sequence(code, open);
        open.pop();
        nodes
    }

    /// A new label.
    pub(super) fn label(&mut self) -> Label {
        self.refs.push(0);
        self.loops.push(false);
        self.refs.len() as u32 - 1
    }

    fn target(&mut self, open: &[Label], depth: u32) -> Label {
        let label = open[open.len() - 1 - depth as usize];
        self.refs[label as usize] += 1;
        label
    }

    /// Whether a label is the start of a loop.
    pub(super) fn is_loop(&self, label: Label) -> bool {
        self.loops[label as usize]
    }

    /// Notes a jump to a label.
    pub(super) fn refer(&mut self, label: Label) {
        self.refs[label as usize] += 1;
    }

    /// Notes that a jump to a label has gone.
    pub(super) fn release(&mut self, label: Label) {
        self.refs[label as usize] -= 1;
    }

    /// The code in a line again.
    pub(super) fn flatten(self) -> Vec<I<'static>> {
        let mut out = Vec::new();
        flatten(self.nodes, &mut Vec::new(), &mut out);
        out
    }

    /// Makes control flow shorter.
    pub(super) fn simplify(&mut self, signatures: &Signatures<'_>) {
        for _ in 0..ROUNDS {
            self.changed = false;
            let nodes = std::mem::take(&mut self.nodes);
            self.nodes = self.simple(nodes, &[], signatures);
            if !self.changed {
                return;
            }
        }
    }

    /// A sequence made simple. Its end leads to each of the labels `follow`.
    fn simple(
        &mut self,
        nodes: Vec<Node>,
        follow: &[Label],
        signatures: &Signatures<'_>,
    ) -> Vec<Node> {
        let mut work = Sequence {
            tree: self,
            rest: Vec::new(),
            follow,
            signatures,
        };
        nodes.into_iter().rev().for_each(|node| work.put(node));
        work.rest.reverse();
        work.rest
    }

    fn forget(&mut self, nodes: &[Node]) {
        for node in nodes {
            self.changed = true;
            match node {
                Node::Jump(label) | Node::JumpIf(label) => self.refs[*label as usize] -= 1,
                Node::Table(labels, last) => {
                    for label in labels.iter().chain([last]) {
                        self.refs[*label as usize] -= 1;
                    }
                }
                Node::Block(_, body) | Node::Loop(_, body) => self.forget(body),
                Node::If(_, then, otherwise) => {
                    self.forget(then);
                    self.forget(otherwise);
                }
                Node::Plain(_) => {}
            }
        }
    }
}

/// A sequence under construction, from its end to its start.
struct Sequence<'t, 's> {
    tree: &'t mut Tree,
    /// What is there, the last node first.
    rest: Vec<Node>,
    follow: &'s [Label],
    signatures: &'s Signatures<'s>,
}

impl Sequence<'_, '_> {
    /// The labels that mean the same as what comes behind the node that is put next.
    fn behind(&self) -> Vec<Label> {
        match self.rest.last() {
            None => self.follow.to_vec(),
            Some(Node::Jump(label)) => vec![*label],
            Some(_) => Vec::new(),
        }
    }

    /// Forgets what is behind a node that control never leaves.
    fn cut(&mut self) {
        let rest = std::mem::take(&mut self.rest);
        self.tree.forget(&rest);
    }

    fn put(&mut self, node: Node) {
        match node {
            Node::Plain(I::I32Eqz) => self.negation(),
            Node::Plain(instruction) => {
                if diverges(&instruction) {
                    self.cut();
                }
                self.rest.push(Node::Plain(instruction));
            }
            Node::Jump(label) => self.jump(label),
            Node::JumpIf(label) => self.jump_if(label),
            Node::Table(labels, last) => {
                self.cut();
                if labels.iter().any(|label| *label != last) {
                    return self.rest.push(Node::Table(labels, last));
                }
                labels.iter().for_each(|label| self.tree.release(*label));
                self.jump(last);
                self.rest.push(Node::Plain(I::Drop));
            }
            Node::Block(label, body) => self.block(label, body),
            Node::Loop(label, body) => {
                let behind = self.behind();
                let body = self.tree.simple(body, &behind, self.signatures);
                match self.tree.refs[label as usize] {
                    0 => self.splice(body),
                    _ => self.rest.push(Node::Loop(label, body)),
                }
            }
            Node::If(BlockType::Empty, then, otherwise) => self.choice(then, otherwise),
            Node::If(ty, then, otherwise) => {
                let then = self.tree.simple(then, &[], self.signatures);
                let otherwise = self.tree.simple(otherwise, &[], self.signatures);
                self.rest.push(Node::If(ty, then, otherwise));
            }
        }
    }

    /// Puts nodes that are simple already.
    fn splice(&mut self, nodes: Vec<Node>) {
        self.tree.changed = true;
        if ends(&nodes) {
            self.cut();
        }
        self.rest.extend(nodes.into_iter().rev());
    }

    /// `!x` before a condition exchanges its arms.
    fn negation(&mut self) {
        match self.rest.last_mut() {
            Some(Node::If(BlockType::Empty, then, otherwise)) if !otherwise.is_empty() => {
                std::mem::swap(then, otherwise);
                self.tree.changed = true;
            }
            _ => self.rest.push(Node::Plain(I::I32Eqz)),
        }
    }

    fn jump(&mut self, label: Label) {
        self.cut();
        match self.follow.contains(&label) {
            true => self.tree.forget(&[Node::Jump(label)]),
            false => self.rest.push(Node::Jump(label)),
        }
    }

    fn jump_if(&mut self, label: Label) {
        if self.behind().contains(&label) {
            self.tree.forget(&[Node::JumpIf(label)]);
            return self.rest.push(Node::Plain(I::Drop));
        }
        if self.follow.contains(&label) {
            if let [Node::Jump(other)] = self.rest[..] {
                self.tree.forget(&[Node::JumpIf(label)]);
                self.rest = vec![Node::JumpIf(other), Node::Plain(I::I32Eqz)];
                return;
            }
            if self.tree.refs[label as usize] == 1 && self.is_closed() {
                self.tree.forget(&[Node::JumpIf(label)]);
                let mut then = std::mem::take(&mut self.rest);
                then.reverse();
                self.rest.push(Node::If(BlockType::Empty, then, Vec::new()));
                return self.rest.push(Node::Plain(I::I32Eqz));
            }
        }
        self.rest.push(Node::JumpIf(label));
    }

    fn block(&mut self, label: Label, mut body: Vec<Node>) {
        let mut follow = self.behind();
        if let Some(same) = follow.first() {
            let refs = std::mem::take(&mut self.tree.refs[label as usize]);
            self.tree.refs[*same as usize] += refs;
            rename(&mut body, label, *same);
        }
        follow.push(label);
        let body = self.tree.simple(body, &follow, self.signatures);
        match self.tree.refs[label as usize] {
            0 => self.splice(body),
            _ => self.rest.push(Node::Block(label, body)),
        }
    }

    fn choice(&mut self, then: Vec<Node>, otherwise: Vec<Node>) {
        let behind = self.behind();
        let mut then = self.tree.simple(then, &behind, self.signatures);
        let mut otherwise = self.tree.simple(otherwise, &behind, self.signatures);
        let mut is_negated = false;
        if then.is_empty() || ends(&otherwise) && !ends(&then) {
            std::mem::swap(&mut then, &mut otherwise);
            is_negated = true;
        }
        if then.is_empty() {
            self.tree.changed = true;
            return self.rest.push(Node::Plain(I::Drop));
        }
        if !otherwise.is_empty() && ends(&then) {
            let otherwise = std::mem::take(&mut otherwise);
            self.splice(otherwise);
        }
        match then[..] {
            [Node::Jump(label)] if otherwise.is_empty() => {
                self.tree.changed = true;
                match is_negated {
                    true => self.rest.push(Node::JumpIf(label)),
                    false => self.jump_if(label),
                }
            }
            _ => self.arms(then, otherwise),
        }
        if is_negated {
            self.negation();
        }
    }

    /// Where an arm jumps over the rest, the rest is the other arm.
    fn arms(&mut self, mut then: Vec<Node>, mut otherwise: Vec<Node>) {
        if otherwise.is_empty()
            && let Some(Node::Jump(label)) = then.last()
            && self.follow.contains(label)
            && !self.rest.is_empty()
            && self.is_closed()
        {
            let jump = then.pop().expect("it was looked at");
            self.tree.forget(&[jump]);
            otherwise = std::mem::take(&mut self.rest);
            otherwise.reverse();
        }
        self.rest.push(Node::If(BlockType::Empty, then, otherwise));
    }

    /// Whether the rest takes nothing from the stack that it did not put there.
    fn is_closed(&self) -> bool {
        let mut depth = 0_usize;
        for node in self.rest.iter().rev() {
            let (pops, pushes) = match node {
                Node::Plain(I::Return) => return depth >= self.tree.results,
                Node::Plain(I::Unreachable) => return true,
                Node::Plain(instruction) => match self.signatures.arity(instruction) {
                    Some(arity) => arity,
                    None => return false,
                },
                Node::Jump(_) => return true,
                Node::Table(..) => return depth > 0,
                Node::JumpIf(_) | Node::If(BlockType::Empty, ..) => (1, 0),
                Node::If(..) => (1, 1),
                Node::Block(..) | Node::Loop(..) => (0, 0),
            };
            match depth.checked_sub(pops) {
                Some(left) => depth = left + pushes,
                None => return false,
            }
        }
        depth == 0
    }
}

/// Whether control does not come to the end of nodes, as far as it can be seen at the last one.
pub(super) fn ends(nodes: &[Node]) -> bool {
    match nodes.last() {
        Some(Node::Plain(instruction)) => diverges(instruction),
        Some(Node::Jump(_) | Node::Table(..)) => true,
        _ => false,
    }
}

fn rename(nodes: &mut [Node], from: Label, to: Label) {
    for node in nodes {
        match node {
            Node::Jump(label) | Node::JumpIf(label) => {
                if *label == from {
                    *label = to;
                }
            }
            Node::Table(labels, last) => {
                for label in labels.iter_mut().chain([last]) {
                    if *label == from {
                        *label = to;
                    }
                }
            }
            Node::Block(_, body) | Node::Loop(_, body) => rename(body, from, to),
            Node::If(_, then, otherwise) => {
                rename(then, from, to);
                rename(otherwise, from, to);
            }
            Node::Plain(_) => {}
        }
    }
}

fn flatten(nodes: Vec<Node>, open: &mut Vec<Option<Label>>, out: &mut Vec<I<'static>>) {
    for node in nodes {
        match node {
            Node::Plain(instruction) => out.push(instruction),
            Node::Jump(label) => out.push(I::Br(depth(open, label))),
            Node::JumpIf(label) => out.push(I::BrIf(depth(open, label))),
            Node::Table(labels, last) => {
                let depths: Vec<u32> = labels.iter().map(|label| depth(open, *label)).collect();
                out.push(I::BrTable(depths.into(), depth(open, last)));
            }
            Node::Block(label, body) => {
                out.push(I::Block(BlockType::Empty));
                nested(body, Some(label), open, out);
                out.push(I::End);
            }
            Node::Loop(label, body) => {
                out.push(I::Loop(BlockType::Empty));
                nested(body, Some(label), open, out);
                out.push(I::End);
            }
            Node::If(ty, then, otherwise) => {
                out.push(I::If(ty));
                nested(then, None, open, out);
                if !otherwise.is_empty() {
                    out.push(I::Else);
                    nested(otherwise, None, open, out);
                }
                out.push(I::End);
            }
        }
    }
}

fn nested(
    nodes: Vec<Node>,
    label: Option<Label>,
    open: &mut Vec<Option<Label>>,
    out: &mut Vec<I<'static>>,
) {
    open.push(label);
    flatten(nodes, open, out);
    open.pop();
}

fn depth(open: &[Option<Label>], label: Label) -> u32 {
    let mut inner = open.iter().rev();
    let depth = inner.position(|known| *known == Some(label));
    depth.expect("jumps stay inside of what they lead to") as u32
}
