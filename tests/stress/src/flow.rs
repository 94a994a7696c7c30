//! Statements beside [`super::statement`]: loops of other kinds, deep recursion, matches, secrets, checks of what fails.

use super::program::{BROKEN, Kind, Maker};

/// Calls to the limit of depth, by functions that every program has.
const DEEP: &[&str] = &[
    "check down(20000, [1, 2], \"deep\") == 3",
    "check even(20001, \"\")",
    "check slow(20000, [1, 2]) == 1",
    "check mixed(12000) == 4",
    "log.info(even(30000, \"x\") catch e { \"${e.kind} ${e.message}\" == \"\" })",
    "log.info(\"${slow(9990, [3, 4]) catch e { log.info(e.message); 0 }}\")",
];

impl Maker {
    /// A statement of this file.
    pub fn further(&mut self) {
        match self.random.below(10) {
            0 => self.deep(),
            1 => self.every(),
            2 => self.endless(),
            3 => self.choose(),
            4 => self.case(),
            5 => self.secret(),
            6 => self.if_let(),
            7 => self.while_let(),
            8 => self.rewrite(),
            _ => self.risky(),
        }
    }

    fn deep(&mut self) {
        if self.deep == 0 || self.loops > 0 || self.result.is_some() {
            return self.risky();
        }
        self.deep -= 1;
        let line = self.random.pick(DEEP);
        self.line(line);
    }

    /// Looks at something that may well fail: the report holds the error with its place and trace.
    fn risky(&mut self) {
        let kind = self.random.pick(&[Kind::Int, Kind::Text, Kind::Float]);
        let value = self.value(kind, 3);
        let other = self.literal(kind, 0);
        self.line(&format!("check {value} == {other}"));
    }

    fn every(&mut self) {
        let name = self.name("n");
        let period = 1 + self.random.below(4);
        self.line(&format!("var {name} = 0"));
        self.line(&format!("every {period}ms {{"));
        self.in_loop(|maker| {
            maker.line(&format!("{name} += 1"));
            maker.line(&format!("if {name} > 3 {{ break }}"));
            maker.statements(2);
        });
        self.line("}");
    }

    fn endless(&mut self) {
        let name = self.name("n");
        self.line(&format!("var {name} = 0"));
        self.line("loop {");
        self.in_loop(|maker| {
            maker.line(&format!("{name} += 1"));
            maker.line(&format!("if {name} > 3 {{ break }}"));
            maker.statements(3);
        });
        self.line("}");
        self.declare(&name, Kind::Int, false);
    }

    fn choose(&mut self) {
        self.line("choose {");
        self.indent += 1;
        for _ in 0..2 {
            let weight = 1 + self.random.below(3);
            self.line(&format!("{weight} => {{"));
            self.scoped(|maker| maker.statements(2));
            self.line("}");
        }
        self.indent -= 1;
        self.line("}");
    }

    fn case(&mut self) {
        let color = self.value(Kind::Color, 2);
        let name = self.name("m");
        self.line(&format!("let {name}: Color = {color}"));
        self.line(&format!("match {name} {{"));
        self.indent += 1;
        for case in ["red", "green | blue"] {
            self.line(&format!("{case} => {{"));
            self.scoped(|maker| maker.statements(2));
            self.line("}");
        }
        self.indent -= 1;
        self.line("}");
    }

    fn secret(&mut self) {
        let name = self.name("hidden");
        let text = self.value(Kind::Text, 1);
        self.line(&format!("let {name} = secret({text})"));
        self.line(&format!(
            "check \"digest ${{crypto.sha256({name} + \"salt\").hex()}}\" == \"\""
        ));
        self.line(&format!("check {name}.len() < 4"));
    }

    fn if_let(&mut self) {
        let kinds = [
            (Kind::MaybeInt, Kind::Int),
            (Kind::MaybeText, Kind::Text),
            (Kind::MaybeFloat, Kind::Float),
            (Kind::MaybePart, Kind::Part),
        ];
        let (maybe, kind) = self.random.pick(&kinds);
        let Some(from) = self.variable(maybe) else {
            return self.risky();
        };
        let name = self.name("some");
        self.line(&format!("if let {name} = {from} {{"));
        self.scoped(|maker| {
            maker.declare(&name, kind, false);
            maker.statements(3);
        });
        self.line("} else {");
        self.scoped(|maker| maker.statements(2));
        self.line("}");
    }

    fn while_let(&mut self) {
        let (list, item) = (self.name("list"), self.name("item"));
        let value = self.value(Kind::Texts, 1);
        self.line(&format!("var {list}: list<string> = {value}"));
        self.line(&format!("while let {item} = {list}.pop() {{"));
        self.in_loop(|maker| {
            maker.declare(&item, Kind::Text, false);
            maker.statements(2);
        });
        self.line("}");
    }

    /// Changes elements of a list in a loop; who else holds the list must not notice, whatever fails.
    fn rewrite(&mut self) {
        let [list, kept, before, at] = ["list", "kept", "before", "at"].map(|name| self.name(name));
        let kind = self.random.pick(&[Kind::Ints, Kind::Texts, Kind::Floats]);
        let element = match kind {
            Kind::Ints => Kind::Int,
            Kind::Texts => Kind::Text,
            _ => Kind::Float,
        };
        let value = self.value(kind, 1);
        self.line(&format!("var {list}: {} = {value}", kind.name()));
        self.line(&format!("let {kept} = {list}"));
        self.line(&format!("let {before} = \"${{{kept}}}\""));
        let end = self
            .random
            .pick(&["LIST.len()", "LIST.len() + 1", "2", "LIST.len() / 2"]);
        let end = end.replace("LIST", &list);
        let value = self.value(element, 1);
        self.line(&format!("do {{ for {at} in 0..{end} {{"));
        self.in_loop(|maker| {
            if maker.random.one_in(3) {
                let condition = maker.condition();
                maker.line(&format!("if {condition} {{ continue }}"));
            }
            maker.line(&format!("{list}[{at}] = {value}"));
            if maker.random.one_in(3) {
                maker.line(&format!("{list}[0] = {list}[{at}]"));
            }
            maker.declare(&list, kind, true);
            maker.statements(1);
        });
        self.line("} } catch e { log.info(e.message) }");
        self.line(&format!(
            "if \"${{{kept}}}\" != {before} {{ log.info(\"{BROKEN} {kept}: ${{{kept}}}\") }}"
        ));
        self.declare(&list, kind, true);
        self.declare(&kept, kind, false);
    }
}
