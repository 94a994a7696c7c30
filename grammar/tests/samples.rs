//! Every sample program parses without an error, to the tree that its snapshot shows.

use scn_grammar::{SourceId, ast_text, parse};

const SAMPLES: [(&str, &str); 7] = [
    ("bom", include_str!("samples/bom.scn")),
    ("checkout", include_str!("samples/checkout.scn")),
    ("crlf", include_str!("samples/crlf.scn")),
    ("everything", include_str!("samples/everything.scn")),
    ("library", include_str!("samples/library.scn")),
    ("peers", include_str!("samples/peers.scn")),
    ("smoke", include_str!("samples/smoke.scn")),
];

#[test]
fn samples_parse() {
    for (name, text) in SAMPLES {
        let parsed = parse(SourceId(0), text);
        for error in &parsed.errors {
            let line = text[..error.span.start as usize].lines().count();
            println!(
                "{name}:{line}: {} {:?}",
                error.message,
                &text[error.span.range()]
            );
        }
        assert!(parsed.errors.is_empty(), "{name} has errors");
        insta::assert_snapshot!(name, ast_text(&parsed.file));
    }
}
