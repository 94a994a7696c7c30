//! For each rule a program that breaks it, and what the verifier says.

use crate::ir::{Stage, parse_ir, verify};

#[track_caller]
fn refuses(stage: Stage, text: &str, message: &str) {
    let program = parse_ir(text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let broken = verify(&program, stage)
        .expect_err("the program breaks a rule")
        .to_string();
    assert!(broken.contains(message), "{broken}");
}

#[track_caller]
fn accepts(stage: Stage, text: &str) {
    let program = parse_ir(text).unwrap_or_else(|wrong| panic!("{wrong}"));
    verify(&program, stage).unwrap_or_else(|broken| panic!("{broken}"));
}

/// A function with this head and body among some others to call.
fn with(head: &str, body: &str) -> String {
    format!(
        r#"
const0 = "x"
host0 = "take" (ptr own)
host1 = "look" (ptr)
host2 = "recv" (ptr) -> int waits fails
host3 = "make" () -> ptr
host4 = "push" (ptr own, ptr) -> int fails inout
host5 = "fails" () fails
fn0 "main" {head} {{
{body}
}}
fn1 "pure" (v0 int) -> int {{
bb0:
  return v0
}}
fn2 "waits" () waits {{
bb0:
  return
}}
"#
    )
}

fn wrong(body: &str, message: &str) {
    refuses(Stage::Ssa, &with("()", body), message);
}

#[test]
fn a_block_needs_a_terminator() {
    wrong("bb0:\n none", "without a terminator");
}

#[test]
fn targets_exist_and_get_their_arguments() {
    wrong("bb0:\n jump bb7", "bb7 does not exist");
    wrong(
        "bb0:\n jump bb1\nbb1(v0 int):\n return",
        "takes 1 arguments",
    );
    wrong(
        "bb0:\n v0 float = float 1, 0\n jump bb1(v0)\nbb1(v1 int):\n return",
        "an edge has registers of the wrong",
    );
}

#[test]
fn the_entry_has_no_predecessor() {
    wrong("bb0:\n jump bb0", "the entry has a predecessor");
}

#[test]
fn a_landing_has_one_predecessor() {
    let body = "bb0:\n try poke -> bb1, bb2\nbb1:\n jump bb2\nbb2:\n return";
    wrong(body, "the landing bb2 has another predecessor");
    wrong(
        "bb0:\n try poke -> bb1, bb1\nbb1:\n return",
        "the landing bb1 has another predecessor",
    );
}

#[test]
fn a_pure_function_does_not_wait() {
    let body =
        "bb0:\n v0 ptr = null\n wait v1 = host host2, [v0] -> bb1, bb2\nbb1:\n return\nbb2:\n fail";
    wrong(body, "a wait in a pure function");
    accepts(Stage::Ssa, &with("() waits", body));
}

#[test]
fn registers_are_defined_once_and_before_they_are_read() {
    wrong(
        "bb0:\n v0 = int 1\n v0 = int 2\n return",
        "v0 is defined twice",
    );
    wrong(
        "bb0:\n v1 = not v0\n v0 = int 1\n return",
        "v0 is not defined on every path",
    );
    let one_sided = "bb0:\n v0 = int 1\n branch v0, bb1, bb2\nbb1:\n v1 = int 2\n jump bb2\nbb2:\n v2 = not v1\n return";
    wrong(one_sided, "v1 is not defined on every path");
}

#[test]
fn results_of_what_failed_are_not_there() {
    let body = "bb0:\n v0 = int 1\n try v1 = add v0, v0 -> bb1, bb2\nbb1:\n return\nbb2:\n v2 = not v1\n fail";
    wrong(body, "v1 is not defined on every path");
}

#[test]
fn operands_have_the_right_class() {
    wrong(
        "bb0:\n v0 ptr = null\n v1 = not v0\n return",
        "not has registers of the wrong",
    );
    wrong(
        "bb0:\n v0 = int 1\n v1 float = wrapping_add v0, v0\n return",
        "wrapping_add has registers",
    );
    wrong(
        "bb0:\n v0 ptr = null\n v1 = call fn1, [v0]\n return",
        "a call has registers",
    );
    wrong(
        "bb0:\n v0 = int 1\n host host1, [v0]\n return",
        "look has registers",
    );
    wrong("bb0:\n v0 = int 1\n return v0", "a return has registers");
}

#[test]
fn what_waits_or_fails_is_not_called_plainly() {
    wrong(
        "bb0:\n call fn2, []\n return",
        "a plain call of a function that waits",
    );
    wrong(
        "bb0:\n host host5, []\n return",
        "a plain call of fails, which waits or fails",
    );
    let tried = "bb0:\n try call fn2, [] -> bb1, bb2\nbb1:\n return\nbb2:\n fail";
    wrong(tried, "a pure call of a function that waits");
    let waited =
        "bb0:\n v0 = int 1\n wait v1 = call fn1, [v0] -> bb1, bb2\nbb1:\n return\nbb2:\n fail";
    refuses(
        Stage::Ssa,
        &with("() waits", waited),
        "a wait for a pure function",
    );
}

#[test]
fn strands_run_functions_that_have_frames() {
    let body = "bb0:\n v0 = int 1\n wait race [fn1, [v0]] -> bb1, bb2\nbb1:\n return\nbb2:\n fail";
    refuses(
        Stage::Ssa,
        &with("() waits", body),
        "runs as a strand but has no frame",
    );
    wrong(
        "bb0:\n v0 = int 1\n spawn fn1, [v0]\n return",
        "runs as a strand but has no frame",
    );
}

fn miscounts(head: &str, body: &str, message: &str) {
    refuses(Stage::Owned, &with(head, body), message);
}

fn counts(head: &str, body: &str) {
    accepts(Stage::Owned, &with(head, body));
}

#[test]
fn what_is_owned_is_consumed() {
    miscounts(
        "()",
        "bb0:\n v0 ptr = host host3, []\n return",
        "v0 is still owned",
    );
    miscounts("(v0 ptr own)", "bb0:\n return", "v0 is still owned");
    counts("(v0 ptr own)", "bb0:\n drop v0\n return");
}

#[test]
fn what_is_owned_is_consumed_once() {
    miscounts(
        "(v0 ptr own)",
        "bb0:\n drop v0\n drop v0\n return",
        "v0 is used after it was consumed",
    );
    miscounts(
        "(v0 ptr own)",
        "bb0:\n host host0, [v0]\n host host1, [v0]\n return",
        "v0 is used after it was consumed",
    );
    miscounts(
        "(v0 ptr own)",
        "bb0:\n v1 ptr = new desc15, [v0, v0]\n drop v1\n return",
        "v0 is consumed but not owned",
    );
}

#[test]
fn what_is_borrowed_is_not_consumed() {
    miscounts(
        "(v0 ptr)",
        "bb0:\n host host0, [v0]\n return",
        "v0 is consumed but not owned",
    );
    miscounts(
        "(v0 ptr)",
        "bb0:\n v1 ptr = load v0, 0\n drop v1\n return",
        "v1 is consumed but not owned",
    );
    counts(
        "(v0 ptr)",
        "bb0:\n v1 ptr = retain v0\n host host0, [v1]\n return",
    );
}

#[test]
fn a_borrow_ends_with_what_it_lives_in() {
    let dropped = "bb0:\n v1 ptr = load v0, 0\n drop v0\n host host1, [v1]\n return";
    miscounts("(v0 ptr own)", dropped, "v1 is used after");
    let nested =
        "bb0:\n v1 ptr = load v0, 0\n v2 ptr = load v1, 0\n drop v0\n host host1, [v2]\n return";
    miscounts("(v0 ptr own)", nested, "v2 is used after");
    let changed = "bb0:\n v1 ptr = unique v0\n v2 ptr = load v1, 0\n v3 ptr = null\n store v1, 0, v3\n host host1, [v2]\n drop v1\n return";
    miscounts("(v0 ptr own)", changed, "v2 is used after");
    let cell = "bb0:\n v0 ptr = cell_load 0\n v1 ptr = null\n cell_store 0, v1\n host host1, [v0]\n return";
    miscounts("()", cell, "v0 is used after");
}

#[test]
fn a_borrow_from_a_cell_ends_at_a_wait() {
    let body = "bb0:\n v0 ptr = cell_load 0\n v1 ptr = null\n wait v2 = host host2, [v1] -> bb1, bb2\nbb1:\n host host1, [v0]\n return\nbb2:\n fail";
    miscounts("() waits", body, "v0 is used after");
}

#[test]
fn paths_agree_on_what_is_owned() {
    let body =
        "bb0:\n v1 = int 1\n branch v1, bb1, bb2\nbb1:\n drop v0\n jump bb2\nbb2:\n unreachable";
    miscounts("(v0 ptr own)", body, "on some paths");
}

#[test]
fn immortal_pointers_are_consumed_at_will() {
    counts(
        "()",
        "bb0:\n v0 ptr = const const0\n host host0, [v0]\n host host0, [v0]\n return",
    );
}

#[test]
fn an_inout_receiver_comes_back_on_both_edges() {
    let body = "bb0:\n v1 ptr = null\n try v2 ptr, v3 = host host4, [v0, v1] -> bb1, bb2\nbb1:\n drop v2\n return\nbb2:\n";
    counts("(v0 ptr own)", &format!("{body} drop v2\n fail"));
    miscounts("(v0 ptr own)", &format!("{body} fail"), "v2 is still owned");
}

fn misplaces(head: &str, body: &str, message: &str) {
    let text =
        format!("host0 = \"recv\" (ptr) -> int waits fails\nfn0 \"main\" {head} {{\n{body}\n}}\n");
    refuses(Stage::Framed, &text, message);
}

const WAIT: &str = "bb0:\n v1 = int 1\n wait v2 = host host0, [v0] -> bb1, bb2\nbb1:\n v3 = wrapping_add v1, v2\n return v3\nbb2:\n fail\n";

#[test]
fn a_frame_is_complete() {
    misplaces("(v0 ptr) -> int waits", WAIT, "no frame");
    let frame = |text: &str| format!("{WAIT}{text}");
    let head = "(v0 ptr) -> int waits";
    misplaces(
        head,
        &frame("locals 2 [0, 1]\nslots 0 []"),
        "for another number of registers",
    );
    misplaces(
        head,
        &frame("locals 2 [0, 1, 2, 3]\nslots 0 []"),
        "a local beyond",
    );
    misplaces(
        head,
        &frame("locals 4 [0, 1, 2, 3]\nslots 1 [v0 0, v1 1]"),
        "a slot beyond",
    );
    misplaces(
        head,
        &frame("locals 4 [0, 1, 2, 3]\nslots 2 [v0 1, v1 0]"),
        "parameter v0 is not in slot 0",
    );
    misplaces(
        head,
        &frame("locals 4 [0, 1, 2, 3]\nslots 2 [v0 0, v1 1]"),
        "a wait that the frame does not know",
    );
    misplaces(
        head,
        &frame("locals 4 [0, 1, 2, 3]\nslots 2 [v0 0, v1 1]\nlanding bb0 [] []"),
        "v1 is not reloaded",
    );
    misplaces(
        head,
        &frame("locals 4 [0, 1, 2, 3]\nslots 2 [v0 0]\nlanding bb0 [v1] []"),
        "v1 has no slot",
    );
    let twice =
        "locals 4 [0, 1, 2, 3]\nslots 2 [v0 0, v1 1]\nlanding bb0 [v1] []\nlanding bb1 [] []";
    misplaces(head, &frame(twice), "a wait that is none");
    misplaces(
        head,
        &frame("locals 4 [0, 0, 2, 3]\nslots 2 [v0 0, v1 1]\nlanding bb0 [v1] []"),
        "share a place",
    );
    let text = format!(
        "host0 = \"recv\" (ptr) -> int waits fails\nfn0 \"main\" {head} {{\n{}\n}}\n",
        frame("locals 4 [0, 1, 2, 3]\nslots 2 [v0 0, v1 1]\nlanding bb0 [v1] []")
    );
    accepts(Stage::Framed, &text);
}

#[test]
fn a_pointer_that_a_wait_borrows_has_a_slot() {
    let body = "bb0:\n v0 ptr = cell_load 0\n v4 ptr = retain v0\n wait v2 = host host0, [v4] -> bb1, bb2\nbb1:\n drop v4\n return v2\nbb2:\n drop v4\n fail\n";
    let frame = "locals 5 [0, 1, 2, 3, 4]\nslots 2 []\nlanding bb0 [v4] [v4]";
    misplaces(
        "() -> int waits",
        &format!("{body}{frame}"),
        "v4 has no slot",
    );
    let borrowed = "bb0:\n v0 ptr = cell_load 0\n wait v1 = host host0, [v0] -> bb1, bb2\nbb1:\n return v1\nbb2:\n fail\n";
    let frame = "locals 2 [0, 1]\nslots 2 []\nlanding bb0 [] []";
    misplaces(
        "() -> int waits",
        &format!("{borrowed}{frame}"),
        "v0 is borrowed by a wait and has no slot",
    );
}
