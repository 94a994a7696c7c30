//! Limits of time and memory, traps, and stopping from outside.

use crate::wrap::{program, run_of};
use crate::{settings, told};
use scn_host::{Ended, Grants, Line, Settings, Stop, run};
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(50);

/// Computes without end.
const SPIN: &str = "(loop $again (br $again)) unreachable";

/// Waits without end.
const TIMER: &str = r#"
  (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration"
    (func $timer (param i64) (result i32)))
  (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))"#;
const WAIT: &str = "(call $block (call $timer (i64.const 1000000000000000))) (i32.const 0)";

#[test]
fn the_time_limit_ends_what_computes_and_what_waits() {
    for bytes in [run_of("", SPIN), run_of(TIMER, WAIT)] {
        let short = Settings {
            time: Some(SHORT),
            ..settings(Grants::default())
        };
        let (ran, _) = told(&bytes, &short);
        assert_eq!(ran.ended, [Ended::TimedOut(SHORT)]);
    }
}

#[test]
fn a_run_is_stopped_from_outside() {
    let greeting = r#"(data (i32.const 16) "up\n")
        (func (export "wasi:cli/run@0.2.0#run") (result i32)
          (call $say (i32.const 16) (i32.const 3)) (loop $again (br $again)) unreachable)"#;
    let bytes = program("", greeting);
    let stop = Stop::default();
    let stopped = Settings {
        stop: stop.clone(),
        instances: 2,
        ..settings(Grants::default())
    };
    let ran = run(&bytes, &stopped, &mut |_: Line| {
        stop.request();
    })
    .unwrap();
    assert_eq!(ran.ended, [Ended::Stopped, Ended::Stopped]);
    assert!(stop.is_requested());
}

/// More instances than a machine has threads for them, which print and then do something without end: each gets its turn.
fn all_print(imports: &str, endless: &str, yields: bool) {
    let greeting = format!(
        r#"(data (i32.const 16) "up\n")
        (func (export "wasi:cli/run@0.2.0#run") (result i32)
          (call $say (i32.const 16) (i32.const 3)) {endless})"#
    );
    let bytes = program(imports, &greeting);
    let stop = Stop::default();
    let crowd = Settings {
        stop: stop.clone(),
        instances: 20,
        yields,
        ..settings(Grants::default())
    };
    let mut greeted = 0;
    let ran = run(&bytes, &crowd, &mut |_: Line| {
        greeted += 1;
        if greeted == 20 {
            stop.request();
        }
    });
    assert_eq!(greeted, 20);
    assert_eq!(ran.unwrap().ended, vec![Ended::Stopped; 20]);
}

#[test]
fn one_that_computes_lets_others_run() {
    all_print("", SPIN, false);
}

/// Asks for the time without end.
const CLOCK: &str =
    r#"(import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))"#;
const ASK: &str = "(loop $again (drop (call $now)) (br $again)) unreachable";

#[test]
fn one_that_asks_for_the_time_gives_way() {
    all_print(CLOCK, ASK, true);
    let short = Settings {
        time: Some(SHORT),
        yields: true,
        ..settings(Grants::default())
    };
    let (ran, _) = told(&run_of(CLOCK, ASK), &short);
    assert_eq!(ran.ended, [Ended::TimedOut(SHORT)]);
}

#[test]
fn one_that_does_not_give_way_as_it_said_is_left_behind() {
    let short = Settings {
        time: Some(SHORT),
        yields: true,
        ..settings(Grants::default())
    };
    let printing = "(local $out i32) (local.set $out (call $stdout))
        (i32.store8 (i32.const 8) (i32.const 10))
        (loop $again
          (call $write (local.get $out) (i32.const 8) (i32.const 1) (i32.const 0)) (br $again))
        unreachable";
    for body in [SPIN, printing] {
        let (ran, _) = told(&run_of("", body), &short);
        assert_eq!(ran.ended, [Ended::TimedOut(SHORT)]);
    }
}

#[test]
fn memory_beyond_the_limit_is_refused() {
    // Says how many pages it got, as a letter, and goes on; or traps when it gets none.
    let pages = "(local $pages i32)
        (loop $again
          (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1))
            (then (local.set $pages (i32.add (local.get $pages) (i32.const 1))) (br $again))))
        (call $letter (local.get $pages))";
    let limited = Settings {
        memory: 5 * 65536,
        ..settings(Grants::default())
    };
    let (ran, text) = told(&run_of("", &format!("{pages} (i32.const 0)")), &limited);
    assert_eq!(text, "d\n");
    assert_eq!(ran.ended, [Ended::Status(0)]);
    assert_eq!(ran.memory, 5 * 65536);
    let (ran, _) = told(&run_of("", &format!("{pages} unreachable")), &limited);
    let [
        ended @ Ended::Trap {
            refused_memory: true,
            ..
        },
    ] = &ran.ended[..]
    else {
        panic!("it traps: {:?}", ran.ended)
    };
    assert!(ended.to_string().contains("refused memory"), "{ended}");
    let smaller = Settings {
        memory: 65536,
        ..limited
    };
    let (ran, _) = told(&run_of("", "(i32.const 0)"), &smaller);
    assert!(matches!(&ran.ended[..], [Ended::Trap { .. }]), "{ran:?}");
}

#[test]
fn a_trap_names_the_functions_that_led_there() {
    let items = r#"
        (func $divide (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
        (func $average (result i32) (call $divide (i32.const 0)))
        (func $main (export "wasi:cli/run@0.2.0#run") (result i32) (call $average))"#;
    let (ran, _) = told(&program("", items), &settings(Grants::default()));
    assert_eq!(
        ran.ended[0].to_string(),
        "integer divide by zero (in divide, called from average, called from main)"
    );
}
