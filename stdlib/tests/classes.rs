//! The tables of `component/classes.scn` are those of the regex crate: what a component's expressions match is what those
//! of the other engines match.
//!
//! They are made here and compared; the failing test shows what the file should say.

use regex::Regex;
use scn_stdlib::BODIES;

/// A number in groups of seven bits, lowest first.
fn write(out: &mut Vec<u8>, mut number: u32) {
    while number > 127 {
        out.push((number & 127) as u8 | 128);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The ranges of a class beyond ASCII: how far behind the end of the one before, how long less 1.
fn ranges(class: &str) -> Vec<u8> {
    let class = Regex::new(class).expect("a valid class");
    let is_in = |c: char| class.is_match(c.encode_utf8(&mut [0; 4]));
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for c in ('\u{80}'..=char::MAX).filter(|c| is_in(*c)).map(u32::from) {
        match ranges.last_mut() {
            Some((_, end)) if *end == c => *end += 1,
            _ => ranges.push((c, c + 1)),
        }
    }
    let mut out = Vec::new();
    let mut before = 0x80;
    for (start, end) in ranges {
        write(&mut out, start - before);
        write(&mut out, end - start - 1);
        before = end;
    }
    out
}

fn literal(name: &str, bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines: Vec<String> = digits
        .as_bytes()
        .chunks(116)
        .map(|line| std::str::from_utf8(line).expect("digits are ASCII"))
        .map(|line| format!("x\"{line}\""))
        .collect();
    format!("const {name} = {}\n", lines.join(" +\n  "))
}

#[test]
fn the_tables_are_those_of_the_other_engines() {
    let (_, text) = BODIES
        .modules
        .iter()
        .find(|(name, _)| *name == "classes")
        .expect("the module is there");
    for (name, class) in [("WORD", r"\w"), ("DIGIT", r"\d")] {
        let table = literal(name, &ranges(class));
        assert!(text.contains(&table), "{name} should be:\n{table}");
    }
}
