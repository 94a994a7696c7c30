//! JSON text to objects in one pass, for text that is what it should be: where anything is wrong or rare, it gives up,
//! and `parse` takes the long way. So it makes no errors, and need not know all of JSON. Enter at [`parse`].

use super::parse::number;
use super::scan::{Number, Scan};
use scn_runtime::{Ctx, Own, OwnSlot, VarList, VarMap, desc};
use smallvec::SmallVec;

/// How deep it goes.
pub(super) const DEPTH: u32 = 100;

/// Reads a whole text; `None` if that takes a closer look.
pub(super) fn parse(ctx: &Ctx, text: &[u8]) -> Option<Own> {
    let mut scan = Scan::new(text)?;
    let value = value(ctx, &mut scan, DEPTH)?;
    scan.is_done().then_some(value)
}

/// Reads a value, nested at most that deep.
pub(super) fn value(ctx: &Ctx, scan: &mut Scan<'_>, depth: u32) -> Option<Own> {
    let heap = &ctx.heap;
    Some(match scan.next() {
        b'"' => heap.string(&scan.string()?),
        b'{' => object(ctx, scan, depth.checked_sub(1)?)?,
        b'[' => array(ctx, scan, depth.checked_sub(1)?)?,
        b't' => scan.word(b"true").map(|()| heap.box_bool(true))?,
        b'f' => scan.word(b"false").map(|()| heap.box_bool(false))?,
        b'n' => scan.word(b"null").map(|()| heap.null())?,
        b'-' | b'0'..=b'9' => match scan.number()? {
            Number::Int(int) => heap.box_int(int),
            Number::Float(float) => heap.box_float(float),
            Number::Long(text) => number(ctx, text),
        },
        _ => return None,
    })
}

fn array(ctx: &Ctx, scan: &mut Scan<'_>, depth: u32) -> Option<Own> {
    scan.step();
    let mut list = VarList::new(ctx, desc::JSON_LIST, 0);
    if scan.next() == b']' {
        scan.step();
        return Some(list.into_own());
    }
    loop {
        let item = value(ctx, scan, depth)?;
        list.push(ctx, OwnSlot::own(item));
        match scan.next() {
            b',' => scan.step(),
            b']' => break,
            _ => return None,
        }
    }
    scan.step();
    Some(list.into_own())
}

fn object(ctx: &Ctx, scan: &mut Scan<'_>, depth: u32) -> Option<Own> {
    scan.step();
    if scan.next() == b'}' {
        scan.step();
        return Some(VarMap::new(ctx, desc::JSON_MAP).into_own());
    }
    let mut members: SmallVec<[(Own, Own); 8]> = SmallVec::new();
    loop {
        let name = ctx.heap.string(&scan.name()?);
        let value = value(ctx, scan, depth)?;
        members.push((name, value));
        match scan.next() {
            b',' => scan.step(),
            b'}' => break,
            _ => return None,
        }
    }
    scan.step();
    Some(VarMap::of_members(ctx, members.into_iter()).into_own())
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse_closely;
    use super::*;
    use crate::testing::with_ctx;
    use scn_runtime::object::show;
    use scn_runtime::{Key, Seen};

    /// Both ways agree wherever the short one does not give up.
    fn agree(text: &[u8]) -> bool {
        let mut read = false;
        with_ctx(|ctx| {
            let shown = |value: &Own| {
                let text = show::json_object(ctx.descs(), value.as_any(), None);
                (value.as_any().desc(), text)
            };
            if let Some(short) = parse(ctx, text) {
                let long = parse_closely(ctx, text).map(|value| shown(&value)).ok();
                assert_eq!(Some(shown(&short)), long, "{}", text.escape_ascii());
                read = true;
            }
        });
        read
    }

    #[test]
    fn the_short_way_reads_what_is_common() {
        for text in [
            r#"{"a":[1,-2.5,true,false,null,"é\n\u00e9\/"],"b":{},"c":[], "a": "again"}"#,
            " [ ] ",
            "0",
            "-0",
            "-0.0",
            "0.1",
            "98.50",
            "123456789012345678",
            "9223372036854775808",
            "0.10000000000000000001",
            "123456789.012345",
            "\"\"",
        ] {
            assert!(agree(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn objects_of_all_sizes_keep_the_last_of_equal_names() {
        for size in 0..20 {
            for again in 0..=size {
                let names = (0..size).chain([again]);
                let members: Vec<String> = names.map(|n| format!(r#""n{n}":[{n}]"#)).collect();
                let text = format!(r#"{{{},"n0":1,"last":{{}}}}"#, members.join(","));
                assert!(agree(text.as_bytes()), "{text}");
                let ordered = with_entries(text.as_bytes());
                assert_eq!(
                    ordered.len(),
                    if size == again { size + 2 } else { size + 1 }.max(2),
                    "{text}"
                );
                assert_eq!(ordered.first().map(String::as_str), Some("n0"));
            }
        }
    }

    /// The names of an object in order, each of which is found by its name.
    fn with_entries(text: &[u8]) -> Vec<String> {
        let mut names = Vec::new();
        with_ctx(|ctx| {
            let object = parse(ctx, text).expect("good JSON");
            let Seen::Map(map) = object.as_any().seen(ctx.descs()) else {
                panic!("no object: {}", text.escape_ascii());
            };
            for (name, value) in map.iter(ctx.descs()) {
                let name = name.str().expect("names are strings");
                let found = map
                    .find(ctx.descs(), Key::str(name))
                    .map(|found| found.bits);
                assert_eq!(found, Some(value.bits), "{name}");
                names.push(name.to_owned());
            }
        });
        names
    }

    #[test]
    fn what_is_wrong_is_left_to_the_long_way() {
        for text in [
            "",
            " ",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e2",
            "1e999",
            "1e+",
            "+1",
            "[1,]",
            "[1 2]",
            "[",
            "{\"a\"}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":1",
            "tru",
            "nul",
            "\"a",
            "\"\u{1}\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "1 2",
        ] {
            assert!(!agree(text.as_bytes()), "{text}");
        }
        assert!(!agree(b"\"\xff\""));
        assert!(!agree(&[b'['; 1000]));
    }

    #[test]
    fn every_cut_and_change_of_a_text_is_read_alike() {
        let text = br#"{"id":-12.5e1,"x":["a\u0041\"",0,{"t":true,"n":null}],"f":1.25}"#;
        for at in 0..text.len() {
            agree(&text[..at]);
            for byte in [
                b'"', b'\\', b',', b'0', b'.', b'e', b'-', b'}', b' ', b'u', 0, 0xff,
            ] {
                let mut changed = text.to_vec();
                changed[at] = byte;
                agree(&changed);
            }
        }
    }
}
