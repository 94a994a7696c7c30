//! Libraries on the command line: what `scn inspect` and `scn run` say of them.

use super::host::Loaded;
use scn_tests::folder::Folder;
use scn_tests::program::scn;
use wasmtime::component::Val;

const LIBRARY: &str = "/// Twice as much.\nexport fn twice(n: int) -> int { return n * 2 }\n";

/// Longer than the component takes on the busiest machine.
const LIMIT: &str = "60s";

/// Builds a program; where the component is.
fn built(folder: &Folder, text: &str) -> String {
    let source = folder.write("shop.scn", text).display().to_string();
    let output = folder.path("shop.wasm").display().to_string();
    let told = scn(["build", &source, "-o", &output]);
    assert_eq!(told.status, 0, "{}", told.transcript());
    output
}

#[test]
fn a_library_says_what_it_exports_and_has_nothing_to_run() {
    let folder = Folder::new("shown");
    let component = built(&folder, LIBRARY);
    let told = scn(["inspect", &component]);
    let exports = "exports:\n  scn:library/shop\n    twice(n: s64) -> s64\n";
    assert!(told.out.contains(exports), "{}", told.transcript());
    let told = scn(["run", &component, "--time-limit", LIMIT]);
    assert_eq!(told.status, 2, "{}", told.transcript());
    assert!(
        told.err
            .contains("it is a library that exports scn:library/shop"),
        "{}",
        told.err
    );
}

#[test]
fn a_file_with_scenarios_can_be_run_as_well() {
    let folder = Folder::new("shown");
    let text = format!("{LIBRARY}scenario s {{ check twice(2) == 4 }}\n");
    let component = built(&folder, &text);
    let told = scn(["run", &component, "--time-limit", LIMIT]);
    assert_eq!(told.status, 0, "{}", told.transcript());
    let bytes = std::fs::read(&component).expect("it was built");
    let mut loaded = Loaded::of(&bytes, "scn:library/shop");
    assert_eq!(loaded.call("twice", &[Val::S64(21)]), Some(Val::S64(42)));
}

#[test]
fn the_interface_goes_to_the_standard_output() {
    let folder = Folder::new("shown");
    let source = folder.write("shop.scn", LIBRARY).display().to_string();
    let told = scn(["build", &source, "--emit", "wit"]);
    assert_eq!(told.status, 0, "{}", told.transcript());
    assert!(
        told.out.contains("  twice: func(n: s64) -> s64;\n"),
        "{}",
        told.out
    );
}

/// What a library costs before it does anything: less than a page of pictures.
#[test]
fn a_small_library_is_a_small_component() {
    let folder = Folder::new("shown");
    let size = |text: &str| {
        std::fs::read(built(&folder, text))
            .expect("it was built")
            .len()
    };
    let (small, texts) = (
        size(LIBRARY),
        size("export fn same(text: string) -> string { return text }"),
    );
    assert!(
        small < 64 << 10 && texts < 64 << 10,
        "{small} and {texts} bytes"
    );
}
