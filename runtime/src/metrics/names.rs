//! Texts and contexts that a worker's samples refer to by number.
//!
//! Both are bounded: a peer or a script that makes up names makes memory no larger. Nothing here measures.

use super::hash::FastMap;
use super::{ContextId, NameId};
use std::collections::HashMap;

/// Names of operations that are told apart (language.md, rule 37).
const OPERATIONS: usize = 1000;
/// Methods, kinds of errors and names of servers that are told apart.
const WORDS: usize = 1000;
/// Contexts that are told apart: steps in steps of recursive functions have no end.
const CONTEXTS: usize = 4000;
/// Steps in steps that are told apart.
const DEPTH: usize = 16;
/// What everything beyond the bounds is called.
pub(super) const OTHER: &str = "{other}";

/// Names that every worker knows.
const FIXED: [&str; 6] = ["", OTHER, "connect", "send", "recv", "resolve"];

/// Interned texts.
#[derive(Debug)]
pub(super) struct Names {
    texts: Vec<Box<str>>,
    known: HashMap<Box<str>, NameId>,
    operations: usize,
    words: usize,
    /// How many have been handed over.
    told: usize,
}

impl Default for Names {
    fn default() -> Names {
        let mut names = Names {
            texts: Vec::new(),
            known: HashMap::new(),
            operations: 0,
            words: 0,
            told: 0,
        };
        // In the order of the constants of `NameId`.
        for text in FIXED {
            names.insert(text);
        }
        names
    }
}

impl Names {
    /// The id of an operation's name.
    pub fn operation(&mut self, text: &str) -> NameId {
        if let Some(id) = self.known.get(text) {
            return *id;
        }
        if self.operations == OPERATIONS {
            return NameId::OTHER;
        }
        self.operations += 1;
        self.insert(text)
    }

    /// The id of a method, a kind, a server's name.
    pub fn word(&mut self, text: &str) -> NameId {
        if let Some(id) = self.known.get(text) {
            return *id;
        }
        if self.words == WORDS {
            return NameId::OTHER;
        }
        self.words += 1;
        self.insert(text)
    }

    fn insert(&mut self, text: &str) -> NameId {
        let id = NameId(self.texts.len() as u32);
        self.texts.push(text.into());
        self.known.insert(text.into(), id);
        id
    }

    /// A text.
    pub fn text(&self, id: NameId) -> &str {
        &self.texts[id.0 as usize]
    }

    /// Texts that have not been handed over yet, in the order of their ids.
    pub fn take_new(&mut self) -> Vec<Box<str>> {
        let new = self.texts[self.told..].to_vec();
        self.told = self.texts.len();
        new
    }
}

/// Where samples belong, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Context {
    /// The context without steps.
    pub base: ContextId,
    /// The scenario's name; empty of nobody in particular.
    pub scenario: Box<str>,
    /// The tags of the scenario and of the user's phase.
    pub tags: Vec<(String, String)>,
    /// The names of the steps, outermost first.
    pub steps: Vec<Box<str>>,
}

/// Interned contexts.
#[derive(Debug)]
pub(super) struct Contexts {
    all: Vec<Context>,
    children: FastMap<(u32, u32), ContextId>,
    told: usize,
}

impl Default for Contexts {
    fn default() -> Contexts {
        Contexts {
            all: vec![Context::default()],
            children: FastMap::default(),
            told: 0,
        }
    }
}

impl Contexts {
    /// The context of a scenario's users with these tags.
    pub fn base(&mut self, scenario: &str, tags: &[(String, String)]) -> ContextId {
        let fits = |context: &Context| {
            context.steps.is_empty() && &*context.scenario == scenario && context.tags == tags
        };
        if let Some(at) = self.all.iter().skip(1).position(fits) {
            return ContextId(at as u32 + 1);
        }
        self.push(|base| Context {
            base,
            scenario: scenario.into(),
            tags: tags.to_vec(),
            steps: Vec::new(),
        })
    }

    /// The context of a step inside another one; `name` is its template.
    pub fn child<'a>(
        &mut self,
        parent: ContextId,
        site: u32,
        name: impl FnOnce() -> &'a str,
    ) -> ContextId {
        if parent == ContextId::NONE {
            return parent;
        }
        if let Some(known) = self.children.get(&(parent.0, site)) {
            return *known;
        }
        let outer = &self.all[parent.0 as usize];
        if self.all.len() >= CONTEXTS || outer.steps.len() >= DEPTH {
            return parent;
        }
        let mut child = outer.clone();
        child.steps.push(name().into());
        let id = self.push(|_| child);
        self.children.insert((parent.0, site), id);
        id
    }

    fn push(&mut self, context: impl FnOnce(ContextId) -> Context) -> ContextId {
        let id = ContextId(self.all.len() as u32);
        self.all.push(context(id));
        id
    }

    /// The context without steps.
    pub fn base_of(&self, id: ContextId) -> ContextId {
        self.all[id.0 as usize].base
    }

    /// Contexts that have not been handed over yet, in the order of their ids.
    pub fn take_new(&mut self) -> Vec<Context> {
        let new = self.all[self.told..].to_vec();
        self.told = self.all.len();
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded() {
        let mut names = Names::default();
        let first = names.operation("GET /0");
        for k in 1..OPERATIONS {
            assert_ne!(names.operation(&format!("GET /{k}")), NameId::OTHER);
        }
        assert_eq!(names.operation("GET /one more"), NameId::OTHER);
        assert_eq!(names.operation("GET /0"), first);
        assert_ne!(names.word("timeout"), NameId::OTHER);
        assert_eq!(names.text(NameId::OTHER), OTHER);
        assert_eq!(names.text(NameId::RESOLVE), "resolve");
        assert_eq!(names.take_new().len(), FIXED.len() + OPERATIONS + 1);
        assert!(names.take_new().is_empty());
    }

    #[test]
    fn contexts_are_found_again() {
        let mut contexts = Contexts::default();
        let tags = [("tenant".to_owned(), "a".to_owned())];
        let base = contexts.base("shop", &tags);
        assert_ne!(base, contexts.base("shop", &[]));
        assert_eq!(base, contexts.base("shop", &tags));
        let buy = contexts.child(base, 3, || "buy");
        let pay = contexts.child(buy, 4, || "pay");
        assert_eq!(contexts.child(buy, 4, || unreachable!("it is known")), pay);
        assert_eq!(contexts.base_of(pay), base);
        let told = contexts.take_new();
        let steps: Vec<&str> = told[pay.0 as usize].steps.iter().map(|s| &**s).collect();
        assert_eq!(steps, ["buy", "pay"]);
    }

    #[test]
    fn steps_without_end_stay_where_they_are() {
        let mut contexts = Contexts::default();
        let mut at = contexts.base("deep", &[]);
        for _ in 0..DEPTH {
            at = contexts.child(at, 1, || "again");
        }
        assert_eq!(contexts.child(at, 1, || "again"), at);
        for site in 0..CONTEXTS as u32 {
            contexts.child(ContextId(1), site, || "one of many");
        }
        assert_eq!(contexts.take_new().len(), CONTEXTS);
    }
}
