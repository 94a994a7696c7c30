//! The program as a process: exit statuses, interrupts, streams.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A file of a test's own, removed with it.
struct Program(PathBuf);

impl Program {
    fn new(text: &str) -> Program {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("scn-process-{}-{count}.scn", std::process::id()));
        std::fs::write(&path, text).expect("the system's own folder takes files");
        Program(path)
    }

    fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scn"));
        command.arg(subcommand).arg(&self.0).stdin(Stdio::null());
        command
    }

    fn output(&self, subcommand: &str) -> Output {
        self.command(subcommand)
            .output()
            .expect("the program starts")
    }

    /// Runs it with so many descriptors, and the port of a peer as a param.
    fn output_with_descriptors(&self, limit: u32, port: u16) -> Output {
        Command::new("sh")
            .args(["-c", &format!("ulimit -n {limit} && exec \"$@\""), "sh"])
            .arg(env!("CARGO_BIN_EXE_scn"))
            .arg("run")
            .arg(&self.0)
            .args(["--set", &format!("port={port}")])
            .output()
            .expect("the program starts")
    }

    /// Starts it and waits for a line of its output.
    fn start(&self, until: &str) -> (Child, BufReader<std::process::ChildStdout>) {
        let mut child = self
            .command("run")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut out = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        let mut line = String::new();
        while !line.contains(until) {
            line.clear();
            assert!(
                out.read_line(&mut line).expect("its output is text") > 0,
                "it ended before `{until}`"
            );
        }
        (child, out)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn interrupt(child: &Child) {
    let status = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(status.expect("there is a kill command").success());
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

#[test]
fn exit_statuses_tell_what_happened() {
    let held = Program::new("scenario s { check 1 == 1 }");
    assert_eq!(code(&held.output("run")), Some(0));
    let broken = Program::new("scenario s { check 1 == 2 }");
    assert_eq!(code(&broken.output("run")), Some(1));
    let wrong = Program::new("scenario s { check 1 == }");
    assert_eq!(code(&wrong.output("run")), Some(2));
    assert_eq!(code(&wrong.output("check")), Some(2));
    assert_eq!(code(&wrong.output("no-such-command")), Some(2));
}

#[test]
fn colours_are_for_terminals_only_unless_asked_for() {
    let wrong = Program::new("scenario s { check missing }");
    let plain = wrong.output("check");
    assert!(!plain.stdout.contains(&0x1b));
    let coloured = wrong
        .command("check")
        .args(["--color", "always"])
        .output()
        .expect("the program starts");
    assert!(coloured.stdout.contains(&0x1b));
}

#[test]
fn an_interrupt_stops_a_waiting_run_and_the_summary_is_printed() {
    let server = Program::new("server api http \"127.0.0.1:0\" { _ { return reply(204) } }");
    let (mut child, mut out) = server.start("server api listens on http://127.0.0.1:");
    interrupt(&child);
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("its output is text");
    assert!(rest.contains("stopped in"), "{rest}");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_second_interrupt_cancels_an_endless_loop_and_deferred_blocks_run() {
    let endless = Program::new(
        "scenario endless {\n  defer log.info(\"left\")\n  server_starts()\n  var n = 0\n  loop { n = (n + 1) % 7 }\n}\n\
         fn server_starts() { log.info(\"begun\") }\n\
         server api http \"127.0.0.1:0\" { _ { return reply(204) } }\n",
    );
    let mut child = endless
        .command("run")
        .arg("--verbose")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut out = BufReader::new(child.stdout.take().expect("its output is a pipe"));
    let mut line = String::new();
    // The address of the server is written out at once; the loop begins right behind it.
    while !line.contains("listens on") {
        line.clear();
        assert!(
            out.read_line(&mut line).expect("its output is text") > 0,
            "it ended early"
        );
    }
    // The first asks the iteration to end, which it never does; two that arrive together count as one, so go on asking.
    while child.try_wait().expect("it is our child").is_none() {
        interrupt(&child);
    }
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("its output is text");
    assert!(rest.contains("stopped in"), "{rest}");
}

/// What the error stream of a run with these arguments has.
fn errors_with(program: &Program, arguments: &[&str]) -> String {
    let mut command = program.command("run");
    let output = command.args(arguments).output().expect("it starts");
    assert_eq!(code(&output), Some(0), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_profile_shows_the_line_that_computes_on_every_engine() {
    let busy = Program::new(
        "param end: int = 20000000
fn busy(n: int) -> int {
  var total = 0
  for i in 0..n {
    total = (total + i * i) % 1000003
  }
  return total
}
scenario s {
  check busy(end) >= 0
}
",
    );
    // Machine code is quicker than a slow machine's clock is fine: it gets more to do.
    for (engine, end) in [
        ("interp", "end=1000000"),
        ("jit", "end=50000000"),
        ("auto", "end=50000000"),
    ] {
        let errors = errors_with(&busy, &["--engine", engine, "--set", end, "--profile"]);
        let first = errors.lines().find(|line| line.contains(" % "));
        let first = first.unwrap_or_else(|| panic!("{engine}: {errors}"));
        assert!(first.contains("loop"), "{engine}: {errors}");
        assert!(
            first.contains(".scn:4  busy  for i in 0..n {"),
            "{engine}: {errors}"
        );
    }
    assert!(!errors_with(&busy, &["--set", "end=1"]).contains("where the time went"));
}

#[cfg(target_os = "linux")]
#[test]
fn profilers_are_told_the_names_of_machine_code() {
    let program = Program::new(
        "fn named(n: int) -> int {\n  var m = n\n  while m > 10 { m -= 7 }\n  return m\n}\nscenario s { check named(99) > 0 }\n",
    );
    let mut command = program.command("run");
    command.args(["--engine", "jit", "--perf-map"]);
    let mut child = command.stdout(Stdio::null()).spawn().expect("it starts");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let path = format!("/tmp/perf-{}.map", child.id());
    let map = std::fs::read_to_string(&path).expect("the map is left for the profiler");
    let _ = std::fs::remove_file(&path);
    let named = map.lines().find(|line| line.contains(" scn named "));
    let named = named.unwrap_or_else(|| panic!("{map}"));
    assert!(named.ends_with(".scn:1"), "{named}");
    let mut words = named.split(' ');
    let number = |word: Option<&str>| usize::from_str_radix(word.unwrap_or_default(), 16);
    assert!(
        number(words.next()).is_ok_and(|address| address > 0),
        "{named}"
    );
    assert!(number(words.next()).is_ok_and(|size| size > 0), "{named}");
}

#[test]
fn a_run_that_ends_while_it_is_compiled_ends_well() {
    let short = Program::new(
        "scenario s {\n  load { users 2; iterations 2 per user }\n  each { check 1 == 1 }\n}\n",
    );
    for _ in 0..5 {
        let output = short.command("run").output().expect("it starts");
        assert!(matches!(code(&output), Some(0 | 4)), "{output:?}");
    }
}

#[test]
fn an_endless_user_does_not_keep_the_others_of_its_worker_from_working() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let program = Program::new(&format!(
        "fn spin(n: int) -> int {{
  var i = n
  loop {{
    i = (i * 3 + 1) % 1000003
    if i < 0 {{ return i }}
  }}
}}
scenario endless {{
  load {{ users 2; iterations 1 per user }}
  each {{ check spin(1) == 0 }}
}}
scenario works {{
  load {{ users 1; iterations 20 per user }}
  each {{ sleep 1ms; let c = tcp.connect(\"127.0.0.1:{port}\"); check c.recv(1) == b\"\" }}
}}
"
    ));
    for engine in ["interp", "jit", "auto"] {
        let mut command = program.command("run");
        command.args(["--workers", "1", "--engine", engine, "--quiet"]);
        let mut child = command.spawn().expect("the program starts");
        for _ in 0..20 {
            drop(listener.accept().expect("the user that works comes by"));
        }
        while child.try_wait().expect("it is our child").is_none() {
            interrupt(&child);
        }
    }
}

#[test]
fn a_reader_that_leaves_does_not_matter() {
    let broken = Program::new(&format!(
        "scenario s {{ {} }}",
        "check 1 == 2\n".repeat(500)
    ));
    let mut child = broken
        .command("run")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    let _ = std::io::stdout().flush();
}

/// A peer that says something only when all connections are there at once; gives their number.
fn gather(listener: &TcpListener, count: usize) -> usize {
    let all: Vec<TcpStream> = (0..count)
        .map_while(|_| listener.accept().ok().map(|(stream, _)| stream))
        .collect();
    for mut stream in &all {
        stream.write_all(b"!").expect("the connection is open");
    }
    let ended = |mut stream: &TcpStream| stream.read_to_end(&mut Vec::new()).is_ok();
    all.iter().filter(|stream| ended(stream)).count()
}

#[test]
fn more_connections_than_descriptors_take_more_workers() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let program = Program::new(
        "param port: int = 0
scenario many {
  load { users 500; iterations 1 per user }
  each { let c = tcp.connect(\"127.0.0.1:${port}\"); check c.recv_exact(1, timeout: 30s) == b\"!\" }
}",
    );
    // Not waited for: when the run fails, the peer goes on waiting.
    let peer = std::thread::spawn(move || gather(&listener, 500));
    let output = program.output_with_descriptors(400, port);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if errors.contains("may not have tables of their own") {
        println!("skipped: {errors}");
        return;
    }
    // A slow machine starts 500 users late, which is another matter.
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        matches!(output.status.code(), Some(0 | 4)),
        "{text}{errors}"
    );
    assert_eq!(peer.join().expect("the peer does not panic"), 500);
}

#[test]
fn who_runs_out_of_descriptors_is_told_the_limit_and_what_to_do() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let program = Program::new(
        "param port: int = 0
scenario greedy {
  let all = [tcp.connect(\"127.0.0.1:${port}\") for _ in 0..90]
  check all.len() == 90
}",
    );
    let output = program.output_with_descriptors(60, port);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("R0516") && text.contains("resource.descriptors"),
        "{text}"
    );
    assert!(text.contains("a worker may have 60"), "{text}");
}

/// Runs a program in a network of its own that has ten local ports; nothing where the system does not allow it.
fn output_with_ten_ports(program: &Program) -> Option<Output> {
    let prepare = "ip link set lo up && echo 40000 40009 > /proc/sys/net/ipv4/ip_local_port_range";
    let within = |then: &str| {
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", &format!("{prepare} && {then}"), "sh"]);
        command
    };
    let probe = within("true").output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        println!("skipped: this process may not have a network of its own");
        return None;
    }
    let output = within("exec \"$@\"")
        .arg(env!("CARGO_BIN_EXE_scn"))
        .arg("run")
        .arg(&program.0)
        .output();
    Some(output.expect("the program starts"))
}

#[test]
fn a_run_without_local_ports_says_so_and_is_invalid() {
    let program = Program::new(
        "pool clients { range \"127.0.1.1\"; when exhausted share }
server stream tcp \"127.0.0.1:0\" (conn) { let _end = conn.recv(64KiB) catch b\"\" }
scenario greedy {
  load { users 30; iterations 1 per user }
  source clients
  let c = tcp.connect(stream.addr)
  let _silence = c.recv(1, timeout: 500ms) catch b\"\"
}",
    );
    let Some(output) = output_with_ten_ports(&program) else {
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(
        text.contains("no local port of 127.0.1.1 is left among 40000-40009"),
        "{text}"
    );
    assert!(text.contains("no local port was left"), "{text}");
}
