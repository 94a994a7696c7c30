//! What a run measures, from the script to the report: operations, steps, checks, errors, thresholds.

use crate::harness::{Ran, scenario};
use scn_runtime::report::{Report, Series, Value};

const PEERS: &str = "
metric ratio: trend<float>
metric hits: counter
server echo tcp \"127.0.0.1:0\" (conn) {
  loop { let d = conn.recv(64KiB); if d.is_empty() { break }; conn.send(d) }
}
server api http \"127.0.0.1:0\" {
  GET \"/items/{id: int}\" { return reply(200, json: { id }) }
  _ { return reply(404) }
}
";

/// Two users with three iterations each.
fn measured(head: &str, body: &str) -> (Ran, Report) {
    let source = format!(
        "{PEERS}\nscenario s {{\nload {{ users 2\niterations 3 per user }}\ntags {{ team: \"x\" }}\n{head}\n{body}\n}}"
    );
    let ran = scenario(&source, &[]);
    let report = *ran.outcome.report.clone().expect("load runs are measured");
    (ran, report)
}

fn amount(series: &Series) -> f64 {
    match &series.value {
        Value::Counter(sum) => *sum,
        Value::Rate { yes, .. } => *yes as f64,
        Value::Trend(all) => all.count() as f64,
        Value::Gauge { max, .. } => *max,
    }
}

/// The sum of a metric over the series that have these tags.
fn sum(report: &Report, metric: &str, tags: &[(&str, &str)]) -> f64 {
    let has = |series: &Series, (name, value): &(&str, &str)| {
        let mut found = series.tags.iter().filter(|(known, _)| known == name);
        found.any(|(_, known)| known == value)
    };
    let all = report.series.iter().filter(|one| one.metric == metric);
    all.filter(|one| tags.iter().all(|tag| has(one, tag)))
        .map(amount)
        .sum()
}

#[test]
fn operations_are_measured_where_they_belong() {
    let (ran, report) = measured(
        "thresholds { http.requests{step: \"buy\"} count == 6 }",
        "
        step \"buy\" {
          check http.get(\"${api.url}/items/7\").status == 200
          step \"talk\" {
            let c = tcp.connect(echo.addr)
            c.send(b\"hello\")
            check c.recv_exact(5) == b\"hello\"
          }
        }
        check http.get(\"${api.url}/missing\", ok: 404).status == 404
        ratio.add(0.25)
        hits.add(2)",
    );
    assert!(ran.failed.is_empty(), "{:?}", ran.failed);
    let item = [
        ("name", "GET /items/{}"),
        ("status", "200"),
        ("method", "GET"),
        ("step", "buy"),
        ("scenario", "s"),
        ("team", "x"),
    ];
    for metric in ["http.requests", "http.duration", "http.service"] {
        assert_eq!(sum(&report, metric, &item), 6.0, "{metric}");
    }
    assert_eq!(sum(&report, "http.failed", &[]), 0.0);
    assert_eq!(sum(&report, "http.connections.opened", &[]), 2.0);
    assert_eq!(sum(&report, "http.connections.reused", &[]), 10.0);
    let talk = |name| [("name", name), ("step", "buy > talk")];
    for name in ["connect", "send", "recv"] {
        assert_eq!(sum(&report, "tcp.requests", &talk(name)), 6.0, "{name}");
    }
    assert_eq!(sum(&report, "tcp.sent", &[]), 30.0, "servers are no load");
    assert_eq!(sum(&report, "tcp.received", &[]), 30.0);
    assert_eq!(sum(&report, "tcp.connections.opened", &[]), 6.0);
    assert_eq!(sum(&report, "tcp.connections.reused", &[]), 0.0);
    assert_eq!(
        sum(&report, "step.duration", &[("step", "buy > talk")]),
        6.0
    );
    assert_eq!(sum(&report, "checks", &[]), 18.0);
    assert_eq!(sum(&report, "hits", &[]), 12.0);
    assert_eq!(sum(&report, "ratio", &[("team", "x")]), 6.0);
    assert_eq!(sum(&report, "iterations", &[]), 6.0);
    assert_eq!(sum(&report, "iteration.duration", &[]), 6.0);
    let one = &report.scenarios[0];
    assert_eq!((one.users, one.iterations, one.leaked), (2, 6, 0));
    assert!(report.thresholds.iter().all(|threshold| threshold.ok));
    assert_eq!(report.generator.invalid, []);
}

#[test]
fn failures_are_counted_by_kind_and_once() {
    let (ran, report) = measured(
        "thresholds { http.requests count == 0; errors{kind: \"connection_refused\"} count > 5 }",
        "
        step \"knock\" {
          let gone = tcp.connect(\"127.0.0.1:1\") catch e { check e.kind == \"connection_refused\"; fail e }
          gone.close()
        }",
    );
    assert!(ran.failed.is_empty());
    let refused = [("kind", "connection_refused")];
    assert_eq!(sum(&report, "tcp.failed", &refused), 6.0);
    assert_eq!(sum(&report, "tcp.connections.failed", &refused), 6.0);
    assert_eq!(sum(&report, "errors", &refused), 6.0);
    assert_eq!(sum(&report, "errors", &[("step", "knock")]), 6.0);
    assert_eq!(sum(&report, "iterations.failed", &[]), 6.0);
    assert_eq!(report.errors.len(), 1);
    assert_eq!(report.errors[0].count, 6);
    let counted: u64 = report
        .timeline
        .iter()
        .flat_map(|point| &point.errors)
        .map(|(_, count)| count)
        .sum();
    assert_eq!(counted, 6, "once, although it ended the iteration as well");
    assert!(report.thresholds.iter().all(|threshold| threshold.ok));
}

#[test]
fn a_scenario_without_a_plan_is_measured_as_well() {
    let source = format!(
        "{PEERS}\nscenario s {{\nthresholds {{ http.duration max < 1h; tcp.duration max < 1h }}\ncheck http.get(\"${{api.url}}/\").status == 200\n}}"
    );
    let ran = scenario(&source, &[]);
    let report = ran.outcome.report.expect("scenarios are measured");
    let ok: Vec<bool> = report.thresholds.iter().map(|one| one.ok).collect();
    assert_eq!(ok, [true, false], "no data fails");
    let check = &report.checks[0];
    assert_eq!((check.passed, check.failed), (0, 1));
    let example = check.example.as_ref().expect("the first failure is kept");
    assert_eq!(
        example.sides,
        Some(("404".to_owned(), "200".to_owned())),
        "with both sides"
    );
}
