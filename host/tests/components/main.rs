//! Components that are written by hand, run with and without grants and limits. Each run has a time limit.

mod grants;
mod limits;
mod requests;
mod wrap;

use scn_host::{Ended, Grants, HostError, Line, Ran, Settings, Stream, run};
use std::time::Duration;
use wrap::{library, program, run_of};

/// Longer than any of these components takes on the busiest machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Settings with these grants and a time limit.
fn settings(grants: Grants) -> Settings {
    Settings {
        grants,
        time: Some(LIMIT),
        ..Settings::default()
    }
}

/// Runs, and gives what was printed to standard output too.
fn told(bytes: &[u8], settings: &Settings) -> (Ran, String) {
    let mut text = Vec::new();
    let ran = run(bytes, settings, &mut |line: Line| text.extend(line.bytes));
    let text = String::from_utf8(text).expect("the components print text");
    (ran.expect("it runs"), text)
}

const HELLO: &str = r#"(data (i32.const 16) "hello\nworld")"#;

#[test]
fn what_it_prints_comes_line_by_line_and_its_status_at_the_end() {
    let run_function = r#"(func (export "wasi:cli/run@0.2.0#run") (result i32)
        (call $say (i32.const 16) (i32.const 11)) (i32.const 1))"#;
    let bytes = program("", &format!("{HELLO} {run_function}"));
    let mut lines = Vec::new();
    let ran = run(&bytes, &settings(Grants::default()), &mut |line: Line| {
        lines.push(line);
    });
    let line = |text: &str| Line {
        instance: 0,
        stream: Stream::Out,
        bytes: text.as_bytes().to_vec(),
    };
    assert_eq!(lines, [line("hello\n"), line("world")]);
    assert_eq!(ran.unwrap().ended, [Ended::Status(1)]);
}

#[test]
fn exit_ends_it_where_it_is_called() {
    let exit = r#"(import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))"#;
    for (status, result) in [(0, "(i32.const 0)"), (1, "(i32.const 1)")] {
        let bytes = run_of(exit, &format!("(call $exit {result}) unreachable"));
        let (ran, _) = told(&bytes, &settings(Grants::default()));
        assert_eq!(ran.ended, [Ended::Status(status)]);
        assert_eq!(ran.ended[0].is_good(), status == 0);
    }
}

#[test]
fn each_instance_is_told_its_share() {
    // Prints the last argument.
    let imports = r#"(import "wasi:cli/environment@0.2.0" "get-arguments"
        (func $arguments (param i32)))"#;
    let body = "(local $last i32)
        (call $arguments (i32.const 32))
        (local.set $last (i32.add (i32.load (i32.const 32))
          (i32.mul (i32.sub (i32.load (i32.const 36)) (i32.const 1)) (i32.const 8))))
        (call $say (i32.load (local.get $last)) (i32.load offset=4 (local.get $last)))
        (i32.const 0)";
    let bytes = run_of(imports, body);
    let (_, alone) = told(&bytes, &settings(Grants::default()));
    assert_eq!(alone, "component");
    for count in [3, 40] {
        let several = Settings {
            instances: count,
            memory: 1 << 20,
            ..settings(Grants::default())
        };
        let mut shares = Vec::new();
        let ran = run(&bytes, &several, &mut |line: Line| {
            let text = String::from_utf8(line.bytes).unwrap();
            shares.push((line.instance, text));
        });
        shares.sort();
        let all = (0..count).map(|one| (one, format!("{one}/{count}")));
        assert_eq!(shares, all.collect::<Vec<_>>());
        assert_eq!(ran.unwrap().ended, vec![Ended::Status(0); count as usize]);
    }
}

#[test]
fn what_cannot_run_says_why() {
    let refused =
        |bytes: &[u8]| run(bytes, &settings(Grants::all()), &mut |_: Line| {}).unwrap_err();
    assert!(matches!(refused(b"hello"), HostError::NotAComponent(_)));
    assert!(matches!(
        refused(b"\0asm\x01\0\0\0"),
        HostError::NotAComponent(_)
    ));
    assert_eq!(
        refused(&library()),
        HostError::NoRun(vec!["scn:tests/library@0.1.0".to_owned()])
    );
    let rockets = r#"(import "acme:rockets/launch@1.0.0" "go" (func $go))"#;
    let missing = refused(&run_of(rockets, "(call $go) (i32.const 0)"));
    assert_eq!(
        missing.to_string(),
        "it imports what this host does not have: acme:rockets/launch@1.0.0"
    );
    let many = Settings {
        instances: 100_000,
        ..settings(Grants::all())
    };
    assert!(matches!(
        run(&library(), &many, &mut |_: Line| {}),
        Err(HostError::TooMany(_))
    ));
}
