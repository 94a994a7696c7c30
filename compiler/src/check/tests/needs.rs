//! Plans that need more local ports or descriptors than there are. The command line adds what the machine's limits say,
//! so that these have no case in the language suite.

use super::checked_with;
use crate::check::lint_descriptors;
use crate::diagnostics::Code;

/// The codes found, each with its message.
fn found(text: &str) -> Vec<(Code, String)> {
    let checked = checked_with(text, &[]);
    let all = checked.diagnostics.into_iter();
    all.map(|found| (found.code, found.message)).collect()
}

/// A program with such pools and scenarios of such configuration lines.
fn program(pools: &str, scenarios: &[&str]) -> String {
    let mut text = format!("{pools}\n");
    for (at, lines) in scenarios.iter().enumerate() {
        text.push_str(&format!("scenario s{at} {{\n{lines}\nlog.info(1)\n}}\n"));
    }
    text
}

#[test]
fn users_without_a_pool_have_the_ports_of_one_address() {
    assert_eq!(found(&program("", &["load { users 28_232 for 1m }"])), []);
    let two = [
        "load { users 0 -> 20_000 over 1m }",
        "load { users 10_000 for 1m }",
    ];
    let message = "30000 users need more local ports than one address has";
    assert_eq!(
        found(&program("", &two)),
        [(Code::W0301, message.to_owned())]
    );
}

#[test]
fn pools_have_the_ports_of_their_addresses() {
    let pools = "pool one { range \"127.0.1.1\" }\npool two { range \"127.0.1.2-127.0.1.3\" }";
    let users = "load { users 30_000 for 1m }";
    let from = |pool: &str| program(pools, &[&format!("{users}\nsource {pool}")]);
    let codes = |text: &str| {
        found(text)
            .into_iter()
            .filter(|(code, _)| *code == Code::W0301)
            .count()
    };
    assert_eq!(codes(&from("one")), 1);
    assert_eq!(codes(&from("two")), 0);
}

#[test]
fn users_that_find_a_pool_exhausted_need_the_next() {
    let pools = "pool first { range \"127.0.1.0/28\"\nwhen exhausted wait 1s then last }\npool last { range \"127.0.2.1\" }";
    let text = program(pools, &["load { users 30_000 for 1m }\nsource first"]);
    let message = "29984 users need more local ports than the addresses of pool `last` have";
    assert_eq!(found(&text), [(Code::W0301, message.to_owned())]);
}

#[test]
fn descriptors_are_counted_over_all_scenarios() {
    let two = [
        "load { users 500 for 1m }",
        "load { spawn 300\nrun for 1m }",
    ];
    let checked = checked_with(&program("", &two), &[]);
    let hir = checked.hir.expect("there are no errors");
    assert!(lint_descriptors(&hir, 1_056).is_none());
    let found = lint_descriptors(&hir, 1_055).expect("one too few");
    assert_eq!(found.code, Code::W0303);
    assert!(found.help.is_some_and(|help| help.contains("2 workers")));
}
