//! How an engine is called, and what its program printed.

use super::programs::{Group, Program};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where programs are.
#[derive(Debug)]
pub(crate) struct Programs {
    /// scn.
    pub(crate) scn: PathBuf,
    /// LuaJIT.
    pub(crate) luajit: PathBuf,
    /// Lua 5.4.
    pub(crate) lua: PathBuf,
    /// The folder with the programs that are measured.
    pub(crate) folder: PathBuf,
}

/// Something that runs a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// scn, with this `--engine` or with what it takes by itself.
    Scn(Option<String>),
    /// LuaJIT.
    LuaJit,
    /// Lua 5.4.
    Lua,
}

impl Engine {
    /// The engines of a run: those of scn that are asked for, or what scn takes by itself, and both of Lua.
    pub(crate) fn all(asked: &[String]) -> Vec<Engine> {
        let mut engines: Vec<Engine> = asked.iter().cloned().map(Some).map(Engine::Scn).collect();
        if engines.is_empty() {
            engines.push(Engine::Scn(None));
        }
        engines.extend([Engine::LuaJit, Engine::Lua]);
        engines
    }

    /// Its name in reports.
    pub(crate) fn name(&self) -> String {
        match self {
            Engine::Scn(None) => "scn".to_owned(),
            Engine::Scn(Some(engine)) => format!("scn {engine}"),
            Engine::LuaJit => "luajit".to_owned(),
            Engine::Lua => "lua5.4".to_owned(),
        }
    }

    /// Whether it makes machine code, as far as one can say: what scn takes by itself counts as an interpreter.
    pub(crate) fn compiles(&self) -> bool {
        match self {
            Engine::Scn(engine) => engine.as_deref().is_some_and(|name| name != "interp"),
            Engine::LuaJit => true,
            Engine::Lua => false,
        }
    }

    /// The sizes at which it runs a program: engines are compared with those that are about as fast, and where scn compiles
    /// and interprets, one with the other.
    pub(crate) fn sizes(&self, program: &Program, engines: &[Engine]) -> Vec<u64> {
        let is_scn = |engine: &Engine| matches!(engine, Engine::Scn(_));
        let compiled = engines
            .iter()
            .any(|other| is_scn(other) && other.compiles());
        let interpreted = engines
            .iter()
            .any(|other| is_scn(other) && !other.compiles());
        let mut sizes = Vec::new();
        if interpreted || !self.compiles() {
            sizes.push(program.size);
        }
        if self.compiles() && compiled {
            sizes.push(program.large);
        }
        sizes.dedup();
        sizes
    }

    /// The program that it is.
    pub(crate) fn program<'a>(&self, paths: &'a Programs) -> &'a Path {
        match self {
            Engine::Scn(_) => &paths.scn,
            Engine::LuaJit => &paths.luajit,
            Engine::Lua => &paths.lua,
        }
    }

    /// The command that runs a program at a size.
    pub(crate) fn command(&self, paths: &Programs, program: &Program, size: u64) -> Command {
        let mut command = Command::new(self.program(paths));
        let file = |extension: &str| paths.folder.join(format!("{}.{extension}", program.name));
        match self {
            Engine::Scn(engine) => {
                command.arg("run").arg(file("scn"));
                command.args(["--json", "--set", &format!("n={size}")]);
                if let Some(engine) = engine {
                    command.args(["--engine", engine]);
                }
            }
            Engine::LuaJit | Engine::Lua => {
                command.arg(file("lua")).arg(size.to_string());
            }
        }
        command
    }

    /// What the program printed: of scn the texts of its logs, of Lua everything.
    pub(crate) fn result(&self, printed: &str) -> String {
        match self {
            Engine::Scn(_) => logged(printed),
            Engine::LuaJit | Engine::Lua => printed.trim_end().to_owned(),
        }
    }
}

/// The texts of the log lines in the output of `scn run --json`, without space behind the last one, as of Lua.
pub(crate) fn logged(printed: &str) -> String {
    let events = printed
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let texts = events
        .filter(|event| event["type"] == "log")
        .filter_map(|event| event["text"].as_str().map(str::to_owned));
    texts.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// A bar that a ratio is held against, over a group of programs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bar {
    /// The geometric mean and the greatest ratio are at most that.
    AtMost { mean: f64, each: Option<f64> },
    /// The geometric mean is at least that.
    AtLeast(f64),
}

/// A ratio of two engines that reports show for each program.
#[derive(Debug, PartialEq)]
pub(crate) struct Claim {
    /// The engine above the line.
    pub(crate) of: Engine,
    /// The engine below.
    pub(crate) to: Engine,
    /// Whether it is taken at the large size.
    pub(crate) large: bool,
}

impl Claim {
    /// What can be claimed of engines: scn against the one of Lua that is like it, interpreters against LuaJIT too, and
    /// scn's interpreter against its compiler.
    pub(crate) fn all(engines: &[Engine]) -> Vec<Claim> {
        let claim = |of: &Engine, to: &Engine, large| Claim {
            of: of.clone(),
            to: to.clone(),
            large,
        };
        let scn = |compiles| {
            let of_scn = engines.iter().filter(|one| matches!(one, Engine::Scn(_)));
            of_scn.filter(move |one| one.compiles() == compiles)
        };
        let lua = |wanted: Engine| engines.iter().find(move |one| **one == wanted);
        let mut claims = Vec::new();
        for one in scn(true) {
            claims.extend(lua(Engine::LuaJit).map(|to| claim(one, to, true)));
            claims.extend(scn(false).map(|of| claim(of, one, false)));
        }
        for one in scn(false) {
            claims.extend(lua(Engine::Lua).map(|to| claim(one, to, false)));
            claims.extend(lua(Engine::LuaJit).map(|to| claim(one, to, false)));
        }
        claims
    }

    /// The bar of a group of programs, if there is one.
    pub(crate) fn bar(&self, group: Group) -> Option<Bar> {
        match (&self.of, &self.to, group) {
            (Engine::Scn(_), Engine::LuaJit, Group::Language) if self.large => Some(Bar::AtMost {
                mean: 1.15,
                each: Some(2.0),
            }),
            (Engine::Scn(_), Engine::LuaJit, Group::Library) => Some(Bar::AtMost {
                mean: 0.5,
                each: None,
            }),
            (Engine::Scn(_), Engine::Lua, Group::Language) => Some(Bar::AtMost {
                mean: 1.5,
                each: None,
            }),
            (Engine::Scn(_), Engine::Scn(_), Group::Language) => Some(Bar::AtLeast(5.0)),
            _ => None,
        }
    }

    /// The size at which it is taken.
    pub(crate) fn size(&self, program: &Program) -> u64 {
        match self.large {
            true => program.large,
            false => program.size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::programs::PROGRAMS;
    use super::*;

    fn engines(asked: &[&str]) -> Vec<Engine> {
        let asked: Vec<String> = asked.iter().map(|&name| name.to_owned()).collect();
        Engine::all(&asked)
    }

    fn shown(claims: &[Claim]) -> Vec<String> {
        let one = |claim: &Claim| format!("{} / {}", claim.of.name(), claim.to.name());
        claims.iter().map(one).collect()
    }

    #[test]
    fn the_engine_is_passed_only_when_asked_for() {
        let paths = Programs {
            scn: "scn".into(),
            luajit: "luajit".into(),
            lua: "lua".into(),
            folder: "compute".into(),
        };
        let line = |engine: &Engine| {
            let command = engine.command(&paths, &PROGRAMS[0], 9);
            crate::compare::report::command_line(&command)
        };
        let all = engines(&[]);
        assert_eq!(line(&all[0]), "scn run compute/fib.scn --json --set n=9");
        assert_eq!(line(&all[2]), "lua compute/fib.lua 9");
        let asked = line(&engines(&["jit"])[0]);
        assert!(asked.ends_with(" --engine jit"), "{asked}");
    }

    #[test]
    fn engines_are_compared_with_their_like() {
        let alone = Claim::all(&engines(&[]));
        assert_eq!(shown(&alone), ["scn / lua5.4", "scn / luajit"]);
        assert_eq!(alone[1].bar(Group::Language), None);
        let both = Claim::all(&engines(&["interp", "jit"]));
        let wanted = [
            "scn jit / luajit",
            "scn interp / scn jit",
            "scn interp / lua5.4",
            "scn interp / luajit",
        ];
        assert_eq!(shown(&both), wanted);
        assert_eq!(both[1].bar(Group::Language), Some(Bar::AtLeast(5.0)));
        assert!(both[0].bar(Group::Language).is_some() && both[0].large);
    }

    #[test]
    fn every_claim_has_both_engines_run_at_its_size() {
        for asked in [&[][..], &["jit"], &["interp", "jit"], &["auto"]] {
            let engines = engines(asked);
            for program in &PROGRAMS {
                for claim in Claim::all(&engines) {
                    let size = claim.size(program);
                    assert!(claim.of.sizes(program, &engines).contains(&size));
                    assert!(claim.to.sizes(program, &engines).contains(&size));
                }
            }
        }
    }

    #[test]
    fn results_of_scn_are_the_texts_of_its_logs() {
        let printed = "{\"type\":\"begin\"}\n{\"type\":\"log\",\"text\":\"a\"}\n{\"type\":\"log\",\"text\":\"b\\nc\"}\n";
        assert_eq!(Engine::Scn(None).result(printed), "a\nb\nc");
        assert_eq!(Engine::Lua.result("a\nb\n"), "a\nb");
    }
}
