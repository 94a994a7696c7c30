//! Statements: declarations, changes of nested values, control flow, errors, waits, branches.

use super::program::{BROKEN, Kind, Maker};

/// What branches hand over.
const HANDED: [Kind; 5] = [Kind::Int, Kind::Text, Kind::Float, Kind::Color, Kind::Bool];

impl Maker {
    /// At most so many statements.
    pub fn statements(&mut self, most: usize) {
        for _ in 0..1 + self.random.below(most) {
            if self.fuel > 0 {
                self.fuel -= 1;
                self.statement();
            }
        }
    }

    fn statement(&mut self) {
        match self.random.below(31) {
            0..=3 => self.variable_of_its_own(),
            4..=8 => self.change(),
            9 => self.alias(),
            10 => self.failed_change(),
            11 => self.branch(),
            12 => self.walk(),
            13 => self.count(),
            14 => self.caught_block(),
            15 => self.timeout(),
            16 => self.defer(),
            17 => self.retry(),
            18 => self.race(),
            19 => self.parallel(),
            20 => self.step(),
            21 => self.jump(),
            22 => self.wait(),
            24..=30 => self.further(),
            _ => self.look(),
        }
    }

    pub fn variable_of_its_own(&mut self) {
        let (name, kind) = (self.name("v"), self.kind());
        let value = self.value(kind, 3);
        // What fails ends much: mostly it is caught.
        let caught = match self.random.one_in(5) {
            true => String::new(),
            false => format!(" catch {}", self.literal(kind, 1)),
        };
        self.line(&format!("var {name}: {} = {value}{caught}", kind.name()));
        self.declare(&name, kind, true);
    }

    /// A variable that may be assigned here.
    fn target(&mut self, kind: Kind) -> Option<String> {
        let fitting: Vec<usize> = (self.own..self.variables.len())
            .filter(|at| self.variables[*at].mutable && self.variables[*at].kind == kind)
            .collect();
        (!fitting.is_empty()).then(|| {
            let at = fitting[self.random.below(fitting.len())];
            self.variables[at].name.clone()
        })
    }

    /// A place that may be assigned, with its type.
    fn place(&mut self) -> Option<(String, Kind)> {
        let kind = self.kind();
        let root = self.target(kind)?;
        let at = self.random.below(3);
        let index = match self.random.one_in(3) {
            true => self.value(Kind::Int, 0),
            false => at.to_string(),
        };
        let key = self.key();
        Some(match (kind, self.random.below(7)) {
            (Kind::Ints, 0..=3) => (format!("{root}[{index}]"), Kind::Int),
            (Kind::Texts, 0..=3) => (format!("{root}[{index}]"), Kind::Text),
            (Kind::Map, 0..=2) => (format!("{root}[{key}]"), Kind::Texts),
            (Kind::Map, 3..=5) => (format!("{root}[{key}][{index}]"), Kind::Text),
            (Kind::Part, 0) => (format!("{root}.n"), Kind::Int),
            (Kind::Part, 1) => (format!("{root}.s"), Kind::Text),
            (Kind::Part, 2..=4) => (format!("{root}.xs[{index}]"), Kind::Int),
            (Kind::Whole, 0) => (format!("{root}.part.s"), Kind::Text),
            (Kind::Whole, 1) => (format!("{root}.parts[{index}].xs[{at}]"), Kind::Int),
            (Kind::Whole, 2) => (format!("{root}.parts[{index}]"), Kind::Part),
            (Kind::Whole, 3) => (format!("{root}.map[{key}][{index}]"), Kind::Text),
            (Kind::Whole, 4) => (format!("{root}.maybe"), Kind::MaybePart),
            (Kind::Whole, 5) => (format!("{root}.k"), Kind::MaybeInt),
            _ => (root, kind),
        })
    }

    fn change(&mut self) {
        let Some((place, kind)) = self.place() else {
            return self.variable_of_its_own();
        };
        let value = self.value(kind, 2);
        let line = match (kind, self.random.below(4)) {
            (Kind::Int, 0) => format!("{place} += {value}"),
            (Kind::Text, 0) => format!("{place} += \"+\""),
            (Kind::Ints | Kind::Texts, 0) => {
                let element = if kind == Kind::Ints {
                    Kind::Int
                } else {
                    Kind::Text
                };
                format!("{place}.push({})", self.value(element, 2))
            }
            (Kind::Ints | Kind::Texts, 1) => {
                let element = if kind == Kind::Ints {
                    Kind::Int
                } else {
                    Kind::Text
                };
                let value = self.value(element, 1);
                format!("{place}.insert({}, {value})", self.random.below(3))
            }
            (Kind::Ints | Kind::Texts, 2) => format!("{place}.remove({})", self.random.below(3)),
            _ => format!("{place} = {value}"),
        };
        match self.random.one_in(5) {
            false => self.line(&format!(
                "do {{ {line} }} catch e {{ log.info(\"no change: ${{e.message}}\") }}"
            )),
            true => self.line(&line),
        }
    }

    /// A copy must not change with the original.
    fn alias(&mut self) {
        let kind = self
            .random
            .pick(&[Kind::Whole, Kind::Map, Kind::Part, Kind::Ints]);
        let Some(name) = self.target(kind) else {
            return self.change();
        };
        let (copy, before) = (self.name("copy"), self.name("before"));
        self.line(&format!("let {copy} = {name}"));
        self.line(&format!("let {before} = \"${{{name}}}\""));
        let change = match kind {
            Kind::Whole => "NAME.parts[0].xs[0] = 99; NAME.map[\"a\"].push(\"alias\")",
            Kind::Map => "NAME[\"a\"][0] = \"alias\"",
            Kind::Part => "NAME.xs.push(99); NAME.s += \"alias\"",
            _ => "NAME.push(99); NAME[0] = 98",
        };
        let change = change.replace("NAME", &name);
        self.line(&format!(
            "do {{ {change} }} catch {{ log.info(\"no alias\") }}"
        ));
        self.line(&format!(
            "if \"${{{copy}}}\" != {before} {{ log.info(\"{BROKEN} {copy}: ${{{copy}}}\") }}"
        ));
        self.declare(&copy, kind, false);
    }

    /// A change that fails leaves the value as it was.
    fn failed_change(&mut self) {
        let kind = self
            .random
            .pick(&[Kind::Whole, Kind::Map, Kind::Part, Kind::Ints]);
        let Some(name) = self.target(kind) else {
            return self.change();
        };
        let before = self.name("before");
        self.line(&format!("let {before} = \"${{{name}}}\""));
        // Behind the end as the list is now: in a loop it may have grown to any length.
        let changes: &[&str] = match kind {
            Kind::Whole => &[
                "NAME.parts[NAME.parts.len() + 9].xs[0] = 1",
                "NAME.parts[0].xs[NAME.parts[0].xs.len()] = 1",
                "NAME.map[\"zz\"][0] = \"no\"",
                "NAME.map[\"a\"].insert((NAME.map[\"a\"] ?? []).len() + 1, \"no\")",
            ],
            Kind::Map => &[
                "NAME[\"zz\"].push(\"no\")",
                "NAME[\"a\"][(NAME[\"a\"] ?? []).len()] += \"no\"",
            ],
            Kind::Part => &[
                "NAME.xs[NAME.xs.len()] = 1",
                "NAME.xs.remove(NAME.xs.len() + 1)",
                "NAME.xs[-1 - NAME.xs.len()] += 1",
            ],
            _ => &[
                "NAME[NAME.len()] = 1",
                "NAME.insert(NAME.len() + 1, 1)",
                "NAME[-1 - NAME.len()] = 5",
            ],
        };
        let change = self.random.pick(changes).replace("NAME", &name);
        self.line(&format!(
            "do {{ {change} }} catch {{ log.info(\"refused\") }}"
        ));
        self.line(&format!(
            "if \"${{{name}}}\" != {before} {{ log.info(\"{BROKEN} {name}: ${{{name}}}\") }}"
        ));
    }

    fn body(&mut self, most: usize) {
        self.scoped(|maker| maker.statements(most));
    }

    fn branch(&mut self) {
        let condition = self.condition();
        self.line(&format!("if {condition} {{"));
        self.body(3);
        self.line("} else {");
        self.body(2);
        self.line("}");
    }

    pub fn in_loop(&mut self, inner: impl FnOnce(&mut Maker)) {
        let outer = std::mem::replace(&mut self.can_jump, true);
        self.loops += 1;
        self.scoped(inner);
        self.loops -= 1;
        self.can_jump = outer;
    }

    fn walk(&mut self) {
        let item = self.name("i");
        match self.random.below(3) {
            0 => {
                let other = self.name("i");
                let map = self.value(Kind::Map, 0);
                let map = match map.starts_with('(') {
                    true => "{ \"k\": [\"w\"] }".to_owned(),
                    false => map,
                };
                self.line(&format!("for ({item}, {other}) in {map} {{"));
                self.in_loop(|maker| {
                    maker.declare(&item, Kind::Text, false);
                    maker.declare(&other, Kind::Texts, false);
                    maker.statements(3);
                });
            }
            1 => {
                let end = 1 + self.random.below(3);
                self.line(&format!("for {item} in 0..{end} {{"));
                self.in_loop(|maker| {
                    maker.declare(&item, Kind::Int, false);
                    maker.statements(3);
                });
            }
            _ => {
                let list = self.name("list");
                let value = self.value(Kind::Ints, 2);
                self.line(&format!("let {list}: list<int> = {value}"));
                self.line(&format!("for {item} in {list}.take(3) {{"));
                self.in_loop(|maker| {
                    maker.declare(&item, Kind::Int, false);
                    maker.statements(3);
                });
            }
        }
        self.line("}");
    }

    fn count(&mut self) {
        let name = self.name("count");
        self.line(&format!("var {name} = 0"));
        self.line(&format!("while {name} < 3 {{"));
        self.in_loop(|maker| {
            maker.line(&format!("{name} += 1"));
            maker.statements(3);
        });
        self.line("}");
        self.declare(&name, Kind::Int, false);
    }

    fn caught_block(&mut self) {
        self.line("do {");
        self.body(4);
        self.line("} catch e {");
        self.scoped(|maker| {
            maker.line("log.info(e.kind)");
            maker.statements(2);
        });
        self.line("}");
    }

    fn timeout(&mut self) {
        let limit = 1 + self.random.below(6);
        self.line(&format!("timeout {limit}ms {{"));
        self.body(4);
        if self.random.one_in(3) {
            self.line("} catch e { log.info(e.kind) }");
        } else {
            self.line("} catch {");
            self.body(1);
            self.line("}");
        }
    }

    /// Runs `inner` where no jump may lead out.
    fn enclosed(&mut self, inner: impl FnOnce(&mut Maker)) {
        let jump = std::mem::replace(&mut self.can_jump, false);
        let result = self.result.take();
        self.scoped(inner);
        self.can_jump = jump;
        self.result = result;
    }

    fn defer(&mut self) {
        self.line("defer {");
        self.enclosed(|maker| maker.statements(2));
        self.line("}");
    }

    fn retry(&mut self) {
        let (name, kind) = (self.name("v"), self.kind());
        let backoff = self.random.pick(&["", " backoff 1ms..3ms"]);
        self.line(&format!(
            "var {name}: {} = retry 2 times{backoff} {{",
            kind.name()
        ));
        self.scoped(|maker| {
            maker.statements(3);
            let value = maker.value(kind, 2);
            maker.line(&value);
        });
        let value = self.literal(kind, 1);
        self.line(&format!("}} catch {value}"));
        self.declare(&name, kind, true);
    }

    /// The body of a branch with a value.
    fn strand(&mut self, kind: Kind) {
        let own = std::mem::replace(&mut self.own, self.variables.len());
        self.enclosed(|maker| {
            maker.wait();
            maker.statements(3);
            let value = maker.value(kind, 2);
            maker.line(&value);
        });
        self.own = own;
    }

    fn race(&mut self) {
        if self.loops > 0 {
            return self.wait();
        }
        let (name, kind) = (self.name("v"), self.random.pick(&HANDED));
        self.line(&format!("let {name}: {} = race {{", kind.name()));
        self.indent += 1;
        for _ in 0..2 + self.random.below(2) {
            self.line("do {");
            self.strand(kind);
            self.line("}");
        }
        self.indent -= 1;
        let value = self.literal(kind, 1);
        self.line(&format!("}} catch {value}"));
        self.declare(&name, kind, false);
    }

    fn parallel(&mut self) {
        if self.loops > 0 {
            return self.wait();
        }
        self.line("do {");
        self.indent += 1;
        let variables = self.variables.len();
        let mut made = Vec::new();
        self.line("parallel {");
        self.indent += 1;
        for _ in 0..2 + self.random.below(2) {
            let (name, kind) = (self.name("v"), self.random.pick(&HANDED));
            self.line(&format!("let {name}: {} = do {{", kind.name()));
            self.strand(kind);
            self.line("}");
            made.push((name, kind));
        }
        self.indent -= 1;
        self.line("}");
        for (name, kind) in made {
            self.declare(&name, kind, false);
        }
        self.statements(2);
        self.variables.truncate(variables);
        self.indent -= 1;
        self.line("} catch e { log.info(\"parallel ${e.kind}\") }");
    }

    fn step(&mut self) {
        self.line("step \"s\" {");
        self.body(3);
        self.line("}");
    }

    fn jump(&mut self) {
        let condition = self.condition();
        let mut jumps = vec!["fail \"on purpose\"".to_owned()];
        if self.random.one_in(3) {
            jumps = vec!["log.info(\"no jump\")".to_owned()];
        }
        if self.can_jump {
            jumps.extend(["break".to_owned(), "continue".to_owned()]);
        }
        if let Some(kind) = self.result {
            let value = self.value(kind, 1);
            jumps.push(format!("return {value}"));
        }
        let jump = jumps.swap_remove(self.random.below(jumps.len()));
        self.line(&format!("if {condition} {{ {jump} }}"));
    }

    fn wait(&mut self) {
        let wait = self.random.pick(&[
            "sleep 1ms",
            "sleep 2ms",
            "sleep 3ms",
            "sleep 0ms",
            "think 1ms",
            "sleep 1ms..4ms",
        ]);
        self.line(wait);
    }

    fn look(&mut self) {
        let condition = self.condition();
        match self.random.below(3) {
            0 => self.line(&format!("check {condition}")),
            1 => self.line(&format!(
                "do {{ expect {condition} }} catch {{ log.info(\"not as expected\") }}"
            )),
            _ => self.show_all(),
        }
    }
}
