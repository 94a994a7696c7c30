//! What a scenario says about load: its plan, its source of addresses, its thresholds. Plain data, times in
//! nanoseconds, rates per second.
//!
//! The checker has seen to it that the lines agree; the meaning of the stages is the schedule's, in the runtime. How
//! long a plan is and how many users it can have is in `extent`.

mod extent;

use super::GlobalId;
use scn_grammar::Span;
pub use scn_grammar::ast::BinaryOp;

/// A load plan. Exactly one model: all stages are of one kind, or there is none and iterations alone count (one user).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// Stages in source order.
    pub stages: Vec<Stage>,
    /// `iterations N per user`.
    pub iterations_per_user: Option<u64>,
    /// `iterations N shared`.
    pub iterations_shared: Option<u64>,
    /// `run for`: counted from the scenario's start.
    pub run_for: Option<u64>,
    /// `think`: a pause between iterations, uniform between the two.
    pub think: Option<(u64, u64)>,
    /// `pace`: the period of iterations.
    pub pace: Option<u64>,
    /// `max users`.
    pub max_users: Option<u64>,
    /// `limit spawn`.
    pub limit_spawn: Option<f64>,
    /// `limit requests`.
    pub limit_requests: Option<f64>,
    /// `fresh users`: every iteration is a new user.
    pub fresh_users: bool,
    /// `start at`: counted from the start of the users' part of the run.
    pub start_at: u64,
    /// `weight`: share of `--users`, `--rate`, `--iterations`.
    pub weight: u64,
    /// `graceful stop`.
    pub graceful_stop: Option<u64>,
}

/// One stage of a plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Closed model: the number of users goes from one count to the other; without `over`, until the plan's bound.
    Users {
        /// At its start.
        from: u64,
        /// At its end.
        to: u64,
        /// How long it takes.
        over: Option<u64>,
    },
    /// Open model: the rate of iterations goes from one to the other.
    Arrivals {
        /// At its start.
        from: f64,
        /// At its end.
        to: f64,
        /// How long it takes.
        over: u64,
        /// Whether the gaps are random (exponential), the mean being the rate.
        poisson: bool,
    },
    /// A phase: that many more users come up.
    Spawn {
        /// How many.
        count: u64,
        /// When, from the scenario's start.
        at: u64,
        /// Where their addresses come from, in place of the scenario's source.
        pool: Option<GlobalId>,
        /// Their tags, beside the scenario's.
        tags: Vec<(String, String)>,
    },
}

/// How long an address is leased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lease {
    /// For the life of a user.
    #[default]
    User,
    /// For an iteration.
    Iteration,
    /// For a request: for as long as its connection.
    Request,
}

/// What a pool does when it has no free address, after the wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exhausted {
    /// An error of kind `pool.exhausted`.
    Fail,
    /// Hands out addresses that others have, those with the fewest users first.
    #[default]
    Share,
    /// Takes from another pool, by that pool's own policy.
    Pool(GlobalId),
}

/// A threshold: `METRIC[{tag: "v"}] AGG CMP VALUE [or empty] [abort [after D]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// `http.duration`, or the name of a `metric` item.
    pub metric: String,
    /// The `metric` item, if it is no metric of the tool.
    pub declared: Option<GlobalId>,
    /// Tag filters, all of which must fit.
    pub filter: Vec<(String, String)>,
    /// `count rate mean min max med last pN`.
    pub aggregate: String,
    /// The comparison.
    pub op: BinaryOp,
    /// The bound: nanoseconds for durations, a share (0 to 1) for percentages, else a number.
    pub value: f64,
    /// Whether no data is well.
    pub or_empty: bool,
    /// `abort`, once it has failed for that long.
    pub abort_after: Option<u64>,
    /// Its source text.
    pub text: String,
    /// Its place.
    pub span: Span,
}
