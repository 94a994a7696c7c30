//! The lines of `load`, `pool`, `tags` and `thresholds`.

use super::Printer;
use crate::ast::{
    Expr, IterationsMode, LoadLine, LoadLineKind, PoolLine, PoolLineKind, TagBlock, Threshold,
};

impl Printer {
    pub(super) fn load_line(&mut self, line: &LoadLine) {
        match &line.kind {
            LoadLineKind::Users { from, to, over } => {
                self.stage("users ", from, to.as_ref(), over.as_ref());
            }
            LoadLineKind::Arrivals {
                from,
                to,
                over,
                poisson,
            } => {
                self.stage("arrivals ", from, to.as_ref(), over.as_ref());
                self.word(if *poisson { " poisson" } else { "" });
            }
            LoadLineKind::Spawn {
                count,
                at,
                pool,
                tags,
            } => {
                self.setting("spawn ", count);
                if let Some(at) = at {
                    self.setting(" at ", at);
                }
                if let Some(pool) = pool {
                    self.word(&format!(" from {}", pool.text));
                }
                if let Some(tags) = tags {
                    self.word(" ");
                    self.tags(tags);
                }
            }
            LoadLineKind::Iterations { count, mode } => {
                self.setting("iterations ", count);
                self.word(match mode {
                    Some(IterationsMode::PerUser) => " per user",
                    Some(IterationsMode::Shared) => " shared",
                    None => "",
                });
            }
            LoadLineKind::RunFor(time) => self.setting("run for ", time),
            LoadLineKind::Think(time) => self.setting("think ", time),
            LoadLineKind::Pace(time) => self.setting("pace ", time),
            LoadLineKind::MaxUsers(count) => self.setting("max users ", count),
            LoadLineKind::LimitSpawn(rate) => self.setting("limit spawn ", rate),
            LoadLineKind::LimitRequests(rate) => self.setting("limit requests ", rate),
            LoadLineKind::FreshUsers => self.word("fresh users"),
            LoadLineKind::StartAt(time) => self.setting("start at ", time),
            LoadLineKind::Weight(count) => self.setting("weight ", count),
            LoadLineKind::GracefulStop(time) => self.setting("graceful stop ", time),
            LoadLineKind::Bad => self.word("<bad>"),
        }
    }

    fn setting(&mut self, words: &str, value: &Expr) {
        self.word(words);
        self.expr(value);
    }

    fn stage(&mut self, word: &str, from: &Expr, to: Option<&Expr>, over: Option<&Expr>) {
        self.setting(word, from);
        if let Some(to) = to {
            self.setting(" -> ", to);
        }
        if let Some(over) = over {
            self.setting(if to.is_some() { " over " } else { " for " }, over);
        }
    }

    pub(super) fn tags(&mut self, tags: &TagBlock) {
        self.word("tags { ");
        self.joined(&tags.tags, ", ", |printer, (name, value)| {
            printer.setting(&format!("{}: ", name.text), value);
        });
        self.word(" }");
    }

    pub(super) fn pool_line(&mut self, line: &PoolLine) {
        match &line.kind {
            PoolLineKind::Range(range) => self.setting("range ", range),
            PoolLineKind::Reserve(range) => self.setting("reserve ", range),
            PoolLineKind::Pick(word) => self.word(&format!("pick {}", word.text)),
            PoolLineKind::Lease(word) => self.word(&format!("lease per {}", word.text)),
            PoolLineKind::WhenExhausted { wait, policy } => {
                self.word("when exhausted ");
                if let Some(wait) = wait {
                    self.setting("wait ", wait);
                    self.word(" then ");
                }
                self.word(&policy.text);
            }
            PoolLineKind::Bad => self.word("<bad>"),
        }
    }

    pub(super) fn threshold(&mut self, threshold: &Threshold) {
        self.joined(&threshold.metric, ".", |printer, word| {
            printer.word(&word.text)
        });
        if !threshold.filter.is_empty() {
            self.word("{");
            self.joined(&threshold.filter, ", ", |printer, (name, value)| {
                printer.setting(&format!("{}: ", name.text), value);
            });
            self.word("}");
        }
        self.word(&format!(
            " {} {} ",
            threshold.aggregate.text,
            threshold.op.text()
        ));
        self.expr(&threshold.value);
        self.word(if threshold.or_empty { " or empty" } else { "" });
        match &threshold.abort {
            Some(Some(after)) => self.setting(" abort after ", after),
            Some(None) => self.word(" abort"),
            None => {}
        }
    }
}
