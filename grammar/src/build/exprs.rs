//! Operands: literals, groups, and the expressions that start with a keyword.

use super::Builder;
use crate::SyntaxErrorKind;
use crate::ast::{Arg, Else, Entry, Expr, ExprKind, Ident};
use crate::syntax::{Kids, Node, Rule};

impl<'t> Builder<'t> {
    /// An operand without what is appended to it. The flag says that `minus`, the sign in front of a
    /// number, is already in the value: the smallest integer has no positive counterpart.
    pub(super) fn primary(&mut self, node: Node, minus: bool) -> (Expr, bool) {
        if node.rule == Rule::number {
            let (kind, signed) = self.number(node, minus);
            return (
                Expr {
                    span: self.span(node),
                    kind: Box::new(kind),
                },
                signed,
            );
        }
        let kind = Box::new(self.operand_kind(node));
        (
            Expr {
                span: self.span(node),
                kind,
            },
            false,
        )
    }

    fn operand_kind(&mut self, node: Node) -> ExprKind {
        let mut kids = self.kids(node);
        match node.rule {
            Rule::ident => ExprKind::Name(self.word(node)),
            Rule::string => ExprKind::Str(self.string_parts(node)),
            Rule::raw_string => ExprKind::Str(self.raw_parts(node)),
            Rule::bytes => ExprKind::Bytes(self.byte_text(node)),
            Rule::hex_bytes => ExprKind::Bytes(self.hex_text(node)),
            Rule::regex => ExprKind::Regex(self.regex_text(node)),
            Rule::single_quoted => self.single_quoted(node),
            Rule::true_x => ExprKind::Bool(true),
            Rule::false_x => ExprKind::Bool(false),
            Rule::none_x => ExprKind::None,
            Rule::paren => self.paren(node),
            Rule::list => self.list(node),
            Rule::record => ExprKind::Record(self.entries(node)),
            Rule::if_x => self.if_expr(node),
            Rule::match_x => {
                let value = self.take_expr(&mut kids, node);
                ExprKind::Match {
                    value,
                    arms: self.match_arms(&mut kids),
                }
            }
            Rule::return_x => ExprKind::Return(self.take_value(&mut kids)),
            Rule::fail_x => {
                let value = self.take_expr(&mut kids, node);
                let kind = kids.accept(Rule::fail_kind);
                let kind = kind.map(|kind| self.take_expr(&mut self.kids(kind), kind));
                ExprKind::Fail { value, kind }
            }
            Rule::break_x => ExprKind::Break,
            Rule::continue_x => ExprKind::Continue,
            _ => self.block_kind(node),
        }
    }

    /// The expressions that hold a block.
    fn block_kind(&mut self, node: Node) -> ExprKind {
        let mut kids = self.kids(node);
        match node.rule {
            Rule::do_x => ExprKind::Do(self.take_block(&mut kids, node)),
            Rule::race_x => ExprKind::Race(self.take_block(&mut kids, node)),
            Rule::step_x => {
                let name = self.take_expr(&mut kids, node);
                ExprKind::Step {
                    name,
                    body: self.take_block(&mut kids, node),
                }
            }
            Rule::timeout_x => {
                let limit = self.take_expr(&mut kids, node);
                ExprKind::Timeout {
                    limit,
                    body: self.take_block(&mut kids, node),
                }
            }
            Rule::retry_x => {
                let times = self.inner_expr(kids.accept(Rule::retry_count));
                let backoff = self.inner_expr(kids.accept(Rule::backoff));
                ExprKind::Retry {
                    times,
                    backoff,
                    body: self.take_block(&mut kids, node),
                }
            }
            Rule::parallel_x => {
                let (pattern, iterable) = self.for_head(&mut kids, node);
                let max = self.inner_expr(kids.accept(Rule::par_max));
                let body = self.take_block(&mut kids, node);
                ExprKind::ParallelFor {
                    pattern,
                    iterable,
                    max,
                    body,
                }
            }
            _ => ExprKind::Missing,
        }
    }

    /// The expression inside `node`.
    pub(super) fn inner_expr(&mut self, node: Option<Node>) -> Option<Expr> {
        node.map(|node| self.take_expr(&mut self.kids(node), node))
    }

    /// The empty name where a member is missing.
    pub(super) fn nameless(&self, node: Node) -> Ident {
        Ident {
            text: String::new(),
            span: self.span(node).after(),
        }
    }

    fn paren(&mut self, node: Node) -> ExprKind {
        let kids = self.kids(node);
        let comma = kids.clone().any(|kid| kid.rule == Rule::comma);
        let mut parts = self.listed(kids);
        match parts.len() {
            1 if !comma => ExprKind::Paren(parts.remove(0)),
            0 | 1 => {
                let message = "a tuple has at least two parts".to_owned();
                let label = "an expression is missing here";
                if parts.is_empty() && self.kids(node).next().is_none() {
                    let kind = SyntaxErrorKind::Unexpected;
                    self.error(kind, self.span(node), message, label, None);
                }
                parts.pop().map_or(ExprKind::Missing, ExprKind::Paren)
            }
            _ => ExprKind::Tuple(parts),
        }
    }

    fn listed(&mut self, kids: Kids<'t>) -> Vec<Expr> {
        let mut exprs = Vec::new();
        for kid in kids {
            match kid.rule {
                Rule::expr => exprs.push(self.expr(kid)),
                Rule::no_expr => exprs.push(self.missing(self.span(kid))),
                _ => {}
            }
        }
        exprs
    }

    fn list(&mut self, node: Node) -> ExprKind {
        let mut kids = self.kids(node);
        let Some(tail) = self.kids(node).find(|kid| kid.rule == Rule::comprehension) else {
            return ExprKind::List(self.listed(kids));
        };
        let value = self.take_expr(&mut kids, node);
        let mut inner = self.kids(tail);
        let (pattern, iterable) = self.for_head(&mut inner, tail);
        ExprKind::Comprehension {
            value,
            pattern,
            iterable,
            filter: self.take_value(&mut inner),
        }
    }

    /// The arguments of the call `node`.
    pub(super) fn args(&mut self, node: Node) -> Vec<Arg> {
        let mut args = Vec::new();
        for kid in self.kids(node) {
            match kid.rule {
                Rule::arg => args.push(self.arg(kid)),
                Rule::no_expr => args.push(Arg {
                    name: None,
                    value: self.missing(self.span(kid)),
                }),
                _ => {}
            }
        }
        args
    }

    fn arg(&mut self, node: Node) -> Arg {
        let mut kids = self.kids(node);
        let name = kids.accept(Rule::arg_name).map(|name| self.word(name));
        Arg {
            name,
            value: self.take_expr(&mut kids, node),
        }
    }

    fn entries(&mut self, node: Node) -> Vec<Entry> {
        self.kids(node).filter_map(|kid| self.entry(kid)).collect()
    }

    fn entry(&mut self, node: Node) -> Option<Entry> {
        let mut kids = self.kids(node);
        Some(match node.rule {
            Rule::spread => Entry::Spread(self.take_expr(&mut kids, node)),
            Rule::computed => {
                let key = self.take_expr(&mut kids, node);
                Entry::Computed {
                    key,
                    value: self.take_expr(&mut kids, node),
                }
            }
            Rule::keyed => {
                let string = kids.next()?;
                let (key, _) = self.primary(string, false);
                Entry::Key {
                    key,
                    value: self.take_expr(&mut kids, node),
                }
            }
            Rule::named => {
                let name = self.word(kids.next()?);
                Entry::Field {
                    name,
                    value: self.take_expr(&mut kids, node),
                }
            }
            Rule::shorthand => Entry::Shorthand(self.take_name(&mut kids, node)),
            _ => return None,
        })
    }

    /// `if` with its chain of `else if`, built from the end so that a long chain costs no stack.
    fn if_expr(&mut self, node: Node) -> ExprKind {
        let kids = self.kids(node);
        let links = kids.filter(|kid| kid.rule == Rule::else_if).count();
        let built = self.within(links, node, |builder| builder.if_chain(node));
        built.unwrap_or(ExprKind::Missing)
    }

    fn if_chain(&mut self, node: Node) -> ExprKind {
        let mut kids = self.kids(node);
        let mut links = vec![(
            self.span(node),
            self.cond(&mut kids, node),
            self.take_block(&mut kids, node),
        )];
        while let Some(link) = kids.accept(Rule::else_if) {
            let mut inner = self.kids(link);
            let cond = self.cond(&mut inner, link);
            let start = self.after_else(link);
            let span = crate::Span {
                start,
                ..self.span(node)
            };
            links.push((span, cond, self.take_block(&mut inner, link)));
        }
        let otherwise = kids.accept(Rule::else_x);
        let mut otherwise =
            otherwise.map(|node| Else::Block(self.take_block(&mut self.kids(node), node)));
        while let Some((span, cond, then)) = links.pop() {
            let kind = ExprKind::If {
                cond,
                then,
                otherwise,
            };
            if links.is_empty() {
                return kind;
            }
            otherwise = Some(Else::If(Expr {
                span,
                kind: Box::new(kind),
            }));
        }
        ExprKind::Missing
    }

    /// Where the `if` of an `else if` starts.
    fn after_else(&self, node: Node) -> u32 {
        let text = self.str(node);
        let blanks = text["else".len()..].find("if").unwrap_or(0);
        node.start + ("else".len() + blanks) as u32
    }
}
