//! Random programs: generated from fixed seeds, well typed by construction, run twice on the virtual clock.
//!
//! Whatever a program does, it must not bring the runtime down, must leave no object behind, must do the same again,
//! and values must never alias. In debug builds the verifier also proves each compiled function right. What programs
//! are made of is in [`program`].

#![forbid(unsafe_code)]

#[path = "stress/program.rs"]
mod program;
#[path = "stress/random.rs"]
mod random;

use scn_compiler::source::{Loader, Source};
use scn_runtime::event::{End, Event, Observer};
use scn_runtime::{Linked, Outcome, Plan, StopHandle, What, run};
use std::sync::Arc;
use std::time::Duration;

struct NoFiles;

impl Loader for NoFiles {
    fn load(&self, _: &str, path: &str) -> Result<Source, String> {
        Err(format!(
            "generated programs import nothing, not even {path}"
        ))
    }
}

/// What a run did, as lines.
#[derive(Default)]
struct Story(Vec<String>);

impl Observer for Story {
    fn event(&mut self, event: Event) {
        self.0.push(match event {
            Event::Log { text, .. } => text,
            Event::Check { site, ok, .. } => format!("check {site} {ok}"),
            Event::StepEnd {
                site, nanos, ok, ..
            } => format!("step {site} {nanos} {ok}"),
            Event::SectionEnd { nanos, end, .. } => {
                let end = match end {
                    End::Failed(fault) => format!("{}: {}", fault.kind(), fault.message()),
                    other => format!("{other:?}"),
                };
                format!("end {nanos} {end}")
            }
            Event::DeferFailed { fault } => format!("defer {}", fault.kind()),
            _ => return,
        });
    }
}

fn link(text: &str) -> Result<Arc<Linked>, String> {
    let entry = Source {
        name: "generated.scn".to_owned(),
        text: text.to_owned(),
    };
    let checked = scn_compiler::check(entry, &NoFiles, &scn_stdlib::LIBRARY);
    let Some(hir) = &checked.hir else {
        let found: Vec<String> = checked
            .diagnostics
            .iter()
            .map(|found| format!("{:?} {} {:?}", found.code, found.message, found.labels))
            .collect();
        return Err(format!("it is refused: {found:#?}"));
    };
    let program = scn_compiler::lower(&checked.sources, hir);
    let linked = Linked::link(program, &scn_stdlib::natives());
    linked
        .map(Arc::new)
        .map_err(|error| format!("it does not link: {error}"))
}

fn execute(linked: &Arc<Linked>) -> Result<(Vec<String>, Outcome), String> {
    let plan = Plan {
        virtual_clock: true,
        limit: Some(Duration::from_secs(3600)),
        grace: Some(Duration::from_secs(1)),
        ..Plan::new(What::Scenarios(Vec::new()))
    };
    let mut story = Story::default();
    let outcome = run(linked, &plan, &mut story, &StopHandle::new());
    outcome
        .map(|outcome| (story.0, outcome))
        .map_err(|error| format!("it does not run: {error}"))
}

fn verify(text: &str) -> Result<Vec<String>, String> {
    let linked = link(text)?;
    let (story, outcome) = execute(&linked)?;
    let (again, _) = execute(&linked)?;
    if let Some(line) = story.iter().find(|line| line.starts_with(program::BROKEN)) {
        return Err(line.clone());
    }
    match (outcome.live_objects, story == again) {
        (0, true) => Ok(story),
        (0, false) => Err(format!("it did {story:#?}, then {again:#?}")),
        (live, _) => Err(format!("{live} objects are left")),
    }
}

fn all(seeds: std::ops::Range<u64>) {
    let mut lines = 0;
    for seed in seeds {
        let text = program::generate(seed);
        match std::panic::catch_unwind(|| verify(&text)) {
            Ok(Ok(story)) => lines += story.len(),
            Ok(Err(why)) => panic!("seed {seed}: {why}\n{text}"),
            Err(_) => panic!("seed {seed}: a panic\n{text}"),
        }
    }
    assert!(lines > 1000, "the programs do too little: {lines} lines");
}

/// `SCN_STRESS=3000` tries more, for changes of the ownership pass, the interpreter or the driver.
#[test]
fn random_programs_do_no_harm() {
    let wanted = std::env::var("SCN_STRESS").ok();
    all(0..wanted.and_then(|text| text.parse().ok()).unwrap_or(120));
}
