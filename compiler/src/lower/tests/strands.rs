//! Strands: parallel, race, parallel for; servers.

use super::{count, ir, program};
use crate::ir::{GlobalKind, function_text};
use insta::assert_snapshot;

#[test]
fn parallel_leaves_its_lets_behind() {
    assert_snapshot!(ir(
        "scenario s {\n  let base = \"http://h\"\n  parallel {\n    let a = net.get(\"${base}/a\")\n    let b: int? = 3\n    log.info(\"third\")\n  }\n  check a.status == b ?? 0\n}"
    ));
}

#[test]
fn race_gives_the_value_of_the_first() {
    assert_snapshot!(ir(
        "scenario s {\n  let one = net.connect(\"a\")\n  let d = race { one.recv(); net.connect(\"b\").recv() }\n  log.info(\"${d == b\"x\"}\")\n}"
    ));
}

#[test]
fn parallel_for_hands_over_elements_in_memory_form() {
    assert_snapshot!(ir(
        "scenario s {\n  let add = 2\n  let all: list<int?> = [1, none]\n  let got = parallel for x in all max 6 { (x ?? 0) + add }\n  parallel for i in 0..3 { log.info(\"${i}\") }\n  check got.len() == 2\n}"
    ));
}

#[test]
fn branches_have_frames_and_own_what_they_capture() {
    let program =
        program("scenario s {\n  let t = \"a\"\n  race { log.info(t); log.info(\"b\") }\n}");
    let branches: Vec<_> = program
        .functions
        .iter()
        .filter(|f| f.name.ends_with(" race"))
        .collect();
    assert_eq!(branches.len(), 2);
    assert!(
        branches
            .iter()
            .all(|branch| branch.waits && branch.params.iter().all(|param| param.own))
    );
}

#[test]
fn a_tcp_server_accepts_and_spawns() {
    let program = program(
        "server echo tcp \"127.0.0.1:0\" (conn) {\n  let d = conn.recv()\n  log.info(\"${d == b\"x\"}\")\n}",
    );
    let GlobalKind::Server(server) = &program.globals[0].kind else {
        panic!("the global is a server");
    };
    let main = function_text(
        &program,
        server.main,
        &program.functions[server.main.index()],
    );
    assert_eq!(count(&main, "spawn"), 1, "{main}");
    assert_snapshot!(ir(
        "server echo tcp \"127.0.0.1:0\" (conn) {\n  let d = conn.recv()\n  log.info(\"${d == b\"x\"}\")\n}"
    ));
}

#[test]
fn an_http_server_routes_and_answers_errors() {
    assert_snapshot!(ir(
        "server api http \"127.0.0.1:0\" {\n  var hits = 0\n  GET \"/users/{id: int}\" { hits += id; return reply(200) }\n  _ { return reply(404) }\n}"
    ));
}
