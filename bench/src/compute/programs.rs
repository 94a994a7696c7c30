//! The programs, how large they are run, and what is claimed of them.

/// Whether a program is made of the language or of calls into the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Loops, calls, numbers, lists and records.
    Language,
    /// Texts, maps, JSON, digests: work that natives do in scn and Lua code does in Lua.
    Library,
}

impl Group {
    /// Its name in reports and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Group::Language => "language",
            Group::Library => "library",
        }
    }
}

/// A program: `NAME.scn` and `NAME.lua`, which take a size and print the same.
#[derive(Debug)]
pub(crate) struct Program {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it is made of.
    pub(crate) group: Group,
    /// A size that takes an interpreter some tenths of a second.
    pub(crate) size: u64,
    /// A size that takes compiled code some tenths of a second.
    pub(crate) large: u64,
}

/// The size at which starting is all that a program does.
pub(crate) const START: u64 = 1;

/// Sizes at which results are compared before anything is measured, and by the tests.
pub(crate) const SMALL: [u64; 4] = [1, 2, 7, 12];

const fn language(name: &'static str, size: u64, large: u64) -> Program {
    Program {
        name,
        group: Group::Language,
        size,
        large,
    }
}

const fn library(name: &'static str, size: u64, large: u64) -> Program {
    Program {
        name,
        group: Group::Library,
        size,
        large,
    }
}

/// All programs, in the order of reports.
pub(crate) const PROGRAMS: [Program; 15] = [
    language("fib", 32, 37),
    language("loop_sum", 4_000, 20_000),
    language("sieve", 3_000_000, 4_000_000),
    language("nbody", 100_000, 2_000_000),
    language("spectral_norm", 300, 1_500),
    language("mandelbrot", 400, 1_800),
    language("matrix", 200, 480),
    language("heap_sort", 250_000, 1_000_000),
    language("particles", 1_000, 4_000),
    library("strings", 20_000, 20_000),
    library("word_count", 500_000, 500_000),
    library("json", 10_000, 10_000),
    library("digest", 1_000_000, 1_000_000),
    library("sort", 200_000, 200_000),
    library("template", 100_000, 100_000),
];

/// The programs that the words name; all of them without any.
pub(crate) fn named(words: &[String]) -> Result<Vec<&'static Program>, String> {
    let fits = |program: &Program, word: &String| {
        word == program.name || word == program.group.name() || word == "all"
    };
    let unknown = words
        .iter()
        .find(|word| !PROGRAMS.iter().any(|program| fits(program, word)));
    if let Some(word) = unknown {
        let known: Vec<&str> = PROGRAMS.iter().map(|program| program.name).collect();
        return Err(format!(
            "there is no program `{word}`; there are {}",
            known.join(", ")
        ));
    }
    let chosen =
        |program: &&Program| words.is_empty() || words.iter().any(|word| fits(program, word));
    Ok(PROGRAMS.iter().filter(chosen).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Result<Vec<&'static str>, String> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let chosen = named(&words)?;
        Ok(chosen.iter().map(|program| program.name).collect())
    }

    #[test]
    fn programs_are_chosen_by_name_and_by_group() {
        assert_eq!(names(&[]).map(|all| all.len()), Ok(PROGRAMS.len()));
        assert_eq!(names(&["sieve", "fib"]), Ok(vec!["fib", "sieve"]));
        assert_eq!(names(&["language"]).map(|all| all.len()), Ok(9));
        assert_eq!(names(&["library"]).map(|all| all.len()), Ok(6));
        let error = names(&["fbi"]).expect_err("there is no such program");
        assert!(
            error.starts_with("there is no program `fbi`; there are fib,"),
            "{error}"
        );
    }
}
