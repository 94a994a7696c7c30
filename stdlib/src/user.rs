//! The user that runs this code.

use scn_runtime::{Ctx, NativeDef, ready};
use std::net::IpAddr;

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("user.id", id),
        ready("user.iteration", iteration),
        ready("user.scenario", scenario),
        ready("user.ip", ip),
    ]
}

fn id(ctx: &Ctx) -> i64 {
    ctx.user().id as i64
}

fn iteration(ctx: &Ctx) -> i64 {
    ctx.user().iteration.get() as i64
}

fn scenario(ctx: &Ctx) -> String {
    ctx.user().scenario.to_string()
}

fn ip(ctx: &Ctx) -> Option<IpAddr> {
    ctx.with_user(|user| user.source.ip())
}
