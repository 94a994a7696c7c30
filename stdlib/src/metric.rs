//! Samples of `metric` items, reported as they come.

use scn_compiler::ir::{GlobalKind, Scalar};
use scn_runtime::{Ctx, Event, NativeDef, RawSlot, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![ready("metric.add", add)]
}

fn add(ctx: &Ctx, id: i64, sample: RawSlot) {
    let global = &ctx.linked().program.globals[id as usize];
    let value = match &global.kind {
        GlobalKind::Metric {
            sample: Scalar::Float | Scalar::Rate,
            ..
        } => f64::from_bits(sample.0),
        _ => sample.0 as i64 as f64,
    };
    ctx.record_sample(id, value);
    if ctx.tells() {
        ctx.emit(Event::Sample {
            metric: global.name.clone(),
            value,
        });
    }
}
