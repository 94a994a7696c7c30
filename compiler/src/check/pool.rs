//! IP pools: ranges that parse and do not overlap, words that exist, and no circle of exhausted pools.

use super::Checker;
use super::needs::addresses;
use super::units::UnitId;
use crate::diagnostics::{scenario, values};
use crate::hir::{Const, Exhausted, GlobalId, GlobalKind, PoolDef};
use scn_grammar::Span;
use scn_grammar::ast::{Expr, Ident, PoolLine, PoolLineKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range with its place.
type Placed = ((IpAddr, IpAddr), Span);

impl Checker<'_> {
    pub(super) fn check_pool(&mut self, unit: UnitId, name: &Ident, lines: &[PoolLine]) {
        let Some(id) = self.global_declared_at(unit, name) else {
            return;
        };
        let mut pool = PoolDef {
            pick: "round_robin".to_owned(),
            lease: "user".to_owned(),
            ..PoolDef::default()
        };
        let mut ranges: Vec<Placed> = Vec::new();
        let mut reserved: Vec<Placed> = Vec::new();
        let mut broken = false;
        self.refuse_repeated_pool_lines(lines);
        for line in lines {
            match &line.kind {
                PoolLineKind::Range(value) => match self.addresses(unit, value) {
                    Some(found) => ranges.push((found, value.span)),
                    None => broken = true,
                },
                PoolLineKind::Reserve(value) => {
                    reserved.extend(self.addresses(unit, value).map(|r| (r, value.span)))
                }
                PoolLineKind::Pick(word) => {
                    pool.pick =
                        self.pool_word("order", word, &["round_robin", "random", "sequential"]);
                }
                PoolLineKind::Lease(word) => {
                    pool.lease = self.pool_word("lease", word, &["user", "iteration", "request"])
                }
                PoolLineKind::WhenExhausted { wait, policy } => {
                    self.exhausted(unit, wait.as_ref(), policy, &mut pool)
                }
                PoolLineKind::Bad => broken = true,
            }
        }
        self.check_ranges(&ranges, &reserved);
        let no_range = ranges.is_empty();
        pool.ranges = ranges.into_iter().map(|(range, _)| range).collect();
        pool.reserved = reserved.into_iter().map(|(range, _)| range).collect();
        if no_range && !broken {
            self.report(scenario::empty_pool(&name.text, name.span));
        } else if !broken && addresses(&pool) == 0 {
            self.report(scenario::all_reserved(&name.text, name.span));
        }
        self.hir.globals[id.index()].kind = GlobalKind::Pool(pool);
    }

    /// Ranges and reserved addresses add up, everything else is said once.
    fn refuse_repeated_pool_lines(&mut self, lines: &[PoolLine]) {
        let word = |line: &PoolLine| match line.kind {
            PoolLineKind::Pick(_) => Some("pick"),
            PoolLineKind::Lease(_) => Some("lease"),
            PoolLineKind::WhenExhausted { .. } => Some("when exhausted"),
            _ => None,
        };
        for (at, line) in lines.iter().enumerate() {
            let Some(word_here) = word(line) else {
                continue;
            };
            if let Some(first) = lines[..at].iter().find(|first| word(first) == word(line)) {
                self.report(scenario::load_line_twice(word_here, line.span, first.span));
            }
        }
    }

    fn pool_word(&mut self, what: &str, word: &Ident, known: &[&str]) -> String {
        if !known.contains(&word.text.as_str()) && !word.text.is_empty() {
            self.report(scenario::unknown_word(what, &word.text, word.span, known));
        }
        word.text.clone()
    }

    fn exhausted(&mut self, unit: UnitId, wait: Option<&Expr>, policy: &Ident, pool: &mut PoolDef) {
        if let Some(wait) = wait
            && let Some((Const::Duration(time), _)) =
                self.constant_of(unit, wait, Some(self.basic.duration))
        {
            if time <= 0 {
                self.report(scenario::too_short(false, wait.span));
            }
            pool.wait = Some(time);
        }
        pool.exhausted = match policy.text.as_str() {
            "fail" => Some(Exhausted::Fail),
            "share" => Some(Exhausted::Share),
            "" => None,
            _ => self.pool_named(unit, policy).map(Exhausted::Pool),
        };
    }

    /// `"10.0.0.0/8"`, `"10.0.0.1-10.0.0.9"`, `"10.0.0.1"`.
    fn addresses(&mut self, unit: UnitId, value: &Expr) -> Option<(IpAddr, IpAddr)> {
        let text = self.constant_text(unit, value)?;
        match parse_range(&text) {
            Ok(range) => Some(range),
            Err(why) => {
                let help = Some("such as \"127.0.1.0/26\" or \"127.0.2.10-127.0.2.40\"".to_owned());
                self.report(values::bad_constant(
                    "address range",
                    &why,
                    value.span,
                    help,
                ));
                None
            }
        }
    }

    fn check_ranges(&mut self, ranges: &[Placed], reserved: &[Placed]) {
        for (at, ((from, to), span)) in ranges.iter().enumerate() {
            let overlap = ranges[..at]
                .iter()
                .find(|((a, b), _)| from <= b && a <= to && from.is_ipv4() == a.is_ipv4());
            if let Some((_, first)) = overlap {
                self.report(scenario::overlap(*span, *first));
            }
        }
        for ((from, to), span) in reserved {
            let inside = ranges
                .iter()
                .any(|((a, b), _)| a <= from && to <= b && from.is_ipv4() == a.is_ipv4());
            if !inside && !ranges.is_empty() {
                self.report(scenario::reserved_outside(*span));
            }
        }
    }

    /// Pools that fall back on each other until one falls back on the first.
    pub(super) fn check_pool_circles(&mut self) {
        for at in 0..self.hir.globals.len() {
            let start = GlobalId(at as u32);
            let mut chain = vec![start];
            let mut next = self.falls_back(start);
            while let Some(pool) = next.filter(|pool| *pool != start && !chain.contains(pool)) {
                chain.push(pool);
                next = self.falls_back(pool);
            }
            // Each circle is reported once, at its first pool.
            if next == Some(start) && chain.iter().all(|pool| *pool >= start) {
                let names: Vec<_> = chain
                    .iter()
                    .map(|id| self.hir.globals[id.index()].name.clone())
                    .collect();
                self.report(scenario::pool_circle(&names, self.hir.globals[at].span));
            }
        }
    }

    fn falls_back(&self, pool: GlobalId) -> Option<GlobalId> {
        match &self.hir.globals[pool.index()].kind {
            GlobalKind::Pool(PoolDef {
                exhausted: Some(Exhausted::Pool(next)),
                ..
            }) => Some(*next),
            _ => None,
        }
    }
}

fn parse_range(text: &str) -> Result<(IpAddr, IpAddr), String> {
    let address = |text: &str| {
        text.trim()
            .parse::<IpAddr>()
            .map_err(|_| format!("`{}` is no address", text.trim()))
    };
    if let Some((network, bits)) = text.split_once('/') {
        let network = address(network)?;
        let most = if network.is_ipv4() { 32 } else { 128 };
        let bits: u32 = bits
            .parse()
            .ok()
            .filter(|bits| *bits <= most)
            .ok_or(format!("`/{bits}` is no prefix length"))?;
        return block(network, bits);
    }
    let Some((from, to)) = text.split_once('-') else {
        let one = address(text)?;
        return Ok((one, one));
    };
    let (from, to) = (address(from)?, address(to)?);
    if from.is_ipv4() != to.is_ipv4() {
        return Err("it mixes IPv4 and IPv6".to_owned());
    }
    if from > to {
        Err("it ends before it starts".to_owned())
    } else {
        Ok((from, to))
    }
}

/// First and last address of a network.
fn block(network: IpAddr, bits: u32) -> Result<(IpAddr, IpAddr), String> {
    let (first, last): (IpAddr, IpAddr) = match network {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            let first = ip.to_bits() & mask;
            (
                Ipv4Addr::from_bits(first).into(),
                Ipv4Addr::from_bits(first | !mask).into(),
            )
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            let first = ip.to_bits() & mask;
            (
                Ipv6Addr::from_bits(first).into(),
                Ipv6Addr::from_bits(first | !mask).into(),
            )
        }
    };
    if first == network {
        Ok((first, last))
    } else {
        Err(format!("a /{bits} network starts at `{first}`"))
    }
}
