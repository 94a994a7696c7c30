//! What must hold on all engines beyond the programs of the language suite: huge functions, many parameters, deep
//! recursion with large frames, loops that are stopped from outside, and what machine code may never be.

#![forbid(unsafe_code)]

use scn_compiler::Passes;
use scn_runtime::event::{Event, Observer};
use scn_runtime::run::Engine;
use scn_runtime::{Plan, StopHandle, run};
use scn_stress::compare;
use scn_stress::story::{link, plan, program, tell};
use std::fmt::Write;

/// How large a function may be without anybody noticing.
const STATEMENTS: usize = 1500;

const ENGINES: [Engine; 2] = [Engine::Interp, Engine::Jit];

/// What a program tells, which is the same on all engines.
fn told(text: &str) -> Vec<String> {
    match compare(text) {
        Ok(compared) => compared.lines,
        Err(why) => panic!("{why}"),
    }
}

fn assert_told(lines: &[String], what: &str) {
    assert!(
        lines.iter().any(|line| line.starts_with(what)),
        "nobody told `{what}`: {lines:#?}"
    );
}

#[test]
fn texts_of_params_are_made_anew_for_other_params() {
    let text = "param name: string\nfn text() -> string { return \"<${name}>\" }\nscenario s { log.info(text()) }\n";
    let program = program(text, Passes::All).expect("it is right");
    for engine in ENGINES {
        let linked = link(&program).expect("it links");
        for name in ["one", "two"] {
            let plan = Plan {
                params: vec![("name".to_owned(), name.to_owned())],
                ..plan(engine)
            };
            let lines = tell(&linked, &plan, None).expect("it runs");
            assert_told(&lines, &format!("<{name}>"));
        }
    }
}

#[test]
fn functions_of_thousands_of_statements_are_compiled() {
    let mut text = "scenario s {\n  var x = 1\n  var xs = [0]\n".to_owned();
    for at in 0..STATEMENTS {
        // Writing to a string cannot fail.
        let _ = match at % 50 {
            0 => writeln!(text, "  sleep 1ms"),
            1..=9 => writeln!(text, "  xs[0] = xs[0] + x"),
            10 => writeln!(text, "  if x % {} == 0 {{ xs.push(x) }}", at % 7 + 2),
            _ => writeln!(text, "  x = (x * 3 + {at}) % 1000003"),
        };
    }
    text.push_str("  log.info(\"sum ${xs[0] + xs.len() + x}\")\n}\n");
    assert_told(&told(&text), "sum ");
}

#[test]
fn functions_take_hundreds_of_parameters() {
    let kinds = ["int", "float", "string", "int?", "float?"];
    let values = ["7", "0.5", "\"t\"", "3", "none"];
    let params: Vec<String> = (0..200)
        .map(|at| format!("p{at}: {}", kinds[at % 5]))
        .collect();
    let args: Vec<&str> = (0..200).map(|at| values[at % 5]).collect();
    let sum: Vec<String> = (0..200)
        .map(|at| match at % 5 {
            0 => format!("p{at}"),
            1 => format!("int(p{at} * 2.0)"),
            2 => format!("p{at}.len()"),
            3 => format!("(p{at} ?? fail \"none\")"),
            _ => format!("int(p{at} ?? 1.0)"),
        })
        .collect();
    let (params, args, sum) = (params.join(", "), args.join(", "), sum.join(" + "));
    for wait in ["", "sleep 1ms; "] {
        let text = format!(
            "fn f({params}) -> int {{ {wait}return {sum} }}\nscenario s {{ log.info(\"sum ${{f({args})}}\") }}\n"
        );
        assert_told(&told(&text), "sum 520 ");
    }
}

/// A function that calls itself without end, with so many values that it needs afterwards.
fn deep(values: usize) -> String {
    let mut text = "fn f(n: int) -> int {\n".to_owned();
    for at in 0..values {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  let a{at} = n * {} + {at}", at % 9 + 2);
    }
    text.push_str("  var sum = f(n + 1)\n");
    for at in 0..values {
        let _ = writeln!(text, "  sum = sum + a{at}");
    }
    text.push_str("  return sum\n}\n");
    text.push_str("scenario s { check f(0) == 1 }\n");
    text
}

#[test]
fn recursion_with_large_frames_meets_the_limit_of_depth() {
    // Machine code takes some 20 MiB of the stack for this.
    let body = || {
        assert_told(
            &told(&deep(250)),
            "check 0 None false None Some(\"script.depth",
        )
    };
    let thread = std::thread::Builder::new().stack_size(128 << 20);
    let thread = thread.spawn(body).expect("there is memory");
    thread.join().expect("no engine leaves the stack");
}

#[test]
fn recursion_that_could_leave_the_stack_has_no_machine_code() {
    let program = program(&deep(1200), Passes::All).expect("it is right");
    let linked = link(&program).expect("it links");
    let refused = tell(&linked, &plan(Engine::Jit), None).expect_err("it needs too much");
    assert!(refused.contains("recursion may take"), "{refused}");
    let lines = tell(&linked, &plan(Engine::Interp), None).expect("it runs");
    assert_told(&lines, "check 0 None false None Some(\"script.depth");
}

/// Asks to stop and then to cancel as soon as the program says that it has begun.
struct Impatient<'a>(&'a StopHandle);

impl Observer for Impatient<'_> {
    fn event(&mut self, event: Event) {
        if let Event::Log { text, .. } = event
            && text == "begun"
        {
            self.0.request();
            self.0.request();
        }
    }
}

#[test]
fn endless_loops_end_with_the_run() {
    let loops = [
        "log.info(\"begun\"); loop { x += 1; if x > 100 { x = 0 } }",
        "let y = spin(0)\n log.info(\"${y}\")",
        "parallel { let a = do { sleep 1ms; spin(1) }\n let b = do { sleep 5ms; 1 } }",
    ];
    let head = "fn spin(n: int) -> int { log.info(\"begun\"); var k = n; while k < 9 { k = (k + 1) % 7 }; return k }\n";
    for body in loops {
        let text =
            format!("{head}scenario s {{ var x = 0\n defer {{ log.info(\"left\") }}\n {body} }}\n");
        let program = program(&text, Passes::All).expect("it is right");
        for engine in ENGINES {
            let linked = link(&program).expect("it links");
            let stop = StopHandle::new();
            let outcome = run(&linked, &plan(engine), &mut Impatient(&stop), &stop);
            let outcome = outcome.expect("it runs");
            assert_eq!((outcome.cancelled, outcome.live_objects), (1, 0), "{body}");
        }
    }
}

/// Memory of code is written first and run then, and is never both at once.
#[cfg(target_os = "linux")]
#[test]
fn machine_code_is_never_writable() {
    let program = program("scenario s { log.info(\"run\") }\n", Passes::All).expect("it is right");
    let linked = link(&program).expect("it links");
    linked.compile().expect("it compiles");
    let maps = std::fs::read_to_string("/proc/self/maps").expect("the system tells");
    let rights = |line: &str| line.split(' ').nth(1).unwrap_or_default().to_owned();
    let both = |line: &&str| rights(line).contains('w') && rights(line).contains('x');
    assert_eq!(maps.lines().find(both), None);
    // Code that was compiled here belongs to no file.
    let code = |line: &str| rights(line).contains('x') && line.trim_end().ends_with(" 0");
    assert!(maps.lines().any(code), "there is code of no file: {maps}");
}
