//! Load runs as processes: interrupts, outputs, streams, statuses.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A folder of a test's own with a program in it, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, program: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("scn-load-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the system's own folder takes folders");
        std::fs::write(path.join("x.scn"), program).expect("it takes files, too");
        Folder(path)
    }

    fn run(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scn"));
        command.current_dir(&self.0).args(["run", "x.scn"]);
        command.args(args).stdin(Stdio::null());
        command
    }

    fn output(&self, args: &[&str]) -> Output {
        self.run(args).output().expect("the program starts")
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).expect("the output is there")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn signals_that_ask_to_end_leave_what_was_measured_until_then() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        leaves_what_was_measured(signal);
    }
}

fn leaves_what_was_measured(signal: &str) {
    let folder = Folder::new(
        "interrupt",
        "scenario s {\n  load { users 2 for 1h }\n  setup { log.info(\"ready\") }\n  each { sleep 5ms; check true }\n}\n",
    );
    let mut child = folder
        .run(&[
            "--out",
            "json=r.json",
            "--out",
            "hdr=r.hlog",
            "--workers",
            "1",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut out = BufReader::new(child.stdout.take().expect("its output is a pipe"));
    let mut line = String::new();
    while !line.contains("ready") {
        line.clear();
        let read = out.read_line(&mut line).expect("its output is text");
        assert!(read > 0, "it ended early");
    }
    let killed = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(killed.expect("there is a kill command").success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("its output is text");
    assert!(rest.contains("stopped on request"), "{rest}");
    let results: Value =
        serde_json::from_str(&folder.read("r.json")).expect("the results are JSON");
    assert_eq!(results["stopped"]["by"], "request");
    assert_eq!(results["scenarios"][0]["leaked_users"], 0);
    assert!(folder.read("r.hlog").contains("StartTimestamp"));
    let status = child.wait().expect("it ends").code();
    assert_eq!(status.map(i64::from), results["verdict"]["status"].as_i64());
}

#[test]
fn an_output_on_standard_output_has_it_for_itself() {
    let folder = Folder::new("stdout", "scenario s { sleep 1ms; check 1 == 2 }");
    let output = folder.output(&["--iterations", "3", "--out", "json=-"]);
    let results: Value = serde_json::from_slice(&output.stdout).expect("there is nothing but JSON");
    assert_eq!(results["checks"][0]["failed"], 3);
    assert!(text(&output.stderr).contains("failed in"));
    assert_eq!(output.status.code(), Some(1));
    let both = folder.output(&["--json", "--out", "json=-"]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn a_path_that_cannot_be_written_is_known_before_anything_runs() {
    let folder = Folder::new("unwritable", "scenario s { log.info(\"it ran\") }");
    let output = folder.output(&["--users", "1", "--out", "html=none/x.html"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!text(&output.stdout).contains("it ran"));
    assert!(text(&output.stderr).contains("mkdir -p none"));
}

#[test]
fn a_full_disk_ends_with_the_tool_s_own_status_and_the_summary() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let folder = Folder::new("full", "scenario s { sleep 1ms }");
    let output = folder.output(&[
        "--iterations",
        "2",
        "--out",
        "html=/dev/full",
        "--out",
        "junit=r.xml",
    ]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stdout).contains("scenario"));
    assert!(text(&output.stderr).contains("cannot write the results to `/dev/full`"));
    assert!(folder.read("r.xml").ends_with("</testsuites>\n"));
}

#[test]
fn the_stream_of_a_load_run_has_progress_and_the_report() {
    let folder = Folder::new("stream", "scenario s { sleep 600ms; check true }");
    let output = folder.output(&[
        "--json",
        "--virtual-clock",
        "--users",
        "1",
        "--iterations",
        "4",
    ]);
    let lines = text(&output.stdout);
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is an object"))
        .collect();
    let of_type = |name: &str| lines.iter().filter(|line| line["type"] == name).count();
    assert!(of_type("progress") >= 1, "{lines:?}");
    assert_eq!(of_type("report"), 1);
    let [.., report, summary] = lines.as_slice() else {
        panic!("there are lines")
    };
    assert_eq!(report["results"]["scenarios"][0]["iterations"], 4);
    assert_eq!((&summary["held"], &summary["done"]), (&4.into(), &4.into()));
    assert_eq!(summary["status"], report["results"]["verdict"]["status"]);
}

#[test]
fn a_functional_run_has_results_too() {
    let folder = Folder::new("functional", "scenario s { check 1 == 1 }");
    let output = folder.output(&["--out", "json=r.json", "--out", "junit=r.xml"]);
    assert_eq!(output.status.code(), Some(0));
    let results: Value =
        serde_json::from_str(&folder.read("r.json")).expect("the results are JSON");
    assert_eq!(results["checks"][0]["passed"], 1);
    assert_eq!(results["verdict"]["outcome"], "passed");
    assert!(folder.read("r.xml").contains("name=\"check: 1 == 1\""));
}

#[test]
fn tests_have_results_for_continuous_integration() {
    let program = "test \"holds\" { check 1 == 1 }\ntest \"does not\" { expect 1 == 2 }\n";
    let folder = Folder::new("tests", program);
    let test = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scn"));
        command.current_dir(&folder.0).args(["test", "x.scn"]);
        command.args(args).output().expect("the program starts")
    };
    let output = test(&["--out", "junit=r.xml"]);
    assert_eq!(output.status.code(), Some(1));
    let document = folder.read("r.xml");
    assert!(
        document.contains("tests=\"2\" failures=\"1\" errors=\"0\""),
        "{document}"
    );
    assert!(document.contains("name=\"holds\"") && document.contains("expect 1 == 2"));
    assert_eq!(test(&["--out", "html=r.html"]).status.code(), Some(2));
}

#[test]
fn wrong_numbers_are_refused_with_help() {
    let folder = Folder::new("numbers", "scenario s { sleep 1ms }");
    for (args, help) in [
        (["--for", "30"], "30s"),
        (["--rate", "500"], "500/s"),
        (["--rate", "0/s"], "nothing ever starts"),
        (["--users", "0"], "1.."),
        (["--out", "xml=a"], "json=FILE"),
    ] {
        let output = folder.output(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(
            text(&output.stderr).contains(help),
            "{args:?}: {}",
            text(&output.stderr)
        );
    }
    let no_time = folder.output(&["--rate", "5/s"]);
    assert_eq!(no_time.status.code(), Some(2));
    assert!(
        text(&no_time.stderr).contains("--for"),
        "{}",
        text(&no_time.stderr)
    );
}
