//! Components on the command line: `scn run x.wasm` and `scn inspect x.wasm`; what they do, compared with native runs.
//!
//! Each run has a time limit.

#![forbid(unsafe_code)]

#[path = "components/ends.rs"]
mod ends;
#[path = "components/handovers.rs"]
mod handovers;
#[path = "components/livelock.rs"]
mod livelock;
#[path = "components/loads.rs"]
mod loads;
#[path = "components/plain.rs"]
mod plain;
#[path = "components/pools.rs"]
mod pools;
#[path = "components/random.rs"]
mod random;
#[path = "components/replay.rs"]
mod replay;

use scn_tests::program::{Output, scn};
use std::path::PathBuf;

/// Longer than any of these components takes on the busiest machine.
const LIMIT: &str = "60s";

/// A file that goes away with the test.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, bytes: &[u8]) -> Temporary {
        let name = format!("scn-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).expect("a temporary file can be written");
        Temporary(path)
    }

    fn shown(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Runs a component with further arguments.
fn run(file: &Temporary, arguments: &[&str]) -> Output {
    let shown = file.shown();
    let mut all = vec!["run", &shown, "--time-limit", LIMIT];
    all.extend(arguments);
    scn(all)
}

const FUNCTIONAL: &str = r#"fn halve(n: int) -> int {
  expect n % 2 == 0
  return n / 2
}
scenario shop {
  setup { log.info("set up") }
  each {
    step "count" {
      check halve(4) == 2
      check "nine is ten": 9 == 10
    }
    log.warn("two\nlines")
    let numbers = [1, 2]
    check halve(numbers[0]) == 0
  }
}
scenario broken {
  let numbers = [1, 2]
  check numbers[2] == 3
}
"#;

#[test]
fn what_a_component_tells_is_shown_as_it_is_shown_of_a_native_run() {
    let told = replay::Told::of("functional.scn", FUNCTIONAL, &[]);
    let file = Temporary::new("functional.wasm", &told.component());
    for options in [&[][..], &["--quiet"], &["--verbose"], &["--json"]] {
        let (native, component) = (told.native(options), run(&file, options));
        assert_eq!(component.out, native.out, "{options:?}");
        assert_eq!(component.status, native.status);
        assert_eq!(native.status, 1);
    }
}

const LOAD: &str = r#"metric sold: counter<int>
scenario busy {
  load {
    users 3 for 4s
    pace 200ms
  }
  thresholds {
    checks rate > 90%
    iteration.duration p95 < 1ms or empty
  }
  check 1 + 1 == 2
  if rand.float() < 0.3 { check "rare": 1 == 2 }
  step "sell" { sold.add(2) }
}
"#;

#[test]
fn load_runs_of_components_have_the_same_summary_and_results() {
    let told = replay::Told::of("busy.scn", LOAD, &[]);
    let bytes = told.component();
    let file = Temporary::new("busy.wasm", &bytes);
    let (native, component) = (told.native(&[]), run(&file, &[]));
    assert_eq!(component.out, native.out);
    assert_eq!(component.status, native.status);
    let (native, component) = (told.native(&["--json"]), run(&file, &["--json"]));
    let last_lines = |output: &Output| {
        let lines = output.out.lines().map(str::to_owned);
        lines.collect::<Vec<_>>()
    };
    let names = |lines: &[String]| {
        lines
            .iter()
            .map(|line| line[..20].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&last_lines(&component)), names(&last_lines(&native)));
}

#[test]
fn instances_are_put_together() {
    let told = replay::Told::of("busy2.scn", LOAD, &[]);
    let file = Temporary::new("busy2.wasm", &told.component());
    let results = |options: &[&str]| {
        let output = run(&file, options);
        let report = output.out.lines().find(|line| line.contains(r#""report""#));
        let report = report.unwrap_or_else(|| panic!("there is a report in {}", output.out));
        serde_json::from_str::<serde_json::Value>(report).expect("it is JSON")["results"].take()
    };
    let (one, three) = (
        results(&["--json"]),
        results(&["--json", "--instances", "3"]),
    );
    let count =
        |results: &serde_json::Value, path: &str| results.pointer(path).and_then(|v| v.as_u64());
    for path in [
        "/scenarios/0/iterations",
        "/scenarios/0/users",
        "/checks/0/passed",
        "/timeline/1/iterations",
        "/workers",
    ] {
        let alone = count(&one, path).unwrap_or_else(|| panic!("there is {path} in {one}"));
        assert_eq!(count(&three, path), Some(3 * alone), "{path}");
    }
    assert_eq!(one["thresholds"][0]["ok"], three["thresholds"][0]["ok"]);
}

#[test]
fn what_cannot_run_is_refused_with_what_to_do() {
    let refused = |bytes: &[u8], options: &[&str]| {
        let file = Temporary::new("refused.wasm", bytes);
        let output = run(&file, options);
        assert_eq!((output.status, output.out.as_str()), (2, ""));
        output.err.replace(&file.shown(), "x.wasm")
    };
    let text = refused(b"hello", &[]);
    assert!(
        text.contains("cannot run `x.wasm`: it is no component"),
        "{text}"
    );
    let told = replay::Told::of("refused.scn", "scenario s { check 1 == 1 }", &[]);
    let bytes = told.component();
    for (options, why) in [
        (
            &["--allow", "a.test"][..],
            "`a.test` grants nothing: it has no port",
        ),
        (&["--source", "10.0.0.0/99"], "`10.0.0.0/99` grants nothing"),
        (&["--roots", "/nowhere.pem"], "cannot use `/nowhere.pem`"),
        (&["--env", "SCN_NO_SUCH_VARIABLE"], "there is no variable"),
        (&["--engine", "interp"], "`--engine` is not for components"),
    ] {
        let text = refused(&bytes, options);
        assert!(text.contains(why), "{text}");
    }
    let native = Temporary::new("native.scn", b"scenario s { check 1 == 1 }");
    let output = scn(["run", &native.shown(), "--allow-all"]);
    assert_eq!(output.status, 2);
    assert!(output.err.contains("for components only"), "{}", output.err);
}

#[test]
fn inspect_shows_what_a_component_says_of_itself() {
    let text = r#"param base: string = "http://a.test:81"
scenario s {
  let r = http.get("${base}/x")
  check r.status == 200
}
"#;
    let told = replay::Told::checked("inspected.scn", text);
    let file = Temporary::new("inspected.wasm", &told.component());
    let output = scn(["inspect", &file.shown()]);
    assert_eq!((output.status, output.err.as_str()), (0, ""));
    let shown = output.out;
    for part in [
        "imports:\n",
        "  wasi:cli/stdout@0.2.0\n    get-stdout() -> output-stream\n",
        "exports:\n  wasi:cli/run@0.2.0\n    run() -> result\n",
        "reaches:\n  a.test:81 by http.get, the default of param base\n",
        "inspected.scn: 5 lines\n",
        "checks: 1, expects: 0, steps: 0, calls: 1\n",
    ] {
        assert!(shown.contains(part), "{part:?} in {shown}");
    }
    let wrong = Temporary::new("wrong.wasm", b"\0asm\x01\0\0\0");
    let output = scn(["inspect", &wrong.shown()]);
    assert_eq!(output.status, 2);
    assert!(
        output.err.contains("is no component: it is a core module"),
        "{}",
        output.err
    );
}
