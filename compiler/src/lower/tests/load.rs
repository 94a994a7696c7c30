//! Load plans, pools and thresholds: what lowering makes of them, and that the text form loses nothing.

use super::program;
use crate::ir::load::{Load, Threshold};
use crate::ir::{GlobalKind, Pool, Program, ir_text, parse_ir};
use insta::assert_snapshot;
use scn_grammar::Span;

const ALL: &str = r#"pool clients {
  range "127.0.1.0/26"
  range "127.0.2.10-127.0.2.40"
  reserve "127.0.1.1"
  pick random
  lease per iteration
  when exhausted wait 30s then spare
}
pool spare { range "::1"; lease per request; when exhausted fail }
metric orders: counter
thresholds { checks rate > 99% abort after 10s }
scenario open {
  load {
    arrivals 10/s -> 500/s over 30s poisson
    arrivals 30/m for 2m
    iterations 1000 shared
    max users 400
    limit requests 1000/s
    graceful stop 10s
  }
  source clients
  tags { team: "shop" }
  thresholds {
    http.duration{step: "buy", team: "shop"} p99.9 < 300ms or empty
    orders count >= 1 abort
  }
  orders.add(1)
}
scenario closed {
  load {
    users 0 -> 100 over 30s
    users 100
    run for 5m
    think 1s..3s
    fresh users
    start at 30s
    weight 3
  }
  log.info("x")
}
scenario phases {
  load {
    spawn 30
    spawn 50 at 10s from spare tags { tenant: "a" }
    iterations 3 per user
    pace 2s
    limit spawn 2.5/s
  }
  log.info("x")
}
"#;

/// What the text form is to carry, without places.
fn carried(program: &Program) -> (Vec<Option<Load>>, Vec<Threshold>, Vec<Pool>) {
    let loads = program.scenarios.iter().map(|s| s.load.clone()).collect();
    let thresholds = program
        .scenarios
        .iter()
        .flat_map(|scenario| &scenario.thresholds)
        .chain(&program.thresholds)
        .cloned()
        .map(|threshold| Threshold {
            span: Span::default(),
            ..threshold
        })
        .collect();
    let pools = program
        .globals
        .iter()
        .filter_map(|global| match &global.kind {
            GlobalKind::Pool(pool) => Some(pool.clone()),
            _ => None,
        })
        .collect();
    (loads, thresholds, pools)
}

#[test]
fn the_text_form_carries_all_of_it() {
    let program = program(ALL);
    let text = ir_text(&program);
    let back = parse_ir(&text).unwrap_or_else(|wrong| panic!("{wrong} in:\n{text}"));
    assert_eq!(carried(&back), carried(&program));
    for (was, is) in program.scenarios.iter().zip(&back.scenarios) {
        assert_eq!((is.source, &is.tags), (was.source, &was.tags));
    }
}

#[test]
fn plans_are_written_on_a_line_of_their_own() {
    let text = ir_text(&program(ALL));
    let items: Vec<&str> = text
        .lines()
        .filter(|line| {
            let word = line.split_whitespace().next().unwrap_or_default();
            ["scenario", "load", "thresholds"].contains(&word) || line.contains(" pool ")
        })
        .collect();
    assert_snapshot!(items.join("\n"));
}
