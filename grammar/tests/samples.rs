//! Every sample program parses without an error.

use scn_grammar::{SourceId, parse};

#[test]
fn samples_parse() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples");
    for entry in std::fs::read_dir(folder).expect("the samples are there") {
        let path = entry.expect("a readable folder").path();
        let text = std::fs::read_to_string(&path).expect("a readable sample");
        let parsed = parse(SourceId(0), &text);
        for error in &parsed.errors {
            let line = text[..error.span.start as usize].lines().count();
            println!(
                "{}:{line}: {} {:?} {:?}",
                path.display(),
                error.message,
                error.span,
                &text[error.span.range()]
            );
        }
        assert!(parsed.errors.is_empty(), "{} has errors", path.display());
    }
}
