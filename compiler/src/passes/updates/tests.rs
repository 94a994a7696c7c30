//! What is kept out and made unique once, and what is not, on functions written by hand.

use super::super::trial::{Trial, trial};
use crate::ir::Stage;
use insta::assert_snapshot;

const TABLES: &str = "desc20 = record \"Body\" [\"x\" float, \"y\" float]\ndesc21 = list desc20\n\
                      desc22 = list float\ndesc23 = tuple [desc22]\n\
                      host0 = \"list.sorted\" (ptr) -> ptr\n\
                      fn0 \"moved\" (v0 ptr) -> ptr {\nbb0:\n  v1 ptr = unique v0\n  v2 float = float 1.0, 0\n  \
                      try poke -> bb1, bb2\nbb1:\n  store v1, 0, v2\n  return v1\nbb2: cold\n  fail\n}\n";

/// The function before and behind the pass; counts are inserted then, for the verifier.
fn updated(function: &str) -> Trial {
    let updated = trial(&format!("{TABLES}{function}"), |program| {
        super::super::params::run(program, &[]);
        super::run(program);
    });
    let mut program = updated.program.clone();
    super::super::ownership::run(&mut program);
    crate::ir::verify(&program, Stage::Owned)
        .unwrap_or_else(|broken| panic!("{broken} in:\n{}", crate::ir::ir_text(&program)));
    updated
}

#[test]
fn an_element_that_is_changed_twice_is_taken_out_once() {
    assert_snapshot!(
        updated(
            "fn1 \"f\" (v0 ptr, v1, v2 float) -> ptr {\nbb0:\n  v3 ptr = unique v0\n  \
             try v4 ptr = list_take v3, v1 -> bb1, bb3\nbb1:\n  v5 ptr = unique v4\n  store v5, 0, v2\n  \
             list_put v3, v1, v5\n  v6 ptr = list_at v3, v1\n  v7 float = load v6, 0\n  v8 ptr = unique v3\n  \
             try v9 ptr = list_take v8, v1 -> bb2, bb4\nbb2:\n  v10 ptr = unique v9\n  store v10, 1, v7\n  \
             list_put v8, v1, v10\n  return v8\nbb3: cold\n  fail\nbb4: cold\n  fail\n}\n"
        )
        .both()
    );
}

/// A block of a function of a list `v0`, three ints and a float: the first update of an element, and more.
fn in_a_row(more: &[&str]) -> Trial {
    const FIRST: [&str; 5] = [
        "v4 ptr = unique v0",
        "v5 ptr = list_take_at v4, v1",
        "v6 ptr = unique v5",
        "store v6, 0, v3",
        "list_put v4, v1, v6",
    ];
    let insts = FIRST.iter().chain(more);
    let body: String = insts.map(|inst| format!("  {inst}\n")).collect();
    updated(&format!(
        "fn1 \"f\" (v0 ptr, v1, v2, v3 float) -> ptr {{\nbb0:\n{body}}}\n"
    ))
}

#[test]
fn an_element_is_taken_out_once_for_updates_in_a_row() {
    let updated = in_a_row(&[
        "v7 ptr = list_at v4, v1",
        "v8 float = load v7, 0",
        "v9 ptr = unique v4",
        "v10 ptr = list_take_at v9, v1",
        "v11 ptr = unique v10",
        "store v11, 1, v8",
        "list_put v9, v1, v11",
        "return v9",
    ]);
    assert_snapshot!(updated.both());
}

#[test]
fn another_element_is_another_one() {
    // The list is unique still, but the elements may be the same one: the first is put back.
    let updated = in_a_row(&[
        "v9 ptr = unique v4",
        "v10 ptr = list_take_at v9, v2",
        "v11 ptr = unique v10",
        "store v11, 1, v3",
        "list_put v9, v2, v11",
        "return v9",
    ]);
    assert_snapshot!(updated.both());
}

#[test]
fn what_is_read_between_or_kept_stays() {
    // The list itself is kept, and so is the element: both may be shared from then on.
    for (between, end, uniques) in [
        (
            "v7 ptr = list_at v4, v2",
            "v12 ptr = new_list desc21, [v9, v7]",
            4,
        ),
        ("v7 = list_len v4", "v12 ptr = new_list desc21, [v9, v4]", 5),
        (
            "v7 ptr = new desc23, [v4]",
            "v12 ptr = new_list desc21, [v9, v7]",
            5,
        ),
    ] {
        let updated = in_a_row(&[
            between,
            "v9 ptr = unique v4",
            "v10 ptr = list_take_at v9, v1",
            "v11 ptr = unique v10",
            "store v11, 1, v3",
            "list_put v9, v1, v11",
            end,
            "return v12",
        ]);
        let (before, behind) = (updated.count("list_take_at"), updated.count("= unique"));
        assert_eq!(
            (before, behind),
            ((2, 2), (5, uniques)),
            "{}",
            updated.behind()
        );
    }
}

#[test]
fn what_a_function_replaces_is_taken_out_for_it() {
    assert_snapshot!(
        updated(
            "fn1 \"f\" (v0 ptr, v1) -> ptr {\nbb0:\n  v2 ptr = list_at v0, v1\n  \
             try v3 ptr = call fn0, [v2] -> bb1, bb2\nbb1:\n  v4 ptr = unique v0\n  list_put v4, v1, v3\n  \
             return v4\nbb2: cold\n  fail\n}\n"
        )
        .both()
    );
}

const PUT: &str = "v12 ptr = unique v11\n  list_put v12, v4, v2\n  jump bb3";
const SET: &str = "try v12 ptr = list_set v11, v4, v2 -> bb3, bb7";

/// A loop that writes into a list of floats `v11`, which becomes `v12`: how the list comes to be, and what a turn does.
fn writing_loop(made: &str, turn: &str, write: &str) -> Trial {
    let failed = if write == SET {
        "bb7: cold\n  fail\n"
    } else {
        ""
    };
    updated(&format!(
        "fn1 \"f\" (v0 ptr, v1, v2 float) -> ptr {{\nbb0:\n  v3 = int 0\n  {made}\n\
         bb1(v11 ptr, v4):\n  v5 = lt v4, v1\n  branch v5, bb2, bb5\nbb2:\n  {turn}\n  {write}\nbb3:\n  \
         v6 = int 1\n  v7 = wrapping_add v4, v6\n  try poke -> bb4, bb6\n\
         bb4:\n  jump bb1(v12, v7)\nbb5:\n  return v11\nbb6: cold\n  fail\n{failed}}}\n"
    ))
}

const NEW: &str = "v10 ptr = new_list desc22, [v2, v2]\n  jump bb1(v10, v3)";
const READ: &str = "v8 float = list_at v11, v4";

#[test]
fn what_is_unique_before_a_loop_is_not_asked_in_it() {
    assert_snapshot!(writing_loop(NEW, READ, PUT).both());
}

#[test]
fn a_checked_index_of_a_unique_list_leaves_it_in_place() {
    assert_snapshot!(writing_loop(NEW, READ, SET).both());
}

#[test]
fn what_may_be_shared_before_a_loop_is_asked_there_once() {
    assert_snapshot!(writing_loop("jump bb1(v0, v3)", READ, SET).both());
}

#[test]
fn what_is_shared_anew_is_asked_at_each_turn() {
    // A host function may keep what it is lent; the list goes elsewhere in a turn; or it lives on as it was.
    for turn in [
        "v9 ptr = host host0, [v11]",
        "v9 ptr = new desc23, [v11]\n  keep v9",
        "cell_store 0, v11",
    ] {
        for (write, word) in [(PUT, "= unique"), (SET, "list_set")] {
            let updated = writing_loop(NEW, turn, write);
            let (before, behind) = updated.count(word);
            assert_eq!(before, behind, "{}", updated.behind());
        }
    }
}

#[test]
fn what_not_every_turn_changes_is_not_copied_before_the_loop() {
    // The write is left out in some turns; or something asks first whether there is a list at all.
    for (head, turn, rest) in [
        (
            "v5 = lt v4, v1\n  branch v5, bb2, bb6",
            "branch v4, bb3, bb4",
            "bb4:\n  jump bb5(v11)\n",
        ),
        (
            "v5 = is_null v11\n  branch v5, bb6, bb2",
            "jump bb3",
            "bb4:\n  jump bb5(v11)\n",
        ),
    ] {
        let updated = updated(&format!(
            "fn1 \"f\" (v0 ptr, v1, v2 float) -> ptr {{\nbb0:\n  v3 = int 0\n  jump bb1(v0, v3)\n\
             bb1(v11 ptr, v4):\n  {head}\nbb2:\n  {turn}\nbb3:\n  v12 ptr = unique v11\n  \
             list_put v12, v4, v2\n  jump bb5(v12)\n{rest}bb5(v13 ptr):\n  v6 = int 1\n  \
             v7 = wrapping_add v4, v6\n  jump bb1(v13, v7)\nbb6:\n  return v11\n}}\n"
        ));
        let behind = updated.behind();
        let (_, in_loop) = behind.split_once("bb1(v11").expect("the loop is there");
        assert!(in_loop.contains("= unique v"), "{behind}");
        assert_eq!(updated.count("= unique"), (2, 2), "{behind}");
    }
}

#[test]
fn a_list_that_some_turns_change_twice_is_copied_before_the_loop() {
    // The first change is made in some turns only; the second one sees the list of either way.
    let updated = updated(
        "fn1 \"f\" (v0 ptr, v1, v2 float) -> ptr {\nbb0:\n  v3 = int 0\n  jump bb1(v0, v3)\n\
         bb1(v11 ptr, v4):\n  v5 = lt v4, v1\n  branch v5, bb2, bb7\nbb2:\n  branch v4, bb3, bb4\n\
         bb3:\n  try v12 ptr = list_set v11, v4, v2 -> bb5, bb8\nbb4:\n  jump bb6(v11)\nbb5:\n  jump bb6(v12)\n\
         bb6(v13 ptr):\n  v6 = int 1\n  v7 = wrapping_add v4, v6\n  v14 ptr = unique v13\n  \
         list_put v14, v4, v2\n  jump bb1(v14, v7)\nbb7:\n  return v11\nbb8: cold\n  fail\n}\n",
    );
    assert_snapshot!(updated.both());
}

#[test]
fn a_copy_moves_out_of_all_loops_around() {
    // The inner loop may make no turn at all: so the outer one learns of it in the second round only.
    let updated = updated(
        "fn1 \"f\" (v0 ptr, v1, v2 float) -> ptr {\nbb0:\n  v3 = int 0\n  v6 = int 1\n  jump bb1(v0, v3)\n\
         bb1(v10 ptr, v4):\n  v5 = lt v4, v1\n  branch v5, bb2, bb7\nbb2:\n  jump bb3(v10, v3)\n\
         bb3(v11 ptr, v7):\n  v8 = lt v7, v1\n  branch v8, bb4, bb6\nbb4:\n  v12 ptr = unique v11\n  \
         list_put v12, v7, v2\n  v9 = wrapping_add v7, v6\n  try poke -> bb5, bb8\nbb5:\n  jump bb3(v12, v9)\n\
         bb6:\n  v13 = wrapping_add v4, v6\n  jump bb1(v11, v13)\nbb7:\n  return v10\nbb8: cold\n  fail\n}\n",
    );
    assert_snapshot!(updated.both());
}

#[test]
fn what_something_looks_at_in_between_is_left() {
    // Another index may be the same; a handler sees the list; a host function may keep what it is lent; the list
    // lives on as it was.
    for body in [
        "bb0:\n  v3 ptr = unique v0\n  try v4 ptr = list_take v3, v1 -> bb1, bb3\nbb1:\n  list_put v3, v1, v4\n  \
         v6 ptr = list_at v3, v90\n  v7 float = load v6, 0\n  try v9 ptr = list_take v3, v1 -> bb2, bb4\nbb2:\n  \
         store v9, 1, v7\n  list_put v3, v1, v9\n  return v3\nbb3: cold\n  fail\nbb4: cold\n  fail\n",
        "bb0:\n  v2 ptr = list_at v0, v1\n  try v3 ptr = call fn0, [v2] -> bb1, bb2\nbb1:\n  v4 ptr = unique v0\n  \
         list_put v4, v1, v3\n  return v4\nbb2: cold\n  return v0\n",
        "bb0:\n  v3 ptr = unique v0\n  v4 ptr = host host0, [v3]\n  v5 ptr = unique v3\n  list_put v5, v1, v4\n  \
         return v5\n",
        "bb0:\n  v2 ptr = list_at v0, v1\n  try v3 ptr = call fn0, [v2] -> bb1, bb2\nbb1:\n  v4 ptr = unique v0\n  \
         list_put v4, v1, v3\n  v5 ptr = new_list desc21, [v4, v0]\n  return v5\nbb2: cold\n  fail\n",
    ] {
        let text = format!("fn1 \"f\" (v0 ptr, v1, v90) -> ptr {{\n{body}}}\n");
        let updated = updated(&text);
        for word in ["list_take", "list_put", "unique"] {
            let (before, behind) = updated.count(word);
            assert_eq!(before, behind, "{}", updated.behind());
        }
    }
}
