//! The pest parser, and the flat tree that its tokens are copied into.
//!
//! Everything else walks [`Tree`], so `pest` appears in this file only. Comments are taken out of the
//! tree here. Enter at [`tree`].

use pest::{Parser as _, Token};

/// The parser generated from `scn.pest`; `Rule` comes with it.
mod generated {
    #![allow(missing_docs)]
    #[derive(pest_derive::Parser)]
    #[grammar = "scn.pest"]
    pub(super) struct ScnParser;
}

pub(crate) use generated::Rule;

/// One node: a rule that matched, with its place and the index behind its last descendant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub rule: Rule,
    pub start: u32,
    pub end: u32,
    /// Its own index.
    pub id: u32,
    /// The index of the node after its subtree.
    pub next: u32,
}

impl Node {
    /// Its place as a range for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// All nodes of a file in source order, parents first.
#[derive(Debug)]
pub(crate) struct Tree {
    pub nodes: Vec<Node>,
    /// Comments in source order, documentation included.
    pub comments: Vec<(u32, u32)>,
}

/// Parses `text`. `None` means that pest gave up because the native stack ran out.
pub(crate) fn tree(text: &str) -> Option<Tree> {
    let pairs = generated::ScnParser::parse(Rule::file, text).ok()?;
    let tokens = pairs.tokens();
    let mut tree = Tree {
        nodes: Vec::with_capacity(tokens.len() / 2),
        comments: Vec::new(),
    };
    let mut open: Vec<usize> = Vec::new();
    for token in tokens {
        match token {
            Token::Start {
                rule: Rule::comment,
                pos,
            } => {
                tree.comments.push((pos.pos() as u32, pos.pos() as u32));
            }
            Token::End {
                rule: Rule::comment,
                pos,
            } => {
                if let Some(comment) = tree.comments.last_mut() {
                    comment.1 = pos.pos() as u32;
                }
            }
            Token::Start { rule, pos } => {
                let (at, id) = (pos.pos() as u32, tree.nodes.len() as u32);
                open.push(tree.nodes.len());
                tree.nodes.push(Node {
                    rule,
                    start: at,
                    end: at,
                    id,
                    next: id + 1,
                });
            }
            Token::End { pos, .. } => {
                let next = tree.nodes.len() as u32;
                if let Some(id) = open.pop() {
                    tree.nodes[id].end = pos.pos() as u32;
                    tree.nodes[id].next = next;
                }
            }
        }
    }
    Some(tree)
}

impl Tree {
    /// The children of `node`.
    pub fn kids(&self, node: Node) -> Kids<'_> {
        Kids {
            nodes: &self.nodes,
            at: node.id as usize + 1,
            end: node.next as usize,
        }
    }
}

/// A cursor over the children of one node.
#[derive(Clone, Default)]
pub(crate) struct Kids<'t> {
    nodes: &'t [Node],
    at: usize,
    end: usize,
}

impl Iterator for Kids<'_> {
    type Item = Node;

    fn next(&mut self) -> Option<Node> {
        let node = self.peek()?;
        self.at = node.next as usize;
        Some(node)
    }
}

impl Kids<'_> {
    /// The next child, left where it is.
    pub fn peek(&self) -> Option<Node> {
        (self.at < self.end).then(|| self.nodes[self.at])
    }

    /// Takes the next child if it is a `rule`. Markers and junk in front of it are passed over: they
    /// are reported elsewhere.
    pub fn accept(&mut self, rule: Rule) -> Option<Node> {
        let mut ahead = self.clone();
        loop {
            let node = ahead.next()?;
            if node.rule == rule {
                *self = ahead;
                return Some(node);
            }
            if !is_marker(node.rule) && !is_junk(node.rule) {
                return None;
            }
        }
    }

    /// Takes the next child if it is one of `rules`.
    pub fn accept_any(&mut self, rules: &[Rule]) -> Option<Node> {
        rules.iter().find_map(|&rule| self.accept(rule))
    }

    /// Whether a child with `rule` follows, markers and junk aside.
    pub fn has(&self, rule: Rule) -> bool {
        self.clone().accept(rule).is_some()
    }
}

/// Whether `rule` marks something missing; `scn.pest` keeps these rules together.
pub(crate) fn is_marker(rule: Rule) -> bool {
    (Rule::no_expr..=Rule::no_fn).contains(&rule)
}

/// Whether `rule` spans something wrong, or what lies too deep.
pub(crate) fn is_junk(rule: Rule) -> bool {
    use Rule::{bad_arm, bad_head, bad_in, bad_interp, bad_item, bad_stmt, bad_tail, deep, late};
    let junk = [
        bad_arm, bad_head, bad_in, bad_interp, bad_item, bad_stmt, bad_tail, deep, late,
    ];
    junk.contains(&rule)
}

#[cfg(test)]
mod tests;
