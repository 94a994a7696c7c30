//! Load in components on the virtual clock: who starts when, what bounds do, what is counted, as in a native run.

use crate::Temporary;
use scn_tests::program::{Output, scn};
use serde_json::{Value, json};

/// Cut off after a time that none of these runs needs.
const LIMIT: [&str; 2] = ["--engine-limit", "60s"];

const TELL: &str =
    r#"log.info("${user.id} ${user.iteration} ${run.elapsed} ${rand.int(1..=1000000)}")"#;

/// Runs a program with further arguments, natively by one worker or as a component.
fn run(file: &Temporary, options: &[&str], is_component: bool) -> Output {
    let shown = file.shown();
    let mut all = vec!["run", &shown, "--json", "--seed", "7", "--virtual-clock"];
    match is_component {
        true => all.extend(["--engine", "component"].iter().chain(&LIMIT)),
        false => all.extend(["--engine", "interp", "--workers", "1"]),
    }
    all.extend(options);
    scn(all)
}

/// What a run told and measured, without what only one of them can know.
pub(crate) fn told(output: &Output) -> (Vec<String>, Value) {
    let lines = output.out.lines();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let logs = lines.iter().filter(|line| line["type"] == "log");
    let mut logs: Vec<String> = logs.map(|line| line["text"].to_string()).collect();
    logs.sort();
    let report = lines.iter().find(|line| line["type"] == "report");
    let results = report.map_or(&Value::Null, |line| &line["results"]);
    (logs, measured(results))
}

fn measured(results: &Value) -> Value {
    let pick = |list: &Value, names: &[&str]| {
        let entries = list.as_array().into_iter().flatten();
        let entries = entries.map(|entry| {
            let fields = names.iter();
            Value::Object(
                fields
                    .map(|name| ((*name).to_owned(), entry[*name].clone()))
                    .collect(),
            )
        });
        Value::Array(entries.collect())
    };
    json!({
        "nanos": results["nanos"],
        "stopped": results["stopped"],
        "verdict": results["verdict"],
        "scenarios": pick(&results["scenarios"], &["name", "users", "peak_users", "leaked_users", "iterations", "failed",
            "interrupted", "dropped", "failed_sections", "stages"]),
        "thresholds": pick(&results["thresholds"], &["text", "value", "samples", "ok", "aborted"]),
        "checks": pick(&results["checks"], &["label", "kind", "scenario", "passed", "failed", "example"]),
        "pools": results["pools"],
        "errors": pick(&results["errors"], &["scenario", "count", "first_nanos", "last_nanos"]),
    })
}

/// What a program did, which is the same natively and as a component.
pub(crate) fn same(name: &str, text: &str, options: &[&str]) -> (Vec<String>, Value) {
    let file = Temporary::new(&format!("{name}.scn"), text.as_bytes());
    let (native, component) = (run(&file, options, false), run(&file, options, true));
    assert_ne!(native.status, 2, "{}", native.err);
    assert_eq!(component.err, native.err, "{text}");
    let (told_natively, told) = (told(&native), told(&component));
    assert_eq!(told.0, told_natively.0, "{text}");
    assert_eq!(told.1, told_natively.1, "{text}");
    assert_eq!(component.status, native.status, "{text}");
    told
}

/// Nothing happens at the end of a second: what is due then belongs to the one or to the other.
#[test]
fn each_second_is_told() {
    let text = r#"thresholds {
  iterations count > 30
  iteration.duration p95 < 200ms
}
scenario closed {
  load {
    users 0 -> 5 over 2s
    users 5 for 1.5s
  }
  each {
    check user.iteration % 7 != 3
    if user.iteration % 5 == 4 { fail "odd" }
    sleep 130ms
  }
}
scenario open {
  load {
    arrivals 30/m -> 7/s over 2s
    max users 1
  }
  each { sleep 333ms }
}
"#;
    let file = Temporary::new("seconds.scn", text.as_bytes());
    let seconds = |is_component| {
        let output = run(&file, &[], is_component);
        let lines = output.out.lines();
        let lines = lines.map(|line| serde_json::from_str(line).expect("JSON"));
        let lines: Vec<Value> = lines.collect();
        let of = |kind: &'static str| lines.iter().filter(move |line| line["type"] == kind);
        let report = of("report").next().expect("there is a report");
        let told: Vec<Value> = of("progress").cloned().collect();
        (told, report["results"]["timeline"].clone())
    };
    let (told, timeline) = seconds(true);
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!(timeline.as_array().map(Vec::len), Some(4), "{timeline}");
    assert_eq!((told, timeline), seconds(false));
}

#[test]
fn closed_plans() {
    let (lines, _) = same(
        "closed",
        &format!(
            "scenario s {{
               load {{ users 0 -> 8 over 4s
                 users 8 for 1s
                 users 8 -> 2 over 3s
                 think 300ms }}
               init {{ {TELL} }}
               each {{ {TELL}; sleep 100ms }}
               exit {{ {TELL} }}
             }}"
        ),
        &[],
    );
    assert!(lines.len() > 50);
    for pause in ["pace 500ms", "think 400ms"] {
        same(
            "fresh",
            &format!(
                "scenario s {{ load {{ users 2 for 2s; fresh users; {pause} }}\n each {{ {TELL}; sleep 100ms }} }}"
            ),
            &[],
        );
    }
}

#[test]
fn arrivals() {
    for (name, plan) in [
        ("regular", "arrivals 5/s -> 20/s over 4s; fresh users"),
        ("poisson", "arrivals 50/s for 4s poisson; fresh users"),
        ("dropped", "arrivals 10/s for 10s; max users 2"),
        (
            "steps",
            "arrivals 10/s for 2s; arrivals 30/s for 1s; arrivals 30/s -> 0/s over 2s",
        ),
        ("limited", "arrivals 10/s for 3s; limit requests 5/s"),
    ] {
        let text = format!("scenario s {{ load {{ {plan} }}\n each {{ {TELL}; sleep 450ms }} }}");
        let (lines, _) = same(name, &text, &[]);
        assert!(lines.len() >= 30, "{name}: {}", lines.len());
    }
}

#[test]
fn phases_and_shared_iterations() {
    same(
        "phases",
        &format!(
            "scenario s {{
               load {{ spawn 3 at 0s
                 spawn 4 at 2s tags {{ tenant: \"b\" }}
                 limit spawn 2/s
                 iterations 2 per user
                 pace 1s }}
               each {{ {TELL} }}
             }}"
        ),
        &[],
    );
    let (lines, _) = same(
        "shared",
        &format!(
            "scenario s {{ load {{ users 7; iterations 100 shared }}\n each {{ sleep 10ms; {TELL} }} }}"
        ),
        &[],
    );
    assert_eq!(lines.len(), 100);
}

#[test]
fn the_end_waits_for_the_grace() {
    let (lines, results) = same(
        "grace",
        r#"scenario s {
             load { users 4 for 1s
               graceful stop 2s }
             each { if user.id % 2 == 0 { sleep 1h } else { sleep 2500ms } ; log.info("done") }
             exit { log.info("exit at ${run.elapsed}") }
             teardown { log.info("torn down") }
           }"#,
        &[],
    );
    assert_eq!(lines.len(), 7);
    assert_eq!(results["scenarios"][0]["interrupted"], 2);
}

#[test]
fn failures_of_sections() {
    same(
        "sections",
        r#"scenario s {
             load { users 4
               iterations 2 per user }
             init { if user.id == 1 { fail "no" } }
             each { if user.iteration == 1 { fail "not twice" kind "protocol.again" }
               check user.id > 1
               log.info("each") }
             exit { log.info("exit"); if user.id == 3 { fail "left" } }
             teardown { fail "cannot tear down" }
           }"#,
        &[],
    );
    same(
        "no-setup",
        r#"scenario s {
             load { users 4 for 1s }
             setup { fail "no database" }
             each { log.info("never") }
             teardown { log.info("never") }
           }
           scenario other { load { users 1 for 1s }
             each { log.info("never") }
             teardown { log.info("torn down") } }"#,
        &[],
    );
}

#[test]
fn thresholds_abort_and_scripts_stop() {
    let (_, results) = same(
        "abort",
        r#"scenario s {
             load { users 4 for 1h }
             thresholds { checks rate > 50% abort; iterations count > 0; http.duration p95 < 1s or empty }
             setup { return { name: "seed" } }
             each(s) { check s.name == "other"; sleep 100ms }
             exit(s) { log.info("exit ${s.name}") }
             teardown(s) { log.info("down ${s.name}") }
           }"#,
        &[],
    );
    assert_eq!(results["stopped"]["by"], "threshold");
    let (_, results) = same(
        "late",
        "scenario s { load { users 1 for 1h }
           thresholds { iteration.duration max < 1s abort after 5s }
           each { sleep if run.elapsed > 10s { 2s } else { 100ms } } }",
        &[],
    );
    assert_eq!(results["thresholds"][0]["aborted"], true);
    let (_, results) = same(
        "stop",
        r#"scenario s { load { users 3 for 1h; pace 1s }
             each { log.info("${run.elapsed}"); if user.iteration == 5 { run.stop("enough ${user.id}") } }
             exit { log.info("exit at ${run.elapsed}") } }"#,
        &[],
    );
    assert_eq!(results["stopped"]["by"], "script");
}

#[test]
fn several_scenarios_share_what_the_arguments_give() {
    let text = format!(
        r#"data rows: list<int> = [1, 2, 3, 4, 5, 6]
           metric sold: counter<int>
           scenario a {{
             load {{ users 2
               iterations 2 per user
               weight 3 }}
             log.info("a ${{run.elapsed}} ${{rows.next()}}")
             sold.add(2)
             sleep 1s
           }}
           scenario b {{
             load {{ users 2
               iterations 1 per user
               start at 5s }}
             thresholds {{ sold count == 8 }}
             {TELL}
           }}
           scenario plain {{ {TELL} }}"#
    );
    for options in [
        &[][..],
        &["--users", "9"],
        &["--users", "9", "--for", "7s"],
        &["--iterations", "11"],
        &["a"],
        &["b", "plain"],
        &["b", "--users", "4"],
        &["--verbose"],
    ] {
        same("several", &text, options);
    }
}

#[test]
fn rates_of_the_command_line() {
    for load in [
        "users 3 for 2s; pace 100ms",
        "arrivals 1/s -> 4/s over 4s",
        "iterations 5 shared",
        "arrivals 5/s for 1s poisson",
    ] {
        let text = format!("scenario s {{ load {{ {load} }}\n each {{ {TELL}; sleep 30ms }} }}");
        for options in [
            &["--rate", "10/s", "--for", "3s"][..],
            &["--rate", "10/s", "--iterations", "50"],
            &["--rate", "90/m", "--for", "10s", "--users", "2"],
        ] {
            same("rates", &text, options);
        }
    }
}

#[test]
fn what_users_there_are() {
    same(
        "users",
        "scenario s {
           load { users 4 for 5s
             start at 2s }
           thresholds { users min == 4; users mean == 4; users last == 4; users max == 4 }
           each { step \"wait\" { sleep 100ms } }
         }
         thresholds { step.duration{step: \"wait\"} p95 < 200ms; iterations rate > 1 }",
        &[],
    );
    same(
        "init",
        "scenario s { load { arrivals 10/s for 1s; fresh users }
 init { sleep 700ms }
 each { sleep 1s } }",
        &[],
    );
}

/// Each takes its part: together they do what one does.
#[test]
fn instances_share_a_plan() {
    let file = Temporary::new(
        "share.scn",
        format!("scenario s {{ load {{ users 0 -> 10 over 5s; iterations 40 shared }}\n each {{ {TELL}; sleep 500ms }} }}").as_bytes(),
    );
    let (native, _) = told(&run(&file, &[], false));
    let output = std::env::temp_dir().join(format!("scn-{}-share.wasm", std::process::id()));
    let output = output.to_string_lossy().into_owned();
    let built = scn(["build", &file.shown(), "-o", &output]);
    assert_eq!(built.status, 0, "{}", built.err);
    let shared = scn([
        "run",
        &output,
        "--json",
        "--seed",
        "7",
        "--virtual-clock",
        "--instances",
        "4",
        "--time-limit",
        "60s",
    ]);
    let _ = std::fs::remove_file(&output);
    let (lines, results) = told(&shared);
    assert_eq!(lines.len(), native.len());
    assert_eq!(results["scenarios"][0]["iterations"], 40);
    assert_eq!(results["scenarios"][0]["users"], 10);
}

#[test]
fn what_cannot_be_led_is_refused() {
    let file = Temporary::new(
        "refused.scn",
        b"scenario s { load { users 2 for 1s }\n sleep 1s }",
    );
    let output = run(&file, &["--users", "5000"], true);
    assert_eq!((output.status, output.out.as_str()), (2, ""));
    let what = "`--users 5000` is too many: a component leads at most 1000 users";
    let least = "scn run x.wasm --instances 5";
    assert!(output.err.contains(least), "{}", output.err);
    assert!(output.err.contains(what), "{}", output.err);
    let file = Temporary::new("rate.scn", b"scenario s { sleep 1s }");
    let (native, component) = (
        run(&file, &["--rate", "5/s"], false),
        run(&file, &["--rate", "5/s"], true),
    );
    assert_eq!(
        (component.status, component.err),
        (native.status, native.err)
    );
    assert_eq!(native.status, 2);
}
