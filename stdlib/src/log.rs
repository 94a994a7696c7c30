//! Log lines.

use scn_runtime::object::show;
use scn_runtime::{Any, Ctx, Event, NativeDef, ready};

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![
        ready("log.debug", debug),
        ready("log.info", info),
        ready("log.warn", warn),
        ready("log.error", error),
    ]
}

fn line(ctx: &Ctx, level: &'static str, message: Any<'_>) {
    let text = ctx.mask(&show::interpolated_object(ctx.descs(), message));
    ctx.emit(Event::Log {
        level,
        text,
        place: ctx.site(),
    });
}

fn debug(ctx: &Ctx, message: Any<'_>) {
    // Of a load run nobody sees them, and they would count as part of a flood.
    if ctx.tells() {
        line(ctx, "debug", message);
    }
}

fn info(ctx: &Ctx, message: Any<'_>) {
    line(ctx, "info", message);
}

fn warn(ctx: &Ctx, message: Any<'_>) {
    line(ctx, "warn", message);
}

fn error(ctx: &Ctx, message: Any<'_>) {
    line(ctx, "error", message);
}
