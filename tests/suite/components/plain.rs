//! Components on a host that knows nothing of scn: text for readers, the same summary, JSON and help by arguments.

use crate::Temporary;
use scn_cli::{Surroundings, Terminal};
use scn_host::{Ended, Line, Settings, Stream};
use scn_tests::program::scn;
use std::ffi::OsString;
use std::time::Duration;

/// What a component prints with these arguments, and the status of its process.
fn run(file: &Temporary, arguments: &[&str]) -> (String, u8) {
    run_as(&[], file, arguments)
}

/// The same of one that was built with further options.
fn run_as(options: &[&str], file: &Temporary, arguments: &[&str]) -> (String, u8) {
    // Tests run side by side, each with files of its own.
    let name = file.0.file_stem().expect("it has a name");
    let component = Temporary::new(&format!("{}.wasm", name.display()), b"");
    let (source, output) = (file.shown(), component.shown());
    let usual = ["build", &source, "-o", &output];
    let built = scn(usual.iter().chain(options));
    assert_eq!(built.status, 0, "{}", built.err);
    let bytes = std::fs::read(&component.0).expect("it was written");
    let mut settings = Settings {
        grants: scn_host::Grants::all(),
        time: Some(Duration::from_secs(60)),
        ..Settings::default()
    };
    let given = arguments.iter().map(|&argument| argument.to_owned());
    settings.arguments.extend(given);
    let mut out = Vec::new();
    let ran = scn_host::run(&bytes, &settings, &mut |line: Line| {
        assert_eq!(line.stream, Stream::Out);
        out.extend_from_slice(&line.bytes);
    });
    let ended = ran.expect("it runs").ended;
    let [Ended::Status(status)] = &ended[..] else {
        panic!("it ends by itself, not {ended:?}");
    };
    (String::from_utf8(out).expect("it is text"), *status)
}

/// What a native run prints, with its times.
fn native(file: &Temporary, options: &[&str]) -> String {
    let shown = file.shown();
    let mut args = vec![
        "scn",
        "run",
        &shown,
        "--workers",
        "1",
        "--seed",
        "1",
        "--virtual-clock",
    ];
    args.extend(options);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut terminal = Terminal::new(&mut out, &mut err, Surroundings::default());
    scn_cli::main_with(args.into_iter().map(OsString::from), &mut terminal);
    String::from_utf8(out).expect("it is text")
}

const PASSES: &str = r#"metric sold: counter<int>
metric price: trend<float>
metric waited: trend<duration>
metric level: gauge<int>
metric lucky: rate
scenario one {
  load {
    users 3 for 70s
    pace 500ms
  }
  thresholds {
    checks rate > 10%
    iteration.duration p95 < 1s
    http.duration p95 < 1s or empty
    iterations rate > 1
    step.duration{step: "wait > inner"} max < 4ms
    sold count > 100
  }
  step "wait" {
    sleep 100ms
    step "inner" { sleep 3ms }
  }
  check user.id >= 0
  check "a label": 1 == 1
  sold.add(1234)
  price.add(0.25 * float(user.iteration % 7))
  waited.add(12ms)
  level.add(user.id)
  lucky.add(user.iteration % 3 == 0)
}
scenario two {
  load {
    arrivals 3/s for 10s
    max users 2
    graceful stop 500ms
  }
  step "x" { sleep 900ms }
  if user.iteration == 5 { run.stop("by the script") }
}
"#;

#[test]
fn the_summary_is_that_of_a_native_run() {
    let file = Temporary::new("passes.scn", PASSES.as_bytes());
    for options in [&[][..], &["one"], &["two", "--for", "3s"]] {
        let wanted = native(&file, options);
        let mut arguments = vec!["--seed", "1", "--virtual-clock"];
        arguments.extend(options);
        let (text, _) = run(&file, &arguments);
        assert_eq!(text, wanted);
        assert!(text.contains("scenario  users  at once"), "{text}");
    }
}

/// The host gives it an input that has ended.
#[test]
fn the_end_of_the_input_stops_a_component_that_listens() {
    let text = b"scenario one {\n  load { users 1 for 1h }\n  sleep 10ms\n}";
    let file = Temporary::new("listens.scn", text);
    let (text, status) = run(&file, &["--stop-on-stdin"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("  stopped on request;"), "{text}");
}

#[test]
fn a_component_that_was_built_for_load_leads_users_without_a_plan() {
    let text = b"scenario one { sleep 100ms\n check user.id < 3 }";
    let file = Temporary::new("led.scn", text);
    for options in [
        &["--users", "3", "--for", "2s"][..],
        &["--rate", "5/s", "--for", "2s"],
        &[],
    ] {
        let mut arguments = vec!["--seed", "1", "--virtual-clock"];
        arguments.extend(options);
        let (led, status) = run_as(&["--load"], &file, &arguments);
        assert_eq!(status, 0, "{led}");
        match options.is_empty() {
            true => assert_eq!(led, run(&file, &arguments).0),
            false => assert_eq!(led, native(&file, options)),
        }
    }
}

const FAILS: &str = r#"scenario one {
  load { users 3 for 4s }
  thresholds {
    http.duration p95 < 1s
    checks rate > 99% abort after 2s
  }
  sleep 500ms
  check "even": user.id % 2 == 0
  if user.iteration == 3 { fail "third" }
  let numbers = [1]
  if user.iteration == 1 { check numbers[user.id] == 1 }
}
"#;

#[test]
fn what_failed_is_told_by_its_place() {
    let file = Temporary::new("fails.scn", FAILS.as_bytes());
    let (text, status) = run(&file, &["--seed", "1", "--virtual-clock"]);
    assert_eq!(status, 1);
    // The excerpts of a native run, and what stands for them, are indented.
    let outer = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| !line.starts_with("   ") || line.starts_with("    first in"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(outer(&text), outer(&native(&file, &[])));
    let shown = file.shown();
    for part in [
        "    left is 1, right is 0\n".to_owned(),
        format!("    at {shown}:8:17 in one\n"),
        format!("    third (script.fail)\n    at {shown}:9:28 in one\n"),
    ] {
        assert!(text.contains(&part), "{part} in {text}");
    }
}

const FUNCTIONAL: &str = r#"param name: string
param count: int = 2
scenario first {
  step "greet" { log.info("hello ${name}") }
  check count == 2
}
scenario second {
  let numbers = [1]
  check numbers[0] == 2
  check numbers[count] == 1
}
test "alone" { expect 1 == 1 }
test "another" { expect count == 3 }
"#;

#[test]
fn functional_runs_are_told_to_readers() {
    let file = Temporary::new("functional-plain.scn", FUNCTIONAL.as_bytes());
    let (text, status) = run(&file, &["--set", "name=world", "first"]);
    assert_eq!(status, 0);
    assert!(
        text.starts_with("first\n  ▸ greet\n    info: hello world\n  ◂ greet took "),
        "{text}"
    );
    assert!(
        text.contains("  ✓ count == 2\n\n✓ 1 check held in "),
        "{text}"
    );
    let (text, status) = run(&file, &["--set", "name=world"]);
    assert_eq!(status, 1);
    assert!(
        text.contains("\n✗ 1 check held, 2 checks failed in "),
        "{text}"
    );
    assert!(
        text.contains("    index 2 is outside of 0..1 (script.index)\n"),
        "{text}"
    );
    let (text, _) = run(&file, &["--set", "name=world", "--quiet", "first"]);
    assert_eq!(text, "");
    let (text, status) = run(&file, &["--set", "name=x", "--tests", "--filter", "other"]);
    assert_eq!(status, 1);
    assert!(
        text.contains("    this must hold: count == 3 (left is 2, right is 3) (script.expect)\n"),
        "{text}"
    );
    assert!(!text.contains("alone"), "{text}");
}

#[test]
fn json_is_told_by_an_argument() {
    let file = Temporary::new("json-plain.scn", PASSES.as_bytes());
    let (text, _) = run(&file, &["--json", "--seed", "1", "--virtual-clock"]);
    let lines = text.lines().map(serde_json::from_str::<serde_json::Value>);
    let lines: Vec<serde_json::Value> =
        lines.map(|line| line.expect("each line is JSON")).collect();
    let [.., report, summary] = &lines[..] else {
        panic!("there is a report: {text}");
    };
    assert_eq!(
        (&report["type"], &summary["type"]),
        (&"report".into(), &"summary".into())
    );
    assert_eq!(report["results"]["stopped"]["text"], "by the script");
    assert_eq!(report["results"]["scenarios"][0]["name"], "one");
}

#[test]
fn arguments_are_explained_and_refused() {
    let file = Temporary::new("arguments.scn", FUNCTIONAL.as_bytes());
    let (text, status) = run(&file, &["--help"]);
    assert_eq!(status, 0);
    assert!(
        text.contains("scenarios: \"first\", \"second\"\nparams: \"name\", \"count\"\n"),
        "{text}"
    );
    for (arguments, wanted) in [
        (
            &[][..],
            "error: the param `name` needs a value\n  help: give it by --set name=...\n",
        ),
        (
            &["--set", "nam=x"],
            "error: there is no param `nam`\n  help: there are \"name\", \"count\"\n",
        ),
        (
            &["--set", "name"],
            "error: `name` sets nothing\n  help: write --set name=value\n",
        ),
        (
            &["--set", "name=x", "third"],
            "error: there is no scenario `third`\n  help: there are \"first\", \"second\"\n",
        ),
        (
            &["--set", "name=x", "--set", "count=two"],
            "error: the param `count`: expected int, found `two`\n",
        ),
        (
            &["--colour"],
            "error: there is no argument `--colour`\n  help: --help lists them\n",
        ),
        (
            &["--seed", "x"],
            "error: `--seed` takes a number, not `x`\n",
        ),
        (
            &["--share", "2/2"],
            "error: `--share` takes a number of an instance and how many there are, such as `0/4`, not `2/2`\n",
        ),
        (
            &["--share", "1/0"],
            "error: `--share` takes a number of an instance and how many there are, such as `0/4`, not `1/0`\n",
        ),
        (
            &["--share", "-1/2"],
            "error: `--share` takes a number of an instance and how many there are, such as `0/4`, not `-1/2`\n",
        ),
        (
            &["--share", "x"],
            "error: `--share` takes a number of an instance and how many there are, such as `0/4`, not `x`\n",
        ),
        (
            &["--for"],
            "error: `--for` takes a duration such as `30s`\n",
        ),
        (
            &["--set", "name=x", "--users", "3"],
            "error: `--users` is about load, which this component does not lead\n  help: build it by scn build --load, or give a scenario a `load` block\n",
        ),
    ] {
        assert_eq!(
            run(&file, arguments),
            (wanted.to_owned(), 1),
            "{arguments:?}"
        );
    }
}

const EXPECTS: &str = r#"fn helper(n: int) -> int {
  check n == 3
  return n + 1
}
server shop http "127.0.0.1:0" { GET "/" { return reply(200) } }
scenario one {
  var n = 0
  retry 3 times backoff 1ms..2ms {
    n += 1
    expect n == 2
  }
  check helper(n) == 4
}
"#;

#[test]
fn a_failed_expect_that_is_caught_fails_nothing() {
    let text = EXPECTS.replace("check", "let _held =");
    let file = Temporary::new("caught.scn", text.as_bytes());
    let (text, status) = run(&file, &["--virtual-clock"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("\n✓ 1 check held in "), "{text}");
    assert!(!text.contains('✗'), "{text}");
}

#[test]
fn places_name_the_function_that_they_are_in() {
    let file = Temporary::new("placed.scn", EXPECTS.as_bytes());
    let (text, status) = run(&file, &["--virtual-clock"]);
    assert_eq!(status, 1, "{text}");
    let shown = file.shown();
    for part in [
        format!("    at {shown}:2:9 in helper\n"),
        format!("    at {shown}:12:9 in one\n"),
    ] {
        assert!(text.contains(&part), "{part} in {text}");
    }
}

#[test]
fn a_run_without_a_seed_has_one_of_its_own() {
    let text = "scenario one { log.info(uuid.v4()) }";
    let file = Temporary::new("drawn.scn", text.as_bytes());
    let uuid = |arguments: &[&str]| {
        let (text, _) = run(&file, arguments);
        let line = text.lines().find(|line| line.contains("info: "));
        line.expect("it tells one").to_owned()
    };
    assert_ne!(uuid(&[]), uuid(&[]));
    assert_eq!(uuid(&["--seed", "7"]), uuid(&["--seed", "7"]));
    // Under load the summary says which it was.
    let file = Temporary::new("seeded.scn", PASSES.as_bytes());
    let seed = |arguments: &[&str]| {
        let (text, _) = run(&file, &[&["--virtual-clock"], arguments].concat());
        let (_, seed) = text.trim_end().rsplit_once("; seed ").expect("it is told");
        seed.to_owned()
    };
    assert_ne!(seed(&[]), seed(&[]));
    assert_eq!(
        seed(&["--seed", "18446744073709551615"]),
        u64::MAX.to_string()
    );
}

const KINDS: &str = r#"server shop http "127.0.0.1:0" {
  GET "/" { return reply(404) }
}
scenario one {
  load { users 2; iterations 5 per user; think 50ms }
  let _missing = http.get(shop.url)
  let _refused = do { http.get("http://127.0.0.1:1/").status } catch 0
  if user.iteration == 2 { fail "f" kind "protocol.x" }
}
"#;

#[test]
fn failures_are_listed_by_their_kinds() {
    let file = Temporary::new("kinds.scn", KINDS.as_bytes());
    let (text, status) = run(&file, &["--seed", "1", "--virtual-clock"]);
    assert_eq!(status, 1, "{text}");
    let listed = |text: &str| {
        let starts = ["failures by kind:", "responses by status:", "connections "];
        let lines = text
            .lines()
            .filter(|line| starts.iter().any(|start| line.starts_with(start)));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listed(&text), listed(&native(&file, &[])));
    assert!(
        text.contains("failures by kind: connection_refused 10, protocol.x 2\n"),
        "{text}"
    );
}

#[test]
fn nothing_is_told_of_what_went_well_where_only_failures_are_wanted() {
    let file = Temporary::new("quiet.scn", PASSES.as_bytes());
    let told = run(&file, &["--quiet", "--virtual-clock", "--seed", "1"]);
    assert_eq!(told, (String::new(), 0));
    let file = Temporary::new("quiet-fails.scn", FAILS.as_bytes());
    let (text, _) = run(&file, &["--quiet", "--virtual-clock", "--seed", "1"]);
    assert!(text.contains("\n✗ failed in "), "{text}");
}
