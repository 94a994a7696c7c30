//! Load plans, pools and thresholds, as [`super::super::print`] writes them.

use super::super::load::{Exhausted, Load, Stage, Threshold};
use super::super::print::{COMPARISONS, LEASES};
use super::super::{GlobalId, Pool};
use super::lexer::Token;
use super::{Parsed, Parser};
use scn_grammar::Span;

impl Parser {
    fn amount(&mut self) -> Parsed<u64> {
        self.lexer.num().map(|value| value as u64)
    }

    fn float(&mut self) -> Parsed<f64> {
        let word = self.lexer.word()?;
        word.parse().map_err(|_| self.lexer.expected("a float"))
    }

    /// A number behind a word, if the word comes next.
    fn maybe_amount(&mut self, word: &str) -> Parsed<Option<u64>> {
        if self.lexer.skip_word(word) {
            self.amount().map(Some)
        } else {
            Ok(None)
        }
    }

    fn maybe_float(&mut self, word: &str) -> Parsed<Option<f64>> {
        if self.lexer.skip_word(word) {
            self.float().map(Some)
        } else {
            Ok(None)
        }
    }

    /// A global behind a word, if the word comes next.
    pub(super) fn maybe_global(&mut self, word: &str) -> Parsed<Option<GlobalId>> {
        if self.lexer.skip_word(word) {
            self.id("global").map(|id| Some(GlobalId(id)))
        } else {
            Ok(None)
        }
    }

    fn tags(&mut self) -> Parsed<Vec<(String, String)>> {
        self.list(|p| Ok((p.lexer.text()?, p.lexer.text()?)))
    }

    /// Tags behind their word, if it comes next.
    pub(super) fn maybe_tags(&mut self) -> Parsed<Vec<(String, String)>> {
        if self.lexer.skip_word("tags") {
            self.tags()
        } else {
            Ok(Vec::new())
        }
    }

    pub(super) fn maybe_plan(&mut self) -> Parsed<Option<Load>> {
        if !self.lexer.skip_word("load") {
            return Ok(None);
        }
        Ok(Some(Load {
            stages: self.list(Self::stage)?,
            iterations_per_user: self.maybe_amount("per_user")?,
            iterations_shared: self.maybe_amount("shared")?,
            run_for: self.maybe_amount("run_for")?,
            think: match self.maybe_amount("think")? {
                Some(from) => Some((from, self.amount()?)),
                None => None,
            },
            pace: self.maybe_amount("pace")?,
            max_users: self.maybe_amount("max_users")?,
            limit_spawn: self.maybe_float("limit_spawn")?,
            limit_requests: self.maybe_float("limit_requests")?,
            fresh_users: self.lexer.skip_word("fresh_users"),
            start_at: self.maybe_amount("start_at")?.unwrap_or(0),
            weight: self.maybe_amount("weight")?.unwrap_or(1),
            graceful_stop: self.maybe_amount("graceful_stop")?,
        }))
    }

    fn stage(&mut self) -> Parsed<Stage> {
        let word = self.lexer.word()?;
        match word.as_str() {
            "users" => Ok(Stage::Users {
                from: self.amount()?,
                to: self.amount()?,
                over: self.maybe_amount("over")?,
            }),
            "arrivals" => Ok(Stage::Arrivals {
                from: self.float()?,
                to: self.float()?,
                over: self.behind("over")?,
                poisson: self.lexer.skip_word("poisson"),
            }),
            "spawn" => Ok(Stage::Spawn {
                count: self.amount()?,
                at: self.behind("at")?,
                pool: self.maybe_global("from")?,
                tags: self.maybe_tags()?,
            }),
            _ => Err(self.lexer.expected("a stage")),
        }
    }

    /// A number behind a word that has to come next.
    fn behind(&mut self, word: &str) -> Parsed<u64> {
        let found = self.maybe_amount(word)?;
        found.ok_or_else(|| self.lexer.expected(word))
    }

    /// Thresholds behind their word, if it comes next.
    pub(super) fn maybe_thresholds(&mut self) -> Parsed<Vec<Threshold>> {
        if self.lexer.skip_word("thresholds") {
            self.list(Self::threshold)
        } else {
            Ok(Vec::new())
        }
    }

    /// The thresholds of the run.
    pub(super) fn run_thresholds(&mut self) -> Parsed<()> {
        self.program.thresholds = self.list(Self::threshold)?;
        Ok(())
    }

    fn threshold(&mut self) -> Parsed<Threshold> {
        let metric = self.lexer.text()?;
        let declared = self.maybe_id("global").map(GlobalId);
        let (filter, aggregate) = (self.tags()?, self.lexer.text()?);
        let word = self.lexer.word()?;
        let op = COMPARISONS
            .iter()
            .find(|(_, known)| *known == word)
            .ok_or_else(|| self.lexer.expected("a comparison"))?
            .0;
        Ok(Threshold {
            metric,
            declared,
            filter,
            aggregate,
            op,
            value: self.float()?,
            or_empty: self.lexer.skip_word("or_empty"),
            abort_after: self.maybe_amount("abort")?,
            text: self.lexer.text()?,
            span: Span::default(),
        })
    }

    pub(super) fn pool(&mut self) -> Parsed<Pool> {
        let range = |p: &mut Self| Ok((p.address()?, p.address()?));
        let pick = self.lexer.text()?;
        let (ranges, reserved) = (self.list(range)?, self.list(range)?);
        if !self.lexer.skip_word("lease") {
            return Err(self.lexer.expected("a lease"));
        }
        let word = self.lexer.word()?;
        let lease = LEASES
            .iter()
            .find(|(_, known)| *known == word)
            .ok_or_else(|| self.lexer.expected("what has the lease"))?
            .0;
        Ok(Pool {
            ranges,
            reserved,
            pick,
            lease,
            wait: self.maybe_amount("wait")?,
            exhausted: self.exhausted()?,
        })
    }

    fn exhausted(&mut self) -> Parsed<Exhausted> {
        if !self.lexer.skip_word("exhausted") {
            return Err(self.lexer.expected("what to do with an exhausted pool"));
        }
        match self.lexer.peek() {
            Token::Word(word) if word == "fail" => {
                self.lexer.next();
                Ok(Exhausted::Fail)
            }
            Token::Word(word) if word == "share" => {
                self.lexer.next();
                Ok(Exhausted::Share)
            }
            _ => self.id("global").map(|id| Exhausted::Pool(GlobalId(id))),
        }
    }
}
