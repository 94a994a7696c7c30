//! What a component is to do, as tables that the driver reads: scenarios, tests, globals. Word 6 has the address of
//!
//! ```text
//! head      scenarios: count, address; tests: count, address; globals: count, address; values of globals; seed
//! scenario  name, setup, init, each, exit, teardown, count of cells, kinds of cells, load, place, source + 1, 0
//! test      name, function, place, 0
//! global    name, kind (0 param, 1 data, 2 pool, 3 metric, 4 server), function (of a server: its start), kind of
//!           value, is secret, place, descriptor + 1 (of a metric: 0 counter, 1 gauge, 2 rate, 3 trend), protocol,
//!           and of a server: main, state, count of cells, kinds of cells
//! ```
//!
//! in 32 bits each. Functions are indices into the module's table, 0 for none. A kind of cell or value is a byte:
//! 1 if it is a pointer, 2 for a float. Load plans are words of 64 bits (see [`load`]).

use super::data::Side;
use super::unit::Unit;
use crate::ir::load::{Load, Stage};
use crate::ir::{FuncId, Global, GlobalKind, Scalar, Scenario, Server, SlotKind, SlotType};

/// Writes the tables; all functions that are named in them become part of the module.
pub(super) fn write(unit: &mut Unit<'_>) {
    let user = unit.user;
    let mut scenarios = Vec::new();
    for scenario in &user.scenarios {
        scenarios.extend(scenario_row(unit, scenario));
    }
    let mut tests = Vec::new();
    for test in &user.tests {
        let place = unit.place(Side::User, test.func, test.span);
        let name = unit.data.string(&test.name);
        tests.extend([name, function(unit, Some(test.func)), place, 0]);
    }
    let mut globals = Vec::new();
    for global in &user.globals {
        globals.extend(global_row(unit, global));
    }
    let head = [
        user.scenarios.len() as u32,
        unit.data.add_u32s(&scenarios),
        user.tests.len() as u32,
        unit.data.add_u32s(&tests),
        user.globals.len() as u32,
        unit.data.add_u32s(&globals),
        unit.globals,
        0,
    ];
    let at = unit.data.add_u32s(&head);
    unit.data.set_word(6, at.into());
}

fn function(unit: &mut Unit<'_>, id: Option<FuncId>) -> u32 {
    id.map_or(0, |id| unit.table_index(Side::User, id))
}

fn scenario_row(unit: &mut Unit<'_>, scenario: &Scenario) -> [u32; 12] {
    let kinds: Vec<u8> = scenario.cells.iter().map(|cell| kind(*cell)).collect();
    let load = scenario.load.as_ref().map(|load| load_words(unit, load));
    [
        unit.data.string(&scenario.name),
        function(unit, scenario.setup),
        function(unit, scenario.init),
        function(unit, scenario.each),
        function(unit, scenario.exit),
        function(unit, scenario.teardown),
        kinds.len() as u32,
        unit.data.add(&kinds),
        load.unwrap_or(0),
        unit.place(Side::User, FuncId(0), scenario.span),
        scenario.source.map_or(0, |pool| pool.0 + 1),
        0,
    ]
}

/// What a cell holds: a pointer, a float, or another scalar.
fn kind(slot: SlotType) -> u8 {
    match slot.kind {
        _ if slot.optional => 1,
        SlotKind::Object(_) | SlotKind::Any => 1,
        SlotKind::Scalar(Scalar::Float | Scalar::Rate) => 2,
        SlotKind::Scalar(_) | SlotKind::Unit => 0,
    }
}

fn global_row(unit: &mut Unit<'_>, global: &Global) -> [u32; 12] {
    let place = unit.place(Side::User, FuncId(0), global.span);
    let name = unit.data.string(&global.name);
    let (number, init, value, is_secret, more) = match &global.kind {
        GlobalKind::Param { ty, secret, init } => {
            let desc = match ty.kind {
                SlotKind::Object(id) => unit.data.desc(Side::User, id) + 1,
                _ => 0,
            };
            (0, *init, kind(*ty), *secret, desc)
        }
        GlobalKind::Data { list, init } => {
            let desc = unit.data.desc(Side::User, *list) + 1;
            (1, Some(*init), 1, false, desc)
        }
        GlobalKind::Pool(_) => (2, None, 0, false, 0),
        GlobalKind::Metric { kind, .. } => {
            let kinds = ["counter", "gauge", "rate", "trend"];
            let at = kinds.iter().position(|known| known == kind).unwrap_or(0);
            (3, None, 0, false, at as u32)
        }
        GlobalKind::Server(server) => (4, Some(server.start), 0, false, 0),
    };
    let init = function(unit, init);
    let server = match &global.kind {
        GlobalKind::Server(server) => server_words(unit, server),
        _ => [0; 5],
    };
    let [protocol, main, state, cells, kinds] = server;
    [
        name,
        number,
        init,
        value.into(),
        is_secret.into(),
        place,
        more,
        protocol,
        main,
        state,
        cells,
        kinds,
    ]
}

fn server_words(unit: &mut Unit<'_>, server: &Server) -> [u32; 5] {
    let kinds: Vec<u8> = server.cells.iter().map(|cell| kind(*cell)).collect();
    [
        unit.data.string(&server.protocol),
        function(unit, Some(server.main)),
        function(unit, server.state),
        kinds.len() as u32,
        unit.data.add(&kinds),
    ]
}

/// No bound: all bits set.
const NONE: u64 = u64::MAX;

/// A load plan: count of stages, their address, iterations for each user, iterations in all, end, think from and to,
/// pace, most users, spawns each second, requests each second (floats), fresh users, start, weight, graceful stop;
/// what is not said is -1. A stage: kind (0 users, 1 arrivals, 2 spawn), from, to (floats of arrivals), over, whether random.
fn load_words(unit: &mut Unit<'_>, load: &Load) -> u32 {
    let stages: Vec<u64> = load.stages.iter().flat_map(stage_words).collect();
    let bytes: Vec<u8> = stages.iter().flat_map(|word| word.to_le_bytes()).collect();
    let stages = unit.data.add(&bytes);
    let or_none = |value: Option<u64>| value.unwrap_or(NONE);
    let rate = |value: Option<f64>| value.map_or(NONE, f64::to_bits);
    let words = [
        load.stages.len() as u64,
        stages.into(),
        or_none(load.iterations_per_user),
        or_none(load.iterations_shared),
        or_none(load.run_for),
        or_none(load.think.map(|think| think.0)),
        or_none(load.think.map(|think| think.1)),
        or_none(load.pace),
        or_none(load.max_users),
        rate(load.limit_spawn),
        rate(load.limit_requests),
        load.fresh_users.into(),
        load.start_at,
        load.weight,
        or_none(load.graceful_stop),
    ];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    unit.data.add(&bytes)
}

fn stage_words(stage: &Stage) -> [u64; 5] {
    match stage {
        Stage::Users { from, to, over } => [0, *from, *to, over.unwrap_or(NONE), 0],
        Stage::Arrivals {
            from,
            to,
            over,
            poisson,
        } => [1, from.to_bits(), to.to_bits(), *over, (*poisson).into()],
        Stage::Spawn { count, at, .. } => [2, *count, *count, *at, 0],
    }
}
