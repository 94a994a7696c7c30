//! The open model: arrivals at the inverse of the integrated rate, so that neither rounding nor lateness adds up.

use crate::timer::Nanos;
use crate::user::Rng;
use scn_compiler::ir::load::Stage;

/// A stretch of time in which the rate goes straight from one value to another.
#[derive(Clone, Copy, Debug)]
struct Piece {
    begins: Nanos,
    over: Nanos,
    /// Arrivals each second at its beginning.
    from: f64,
    /// The change of the rate, each second.
    slope: f64,
    /// Arrivals of its row before it.
    before: f64,
    /// Arrivals in it.
    area: f64,
    poisson: bool,
}

impl Piece {
    /// When so many arrivals of this piece are due, from its beginning.
    ///
    /// The root of `slope/2 t² + from t = arrivals`, in the form that loses no digits when the slope is small.
    fn inverse(&self, arrivals: f64) -> Nanos {
        if arrivals <= 0.0 {
            return 0;
        }
        // A falling rate makes this zero at the end of the piece, and rounding could make it less.
        let root = (self.from * self.from + 2.0 * self.slope * arrivals).max(0.0);
        let seconds = 2.0 * arrivals / (self.from + root.sqrt());
        ((seconds * 1e9).round() as u64).min(self.over)
    }
}

/// Walks arrivals.
///
/// A row is a run of stages that are all regular or all Poisson. A row counts arrivals in one coordinate, the integral
/// of the rate: regular ones are at whole numbers from 0 on, Poisson's are exponential gaps of mean 1 apart.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pieces: Vec<Piece>,
    current: usize,
    /// The next arrival's coordinate: kept in two parts, so that a billion arrivals lose no digits.
    whole: u64,
    part: f64,
    rng: Rng,
}

impl Open {
    pub(super) fn new(stages: &[Stage], seed: u64) -> Open {
        let mut open = Open {
            pieces: pieces(stages),
            current: 0,
            whole: 0,
            part: 0.0,
            rng: Rng::new(seed),
        };
        open.begin_row();
        open
    }

    /// When the next arrival is.
    pub(super) fn next(&mut self) -> Option<Nanos> {
        loop {
            let piece = self.pieces.get(self.current)?;
            let arrivals = (self.whole as f64 - piece.before) + self.part;
            if arrivals < piece.area {
                let offset = piece.inverse(arrivals);
                // What rounding puts at the very end belongs to the next piece, as does the arrival due there.
                if offset < piece.over {
                    let at = piece.begins + offset;
                    self.advance();
                    return Some(at);
                }
            }
            self.leave_piece();
        }
    }

    fn leave_piece(&mut self) {
        let poisson = self.pieces[self.current].poisson;
        self.current += 1;
        if self
            .pieces
            .get(self.current)
            .is_some_and(|next| next.poisson != poisson)
        {
            self.begin_row();
        }
    }

    fn begin_row(&mut self) {
        (self.whole, self.part) = (0, 0.0);
        if self.is_poisson() {
            self.advance();
        }
    }

    fn advance(&mut self) {
        if !self.is_poisson() {
            self.whole += 1;
            return;
        }
        let part = self.part - (1.0 - self.rng.unit()).ln();
        self.whole += part as u64;
        self.part = part.fract();
    }

    fn is_poisson(&self) -> bool {
        self.pieces
            .get(self.current)
            .is_some_and(|piece| piece.poisson)
    }
}

fn pieces(stages: &[Stage]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::with_capacity(stages.len());
    for stage in stages {
        let Stage::Arrivals {
            from,
            to,
            over,
            poisson,
        } = *stage
        else {
            continue;
        };
        let seconds = over as f64 / 1e9;
        let last = pieces.last();
        pieces.push(Piece {
            begins: last.map_or(0, |last| last.begins.saturating_add(last.over)),
            over,
            from,
            slope: if over == 0 {
                0.0
            } else {
                (to - from) / seconds
            },
            before: last
                .filter(|last| last.poisson == poisson)
                .map_or(0.0, |last| last.before + last.area),
            area: (from + to) / 2.0 * seconds,
            poisson,
        });
    }
    pieces
}
