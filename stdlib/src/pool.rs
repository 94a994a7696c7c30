//! Pools of addresses.

use crate::raise;
use scn_compiler::ir::GlobalId;
use scn_runtime::pool::Pool;
use scn_runtime::{Ctx, Fault, NativeDef, ready};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The natives of this module.
pub(crate) fn natives() -> Vec<NativeDef> {
    vec![ready("pool.next", next), ready("pool.len", len)]
}

fn pool(ctx: &Ctx, global: i64) -> &Arc<Pool> {
    ctx.linked().pools().pool(GlobalId(global as u32))
}

fn next(ctx: &Ctx, global: i64) -> Result<IpAddr, Fault> {
    let cursor = || {
        let cursor = ctx.linked().cursor(global as u32);
        cursor.fetch_add(1, Ordering::Relaxed)
    };
    let found = pool(ctx, global).next(cursor, || ctx.random());
    found.ok_or_else(|| raise::argument("the pool has no addresses"))
}

fn len(ctx: &Ctx, global: i64) -> i64 {
    i64::try_from(pool(ctx, global).addresses().len()).unwrap_or(i64::MAX)
}
