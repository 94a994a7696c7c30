//! Errors and scopes: catch, retry, defer, steps, timeouts, checks, handles.

use super::{count, ir};
use insta::assert_snapshot;

#[test]
fn retry_gives_up_after_the_last_attempt() {
    assert_snapshot!(ir(
        "scenario s {\n  let n = retry 3 times backoff 10ms..1s { fallible(1) }\n  check n == 1\n}"
    ));
}

#[test]
fn a_step_closes_on_every_way_out() {
    let text = ir(
        "export fn go(n: int) -> int {\n  for i in 0..n {\n    step \"try ${i}\" {\n      if i == 3 { continue }\n      if i == 4 { break }\n      if i == 5 { return fallible(i) }\n    }\n  }\n  return 0\n}",
    );
    assert_eq!(
        count(&text, "; rt.step_exit"),
        5,
        "end, continue, break, return, error: {text}"
    );
    assert!(text.contains("step \"try {}\""), "{text}");
}

#[test]
fn a_timeout_catches_at_its_own_block() {
    assert_snapshot!(ir(
        "scenario s {\n  timeout 2s { net.get(\"http://127.0.0.1/\") } catch e { log.info(e.kind) }\n}"
    ));
}

#[test]
fn defer_runs_last_in_first_out_behind_a_shield() {
    let text = ir(
        "scenario s {\n  let c = net.connect(\"h\")\n  defer c.close()\n  defer { log.info(\"second\") }\n  c.recv()\n}",
    );
    assert_eq!(count(&text, "; rt.shield_enter"), 4, "{text}");
    assert_eq!(count(&text, "err_set"), 2, "{text}");
    assert_snapshot!(text);
}

#[test]
fn a_failing_defer_does_not_replace_the_error() {
    let text = ir(
        "export fn go() -> int {\n  defer { log.info(\"${fallible(2)}\") }\n  return fallible(1)\n}",
    );
    assert_eq!(count(&text, "; rt.defer_failed"), 1, "{text}");
    assert_snapshot!(text);
}

#[test]
fn handles_are_kept_where_values_are_dropped_early() {
    let text = ir("scenario s {\n  let c = net.connect(\"h\")\n  c.recv()\n  log.info(\"got\")\n}");
    let kept = text.find("keep").expect("the connection is kept");
    let logged = text.find("; log.info").expect("the log call is there");
    assert!(kept > logged, "{text}");
}

#[test]
fn a_check_shows_both_sides_and_hides_secrets() {
    assert_snapshot!(ir(
        "scenario s {\n  let t = secret(\"hush\")\n  let xs = [1, 2]\n  check \"same\": t == \"x\" && xs contains 2\n}"
    ));
}

#[test]
fn an_expectation_raises() {
    assert_snapshot!(ir("export fn go(n: int) {\n  expect \"n ${n}\": n > 3\n}"));
}

#[test]
fn rethrowing_keeps_the_error() {
    let text = ir(
        "export fn go() -> int {\n  return fallible(1) catch e {\n    if e.kind == \"timeout\" { fail e }\n    fail \"no\" kind \"protocol.x\"\n  }\n}",
    );
    assert_eq!(count(&text, "err_set"), 1, "{text}");
    assert_eq!(count(&text, "; rt.fail"), 1, "{text}");
}

#[test]
fn what_cannot_fail_has_no_error_edge() {
    let text = ir("fn two() -> int { return 2 }\nexport fn four() -> int { return two() }");
    assert_eq!(count(&text, "try"), 0, "{text}");
}

#[test]
fn every_ends_when_the_user_is_to_stop() {
    assert_snapshot!(ir("scenario s {\n  every 1s { log.info(\"tick\") }\n}"));
}

#[test]
fn what_holds_a_secret_is_hidden_too() {
    let text = ir(
        "scenario s {\n  let all = [secret(\"a\"), secret(\"b\")]\n  let more = { token: secret(\"c\"), n: 1 }\n  check all == all\n  check more == more\n}",
    );
    assert_eq!(count(&text, "const const3  ; \"***\""), 4, "{text}");
}
