//! How runs of components end that do not end well by themselves, and what runs nothing: one verdict in all outputs.

use super::{LIMIT, Temporary};
use scn_tests::program::{Output, scn};

/// The component of a source.
fn built(name: &str, text: &str) -> Temporary {
    let source = Temporary::new(&format!("{name}.scn"), text.as_bytes());
    let component = Temporary::new(&format!("{name}.wasm"), b"");
    let output = scn(["build", &source.shown(), "-o", &component.shown()]);
    assert_eq!(output.status, 0, "{}", output.err);
    component
}

fn run(component: &Temporary, options: &[&str]) -> Output {
    let shown = component.shown();
    let mut arguments = vec!["run", &shown];
    if !options.contains(&"--time-limit") {
        arguments.extend(["--time-limit", LIMIT]);
    }
    scn(arguments.into_iter().chain(options.iter().copied()))
}

const LIMITED: &[&str] = &["--time-limit", "200ms"];

#[test]
fn a_run_that_its_time_limit_ended_has_failed_in_all_outputs() {
    let waits = built("waits", "scenario s {\n  check true\n  sleep 1h\n}");
    let load = "scenario s {\n  load { users 1 for 1h }\n  each { sleep 10ms }\n}";
    for component in [waits, built("leads", load)] {
        let text = run(&component, LIMITED);
        assert_eq!((text.status, text.err.as_str()), (1, ""), "{}", text.out);
        assert!(text.out.contains('✗') && !text.out.contains("passed"));
        assert!(text.out.contains("the time limit of 200ms was over"));
        assert!(!text.out.contains("on request"), "{}", text.out);

        let json = run(&component, &[LIMITED, &["--json"]].concat());
        let last = json.out.lines().last().expect("there is a summary");
        assert!(last.contains("\"status\":1"), "{last}");
        assert!(last.contains("the time limit of 200ms was over"), "{last}");
        assert_eq!(json.status, 1);

        let junit = run(&component, &[LIMITED, &["--out", "junit=-"]].concat());
        assert!(junit.out.contains("errors=\"1\""), "{}", junit.out);
        assert!(junit.out.contains("time limit"), "{}", junit.out);

        let results = run(&component, &[LIMITED, &["--out", "json=-"]].concat());
        let results: serde_json::Value = serde_json::from_str(&results.out).expect("it is JSON");
        assert_eq!(results["stopped"]["by"], "time_limit");
        assert_eq!(results["verdict"]["status"], 1);
    }
}

#[test]
fn what_crashes_does_not_look_as_if_it_had_held() {
    let grows = "var t = \"x\"\n  loop { t += t }";
    let alone = format!("scenario s {{\n  check true\n  {grows}\n}}");
    let led = format!("scenario s {{\n  load {{ users 1 for 1h }}\n  each {{\n  {grows}\n }}\n}}");
    for (name, text, until) in [
        ("alone", alone, "until then 1 check held"),
        ("led", led, "without results"),
    ] {
        let output = run(&built(name, &text), &["--memory", "16MiB"]);
        assert_eq!(output.status, 3);
        let end = output.out.lines().last().expect("it says how it ended");
        assert!(end.starts_with("✗ the component crashed"), "{end}");
        assert!(end.contains(until), "{end}");
        assert!(output.err.contains("refused memory"), "{}", output.err);
        assert!(!output.err.contains("cut off"), "{}", output.err);
    }
}

#[test]
fn results_are_written_of_runs_without_a_plan_too() {
    let text = "scenario s {\n  check 1 == 1\n  check 1 == 2\n}";
    let output = run(&built("plain-results", text), &["--out", "junit=-"]);
    assert_eq!(output.status, 1);
    assert!(output.out.contains("check: 1 == 2"), "{}", output.out);
    assert!(output.out.contains("failures=\"1\""), "{}", output.out);
}

#[test]
fn a_component_of_tests_says_so_and_runs_nothing() {
    let tests = built("tests-only", "test \"adds\" { check 1 + 1 == 2 }");
    let plain = run(&tests, &[]);
    assert_eq!((plain.status, plain.out.as_str()), (2, ""));
    assert!(plain.err.contains("there is no scenario"), "{}", plain.err);
    assert!(plain.err.contains("--tests"), "{}", plain.err);
    let given = run(&tests, &["--", "--tests"]);
    assert_eq!(given.status, 0, "{}", given.err);
    assert!(given.out.contains("1 check held"), "{}", given.out);
    let none = run(&tests, &["--", "--tests", "--filter", "zzz"]);
    assert_eq!(none.status, 2);
    assert!(none.err.contains("there is no test to run"), "{}", none.err);
    assert!(none.err.contains("--filter left none over"), "{}", none.err);
}

#[test]
fn a_component_is_known_by_its_content_and_told_from_a_source() {
    let component = built("renamed", "scenario s { check true }");
    let bytes = std::fs::read(&component.0).expect("it was written");
    let renamed = Temporary::new("renamed.bin", &bytes);
    assert_eq!(run(&renamed, &[]).status, 0);
    for command in ["check", "test", "build"] {
        let output = scn([command, &renamed.shown()]);
        assert_eq!(output.status, 2);
        assert!(output.err.contains("is a component"), "{}", output.err);
        assert!(output.err.contains("scn inspect"), "{}", output.err);
    }
}

#[test]
fn a_build_never_overwrites_a_source_nor_fails_where_nothing_can_be_opened() {
    let text = "scenario s { check true }";
    let source = Temporary::new("kept.scn", text.as_bytes());
    let folder = source.0.parent().expect("it is in a folder");
    let around = folder
        .join(".")
        .join(source.0.file_name().expect("it has a name"));
    for output in [source.shown(), around.display().to_string()] {
        let built = scn(["build", &source.shown(), "-o", &output]);
        assert_eq!(built.status, 2);
        assert!(built.err.contains("overwrite the source"), "{}", built.err);
        assert_eq!(
            std::fs::read_to_string(&source.0).expect("it is there"),
            text
        );
    }
    let nowhere = folder.join("scn-no-such-folder").join("x.wasm");
    let built = scn([
        "build",
        &source.shown(),
        "-o",
        &nowhere.display().to_string(),
    ]);
    assert_eq!(built.status, 2, "{}", built.err);
}

#[test]
fn a_source_takes_limits_and_grants_where_a_component_runs_it() {
    let own = "server api http \"127.0.0.1:0\" { _ { return reply(204) } }\n\
               scenario s {\n  check http.get(\"${api.url}/\").status == 204\n}";
    let source = Temporary::new("granted.scn", own.as_bytes());
    let shown = source.shown();
    let engine = ["run", &shown, "--engine", "component"];
    let all = scn(engine.iter().chain(&["--time-limit", LIMIT]));
    assert_eq!(all.status, 0, "{}{}", all.out, all.err);
    let limits = ["--time-limit", LIMIT, "--source", "127.0.0.1"];
    let denied = scn(engine.iter().chain(&limits));
    assert_eq!(denied.status, 1);
    let help = "grant it by --allow '127.0.0.1:*'";
    assert!(denied.err.contains(help), "{}", denied.err);
    let help = "it names: --allow '127.0.0.1:*' --source 127.0.0.1";
    assert!(denied.err.contains(help), "{}", denied.err);
    let allow = ["--allow", "127.0.0.1:*"];
    let granted = scn(engine.iter().chain(&limits).chain(&allow));
    assert_eq!(granted.status, 0, "{}{}", granted.out, granted.err);
    let native = scn(["run", &shown, "--instances", "2"]);
    assert_eq!(native.status, 2);
    assert!(native.err.contains("`--instances`"), "{}", native.err);
    assert!(native.err.contains("--engine component"), "{}", native.err);
}
