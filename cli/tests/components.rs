//! Components as processes: signals stop them as they stop native runs, and nothing that was gathered is lost.
//!
//! Each run has a time limit.

#![cfg(feature = "component-host")]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

const SCN: &str = env!("CARGO_BIN_EXE_scn");

/// A component of a test's own, removed with it.
struct Component(PathBuf);

impl Component {
    fn new(text: &str) -> Component {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("scn-stop-{}-{count}", std::process::id());
        let source = std::env::temp_dir().join(format!("{name}.scn"));
        let built = std::env::temp_dir().join(format!("{name}.wasm"));
        std::fs::write(&source, text).expect("the system's own folder takes files");
        let status = Command::new(SCN)
            .args(["build", "-o"])
            .args([&built, &source])
            .status();
        assert!(status.expect("the program starts").success());
        let _ = std::fs::remove_file(source);
        Component(built)
    }

    /// Runs it until a line of its output has this text.
    fn start(&self, until: &str, options: &[&str]) -> Running {
        let mut child = Command::new(SCN)
            .arg("run")
            .arg(&self.0)
            .args(["--allow-all", "--time-limit", "60s"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut out = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let mut line = String::new();
        while !line.contains(until) {
            line.clear();
            let read = out.read_line(&mut line).expect("its output is text");
            assert!(read > 0, "it ended before `{until}`");
        }
        Running { child, out }
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Running {
    fn signal(&self, which: &str) {
        let status = Command::new("kill")
            .args([which, &self.child.id().to_string()])
            .status();
        assert!(status.expect("there is a kill command").success());
    }

    /// The rest of its output and its exit status.
    fn end(mut self) -> (String, Option<i32>) {
        let mut rest = String::new();
        let read = self.out.read_to_string(&mut rest);
        read.expect("its output is text");
        (rest, self.child.wait().expect("it ends").code())
    }

    /// The same of one that is asked to stop until it ends: two signals that arrive together count as one.
    fn end_by_asking(mut self) -> (String, Option<i32>) {
        while self.child.try_wait().expect("it is our child").is_none() {
            self.signal("-INT");
        }
        self.end()
    }
}

#[test]
fn a_signal_stops_a_server_that_waits() {
    let server = Component::new("server api http \"127.0.0.1:0\" { _ { return reply(204) } }");
    for signal in ["-INT", "-TERM", "-HUP"] {
        let running = server.start("server api listens on http://127.0.0.1:", &[]);
        running.signal(signal);
        let (rest, status) = running.end();
        assert!(rest.contains("no checks, stopped in"), "{rest}");
        assert_eq!(status, Some(0));
    }
}

#[test]
fn a_signal_lets_iterations_end_and_the_run_with_its_results() {
    let waiting = Component::new(
        "scenario s {\n  load { users 2 for 1h }\n  init { log.info(\"begun\") }\n  each { every 10ms { check true } }\n\
         exit { log.info(\"left\") }\n  teardown { log.info(\"torn down\") }\n}",
    );
    for options in [&["--verbose"][..], &["--verbose", "--instances", "2"]] {
        let running = waiting.start("begun", options);
        running.signal("-INT");
        let (rest, status) = running.end();
        let instances = options.len().max(2) - 1;
        assert!(rest.contains("stopped on request"), "{rest}");
        assert_eq!(
            rest.matches("torn down").count(),
            instances.min(2),
            "{rest}"
        );
        assert_eq!(status, Some(0), "{rest}");
    }
}

#[test]
fn a_second_signal_cancels_what_runs_and_deferred_blocks_run() {
    let computing = "var n = 0\n  loop { n = (n + 1) % 7 }";
    for work in ["sleep 1h", computing] {
        let endless = Component::new(&format!(
            "scenario endless {{\n  defer log.info(\"left\")\n  log.info(\"begun\")\n  {work}\n}}"
        ));
        let (rest, _) = endless.start("begun", &[]).end_by_asking();
        assert!(rest.contains("left"), "{rest}");
        assert!(rest.contains("1 iteration cut off, stopped in"), "{rest}");
    }
}

#[test]
fn what_ends_by_no_request_is_cut_off() {
    // What runs behind a shield is not cancelled.
    let stubborn = Component::new(
        "scenario stubborn {\n  log.info(\"begun\")\n  defer {\n    var n = 0\n    loop { n = (n + 1) % 7 }\n  }\n}",
    );
    let (rest, _) = stubborn.start("begun", &[]).end_by_asking();
    assert!(rest.contains("stopped in"), "{rest}");
}
