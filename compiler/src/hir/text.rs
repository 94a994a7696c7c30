//! The HIR as text: what `scn inspect --emit hir` prints and stage snapshots hold.
//!
//! Enter at [`hir_text`]. It reads like the language with everything written out: types behind names, conversions as
//! calls (`json(x)`), defaults filled in. Locals are `name.number`.

mod expr;
mod types;

use super::{
    Binding, Block, Branch, CellOwner, Cond, Const, Function, FunctionKind, Global, GlobalKind,
    Hir, LoadPlan, LoadStage, LocalId, Place, Root, Route, Scenario, Segment, Step, Stmt, StmtKind,
    Threshold, TypeId, Wait,
};
use std::fmt::Write;

/// The whole program as text.
pub fn hir_text(hir: &Hir) -> String {
    let mut printer = Printer {
        hir,
        out: String::new(),
        depth: 0,
        function: None,
    };
    printer.program();
    printer.out
}

/// Writes lines with an indent.
struct Printer<'h> {
    hir: &'h Hir,
    out: String,
    depth: usize,
    function: Option<&'h Function>,
}

impl<'h> Printer<'h> {
    fn line(&mut self, text: &str) {
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn program(&mut self) {
        for def in &self.hir.enums {
            let cases = def.cases.join(", ");
            self.line(&format!("enum {} {{ {cases} }}", def.name));
        }
        for global in &self.hir.globals {
            self.global(global);
        }
        for scenario in &self.hir.scenarios {
            self.scenario(scenario);
        }
        for test in &self.hir.tests {
            let name = &self.hir.functions[test.func.index()].name;
            self.line(&format!("run {name}"));
        }
        for threshold in &self.hir.thresholds {
            self.line(&threshold_text(threshold));
        }
        for function in &self.hir.functions {
            self.function(function);
        }
    }

    fn global(&mut self, global: &Global) {
        let head = format!("{}: {}", global.name, self.ty(global.ty));
        match &global.kind {
            GlobalKind::Param { init } => {
                let init = init.map_or("none", |_| "its initialiser");
                self.line(&format!("param {head} = {init}"));
            }
            GlobalKind::Data { .. } => self.line(&format!("data {head} = its initialiser")),
            GlobalKind::Metric => self.line(&format!("metric {head}")),
            GlobalKind::Pool(pool) => {
                let ranges: Vec<_> = pool
                    .ranges
                    .iter()
                    .map(|(a, b)| format!("{a}-{b}"))
                    .collect();
                let line = format!(
                    "pool {} {} pick {} lease {}",
                    global.name,
                    ranges.join(" "),
                    pool.pick,
                    pool.lease
                );
                self.line(&line);
            }
            GlobalKind::Server(server) => {
                self.line(&format!("server {head}"));
                self.depth += 1;
                for cell in &server.cells {
                    let line = format!("cell {}: {}", cell.name, self.ty(cell.ty));
                    self.line(&line);
                }
                for route in &server.routes {
                    let line = route_text(self, route);
                    self.line(&line);
                }
                self.depth -= 1;
            }
        }
    }

    fn scenario(&mut self, scenario: &Scenario) {
        self.line(&format!("scenario {}", scenario.name));
        self.depth += 1;
        for cell in &scenario.cells {
            let line = format!("cell {}: {}", cell.name, self.ty(cell.ty));
            self.line(&line);
        }
        if let Some(source) = scenario.source {
            let line = format!("source {}", self.hir.globals[source.index()].name);
            self.line(&line);
        }
        for (tag, value) in &scenario.tags {
            self.line(&format!("tag {tag}: {value:?}"));
        }
        if let Some(load) = &scenario.load {
            self.load(load);
        }
        for threshold in &scenario.thresholds {
            self.line(&threshold_text(threshold));
        }
        self.depth -= 1;
    }

    fn load(&mut self, load: &LoadPlan) {
        for stage in &load.stages {
            let line = match stage {
                LoadStage::Users { from, to, over } => {
                    let time = over.map_or(String::new(), |time| format!(" over {}", nanos(time)));
                    format!("users {from} -> {to}{time}")
                }
                LoadStage::Arrivals {
                    from,
                    to,
                    over,
                    poisson,
                } => {
                    let poisson = if *poisson { " poisson" } else { "" };
                    format!("arrivals {from}/s -> {to}/s over {}{poisson}", nanos(*over))
                }
                LoadStage::Spawn { count, at, .. } => format!("spawn {count} at {}", nanos(*at)),
            };
            self.line(&line);
        }
        let numbers = [
            ("iterations per user", load.iterations_per_user),
            ("iterations shared", load.iterations_shared),
            ("max users", load.max_users),
            ("weight", load.weight),
        ];
        for (name, value) in numbers {
            if let Some(value) = value {
                self.line(&format!("{name} {value}"));
            }
        }
        let times = [
            ("run for", load.run_for),
            ("pace", load.pace),
            ("start at", load.start_at),
            ("graceful stop", load.graceful_stop),
        ];
        for (name, value) in times {
            if let Some(value) = value {
                self.line(&format!("{name} {}", nanos(value)));
            }
        }
        if let Some((from, to)) = load.think {
            self.line(&format!("think {}..{}", nanos(from), nanos(to)));
        }
        for (name, value) in [
            ("limit spawn", load.limit_spawn),
            ("limit requests", load.limit_requests),
        ] {
            if let Some(value) = value {
                self.line(&format!("{name} {value}/s"));
            }
        }
        if load.fresh_users {
            self.line("fresh users");
        }
    }

    fn function(&mut self, function: &'h Function) {
        self.function = Some(function);
        let params: Vec<_> = function
            .params
            .iter()
            .map(|id| {
                format!(
                    "{}: {}",
                    self.local(*id),
                    self.ty(function.locals[id.index()].ty)
                )
            })
            .collect();
        let kind = match function.kind {
            FunctionKind::Fn => "fn",
            FunctionKind::Section(_) => "section",
            FunctionKind::Test => "test",
            FunctionKind::Initialiser => "initialiser",
            FunctionKind::ServerState => "state",
            FunctionKind::Connection => "connection",
            FunctionKind::Route => "route",
        };
        let result = self.ty(function.result);
        self.out.push('\n');
        self.line(&format!(
            "{kind} {}({}) -> {result} {{",
            function.name,
            params.join(", ")
        ));
        self.block(&function.body);
        self.line("}");
    }

    /// The lines of a block, one level deeper; its value comes last, behind `=`.
    fn block(&mut self, block: &Block) {
        self.depth += 1;
        for stmt in &block.stmts {
            self.stmt(stmt);
        }
        if let Some(value) = &block.value {
            let text = self.expr(value);
            self.line(&format!("= {text}"));
        }
        self.depth -= 1;
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Let { pattern, value } => {
                let (pattern, value) = (self.typed_binding(pattern), self.expr(value));
                self.line(&format!("let {pattern} = {value}"));
            }
            StmtKind::Assign { place, value } => {
                let (place, value) = (self.place(place), self.expr(value));
                self.line(&format!("{place} = {value}"));
            }
            StmtKind::Update { place, old, value } => {
                let (place, old, value) = (self.place(place), self.local(*old), self.expr(value));
                self.line(&format!("{place} = with {old}: {value}"));
            }
            StmtKind::Check(check) => {
                let word = if check.soft { "check" } else { "expect" };
                let label = check
                    .label
                    .as_ref()
                    .map_or(String::new(), |label| format!("{}: ", self.expr(label)));
                let cond = self.expr(&check.cond);
                self.line(&format!("{word} {label}{cond}"));
            }
            StmtKind::Think(wait) => self.wait("think", wait),
            StmtKind::Sleep(wait) => self.wait("sleep", wait),
            StmtKind::Expr(value) => {
                let value = self.expr(value);
                self.line(&value);
            }
            _ => self.nested(stmt),
        }
    }

    /// Statements with blocks in them.
    fn nested(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Defer(body) => self.headed("defer", body),
            StmtKind::For {
                pattern,
                iterable,
                body,
            } => {
                let head = format!(
                    "for {} in {}",
                    self.typed_binding(pattern),
                    self.expr(iterable)
                );
                self.headed(&head, body);
            }
            StmtKind::While { cond, body } => {
                let head = match cond {
                    Some(cond) => format!("while {}", self.cond(cond)),
                    None => "loop".to_owned(),
                };
                self.headed(&head, body);
            }
            StmtKind::Every { period, body } => {
                let head = format!("every {}", self.expr(period));
                self.headed(&head, body);
            }
            StmtKind::Choose(arms) => {
                self.line("choose {");
                self.depth += 1;
                for (weight, body) in arms {
                    self.headed(&format!("{weight} =>"), body);
                }
                self.depth -= 1;
                self.line("}");
            }
            StmtKind::Parallel(branches) => {
                self.line("parallel {");
                self.depth += 1;
                for branch in branches {
                    let head = self.branch_head(branch);
                    self.headed(&head, &branch.body);
                }
                self.depth -= 1;
                self.line("}");
            }
            _ => {}
        }
    }

    fn branch_head(&self, branch: &Branch) -> String {
        let lets: Vec<_> = branch.lets.iter().map(|id| self.local(*id)).collect();
        if lets.is_empty() {
            "branch".to_owned()
        } else {
            format!("branch of {}", lets.join(", "))
        }
    }

    fn headed(&mut self, head: &str, body: &Block) {
        self.line(&format!("{head} {{"));
        self.block(body);
        self.line("}");
    }

    fn wait(&mut self, word: &str, wait: &Wait) {
        let text = match wait {
            Wait::Fixed(time) => self.expr(time),
            Wait::Between(from, to) => format!("{}..{}", self.expr(from), self.expr(to)),
        };
        self.line(&format!("{word} {text}"));
    }

    fn cond(&mut self, cond: &Cond) -> String {
        match cond {
            Cond::Expr(cond) => self.expr(cond),
            Cond::Let { pattern, value } => {
                format!("let {} = {}", self.typed_binding(pattern), self.expr(value))
            }
        }
    }

    fn local(&self, id: LocalId) -> String {
        let name = self
            .function
            .map_or("", |function| function.locals[id.index()].name.as_str());
        format!("{name}.{}", id.0)
    }

    fn cell(&self, id: super::CellId) -> String {
        let cells = match self.function.and_then(|function| function.cells) {
            Some(CellOwner::Scenario(at)) => &self.hir.scenarios[at as usize].cells,
            Some(CellOwner::Server(id)) => match &self.hir.globals[id.index()].kind {
                GlobalKind::Server(server) => &server.cells,
                _ => return format!("cell.{}", id.0),
            },
            None => return format!("cell.{}", id.0),
        };
        format!("cell {}", cells[id.index()].name)
    }

    fn typed_binding(&self, binding: &Binding) -> String {
        match binding {
            Binding::Local(id) => {
                let ty = self.function.map_or(TypeId(0), |f| f.locals[id.index()].ty);
                format!("{}: {}", self.local(*id), self.ty(ty))
            }
            Binding::Cell(id) => self.cell(*id),
            Binding::Ignore => "_".to_owned(),
            Binding::Tuple(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.typed_binding(part)).collect();
                format!("({})", parts.join(", "))
            }
        }
    }

    fn place(&mut self, place: &Place) -> String {
        let mut text = match place.root {
            Root::Local(id) => self.local(id),
            Root::Cell(id) => self.cell(id),
        };
        for step in &place.path {
            match step {
                Step::Field { record, index } => {
                    let _ = write!(text, ".{}", self.field(*record, *index));
                }
                Step::Index { index, .. } => {
                    let _ = write!(text, "[{}]", self.expr(index));
                }
                Step::Key { key, .. } => {
                    let _ = write!(text, "[{}]", self.expr(key));
                }
            }
        }
        text
    }
}

fn route_text(printer: &Printer<'_>, route: &Route) -> String {
    let method = route.method.as_deref().unwrap_or("*");
    let Some(path) = &route.path else {
        return "route _".to_owned();
    };
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Text(part) => {
                let _ = write!(text, "/{part}");
            }
            Segment::Param(name, ty) => {
                let _ = write!(text, "/{{{name}: {}}}", printer.ty(*ty));
            }
        }
    }
    format!("route {method} {text}")
}

fn threshold_text(threshold: &Threshold) -> String {
    let abort = threshold.abort_after.map_or(String::new(), |after| {
        format!(" abort after {}", nanos(after))
    });
    let filter: Vec<_> = threshold
        .filter
        .iter()
        .map(|(tag, value)| format!("{tag}: {value:?}"))
        .collect();
    let empty = if threshold.or_empty { " or empty" } else { "" };
    format!(
        "threshold {}{{{}}} {} {:?} {}{empty}{abort}",
        threshold.metric,
        filter.join(", "),
        threshold.aggregate,
        threshold.op,
        threshold.value
    )
}

/// A duration in its largest whole unit.
fn nanos(nanos: i64) -> String {
    let units = [
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
    ];
    let unit = units
        .into_iter()
        .find(|(size, _)| nanos != 0 && nanos % size == 0);
    match unit {
        Some((size, name)) => format!("{}{name}", nanos / size),
        None if nanos == 0 => "0s".to_owned(),
        None => format!("{nanos}ns"),
    }
}

/// A constant as it would be written.
fn constant(value: &Const) -> String {
    let all = |values: &[Const]| values.iter().map(constant).collect::<Vec<_>>().join(", ");
    match value {
        Const::None => "none".to_owned(),
        Const::Bool(value) => value.to_string(),
        Const::Int(value) => value.to_string(),
        Const::Float(value) => format!("{value:?}"),
        Const::Duration(value) => nanos(*value),
        Const::Rate(value) => format!("{value}/s"),
        Const::String(value) => format!("{value:?}"),
        Const::Bytes(value) => format!("b\"{}\"", value.escape_ascii()),
        Const::Regex(value) => format!("re{value:?}"),
        Const::Ip(value) => format!("ip({value})"),
        Const::Addr(value) => format!("addr({value})"),
        Const::Enum(_, case) => format!("case {case}"),
        Const::List(values) => format!("[{}]", all(values)),
        Const::Tuple(values) => format!("({})", all(values)),
        Const::Record(values) => format!("{{{}}}", all(values)),
        Const::Map(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", constant(key), constant(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Const::Range {
            start,
            end,
            inclusive,
        } => {
            let dots = if *inclusive { "..=" } else { ".." };
            format!("{}{dots}{}", constant(start), constant(end))
        }
        Const::Any(_, value) => format!("any({})", constant(value)),
    }
}
