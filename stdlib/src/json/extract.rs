//! The parts of a JSON text that a program asks for, in one pass and without the rest: what the compiler's pass `demand`
//! puts in the place of parsing and navigating. Enter at [`part`] and [`parts`].
//!
//! The text is read to its end all the same, and what is wrong or rare goes the long way of `parse`: so results and
//! errors are those of the whole tree.

use super::scan::Scan;
use super::{at, member, parse, quick};
use scn_runtime::{Any, Ctx, Fault, List, Own, OwnSlot, Seen, VarList, desc};
use smallvec::SmallVec;
use std::ops::Range;

/// The value at a path: a list of names and positions.
pub(crate) fn part(ctx: &Ctx, text: &[u8], path: List<'_>) -> Result<Own, Fault> {
    let mut wanted = Wanted::default();
    wanted.add(ctx, path);
    Ok(wanted.read(ctx, text)?.swap_remove(0))
}

/// The values at several paths, none of which leads on from another, as a `list<json>`.
pub(crate) fn parts(ctx: &Ctx, text: &[u8], paths: List<'_>) -> Result<VarList, Fault> {
    let mut wanted = Wanted::default();
    for path in paths.iter(ctx.descs()) {
        if let Some(Seen::List(path)) = path.any().map(|path| path.seen(ctx.descs())) {
            wanted.add(ctx, path);
        }
    }
    let mut list = VarList::new(ctx, desc::JSON_LIST, wanted.paths.len());
    for value in wanted.read(ctx, text)? {
        list.push(ctx, OwnSlot::own(value));
    }
    Ok(list)
}

/// A step of a path.
#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

/// The paths that are looked for. A set of them is a mask: the compiler asks for no more than 32.
#[derive(Default)]
struct Wanted<'a> {
    steps: SmallVec<[Step<'a>; 8]>,
    paths: SmallVec<[Path; 4]>,
}

/// A path, and how far it led.
struct Path {
    /// Where its steps are.
    steps: Range<usize>,
    /// How many of them led somewhere.
    found: usize,
    /// What is there.
    value: Option<Own>,
}

impl<'a> Wanted<'a> {
    fn add(&mut self, ctx: &'a Ctx, path: List<'a>) {
        let start = self.steps.len();
        for slot in path.iter(ctx.descs()) {
            self.steps
                .push(match slot.any().map(|any| any.seen(ctx.descs())) {
                    Some(Seen::Str(name)) => Step::Name(name),
                    Some(Seen::Scalar(_, index)) => Step::Index(index.int() as usize),
                    _ => unreachable!("the compiler makes paths of names and positions"),
                });
        }
        self.paths.push(Path {
            steps: start..self.steps.len(),
            found: 0,
            value: None,
        });
    }

    fn read(mut self, ctx: &Ctx, text: &[u8]) -> Result<SmallVec<[Own; 4]>, Fault> {
        if Search::run(ctx, text, &mut self).is_some() {
            let Wanted { steps, paths } = self;
            return Ok(paths
                .into_iter()
                .map(|path| {
                    let rest = &steps[path.steps][path.found..];
                    path.value.unwrap_or_else(|| missing(ctx, rest))
                })
                .collect());
        }
        let tree = parse::parse_closely(ctx, text)?;
        let steps = |path: &Path| &self.steps[path.steps.clone()];
        let values = self.paths.iter().map(|path| {
            let root = tree.clone();
            steps(path)
                .iter()
                .fold(root, |value, step| follow(ctx, value.as_any(), *step))
        });
        Ok(values.collect())
    }
}

fn follow(ctx: &Ctx, value: Any<'_>, step: Step<'_>) -> Own {
    match step {
        Step::Name(name) => member(ctx, value, name),
        Step::Index(index) => at(ctx, value, index as i64),
    }
}

/// What stands for steps that lead nowhere.
#[cold]
fn missing(ctx: &Ctx, steps: &[Step<'_>]) -> Own {
    let path: String = steps
        .iter()
        .map(|step| match step {
            Step::Name(name) => format!(".{name}"),
            Step::Index(index) => format!("[{index}]"),
        })
        .collect();
    ctx.heap.missing(&path)
}

/// A pass over a text.
struct Search<'s, 'a> {
    ctx: &'s Ctx,
    scan: Scan<'s>,
    wanted: &'s mut Wanted<'a>,
}

impl Search<'_, '_> {
    /// Reads the whole text; `None` if that takes a closer look.
    fn run(ctx: &Ctx, text: &[u8], wanted: &mut Wanted<'_>) -> Option<()> {
        let all = u64::MAX >> (64 - wanted.paths.len());
        let mut search = Search {
            ctx,
            scan: Scan::new(text)?,
            wanted,
        };
        search.value(all, 0)?;
        search.scan.is_done().then_some(())
    }

    /// Reads a value that the paths of a mask have come to after so many steps.
    fn value(&mut self, mask: u64, depth: usize) -> Option<()> {
        if mask == 0 {
            return self.scan.skip();
        }
        for at in ones(mask) {
            let path = &mut self.wanted.paths[at];
            // A member that comes again takes the place of the one before.
            (path.found, path.value) = (depth, None);
            if path.steps.len() == depth {
                let left = quick::DEPTH.checked_sub(depth as u32)?;
                path.value = Some(quick::value(self.ctx, &mut self.scan, left)?);
                return Some(());
            }
        }
        match self.scan.next() {
            b'{' => self.object(mask, depth),
            b'[' => self.array(mask, depth),
            _ => self.scan.skip(),
        }
    }

    fn object(&mut self, mask: u64, depth: usize) -> Option<()> {
        self.scan.step();
        if self.scan.next() == b'}' {
            self.scan.step();
            return Some(());
        }
        loop {
            let name = self.scan.name()?;
            let on = self.leading_on(
                mask,
                depth,
                |step| matches!(step, Step::Name(wanted) if *wanted == name),
            );
            self.value(on, depth + 1)?;
            match self.scan.next() {
                b',' => self.scan.step(),
                b'}' => break,
                _ => return None,
            }
        }
        self.scan.step();
        Some(())
    }

    fn array(&mut self, mask: u64, depth: usize) -> Option<()> {
        self.scan.step();
        if self.scan.next() == b']' {
            self.scan.step();
            return Some(());
        }
        for index in 0.. {
            let on = self.leading_on(
                mask,
                depth,
                |step| matches!(step, Step::Index(wanted) if *wanted == index),
            );
            self.value(on, depth + 1)?;
            match self.scan.next() {
                b',' => self.scan.step(),
                b']' => break,
                _ => return None,
            }
        }
        self.scan.step();
        Some(())
    }

    /// Those paths of a mask whose next step fits.
    #[inline]
    fn leading_on(&self, mask: u64, depth: usize, fits: impl Fn(&Step<'_>) -> bool) -> u64 {
        let mut on = 0;
        for at in ones(mask) {
            let first = self.wanted.paths[at].steps.start;
            on |= u64::from(fits(&self.wanted.steps[first + depth])) << at;
        }
        on
    }
}

/// The numbers of the bits that are set.
fn ones(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = mask.trailing_zeros() as usize;
        (mask != 0).then(|| {
            mask &= mask - 1;
            at
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::with_ctx;
    use scn_runtime::object::show;

    const NAMES: [&str; 5] = ["a", "b", "", "é\"", "items"];

    /// Small numbers in a row that looks random (Marsaglia's xorshift).
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, n: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 33) as usize % n
        }

        fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
            of[self.below(of.len())]
        }

        fn blank(&mut self) -> &'static str {
            self.pick(&["", "", "", " ", "\n\t"])
        }

        /// A JSON text, mostly a good one.
        fn text(&mut self, depth: usize) -> String {
            const LEAVES: [&str; 14] = [
                "null",
                "true",
                "false",
                "0",
                "-12",
                "3.50",
                "-0.0",
                "1e3",
                "\"\"",
                "\"a b\"",
                "\"\\u00e9\\n\"",
                "\"\\ud83d\\ude00\"",
                "12345678901234567890",
                "{}",
            ];
            let kind = if depth == 0 { 0 } else { self.below(5) };
            let count = self.below(5);
            let (before, behind) = (self.blank(), self.blank());
            let value = match kind {
                0 => self.pick(&LEAVES).to_owned(),
                1 | 2 => format!("[{}]", self.joined(count, |dice| dice.text(depth - 1))),
                _ => format!(
                    "{{{}}}",
                    self.joined(count, |dice| {
                        let name = dice.pick(&[
                            "\"a\"",
                            "\"b\"",
                            "\"\"",
                            "\"\\u00e9\\\"\"",
                            "\"it\\u0065ms\"",
                        ]);
                        format!("{name}{}:{}", dice.blank(), dice.text(depth - 1))
                    })
                ),
            };
            format!("{before}{value}{behind}")
        }

        fn joined(&mut self, count: usize, mut one: impl FnMut(&mut Dice) -> String) -> String {
            let parts: Vec<String> = (0..count).map(|_| one(self)).collect();
            parts.join(",")
        }

        /// The text with a byte changed, added or left out.
        fn damaged(&mut self, text: &str) -> Vec<u8> {
            let mut bytes = text.as_bytes().to_vec();
            let at = self.below(bytes.len());
            match self.below(4) {
                0 => drop(bytes.remove(at)),
                1 => bytes.truncate(at),
                2 => bytes.insert(at, b"\"\\,:[]{}0 x\xff\x01"[self.below(13)]),
                _ => bytes[at] = b"\"\\,:[]{}0 x\xff\x01"[self.below(13)],
            }
            bytes
        }

        fn path(&mut self) -> Vec<Step<'static>> {
            (0..1 + self.below(3))
                .map(|_| match self.below(3) {
                    0 => Step::Index(self.below(4)),
                    _ => Step::Name(self.pick(&NAMES)),
                })
                .collect()
        }
    }

    /// A path as the compiler hands it over.
    fn list(ctx: &Ctx, path: &[Step<'_>]) -> VarList {
        let mut list = VarList::new(ctx, desc::JSON_LIST, 0);
        for step in path {
            let step = match step {
                Step::Name(name) => ctx.heap.string(name),
                Step::Index(index) => ctx.heap.box_int(*index as i64),
            };
            list.push(ctx, OwnSlot::own(step));
        }
        list
    }

    fn shown(ctx: &Ctx, value: Any<'_>) -> String {
        match value.seen(ctx.descs()) {
            Seen::Missing(path) => format!("missing {path}"),
            _ => format!(
                "{:?} {}",
                value.desc(),
                show::json_object(ctx.descs(), value, None)
            ),
        }
    }

    /// What the whole tree says about paths.
    fn by_tree(ctx: &Ctx, text: &[u8], paths: &[Vec<Step<'_>>]) -> Result<Vec<String>, String> {
        let tree = parse::parse_closely(ctx, text).map_err(|fault| fault.message())?;
        let walk = |path: &Vec<Step<'_>>| {
            let start = tree.clone();
            let end = path
                .iter()
                .fold(start, |value, step| follow(ctx, value.as_any(), *step));
            shown(ctx, end.as_any())
        };
        Ok(paths.iter().map(walk).collect())
    }

    fn by_parts(ctx: &Ctx, text: &[u8], paths: &[Vec<Step<'_>>]) -> Result<Vec<String>, String> {
        let mut all = VarList::new(ctx, desc::JSON_LIST, 0);
        for path in paths {
            all.push(ctx, OwnSlot::own(list(ctx, path).into_own()));
        }
        let found = parts(ctx, text, all.as_list()).map_err(|fault| fault.message())?;
        let found = found.as_list();
        Ok(found
            .iter(ctx.descs())
            .filter_map(|slot| slot.any())
            .map(|value| shown(ctx, value))
            .collect())
    }

    fn by_part(ctx: &Ctx, text: &[u8], path: &[Step<'_>]) -> Result<Vec<String>, String> {
        let found = part(ctx, text, list(ctx, path).as_list()).map_err(|fault| fault.message())?;
        Ok(vec![shown(ctx, found.as_any())])
    }

    fn agree(text: &[u8], paths: &[Vec<Step<'_>>]) {
        with_ctx(|ctx| {
            let text_shown = text.escape_ascii();
            assert_eq!(
                by_parts(ctx, text, paths),
                by_tree(ctx, text, paths),
                "{text_shown} {paths:?}"
            );
            let first = &paths[..1];
            assert_eq!(
                by_part(ctx, text, &paths[0]),
                by_tree(ctx, text, first),
                "{text_shown} {first:?}"
            );
        });
    }

    #[test]
    fn parts_of_random_texts_are_those_of_the_tree() {
        let mut dice = Dice(0x5eed_1234_5678_9abc);
        for _ in 0..3000 {
            let text = dice.text(4);
            let mut paths: Vec<Vec<Step<'_>>> = Vec::new();
            for _ in 0..=dice.below(4) {
                let path = dice.path();
                // The compiler asks for nothing inside of what it asks for.
                let is_apart = |other: &Vec<Step<'_>>| {
                    let same =
                        |(a, b): (&Step<'_>, &Step<'_>)| format!("{a:?}") == format!("{b:?}");
                    !path.iter().zip(other).all(same)
                };
                if paths.iter().all(is_apart) {
                    paths.push(path);
                }
            }
            agree(text.as_bytes(), &paths);
            agree(&dice.damaged(&text), &paths);
        }
    }

    #[test]
    fn the_last_of_equal_names_counts() {
        let path = vec![Step::Name("a"), Step::Name("b")];
        for text in [
            r#"{"a":{"b":1},"a":{"b":2}}"#,
            r#"{"a":{"b":1},"a":{"c":2}}"#,
            r#"{"a":{"b":1},"a":3}"#,
            r#"{"a":3,"\u0061":{"b":[1,{}],"b":{"c":0}}}"#,
        ] {
            agree(text.as_bytes(), std::slice::from_ref(&path));
        }
    }

    #[test]
    fn deep_texts_go_the_long_way() {
        for levels in [60, 64, 65, 100, 127, 128, 129, 5000] {
            for text in [
                format!(
                    "{{\"x\":{}{},\"a\":1}}",
                    "[".repeat(levels),
                    "]".repeat(levels)
                ),
                format!("{{\"a\":{}0{}}}", "[".repeat(levels), "]".repeat(levels)),
                format!("{}{}", "{\"a\":".repeat(levels), "}".repeat(levels)),
            ] {
                agree(text.as_bytes(), &[vec![Step::Name("a")]]);
            }
        }
    }
}
