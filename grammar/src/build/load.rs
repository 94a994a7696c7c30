//! The lines of `load`, `pool` and `thresholds`.

use super::Builder;
use crate::SyntaxErrorKind;
use crate::ast::{
    BinaryOp, Expr, Ident, IterationsMode, LoadBlock, LoadLine, LoadLineKind, PoolLine,
    PoolLineKind, TagBlock, Threshold,
};
use crate::syntax::{Kids, Node, Rule};

impl<'t> Builder<'t> {
    pub(super) fn load_block(&mut self, node: Node) -> LoadBlock {
        let lines = self.kids(node).filter(|kid| kid.rule == Rule::load_line);
        LoadBlock {
            span: self.span(node),
            lines: lines.map(|line| self.load_line(line)).collect(),
        }
    }

    fn load_line(&mut self, node: Node) -> LoadLine {
        let line = self.kids(node).next();
        let kind = line.map_or(LoadLineKind::Bad, |line| self.load_kind(line));
        LoadLine {
            span: self.span(node),
            kind,
        }
    }

    fn load_kind(&mut self, node: Node) -> LoadLineKind {
        let mut kids = self.kids(node);
        match node.rule {
            Rule::users_l | Rule::arrivals_l => self.stage(node),
            Rule::spawn_l => self.spawn(node),
            Rule::iterations_l => {
                let count = self.take_expr(&mut kids, node);
                let mode = kids.accept_any(&[Rule::per_user, Rule::shared]);
                let mode = mode.map(|mode| match mode.rule {
                    Rule::per_user => IterationsMode::PerUser,
                    _ => IterationsMode::Shared,
                });
                LoadLineKind::Iterations { count, mode }
            }
            Rule::limit_l => {
                let what = kids.accept(Rule::limit_what).map(|what| self.str(what));
                let rate = self.take_expr(&mut kids, node);
                match what {
                    Some("spawn") => LoadLineKind::LimitSpawn(rate),
                    Some(_) => LoadLineKind::LimitRequests(rate),
                    None => LoadLineKind::Bad,
                }
            }
            Rule::fresh_l => LoadLineKind::FreshUsers,
            Rule::run_l => LoadLineKind::RunFor(self.take_expr(&mut kids, node)),
            Rule::load_think => LoadLineKind::Think(self.take_expr(&mut kids, node)),
            Rule::pace_l => LoadLineKind::Pace(self.take_expr(&mut kids, node)),
            Rule::max_l => LoadLineKind::MaxUsers(self.take_expr(&mut kids, node)),
            Rule::start_l => LoadLineKind::StartAt(self.take_expr(&mut kids, node)),
            Rule::weight_l => LoadLineKind::Weight(self.take_expr(&mut kids, node)),
            Rule::graceful_l => LoadLineKind::GracefulStop(self.take_expr(&mut kids, node)),
            _ => LoadLineKind::Bad,
        }
    }

    /// `users` and `arrivals`.
    fn stage(&mut self, node: Node) -> LoadLineKind {
        let mut kids = self.kids(node);
        let from = self.take_expr(&mut kids, node);
        let to = self.inner_expr(kids.accept_any(&[Rule::to_users, Rule::to_rate]));
        let during = kids.accept(Rule::during);
        if let Some(during) = during {
            self.check_during(during, to.is_some());
        }
        let over = self.inner_during(during);
        match node.rule {
            Rule::users_l => LoadLineKind::Users { from, to, over },
            _ => {
                let poisson = kids.has(Rule::poisson);
                LoadLineKind::Arrivals {
                    from,
                    to,
                    over,
                    poisson,
                }
            }
        }
    }

    fn inner_during(&mut self, during: Option<Node>) -> Option<Expr> {
        let during = during?;
        let mut kids = self.kids(during);
        kids.accept(Rule::for_or_over);
        Some(self.take_expr(&mut kids, during))
    }

    /// A ramp goes `over` its time, a plateau lasts `for` it.
    fn check_during(&mut self, during: Node, ramp: bool) {
        let Some(word) = self.kids(during).find(|kid| kid.rule == Rule::for_or_over) else {
            return;
        };
        let right = if ramp { "over" } else { "for" };
        if self.str(word) == right {
            return;
        }
        let (message, help) = if ramp {
            (
                "a ramp goes `over` its time",
                "write `over`, or leave the `-> ...` out",
            )
        } else {
            (
                "a constant stage lasts `for` its time",
                "write `for`, or give a second value: `-> 100`",
            )
        };
        let kind = SyntaxErrorKind::Unexpected;
        let label = format!("`{right}` is expected here");
        self.error(
            kind,
            self.span(word),
            message.to_owned(),
            &label,
            Some(help.to_owned()),
        );
    }

    fn spawn(&mut self, node: Node) -> LoadLineKind {
        let mut kids = self.kids(node);
        let count = self.take_expr(&mut kids, node);
        let at = self.inner_expr(kids.accept(Rule::spawn_at));
        let pool = kids.accept(Rule::spawn_from);
        let pool = pool.map(|from| self.take_name(&mut self.kids(from), from));
        let tags = kids.accept(Rule::tags_block).map(|tags| self.tags(tags));
        LoadLineKind::Spawn {
            count,
            at,
            pool,
            tags,
        }
    }

    pub(super) fn tags(&mut self, node: Node) -> TagBlock {
        TagBlock {
            span: self.span(node),
            tags: self.tag_list(node),
        }
    }

    fn tag_list(&mut self, node: Node) -> Vec<(Ident, Expr)> {
        let mut tags = Vec::new();
        for tag in self.kids(node).filter(|kid| kid.rule == Rule::tag) {
            let mut kids = self.kids(tag);
            if kids.has(Rule::name) {
                let name = self.take_word(&mut kids, tag);
                tags.push((name, self.take_expr(&mut kids, tag)));
            }
        }
        tags
    }

    pub(super) fn thresholds(&mut self, node: Node) -> Vec<Threshold> {
        let lines = self.kids(node).filter(|kid| kid.rule == Rule::threshold);
        lines.filter_map(|line| self.threshold(line)).collect()
    }

    fn threshold(&mut self, node: Node) -> Option<Threshold> {
        let mut kids = self.kids(node);
        let metric = kids.accept(Rule::metric)?;
        let words = self.kids(metric).filter(|kid| kid.rule == Rule::word);
        let metric = words.map(|word| self.word(word)).collect();
        let filter = kids
            .accept(Rule::filter)
            .map_or(Vec::new(), |filter| self.tag_list(filter));
        let aggregate = match kids.accept(Rule::aggregate) {
            Some(aggregate) => self.word(aggregate),
            None => self.nameless(node),
        };
        let op = kids
            .accept(Rule::cmp)
            .map_or(BinaryOp::Lt, |op| comparison(self.str(op)));
        let value = match kids.accept(Rule::percent) {
            Some(percent) => self.percent(percent),
            None => self.take_expr(&mut kids, node),
        };
        let or_empty = kids.accept(Rule::or_empty).is_some();
        let abort = kids.accept(Rule::abort).map(|abort| {
            let after = self.kids(abort).find(|kid| kid.rule == Rule::abort_after);
            self.inner_expr(after)
        });
        let span = self.span(node);
        Some(Threshold {
            span,
            metric,
            filter,
            aggregate,
            op,
            value,
            or_empty,
            abort,
        })
    }

    pub(super) fn pool_lines(&mut self, kids: &mut Kids<'t>) -> Vec<PoolLine> {
        let lines = self.take_all(kids, Rule::pool_body, Rule::pool_line);
        lines.into_iter().map(|line| self.pool_line(line)).collect()
    }

    fn pool_line(&mut self, node: Node) -> PoolLine {
        let line = self.kids(node).next();
        let kind = line.map_or(PoolLineKind::Bad, |line| self.pool_kind(line));
        PoolLine {
            span: self.span(node),
            kind,
        }
    }

    fn pool_kind(&mut self, node: Node) -> PoolLineKind {
        let mut kids = self.kids(node);
        match node.rule {
            Rule::pool_range => PoolLineKind::Range(self.take_expr(&mut kids, node)),
            Rule::pool_reserve => PoolLineKind::Reserve(self.take_expr(&mut kids, node)),
            Rule::pool_pick => PoolLineKind::Pick(self.take_word(&mut kids, node)),
            Rule::pool_lease => PoolLineKind::Lease(self.take_word(&mut kids, node)),
            Rule::pool_when => {
                let wait = self.inner_expr(kids.accept(Rule::pool_wait));
                // `fail` is a policy here, whatever it is elsewhere.
                PoolLineKind::WhenExhausted {
                    wait,
                    policy: self.take_word(&mut kids, node),
                }
            }
            _ => PoolLineKind::Bad,
        }
    }
}

fn comparison(text: &str) -> BinaryOp {
    match text {
        "<=" => BinaryOp::Le,
        ">" => BinaryOp::Gt,
        ">=" => BinaryOp::Ge,
        "==" => BinaryOp::Eq,
        "!=" => BinaryOp::Ne,
        _ => BinaryOp::Lt,
    }
}
