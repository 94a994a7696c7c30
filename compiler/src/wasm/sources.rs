//! The source map of a component: texts, functions and reporting sites, so that what it tells can be shown as it is
//! shown of a native run.
//!
//! It is JSON in the custom section [`SECTION`]:
//!
//! ```text
//! {"form": 1, "name": "x.scn", "load": false,
//!  "files": [{"name", "text"}], "functions": ["name"],
//!  "sites": [{"kind": "check" | "expect" | "step" | "call", "label", "file": 0, "start", "end"}]}
//! ```
//!
//! `file` counts the files of the map, offsets are bytes. Only files that something stands in are there.
//! Writer: [`SourceMap::of`] and [`SourceMap::write`]; reader: [`SourceMap::read`]. Both are pure.

use crate::ir::{Program, Site, SiteKind};
use crate::source::{Source, Sources};
use scn_grammar::{SourceId, Span};
use serde_json::{Value, json};

/// The name of the section.
pub const SECTION: &str = "scn:sources";

/// Goes up when a reader has to change.
const FORM: u64 = 1;

/// What a reader needs of a program to show what it tells.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    /// Whether its users come by a load plan.
    pub load: bool,
    /// Whether servers are all there is to run.
    pub serves: bool,
    /// The texts.
    pub sources: Sources,
    /// Names of functions.
    pub functions: Vec<String>,
    /// Sites, by their index.
    pub sites: Vec<Site>,
}

impl SourceMap {
    /// The map of a program.
    pub fn of(program: &Program) -> SourceMap {
        let used = used(program);
        let mut sources = Sources::default();
        let numbers: Vec<Option<SourceId>> = program
            .sources
            .iter()
            .zip(used)
            .map(|((name, text), used)| {
                used.then(|| {
                    sources.add(Source {
                        name: name.clone(),
                        text: text.clone(),
                    })
                })
            })
            .collect();
        let moved = |span: Span| {
            let number = numbers.get(span.source.0 as usize).copied().flatten();
            Span {
                source: number.unwrap_or_default(),
                ..span
            }
        };
        let sites = program.sites.iter().map(|site| Site {
            span: moved(site.span),
            ..site.clone()
        });
        SourceMap {
            load: program.scenarios.iter().any(|one| one.load.is_some()),
            serves: program.scenarios.is_empty() && program.tests.is_empty(),
            functions: program.functions.iter().map(|f| f.name.clone()).collect(),
            sites: sites.collect(),
            sources,
        }
    }

    /// The content of the section.
    pub fn write(&self) -> Vec<u8> {
        let files = self.sources.all.iter();
        let files = files.map(|file| json!({ "name": file.name, "text": file.text }));
        let sites = self.sites.iter().map(|site| {
            json!({
                "kind": kind_word(site.kind),
                "label": site.label,
                "file": site.span.source.0,
                "start": site.span.start,
                "end": site.span.end,
            })
        });
        let map = json!({
            "form": FORM,
            "load": self.load,
            "serves": self.serves,
            "files": files.collect::<Vec<_>>(),
            "functions": self.functions,
            "sites": sites.collect::<Vec<_>>(),
        });
        map.to_string().into_bytes()
    }

    /// Reads the content of a section; says what is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<SourceMap, String> {
        let map: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if map["form"] != FORM {
            return Err(format!("its form is {}, not {FORM}", map["form"]));
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut sources = Sources::default();
        for file in items(&map["files"]) {
            sources.add(Source {
                name: text(&file["name"]),
                text: text(&file["text"]),
            });
        }
        let sites = items(&map["sites"]).map(|site| read_site(site, &sources));
        Ok(SourceMap {
            load: map["load"] == true,
            serves: map["serves"] == true,
            functions: items(&map["functions"]).map(text).collect(),
            sites: sites.collect::<Result<_, _>>()?,
            sources,
        })
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn read_site(site: &Value, sources: &Sources) -> Result<Site, String> {
    let number = |name: &str| site[name].as_u64().unwrap_or(u64::MAX) as usize;
    let (file, start, end) = (number("file"), number("start"), number("end"));
    let text = sources.all.get(file).map(|file| &file.text);
    if text.and_then(|text| text.get(start..end)).is_none() {
        return Err("a site lies outside of the texts".to_owned());
    }
    Ok(Site {
        kind: site["kind"]
            .as_str()
            .and_then(kind_of)
            .ok_or("a site is of no kind")?,
        label: site["label"].as_str().unwrap_or_default().to_owned(),
        span: Span::new(SourceId(file as u32), start, end),
    })
}

/// Which sources something stands in that a run can tell of.
fn used(program: &Program) -> Vec<bool> {
    let mut used = vec![false; program.sources.len()];
    let sites = program.sites.iter().map(|site| site.span);
    let insts = program
        .functions
        .iter()
        .flat_map(|function| &function.blocks)
        .flat_map(|block| {
            let insts = block.insts.iter().map(|inst| inst.span);
            insts.chain([block.term_span])
        });
    let globals = program.globals.iter().map(|global| global.span);
    for span in sites.chain(insts).chain(globals) {
        if let Some(used) = used.get_mut(span.source.0 as usize) {
            *used = true;
        }
    }
    used
}

const KINDS: [(SiteKind, &str); 4] = [
    (SiteKind::Check, "check"),
    (SiteKind::Expect, "expect"),
    (SiteKind::Step, "step"),
    (SiteKind::Call, "call"),
];

fn kind_word(kind: SiteKind) -> &'static str {
    let found = KINDS.iter().find(|(known, _)| *known == kind);
    found.map_or("call", |(_, word)| word)
}

fn kind_of(word: &str) -> Option<SiteKind> {
    let found = KINDS.iter().find(|(_, known)| *known == word);
    found.map(|(kind, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut program = Program {
            sources: vec![
                ("unused.scn".to_owned(), "nothing".to_owned()),
                ("x.scn".to_owned(), "check \"ä\" == s".to_owned()),
            ],
            ..Program::default()
        };
        program.sites.push(Site {
            kind: SiteKind::Expect,
            label: "\"ä\" == s".to_owned(),
            span: Span::new(SourceId(1), 6, 15),
        });
        let read = SourceMap::read(&SourceMap::of(&program).write()).unwrap();
        assert_eq!(read.sources.all.len(), 1);
        assert_eq!(read.sites[0].kind, SiteKind::Expect);
        assert_eq!(read.sources.text(read.sites[0].span), "\"ä\" == s");
        assert!(!read.load);
    }

    #[test]
    fn what_is_broken_is_refused() {
        for broken in [
            "",
            "{}",
            r#"{"form": 2}"#,
            r#"{"form": 1, "sites": [{"kind": "check", "file": 0, "start": 0, "end": 0}]}"#,
            r#"{"form": 1, "files": [{"name": "x", "text": "ä"}],
                "sites": [{"kind": "check", "file": 0, "start": 1, "end": 2}]}"#,
            r#"{"form": 1, "files": [{"name": "x", "text": "a"}],
                "sites": [{"kind": "what", "file": 0, "start": 0, "end": 1}]}"#,
        ] {
            assert!(SourceMap::read(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
