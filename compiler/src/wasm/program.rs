//! What a component is to do, as tables that the driver reads: scenarios, tests, globals. Word 6 has the address of
//!
//! ```text
//! head      scenarios: count, address; tests: count, address; globals: count, address; values of globals;
//!           `crowds.event` and `crowds.rest` (0 without load plans and thresholds); thresholds: count, address;
//!           `givens.take` (0 without params)
//! scenario  name, setup, init, each, exit, teardown, count of cells, kinds of cells, load, place, source + 1, tags
//! test      name, function, place, 0
//! global    name, kind (0 param, 1 data, 2 pool, 3 metric, 4 server), function (of a server: its start), kind of
//!           value, is secret, place, descriptor + 1 (of a metric: 0 counter, 1 gauge, 2 rate, 3 trend; of a pool its table), protocol
//!           (of a metric: 0 nanoseconds, 2 a number, 3 a fraction; of a param the entry of a slot of its type),
//!           and of a server: main, state, count of cells, kinds of cells
//! ```
//!
//! in 32 bits each. Tags are a count, then names and values. Functions are indices into the module's table, 0 for none. A kind of cell or value is a byte:
//! 1 if it is a pointer, 2 for a float. Load plans are words of 64 bits (see [`load`]).

use super::data::Side;
use super::unit::Unit;
use crate::ir::load::{BinaryOp, Load, Stage, Threshold};
use crate::ir::{FuncId, Global, GlobalKind, Scalar, Scenario, Server, SlotKind, SlotType};

/// Writes the tables; all functions that are named in them become part of the module.
pub(super) fn write(unit: &mut Unit<'_>) {
    let user = unit.user;
    let mut scenarios = Vec::new();
    for scenario in &user.scenarios {
        scenarios.extend(scenario_row(unit, scenario));
    }
    let mut tests = Vec::new();
    // Nobody runs the tests of a library that has nothing else to run.
    let run = if unit.is_run() { &user.tests[..] } else { &[] };
    for test in run {
        let place = unit.place(Side::User, test.func, test.span);
        let name = unit.data.string(&test.name);
        tests.extend([name, function(unit, Some(test.func)), place, 0]);
    }
    let mut globals = Vec::new();
    for global in &user.globals {
        globals.extend(global_row(unit, global));
    }
    let thresholds = threshold_rows(unit);
    let doors = doors(unit);
    open_leases(unit, doors[0] != 0);
    let head = [
        user.scenarios.len() as u32,
        unit.data.add_u32s(&scenarios),
        run.len() as u32,
        unit.data.add_u32s(&tests),
        user.globals.len() as u32,
        unit.data.add_u32s(&globals),
        unit.globals,
        doors[0],
        doors[1],
        (thresholds.len() / THRESHOLD_SIZE) as u32,
        unit.data.add(&thresholds),
        params_door(unit),
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
        tags(unit, &scenario.tags),
    ]
}

/// A count, then names and values; 0 for no tags.
fn tags(unit: &mut Unit<'_>, tags: &[(String, String)]) -> u32 {
    if tags.is_empty() {
        return 0;
    }
    let mut words = vec![tags.len() as u32];
    for (name, value) in tags {
        words.extend([unit.data.string(name), unit.data.string(value)]);
    }
    unit.data.add_u32s(&words)
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
        GlobalKind::Pool(pool) => (2, None, 0, false, super::pools::write(unit, pool)),
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
    let [mut protocol, main, state, cells, kinds] = server;
    if let GlobalKind::Param { ty, .. } = &global.kind {
        protocol = unit.data.slot(Side::User, *ty);
    }
    if let GlobalKind::Metric { kind, sample } = &global.kind {
        protocol = match (sample, kind.as_str()) {
            (Scalar::Duration, _) => NANOS,
            (Scalar::Float | Scalar::Rate, _) => MILLIONTHS,
            _ => NUMBER,
        };
    }
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
/// what is not said is -1. A stage: kind (0 users, 1 arrivals, 2 spawn), from, to (floats of arrivals), over, whether
/// random, tags, pool + 1.
fn load_words(unit: &mut Unit<'_>, load: &Load) -> u32 {
    let stages: Vec<u64> = load
        .stages
        .iter()
        .flat_map(|stage| stage_words(unit, stage))
        .collect();
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

fn stage_words(unit: &mut Unit<'_>, stage: &Stage) -> [u64; 7] {
    match stage {
        Stage::Users { from, to, over } => [0, *from, *to, over.unwrap_or(NONE), 0, 0, 0],
        Stage::Arrivals {
            from,
            to,
            over,
            poisson,
        } => {
            let random = (*poisson).into();
            [1, from.to_bits(), to.to_bits(), *over, random, 0, 0]
        }
        Stage::Spawn {
            count,
            at,
            pool,
            tags: own,
        } => {
            let own = tags(unit, own).into();
            let pool = pool.map_or(0, |pool| u64::from(pool.0) + 1);
            [2, *count, *count, *at, 0, own, pool]
        }
    }
}

/// Units of samples.
const NANOS: u32 = 0;
const BYTES: u32 = 1;
const NUMBER: u32 = 2;
const MILLIONTHS: u32 = 3;

/// What measures and leads users under load is part of a component that has such users, or thresholds, or that was built
/// to have it.
fn doors(unit: &mut Unit<'_>) -> [u32; 2] {
    let user = unit.user;
    let has_load = user.scenarios.iter().any(|one| one.load.is_some());
    let has_thresholds = !user.thresholds.is_empty()
        || (user.scenarios.iter()).any(|one| !one.thresholds.is_empty());
    if !has_load && !has_thresholds && !unit.leads {
        return [0, 0];
    }
    ["crowds.event", "crowds.rest"].map(|name| {
        let body = unit.body(name);
        body.map_or(0, |id| unit.table_index(Side::Body, id))
    })
}

/// Words with the numbers of what hands out addresses of pools: see `sources.scn`.
const LEASES: [(u32, &str); 2] = [(218, "leases.event"), (219, "leases.lead")];
/// And of what tells about it.
const TALLIES: (u32, &str) = (220, "tallies.tell");

/// What hands out addresses of pools is part of a component whose connections come from some.
fn open_leases(unit: &mut Unit<'_>, measures: bool) {
    let scenarios = &unit.user.scenarios;
    let from_pool = |stage: &Stage| matches!(stage, Stage::Spawn { pool: Some(_), .. });
    let mut stages = scenarios
        .iter()
        .flat_map(|one| one.load.iter().flat_map(|load| &load.stages));
    if scenarios.iter().all(|one| one.source.is_none()) && !stages.any(from_pool) {
        return;
    }
    let tallies = measures.then_some(TALLIES);
    for (word, name) in LEASES.into_iter().chain(tallies) {
        let number = unit.body(name).map(|id| unit.table_index(Side::Body, id));
        unit.data.set_word(word, number.unwrap_or(0).into());
    }
}

/// What reads params is part of a component whose program has some.
fn params_door(unit: &mut Unit<'_>) -> u32 {
    let is_param = |global: &Global| matches!(global.kind, GlobalKind::Param { .. });
    if !unit.user.globals.iter().any(is_param) {
        return 0;
    }
    let body = unit.body("givens.take");
    body.map_or(0, |id| unit.table_index(Side::Body, id))
}

/// The bytes of a threshold's row.
const THRESHOLD_SIZE: usize = 72;

/// Thresholds of scenarios, then those of the file.
fn threshold_rows(unit: &mut Unit<'_>) -> Vec<u8> {
    let user = unit.user;
    let mut rows = Vec::new();
    for (number, scenario) in user.scenarios.iter().enumerate() {
        for threshold in &scenario.thresholds {
            rows.extend(threshold_row(unit, threshold, number as u32 + 1));
        }
    }
    for threshold in &user.thresholds {
        rows.extend(threshold_row(unit, threshold, 0));
    }
    rows
}

/// Metric, scenario + 1, filters: count and address, aggregate, comparison, flags (1 `or empty`, 2 `abort`, 4 a
/// percentage), text, place, unit, kind of metric, unused; the bound and the percent as floats, how long it may fail.
fn threshold_row(unit: &mut Unit<'_>, one: &Threshold, scenario: u32) -> [u8; THRESHOLD_SIZE] {
    let (metric, kind, measure) = metric(unit, one);
    let filter: Vec<u32> = one
        .filter
        .iter()
        .flat_map(|(name, value)| [unit.data.string(name), unit.data.string(value)])
        .collect();
    let words = ["count", "rate", "mean", "min", "max", "med", "last"];
    let aggregate = words.iter().position(|word| *word == one.aggregate);
    let percent = match one.aggregate.strip_prefix('p') {
        Some(percent) => percent.parse().unwrap_or(100.0),
        None => 50.0,
    };
    let comparison = match one.op {
        BinaryOp::Lt => 0,
        BinaryOp::Le => 1,
        BinaryOp::Gt => 2,
        BinaryOp::Ge => 3,
        BinaryOp::Ne => 4,
        _ => 5,
    };
    let flags = u32::from(one.or_empty)
        | u32::from(one.abort_after.is_some()) << 1
        | u32::from(one.text.contains('%')) << 2;
    let words = [
        metric,
        scenario,
        one.filter.len() as u32,
        unit.data.add_u32s(&filter),
        aggregate.map_or(7, |at| at as u32),
        comparison,
        flags,
        unit.data.string(&one.text),
        unit.place(Side::User, FuncId(0), one.span),
        measure,
        kind,
        0,
    ];
    let mut row = [0; THRESHOLD_SIZE];
    for (at, word) in words.iter().enumerate() {
        row[4 * at..4 * at + 4].copy_from_slice(&word.to_le_bytes());
    }
    row[48..56].copy_from_slice(&one.value.to_le_bytes());
    row[56..64].copy_from_slice(&f64::to_le_bytes(percent));
    row[64..72].copy_from_slice(&one.abort_after.unwrap_or(0).to_le_bytes());
    row
}

/// Number, kind (0 counter, 1 gauge, 2 rate, 3 trend) and unit of what a threshold is on: 15 metrics of each protocol,
/// the tool's others from 75 on, those of the program from 85 on.
fn metric(unit: &Unit<'_>, one: &Threshold) -> (u32, u32, u32) {
    const OF_PROTOCOL: [&str; 15] = [
        "duration",
        "service",
        "dns",
        "connect",
        "tls",
        "send",
        "wait",
        "receive",
        "failed",
        "requests",
        "sent",
        "received",
        "connections.reused",
        "connections.opened",
        "connections.failed",
    ];
    const OTHERS: [(&str, u32, u32); 10] = [
        ("iterations", 0, NUMBER),
        ("iterations.failed", 2, NUMBER),
        ("iterations.dropped", 0, NUMBER),
        ("iterations.interrupted", 0, NUMBER),
        ("iteration.duration", 3, NANOS),
        ("step.duration", 3, NANOS),
        ("checks", 2, NUMBER),
        ("errors", 0, NUMBER),
        ("users", 1, NUMBER),
        ("server.errors", 0, NUMBER),
    ];
    if let Some(global) = one.declared
        && let GlobalKind::Metric { kind, sample } = &unit.user.globals[global.index()].kind
    {
        let kinds = ["counter", "gauge", "rate", "trend"];
        let kind = kinds.iter().position(|known| known == kind).unwrap_or(0) as u32;
        let measure = match sample {
            Scalar::Duration => NANOS,
            Scalar::Float | Scalar::Rate if kind == 3 => MILLIONTHS,
            _ => NUMBER,
        };
        return (85 + global.0, kind, measure);
    }
    if let Some(at) = OTHERS.iter().position(|(name, ..)| *name == one.metric) {
        let (_, kind, measure) = OTHERS[at];
        return (75 + at as u32, kind, measure);
    }
    let (protocol, rest) = one.metric.split_once('.').unwrap_or_default();
    let protocols = ["http", "tcp", "udp", "tls", "dns"];
    let protocol = protocols.iter().position(|known| *known == protocol);
    let at = OF_PROTOCOL.iter().position(|name| *name == rest);
    // The checker lets no unknown metric pass.
    let at = at.unwrap_or(0) as u32;
    let (kind, measure) = match at {
        0..8 => (3, NANOS),
        8 => (2, NUMBER),
        10 | 11 => (0, BYTES),
        _ => (0, NUMBER),
    };
    (15 * protocol.unwrap_or(0) as u32 + at, kind, measure)
}
