//! Random programs: well typed by construction, run on the virtual clock by all engines.
//!
//! Whatever a program does, it must not bring the runtime down, must leave no object behind, must do the same again and
//! on each engine, and values must never alias. In debug builds the verifier also proves each compiled function right.
//! What programs are made of, and what is compared, is in [`scn_stress`].
//!
//! `SCN_STRESS=3000` tries so many seeds, `SCN_STRESS_SECONDS=60` as many as there is time for, from `SCN_STRESS_FROM` on.
//! A program that ends the whole process lies in `stress.scn` in the folder of temporary files of the build.

#![forbid(unsafe_code)]

use scn_stress::{Built, Https, build, build_with, compare, generate, mutate_seed};
use std::path::Path;
use std::time::{Duration, Instant};

/// Seeds that each run of the tests tries.
const SEEDS: u64 = 30;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// How the program of a seed is wrong; else how many lines it told.
fn verify(seed: u64) -> Result<usize, String> {
    let text = generate(seed);
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stress.scn");
    // Only a help for whoever looks for the reason of a crash.
    let _ = std::fs::write(place, format!("// seed {seed}\n{text}"));
    match std::panic::catch_unwind(|| compare(&text)) {
        Ok(Ok(compared)) => Ok(compared.lines.len()),
        Ok(Err(why)) => Err(format!("seed {seed}: {why}\n{text}")),
        Err(_) => Err(format!("seed {seed}: a panic\n{text}")),
    }
}

#[test]
fn random_programs_do_the_same_on_all_engines() {
    let from = variable("SCN_STRESS_FROM").unwrap_or(0);
    let (mut lines, mut programs) = (0, 0);
    match variable("SCN_STRESS_SECONDS") {
        Some(seconds) => {
            let end = Instant::now() + Duration::from_secs(seconds);
            while Instant::now() < end {
                lines += verify(from + programs).unwrap_or_else(|why| panic!("{why}"));
                programs += 1;
            }
        }
        None => {
            programs = variable("SCN_STRESS").unwrap_or(SEEDS);
            for seed in from..from + programs {
                lines += verify(seed).unwrap_or_else(|why| panic!("{why}"));
            }
        }
    }
    println!("{programs} programs from seed {from} on told {lines} lines on each engine");
    assert!(
        lines as u64 > 4 * programs,
        "the programs do too little: {lines} lines"
    );
}

/// Running them as components is compared in the tests of the command line.
#[test]
fn random_programs_build_to_components() {
    for seed in 1000..1000 + SEEDS {
        let text = generate(seed);
        match build(&text) {
            Ok(Built::Component(size)) => assert!(size < 1 << 20, "seed {seed}: {size} bytes"),
            other => panic!("seed {seed}: {other:?}\n{text}"),
        }
    }
}

/// How the mutant of a seed is wrong; else whether it became a component.
fn verify_mutant(seed: u64) -> Result<bool, String> {
    let text = mutate_seed(seed);
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutant.scn");
    let _ = std::fs::write(place, format!("// seed {seed}\n{text}"));
    let https = match seed % 4 {
        0 => Https::WasiHttp,
        _ => Https::WasiTls,
    };
    match std::panic::catch_unwind(|| build_with(&text, https)) {
        Ok(Ok(built)) => Ok(matches!(built, Built::Component(_))),
        Ok(Err(why)) => Err(format!("seed {seed}: {why}\n{text}")),
        Err(_) => Err(format!("seed {seed}: a panic\n{text}")),
    }
}

/// `SCN_MUTANTS_SECONDS=60` tries as many as there is time for.
#[test]
fn mutants_of_programs_build_or_are_told_why_not() {
    let from = variable("SCN_STRESS_FROM").unwrap_or(0);
    let time = variable("SCN_MUTANTS_SECONDS").map(Duration::from_secs);
    let began = Instant::now();
    let (mut built, mut programs) = (0, 0);
    while time.map_or(programs < SEEDS, |time| began.elapsed() < time) {
        built += u64::from(verify_mutant(from + programs).unwrap_or_else(|why| panic!("{why}")));
        programs += 1;
    }
    println!("{built} of {programs} mutants from seed {from} on became components");
    assert!(2 * built > programs, "{built} of {programs}");
}
