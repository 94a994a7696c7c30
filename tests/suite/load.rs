//! Load runs on the virtual clock: who starts when, what bounds do, what is counted; the same for any number of workers.
//!
//! Users tell by `log` who they are and what time it is, which is exact here.

#![forbid(unsafe_code)]

use scn_compiler::source::{Loader, Source};
use scn_runtime::report::{Report, ScenarioReport};
use scn_runtime::{Event, Linked, Observer, Outcome, Plan, StopHandle, What, run};
use std::sync::Arc;

struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _: &str, path: &str) -> Result<Source, String> {
        Err(format!("there is no file {path}"))
    }
}

#[derive(Default)]
struct Lines(Vec<String>);

impl Observer for Lines {
    fn event(&mut self, event: Event) {
        if let Event::Log { text, .. } = event {
            self.0.push(text);
        }
    }
}

fn link(text: &str) -> Arc<Linked> {
    let entry = Source {
        name: "load.scn".to_owned(),
        text: text.to_owned(),
    };
    let checked = scn_compiler::check(entry, &NoFiles, &scn_stdlib::LIBRARY);
    let Some(hir) = &checked.hir else {
        panic!("the program has errors: {:#?}", checked.diagnostics);
    };
    let program = scn_compiler::lower(&checked.sources, hir);
    Arc::new(Linked::link(program, &scn_stdlib::natives()).expect("the program links"))
}

/// Runs a program; gives what it logged, in the order of the text, and what it came to.
fn load(text: &str, workers: u32) -> (Vec<String>, Outcome) {
    let plan = Plan {
        virtual_clock: true,
        seed: 7,
        workers: Some(workers),
        ..Plan::new(What::Scenarios(Vec::new()))
    };
    let mut lines = Lines::default();
    let outcome = run(&link(text), &plan, &mut lines, &StopHandle::new()).expect("it runs");
    assert_eq!(outcome.live_objects, 0, "nothing is left");
    lines.0.sort();
    (lines.0, outcome)
}

fn report(outcome: &Outcome) -> &Report {
    outcome.report.as_deref().expect("a load run has a report")
}

fn scenario(outcome: &Outcome) -> &ScenarioReport {
    let scenario = &report(outcome).scenarios[0];
    assert_eq!(scenario.leaked, 0, "every user is counted out");
    scenario
}

/// Whatever the number of workers, the lines are the same; gives them.
fn same_for_any_workers(text: &str) -> Vec<String> {
    let (one, _) = load(text, 1);
    for workers in [2, 3, 4] {
        let (many, _) = load(text, workers);
        assert_eq!(one, many, "with {workers} workers");
    }
    one
}

const TELL: &str =
    r#"log.info("${user.id} ${user.iteration} ${run.elapsed} ${rand.int(1..=1000000)}")"#;

#[test]
fn closed_plans_have_the_same_users_starts_and_seeds_for_any_workers() {
    let lines = same_for_any_workers(&format!(
        "scenario s {{
           load {{ users 0 -> 8 over 4s
             users 8 for 1s
             users 8 -> 2 over 3s
             think 300ms }}
           init {{ {TELL} }}
           each {{ {TELL}; sleep 100ms }}
           exit {{ {TELL} }}
         }}"
    ));
    let users: std::collections::BTreeSet<&str> = lines
        .iter()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(users.len(), 8);
}

#[test]
fn arrivals_of_fresh_users_are_the_same_for_any_workers() {
    let lines = same_for_any_workers(&format!(
        "scenario s {{
           load {{ arrivals 5/s -> 20/s over 4s
             fresh users }}
           each {{ {TELL}; sleep 700ms }}
         }}"
    ));
    // The integral of the rate.
    assert_eq!(lines.len(), 50);
}

#[test]
fn fresh_users_of_a_closed_plan_keep_its_pauses() {
    for pause in ["pace 500ms", "think 400ms"] {
        let lines = same_for_any_workers(&format!(
            "scenario s {{
               load {{ users 1 for 2s
                 fresh users
                 {pause} }}
               each {{ log.info(\"${{user.iteration}} ${{run.elapsed}}\"); sleep 100ms }}
             }}"
        ));
        assert_eq!(lines, ["0 0s", "0 1.5s", "0 1s", "0 500ms"], "{pause}");
    }
}

#[test]
fn nothing_begins_at_the_end_and_nobody_comes_for_iterations_that_are_gone() {
    for workers in [1, 2] {
        let (lines, _) = load(
            r#"scenario s { load { users 1 for 2s; pace 500ms }
                 log.info("${run.elapsed}") }"#,
            workers,
        );
        assert_eq!(lines, ["0s", "1.5s", "1s", "500ms"]);
    }
    let (_, outcome) = load(
        "scenario s { load { users 2; iterations 10 shared; fresh users }
           sleep 10ms }",
        1,
    );
    assert_eq!(
        (scenario(&outcome).users, scenario(&outcome).iterations),
        (10, 10)
    );
}

#[test]
fn waiting_for_an_address_is_no_part_of_response_times() {
    let (_, outcome) = load(
        r#"pool one { range "127.0.0.1"; lease per iteration; when exhausted wait 1h then fail }
           server sink udp "127.0.0.1:0" (socket) { socket.recv_from() }
           scenario s {
             load { users 2
               iterations 1 per user }
             source one
             thresholds { udp.duration max < 1s }
             each { udp.connect(sink.addr).send("x"); sleep 5s }
           }"#,
        1,
    );
    let threshold = &report(&outcome).thresholds[0];
    assert!(threshold.ok, "{:?}", threshold.value);
}

#[test]
fn poisson_arrivals_are_one_sequence_for_all_workers() {
    let lines = same_for_any_workers(&format!(
        "scenario s {{
           load {{ arrivals 50/s for 4s poisson
             fresh users }}
           each {{ {TELL} }}
         }}"
    ));
    assert!((150..250).contains(&lines.len()), "{}", lines.len());
}

#[test]
fn spawn_phases_have_their_users_and_iterations() {
    let lines = same_for_any_workers(&format!(
        "scenario s {{
           load {{ spawn 3 at 0s
             spawn 4 at 2s tags {{ tenant: \"b\" }}
             limit spawn 2/s
             iterations 2 per user
             pace 1s }}
           each {{ {TELL} }}
         }}"
    ));
    assert_eq!(lines.len(), 14);
}

#[test]
fn arrivals_start_on_schedule_whatever_iterations_take() {
    let (lines, outcome) = load(
        r#"scenario s {
             load { arrivals 10/s for 1s }
             each { log.info("${run.elapsed}"); sleep 3s }
           }"#,
        2,
    );
    let mut millis: Vec<u64> = lines
        .iter()
        .map(|line| match line.strip_suffix("ms") {
            Some(millis) => millis.parse().expect("a number"),
            None => 0,
        })
        .collect();
    millis.sort();
    assert_eq!(millis, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    assert_eq!(
        (scenario(&outcome).users, scenario(&outcome).iterations),
        (10, 10)
    );
}

#[test]
fn arrivals_without_a_free_user_are_dropped_and_counted() {
    for workers in [1, 2, 4] {
        let (_, outcome) = load(
            "scenario s {
               load { arrivals 10/s for 10s
                 max users 2 }
               each { sleep 450ms }
             }",
            workers,
        );
        let scenario = scenario(&outcome);
        assert_eq!(scenario.iterations + scenario.dropped, 100, "{workers}");
        assert_eq!(scenario.peak, 2);
        assert!(scenario.dropped >= 50, "{}", scenario.dropped);
        assert!(report(&outcome).generator.invalid.is_empty());
    }
}

#[test]
fn debug_lines_of_a_load_run_are_told_by_verbose_ones_only() {
    let text = r#"scenario s { load { iterations 3 shared }
        log.debug("debug"); log.info("info") }"#;
    let (lines, _) = load(text, 1);
    assert_eq!(lines, ["info", "info", "info"]);
}

#[test]
fn the_number_of_users_is_that_of_the_plan_while_there_are_any() {
    for workers in [1, 2] {
        let (_, outcome) = load(
            "scenario s {
               load { users 4 for 5s
                 start at 2s }
               thresholds { users min == 4; users mean == 4; users last == 4; users max == 4 }
               each { sleep 100ms }
             }",
            workers,
        );
        for threshold in &report(&outcome).thresholds {
            assert_eq!(threshold.value, Some(4.0), "{}", threshold.text);
        }
    }
}

#[test]
fn arrivals_that_a_busy_worker_comes_to_behind_the_end_still_take_place() {
    // By the real clock, and more than any worker can begin before the end.
    let plan = Plan {
        workers: Some(1),
        ..Plan::new(What::Scenarios(Vec::new()))
    };
    let program = link(
        "scenario s {
           load { arrivals 10_000_000/s for 1ms }
           each { }
         }",
    );
    let outcome = run(&program, &plan, &mut Lines::default(), &StopHandle::new());
    let outcome = outcome.expect("it runs");
    let scenario = scenario(&outcome);
    assert_eq!((scenario.iterations, scenario.dropped), (10_000, 0));
}

#[test]
fn arrivals_before_the_end_have_their_iteration_however_long_init_takes() {
    for workers in [1, 2] {
        let (_, outcome) = load(
            "scenario s {
               load { arrivals 10/s for 1s
                 fresh users }
               init { sleep 700ms }
               each { sleep 1s }
             }",
            workers,
        );
        let scenario = scenario(&outcome);
        assert_eq!((scenario.users, scenario.iterations), (10, 10));
    }
}

#[test]
fn shared_iterations_are_done_once_by_all_workers() {
    for workers in [1, 4] {
        let (lines, outcome) = load(
            r#"scenario s {
                 load { users 7
                   iterations 100 shared }
                 each { sleep 10ms; log.info("x") }
               }"#,
            workers,
        );
        assert_eq!((lines.len(), scenario(&outcome).iterations), (100, 100));
    }
}

#[test]
fn the_end_of_the_plan_waits_for_the_grace_and_cuts_off_what_is_left() {
    let (lines, outcome) = load(
        r#"scenario s {
             load { users 4 for 1s
               graceful stop 2s }
             each { if user.id % 2 == 0 { sleep 1h } else { sleep 2500ms } ; log.info("done") }
             exit { log.info("exit at ${run.elapsed}") }
             teardown { log.info("torn down") }
           }"#,
        2,
    );
    let count = |text: &str| lines.iter().filter(|line| line.starts_with(text)).count();
    assert_eq!(
        (count("done"), count("exit"), count("torn down")),
        (2, 4, 1)
    );
    assert_eq!(count("exit at 3s"), 2, "{lines:?}");
    assert_eq!(
        (
            scenario(&outcome).iterations,
            scenario(&outcome).interrupted
        ),
        (2, 2)
    );
}

#[test]
fn a_failed_init_ends_its_user_and_exit_runs_for_the_others() {
    let (lines, outcome) = load(
        r#"scenario s {
             load { users 4
               iterations 2 per user }
             init { if user.id == 1 { fail "no" } }
             each { log.info("each") }
             exit { log.info("exit") }
           }"#,
        2,
    );
    let count = |text: &str| lines.iter().filter(|line| *line == text).count();
    assert_eq!((count("each"), count("exit")), (6, 3));
    assert_eq!(
        report(&outcome)
            .errors
            .iter()
            .map(|error| error.count)
            .sum::<u64>(),
        1
    );
    assert_eq!(scenario(&outcome).users, 4);
}

#[test]
fn setup_reaches_every_worker_and_teardown_runs_after_an_abort() {
    let (lines, outcome) = load(
        r#"scenario s {
             load { users 4 for 1h }
             thresholds { checks rate > 50% abort }
             setup { return { name: "seed" } }
             each(s) { check s.name == "other"; sleep 100ms }
             exit(s) { log.info("exit ${s.name}") }
             teardown(s) { log.info("down ${s.name}") }
           }"#,
        4,
    );
    let count = |text: &str| lines.iter().filter(|line| *line == text).count();
    assert_eq!((count("exit seed"), count("down seed")), (4, 1));
    assert!(report(&outcome).stopped.is_some());
    assert!(report(&outcome).nanos < 60_000_000_000);
}

#[test]
fn scenarios_run_side_by_side_with_offsets_and_rows_of_a_set_are_handed_out_once() {
    let (lines, outcome) = load(
        r#"data rows: list<int> = [1, 2, 3, 4, 5, 6]
           scenario a {
             load { users 2
               iterations 2 per user }
             log.info("a ${run.elapsed} ${rows.next()}")
             sleep 1s
           }
           scenario b {
             load { users 2
               iterations 1 per user
               start at 5s }
             log.info("b ${run.elapsed} ${rows.next()}")
           }"#,
        3,
    );
    let mut rows: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.rsplit(' ').next())
        .collect();
    rows.sort_unstable();
    assert_eq!(rows, ["1", "2", "3", "4", "5", "6"]);
    let late = lines
        .iter()
        .filter(|line| line.starts_with("b 5s "))
        .count();
    assert_eq!((late, report(&outcome).scenarios.len()), (2, 2));
}
