//! What is proven and what is not, on functions written by hand.

use super::super::trial::trial;
use super::run;
use insta::assert_snapshot;

/// What the pass makes of a function, and what came in.
fn both(function: &str) -> String {
    trial(function, run).both()
}

/// Whether the pass leaves a function as it is.
fn is_kept(function: &str) -> bool {
    trial(function, run).is_unchanged()
}

/// A function of two ints that does one thing and may fail in it.
fn one(op: &str) -> String {
    format!(
        "fn0 \"f\" (v0 int, v1 int) -> int {{\nbb0:\n{op} -> bb1, bb2\nbb1:\n  return v9\nbb2: cold\n  fail\n}}\n"
    )
}

#[test]
fn a_counter_is_inside_of_the_list_that_it_walks() {
    assert_snapshot!(both(
        "fn0 \"sum\" (v0 ptr) -> int {\nbb0:\n  v1 = list_len v0\n  v2 = int 0\n  jump bb1(v2, v2)\n\
         bb1(v3 int, v4 int):\n  v5 = lt v3, v1\n  branch v5, bb2, bb6\nbb2:\n  \
         try v6 = list_get v0, v3 -> bb3, bb7\nbb3:\n  try v7 = add v4, v6 -> bb4, bb8\nbb4:\n  \
         v8 = int 1\n  try v9 = add v3, v8 -> bb5, bb9\nbb5:\n  jump bb1(v9, v7)\nbb6:\n  return v4\n\
         bb7: cold\n  fail\nbb8: cold\n  fail\nbb9: cold\n  fail\n}\n"
    ));
}

#[test]
fn a_list_stays_as_long_while_its_elements_are_set() {
    assert_snapshot!(both(
        "fn0 \"clear\" (v0 ptr) -> ptr {\nbb0:\n  v1 = list_len v0\n  v2 = int 0\n  jump bb1(v2, v0)\n\
         bb1(v3 int, v4 ptr):\n  v5 = lt v3, v1\n  branch v5, bb2, bb5\nbb2:\n  \
         try v6 ptr = list_set v4, v3, v2 -> bb3, bb6\nbb3:\n  v8 = int 1\n  v9 = wrapping_add v3, v8\n  \
         try poke -> bb4, bb7\nbb4:\n  jump bb1(v9, v6)\nbb5:\n  return v4\nbb6: cold\n  fail\nbb7: cold\n  fail\n}\n"
    ));
}

#[test]
fn an_index_that_was_inside_is_inside() {
    assert_snapshot!(both(
        "fn0 \"f\" (v0 ptr, v1 int) -> int {\nbb0:\n  try v2 = list_get v0, v1 -> bb1, bb4\nbb1:\n  \
         try v3 ptr = list_set v0, v1, v2 -> bb2, bb5\nbb2:\n  try v4 = list_get v3, v1 -> bb3, bb6\nbb3:\n  \
         return v4\nbb4: cold\n  fail\nbb5: cold\n  fail\nbb6: cold\n  fail\n}\n"
    ));
}

#[test]
fn what_grows_or_walks_another_list_is_checked() {
    // The counter starts below 0; the end is another list's; the list is another one in the next turn.
    for (start, end, next) in [
        ("int -1", "v0", "v0"),
        ("int 0", "v1", "v0"),
        ("int 0", "v0", "v1"),
    ] {
        assert!(is_kept(&format!(
            "fn0 \"f\" (v0 ptr, v1 ptr) {{\nbb0:\n  v2 = {start}\n  v3 = list_len {end}\n  jump bb1(v2, v0)\n\
             bb1(v4 int, v5 ptr):\n  v6 = lt v4, v3\n  branch v6, bb2, bb4\nbb2:\n  \
             try v7 = list_get v5, v4 -> bb3, bb5\nbb3:\n  v8 = wrapping_add v4, v7\n  jump bb1(v8, {next})\n\
             bb4:\n  return\nbb5: cold\n  fail\n}}\n"
        )));
    }
}

#[test]
fn arithmetic_at_the_ends_of_the_range_is_checked() {
    for int in ["1", "-1", "9223372036854775807", "-9223372036854775808"] {
        for op in ["add", "sub"] {
            assert!(
                is_kept(&one(&format!("  v2 = int {int}\n  try v9 = {op} v0, v2"))),
                "{op} {int}"
            );
        }
    }
    for op in ["mul", "div", "rem", "shl", "shr"] {
        assert!(is_kept(&one(&format!("  try v9 = {op} v0, v1"))), "{op}");
    }
    for op in ["div", "rem"] {
        for int in ["0", "-1"] {
            assert!(
                is_kept(&one(&format!("  v2 = int {int}\n  try v9 = {op} v0, v2"))),
                "{op} {int}"
            );
        }
    }
    for int in ["-1", "64"] {
        assert!(
            is_kept(&one(&format!("  v2 = int {int}\n  try v9 = shl v0, v2"))),
            "shl {int}"
        );
    }
    assert!(is_kept(&one("  try v9 = neg v0")));
    assert!(is_kept(&one(
        "  v2 = int -9223372036854775808\n  try v9 = neg v2"
    )));
}

#[test]
fn arithmetic_that_stays_in_range_is_not_checked() {
    for op in [
        "  v2 = int 0\n  try v9 = add v0, v2",
        "  v2 = lt v0, v1\n  v3 = int 9223372036854775806\n  try v9 = add v3, v2",
        "  v2 = lt v0, v1\n  v3 = int -9223372036854775807\n  try v9 = sub v3, v2",
        "  v2 = int 3\n  try v9 = rem v0, v2",
        "  v2 = int -2\n  try v9 = div v0, v2",
        "  v2 = int 63\n  try v9 = shl v0, v2",
        "  v2 = int 7\n  v3 = and v0, v2\n  try v9 = mul v3, v3",
        "  v2 = int 7\n  v3 = and v0, v2\n  try v9 = neg v3",
    ] {
        assert!(!is_kept(&one(op)), "{op}");
    }
    // One more is too much.
    assert!(is_kept(&one(
        "  v2 = lt v0, v1\n  v3 = int 9223372036854775807\n  try v9 = add v3, v2"
    )));
}

#[test]
fn halves_of_what_is_not_negative_are_shifts() {
    assert_snapshot!(both(
        "fn0 \"f\" (v0 ptr) -> int {\nbb0:\n  v1 = list_len v0\n  v2 = int 2\n  try v3 = div v1, v2 -> bb1, bb4\n\
         bb1:\n  v4 = int 8\n  try v5 = rem v1, v4 -> bb2, bb5\nbb2:\n  try v6 = mul v3, v5 -> bb3, bb6\nbb3:\n  \
         return v6\nbb4: cold\n  fail\nbb5: cold\n  fail\nbb6: cold\n  fail\n}\n"
    ));
}

#[test]
fn a_counter_up_to_its_last_value_has_no_bound_of_its_own() {
    // `for i in a..=b { i + 1 }` fails where b is the greatest int; `i + 1` behind `i < b` does not.
    let text = |cmp: &str| {
        format!(
            "fn0 \"f\" (v0 int, v1 int) {{\nbb0:\n  jump bb1(v0)\nbb1(v2 int):\n  v3 = {cmp} v2, v1\n  \
             branch v3, bb2, bb4\nbb2:\n  v4 = int 1\n  try v5 = add v2, v4 -> bb3, bb5\nbb3:\n  jump bb1(v5)\n\
             bb4:\n  return\nbb5: cold\n  fail\n}}\n"
        )
    };
    assert!(is_kept(&text("le")));
    assert!(!is_kept(&text("lt")));
}

#[test]
fn what_holds_of_a_sum_holds_where_it_is_made_again() {
    // `if child + 1 < end && xs[child] < xs[child + 1]`
    let text = |bound: &str| {
        format!(
            "fn0 \"f\" (v0 ptr, v1 int) -> int {{\nbb0:\n  v2 = list_len v0\n  v3 = int 7\n  v4 = and v1, v3\n  \
             v5 = {bound}\n  v6 = wrapping_add v4, v5\n  v7 = lt v6, v2\n  branch v7, bb1, bb3\nbb1:\n  v8 = int 1\n  \
             v9 = wrapping_add v4, v8\n  try v10 = list_get v0, v9 -> bb2, bb4\nbb2:\n  return v10\nbb3:\n  \
             return v1\nbb4: cold\n  fail\n}}\n"
        )
    };
    assert!(!is_kept(&text("int 1")));
    assert!(is_kept(&text("int 0")));
}
