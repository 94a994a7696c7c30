//! Each program prints the same in scn and in Lua.

use super::engines::{Engine, Programs, logged};
use super::programs::{PROGRAMS, Program, SMALL};
use crate::compare::clients::find;
use std::path::{Path, PathBuf};

fn paths() -> Programs {
    Programs {
        scn: "scn".into(),
        luajit: "luajit".into(),
        lua: "lua5.4".into(),
        folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("compute"),
    }
}

/// What a program logs, run by scn inside this process.
fn by_scn(program: &Program, size: u64) -> String {
    let command = Engine::Scn(None).command(&paths(), program, size);
    let output = scn_tests::program::scn(command.get_args());
    let name = program.name;
    assert_eq!(output.status, 0, "{name} {size}: {}", output.transcript());
    assert_eq!(output.err, "", "{name} {size}");
    logged(&output.out)
}

fn by_lua(engine: &Engine, program: &Program, size: u64) -> String {
    let output = engine.command(&paths(), program, size).output();
    let output = output.expect("the program is there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {size}: {said}", program.name);
    engine.result(&String::from_utf8_lossy(&output.stdout))
}

#[test]
fn programs_print_the_same_in_scn_and_in_lua() {
    let (installed, missing): (Vec<Engine>, Vec<Engine>) = [Engine::LuaJit, Engine::Lua]
        .into_iter()
        .partition(|engine| find(engine.program(&paths())).is_some());
    for engine in missing {
        println!("skipped: there is no `{}`", engine.name());
    }
    for program in PROGRAMS.iter().filter(|_| !installed.is_empty()) {
        for size in SMALL {
            let scn = by_scn(program, size);
            assert!(!scn.is_empty(), "{} {size}", program.name);
            for engine in &installed {
                let lua = by_lua(engine, program, size);
                assert_eq!(scn, lua, "{} {size} by {}", program.name, engine.name());
            }
        }
    }
}

/// Results that are known from elsewhere, so that scn is judged without Lua too.
#[test]
fn programs_print_what_is_known() {
    let by_name = |name: &str, size| {
        let found = PROGRAMS.iter().find(|program| program.name == name);
        by_scn(found.expect("there is such a program"), size)
    };
    assert_eq!(by_name("fib", 12), "144");
    assert_eq!(by_name("loop_sum", 10), "3025");
    assert_eq!(by_name("sieve", 10), "4 17");
    assert_eq!(by_name("nbody", 1), "-169075164 -169074954");
    assert_eq!(by_name("spectral_norm", 100), "1274219991");
}

#[test]
fn every_file_of_the_folder_belongs_to_a_program() {
    let folder = std::fs::read_dir(paths().folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut wanted: Vec<PathBuf> = PROGRAMS
        .iter()
        .flat_map(|program| ["lua", "scn"].map(|kind| format!("{}.{kind}", program.name)))
        .map(|name| paths().folder.join(name))
        .collect();
    wanted.sort();
    assert_eq!(files, wanted);
}
