//! Events that are written and read are the same events.

use super::*;
use crate::digest::Digest;
use crate::digest::verdict::Verdict;
use crate::outputs::{Results, results};
use crate::render::json;
use crate::render::numbers::Clock;
use crate::sample;
use scn_runtime::run::Outcome;
use serde_json::json;

/// Writes an event, reads it, and writes it again.
fn assert_same(event: &Event, program: &ProgramText) {
    let clock = Clock::default();
    let written = json::event(event, program, clock);
    let read = Reader::new(program).read(&written.to_string());
    let Some(Said::Event(read)) = read else {
        panic!("{written} is an event, not {read:?}")
    };
    assert_eq!(json::event(&read, program, clock), written);
}

fn section() -> Section {
    Section {
        kind: SectionKind::Each,
        name: "checkout".into(),
        user: 7,
        iteration: 3,
    }
}

#[test]
fn events_come_back_as_they_went() {
    let sample = sample::large();
    let program = &sample.program;
    let fault = sample.report.errors[0].example.clone();
    let site_of = |kind| {
        let found = program.find_site(|site| site.kind == kind);
        found.expect("the sample has one")
    };
    let check = |ok, label: Option<&str>| Event::Check {
        site: site_of(SiteKind::Check),
        label: label.map(str::to_owned),
        ok,
        sides: (!ok).then(|| ("503".to_owned(), "200".to_owned())),
        error: None,
    };
    let expect = Event::Check {
        site: site_of(SiteKind::Expect),
        label: None,
        ok: false,
        sides: None,
        error: Some(fault.clone()),
    };
    let step = site_of(SiteKind::Step);
    let place = fault.data().place.expect("the sample's error has a place");
    let events = [
        Event::ServerStart {
            name: "api".to_owned(),
            protocol: "http".to_owned(),
            address: "127.0.0.1:80".parse().expect("it is an address"),
        },
        Event::ServerError {
            name: "api".to_owned(),
            fault: fault.clone(),
        },
        Event::SectionStart { section: section() },
        Event::Turn { section: section() },
        Event::SectionEnd {
            section: Section {
                user: u64::MAX,
                kind: SectionKind::Setup,
                ..section()
            },
            nanos: 5,
            end: End::Failed(fault.clone()),
        },
        Event::SectionEnd {
            section: section(),
            nanos: i64::MAX,
            end: End::Cancelled,
        },
        check(true, None),
        check(false, Some("item 7")),
        expect,
        Event::StepBegin {
            site: step,
            name: Some("buy 1".to_owned()),
            depth: 0,
        },
        Event::StepEnd {
            site: step,
            name: None,
            depth: 0,
            nanos: 12,
            ok: false,
        },
        Event::Log {
            level: "warn",
            text: "ä\n\"quoted\"".to_owned(),
            place,
        },
        Event::Sample {
            metric: "cart_items".to_owned(),
            value: 1.5,
        },
        Event::WorkerFailed {
            why: "no memory".to_owned(),
        },
        Event::DeferFailed {
            fault: fault.clone(),
        },
        Event::Transfer(Box::new(Transfer {
            protocol: "udp",
            user: 1,
            sent: true,
            peer: "[::1]:9".parse().expect("it is an address"),
            bytes: 3,
            text: "a\\n".to_owned(),
        })),
        Event::Exchange(Box::new(Exchange {
            protocol: "http",
            user: 1,
            method: "GET".to_owned(),
            target: "http://a.test/".to_owned(),
            status: Some(503),
            nanos: 70,
            phases: vec![("connect", 30), ("wait", 40)],
            sent: 10,
            received: 20,
            reused: true,
            error: Some(fault),
            text: Some(("GET /".to_owned(), "HTTP/1.1 503".to_owned())),
            ..Exchange::default()
        })),
    ];
    events.iter().for_each(|event| assert_same(event, program));
    let second = Event::Progress(Box::new(sample::progress(3)));
    assert_same(&second, program);
}

#[test]
fn lines_that_are_no_events_are_left_alone() {
    let sample = sample::large();
    let reader = Reader::new(&sample.program);
    for line in [
        "hello",
        "{}",
        r#"{"type": "unknown"}"#,
        r#"{"type": "check", "ok": true}"#,
        r#"{"type": "end", "section": "what"}"#,
        "[1]",
    ] {
        assert!(reader.read(line).is_none(), "{line}");
    }
    let outside = json!({ "type": "check", "ok": true, "label": "x",
        "place": { "file": "checkout.scn", "start": 0, "end": 1_000_000 } });
    assert!(reader.read(&outside.to_string()).is_none());
    let summary = reader.read(r#"{"type": "summary", "status": 4}"#);
    let Some(Said::Summary { status, objects }) = summary else {
        panic!("it is a summary")
    };
    assert_eq!((status, objects), (4, 0));
}

/// The results of a sample, as they are written.
fn results_of(sample: &sample::Sample) -> Value {
    let (report, program) = (&sample.report, &sample.program);
    results::value(&Results {
        file: "checkout.scn",
        report,
        digest: &Digest::of(report),
        verdict: &Verdict::of(report, &Outcome::default(), program),
        program,
    })
}

#[test]
fn results_come_back_as_they_went() {
    for sample in [sample::large(), sample::small()] {
        let written = results_of(&sample);
        let line = json!({ "type": "report", "results": written });
        let read = Reader::new(&sample.program).read(&line.to_string());
        let Some(Said::Report(report)) = read else {
            panic!("it is a report")
        };
        let again = sample::Sample {
            report: *report,
            program: sample.program,
        };
        assert_eq!(results_of(&again), written);
    }
}
