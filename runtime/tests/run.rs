//! Whole runs of programs without a library, on the virtual clock: strands, scopes and lives as scripts see them.
//!
//! Steps and checks are what a test sees; a step's duration tells the time that passed.

use scn_compiler::source::{Library, Loader, Source};
use scn_runtime::event::{End, SectionKind};
use scn_runtime::heap::POKE_DRIVER;
use scn_runtime::io::Io;
use scn_runtime::{
    Ctx, Cx, Event, Fault, Linked, Nanos, NativeDef, Observer, Outcome, Plan, StopHandle, What,
    ready, run, waiting,
};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _: &str, path: &str) -> Result<Source, String> {
        Err(format!("there is no file {path}"))
    }
}

const LIBRARY: Library = Library {
    modules: &[(
        "peer",
        "/// Never answers.\n@waits\nextern fn never()\n/// Answers from another thread.\n@waits\nextern fn answer() -> int\n/// Sends and gets it back.\n@waits @fails\nextern fn echo(text: string) -> string\n/// Waits for a silent peer.\n@waits @fails\nextern fn silence(limit: duration)\n/// Publishes machine code, and makes the next loop look up.\nextern fn hurry()\n",
    )],
    prelude: &[],
};

async fn never() {
    std::future::pending::<()>().await;
}

async fn answer(cx: scn_runtime::Cx) -> i64 {
    cx.blocking(|| 42).await
}

/// Both ends of a connection over loopback.
fn pair(cx: Cx) -> std::io::Result<(Io, Io)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let near = TcpStream::connect(listener.local_addr()?)?;
    let (far, _) = listener.accept()?;
    near.set_nonblocking(true)?;
    far.set_nonblocking(true)?;
    Ok((cx.register(near, false)?, cx.register(far, false)?))
}

/// The first bytes that come.
async fn first(io: &Io) -> std::io::Result<Vec<u8>> {
    io.receive(|data: &[u8]| Poll::Ready(data.to_vec())).await
}

async fn echo(cx: Cx, text: &'static str) -> Result<String, Fault> {
    let (near, far) = pair(cx)?;
    near.send(text.as_bytes()).await?;
    far.send(&first(&far).await?).await?;
    Ok(String::from_utf8_lossy(&first(&near).await?).into_owned())
}

async fn silence(cx: Cx, limit: Nanos) -> Result<(), Fault> {
    let (near, _far) = pair(cx)?;
    match cx.deadline(cx.after(limit.0), first(&near)).await {
        Ok(_) => Ok(()),
        Err(_) => Err(Fault::timeout(limit.0)),
    }
}

fn hurry(ctx: &Ctx) {
    ctx.linked().compile().expect("this machine has a compiler");
    ctx.heap.poke.fetch_or(POKE_DRIVER, Ordering::Relaxed);
}

fn natives() -> Vec<NativeDef> {
    vec![
        ready("peer.hurry", hurry),
        waiting("peer.never", never),
        waiting("peer.answer", answer),
        waiting("peer.echo", echo),
        waiting("peer.silence", silence),
    ]
}

fn link(text: &str) -> Arc<Linked> {
    let entry = Source {
        name: "test.scn".to_owned(),
        text: text.to_owned(),
    };
    let checked = scn_compiler::check(entry, &NoFiles, &LIBRARY);
    let Some(hir) = &checked.hir else {
        panic!("the program has errors: {:#?}", checked.diagnostics);
    };
    let program = scn_compiler::lower(&checked.sources, hir);
    Arc::new(Linked::link(program, &natives()).expect("the program links"))
}

/// Writes what happens as lines.
#[derive(Default)]
struct Lines(Vec<String>);

fn millis(nanos: i64) -> i64 {
    nanos / 1_000_000
}

fn end(end: &End) -> String {
    match end {
        End::Done => "done".to_owned(),
        End::Failed(fault) => format!("{}: {}", fault.kind(), fault.message()),
        End::Cancelled => "cancelled".to_owned(),
    }
}

impl Observer for Lines {
    fn event(&mut self, event: Event) {
        let line = match event {
            Event::StepEnd {
                name,
                site,
                nanos,
                ok,
                ..
            } => {
                let name = name.unwrap_or_else(|| format!("site {site}"));
                format!("step {name} {} {ok}", millis(nanos))
            }
            Event::Check { label, ok, .. } => format!("check {} {ok}", label.unwrap_or_default()),
            Event::SectionEnd { section, .. } if section.kind == SectionKind::Global => return,
            Event::SectionEnd {
                section,
                nanos,
                end: how,
            } => {
                format!(
                    "{:?} {} {} {}",
                    section.kind,
                    section.name,
                    millis(nanos),
                    end(&how)
                )
            }
            Event::DeferFailed { fault } => format!("defer {}", fault.kind()),
            Event::ServerError { name, fault } => format!("server {name} {}", fault.kind()),
            _ => return,
        };
        self.0.push(line);
    }
}

fn execute(text: &str, plan: &Plan, stop: &StopHandle) -> (Vec<String>, Outcome) {
    let mut lines = Lines::default();
    let outcome = run(&link(text), plan, &mut lines, stop).expect("the run starts");
    assert_eq!(outcome.live_objects, 0, "all objects are freed");
    (lines.0, outcome)
}

/// Runs all scenarios on the virtual clock.
fn scenarios(text: &str) -> (Vec<String>, Outcome) {
    let plan = Plan {
        virtual_clock: true,
        ..Plan::new(What::Scenarios(Vec::new()))
    };
    execute(text, &plan, &StopHandle::new())
}

/// The lines of one scenario that is well.
fn lines(body: &str) -> Vec<String> {
    let (lines, outcome) = scenarios(&format!("scenario s {{\n{body}\n}}\n"));
    assert_eq!(outcome.iterations, 1, "{lines:?}");
    lines
}

#[test]
fn sleeping_passes_time_and_thinking_is_left_out() {
    let lines = lines(
        r#"
        let name = "a"
        step "${name}" { sleep 20ms; think 30ms; sleep 5ms }
        "#,
    );
    assert_eq!(lines, ["step a 25 true", "Each s 25 done"]);
}

#[test]
fn an_answer_of_another_thread_arrives() {
    let lines =
        lines(r#"check "there" : peer.answer() == 42"#.replace("there\" :", "there\":").as_str());
    assert_eq!(lines[1], "Each s 0 done");
}

#[test]
fn a_timeout_is_an_error_at_its_own_block() {
    let lines = lines(
        r#"
        let name = "all"
        step "${name}" {
          timeout 30ms {
            timeout 1s { peer.never() catch { check "inner ${name}": true } }
          } catch { check "outer ${name}": true }
        }
        "#,
    );
    assert_eq!(
        lines,
        ["check outer all true", "step all 30 true", "Each s 30 done"]
    );
}

#[test]
fn an_uncaught_timeout_ends_the_iteration() {
    let (lines, outcome) = scenarios("scenario s { timeout 30ms { sleep 1s } }");
    assert_eq!(lines, ["Each s 30 timeout: took longer than 30ms"]);
    assert_eq!((outcome.failed_iterations, outcome.is_ok()), (1, false));
}

#[test]
fn a_defer_runs_while_a_timeout_unwinds() {
    let lines = lines(
        r#"
        let name = "x"
        timeout 30ms {
          defer { sleep 20ms; check "closed ${name}": true }
          sleep 1s
        } catch { check "then ${name}": true }
        "#,
    );
    assert_eq!(
        lines,
        ["check closed x true", "check then x true", "Each s 50 done"]
    );
}

#[test]
fn a_defer_may_take_five_seconds() {
    let (lines, _) = scenarios(
        r#"
        scenario s {
          timeout 1s {
            defer { peer.never() }
            fail "first"
          }
        }
        "#,
    );
    assert_eq!(lines, ["defer timeout", "Each s 5000 script.fail: first"]);
}

#[test]
fn parallel_branches_run_side_by_side_and_their_values_stay() {
    let lines = lines(
        r#"
        parallel {
          let a = { sleep 20ms; "a" }
          let b = { sleep 30ms; "b" }
        }
        check "${a}${b}": true
        "#
        .replace("{ sleep 20ms; \"a\" }", "do { sleep 20ms; \"a\" }")
        .replace("{ sleep 30ms; \"b\" }", "do { sleep 30ms; \"b\" }")
        .as_str(),
    );
    assert_eq!(lines, ["check ab true", "Each s 30 done"]);
}

#[test]
fn the_first_error_of_parallel_cancels_the_rest() {
    let lines = lines(
        r#"
        let name = "x"
        parallel {
          do { sleep 10ms; fail "no ${name}" }
          do { defer { sleep 5ms; check "unwound ${name}": true }
               sleep 1s }
        } 
        "#,
    );
    assert_eq!(
        lines,
        ["check unwound x true", "Each s 15 script.fail: no x"]
    );
}

#[test]
fn the_first_branch_of_a_race_wins() {
    let lines = lines(
        r#"
        let who = race { do { sleep 20ms; "slow" }; do { sleep 10ms; "fast" }; do { peer.never(); "never" } }
        check "${who}": true
        "#,
    );
    assert_eq!(lines, ["check fast true", "Each s 10 done"]);
}

#[test]
fn parallel_for_keeps_the_order_of_its_input_and_the_limit() {
    let lines = lines(
        r#"
        let waits = [30ms, 10ms, 20ms]
        let labels = parallel for w in waits max 2 { sleep w; "${w}" }
        for label in labels { check "${label}": true }
        "#,
    );
    assert_eq!(
        lines,
        [
            "check 30ms true",
            "check 10ms true",
            "check 20ms true",
            "Each s 30 done"
        ]
    );
}

#[test]
fn retry_waits_between_tries() {
    let lines = lines(
        r#"
        var n = 0
        let done = retry 5 times { n += 1; sleep 10ms; if n < 3 { fail "again" }; "try ${n}" }
        check "${done}": true
        "#,
    );
    assert_eq!(lines, ["check try 3 true", "Each s 30 done"]);
}

#[test]
fn every_ticks_without_drift() {
    let lines = lines(
        r#"
        var n = 0
        let name = "t"
        step "${name}" {
          every 10ms { n += 1; sleep 4ms; if n == 2 { sleep 10ms }; if n == 4 { break } }
        }
        check "${n}": true
        "#,
    );
    // Ticks at 0 and 10; the second takes until 24, so the tick at 20 is missed; then 30 and 40.
    assert_eq!(lines, ["step t 44 true", "check 4 true", "Each s 44 done"]);
}

#[test]
fn recursion_that_waits_is_limited_by_count() {
    let text = r#"
        fn down(n: int) -> int { sleep 1ns; if n == 0 { return 0 }; return down(n - 1) + 1 }
        scenario deep { let n = down(9000); check "${n}": true }
        scenario deeper { let n = down(20000); check "${n}": true }
    "#;
    let (lines, outcome) = scenarios(text);
    assert!(lines.contains(&"check 9000 true".to_owned()), "{lines:?}");
    assert!(
        lines.iter().any(|line| line.contains("script.depth")),
        "{lines:?}"
    );
    assert_eq!(outcome.failed_iterations, 1);
}

#[test]
fn sections_run_in_order_and_setup_reaches_them() {
    let (lines, outcome) = scenarios(
        r#"
        scenario s {
          setup { sleep 1ms; return "seed" }
          init(seed) { var count = 1; check "init ${seed}": true }
          each(seed) { count += 1; check "each ${seed} ${count}": true }
          exit(seed) { check "exit ${count}": true }
          teardown(seed) { check "teardown ${seed}": true }
        }
        "#,
    );
    let expected = [
        "Setup s 1 done",
        "check init seed true",
        "Init s 0 done",
        "check each seed 2 true",
        "Each s 0 done",
        "check exit 2 true",
        "Exit s 0 done",
        "check teardown seed true",
        "Teardown s 0 done",
    ];
    assert_eq!(lines, expected);
    assert!(outcome.is_ok());
}

#[test]
fn a_failed_setup_ends_the_run_and_a_failed_init_the_user() {
    let (lines, outcome) = scenarios(
        r#"
        scenario first { setup { fail "no" }
          each { check "no": true }
          teardown { check "no": true } }
        scenario second { check "not either": true }
        "#,
    );
    assert_eq!(lines, ["Setup first 0 script.fail: no"]);
    assert_eq!(outcome.failed_sections, 1);
    let (lines, _) = scenarios(
        r#"
        scenario s {
          setup { return 1 }
          init { fail "no" }
          each { check "no": true }
          exit { check "no": true }
          teardown { sleep 1ms }
        }
        "#,
    );
    assert_eq!(
        lines,
        [
            "Setup s 0 done",
            "Init s 0 script.fail: no",
            "Teardown s 1 done"
        ]
    );
}

#[test]
fn scenarios_run_side_by_side() {
    let (lines, outcome) = scenarios("scenario a { sleep 20ms }\nscenario b { sleep 10ms }");
    assert_eq!(lines, ["Each b 10 done", "Each a 20 done"]);
    assert_eq!(outcome.iterations, 2);
}

#[test]
fn tests_run_one_after_another() {
    let text = r#"
        test "one" { sleep 10ms; check true }
        test "two" { check false }
        test "three" { fail "no" }
    "#;
    let plan = Plan {
        virtual_clock: true,
        ..Plan::new(What::Tests(None))
    };
    let (_, outcome) = execute(text, &plan, &StopHandle::new());
    assert_eq!((outcome.tests, outcome.failed_tests), (3, 2));
    let plan = Plan {
        what: What::Tests(Some("one".to_owned())),
        ..plan
    };
    let (_, outcome) = execute(text, &plan, &StopHandle::new());
    assert_eq!((outcome.tests, outcome.failed_tests), (1, 0));
}

#[test]
fn params_are_read_by_their_types() {
    let text = r#"
        param wait: duration = 10ms
        param name: string = "nobody"
        scenario s { sleep wait; check "hello ${name}": true }
    "#;
    let (lines, _) = scenarios(text);
    assert_eq!(lines, ["check hello nobody true", "Each s 10 done"]);
    let params =
        [("wait", "25ms"), ("name", "you")].map(|(name, text)| (name.to_owned(), text.to_owned()));
    let plan = Plan {
        virtual_clock: true,
        params: params.to_vec(),
        ..Plan::new(What::Scenarios(Vec::new()))
    };
    let (lines, _) = execute(text, &plan, &StopHandle::new());
    assert_eq!(lines.last().map(String::as_str), Some("Each s 25 done"));
    for (name, value, error) in [
        (
            "wait",
            "soon",
            "the param `wait`: expected a duration such as `1.5s`, found `soon`",
        ),
        ("what", "1", "there is no param `what`"),
    ] {
        let plan = Plan {
            params: vec![(name.to_owned(), value.to_owned())],
            ..plan.clone()
        };
        let refused = run(
            &link(text),
            &plan,
            &mut Lines::default(),
            &StopHandle::new(),
        );
        assert_eq!(
            refused.expect_err("the value is refused").to_string(),
            error
        );
    }
}

#[test]
fn a_limit_stops_gracefully_then_cancels() {
    let plan = Plan {
        virtual_clock: true,
        limit: Some(std::time::Duration::from_millis(25)),
        grace: Some(std::time::Duration::from_millis(10)),
        ..Plan::new(What::Scenarios(Vec::new()))
    };
    // `every` ends when it is asked to, even between two ticks.
    let (lines, outcome) = execute(
        "scenario s { every 10ms { sleep 1ms } }",
        &plan,
        &StopHandle::new(),
    );
    assert_eq!(lines, ["Each s 25 done"]);
    assert!(outcome.stopped);
    let text = r#"
        scenario s {
          init { sleep 1ms }
          each { defer { sleep 3ms }
                 peer.never() }
          exit { sleep 2ms }
        }
    "#;
    let (lines, outcome) = execute(text, &plan, &StopHandle::new());
    assert_eq!(
        lines,
        ["Init s 1 done", "Each s 37 cancelled", "Exit s 2 done"]
    );
    assert_eq!(outcome.cancelled, 1);
}

#[test]
fn a_loop_without_end_ends_by_timeout_and_by_stopping() {
    let plan = Plan::new(What::Scenarios(Vec::new()));
    let text = r#"
        scenario s {
          let name = "out"
          timeout 20ms { var n = 0; loop { n = (n + 1) % 7 } } catch { check "${name}": true }
        }
    "#;
    let (lines, _) = execute(text, &plan, &StopHandle::new());
    assert_eq!(lines[0], "check out true");
    let plan = Plan {
        limit: Some(std::time::Duration::from_millis(5)),
        grace: Some(std::time::Duration::from_millis(5)),
        ..plan
    };
    let stop = StopHandle::new();
    let other = stop.clone();
    // The worker never polls, so somebody else has to ask.
    let asking = std::thread::spawn(move || {
        while other.level() < 2 {
            other.request();
        }
    });
    let (lines, outcome) = execute(
        "scenario s { var n = 0; loop { n = (n + 1) % 7 } }",
        &plan,
        &stop,
    );
    asking.join().expect("asking does not panic");
    assert_eq!(outcome.failed_iterations, 0, "{lines:?}");
}

#[test]
fn a_section_that_holds_too_much_memory_fails() {
    let (lines, _) = scenarios(
        r#"scenario s { var text = "0123456789abcdef"; loop { text = "${text}${text}"; if text == "" { break } } }"#,
    );
    assert!(lines[0].contains("script.memory"), "{lines:?}");
}

#[test]
fn bytes_go_over_sockets_and_a_silent_peer_is_given_up() {
    let lines = lines(
        r#"
        parallel {
          let a = peer.echo("one")
          let b = peer.echo("two")
        }
        check "${a} ${b}": true
        peer.silence(20ms) catch { check "gave up ${a}": true }
        timeout 10ms { peer.silence(1h) } catch { check "timeout ${a}": true }
        "#,
    );
    let expected = [
        "check one two true",
        "check gave up one true",
        "check timeout one true",
        "Each s 30 done",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn recursion_through_branches_is_counted() {
    let (lines, _) = scenarios(
        r#"
        fn down(n: int) -> int {
          parallel { let deeper = down(n + 1) }
          return deeper
        }
        scenario s { down(0) }
        "#,
    );
    assert_eq!(
        lines,
        ["Each s 0 script.depth: calls are nested deeper than 10000"]
    );
}

#[test]
fn times_beyond_the_clock_end_with_it() {
    let lines = lines(
        r#"
        let name = "x"
        step "${name}" { sleep 9000000000s; sleep 9000000000s; think 9000000000s }
        var n = 0
        every 9000000000s { n += 1; if n == 3 { break } }
        timeout 9000000000s { sleep 9000000000s } catch { check "late": false }
        "#,
    );
    let end = i64::MAX / 1_000_000;
    assert_eq!(
        lines,
        [format!("step x {end} true"), format!("Each s {end} done")]
    );
}

/// A loop that is interpreted from beginning to end calls functions of each kind: the same, whether their machine code
/// is published while it goes on or not.
#[test]
fn an_interpreted_loop_may_call_what_was_compiled_meanwhile() {
    let program = |hurry: &str| {
        let body = r#"
        fn sum(n: int) -> int {
          if n == 0 { return 0 }
          return n + sum(n - 1)
        }
        fn power(base: float, n: int, factor: float) -> float {
          if n == 0 { return factor }
          return base * power(base, n - 1, factor)
        }
        fn find(n: int, limit: int) -> int? {
          if n > limit { return none }
          if n % 7 == 0 { return n }
          return find(n + 1, limit)
        }
        fn stars(n: int) -> string {
          if n == 0 { return "." }
          return "*${stars(n - 1)}"
        }
        fn grow(all: list<int>, n: int) -> list<int> {
          let longer = all + [n]
          if n == 0 { return longer }
          return grow(longer, n - 1)
        }
        fn fall(n: int) -> int {
          if n == 0 { fail "at the bottom" }
          return fall(n - 1) + 1
        }
        fn deep(n: int) -> int { return deep(n + 1) + 1 }
        scenario s {
          var story = ""
          for i in 0..4 {
            if i == 1 { HURRY }
            let caught = do { "${fall(i)}" } catch { "caught" }
            let depth = do { "${deep(i)}" } catch { "too deep" }
            let found = find(i * 5 + 1, 15) ?? -1
            let grown = grow([i], 3)
            story = "${story}${sum(i)} ${power(1.5, i, 0.5)} ${found} ${stars(i)} ${grown[3]} ${caught} ${depth};"
          }
          step "${story}" { }
          for i in 0..2 { if i == 0 { HURRY }; deep(i) }
        }
        "#;
        body.replace("HURRY", hurry)
    };
    let (interpreted, _) = scenarios(&program("story = story"));
    let (compiled, _) = scenarios(&program("peer.hurry()"));
    assert_eq!(interpreted, compiled);
    assert!(interpreted[0].contains("3 1.125 14"), "{interpreted:?}");
    assert!(
        interpreted[0].contains("caught too deep"),
        "{interpreted:?}"
    );
    assert!(interpreted[1].contains("script.depth"), "{interpreted:?}");
}
