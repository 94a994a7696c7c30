//! The run as a whole.

use crate::uuid;
use scn_runtime::{Ctx, Event, Nanos, NativeDef, ready};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("run.id", id),
        ready("run.elapsed", elapsed),
        ready("run.stop", stop),
    ]
}

/// A process does one run, so its name is made once.
static ID: LazyLock<String> = LazyLock::new(|| {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mut random = [0; 16];
    // Without a random source the time alone tells runs apart.
    let _ = getrandom::fill(&mut random);
    uuid::v7(since.as_millis() as u64, u128::from_be_bytes(random))
});

fn id() -> String {
    ID.clone()
}

fn elapsed(ctx: &Ctx) -> Nanos {
    Nanos(ctx.now())
}

fn stop(ctx: &Ctx, reason: &str) {
    let reason = ctx.mask(reason);
    let why = if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    };
    let text = format!("the run is asked to stop{why}");
    ctx.emit(Event::Log {
        level: "info",
        text,
        place: ctx.site(),
    });
    ctx.worker().ask_to_stop(&reason);
}
