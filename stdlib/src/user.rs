//! The user that runs this code.

use scn_runtime::{Ctx, NativeDef, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("user.id", id),
        ready("user.iteration", iteration),
        ready("user.scenario", scenario),
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
