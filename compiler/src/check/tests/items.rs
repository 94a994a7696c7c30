//! Scenarios, load, thresholds, pools, servers.

use super::{fine, gives};

#[test]
fn sections_are_checked() {
    gives("scenario s { each { }\n log.info(1) }", &["E0301"]);
    gives("scenario s { setup { } }", &["E0301"]);
    gives("scenario s { each { }\n each { } }", &["E0302"]);
    gives("scenario s { each(seed) { log.info(seed) } }", &["E0303"]);
    gives(
        "scenario s { setup { return 1 }\n each(seed) { log.info(seed + \"a\") } }",
        &["E0203"],
    );
    gives(
        "scenario s { init { var n = 0 }\n each { n += 1 } }",
        &["W0101"],
    );
    fine("scenario s { init { var n = 0 }\n each { n += 1\n check n < 9 } }");
    gives(
        "scenario s { init { var n = 0 }\n each { n += 1\n f()\n check n == 1 } }\nfn f() { log.info(n) }",
        &["E0111"],
    );
    gives(
        "scenario s { setup { return tcp.connect(\"127.0.0.1:1\") }\n each(c) { c.send(\"x\") } }",
        &["E0231"],
    );
    gives("scenario s { }\nscenario s { }", &["E0105"]);
}

#[test]
fn load_blocks_make_sense() {
    let load = |lines: &str, codes: &[&str]| {
        gives(
            &format!("scenario s {{ load {{\n{lines}\n}}\n log.info(1) }}"),
            codes,
        )
    };
    load("users 50 for 1m", &[]);
    load("users 0 -> 100 over 30s\nusers 100 for 1m", &[]);
    load("iterations 3", &[]);
    load("users 5\nrun for 1m", &[]);
    load("spawn 30 at 2s\niterations 2 per user", &[]);
    load("users 50", &["E0308"]);
    load("users 5 for 1m\narrivals 5/s for 1m", &["E0305"]);
    load("arrivals 5/s for 1m\nthink 1s", &["E0306"]);
    load("arrivals 5/s for 1m\niterations 3 per user", &["E0306"]);
    load("users 5\niterations 3", &["E0306"]);
    load("users 500 for 1m\nmax users 100", &["E0306"]);
    load("arrivals 0/s for 1m", &["E0307"]);
    load("users -1 for 1m", &["E0307"]);
    load("users 5 for 0s", &["E0307"]);
    load("max users 5", &["E0308"]);
    load("users 5 for 1m\nthink 1s\nthink 2s", &["E0304"]);
    load("users 5 for 3", &["E0201"]);
}

#[test]
fn thresholds_fit_their_metric() {
    let threshold = |line: &str, codes: &[&str]| {
        gives(
            &format!(
                "metric size: trend<int>\nscenario s {{ thresholds {{\n{line}\nsize max < 9\n}}\n size.add(1) }}"
            ),
            codes,
        );
    };
    threshold("http.duration p95 < 300ms", &[]);
    threshold("http.durations p95 < 300ms", &["E0309"]);
    threshold("http.duration p95 < 300", &["E0311"]);
    threshold("http.duration p101 < 300ms", &["E0310"]);
    threshold("http.failed p95 < 1%", &["E0310"]);
    threshold("http.failed rate < 1%", &[]);
    threshold("http.failed rate < 300ms", &["E0311"]);
    threshold("http.failed rate < 200%", &["E0311"]);
    threshold("http.duration{stp: \"a\"} p95 < 1s", &["E0312"]);
    threshold("size p95 < 1s", &["E0311"]);
    threshold("http.requests rate > 100/s", &[]);
}

#[test]
fn pools_are_checked() {
    let pool = |lines: &str, codes: &[&str]| {
        gives(
            &format!("pool p {{\n{lines}\n}}\nscenario s {{ source p\n log.info(1) }}"),
            codes,
        );
    };
    pool(
        "range \"127.0.1.0/26\"\nrange \"127.0.2.10-127.0.2.40\"\nreserve \"127.0.1.1\"\npick random\nlease per iteration",
        &[],
    );
    pool("range \"127.0.1.0/33\"", &["E0219"]);
    pool("range \"127.0.1.1/24\"", &["E0219"]);
    pool("range \"127.0.2.40-127.0.2.10\"", &["E0219"]);
    pool(
        "range \"127.0.1.0/26\"\nrange \"127.0.1.60-127.0.1.70\"",
        &["E0313"],
    );
    pool("range \"127.0.1.0/26\"\nreserve \"127.0.9.1\"", &["E0314"]);
    pool("range \"127.0.1.1\"\nreserve \"127.0.1.1\"", &["E0316"]);
    pool("pick random", &["E0316"]);
    pool("range \"127.0.1.0/26\"\npick randum", &["E0317"]);
    pool(
        "range \"127.0.1.0/26\"\nwhen exhausted wait 1s then other",
        &["E0101"],
    );
    gives(
        "pool a { range \"127.0.1.1\"\n when exhausted b }\npool b { range \"127.0.1.2\"\n when exhausted a }\nscenario s { source a\n log.info(1) }",
        &["E0315"],
    );
    gives("scenario s { source nope\n log.info(1) }", &["E0101"]);
}

#[test]
fn servers_are_checked() {
    let routes = |routes: &str, codes: &[&str]| {
        gives(
            &format!("server a http \"127.0.0.1:0\" {{\n{routes}\n}}"),
            codes,
        )
    };
    routes("GET \"/a/{id: int}\" { return reply(id) }", &[]);
    routes("GET \"/a/{id: float}\" { return reply(200) }", &["E0318"]);
    routes("GET \"a\" { return reply(200) }", &["E0318"]);
    routes(
        "GET \"/a\" { return reply(200) }\nGET \"/a\" { return reply(201) }",
        &["E0318"],
    );
    routes("GET \"/a\" { log.info(req.path) }", &["E0211"]);
    routes("GETT \"/a\" { return reply(200) }", &["E0317"]);
    routes("GET \"/a\" { return 200 }", &["E0201"]);
    gives(
        "server a tcp \"127.0.0.1\" (conn) { conn.send(\"x\") }",
        &["E0219"],
    );
    gives(
        "server a tcp \"127.0.0.1:99999\" (conn) { conn.send(\"x\") }",
        &["E0219"],
    );
    gives(
        "server a tpc \"127.0.0.1:0\" (conn) { conn.send(\"x\") }",
        &["E0317"],
    );
    gives(
        "server a tcp \"127.0.0.1:0\" (conn) { conn.send(\"x\") }\nscenario s { check a.url == \"\" }",
        &["E0104"],
    );
}

#[test]
fn initialisers_do_not_wait() {
    gives(
        "param p: int = http.get(\"http://h/\").status\nscenario s { log.info(p) }",
        &["E0225"],
    );
    gives(
        "fn f() -> int { sleep 1s\n return 1 }\nparam p: int = f()\nscenario s { log.info(p) }",
        &["E0225"],
    );
    gives(
        "param a: int = b\nparam b: int = 1\nscenario s { log.info(a) }",
        &["E0109"],
    );
}

#[test]
fn metrics_and_data_have_types() {
    gives(
        "metric m: trend<string>\nscenario s { m.add(1) }",
        &["E0319"],
    );
    gives("metric m: treend<int>\nscenario s { m.add(1) }", &["E0319"]);
    gives("metric m: counter\nscenario s { m.add(\"a\") }", &["E0201"]);
    gives(
        "data d: int = csv(\"x\")\nscenario s { log.info(d) }",
        &["E0320"],
    );
    fine("data d: list<{ a: int }> = csv(\"x\")\nscenario s { for row in d { log.info(row.a) } }");
}
