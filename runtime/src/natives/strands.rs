//! Intrinsics that wait or concern the running strand: sleeping, deadline scopes, shields, steps.

use crate::ctx::Ctx;
use crate::event::Event;
use crate::fault::Fault;
use crate::host::{Cx, NativeDef, ready, waiting};
use crate::life;
use crate::scope::Left;
use crate::strand::{Step, Steps};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

pub(super) fn table() -> Vec<NativeDef> {
    vec![
        waiting("rt.sleep", sleep),
        waiting("rt.sleep_between", sleep_between),
        waiting("rt.sleep_until", sleep_until),
        waiting("rt.think", think),
        waiting("rt.think_between", think_between),
        ready("rt.now", now),
        ready("rt.next_tick", next_tick),
        ready("rt.stopping", life::is_stopping),
        ready("rt.timeout_enter", timeout_enter),
        ready("rt.timeout_exit", timeout_exit),
        ready("rt.timeout_caught", caught),
        ready("rt.shield_enter", shield_enter),
        ready("rt.shield_exit", caught),
        ready("rt.defer_failed", defer_failed),
        ready("rt.step_enter", step_enter),
        ready("rt.step_exit", step_exit),
        ready("rt.server_error", server_error),
    ]
}

async fn sleep(cx: Cx, nanos: i64) {
    pause(cx, nanos).await;
}

async fn sleep_between(cx: Cx, from: i64, to: i64) {
    pause(cx, between(cx, from, to)).await;
}

/// What follows was to begin when the pause was to end, however late the worker is.
async fn pause(cx: Cx, nanos: i64) {
    let due = cx.after(nanos);
    cx.sleep_until(due).await;
    cx.set_intended(due);
}

/// Waits for the next tick of `every`, or until users are asked to stop.
async fn sleep_until(cx: Cx, at: i64) {
    let mut sleep = pin!(cx.sleep_until(at.max(0) as u64));
    poll_fn(|context| match sleep.as_mut().poll(context) {
        // Asking to stop wakes every strand.
        Poll::Pending if cx.with(life::is_stopping) => Poll::Ready(()),
        polled => polled,
    })
    .await;
}

async fn think(cx: Cx, nanos: i64) {
    let _thinking = Thinking::new(cx);
    pause(cx, nanos).await;
}

async fn think_between(cx: Cx, from: i64, to: i64) {
    let _thinking = Thinking::new(cx);
    pause(cx, between(cx, from, to)).await;
}

fn between(cx: Cx, from: i64, to: i64) -> i64 {
    let span = to.saturating_sub(from).max(0) as u64;
    from + cx.with(|ctx| ctx.random_below(span.saturating_add(1))) as i64
}

/// Adds the time until it is dropped to what the strand has spent in `think`.
struct Thinking {
    cx: Cx,
    started: u64,
}

impl Thinking {
    fn new(cx: Cx) -> Thinking {
        Thinking {
            cx,
            started: cx.now(),
        }
    }
}

impl Drop for Thinking {
    fn drop(&mut self) {
        let nanos = self.cx.now().saturating_sub(self.started) as i64;
        self.cx
            .with(|ctx| ctx.worker().with_running(|strand| strand.think += nanos));
    }
}

fn now(ctx: &Ctx) -> i64 {
    ctx.worker().reactor().now() as i64
}

/// The first `last + k * period`, `k` at least 1, that is not past.
fn next_tick(ctx: &Ctx, last: i64, period: i64) -> i64 {
    let period = period.max(1);
    let missed = now(ctx).saturating_sub(last).saturating_sub(1).max(0) / period;
    last.saturating_add(period.saturating_mul(missed.saturating_add(1)))
}

fn timeout_enter(ctx: &Ctx, nanos: i64) -> i64 {
    ctx.worker().enter_scope(ctx, nanos, false)
}

fn shield_enter(ctx: &Ctx, nanos: i64) -> i64 {
    ctx.worker().enter_scope(ctx, nanos, true)
}

fn timeout_exit(ctx: &Ctx, token: i64) {
    ctx.worker().leave_scope(ctx, token);
}

/// Leaves a scope on the error path (a shield on either): the cancellation by its own deadline becomes an error.
fn caught(ctx: &Ctx, token: i64) {
    if let Left::ByDeadline(limit) = ctx.worker().leave_scope(ctx, token)
        && ctx.err_is_cancellation()
    {
        ctx.raise(Fault::timeout(limit).during("timeout").at(ctx.site()));
    }
}

/// The error of a `defer` body yields to the error that the body runs for.
fn defer_failed(ctx: &Ctx) {
    let Some(fault) = ctx.take_fault() else {
        return;
    };
    let fault = if fault.is_cancellation() {
        Fault::text(crate::kind::TIMEOUT, "took too long while unwinding").during("defer")
    } else {
        fault
    };
    ctx.emit(Event::DeferFailed { fault });
}

fn step_enter(ctx: &Ctx, site: i64, name: Option<&str>) -> i64 {
    let started = ctx.worker().reactor().now();
    let told = ctx.tells();
    let name = name.filter(|_| told).map(|name| ctx.mask(name));
    let template = || ctx.linked().program.sites[site as usize].label.as_str();
    let (token, depth) = ctx.worker().with_running(|strand| {
        let token = strand.steps.len();
        let step = Step {
            site: site as u32,
            name: name.as_deref().map(Into::into),
            started,
            think: strand.think,
            outer: strand.context,
            around: Steps::default(),
            outer_steps: 0,
        };
        strand.context = ctx.recorder().child(strand.context, site as u32, template);
        strand.steps.push(step);
        (token, strand.outer_steps + token as u32)
    });
    if told {
        ctx.emit(Event::StepBegin {
            site: site as u32,
            name,
            depth,
        });
    }
    token as i64
}

fn step_exit(ctx: &Ctx, token: i64, ok: bool) {
    let now = ctx.worker().reactor().now();
    // What the end of the run or a limit cuts off has not taken as long as it takes.
    let is_cancelled = !ok && ctx.err_is_cancellation();
    let ended = ctx.worker().with_running(|strand| {
        let step = strand.steps.close(token as usize)?;
        let nanos = now.saturating_sub(step.started) as i64 - (strand.think - step.think);
        let inside = std::mem::replace(&mut strand.context, step.outer);
        Some((step, nanos, strand.outer_steps + token as u32, inside))
    });
    let Some((step, nanos, depth, inside)) = ended else {
        return;
    };
    if !is_cancelled {
        ctx.recorder().step(inside, now, nanos);
    }
    if !ok && !is_cancelled && inside != step.outer {
        ctx.change_err(|fault| {
            fault.data_mut().step.get_or_insert(inside);
        });
    }
    if ctx.tells() {
        let name = step.name.map(|name| name.to_string());
        ctx.emit(Event::StepEnd {
            site: step.site,
            name,
            depth,
            nanos,
            ok,
        });
    }
}

fn server_error(ctx: &Ctx, name: &str) {
    if let Some(fault) = ctx.take_fault() {
        ctx.emit(Event::ServerError {
            name: name.to_owned(),
            fault,
        });
    }
}
