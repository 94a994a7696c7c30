//! The items of a program: functions by kind, globals, scenarios, tests.

use super::function::{Lower, Returns, Value};
use super::load;
use super::tables::Tables;
use super::types::Repr;
use crate::hir::{self, FunctionKind, GlobalKind, MetricKind, Type};
use crate::ir::{self, FuncId, Scalar};
use scn_grammar::ast::SectionKind;

/// Lowers everything; what remains are the passes.
pub(super) fn items(t: &mut Tables<'_>) {
    let hir = t.hir;
    t.program.sources = t
        .sources
        .all
        .iter()
        .map(|s| (s.name.clone(), s.text.clone()))
        .collect();
    t.program.enums = hir
        .enums
        .iter()
        .map(|e| ir::EnumInfo {
            name: e.name.clone(),
            cases: e.cases.clone(),
        })
        .collect();
    for (at, function) in hir.functions.iter().enumerate() {
        lower_function(t, function, FuncId(at as u32));
    }
    for (at, global) in hir.globals.iter().enumerate() {
        let global = lower_global(t, global, at as u32);
        t.program.globals.push(global);
    }
    for scenario in &hir.scenarios {
        let scenario = lower_scenario(t, scenario);
        t.program.scenarios.push(scenario);
    }
    for test in &hir.tests {
        let test = ir::Test {
            name: test.name.clone(),
            func: t.func(test.func),
            span: test.span,
        };
        t.program.tests.push(test);
    }
    t.program.thresholds = load::thresholds(&hir.thresholds);
}

fn returns(function: &hir::Function) -> Returns {
    match function.kind {
        FunctionKind::Fn | FunctionKind::Route => Returns::Registers(function.result),
        FunctionKind::Section(SectionKind::Setup) | FunctionKind::Initialiser => {
            Returns::Memory(function.result)
        }
        FunctionKind::Section(_)
        | FunctionKind::Test
        | FunctionKind::ServerState
        | FunctionKind::Connection => Returns::Nothing,
    }
}

fn lower_function<'h>(t: &mut Tables<'h>, function: &'h hir::Function, id: FuncId) {
    let is_strand = !matches!(
        function.kind,
        FunctionKind::Fn | FunctionKind::Route | FunctionKind::Connection
    );
    if is_strand {
        t.strands.push(id);
    }
    let mut lower = Lower::new(t, function, returns(function), function.span);
    for param in &function.params {
        match function.kind {
            FunctionKind::Section(_) => lower.param_packed(*param),
            _ => lower.param_local(*param),
        }
    }
    let value = lower.block(&function.body);
    let result = function.body.value.as_ref().map(|value| value.ty);
    match (function.kind, result) {
        (FunctionKind::Initialiser, Some(ty)) => lower.return_value(value, Some(ty)),
        _ => lower.return_value(Value::Unit, None),
    }
    lower.finish(id);
}

fn lower_global<'h>(t: &mut Tables<'h>, global: &'h hir::Global, at: u32) -> ir::Global {
    let kind = match &global.kind {
        GlobalKind::Param { init } => ir::GlobalKind::Param {
            ty: t.slot(global.ty),
            secret: t.is_secret(global.ty),
            init: init.map(|init| t.func(init)),
        },
        GlobalKind::Data { init } => {
            let list = match *t.ty(global.ty) {
                Type::Data(row) => t.slot(row),
                _ => t.slot(global.ty),
            };
            let list = t.intern_desc(ir::Desc::List(list));
            ir::GlobalKind::Data {
                list,
                init: t.func(*init),
            }
        }
        GlobalKind::Pool(pool) => ir::GlobalKind::Pool(load::pool(pool)),
        GlobalKind::Metric => metric(t, global),
        GlobalKind::Server(server) => super::server::lower_server(t, global, server, at),
    };
    let name = match kind {
        ir::GlobalKind::Metric { .. } => metric_name(t, global),
        _ => global.name.clone(),
    };
    ir::Global {
        name,
        doc: global.doc.clone(),
        kind,
        span: global.span,
    }
}

/// What reports call a metric. That of an imported file has the file's name before it: others may have the same name.
fn metric_name(t: &Tables<'_>, global: &hir::Global) -> String {
    let is_of_entry = global.span.source == crate::SourceId(0);
    let source = &t.sources.source(global.span.source).name;
    match std::path::Path::new(source).file_stem() {
        Some(stem) if !is_of_entry => format!("{}.{}", stem.to_string_lossy(), global.name),
        _ => global.name.clone(),
    }
}

fn metric(t: &Tables<'_>, global: &hir::Global) -> ir::GlobalKind {
    let (kind, sample) = match *t.ty(global.ty) {
        Type::Metric(kind, sample) => (kind, t.repr(sample)),
        _ => (MetricKind::Counter, Repr::Unit),
    };
    let word = match kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Rate => "rate",
        MetricKind::Trend => "trend",
    };
    let sample = match sample {
        Repr::Scalar(s) => s,
        _ => Scalar::Float,
    };
    ir::GlobalKind::Metric {
        kind: word.to_owned(),
        sample,
    }
}

fn lower_scenario(t: &mut Tables<'_>, scenario: &hir::Scenario) -> ir::Scenario {
    ir::Scenario {
        name: scenario.name.clone(),
        setup: scenario.setup.map(|id| t.func(id)),
        init: scenario.init.map(|id| t.func(id)),
        each: scenario.each.map(|id| t.func(id)),
        exit: scenario.exit.map(|id| t.func(id)),
        teardown: scenario.teardown.map(|id| t.func(id)),
        cells: scenario.cells.iter().map(|cell| t.slot(cell.ty)).collect(),
        load: scenario.load.as_ref().map(load::plan),
        source: scenario.source.map(load::global),
        tags: scenario.tags.clone(),
        thresholds: load::thresholds(&scenario.thresholds),
        span: scenario.span,
    }
}
