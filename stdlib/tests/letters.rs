//! The tables of `component/letters.scn` are those of Rust's `char`: what a component maps is what the other engines map.
//!
//! They are made here and compared; the failing test shows what the file should say.

use scn_stdlib::BODIES;

/// Where runs begin to be counted: what is below is ASCII.
const FIRST: char = '\u{80}';

/// Characters that map alike: the first, how many, how far apart, what is added.
type Run = (u32, u32, u32, i64);

/// A number in groups of seven bits, lowest first.
fn write(out: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        out.push((number & 127) as u8 | 128);
        number >>= 7;
    }
    out.push(number as u8);
}

/// What is added to a character by a mapping to one character, 0 for any other.
fn difference(c: char, mut mapped: impl Iterator<Item = char>) -> i64 {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => i64::from(u32::from(one)) - i64::from(u32::from(c)),
        _ => 0,
    }
}

fn runs(difference: impl Fn(char) -> i64) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for c in FIRST..=char::MAX {
        let (code, added) = (u32::from(c), difference(c));
        if added == 0 {
            continue;
        }
        if let Some((start, count, apart, same)) = runs.last_mut().filter(|run| run.3 == added) {
            let gap = code - (*start + (*count - 1) * *apart);
            if gap == *apart || (*count == 1 && gap <= 2) {
                (*count, *apart, *same) = (*count + 1, gap, added);
                continue;
            }
        }
        runs.push((code, 1, 1, added));
    }
    runs
}

/// Runs: how far behind the one before, twice the number less 1 and whether each second one, what is added (sign lowest).
fn mapping(difference: impl Fn(char) -> i64) -> Vec<u8> {
    let mut out = Vec::new();
    let mut before = u32::from(FIRST);
    for (start, count, apart, added) in runs(difference) {
        write(&mut out, (start - before).into());
        write(&mut out, ((count - 1) * 2 + apart - 1).into());
        write(&mut out, ((added << 1) ^ (added >> 63)) as u64);
        before = start;
    }
    out
}

/// Characters whose upper case is several: how far behind the one before, how many, which.
fn several() -> Vec<u8> {
    let mut out = Vec::new();
    let mut before = FIRST;
    for c in FIRST..=char::MAX {
        let upper: Vec<char> = c.to_uppercase().collect();
        if upper.len() > 1 {
            write(&mut out, u64::from(u32::from(c) - u32::from(before)));
            write(&mut out, upper.len() as u64);
            upper
                .into_iter()
                .for_each(|one| write(&mut out, u32::from(one).into()));
            before = c;
        }
    }
    out
}

/// Ranges: how far behind the end of the one before, how long less 1.
fn ranges(is_in: impl Fn(char) -> bool) -> Vec<u8> {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for c in (FIRST..=char::MAX).filter(|c| is_in(*c)).map(u32::from) {
        match ranges.last_mut() {
            Some((_, end)) if *end == c => *end += 1,
            _ => ranges.push((c, c + 1)),
        }
    }
    let mut out = Vec::new();
    let mut before = u32::from(FIRST);
    for (start, end) in ranges {
        write(&mut out, (start - before).into());
        write(&mut out, (end - start - 1).into());
        before = end;
    }
    out
}

/// Whether a capital sigma before a character and something behind it is one within a word.
fn is_within_word(c: char, behind: char) -> bool {
    let text = format!("aΣ{c}{behind}").to_lowercase();
    text.chars().nth(1) == Some('σ')
}

/// Whether a character is passed over when a word's end is looked for.
fn is_ignored(c: char) -> bool {
    is_within_word(c, 'a') && !is_within_word(c, '.')
}

/// Whether a character is a letter with a case, although it maps to itself.
fn is_cased_alone(c: char) -> bool {
    is_within_word(c, '.') && c.to_lowercase().eq([c]) && c.to_uppercase().eq([c])
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
        .find(|(name, _)| *name == "letters")
        .expect("a module of this name");
    for (name, bytes) in [
        ("UPPER", mapping(|c| difference(c, c.to_uppercase()))),
        ("LOWER", mapping(|c| difference(c, c.to_lowercase()))),
        ("SEVERAL", several()),
        ("IGNORED", ranges(is_ignored)),
        ("CASED", ranges(is_cased_alone)),
    ] {
        let wanted = literal(name, &bytes);
        assert!(text.contains(&wanted), "letters.scn should say:\n{wanted}");
    }
}

#[test]
fn one_small_letter_only_is_several() {
    let several: Vec<char> = (char::MIN..=char::MAX)
        .filter(|c| c.to_lowercase().count() > 1)
        .collect();
    assert_eq!(several, ['\u{130}']);
}
