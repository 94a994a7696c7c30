//! Random programs as components: what checks builds to a valid component, which does what the interpreter does.
//!
//! The programs are those of `scn_stress`. `SCN_STRESS_COMPONENTS=500` tries so many seeds, from `SCN_STRESS_FROM` on.

use crate::Temporary;
use scn_tests::program::{Output, scn};

/// Seeds that each run of the tests tries.
const SEEDS: u64 = 16;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The events of a run on the virtual clock.
fn events(file: &Temporary, engine: &str) -> Output {
    let shown = file.shown();
    let args = [
        "run",
        &shown,
        "--json",
        "--seed",
        "1",
        "--virtual-clock",
        "--engine",
        engine,
    ];
    match engine {
        "component" => scn(args.iter().chain(&["--engine-limit", "60s"])),
        _ => scn(args),
    }
}

#[test]
fn random_programs_do_the_same_as_components() {
    let from = variable("SCN_STRESS_FROM").unwrap_or(0);
    let seeds = variable("SCN_STRESS_COMPONENTS").unwrap_or(SEEDS);
    let mut lines = 0;
    for seed in from..from + seeds {
        let text = scn_stress::generate(seed);
        let file = Temporary::new("random.scn", text.as_bytes());
        let (native, component) = (events(&file, "interp"), events(&file, "component"));
        // Both say what the checker warns of.
        let more = component.err.strip_prefix(&native.err);
        assert_eq!(more, Some(""), "seed {seed}:\n{text}");
        let pairs = native.out.lines().zip(component.out.lines());
        for (left, right) in pairs {
            assert_eq!(right, left, "seed {seed}:\n{text}");
        }
        assert_eq!(
            component.out.lines().count(),
            native.out.lines().count(),
            "seed {seed}:\n{text}"
        );
        assert_eq!(component.status, native.status, "seed {seed}");
        lines += native.out.lines().count() as u64;
    }
    println!("{seeds} programs from seed {from} on told {lines} lines natively and as components");
    assert!(
        lines > 4 * seeds,
        "the programs do too little: {lines} lines"
    );
}
